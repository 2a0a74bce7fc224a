"""Betting intervals: against a plain loop, by exact laws, and by simulated coverage."""

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binom

from rltheory.errors import ClaimError
from rltheory.inference.betting import BettingInterval
from rltheory.inference.binomial import lower_bound


def plain_wealth(values: list[float], m: float, alpha: float) -> tuple[list[float], list[float]]:
    """log K+ and log K- against m after each value, one at a time."""
    horizon = math.log(2 / alpha)
    total, deviations, up, down = 0.5, 0.25, 0.0, 0.0
    ups, downs = [], []
    for n, x in enumerate(values, start=1):
        bet = math.sqrt(2 * horizon / (deviations / n * n * math.log(n + 1)))
        up += math.log1p(min(bet, 0.5 / m) * (x - m))
        down += math.log1p(-min(bet, 0.5 / (1 - m)) * (x - m))
        total += x
        deviations += (x - total / (n + 1)) ** 2
        ups.append(up)
        downs.append(down)
    return ups, downs


def plain_bounds(values: list[float], alpha: float, grid: int) -> tuple[float, float]:
    horizon = math.log(2 / alpha)
    lower, upper = 0.0, 1.0
    for j in range(1, grid):
        ups, downs = plain_wealth(values, j / grid, alpha)
        if max(ups) >= horizon:
            lower = max(lower, j / grid)
        if max(downs) >= horizon:
            upper = min(upper, j / grid)
    return lower, upper


@pytest.mark.parametrize("seed", range(4))
def test_against_a_plain_loop(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = [rng.random(400), (rng.random(400) < 0.07) * 1.0, np.full(400, 0.3), rng.random(400) ** 9]
    alpha = (0.05, 0.3, 1e-6, 0.01)[seed]
    interval = BettingInterval(0.0, 1.0, alpha, grid=50)
    interval.add(x[seed])
    expected = plain_bounds(x[seed].tolist(), alpha, 50)
    assert interval.bounds == pytest.approx(expected, abs=1e-12)
    assert interval.bounds[0] <= expected[0] and expected[1] <= interval.bounds[1]
    assert interval.trials == 400


def test_batches_do_not_matter() -> None:
    x = np.random.default_rng(0).random(3000)
    whole, parts = BettingInterval(0.0, 1.0, 0.01), BettingInterval(0.0, 1.0, 0.01)
    whole.add(x)
    for first in range(0, 3000, 7):
        parts.add(x[first : first + 7])
    parts.add(np.zeros(0))
    assert whole.bounds == parts.bounds
    assert (whole._up == parts._up).all() and (whole._down == parts._down).all()


def test_bounds_never_widen() -> None:
    interval = BettingInterval(0.0, 1.0, 0.01)
    rng, before = np.random.default_rng(1), (0.0, 1.0)
    for _ in range(60):
        interval.add(rng.random(20))
        lower, upper = interval.bounds
        assert before[0] <= lower and upper <= before[1]
        before = lower, upper
    assert before[0] < 0.5 < before[1] and before[1] - before[0] < 0.15


@pytest.mark.parametrize("value", [0.505, 0.333, 0.5, 0.005, 0.995, 0.0, 1.0])
def test_a_constant_between_two_grid_points_stays_inside(value: float) -> None:
    # All grid points are rejected in the end; the mean is between two of them, not nowhere.
    interval = BettingInterval(0.0, 1.0, 0.05, grid=100)
    interval.add(np.full(10_000, value))
    lower, upper = interval.bounds
    assert lower <= value <= upper and upper - lower <= 0.0201


def test_a_range_is_only_a_scale() -> None:
    x = np.random.default_rng(2).integers(0, 9, 500) / 8
    plain, scaled = BettingInterval(0.0, 1.0, 0.05), BettingInterval(-2.0, 6.0, 0.05)
    plain.add(x)
    scaled.add(8 * x - 2)
    assert scaled.bounds == pytest.approx([8 * b - 2 for b in plain.bounds], abs=1e-12)


@pytest.mark.parametrize("p", [0.5, 0.1, 0.9])
def test_wealth_against_the_mean_is_fair(p: float) -> None:
    # E exp(log K) = 1 over all paths of ten draws, for both bettors.
    means = [0.0, 0.0]
    for path in itertools.product((0.0, 1.0), repeat=10):
        weight = p ** sum(path) * (1 - p) ** (10 - sum(path))
        ups, downs = plain_wealth(list(path), p, 0.1)
        means[0] += weight * math.exp(ups[-1])
        means[1] += weight * math.exp(downs[-1])
    assert means == pytest.approx([1.0, 1.0], abs=1e-12)


def test_wealth_is_monotone_in_the_candidate_mean() -> None:
    # It is what makes the rejected means an initial and a final piece of the grid.
    rng = np.random.default_rng(3)
    for x in (rng.random(300), (rng.random(300) < 0.2) * 1.0):
        interval = BettingInterval(0.0, 1.0, 0.05)
        for value in x:
            interval.add(np.array([value]))
            assert (np.diff(interval._up) <= 1e-12).all()
            assert (np.diff(interval._down) >= -1e-12).all()


Law = Callable[[np.random.Generator], NDArray[np.float64]]
LAWS: dict[str, tuple[float, Law]] = {
    "fair coin": (0.5, lambda rng: (rng.random(400) < 0.5) * 1.0),
    "rare ones": (0.05, lambda rng: (rng.random(400) < 0.05) * 1.0),
    "uniform": (0.5, lambda rng: rng.random(400)),
    "three values": (0.42, lambda rng: rng.choice([0.0, 0.3, 1.0], 400, p=[0.3, 0.4, 0.3])),
}


@pytest.mark.parametrize("name", LAWS)
def test_coverage_at_all_times(name: str) -> None:
    # Misses are at most binomial(1000, 0.2): a lower bound of their rate above 0.2 at level 1e-6
    # comes by chance less than once in a million runs, even were the coverage exactly 80 %.
    alpha, (mean, draw) = 0.2, LAWS[name]
    rng = np.random.default_rng(4)
    missed = 0
    for _ in range(1000):
        interval = BettingInterval(0.0, 1.0, alpha, grid=100)
        interval.add(draw(rng))
        lower, upper = interval.bounds
        missed += not lower <= mean + 1e-9 or not mean - 1e-9 <= upper
    assert lower_bound(missed, 1000, 1e-6) <= alpha
    # The test would see half the level: at rate 0.4 it passes with probability below 1e-12.
    assert lower_bound(int(binom.ppf(1e-12, 1000, 0.4)), 1000, 1e-6) > alpha


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: BettingInterval(1.0, 0.0, 0.1), r"the range is \[1.0, 0.0\]"),
        (lambda: BettingInterval(0.0, math.inf, 0.1), "the range is"),
        (lambda: BettingInterval(0.0, math.nan, 0.1), "the range is"),
        (lambda: BettingInterval(0.0, 1.0, 0.0), "alpha is 0.0"),
        (lambda: BettingInterval(0.0, 1.0, 0.1).add(np.array([0.5, 1.5])), "outside the declared"),
        (lambda: BettingInterval(0.0, 1.0, 0.1).add(np.array([math.nan])), "outside the declared"),
    ],
)
def test_what_cannot_be(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ClaimError, match=message):
        call()
