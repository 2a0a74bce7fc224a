"""The claims of this topic, gathered from the files that state them."""

from rltheory.claims.claim import Claim
from rltheory.foundations import (
    certificates,
    confidence,
    differences,
    losses,
    tests_and_intervals,
    variance,
)

__all__ = ["CLAIMS"]

CLAIMS: tuple[Claim, ...] = (
    *losses.CLAIMS,
    *differences.CLAIMS,
    *variance.CLAIMS,
    *certificates.CLAIMS,
    *confidence.CLAIMS,
    *tests_and_intervals.CLAIMS,
)
