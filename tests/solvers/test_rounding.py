"""Outward rounding and shifts against their definitions in Fractions."""

import math
import sys
from fractions import Fraction

import numpy as np
import pytest
from plain_rounding import awkward_double, is_rounded_down, is_rounded_up, near

from rltheory import _core
from rltheory.solvers.rounding import (
    residual_of_scaled,
    round_down,
    round_up,
    shifts,
)

support = _core.support
LARGEST = sys.float_info.max
DISCOUNTS = (0.0, 2.0**-60, 0.1, 1 / 3, 0.49, 0.5, 0.9, 1 - 1e-12, 1 - 2.0**-53)


def awkward_fraction(random: np.random.Generator) -> Fraction:
    """A double, a number just beside one, half way between two, or a plain quotient."""
    x = Fraction(awkward_double(random))
    kind = random.integers(5)
    if kind == 0:
        return x
    if kind == 1:
        return x + Fraction(int(random.integers(-3, 4)), 10**400)
    if kind == 2:
        return (x + Fraction(math.nextafter(float(x), math.inf))) / 2
    if kind == 3:
        return x / int(random.integers(1, 10**9))
    return Fraction(int(random.integers(-(10**12), 10**12)), int(random.integers(1, 10**12)))


def test_fractions_are_rounded_to_the_neighbour_on_the_safe_side() -> None:
    random, exact = np.random.default_rng(1), 0
    for _ in range(20_000):
        x = awkward_fraction(random)
        down, up = round_down(x), round_up(x)
        assert is_rounded_down(down, x) and is_rounded_up(up, x)
        exact += down == up
    assert 1000 < exact < 19_000


def test_fractions_beyond_all_doubles() -> None:
    beyond = Fraction(LARGEST) + 1
    assert (round_down(beyond), round_up(beyond)) == (LARGEST, math.inf)
    assert (round_down(-beyond), round_up(-beyond)) == (-math.inf, -LARGEST)
    far = Fraction(10) ** 400
    assert (round_down(far), round_up(far)) == (LARGEST, math.inf)
    assert (round_down(-far), round_up(-far)) == (-math.inf, -LARGEST)
    tiny = 1 / far
    assert (round_down(tiny), round_up(tiny)) == (0.0, 5e-324)
    assert (round_down(-tiny), round_up(-tiny)) == (-5e-324, 0.0)


def is_largest_shift(k: float, low: Fraction, discount: float) -> bool:
    """Whether k is the largest double that is at most 0 with k (1 - discount) <= low."""
    rest = 1 - Fraction(discount)
    if not (k <= 0.0 and Fraction(k) * rest <= min(low, Fraction(0))):
        return False
    return k == 0.0 or Fraction(math.nextafter(k, math.inf)) * rest > low


def test_shifts_are_inductive_and_no_wider_than_they_must_be() -> None:
    random, clipped = np.random.default_rng(2), 0
    for i in range(20_000):
        discount = DISCOUNTS[i % 9] if i % 2 else float(random.random())
        low, high = awkward_double(random), awkward_double(random)
        if max(abs(low), abs(high)) > 1e290:
            continue
        k, up = shifts(low, high, discount)
        assert is_largest_shift(k, Fraction(low), discount)
        assert is_largest_shift(-up, Fraction(-high), discount)
        clipped += k == 0.0 and low > 0.0
    # A lower witness is never shifted up: where rows may end, that would prove too much.
    assert clipped > 5000


def test_one_minus_the_discount_is_not_rounded() -> None:
    random, wrong = np.random.default_rng(3), 0
    for _ in range(5000):
        discount, low = float(random.random()) / 2, -float(random.random())
        k = shifts(low, 0.0, discount)[0]
        assert Fraction(k) * (1 - Fraction(discount)) <= Fraction(low)
        # The mutant: the quotient alone is rounded outward.
        mutant = round_down(Fraction(low) / Fraction(1.0 - discount))
        wrong += Fraction(mutant) * (1 - Fraction(discount)) > Fraction(low)
    assert wrong > 20


def test_shifts_of_rationals() -> None:
    low, high, discount = Fraction(-1, 3), Fraction(1, 7), Fraction(1, 3)
    k, up = shifts(low, high, discount)
    assert is_rounded_down(k, Fraction(-1, 2)) and is_rounded_up(up, Fraction(3, 14))
    assert shifts(Fraction(0), Fraction(0), Fraction(999, 1000)) == (0.0, 0.0)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_shifts_of_what_is_not_finite_prove_nothing(bad: float) -> None:
    for low, high in ((bad, 0.0), (0.0, bad)):
        assert shifts(low, high, 0.9) == (-math.inf, math.inf)
        assert shifts(*residual_of_scaled(low, high), 0.9) == (-math.inf, math.inf)


def test_residuals_from_residuals_times_a_row_sum() -> None:
    random = np.random.default_rng(4)
    for _ in range(5000):
        rho = Fraction(awkward_double(random))
        sigma = 1 + Fraction(int(random.integers(-1000, 1001)), 10**12)
        scaled = rho * sigma
        low, high = residual_of_scaled(round_down(scaled), round_up(scaled))
        assert low <= min(rho, Fraction(0)) and high >= max(rho, Fraction(0))
        slack = abs(rho) / 2**26 + Fraction(1, 2**1070)
        assert min(rho, Fraction(0)) - low <= slack and high - max(rho, Fraction(0)) <= slack


def test_no_gap_is_below_0_by_its_sign() -> None:
    zero = np.zeros(2)
    assert math.copysign(1.0, _core.solvers.largest_gap(zero, -zero)) == 1.0


def test_the_largest_gap_is_the_exact_one_rounded_up() -> None:
    random, inexact = np.random.default_rng(5), 0
    for _ in range(6000):
        lower = np.array([awkward_double(random) for _ in range(random.integers(1, 4))])
        upper = lower + [abs(near(x, random)) * random.integers(0, 9) for x in lower]
        if random.random() < 0.3:
            upper = upper + np.abs([awkward_double(random) for _ in lower])
        exact = max(Fraction(b) - Fraction(a) for a, b in zip(lower, upper, strict=True))
        gap = _core.solvers.largest_gap(lower, upper)
        assert is_rounded_up(gap, exact)
        inexact += Fraction(float((upper - lower).max())) < exact
    assert inexact > 100  # in doubles alone the gap would have been too small


def test_gaps_that_are_not_finite_are_infinite() -> None:
    zero = np.zeros(2)
    for lower, upper in (
        (np.array([0.0, math.nan]), zero),
        (zero, np.array([0.0, math.inf])),
        (np.array([-math.inf, 0.0]), zero),
        (np.array([0.0, -LARGEST]), np.array([0.0, LARGEST])),
    ):
        assert _core.solvers.largest_gap(lower, upper) == math.inf


def test_sums_of_three_doubles_are_rounded_outward() -> None:
    random, inexact = np.random.default_rng(6), 0
    for _ in range(40_000):
        a = awkward_double(random)
        kind = random.integers(4)
        b = near(a, random) if kind < 2 else awkward_double(random)
        if kind % 2:
            c = near(b, random)
        elif random.random() < 0.5:
            c = awkward_double(random)
        else:  # cancel all but the last bits
            c = -(a + b) + near(a, random) * float(random.integers(-2, 3))
        terms = [a, b, c]
        random.shuffle(terms)
        exact = sum(map(Fraction, terms), Fraction(0))
        down, up = support.sum_rounded_down(*terms), support.sum_rounded_up(*terms)
        assert is_rounded_down(down, exact), terms
        assert is_rounded_up(up, exact), terms
        inexact += down != up
    assert inexact > 10_000


@pytest.mark.parametrize(
    "terms",
    [
        (1e308, 1e308, -1e308),
        (LARGEST, 1e292, 0.0),
        (LARGEST, LARGEST, 0.0),
        (LARGEST, 1e291, 0.0),
        (LARGEST, 0.0, 0.0),
        (1e308, -1e308, 1e308),
    ],
)
def test_sums_near_the_largest_double(terms: tuple[float, float, float]) -> None:
    exact = sum(map(Fraction, terms), Fraction(0))
    down, up = support.sum_rounded_down(*terms), support.sum_rounded_up(*terms)
    assert not (math.isnan(down) or math.isnan(up))
    assert down == -math.inf or Fraction(down) <= exact
    assert up == math.inf or Fraction(up) >= exact
