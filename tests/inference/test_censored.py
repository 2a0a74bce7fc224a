"""Interval-censored regression, against its own definition and against least squares."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import norm

from rltheory.inference.censored import _likelihood, fit_intervals
from rltheory.mdp.streams import Stream


def drawn(case: int, width: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Design, exact values, and cells of this width around them."""
    stream = Stream(case, "tests.censored")
    x = np.arange(8.0)
    y = 1.0 + 2.0 * x + norm.ppf(stream.uniforms(8) * 0.98 + 0.01)
    start = stream.uniform()
    low = (np.floor(y / width - start) + start) * width
    return np.column_stack([x, np.ones(8)]), y, low, low + width


def plain(
    design: np.ndarray, low: np.ndarray, high: np.ndarray, beta: np.ndarray, s: float
) -> float:
    mean = design @ beta
    return float(np.log(norm.cdf((high - mean) / s) - norm.cdf((low - mean) / s)).sum())


@pytest.mark.parametrize("case", range(4))
def test_maximum_is_that_of_a_general_optimiser(case: int) -> None:
    design, _, low, high = drawn(case, 0.5)
    low[0], high[-1] = -np.inf, np.inf
    found = fit_intervals(design, low, high)
    assert found.log_likelihood == pytest.approx(
        plain(design, low, high, found.beta, found.sigma), abs=1e-9
    )
    best = minimize(
        lambda z: -plain(design, low, high, z[:2], float(np.exp(z[2]))),
        [2.0, 1.0, 0.0],
        method="Nelder-Mead",
        options={"xatol": 1e-8, "fatol": 1e-12, "maxiter": 4000},
    )
    assert found.log_likelihood >= -best.fun - 1e-8
    assert found.beta == pytest.approx(best.x[:2], abs=1e-3)


@pytest.mark.parametrize("case", range(3))
def test_points_give_least_squares(case: int) -> None:
    design, y, low, high = drawn(case, 1e-6)
    found = fit_intervals(design, low, high)
    beta, rest, *_ = np.linalg.lstsq(design, y, rcond=None)
    assert found.beta == pytest.approx(beta, abs=1e-5)
    assert found.sigma == pytest.approx(np.sqrt(rest[0] / 8), abs=1e-5)


def test_derivatives_are_those_of_the_likelihood() -> None:
    design, _, low, high = drawn(0, 1.0)
    low[1], high[2] = -np.inf, np.inf
    at, h = np.array([1.5, 0.7, 0.8]), 1e-5
    _, gradient, hessian = _likelihood(design, low, high, at)
    for k in range(3):
        step = h * np.eye(3)[k]
        up, down = (_likelihood(design, low, high, at + z) for z in (step, -step))
        assert gradient[k] == pytest.approx((up[0] - down[0]) / (2 * h), rel=1e-6)
        assert hessian[k] == pytest.approx((up[1] - down[1]) / (2 * h), rel=1e-5, abs=1e-6)


def test_far_tails_stay_finite() -> None:
    design = np.ones((3, 1))
    low, high = np.array([0.0, 1.0, 1000.0]), np.array([0.5, 1.5, 1000.5])
    value, gradient, _ = _likelihood(design, low, high, np.array([0.0, 3.0]))
    assert np.isfinite(value) and np.isfinite(gradient).all()
    assert np.isfinite(fit_intervals(design, low, high).log_likelihood)


def test_a_line_through_all_intervals_has_no_error() -> None:
    design = np.column_stack([np.arange(4.0), np.ones(4)])
    found = fit_intervals(design, np.arange(4.0), np.arange(4.0) + 2.0)
    assert found.sigma == 0.0 and found.log_likelihood == 0.0
    assert found.beta == pytest.approx([1.0, 1.0]) and found.slack == pytest.approx(1.0)
