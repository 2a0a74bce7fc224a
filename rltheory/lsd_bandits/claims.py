"""The claims of this topic, gathered from the files that state them."""

from rltheory.claims.claim import Claim

__all__ = ["CLAIMS"]

CLAIMS: tuple[Claim, ...] = ()
