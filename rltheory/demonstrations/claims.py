"""The claims of this topic, gathered from the files that state them."""

from rltheory.claims.claim import Claim
from rltheory.demonstrations import certified_exploration, episode_divergences, regularized_gaps

__all__ = ["CLAIMS"]

CLAIMS: tuple[Claim, ...] = (
    *episode_divergences.CLAIMS,
    *regularized_gaps.CLAIMS,
    *certified_exploration.CLAIMS,
)
