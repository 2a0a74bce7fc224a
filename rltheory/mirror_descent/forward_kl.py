r"""The step of TRPO with its divergence as a penalty: KL(pi, q), the old policy first.

    q = argmax <q, Q> - KL(pi, q) / eta,      q(a) = pi(a) / (eta (nu - Q(a))),

with nu in (max Q, max Q + 1/eta] such that the q(a) sum to 1. With y = eta (nu - max Q) and
c(a) = eta (max Q - Q(a)) that is S(y) = sum_a pi(a) / (y + c(a)) = 1, where 1/S is increasing and
concave: Newton's method for 1/S = 1 increases to the root from y = pi(argmax Q), where S >= 1, and
is exact at once where one action prevails. Mirror descent has KL(q, pi) instead; the steps agree to
second order only (claims mdpo-trpo-forward, mdpo-kl-hessian). Reference: Schulman, Levine, Moritz,
Jordan and Abbeel, ICML 2015.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import ModelError, PolicyError
from rltheory.mdp.intake import real_numbers
from rltheory.mirror_descent.schedules import positive

__all__ = ["forward_kl_step", "policy_table"]

Array = NDArray[np.float64]
_MOST_STEPS = 200


def policy_table(name: str, policy: Any) -> Array:
    """Probabilities, (..., A), whose rows sum to 1 within 1e-9 and are divided by their sum."""
    table = real_numbers(name, policy)
    if table.ndim < 1 or not table.size:
        raise PolicyError(f"{name} has shape {table.shape}; it must be (A,) or (S, A)")
    wrong = np.argwhere(~((table >= 0.0) & (table <= 2.0)))
    if len(wrong):
        where = tuple(int(i) for i in wrong[0])
        raise PolicyError(
            f"{name}[{', '.join(map(str, where))}] is {table[where]!s}; a probability must be in "
            "[0, 1]"
        )
    sums = table.sum(axis=-1, keepdims=True)
    if (np.abs(sums - 1.0) > 1e-9).any():
        worst = float(sums.ravel()[np.abs(sums.ravel() - 1.0).argmax()])
        raise PolicyError(f"a row of {name} sums to {worst!r}; it must sum to 1 within 1e-9")
    return np.asarray(table / sums)


def forward_kl_step(policy: Any, q: Any, step_size: float) -> Array:
    """argmax over laws p of <p, q> - KL(policy, p) / step_size, state by state.

    Parameters
    ----------
    policy, q : array_like, shape (A,) or (S, A)
        Probabilities, and q values or advantages; a constant added to these changes nothing.
    step_size : float
        eta, finite and above 0.

    Returns
    -------
    ndarray of float64, like `policy`
        Actions of probability 0 keep it.

    Raises
    ------
    PolicyError
        If `policy` holds no probabilities.
    ModelError
        If `q` has another shape or is not finite, or the step is out of range.

    Examples
    --------
    >>> import rltheory as rlt
    >>> rlt.forward_kl_step([0.3, 0.7], [1.0, 0.0], 1.0).round(6).tolist()  # sqrt(0.3) first
    [0.547723, 0.452277]
    """
    pi = policy_table("policy", policy)
    values = real_numbers("q", q)
    if values.shape != pi.shape or not np.isfinite(values).all():
        raise ModelError(
            f"q has shape {values.shape}; it must be finite and {pi.shape}, like policy"
        )
    eta = positive("step_size", step_size)
    taken = pi > 0.0
    top = values.max(axis=-1, where=taken, initial=-np.inf, keepdims=True)
    below = np.where(taken, eta * (top - values), 0.0)
    y = np.where(below == 0.0, pi, 0.0).sum(axis=-1, keepdims=True)
    for _ in range(_MOST_STEPS):
        # Forming q(a) / pi(a) first keeps numbers above 0 where pi(a) / y^2 would overflow.
        ratio = pi / (y + below)
        total = ratio.sum(axis=-1, keepdims=True)
        slope = (ratio / (y + below)).sum(axis=-1, keepdims=True) / total
        new = np.maximum(y, y + (total - 1.0) / slope)
        if (new - y <= 2.0**-52 * y).all():
            break
        y = new
    found = pi / (y + below)
    return np.asarray(found / found.sum(axis=-1, keepdims=True))
