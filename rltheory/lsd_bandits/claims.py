"""The claims of this topic, gathered from the files that state them."""

from rltheory.claims.claim import Claim
from rltheory.lsd_bandits import block_claims, greedy_claims, index_claims

__all__ = ["CLAIMS"]

CLAIMS: tuple[Claim, ...] = (
    *greedy_claims.CLAIMS,
    *block_claims.CLAIMS,
    *index_claims.CLAIMS,
)
