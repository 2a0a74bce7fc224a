"""Claims about linear programs, mixtures and constraints: verdicts, and numbers by hand."""

from fractions import Fraction

import pytest

import rltheory as rlt
from rltheory.claims.claim import Measurement
from rltheory.claims.family import as_instance
from rltheory.foundations import linear_programs, mixtures
from rltheory.foundations.exact_programs import (
    best_occupancy,
    flow_rows,
    highest_sum,
    least_value,
    lowest,
    policy_of_occupancy,
    randomizations,
    tables_of,
)
from rltheory.foundations.instances import quit_or_go, tie
from rltheory.foundations.runs import Runs

F = Fraction
CLAIMS = {claim.id: claim for module in (linear_programs, mixtures) for claim in module.CLAIMS}


def on(claim_id: str, name: str) -> dict[str, Measurement]:
    """What the claim measures on a named instance, by what it is."""
    claim = CLAIMS[claim_id]
    return {m.what: m for m in claim.check(as_instance(claim.named[name]()))}


def test_these_are_the_claims() -> None:
    assert set(CLAIMS) == {"plan-lp", "plan-lp-duality", "plan-mixture", "plan-cmdp-count"}


@pytest.mark.parametrize("claim_id", CLAIMS)
def test_confirmed_with_every_mutant_refuted(claim_id: str) -> None:
    verdict = rlt.verify(CLAIMS[claim_id], budget="quick")
    assert verdict.status == "confirmed", verdict.reason
    assert {m.status for m in verdict.mutants} == {"refuted"}
    assert verdict.arithmetic == "exact"
    if claim_id == "plan-cmdp-count":
        assert verdict.detection_limit == 1


def test_tie_by_hand() -> None:
    """From state 0, worth 1 after a half: 1; the vertex takes one of the two tied actions."""
    found = on("plan-lp", "tie")
    assert found["primal, start law, discounted"].measured == 1
    assert found["dual, start law, discounted"].measured == 1
    assert found["vertex, start law, discounted"].measured == 0
    assert found["primal, start law, horizon"].measured == 1
    runs = Runs(tie(F(1, 2), 1, 1))
    d = best_occupancy(runs, [[F(1), F(0), F(0)]])
    assert sorted(x for x in d.x if x) == [F(1, 2), F(1, 2)]


def test_flow_equations_by_hand() -> None:
    runs = Runs(quit_or_go(2, F(1, 8), F(1, 2)))
    assert flow_rows(runs) == [[F(1, 2), 1, 0, 0], [0, F(-1, 2), F(1, 2), 1]]
    staged = Runs(quit_or_go(2, F(1, 8), F(1, 2)).episodic(2))
    assert flow_rows(staged)[2:] == [
        [-1, 0, 0, 0, 1, 1, 0, 0],
        [0, -1, -1, 0, 0, 0, 1, 1],
    ]


def test_values_are_unique_only_under_positive_weights() -> None:
    runs = Runs(tie(F(1, 2), 1, 1))
    start, positive = [[F(1), F(0), F(0)]], [[F(1, 3)] * 3]
    assert highest_sum(runs, positive, F(5, 3)) == 5
    found = least_value(runs, start)
    assert found.value is not None and found.value + lowest(runs) == 1
    # State 1 can be raised without end where state 0 may go to state 2 as well? No: both tie.
    assert highest_sum(runs, start, F(1)) == 5
    apart = Runs(linear_programs.absorbing(0, 1, F(9, 10)))
    assert highest_sum(apart, [[F(1), F(0)]], F(0)) == float("inf")


def test_statuses_by_hand() -> None:
    for name, what in (
        ("first form, both infeasible", "statuses, first form"),
        ("second form, both infeasible", "statuses, second form"),
    ):
        assert on("plan-lp-duality", name)[what].measured == 1
        never = linear_programs._duality(
            as_instance(CLAIMS["plan-lp-duality"].named[name]()), never_both=True
        )
        assert {m.what: m.measured for m in never}[what] == 0
    # In the second form A = 0, b = 1, c = 1 is infeasible beside an unbounded dual.
    assert on("plan-lp-duality", "first form, both infeasible")["statuses, second form"].bound == 1


def test_the_witness_against_averages() -> None:
    """The mixture earns 1, the average of the two policies a half."""
    found = on("plan-mixture", "same action twice")
    assert found["value, horizon"].measured == 1
    instance = as_instance(CLAIMS["plan-mixture"].named["same action twice"]())
    averaged = {m.what: m for m in mixtures._mixture(instance, averaged=True)}
    assert averaged["value, horizon"].measured == F(1, 2)


def test_the_law_of_a_mixture_is_another() -> None:
    instance = as_instance(CLAIMS["plan-mixture"].named["one state"]())
    found = {m.what: m for m in mixtures._mixture(instance, same_law=True)}
    assert (found["second moment"].measured, found["second moment"].bound) == (F(3, 2), 2)


@pytest.mark.parametrize(("name", "count"), [("one half", 1), ("two halves", 2)])
def test_the_count_is_attained(name: str, count: int) -> None:
    for part in ("discounted", "horizon"):
        m = on("plan-cmdp-count", name)[f"count, {part}"]
        assert m.measured == m.bound == count


def test_policies_of_tables() -> None:
    runs = Runs(tie(F(1, 2), 1, 1))
    d = tables_of(runs, [F(1, 4), F(1, 4), F(1, 2), F(0), F(0), F(0)])
    assert randomizations(d) == 1
    assert policy_of_occupancy(d, 1) == [[[F(1, 2), F(1, 2)], [1, 0], [0, 1]]]
