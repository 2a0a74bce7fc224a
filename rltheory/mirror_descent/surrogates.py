r"""What policy optimisation maximises from pi_k: the objectives of MDPO and of PPO-clip.

    MDPO        <q, A^k> - KL(q, pi_k) / eta
    PPO-clip    sum_a pi_k(a) min(rho A^k, clip(rho, 1 - eps, 1 + eps) A^k),   rho = q(a) / pi_k(a)

in each state, with the advantages A^k of pi_k; averaged over the occupancy of pi_k, both have the
gradient (1 - discount) grad V(rho) at pi_k (claim mdpo-one-step-pg). The second is constant where
all ratios are clipped, and so leaves the divergence from pi_k free (claim mdpo-ppo-flat).
References: Tomar et al., ICLR 2022; Schulman et al., arXiv 1707.06347.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import ModelError, PolicyError
from rltheory.mathematics.divergences import divergence
from rltheory.mdp.intake import real_numbers
from rltheory.mirror_descent.forward_kl import policy_table
from rltheory.mirror_descent.schedules import positive

__all__ = ["mdpo_objective", "ppo_clip_surrogate"]

Array = NDArray[np.float64]


def mdpo_objective(policy: Any, old: Any, advantage: Any, step_size: float) -> Array:
    """<policy, advantage> - KL(policy, old) / step_size in each state.

    Parameters
    ----------
    policy, old, advantage : array_like, shape (A,) or (S, A)
    step_size : float
        Above 0.

    Returns
    -------
    ndarray of float64, shape () or (S,)
        -inf where the policy takes an action that the old one never does.

    Examples
    --------
    >>> import rltheory as rlt
    >>> round(float(rlt.mdpo_objective([0.5, 0.5], [0.3, 0.7], [0.7, -0.3], 1.0)), 6)
    0.112823
    """
    q, pi, values = _three(policy, old, advantage)
    eta = positive("step_size", step_size)
    return np.asarray((q * values).sum(axis=-1) - divergence("kl", q, pi) / eta)


def ppo_clip_surrogate(policy: Any, old: Any, advantage: Any, clip: float = 0.2) -> Array:
    """The clipped surrogate of PPO in each state.

    Parameters
    ----------
    policy, old, advantage : array_like, shape (A,) or (S, A)
        The old policy takes every action that the new one takes.
    clip : float
        In (0, 1).

    Returns
    -------
    ndarray of float64, shape () or (S,)

    Examples
    --------
    >>> import rltheory as rlt
    >>> for x in (0.3, 0.36, 0.44, 0.999):
    ...     print(round(float(rlt.ppo_clip_surrogate([x, 1 - x], [0.3, 0.7], [0.7, -0.3])), 9))
    0.0
    0.06
    0.084
    0.084
    """
    q, pi, values = _three(policy, old, advantage)
    if not 0.0 < positive("clip", clip) < 1.0:
        raise ModelError(f"clip is {clip!r}; it must be above 0 and below 1")
    if ((pi == 0.0) & (q > 0.0)).any():
        raise PolicyError("policy takes an action that old never takes: their ratio is infinite")
    # pi min(rho A, clip(rho) A), without dividing by a small pi.
    clipped = np.clip(q, (1.0 - clip) * pi, (1.0 + clip) * pi)
    return np.asarray(np.minimum(q * values, clipped * values).sum(axis=-1))


def _three(policy: Any, old: Any, advantage: Any) -> tuple[Array, Array, Array]:
    q, pi = policy_table("policy", policy), policy_table("old", old)
    values = real_numbers("advantage", advantage)
    if not q.shape == pi.shape == values.shape:
        raise ModelError(
            f"policy, old and advantage have shapes {q.shape}, {pi.shape} and {values.shape}; "
            "they must be the same"
        )
    return q, pi, values
