"""Small models that look for trouble: the instances on which wrong code and wrong claims fail.

The problem: plain random arrays have no ties, no corners and no endings; they reach a third of
a tight bound and exercise half of a solver. `awkward(seed)` draws a model from a mixture of
everything that has ever mattered, in about a millisecond, so that property tests can afford
ten thousand of them. The mixture is drawn feature by feature, rows of the model in between:

    pairs     which actions each state has (all, or ragged)
    rows      P(. | s, a) of each pair, of the kinds in `_row`
    states    repeated, absorbing, unreachable, ending states; repeated actions
    rewards   a scale, and how rewards are spread over the pairs (`_rewards`)
    sums      all as the doubles come out, or off by up to 1e-10
    law       the initial law; the discount

Every number is made by + - * / from words of `rltheory.mdp.streams`: the same seed gives the
same model on every machine.
"""

import math
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import ModelError
from rltheory.mdp.arguments import at_least
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.model import MDP
from rltheory.mdp.streams import Stream

__all__ = ["awkward"]

_DISCOUNTS = (0.0, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999, 1.0 - 2.0**-20)
# Rewards over ten orders of magnitude; literals, since powers differ between machines.
_SCALES = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 1e1, 1e2, 1e3, 1e4, 1e5)
# Distances from a corner of the simplex, down to where 1 - eps is 1 in doubles.
_NEAR_CORNER = (0.25, 1e-2, 1e-4, 2.0**-20, 1e-9, 2.0**-52, 1e-18, 1e-100)
_ROW_ERROR = 1e-10


@dataclass
class _Draft:
    """A model on its way: rows are pairs in order; sums of `prob` and `exit` are 1."""

    state: NDArray[np.int64]
    action: NDArray[np.int64]
    prob: NDArray[np.float64]
    exit: NDArray[np.float64]
    reward: NDArray[np.float64]


@overload
def awkward(
    seed: int | np.random.SeedSequence,
    *,
    states: int | None = ...,
    actions: int | None = ...,
    discount: float | None = ...,
    horizon: None = ...,
) -> MDP: ...
@overload
def awkward(
    seed: int | np.random.SeedSequence,
    *,
    states: int | None = ...,
    actions: int | None = ...,
    discount: None = ...,
    horizon: int,
) -> EpisodicMDP: ...
def awkward(
    seed: int | np.random.SeedSequence,
    *,
    states: int | None = None,
    actions: int | None = None,
    discount: float | None = None,
    horizon: int | None = None,
) -> MDP | EpisodicMDP:
    """A small model drawn from a mixture of awkward features.

    It can have, alone or together:

    - deterministic rows; rows with few successors and weights over many orders of magnitude,
      like Dirichlet(0.1); uniform rows on subsets (1/3 three times); uniform points of the
      simplex; points at a distance of 0.25 to 1e-100 from a corner;
    - in one model in three, all rows deterministic;
    - ragged actions: any set of labels in each state, at least one;
    - repeated states (equal rows and rewards), repeated actions (ties), absorbing states with
      and without reward, states that no other state leads to, and a whole model that stays
      where it is;
    - exits: tiny, large, 1 - tiny, in some rows or all of them; rows and states that end for
      sure, up to models in which every row does;
    - rewards all 0; all equal; 0 and 1; -1 and 1; small integers; uniform; spread over ten
      orders of magnitude in one model; all times a scale of 1e-5 to 1e5, and in one model in
      eight an offset of 1e6; -0.0; given as means, or as rewards of outcomes;
    - row sums as doubles make them, exact, or off by up to 1e-10;
    - an initial law on one state, on some, or on all;
    - the discounts 0, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999, 1 - 2^-20, or uniform on [0, 1);
    - with a horizon, the same rows at every stage or different ones.

    Parameters
    ----------
    seed : int or SeedSequence
    states, actions : int, optional
        Number of states and of action labels, each at least 1; up to 6 and 4 when left out.
    discount : float, optional
        In [0, 1); drawn when left out.
    horizon : int, optional
        At least 1. Given: an `EpisodicMDP`, which is never ragged when its stages differ.

    Returns
    -------
    MDP or EpisodicMDP

    Raises
    ------
    ModelError
        If an argument is out of its range, or discount and horizon are both given.

    Examples
    --------
    >>> from rltheory.mdp.awkward import awkward
    >>> mdp = awkward(3, states=4)
    >>> mdp.n_states, 0 <= mdp.discount < 1, bool(abs(mdp.row_defect).max() <= 1.1e-10)
    (4, True, True)
    """
    if discount is not None and horizon is not None:
        raise ModelError("discount and horizon are both given; a model has one of them")
    stream = Stream(seed, "awkward")
    n_states = 1 + stream.integer(6) if states is None else states
    n_actions = 1 + stream.integer(4) if actions is None else actions
    at_least("states", n_states, 1)
    at_least("actions", n_actions, 1)
    initial = _initial(stream, n_states)

    if horizon is not None:
        at_least("horizon", horizon, 1)
        if stream.integer(2):
            shape = (horizon, n_states, n_actions)
            stages = [_draft(stream, n_states, n_actions, ragged=False) for _ in range(horizon)]
            return EpisodicMDP(
                np.stack([d.prob for d in stages]).reshape(*shape, n_states),
                np.stack([d.reward for d in stages]).reshape(shape),
                horizon,
                initial,
                termination=np.stack([d.exit for d in stages]).reshape(shape),
            )
    draft = _draft(stream, n_states, n_actions, ragged=stream.integer(2) == 1)
    if discount is None and horizon is None:
        choice = stream.integer(len(_DISCOUNTS) + 1)
        discount = stream.uniform() if choice == len(_DISCOUNTS) else _DISCOUNTS[choice]
    # A given order of rows is a permutation of the canonical one as often as not.
    order = np.arange(len(draft.state))
    if stream.integer(2):
        order = stream.permutation(len(order))
    prob, reward, ending = draft.prob[order], draft.reward[order], draft.exit[order]
    if stream.integer(5):
        rewards: dict[str, Any] = {"rewards": reward}
    else:  # the same reward on every outcome, but one row pays by where it leads
        outcomes = np.repeat(reward[:, None], n_states, axis=1)
        outcomes[0] *= stream.uniforms(n_states)
        rewards = {"next_state_rewards": outcomes, "termination_rewards": reward}
    mdp = MDP.from_pairs(
        draft.state[order],
        draft.action[order],
        prob,
        discount=discount,
        initial=initial,
        n_states=n_states,
        n_actions=n_actions,
        termination=ending,
        **rewards,
    )
    return mdp if horizon is None else mdp.episodic(horizon)


def _draft(stream: Stream, n_states: int, n_actions: int, ragged: bool) -> _Draft:
    state, action = _pairs(stream, n_states, n_actions, ragged)
    draft = _Draft(
        state,
        action,
        np.zeros((len(state), n_states)),
        np.zeros(len(state)),
        _rewards(stream, len(state)),
    )
    only_certain = stream.integer(3) == 0
    some_exits = stream.integer(2) == 1
    for r in range(len(state)):
        kind = 0 if only_certain else stream.integer(5)
        weights = _row(stream, n_states + 1 if some_exits else n_states, kind)
        draft.prob[r] = weights[:n_states]
        draft.exit[r] = weights[n_states] if some_exits else 0.0
        if some_exits and not only_certain and stream.integer(4) == 0:
            _set_exit(draft, r, _near_corner(stream))
    _special_states(stream, draft, n_states)
    sums = stream.integer(3)
    if sums:
        total = np.array(
            [math.fsum((*row, ending)) for row, ending in zip(draft.prob, draft.exit, strict=True)]
        )
        # 1: each row divided by its sum, as people do it; 2: off by up to 1e-10.
        error = 1.0 + _ROW_ERROR * (2.0 * stream.uniforms(len(state)) - 1.0) * (sums - 1)
        draft.prob *= (error / total)[:, None]
        draft.exit *= error / total
    return draft


def _pairs(
    stream: Stream, n_states: int, n_actions: int, ragged: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    present = np.ones((n_states, n_actions), dtype=bool)
    if ragged:
        present = stream.uniforms(n_states, n_actions) < 0.6
        present[np.arange(n_states), stream.integers(n_actions, n_states)] = True
    state, action = np.nonzero(present)
    return state, action


def _row(stream: Stream, size: int, kind: int) -> NDArray[np.float64]:
    """A point of the simplex with `size` corners, of one of five kinds."""
    row = np.zeros(size)
    corner = stream.integer(size)
    if kind == 0 or size == 1:  # deterministic
        row[corner] = 1.0
    elif kind == 1:  # Dirichlet(0.1)-like: u^10 is what a Gamma(0.1) variable is near 0
        u = stream.uniforms(size)
        square = u * u
        row[:] = square * square * square * square * square
        row[row < row.max() * 2.0**-60] = 0.0
        row /= math.fsum(row)
    elif kind == 2:  # uniform on a subset
        among = stream.permutation(size)[: 1 + stream.integer(size)]
        row[among] = 1.0 / len(among)
    elif kind == 3:  # uniform on the simplex
        row[:] = stream.spacings(1, size)[0]
    else:  # beside a corner
        distance = _near_corner(stream)
        row[corner] = 1.0 - distance
        row[(corner + 1 + stream.integer(size - 1)) % size] = distance
    return row


def _near_corner(stream: Stream) -> float:
    """A small number, or 1 minus it."""
    distance = _NEAR_CORNER[stream.integer(len(_NEAR_CORNER))]
    return distance if stream.integer(2) else 1.0 - distance


def _set_exit(draft: _Draft, row: int, chance: float) -> None:
    """Let the row end with this probability and share out the rest as it was."""
    total = math.fsum(draft.prob[row])
    if total > 0.0:
        draft.prob[row] *= (1.0 - chance) / total
        draft.exit[row] = chance


def _special_states(stream: Stream, draft: _Draft, n_states: int) -> None:
    """Make a few states repeated, absorbing, unreachable or ending."""
    for _ in range(stream.integer(3)):
        s = stream.integer(n_states)
        rows = np.flatnonzero(draft.state == s)
        kind = stream.integer(5)
        if kind == 0:  # absorbing, half of them without reward
            draft.prob[rows] = 0.0
            draft.prob[rows, s] = 1.0
            draft.exit[rows] = 0.0
            draft.reward[rows] *= stream.integer(2)
        elif kind == 1:  # ending
            draft.prob[rows] = 0.0
            draft.exit[rows] = 1.0
        elif kind == 2 and n_states > 1:  # unreachable from elsewhere
            others = np.flatnonzero(draft.state != s)
            heir = (s + 1 + stream.integer(n_states - 1)) % n_states
            draft.prob[others, heir] += draft.prob[others, s]
            draft.prob[others, s] = 0.0
        elif kind == 3:  # the twin of another state, as far as both have the action
            twin = np.flatnonzero(draft.state == stream.integer(n_states))
            for r in rows:
                for t in twin[draft.action[twin] == draft.action[r]]:
                    _copy_row(draft, int(t), int(r))
        else:  # one action twice
            _copy_row(draft, int(rows[0]), int(rows[-1]))


def _copy_row(draft: _Draft, source: int, target: int) -> None:
    draft.prob[target] = draft.prob[source]
    draft.exit[target] = draft.exit[source]
    draft.reward[target] = draft.reward[source]


def _rewards(stream: Stream, rows: int) -> NDArray[np.float64]:
    kind = stream.integer(8)
    scale = _SCALES[stream.integer(len(_SCALES))]
    if kind == 0:
        return np.zeros(rows)
    if kind == 1:  # the ends of [0, 1]
        return scale * stream.integers(2, rows).astype(np.float64)
    if kind == 2:  # the ends of [-1, 1]
        return scale * (2.0 * stream.integers(2, rows).astype(np.float64) - 1.0)
    if kind == 3:  # few values, hence ties; -0.0 among them
        return -scale * (stream.integers(4, rows).astype(np.float64))
    if kind == 4:  # ten orders of magnitude side by side
        sizes = np.array(_SCALES)[stream.integers(len(_SCALES), rows)]
        return sizes * (2.0 * stream.uniforms(rows) - 1.0)
    if kind == 5:  # all equal
        return np.full(rows, scale * (2.0 * stream.uniform() - 1.0))
    offset = 1e6 if kind == 6 else 0.0
    return offset + scale * (2.0 * stream.uniforms(rows) - 1.0)


def _initial(stream: Stream, n_states: int) -> NDArray[np.float64]:
    kind = stream.integer(3)
    if kind == 0:
        law = np.zeros(n_states)
        law[stream.integer(n_states)] = 1.0
        return law
    if kind == 1:
        return _row(stream, n_states, 2)
    return stream.spacings(1, n_states)[0]
