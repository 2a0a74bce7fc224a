"""By how much a row and its exit sum to more than 1, in fractions."""

from collections.abc import Iterable
from fractions import Fraction

U = Fraction(1, 2**53)


def defect(prob: Iterable[float], leaving: float) -> Fraction:
    return sum(map(Fraction, prob), Fraction(leaving)) - 1


def allowance(delta: Fraction, entries: int) -> Fraction:
    """What T1 of docs/theory/certificates.md allows between this defect and the one computed."""
    return U * abs(delta) + max(entries, 1) ** 2 * U**2
