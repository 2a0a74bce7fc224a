"""Methods for discounted models, in doubles: an approximate value and a policy.

    value-iteration              v <- T v
    gauss-seidel                 v(s) <- (T v)(s), state after state, with what is new; now and then
                                 a sweep of value iteration, whose bracket centres the value
    modified-policy-iteration    a greedy policy, then some sweeps of T_pi (Puterman and Shin 1978)
    policy-iteration             a greedy policy, then its equations solved (Howard 1960)
    auto                         policy iteration on small models; else modified policy iteration,
                                 and policy iteration from where that has not finished

Iterations by sweeps stop when the bracket of MacQueen (1966), discount (max - min of T v - v) /
(1 - discount), is below the tolerance. What a method returns is only a guess: the certificate
that follows does not trust it, and refines it where it is not good enough.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rltheory import _core
from rltheory.solvers.policy_equations import PolicyEquations
from rltheory.solvers.tolerance import Tolerance

__all__ = ["METHODS", "Guess"]

Vector = NDArray[np.float64]
Core = _core.model.Model

_DIRECT_STATES = 50
"""Models up to this size are solved by policy iteration, to the last digit."""
_PATIENCE = 25.0
"""What modified policy iteration may still cost, in sweeps over all rows, before another method
takes over."""


def pessimistic(core: Core, discount: float) -> float:
    """The least return there could be: T v >= v for this constant v, so that values only rise."""
    least = float(core.reward.min()) / (1.0 - discount)
    return min(0.0, least) if core.has_exits else least


@dataclass(frozen=True)
class Guess:
    """An approximate optimal value, the rows of a policy, and how they were found."""

    value: Vector
    rows: NDArray[np.int64]
    iterations: int
    note: str = ""
    residuals: tuple[float, float] | None = None
    """Bounds of T v - v that hold exactly: below for `rows`, above for every row."""


def _swept(core: Core, discount: float, value: Vector, sweeps: int, note: str = "") -> Guess:
    _, rows = _core.solvers.bellman(core, 0, discount, value)
    return Guess(value, rows, sweeps, note)


def value_iteration(core: Core, discount: float, tolerance: Tolerance, start: Vector) -> Guess:
    value, sweeps, _ = _core.solvers.value_iteration(
        core, discount, tolerance.tol / 4, tolerance.rtol / 4, start
    )
    return _swept(core, discount, value, sweeps)


def gauss_seidel(core: Core, discount: float, tolerance: Tolerance, start: Vector) -> Guess:
    value, sweeps, _ = _core.solvers.gauss_seidel(
        core, discount, tolerance.tol / 4, tolerance.rtol / 4, start
    )
    return _swept(core, discount, value, sweeps)


def modified_policy_iteration(
    core: Core, discount: float, tolerance: Tolerance, start: Vector
) -> Guess:
    return _modified(core, discount, tolerance, start, math.inf)[0]


def _modified(
    core: Core, discount: float, tolerance: Tolerance, start: Vector, patience: float
) -> tuple[Guess, bool]:
    value, rows, sweeps, converged, low, high = _core.solvers.modified_policy_iteration(
        core, discount, 0.99 * tolerance.tol, 0.99 * tolerance.rtol, patience, start
    )
    return Guess(value, rows, sweeps, residuals=(low, high)), converged


def policy_iteration(core: Core, discount: float, tolerance: Tolerance, start: Vector) -> Guess:
    _, rows = _core.solvers.bellman(core, 0, discount, start)
    value = start
    iterations = 0
    while True:
        iterations += 1
        value = PolicyEquations(core, discount, rows).solve(core.reward[rows], value)
        if not np.isfinite(value).all():
            return Guess(value, rows, iterations)
        rows, switched = _core.solvers.improve(core, discount, value, rows)
        if not switched:
            return Guess(value, rows, iterations)


def ordered_policy_iteration(
    core: Core, discount: float, tolerance: Tolerance, start: Vector
) -> Guess:
    value, rows, sweeps, _ = _core.solvers.ordered_policy_iteration(
        core, discount, tolerance.tol / 4, tolerance.rtol / 4, start
    )
    return Guess(value, rows, sweeps)


def auto(core: Core, discount: float, tolerance: Tolerance, start: Vector) -> Guess:
    if core.n_states <= _DIRECT_STATES:
        exact = Tolerance(0.0, 0.0, tolerance.largest_reward)
        guess, _ = _modified(core, discount, exact, start, math.inf)
        return replace(guess, note=f"policy iteration: at most {_DIRECT_STATES} states")
    guess, converged = _modified(core, discount, tolerance, start, _PATIENCE)
    if converged or not np.isfinite(guess.value).all():
        return replace(guess, note="modified policy iteration: it mixes fast")
    swept = guess.iterations
    del guess  # on a large model its arrays are wanted
    slow = ordered_policy_iteration(core, discount, tolerance, start)
    note = "it mixes slowly: sweeps backwards from where most is earned, then equations of policies"
    return replace(slow, iterations=swept + slow.iterations, note=note)


METHODS: dict[str, Callable[[Core, float, Tolerance, Vector], Guess]] = {
    "auto": auto,
    "value-iteration": value_iteration,
    "gauss-seidel": gauss_seidel,
    "modified-policy-iteration": modified_policy_iteration,
    "policy-iteration": policy_iteration,
    "ordered-policy-iteration": ordered_policy_iteration,
}
