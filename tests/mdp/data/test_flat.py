"""The flat layout of D4RL, there and back."""

from typing import Any

import numpy as np
import pytest
from episodes import episode_lists, episodes_of, few, trajectories_of
from hypothesis import given

import rltheory as rlt
from rltheory import ModelError

FLAT: dict[str, Any] = {
    "observations": np.array([0, 1, 2, 0]),
    "actions": np.array([[1], [0], [0], [1]]),
    "rewards": np.array([0.5, 1.0, 2.0, 3.0], dtype=np.float32),
    "next_observations": np.array([1, 2, -7, 1]),
    "terminals": np.array([0.0, 0.0, 1.0, 0.0]),
    "timeouts": np.array([False, False, False, False]),
    "infos/goal": np.zeros(4),
}
FIRST = [(0, 1, 0.5), (1, 0, 1.0), (2, 0, 2.0)]


def test_by_hand() -> None:
    data = rlt.Trajectories.from_flat(FLAT)
    assert episodes_of(data) == [(FIRST, -1), ([(0, 1, 3.0)], 1)]
    assert data.provenance.access == "flat"
    steps = rlt.Transitions.from_flat(FLAT)
    assert steps.stages is None and steps.next_states.tolist() == [1, 2, -1, 1]
    cut = FLAT | {"timeouts": [0, 1, 0, 0]}
    assert [one.lengths.tolist() for one in rlt.Trajectories.from_flat(cut)] == [[2], [1], [1]]
    assert rlt.Trajectories.from_flat(cut).final_states.tolist() == [2, -1, 1]


def test_without_next_observations_a_cut_episode_loses_its_last_step() -> None:
    less = {key: x for key, x in FLAT.items() if key != "next_observations"}
    assert episodes_of(rlt.Trajectories.from_flat(less)) == [(FIRST, -1)]
    cut = less | {"timeouts": [0, 1, 0, 1]}
    assert episodes_of(rlt.Trajectories.from_flat(cut)) == [(FIRST[:1], 1), (FIRST[2:], -1)]
    steps = rlt.Transitions.from_flat(cut)
    assert steps.states.tolist() == [0, 2] and steps.next_states.tolist() == [1, -1]


@few
@given(episode_lists())
def test_there_and_back(episodes: list[Any]) -> None:
    data = trajectories_of(episodes)
    last = [t + 1 == len(one) for one, _ in episodes for t in range(len(one))]
    ended = [final < 0 for one, final in episodes for _ in one]
    for end in (-1, 0):
        flat = data.to_flat(end)
        assert flat["terminals"].tolist() == [x and y for x, y in zip(last, ended, strict=True)]
        assert flat["timeouts"].tolist() == [x and not y for x, y in zip(last, ended, strict=True)]
        assert episodes_of(rlt.Trajectories.from_flat(flat)) == episodes
        again = rlt.Transitions.from_flat(flat)
        assert again.next_states.tolist() == data.next_states.tolist()
    back = rlt.Transitions.from_flat(data.transitions().to_flat(), provenance=data.provenance)
    assert back.counts(staged=False).dense().tolist() == data.counts(staged=False).dense().tolist()
    order = np.random.default_rng(0).permutation(data.n_steps)
    shuffled = rlt.Transitions.from_flat({key: x[order] for key, x in data.to_flat().items()})
    assert shuffled.states.tolist() == data.states[order].tolist()


BAD: list[tuple[dict[str, Any], str]] = [
    ({"actions": None}, "'actions' is missing; the flat layout has observations"),
    ({"observations": [0, 1, 2]}, "actions has 4 entries and observations 3"),
    ({"observations": [0, 1, -2, 0]}, "observations[2] is -2; it must be at least 0"),
    ({"observations": np.zeros((4, 17))}, "observations has shape (4, 17); it must be (n,) or"),
    ({"observations": np.zeros(4)}, "observations has dtype float64; it must hold integers"),
    ({"rewards": [0, 0, np.inf, 0]}, "rewards[2] is inf"),
    ({"terminals": [0, 0, 0.5, 0]}, "terminals[2] is 0.5; it must be 0 or 1"),
    ({"timeouts": [0, 0, 0]}, "timeouts has 3 entries and observations 4"),
    ({"next_observations": [1, 2, 0]}, "next_observations has 3 entries and observations 4"),
    ({"next_observations": [1, -2, 0, 1]}, "next_observations[1] is -2"),
    ({"next_observations": [1, 0, 0, 1]}, "next_observations[1] is 0 and observations[2] is 2"),
]


@pytest.mark.parametrize(("change", "words"), BAD)
def test_what_is_no_flat_data(change: dict[str, Any], words: str) -> None:
    data = {key: x for key, x in (FLAT | change).items() if x is not None}
    with pytest.raises(ModelError) as caught:
        rlt.Trajectories.from_flat(data)
    assert words in str(caught.value) and "\n" not in str(caught.value)
