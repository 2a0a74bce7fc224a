"""Steps of the proofs about rewards from preferences, by symbols and exact rationals.

Each test is one step that docs/theory/preferences.md or docs/theory/linear_demonstrations.md leaves
to algebra.
"""

import itertools
from fractions import Fraction
from math import comb, factorial

import pytest
import sympy as sp

v, K, b, t, x, lam = sp.symbols("v K b t x lambda", positive=True)


@pytest.mark.parametrize("n", range(7))
@pytest.mark.parametrize("p", [Fraction(1, 3), Fraction(1, 10), Fraction(1)])
def test_6_mean_of_one_over_a_count(n: int, p: Fraction) -> None:
    """E 1/(M+1) = (1 - (1-p)^(n+1)) / ((n+1) p), M binomial."""
    mean = sum(
        (comb(n, m) * p**m * (1 - p) ** (n - m) / Fraction(m + 1) for m in range(n + 1)),
        Fraction(0),
    )
    assert mean == (1 - (1 - p) ** (n + 1)) / ((n + 1) * p)


def test_7_bernstein_duality() -> None:
    root = sp.sqrt(2 * K / v)
    best = root / (1 + b / 3 * root)
    assert sp.simplify(1 - b * best / 3 - 1 / (1 + b / 3 * root)) == 0  # so b t < 3
    value = (K + v * best**2 / (2 * (1 - b * best / 3))) / best
    assert sp.simplify(value - sp.sqrt(2 * v * K) - b * K / 3) == 0


def test_7_other_exponents_are_no_better() -> None:
    objective = (K + v * t**2 / (2 * (1 - b * t / 3))) / t
    root = sp.sqrt(2 * K / v)
    slope = sp.diff(objective, t).subs(t, root / (1 + b / 3 * root))
    assert sp.simplify(slope) == 0


def test_8_curvature_of_the_logistic_link() -> None:
    sigma = 1 / (1 + sp.exp(-x))
    assert sp.simplify(1 / sp.diff(sigma, x) - (2 + sp.exp(x) + sp.exp(-x))) == 0
    assert sp.simplify((2 + sp.exp(x) + sp.exp(-x) - 4 * sp.cosh(x / 2) ** 2).rewrite(sp.exp)) == 0


def test_phi_is_a_mean_of_exponentials_and_below_bernsteins_fraction() -> None:
    phi = (sp.exp(x) - 1 - x) / x**2
    integral = sp.integrate((1 - t) * sp.exp(t * x), (t, 0, 1))
    assert sp.simplify(integral - phi) == 0
    assert sp.limit(phi, x, 0) == sp.Rational(1, 2)
    for k in range(60):  # coefficients of 1/(k+2)! and 1/(2 3^k)
        assert factorial(k + 2) >= 2 * 3**k


def test_bernoulli_laws_and_hellinger() -> None:
    """h^2 (4 - h^2) / 4 - (p - q)^2 as a square, of the affinity cos(alpha - beta)."""
    alpha, beta = sp.symbols("alpha beta", real=True)
    p, q = sp.cos(alpha) ** 2, sp.cos(beta) ** 2
    affinity = sp.cos(alpha - beta)  # sqrt(pq) + sqrt((1-p)(1-q)), angles in [0, pi/2]
    h2 = 2 - 2 * affinity
    difference = h2 * (4 - h2) / 4 - (p - q) ** 2
    square = (sp.sin(alpha - beta) * sp.cos(alpha + beta)) ** 2
    assert sp.simplify(sp.expand_trig(difference - square)) == 0


def test_half_the_mean_squared_difference_is_the_variance() -> None:
    law = [Fraction(1, 6), Fraction(1, 3), Fraction(1, 2)]
    f = [Fraction(2), Fraction(-1), Fraction(5)]
    mean = sum(p * y for p, y in zip(law, f, strict=True))
    variance = sum(p * (y - mean) ** 2 for p, y in zip(law, f, strict=True))
    pairs = itertools.product(zip(law, f, strict=True), repeat=2)
    assert sum(p * q * (y - z) ** 2 for (p, y), (q, z) in pairs) / 2 == variance


def test_expected_shaping_moves_the_soft_maximum_by_the_potential() -> None:
    """Q changes by one number for all actions: so does tau log sum rho exp(Q/tau)."""
    q0, q1, r0, r1, potential = sp.symbols("q0 q1 r0 r1 potential", positive=True)

    def soft(shift: sp.Expr) -> sp.Expr:
        return lam * sp.log(r0 * sp.exp((q0 - shift) / lam) + r1 * sp.exp((q1 - shift) / lam))

    change = sp.exp(soft(potential) / lam) - sp.exp((soft(0) - potential) / lam)
    assert sp.simplify(change) == 0


def test_gap_of_the_hacked_bandit() -> None:
    kappa = sp.symbols("kappa", positive=True)
    weights = [(1 - kappa) * sp.exp(1 / (2 * lam)), kappa / 4 * sp.exp(1 / lam)]
    weights += [kappa / 4] * 3
    gap = (1 - weights[0] / sum(weights)) / 2
    e = sp.exp(1 / lam) + 3
    stated = kappa / 8 * e / ((1 - kappa) * sp.exp(1 / (2 * lam)) + kappa / 4 * e)
    assert sp.simplify(gap - stated) == 0


def test_corollary_at_twice_the_horizon() -> None:
    H = sp.symbols("H", positive=True)
    phi_at_1 = sp.E - 2
    assert sp.simplify(2 * H * K + 2 * H * K / 3 - sp.Rational(8, 3) * H * K) == 0
    assert float(phi_at_1 / 2) < 0.36
