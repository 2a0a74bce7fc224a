"""Methods for discounted models, in doubles: an approximate value and a policy.

    value-iteration              v <- T v
    gauss-seidel                 v(s) <- (T v)(s), state after state, with what is new
    modified-policy-iteration    a greedy policy, then some sweeps of T_pi (Puterman and Shin 1978)
    policy-iteration             a greedy policy, then its equations solved (Howard 1960)
    auto                         policy iteration on small models; else modified policy iteration,
                                 and policy iteration from where that has not finished

Iterations by sweeps stop when the bracket of MacQueen (1966), discount (max - min of T v - v) /
(1 - discount), is below the tolerance. What a method returns is only a guess: the certificate
that follows does not trust it, and refines it where it is not good enough.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rltheory import _core
from rltheory.solvers.policy_equations import PolicyEquations
from rltheory.solvers.tolerance import Tolerance

__all__ = ["METHODS", "Guess"]

Vector = NDArray[np.float64]
Core = _core.model.Model

DIRECT_STATES = 160
"""Models up to this size are solved by policy iteration with dense factors."""
_MOST_IMPROVEMENTS = 40
_UNLIMITED = 2**62


@dataclass(frozen=True)
class Guess:
    """An approximate optimal value, the rows of a policy, and how they were found."""

    value: Vector
    rows: NDArray[np.int64]
    iterations: int
    note: str = ""


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
    value, sweeps, _ = _core.solvers.modified_policy_iteration(
        core, discount, tolerance.tol / 4, tolerance.rtol / 4, _UNLIMITED, start
    )
    return _swept(core, discount, value, sweeps)


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


def auto(core: Core, discount: float, tolerance: Tolerance, start: Vector) -> Guess:
    if core.n_states <= DIRECT_STATES:
        guess = policy_iteration(core, discount, tolerance, start)
        note = f"policy iteration: at most {DIRECT_STATES} states"
        return Guess(guess.value, guess.rows, guess.iterations, note)
    value, sweeps, converged = _core.solvers.modified_policy_iteration(
        core, discount, tolerance.tol / 4, tolerance.rtol / 4, _MOST_IMPROVEMENTS, start
    )
    if converged or not np.isfinite(value).all():
        return _swept(core, discount, value, sweeps, "modified policy iteration: it mixes fast")
    guess = policy_iteration(core, discount, tolerance, value)
    note = (
        f"modified policy iteration did not finish in {_MOST_IMPROVEMENTS} improvements, "
        "then policy iteration"
    )
    return Guess(guess.value, guess.rows, sweeps + guess.iterations, note)


METHODS: dict[str, Callable[[Core, float, Tolerance, Vector], Guess]] = {
    "auto": auto,
    "value-iteration": value_iteration,
    "gauss-seidel": gauss_seidel,
    "modified-policy-iteration": modified_policy_iteration,
    "policy-iteration": policy_iteration,
}
