"""Where the Newton steps of a discounted regularised model begin: a value, and what it took.

    value-iteration     v <- T_tau v until it changes no more than the tolerance
    policy-iteration    0
    mixed               some sweeps; where these have not finished, the value of the best policy
                        without chance, if it is nearer

Theory: docs/theory/regularized.md.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from rltheory import _core
from rltheory.mdp.model import MDP
from rltheory.solvers.bellman import discount_of
from rltheory.solvers.reference_laws import Regularizer
from rltheory.solvers.tolerance import Tolerance

__all__ = ["STARTS"]

Vector = NDArray[np.float64]

_MOST_SWEEPS = 40


def _by_sweeps(mdp: MDP, soft: Regularizer, tolerance: Tolerance) -> tuple[Vector, int, str]:
    value, sweeps, _ = _core.planning.soft_value_iteration(
        mdp.core,
        discount_of(mdp),
        *soft.at(),
        tolerance.tol / 4,
        tolerance.rtol / 4,
        np.zeros(mdp.n_states),
    )
    return value, sweeps, ""


def _from_zero(mdp: MDP, soft: Regularizer, tolerance: Tolerance) -> tuple[Vector, int, str]:
    return np.zeros(mdp.n_states), 0, ""


def _mixed(mdp: MDP, soft: Regularizer, tolerance: Tolerance) -> tuple[Vector, int, str]:
    core, discount = mdp.core, discount_of(mdp)
    value = np.zeros(mdp.n_states)
    sweeps = 0
    left = math.inf
    while sweeps < _MOST_SWEEPS:
        sweeps += 1
        new = _core.planning.soft_bellman(core, 0, discount, *soft.at(), value)
        low, high = _extremes(mdp, new - value)
        value = new
        left = discount * (high - low) / (1.0 - discount)
        if not left > tolerance.of_size(float(np.abs(value).max())) / 4:
            break
    else:
        deterministic, more = _deterministic(mdp, soft, tolerance)
        new = _core.planning.soft_bellman(core, 0, discount, *soft.at(), deterministic)
        lowest, highest = _extremes(mdp, new - deterministic)
        sweeps += more + 1
        if highest - lowest < high - low:
            value, low, high = new, lowest, highest
    if not core.has_exits:
        value = value + discount / (1.0 - discount) * 0.5 * (low + high)
    return value, sweeps, "value iteration, then Newton steps where it has not finished"


def _extremes(mdp: MDP, change: Vector) -> tuple[float, float]:
    """Of the changes of a sweep, as far as they are passed on."""
    low, high = float(change.min()), float(change.max())
    return (min(low, 0.0), max(high, 0.0)) if mdp.core.has_exits else (low, high)


def _deterministic(mdp: MDP, soft: Regularizer, tolerance: Tolerance) -> tuple[Vector, int]:
    """The best value of a policy without chance, which pays -temperature log rho(a | s)."""
    core, discount = mdp.core, discount_of(mdp)
    temperature, _, log_weight, bonus = soft.at()
    rewards = core.reward + temperature * log_weight + np.repeat(bonus, np.diff(core.state_ptr))
    allowed = np.isfinite(rewards)
    lowest, highest = float(rewards[allowed].min()), float(rewards[allowed].max())
    rewards[~allowed] = lowest - (highest - lowest + 1.0) / (1.0 - discount)
    paying = _core.model.with_rewards(core, rewards)
    value, _, sweeps, _ = _core.solvers.ordered_policy_iteration(
        paying, discount, tolerance.tol, tolerance.rtol, np.zeros(mdp.n_states)
    )
    return value, sweeps


STARTS: dict[str, Callable[[MDP, Regularizer, Tolerance], tuple[Vector, int, str]]] = {
    "value-iteration": _by_sweeps,
    "policy-iteration": _from_zero,
    "mixed": _mixed,
}
