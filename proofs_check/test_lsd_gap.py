"""Steps of the proofs about the integrality gap and about offsets, by symbols and by counting.

Each test is one step that docs/theory/lsd_gap.md leaves to algebra.
"""

from itertools import product

import pytest
import sympy as sp

rho, n, earned, v = sp.symbols("rho n V v", positive=True)


# --- lsd-gap-composed ---------------------------------------------------------------------


def test_the_composed_solution_uses_all_time_and_all_plays() -> None:
    block, always = rho / n, 1 - rho - rho / n
    assert sp.simplify((n + 1) * block + always - 1) == 0
    assert sp.simplify(rho + block + always - 1) == 0
    assert sp.simplify(v + block * (1 + n - earned) + always - (1 + v - rho * earned / n)) == 0


def test_always_is_a_rate_from_rho_over_one_minus_rho_on() -> None:
    assert sp.simplify((1 - rho - rho / n).subs(n, rho / (1 - rho))) == 0
    assert sp.simplify(sp.diff(1 - rho - rho / n, n) - rho / n**2) == 0


@pytest.mark.parametrize("arms", range(1, 9))
def test_what_greedy_leaves_is_at_most(arms: int) -> None:
    """max of rho (1 - rho/m)^m is (m/(m+1))^(m+1): 1/4, 8/27, ..., below 1/e."""
    left = rho * (1 - rho / arms) ** arms
    best = sp.Rational(arms, arms + 1)
    assert sp.simplify(sp.diff(left, rho).subs(rho, best)) == 0
    assert left.subs(rho, best) == best ** (arms + 1)
    assert best ** (arms + 1) < 1 / sp.E
    if arms > 1:
        assert sp.Rational(arms - 1, arms) ** arms < best ** (arms + 1)


def test_values() -> None:
    assert 1 / (1 + sp.Rational(7, 12) * (1 - sp.Rational(5, 9))) == sp.Rational(27, 34)
    assert 1 / (1 + sp.Rational(8, 15) * sp.Rational(1, 2)) == sp.Rational(15, 19)
    assert sp.simplify(1 / (1 + 1 / sp.E) - sp.E / (sp.E + 1)) == 0


# --- lsd-gap-recharging -------------------------------------------------------------------


def test_masses_for_two_recharging_arms() -> None:
    """A every a+1 rounds; c rests and a play of B with k plays of A; B always: lambda = 1/sum."""
    a, c, k = sp.symbols("a c k", positive=True)
    share = 1 / (a + 1)
    both, first, always = (c + 1) * share / c, 1 - k / c, ((1 - share) * k - share) / c
    assert sp.simplify(both + first + always - (1 + share * (1 - k / c))) == 0
    assert sp.simplify(first * share + both * k / (c + 1) - share) == 0
    assert sp.simplify(first * (1 - share) + both / (c + 1) + always - (1 - share)) == 0
    assert sp.simplify(always * c * (a + 1) - (a * k - 1)) == 0


def test_masses_where_rests_are_short() -> None:
    a, c = sp.symbols("a c", positive=True)
    share = 1 / (a + 1)
    inner, first, always = 1 / c, 1 - 1 / c, share * (1 - 1 / c)
    assert sp.simplify(inner + first - 1) == 0
    assert sp.simplify((first * a + inner * (a + 1 - c)) * share + always - a * share) == 0


def test_the_share_that_is_filled() -> None:
    for c in range(1, 200):
        assert 2 * ((c + 1) // 2) >= c
        assert c < 2 or 4 * ((c + 1) // 3) >= c


# --- lsd-offsets-tight --------------------------------------------------------------------


def test_worth_of_the_nested_blocks() -> None:
    m, rests, base, step, eta = sp.symbols("m R b delta eta", positive=True)
    price = base - step - eta
    share = m / (rests + m)
    with_top = (m * base + step * rests) / (rests + m) - price * share
    assert sp.simplify(with_top - (step + share * eta)) == 0
    without = share * base - price * share
    assert sp.simplify(without - share * (step + eta)) == 0


def test_value_of_the_nested_solution() -> None:
    arms, base, step, eta = sp.symbols("N b delta eta", positive=True)
    total = (base - step - eta) + arms * (step + eta / arms)
    assert sp.simplify(total - (base + (arms - 1) * step)) == 0


@pytest.mark.parametrize("arms", [2, 3])
def test_idle_rounds_do_not_depend_on_offsets(arms: int) -> None:
    period = arms**arms
    wanted = [
        [
            [((t + o) // arms**i) % arms == arms - 1 for t in range(period)]
            for o in range(arms ** (i + 1))
        ]
        for i in range(arms)
    ]
    for plays in product(*wanted):
        assert sum(not any(now) for now in zip(*plays, strict=True)) == (arms - 1) ** arms


# --- virtual ranking against real ranking -------------------------------------------------


def test_the_slots_of_equal_arms() -> None:
    """docs/theory/lsd_open.md: longer blocks earn less per round, slots earn nearly a_1 per arm."""
    first, loss, j, arms = sp.symbols("a epsilon j N", positive=True)
    level = j * first - (j - 1) * loss
    assert sp.simplify(first / arms - level / (j * arms) - (j - 1) * loss / (j * arms)) == 0


# --- distinct offsets ---------------------------------------------------------------------


@pytest.mark.parametrize("period", range(2, 9))
def test_two_arms_with_distinct_offsets(period: int) -> None:
    """docs/theory/lsd_open.md: the share of rounds with a play above a level, by counting."""
    pairs = [(o, p) for o in range(period) for p in range(period) if o != p]
    for m1, m2 in product(range(1, period), repeat=2):
        for a, b in product(range(1, m1 + 1), range(1, m2 + 1)):
            first = range(period - m1, period - m1 + a)
            second = range(period - m2, period - m2 + b)
            some = sp.Rational(sum(o in first or p in second for o, p in pairs), len(pairs))
            shared = len(set(first) & set(second))
            lost = sp.Rational(a * b - shared, period * (period - 1))
            assert some == sp.Rational(a + b, period) - lost
            if m1 + m2 <= period:
                assert some >= sp.Rational(3, 4) * sp.Rational(a + b, period)
