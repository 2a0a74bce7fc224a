"""Every confidence claim is confirmed and its mutants are refuted; printed numbers come again."""

import itertools
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

import rltheory as rlt
from rltheory.claims.claim import Claim
from rltheory.claims.verify import instances
from rltheory.foundations import confidence, confidence_rows, intervals, martingales
from rltheory.foundations.confidence import bernstein, chernoff, hoeffding
from rltheory.foundations.confidence_rows import l1, rows
from rltheory.foundations.intervals import clopper_pearson, kl_ucb_claim
from rltheory.foundations.laws import coin, failure, just_beyond, law_of_mean, law_of_row
from rltheory.foundations.martingales import betting, sequential_test
from rltheory.inference.binomial import lower_bound, upper_bound
from rltheory.mathematics.concentration import (
    bernoulli_kl,
    bernstein_radius,
    empirical_bernstein_radius,
    hoeffding_radius,
    kl_ucb,
)
from rltheory.mathematics.crossing import crossing_probability
from rltheory.mdp.streams import Stream

CLAIMS: tuple[Claim, ...] = (
    *confidence.CLAIMS,
    *confidence_rows.CLAIMS,
    *intervals.CLAIMS,
    *martingales.CLAIMS,
)


def checked(claim: Claim, instance: Any, mutant: str = "", what: str = "") -> Any:
    """The measurement of this name, of the claim or of one of its mutants."""
    check = next((m.check for m in claim.mutants if m.id == mutant), None) or claim.check
    found = check(instance)
    found = found if isinstance(found, list) else [found]
    (m,) = [m for m in found if m.what == what]
    return m


def test_the_ids_are_those_of_the_specification() -> None:
    assert {claim.id for claim in CLAIMS} == {
        "conf-ville", "conf-hoeffding", "conf-chernoff-kl", "conf-bernstein", "conf-l1",
        "conf-kl-ucb", "conf-clopper-pearson", "conf-sequential-test", "conf-betting",
        "conf-rows", "conf-l1-mean",
    }  # fmt: skip


# The random ones, conf-rows and conf-l1-mean, run with fixed seeds: nothing fails by chance here.
@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_confirmed_with_every_mutant_refuted(claim: Claim) -> None:
    verdict = rlt.verify(claim, budget="quick")
    assert verdict.status == "confirmed", verdict
    assert all(m.status == "refuted" for m in verdict.mutants)
    assert verdict.informative >= (20 if not claim.is_random else 1)
    assert verdict.tightness is not None and verdict.tightness <= 1 + 1e-9


@pytest.mark.slow
@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_confirmed_on_the_deep_budget(claim: Claim) -> None:
    assert rlt.verify(claim, budget="deep").status == "confirmed"


@pytest.mark.parametrize(
    ("claim", "tightness"),
    [
        ("conf-ville", 1.0),  # attained by doubling
        ("conf-chernoff-kl", 1.0),  # attained where all draws are 1
        ("conf-kl-ucb", 0.9999999),  # attained in the limit, just above a jump
        ("conf-clopper-pearson", 0.9999999),
        ("conf-betting", 1.0),  # attained by staking all on a fair coin
        ("conf-hoeffding", 0.56),
        ("conf-l1", 0.67),
        ("conf-sequential-test", 0.8),
        ("conf-l1-mean", 1.0),  # attained by one fair coin
    ],
)
def test_instances_come_close_to_the_bounds(claim: str, tightness: float) -> None:
    (found,) = [c for c in CLAIMS if c.id == claim]
    verdict = rlt.verify(found, budget="quick")
    assert verdict.tightness is not None and verdict.tightness >= tightness
    if not found.is_random and claim != "conf-l1":
        assert verdict.detection_limit is not None
        assert verdict.detection_limit >= tightness - 1e-6


# --- the exact laws -------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_laws_against_all_sequences_of_draws(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points, n = int(rng.integers(2, 5)), 5
    weights = [int(x) for x in rng.integers(0, 5, points)]
    weights[0] += 1
    row = [Fraction(w, sum(weights)) for w in weights]
    values = [Fraction(int(x), 4) for x in rng.integers(0, 5, points)]
    moments: dict[Any, Fraction] = {}
    distances: dict[Fraction, Fraction] = {}
    for draws in itertools.product(range(points), repeat=n):
        chance = math.prod((row[d] for d in draws), start=Fraction(1))
        x = [values[d] for d in draws]
        mean = sum(x, Fraction(0)) / n
        variance = sum(((y - mean) ** 2 for y in x), Fraction(0)) / (n - 1)
        distance = sum(
            (abs(Fraction(draws.count(d), n) - row[d]) for d in range(points)), Fraction(0)
        )
        if chance:
            moments[mean, variance] = moments.get((mean, variance), Fraction(0)) + chance
            distances[distance] = distances.get(distance, Fraction(0)) + chance
    outcomes, total = law_of_mean(row, values, n)
    found: dict[Any, Fraction] = {}
    for mean, variance, w in outcomes:
        found[mean, variance] = found.get((mean, variance), Fraction(0)) + Fraction(w, total)
    assert found == moments
    by_distance, total = law_of_row(row, n)
    found = {}
    for distance, w in by_distance:
        found[distance] = found.get(distance, Fraction(0)) + Fraction(w, total)
    assert found == distances


def test_outcomes_too_close_to_call_count_as_failures_and_are_the_tolerance() -> None:
    m = failure([(1e-13, 1), (-1e-13, 2), (0.5, 4), (-0.5, 8)], 16, Fraction(1, 10))
    assert (m.measured, m.tolerance) == (Fraction(7, 16), Fraction(3, 16))


def test_just_beyond_is_beyond_and_next_to_what_is_not() -> None:
    p = just_beyond(lambda p: p * p > 2 * Fraction(1, 9), 0, 1)
    assert p * p > Fraction(2, 9) >= (p - Fraction(1, 2**30)) ** 2
    p = just_beyond(lambda p: p < Fraction(1, 3), 1, 0)
    assert p < Fraction(1, 3) <= p + Fraction(1, 2**30)
    assert just_beyond(lambda p: False, 0, 1) == Fraction(1, 2)


def test_instances_of_the_families_are_rows_and_some_have_an_exit() -> None:
    for claim in (hoeffding, bernstein, l1):
        sizes, exits = set(), 0
        for _, parameters, i in instances(claim, 100, 0):
            assert sum(i.row) == 1 and all(p >= 0 for p in i.row)
            sizes.add(len(i.row))
            if "values" in i:
                assert all(0 <= x <= i.scale for x in i.values)
            at_jump = parameters is not None and parameters.get("at_jump")
            if parameters is not None and parameters["exits"] and not at_jump:
                exits += 1
                assert len(i.row) == parameters["states"] + 1
                assert "values" not in i or i.values[-1] == 0
        assert sizes >= {2, 3, 4, 5} and exits > 10


# --- numbers that the specification prints (section 4.4) ------------------------------------


def test_hoeffding_numbers() -> None:
    just = just_beyond(lambda p: p > float(hoeffding_radius(6, 0.1)) + 1e-11, 0, 1)
    assert f"{float(checked(hoeffding, coin(just, 6, '1/10')).measured) / 0.1:.2f}" == "0.31"
    just = just_beyond(lambda p: p > float(hoeffding_radius(2, 0.9)) + 1e-11, 0, 1)
    assert f"{float(just):.4f}" == "0.4468"
    assert f"{float(checked(hoeffding, coin(just, 2, '9/10')).measured) / 0.9:.2f}" == "0.56"
    m = checked(hoeffding, coin("1/2", 100, "1/10"), "half")
    assert f"{float(m.measured):.3f}" == "0.193"
    m = checked(hoeffding, coin("1/2", 1, "7/10"), "one-sided")
    assert m.measured == 1 and checked(hoeffding, coin("1/2", 1, "7/10")).measured == 0


def test_hoeffding_against_binomial_sums() -> None:
    for n, p, delta in ((20, 0.5, 0.2), (50, 0.125, 0.5), (33, 0.75, 0.05)):
        k = np.arange(n + 1)
        off = np.abs(k / n - p) > math.sqrt(math.log(2 / delta) / (2 * n))
        m = checked(hoeffding, coin(Fraction(p), n, Fraction(delta)))
        assert float(m.measured) == pytest.approx(binom.pmf(k, n, p)[off].sum(), abs=1e-13)


def test_two_is_the_best_constant_in_hoeffdings_exponent() -> None:
    eps = np.array([1e-2, 1e-3])
    assert bernoulli_kl(0.5 + eps, 0.5) == pytest.approx(2 * eps**2 + 4 / 3 * eps**4, rel=1e-7)


def test_chernoff_is_attained() -> None:
    for p in (Fraction(1, 3), Fraction(7, 8)):
        m = checked(chernoff, coin(p, 4, "1/10"))
        assert m.measured == m.bound == p**4 and m.arithmetic == "exact"
    assert chernoff.bound is not None
    assert chernoff.bound(4, 1.0, 1 / 3) == pytest.approx(1 / 81, rel=1e-14)


@pytest.mark.parametrize(
    ("c", "mutant", "printed"),
    [(2 / 3, "two-thirds", "0.1248"), (1 / 3, "third", "0.357"), (0.0, "no-range", "1.0")],
)
def test_empirical_bernstein_mutants(c: float, mutant: str, printed: str) -> None:
    p = just_beyond(lambda p: p > c * math.log(20) / 49 + 1e-6, 0, 1)
    m = checked(bernstein, coin(p, 50, "1/10"), mutant, "empirical, below")
    assert f"{float(m.measured):.{len(printed) - 2}f}" == printed
    assert checked(bernstein, coin(p, 50, "1/10"), "", "empirical, below").measured < 0.1


def test_bernstein_numbers() -> None:
    p = just_beyond(lambda p: p > float(empirical_bernstein_radius(500, 0, 0.9)) + 1e-11, 0, 1)
    m = checked(bernstein, coin(p, 500, "9/10"), "", "empirical, below")
    assert f"{float(m.measured) / 0.9:.2f}" == "0.17"
    largest = 0.0
    for p in [Fraction(j, 200) for j in range(1, 100)]:
        m = checked(bernstein, coin(p, 50, "1/10"), "", "empirical, below")
        largest = max(largest, float(m.measured) / 0.1)
    assert 0 < largest < 0.01
    # The known variance at delta = 0.1: ratios of a fifth are reached, and a half is not.
    worst = max(
        float(checked(bernstein, coin(Fraction(j, 64), n, "1/10"), "", "known, above").measured)
        for n in (1, 2, 5, 20)
        for j in range(1, 64)
    )
    assert 0.01 < worst < 0.05


def test_bernstein_against_binomial_sums() -> None:
    n, p, delta = 40, 0.25, 0.5
    k = np.arange(n + 1)
    variance = k * (n - k) / (n * (n - 1))
    law = binom.pmf(k, n, p)
    above = k / n - p > float(bernstein_radius(n, p * (1 - p), delta))
    m = checked(bernstein, coin(Fraction(p), n, Fraction(delta)), "", "known, above")
    assert float(m.measured) == pytest.approx(law[above].sum(), abs=1e-13)
    below = p - k / n > empirical_bernstein_radius(n, variance, delta)
    m = checked(bernstein, coin(Fraction(p), n, Fraction(delta)), "", "empirical, below")
    assert float(m.measured) == pytest.approx(law[below].sum(), abs=1e-13)


@pytest.mark.parametrize(("size", "printed"), [(8, "0.611"), (6, "0.413")])
def test_l1_numbers(size: int, printed: str) -> None:
    outcomes, total = law_of_row([Fraction(1, size)] * size, 8)
    far = sum(w for distance, w in outcomes if distance >= Fraction(3, 4))
    assert f"{far / total:.3f}" == printed
    claimed = 2 * math.exp(-8 * 0.75**2 / 2)
    assert f"{claimed:.3f}" == "0.211"
    assert far / total <= (2**size - 2) * math.exp(-8 * 0.75**2 / 2)


def test_kl_ucb_is_attained_in_the_limit() -> None:
    upper = float(kl_ucb(0.0, math.log(10) / 5))
    assert upper == pytest.approx(1 - 0.1**0.2, rel=1e-14)
    p = Fraction(upper) + Fraction(1, 10**9)
    m = checked(kl_ucb_claim, coin(p, 5, "1/10"), "", "above")
    assert m.tolerance == 0 and 0.99999998 < float(m.measured) / 0.1 < 1
    mutated = Fraction(float(kl_ucb(0.0, 0.9 * math.log(10) / 5))) + Fraction(1, 10**9)
    m = checked(kl_ucb_claim, coin(mutated, 5, "1/10"), "level", "above")
    assert float(m.measured) == pytest.approx(0.1**0.9, rel=1e-7)


def test_wald_intervals() -> None:
    named = dict(clopper_pearson.named)
    m = checked(clopper_pearson, named["50 rare failures"](), "wald", "below p")
    assert f"{float(m.measured):.3f}" == "0.605"


@pytest.mark.parametrize(
    ("p", "peeking", "fixed"),
    [(0.5, "0.591", "0.094"), (0.1, "0.503", "0.088"), (0.02, "0.356", "0.080")],
)
def test_clopper_pearson_looked_at_after_every_draw(p: float, peeking: str, fixed: str) -> None:
    # Two-sided at 0.1, that is 0.05 on each side. Section 5 prints the same numbers.
    def missed(n: int) -> Any:
        k = np.arange(n + 1)
        return (binom.cdf(k, n, p) < 0.05) | (binom.sf(k - 1, n, p) < 0.05)

    assert f"{crossing_probability(missed, p, 600):.3f}" == peeking
    last = [upper_bound(k, 600, 0.05) < p or p < lower_bound(k, 600, 0.05) for k in range(601)]
    assert f"{binom.pmf(np.arange(601), 600, p)[last].sum():.3f}" == fixed


@pytest.mark.parametrize("n", [1, 2, 5, 13, pytest.param(60, marks=pytest.mark.slow)])
def test_clopper_pearson_at_every_jump(n: int) -> None:
    for alpha in (Fraction(1, 10), Fraction(2, 5)):
        for k in range(n):
            p = intervals._coverage_jump(n, alpha, k)
            below = checked(
                clopper_pearson, rlt.Instance(n=n, p=p, alpha=alpha), "", "below p"
            ).measured
            assert alpha * (1 - Fraction(1, 10**6)) < below <= alpha


def test_sequential_mutants_at_their_instances() -> None:
    named = dict(sequential_test.named)
    clean = checked(sequential_test, named["no failure ever"](), "prior-below")
    assert (
        clean.measured == 1 and checked(sequential_test, named["no failure ever"]()).measured == 0
    )
    every_look = checked(sequential_test, named["refute at delta"](), "every-look")
    assert float(every_look.measured) > 0.2


def test_betting_mutants() -> None:
    # A bet that knows the draw has mean wealth above 1, exactly.
    (instance,) = [make() for name, make in betting.named.items() if name == "three values"]
    m = checked(betting, instance, "ahead", "mean wealth off 1")
    assert isinstance(m.measured, Fraction) and m.measured > 1
    assert checked(betting, instance, "", "mean wealth off 1").measured == 0
    # Twice the allowed stakes keep the mean at 1, but not the wealth nonnegative.
    (mutant,) = [m for m in betting.mutants if m.id == "twice"]
    assert mutant.named is not None
    (doubled,) = [make() for make in mutant.named.values()]
    assert checked(betting, doubled, "", "mean wealth off 1").measured == 0
    m = checked(betting, doubled, "", "crossing")
    assert m.measured > m.bound


def test_doubled_stakes_on_a_fair_coin_cross_soon() -> None:
    # Bets of 4 at m = 1/2: the wealth is 3^k (-1)^(n-k), a function of the counts. It was seen to
    # cross 1/0.05 before n = 100 in all of 2,000 simulated runs.
    def crossed(n: int) -> Any:
        k = np.arange(n + 1)
        return (k >= 3) & ((n - k) % 2 == 0)

    assert 3.0**2 < 20 <= 3.0**3
    assert crossing_probability(crossed, 0.5, 99) > 1 - 1e-6


# --- the claim by random trials -------------------------------------------------------------


def test_rows_fail_as_often_as_their_exact_law_says() -> None:
    # One pair, two points: the law is a binomial sum. 4,000 trials; a correct sampler gives a
    # count outside of the two bounds with probability below 2e-6.
    instance = rlt.Instance(mdp=rlt.MDP([[[0.25, 0.75]], [[0.25, 0.75]]], [[0], [0]]), n=20)
    mutated = next(m for m in rows.mutants if m.id == "half")
    assert mutated.check is not None
    n, k = 20, np.arange(21)
    share = 0.1 / 4
    variance = k * (n - k) / (n * (n - 1))
    radius = np.minimum(
        hoeffding_radius(n, share / 2), empirical_bernstein_radius(n, variance, share / 4)
    )
    holds = binom.pmf(k, n, 0.25)[np.abs(k / n - 0.25) <= radius / 2].sum()
    expected = 1 - holds**2
    failures = sum(
        mutated.check(instance, Stream(0, "test.rows", trial)).measured > 1 for trial in range(4000)
    )
    assert lower_bound(failures, 4000, 1e-6) <= expected <= upper_bound(failures, 4000, 1e-6)
    assert 0.05 < expected < 0.95


def test_an_exit_is_one_more_point_of_every_row() -> None:
    mdp = rlt.MDP([[[0.5, 0.25]], [[0.0, 1.0]]], [[0], [0]], termination=[[0.25], [0.0]])
    assert confidence_rows._full_rows(mdp).tolist() == [[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]]
    counts = confidence_rows._counts(
        np.array([[0.5, 0.75, 1.0], [0.0, 1.0, 1.0]]), 1000, Stream(0, "x")
    )
    assert counts.sum(axis=1).tolist() == [1000, 1000] and counts[1].tolist() == [0, 1000, 0]
    # Each count is binomial; six standard deviations are left, 2e-9.
    assert np.abs(counts[0] - [500, 250, 250]).max() < 6 * math.sqrt(250)
