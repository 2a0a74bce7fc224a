"""A model as plain dense arrays, which is all that the twins beside this file take."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]


class Rows(NamedTuple):
    """One row for each pair of a stage: its probabilities, its exit, its mean reward."""

    state: NDArray[np.int64]
    action: NDArray[np.int64]
    prob: Vector
    exit: Vector
    reward: Vector


def rows_of(mdp: Any, h: int = 0) -> Rows:
    """The rows of stage h; of the one stage where all share their rows."""
    first, last = 0, mdp.n_pairs
    if len(mdp.pair_ptr) > mdp.n_states + 1:
        first, last = mdp.pair_ptr[h * mdp.n_states], mdp.pair_ptr[(h + 1) * mdp.n_states]
    part = slice(int(first), int(last))
    return Rows(
        mdp.states[part],
        mdp.actions[part],
        mdp.transitions.toarray()[part],
        mdp.termination[part],
        mdp.mean_rewards[part],
    )


def means(rows: Rows, value: Vector) -> Vector:
    """P value of each row, a row being itself divided by its sum."""
    return (rows.prob @ value) / (rows.prob.sum(axis=1) + rows.exit)


def random_policy(mdp: Any, seed: int) -> Vector:
    """Probabilities (S, A) on the feasible pairs of a stationary model, some of them 0."""
    random = np.random.default_rng(seed)
    present = np.zeros((mdp.n_states, mdp.n_actions), dtype=bool)
    present[mdp.states, mdp.actions] = True
    weight = random.exponential(size=present.shape) * (random.random(present.shape) < 0.7)
    weight = np.where(present, weight, 0.0)
    empty = weight.sum(axis=1) == 0.0
    weight[empty] = present[empty]
    return weight / weight.sum(axis=1, keepdims=True)


def random_actions(mdp: Any, seed: int) -> NDArray[np.int64]:
    """A feasible action for each state of a stationary model."""
    weight = random_policy(mdp, seed)
    return np.argmax(weight, axis=1)
