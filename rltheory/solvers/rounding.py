"""Exact numbers rounded outward to doubles, and the shifts that make a witness inductive.

With D = 1 - discount and residuals rho = T w - w, the shift of a lower witness is the largest
double k <= 0 with k D <= min rho, that of an upper one the smallest k >= 0 with k D >= max rho
(docs/theory/certificates.md, theorem C1). They are formed in rationals: only the result is
rounded.
"""

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

__all__ = ["largest_gap", "residual_of_scaled", "round_down", "round_up", "shifts"]

Number = float | Fraction

ROW_SUM_RANGE = Fraction(1, 2**28)
"""A row with its exit sums to 1 within this: a generous form of the 1e-9 that is validated."""


def round_down(x: Fraction) -> float:
    """The largest double at most x; -inf below all doubles."""
    try:
        nearest = float(x)
    except OverflowError:
        return -math.inf if x < 0 else math.nextafter(math.inf, 0.0)
    return math.nextafter(nearest, -math.inf) if Fraction(nearest) > x else nearest


def round_up(x: Fraction) -> float:
    """The smallest double at least x; inf above all doubles."""
    return -round_down(-x)


def shifts(low: Number, high: Number, discount: Number) -> tuple[float, float]:
    """The shifts of a witness whose residuals lie between `low` and `high`.

    Examples
    --------
    >>> shifts(-0.5, 0.25, 0.5)
    (-1.0, 0.5)
    >>> shifts(0.5, 1.0, 0.5)  # a lower witness is never shifted up: rows may end
    (0.0, 2.0)
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        return -math.inf, math.inf
    rest = 1 - Fraction(discount)
    return (
        round_down(min(Fraction(0), Fraction(low)) / rest),
        round_up(max(Fraction(0), Fraction(high)) / rest),
    )


def residual_of_scaled(low: float, high: float) -> tuple[Number, Number]:
    """Bounds of residuals from bounds of residuals times their row sums."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return low, high
    least = 1 - ROW_SUM_RANGE
    return min(Fraction(0), Fraction(low)) / least, max(Fraction(0), Fraction(high)) / least


def largest_gap(lower: NDArray[np.float64], upper: NDArray[np.float64]) -> float:
    """max (upper - lower), rounded up; inf where a bound is not finite."""
    if not (np.isfinite(lower).all() and np.isfinite(upper).all()):
        return math.inf
    with np.errstate(over="ignore", invalid="ignore"):
        gap = upper - lower
        # TwoSum: the exact difference is gap + lost.
        back = gap + lower
        lost = (upper - back) - (lower - (back - gap))
        widened = np.where(lost > 0.0, np.nextafter(gap, np.inf), gap)
    largest = float(widened.max())
    return math.inf if math.isnan(largest) else largest
