"""Steps of the proofs about linear programs, by symbols.

Each test is one step that a proof in docs/theory/linear-programs.md leaves to algebra.
"""

import pytest
import sympy as sp

g = sp.symbols("gamma", positive=True)


@pytest.mark.parametrize(("m", "n"), [(1, 1), (2, 3), (3, 2), (4, 4)])
def test_gap_of_both_forms(m: int, n: int) -> None:
    """c x - b y = y (A x - b) where A^T y = c, and = x (c - A^T y) where A x = b."""
    A = sp.Matrix(m, n, sp.symbols(f"a:{m * n}"))
    x, y = sp.Matrix(sp.symbols(f"x:{n}")), sp.Matrix(sp.symbols(f"y:{m}"))
    b, c = sp.Matrix(sp.symbols(f"b:{m}")), sp.Matrix(sp.symbols(f"c:{n}"))

    def gap(c: sp.Matrix, b: sp.Matrix) -> sp.Expr:
        return (c.T * x - b.T * y)[0]

    assert sp.expand(gap(A.T * y, b) - (y.T * (A * x - b))[0]) == 0
    assert sp.expand(gap(c, A * x) - (x.T * (c - A.T * y))[0]) == 0
    # Without its equation the identity fails: neither side may be dropped.
    assert sp.expand(gap(c, b) - (y.T * (A * x - b))[0]) != 0


def flow_matrix(S: int, A: int) -> tuple[sp.Matrix, sp.Matrix]:
    """(B, P) for symbolic rows, which need not sum to 1: exits."""
    P = sp.Matrix(S * A, S, sp.symbols(f"p:{S * A * S}"))
    own = sp.Matrix(S * A, S, lambda i, s: int(i // A == s))
    return own - g * P, P


def test_gap_of_the_programs_of_planning() -> None:
    """rho v - <d, r>/(1-g) = <d, B v - r>/(1-g) where B^T d = (1-g) rho."""
    S, A = 2, 2
    B, _ = flow_matrix(S, A)
    v, r = sp.Matrix(sp.symbols("v:2")), sp.Matrix(sp.symbols("r:4"))
    d = sp.Matrix(sp.symbols("d:4"))
    rho = B.T * d / (1 - g)
    left = (rho.T * v)[0] - (d.T * r)[0] / (1 - g)
    assert sp.simplify(left - (d.T * (B * v - r))[0] / (1 - g)) == 0


def test_flow_of_a_mixture() -> None:
    """The flow equations are linear, and weights that sum to 1 keep their right-hand side."""
    B, _ = flow_matrix(2, 2)
    w = sp.symbols("w")
    rho = sp.Matrix(sp.symbols("rho:2"))
    one, other = sp.Matrix(sp.symbols("d:4")), sp.Matrix(sp.symbols("e:4"))
    defect = w * (B.T * one - (1 - g) * rho) + (1 - w) * (B.T * other - (1 - g) * rho)
    assert sp.expand(B.T * (w * one + (1 - w) * other) - (1 - g) * rho - defect) == sp.zeros(2, 1)


def test_shift_of_a_witness() -> None:
    """T_pi(w + k) - (w + k) = residual - (1 - g) k - g k e, with e the exit probabilities.

    At k = l/(1-g) <= 0 this is residual - l - g k e >= residual - l.
    """
    _, P = flow_matrix(2, 1)
    w, k = sp.Matrix(sp.symbols("w:2")), sp.symbols("k")
    r, ones = sp.Matrix(sp.symbols("r:2")), sp.ones(2, 1)
    residual = r + g * P * w - w
    ends = ones - P * ones
    shifted = r + g * P * (w + k * ones) - (w + k * ones)
    assert sp.expand(shifted - (residual - (1 - g) * k * ones - g * k * ends)) == sp.zeros(2, 1)


def test_lagrangian_bound() -> None:
    """J = (J - lambda C) + lambda b - lambda (b - C): the last term is not negative within b."""
    J, C, b, lam = sp.symbols("J C b lambda")
    assert sp.expand((J - lam * C) + lam * b - lam * (b - C) - J) == 0


def test_two_actions_that_randomise() -> None:
    """One state, reward and cost (1, 0), budget 1/2: the only optimum is the even mixture."""
    x = sp.symbols("x", nonnegative=True)
    within = sp.solveset(x <= sp.Rational(1, 2), x, sp.Interval(0, 1))
    assert sp.Interval(0, sp.Rational(1, 2)) == within and within.sup == sp.Rational(1, 2)
