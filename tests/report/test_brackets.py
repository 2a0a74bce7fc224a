"""What is printed is a bound: read back from its characters, exactly, and short."""

import math
import re
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rltheory.report.brackets import at_most, bracket, exponent, weighted

GOLDEN = [
    (0.41464035412, 0.41464035729, "0.41464035[41, 73]"),
    (-0.41464035, -0.41464033, "-0.4146403[50, 30]"),
    (0.0, 0.0, "0"),
    (-0.0, 0.0, "0"),
    (20, 20, "20"),
    (-3.5, -3.5, "-3.5"),
    (3e11, 3e11, "3e+11"),
    (0.1, 0.1, "0.1000000000000000[0, 1]"),
    (0.1, math.nextafter(0.1, 1), "0.1000000000000000[05, 20]"),
    (Fraction(1, 3), Fraction(1, 3), "0.3333333333333333[3, 4]"),
    # Digits before the point are shared only all together.
    (123.4, 1234.5, "[123, 1235]"),
    (9.75, 10.25, "[9.75, 10.25]"),
    (-0.25, 0.5, "[-0.25, 0.50]"),
    (0.4999999, 0.5000001, "0.[49999989, 50000010]"),
    (1e13, 10000000000000.012, "1.00000000000000[00, 12]e+13"),
    (0.0, 5e-324, "[0.0, 5.0]e-324"),
    (-math.inf, 3.333333333333, "[-inf, 3.33334e+0]"),
    (-math.inf, math.inf, "[-inf, inf]"),
    (0.0, math.inf, "[0, inf]"),
]


def read(text: str) -> tuple[Fraction, Fraction]:
    """The interval that the characters mean."""
    parts = re.fullmatch(r"(-?[\d.]*)(?:\[(\S+), (\S+)\])?(?:e([+-]\d+))?", text)
    assert parts, text
    shared, low, high, power = parts.groups()
    scale = Fraction(10) ** int(power or 0)
    return Fraction(shared + (low or "")) * scale, Fraction(shared + (high or "")) * scale


@pytest.mark.parametrize(("lower", "upper", "text"), GOLDEN)
def test_golden(lower, upper, text):
    assert bracket(lower, upper) == text


finite = st.floats(allow_nan=False, allow_infinity=False)
near = st.tuples(finite, st.integers(0, 60)).map(
    lambda pair: (pair[0], pair[0] + 2.0 ** pair[1] * math.ulp(pair[0]))
)
pairs = st.one_of(st.tuples(finite, finite).map(sorted), near).filter(
    lambda pair: math.isfinite(pair[1])
)


@given(pairs)
def test_printed_interval_contains_the_bracket(pair):
    lower, upper = pair
    low, high = read(bracket(lower, upper))
    assert low <= Fraction(lower) <= Fraction(upper) <= high


@given(st.fractions(), st.fractions(min_value=0, max_value=1))
def test_rational_ends_and_width(lower, width):
    low, high = read(bracket(lower, lower + width))
    assert low <= lower <= lower + width <= high
    if width > 0 and abs(lower) < 10**8:
        # Two digits of the width are written, and each end moves by less than one of them.
        assert high - low <= width * Fraction(6, 5)


def test_integers_too_long_for_python_to_print():
    huge = Fraction(7**6000, 7**6000 - 1)
    assert bracket(huge, huge) == "1.000000000000000[0, 1]"
    assert exponent(Fraction(10) ** 6000) == 6000
    assert exponent(Fraction(10) ** -6000) == -6000


@given(st.floats(0, 1e308), st.integers(1, 5))
def test_sizes_are_rounded_up(x, digits):
    assert x <= float(at_most(x, digits)) <= max(x * (1 + 2 * 10.0 ** (1 - digits)), 1e-323)


def test_sizes_keep_short_numbers():
    assert [at_most(x, 3) for x in (0.0, 1e-9, 0.1, 3.2e-12, math.inf)] == [
        "0",
        "1e-09",
        "0.1",
        "3.2e-12",
        "inf",
    ]


# Python floats are rationals: numpy's mean is only a check of the formula, fractions of the rest.
weights = st.lists(st.floats(0, 1), min_size=3, max_size=3).filter(any)


@given(weights, st.lists(finite, min_size=3, max_size=3))
def test_weighted_mean_is_exact(shares, values):
    total = sum(Fraction(a) * Fraction(b) for a, b in zip(shares, values, strict=True))
    expected = total / sum(map(Fraction, shares))
    assert weighted(np.array(shares), np.array(values)) == expected
    rationals = np.array([Fraction(value) / 3 for value in values], dtype=object)
    assert weighted(np.array(shares), rationals) == expected / 3


def test_weighted_mean_of_infinite_values():
    values = np.array([1.0, -math.inf])
    assert weighted(np.array([0.5, 0.5]), values) == -math.inf
    assert weighted(np.array([1.0, 0.0]), values) == 1
