"""Methods for discounted models, in doubles: an approximate value and a policy.

    value-iteration              v <- T v
    gauss-seidel                 v(s) <- (T v)(s), state after state, with what is new; now and then
                                 a sweep of value iteration, whose bracket centres the value
    modified-policy-iteration    a greedy policy, then some sweeps of T_pi (Puterman and Shin 1978),
                                 around the classes of states of a periodic model
    policy-iteration             a greedy policy, then its equations solved (Howard 1960)
    ordered-policy-iteration     sweeps backwards from where most is earned, in place; then the
                                 equations of the policy they find solved a little; in turn
    auto                         policy iteration on small models, to the last digit; on others
                                 modified policy iteration; where it mixes too slowly, states are
                                 far apart, or most are never seen again, ordered policy iteration
                                 from the start; and policy iteration from where that makes no more
                                 progress

Iterations by sweeps stop when the bracket of MacQueen (1966), discount (max - min of T v - v) /
(1 - discount), is below the tolerance. What a method returns is only a guess: the certificate
that follows does not trust it, and refines it where it is not good enough; only the bounds of
residuals in `Guess` are trusted, which are proved. Theory: docs/theory/planning.md.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rltheory import _core
from rltheory.solvers.policy_equations import DIRECT_STATES, PolicyEquations
from rltheory.solvers.tolerance import Tolerance

__all__ = ["METHODS", "Guess"]

Vector = NDArray[np.float64]
Core = _core.model.Model

_SMALL = 50
"""Models up to this size are solved by policy iteration, to the last digit."""
_FEW_POLICIES = 12
"""Small models have rarely more than so many policies to go through, unless news travels slowly."""
_NO_LIMIT = 2**62
_FAR = 100
"""Steps of a way that is long enough for an order of sweeps to matter."""
_NARROW = 300
"""States within that distance: more, and news of all of them may mix before it has travelled."""
_PATIENCE = 60.0
"""How many sweeps of a policy modified policy iteration may have left, before another method takes
over. Measured, on random models with 2 to 10 successors, where three are enough to mix faster."""


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
    guess, _ = _modified(core, discount, tolerance, start, math.inf)
    return replace(guess, note="")


def _modified(
    core: Core, discount: float, tolerance: Tolerance, start: Vector, patience: float
) -> tuple[Guess, bool]:
    """The guess, and whether another method could do better."""
    value, rows, sweeps, converged, low, high, exhausted, classes, by_equations = (
        _core.solvers.modified_policy_iteration(
            core, discount, 0.99 * tolerance.tol, 0.99 * tolerance.rtol, patience, start
        )
    )
    note = "modified policy iteration: it mixes "
    note += "slowly, but equations of policies take few steps" if by_equations else "fast"
    if classes > 1:
        note += f" within the {classes} classes of states it goes round in"
    return Guess(value, rows, sweeps, note, (low, high)), not (converged or exhausted)


def policy_iteration(core: Core, discount: float, tolerance: Tolerance, start: Vector) -> Guess:
    if core.n_states <= DIRECT_STATES:
        return Guess(*_core.solvers.policy_iteration(core, discount, _NO_LIMIT, start)[:3])
    _, rows = _core.solvers.bellman(core, 0, discount, start)
    value = start
    iterations = 0
    seen = set()  # a policy that comes back was changed by rounding only
    while True:
        iterations += 1
        seen.add(hash(rows.tobytes()))
        value = PolicyEquations(core, discount, rows).solve(core.reward[rows], value)
        if not np.isfinite(value).all():
            return Guess(value, rows, iterations)
        rows, switched = _core.solvers.improve(core, discount, value, rows)
        if not switched or hash(rows.tobytes()) in seen:
            return Guess(value, rows, iterations)


def ordered_policy_iteration(
    core: Core, discount: float, tolerance: Tolerance, start: Vector
) -> Guess:
    value, rows, sweeps, converged = _core.solvers.ordered_policy_iteration(
        core, discount, tolerance.tol / 4, tolerance.rtol / 4, start
    )
    if converged:
        return Guess(value, rows, sweeps)
    # Its progress rests on no theorem; that of policy iteration does.
    begin = value if np.isfinite(value).all() else start
    guess = policy_iteration(core, discount, tolerance, begin)
    note = "policy iteration to the end"
    return replace(guess, iterations=sweeps + guess.iterations, note=note)


def _small(core: Core, discount: float, tolerance: Tolerance, start: Vector) -> Guess:
    kernel = _core.solvers.policy_iteration
    value, rows, policies, ended = kernel(core, discount, _FEW_POLICIES, start)
    note = f"policy iteration: at most {_SMALL} states"
    if ended:
        return Guess(value, rows, policies, note)
    # Policies change in one state after another: sweeps in order are quicker there.
    swept = ordered_policy_iteration(core, discount, tolerance, value)
    begin = swept.value if np.isfinite(swept.value).all() else value
    value, rows, more, _ = kernel(core, discount, _NO_LIMIT, begin)
    note += "; sweeps backwards from where most is earned in between: news travels slowly"
    return Guess(value, rows, policies + swept.iterations + more, note)


def _far_apart(core: Core, discount: float) -> bool:
    """Whether news travels far, before it is forgotten or through a strip of states."""
    lifetime = 1.0 / (1.0 - discount)
    if lifetime >= _FAR and _core.graph.far_apart(core, _FAR, _NARROW):
        return True
    steps = max(_FAR, math.ceil(lifetime))
    return _core.graph.far_apart(core, steps, core.n_states // 10)


def auto(core: Core, discount: float, tolerance: Tolerance, start: Vector) -> Guess:
    if core.n_states <= _SMALL:
        return _small(core, discount, tolerance, start)
    swept = 0
    if _far_apart(core, discount):
        why = "its states are far apart"
    elif _core.graph.mostly_acyclic(core):
        why = "most of its states are never seen again"
    else:
        guess, slow = _modified(core, discount, tolerance, start, _PATIENCE)
        if not (slow and np.isfinite(guess.value).all()):
            return guess
        swept = guess.iterations
        why = "it mixes slowly"
        del guess  # on a large model its arrays are wanted
    guess = ordered_policy_iteration(core, discount, tolerance, start)
    note = f"{why}: sweeps backwards from where most is earned, then equations of policies"
    if guess.note:
        note += f"; {guess.note}"
    return replace(guess, iterations=swept + guess.iterations, note=note)


METHODS: dict[str, Callable[[Core, float, Tolerance, Vector], Guess]] = {
    "auto": auto,
    "value-iteration": value_iteration,
    "gauss-seidel": gauss_seidel,
    "modified-policy-iteration": modified_policy_iteration,
    "policy-iteration": policy_iteration,
    "ordered-policy-iteration": ordered_policy_iteration,
}
