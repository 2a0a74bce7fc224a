"""Minari's layout, there and back."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from episodes import episode_lists, episodes_of, few, trajectories_of
from hypothesis import given

import rltheory as rlt
from rltheory import ModelError

EPISODE: dict[str, Any] = {
    "id": 0,
    "observations": np.array([0, 1, 2]),
    "actions": np.array([1, 0]),
    "rewards": np.array([0.5, 1.0], dtype=np.float32),
    "terminations": np.array([False, False]),
    "truncations": np.array([False, True]),
    "infos": {},
}


def test_by_hand() -> None:
    ended = EPISODE | {"terminations": [False, True], "truncations": [False, False]}
    left = EPISODE | {"truncations": [False, False]}
    data = rlt.Trajectories.from_minari([EPISODE, SimpleNamespace(**ended), left])
    assert episodes_of(data) == [
        ([(0, 1, 0.5), (1, 0, 1.0)], 2),
        ([(0, 1, 0.5), (1, 0, 1.0)], -1),
        ([(0, 1, 0.5), (1, 0, 1.0)], 2),
    ]
    assert data.provenance.access == "minari"
    columns = EPISODE | {
        key: np.array(EPISODE[key])[:, None] for key in ("observations", "rewards")
    }
    assert episodes_of(rlt.Trajectories.from_minari([columns])) == episodes_of(data[0])
    # What is observed after an ending is no state, whatever it is.
    after = ended | {"observations": [0, 1, -1]}
    assert episodes_of(rlt.Trajectories.from_minari([after])) == episodes_of(data[1])


@few
@given(episode_lists())
def test_there_and_back(episodes: list[Any]) -> None:
    data = trajectories_of(episodes)
    for end in (-1, 0):
        layout = data.to_minari(end)
        assert episodes_of(rlt.Trajectories.from_minari(layout)) == episodes
        objects = (SimpleNamespace(**one) for one in layout)
        back = rlt.Trajectories.from_minari(objects, provenance=data.provenance)
        assert back.provenance == data.provenance and episodes_of(back) == episodes
    for (one, final), said in zip(episodes, data.to_minari(), strict=True):
        assert len(said["observations"]) == len(one) + 1
        assert said["terminations"].tolist() == [False] * (len(one) - 1) + [final < 0]
        assert said["truncations"].tolist() == [False] * (len(one) - 1) + [final >= 0]


BAD: list[tuple[dict[str, Any], str]] = [
    ({"observations": [0, 1]}, "observations has 2 entries and actions 2; it must have one more"),
    ({"observations": [0, 1, -3]}, "observations[2] is -3; it must be at least 0"),
    ({"observations": [0, -1, 2]}, "observations[1] is -1"),
    (
        {"observations": np.zeros((3, 4))},
        "observations has shape (3, 4); it must be (n,) or (n, 1)",
    ),
    ({"observations": [0.5, 1.0, 2.0]}, "observations has dtype float64; it must hold integers"),
    ({"observations": {"image": [0]}}, "observations has shape ()"),
    ({"actions": None}, "'actions' is missing; an episode has observations, actions"),
    ({"actions": []}, "it has no step"),
    ({"rewards": [0.0]}, "rewards has 1 entries and actions 2"),
    ({"rewards": [0.0, np.nan]}, "rewards[1] is nan"),
    ({"terminations": [True, False]}, "terminations[0] is set; only the last step, 1, can have it"),
    ({"truncations": [1, 0]}, "truncations[0] is set"),
    ({"truncations": [0, 2]}, "truncations[1] is 2; it must be 0 or 1"),
    ({"truncations": ["no", "yes"]}, "truncations has dtype <U3; it must hold booleans"),
]


@pytest.mark.parametrize(("change", "words"), BAD)
def test_what_is_no_episode(change: dict[str, Any], words: str) -> None:
    if change.get("actions") == []:
        columns = ("actions", "rewards", "terminations", "truncations")
        change = {"observations": [0], **{key: [] for key in columns}}
    with pytest.raises(ModelError) as caught:
        rlt.Trajectories.from_minari([EPISODE, EPISODE | change])
    message = str(caught.value)
    assert message.startswith("episode 1: ") and words in message and "\n" not in message


def test_no_episode() -> None:
    with pytest.raises(ModelError, match="there is no episode"):
        rlt.Trajectories.from_minari([])
    with pytest.raises(ModelError, match="'observations' is missing"):
        rlt.Trajectories.from_minari([3])
