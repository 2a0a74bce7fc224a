"""The claims of this topic, gathered from the files that state them."""

from rltheory.claims.claim import Claim
from rltheory.lsd_bandits import (
    block_claims,
    correlation_claims,
    gap_claims,
    greedy_claims,
    relaxation_claims,
    special_arm_claims,
)

__all__ = ["CLAIMS"]

CLAIMS: tuple[Claim, ...] = (
    *block_claims.CLAIMS,
    *correlation_claims.CLAIMS,
    *gap_claims.CLAIMS,
    *greedy_claims.CLAIMS,
    *relaxation_claims.CLAIMS,
    *special_arm_claims.CLAIMS,
)
