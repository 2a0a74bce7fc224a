"""Laws fitted to means: by hand, against plain least squares, and how often the interval is right.

The coverage of each 95% interval is looked at over R repetitions; a number of hits outside the
central 1 - 1e-6 of Binomial(R, 0.95) fails the test, so that a right procedure fails it with
probability 1e-6.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from rltheory.errors import SweepError
from rltheory.inference.rate import RateFit, crossover, fit_rate

X = np.array([10.0, 30.0, 100.0, 300.0, 1000.0])
SPREAD = np.array([0.2, 0.3, 0.4, 0.5, 0.6])


def lognormal(rng, slope):
    return [
        x**slope * np.exp(s * rng.standard_normal(20) - s * s / 2)
        for x, s in zip(X, SPREAD, strict=True)
    ]


def exponential_with_logarithm(rng, slope):
    return [x**slope * np.log(x) * rng.exponential(size=20) for x in X]


def gamma(rng, slope):
    return [
        x**slope * rng.gamma(k, 1 / k, size=20) for x, k in zip(X, [8, 4, 2, 1, 0.7], strict=True)
    ]


def linear_in_the_logarithm(rng, slope):
    return [
        2 + slope * np.log(x) + s * rng.standard_normal(20) for x, s in zip(X, SPREAD, strict=True)
    ]


LAWS = {
    "log-normal": (lognormal, {}),
    "with a logarithm": (exponential_with_logarithm, {"factor": np.log}),
    "gamma": (gamma, {}),
    "semi-log": (linear_in_the_logarithm, {"kind": "semi-log"}),
}


def covered(draw, options, slope, repetitions, seed):
    rng = np.random.Generator(np.random.Philox(seed))
    hits = 0
    for _ in range(repetitions):
        low, high = fit_rate(X, draw(rng, slope), **options).interval
        hits += low <= slope <= high
    return hits


def within(hits, repetitions):
    low, high = binom.interval(1 - 1e-6, repetitions, 0.95)
    return low <= hits <= high


@pytest.mark.parametrize("law", LAWS)
def test_intervals_cover(law):
    assert within(covered(*LAWS[law], 0.5, 300, 1), 300)


@pytest.mark.slow
@pytest.mark.parametrize("law", LAWS)
def test_intervals_cover_in_2000_repetitions(law):
    assert within(covered(*LAWS[law], 0.5, 2000, 2), 2000)


def test_a_wrong_logarithm_is_not_covered():
    hits = covered(exponential_with_logarithm, {}, 0.5, 200, 3)
    assert not within(hits, 200)


def censored_trials(rng):
    trials, flags = [], []
    for x, y in zip(X, lognormal(rng, 2.0), strict=True):
        # Stopped at what is somewhat above the median, but at most half of the trials.
        cap = max(1.1 * x**2, float(np.sort(y)[10]))
        flags.append(y > cap)
        trials.append(np.minimum(y, cap))
    return trials, flags


@pytest.mark.slow
def test_intervals_of_censored_trials_cover():
    rng = np.random.Generator(np.random.Philox(4))
    hits = 0
    for _ in range(2000):
        trials, flags = censored_trials(rng)
        low, high = fit_rate(X, trials, censored=flags).interval
        hits += low <= 2.0 <= high
    assert within(hits, 2000)


def test_taking_censored_trials_for_data_is_wrong_and_censoring_is_not():
    rng = np.random.Generator(np.random.Philox(5))
    hits, naive = 0, 0
    for _ in range(20):
        trials, flags = censored_trials(rng)
        low, high = fit_rate(X, trials, censored=flags).interval
        hits += low <= 2.0 <= high
        low, high = fit_rate(X, trials).interval
        naive += low <= 2.0 <= high
    assert within(hits, 20) and not within(naive, 20)


def test_an_exact_law_is_found():
    trials = [3 * x**-0.5 * np.ones(20) for x in X]
    fit = fit_rate(X, trials)
    assert fit.slope == pytest.approx(-0.5, abs=1e-14)
    assert np.exp(fit.intercept) == pytest.approx(3, rel=1e-13)
    assert fit.interval[0] <= -0.5 <= fit.interval[1] and fit.misfit == 1.0
    assert fit.interval[1] - fit.interval[0] < 1e-13


@given(st.integers(0, 2**32), st.integers(2, 6))
def test_the_slope_is_that_of_plain_least_squares(seed, k):
    rng = np.random.Generator(np.random.Philox(seed))
    x = np.sort(rng.uniform(1, 100, size=k))
    trials = [rng.gamma(2, size=25) for _ in x]
    z = [np.log(y.mean()) + y.var(ddof=1) / (2 * 25 * y.mean() ** 2) for y in trials]
    slope, intercept = np.polyfit(np.log(x), z, 1)
    fit = fit_rate(x, trials)
    assert fit.slope == pytest.approx(slope, abs=1e-8)
    assert fit.intercept == pytest.approx(intercept, abs=1e-7)
    assert fit.interval[0] < fit.slope < fit.interval[1]


def test_a_bent_curve_does_not_fit():
    rng = np.random.Generator(np.random.Philox(6))
    bent = [(x + x**2 / 100) * rng.gamma(50, 1 / 50, size=20) for x in X]
    straight = [x * rng.gamma(50, 1 / 50, size=20) for x in X]
    assert fit_rate(X, bent).misfit < 1e-6 < 1e-3 < fit_rate(X, straight).misfit


def test_bounds_of_one_side():
    fit = fit_rate(X, lognormal(np.random.Generator(np.random.Philox(7)), 1.0))
    low, high = fit.one_sided(0.025)
    assert fit.interval[0] <= low < high <= fit.interval[1]
    assert fit.one_sided(1e-6)[0] < low


def test_two_laws_meet_where_they_do():
    rng = np.random.Generator(np.random.Philox(8))
    first = fit_rate(X, [x * rng.gamma(100, 1 / 100, size=30) for x in X])
    second = fit_rate(X, [10 * x**0.5 * rng.gamma(100, 1 / 100, size=30) for x in X])
    at, low, high = crossover(first, second)
    assert low < 100 < high and low < at < high and high / low < 1.5
    assert crossover(second, first) == pytest.approx((at, low, high))


def test_laws_that_may_be_parallel_meet_anywhere():
    rng = np.random.Generator(np.random.Philox(11))
    first = fit_rate(X, [x * rng.exponential(size=20) for x in X])
    second = fit_rate(X, [2 * x * rng.exponential(size=20) for x in X])
    assert crossover(first, second)[1:] == (0.0, np.inf)
    with pytest.raises(SweepError, match="same slope"):
        crossover(first, first)


def test_the_repr_says_the_interval():
    trials = [x**2 * np.linspace(0.9, 1.1, 21) for x in X]
    text = "RateFit(log-log, slope 2 in [1.993, 2.007] at 95%, 5 points, misfit p 1)"
    assert repr(fit_rate(X, trials)) == text and isinstance(fit_rate(X, trials), RateFit)


GOOD = [np.linspace(1.0, 2.0, 20)] * 2


@pytest.mark.parametrize(
    ("x", "trials", "options", "message"),
    [
        ([1], GOOD[:1], {}, "two distinct points"),
        ([1, 1], GOOD, {}, "two distinct points"),
        ([0, 1], GOOD, {}, "must be positive"),
        ([1, np.inf], GOOD, {}, "must be positive and finite"),
        ([1, 2], GOOD[:1], {}, "2 points, and trials at 1"),
        ([1, 2], [GOOD[0], GOOD[0][:19]], {}, "19 trials at x = 2"),
        ([1, 2], [GOOD[0], -GOOD[0]], {}, "mean at x = 2 is -1.5"),
        ([1, 2], [GOOD[0], np.full(20, np.nan)], {}, "x = 2 gave nan"),
        ([1, 2], GOOD, {"kind": "linear"}, "kind is 'linear'"),
        ([1, 2], GOOD, {"confidence": 1.0}, "confidence is 1.0"),
        ([1, 2], GOOD, {"factor": lambda x: x - 1}, "factor is"),
        ([1, 2], GOOD, {"censored": [[True]]}, "must say of every trial"),
        ([1, 2], GOOD, {"censored": [[True] * 20, [False] * 20]}, "20 of 20 trials at x = 1"),
        (
            [1, 2],
            GOOD,
            {"kind": "semi-log", "censored": [[True] * 20, [False] * 20]},
            "for log-log laws",
        ),
    ],
)
def test_bad_input_is_named(x, trials, options, message):
    with pytest.raises(SweepError, match=message):
        fit_rate(x, trials, **options)


@pytest.mark.parametrize("power", [-1000, -570, -500, 500, 560, 1013])
def test_the_scale_of_trials_changes_no_slope(power: int) -> None:
    trials = lognormal(np.random.Generator(np.random.Philox(12)), 0.5)
    plain = fit_rate(X, trials, factor=np.log)
    scaled = fit_rate(X, [np.ldexp(y, power) for y in trials], factor=np.log)
    assert scaled.slope == pytest.approx(plain.slope, abs=1e-9)
    assert scaled.interval == pytest.approx(plain.interval, abs=1e-9)
    assert scaled.misfit == pytest.approx(plain.misfit, abs=1e-9)
