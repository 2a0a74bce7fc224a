"""Claims about average reward: verdicts, and numbers by hand."""

from dataclasses import replace
from fractions import Fraction

import pytest

import rltheory as rlt
from rltheory.claims.family import as_instance
from rltheory.claims.smt import prove
from rltheory.claims.verify import instances
from rltheory.foundations import average
from rltheory.foundations.gains import best_gain, gain_of, recurrent_states
from rltheory.foundations.rationals import Planner
from tests.helpers.recurrent import recurrent_model
from tests.reference.plain_gains import gains_of

CLAIMS = {claim.id: claim for claim in average.CLAIMS}
F = Fraction

REASONS = {
    "plan-avg-span": {"squared": "flips", "same-state": "flips"},
    "plan-avg-bounds": {
        "no-laziness": "cycle: width",
        "recurrent-states": "stay or go: g* at most",
    },
    "plan-avg-multichain": {"no-gain-test": "stay or go: g* at most g"},
}


@pytest.mark.parametrize("claim_id", CLAIMS)
def test_confirmed_with_every_mutant_refuted(claim_id: str) -> None:
    verdict = rlt.verify(CLAIMS[claim_id], budget="quick")
    assert verdict.status == "confirmed", verdict.reason
    assert {m.status for m in verdict.mutants} == {"refuted"}
    assert verdict.detection_limit == 1.0
    assert verdict.arithmetic == "exact"


@pytest.mark.parametrize("claim_id", CLAIMS)
def test_mutants_are_refuted_for_the_right_reason(claim_id: str) -> None:
    claim = replace(CLAIMS[claim_id], smt=None)
    claim = replace(claim, mutants=tuple(replace(m, smt=None) for m in claim.mutants))
    for m in rlt.verify(claim, budget="quick").mutants:
        assert REASONS[claim_id][m.id] in m.reason, m


@pytest.mark.parametrize("claim_id", ["plan-avg-span", "plan-avg-bounds"])
def test_proved_for_all_models_of_two_states(claim_id: str) -> None:
    pytest.importorskip("z3")
    claim = CLAIMS[claim_id]
    assert claim.smt is not None and prove(claim.smt).status == "proved"
    for m in claim.mutants:
        assert m.smt is None or prove(m.smt).status == "refuted", m.id


def test_gains_by_hand() -> None:
    # 0 goes to 1 and 2 alike; 1 stays for 1; 2 and 3 follow each other for 0 and 5.
    moves = [[0, F(1, 2), F(1, 2), 0], [0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]]
    chain = [[F(x) for x in row] for row in moves]
    assert gain_of(chain, [F(9), F(1), F(0), F(5)]) == [F(7, 4), 1, F(5, 2), F(5, 2)]
    assert recurrent_states(chain) == [False, True, True, True]


def test_gains_of_both_oracles_agree() -> None:
    for seed in range(60):
        mdp = recurrent_model(seed).as_exact()
        rational = mdp.rational
        assert rational is not None
        S = mdp.n_states
        chain, reward = [[F(0)] * S for _ in range(S)], []
        for s in range(S):
            row = rational.state_ptr[s]
            for k in range(rational.row_ptr[row], rational.row_ptr[row + 1]):
                chain[s][rational.col[k]] = rational.prob[k]
            reward.append(rational.reward[row])
        assert gain_of(chain, reward) == gains_of(chain, reward)


def test_best_gains_on_the_named_instances() -> None:
    named = CLAIMS["plan-avg-bounds"].named
    wanted = {"one state": [1], "cycle": [F(1, 2)] * 2, "stay or go": [1, 0], "absorbing": [0, 1]}
    for name, gains in wanted.items():
        assert best_gain(Planner(as_instance(named[name]()).mdp)) == gains


def test_several_gains_are_among_the_random_models() -> None:
    claim = CLAIMS["plan-avg-multichain"]
    gains = [best_gain(Planner(i.mdp)) for _, _, i in instances(claim, 60, 0)]
    assert sum(len(set(g)) > 1 for g in gains) >= 8
