"""The search for the tightest instance: it climbs, and ends at a refutation."""

from fractions import Fraction

import pytest

from rltheory.claims.claim import Claim, Measurement, Mutant
from rltheory.claims.family import Family, Instance
from rltheory.claims.search import search_tightest
from rltheory.claims.space import Dyadic, Many
from rltheory.errors import ClaimError

PEAK = Fraction(37, 64)
FAMILY = Family({"x": Many(Dyadic(0, 1), 4)}, Instance)


def hill(most, kind="inequality", **fields):
    """Measured is `most` where every coordinate is at the peak, and falls with the distance."""

    def check(instance):
        away = sum(abs(Fraction(x) - PEAK) for x in instance.x)
        return Measurement(most - away / 4, 1)

    mutant = Mutant("none", "0", check=lambda i: Measurement(1, 0))
    return Claim(
        id="hill",
        kind=kind,
        check=check,
        title="t",
        statement="s",
        mutants=(mutant,),
        **({"family": FAMILY} | fields),
    )


def test_the_search_finds_what_samples_miss():
    found = search_tightest(hill(1), starts=3, moves=200)
    assert found.ratio > 0.99
    assert not found.refuted
    assert found.looked_at <= 3 * 201 + 1
    FAMILY.check(found.parameters)
    assert found.instance.x == found.parameters["x"]
    sampled = max(
        float(hill(1).check(FAMILY.instance(FAMILY.sample("search.hill", 0, i))).measured)
        for i in range(3)
    )
    assert found.ratio > sampled
    assert repr(found).startswith(f"Tightest({found.ratio:.6g} of the bound, among")


@pytest.mark.parametrize("kind", ["inequality", "identity"])
def test_a_violation_ends_the_search(kind):
    found = search_tightest(hill(Fraction(11, 10), kind), starts=3, moves=200)
    assert found.refuted
    assert "refutes the claim" in repr(found)


def test_a_violation_by_the_last_move_is_not_lost():
    # From the start every move is a violation: one move has to find it.
    def check(instance):
        return Measurement(int(instance.x != start["x"]), 0)

    start = FAMILY.sample("search.hill", 0, 0)
    claim = Claim(
        id="hill", kind="identity", check=check, title="t", statement="s", family=FAMILY,
        mutants=(Mutant("none", "0", check=lambda i: Measurement(1, 0)),),
    )  # fmt: skip
    assert search_tightest(claim, starts=1, moves=1).refuted
    assert not search_tightest(claim, starts=1, moves=0).refuted


def test_searches_depend_on_the_seed_alone():
    one = search_tightest(hill(1), starts=2, moves=20, seed=4)
    again = search_tightest(hill(1), starts=2, moves=20, seed=4)
    assert one.parameters == again.parameters
    assert one.parameters != search_tightest(hill(1), starts=2, moves=20, seed=5).parameters


def test_what_cannot_be_searched():
    named = hill(1, family=None, named={"a": lambda: Instance(x=[0])})
    with pytest.raises(ClaimError, match="cannot be searched"):
        search_tightest(named)
    random = hill(1, "high-probability", delta=0.1)
    with pytest.raises(ClaimError, match="cannot be searched"):
        search_tightest(random)
    with pytest.raises(ClaimError, match="starts is 0"):
        search_tightest(hill(1), starts=0)
    with pytest.raises(ClaimError, match="'none' is unknown"):
        search_tightest("none")
