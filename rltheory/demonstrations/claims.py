"""The claims of this topic, gathered from the files that state them."""

from rltheory.claims.claim import Claim
from rltheory.demonstrations import (
    bernstein_transport,
    certified_exploration,
    cloning_claims,
    cloning_minimax,
    cloning_tails,
    demonstration_pipeline,
    episode_divergences,
    exploration_runs,
    linear_onehot,
    preference_invariance,
    preference_mle,
    regularized_gaps,
    rlhf_gap,
    trajectory_entropy,
    unseen_contexts,
)

__all__ = ["CLAIMS"]

CLAIMS: tuple[Claim, ...] = (
    *episode_divergences.CLAIMS,
    *cloning_claims.CLAIMS,
    *regularized_gaps.CLAIMS,
    *demonstration_pipeline.CLAIMS,
    *certified_exploration.CLAIMS,
    *bernstein_transport.CLAIMS,
    *preference_invariance.CLAIMS,
    *preference_mle.CLAIMS,
    *rlhf_gap.CLAIMS,
    *linear_onehot.CLAIMS,
    *cloning_tails.CLAIMS,
    *cloning_minimax.CLAIMS,
    *exploration_runs.CLAIMS,
    *trajectory_entropy.CLAIMS,
    *unseen_contexts.CLAIMS,
)
