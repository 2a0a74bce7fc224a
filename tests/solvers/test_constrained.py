"""Constrained models against mixtures of deterministic policies in fractions."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

import rltheory as rlt
from rltheory.foundations.rationals import solve_linear
from rltheory.mathematics.simplex import minimize_exactly
from rltheory.solvers import constrained
from rltheory.solvers.constrained_problem import ConstrainedProblem

F = Fraction
Vector = np.ndarray


def rows_of(mdp: rlt.MDP) -> list[list[tuple[int, list[Fraction]]]]:
    """(row, probabilities over their exact sum) of the actions of each state."""
    dense, out = mdp.transitions.toarray(), []
    for s in range(mdp.n_states):
        own = []
        for row in range(mdp.pair_ptr[s], mdp.pair_ptr[s + 1]):
            p = [F(x) for x in dense[row]]
            total = sum(p) + F(mdp.termination[row])
            own.append((row, [x / total for x in p]))
        out.append(own)
    return out


def returns(
    mdp: rlt.MDP, chain: list[list[Fraction]], paid: list[list[Fraction]]
) -> list[Fraction]:
    """rho V for several rewards on a chain, from one exact visitation."""
    n, g = mdp.n_states, F(mdp.discount)
    transposed = [[int(s == t) - g * chain[t][s] for t in range(n)] for s in range(n)]
    x = solve_linear(transposed, [F(p) for p in mdp.initial])
    return [sum((a * b for a, b in zip(x, r, strict=True)), F(0)) for r in paid]


def corners(mdp: rlt.MDP, costs: Vector) -> list[list[Fraction]]:
    """(J, C_1, ..., C_K) of every deterministic policy."""
    tables = [mdp.mean_rewards, *costs.reshape(len(costs), -1)]
    return [
        returns(mdp, [p for _, p in choice], [[F(t[row]) for row, _ in choice] for t in tables])
        for choice in product(*rows_of(mdp))
    ]


def optimum(points: list[list[Fraction]], budgets: list[Fraction]) -> Fraction | None:
    """The best mixture of all deterministic policies within the budgets."""
    K = len(budgets)
    matrix = [[*(p[1 + k] for p in points), *(F(int(i == k)) for i in range(K))] for k in range(K)]
    matrix.append([F(1)] * len(points) + [F(0)] * K)
    found = minimize_exactly([*(-p[0] for p in points), *[F(0)] * K], matrix, [*budgets, F(1)])
    return None if found.value is None else -found.value


def best_of_two(points: list[list[Fraction]], budget: Fraction) -> Fraction | None:
    """K = 1: the best policy, or mixture of two that spends the budget."""
    found = [p[0] for p in points if p[1] <= budget]
    for one, other in product(points, points):
        if one[1] < budget < other[1]:
            w = (budget - one[1]) / (other[1] - one[1])
            found.append((1 - w) * one[0] + w * other[0])
    return max(found, default=None)


def spent(mdp: rlt.MDP, policy: Vector, costs: Vector) -> list[Fraction]:
    """(J, C_1, ...) of a policy of probabilities, each over its exact sum."""
    tables = [mdp.mean_rewards, *costs.reshape(len(costs), -1)]
    chain, paid = [], [[] for _ in tables]
    for s, own in enumerate(rows_of(mdp)):
        w = [F(policy[s, mdp.actions[row]]) for row, _ in own]
        w = [x / sum(w) for x in w]
        chain.append(
            [
                sum((a * p[t] for a, (_, p) in zip(w, own, strict=True)), F(0))
                for t in range(mdp.n_states)
            ]
        )
        for k, table in enumerate(tables):
            paid[k].append(
                sum((a * F(table[row]) for a, (row, _) in zip(w, own, strict=True)), F(0))
            )
    return returns(mdp, chain, paid)


def model(seed: int) -> rlt.MDP:
    """A small model that is not extreme: its discount at most 0.99."""
    mdp = rlt.awkward(seed, states=1 + seed % 3, actions=2 + seed % 2)
    return mdp if mdp.discount <= 0.99 else mdp.with_discount(0.9)


def draw(mdp: rlt.MDP, seed: int, count: int) -> Vector:
    rng = np.random.default_rng(seed)
    shape = (count, mdp.n_states, mdp.n_actions) if mdp.is_full else (count, mdp.n_pairs)
    return rng.integers(-1, 4, size=shape).astype(float)


@pytest.fixture(params=["program", "columns"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Over all pairs at once, or as large models are solved: over policies."""
    if request.param == "columns":
        monkeypatch.setattr("rltheory.solvers.constrained_problem._SMALL_PAIRS", 0)
    return str(request.param)


@pytest.mark.parametrize("seed", range(60))
def test_one_constraint_against_mixtures_of_two(seed: int, way: str) -> None:
    mdp = model(seed)
    costs = draw(mdp, seed, 1)
    points = corners(mdp, costs)
    low, high = min(p[1] for p in points), max(p[1] for p in points)
    budget = float(low + F([0.3, 0.5, 0.9, 1.0][seed % 4]) * (high - low))
    best = best_of_two(points, F(budget))
    if best is None:  # the double next to the least cost
        budget = float(np.nextafter(budget, np.inf))
        best = best_of_two(points, F(budget))
    assert best is not None and best == optimum(points, [F(budget)])
    found = rlt.solve_constrained(mdp, costs, [budget])
    own, cost = spent(mdp, found.policy, costs)
    assert best <= F(found.upper) and F(found.lower) <= own
    assert found.gap <= found.tol
    assert cost <= F(budget) + F(found.violation)
    assert found.randomizations <= 1
    assert found.lagrangian.certificate.check(found.lagrangian.mdp)
    if found.feasible:
        assert F(found.lower) <= best
    size = float(np.abs(mdp.mean_rewards).max()) + 1e-300
    # The objective and the cost are the doubles next to what the policy earns and costs.
    assert found.objective == pytest.approx(float(own), rel=1e-15, abs=1e-25 * size)
    assert found.costs[0] == pytest.approx(float(cost), rel=1e-15, abs=1e-15)


@pytest.mark.parametrize("seed", range(0, 30, 2))
def test_close_to_discount_one(seed: int) -> None:
    mdp = model(seed).with_discount(1 - 2.0**-20)
    costs = draw(mdp, seed, 1)
    points = corners(mdp, costs)
    low, high = min(p[1] for p in points), max(p[1] for p in points)
    budget = float((low + high) / 2) + 1
    best = best_of_two(points, F(budget))
    found = rlt.solve_constrained(mdp, costs, [budget])
    own, cost = spent(mdp, found.policy, costs)
    assert best is not None and F(found.lower) <= own and best <= F(found.upper)
    assert cost <= F(budget) and found.feasible and F(found.lower) <= best
    assert found.gap <= found.tol


@pytest.mark.parametrize("seed", range(60, 100))
def test_several_constraints_against_all_mixtures(seed: int, way: str) -> None:
    mdp = model(seed)
    K = 2 + seed % 2
    costs = draw(mdp, seed, K)
    points = corners(mdp, costs)
    rng = np.random.default_rng(seed)
    share = rng.dirichlet(np.ones(len(points)))
    budgets = [
        float(sum(F(w) * p[1 + k] for w, p in zip(share, points, strict=True))) + 0.01
        for k in range(K)
    ]
    best = optimum(points, [F(b) for b in budgets])
    found = rlt.solve_constrained(mdp, costs, budgets)
    own, *cost = spent(mdp, found.policy, costs)
    assert F(found.lower) <= own and best <= F(found.upper)
    assert found.gap <= found.tol and found.randomizations <= K
    assert all(c <= F(b) + F(found.violation) for c, b in zip(cost, budgets, strict=True))
    assert not found.feasible or F(found.lower) <= best
    assert (found.multipliers >= 0).all()


def test_most_solutions_are_surely_within_their_budgets() -> None:
    kept = []
    for seed in range(40):
        mdp = model(seed)
        costs = draw(mdp, seed, 1)
        points = corners(mdp, costs)
        budget = float(sum(p[1] for p in points) / len(points))
        found = rlt.solve_constrained(mdp, costs, [budget])
        kept.append(found.feasible)
    assert sum(kept) >= 36  # the others have one policy, or all cost the same


@pytest.mark.parametrize("seed", range(30))
def test_infeasible_with_a_proof(seed: int, way: str) -> None:
    mdp = model(seed)
    K = 1 + seed % 2
    costs = draw(mdp, seed, K)
    points = corners(mdp, costs)
    budgets = [float(min(p[1 + k] for p in points)) for k in range(K)]
    budgets[-1] -= 1e-3 * (1 + abs(budgets[-1]))
    with pytest.raises(rlt.InfeasibleError, match="no policy stays within the budgets") as fault:
        rlt.solve_constrained(mdp, costs, budgets)
    error = fault.value
    assert isinstance(error, rlt.ModelError) and error.solution.certificate.check(
        error.solution.mdp
    )
    weights = [F(m) for m in error.multipliers]
    assert min(weights) >= 0
    least = min(sum((w * c for w, c in zip(weights, p[1:], strict=True)), F(0)) for p in points)
    allowed = sum((w * F(b) for w, b in zip(weights, budgets, strict=True)), F(0))
    assert allowed <= F(error.budget) < F(error.least) <= least


def test_infeasible_only_together() -> None:
    """Each budget could be kept, both cannot: one of the two actions has to be taken."""
    mdp = rlt.MDP.deterministic([[0, 0]], [[0, 0]], 0.5, initial=[1])
    with pytest.raises(rlt.InfeasibleError) as fault:
        rlt.solve_constrained(mdp, [[[1, 0]], [[0, 1]]], [0.75, 0.75])
    assert fault.value.multipliers.tolist() == [1, 1]
    assert fault.value.least == pytest.approx(2, rel=1e-13) and fault.value.budget == 1.5


def test_budgets_that_only_one_policy_keeps() -> None:
    mdp = rlt.MDP.deterministic([[0, 0]], [[1, 0]], 0.5, initial=[1])
    for budget, share in ((0, 0), (0.5, 0.25), (2, 1)):
        found = rlt.solve_constrained(mdp, [[1, 0]], budget)
        assert found.policy.tolist() == [[share, 1 - share]]
        assert (found.objective, found.violation, found.gap) == (2 * share, 0, 0)
    # Costs that the budget does not touch.
    found = rlt.solve_constrained(mdp, [[1, 0]], 3)
    assert found.multipliers.tolist() == [0] and found.slack.tolist() == [1]


def test_normalised_budgets() -> None:
    mdp = rlt.MDP.deterministic([[0, 0]], [[1, 0]], 0.75, initial=[1])
    plain = rlt.solve_constrained(mdp, [[[1, 0]]], [1.0])
    share = rlt.solve_constrained(mdp, [[[1, 0]]], [0.25], normalized=True)
    assert plain.objective == share.objective == 1
    assert (plain.multipliers.tolist(), share.multipliers.tolist()) == ([1], [4])
    assert (plain.costs.tolist(), share.costs.tolist()) == ([1], [0.25])


def test_multipliers_are_derivatives() -> None:
    mdp = rlt.MDP(
        rlt.garnet(20, 3, 4, seed=3).transitions, rlt.garnet(20, 3, 4, seed=3).rewards, 0.9,
        np.full(20, 0.05),
    )  # fmt: skip
    costs = np.random.default_rng(1).random((2, 20, 3))
    free = rlt.solve_constrained(mdp, costs, [100, 100])
    assert free.objective == pytest.approx(float(mdp.initial @ rlt.solve(mdp).value), rel=1e-12)
    budgets = free.costs - 0.2
    middle = rlt.solve_constrained(mdp, costs, budgets)
    assert (middle.multipliers > 0).all() and middle.feasible
    for k in range(2):
        step = np.zeros(2)
        step[k] = 1e-5
        near = [rlt.solve_constrained(mdp, costs, budgets + s) for s in (-step, step)]
        slope = (near[1].objective - near[0].objective) / 2e-5
        assert slope == pytest.approx(middle.multipliers[k], rel=1e-6)


def stage_corners(mdp: rlt.EpisodicMDP, costs: Vector) -> list[list[Fraction]]:
    """(J, C) of every deterministic policy of a full model of two stages; costs (1, 2, S, A)."""
    S, A = mdp.n_states, mdp.n_actions
    P = [[F(x) for x in row] for row in mdp.transitions.toarray()]
    P = [[x / sum(row) for x in row] for row in P]
    out = []
    for choice in product(range(A), repeat=2 * S):
        first, second = choice[:S], choice[S:]
        d0 = [F(p) for p in mdp.initial]
        moved = [d0[s] * P[s * A + first[s]][t] for s in range(S) for t in range(S)]
        d1 = [sum(moved[t::S], F(0)) for t in range(S)]
        totals = []
        for table in (np.broadcast_to(mdp.rewards, (2, S, A)), costs[0]):
            totals.append(
                sum((d0[s] * F(table[0, s, first[s]]) for s in range(S)), F(0))
                + sum((d1[s] * F(table[1, s, second[s]]) for s in range(S)), F(0))
            )
        out.append(totals)
    return out


@pytest.mark.parametrize("seed", range(15))
def test_with_a_horizon(seed: int) -> None:
    base = rlt.garnet(2, 2, 2, seed=seed)
    mdp = rlt.EpisodicMDP(base.transitions, base.rewards, 2, [0.25, 0.75])
    rng = np.random.default_rng(seed)
    costs = rng.random((1, 2, 2, 2)) if seed % 2 else np.array([[rng.random((2, 2))] * 2])
    points = stage_corners(mdp, costs)
    budget = float(sum(p[1] for p in points) / len(points))
    best = best_of_two(points, F(budget))
    given = costs if seed % 2 else costs[:, 0]
    found = rlt.solve_constrained(mdp, given, [budget])
    assert found.policy.shape == (2, 2, 2) and found.mdp is mdp
    assert F(found.lower) <= best <= F(found.upper)
    assert found.feasible and found.gap <= found.tol and found.randomizations <= 1
    d = found.occupancy
    assert (d * costs[0]).sum() == pytest.approx(found.costs[0], rel=1e-14)
    assert (d * mdp.rewards).sum() == pytest.approx(found.objective, rel=1e-14)


def test_ragged_models_with_and_without_a_horizon() -> None:
    mdp = rlt.MDP.from_pairs(
        [0, 0, 1], [0, 2, 1], [[0.5, 0.5], [0, 1], [0, 1.0]], [1, 0, 0], 0.5, [1, 0]
    )
    found = rlt.solve_constrained(mdp, [1.0, 0, 0], 0.5)
    assert found.policy.shape == (2, 3) and found.policy[1].tolist() == [0, 1, 0]
    assert found.objective == pytest.approx(0.5, rel=1e-14)
    staged = rlt.solve_constrained(mdp.episodic(2), [[1.0, 0, 0]], [0.5])
    assert staged.objective == pytest.approx(0.5, rel=1e-14)
    assert staged.occupancy.shape == (2, 3) and staged.randomizations == 1


@pytest.mark.parametrize("count", [1, 2, 3])
def test_symmetric_models_randomise_no_more_than_they_have_to(count: int, way: str) -> None:
    """Policies that differ in many tied states: their mixture is no vertex."""
    mdp = rlt.gridworld(8, 8, slip=0.1, discount=0.95)
    costs = np.random.default_rng(count).integers(0, 2, (count, *mdp.rewards.shape)).astype(float)
    free = rlt.occupancy(mdp, rlt.solve(mdp).policy, normalized=False)
    budgets = 0.7 * (costs * free).sum(axis=(1, 2)) + 0.3
    found = rlt.solve_constrained(mdp, costs, budgets)
    assert found.gap <= found.tol and found.feasible
    assert found.randomizations <= count


def test_without_constraints_it_is_the_unconstrained_optimum() -> None:
    mdp = rlt.riverswim(discount=0.9)
    found = rlt.solve_constrained(mdp, np.zeros((0, 6, 2)), [])
    best = rlt.solve(mdp)
    assert best.lower[0] <= found.upper and found.lower <= best.upper[0]
    assert found.randomizations == 0 and found.feasible


def test_the_program_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wrong prices or a wrong occupancy widen the bracket; they never move it past the optimum."""
    mdp = rlt.riverswim(discount=0.9)
    costs = np.zeros((1, 6, 2))
    costs[0, :, 1] = 1
    right = rlt.solve_constrained(mdp, costs, [5])
    uniform = np.full(12, 1 / 12)
    wrong = [(right.occupancy.ravel(), 1.1 * right.multipliers, 1), (uniform, right.multipliers, 1)]
    for answer in wrong:
        monkeypatch.setattr(ConstrainedProblem, "program", lambda self, a=answer: a)
        found = rlt.solve_constrained(mdp, costs, [5])  # over policies
        assert found.lower <= right.upper and right.lower <= found.upper
        assert found.gap <= found.tol and found.feasible
        monkeypatch.setattr(constrained, "best_mixture", lambda *_, a=answer: a)
        with pytest.raises(rlt.ConvergenceError) as fault:
            rlt.solve_constrained(mdp, costs, [5])
        bracket = fault.value.solution
        assert bracket is None or bracket.lower <= right.upper <= bracket.upper + right.tol
        monkeypatch.undo()


def test_what_is_said() -> None:
    mdp = rlt.riverswim(discount=0.9)
    found = rlt.solve_constrained(mdp, np.ones((1, 6, 2)), [10])
    assert repr(found).startswith("ConstrainedSolution(gap ")
    assert "6 states, 1 constraints, 0 randomizations" in repr(found)


def test_what_is_refused() -> None:
    mdp = rlt.riverswim(discount=0.9)
    costs = np.ones((1, 6, 2))
    for bad, words in (
        (lambda: rlt.solve_constrained(mdp, costs, [1, 2]), r"costs has shape \(1, 6, 2\); with 2"),
        (lambda: rlt.solve_constrained(mdp, costs * np.nan, [1]), "not finite"),
        (lambda: rlt.solve_constrained(mdp, costs, [np.inf]), "budgets is"),
        (lambda: rlt.solve_constrained(mdp, costs, "x"), "real numbers"),
        (lambda: rlt.solve_constrained(rlt.garnet(3, 2, 2, seed=1), costs, [1]), "a start law"),
        (lambda: rlt.solve_constrained([], costs, [1]), "not list"),
        (lambda: rlt.solve_constrained(mdp.as_exact(), costs, [1]), "not exact ones"),
        (lambda: rlt.solve_constrained(mdp, costs, [9], tol=-1), "tol is -1"),
        (lambda: rlt.solve_constrained(mdp, costs, [9], normalized="no"), "normalized is 'no'"),
    ):
        with pytest.raises(rlt.ModelError, match=words):
            bad()
