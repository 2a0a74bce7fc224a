"""Rankings: numbers that prove that runs end, or that those which do not earn -infinity.

    lower    f = 2 + P_policy f off the states that the policy never leaves, 0 there
    upper    g = max_a (k r + 2 + P_a g) on the collapsed model, `stop` worth 0

k = 0 where every policy ends; else k is raised until no policy can stay anywhere at an average of
k r + 2 above 0, each time beyond what the policy that was met needs. A decrease of 2 leaves room
for rounding: f and g are used where they decrease by 1, which is all a certificate asks for.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rltheory import _core
from rltheory.solvers.collapse import STOP, Collapsed
from rltheory.solvers.divergence import StayingError, classes_of, refuse_unbounded
from rltheory.solvers.methods import Guess
from rltheory.solvers.policy_equations import PolicyEquations
from rltheory.solvers.total_methods import improve_from, is_proper

__all__ = ["UpperRanking", "lower_ranking", "upper_ranking"]

Vector = NDArray[np.float64]
Rows = NDArray[np.int64]
Flags = NDArray[np.bool_]
Core = _core.model.Model

_MOST_RAISES = 200
_MOST_REPAIRS = 20
_ENOUGH = 1.5  # of the decrease of 2; what rounding may take of it is below 1/2
_SIMILAR = 1e-3
_ROUGHLY = 1e-4
"""Relative residual of a ranking's equations: far less than may be missing of its decrease."""


def lower_ranking(core: Core, rows: Rows, held: Flags) -> Vector | None:
    """Twice the expected number of steps before the policy ends or is held; None if not found."""
    bare = _core.model.with_rewards(core, np.zeros(core.n_rows))
    wanted = np.where(held, 0.0, 2.0)
    equations = PolicyEquations(core, 1.0, rows, held)
    f = equations.solve(wanted, wanted=_ROUGHLY)
    for _ in range(4):
        if not np.isfinite(f).all():
            return None
        ahead = _core.solvers.q_values(bare, 0, 1.0, f)[rows]
        decrease = np.where(held, 0.0, f - ahead)
        if (decrease[~held] >= _ENOUGH).all() and f.min() >= 0.0 and _exact_enough(core, f.max()):
            return f
        f = np.where(held, 0.0, f + equations.solve(wanted - decrease, wanted=_ROUGHLY))
    return None


@dataclass(frozen=True)
class UpperRanking:
    """g on the collapsed model, and k."""

    value: Vector
    reward_weight: float


def upper_ranking(collapsed: Collapsed, rows: Rows) -> UpperRanking | None:
    """From an optimal policy of the collapsed model, or a good one; None if not found.

    Raises
    ------
    ModelError
        If rewards cancel in an end component, or it earns more than 0 in the long run.
    """
    core = collapsed.core
    moves = collapsed.origin != STOP
    paid = core.reward[moves]
    weight = 0.0
    if _core.graph.end_components(core, moves)[0].max() >= 0:
        least = -float(paid.max())
        alone = 2.0 / least if least > 0.0 else math.inf
        if math.isfinite(alone) and least >= _SIMILAR * -float(paid.min()):
            return UpperRanking(np.zeros(core.n_states), alone)
    for _ in range(_MOST_RAISES):
        ranked = np.where(moves, weight * core.reward + 2.0, 0.0)
        if not np.isfinite(ranked).all():
            return None
        model = _core.model.with_rewards(core, ranked)
        try:
            guess = improve_from(model, rows)
        except StayingError as met:
            needed = _weight_needed(collapsed, met.rows)
            if needed is None:
                return None
            weight = 2.0 * max(weight, needed)
            continue
        return _fitting(collapsed, model, guess, moves, weight)
    return None


def _fitting(
    collapsed: Collapsed, model: Core, guess: Guess, moves: Flags, weight: float
) -> UpperRanking | None:
    """g of this policy, or of one that is better where rounding elsewhere hid it."""
    core = collapsed.core
    owner = np.repeat(np.arange(core.n_states), np.diff(core.state_ptr))
    g, rows = guess.value, guess.rows
    for _ in range(_MOST_REPAIRS):
        if not np.isfinite(g).all():
            return None
        # The pay of a row is in q once; 2 of it is what g must decrease by.
        slack = g[owner] - (_core.solvers.q_values(model, 0, 1.0, g) - np.where(moves, 2.0, 0.0))
        size = float(np.abs(g).max()) + weight * float(np.abs(core.reward).max())
        if (slack[moves] >= _ENOUGH).all() and (slack[~moves] >= 0.0).all():
            return UpperRanking(g, weight) if _exact_enough(collapsed.mdp.core, size) else None
        rows, switched = _core.solvers.improve(model, 1.0, g, rows)
        if not switched or not is_proper(core, rows):
            return None
        g = PolicyEquations(core, 1.0, rows).solve(model.reward[rows], g)
    return None


def _exact_enough(core: Core, size: float) -> bool:
    """Whether rounding changes r + P x - x by less than 1/2, for terms of this size.

    Merging and dividing the rows of a collapsed model changes each by a few units of 2^-53.
    """
    return float(size) * (core.longest_row + 8) <= 2.0**48


def _weight_needed(collapsed: Collapsed, rows: Rows) -> float | None:
    """The k at which the classes of this policy have an average of k r + 2 of 0, or less."""
    core = collapsed.core
    label = classes_of(core, rows)
    states = np.flatnonzero(label >= 0)
    _, first = np.unique(label[states], return_index=True)
    anchors = states[first]
    targets = np.zeros(core.n_states, dtype=bool)
    targets[anchors] = True
    equations = PolicyEquations(core, 1.0, rows, targets)

    def between_visits(reward: Vector) -> Vector:
        return np.asarray(equations.solve(reward[rows])[anchors])

    earned = between_visits(core.reward)
    size = between_visits(np.abs(core.reward))
    steps = between_visits(np.ones(core.n_rows))
    if not (np.isfinite(earned).all() and np.isfinite(steps).all()):
        return None
    if not (earned < -1e-9 * size).all():
        refuse_unbounded(collapsed.mdp, collapsed.lift(rows)[0])
    return float((2.0 * steps / -earned).max()) if (earned < 0.0).all() else None
