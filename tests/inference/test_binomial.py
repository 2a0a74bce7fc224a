"""Clopper-Pearson bounds against scipy's own intervals and against exact tails."""

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import binomtest

from rltheory.errors import ClaimError
from rltheory.inference.binomial import lower_bound, upper_bound

ALPHAS = (0.5, 0.1, 0.025, 1e-3, 5e-7)


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("n", [1, 2, 7, 60, 1000])
def test_against_scipy(n: int, alpha: float) -> None:
    for k in sorted({0, 1, n // 3, n // 2, n - 1, n}):
        low = binomtest(k, n, alternative="greater").proportion_ci(1 - alpha, "exact").low
        high = binomtest(k, n, alternative="less").proportion_ci(1 - alpha, "exact").high
        # scipy looks for a root, within 2e-12; and it is given 1 - alpha, which is not exact.
        slack = {"rel": 1e-11 + 2.0**-53 / alpha, "abs": 4e-12}
        assert lower_bound(k, n, alpha) == pytest.approx(low, **slack)
        assert upper_bound(k, n, alpha) == pytest.approx(high, **slack)


def tail(k: int, n: int, p: float, above: bool) -> Fraction:
    """P(K >= k) or P(K <= k), exactly."""
    q = Fraction(p)
    counts = range(k, n + 1) if above else range(k + 1)
    return sum((math.comb(n, j) * q**j * (1 - q) ** (n - j) for j in counts), Fraction(0))


def test_bounds_are_outside_of_the_exact_ones() -> None:
    rng = np.random.default_rng(0)
    for _ in range(150):
        n = int(10 ** rng.uniform(0, 2.2))
        k, alpha = int(rng.integers(0, n + 1)), float(rng.choice(ALPHAS))
        low, high = lower_bound(k, n, alpha), upper_bound(k, n, alpha)
        assert 0 <= low <= high <= 1 or alpha == 0.5
        if k > 0:
            assert alpha * (1 - 1e-9 * n) <= tail(k, n, low, above=True) <= alpha
        if k < n and high < 1 - 1e-6:
            assert alpha * (1 - 1e-5 * n) <= tail(k, n, high, above=False) <= alpha


def test_no_failure_and_nothing_but_failures() -> None:
    assert lower_bound(0, 5, 0.1) == 0.0 and upper_bound(5, 5, 0.1) == 1.0
    assert upper_bound(0, 5, 0.1) == pytest.approx(1 - 0.1**0.2, rel=2e-12)
    assert lower_bound(5, 5, 0.1) == pytest.approx(0.1**0.2, rel=2e-12)


def test_levels_below_the_unit_of_rounding() -> None:
    # 1 - alpha is 1 in doubles; the bound must not be.
    assert upper_bound(0, 10, 1e-20) == pytest.approx(1 - 1e-2, rel=1e-10)
    assert lower_bound(10, 10, 1e-20) == pytest.approx(1e-2, rel=1e-10)


def test_bounds_rise_with_the_failures_and_shrink_with_the_level() -> None:
    for n in (1, 10, 50):
        lower = [lower_bound(k, n, 0.05) for k in range(n + 1)]
        upper = [upper_bound(k, n, 0.05) for k in range(n + 1)]
        assert lower == sorted(lower) and upper == sorted(upper)
        assert lower_bound(n, n, 0.01) < lower_bound(n, n, 0.05)
        assert upper_bound(0, n, 0.01) > upper_bound(0, n, 0.05)


@pytest.mark.parametrize(
    ("k", "n", "alpha", "message"),
    [
        (3, 2, 0.1, "3 failures in 2 trials"),
        (-1, 2, 0.1, "-1 failures"),
        (0, 0, 0.1, "0 failures in 0 trials"),
        (1, 2, 0.0, r"alpha is 0.0; it must be in \(0, 1\)"),
        (1, 2, 1.0, "alpha is 1.0"),
        (1, 2, math.nan, "alpha is nan"),
    ],
)
def test_what_cannot_be(k: int, n: int, alpha: float, message: str) -> None:
    for bound in (lower_bound, upper_bound):
        with pytest.raises(ClaimError, match=message):
            bound(k, n, alpha)
