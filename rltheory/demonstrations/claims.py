"""The claims of this topic, gathered from the files that state them."""

from rltheory.claims.claim import Claim
from rltheory.demonstrations import (
    certified_exploration,
    episode_divergences,
    exploration_runs,
    regularized_gaps,
    trajectory_entropy,
    unseen_contexts,
)

__all__ = ["CLAIMS"]

CLAIMS: tuple[Claim, ...] = (
    *episode_divergences.CLAIMS,
    *regularized_gaps.CLAIMS,
    *certified_exploration.CLAIMS,
    *exploration_runs.CLAIMS,
    *trajectory_entropy.CLAIMS,
    *unseen_contexts.CLAIMS,
)
