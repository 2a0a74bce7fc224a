"""The claims of this topic, gathered from the files that state them."""

from rltheory.claims.claim import Claim
from rltheory.lsd_bandits import (
    block_claims,
    correlation_claims,
    greedy_claims,
    index_claims,
    mirror_claims,
    ordered_claims,
    relaxation_claims,
    rounding_claims,
    rounding_trials,
    special_arm_claims,
)

__all__ = ["CLAIMS"]

CLAIMS: tuple[Claim, ...] = (
    *greedy_claims.CLAIMS,
    *block_claims.CLAIMS,
    *index_claims.CLAIMS,
    *relaxation_claims.CLAIMS,
    *correlation_claims.CLAIMS,
    *special_arm_claims.CLAIMS,
    *mirror_claims.CLAIMS,
    *ordered_claims.CLAIMS,
    *rounding_claims.CLAIMS,
    *rounding_trials.CLAIMS,
)
