"""Steps of the proofs about regularised and robust planning, by symbols.

Each test is one step that docs/theory/regularized.md or docs/theory/robust.md leaves to algebra.
"""

from fractions import Fraction

import pytest
import sympy as sp

tau = sp.symbols("tau", positive=True)


def soft(q: list[sp.Symbol], rho: list[sp.Symbol]) -> tuple[sp.Expr, list[sp.Expr]]:
    """tau log sum rho exp(q / tau), and the law that attains it."""
    total = sum(w * sp.exp(x / tau) for w, x in zip(rho, q, strict=True))
    return tau * sp.log(total), [w * sp.exp(x / tau) / total for w, x in zip(rho, q, strict=True)]


@pytest.mark.parametrize("n", [2, 3])
@pytest.mark.parametrize("normalised", [False, True])
def test_11_one_step_soft_identity(n: int, normalised: bool) -> None:
    """<p, q> - tau KL(p, rho) = tau log sum rho exp(q/tau) - tau KL(p, pi), sum p = 1."""
    q = list(sp.symbols(f"q:{n}", real=True))
    rho = list(sp.symbols(f"rho:{n}", positive=True))
    p = list(sp.symbols(f"p:{n}", positive=True))
    if normalised:
        rho = [x / sum(rho) for x in rho]
    p[-1] = 1 - sum(p[:-1])
    value, pi = soft(q, rho)
    left = sum(x * y for x, y in zip(p, q, strict=True))
    left -= tau * sum(x * (sp.log(x) - sp.log(w)) for x, w in zip(p, rho, strict=True))
    right = value - tau * sum(
        x * (sp.log(x) - sp.expand_log(sp.log(y), force=True)) for x, y in zip(p, pi, strict=True)
    )
    assert sp.simplify(sp.expand(sp.expand_log(left - right, force=True))) == 0


def test_the_reversed_divergence_is_another_number() -> None:
    q, rho, p = [1, 0], [1, 1], [sp.Rational(1, 10), sp.Rational(9, 10)]
    value, pi = soft([sp.Integer(x) for x in q], [sp.Integer(w) for w in rho])
    gap = value - (p[0] - tau * sum(x * sp.log(x) for x in p))
    reverse = tau * sum(y * sp.log(y / x) for x, y in zip(p, pi, strict=True))
    at = {tau: 1}
    assert abs(float((gap - reverse).subs(at))) > 0.1


def test_gradient_of_the_soft_maximum_is_its_law() -> None:
    """So that Newton's method solves the equations of the soft greedy policy."""
    q, rho = list(sp.symbols("q:3", real=True)), list(sp.symbols("rho:3", positive=True))
    value, pi = soft(q, rho)
    for x, y in zip(q, pi, strict=True):
        assert sp.simplify(sp.diff(value, x) - y) == 0


def test_largest_loss_of_two_states() -> None:
    """y / (1 + e^(y-B)) is stationary at y = 1 + W(e^(B-1)), and W(e^(B-1)) there."""
    y, B = sp.symbols("y B", positive=True)
    slope = sp.diff(y / (1 + sp.exp(y - B)), y)
    condition = sp.simplify(slope * (1 + sp.exp(y - B)) ** 2)
    assert sp.simplify(condition - (1 + sp.exp(y - B) - y * sp.exp(y - B))) == 0
    for b in (0.5, 3.0, 60.0):
        w = sp.LambertW(sp.exp(sp.Float(b, 40) - 1))
        assert abs(condition.subs({y: 1 + w, B: sp.Float(b, 40)}).evalf(30)) < 1e-25
        assert abs(((1 + w) / (1 + sp.exp(1 + w - b)) - w).evalf(30)) < 1e-25


@pytest.mark.parametrize(("discount", "ratio"), [(0.9, 0.560), (0.99, 0.916), (0.999, 0.988)])
def test_ratios_of_the_two_states(discount: float, ratio: float) -> None:
    bound = sp.log(2) / (1 - sp.Rational(str(discount)))
    loss = sp.LambertW(sp.exp(sp.Rational(str(discount)) * bound - 1))
    assert float((loss / bound).evalf(20)) == pytest.approx(ratio, abs=5e-4)


def test_largest_loss_of_arms() -> None:
    """(A-1) y / (A-1 + e^y) is stationary at y = 1 + W((A-1)/e), and W((A-1)/e) there."""
    y = sp.symbols("y", positive=True)
    for others in (1, 3, 10):
        loss = others * y / (others + sp.exp(y))
        w = sp.LambertW(others / sp.E)
        assert abs(sp.diff(loss, y).subs(y, 1 + w).evalf(30)) < 1e-25
        assert abs((loss.subs(y, 1 + w) - w).evalf(30)) < 1e-25
    assert float(sp.LambertW(1 / sp.E)) == pytest.approx(0.278, abs=5e-4)


def test_the_divergence_of_a_rounded_law() -> None:
    """x log x - x + 1 <= 0.71 (log x)^2 for |log x| <= 1/2, and it is 1 at x = 0."""
    d = sp.symbols("d", real=True)
    f = d * sp.exp(d) - sp.exp(d) + 1
    ratio = f / d**2
    assert sp.limit(ratio, d, 0) == sp.Rational(1, 2)
    # d^3 times the derivative of f/d^2 is 0 at 0 and increases: f/d^2 increases.
    slope = sp.simplify(sp.diff(ratio, d) * d**3)
    assert sp.simplify(slope.subs(d, 0)) == 0
    assert sp.simplify(sp.diff(slope, d) - d**2 * sp.exp(d)) == 0
    assert float(ratio.subs(d, sp.Rational(1, 2))) < 0.71
    x = sp.symbols("x", positive=True)
    assert sp.limit(x * sp.log(x) - x + 1, x, 0) == 1


def test_what_robustness_costs_in_the_leaking_state() -> None:
    """1/(1-g) - 1/(1-g+g e/2) = g e/(2 (1-g)) / (1-g+g e/2): attained with sp(V_rob)."""
    g, e = sp.symbols("gamma epsilon", positive=True)
    robust = 1 / (1 - g + g * e / 2)
    assert sp.simplify(1 / (1 - g) - robust - g * e / (2 * (1 - g)) * robust) == 0


def test_weak_duality_of_a_ball_term_by_term() -> None:
    """min over p >= 0 of p c + t |p - n| is n min(c, t) for c >= -t, t >= 0."""
    for n in (Fraction(0), Fraction(1, 3), Fraction(1)):
        for t in (Fraction(0), Fraction(1, 2), Fraction(2)):
            for c in (-t, -t / 2, Fraction(0), t / 2, t, 2 * t + 1):
                wanted = n * min(c, t)
                grid = [n * k / 8 for k in range(25)] + [Fraction(k, 8) for k in range(25)]
                values = [p * c + t * abs(p - n) for p in grid]
                assert min(values) == wanted  # piecewise linear: its breaks 0 and n are in the grid
