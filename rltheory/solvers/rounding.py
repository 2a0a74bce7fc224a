"""Exact numbers rounded outward to doubles, and the shifts that make a witness inductive.

With D = 1 - discount and residuals rho = T w - w, the shift of a lower witness is the largest
double k <= 0 with k D <= min rho, that of an upper one the smallest k >= 0 with k D >= max rho
(docs/theory/certificates.md, theorem C1). They are formed in rationals: only the result is
rounded.
"""

import math
from fractions import Fraction

from rltheory.mathematics.rounding import round_down, round_up

__all__ = ["residual_of_scaled", "round_down", "round_up", "shifts"]

Number = float | Fraction

ROW_SUM_RANGE = Fraction(1, 2**28)
"""A row with its exit sums to 1 within this: a generous form of the 1e-9 that is validated."""


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
