"""Residue classes that do not meet, against all residues and against occupied rounds."""

from fractions import Fraction
from itertools import product
from math import lcm

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rltheory as rlt
from rltheory.errors import ModelError


def occupied(delays, residues) -> list[int]:  # type: ignore[no-untyped-def]
    """How many arms each round modulo the least common multiple has."""
    period = lcm(*delays)
    return [sum(t % d == r for d, r in zip(delays, residues, strict=True)) for t in range(period)]


@given(st.lists(st.integers(1, 6), min_size=1, max_size=4))
def test_found_where_there_are_any(delays: list[int]) -> None:
    residues = rlt.exact_cover(delays)
    if residues is None:
        every = product(*(range(d) for d in delays))
        assert all(max(occupied(delays, some)) > 1 for some in every)
    else:
        assert all(0 <= r < d for r, d in zip(residues, delays, strict=True))
        assert max(occupied(delays, residues)) == 1
        if sum(Fraction(1, d) for d in delays) == 1:
            assert min(occupied(delays, residues)) == 1


def test_a_large_one() -> None:
    delays = [2, 4, 8, 16, 32, 64, 128, 128]
    assert rlt.exact_cover(delays) is not None
    assert rlt.exact_cover([2, 3, 7, 42]) is None
    assert rlt.exact_cover([12] * 12) == tuple(range(12))


@pytest.mark.parametrize("delays", [[], [0], [2.0], [True], [2, "3"]])
def test_what_is_wrong_is_named(delays: list[object]) -> None:
    with pytest.raises(ModelError, match="delays"):
        rlt.exact_cover(delays)  # type: ignore[arg-type]
