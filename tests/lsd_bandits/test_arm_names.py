"""Arms as words."""

import pytest

import rltheory as rlt
from rltheory.errors import ModelError
from rltheory.lsd_bandits.arm_names import arm_of


def test_each_kind() -> None:
    assert arm_of("blocking:3") == rlt.LSDArm.blocking(3)
    assert arm_of("blocking:3,4/5") == rlt.LSDArm.blocking(3, "4/5")
    assert arm_of("recharging:0,0.5,1") == rlt.LSDArm.recharging([0, "1/2", 1])
    assert arm_of("lsd:1/2,1:1/4,0") == rlt.LSDArm(["1/2", 1], ["1/4", 0])
    assert arm_of("gradual:1:0,0") == rlt.LSDArm([1], [0, 0], "gradual")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "is not understood"),
        ("resting:3", "is not understood"),
        ("lsd:1", "is not understood"),
        ("blocking:1:2", "is not understood"),
        ("blocking:x", "delay is 'x'"),
        ("blocking:0", "delay is 0"),
        ("blocking:2,1,1", "one reward"),
        ("blocking:2,7", "in \\[0, 1\\]"),
        ("recharging:", "must be a number"),
        ("lsd:1:1/0", "must be a number"),
        ("lsd:nan:0", "must be a number"),
    ],
)
def test_what_is_wrong_is_named(text: str, word: str) -> None:
    with pytest.raises(ModelError, match=word):
        arm_of(text)
