"""Expected sums of the largest of independent numbers: literature values, and all outcomes."""

import math
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rltheory as rlt
from rltheory.errors import ModelError
from rltheory.lsd_bandits.virtual_value import expected_count, expected_largest

F = Fraction


@pytest.mark.parametrize(
    ("n", "k", "value"),
    [
        (1, 1, F(1)),
        (2, 1, F(3, 4)),
        (3, 1, F(19, 27)),
        (4, 1, F(175, 256)),
        (5, 1, F(2101, 3125)),
        (3, 2, F(23, 27)),
        (4, 2, F(13, 16)),
        (5, 2, F(2477, 3125)),
        (6, 2, F(569, 729)),
        (5, 3, F(2693, 3125)),
        (2, 2, F(1)),
        (2, 7, F(1)),
    ],
)
def test_guarantees(n: int, k: int, value: Fraction) -> None:
    assert rlt.guarantee(n, k) == value
    assert value == expected_count([F(min(n, k), n)] * n, k) / min(n, k)
    assert value >= rlt.guarantee(None, k) >= 1 - 1 / math.sqrt(2 * math.pi * k)


def test_limits_of_guarantees() -> None:
    listed = [0.63212, 0.72933, 0.77596, 0.80463, 0.82453, 0.83938]
    assert [rlt.guarantee(None, k) for k in range(1, 7)] == pytest.approx(listed, abs=5e-6)
    assert float(rlt.guarantee(500, 3)) == pytest.approx(rlt.guarantee(None, 3), abs=1e-3)
    assert rlt.guarantee(None, 1) == pytest.approx(1 - math.exp(-1), rel=1e-15)
    assert 0.9987 < rlt.guarantee(None, 10**5) < 1


@pytest.mark.parametrize(
    ("N", "k", "word"),
    [(0, 1, "N is 0"), (2, 0, "k is 0"), (2.0, 1, "N is 2.0"), (True, 1, "N is True")],
)
def test_sizes_that_are_none(N, k, word) -> None:
    with pytest.raises(ModelError, match=word):
        rlt.guarantee(N, k)


LAWS = st.lists(
    st.dictionaries(st.integers(1, 4).map(lambda v: F(v, 4)), st.integers(1, 3), max_size=3),
    min_size=1,
    max_size=4,
)


@given(LAWS, st.integers(1, 3))
@settings(max_examples=150)
def test_the_formula_is_the_sum_over_all_outcomes(weights, k) -> None:
    laws = [{v: F(w, 10) for v, w in of.items()} for of in weights]
    whole = [[*law.items(), (F(0), 1 - sum(law.values()))] for law in laws]
    total = F(0)
    for outcome in product(*whole):
        largest = sorted((v for v, _ in outcome), reverse=True)[:k]
        total += math.prod(p for _, p in outcome) * sum(largest)
    assert expected_largest(laws, k) == total


def test_a_count_in_floats() -> None:
    assert expected_count([0.5, 0.25], 2) == pytest.approx(0.75)
    assert expected_count([], 2) == 0


def test_rounded_rates_give_a_float() -> None:
    bandit = rlt.LSDBandit([rlt.LSDArm.blocking(d) for d in (2, 3, 6)])
    found = rlt.virtual_value(rlt.concave_relaxation(bandit))
    assert isinstance(found, float) and found == pytest.approx(13 / 18, rel=1e-14)
