"""Exact numbers rounded outward to doubles."""

import math
from fractions import Fraction

__all__ = ["round_down", "round_up"]


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
