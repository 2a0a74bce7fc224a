"""Claims about stochastic shortest paths: verdicts, deciders by hand."""

from fractions import Fraction

import pytest

import rltheory as rlt
from rltheory.claims.family import as_instance
from rltheory.claims.verify import instances
from rltheory.foundations.shortest_paths import CLAIMS

F = Fraction
BY_ID = {claim.id: claim for claim in CLAIMS}


@pytest.mark.parametrize("claim_id", BY_ID)
def test_confirmed_with_every_mutant_refuted(claim_id: str) -> None:
    verdict = rlt.verify(BY_ID[claim_id], budget="quick")
    assert verdict.status == "confirmed", verdict.reason
    assert {m.status for m in verdict.mutants} == {"refuted"}
    assert verdict.detection_limit == 1.0


def test_deciders_meet_both_answers() -> None:
    claim = BY_ID["plan-ssp-proper"]
    kinds = {len(claim.check(x)) for _, _, x in instances(claim, 40, 0)}
    assert kinds == {2, 4}  # with end components, and without


def test_rates_are_measured_where_the_premise_holds() -> None:
    claim = BY_ID["plan-ssp-fixed-point"]
    informative = 0
    for _, _, instance in instances(claim, 60, 0):
        informative += any(m.event and m.measured > 0 for m in claim.check(instance))
    assert informative > 10


def test_the_grid_world_has_its_optimum() -> None:
    claim = BY_ID["plan-ssp-fixed-point"]
    found = claim.check(as_instance(claim.named["4 x 4 world"]()))
    assert [m.measured for m in found if m.what in ("T V* = V*", "V*, known")] == [0, 0]
