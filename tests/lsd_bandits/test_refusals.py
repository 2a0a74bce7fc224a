"""What is too large, or of another type, is refused by name and at once."""

from fractions import Fraction

import pytest

import rltheory as rlt
from rltheory.errors import ModelError

TWO = rlt.LSDBandit([rlt.LSDArm.blocking(2), rlt.LSDArm.blocking(2)])
DELAYS = rlt.LSDBandit([rlt.LSDArm.blocking(2), rlt.LSDArm.blocking(3)], idle=False)


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: rlt.framed_ucb(TWO, 10**20, 0), "T is 1"),
        (lambda: rlt.framed_ucb(TWO, 0, 0), "T is 0"),
        (lambda: rlt.framed_ucb(TWO, 100, 0, frame=10**20), "frame is 1"),
        (lambda: rlt.explore_then_commit(TWO, 10**20, 0), "T is 1"),
        (lambda: rlt.explore_then_commit(TWO, 100, 0, repeats=10**20), "repeats is 1"),
        (lambda: rlt.comb_ucb1(DELAYS, 10**20, 0, block=10), "T is 1"),
        (lambda: rlt.isi_block(TWO, 10**7), "d is 10000000"),
        (lambda: rlt.expected_average(TWO), "is no Relaxation"),
        (lambda: rlt.virtual_value(TWO), "is no Relaxation"),
        (lambda: rlt.interleaved_schedule(TWO, 0), "is no Relaxation"),
        (lambda: rlt.derandomized_schedule(TWO), "is no Relaxation"),
    ],
)
def test_refused(call, word: str) -> None:
    with pytest.raises(ModelError, match=word):
        call()


def test_a_guarantee_of_many_arms_is_told_by_its_decimals() -> None:
    bounds = rlt.lsd_bounds(rlt.LSDBandit([rlt.LSDArm.blocking(1, "1/2")] * 150))
    assert bounds.holds()
    assert "... = 0.316675" in repr(bounds)


def test_joint_states_beyond_64_bits_are_never_counted() -> None:
    bandit = rlt.LSDBandit([rlt.LSDArm.blocking(1, "1/2")] * 150)
    relaxed = rlt.concave_relaxation(bandit, exact=True)
    assert rlt.expected_average(relaxed).value == Fraction(1, 2)
    sampled = rlt.expected_average(relaxed, select="real")
    assert sampled.method == "window" and sampled.value == pytest.approx(0.5)
