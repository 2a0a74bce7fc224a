"""Pictures of schedules."""

from xml.etree import ElementTree

import numpy as np
import pytest

import rltheory as rlt
from rltheory.errors import ModelError

BANDIT = rlt.LSDBandit([rlt.LSDArm.blocking(2, "1/3"), rlt.LSDArm.blocking(3)])


def test_every_round_of_every_arm_is_drawn_and_told() -> None:
    states = np.array([[1, 2], [0, 2], [1, 0]])
    plays = np.array([[True, False], [False, True], [True, False]])
    root = ElementTree.fromstring(rlt.schedule_svg(BANDIT, states, plays, "a < b"))
    words = [x.text for x in root.iter("{http://www.w3.org/2000/svg}title")]
    assert words[:3] == [
        "round 1, arm 0: state 1, played for 1/3",
        "round 2, arm 0: state -1",
        "round 3, arm 0: state 1, played for 1/3",
    ]
    assert words[-1] == "round 3: 1/3; average 5/9"
    texts = [x.text for x in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "a < b" in texts and "average over 3 rounds: 5/9 = 0.5556" in texts


def test_ordered_arms_are_drawn_by_index() -> None:
    bandit = rlt.LSDBandit([rlt.OrderedArm([0], [0], [1])])
    assert "state 0, played for 1" in rlt.schedule_svg(bandit, np.array([[0]]), np.array([[True]]))


@pytest.mark.parametrize(
    ("states", "plays", "word"),
    [
        (np.zeros((2, 1), int), np.zeros((2, 1), bool), r"must be \(T, 2\)"),
        (np.zeros((2, 2), int), np.zeros((3, 2), bool), r"must be \(T, 2\)"),
        (np.zeros((0, 2), int), np.zeros((0, 2), bool), "0 rounds"),
        (np.zeros((121, 2), int), np.zeros((121, 2), bool), "121 rounds"),
        (np.array([[0, 3]]), np.array([[False, False]]), r"states\[0, 1\] is 3"),
    ],
)
def test_what_is_wrong_is_named(states, plays, word: str) -> None:
    with pytest.raises(ModelError, match=word):
        rlt.schedule_svg(BANDIT, states, plays)
