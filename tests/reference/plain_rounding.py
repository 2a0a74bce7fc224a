"""What rounding outward means, by definition, and doubles that are hard to round."""

import math
from fractions import Fraction

import numpy as np


def is_rounded_down(found: float, exact: Fraction) -> bool:
    """Whether `found` is the largest double at most `exact`."""
    return Fraction(found) <= exact < Fraction(math.nextafter(found, math.inf))


def is_rounded_up(found: float, exact: Fraction) -> bool:
    return is_rounded_down(-found, -exact)


def awkward_double(random: np.random.Generator) -> float:
    """A double of any size: zero, denormal, a power of two or beside one, or of many digits."""
    sign = float(random.choice([-1.0, 1.0]))
    kind = random.integers(7)
    if kind == 0:
        return 0.0
    if kind == 1:
        return sign * float(random.integers(1, 9)) * 2.0**-1074
    exponent = int(random.integers(-1000, 900)) if kind == 2 else int(random.integers(-60, 60))
    if kind == 3:
        return sign * 2.0**exponent
    if kind == 4:
        return sign * math.nextafter(2.0**exponent, float(random.choice([0.0, math.inf])))
    return sign * float(1.0 + random.random()) * 2.0**exponent


def near(x: float, random: np.random.Generator) -> float:
    """A double of about half an ulp of x, often exactly half of one."""
    return float(random.choice([0.5, -0.5, 0.5 + 2.0**-52, 0.25, -1.0, 1e-3])) * math.ulp(x)
