"""Steps of the proofs about schedules of last-switch-dependent arms, by symbols and in rationals.

Each test is one step that docs/theory/lsd_rounding.md leaves to algebra or to counting; those about
the share c and about alpha are in test_lsd_bandits.py.
"""

from fractions import Fraction
from itertools import product
from math import comb, gcd, lcm, prod

import pytest
import sympy as sp

# --- the share c --------------------------------------------------------------------------


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


def test_the_share_of_momentum_arms() -> None:
    L = sp.symbols("L", positive=True)
    rewards = 1 + 2 + (L - 1) + 1
    average = rewards / (2 * L) / (2 * L)
    assert sp.simplify(average - (sp.Rational(1, 4) + 3 / (4 * L)) / L) == 0


def test_always_playing_as_long_blocks() -> None:
    M, m = sp.symbols("M m", positive=True)
    assert sp.simplify((m - M) / (m + 1) - (1 - (M + 1) / (m + 1))) == 0
