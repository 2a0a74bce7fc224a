"""The law of a crossing against all paths, against fractions, and against printed numbers."""

import itertools
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from rltheory.errors import ModelError
from rltheory.mathematics.crossing import crossing_probability

Boundary = Callable[[int], Any]


def over_all_paths(boundary: Boundary, p: Fraction, n_max: int) -> Fraction:
    crossed = Fraction(0)
    for path in itertools.product((0, 1), repeat=n_max):
        sums = np.cumsum(path)
        if any(boundary(n)[sums[n - 1]] for n in range(1, n_max + 1)):
            crossed += p ** sum(path) * (1 - p) ** (n_max - sum(path))
    return crossed


@pytest.mark.parametrize("seed", range(20))
def test_random_boundaries_against_all_paths(seed: int) -> None:
    rng = np.random.default_rng(seed)
    table = rng.random((9, 10)) < 0.15
    p = Fraction(int(rng.integers(0, 17)), 16)
    expected = over_all_paths(lambda n: table[n, : n + 1], p, 8)
    assert crossing_probability(lambda n: table[n, : n + 1], p, 8) == expected
    found = crossing_probability(lambda n: table[n, : n + 1], float(p), 8)
    assert found == pytest.approx(float(expected), rel=8 * 8 * 2.0**-53, abs=0)


@pytest.mark.parametrize("p", [Fraction(1, 3), Fraction(1, 50), Fraction(1, 2)])
def test_floats_are_within_the_stated_error(p: Fraction) -> None:
    def boundary(n: int) -> Any:
        return np.abs(np.arange(n + 1) - n * float(p)) > 1.5 + np.sqrt(n)

    exact = crossing_probability(boundary, p, 200)
    assert isinstance(exact, Fraction) and 0 < exact < 1
    # float(p) is not p: a relative error of 2^-53 in p and in 1 - p, per draw.
    found = Fraction(crossing_probability(boundary, float(p), 200))
    assert abs(found - exact) <= (8 + 1) * 200 * Fraction(1, 2**53) * exact


def test_a_boundary_that_is_met_at_the_last_look_only() -> None:
    law = [crossing_probability(lambda n, k=k: (np.arange(n + 1) == k) & (n == 6), 0.5, 6)
           for k in range(7)]  # fmt: skip
    assert law == [x / 64 for x in (1, 6, 15, 20, 15, 6, 1)]


def test_certain_and_impossible_paths() -> None:
    def never(n: int) -> Any:
        return np.zeros(n + 1, dtype=bool)

    assert crossing_probability(never, 0.3, 50) == 0.0
    assert crossing_probability(lambda n: ~never(n), 0.3, 50) == 1.0
    assert crossing_probability(lambda n: ~never(n), 0.3, 0) == 0.0
    assert crossing_probability(lambda n: np.arange(n + 1) == 0, 0, 5) == 1.0
    assert crossing_probability(lambda n: np.arange(n + 1) == 0, Fraction(1), 5) == 0


# --- numbers that the specification prints (section 4.4) ------------------------------------


def mixture(kappa: float, factor: float = 1.0) -> Boundary:
    """The Gaussian mixture boundary at delta = 0.1 for Bernoulli(1/2)."""

    def crossed(n: int) -> Any:
        log = 2 * np.log(10.0) + np.log((n + kappa) / kappa)
        return np.abs(np.arange(n + 1) - n / 2) > factor * 0.5 * np.sqrt((n + kappa) * log)

    return crossed


@pytest.mark.parametrize(
    ("boundary", "n_max", "printed"),
    [
        (mixture(1.0), 200, "0.0406"),
        (mixture(1.0), 2000, "0.0496"),
        (mixture(1.0), 5000, "0.0514"),
        (mixture(100.0), 5000, "0.0703"),
        (mixture(1.0, 0.8), 2000, "0.248"),
        (mixture(1.0, 0.5), 2000, "0.867"),
    ],
)
def test_gaussian_mixture(boundary: Boundary, n_max: int, printed: str) -> None:
    found = crossing_probability(boundary, 0.5, n_max)
    assert f"{found:.{len(printed) - 2}f}" == printed


@pytest.mark.parametrize(("n_max", "printed"), [(100, "0.126"), (1000, "0.211"), (5000, "0.267")])
def test_a_fixed_sample_radius_used_at_every_time(n_max: int, printed: str) -> None:
    def crossed(n: int) -> Any:
        return np.abs(np.arange(n + 1) / n - 0.5) > np.sqrt(np.log(20.0) / (2 * n))

    assert f"{crossing_probability(crossed, 0.5, n_max):.3f}" == printed


@pytest.mark.parametrize(
    ("boundary", "p", "n_max", "message"),
    [
        (lambda n: np.zeros(n, dtype=bool), 0.5, 3, r"boundary\(1\) has shape \(1,\)"),
        (lambda n: np.zeros(n + 1), 0.5, 3, r"dtype float64; it must be booleans of shape \(2,\)"),
        (lambda n: np.zeros(n + 1, dtype=bool), 1.5, 3, "p is 1.5"),
        (lambda n: np.zeros(n + 1, dtype=bool), Fraction(-1, 2), 3, "p is Fraction"),
        (lambda n: np.zeros(n + 1, dtype=bool), float("nan"), 3, "p is nan"),
        (lambda n: np.zeros(n + 1, dtype=bool), 0.5, -1, "n_max is -1"),
        (lambda n: np.zeros(n + 1, dtype=bool), 0.5, 2.0, "n_max is 2.0"),
    ],
)
def test_bad_arguments_are_named(boundary: Boundary, p: Any, n_max: Any, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        crossing_probability(boundary, p, n_max)
