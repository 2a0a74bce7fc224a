"""The claims of this topic, gathered from the files that state them."""

from rltheory.claims.claim import Claim
from rltheory.foundations import (
    accelerated,
    average,
    certificates,
    confidence,
    confidence_rows,
    differences,
    discounted,
    improvement,
    intervals,
    linear_programs,
    losses,
    martingales,
    mixtures,
    plug_in,
    robust,
    sample_bracket,
    shortest_paths,
    soft,
    value_iteration,
    variance,
)

__all__ = ["CLAIMS"]

CLAIMS: tuple[Claim, ...] = (
    *discounted.CLAIMS,
    *value_iteration.CLAIMS,
    *improvement.CLAIMS,
    *accelerated.CLAIMS,
    *average.CLAIMS,
    *losses.CLAIMS,
    *differences.CLAIMS,
    *variance.CLAIMS,
    *soft.CLAIMS,
    *robust.CLAIMS,
    *certificates.CLAIMS,
    *linear_programs.CLAIMS,
    *mixtures.CLAIMS,
    *shortest_paths.CLAIMS,
    *confidence.CLAIMS,
    *confidence_rows.CLAIMS,
    *intervals.CLAIMS,
    *martingales.CLAIMS,
    *plug_in.CLAIMS,
    *sample_bracket.CLAIMS,
)
