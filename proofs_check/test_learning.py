"""Steps of the proofs in docs/theory/learning.md, by symbols; numbers are the specification's."""

import sympy as sp

H, h = sp.symbols("H h", integer=True, positive=True)


def test_9_sum_of_inverse_roots() -> None:
    """1/sqrt(i) <= 2 (sqrt(i) - sqrt(i-1)) for i >= 1; the sum telescopes to 2 sqrt(N-1)."""
    x = sp.symbols("x", nonnegative=True)  # x = i - 1
    i = x + 1
    step = 2 * (sp.sqrt(i) - sp.sqrt(x)) - 1 / sp.sqrt(i)
    # Times sqrt(i): 2 i - 1 - 2 sqrt(i x) = (sqrt(i) - sqrt(x))^2, because i - x = 1.
    assert sp.simplify(sp.expand(step * sp.sqrt(i) - (sp.sqrt(i) - sp.sqrt(x)) ** 2)) == 0


def test_sums_over_stages() -> None:
    left = sp.summation(H - h, (h, 0, H - 1)) - H * (H + 1) / 2
    assert sp.simplify(left) == 0
    assert sp.simplify(sp.summation(2 * (H - h - 1), (h, 0, H - 1)) - H * (H - 1)) == 0


def test_the_two_parts_of_the_second_bonus() -> None:
    """x + y is an average of 5x/3 and 5y/2, and 5/2 of 7/3 is 35/6; floor >= root^2."""
    x, y, level, n = sp.symbols("x y l n", positive=True)
    share = sp.Rational(3, 5)
    assert sp.expand(share * (sp.Rational(5, 3) * x) + (1 - share) * sp.Rational(5, 2) * y) == x + y
    assert sp.Rational(5, 2) * sp.Rational(7, 3) == sp.Rational(35, 6)
    root = sp.Rational(5, 3) * sp.sqrt(2 * level / (n - 1))
    floor = sp.Rational(35, 6) * level / (n - 1)
    assert sp.simplify((floor - root**2) * (n - 1) / level) == sp.Rational(5, 18)


def test_slope_of_mean_plus_deviation() -> None:
    """d/dt of p v_t + a sigma(v_t) is sum p_i u_i (1 + a (v_i - p v) / sigma), on three points."""
    t, a = sp.symbols("t a", positive=True)
    p1, p2 = sp.symbols("p1 p2", positive=True)
    p = [p1, p2, 1 - p1 - p2]
    v0, u = sp.symbols("v0:3", real=True), sp.symbols("u0:3", real=True)
    v = [x + t * y for x, y in zip(v0, u, strict=True)]
    mean = sum(w * x for w, x in zip(p, v, strict=True))
    variance = sum(w * x**2 for w, x in zip(p, v, strict=True)) - mean**2
    slope = sum(
        w * y * (sp.sqrt(variance) + a * (x - mean)) for w, x, y in zip(p, v, u, strict=True)
    )
    found = sp.diff(mean + a * sp.sqrt(variance), t) * sp.sqrt(variance)
    assert sp.expand(found - slope) == 0
