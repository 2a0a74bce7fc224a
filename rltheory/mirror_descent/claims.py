"""The claims of this topic, gathered from the files that state them."""

from rltheory.claims.claim import Claim
from rltheory.mirror_descent import (
    entropy_claims,
    gradient_claims,
    rate_claims,
    step_claims,
    surrogate_claims,
)

__all__ = ["CLAIMS"]

CLAIMS: tuple[Claim, ...] = (
    *step_claims.CLAIMS,
    *gradient_claims.CLAIMS,
    *surrogate_claims.CLAIMS,
    *rate_claims.CLAIMS,
    *entropy_claims.CLAIMS,
)
