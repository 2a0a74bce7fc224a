"""Steps of the proofs of the topic foundations, by symbols or in exact rationals.

Each test is one step that a proof in docs/theory/foundations.md leaves to algebra: an identity is
simplified to 0, an inequality is reduced to a sign that sympy knows. Numbers are those of the list
of symbolic checks of the specification; what has none belongs to the claim that is named.
"""

from fractions import Fraction
from itertools import product
from math import factorial, prod

import pytest
import sympy as sp

g, q, eps, r = sp.symbols("gamma q epsilon r", positive=True)
t, h, N = sp.symbols("t h N", integer=True, nonnegative=True)


def is_zero(expression: sp.Expr) -> bool:
    return sp.simplify(expression) == 0


def test_1_logarithm_above_its_chord() -> None:
    """log(1 + u) >= u log 2 on [0, 1]: 0 at both ends, concave between."""
    u = sp.symbols("u", nonnegative=True)
    f = sp.log(1 + u) - u * sp.log(2)
    assert f.subs(u, 0) == 0 and f.subs(u, 1) == 0
    assert sp.diff(f, u, 2).is_negative


def test_2_gaussian_mixture() -> None:
    """int exp(theta S - n theta^2 sigma^2/2) dN(0, 1/(kappa sigma^2))(theta) in closed form."""
    theta, S = sp.symbols("theta S", real=True)
    n, sigma, kappa = sp.symbols("n sigma kappa", positive=True)
    density = sp.sqrt(kappa * sigma**2 / (2 * sp.pi)) * sp.exp(-kappa * sigma**2 * theta**2 / 2)
    moment = sp.exp(theta * S - n * theta**2 * sigma**2 / 2)
    found = sp.integrate(sp.expand(sp.powsimp(moment * density)), (theta, -sp.oo, sp.oo))
    wanted = sp.sqrt(kappa / (n + kappa)) * sp.exp(S**2 / (2 * sigma**2 * (n + kappa)))
    assert is_zero(sp.powsimp(found / wanted) - 1)


@pytest.mark.parametrize("counts", [(0, 0), (3, 1), (2, 5), (1, 0, 2), (2, 1, 1), (0, 0, 0)])
def test_3_dirichlet_integral(counts: tuple[int, ...]) -> None:
    """int prod p_k^{N_k} over the uniform law of the simplex: (S-1)! prod N_k! / (n+S-1)!."""
    S, n = len(counts), sum(counts)
    x = sp.symbols(f"x:{S - 1}", positive=True)
    integrand = sp.expand(
        prod(p**k for p, k in zip(x, counts, strict=False)) * (1 - sum(x)) ** counts[-1]
    )
    for i in reversed(range(S - 1)):
        integrand = sp.expand(sp.integrate(integrand, (x[i], 0, 1 - sum(x[:i]))))
    wanted = sp.Rational(factorial(S - 1) * prod(map(factorial, counts)), factorial(n + S - 1))
    assert factorial(S - 1) * integrand == wanted


def mixture_mean(p: list[Fraction], n: int) -> Fraction:
    """E M_n of the Dirichlet mixture, over the counts that have a positive chance."""
    S, total = len(p), Fraction(0)
    for counts in product(range(n + 1), repeat=S):
        if sum(counts) == n and all(k == 0 or x for k, x in zip(counts, p, strict=True)):
            chance = Fraction(factorial(n), prod(map(factorial, counts)))
            mixture = Fraction(
                factorial(S - 1) * prod(map(factorial, counts)), factorial(n + S - 1)
            )
            total += chance * mixture  # the likelihoods prod p_k^{N_k} cancel
    return total


def test_3_mixture_martingale_has_mean_one() -> None:
    for p, n in (
        ([Fraction(1, 3), Fraction(2, 3)], 7),
        ([Fraction(1, 7)] * 2 + [Fraction(5, 7)], 5),
    ):
        assert mixture_mean(p, n) == 1
    # A point of probability 0 leaves a supermartingale.
    assert mixture_mean([Fraction(1, 2), Fraction(1, 2), Fraction(0)], 4) == Fraction(1, 3)


def test_4_coupling_form_of_the_simulation_lemma() -> None:
    """1/(1-g) - 1/(1-g+gq) = gq/((1-g)(1-g+gq)) = sum_t g^t (1 - (1-q)^t)."""
    bracket = 1 / (1 - g) - 1 / (1 - g + g * q)
    assert is_zero(bracket - g * q / ((1 - g) * (1 - g + g * q)))
    # The sum up to N, by induction: both ends of it, and the step.
    partial = (1 - g**N) / (1 - g) - (1 - (g * (1 - q)) ** N) / (1 - g * (1 - q))
    step = partial.subs(N, N + 1) - partial - g**N * (1 - (1 - q) ** N)
    assert is_zero(partial.subs(N, 0)) and is_zero(sp.expand_power_base(step, force=True))
    limit = partial.subs({g**N: 0, (g * (1 - q)) ** N: 0})
    assert is_zero(limit - bracket)
    # (iii) is below (ii): the difference of the two, over R = 1 and eps_r = 0.
    assert is_zero(g * q / (1 - g) ** 2 - bracket - (g * q / (1 - g)) ** 2 / (1 - g + g * q))


def test_5_bernoulli_sum() -> None:
    """sum_{h<H} (1 - (1-q)^h) <= H(H-1)q/2: hq - (1 - (1-q)^h) grows with h from 0."""
    gap = h * q - (1 - (1 - q) ** h)
    assert gap.subs(h, 0) == 0
    assert is_zero(gap.subs(h, h + 1) - gap - q * (1 - (1 - q) ** h))
    H = sp.symbols("H", integer=True, positive=True)
    closed = H - (1 - (1 - q) ** H) / q
    assert is_zero(closed.subs(H, H + 1) - closed - (1 - (1 - q) ** H))
    assert is_zero(closed.subs(H, 1))


def test_6_two_resolvents() -> None:
    """(I - gP)^-1 (I - g^2 P) = (1-g) (I - gP)^-1 + gI, of row sums 1 + g where P has 1."""
    P = sp.Matrix(3, 3, sp.symbols("p:9"))
    eye = sp.eye(3)
    # Multiplied by I - gP from the left.
    assert (eye - g**2 * P - ((1 - g) * eye + g * (eye - g * P))).expand() == sp.zeros(3, 3)
    ones = sp.ones(3, 1)
    P2 = P.copy()
    for s in range(3):
        P2[s, 2] = 1 - P2[s, 0] - P2[s, 1]
    # (I - gP) 1 = (1-g) 1, so the right-hand side times 1 is (1-g)/(1-g) + g.
    assert ((eye - g * P2) * ones - (1 - g) * ones).expand() == sp.zeros(3, 1)


def kl(p: sp.Expr, x: sp.Expr) -> sp.Expr:
    return p * sp.log(p / x) + (1 - p) * sp.log((1 - p) / (1 - x))


def test_7_bernoulli_relative_entropy() -> None:
    half = sp.Rational(1, 2)
    series = sp.series(kl(half + eps, half), eps, 0, 6).removeO()
    assert is_zero(series - 2 * eps**2 - sp.Rational(4, 3) * eps**4)
    p, x = sp.symbols("p x", positive=True)
    f = kl(p, x) - (x - p) ** 2 / (2 * x)
    assert is_zero(f.subs(x, p))
    slope = (x - p) * ((x - p) + x**2 + p * x) / (2 * x**2 * (1 - x))  # >= 0 for p <= x < 1
    assert is_zero(sp.diff(f, x) - slope)
    assert is_zero(sp.diff(f, x) - ((x - p) / (x * (1 - x)) - (x**2 - p**2) / (2 * x**2)))


def test_8_hoeffdings_lemma() -> None:
    """(log E e^{theta X})'' is the variance of a tilted law, and that is at most B^2/4."""
    theta = sp.symbols("theta", real=True)
    atoms, weights = sp.symbols("a:3", real=True), sp.symbols("w:3", positive=True)
    tilted = [w * sp.exp(theta * a) for a, w in zip(atoms, weights, strict=True)]
    total = sum(tilted)
    mean = sum(a * w for a, w in zip(atoms, tilted, strict=True)) / total
    variance = sum(a**2 * w for a, w in zip(atoms, tilted, strict=True)) / total - mean**2
    assert is_zero(sp.diff(sp.log(total), theta, 2) - variance)
    # Popoviciu: E (b - X)(X - a) >= 0 is (b - mu)(mu - a) - Var, and 4 (b - mu)(mu - a) <= (b-a)^2.
    a, b, x, mu, second = sp.symbols("a b x mu m2", real=True)
    expanded = sp.expand((b - x) * (x - a))
    expectation = expanded.coeff(x, 2) * second + expanded.coeff(x, 1) * mu + expanded.coeff(x, 0)
    assert is_zero(expectation - ((b - mu) * (mu - a) - (second - mu**2)))
    assert is_zero((b - a) ** 2 - 4 * (b - mu) * (mu - a) - (a + b - 2 * mu) ** 2)


def test_10_factor_of_the_sequential_test() -> None:
    p, x, delta = sp.symbols("p x delta", positive=True)
    factor = p * x / delta + (1 - p) * (1 - x) / (1 - delta)
    assert is_zero(sp.diff(factor, p) - (x - delta) / (delta * (1 - delta)))
    assert is_zero(factor.subs(p, delta) - 1)


def test_12_rate_of_discounting() -> None:
    """log(1/g) > 1 - g on (0, 1): 0 at 1, decreasing before."""
    s = sp.symbols("s", positive=True)  # g = 1 / (1 + s)
    f = sp.log(1 / g) - (1 - g)
    assert f.subs(g, 1) == 0
    assert sp.simplify(sp.diff(f, g).subs(g, 1 / (1 + s))).is_negative


# --- instances in symbols -----------------------------------------------------------------


def values(rows: list[list[sp.Expr]], rewards: list[sp.Expr]) -> list[sp.Expr]:
    n = len(rewards)
    return list((sp.eye(n) - g * sp.Matrix(rows)).LUsolve(sp.Matrix(rewards)))


def test_greedy_loss_is_attained() -> None:
    """plan-greedy-loss: the pair, for every discount and error."""
    pay = 2 * g * eps
    best = values([[0, 1], [0, 1]], [pay, pay])
    stay = values([[1, 0], [0, 1]], [0, pay])
    v = [best[0] + eps, best[1] - eps]
    assert is_zero(g * v[0] - (pay + g * v[1])), "both actions of state 0 look alike"
    assert is_zero(best[0] - stay[0] - 2 * g * eps / (1 - g))


def test_leak_attains_the_simulation_lemma() -> None:
    """plan-simulation: (iii) for all parameters, (i) without error in rewards, ratio to (ii)."""
    here = values([[1, 0], [0, 1]], [0, 1])[1]
    there = values([[1, 0], [q, 1 - q]], [0, 1 - r])
    coupling = r / (1 - g) + (1 - r) * (1 / (1 - g) - 1 / (1 - g + g * q))
    assert is_zero(here - there[1] - coupling)
    span = there[1] - there[0]
    assert is_zero((coupling - g * q * span / (1 - g)).subs(r, 0))
    classical = g * q / (1 - g) ** 2
    assert is_zero((coupling / classical).subs(r, 0) - (1 - g) / (1 - g + g * q))


def test_centred_rewards() -> None:
    """plan-variance-resolvent: the identity of squares and the maximum of its bracket."""
    V, mean, second, pay = sp.symbols("V m m2 pay")  # m = P V, m2 = P V^2, V = pay + g m
    squared = second - mean**2
    by_value = {mean: (V - pay) / g}
    assert is_zero((g**2 * squared - (g**2 * second - (V - pay) ** 2)).subs(by_value))
    # |V| <= 1/2 gives g V^2 <= g/4; beyond, |V - pay| >= |V| - 1/2 and a parabola has its top at:
    x, top = sp.symbols("x", real=True), 1 / (2 * (1 - g))
    bracket = g * x**2 - (x - sp.Rational(1, 2)) ** 2
    assert is_zero(bracket - (g / (4 * (1 - g)) - (1 - g) * (x - top) ** 2))


def test_leak_and_flip_under_the_resolvent() -> None:
    """plan-variance-resolvent: ratios on leak at its best rate, and on flip."""
    p = 1 - (1 - g) / 3  # of staying
    stays = 1 / (1 - g * p)
    total = g * sp.sqrt(p * (1 - p)) * stays / (1 - g * p)
    ratio = total / (sp.sqrt(1 + g) / (2 * (1 - g) ** sp.Rational(3, 2)))
    for discount, wanted in ((0.9, 0.439), (0.99, 0.457), (0.999, 0.459)):
        assert abs(float(ratio.subs(g, sp.Rational(str(discount)))) - wanted) < 5e-4
    limit = sp.limit(ratio.subs(g, 1 - eps), eps, 0)
    assert is_zero(limit - 3 * sp.sqrt(6) / 16)
    swap = (1 - g) / (2 * g)
    noise = sp.sqrt(swap * (1 - swap)) / (1 - g + 2 * g * swap)
    centred = g * noise / (1 - g) / (sp.sqrt(g) / (2 * (1 - g) ** sp.Rational(3, 2)))
    assert is_zero(sp.limit(centred.subs(g, 1 - eps), eps, 0) - 1 / sp.sqrt(2))
