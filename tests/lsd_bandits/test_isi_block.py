"""Blocks, against all sequences valued by the definition."""

from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rltheory as rlt
from rltheory.errors import ModelError
from rltheory.lsd_bandits.periodic_runs import repeated
from tests.helpers.lsd_arms import any_bandits


def worth(bandit: rlt.LSDBandit, sequence) -> Fraction:  # type: ignore[no-untyped-def]
    """What a block is worth: first plays count 0, later ones p at the state n > 0 or -m < 0."""
    total = Fraction(0)
    for i, arm in enumerate(bandit.arms):
        state = None
        for played in sequence:
            if i in played and state is None:
                state = -1
            elif i in played:
                total += arm.payoff(state)  # type: ignore[attr-defined]
                state = -1 if state > 0 else state - 1
            elif state is not None:
                state = state + 1 if state > 0 else 1
    return total


@settings(max_examples=60)
@given(any_bandits(arms=(1, 2)), st.integers(1, 5))
def test_the_best_of_all_blocks(bandit: rlt.LSDBandit, d: int) -> None:
    block = rlt.isi_block(bandit, d)
    values = {s: worth(bandit, s) for s in product(bandit.actions, repeat=d)}
    assert block.value == max(values.values())
    assert block.sequence == next(s for s, value in values.items() if value == block.value)
    assert block.repeated == repeated(bandit, block.sequence)
    if bandit.idle:
        assert block.rested == repeated(bandit, [(), *block.sequence])
        assert block.rested.average >= block.value / (d + 1)
    else:
        assert block.rested is None


def test_without_the_idle_round_nothing_is_promised() -> None:
    fading = rlt.LSDBandit([rlt.LSDArm([1], [1, 0])])
    block = rlt.isi_block(fading, 2)
    assert block.value == 1 and block.repeated.average == 0
    assert block.rested is not None and block.rested.average == Fraction(2, 3)


def test_an_lsd_arm_is_needed() -> None:
    bandit = rlt.LSDBandit([rlt.OrderedArm([0, 0], [1, 1], [0, 1])])
    with pytest.raises(ModelError, match=r"arms\[0\]"):
        rlt.isi_block(bandit, 2)
    for d in (0, 1.5, True):
        with pytest.raises(ModelError, match="d is"):
            rlt.isi_block(rlt.LSDBandit([rlt.LSDArm([1], [0])]), d)  # type: ignore[arg-type]


def test_under_gradual_recovery_one_idle_round_is_not_enough() -> None:
    bandit = rlt.LSDBandit([rlt.LSDArm([0], [1, 1, 0], "gradual")])
    block = rlt.isi_block(bandit, 3)
    assert block.value == 2 and block.rested is not None
    assert block.rested.average == Fraction(1, 4) < block.value / 4
