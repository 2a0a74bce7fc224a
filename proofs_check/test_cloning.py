"""Steps of the proofs about cloning and planning from a clone, by symbols and in rationals.

Each test is one step that docs/theory/cloning.md leaves to algebra.
"""

import math
from fractions import Fraction
from itertools import product

import pytest
import sympy as sp

x, u, q, lam = sp.symbols("x u q lambda", positive=True)


# --- one soft maximum ---------------------------------------------------------------------


def test_log_partition_of_two_actions() -> None:
    """d^2 F / d q1^2 = pi1 (1 - pi1) / lambda, and dF / d lambda = -KL(pi, rho)."""
    q1, q2 = sp.symbols("q1 q2", real=True)
    w = sp.symbols("w", positive=True)
    rho = [w / (1 + w), 1 / (1 + w)]
    total = rho[0] * sp.exp(q1 / lam) + rho[1] * sp.exp(q2 / lam)
    F = lam * sp.log(total)
    pi = [rho[0] * sp.exp(q1 / lam) / total, rho[1] * sp.exp(q2 / lam) / total]
    assert sp.simplify(sp.diff(F, q1, 2) - pi[0] * (1 - pi[0]) / lam) == 0
    # log(pi / rho) = q / lambda - log(total), so KL = <pi, q> / lambda - log(total).
    kl = (pi[0] * q1 + pi[1] * q2) / lam - sp.log(total)
    assert sp.simplify(sp.diff(F, lam) + kl) == 0


def test_the_bregman_divergence_is_a_divergence_of_laws() -> None:
    """F(y) - F(x) - <pi_x, y - x> = lambda KL(pi_x, pi_y), two actions."""
    x1, x2, y1, y2 = sp.symbols("x1 x2 y1 y2", real=True)

    def soft(a: sp.Expr, b: sp.Expr) -> tuple[sp.Expr, list[sp.Expr], sp.Expr]:
        total = (sp.exp(a / lam) + sp.exp(b / lam)) / 2
        return (
            lam * sp.log(total),
            [sp.exp(a / lam) / 2 / total, sp.exp(b / lam) / 2 / total],
            total,
        )

    (Fx, px, tx), (Fy, _, ty) = soft(x1, x2), soft(y1, y2)
    bregman = Fy - Fx - px[0] * (y1 - x1) - px[1] * (y2 - x2)
    ratios = [(a - b) / lam - sp.log(tx) + sp.log(ty) for a, b in ((x1, y1), (x2, y2))]
    kl = px[0] * ratios[0] + px[1] * ratios[1]
    assert sp.simplify(bregman - lam * kl) == 0


def test_popoviciu_and_the_eighth() -> None:
    """Var = a (1 - a) span^2 <= span^2 / 4 on two points, and the integral of 1 - t is 1/2."""
    a, span, t = sp.symbols("a span t", positive=True)
    variance = a * span**2 - (a * span) ** 2
    assert sp.expand(span**2 / 4 - variance - (span * (a - sp.Rational(1, 2))) ** 2) == 0
    assert sp.integrate(1 - t, (t, 0, 1)) * sp.Rational(1, 4) == sp.Rational(1, 8)


def test_popoviciu_for_any_law() -> None:
    """(M - Y)(Y - m) >= 0 gives Var <= (M - mean)(mean - m) <= span^2 / 4."""
    M, m, mean = sp.symbols("M m mean", real=True)
    rest = (M - m) ** 2 / 4 - (M - mean) * (mean - m)
    assert sp.expand(rest - (mean - (M + m) / 2) ** 2) == 0


# --- Yang and Barron's function -----------------------------------------------------------

YB = (u * sp.log(u) - u + 1) / (sp.sqrt(u) - 1) ** 2


def test_limits_of_the_ratio_of_kl_and_hellinger() -> None:
    assert sp.limit(YB, u, 1) == 2
    assert sp.limit(YB, u, 0, "+") == 1


def test_the_ratio_increases() -> None:
    """With u = x^2: the derivative is (2 x^2 - 2 - 4 x log x) / (x - 1)^3, of sign +."""
    f = (2 * x**2 * sp.log(x) - x**2 + 1) / (x - 1) ** 2
    numerator = 2 * x**2 - 2 - 4 * x * sp.log(x)
    assert sp.simplify(sp.diff(f, x) - numerator / (x - 1) ** 3) == 0
    assert numerator.subs(x, 1) == 0
    # Its derivative is 4 (x - 1 - log x), whose minimum 0 is at 1.
    slope = sp.diff(numerator, x)
    assert sp.simplify(slope - 4 * (x - 1 - sp.log(x))) == 0
    assert slope.subs(x, 1) == 0 and sp.solve(sp.diff(slope, x), x) == [1]
    assert sp.diff(slope, x, 2).subs(x, 1) > 0


def test_the_ratio_is_below_two_plus_the_logarithm() -> None:
    m = sp.expand((2 + 2 * sp.log(x)) * (x - 1) ** 2 - (2 * x**2 * sp.log(x) - x**2 + 1))
    wanted = 3 * x**2 - 4 * x + 1 - 4 * x * sp.log(x) + 2 * sp.log(x)
    assert sp.simplify(m - wanted) == 0
    assert m.subs(x, 1) == 0 and sp.diff(m, x).subs(x, 1) == 0
    second = sp.diff(m, x, 2)
    assert sp.simplify(second - (6 - 4 / x - 2 / x**2)) == 0
    assert second.subs(x, 1) == 0
    # 6 - 4/x - 2/x^2 increases, so it is at least 0 from 1 on.
    assert sp.simplify(sp.diff(second, x) - (4 / x**2 + 4 / x**3)) == 0


def test_twice_hellinger_is_not_enough() -> None:
    at = YB.subs(u, 9)
    assert float(at) > 2.0 and float(at) < float(2 + sp.log(9))


# --- inverse moments ----------------------------------------------------------------------


@pytest.mark.parametrize("n", range(7))
def test_inverse_moment_of_a_binomial(n: int) -> None:
    """E 1/(M+1) = (1 - (1-q)^(n+1)) / ((n+1) q)."""
    p = sp.symbols("p")
    mean = sum(sp.binomial(n, m) * p**m * (1 - p) ** (n - m) / (m + 1) for m in range(n + 1))
    assert sp.expand(mean * (n + 1) * p - (1 - (1 - p) ** (n + 1))) == 0


def test_the_mean_of_one_row_is_below_the_logarithm() -> None:
    """log((n+A)/(n+1)) <= (A-1)/(n+1), attained by certain experts in the first step."""
    for n, A in product(range(5), range(1, 5)):
        assert math.log((n + A) / (n + 1)) <= (A - 1) / (n + 1)
        certain = math.log((n + A) / (n + 1))  # -log of (n + 1)/(n + A)
        assert certain == pytest.approx(-math.log(Fraction(n + 1, n + A)))


def test_distance_of_the_clone_from_frequencies() -> None:
    """sum |A p_a - 1| <= 2 (A - 1) over laws: largest at a vertex."""
    for A in range(2, 5):
        grid = [p for p in product(range(7), repeat=A) if sum(p) == 6]
        largest = max(sum(abs(Fraction(A * k, 6) - 1) for k in p) for p in grid)
        assert largest == 2 * (A - 1)


def test_chernoff_with_parameter_one() -> None:
    assert float(1 - sp.exp(-1)) > 0.5


@pytest.mark.parametrize("A", range(2, 5))
@pytest.mark.parametrize("n", [1, 2, 5, 40])
def test_logarithm_of_the_binomial_coefficient(n: int, A: int) -> None:
    assert math.log(math.comb(n + A - 1, A - 1)) <= (A - 1) * (1 + math.log1p(n / (A - 1)))


# --- sums of squares ----------------------------------------------------------------------


def test_sums_over_stages() -> None:
    H, m, h = sp.symbols("H m h", positive=True, integer=True)
    fourth = sp.summation(m**2 * (m + 1) ** 2, (m, 1, H - 1))
    wanted = (H - 1) * H * (H + 1) * (3 * H**2 - 2) / 15
    assert sp.expand(fourth - wanted) == 0
    squares = sp.summation((H - h) ** 2, (h, 1, H))
    assert sp.expand(squares - (H - 1) * H * (2 * H - 1) / 6) == 0


# --- Bayes risk ---------------------------------------------------------------------------


def compositions(n: int, size: int) -> list[tuple[int, ...]]:
    return [c for c in product(range(n + 1), repeat=size) if sum(c) == n]


@pytest.mark.parametrize("A", [2, 3, 4])
@pytest.mark.parametrize("n", range(5))
def test_risk_of_add_one_against_all_compositions(n: int, A: int) -> None:
    """R_A(n) by its formula, and as E sum p log p - E sum q log q over all counts."""
    entropy = sp.Rational(1) - sum(sp.Rational(1, j) for j in range(1, A + 1))
    assert sp.simplify(sp.digamma(2) - sp.digamma(A + 1) - entropy) == 0
    terms: dict[Fraction, Fraction] = {}  # coefficients of (share) log (share)
    below = math.comb(n + A - 1, A - 1)
    all_counts = compositions(n, A)
    assert len(all_counts) == below
    for counts in all_counts:
        for k in counts:
            share = Fraction(k + 1, n + A)
            terms[share] = terms.get(share, Fraction(0)) + Fraction(1, below)
    for k in range(n + 1):
        share = Fraction(k + 1, n + A)
        formula = A * Fraction(math.comb(n - k + A - 2, A - 2), below)
        assert terms.pop(share, Fraction(0)) == formula
    assert not terms


def test_entropy_under_a_beta_law() -> None:
    """E x log x of Beta(1, b) is (psi(2) - psi(b + 2)) / (b + 1), here for b = 1, 2."""
    for b in (1, 2):
        t = sp.symbols("t", positive=True)
        mean = sp.integrate(b * (1 - t) ** (b - 1) * t * sp.log(t), (t, 0, 1))
        assert sp.simplify(mean - (sp.digamma(2) - sp.digamma(b + 2)) / (b + 1)) == 0


def test_risks_of_the_specification() -> None:
    """R_2(0) = log 2 - 1/2."""
    A, n = 2, 0
    value = 1 - sp.Rational(3, 2) - A * sp.Rational(1, 2) * sp.log(sp.Rational(1, 2))
    assert sp.simplify(value - (sp.log(2) - sp.Rational(1, 2))) == 0 and n == 0


def test_posterior_mean_minimises_the_mean_divergence() -> None:
    """-(q log z + (1 - q) log(1 - z)) is stationary at z = q, and convex."""
    z = sp.symbols("z", positive=True)
    loss = -(q * sp.log(z) + (1 - q) * sp.log(1 - z))
    assert sp.simplify(sp.diff(loss, z).subs(z, q)) == 0
    second = sp.diff(loss, z, 2)
    assert sp.simplify(second - (q / z**2 + (1 - q) / (1 - z) ** 2)) == 0


# --- inclusion and exclusion --------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_every_action_is_drawn(n: int) -> None:
    p = [Fraction(1, 2), Fraction(3, 10), Fraction(1, 5)]
    seen = sum(
        math.prod((p[a] for a in draws), start=Fraction(1))
        for draws in product(range(3), repeat=n)
        if set(draws) == {0, 1, 2}
    )
    formula = Fraction(0)
    for chosen in product((0, 1), repeat=3):
        kept = 1 - sum(x for x, c in zip(p, chosen, strict=True) if c)
        formula += (-1) ** sum(chosen) * kept**n
    assert seen == formula
    assert seen <= 1 - max(p) ** n
