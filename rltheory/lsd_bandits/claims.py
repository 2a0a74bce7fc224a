"""The claims of this topic, gathered from the files that state them."""

from rltheory.claims.claim import Claim
from rltheory.lsd_bandits import gap_claims

__all__ = ["CLAIMS"]

CLAIMS: tuple[Claim, ...] = (*gap_claims.CLAIMS,)
