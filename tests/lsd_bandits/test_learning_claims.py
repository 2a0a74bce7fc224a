"""The claims about learners: instances that say something, ranges, mutants, rates."""

from typing import Any

import pytest

import rltheory as rlt
from rltheory.lsd_bandits.explore_then_commit import (
    exploration_actions,
    exploration_repeats,
    shape_of,
)
from rltheory.lsd_bandits.families import GOLDEN, bandit_of
from rltheory.lsd_bandits.learning_claims import CLAIMS, committed_reward, target
from rltheory.lsd_bandits.learning_rates import CLAIMS as RATES
from rltheory.mdp.streams import Stream


@pytest.mark.parametrize("claim", [*CLAIMS, *RATES], ids=lambda claim: str(claim.id))
def test_verdicts(claim: rlt.Claim) -> None:
    verdict = rlt.verify(claim, budget="standard" if claim.kind == "rate" else "quick")
    assert verdict.status == "confirmed", verdict.reason
    assert all(mutant.status == "refuted" for mutant in verdict.mutants)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: str(claim.id))
def test_every_instance_says_something(claim: rlt.Claim) -> None:
    assert claim.family is not None and claim.range is not None
    drawn = [claim.family.instance(claim.family.sample(claim.id, 0, j)) for j in range(12)]
    for i in [make() for make in claim.named.values()] + drawn:
        m = claim.check(i, Stream(0, "test"))
        assert m.bound < 0.9 * m.trivial
        low, high = claim.range(i)
        assert low <= m.measured <= high and m.trivial == pytest.approx(high)
        assert bandit_of(i).is_monotone()


def test_the_mean_of_the_exploration_by_hand() -> None:
    """What the exploration pays, round by round, plus the commitment with known payoffs 0 and 1."""
    bandit = rlt.LSDBandit([rlt.LSDArm([0, 1], [0]), rlt.LSDArm([1], [0])])
    rests, plays = shape_of(bandit)
    environment = rlt.BanditEnvironment(bandit, 0)
    for i in range(2):
        environment.run(exploration_actions(rests[i], plays[i], 5, i))
    environment.run([-1, -1])
    explored, spent = environment.pseudo_rewards.sum(), environment.rounds
    # The plans are (2, 1) and (1, 1): in a period of 6 rounds over all offsets 2/3 of the rounds.
    found = committed_reward(bandit, spent + 60, 5, Stream(0, "test"))
    relax = rlt.concave_relaxation(bandit, exact=True)
    assert found - explored == pytest.approx(60 * float(rlt.virtual_value(relax)))


def test_the_target() -> None:
    assert target(GOLDEN["I1"]()) == 0.75 * 0.625
    assert exploration_repeats([1], [1], 10**6, share=0.5) < exploration_repeats([1], [1], 10**6)


@pytest.mark.slow
@pytest.mark.parametrize("claim", [*CLAIMS, *RATES], ids=lambda claim: str(claim.id))
def test_verdicts_with_other_seeds(claim: Any) -> None:
    for seed in (1, 2):
        assert rlt.verify(claim, seed=seed).status == "confirmed"
