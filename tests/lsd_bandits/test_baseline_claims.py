"""The numbers that the claims about greedy, blocks and indices state."""

from fractions import Fraction

import pytest

import rltheory as rlt
from rltheory.lsd_bandits.block_claims import INFEASIBLE, full_density
from rltheory.lsd_bandits.families import blocking
from rltheory.lsd_bandits.greedy_claims import greedy_bound, knapsack

IDS = (
    "blk-exact-cover",
    "blk-greedy",
    "blk-greedy-hard",
    "lsd-greedy-unbounded",
    "lsd-index-unbounded",
    "lsd-indexable",
    "lsd-isi-block",
)


@pytest.mark.parametrize("claim", IDS)
def test_confirmed_with_every_mutant_refuted(claim: str) -> None:
    verdict = rlt.verify(claim, budget="quick")
    assert verdict.status == "confirmed", verdict.reason
    assert {m.status for m in verdict.mutants} == {"refuted"}
    assert verdict.arithmetic == "exact"
    if claim in ("blk-greedy", "lsd-greedy-unbounded", "lsd-index-unbounded", "lsd-isi-block"):
        assert verdict.detection_limit == 1


def test_sixteen_lists_of_density_one() -> None:
    lists = full_density()
    assert len(lists) == 16
    feasible = [delays for delays in lists if rlt.exact_cover(delays) is not None]
    assert len(feasible) == 10 and set(lists) - set(feasible) == set(INFEASIBLE)
    for delays in [(2, 4, 4), (3, 3, 3), (2, 6, 6, 6), (2, 4, 8, 8)]:
        assert delays in feasible


def test_below_density_one() -> None:
    assert rlt.exact_cover([2, 3]) is None
    assert rlt.exact_cover([4, 6]) == (0, 1)
    assert rlt.optimal_gain(blocking([4, 6]), exact=True).gain == Fraction(5, 12)
    assert rlt.optimal_gain(blocking([3, 4]), exact=True).gain == Fraction(5, 9)
    assert rlt.optimal_gain(blocking([3, 4, 5]), exact=True).gain == Fraction(8, 11)


def test_bounds_by_hand() -> None:
    rewards = [Fraction(1), Fraction(1, 2)]
    assert greedy_bound([2, 3], rewards) == Fraction(1, 2) * Fraction(1, 2) + Fraction(1, 3)
    assert knapsack([2, 3], rewards) == Fraction(1, 4) + Fraction(5, 12)
    for delays in ([2, 3], [2, 2, 3], [1, 4]):
        unit = [Fraction(1)] * len(delays)
        relaxed = rlt.concave_relaxation(blocking(delays), exact=True).value
        assert knapsack(delays, unit) == relaxed
    # Arms of delay N: an equality for equal rewards only.
    assert greedy_bound([2, 2], [Fraction(1)] * 2) == Fraction(3, 4) * knapsack(
        [2, 2], [Fraction(1)] * 2
    )
    assert greedy_bound([2, 2], rewards) == Fraction(5, 8)
    assert Fraction(3, 4) * knapsack([2, 2], rewards) == Fraction(9, 16)
