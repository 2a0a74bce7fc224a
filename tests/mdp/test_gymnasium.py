"""The gymnasium reader against the table read anew, and on tables that are none."""

import math
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rltheory.errors import ModelError
from rltheory.mdp.gymnasium import read_gymnasium
from rltheory.mdp.model import MDP

IDS = [
    "FrozenLake-v1",
    "FrozenLake8x8-v1",
    "Taxi-v4",
    "CliffWalking-v1",
    "CliffWalkingSlippery-v1",
]


def make(name: str, **arguments: Any) -> Any:
    gymnasium = pytest.importorskip("gymnasium", reason="gymnasium is an extra: rltheory[envs]")
    return gymnasium.make(name, **arguments)


def dense(table: Any) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Transitions (S, A, S), termination and mean rewards (S, A), by plain addition."""
    n_states, n_actions = len(table), len(table[0])
    transitions = np.zeros((n_states, n_actions, n_states))
    termination, rewards = np.zeros((n_states, n_actions)), np.zeros((n_states, n_actions))
    for s in range(n_states):
        for a in range(n_actions):
            for p, t, r, terminated in table[s][a]:
                rewards[s, a] += p * r
                if terminated:
                    termination[s, a] += p
                else:
                    transitions[s, a, t] += p
    return transitions, termination, rewards


@pytest.mark.parametrize("name", IDS)
def test_reads_what_the_table_says(name: str) -> None:
    env = make(name)
    mdp = read_gymnasium(name, discount=0.9)
    transitions, termination, rewards = dense(env.unwrapped.P)
    n_pairs = rewards.size
    assert mdp.is_full and mdp.discount == 0.9
    assert np.allclose(
        mdp.transitions.toarray(), transitions.reshape(n_pairs, -1), rtol=0, atol=1e-15
    )
    assert np.allclose(mdp.termination, termination.ravel(), rtol=0, atol=1e-15)
    assert np.allclose(mdp.mean_rewards, rewards.ravel(), rtol=1e-15)
    assert mdp.initial is not None
    assert mdp.initial.tolist() == env.unwrapped.initial_state_distrib.tolist()
    assert np.abs(mdp.row_defect).max() < 1e-15
    assert read_gymnasium(env).fingerprint == read_gymnasium(name).fingerprint


@pytest.mark.parametrize("name", ["FrozenLake8x8-v1", "Taxi-v4"])
def test_solved_as_the_table_says(name: str) -> None:
    from rltheory import solve

    transitions, _, rewards = dense(make(name).unwrapped.P)
    value = np.zeros(len(rewards))
    for _ in range(6000):
        value = (rewards + 0.99 * transitions @ value).max(axis=1)
    solution = solve(read_gymnasium(name, discount=0.99))
    assert np.allclose(solution.value, value, rtol=1e-9, atol=1e-12)


def test_frozen_lake_keeps_its_states() -> None:
    make("FrozenLake8x8-v1")
    mdp = read_gymnasium("FrozenLake8x8-v1")
    assert (mdp.n_states, mdp.n_pairs) == (64, 256)
    goal = slice(63 * 4, 64 * 4)
    assert mdp.termination[goal].tolist() == [1.0] * 4
    assert mdp.mean_rewards[goal].tolist() == [0.0] * 4
    # From the left of the goal all actions but "left" enter it with a third; above is a hole.
    assert mdp.termination[62 * 4 : 63 * 4] == pytest.approx([1 / 3, 1 / 3, 2 / 3, 2 / 3])
    assert mdp.mean_rewards[62 * 4 : 63 * 4] == pytest.approx([0, 1 / 3, 1 / 3, 1 / 3])
    assert mdp.layout is not None
    assert mdp.layout.cells.shape == (8, 8)
    assert mdp.layout.arrows == ("←", "↓", "→", "↑")
    assert mdp.layout.marks[0] == "S" and mdp.layout.marks[63] == "G"
    assert sum(letter == "H" for letter in mdp.layout.marks.values()) == 10


def test_arguments_for_make() -> None:
    make("FrozenLake-v1")
    mdp = read_gymnasium("FrozenLake-v1", map_name="8x8", is_slippery=False)
    assert mdp.n_states == 64 and mdp.storage == "deterministic"
    drawn = read_gymnasium("FrozenLake-v1", desc=["SF", "HG"])
    assert drawn.layout is not None and drawn.layout.marks == {0: "S", 2: "H", 3: "G"}


def test_cliff_walking_layout() -> None:
    make("CliffWalking-v1")
    mdp = read_gymnasium("CliffWalking-v1")
    assert mdp.storage == "deterministic"
    assert mdp.layout is not None
    assert mdp.layout.cells.shape == (4, 12)
    assert "".join(mdp.layout.marks.get(s, ".") for s in range(36, 48)) == "SCCCCCCCCCCG"
    assert mdp.layout.arrows == ("↑", "→", "↓", "←")


def test_one_successor_with_two_rewards_becomes_atoms() -> None:
    make("CliffWalkingSlippery-v1")
    mdp = read_gymnasium("CliffWalkingSlippery-v1")
    # In the start, "down" slips right into the cliff (back to the start, -100) or stays (-1).
    law = mdp.reward_law
    row = 36 * 4 + 2
    atoms = dict(zip(law.values[row], law.probabilities[row], strict=True))  # type: ignore[attr-defined]
    assert atoms[-100.0] == pytest.approx(1 / 3) and atoms[-1.0] == pytest.approx(2 / 3)
    assert mdp.mean_rewards[row] == pytest.approx(-34.0)


def env(table: Any, **more: Any) -> Any:
    return SimpleNamespace(unwrapped=SimpleNamespace(P=table, **more))


def test_rewards_in_their_plainest_form() -> None:
    by_pair = read_gymnasium(env({0: {0: [(0.5, 0, 2.0, False), (0.5, 0, 2, True)]}}))
    assert "outcome_reward" not in by_pair.arrays()
    assert by_pair.mean_rewards.tolist() == [2.0] and by_pair.termination.tolist() == [0.5]
    by_outcome = read_gymnasium(env({0: {0: [(0.5, 0, 2.0, False), (0.5, 0, 4, True)]}}))
    assert by_outcome.arrays()["outcome_reward"].tolist() == [2.0]
    assert by_outcome.arrays()["exit_reward"].tolist() == [4.0]
    assert by_outcome.mean_rewards.tolist() == [3.0]


def test_ragged_tables_and_lists() -> None:
    table = [
        {0: [(1.0, 1, 0.0, False)], 2: [(0.25, 0, 1.0, False), (0.75, 0, 1.0, False)]},
        {1: [(1.0, 1, 5.0, True), (0.0, 7, 1.0, False)]},
    ]
    mdp = read_gymnasium(env(table), discount=0.5)
    assert mdp.states.tolist() == [0, 0, 1] and mdp.actions.tolist() == [0, 2, 1]
    assert mdp.transitions.toarray().tolist() == [[0, 1], [1, 0], [0, 0]]
    assert mdp.termination.tolist() == [0, 0, 1]
    assert mdp.initial is None and mdp.layout is None


def test_repeated_successors_are_added_up_correctly_rounded() -> None:
    tenth = [(0.1, 0, 1.0, False)] * 10
    assert read_gymnasium(env({0: {0: tenth}})).row_defect.tolist() == [0.0]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (None, "has no transition table `P`"),
        (3, "is not of the form"),
        ({}, "is empty"),
        ({0: {}}, "is empty"),
        ({0: {0: [(1.0, 0, 0.0)]}}, "is not of the form"),
        ({0: {0: [("a", 0, 0.0, False)]}}, "is not of the form"),
        ({0: {0: [(1.0, 0.5, 0.0, False)]}}, "a next state is 0.5"),
        ({0: {0: [(1.0, 1, 0.0, False)]}}, "leads to state 1; its states are 0..0"),
        ({0: {0: [(1.0, -1, 0.0, False)]}}, "a next state is -1"),
        ({0: {0: [(math.nan, 0, 0.0, False)]}}, "a probability is nan"),
        ({0: {0: [(1.5, 0, 0, False), (-0.5, 0, 0, False)]}}, "a probability is -0.5"),
        ({0: {0: [(1.0, 0, math.inf, False)]}}, "a reward is inf"),
        ({0: {0: [(0.5, 0, 0.0, False)]}}, "sums to 0.5"),
        ({0: {0: []}}, "sums to 0"),
        ({0: {0: [(1.0, 0, 0.0, False)]}, 2: {0: [(1.0, 0, 0.0, False)]}}, ""),
        ({"a": {0: [(1.0, 0, 0.0, False)]}}, "is not of the form"),
        ({0: {-1: [(1.0, 0, 0.0, False)]}}, ""),
    ],
)
def test_tables_that_are_none(table: Any, words: str) -> None:
    with pytest.raises(ModelError) as caught:
        read_gymnasium(env(table))
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_a_wrong_initial_law() -> None:
    table = {0: {0: [(1.0, 0, 0.0, False)]}}
    with pytest.raises(ModelError):
        read_gymnasium(env(table, initial_state_distrib=[0.5]))


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("NoSuchLake-v1", {}, "cannot make 'NoSuchLake-v1'"),
        ("FrozenLake-v99", {}, "doesn't exist"),
        ("Taxi-v3", {}, "deprecated"),
        ("not an id!", {}, "cannot make"),
        ("", {}, "cannot make"),
        ("nosuchmodule:Env-v0", {}, "No module named 'nosuchmodule'"),
        ("FrozenLake-v1", {"map_name": "9x9"}, "unknown '9x9'"),
        ("FrozenLake-v1", {"depth": 3}, "depth"),
        ("CartPole-v1", {}, "has no transition table `P`"),
        ("Blackjack-v1", {}, "has no transition table `P`"),
    ],
)
def test_environments_that_cannot_be_read(
    name: str, arguments: dict[str, Any], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    make("FrozenLake-v1")
    with pytest.raises(ModelError) as caught:
        read_gymnasium(name, **arguments)
    assert words in str(caught.value) and "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert capsys.readouterr() == ("", "")


def test_keywords_need_an_id() -> None:
    with pytest.raises(ModelError, match="is_slippery given with an environment"):
        read_gymnasium(env({}), is_slippery=False)


def test_without_gymnasium(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gymnasium", None)
    with pytest.raises(ModelError, match=r"pip install 'rltheory\[envs\]'"):
        read_gymnasium("FrozenLake-v1")


def test_from_gymnasium_is_the_reader() -> None:
    table = {0: {0: [(1.0, 0, 1.0, False)]}}
    assert MDP.from_gymnasium(env(table), 0.5).fingerprint == (
        read_gymnasium(env(table), 0.5).fingerprint
    )
