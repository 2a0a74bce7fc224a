"""Radii against their formulas in 50 digits; the inverse of kl is outside, and only just."""

from collections.abc import Callable
from typing import Any

import mpmath as mp
import numpy as np
import pytest

from rltheory.errors import ModelError
from rltheory.mathematics.concentration import (
    bernoulli_kl,
    bernstein_radius,
    empirical_bernstein_radius,
    hoeffding_radius,
    kl_lcb,
    kl_ucb,
    l1_radius,
)

EIGHT_UNITS = 8 * 2.0**-53
PLACES = [0.0, 1e-9, 1e-3, 0.1, 0.3, 0.5, 0.7, 0.99, 1 - 1e-9, 1.0]
LEVELS = [1e-14, 1e-8, 1e-3, 0.1, 1.0, 5.0, 40.0]


def exact(formula: Callable[..., Any], *arguments: float) -> float:
    with mp.workdps(50):
        return float(formula(*map(mp.mpf, arguments)))


def hoeffding(n: Any, delta: Any, scale: Any) -> Any:
    return scale * mp.sqrt(mp.log(2 / delta) / (2 * n))


def bernstein(n: Any, variance: Any, delta: Any, scale: Any) -> Any:
    log = mp.log(1 / delta)
    return mp.sqrt(2 * variance * log / n) + scale * log / (3 * n)


def empirical_bernstein(n: Any, variance: Any, delta: Any, scale: Any) -> Any:
    log = mp.log(2 / delta)
    return mp.sqrt(2 * variance * log / n) + 7 * scale * log / (3 * (n - 1))


def l1(n: Any, size: Any, delta: Any) -> Any:
    return mp.sqrt(2 * mp.log((2**size - 2) / delta) / n)


def test_radii_are_their_formulas() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        n, size = int(rng.integers(2, 10**6)), int(rng.integers(2, 40))
        delta, variance, scale = rng.random(), rng.random() / 4, 10 * rng.random()
        for radius, formula, arguments, trivial in (
            (hoeffding_radius, hoeffding, (n, delta, scale), scale),
            (bernstein_radius, bernstein, (n, variance, delta, scale), scale),
            (empirical_bernstein_radius, empirical_bernstein, (n, variance, delta, scale), scale),
            (l1_radius, l1, (n, size, delta), 2.0),
        ):
            expected = min(trivial, exact(formula, *arguments))
            assert radius(*arguments) == pytest.approx(expected, rel=EIGHT_UNITS, abs=0)


def test_numbers_that_the_specification_prints() -> None:
    # log(2/delta) at n = 50, delta = 0.1 is 2.9957; 7/3 of it over 49 is 0.1427.
    assert float(empirical_bernstein_radius(50, 0.0, 0.1)) == pytest.approx(0.14265, abs=1e-5)
    assert float(hoeffding_radius(2, 0.9)) == pytest.approx(0.4468, abs=5e-5)


def test_too_few_draws_give_the_trivial_range() -> None:
    assert hoeffding_radius(0, 0.1, 3.0) == 3.0 and bernstein_radius(0, 0.1, 0.1, 3.0) == 3.0
    assert empirical_bernstein_radius([0, 1], 0.1, 0.1, 3.0).tolist() == [3.0, 3.0]
    assert l1_radius(0, [1, 2, 50], 0.1).tolist() == [0.0, 2.0, 2.0]
    # and no radius is above it
    assert hoeffding_radius(1, 1e-9) == 1.0 and l1_radius(1, 10, 1e-9) == 2.0


def test_a_row_of_one_point_is_known() -> None:
    assert l1_radius([1, 7], 1, 0.1).tolist() == [0.0, 0.0]


def test_rows_of_thousands_of_points_do_not_overflow() -> None:
    expected = np.sqrt(2 * (5000 * np.log(2.0) - np.log(0.1)) / 1e6)
    assert float(l1_radius(10**6, 5000, 0.1)) == pytest.approx(expected, rel=1e-14)


def test_arrays_are_broadcast_and_scalars_stay_scalars() -> None:
    assert hoeffding_radius(np.arange(3)[:, None], [0.1, 0.2]).shape == (3, 2)
    assert kl_ucb([[0.1], [0.2]], [0.1, 0.2, 0.3]).shape == (2, 3)
    assert bernoulli_kl(np.full((2, 2), 0.5), 0.5).tolist() == [[0.0, 0.0], [0.0, 0.0]]
    for x in (hoeffding_radius(5, 0.1), l1_radius(5, 2, 0.1), kl_ucb(0.5, 0.1), kl_lcb(0.5, 0.1)):
        assert np.ndim(x) == 0 and isinstance(float(x), float)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: hoeffding_radius(-1, 0.1), "n is -1.0; it must be finite, at least 0"),
        (lambda: hoeffding_radius([5, np.inf], 0.1), "n is inf"),
        (lambda: hoeffding_radius(np.nan, 0.1), "n is nan"),
        (lambda: hoeffding_radius(5, 0.0), r"delta is 0.0; it must be in \(0, 1\)"),
        (lambda: l1_radius(5, 2, 1.0), "delta is 1.0"),
        (lambda: l1_radius(5, 0, 0.1), "size is 0.0"),
        (lambda: hoeffding_radius(5, 0.1, -1.0), "scale is -1.0"),
        (lambda: bernstein_radius(5, [0.1, -0.1], 0.1), "variance is -0.1"),
        (lambda: empirical_bernstein_radius(5, np.nan, 0.1), "variance is nan"),
        (lambda: bernoulli_kl(1.5, 0.5), r"p is 1.5; it must be in \[0, 1\]"),
        (lambda: bernoulli_kl(0.5, -0.5), "q is -0.5"),
        (lambda: kl_ucb(1.1, 0.1), "p_hat is 1.1"),
        (lambda: kl_lcb(0.5, -0.1), "level is -0.1; it must be at least 0"),
        (lambda: kl_ucb(0.5, np.nan), "level is nan"),
        (lambda: hoeffding_radius("many", 0.1), "n is 'many'; it must be a number or an array"),
    ],
)
def test_bad_arguments_are_named(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        call()


# --- relative entropy -----------------------------------------------------------------------


def kl_in_digits(p: Any, q: Any) -> Any:
    p, q = mp.mpf(p), mp.mpf(q)
    left = p * mp.log(p / q) if p else mp.mpf(0)
    right = (1 - p) * mp.log((1 - p) / (1 - q)) if p < 1 else mp.mpf(0)
    return left + right


def test_relative_entropy() -> None:
    rng = np.random.default_rng(1)
    pairs = [(p, q) for p in PLACES for q in PLACES if 0 < q < 1]
    pairs += [(float(p), float(q)) for p, q in rng.random((300, 2))]
    pairs += [(float(p), float(p * (1 + 1e-7))) for p in 0.9 * rng.random(100)]
    with mp.workdps(50):
        for p, q in pairs:
            # The documented error: 2^-49 of two terms, each at most |q - p| (1 + log of a ratio).
            ratio = abs(mp.log((1 - mp.mpf(p) + 1e-300) / (1 - mp.mpf(q)))) if p < 1 else 0
            ratio += abs(mp.log((mp.mpf(p) + mp.mpf(10) ** -300) / q)) if p > 0 else 0
            slack = 2.0**-49 * float(abs(mp.mpf(q) - p) * 2 + (ratio if abs(q - p) > 0.1 else 0))
            assert abs(float(kl_in_digits(p, q) - mp.mpf(float(bernoulli_kl(p, q))))) <= slack


def test_relative_entropy_at_the_ends() -> None:
    assert bernoulli_kl([0.0, 1.0, 0.3], [0.0, 1.0, 0.3]).tolist() == [0.0, 0.0, 0.0]
    assert bernoulli_kl([0.5, 0.5, 0.0, 1.0], [0.0, 1.0, 1.0, 0.0]).tolist() == [np.inf] * 4
    assert bernoulli_kl(0.0, 0.25) == pytest.approx(-np.log(0.75), rel=1e-15)
    # Pinsker's inequality, and its constant: kl(1/2, 1/2 + e) = 2 e^2 + ...
    assert bernoulli_kl(0.501, 0.5) == pytest.approx(2e-6, rel=1e-5)


def upper_in_digits(p: Any, level: float) -> Any:
    if p == 1:
        return mp.mpf(1)
    low, high = mp.mpf(p), mp.mpf(1)
    for _ in range(170):
        middle = (low + high) / 2
        low, high = (low, middle) if kl_in_digits(p, middle) > level else (middle, high)
    return low


def test_the_inverse_is_outside_of_the_exact_one_and_only_just() -> None:
    rng = np.random.default_rng(2)
    cases = [(p, b) for p in PLACES for b in LEVELS]
    cases += [(float(rng.random()), float(10 ** rng.uniform(-12, 1))) for _ in range(30)]
    with mp.workdps(60):
        for p, b in cases:
            upper, lower = mp.mpf(float(kl_ucb(p, b))), mp.mpf(float(kl_lcb(p, b)))
            exact_upper = upper_in_digits(p, b)
            exact_lower = 1 - upper_in_digits(1 - mp.mpf(p), b)
            assert 0 <= upper - exact_upper <= 2.0**-47 * exact_upper
            assert 0 <= exact_lower - lower <= 2.0**-47


def test_a_small_lower_bound_keeps_its_digits() -> None:
    # p_hat - sqrt(level/2) cancels here; the bound must not fall to 0 for it.
    p, b = 1e-9, 1e-10
    with mp.workdps(60):
        expected = float(1 - upper_in_digits(1 - mp.mpf(p), b))
    assert 0 < float(kl_lcb(p, b)) <= expected
    assert float(kl_lcb(p, b)) == pytest.approx(expected, rel=1e-6)


def test_closed_forms_of_the_inverse() -> None:
    levels = np.array([0.0, 1e-300, 1e-10, 0.5, 700.0, np.inf])
    assert kl_ucb(0.0, levels) == pytest.approx(-np.expm1(-levels), rel=1e-14)
    assert kl_lcb(1.0, levels) == pytest.approx(np.exp(-levels), rel=1e-14)
    assert (kl_ucb(1.0, levels) == 1.0).all() and (kl_lcb(0.0, levels) == 0.0).all()
    places = np.linspace(0, 1, 11)
    assert kl_ucb(places, 0.0).tolist() == places.tolist() == kl_lcb(places, 0.0).tolist()
    assert (kl_ucb(places, np.inf) == 1.0).all() and (kl_lcb(places, np.inf) == 0.0).all()


def test_the_inverse_rises_with_both_arguments() -> None:
    p, b = np.linspace(0, 1, 201)[:, None], np.linspace(0, 2, 101)
    upper, lower = kl_ucb(p, b), kl_lcb(p, b)
    slack = 2.0**-48
    assert (np.diff(upper, axis=0) >= -slack).all() and (np.diff(upper, axis=1) >= -slack).all()
    assert (np.diff(lower, axis=0) >= -slack).all() and (np.diff(lower, axis=1) <= slack).all()
    assert (lower <= p).all() and (p <= upper).all()
