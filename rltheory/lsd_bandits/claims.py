"""The claims of this topic, gathered from the files that state them."""

from rltheory.claims.claim import Claim
from rltheory.lsd_bandits import (
    learning_claims,
    learning_rates,
    mirror_claims,
    rounding_claims,
)

__all__ = ["CLAIMS"]

CLAIMS: tuple[Claim, ...] = (
    *mirror_claims.CLAIMS,
    *rounding_claims.CLAIMS,
    *learning_claims.CLAIMS,
    *learning_rates.CLAIMS,
)
