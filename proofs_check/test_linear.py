"""Steps of the proofs in docs/theory/linear.md, by symbols. The chord of the logarithm and the
Gaussian mixture in one dimension are 1 and 2 of `test_foundations`.
"""

import sympy as sp

lam, sigma, u = sp.symbols("lambda sigma u", positive=True)
a, b, c, x1, x2, z1, z2, s1, s2, w1, w2 = sp.symbols("a b c x1 x2 z1 z2 s1 s2 w1 w2", real=True)
L = sp.Matrix([[a, b], [b, c]])
x, z, S, w = (sp.Matrix(v) for v in ([x1, x2], [z1, z2], [s1, s2], [w1, w2]))


def zero(expression: sp.Expr) -> bool:
    return sp.simplify(sp.together(expression)) == 0


def test_determinant_of_a_rank_one_update() -> None:
    """det(L + x x^T) = det L (1 + x^T L^-1 x)."""
    assert zero((L + x * x.T).det() - L.det() * (1 + (x.T * L.inv() * x)[0]))


def test_rank_one_update_of_an_inverse() -> None:
    """|z|^2 falls by (z^T g)^2 / (1 + u), g = L^-1 x, u = x^T g: what LSVI-UCB's norms do."""
    g = L.inv() * x
    fallen = (z.T * L.inv() * z)[0] - (z.T * g)[0] ** 2 / (1 + (x.T * g)[0])
    assert zero((z.T * (L + x * x.T).inv() * z)[0] - fallen)


def test_a_root_of_one_step() -> None:
    """One step at ridge 1 has u = 1 = log2(det ratio): the constant 1 / log 2 is attained."""
    potential = sp.log(1 + u) / sp.log(2)
    assert potential.subs(u, 1) == 1
    assert zero(sp.limit(potential / u, u, 0) - 1 / sp.log(2))


def test_completing_the_square_in_two_dimensions() -> None:
    """<v, S> - sigma^2/2 v^T L v = |S|^2_{L^-1}/(2 sigma^2) - sigma^2/2 |v - m|_L^2."""
    v = z
    m = L.inv() * S / sigma**2
    left = (v.T * S)[0] - sigma**2 / 2 * (v.T * L * v)[0]
    shifted = v - m
    right = (S.T * L.inv() * S)[0] / (2 * sigma**2) - sigma**2 / 2 * (shifted.T * L * shifted)[0]
    assert zero(left - right)


def test_bias_of_a_ridge() -> None:
    """(L + lam)^-1 L w - w = -lam (L + lam)^-1 w."""
    ridged = L + lam * sp.eye(2)
    difference = ridged.inv() * L * w - w + lam * ridged.inv() * w
    assert all(zero(entry) for entry in difference)


def test_largest_eigenvalue_is_below_the_product() -> None:
    """1 + p times 1 + q is at least each of them for p, q >= 0."""
    p, q = sp.symbols("p q", nonnegative=True)
    assert sp.expand((1 + p) * (1 + q) - (1 + p)).is_nonnegative


def test_dimension_one_attains_staleness() -> None:
    now, then = sp.symbols("now then", positive=True)
    assert zero(1 / then - now / then / now)
