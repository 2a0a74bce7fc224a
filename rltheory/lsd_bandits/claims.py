"""The claims of this topic, gathered from the files that state them."""

from rltheory.claims.claim import Claim
from rltheory.lsd_bandits import (
    learning_claims,
    learning_rates,
)

__all__ = ["CLAIMS"]

CLAIMS: tuple[Claim, ...] = (
    *learning_claims.CLAIMS,
    *learning_rates.CLAIMS,
)
from rltheory.lsd_bandits import mirror_claims, rounding_claims

__all__ = ["CLAIMS"]

CLAIMS: tuple[Claim, ...] = (*mirror_claims.CLAIMS, *rounding_claims.CLAIMS)
