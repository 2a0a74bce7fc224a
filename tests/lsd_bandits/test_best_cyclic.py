"""Cyclic schedules, against all sequences run one by one."""

from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rltheory as rlt
from rltheory.errors import ModelError
from rltheory.lsd_bandits.periodic_runs import repeated
from tests.helpers.lsd_arms import any_bandits


def best_by_running(bandit: rlt.LSDBandit, length: int, state=None):  # type: ignore[no-untyped-def]
    found = None
    for rounds in range(1, length + 1):
        for sequence in product(bandit.actions, repeat=rounds):
            average = repeated(bandit, sequence, state).average
            if found is None or average > found[0]:
                found = average, sequence
    return found


@settings(max_examples=40)
@given(any_bandits(arms=(1, 2)), st.integers(1, 4))
def test_the_best_of_all(bandit: rlt.LSDBandit, length: int) -> None:
    best = rlt.best_cyclic(bandit, length)
    assert (best.average, best.sequence) == best_by_running(bandit, length)
    assert best.average <= rlt.optimal_gain(bandit, exact=True).gain


@settings(max_examples=40)
@given(st.data())
def test_arms_that_need_several_periods(data: st.DataObject) -> None:
    """Maps in any order: an arm returns to its state after up to S periods."""
    arms = []
    for _ in range(2):
        size = data.draw(st.integers(1, 4))
        maps = st.lists(st.integers(0, size - 1), min_size=size, max_size=size)
        eighths = st.lists(st.integers(0, 8), min_size=size, max_size=size)
        paid = [Fraction(x, 8) for x in data.draw(eighths)]
        arms.append(rlt.OrderedArm(data.draw(maps), data.draw(maps), paid))
    bandit = rlt.LSDBandit(arms)
    state = tuple(data.draw(st.integers(0, arm.n_states - 1)) for arm in arms)
    best = rlt.best_cyclic(bandit, 3, state)
    assert (best.average, best.sequence) == best_by_running(bandit, 3, state)


def test_long_enough_is_optimal() -> None:
    bandit = rlt.LSDBandit([rlt.LSDArm.blocking(d) for d in (3, 4)])
    best = rlt.optimal_gain(bandit, exact=True)
    averages = [rlt.best_cyclic(bandit, length).average for length in (3, 4, 9)]
    assert averages == [Fraction(1, 3), Fraction(1, 2), best.gain] and best.gain == Fraction(5, 9)


def test_floats_stay_exact_as_long_as_they_fit() -> None:
    wide = rlt.LSDBandit([rlt.LSDArm([0.3], [0.1])])
    assert rlt.best_cyclic(wide, 4).average == Fraction(0.3) / 2
    with pytest.raises(ModelError, match="64-bit"):
        rlt.best_cyclic(rlt.LSDBandit([rlt.LSDArm([1e-3], [1e-9])]), 9)


@pytest.mark.parametrize("length", [0, -1, 2.0, True])
def test_the_length_is_a_positive_integer(length: object) -> None:
    with pytest.raises(ModelError, match="length is"):
        rlt.best_cyclic(rlt.LSDBandit([rlt.LSDArm([1], [0])]), length)  # type: ignore[arg-type]


def test_how_many_are_too_many() -> None:
    bandit = rlt.LSDBandit([rlt.LSDArm([1], [0])] * 3)
    assert rlt.best_cyclic(bandit, 9).average == 1
    with pytest.raises(ModelError, match=r"4\^10 = 1048576 sequences"):
        rlt.best_cyclic(bandit, 10)
    forced = rlt.LSDBandit([rlt.LSDArm([1], [0])], idle=False)
    with pytest.raises(ModelError, match="at most"):
        rlt.best_cyclic(forced, 40)
