"""The claims about coverage: attained, and with each mutant refuted."""

from fractions import Fraction

import pytest

import rltheory as rlt
from rltheory.foundations.reachability import most_occupied, reach
from rltheory.foundations.runs import Runs
from rltheory.mdp.episodic import EpisodicMDP

IDS = ["cov-cumreach", "cov-reach-dp", "cov-range", "cov-concentrability", "cov-change-of-measure"]


@pytest.mark.parametrize("claim_id", IDS)
def test_claims_are_confirmed_exactly(claim_id: str) -> None:
    verdict = rlt.verify(claim_id, budget="quick")
    assert verdict.status == "confirmed" and verdict.arithmetic == "exact"


@pytest.mark.parametrize("claim_id", ["cov-range", "cov-concentrability", "cov-change-of-measure"])
def test_bounds_are_attained(claim_id: str) -> None:
    assert rlt.verify(claim_id, budget="quick").tightness == 1


def test_aliases_are_the_same_claim() -> None:
    claims = rlt.all_claims("foundations")
    for alias in ("ac-coverability", "agn-cov-cumreach"):
        assert claims[alias].check is claims["cov-cumreach"].check


def test_reachability_is_that_of_the_planner() -> None:
    half = Fraction(1, 2)
    mdp = EpisodicMDP(
        [[[half, half, 0], [0, half, half]], [[0, 0, 1]] * 2, [[1, 0, 0], [0, 0, 1]]],
        [[0, 0]] * 3, 3, [1.0, 0.0, 0.0], exact=True,
    )  # fmt: skip
    runs, start = Runs(mdp), [Fraction(1), Fraction(0), Fraction(0)]
    table = rlt.max_occupancy(mdp)
    for h in range(3):
        assert [[float(x) for x in row] for row in most_occupied(runs, start, h)] == table[
            h
        ].tolist()
    # Stage 2, state 2: with action 1 half goes to 1 and half to 2, and both are in 2 afterwards.
    assert reach(runs, start, 2, 2) == 1
