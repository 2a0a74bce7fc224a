"""Power laws from brackets: hand examples, and how often the interval covers the true slope."""

import math
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm
from scipy.stats import t as student

from rltheory.errors import ClaimError
from rltheory.inference.power_law import fit_power_law
from rltheory.inference.sequential import SequentialTest
from rltheory.mdp.streams import Stream

X = 2.0 ** np.arange(8)


def cells(case: int, sigma: float, ratio: float, log_power: float = 0.0, x: Any = X) -> Any:
    """Brackets, on a grid with this ratio, of 20 x^2 (log x)^log_power exp(sigma z)."""
    stream = Stream(case, "tests.power_law")
    logs = np.log(x)
    y = math.log(20.0) + 2.0 * logs + sigma * norm.ppf(stream.uniforms(len(x)) * (1 - 1e-9) + 5e-10)
    if log_power:
        y = y + log_power * np.log(logs)
    step, start = math.log(ratio), stream.uniform()
    low = (np.floor(y / step - start) + start) * step
    return np.exp(low), np.exp(low + step)


def test_points_give_the_studentised_interval_of_least_squares() -> None:
    low, high = cells(3, 0.4, 1 + 1e-9)
    law = fit_power_law(X, low, high, confidence=0.9)
    logs, y = np.log(X), np.log(low)
    slope, intercept = np.polyfit(logs, y, 1)
    rest = y - slope * logs - intercept
    error = math.sqrt(float(rest @ rest) / 6 / float(((logs - logs.mean()) ** 2).sum()))
    half = float(student.ppf(0.95, 6)) * error
    assert law.slope == pytest.approx(slope, abs=1e-6)
    assert law.interval == pytest.approx((slope - half, slope + half), abs=1e-5)
    assert law.feasible is None and law.misfit > 0 and law.censored == 0


def test_a_power_law_through_all_brackets() -> None:
    law = fit_power_law([1, 2, 4, 8], [8, 32, 128, 512], [16, 64, 256, 1024])
    # From 16 at x = 1 to 512 at x = 8 is the flattest, from 8 to 1024 the steepest one.
    assert law.feasible == pytest.approx((5 / 3, 7 / 3))
    assert law.slope == pytest.approx(2.0) and law.misfit == 0.0 and law.sigma == 0.0
    assert law.interval[0] < 5 / 3 and law.interval[1] > 7 / 3
    assert law(2.0) == pytest.approx(4 * 8 * math.sqrt(2))


def test_censored_brackets_count_on_one_side() -> None:
    low, high = [8, 32, 128, 512, 2048.0], [16, 64, 256, 1024, math.inf]
    law = fit_power_law([1, 2, 4, 8, 16], low, high)
    assert law.censored == 1 and law.points == 5
    assert law.feasible == pytest.approx((7 / 4, 7 / 3))  # 16 at x = 1, 2048 at x = 16
    from_zero = fit_power_law([0.5, 1, 2, 4, 8], [0, 8, 32, 128, 512], [4, 16, 64, 256, 1024])
    assert from_zero.censored == 1 and from_zero.feasible == pytest.approx((7 / 4, 7 / 3))


def test_scale_of_n_and_of_x_moves_the_intercept_alone() -> None:
    low, high = cells(1, 0.3, 1.3)
    law, moved = fit_power_law(X, low, high), fit_power_law(7 * X, 100 * low, 100 * high)
    assert moved.slope == pytest.approx(law.slope, abs=1e-6)
    assert moved.interval == pytest.approx(law.interval, abs=1e-4)
    assert moved(7.0) == pytest.approx(100 * law(1.0), rel=1e-5)


def test_power_of_the_logarithm() -> None:
    x = 2.0 ** np.arange(1, 13)
    low, high = cells(0, 0.0, 1.01, log_power=1.0, x=x)
    plain, full = fit_power_law(x, low, high), fit_power_law(x, low, high, log_power=True)
    assert not plain.interval[0] <= 2.0 <= plain.interval[1]
    assert full.interval[0] <= 2.0 <= full.interval[1]
    assert full.log_power == pytest.approx(1.0, abs=0.2) and full.misfit == 0.0
    assert full(64.0) == pytest.approx(20 * 64**2 * math.log(64), rel=0.02)


def test_two_brackets_have_no_interval() -> None:
    law = fit_power_law([1, 2], [8, 32], [16, 64])
    assert law.interval == (-math.inf, math.inf) and law.feasible == pytest.approx((1.0, 3.0))


def test_repr_is_as_printed() -> None:
    law = fit_power_law([1, 2, 4, 8], [8, 32, 128, 512], [16, 64, 256, 1024])
    assert repr(law) == (
        "PowerLaw(n = 11.3 x^2, slope in [1.31, 2.69] at 0.95, feasible [1.67, 2.33], misfit 0, "
        "4 brackets, 0 censored)"
    )


@pytest.mark.parametrize(
    ("x", "lower", "upper", "words"),
    [
        ([1, 2], [1, 2, 3], [2, 3, 4], "one length"),
        ([0, 2], [1, 2], [2, 3], "above 0"),
        ([1, 2], [1, 3], [2, 3], r"bracket 1 is \(3, 3\]"),
        ([1, 2], [-1, 2], [2, 3], r"bracket 0 is \(-1, 2\]"),
        ([1, 1], [1, 2], [2, 3], "2 brackets have two ends; that does not determine"),
        ([1, 2], [1, 2], [2, math.inf], "1 brackets have two ends"),
    ],
)
def test_what_is_refused(x: Any, lower: Any, upper: Any, words: str) -> None:
    with pytest.raises(ClaimError, match=words):
        fit_power_law(x, lower, upper)


def test_more_that_is_refused() -> None:
    with pytest.raises(ClaimError, match="confidence is 1"):
        fit_power_law([1, 2], [1, 2], [2, 3], confidence=1)
    with pytest.raises(ClaimError, match="above 1"):
        fit_power_law([1, 2, 3], [1, 2, 3], [2, 3, 4], log_power=True)


def missed(repetitions: int, sigma: float, ratio: float, cap: float = math.inf) -> int:
    """How often the 95% interval does not contain the slope 2."""
    failures = 0
    for case in range(repetitions):
        low, high = cells(1000 + case, sigma, ratio)
        low = np.minimum(low, cap)
        high = np.where(high > cap, math.inf, high)
        low, high = np.where(low >= high, high / ratio, low), high
        a, b = fit_power_law(X, low, high).interval
        failures += not a <= 2.0 <= b
    return failures


SETTINGS = [(0.3, 1.001, math.inf), (0.3, 1.3, math.inf), (0.3, 2.0, math.inf), (0.05, 1.3, 8e4)]


@pytest.mark.parametrize(("sigma", "ratio", "cap"), SETTINGS[1:2])
def test_intervals_cover_as_stated(sigma: float, ratio: float, cap: float) -> None:
    # By chance, 14 or more of 60 at 5% happen with probability 1e-6.
    assert missed(60, sigma, ratio, cap) < 14


@pytest.mark.slow
@pytest.mark.parametrize(("sigma", "ratio", "cap"), SETTINGS)
def test_intervals_cover_as_stated_deep(sigma: float, ratio: float, cap: float) -> None:
    """The anytime-valid test does not find more than 5% misses, at level 1e-6."""
    test = SequentialTest(0.05, 1e-6, 1e-6)
    test.add(missed(1000, sigma, ratio, cap), 1000)
    assert test.decision != "refuted"
