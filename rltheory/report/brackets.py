"""Write an interval so that what is printed is still a bound.

A certificate proves ``lower <= V* <= upper`` for two doubles (or rationals). Printing them to
a few digits the usual way rounds to nearest, and may print a number on the wrong side of V*.
Here the lower end is rounded down and the upper end up, in integers, at the first decimal
place where the two part and one more; the digits they share are written once::

    0.41464035[41, 73]    means    0.4146403541 <= V* <= 0.4146403573
"""

import math
from decimal import ROUND_CEILING, Context
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

Number = int | float | Fraction
"""A double or an exact number."""

SIGNIFICANT = 17
"""Digits that tell any two doubles apart: how many a number is given that is known exactly."""


def bracket(lower: Number, upper: Number) -> str:
    """Write ``[lower, upper]`` with the shared digits once and the ends rounded outward.

    Parameters
    ----------
    lower, upper : int, float or Fraction
        The ends, ``lower <= upper``; infinite ends are written as they are.

    Returns
    -------
    str
        An interval that contains ``[lower, upper]`` and is at most 20% wider; a single number
        where both ends are the same short decimal.

    Examples
    --------
    >>> bracket(0.41464035412, 0.41464035729)
    '0.41464035[41, 73]'
    >>> bracket(-0.25, 0.5)
    '[-0.25, 0.50]'
    >>> bracket(20, 20)
    '20'
    """
    if _infinite(lower) or _infinite(upper):
        return f"[{_one_sided(lower, False)}, {_one_sided(upper, True)}]"
    low, high = Fraction(lower), Fraction(upper)
    top = max(abs(low), abs(high))
    if top == 0:
        return "0"
    size = exponent(top)
    places = 1 - exponent(high - low) if high > low else SIGNIFICANT - 1 - size
    places = max(places, 1 - size)  # two digits at least, however wide the interval
    if -4 <= size < 9:
        places, scale, suffix = max(places, 0), 0, ""
    else:
        scale, suffix = size, f"e{size:+d}"
    first, last = _rounded(low, places, False), _rounded(high, places, True)
    a, b = _decimal(first, places + scale), _decimal(last, places + scale)
    if first == last:
        return _without_zeros(a) + suffix
    point = a.find(".")
    if point < 0 or a[:point] != b[: b.find(".")]:
        return f"[{a}, {b}]{suffix}"
    same = next(i for i in range(point + 1, len(a)) if a[i] != b[i])
    return f"{a[:same]}[{a[same:]}, {b[same:]}]{suffix}"


def at_most(x: float, digits: int = 2) -> str:
    """Write a size ``x >= 0`` rounded up: what is printed reads back as at least ``x``.

    Examples
    --------
    >>> at_most(3.14e-12), at_most(0.0), at_most(1e-9), at_most(0.125)
    ('3.2e-12', '0', '1e-09', '0.13')
    """
    up = Context(prec=digits, rounding=ROUND_CEILING)
    return f"{float(up.create_decimal(repr(float(x)))):.{digits}g}"


def weighted(weights: NDArray[np.float64], values: NDArray[Any]) -> Number:
    """Exact weighted mean ``sum_i weights[i] values[i] / sum_i weights[i]``.

    Parameters
    ----------
    weights : ndarray of float64, shape (S,)
        Nonnegative, not all 0: a start law. Its exact meaning is itself over its exact sum.
    values : ndarray of float64 or of Fraction objects, shape (S,)
        Bounds of the value.

    Returns
    -------
    Fraction, or float where an infinite value has positive weight

    Examples
    --------
    >>> weighted(np.array([0.5, 0.5, 0.0]), np.array([1.0, 2.0, 7.0]))
    Fraction(3, 2)
    """
    support = np.flatnonzero(weights)
    chosen: list[Number] = values[support].tolist()
    shares = [share.as_integer_ratio() for share in weights[support].tolist()]
    for value in chosen:
        if _infinite(value):
            return value
    # Integers over one denominator each, so that 100,000 states take a tenth of a second and
    # not the minutes of as many additions of fractions. Doubles have powers of two below.
    ratios = [value.as_integer_ratio() for value in chosen]
    below = max(denominator for _, denominator in shares)
    beneath = math.lcm(*{denominator for _, denominator in ratios})
    whole = sum(top * (below // bottom) for top, bottom in shares)
    total = sum(
        top * (below // bottom) * number * (beneath // denominator)
        for (top, bottom), (number, denominator) in zip(shares, ratios, strict=True)
    )
    return Fraction(total, whole * beneath)


def exponent(x: Fraction) -> int:
    """The integer e with ``10^e <= x < 10^(e+1)``, for x > 0 of any size.

    Examples
    --------
    >>> exponent(Fraction(1, 3)), exponent(Fraction(1000)), exponent(Fraction(999))
    (-1, 3, 2)
    """
    # Not by printing: Python refuses to print integers of more than 4,300 digits, and exact
    # values of a few hundred states have them.
    bits = x.numerator.bit_length() - x.denominator.bit_length()
    guess = math.floor(bits * math.log10(2))
    while Fraction(10) ** guess > x:
        guess -= 1
    while Fraction(10) ** (guess + 1) <= x:
        guess += 1
    return guess


def _infinite(x: object) -> bool:
    return isinstance(x, float) and not math.isfinite(x)


def _one_sided(x: Number, up: bool) -> str:
    if _infinite(x):
        return f"{x:g}"
    exact = Fraction(x)
    if exact == 0:
        return "0"
    size = exponent(abs(exact))
    return f"{_decimal(_rounded(exact, 5 - size, up), 5)}e{size:+d}"


def _rounded(x: Fraction, places: int, up: bool) -> int:
    """``x 10^places`` rounded to an integer, up or down."""
    scaled = x * Fraction(10) ** places
    return math.ceil(scaled) if up else math.floor(scaled)


def _decimal(n: int, places: int) -> str:
    """``n / 10^places`` in full."""
    digits = str(abs(n)).rjust(places + 1, "0")
    sign = "-" if n < 0 else ""
    return sign + (f"{digits[:-places]}.{digits[-places:]}" if places else digits)


def _without_zeros(number: str) -> str:
    return number.rstrip("0").rstrip(".") if "." in number else number
