"""Joint laws of offsets, instances on which they are all equal, and on which ranking decides."""

from fractions import Fraction
from itertools import product

import pytest

import rltheory as rlt
from rltheory.errors import ModelError
from rltheory.lsd_bandits.families import bandit_of, rand_mono, tight
from rltheory.lsd_bandits.gap_instances import composed_bandit, nested_bandit
from rltheory.lsd_bandits.offsets import OFFSET_LAWS, offset_average

FAMILY = rand_mono(plays=(1,), arms=(2, 3), most_rests=2)


def equal_arms(n_arms: int, loss: str) -> rlt.LSDBandit:
    """N equal arms that pay nearly j p(N-1) after j N - 1 rests (docs/theory/lsd_open.md)."""
    unit = 1 / (n_arms - (n_arms - 1) * Fraction(loss))
    levels = [unit * (j - (j - 1) * Fraction(loss)) for j in range(1, n_arms + 1)]
    rests = [Fraction(0)] * (n_arms - 2) + [
        levels[(n + 1) // n_arms - 1] for n in range(n_arms - 1, n_arms**2)
    ]
    return rlt.LSDBandit([rlt.LSDArm(rests, [0])] * n_arms)


@pytest.mark.parametrize("number", range(12))
def test_independent_offsets_are_those_of_the_schedule(number: int) -> None:
    bandit = bandit_of(FAMILY.instance(FAMILY.sample("offsets", 0, number)))
    relax = rlt.concave_relaxation(bandit, exact=True)
    averages = {law: offset_average(relax, law) for law in OFFSET_LAWS}
    assert averages["independent"] == rlt.expected_average(relax).value
    assert averages["best"] == max(averages.values())
    assert rlt.guarantee(bandit.n_arms) * relax.value <= averages["independent"]
    assert averages["best"] <= rlt.optimal_gain(bandit, exact=True).gain


@pytest.mark.parametrize("n_arms", [2, 3])
def test_other_offsets_earn_all_on_the_tight_family(n_arms: int) -> None:
    relax = rlt.concave_relaxation(tight(n_arms), exact=True)
    averages = [offset_average(relax, law) for law in OFFSET_LAWS]
    assert averages == [rlt.guarantee(n_arms), 1, 1, 1]


@pytest.mark.parametrize("n_arms", [2, 3])
def test_all_offsets_leave_the_same_rounds_idle_on_nested_arms(n_arms: int) -> None:
    bandit = nested_bandit(n_arms, "1/1000")
    relax = rlt.concave_relaxation(bandit, exact=True)
    base = 1 - Fraction(n_arms - 1, 1000) * n_arms ** (n_arms - 1)
    assert relax.value == base + Fraction(n_arms - 1, 1000)
    plans = [own[0] for own in relax.plans]
    assert [(p.period, p.n_plays) for p in plans] == [
        (n_arms ** (i + 1), n_arms**i) for i in range(n_arms)
    ]
    period = n_arms**n_arms
    for offsets in product(*(range(0, p.period, max(1, p.period // 4)) for p in plans)):
        idle = sum(
            not any(p.plays[(t + o) % p.period] for p, o in zip(plans, offsets, strict=True))
            for t in range(period)
        )
        assert idle == (n_arms - 1) ** n_arms


def test_composed_arms() -> None:
    bandit = composed_bandit([3, 5], 13)
    unit = bandit.arms[-1].payoffs[0]
    assert bandit.is_monotone() and rlt.optimal_gain(bandit, exact=True).gain == unit
    assert composed_bandit([2], 2).arms[1] == rlt.LSDArm(["1/2", 1], ["1/2"])


@pytest.mark.parametrize("n_arms", [2, 3])
def test_real_ranking_is_optimal_where_virtual_ranking_earns_its_guarantee(n_arms: int) -> None:
    bandit = equal_arms(n_arms, "1/1000")
    relax = rlt.concave_relaxation(bandit, exact=True)
    unit = relax.value
    assert unit == bandit.arms[0].payoff(n_arms - 1)  # every arm has the type (N-1, 1)
    assert rlt.expected_average(relax).value == rlt.guarantee(n_arms) * unit
    by_real = rlt.expected_average(relax, select="real").value
    assert unit * (1 - Fraction(1, 1000)) <= by_real <= unit


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda r: offset_average(r, "even"), "law is 'even'"),
        (lambda r: offset_average(rlt.concave_relaxation(tight(2))), "floats"),
        (lambda r: composed_bandit([2, 2], 3), "density must be below 1"),
        (lambda r: composed_bandit([2], 0), "rests is 0"),
        (lambda r: nested_bandit(1, "1/9"), "n_arms is 1"),
        (lambda r: nested_bandit(2, "1/2"), "step 1/2"),
        (lambda r: nested_bandit(2, 0), "step 0"),
    ],
)
def test_what_is_wrong_is_named(call, word: str) -> None:
    with pytest.raises(ModelError, match=word):
        call(rlt.concave_relaxation(tight(2), exact=True))
