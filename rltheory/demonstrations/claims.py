"""The claims of this topic, gathered from the files that state them."""

from rltheory.claims.claim import Claim
from rltheory.demonstrations import (
    cloning_asymptotics,
    cloning_claims,
    cloning_minimax,
    cloning_tails,
    demonstration_pipeline,
    episode_divergences,
    regularized_gaps,
)

__all__ = ["CLAIMS"]

CLAIMS: tuple[Claim, ...] = (
    *episode_divergences.CLAIMS,
    *cloning_claims.CLAIMS,
    *cloning_asymptotics.CLAIMS,
    *cloning_tails.CLAIMS,
    *cloning_minimax.CLAIMS,
    *regularized_gaps.CLAIMS,
    *demonstration_pipeline.CLAIMS,
)
