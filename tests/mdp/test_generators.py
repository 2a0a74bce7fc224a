"""Generators against plain twins written from their docstrings, and against closed forms."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from rltheory.errors import ModelError
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.generators import (
    combination_lock,
    gridworld,
    random_episodic,
    riverswim,
)
from rltheory.mdp.model import MDP


def optimal_value(mdp: MDP, iterations: int = 3000) -> NDArray[np.float64]:
    """Plain value iteration on a model whose states all have all actions."""
    assert mdp.discount is not None
    value = np.zeros(mdp.n_states)
    for _ in range(iterations):
        q = mdp.mean_rewards + mdp.discount * (mdp.transitions @ value)
        value = q.reshape(mdp.n_states, -1).max(axis=1)
    return value


def plain_gridworld(
    cells: NDArray[np.int64], slip: float, step_reward: float, goal_reward: float, exits: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Transitions (S, 4, S), termination and mean rewards (S, 4), one move at a time."""
    place = {int(s): (i, j) for (i, j), s in np.ndenumerate(cells) if s >= 0}
    n = len(place)
    goal = n - 1
    transitions, termination, rewards = np.zeros((n, 4, n)), np.zeros((n, 4)), np.zeros((n, 4))
    for s, (i, j) in place.items():
        for a in range(4):
            if s == goal:
                termination[s, a] = exits
                transitions[s, a, s] = not exits
                continue
            for turn, chance in ((0, 1 - slip), (1, slip / 2), (3, slip / 2)):
                down, right = ((-1, 0), (0, 1), (1, 0), (0, -1))[(a + turn) % 4]
                k, m = i + down, j + right
                inside = 0 <= k < cells.shape[0] and 0 <= m < cells.shape[1]
                end = int(cells[k, m]) if inside and cells[k, m] >= 0 else s
                rewards[s, a] += chance * (goal_reward if end == goal else step_reward)
                if end == goal and exits:
                    termination[s, a] += chance
                else:
                    transitions[s, a, end] += chance
    return transitions, termination, rewards


@pytest.mark.parametrize("exits", [True, False])
@pytest.mark.parametrize("slip", [0.0, 0.2, 0.5, 1.0])
@pytest.mark.parametrize("size", [(1, 2), (2, 1), (1, 7), (4, 5), (6, 3)])
@pytest.mark.parametrize("walls", [0.0, 0.4])
def test_gridworld_is_its_plain_twin(
    size: tuple[int, int], slip: float, walls: float, exits: bool
) -> None:
    for seed in range(3):
        mdp = gridworld(*size, slip, walls, seed, 0.9, -0.25, 2.0, exits)
        assert mdp.layout is not None
        transitions, termination, rewards = plain_gridworld(
            mdp.layout.cells, slip, -0.25, 2.0, exits
        )
        n = mdp.n_states
        assert np.allclose(mdp.transitions.toarray(), transitions.reshape(4 * n, n), atol=1e-15)
        assert np.allclose(mdp.termination, termination.ravel(), atol=1e-15)
        assert np.allclose(mdp.mean_rewards, rewards.ravel(), atol=1e-15)
        assert np.abs(mdp.row_defect).max() < 2**-52
        assert mdp.initial is not None
        assert mdp.initial.tolist() == [1.0] + [0.0] * (n - 1)


def test_gridworld_layout() -> None:
    mdp = gridworld(3, 4, walls=1.0, seed=1)
    assert mdp.layout is not None
    cells = mdp.layout.cells
    # With walls everywhere only the staircase is left: rows + columns - 1 cells in a line.
    assert mdp.n_states == 6 and cells[0, 0] == 0 and cells[2, 3] == 5
    assert sorted(cells[cells >= 0].tolist()) == list(range(6))
    assert mdp.layout.arrows == ("↑", "→", "↓", "←")
    assert mdp.layout.marks == {0: "S", 5: "G"}
    assert {gridworld(3, 4, walls=1.0, seed=s).fingerprint for s in range(20)} != {mdp.fingerprint}


def test_gridworld_goal_can_always_be_reached() -> None:
    cut_off = 0
    for seed in range(30):
        mdp = gridworld(8, 9, slip=0.0, walls=0.5, seed=seed, discount=0.99)
        value = optimal_value(mdp, 200)
        assert value[0] > 0.0
        cut_off += int((value[:-1] == 0.0).sum())
    assert cut_off > 0  # cells without a way to the goal are kept, and worth nothing


def test_gridworld_exit_and_absorbing_goal_are_worth_the_same() -> None:
    ends, stays = (
        gridworld(5, 6, slip=0.3, walls=0.2, seed=4, discount=0.95, step_reward=-1.0, exits=exits)
        for exits in (True, False)
    )
    assert np.allclose(optimal_value(ends), optimal_value(stays), atol=1e-12)


def test_gridworld_without_slip_counts_steps() -> None:
    mdp = gridworld(4, 7, slip=0.0, discount=0.5)
    assert mdp.storage == "deterministic"
    i, j = np.divmod(np.arange(28), 7)
    expected = 0.5 ** (3 - i + 6 - j - 1.0)
    expected[-1] = 0.0
    assert optimal_value(mdp, 50).tolist() == expected.tolist()


def test_riverswim_numbers() -> None:
    mdp = riverswim(4)
    assert mdp.transitions.toarray().tolist() == [
        [1.0, 0.0, 0.0, 0.0],
        [0.4, 0.6, 0.0, 0.0],
        [1.0, 0.0, 0.0, 0.0],
        [0.05, 0.6, 0.35, 0.0],
        [0.0, 1.0, 0.0, 0.0],
        [0.0, 0.05, 0.6, 0.35],
        [0.0, 0.0, 1.0, 0.0],
        [0.0, 0.0, 0.4, 0.6],
    ]
    assert mdp.mean_rewards.tolist() == [0.005, 0, 0, 0, 0, 0, 0, 1.0]
    assert riverswim().n_states == 6 and riverswim(2).n_pairs == 4
    assert riverswim(discount=0.9).discount == 0.9 and riverswim().discount is None


def lock_value(length: int, slip: float, discount: float) -> float:
    """The docstring's formula, in sums instead of quotients."""
    q = discount * (1 - slip)
    back = discount * slip * sum(q**k for k in range(length))
    return (1 - slip) * q ** (length - 1) / (1 - back)


@pytest.mark.parametrize("length", [1, 2, 5])
@pytest.mark.parametrize("slip", [0.0, 0.25, 1.0])
def test_combination_lock_value(length: int, slip: float) -> None:
    mdp = combination_lock(length, actions=3, slip=slip, seed=2, discount=0.9)
    assert isinstance(mdp, MDP)
    value = optimal_value(mdp)
    assert math.isclose(value[0], lock_value(length, slip, 0.9), rel_tol=1e-12)
    if 0 < slip < 1:
        q = 0.9 * (1 - slip)
        quoted = q**length / 0.9 / (1 - 0.9 * slip * (1 - q**length) / (1 - q))
        assert math.isclose(value[0], quoted, rel_tol=1e-12)


def test_combination_lock_has_one_right_action_a_state() -> None:
    mdp = combination_lock(6, actions=4, seed=3)
    assert mdp.storage == "deterministic"
    forward = (mdp.transitions.toarray()[:, 1:].sum(axis=1) + mdp.termination).reshape(6, 4)
    assert forward.sum(axis=1).tolist() == [1.0] * 6
    assert mdp.termination.reshape(6, 4)[5].tolist() == forward[5].tolist()
    assert mdp.mean_rewards.tolist() == mdp.termination.tolist()
    right = {tuple(combination_lock(6, 4, seed=s).termination.tolist()) for s in range(9)}
    assert len(right) > 1


def test_combination_lock_with_a_horizon() -> None:
    mdp = combination_lock(3, horizon=5)
    assert isinstance(mdp, EpisodicMDP) and mdp.horizon == 5 and mdp.is_stationary
    with pytest.raises(ModelError, match="both given"):
        combination_lock(3, horizon=5, discount=0.9)


@pytest.mark.parametrize("branching", [None, 1, 3, 7])
def test_random_episodic(branching: int | None) -> None:
    mdp = random_episodic(7, 3, 4, branching, seed=1)
    assert (mdp.n_states, mdp.n_actions, mdp.horizon, mdp.n_pairs) == (7, 3, 4, 84)
    assert not mdp.is_stationary
    successors = np.diff(mdp.transitions.indptr)
    assert set(successors.tolist()) == {branching or 7}
    assert np.all(mdp.row_defect == 0.0)  # spacings sum to 1 exactly
    assert mdp.mean_rewards.min() >= 0.0 and mdp.mean_rewards.max() < 1.0
    assert mdp.initial is not None and mdp.initial.min() >= 0.0
    stages = mdp.transitions.toarray().reshape(4, -1)
    assert len({tuple(stage) for stage in stages.tolist()}) == 4


def test_random_episodic_depends_on_its_seed_alone() -> None:
    def build(seed: int) -> str:
        return random_episodic(5, 2, 3, 2, seed).fingerprint

    assert build(1) == build(1) != build(2)
    # Further stages do not change the first ones.
    longer = random_episodic(5, 2, 6, 2, 1).transitions.toarray()[:30]
    assert longer.tolist() == random_episodic(5, 2, 3, 2, 1).transitions.toarray().tolist()


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: gridworld(0, 3), "rows is 0; it must be an integer of at least 1"),
        (lambda: gridworld(3, 2.0), "columns is 2.0; it must be an integer of at least 1"),  # type: ignore[arg-type]
        (lambda: gridworld(1, 1), "the grid has 1 cell"),
        (lambda: gridworld(3, 3, slip=1.5), "slip is 1.5; a probability must be in"),
        (lambda: gridworld(3, 3, walls=math.nan), "walls is nan; a probability must be in"),
        (lambda: gridworld(3, 3, seed=-1), "seed is -1"),
        (lambda: gridworld(3, 3, discount=1.0), "discount"),
        (lambda: gridworld(3, 3, goal_reward=math.inf), "inf"),
        (lambda: gridworld(3, 3, step_reward=math.nan), "nan"),
        (lambda: riverswim(1), "states is 1"),
        (lambda: combination_lock(0), "length is 0"),
        (lambda: combination_lock(3, actions=0), "actions is 0"),
        (lambda: combination_lock(3, slip=-0.1), "slip is -0.1"),
        (lambda: random_episodic(3, 2, 0), "horizon is 0"),
        (lambda: random_episodic(3, 2, 4, branching=4), "branching is 4; it must be in 1..3"),
        (lambda: random_episodic(3, 2, 4, branching=0), "branching is 0"),
    ],
)
def test_arguments_out_of_range(build: object, words: str) -> None:
    with pytest.raises(ModelError) as caught:
        build()  # type: ignore[operator]
    assert words in str(caught.value) and "\n" not in str(caught.value)
