"""Methods for total reward, in doubles, on a collapsed model (`rltheory.solvers.collapse`).

    policy-iteration   from a policy that ends for sure: its equations solved, actions changed where
                       another is better. On a model whose value is finite every policy met ends for
                       sure (Bertsekas and Tsitsiklis 1991): one that does not has a class of states
                       at which actions were changed, and so a positive average reward
    value-iteration    v <- T v until it changes no more, its greedy policy improved as above
    auto               policy iteration; on large models after as many sweeps as it takes for the
                       greedy policy to settle

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
_ROUND = 100
"""Sweeps after which the greedy policy is compared with what it was."""
_SETTLED = 1e-3
"""Share of states whose greedy action may still change when policy iteration takes over."""


def is_proper(core: Core, rows: Rows) -> bool:
    """Whether the policy ends with probability 1 from every state."""
    chosen = np.zeros(core.n_rows, dtype=bool)
    chosen[rows] = True
    nowhere = np.zeros(core.n_states, dtype=bool)
    return bool(_core.graph.reach(core, chosen, nowhere, False)[0].all())


def improve_from(core: Core, rows: Rows) -> Guess:
    """Policy iteration from a proper policy.

    Raises
    ------
    StayingError
        If it comes to a policy that does not end.
    """
    value = np.zeros(core.n_states)
    best = np.full(core.n_states, -np.inf)
    iterations = 0
    while True:
        iterations += 1
        value = PolicyEquations(core, 1.0, rows).solve(core.reward[rows], value)
        noise = 4.0 * 2.0**-53 * np.abs(value).max()
        if not np.isfinite(value).all() or not (value - best > noise).any():
            return Guess(value, rows, iterations)  # nothing but rounding is left to gain
        best = np.maximum(best, value)
        better, switched = _core.solvers.improve(core, 1.0, value, rows)
        if not switched:
            return Guess(value, rows, iterations)
        if not is_proper(core, better):
            raise StayingError(better)
        rows = better


def policy_iteration(core: Core, rows: Rows, start: Vector | None, tolerance: Tolerance) -> Guess:
    return improve_from(core, rows)


def value_iteration(core: Core, rows: Rows, start: Vector | None, tolerance: Tolerance) -> Guess:
    return _swept(core, rows, start, tolerance, to_the_end=True)


def _swept(
    core: Core, rows: Rows, start: Vector | None, tolerance: Tolerance, to_the_end: bool
) -> Guess:
    # From the value of a policy, sweeps only rise, and what is greedy ends as the policy does.
    value = PolicyEquations(core, 1.0, rows).solve(core.reward[rows]) if start is None else start
    sweeps, last, before = 0, np.inf, rows
    while sweeps < _MOST_SWEEPS:
        swept, greedy = _core.solvers.bellman(core, 0, 1.0, value)
        sweeps += 1
        change, size = float(np.abs(swept - value).max()), float(np.abs(swept).max())
        value = swept
        if not np.isfinite(size) or change <= 0.01 * tolerance.of_size(size):
            break
        if not to_the_end and sweeps % _ROUND == 0:
            if np.count_nonzero(greedy != before) <= _SETTLED * core.n_states:
                break
            before = greedy
        if sweeps % 1000 == 0:  # rounding, or a value without bound
            if change >= 0.9 * last:
                break
            last = change
    greedy, _ = _core.solvers.improve(core, 1.0, value, rows)
    if np.isfinite(value).all() and is_proper(core, greedy):
        rows = greedy
    guess = improve_from(core, rows)
    note = f"{sweeps} sweeps, then the greedy policy improved"
    return Guess(guess.value, guess.rows, sweeps + guess.iterations, note)


def auto(core: Core, rows: Rows, start: Vector | None, tolerance: Tolerance) -> Guess:
    if core.n_states > DIRECT_STATES or start is not None:
        return _swept(core, rows, start, tolerance, to_the_end=False)
    guess = improve_from(core, rows)
    note = f"policy iteration: at most {DIRECT_STATES} states"
    return Guess(guess.value, guess.rows, guess.iterations, note)


TOTAL_METHODS: dict[str, Callable[[Core, Rows, Vector | None, Tolerance], Guess]] = {
    "auto": auto,
    "value-iteration": value_iteration,
    "policy-iteration": policy_iteration,
}
