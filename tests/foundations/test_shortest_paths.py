"""Claims about stochastic shortest paths: verdicts, deciders by hand, linear programs."""

import itertools
from fractions import Fraction

import numpy as np
import pytest

import rltheory as rlt
from rltheory.claims.family import as_instance
from rltheory.claims.verify import instances
from rltheory.foundations.rational_lp import cover
from rltheory.foundations.rationals import solve_linear
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


def by_vertices(matrix: list[list[Fraction]], cost: list[Fraction]) -> Fraction | None:
    """The least cost over all vertices of {A x >= 1, x >= 0}."""
    n = len(cost)
    lines = [*((row, F(1)) for row in matrix),
             *(([F(int(i == j)) for j in range(n)], F(0)) for i in range(n))]  # fmt: skip
    best = None
    for pick in itertools.combinations(lines, n):
        try:
            x = solve_linear([row for row, _ in pick], [b for _, b in pick])
        except ZeroDivisionError:
            continue
        if all(sum(a * y for a, y in zip(row, x, strict=True)) >= b for row, b in lines):
            value = sum(c * y for c, y in zip(cost, x, strict=True))
            best = value if best is None else min(best, value)
    return best


def test_linear_programs_by_their_vertices() -> None:
    rng = np.random.default_rng(0)
    solved = 0
    for _ in range(300):
        m, n = int(rng.integers(1, 5)), int(rng.integers(1, 4))
        matrix = [[F(int(x)) for x in rng.integers(-3, 4, n)] for _ in range(m)]
        cost = [F(int(x)) for x in rng.integers(1, 4, n)]
        x, wanted = cover(matrix, cost), by_vertices(matrix, cost)
        assert (x is None) == (wanted is None)
        if x is not None:
            solved += 1
            assert sum(c * y for c, y in zip(cost, x, strict=True)) == wanted
    assert 50 < solved < 250
