"""The claims of this topic, gathered from the files that state them."""

from rltheory.claims.claim import Claim
from rltheory.demonstrations import (
    certified_exploration,
    cloning_asymptotics,
    cloning_claims,
    cloning_minimax,
    cloning_tails,
    demonstration_pipeline,
    episode_divergences,
    exploration_runs,
    regularized_gaps,
    trajectory_entropy,
    unseen_contexts,
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
    *certified_exploration.CLAIMS,
    *exploration_runs.CLAIMS,
    *trajectory_entropy.CLAIMS,
    *unseen_contexts.CLAIMS,
)
