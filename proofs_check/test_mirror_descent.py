"""Steps of the proofs about mirror descent, by symbols: two actions, and scalars.

Each test is one step that docs/theory/mirror_descent.md leaves to algebra. A law on two actions is
written by its logit, so that logarithms of probabilities stay sums of symbols and log-partitions.
"""

import pytest
import sympy as sp

eta, lam = sp.symbols("eta lambda", positive=True)
gamma = sp.symbols("gamma", positive=True)
x, q0, q1, p = sp.symbols("x q0 q1 p", real=True)

Law = tuple[sp.Expr, sp.Expr]


def log_law(logit: sp.Expr) -> Law:
    """Logarithms of the law (e^logit, 1) / (1 + e^logit)."""
    total = sp.log(1 + sp.exp(logit))
    return logit - total, -total


def law(logit: sp.Expr) -> Law:
    return sp.exp(logit) / (1 + sp.exp(logit)), 1 / (1 + sp.exp(logit))


def kl(a: sp.Expr, b: sp.Expr) -> sp.Expr:
    """KL of the laws of two logits."""
    terms = zip(law(a), log_law(a), log_law(b), strict=True)
    return sum(w * (y - z) for w, y, z in terms)


def mean(logit: sp.Expr) -> sp.Expr:
    w = law(logit)
    return w[0] * q0 + w[1] * q1


def is_zero(expression: sp.Expr) -> bool:
    return sp.simplify(sp.expand(sp.sympify(expression).rewrite(sp.exp))) == 0


STEP = x + eta * (q0 - q1)
"""The logit after one step: pi exp(eta Q) over two actions."""


# --- one step -------------------------------------------------------------------------------


def test_closed_form_what_another_law_loses() -> None:
    """F(pi') - F(p) = KL(p, pi') / eta."""
    y = sp.symbols("y", real=True)
    best = mean(STEP) - kl(STEP, x) / eta
    assert is_zero(best - (mean(y) - kl(y, x) / eta) - kl(y, STEP) / eta)


def test_three_point_identity() -> None:
    y = sp.symbols("y", real=True)
    left = eta * (mean(y) - mean(STEP))
    assert is_zero(left - (kl(y, x) - kl(y, STEP) - kl(STEP, x)))
    wrong = left - (kl(y, x) - kl(y, STEP) + kl(STEP, x))
    assert abs(float(wrong.subs({x: 0, y: 1, q0: 1, q1: 0, eta: 1}))) > 0.1


def test_gain_is_both_divergences() -> None:
    assert is_zero(eta * (mean(STEP) - mean(x)) - kl(STEP, x) - kl(x, STEP))


def test_advantages_give_the_same_step() -> None:
    v = sp.symbols("v", real=True)
    shifted = x + eta * ((q0 - v) - (q1 - v))
    assert sp.expand(shifted - STEP) == 0


def test_divergences_are_bregman_divergences_of_the_log_partition() -> None:
    """KL(pi, pi_u) = psi(u) - u psi'(0), KL(pi_u, pi) = u psi'(u) - psi(u)."""
    u = sp.symbols("u", real=True)
    w = law(x)
    psi = sp.log(w[0] * sp.exp(u * q0) + w[1] * sp.exp(u * q1))
    moved = x + u * (q0 - q1)
    slope = sp.diff(psi, u)
    point = {x: sp.Rational(1, 3), q0: 2, q1: sp.Rational(-1, 5), u: sp.Rational(3, 4)}
    for expression in (
        kl(x, moved) - (psi - u * slope.subs(u, 0)),
        kl(moved, x) - (u * slope - psi),
    ):
        assert abs(expression.subs(point).evalf(40)) < 1e-35
    assert is_zero(sp.diff(psi, u, 2).subs(u, 0) - w[0] * w[1] * (q0 - q1) ** 2)


def test_the_eighth_of_the_trust_region() -> None:
    """The variance of two values is at most span^2/4, and the kernels integrate to eta^2/2."""
    u, w = sp.symbols("u w", real=True)
    assert sp.integrate(eta - u, (u, 0, eta)) == eta**2 / 2 == sp.integrate(u, (u, 0, eta))
    assert sp.factor(sp.Rational(1, 4) - w * (1 - w)) == sp.factor((2 * w - 1) ** 2 / 4)


# --- gradients ------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [2, 3])
def test_pseudo_inverse_of_the_fisher_block(n: int) -> None:
    """All four conditions of Penrose for C diag(1/pi) C."""
    free = sp.symbols(f"w:{n - 1}", positive=True)
    pi = sp.Matrix([*free, 1 - sum(free)])
    block = sp.diag(*pi) - pi * pi.T
    centre = sp.eye(n) - sp.ones(n, n) / n
    inverse = centre * sp.diag(*[1 / w for w in pi]) * centre
    for left, right in (
        (block * inverse * block, block),
        (inverse * block * inverse, inverse),
        ((block * inverse).T, block * inverse),
        ((inverse * block).T, inverse * block),
    ):
        assert (left - right).applyfunc(sp.cancel) == sp.zeros(n, n)


def test_natural_direction_is_the_centred_advantage() -> None:
    w = sp.symbols("w", positive=True)
    pi = sp.Matrix([w, 1 - w])
    value = w * q0 + (1 - w) * q1
    advantage = sp.Matrix([q0 - value, q1 - value])
    centre = sp.eye(2) - sp.ones(2, 2) / 2
    inverse = centre * sp.diag(1 / w, 1 / (1 - w)) * centre
    gradient = sp.Matrix([pi[i] * advantage[i] for i in range(2)])
    found = (inverse * gradient).applyfunc(sp.simplify)
    assert (found - centre * advantage).applyfunc(sp.simplify) == sp.zeros(2, 1)


def test_orders_at_the_centre() -> None:
    """Value and slope 0, the same second derivative, third derivatives 2 kappa_3 and kappa_3."""
    u = sp.symbols("u", real=True)
    w = law(x)[0]
    skew = w * (1 - w) * (1 - 2 * w)
    for f, third in ((kl(x + u, x), 2), (kl(x, x + u), 1)):
        at = [sp.factor(sp.diff(f, u, k).subs(u, 0)) for k in range(4)]
        assert is_zero(at[0]) and is_zero(at[1])
        assert is_zero(at[2] - w * (1 - w))
        assert is_zero(at[3] - third * skew)


# --- other steps ----------------------------------------------------------------------------


def test_forward_step_of_the_example() -> None:
    """nu^2 - 2 nu + 7/10 = 0 above max Q = 1."""
    nu = sp.symbols("nu", real=True)
    equation = sp.Rational(3, 10) / (nu - 1) + sp.Rational(7, 10) / nu - 1
    (root,) = (r for r in sp.solve(equation, nu) if r > 1)
    assert sp.simplify(root - 1 - sp.sqrt(sp.Rational(3, 10))) == 0
    first = sp.Rational(3, 10) / (root - 1)
    assert sp.simplify(first - sp.sqrt(sp.Rational(3, 10))) == 0
    assert float(first) == pytest.approx(0.547723, abs=5e-7)
    mirror = sp.Rational(3, 10) * sp.E / (sp.Rational(3, 10) * sp.E + sp.Rational(7, 10))
    assert float(mirror) == pytest.approx(0.538102, abs=5e-7)


def test_reciprocal_of_the_secular_function_is_concave() -> None:
    """(1/S)'' = 2 (m_1^2 - m_2) / S for S = sum pi / (y + c)."""
    y, c, w = sp.symbols("y c w", positive=True)
    terms = [w / y, (1 - w) / (y + c)]
    total = sum(terms)
    shares = [t / total for t in terms]
    first = shares[0] / y + shares[1] / (y + c)
    second = shares[0] / y**2 + shares[1] / (y + c) ** 2
    assert sp.simplify(sp.diff(1 / total, y, 2) - 2 * (first**2 - second) / total) == 0


def test_flat_part_of_the_clipped_surrogate() -> None:
    w, clip = sp.symbols("w epsilon", positive=True)
    flat = w * (1 + clip) * (1 - w) - (1 - w) * (1 - clip) * w
    assert sp.expand(flat - 2 * clip * w * (1 - w)) == 0


def test_regularised_step_is_a_mixture() -> None:
    """Logits: alpha x + (1 - alpha) (z + Q / lambda), alpha = 1/(1 + eta lambda), maximise F."""
    z, y = sp.symbols("z y", real=True)
    alpha = 1 / (1 + eta * lam)
    mixed = alpha * x + (1 - alpha) * (z + (q0 - q1) / lam)

    def objective(logit: sp.Expr) -> sp.Expr:
        return mean(logit) - lam * kl(logit, z) - kl(logit, x) / eta

    lost = objective(mixed) - objective(y) - (lam + 1 / eta) * kl(y, mixed)
    # Exponents with 1/(1 + eta lambda) are beyond `simplify`; numbers in many digits are not.
    point = {x: 1, z: -2, y: sp.Rational(1, 3), q0: 2, q1: sp.Rational(1, 7)}
    for a, b in ((1, 1), (sp.Rational(1, 9), 5), (20, sp.Rational(1, 3))):
        assert abs(lost.subs(point | {eta: a, lam: b}).evalf(40)) < 1e-35


# --- rates ----------------------------------------------------------------------------------


def test_11_steps_of_cen_and_of_mirror_descent() -> None:
    """1/(1 + eta' lambda) = 1 - eta lambda/(1-gamma) iff eta' = eta/(1 - gamma - eta lambda)."""
    prox = sp.symbols("etaprime", positive=True)
    equation = sp.Eq(1 / (1 + prox * lam), 1 - eta * lam / (1 - gamma))
    (root,) = sp.solve(equation, prox)
    assert sp.simplify(root - eta / (1 - gamma - eta * lam)) == 0
    assert sp.simplify(root / (1 + root * lam) - eta / (1 - gamma)) == 0
    # The other way, as `mdpo_bound` has it.
    assert sp.simplify((1 - gamma) / (lam + 1 / root) - eta) == 0


def test_contraction_of_the_regularised_step() -> None:
    """alpha + (1 - alpha) gamma = 1 - eta lambda; the constant C_1 of the start."""
    alpha = 1 - eta * lam / (1 - gamma)
    assert sp.simplify(alpha + (1 - alpha) * gamma - (1 - eta * lam)) == 0
    x0, y0, a = sp.symbols("x0 y0 alpha", positive=True)
    assert sp.expand(a * y0 + (1 - a) * x0 + a * (x0 + y0) - (x0 + 2 * a * y0)) == 0


def test_recursion_of_geometric_steps() -> None:
    theta, d, d1, e, e1 = sp.symbols("theta delta delta1 D D1", positive=True)
    g = 1 - gamma
    slack = (e - e1) / eta + theta * g * (d - d1) - g * d
    left = d1 + e1 / (theta * g * eta)
    right = (1 - 1 / theta) * (d + e / ((theta - 1) * g * eta))
    assert sp.simplify(right - left - slack / (theta * g)) == 0
    longer = theta / (theta - 1) * eta
    assert sp.simplify(e1 / ((theta - 1) * g * longer) - e1 / (theta * g * eta)) == 0


def test_errors_of_adaptive_steps_add_up() -> None:
    c = sp.symbols("c", positive=True)
    for n in (1, 2, 5):
        total = sum(gamma ** (n - i) * c * gamma ** (2 * i) for i in range(1, n + 1))
        limit = gamma**n * c * gamma / (1 - gamma)
        assert sp.simplify(limit - total - gamma**n * c * gamma ** (n + 1) / (1 - gamma)) == 0


def test_slow_bandit_in_closed_form() -> None:
    """K eta Delta = l - log l: probability 1/(1 + (1-p) l), and the bound of the constant step."""
    w, gap = sp.symbols("w Delta", positive=True)
    K = sp.symbols("K", positive=True, integer=True)
    ell = sp.log(1 / w)
    grown = w * sp.exp(ell - sp.log(ell))
    best = sp.simplify(grown / (grown + 1 - w))
    assert sp.simplify(best - 1 / (1 + (1 - w) * ell)) == 0
    step = (ell - sp.log(ell)) / (K * gap)
    bound = (ell / step + gap * (1 - w)) / (K + 1)
    wanted = gap / (K + 1) * (K * ell / (ell - sp.log(ell)) + 1 - w)
    assert sp.simplify(bound - wanted) == 0
    y = sp.symbols("y", positive=True)
    assert sp.limit(y / (y - sp.log(y)), y, sp.oo) == 1
