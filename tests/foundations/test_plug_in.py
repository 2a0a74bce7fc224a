"""The numbers that are printed beside the claims about plug-in planning, and their laws."""

import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

import rltheory as rlt
from rltheory.foundations.instances import minimax_loop
from rltheory.foundations.plug_in import _Errors
from rltheory.foundations.rationals import Planner
from rltheory.foundations.robust_planner import RobustPlanner
from rltheory.foundations.sample_bracket import _between, _failing, _optimistic
from rltheory.foundations.two_state_laws import (
    law_of_counts,
    policies,
    policy_values,
    quantile,
    two_states,
)
from rltheory.learning.plug_in import plugin_bound

F = Fraction


def loop_quantile(discount: str, n: int, delta: str = "1/10") -> float:
    errors = _Errors(two_states(minimax_loop(F(discount)), n, delta))
    return quantile(errors.value, errors.law.weight, F(delta))


@pytest.mark.parametrize(
    ("discount", "n", "seen"),
    [
        ("9/10", 2000, 0.35),
        ("99/100", 400_000, 0.84),
        ("999/1000", 50_000_000, 2.4),
        ("99/100", 35_000_000, 0.0896),
        ("999/1000", 3_500_000_000, 0.285),
    ],
)
def test_quantiles_on_the_loop(discount: str, n: int, seen: float) -> None:
    assert loop_quantile(discount, n) == pytest.approx(seen, rel=0.015)


def test_bounds_on_the_loop() -> None:
    def bound(form: str, g: float, n: int) -> float:
        return float(plugin_bound(2, 1, n, g, 0.1, form, of="value"))

    assert bound("variance", 0.99, 400_000) == pytest.approx(7.1, abs=0.05)
    assert bound("variance", 0.999, 50_000_000) == pytest.approx(19.1, abs=0.05)
    assert bound("hoeffding", 0.99, 400_000) == pytest.approx(21.3, abs=0.05)
    assert bound("hoeffding", 0.999, 50_000_000) == pytest.approx(192, abs=0.5)
    # The mutants of the specification, and one that is not refuted.
    assert 0.1 * bound("hoeffding", 0.9, 2000) == pytest.approx(0.27, abs=0.005)
    assert bound("hoeffding", 0.99, 400_000) / 10 > loop_quantile("99/100", 400_000)


def test_error_has_the_power_three_halves_of_the_horizon() -> None:
    gammas = [F(98, 100), F(99, 100), F(999, 1000)]
    scaled = [loop_quantile(str(g), int(200 / (1 - g) ** 3)) for g in gammas]
    assert max(scaled) / min(scaled) < 1.02  # a constant multiple of (1-g)^-3 draws


def test_law_is_that_of_all_samples() -> None:
    """n = 3, two open rows: 4 x 4 outcomes, with their binomial weights, in fractions."""
    p, q = F(1, 4), F(2, 3)
    mdp = rlt.MDP([[[1 - p, p]], [[1 - q, q]]], [[0], [1]], F(1, 2), exact=True)
    law = law_of_counts(mdp, 3)
    exact = {
        (i, j): math.comb(3, i) * p**i * (1 - p) ** (3 - i)
        * math.comb(3, j) * q**j * (1 - q) ** (3 - j)
        for i, j in product(range(4), repeat=2)
    }  # fmt: skip
    assert law.p.shape == (2, 1, 16) and len(exact) == 16
    for k in range(16):
        i, j = round(3 * law.p[0, 0, k]), round(3 * law.p[1, 0, k])
        assert law.weight[k] == pytest.approx(float(exact[i, j]), rel=1e-12)


@pytest.mark.parametrize("case", range(5))
def test_values_in_closed_form(case: int) -> None:
    mdp = rlt.garnet(2, 2, 2, seed=case, discount=0.9).as_exact()
    m = Planner(mdp)
    p = np.array([[float(row[1]) for row in rows] for rows in m.P])[:, :, None]
    r = np.array([[float(x) for x in row] for row in m.r])
    for pi in policies(2):
        exact = [float(x) for x in m.policy_value(pi)]
        assert policy_values(p, r, 0.9, pi)[:, 0] == pytest.approx(exact, rel=1e-13)


def test_quantile_by_hand() -> None:
    values, weight = np.array([3.0, 1.0, 2.0]), np.array([0.125, 0.5, 0.375])
    found = [quantile(values, weight, F(d)) for d in ("1/10", "1/8", "1/4", "1/2", "9/10")]
    assert found == [3.0, 2.0, 2.0, 1.0, 1.0]


def test_loop_is_nearly_the_worst_of_its_discount() -> None:
    """sqrt(p(1-p)) / (1-gp)^2, the size of the error of 1/(1-gp), against its maximum over p."""
    for g in (F(9, 10), F(99, 100), F(999, 1000)):
        loop = float(Planner(minimax_loop(g)).P[1][0][1])
        assert loop == pytest.approx(float((4 * g - 1) / (3 * g)))
        p = 1.0 - float(1 - g) * np.linspace(0.01, 3.0, 3000)
        size, own = (np.sqrt(x * (1 - x)) / (1 - float(g) * x) ** 2 for x in (p, loop))
        assert own > 0.998 * size.max()


def test_robust_ends_are_those_of_the_robust_planner() -> None:
    """The closed form on two states against policy iteration in fractions, for one outcome."""
    mdp = rlt.MDP(
        [[[F(1, 2), F(1, 2)], [1, 0]], [[F(1, 4), F(3, 4)], [0, 1]]],
        [[0, F(1, 4)], [1, F(1, 2)]], F(7, 10), exact=True,
    )  # fmt: skip
    ball = RobustPlanner(mdp, [[F(1, 8)] * 2] * 2)
    upper, lower = _optimistic(ball)[0], ball.optimum()[0]
    solved = [rlt.solve_robust(mdp, l1=0.125, optimistic=b).value for b in (False, True)]
    assert solved[0] == pytest.approx([float(x) for x in lower])
    assert solved[1] == pytest.approx([float(x) for x in upper])


def test_wide_balls_never_fail_and_narrow_ones_do() -> None:
    i = two_states(minimax_loop(F(9, 10)), 100, "1/10")
    failing = [float(w[f].sum()) for f, _, w in (_failing(i, r) for r in (2.0, 0.1, 0.0))]
    assert failing[0] == 0.0 < failing[1] < failing[2] and failing[2] > 0.8


def test_width_between_two_states_tends_to_its_bound() -> None:
    for eps in (F(1, 100), F(1, 10**4)):
        i = _between(F(9, 10), eps)
        ball = RobustPlanner(i.mdp, i.radius)
        width = _optimistic(ball)[0][1] - ball.optimum()[0][1]
        g = F(9, 10)
        assert width == g * eps / ((1 - g) * (1 - g + g * eps))


@pytest.mark.parametrize(
    "claim_id",
    ["learn-plugin-hoeffding", "learn-plugin-variance", "learn-bracket"],
)
def test_claims_are_confirmed_with_all_mutants_refuted(claim_id: str) -> None:
    verdict = rlt.verify(claim_id, budget="quick")
    assert verdict.status == "confirmed", verdict.reason
    assert all(m.status == "refuted" for m in verdict.mutants)
