"""Steps of the proofs about last-switch-dependent arms, by symbols and in fractions.

Each test is one step that docs/theory/lsd_*.md leaves to algebra or to a computation; the golden
values are found twice, by the hulls and by Karp's formula on the graph of joint states.
"""

from fractions import Fraction
from itertools import combinations, product
from math import comb

import pytest
import sympy as sp

import rltheory as rlt
from rltheory.lsd_bandits.families import GOLDEN, blocking, tight

mu, eps = sp.symbols("mu epsilon", positive=True)
F = Fraction


# --- the correlation gap ------------------------------------------------------------------


def expected_poisson(k: int) -> sp.Expr:
    """E[min(k, Poi(mu))]."""
    below = sum((k - j) * mu**j / sp.factorial(j) for j in range(k))
    return k - sp.exp(-mu) * below


@pytest.mark.parametrize("k", range(1, 6))
def test_poisson_curvature_and_value(k: int) -> None:
    value = expected_poisson(k)
    curvature = -sp.exp(-mu) * mu ** (k - 1) / sp.factorial(k - 1)
    assert sp.simplify(sp.diff(value, mu, 2) - curvature) == 0
    limit = 1 - sp.exp(-k) * sp.Integer(k) ** k / sp.factorial(k)
    assert sp.simplify(value.subs(mu, k) / k - limit) == 0
    assert float(limit) == pytest.approx(rlt.guarantee(None, k), rel=1e-14)


@pytest.mark.parametrize("n", range(1, 7))
def test_one_play_per_round(n: int) -> None:
    """(1 - (1 - mu/N)^N)/mu falls on (0, 1], to c_N."""
    share = sp.cancel((1 - (1 - mu / n) ** n) / mu)
    assert share.subs(mu, 1) == sp.Rational(*rlt.guarantee(n).as_integer_ratio())
    # Its derivative is -numerator/mu^2; the numerator is 0 at 0 and its derivative is at least 0.
    numerator = sp.expand(1 - (1 - mu / n) ** n - mu * (1 - mu / n) ** (n - 1))
    assert sp.simplify(sp.diff(share, mu) + numerator / mu**2) == 0
    assert numerator.subs(mu, 0) == 0
    slope = sp.diff(numerator, mu)
    factored = sp.Rational(n - 1, n) * mu * (1 - mu / n) ** (n - 2) if n > 1 else sp.Integer(0)
    assert sp.simplify(slope - factored) == 0


def test_the_limit_of_one_play_per_round() -> None:
    n = sp.symbols("n", positive=True)
    assert sp.limit(1 - (1 - 1 / n) ** n, n, sp.oo) == 1 - sp.exp(-1)


@pytest.mark.parametrize(("n", "k"), [(2, 1), (3, 1), (3, 2), (4, 2), (5, 3)])
def test_binomial_curvature(n: int, k: int) -> None:
    """d^2/dp^2 E f(Bin(N, p)) = N (N-1) E[second difference of f at Bin(N-2, p)]."""
    p = sp.symbols("p")

    def mean(f, size: int) -> sp.Expr:
        return sum(comb(size, j) * p**j * (1 - p) ** (size - j) * f(j) for j in range(size + 1))

    def capped(b: int) -> int:
        return min(k, b)

    def bend(b: int) -> int:
        return capped(b + 2) - 2 * capped(b + 1) + capped(b)

    left = sp.diff(mean(capped, n), p, 2)
    assert sp.expand(left - n * (n - 1) * mean(bend, n - 2)) == 0
    assert all(bend(b) <= 0 for b in range(10))


@pytest.mark.parametrize(("n", "k"), [(2, 1), (3, 1), (3, 2), (4, 2)])
def test_two_probabilities_enter_by_sum_and_product(n: int, k: int) -> None:
    """E min(k, B) = function of p1 + p2, plus p1 p2 E[second difference at the other terms]."""
    p = sp.symbols(f"p:{n}")

    def mean(f, indices) -> sp.Expr:
        total = sp.Integer(0)
        for size in range(len(indices) + 1):
            for chosen in combinations(indices, size):
                weight = sp.Integer(1)
                for i in indices:
                    weight *= p[i] if i in chosen else 1 - p[i]
                total += weight * f(size)
        return sp.expand(total)

    def capped(b: int) -> int:
        return min(k, b)

    others = range(2, n)
    bend = mean(lambda b: capped(b + 2) - 2 * capped(b + 1) + capped(b), others)
    rest = sp.expand(mean(capped, range(n)) - p[0] * p[1] * bend)
    s = sp.symbols("s")
    along = sp.expand(rest.subs(p[1], s - p[0]))
    assert sp.diff(along, p[0]) == 0


@pytest.mark.parametrize("k", range(1, 7))
def test_the_sum_of_the_limit_telescopes(k: int) -> None:
    total = sum(sp.Rational((k - j) * k**j, sp.factorial(j)) for j in range(k + 1))
    assert total == sp.Rational(k ** (k + 1), sp.factorial(k))


# --- explore and commit, block-commit -----------------------------------------------------


def test_the_exploration_that_costs_least() -> None:
    a, b, m = sp.symbols("A B m", positive=True)
    cost = a * m + b / sp.sqrt(m)
    best = (b / (2 * a)) ** sp.Rational(2, 3)
    assert sp.simplify(sp.diff(cost, m).subs(m, best)) == 0
    assert sp.diff(cost, m, 2).is_positive
    wanted = 3 * 2 ** sp.Rational(-2, 3) * a ** sp.Rational(1, 3) * b ** sp.Rational(2, 3)
    assert sp.simplify(cost.subs(m, best) / wanted) == 1


def test_the_shares_of_block_commit() -> None:
    a = sp.symbols("a")
    assert sp.factor(sp.Rational(1, 4) - a * (1 - a)) == sp.factor((2 * a - 1) ** 2 / 4)
    assert sp.factor(sp.Rational(1, 8) - a * (1 - 2 * a)) == sp.factor((4 * a - 1) ** 2 / 8)


def test_the_length_of_an_exploration() -> None:
    n, R, M = sp.symbols("n R M", integer=True, positive=True)
    assert sp.simplify(sp.summation(n + 1, (n, 1, R)) + M - (R * (R + 3) / 2 + M)) == 0


# --- grids --------------------------------------------------------------------------------


def test_a_grid_with_one_block_for_each_loses_the_square() -> None:
    """(m/m')(n' + m') <= (1+e)^2 (n + m) for n' <= (1+e) n, m <= (1+e) m'."""
    n, m, u, w = sp.symbols("n m u w", nonnegative=True)
    # n' = (1+e) n - u, m' = m/(1+e) + w with m' <= m.
    later, fewer = (1 + eps) * n - u, m / (1 + eps) + w
    slack = (1 + eps) ** 2 * (n + m) - m / fewer * (later + fewer)
    # m/m' <= 1+e, so the middle term is at most (1+e) n'; what is left has no minus sign.
    bounded = sp.expand((1 + eps) ** 2 * (n + m) - (1 + eps) * later - m)
    assert all(c.is_nonnegative for c in bounded.as_ordered_terms())
    at = {n: 7, m: 5, u: sp.Rational(1, 2), w: sp.Rational(1, 3), eps: sp.Rational(1, 4)}
    assert slack.subs(at) >= bounded.subs(at)


def test_a_grid_with_short_blocks_beside_loses_the_ratio() -> None:
    """tau m'/(1+m') >= (m-m')/(1+e) reduces to e m m' >= m - m'."""
    m, fewer = sp.symbols("m f", positive=True)
    tau = m - fewer / (1 + eps)
    left = tau * fewer / (1 + fewer) - (m - fewer) / (1 + eps)
    scaled = sp.simplify(left * (1 + eps) * (1 + fewer))
    assert sp.expand(scaled - (eps * m * fewer - (m - fewer))) == 0


def test_short_blocks_use_no_more_plays() -> None:
    m, fewer = sp.symbols("m f", positive=True)
    tau = m - fewer / (1 + eps)
    left = m - fewer / (1 + eps) - tau * fewer / (1 + fewer)
    assert sp.simplify(left - tau / (1 + fewer)) == 0


# --- greedy on blocking arms --------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_abel_sum_of_a_greedy_run(n: int) -> None:
    """sum r_i (F_{i-1} - F_i) with F_i = T prod(1 - a_j) is T sum (r_i - r_{i+1})(1 - prod)."""
    r, a = sp.symbols(f"r1:{n + 2}"), sp.symbols(f"a1:{n + 1}")
    left = [sp.Integer(1)]
    for x in a:
        left.append(left[-1] * (1 - x))
    plays = sum(r[i] * (left[i] - left[i + 1]) for i in range(n))
    parts = sum((r[i] - r[i + 1]) * (1 - left[i + 1]) for i in range(n))
    assert sp.expand(plays - (parts + r[n] * (1 - left[n]))) == 0


def test_products_are_largest_where_factors_are_equal() -> None:
    """prod(1 - a_j) <= (1 - s/i)^i: for two factors a square, for more in rationals."""
    a, b = sp.symbols("a b")
    gap = (1 - (a + b) / 2) ** 2 - (1 - a) * (1 - b)
    assert sp.factor(gap) == sp.factor((a - b) ** 2 / 4)
    shares = [F(j, 4) for j in range(5)]
    for i in (3, 4):
        for chosen in product(shares, repeat=i):
            left = F(1)
            for x in chosen:
                left *= 1 - x
            assert left <= (1 - sum(chosen) / i) ** i


# --- the staircase ------------------------------------------------------------------------


def test_where_the_next_step_is() -> None:
    n, m, W, s, t, charge = sp.symbols("n m W s t lambda", positive=True)
    gain = (W - charge * m) / (n + m)
    assert (
        sp.solve(sp.Eq(gain, s), charge) == [sp.expand((W - s * (n + m)) / m)]
        or sp.simplify(sp.solve(sp.Eq(gain, s), charge)[0] - (W - s * (n + m)) / m) == 0
    )
    assert sp.simplify(sp.solve(sp.Eq(charge + gain, t), charge)[0] - (t * (n + m) - W) / n) == 0
    assert sp.solve(sp.Eq(gain, 0), charge) == [W / m]


# --- golden values ------------------------------------------------------------------------

VALUES = {
    "I1": (F(5, 8), F(1, 2), F(1, 2)),
    "I2": (F(23, 30), F(23, 30), F(17, 30)),
    "I3": (F(5, 8), F(5, 8), F(1, 2)),
    "I4": (F(5, 6), F(5, 6), F(2, 3)),
    "B23": (F(5, 6), F(3, 4), F(2, 3)),
    "B236": (F(1), F(7, 8), F(13, 18)),
}
REWARDS = {
    "I1": "1 3/2 2 5/2 3 7/2 4 9/2",
    "I2": "9/10 17/10 23/10 16/5 4 23/5 11/2 63/10",
    "I3": "1 3/2 9/4 11/4 7/2 4 19/4 21/4",
    "I4": "1 2 3 11/3 14/3 16/3 19/3 7",
    "B23": "1 2 3 3 4 5 6 6",
    "B236": "1 2 3 4 5 6 7 7",
}


@pytest.mark.parametrize("name", VALUES)
def test_golden_values(name: str) -> None:
    bandit = GOLDEN[name]()
    relax = rlt.concave_relaxation(bandit, exact=True)
    best = rlt.optimal_gain(bandit, method="karp", exact=True)
    assert (relax.value, best.gain, rlt.virtual_value(relax)) == VALUES[name]
    assert relax.check().gap == 0
    assert rlt.optimal_value(bandit, 8, exact=True)[1:] == tuple(map(F, REWARDS[name].split()))


@pytest.mark.parametrize(
    ("bandit", "value", "gain"),
    [
        (blocking([3, 4]), F(7, 12), F(5, 9)),
        (blocking([3, 4, 5]), F(47, 60), F(8, 11)),
        (blocking([3] * 4, plays=2), F(4, 3), F(4, 3)),
        (blocking([7, 3, 2]), F(41, 42), F(7, 8)),
        (tight(3), F(1), F(1)),
    ],
)
def test_golden_values_of_blocking_arms(bandit, value: Fraction, gain: Fraction) -> None:
    assert rlt.concave_relaxation(bandit, exact=True).value == value
    assert rlt.optimal_gain(bandit, method="karp", exact=True).gain == gain


def test_four_arms_of_delay_three_keep_their_share() -> None:
    relax = rlt.concave_relaxation(blocking([3] * 4, plays=2), exact=True)
    assert rlt.virtual_value(relax) == F(98, 81)
    assert float(F(98, 81)) == pytest.approx(1.2098765, abs=5e-8)
