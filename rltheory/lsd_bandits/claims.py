"""The claims of this topic, gathered from the files that state them."""

from rltheory.claims.claim import Claim
from rltheory.lsd_bandits import (
    correlation_claims,
    gain_claims,
    horizon_claims,
    relaxation_claims,
    special_arm_claims,
)

__all__ = ["CLAIMS"]

CLAIMS: tuple[Claim, ...] = (
    *relaxation_claims.CLAIMS,
    *correlation_claims.CLAIMS,
    *special_arm_claims.CLAIMS,
    *gain_claims.CLAIMS,
    *horizon_claims.CLAIMS,
)
