"""Methods for total reward, in doubles, on a collapsed model (`rltheory.solvers.collapse`).

    policy-iteration   from a policy that ends for sure: its equations solved, actions changed where
                       another is better. On a model whose value is finite every policy met ends for
                       sure (Bertsekas and Tsitsiklis 1991): one that does not has a class of states
                       at which actions were changed, and so a positive average reward
    value-iteration    v <- T v until it changes no more, its greedy policy improved as above
    auto               policy iteration; on large models after Gauss-Seidel sweeps backwards from
                       the exits

There is no contraction, and so no bound in the changes of a sweep: the certificate has one of its
own.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from rltheory import _core
from rltheory.solvers.divergence import StayingError
from rltheory.solvers.methods import Guess
from rltheory.solvers.policy_equations import DIRECT_STATES, PolicyEquations
from rltheory.solvers.tolerance import Tolerance

__all__ = ["TOTAL_METHODS", "improve_from", "is_proper"]

Vector = NDArray[np.float64]
Rows = NDArray[np.int64]
Core = _core.model.Model

_MOST_SWEEPS = 20_000
_SWEEPS_OF_ONE = 32
"""Sweeps before and between solutions of a policy's equations, on larger models."""
_FEW_ITERATIONS = 200
_ROUGHLY = 1e-2
"""Relative residual of numbers of steps, which need not be right to tell that they fall."""


def is_proper(core: Core, rows: Rows) -> bool:
    """Whether the policy ends with probability 1 from every state."""
    chosen = np.zeros(core.n_rows, dtype=bool)
    chosen[rows] = True
    nowhere = np.zeros(core.n_states, dtype=bool)
    return bool(_core.graph.reach(core, chosen, nowhere, False)[0].all())


def _ends_soon(core: Core, rows: Rows) -> bool:
    """Whether it is quickly seen that the policy ends: some numbers fall along it, on average."""
    if not is_proper(core, rows):
        return False
    ones, none = np.ones(core.n_states), np.zeros(core.n_states)
    chain = _core.solvers.PolicyChain(core, 1.0, rows)
    steps, residual, _ = chain.solve(ones, none, _ROUGHLY, _FEW_ITERATIONS, False)
    if not (residual <= _ROUGHLY and steps.min() >= 0.0):
        return False
    bare = _core.model.with_rewards(core, np.zeros(core.n_rows))
    ahead = _core.solvers.q_values(bare, 0, 1.0, steps)[rows]
    return bool((steps - ahead).min() >= 0.5)


def improve_from(core: Core, rows: Rows, start: Vector | None = None) -> Guess:
    """Policy iteration from a proper policy, whose value may be near to `start`.

    Raises
    ------
    StayingError
        If it comes to a policy that does not end.
    """
    value = np.zeros(core.n_states) if start is None else start
    best = np.full(core.n_states, -np.inf)
    paid = float(np.abs(core.reward).max()) or 1.0
    iterations = 0
    while True:
        iterations += 1
        value = PolicyEquations(core, 1.0, rows).solve(core.reward[rows], value)
        # A residual of rounding, 8 ulps of the value, adds up for as long as a run lasts.
        size = float(np.abs(value).max())
        noise = 8.0 * 2.0**-53 * size * max(1.0, size / paid)
        if not np.isfinite(value).all() or not (value - best > noise).any():
            return Guess(value, rows, iterations)  # nothing but rounding is left to gain
        best = np.maximum(best, value)
        better, value = _improved(core, rows, value)
        if np.array_equal(better, rows):
            return Guess(value, rows, iterations)
        rows = better


def _improved(core: Core, rows: Rows, value: Vector) -> tuple[Rows, Vector]:
    """A better policy than the proper one of this value, or the same, and where to look for its."""
    if core.n_states > DIRECT_STATES:
        # Sweeps from its value rise, and keep to policies that end, but for rounding.
        swept, better, _ = _core.solvers.ordered_total_sweeps(
            core, 0.0, 0.0, _SWEEPS_OF_ONE, value, rows
        )
        if np.isfinite(swept).all() and is_proper(core, better):
            return better, swept
    better, switched = _core.solvers.improve(core, 1.0, value, rows)
    if switched and not is_proper(core, better):
        raise StayingError(better)
    return better, value


def policy_iteration(core: Core, rows: Rows, start: Vector | None, tolerance: Tolerance) -> Guess:
    return improve_from(core, rows)


def value_iteration(core: Core, rows: Rows, start: Vector | None, tolerance: Tolerance) -> Guess:
    # From the value of a policy, sweeps only rise, and what is greedy ends as the policy does.
    value = PolicyEquations(core, 1.0, rows).solve(core.reward[rows]) if start is None else start
    sweeps, last = 0, np.inf
    while sweeps < _MOST_SWEEPS:
        swept, _ = _core.solvers.bellman(core, 0, 1.0, value)
        sweeps += 1
        change, size = float(np.abs(swept - value).max()), float(np.abs(swept).max())
        value = swept
        if not np.isfinite(size) or change <= 0.01 * tolerance.of_size(size):
            break
        if sweeps % 1000 == 0:  # rounding, or a value without bound
            if change >= 0.9 * last:
                break
            last = change
    greedy, _ = _core.solvers.improve(core, 1.0, value, rows)
    return _finished(core, rows, greedy, value, f"{sweeps} sweeps", sweeps)


def _finished(
    core: Core, proper: Rows, found: Rows, value: Vector, made: str, iterations: int
) -> Guess:
    """Policy iteration from what was found, where it ends for sure, else from the proper policy."""
    if np.isfinite(value).all() and is_proper(core, found):
        guess = improve_from(core, found, value)
    else:
        guess = improve_from(core, proper)
    note = f"{made}, then the greedy policy improved"
    return Guess(guess.value, guess.rows, iterations + guess.iterations, note)


def ordered(core: Core, rows: Rows, start: Vector | None, tolerance: Tolerance) -> Guess:
    """Sweeps backwards from the exits, then policy iteration."""
    if start is None:
        # So low that what leads to an ending looks better than what does not.
        least = float(np.maximum.reduceat(core.reward, core.state_ptr[:-1]).min())
        start = np.full(core.n_states, core.n_states * min(0.0, least))
    # Changes tell nothing of how far it is still. A policy that ends soon enough for its equations
    # to be solved is found much earlier, and they lead there at once.
    value, sweeps, more = start, 0, _SWEEPS_OF_ONE
    while True:
        value, found, made = _core.solvers.ordered_total_sweeps(
            core, 1e-5 * tolerance.tol, 1e-5 * tolerance.rtol, more, value, rows
        )
        sweeps += made
        if made < more or sweeps >= _MOST_SWEEPS or _ends_soon(core, found):
            break
        more *= 2
    return _finished(core, rows, found, value, f"{sweeps} sweeps backwards from the exits", sweeps)


def auto(core: Core, rows: Rows, start: Vector | None, tolerance: Tolerance) -> Guess:
    if core.n_states > DIRECT_STATES or start is not None:
        return ordered(core, rows, start, tolerance)
    guess = improve_from(core, rows)
    note = f"policy iteration: at most {DIRECT_STATES} states"
    return Guess(guess.value, guess.rows, guess.iterations, note)


TOTAL_METHODS: dict[str, Callable[[Core, Rows, Vector | None, Tolerance], Guess]] = {
    "auto": auto,
    "value-iteration": value_iteration,
    "policy-iteration": policy_iteration,
}
