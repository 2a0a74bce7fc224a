"""The claims about regularised and robust planning: values by hand, and why each mutant fails."""

import math
from fractions import Fraction
from itertools import combinations, product

import pytest

import rltheory as rlt
from rltheory.claims.verify import instances
from rltheory.foundations import robust, soft
from rltheory.foundations.instances import leak, self_loop
from rltheory.foundations.rationals import solve_linear
from rltheory.foundations.robust_planner import (
    RobustPlanner,
    dual_of_intervals,
    dual_of_l1,
    ends_of_segment,
)
from rltheory.foundations.soft_planner import CONTEXT, SoftPlanner, fraction_of, lambert

F = Fraction
CLAIMS = {claim.id: claim for module in (soft, robust) for claim in module.CLAIMS}
MUTANTS = [(claim.id, mutant.id) for claim in CLAIMS.values() for mutant in claim.mutants]


@pytest.fixture(scope="module")
def verdicts():
    return {name: rlt.verify(claim, budget="quick") for name, claim in CLAIMS.items()}


@pytest.mark.parametrize("name", CLAIMS)
def test_claim_is_confirmed(verdicts, name):
    verdict = verdicts[name]
    assert verdict.status == "confirmed", verdict.reason
    assert "proof (in text)" in verdict.coverage
    if name.startswith("plan-robust"):
        assert verdict.arithmetic == "exact"
    if CLAIMS[name].kind == "inequality":
        assert verdict.tightness == pytest.approx(1.0, abs=1e-15)
        assert verdict.detection_limit == pytest.approx(1.0, abs=1e-15)


REASONS = {
    "squared plan-soft-contraction": "shift: norm: 0.9 against the bound 81/100",
    "one-action-less": "equal actions: T_tau v <= T v + tau log A: 0.693147 against the bound 0",
    "reversed": "biased: gap, state 0: 8.88179 against the bound 11.2946",
    "once": "biased: gap, state 0: 8.88179 against the bound 0.888179",
    "half-optimism": "equal actions: V_tau* - V*: 6.93147 against the bound 3.46574",
    "half-loss": "two states at 9/10: loss of pi_tau: 3.88198 against the bound 3.46574",
    "no-resolvent": "equal actions: V_tau* - V*: 6.93147 against the bound 0.693147",
    "whole-radius": "two outcomes: in the ball: 1/2 against the bound 0",
    "from-the-lowest": "three outcomes: mean in the ball: 1/2 against the bound 1/4",
    "descending": "two outcomes: mean between: 3/4 against the bound 1/4",
    "support-only": "lowest has no mass: mean in the ball: 5/4 against the bound 1",
    "squared plan-robust-contraction": "leak at 1/2, eps 1/4: norm: 1/2 against the bound 1/4",
    "quarter": "leak at 1/2, eps 1/4: loss by sp(V*): 2/9 against the bound 1/8",
    "with-exits": "may end: loss by sp(V*): 180/341 against the bound 0",
    "coupled": "one decision: max min = min max, coupled rows: 90/11 against the bound 9",
}


@pytest.mark.parametrize(("name", "mutant"), MUTANTS)
def test_mutant_is_refuted_for_its_own_reason(verdicts, name, mutant):
    (found,) = (m for m in verdicts[name].mutants if m.id == mutant)
    expected = REASONS.get(mutant) or REASONS[f"{mutant} {name}"]
    assert found.status == "refuted" and found.reason.startswith(f"instance {expected}")


# --- the planner of sixty digits ----------------------------------------------------------


def test_soft_values_of_a_bandit_by_hand():
    mdp = rlt.MDP([[[1], [1]]], [[1, 0]], F(1, 2), exact=True)
    planner = SoftPlanner(mdp, F(1))
    (best,) = planner.optimum()
    assert float(best) == pytest.approx(2 * math.log(math.e + 1), rel=1e-15)
    (row,) = planner.greedy([best])
    assert float(row[0]) == pytest.approx(math.e / (1 + math.e), rel=1e-15)
    (own,) = planner.value([[F(1, 2), F(1, 2)]])
    assert float(own) == pytest.approx(1 + 2 * math.log(2), rel=1e-15)
    assert float(
        planner.divergence([CONTEXT.mpf(1), 0], [CONTEXT.mpf(1) / 2] * 2)
    ) == pytest.approx(math.log(2))
    assert planner.divergence([CONTEXT.mpf(1)], [CONTEXT.mpf(0)]) == CONTEXT.inf


def test_sixty_digits_lie_in_the_brackets_of_the_solver():
    for _, _, i in instances(CLAIMS["plan-soft-gap"], 25, 3):
        best = SoftPlanner(i.mdp, i.temperature, i.reference).optimum()
        table = None if i.reference is None else [[float(x) for x in row] for row in i.reference]
        found = rlt.solve_regularized(i.mdp, float(i.temperature), table)
        slack = F(0 if table is None else 1, 2**40)  # thirds are not doubles
        for low, x, high in zip(found.lower, best, found.upper, strict=True):
            assert F(float(low)) - slack <= fraction_of(x) <= F(float(high)) + slack


def test_exact_robust_optima_lie_in_the_brackets_of_the_solver():
    for _, _, i in instances(CLAIMS["plan-robust-contraction"], 25, 3):
        best, _ = RobustPlanner(i.mdp, i.radius).optimum()
        found = rlt.solve_robust(i.mdp, l1=[[float(x) for x in row] for row in i.radius])
        for low, x, high in zip(found.lower, best, found.upper, strict=True):
            assert F(float(low)) <= x <= F(float(high))


def test_reals_become_fractions_exactly():
    assert fraction_of(CONTEXT.mpf(3) / 8) == F(3, 8)
    assert fraction_of(-(CONTEXT.mpf(2) ** 70)) == -(2**70)
    w = lambert(CONTEXT.e)
    assert float(w) == pytest.approx(1.0, rel=1e-50)


@pytest.mark.parametrize(("discount", "ratio"), [("9/10", 0.560), ("99/100", 0.916)])
def test_the_two_states_lose_what_the_paper_says(discount, ratio):
    g = F(discount)
    pay, loss = soft.two_state_loss(g)
    assert float(loss) / soft.soft_bias_bound(1.0, 2, float(g)) == pytest.approx(ratio, abs=5e-4)
    # A reward a little larger or smaller loses less.
    for near in (pay * F(99, 100), pay * F(101, 100)):
        mdp = soft._two_states(g, near)
        planner = SoftPlanner(mdp, F(1))
        policy = planner.greedy(planner.optimum())
        own = planner.value(policy, planner.mean_rewards(policy))
        assert planner.real(near) - own[0] < loss


# --- the robust planner -------------------------------------------------------------------


def test_duals_are_the_least_mean_over_all_vertices():
    """The ball on three outcomes as the polytope that it is: every vertex, by pairs of facets."""
    values = [F(2), F(-1), F(1, 2)]
    for p in ([F(1, 2), F(1, 4), F(1, 4)], [F(1), F(0), F(0)], [F(0), F(1, 3), F(2, 3)]):
        for radius in (F(0), F(1, 4), F(1), F(2)):
            facets = [([int(i == j) for j in range(3)], F(0), False) for i in range(3)]
            for signs in product((-1, 1), repeat=3):
                right = radius + sum(s * x for s, x in zip(signs, p, strict=True))
                facets.append((list(signs), right, True))
            means = []
            for one, other in combinations(facets, 2):
                try:
                    q = solve_linear([one[0], other[0], [1, 1, 1]], [one[1], other[1], F(1)])
                except ZeroDivisionError:
                    continue
                far = sum(abs(x - y) for x, y in zip(q, p, strict=True))
                if min(q) >= 0 and far <= radius:
                    means.append(sum(x * v for x, v in zip(q, values, strict=True)))
            assert min(means) == dual_of_l1(p, values, radius)


def test_dual_of_intervals_by_hand():
    # Half is free: it goes to the least value up to its bound of 1/4, then to the next.
    low, high = [F(1, 4), F(1, 4), F(0)], [F(1), F(1), F(1, 4)]
    assert dual_of_intervals([F(4), F(2), F(0)], low, high) == 1 + F(1, 2) + F(1, 4) * 2
    assert ends_of_segment([F(1, 4), F(3, 4)], F(1)) == [[0, 1], [F(3, 4), F(1, 4)]]


def test_the_leak_by_hand():
    for g, eps in ((F(1, 2), F(1, 4)), (F(9, 10), F(1)), (F(99, 100), F(2))):
        planner = RobustPlanner(leak(g, 0), [[eps]] * 2)
        value, policy = planner.optimum()
        assert value == [0, 1 / (1 - g + g * eps / 2)] and policy == [0, 0]
        lost = 1 / (1 - g) - value[1]
        assert lost == robust.robust_loss_bound(g, eps, value[1])


def test_robust_optimum_of_the_planner_and_of_the_solver():
    half = F(1, 2)
    rows = [[[half, half], [1, 0]], [[0, 1], [F(1, 4), F(3, 4)]]]
    mdp = rlt.MDP(rows, [[1, 0], [F(1, 4), 2]], half, exact=True)
    value, policy = RobustPlanner(mdp, [[F(1, 2)] * 2] * 2).optimum()
    solution = rlt.solve_robust(mdp, l1=0.5)
    assert solution.policy.tolist() == policy
    assert all(
        F(float(a)) <= x <= F(float(b))
        for a, x, b in zip(solution.lower, value, solution.upper, strict=True)
    )


def test_bounds_can_be_evaluated():
    assert soft.soft_bias_bound(2.0, 4, 0.5) == pytest.approx(4 * math.log(4))
    assert robust.robust_loss_bound(F(1, 2), F(1, 4), F(3)) == F(3, 8)
    assert CLAIMS["plan-soft-contraction"].bound(0.5, 2.0) == 1.0
    assert self_loop(1, F(1, 2)).n_states == 1
