"""The claims about the relaxation: how sharp they are, and why each mutant fails."""

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rltheory as rlt
from rltheory.claims.verify import instances
from rltheory.lsd_bandits import correlation_claims, relaxation_claims, special_arm_claims
from rltheory.lsd_bandits.correlation_claims import limit_from_above
from rltheory.lsd_bandits.relaxation import grid_of
from rltheory.lsd_bandits.special_arm_claims import best_at_rate, between_delays, most_points
from tests.helpers.lsd_arms import lsd_bandits

F = Fraction
CLAIMS = {
    claim.id: claim
    for topic in (relaxation_claims, correlation_claims, special_arm_claims)
    for claim in topic.CLAIMS
}
MUTANTS = [(name, mutant.id) for name in CLAIMS for mutant in CLAIMS[name].mutants]
DETECTION = {
    "lsd-corr-gap": 1.0,
    "lsd-grid": 0.999,
    "lsd-relax-upper": 1.0,
    "lsd-vertex-support": 1.0,
}
INEXACT = {"lsd-relax-equal", "rech-equal"}


@pytest.fixture(scope="module")
def verdicts():
    return {name: rlt.verify(claim, budget="quick") for name, claim in CLAIMS.items()}


@pytest.mark.parametrize("name", CLAIMS)
def test_claim_is_confirmed(verdicts, name) -> None:
    verdict = verdicts[name]
    assert verdict.status == "confirmed", verdict.reason
    assert verdict.arithmetic == ("float(1e-08)" if name in INEXACT else "exact")
    assert DETECTION.get(name, 0.0) <= (verdict.detection_limit or 0.0) <= 1.0


REASONS = {
    "deeper": "R = 2, M = 2, reset: steps down of play: 1 against the bound 0",
    "rests-alone lsd-relax-equal": "I1: block program: 0.75 against the bound 5/8",
    "blocks-alone": "a constant arm: g*: 1 against the bound 1/2",
    "rests-alone lsd-relax-upper": "worn out: V_2: 2 against the bound 3/2",
    "not-basic": "three halves: positive rates, all equal: 15 against the bound 4",
    "more": "N = 1, k = 1, all k/N: c_{N,k}: 1 against the bound 101/100",
    "no-budget": "three sure ones, k = 1: c_{N,k}: 1 against the bound 19/9",
    "half": "blocking, d = 1026 of 2049, eps = 1: value on the grid: 1/2049 against the bound 1/15",
    "no-end": "blocking, d = 21, eps = 1: value on the grid: 0 against the bound 1/42",
    "any-payoffs": "a spike at nine: value on the grid: 0 against the bound 1/20",
    "late": "(7, 3, 2): 41/42 against the bound 17/24",
    "unshifted": "spike at three: dual over delays: 5/12 against the bound 11/32",
    "step": "1 from delay 3 on: two delays, q = 9/20: 11/40 against the bound 1/10",
    "whole-delays": "min(d, 5)/5: two delays, q = 3/10: 1/5 against the bound 9/50",
}


@pytest.mark.parametrize(("name", "mutant"), MUTANTS)
def test_mutant_is_refuted_for_its_own_reason(verdicts, name, mutant) -> None:
    (found,) = (m for m in verdicts[name].mutants if m.id == mutant)
    expected = REASONS.get(mutant) or REASONS[f"{mutant} {name}"]
    assert found.status == "refuted" and found.reason.startswith(f"instance {expected}")


def test_the_limits_of_guarantees_from_above() -> None:
    for k in (1, 2, 3):
        above = limit_from_above(k)
        assert float(above) == pytest.approx(rlt.guarantee(None, k), rel=1e-15)
        assert above < rlt.guarantee(10**4, k)


@pytest.mark.parametrize("eps", ["1/100", "1/10", "1/4", "1/2", "1", "3"])
def test_grids_are_no_longer_than_claimed(eps: str) -> None:
    for size in (1, 2, 3, 7, 50, 1000, 10**5):
        assert len(grid_of(eps, size, past=True)) <= most_points(size, Fraction(eps))


@given(
    lsd_bandits(arms=(1, 2), most_rests=25, most_plays=25),
    st.sampled_from([F(1, 4), F(1, 2), F(1), F(3)]),
)
@settings(max_examples=150)
def test_a_grid_loses_its_ratio_at_most(bandit, eps) -> None:
    whole = rlt.concave_relaxation(bandit, exact=True)
    coarse = rlt.concave_relaxation(bandit, exact=True, grid=eps)
    assert whole.value / (1 + eps) <= coarse.value <= whole.value
    rests, plays = grid_of(eps, 25, past=True), grid_of(eps, 25, past=False)
    for arm, plans in zip(bandit.arms, coarse.plans, strict=True):
        for plan in plans:
            assert plan.n_plays in plays
            n = plan.period - plan.n_plays
            assert n in (0, len(arm.rest_payoffs)) or n in rests


def test_the_best_reward_at_a_rate_by_hand() -> None:
    f = [F(0), F(1)]
    assert best_at_rate(f, F(1, 2)) == F(1, 2) and best_at_rate(f, F(3, 4)) == F(1, 4)
    assert best_at_rate(f, F(1, 10)) == F(1, 10) and best_at_rate(f, F(1)) == 0
    assert between_delays(f, F(4, 3)) == F(1, 3) and between_delays(f, F(9)) == 1
    assert math.isclose(best_at_rate([F(1, 3)], F(1, 7)), 1 / 21)


def test_equality_is_met_at_every_size() -> None:
    for label, _, i in instances(CLAIMS["lsd-corr-gap"], 0, 0):
        (first, _) = correlation_claims.corr_gap.check(i)
        assert first.measured == first.bound, label
