"""Models whose total reward is not a finite number: which states are to blame.

Along a policy that stays in some states for ever, total reward is +infinity where the average
reward there is positive, -infinity where it is negative; where it is 0 but the rewards are not,
partial sums go up and down for ever, and no value is certified.
"""

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from rltheory import _core
from rltheory.errors import ModelError
from rltheory.mdp.model import MDP

__all__ = ["StayingError", "classes_of", "listed", "refuse_profitable_rows", "refuse_unbounded"]

Rows = NDArray[np.int64]

_MOST_EXACT = 80
"""States of a class whose average reward is computed in fractions."""
_MOST_LISTED = 10


def listed(states: Rows) -> str:
    """The states, as a message names them."""
    shown = ", ".join(map(str, states[:_MOST_LISTED].tolist()))
    more = f", ... ({len(states)} in all)" if len(states) > _MOST_LISTED else ""
    return f"[{shown}{more}]"


class StayingError(Exception):
    """A method met a policy that stays in some states for ever.

    Parameters
    ----------
    rows : ndarray of int64
        The policy, rows of the model the method worked on.
    """

    def __init__(self, rows: Rows) -> None:
        super().__init__("a policy does not end")
        self.rows = rows


def classes_of(core: _core.model.Model, rows: Rows) -> Rows:
    """The set in which a policy's runs end up, as a label of each state, -1 elsewhere."""
    chosen = np.zeros(core.n_rows, dtype=bool)
    chosen[rows[rows >= 0]] = True
    return _core.graph.end_components(core, chosen)[0]


def refuse_profitable_rows(mdp: MDP) -> None:
    """Raise where rows that pay at least 0, and some of them more, can be used for ever."""
    core = mdp.core
    if mdp.rational is None:
        pays, good = core.reward > 0.0, core.reward >= 0.0
    else:
        pays = np.array([x > 0 for x in mdp.rational.reward], dtype=bool)
        good = np.array([x >= 0 for x in mdp.rational.reward], dtype=bool)
    if not pays.any():
        return
    label, inside = _core.graph.end_components(core, good)
    gains = np.flatnonzero(inside & pays)
    if len(gains) == 0:
        return
    s = int(np.searchsorted(core.state_ptr, gains[0], side="right")) - 1
    states = np.flatnonzero(label == label[s])
    raise ModelError(
        f"the total reward is +infinity: a policy can stay in states {listed(states)} for ever, "
        f"with rewards of at least 0, and {float(core.reward[gains[0]])} at state {s} again and "
        "again"
    )


def refuse_unbounded(mdp: MDP, rows: Rows) -> None:
    """Raise if the policy stays for ever somewhere at an average reward of 0 or more."""
    groups = list(_groups(classes_of(mdp.core, rows)))
    found = [(*_long_run(mdp, states, rows[states]), states) for states in groups]
    for sign, average, states in sorted(found, key=lambda each: -each[0]):
        if sign > 0:
            raise ModelError(
                "the total reward is +infinity: a policy can stay in states "
                f"{listed(states)} for ever, at an average reward of {average:.3g} a step"
            )
        if sign == 0:
            raise ModelError(
                f"the total reward is not certified: in states {listed(states)}, where a policy "
                "can stay for ever, rewards that are not 0 cancel in the long run, and partial "
                "sums need not converge"
            )


def _groups(label: Rows) -> Iterator[Rows]:
    order = np.argsort(label, kind="stable")
    bounds = np.searchsorted(label[order], np.arange(int(label.max()) + 2))
    for begin, end in pairwise(bounds):
        yield order[begin:end]


def _long_run(mdp: MDP, states: Rows, rows: Rows) -> tuple[int, float]:
    """(sign, value) of the average reward of a class: earned between visits of its first state."""
    core, n = mdp.core, len(states)
    place = {s: i for i, s in enumerate(states.tolist())}
    row_ptr, col, prob = _core.model.as_csr(core)
    if n > _MOST_EXACT:
        return _long_run_in_doubles(core, states, rows)
    rational = mdp.rational
    matrix, reward = [], []
    for i, row in enumerate(rows.tolist()):
        a, b = int(row_ptr[row]), int(row_ptr[row + 1])
        p = [Fraction(x) for x in (prob[a:b].tolist() if rational is None else rational.prob[a:b])]
        line = [Fraction(int(i == j)) for j in range(n)]
        for x, t in zip(p, col[a:b].tolist(), strict=True):
            if place[t] != 0:
                line[place[t]] -= x / sum(p)
        matrix.append(line)
        reward.append(Fraction(core.reward[row]) if rational is None else rational.reward[row])
    # Lazily: fractions and their libraries are needed in this one place.
    from rltheory.solvers.rational_equations import solve_rational

    earned = solve_rational(matrix, reward)[0]
    steps = solve_rational(matrix, [Fraction(1)] * n)[0]
    return (earned > 0) - (earned < 0), float(earned / steps)


def _long_run_in_doubles(core: _core.model.Model, states: Rows, rows: Rows) -> tuple[int, float]:
    from rltheory.solvers.policy_equations import PolicyEquations

    targets = np.ones(core.n_states, dtype=bool)
    targets[states[1:]] = False
    every = np.asarray(core.state_ptr[:-1]).copy()
    every[states] = rows
    equations = PolicyEquations(core, 1.0, every, targets)

    def between_visits(reward: NDArray[np.float64]) -> float:
        return float(equations.solve(reward[every])[states[0]])

    earned, size = between_visits(core.reward), between_visits(np.abs(core.reward))
    steps = between_visits(np.ones(core.n_rows))
    sign = 0 if abs(earned) <= 1e-9 * size else (1 if earned > 0 else -1)
    return sign, earned / steps
