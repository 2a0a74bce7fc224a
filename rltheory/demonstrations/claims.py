"""The claims of this topic, gathered from the files that state them."""

from rltheory.claims.claim import Claim
from rltheory.demonstrations import (
    bernstein_transport,
    certified_exploration,
    cloning_asymptotics,
    cloning_claims,
    cloning_minimax,
    cloning_tails,
    demonstration_pipeline,
    episode_divergences,
    exploration_runs,
    linear_onehot,
    preference_invariance,
    preference_mle,
    rates,
    regularized_gaps,
    rlhf_gap,
    trajectory_entropy,
    unseen_contexts,
)

__all__ = ["CLAIMS"]

CLAIMS: tuple[Claim, ...] = (
    *bernstein_transport.CLAIMS,
    *certified_exploration.CLAIMS,
    *cloning_asymptotics.CLAIMS,
    *cloning_claims.CLAIMS,
    *cloning_minimax.CLAIMS,
    *cloning_tails.CLAIMS,
    *demonstration_pipeline.CLAIMS,
    *episode_divergences.CLAIMS,
    *exploration_runs.CLAIMS,
    *linear_onehot.CLAIMS,
    *preference_invariance.CLAIMS,
    *preference_mle.CLAIMS,
    *rates.CLAIMS,
    *regularized_gaps.CLAIMS,
    *rlhf_gap.CLAIMS,
    *trajectory_entropy.CLAIMS,
    *unseen_contexts.CLAIMS,
)
