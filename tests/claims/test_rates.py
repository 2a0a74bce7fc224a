"""Rate claims: what is confirmed, refuted, undecided and vacuous, and how often by chance."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import ndtri

from rltheory.claims.claim import Claim, Measurement, Mutant, Rate
from rltheory.claims.family import Instance
from rltheory.claims.rates import run_rate
from rltheory.claims.verify import verify
from rltheory.errors import ClaimError

GRID = (10, 30, 100, 300, 1000)


def noisy(mean, bound, spread=0.5, trivial=None):
    """A check whose trials are mean(x) times uniform noise of mean 1."""

    def check(instance, x, stream):
        noise = 1.0 + spread * (2.0 * stream.uniform() - 1.0)
        return Measurement(mean(x) * noise, bound(x), trivial=trivial)

    return check


def claim_of(check, mutants=None, **rate):
    wrong = Mutant("wrong", "a bound that is off", check=noisy(lambda x: x, lambda x: 1.0))
    return Claim(
        id="growth",
        kind="rate",
        check=check,
        title="Growth",
        statement="$E\\,y(x)=O(g(x))$",
        named={"one": Instance},
        mutants=(wrong,) if mutants is None else mutants,
        rate=Rate(**({"grid": GRID} | rate)),
    )


def logs(x):
    return math.sqrt(x) * math.log(x)


@pytest.mark.parametrize(
    ("mean", "bound", "theta", "status"),
    [
        (lambda x: 3 * logs(x), logs, False, "confirmed"),
        (lambda x: math.sqrt(x), logs, False, "confirmed"),
        (logs, lambda x: math.sqrt(x), False, "refuted"),
        (lambda x: 3 * logs(x), logs, True, "confirmed"),
        (lambda x: x**0.3, logs, True, "refuted"),
        (lambda x: x, logs, True, "refuted"),
        (lambda x: 1 / x, lambda x: 1 / x, True, "confirmed"),
    ],
)
def test_growth_is_told_from_other_growth(mean, bound, theta, status):
    wrong = Mutant("wrong", "grows faster", check=noisy(lambda x: mean(x) * x, bound))
    verdict = verify(claim_of(noisy(mean, bound), (wrong,), theta=theta))
    assert verdict.status == status, verdict.reason
    assert "slope" in verdict.reason and "power 0.99" in verdict.reason
    assert all(m.status == "refuted" for m in verdict.mutants)
    if status == "refuted":
        assert verdict.counterexample["what"] == "slope"


def test_the_logarithm_of_a_bound_counts():
    """Over this grid log x grows like x^0.24: an upper bound that lacks it is refuted."""
    missing = Mutant("no-log", "no logarithm", check=noisy(logs, lambda x: math.sqrt(x)))
    verdict = verify(claim_of(noisy(logs, logs), (missing,)))
    assert verdict.status == "confirmed", verdict.reason


def test_more_trials_where_they_are_noisy():
    quiet = verify(claim_of(noisy(logs, logs, spread=0.05)))
    loud = verify(claim_of(noisy(logs, logs, spread=0.95)))
    assert quiet.status == loud.status == "confirmed"
    assert quiet.trials == 20 * len(GRID) < loud.trials


def test_what_is_rare_is_not_taken_for_impossible():
    """Two trials of a hundred lose more: their mean is the bound everywhere, or grows linearly."""

    def fails(at):
        def check(instance, x, stream):
            if not at(x):
                return Measurement(math.sqrt(x), math.sqrt(x))
            share = 25.5 if stream.uniform() < 0.02 else 0.5
            return Measurement(share * math.sqrt(x), math.sqrt(x))

        return check

    for seed in range(3):
        verdict = verify(claim_of(fails(lambda x: x < 100)), seed=seed)
        assert verdict.status == "undecided", verdict.reason
        assert "trials at x = 100, 300, 1000 are equal" in verdict.reason

    def commits(instance, x, stream):
        wrong = stream.uniform() < 0.01
        return Measurement(x if wrong else math.sqrt(x) / 2, math.sqrt(x))

    grid = (1000, 3000, 10_000, 100_000)
    for seed in range(10):
        assert verify(claim_of(commits, grid=grid), seed=seed).status != "confirmed"


def test_differences_by_rounding_alone_are_none():
    def check(instance, x, stream):
        return Measurement(x * (1 + 1e-14 * stream.uniform()), x)

    assert verify(claim_of(check)).status == "undecided"


def test_trials_that_cannot_differ_are_sure():
    exact = claim_of(
        lambda i, x, stream: Measurement(x, x),
        (Mutant("square", "grows faster", check=lambda i, x, stream: Measurement(x * x, x)),),
        fixed=True,
    )
    verdict = verify(exact)
    assert verdict.status == "confirmed" and verdict.mutants[0].status == "refuted"
    verdict = verify(claim_of(noisy(logs, logs), fixed=True))
    assert verdict.status == "error" and "trials at x = 10 differ" in verdict.reason


def test_what_is_too_noisy_for_the_budget_is_undecided():
    def check(instance, x, stream):
        return Measurement(x * stream.uniform() ** 20, x)

    outcome = run_rate(claim_of(check), Instance(), "one", 0, "quick", 1e-6)
    assert outcome.status == "undecided"


def test_outside_of_the_regime_it_is_vacuous():
    check = noisy(lambda x: 1.0, lambda x: x, trivial=50.0)
    verdict = verify(claim_of(check))
    assert verdict.status == "vacuous"
    assert "at x = 100, 300, 1000 the bound" in verdict.reason


def test_censored_trials_are_censored():
    """Cut at 1.3 times the median, the mean of what is left would grow too slowly at the end."""

    def check(cut):
        def checked(instance, x, stream):
            y = x * math.exp(0.5 * float(ndtri(stream.uniform())))
            at = cut(x)
            return Measurement(min(y, at), x, censored=y > at)

        return checked

    def forgetful(instance, x, stream):
        m = check(lambda x: 0.6 * x if x > 100 else math.inf)(instance, x, stream)
        return Measurement(m.measured, m.bound)

    plain = Mutant("cut-is-data", "what was stopped counts as done", check=forgetful)
    verdict = verify(
        claim_of(check(lambda x: 1.3 * x if x > 100 else math.inf), (plain,), theta=True)
    )
    assert verdict.status == "confirmed", verdict.reason
    assert verdict.mutants[0].status == "refuted", verdict.mutants[0].reason


def test_the_verdict_depends_on_the_seed_alone():
    claim = claim_of(noisy(logs, logs))
    assert verify(claim, seed=3).record(timing=False) == verify(claim, seed=3).record(timing=False)
    assert verify(claim, seed=3).reason != verify(claim, seed=4).reason


def test_bounds_that_move_and_grids_that_do_not_ascend_are_refused():
    moving = claim_of(lambda i, x, stream: Measurement(1.0, stream.uniform()))
    assert "the same in every trial" in verify(moving).reason
    negative = claim_of(lambda i, x, stream: Measurement(1.0, -1.0))
    assert "is positive" in verify(negative).reason
    for grid in ((1, 2), (1, 3, 2), (0, 1, 2), (1, 2, math.inf)):
        with pytest.raises(ClaimError, match="ascending"):
            Rate(grid)
    with pytest.raises(ClaimError, match="must be a list of numbers"):
        Rate(5)
    verdict = verify(claim_of(noisy(logs, logs), grid=lambda instance: (1, 2)))
    assert verdict.status == "error" and "ascending" in verdict.reason
    late = claim_of(lambda i, x, stream: Measurement(x, x, event=False))
    assert "a rate has no condition" in verify(late).reason


def test_a_slope_on_average_is_not_enough():
    """On average the ratio of mean and bound does not grow; from one point to the next it does."""
    ratio = dict(zip(GRID, (100, 10, 1, 10, 100), strict=True))
    for theta in (False, True):
        verdict = verify(claim_of(noisy(lambda x: ratio[x], lambda x: 1.0), theta=theta))
        assert verdict.status == "undecided"
        assert "off by more than the margin" in verdict.reason
    with pytest.raises(ClaimError, match="margin of a rate is 0"):
        Rate(GRID, margin=0)
    with pytest.raises(ClaimError, match="and no other, has a rate"):
        replace(claim_of(noisy(logs, logs)), rate=None)


def test_means_that_are_not_positive_are_undecided():
    verdict = verify(claim_of(lambda i, x, stream: Measurement(x - 10, x)))
    assert verdict.status == "undecided" and "a rate needs positive means" in verdict.reason


@pytest.mark.slow
def test_false_refutations_are_as_rare_as_the_level():
    """2,000 true claims, attained, at level .05 in all: at most 5% may be refuted; that more than
    4% are, if 1.25% would be by each look, is what a wrong studentisation would show.

    Refuting takes a power of .99 beside the level, so that hardly any should be.
    """
    claim = claim_of(noisy(logs, logs, spread=0.9))
    wrong = sum(
        run_rate(claim, Instance(), str(i), i, "quick", 0.05).status == "refuted"
        for i in range(2000)
    )
    assert wrong <= 20


@pytest.mark.slow
def test_what_is_refuted_is_refuted_again():
    """The power that is told: of 300 repetitions at the slope that was just refuted, at most 3% are
    not (by chance in fewer than 1 in 1,000 runs, if the power is .99)."""
    mean, bound = (lambda x: x**0.62), (lambda x: x**0.5)
    claim = claim_of(noisy(mean, bound, spread=0.9))
    found = [run_rate(claim, Instance(), str(i), i, "standard", 1e-6).status for i in range(300)]
    assert np.mean([status != "refuted" for status in found]) <= 0.03
