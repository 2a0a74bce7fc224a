"""The claims of this topic, gathered from the files that state them."""

from rltheory.claims.claim import Claim
from rltheory.demonstrations import episode_divergences, regularized_gaps

__all__ = ["CLAIMS"]

CLAIMS: tuple[Claim, ...] = (*episode_divergences.CLAIMS, *regularized_gaps.CLAIMS)
from rltheory.demonstrations import (
    bernstein_transport,
    linear_onehot,
    preference_invariance,
    preference_mle,
    rlhf_gap,
)
CLAIMS: tuple[Claim, ...] = (
    *bernstein_transport.CLAIMS,
    *linear_onehot.CLAIMS,
    *preference_invariance.CLAIMS,
    *preference_mle.CLAIMS,
    *rlhf_gap.CLAIMS,
)
