"""Trajectories: episodes in flat columns, checked against lists of lists."""

from typing import Any

import numpy as np
import pytest
from episodes import (
    ACTIONS,
    HORIZON,
    STATES,
    all_episodes,
    episode_lists,
    episodes_of,
    few,
    trajectories_of,
)
from hypothesis import given
from hypothesis import strategies as st

import rltheory as rlt
from rltheory import ModelError

DATA = rlt.Trajectories([0, 1, 0], [0, 1, 1], [0.0, 1.0, 2.0], [-1, 1], [2, 1])


def test_two_episodes_by_hand() -> None:
    assert len(DATA) == 2 and DATA.n_steps == 3
    assert DATA.starts.tolist() == [0, 2, 3]
    assert DATA.stages.tolist() == [0, 1, 0]
    assert DATA.next_states.tolist() == [1, -1, 1]
    assert DATA.ended.tolist() == [True, False]
    assert DATA.returns().tolist() == [1.0, 2.0]
    assert DATA.returns(discount=0.5).tolist() == [0.5, 2.0]
    assert DATA.returns([[1.0, 2.0], [4.0, 8.0]]).tolist() == [9.0, 2.0]
    features = np.eye(4).reshape(2, 2, 4)[DATA.states, DATA.actions]
    assert DATA.per_episode(features).tolist() == [[1, 0, 0, 1], [0, 1, 0, 0]]
    assert DATA.per_episode(features, 0.5).tolist() == [[1, 0, 0, 0.5], [0, 1, 0, 0]]
    assert DATA.returns([[[1.0, 2.0], [0.0, 0.0]], [[0.0, 0.0], [4.0, 8.0]]]).tolist() == [9.0, 2.0]
    states, actions, rewards = DATA.padded()
    assert states.tolist() == [[0, 1], [0, -1]]
    assert actions.tolist() == [[0, 1], [1, -1]]
    assert rewards.tolist() == [[0.0, 1.0], [2.0, 0.0]]
    assert DATA.occupancy(n_states=2, n_actions=2).tolist() == [
        [[0.5, 0.5], [0.0, 0.0]],
        [[0.0, 0.0], [0.0, 0.5]],
    ]
    # (1 - 1/2) (1, 1/2, 1) / 2 at the three steps
    assert DATA.occupancy(0.5, 2, 2).tolist() == [[0.25, 0.25], [0.0, 0.125]]


def test_nothing_can_be_changed_and_nothing_is_shared_with_the_caller() -> None:
    states = np.array([0, 1], dtype=np.int32)
    data = rlt.Trajectories(states, [0, 0], [0.0, 0.0], [0], [2])
    states[0] = 1
    assert data.states.tolist() == [0, 1]
    for name in ("states", "actions", "rewards", "final_states", "lengths", "starts", "stages"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(data, name)[0] = 1
    states.setflags(write=False)  # nobody can write: taken as it is
    again = rlt.Trajectories(states, [0, 0], [0.0, 0.0], [0], [2])
    assert np.shares_memory(again.states, states)
    assert np.shares_memory(again[:1].states, states)


@few
@given(episode_lists())
def test_every_column_is_what_the_lists_say(episodes: list[Any]) -> None:
    data = trajectories_of(episodes)
    assert episodes_of(data) == episodes
    steps = [
        (t, s, a, r, (one[t + 1][0] if t + 1 < len(one) else final))
        for one, final in episodes
        for t, (s, a, r) in enumerate(one)
    ]
    moved = data.transitions()
    columns = (moved.stages, moved.states, moved.actions, moved.rewards, moved.next_states)
    assert [*zip(*(x.tolist() for x in columns if x is not None), strict=True)] == steps
    assert np.allclose(
        data.returns(discount=0.5),
        [sum(0.5**t * r for t, (_, _, r) in enumerate(one)) for one, _ in episodes],
    )
    assert data.returns().tolist() == [sum(r for _, _, r in one) for one, _ in episodes]


@few
@given(episode_lists(), st.data())
def test_indices_slices_and_masks(episodes: list[Any], draw: st.DataObject) -> None:
    data, n = trajectories_of(episodes), len(episodes)
    i = draw.draw(st.integers(-n, n - 1))
    assert episodes_of(data[i]) == [episodes[i]]
    a, b = draw.draw(st.integers(-n, n)), draw.draw(st.integers(-n, n))
    step = draw.draw(st.sampled_from([1, 2, -1]))
    assert episodes_of(data[a:b:step]) == episodes[a:b:step]
    chosen = draw.draw(st.lists(st.integers(-n, n - 1), max_size=5))
    assert episodes_of(data[chosen]) == [episodes[k] for k in chosen]
    mask = draw.draw(st.lists(st.booleans(), min_size=n, max_size=n))
    kept = [one for one, keep in zip(episodes, mask, strict=True) if keep]
    assert episodes_of(data[np.array(mask)]) == kept
    whole = rlt.Trajectories.concatenate([data[a:b], data[i], data[mask.count(True) :]])
    assert episodes_of(whole) == [*episodes[a:b], episodes[i], *episodes[mask.count(True) :]]


@few
@given(episode_lists())
def test_padded_tables_come_back(episodes: list[Any]) -> None:
    data = trajectories_of(episodes)
    states, actions, rewards = data.padded()
    back = rlt.Trajectories.from_padded(states, actions, rewards, data.final_states, data.lengths)
    assert episodes_of(back) == episodes
    whole = data[data.lengths == data.lengths.max()]
    same = rlt.Trajectories.from_padded(*whole.padded(), whole.final_states)
    assert episodes_of(same) == episodes_of(whole)


def test_the_occupancy_of_data_has_the_mean_of_the_policy() -> None:
    """Over all episodes with their chances, in fractions: exactly the occupancy of the policy."""
    moves = np.array([[[0.5, 0.25], [0.0, 1.0]], [[0.25, 0.75], [0.5, 0.5]]])
    ends = np.array([[0.25, 0.0], [0.0, 0.0]])
    mdp = rlt.EpisodicMDP(moves, np.zeros((2, 2)), 3, [0.75, 0.25], termination=ends)
    policy = [[[0.5, 0.5], [0.25, 0.75]], [[1.0, 0.0], [0.5, 0.5]], [[0.25, 0.75], [0.0, 1.0]]]
    discounted = mean = 0.0
    for pairs, final, chance in all_episodes(mdp, policy):
        states, actions = zip(*pairs, strict=True)
        origin = rlt.Provenance.of(mdp)
        data = rlt.Trajectories(
            states, actions, np.zeros(len(pairs)), [final], [len(pairs)], origin
        )
        mean = mean + float(chance) * data.occupancy()
        discounted = discounted + float(chance) * data.occupancy(0.5)
    occupancy = rlt.occupancy(mdp, policy)
    assert np.allclose(mean, occupancy, rtol=0, atol=1e-14)
    by_time = 0.5 * sum(0.5**h * occupancy[h] for h in range(3))
    assert np.allclose(discounted, by_time, rtol=0, atol=1e-14)


GOOD = {
    "states": [0, 1, 2],
    "actions": [0, 1, 0],
    "rewards": [0.0, 1.0, 2.0],
    "final_states": [-1, 1],
    "lengths": [2, 1],
}
SIZES = rlt.Provenance(n_states=STATES, n_actions=ACTIONS, horizon=HORIZON)
BAD: list[tuple[str, Any, str]] = [
    ("states", [0, 3, 2], "states[1] is 3; it must be 0..2"),
    ("states", [0, 1, -1], "states[2] is -1; it must be 0..2"),
    ("states", [0, 1], "states has 2 entries and the episodes by their lengths 3"),
    ("states", [0.0, 1.0, 2.0], "states has dtype float64; it must hold integers"),
    ("states", [True, False, True], "states has dtype bool; it must hold integers"),
    ("states", [[0, 1, 2]], "states has shape (1, 3); it must have one dimension"),
    ("states", [[0], [1, 2]], "states is a ragged list"),
    ("actions", [0, 2, 0], "actions[1] is 2; it must be 0..1"),
    ("actions", [2**40, 0, 0], "actions[0] is 1099511627776; it must be 0..1"),
    ("rewards", [0.0, np.nan, 0.0], "rewards[1] is nan; it must be finite"),
    ("rewards", [0.0, 0.0, -np.inf], "rewards[2] is -inf; it must be finite"),
    ("rewards", ["0", "1", "2"], "rewards has dtype <U1; it must hold real numbers"),
    ("rewards", [1j, 0, 0], "rewards has dtype complex128"),
    ("final_states", [-2, 1], "final_states[0] is -2; it must be -1..2, -1 for an end"),
    ("final_states", [-1, 3], "final_states[1] is 3; it must be -1..2"),
    ("final_states", [-1], "final_states has 1 entries and lengths 2"),
    ("lengths", [3, 0], "lengths[1] is 0; it must be at least 1"),
    ("lengths", [2, 2], "states has 3 entries and the episodes by their lengths 4"),
    ("lengths", [2.0, 1.0], "lengths has dtype float64; it must hold integers"),
    ("provenance", {"n_states": 3}, "it must be a Provenance"),
    ("provenance", rlt.Provenance(horizon=1), "lengths[0] is 2; the horizon is 1"),
]


@pytest.mark.parametrize(("name", "value", "words"), BAD)
def test_what_is_no_data(name: str, value: Any, words: str) -> None:
    fields: dict[str, Any] = GOOD | {"provenance": SIZES}
    rlt.Trajectories(**fields)
    with pytest.raises(ModelError) as caught:
        rlt.Trajectories(**(fields | {name: value}))
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_rewards_whose_sum_overflows_are_finite() -> None:
    data = rlt.Trajectories([0, 0], [0, 0], [1.7e308, 1.7e308], [0], [2])
    assert data.rewards.tolist() == [1.7e308, 1.7e308]


def test_what_cannot_be_asked() -> None:
    with pytest.raises(ModelError, match="n_states is not known"):
        DATA.counts()
    with pytest.raises(ModelError, match=r"states\[1\] is 1; n_states is 1"):
        DATA.counts(1, 2)
    with pytest.raises(ModelError, match=r"states\[1\] is 1; reward has shape \(1, 2\)"):
        DATA.returns([[0.0, 1.0]])
    with pytest.raises(ModelError, match=r"stages\[1\] is 1; reward has shape \(1, 2, 2\)"):
        DATA.returns(np.zeros((1, 2, 2)))
    with pytest.raises(ModelError, match=r"reward has shape \(2,\)"):
        DATA.returns([0.0, 1.0])
    for discount in (-0.1, 1.1, np.nan):
        with pytest.raises(ModelError, match="discount is"):
            DATA.returns(discount=discount)
    for discount in (-0.1, 1.0, np.nan):
        with pytest.raises(ModelError, match="discount is"):
            DATA.occupancy(discount, 2, 2)
    with pytest.raises(ModelError, match="there is no episode"):
        DATA[:0].occupancy(n_states=2, n_actions=2)
    with pytest.raises(ModelError, match=r"x has shape \(2,\); it must be \(3,\) or \(3, d\)"):
        DATA.per_episode([0.0, 1.0])
    for index, words in ((2, "index 2 is out of range"), (1.0, "allowed are"), ([[0]], "allowed")):
        with pytest.raises(IndexError, match=words):
            DATA[index]
    with pytest.raises(ModelError, match="nothing to put together"):
        rlt.Trajectories.concatenate([])
    with pytest.raises(ModelError, match="number 1 is a Transitions"):
        rlt.Trajectories.concatenate([DATA, DATA.transitions()])  # type: ignore[list-item]
    with pytest.raises(ModelError, match=r"lengths\[0\] is 3; the tables have 2 columns"):
        rlt.Trajectories.from_padded([[0, 0]], [[0, 0]], [[0, 0]], [0], [3])
    with pytest.raises(ModelError, match=r"rewards has shape \(1, 1\)"):
        rlt.Trajectories.from_padded([[0, 0]], [[0, 0]], [[0]], [0])


def test_no_episode_at_all() -> None:
    empty = DATA[:0]
    assert len(empty) == 0 and empty.returns().tolist() == []
    assert empty.padded()[0].shape == (0, 0)
    assert len(empty.transitions()) == 0 and empty.counts(2, 2).total == 0
