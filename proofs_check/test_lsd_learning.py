"""Steps of the proofs in docs/theory/lsd_learning.md, by symbols and in rationals."""

from fractions import Fraction

import sympy as sp


def test_the_repeats_that_balance_exploration_and_errors() -> None:
    m, L, B = sp.symbols("m L B", positive=True)
    total = L * m + B / sp.sqrt(m)
    best = (B / (2 * L)) ** sp.Rational(2, 3)
    assert sp.simplify(sp.diff(total, m).subs(m, best)) == 0
    assert sp.diff(total, m, 2).is_positive
    stated = 3 * 2 ** sp.Rational(-2, 3) * L ** sp.Rational(1, 3) * B ** sp.Rational(2, 3)
    assert sp.simplify(total.subs(m, best) / stated) == 1


def test_the_length_of_a_sweep() -> None:
    n, R = sp.symbols("n R", integer=True, positive=True)
    assert sp.expand(sp.summation(n + 1, (n, 1, R)) - R * (R + 3) / 2) == 0


def test_the_errors_of_a_commitment() -> None:
    c, T, D, m = sp.symbols("c T D m", positive=True)
    epsilon = sp.sqrt(sp.log(2 * D * T) / (2 * m))
    scale = (1 + c) * T * sp.sqrt(sp.log(2 * D * T) / 2)
    assert sp.simplify((1 + c) * epsilon * T - scale / sp.sqrt(m)) == 0


def test_the_cost_of_radii() -> None:
    """The sum of 1/sqrt(j) is below 2 sqrt(n): each term is below 2 sqrt(j) - 2 sqrt(j - 1)."""
    j = sp.symbols("j", positive=True)
    # 1/sqrt(j) <= 2 (sqrt(j) - sqrt(j - 1)) says sqrt(j (j - 1)) <= j - 1/2; squared:
    assert sp.expand((j - sp.Rational(1, 2)) ** 2 - j * (j - 1)) == sp.Rational(1, 4)
    D, T, x = sp.symbols("D T x", positive=True)
    summed = 4 * sp.sqrt(x / 2) * sp.sqrt(D * T)
    assert sp.simplify(summed - 2 * sp.sqrt(2 * D * T * x)) == 0


def test_the_frames_that_balance_rests_and_stale_counts() -> None:
    R, D, T, F = sp.symbols("R D T F", positive=True)
    total = R * T / F + D * F
    best = sp.sqrt(R * T / D)
    assert sp.simplify(sp.diff(total, F).subs(F, best)) == 0
    assert sp.simplify(total.subs(F, best) - 2 * sp.sqrt(R * D * T)) == 0


def test_counts_at_the_start_of_a_frame() -> None:
    """The j-th play of a state finds a count of at least j - F, for plays in every round."""
    for F in range(1, 6):
        for plays in range(1, 40):
            at_start = (plays - 1) // F * F  # a state that is played in every round
            assert at_start >= plays - F


def test_one_sample_of_a_coin() -> None:
    """The mean regret of the mutant, by the four outcomes of one sample of p(1) and of p(-1)."""
    half, lost = Fraction(1, 2), Fraction(0)
    for first in (0, 1):
        for second in (0, 1):
            # (1, 1) earns first/2 on paper and 1/4 in truth, always playing second and 1/2.
            earned = half if second > Fraction(first, 2) else half / 2 if first else Fraction(0)
            lost += (half - earned) / 4
    assert lost == Fraction(3, 16)  # of T = 10^6: 1.875e5
