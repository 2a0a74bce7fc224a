"""Time-uniform radii against their formulas in 50 digits, and arguments that are no good."""

import math
from collections.abc import Callable
from typing import Any

import mpmath as mp
import numpy as np
import pytest

from rltheory.errors import ModelError
from rltheory.mathematics import concentration
from rltheory.mathematics.time_uniform import (
    categorical_kl_threshold,
    mixture_radius,
    self_normalized_radius,
)


def exact(formula: Callable[..., Any], *arguments: float) -> float:
    with mp.workdps(50):
        return float(formula(*map(mp.mpf, arguments)))


def mixture(n: Any, delta: Any, sigma: Any, kappa: Any) -> Any:
    return sigma * mp.sqrt((n + kappa) * (2 * mp.log(1 / delta) + mp.log((n + kappa) / kappa))) / n


def self_normalized(ratio: Any, delta: Any, sigma: Any, ridge: Any, norm: Any) -> Any:
    return sigma * mp.sqrt(2 * mp.log(1 / delta) + ratio) + mp.sqrt(ridge) * norm


def test_radii_are_their_formulas() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        n, delta = int(rng.integers(1, 10**9)), float(rng.random())
        sigma, kappa = 3 * float(rng.random()), 10 ** float(rng.uniform(-6, 6))
        got = mixture_radius(n, delta, sigma, kappa)
        assert got == pytest.approx(exact(mixture, n, delta, sigma, kappa), rel=16 * 2.0**-53)
        ratio, norm = 50 * float(rng.random()), float(rng.random())
        got = self_normalized_radius(ratio, delta, sigma, kappa, norm)
        expected = exact(self_normalized, ratio, delta, sigma, kappa, norm)
        assert got == pytest.approx(expected, rel=16 * 2.0**-53)


@pytest.mark.parametrize("n", [0, 1, 2, 7, 15, 16, 17, 100, 12_345, 10**9, 10**15])
@pytest.mark.parametrize("size", [2, 3, 16, 17, 1000, 10**6])
def test_the_threshold_counts_the_types(n: int, size: int) -> None:
    with mp.workdps(50):
        logs = mp.loggamma(n + size) - mp.loggamma(n + 1) - mp.loggamma(size)
        expected = float(mp.log(10) + logs)
    assert categorical_kl_threshold(n, size, 0.1) == pytest.approx(expected, rel=2.0**-48)


def test_the_threshold_of_small_counts_is_a_binomial() -> None:
    got = categorical_kl_threshold(4, [2, 3, 5], 0.5)
    assert np.allclose(got, [math.log(2 * math.comb(3 + s, s - 1)) for s in (2, 3, 5)], rtol=1e-15)


def test_a_law_on_one_point_is_known() -> None:
    assert categorical_kl_threshold([0, 10], 1, 0.1).tolist() == [0.0, 0.0]


def test_one_dimension_of_the_self_normalised_radius_is_the_mixture() -> None:
    n, kappa = np.array([1.0, 20.0, 3000.0]), 2.5
    norm = self_normalized_radius(np.log1p(n / kappa), 0.1, 0.5, kappa, 0.0)
    assert np.allclose(norm * np.sqrt(n + kappa) / n, mixture_radius(n, 0.1, 0.5, kappa), 1e-14)


@pytest.mark.parametrize("name", ["mixture_radius", "categorical_kl_threshold"])
def test_they_are_to_be_had_from_concentration(name: str) -> None:
    assert name in concentration.__all__


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mixture_radius(-1, 0.1), "n is -1.0"),
        (lambda: mixture_radius(1, [0.5, 1.0]), "delta is 1.0; it must be in"),
        (lambda: mixture_radius(1, 0.1, sigma=-0.5), "sigma is -0.5"),
        (lambda: mixture_radius(1, 0.1, kappa=0.0), "kappa is 0.0; it must be finite, above 0"),
        (lambda: categorical_kl_threshold(1, 0, 0.1), "size is 0.0"),
        (lambda: categorical_kl_threshold(1, 2, 0.0), "delta is 0.0"),
        (lambda: categorical_kl_threshold("many", 2, 0.5), "n is 'many'"),
        (lambda: self_normalized_radius(-0.1, 0.1, 1.0, 1.0, 1.0), "log_det_ratio is -0.1"),
        (lambda: self_normalized_radius(0.1, 0.1, 1.0, 0.0, 1.0), "ridge is 0.0"),
        (lambda: self_normalized_radius(0.1, 0.1, 1.0, 1.0, math.nan), "norm_bound is nan"),
    ],
)
def test_bad_arguments_are_named(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        call()
