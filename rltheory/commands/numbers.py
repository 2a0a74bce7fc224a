"""Numbers as they are typed after an option, with the range each may have.

Decimals and fractions are kept exactly: ``0.9`` and ``9/10`` are the same number. What is not
one, or out of range, raises ``ArgumentTypeError``, which argparse reports with the option.
"""

import math
from argparse import ArgumentTypeError
from decimal import Decimal, InvalidOperation
from fractions import Fraction


def discount(text: str) -> Fraction:
    """A number in [0, 1) that is not rounded to 1, or from above 0 to 0, as a double.

    Examples
    --------
    >>> discount("9/10"), discount("0.9")
    (Fraction(9, 10), Fraction(9, 10))
    """
    number = _number(text)
    if not 0 <= number < 1:
        raise ArgumentTypeError(f"{text} is not in [0, 1)")
    if float(number) == 1.0:
        raise ArgumentTypeError(f"{text} is 1 when rounded to a double; the discount is below 1")
    if number and float(number) == 0.0:
        raise ArgumentTypeError(f"{text} is 0 when rounded to a double; give 0 if it is meant")
    return number


def horizon(text: str) -> int:
    """A whole number of stages, at least 1."""
    return _whole(text, 1, "stages")


def jobs(text: str) -> int:
    """A whole number of processes, at least 1."""
    return _whole(text, 1, "processes")


def seed(text: str) -> int:
    """A whole number, at least 0."""
    return _whole(text, 0, "")


def block(text: str) -> int:
    """A whole number of trials, at least 1."""
    return _whole(text, 1, "trials")


def plays(text: str) -> int:
    """A whole number of plays a round, at least 1."""
    return _whole(text, 1, "plays")


def rounds(text: str) -> int:
    """A whole number of rounds, at least 1."""
    return _whole(text, 1, "rounds")


def shard(text: str) -> tuple[int, int]:
    """I/N, with I in 0..N-1."""
    first, _, count = text.partition("/")
    if first.isdecimal() and count.isdecimal() and int(first) < int(count):
        return int(first), int(count)
    raise ArgumentTypeError(f"{text!r} is no shard; shards of 4 are 0/4, 1/4, 2/4 and 3/4")


def tolerance(text: str) -> float:
    """A finite number, at least 0."""
    number = _number(text)
    if number < 0:
        raise ArgumentTypeError(f"{text} is negative; a tolerance is at least 0")
    return float(number)


def _whole(text: str, least: int, of: str) -> int:
    number = _number(text)
    if number.denominator != 1 or number < least:
        what = f"a whole number of {of}" if of else "a whole number"
        raise ArgumentTypeError(f"{text} is not {what}, at least {least}")
    return int(number)


def _number(text: str) -> Fraction:
    try:
        if "/" in text:
            number = Fraction(text)
        else:
            # Through Decimal, which tells how large a number is before it is written out:
            # Fraction("1e-999999999") would never return.
            decimal = Decimal(text)
            if decimal and abs(decimal.adjusted()) > 400:
                raise ArgumentTypeError(f"{text} is out of the range of doubles")
            number = Fraction(decimal)
        if math.isfinite(float(number)):
            return number
    except (ValueError, OverflowError, ZeroDivisionError, InvalidOperation):
        pass  # Fraction of infinity or NaN, 1/0, or no number at all
    raise ArgumentTypeError(f"{text!r} is not a finite number, such as 0.9, 1e-8 or 9/10")
