"""The claims of this topic, gathered from the files that state them."""

from rltheory.claims.claim import Claim
from rltheory.lsd_bandits import (
    block_claims,
    correlation_claims,
    gain_claims,
    gap_claims,
    greedy_claims,
    horizon_claims,
    index_claims,
    learning_claims,
    learning_rates,
    mirror_claims,
    ordered_claims,
    paper_facts,
    relaxation_claims,
    rounding_claims,
    rounding_trials,
    special_arm_claims,
)

__all__ = ["CLAIMS"]

CLAIMS: tuple[Claim, ...] = (
    *block_claims.CLAIMS,
    *correlation_claims.CLAIMS,
    *gain_claims.CLAIMS,
    *gap_claims.CLAIMS,
    *greedy_claims.CLAIMS,
    *horizon_claims.CLAIMS,
    *index_claims.CLAIMS,
    *learning_claims.CLAIMS,
    *learning_rates.CLAIMS,
    *mirror_claims.CLAIMS,
    *ordered_claims.CLAIMS,
    *paper_facts.CLAIMS,
    *relaxation_claims.CLAIMS,
    *rounding_claims.CLAIMS,
    *rounding_trials.CLAIMS,
    *special_arm_claims.CLAIMS,
)
