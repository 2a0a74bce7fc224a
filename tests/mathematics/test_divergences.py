"""The table of f-divergences: generators in 50 digits, Fenchel-Young, inequalities that are met."""

import itertools
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rltheory.errors import ModelError
from rltheory.mathematics.divergences import (
    DIVERGENCES,
    FDivergence,
    alpha_divergence,
    bernoulli_kl,
    divergence,
    log_divergence,
    renyi_divergence,
)

ALPHAS = (-1.5, -1.0, 1e-6, 0.3, 0.5, 0.999, 1.7, 2.0, 3.0)
ROWS = (*DIVERGENCES.values(), *map(alpha_divergence, ALPHAS))
RATIOS = (1e-12, 1e-3, 0.1, 0.5, 0.97, 1 - 1e-7, 1.0, 1 + 1e-9, 1.04, 1.3, 2.0, 7.0, 1e4)

GENERATORS: dict[str, Callable[[Any], Any]] = {
    "kl": lambda t: t * mp.log(t) - t + 1,
    "rkl": lambda t: t - 1 - mp.log(t),
    "chi2": lambda t: (t - 1) ** 2,
    "neyman": lambda t: (t - 1) ** 2 / t,
    "tv": lambda t: abs(t - 1) / 2,
    "hellinger": lambda t: (mp.sqrt(t) - 1) ** 2,
    "js": lambda t: t * mp.log(t) - (t + 1) * mp.log((t + 1) / 2),
    "softchi2": lambda t: t * mp.log(t) - t + 1 if t < 1 else (t - 1) ** 2 / 2,
}


def generator(row: FDivergence) -> Callable[[Any], Any]:
    if row.name in GENERATORS:
        return GENERATORS[row.name]
    a = float(row.name[6:-1])
    return lambda t: (t ** mp.mpf(a) - a * t + a - 1) / (mp.mpf(a) * (a - 1))


def laws(size: int = 3) -> st.SearchStrategy[np.ndarray]:
    masses = st.lists(st.integers(0, 50), min_size=size, max_size=size).filter(any)
    return masses.map(lambda w: np.array(w) / sum(w))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_generators_are_their_formulas_to_the_last_digits(row: FDivergence) -> None:
    with mp.workdps(60):
        expected = [float(generator(row)(mp.mpf(t))) for t in RATIOS]
    assert np.allclose(row.generator(RATIOS), expected, rtol=2e-13, atol=0.0)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_derivatives_and_ends_are_those_of_the_generator(row: FDivergence) -> None:
    f = generator(row)
    with mp.workdps(40):
        for t in (0.1, 0.6, 1.7, 5.0):
            assert row.derivative(t) == pytest.approx(float(mp.diff(f, mp.mpf(t))), rel=1e-10)
        if row.name not in ("tv", "softchi2"):
            assert float(mp.diff(f, 1, 2)) == pytest.approx(row.curvature, rel=1e-10)
        far = float(f(mp.mpf(10) ** 20_000_000) / mp.mpf(10) ** 20_000_000)
        near = float(f(mp.mpf(10) ** -20_000_000))
    assert far == pytest.approx(row.recession, rel=1e-9) if row.recession < np.inf else far > 50
    assert near == pytest.approx(row.at_zero, rel=1e-6) if row.at_zero < np.inf else near > 50
    assert row.generator(1.0) == 0.0 and row.derivative(1.0) == 0.0
    assert row.generator(0.0) == row.at_zero and row.derivative(0.0) == row.slope_at_zero
    assert row.conjugate(0.0) == 0.0 and row.ratio(0.0) == 1.0


def places(row: FDivergence) -> np.ndarray:
    top = min(row.recession, 3.0)
    return np.array([-5.0, -2.0, -1.0, -0.4, -1e-3, 0.0, 0.1 * top, 0.5 * top, 0.99 * top])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_fenchel_young_holds_and_is_attained_at_the_ratio(row: FDivergence) -> None:
    y = places(row)
    w = row.ratio(y)
    at_w = w * y - row.generator(w)
    assert np.allclose(row.conjugate(y), at_w, rtol=1e-11, atol=1e-13)
    t = np.concatenate([[0.0], np.geomspace(1e-6, 1e6, 401)])
    with np.errstate(invalid="ignore"):
        slack = row.conjugate(y)[:, None] - (t * y[:, None] - row.generator(t))
    assert (slack >= -1e-12 * (1 + t)).all()
    assert row.conjugate(row.recession + 0.1) == np.inf or row.recession == np.inf


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_conjugate_of_the_conjugate_is_the_generator(row: FDivergence) -> None:
    for t in (0.2, 0.9, 1.0, 1.8, 4.0):
        y = row.derivative(t)
        assert t * y - row.conjugate(y) == pytest.approx(float(row.generator(t)), abs=1e-12)
        if row.name != "tv":
            assert row.ratio(y) == pytest.approx(t, rel=1e-10)


@pytest.mark.parametrize("name", ["tv", "neyman", "alpha(-1.5)"])
def test_a_conjugate_that_is_finite_at_the_end_of_its_domain(name: str) -> None:
    row = next(row for row in ROWS if row.name == name)
    t = np.geomspace(1, 1e12, 200)
    assert (t * row.recession - row.generator(t) <= row.conjugate(row.recession) + 1e-3).all()
    below = row.conjugate(row.recession * (1 - 1e-12))
    assert row.conjugate(row.recession) == pytest.approx(float(below), rel=1e-4)


def test_a_floor_under_the_ratio() -> None:
    y, c = np.array([-4.0, -1.0, 0.0, 1.0]), 0.3
    expected = c * y - (c - 1) ** 2 + np.maximum(1 + y / 2 - c, 0) ** 2
    assert np.allclose(DIVERGENCES["chi2"].conjugate_above(y, c), expected)
    for row in ROWS:
        y = places(row)
        assert np.allclose(row.conjugate_above(y, 0.0)[1:-1], row.conjugate(y)[1:-1]) or (
            row.at_zero == np.inf
        )


def test_named_conventions_on_rational_laws() -> None:
    p, q = [Fraction(1, 2), Fraction(1, 2)], [Fraction(9, 10), Fraction(1, 10)]
    a, b = np.array(p, float), np.array(q, float)
    assert divergence("chi2", a, b) == pytest.approx(
        float(sum((x - y) ** 2 / y for x, y in zip(p, q, strict=True)))
    )
    assert divergence("neyman", a, b) == pytest.approx(float(divergence("chi2", b, a)))
    assert divergence("tv", a, b) == pytest.approx(0.4)
    assert divergence("rkl", a, b) == pytest.approx(float(divergence("kl", b, a)))
    assert divergence("kl", a, b) == pytest.approx(float(bernoulli_kl(0.5, 0.9)))
    assert divergence("hellinger", a, b) == pytest.approx(2 - 2 * np.sqrt(a * b).sum())
    m = (a + b) / 2
    assert divergence("js", a, b) == pytest.approx(divergence("kl", a, m) + divergence("kl", b, m))
    assert divergence(alpha_divergence(2), a, b) == pytest.approx(divergence("chi2", a, b) / 2)
    assert divergence(alpha_divergence(-1), a, b) == pytest.approx(divergence("neyman", a, b) / 2)


@pytest.mark.parametrize(
    ("name", "apart"),
    [("kl", np.inf), ("rkl", np.inf), ("chi2", np.inf), ("neyman", np.inf), ("tv", 1.0),
     ("hellinger", 2.0), ("js", 2 * math.log(2)), ("softchi2", np.inf)],
)  # fmt: skip
def test_laws_apart_cost_what_the_ends_say(name: str, apart: float) -> None:
    assert divergence(name, [1.0, 0.0], [0.0, 1.0]) == pytest.approx(apart)
    assert divergence(name, [1.0, 0.0], [1.0, 0.0]) == 0.0


def test_laws_that_are_close_lose_no_digits() -> None:
    e = 2.0**-40
    p, q = [0.5 + e, 0.5 - e], [0.5, 0.5]
    for row in ROWS:
        if row.name != "tv":
            expected = row.curvature / 2 * 4 * e * e
            assert divergence(row, p, q) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_logarithms_of_masses_give_the_same(row: FDivergence) -> None:
    p, q = np.array([0.2, 0.3, 0.5]), np.array([0.6, 1e-9, 0.4 - 1e-9])
    got = log_divergence(row, np.log(p), np.log(q))
    assert got == pytest.approx(float(divergence(row, p, q)), rel=1e-12)


def test_masses_below_every_double() -> None:
    log_p, log_q = np.array([-2000.0, 0.0]), np.array([-1000.0, 0.0])
    assert log_divergence("kl", log_p, log_q) == 0.0
    assert log_divergence("tv", [0.0, -5000.0], [-5000.0, 0.0]) == pytest.approx(1.0)
    assert log_divergence("rkl", [0.0, -5000.0], [-5000.0, 0.0]) == pytest.approx(5000.0)


@settings(max_examples=150)
@given(laws(), laws())
def test_inequalities_between_them(p: np.ndarray, q: np.ndarray) -> None:
    kl, tv, chi2, h2, js = (
        float(divergence(n, p, q)) for n in ("kl", "tv", "chi2", "hellinger", "js")
    )
    safe = 1e-12
    assert 2 * tv**2 <= kl + safe  # Pinsker
    assert tv <= 1 - 0.5 * math.exp(-kl) + safe  # Bretagnolle and Huber, weaker form
    assert h2 / 2 <= tv + safe and tv <= math.sqrt(h2 * (1 - h2 / 4)) + safe  # Le Cam
    assert kl <= math.log1p(chi2) + safe and h2 <= kl + safe
    assert tv <= 0.5 * math.sqrt(chi2) + safe
    assert js <= 2 * math.log(2) * tv + safe and js <= h2 * 2 * math.log(2) + safe
    assert all(float(divergence(row, p, q)) >= 0.0 for row in ROWS)
    orders = [float(renyi_divergence(a, p, q)) for a in (0, 0.5, 0.999, 1, 1.001, 2, 5, math.inf)]
    assert all(x <= y + 1e-9 for x, y in itertools.pairwise(orders))


def test_inequalities_that_are_attained() -> None:
    e = 1e-4
    p, q = [0.5 + e, 0.5 - e], [0.5, 0.5]
    assert 2 * divergence("tv", p, q) ** 2 / divergence("kl", p, q) == pytest.approx(1, abs=1e-7)
    p, q = [1.0, 0.0], [0.3, 0.7]  # p uniform on part of a space: KL = log(1 + chi2)
    assert divergence("kl", p, q) == pytest.approx(math.log1p(float(divergence("chi2", p, q))))
    p, q = [0.7, 0.0, 0.3], [0.0, 0.7, 0.3]
    assert divergence("hellinger", p, q) / 2 == pytest.approx(float(divergence("tv", p, q)))
    assert divergence("js", p, q) == pytest.approx(2 * math.log(2) * float(divergence("tv", p, q)))
    p, q = [0.8, 0.2], [0.2, 0.8]  # tv = h sqrt(1 - h^2/4) for a pair and its mirror
    h2 = float(divergence("hellinger", p, q))
    assert divergence("tv", p, q) == pytest.approx(math.sqrt(h2 * (1 - h2 / 4)))


def test_renyi_at_its_named_orders() -> None:
    p, q = np.array([0.5, 0.5, 0.0]), np.array([0.25, 0.25, 0.5])
    for order in (0, 0.3, 0.5, 1, 1.5, 2, 7, np.inf):
        assert renyi_divergence(order, p, q) == pytest.approx(math.log(2))
    assert renyi_divergence(2, q, p) == np.inf and renyi_divergence(0.5, [1, 0], [0, 1]) == np.inf
    a, b = np.array([0.2, 0.8]), np.array([0.6, 0.4])
    assert renyi_divergence(2, a, b) == pytest.approx(math.log1p(float(divergence("chi2", a, b))))
    near = renyi_divergence(1 + 1e-9, a, b)
    assert near == pytest.approx(float(divergence("kl", a, b)), rel=1e-7)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: divergence("l2", [1.0], [1.0]), "divergence 'l2'; it must be one of kl"),
        (lambda: divergence("kl", [1.0, -0.1], [0.5, 0.5]), "p is -0.1"),
        (lambda: divergence("kl", [1.0, 0.0], [1.0]), "last axes"),
        (lambda: log_divergence("kl", [0.0], [np.inf]), "log_q is inf"),
        (lambda: alpha_divergence(math.inf), "a is inf"),
        (lambda: renyi_divergence(-1.0, [1.0], [1.0]), "order is -1.0"),
        (lambda: DIVERGENCES["kl"].generator(-1.0), "t is -1.0"),
    ],
)
def test_bad_arguments_are_named(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        call()
