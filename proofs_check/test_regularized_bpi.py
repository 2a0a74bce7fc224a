"""Steps of the proofs about certified exploration, by symbols.

Each test is one step that docs/theory/regularized_bpi.md, or the radius it rests on in
docs/theory/confidence.md, leaves to algebra.
"""

from fractions import Fraction

import mpmath
import pytest
import sympy as sp


def test_the_gaussian_mixture_of_exponential_martingales() -> None:
    """int e^{xS - n s^2 x^2/2} s/sqrt(2 pi) e^{-x^2 s^2/2} dx = e^{S^2/(2 s^2 (n+1))}/sqrt(n+1)."""
    x, S = sp.symbols("x S", real=True)
    n, s = sp.symbols("n s", positive=True)
    inside = sp.exp(x * S - n * s**2 * x**2 / 2 - x**2 * s**2 / 2) * s / sp.sqrt(2 * sp.pi)
    left = sp.integrate(inside, (x, -sp.oo, sp.oo))
    right = sp.exp(S**2 / (2 * s**2 * (n + 1))) / sp.sqrt(n + 1)
    assert sp.simplify(left / right) == 1


def test_the_radius_is_where_the_mixture_is_one_over_delta() -> None:
    n, s, delta = sp.symbols("n s delta", positive=True)
    radius = s * sp.sqrt((n + 1) * (sp.log(n + 1) + 2 * sp.log(1 / delta)))
    log_mixture = radius**2 / (2 * s**2 * (n + 1)) - sp.log(n + 1) / 2
    assert sp.simplify(log_mixture - sp.log(1 / delta)) == 0


def test_the_divergence_of_coins_is_at_least_a_distance_of_roots() -> None:
    """2 (1 - sqrt(uv) - sqrt((1-u)(1-v))) is a sum of two squares; log z <= z - 1."""
    u, v = sp.symbols("u v", positive=True)
    below = 2 * (1 - sp.sqrt(u) * sp.sqrt(v) - sp.sqrt(1 - u) * sp.sqrt(1 - v))
    squares = (sp.sqrt(u) - sp.sqrt(v)) ** 2 + (sp.sqrt(1 - u) - sp.sqrt(1 - v)) ** 2
    assert sp.expand(squares - below) == 0
    z = sp.symbols("z", positive=True)
    gap = z - 1 - sp.log(z)
    assert gap.subs(z, 1) == 0
    assert sp.solve(sp.diff(gap, z), z) == [1] and sp.diff(gap, z, 2).subs(z, 1) == 1


@pytest.mark.parametrize("v", ["0", "1/1000", "1/3", "1/2", "9/10", "1"])
def test_the_distance_of_roots_on_a_grid(v: str) -> None:
    """With fifty digits: kl(v, u) >= (sqrt u - sqrt v)^2, equal only at u = v."""
    with mpmath.workdps(50):
        a = mpmath.mpf(Fraction(v).numerator) / Fraction(v).denominator
        for k in range(1, 200):
            b = mpmath.mpf(k) / 200
            kl = (a * mpmath.log(a / b) if a else 0) + (
                (1 - a) * mpmath.log((1 - a) / (1 - b)) if a < 1 else 0
            )
            assert kl >= (mpmath.sqrt(b) - mpmath.sqrt(a)) ** 2 - mpmath.mpf(10) ** -45


def test_sums_over_stages() -> None:
    m, H = sp.symbols("m H", integer=True, positive=True)
    squares = sp.summation((m * (m + 1)) ** 2, (m, 1, H - 1))
    assert sp.simplify(squares - (H - 1) * H * (H + 1) * (3 * H**2 - 2) / 15) == 0
    first = sp.summation(m**2, (m, 1, H - 1))
    assert sp.simplify(first - (H - 1) * H * (2 * H - 1) / 6) == 0
    # B^2 / (8 lambda) times a quarter of the first sum, and where the first certificate is epsilon.
    assert Fraction(1, 8) * Fraction(1, 4) * Fraction(1, 15) == Fraction(1, 480)
    assert Fraction(1, 8) * Fraction(1, 6) == Fraction(1, 48)


def test_the_eighth_of_one_stage() -> None:
    """int_0^1 (1-t) dt = 1/2, and of a law on two points the variance is at most span^2 / 4."""
    t, p, x, y = sp.symbols("t p x y", real=True)
    assert sp.integrate(1 - t, (t, 0, 1)) == Fraction(1, 2)
    variance = p * x**2 + (1 - p) * y**2 - (p * x + (1 - p) * y) ** 2
    assert sp.factor((x - y) ** 2 / 4 - variance) == sp.factor((x - y) ** 2 * (2 * p - 1) ** 2 / 4)


def test_the_second_derivative_of_a_soft_maximum_is_a_variance() -> None:
    s, tau = sp.symbols("s tau", positive=True)
    rho = sp.symbols("rho:3", positive=True)
    q, e = sp.symbols("q:3", real=True), sp.symbols("e:3", real=True)
    weights = [w * sp.exp((x + s * y) / tau) for w, x, y in zip(rho, q, e, strict=True)]
    total = sum(weights)
    mean = sum(w * y for w, y in zip(weights, e, strict=True)) / total
    square = sum(w * y**2 for w, y in zip(weights, e, strict=True)) / total
    second = sp.diff(tau * sp.log(total), s, 2)
    assert sp.simplify(second - (square - mean**2) / tau) == 0


def test_the_two_coins_of_unseen_contexts() -> None:
    d = sp.symbols("d", positive=True)
    one, other = (1 + d) / 2, (1 - d) / 2
    divergence = one * sp.log(one / other) + other * sp.log(other / one)
    k = d * sp.log((1 + d) / (1 - d))
    assert sp.simplify(sp.expand_log(divergence - k, force=True)) == 0
    # E e^{-nk} of Bin(T, 1/S), by its generating function.
    z, S = sp.symbols("z S", positive=True)
    for episodes in range(4):
        law = sum(
            sp.binomial(episodes, j) * (1 / S) ** j * (1 - 1 / S) ** (episodes - j) * z**j
            for j in range(episodes + 1)
        )
        assert sp.simplify(law - (1 - (1 - z) / S) ** episodes) == 0
