"""Steps of the proofs about schedules of last-switch-dependent arms, by symbols and in rationals.

Each test is one step that docs/theory/lsd_rounding.md leaves to algebra or to counting.
"""

from fractions import Fraction
from itertools import product
from math import comb, gcd, lcm, prod

import pytest
import sympy as sp

mu, a, N = sp.symbols("mu a N", positive=True)


# --- the share c --------------------------------------------------------------------------


@pytest.mark.parametrize("k", range(1, 6))
def test_the_limit_of_the_share(k: int) -> None:
    """E min(k, Poisson(mu)): second derivative -e^-mu mu^(k-1)/(k-1)!; at k it is k c_inf,k."""
    short = sum((k - j) * mu**j / sp.factorial(j) for j in range(k)) * sp.exp(-mu)
    mean = k - short
    second = -sp.exp(-mu) * mu ** (k - 1) / sp.factorial(k - 1)
    assert sp.simplify(sp.diff(mean, mu, 2) - second) == 0
    share = 1 - sp.exp(-k) * sp.Integer(k) ** k / sp.factorial(k)
    assert sp.simplify(mean.subs(mu, k) / k - share) == 0


@pytest.mark.parametrize("n", range(1, 9))
def test_the_share_of_one_play_falls_along_mu(n: int) -> None:
    """(1 - (1 - mu/n)^n)/mu is a mean of (1 - mu/n)^j over j < n, so it falls; c_n at mu = 1."""
    ratio = (1 - (1 - mu / n) ** n) / mu
    terms = sum((1 - mu / n) ** j for j in range(n)) / n
    assert sp.expand(sp.cancel(ratio) - terms) == 0
    assert ratio.subs(mu, 1) == 1 - (1 - sp.Rational(1, n)) ** n


def test_the_share_falls_to_one_minus_one_over_e() -> None:
    assert sp.limit(1 - (1 - 1 / N) ** N, N, sp.oo) == 1 - sp.exp(-1)
    shares = [1 - (1 - Fraction(1, n)) ** n for n in range(1, 30)]
    assert shares == sorted(shares, reverse=True)


@pytest.mark.parametrize(("n", "k"), [(n, k) for n in range(1, 9) for k in range(1, n + 1)])
def test_the_share_of_k_plays_by_counting(n: int, k: int) -> None:
    """c_{n,k} is what n arms with k plays in n places keep, in every place."""
    p = Fraction(k, n)
    law = [comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(n + 1)]
    share = sum(min(k, j) * q for j, q in enumerate(law)) / k
    assert float(share) >= 1 - float(k) ** k * 2.718281828459045**-k / float(sp.factorial(k))
    if n <= 5:
        kept = sum(min(k, sum(arm < k for arm in arms)) for arms in product(range(n), repeat=n))
        assert share == Fraction(kept, n**n * k)


# --- enumeration --------------------------------------------------------------------------


@pytest.mark.parametrize("periods", [(2, 3), (4, 6), (2, 2, 2), (4, 6, 9), (6, 4, 2), (3, 1, 6)])
def test_one_tuple_of_offsets_of_each_class(periods: tuple[int, ...]) -> None:
    """Offsets o_i below gcd(lcm of the periods before, L_i) meet every orbit of the shift once."""
    common = lcm(*periods)
    ranges, before = [], 1
    for length in periods:
        ranges.append(range(gcd(before, length)))
        before = lcm(before, length)
    assert prod(map(len, ranges)) * common == prod(periods)
    reached = set()
    for offsets in product(*ranges):
        for h in range(common):
            reached.add(tuple((o + h) % n for o, n in zip(offsets, periods, strict=True)))
    assert len(reached) == prod(periods)


@pytest.mark.parametrize(("p", "n"), [(4, 6), (3, 5), (6, 6), (2, 8), (1, 7)])
def test_offsets_that_are_equal_modulo_the_gcd_meet_the_same_pairs(p: int, n: int) -> None:
    for offset in range(n):
        pairs = {(t % p, (t + offset) % n) for t in range(lcm(p, n))}
        assert len(pairs) == lcm(p, n)
        assert all((y - x - offset) % gcd(p, n) == 0 for x, y in pairs)


# --- blocks and momentum ------------------------------------------------------------------


def test_the_best_alpha() -> None:
    """a (1 - a) = 1/4 - (a - 1/2)^2 and a (1 - 2 a) = 1/8 - 2 (a - 1/4)^2."""
    quarter, half = sp.Rational(1, 4), sp.Rational(1, 2)
    assert sp.expand(a * (1 - a) - (quarter - (a - half) ** 2)) == 0
    assert sp.expand(a * (1 - 2 * a) - (sp.Rational(1, 8) - 2 * (a - quarter) ** 2)) == 0


def test_the_share_of_momentum_arms() -> None:
    L = sp.symbols("L", positive=True)
    rewards = 1 + 2 + (L - 1) + 1
    average = rewards / (2 * L) / (2 * L)
    assert sp.simplify(average - (sp.Rational(1, 4) + 3 / (4 * L)) / L) == 0


def test_always_playing_as_long_blocks() -> None:
    M, m = sp.symbols("M m", positive=True)
    assert sp.simplify((m - M) / (m + 1) - (1 - (M + 1) / (m + 1))) == 0
