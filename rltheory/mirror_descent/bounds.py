r"""How far exact mirror descent is from the optimum after k iterations: the theorems' bounds.

The problem: rewards in [0, 1], discount in [0, 1), start law rho, pi* deterministic and optimal
with occupancy d*, D_0 = E_{s ~ d*} KL(pi*(s), pi_0(s)).

    sublinear   V*(rho) - V^k(rho) <= [D_0 / eta + E_{d*}(V* - V^0)] / ((k+1) (1 - discount))
    geometric   V*(rho) - V^k(rho) <= (1 - 1/theta)^k [V*(rho) - V^0(rho)
                                                       + D_0 / ((1 - discount) eta_0 (theta - 1))]
    gamma       max (V* - V^k) <= discount^k [max (V* - V^0) + discount c_0 / (1 - discount)]
    entropy     max |Q* - Q^k| <= discount C_1 (1 - eta lambda)^{k-1}, k >= 1, regularised,
                C_1 = max |Q* - Q^0| + 2 lambda (1 - eta lambda / (1 - discount)) max |log pi*/pi_0|

Proofs: docs/theory/mirror_descent.md. References: Agarwal et al., JMLR 2021; Xiao, JMLR 2022;
Johnson, Pike-Burke and Rebeschini, NeurIPS 2023; Cen et al., Oper. Res. 2022.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import ModelError, PolicyError
from rltheory.mdp.model import MDP
from rltheory.mirror_descent.log_rows import log_rows, model_of, q_rows, start_of, value_of_logs
from rltheory.mirror_descent.reached import state_occupancy
from rltheory.mirror_descent.schedules import distribution_mismatch, positive
from rltheory.solvers.bellman import discount_of
from rltheory.solvers.reference_laws import read_regularizer
from rltheory.solvers.regularized import solve_regularized
from rltheory.solvers.solve import solve

__all__ = [
    "entropy_bound",
    "gamma_bound",
    "geometric_bound",
    "mdpo_bound",
    "sublinear_bound",
    "trust_region_bound",
]

Array = NDArray[np.float64]

_NEEDS = {
    "sublinear": ("step_size", "initial"),
    "geometric": ("step_size", "initial"),
    "gamma": ("slack",),
    "entropy": ("step_size", "temperature", "reference"),
}
"""What each bound depends on, beside the model, the number of steps and the first policy."""


def trust_region_bound(step: float, span: float) -> float:
    """step^2 span^2 / 8: what both divergences between two iterates are at most."""
    return step * step * span * span / 8


def sublinear_bound(k: Any, step: float, divergence: float, loss: float, discount: float) -> Any:
    """(divergence / step + loss) / ((k + 1) (1 - discount)), with loss = E_{d*}(V* - V^0)."""
    return (divergence / step + loss) / ((k + 1) * (1 - discount))


def geometric_bound(
    k: Any, mismatch: float, first_step: float, divergence: float, gap: float, discount: float
) -> Any:
    """(1 - 1/mismatch)^k (gap + divergence / ((1 - discount) first_step (mismatch - 1)))."""
    start = gap + divergence / ((1 - discount) * first_step * (mismatch - 1))
    return (1 - 1 / mismatch) ** k * start


def gamma_bound(k: Any, slack: float, gap: float, discount: float) -> Any:
    """discount^k (gap + discount slack / (1 - discount)), with gap = max (V* - V^0)."""
    return discount**k * (gap + discount * slack / (1 - discount))


def entropy_bound(
    k: Any, step: float, temperature: float, gap: float, log_gap: float, discount: float
) -> Any:
    """discount C_1 (1 - step temperature)^(k-1) for k >= 1, gap = max |Q* - Q^0|.

    `step` is that of Cen et al., at most (1 - discount) / temperature; the prox step of mirror
    descent with the same update is step / (1 - discount - step temperature).
    """
    keep = 1 - step * temperature / (1 - discount)
    constant = gap + 2 * temperature * keep * log_gap
    return discount * constant * (1 - step * temperature) ** (k - 1)


def mdpo_bound(
    kind: str,
    mdp: MDP,
    n_iters: int,
    *,
    step_size: float | None = None,
    slack: float | None = None,
    init: Any = None,
    initial: Any = None,
    temperature: float | None = None,
    reference: Any = None,
) -> Array:
    """A theorem's bound on this model, for every iteration 0..n_iters.

    Parameters
    ----------
    kind : {"sublinear", "geometric", "gamma", "entropy"}
        As in this module's header. The first two bound V*(rho) - V^k(rho), the third the largest
        gap of a state, the last the largest gap of regularised q values.
    mdp : MDP
        With a discount and rewards in any range.
    n_iters : int
    step_size : float
        eta, or the first step of "geometric"; for "entropy" the prox step of
        `mirror_descent_policy_iteration`, which may be infinite. Not for "gamma".
    slack : float
        c_0. For "gamma" only.
    init : array_like, shape (S, A), optional
        pi_0, as there.
    initial : array_like, shape (S,), optional
        rho in place of the model's start law; for the first two.
    temperature, reference
        For "entropy" only.

    Returns
    -------
    ndarray of float64, shape (n_iters + 1,)
        Infinite where pi_0 never takes the action of `solve`, in a state that counts, or for
        "gamma" in any state. Entry 0 of "entropy" is the gap itself.

    Raises
    ------
    ModelError
        If the kind is unknown, what it needs is missing or out of range, or another kind's
        argument is given.

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.MDP.deterministic([[0, 0]], [[1.0, 0.0]], discount=0.5, initial=[1.0])
    >>> rlt.mdpo_bound("sublinear", mdp, 2, step_size=1.0).round(4).tolist()
    [3.3863, 1.6931, 1.1288]
    """
    model_of(mdp, "mdpo_bound")
    if isinstance(n_iters, bool) or not isinstance(n_iters, int | np.integer) or n_iters < 0:
        raise ModelError(f"n_iters is {n_iters!r}; it must be an integer of at least 0")
    k, g = np.arange(int(n_iters) + 1), discount_of(mdp)
    if kind not in tuple(_NEEDS):
        raise ModelError(f"kind is {kind!r}; known are {', '.join(_NEEDS)}")
    given = {"step_size": step_size, "slack": slack, "initial": initial}
    given |= {"temperature": temperature, "reference": reference}
    for name, number in given.items():
        if number is not None and name not in _NEEDS[kind]:
            raise ModelError(f"{name} is given; the bound {kind!r} does not depend on it")
    if kind == "entropy":
        return _entropy(mdp, k, step_size, temperature, reference, init)
    logs = log_rows(mdp, init, None)
    solution = solve(mdp)
    taken = logs[mdp.actions == solution.policy[mdp.states]]
    gaps = solution.certificate.upper - value_of_logs(mdp, logs)
    if kind == "gamma":
        if g == 0.0:
            raise ModelError("discount is 0; the bound 'gamma' needs it above 0")
        bound = gamma_bound(k, positive("slack", slack), float(gaps.max()), g)
        # An action of probability 0 is never found: the theorem needs pi_0(A_k) > 0.
        return np.full(len(k), np.inf) if np.isneginf(taken).any() else np.asarray(bound)
    start = start_of(mdp, initial, "mdpo_bound")
    d = state_occupancy(mdp, solution.policy, start)
    divergence = float((d[d > 0.0] * -taken[d > 0.0]).sum())
    eta = positive("step_size", step_size)
    if kind == "sublinear":
        loss = float(d @ gaps)
        return np.asarray(sublinear_bound(k, eta, divergence, loss, g))
    theta = distribution_mismatch(mdp, start)
    if not 1.0 < theta < np.inf:
        raise ModelError(
            f"the mismatch of the start law is {theta!r}; the bound 'geometric' needs it above 1 "
            "and finite"
        )
    return np.asarray(geometric_bound(k, theta, eta, divergence, float(start @ gaps), g))


def _entropy(
    mdp: MDP, k: NDArray[np.int64], step_size: Any, temperature: Any, reference: Any, init: Any
) -> Array:
    soft = read_regularizer(mdp, temperature, reference)
    eta, tau, g = positive("step_size", step_size, True), soft.temperature, discount_of(mdp)
    logs = log_rows(mdp, init, None, soft.log_weight[0])
    best = solve_regularized(mdp, tau, reference)
    optimal = best.log_policy[mdp.states, mdp.actions]
    if (np.isneginf(logs) & ~np.isneginf(optimal)).any():
        raise PolicyError("init never takes an action that the optimum takes: no bound holds")
    allowed = ~np.isneginf(optimal)
    log_gap = float(np.abs(optimal[allowed] - logs[allowed]).max())
    ahead = q_rows(mdp, best.value) - q_rows(mdp, value_of_logs(mdp, logs, soft))
    gap = float(np.abs(ahead[allowed]).max())
    step = (1.0 - g) / (tau + 1.0 / eta)  # of Cen et al.
    later = entropy_bound(np.maximum(k, 1), step, tau, gap, log_gap, g)
    return np.asarray(np.where(k == 0, gap, later))
