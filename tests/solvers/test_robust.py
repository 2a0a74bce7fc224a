"""Robust planning against exact enumeration, linear programs and the ordinary solver."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import linprog

import rltheory as rlt
from rltheory.foundations.rationals import solve_linear

F = Fraction


def some_model(random, discount, S=4, A=2, exits=False, kind="csr"):
    """Kinds of storage: rows with few entries, full rows, one successor."""
    if kind == "deterministic":
        P = np.eye(S)[random.integers(0, S, (S, A))]
    else:
        P = random.dirichlet(np.full(S, 0.5), size=(S, A))
        if kind == "csr":
            P = P * (random.random((S, A, S)) < 0.4)
            P[..., 0] += ~(P.sum(-1) > 0)
            P /= P.sum(-1, keepdims=True)
    r = random.integers(-4, 9, (S, A)) / 4.0
    if not exits:
        return rlt.MDP(P, r, discount), np.concatenate([P, np.zeros((S, A, 1))], axis=-1)
    ends = random.random((S, A)) * (random.random((S, A)) < 0.6)
    if kind == "deterministic":
        ends = (ends > 0.5).astype(float)
    P = P * (1 - ends)[..., None]
    return rlt.MDP(P, r, discount, termination=ends), np.concatenate([P, ends[..., None]], axis=-1)


def exactly(x):
    """A row of doubles as the law it means."""
    law = [F(float(y)) for y in x]
    return [y / sum(law) for y in law]


def robust_optimum(mdp, worst):
    """The fixed point in fractions of max_a r + discount min p v; `worst(s, a, v)` is that p."""
    S, A, g = mdp.n_states, mdp.n_actions, F(float(mdp.discount))
    r = [[F(float(x)) for x in row] for row in mdp.rewards]

    def mean(law, v):
        return sum((p * x for p, x in zip(law, v, strict=False)), F(0))

    policy, kernel = [0] * S, {}
    v = [F(0)] * S
    for _ in range(1000):
        laws = {(s, policy[s]): worst(s, policy[s], v) for s in range(S)}
        now = [r[s][policy[s]] + g * mean(laws[s, policy[s]], v) for s in range(S)]
        if now == v and kernel:
            q = [[r[s][a] + g * mean(worst(s, a, v), v) for a in range(A)] for s in range(S)]
            better = [max(range(A), key=q[s].__getitem__) for s in range(S)]
            better = [a if q[s][a] > v[s] else policy[s] for s, a in enumerate(better)]
            if better == policy:
                return v
            policy = better
            continue
        kernel = laws
        matrix = [[int(s == t) - g * laws[s, policy[s]][t] for t in range(S)] for s in range(S)]
        v = solve_linear(matrix, [r[s][policy[s]] for s in range(S)])
    raise AssertionError("no fixed point")


def contains(solution, best):
    low, high = solution.lower, solution.upper
    return all(F(float(a)) <= x <= F(float(b)) for a, x, b in zip(low, best, high, strict=True))


# --- the solver against exact fixed points ------------------------------------------------


@pytest.mark.parametrize("kind", ["csr", "dense", "deterministic"])
@pytest.mark.parametrize("exits", [False, True])
@pytest.mark.parametrize("optimistic", [False, True])
def test_l1_brackets_contain_the_exact_optimum(kind, exits, optimistic):
    random = np.random.default_rng(11)
    for k in range(6):
        mdp, rows = some_model(random, (0.0, 0.5, 0.95)[k % 3], exits=exits, kind=kind)
        rows = rows if mdp.core.has_exits else rows[..., :-1]
        radius = random.choice([0.0, 0.125, 0.5, 1.0, 2.0, 3.0], size=(4, 2))
        support = k % 2 == 1

        def worst(s, a, v, rows=rows, radius=radius, support=support):
            ahead = list(v) + [F(0)] * (rows.shape[-1] - 4)
            return list(
                rlt.worst_case_row(
                    exactly(rows[s, a]),
                    ahead,
                    F(float(radius[s, a])),
                    support_only=support,
                    optimistic=optimistic,
                )
            )

        best = robust_optimum(mdp, worst)
        given = {"l1": radius, "support_only": support, "optimistic": optimistic}
        for method in ("auto", "value-iteration", "modified-policy-iteration"):
            solution = rlt.solve_robust(mdp, **given, method=method)
            assert solution.gap <= solution.tol
            assert contains(solution, best), (k, method)
        tight = rlt.solve_robust(mdp, **given, rtol=1e-14)
        assert contains(tight, best)


@pytest.mark.parametrize("exits", [False, True])
@pytest.mark.parametrize("optimistic", [False, True])
def test_interval_brackets_contain_the_exact_optimum(exits, optimistic):
    random = np.random.default_rng(13)
    for k in range(8):
        kind = ("csr", "dense")[k % 2]
        mdp, rows = some_model(random, 0.9, exits=exits, kind=kind)
        rows = rows if mdp.core.has_exits else rows[..., :-1]
        low = np.maximum(0.0, rows - random.choice([0.0, 0.1, 1.0], size=rows.shape))
        high = np.minimum(1.0, rows + random.choice([0.0, 0.1, 1.0], size=rows.shape))

        def worst(s, a, v, rows=rows, low=low, high=high):
            total = sum(F(float(y)) for y in rows[s, a])
            ahead = list(v) + [F(0)] * (rows.shape[-1] - 4)
            return list(
                rlt.worst_case_row(
                    exactly(rows[s, a]),
                    ahead,
                    lower=[F(float(y)) / total for y in low[s, a]],
                    upper=[F(float(y)) / total for y in high[s, a]],
                    optimistic=optimistic,
                )
            )

        best = robust_optimum(mdp, worst)
        for method in ("auto", "value-iteration", "modified-policy-iteration"):
            solution = rlt.solve_robust(
                mdp, lower=low, upper=high, optimistic=optimistic, method=method
            )
            assert contains(solution, best), (k, method)
        matrices = [sparse.csr_array(x.reshape(8, -1)) for x in (low, high)]
        again = rlt.solve_robust(mdp, lower=matrices[0], upper=matrices[1], optimistic=optimistic)
        assert contains(again, best)


def test_two_by_two_by_enumeration_of_policies_and_corners():
    random = np.random.default_rng(17)
    for _ in range(20):
        p = random.integers(0, 9, (2, 2)) / 8.0
        P = np.stack([p, 1 - p], axis=-1)
        r = random.integers(0, 9, (2, 2)) / 4.0
        eps = random.integers(0, 9, (2, 2)) / 4.0
        mdp, g = rlt.MDP(P, r, 0.5), F(1, 2)
        ends = [
            [max(F(0), F(x) - F(e) / 2), min(F(1), F(x) + F(e) / 2)]
            for x, e in zip(p.ravel(), eps.ravel(), strict=True)
        ]
        best = [None, None]
        for policy in product(range(2), repeat=2):
            worst = [None, None]
            for corner in product(*(ends[2 * s + policy[s]] for s in range(2))):
                law = [[x, 1 - x] for x in corner]
                matrix = [[int(s == t) - g * law[s][t] for t in range(2)] for s in range(2)]
                v = solve_linear(matrix, [F(r[s, policy[s]]) for s in range(2)])
                worst = [x if y is None else min(x, y) for x, y in zip(v, worst, strict=True)]
            best = [x if y is None else max(x, y) for x, y in zip(worst, best, strict=True)]
        assert contains(rlt.solve_robust(mdp, l1=eps), best)


def test_a_leaking_state_by_hand():
    mdp = rlt.MDP.deterministic([[0], [1]], [[0.0], [1.0]], discount=0.9)
    solution = rlt.solve_robust(mdp, l1=0.4)
    assert solution.value.tolist() == pytest.approx([0.0, 1 / (1 - 0.9 * 0.8)], rel=1e-14)
    assert rlt.solve_robust(mdp, l1=0.4, support_only=True).value[1] == pytest.approx(10.0)
    hopeful = rlt.solve_robust(mdp, l1=0.4, optimistic=True)
    assert hopeful.value.tolist() == pytest.approx([0.9 * 0.2 * 10 / (1 - 0.9 * 0.8), 10.0])
    assert repr(solution).startswith("RobustSolution(gap ") and "worst case" in repr(solution)
    assert "best case" in repr(hopeful)


def test_radius_0_is_ordinary_planning_and_2_leaves_nothing_to_chance():
    mdp = rlt.garnet(30, 3, 4, seed=5, discount=0.9)
    assert rlt.solve_robust(mdp, l1=0).value == pytest.approx(rlt.solve(mdp).value, rel=1e-12)
    free = rlt.solve_robust(mdp, l1=2.0).value
    best = mdp.rewards.max(axis=1)
    assert free == pytest.approx(best + 0.9 * best.min() / (1 - 0.9), rel=1e-12)


def test_the_adversary_and_the_policy_are_a_saddle_point():
    mdp = rlt.garnet(40, 3, 5, seed=6, discount=0.95)
    solution = rlt.solve_robust(mdp, l1=0.3, rtol=1e-12)
    kernel = solution.worst_transitions
    assert kernel.shape == (mdp.n_pairs, mdp.n_states)
    assert np.abs(kernel - mdp.transitions).sum(axis=1).max() <= 0.3 + 1e-12
    assert rlt.solve(solution.worst_model).value == pytest.approx(solution.value, rel=1e-10)
    assert rlt.evaluate(solution.worst_model, solution.policy) == pytest.approx(solution.value)
    assert (rlt.evaluate(mdp, solution.policy) >= solution.lower - 1e-9).all()
    assert solution.q.max(axis=1) == pytest.approx(solution.value, rel=1e-10)


@pytest.mark.parametrize("exits", [False, True])
def test_laws_are_those_of_a_linear_program(exits):
    random = np.random.default_rng(19)
    mdp, rows = some_model(random, 0.8, exits=exits, kind="dense")
    rows = rows if mdp.core.has_exits else rows[..., :-1]
    n = rows.shape[-1]
    solution = rlt.solve_robust(mdp, l1=0.6)
    ahead = np.append(solution.value, 0.0)[:n]
    signs = np.array(list(product([-1.0, 1.0], repeat=n)))
    for s, a in product(range(4), range(2)):
        p = rows[s, a] / rows[s, a].sum()
        program = linprog(
            ahead, A_ub=signs, b_ub=0.6 + signs @ p, A_eq=np.ones((1, n)), b_eq=[1.0],
            bounds=[(0, None)] * n,
        )  # fmt: skip
        wanted = mdp.rewards[s, a] + 0.8 * program.fun
        assert solution.q[s, a] == pytest.approx(wanted, abs=1e-9)


# --- with a horizon, ragged rows ----------------------------------------------------------


def test_horizons_shared_and_staged():
    base = rlt.garnet(8, 2, 3, seed=1)
    mdp, H = base.episodic(4), 4
    random = np.random.default_rng(23)
    for radius in (0.3, random.random((8, 2)), random.random((H, 8, 2))):
        solution = rlt.solve_robust(mdp, l1=radius)
        value = np.zeros(8)
        for h in reversed(range(H)):
            eps = np.broadcast_to(radius if np.ndim(radius) < 3 else radius[h], (8, 2))
            q = [
                [
                    base.rewards[s, a]
                    + rlt.worst_case_row(base.transitions.toarray()[2 * s + a], value, eps[s, a])
                    @ value
                    for a in range(2)
                ]
                for s in range(8)
            ]
            value = np.max(q, axis=1)
            assert solution.value[h] == pytest.approx(value, rel=1e-12)
        assert solution.gap <= solution.tol and len(solution.worst_transitions) == H
        assert rlt.solve(solution.worst_model).value == pytest.approx(solution.value, rel=1e-12)
        assert solution.q.shape == (H, 8, 2)


def test_stages_that_differ_and_intervals():
    mdp = rlt.random_episodic(3, 2, 4, seed=2)
    P = mdp.transitions.toarray().reshape(4, 3, 2, 3)
    low, high = np.maximum(0, P - 0.2), np.minimum(1, P + 0.2)
    solution = rlt.solve_robust(mdp, lower=low, upper=high, rtol=1e-14)
    value = np.zeros(3)
    for h in reversed(range(4)):
        q = np.zeros((3, 2))
        for s, a in product(range(3), range(2)):
            law = rlt.worst_case_row(P[h, s, a], value, lower=low[h, s, a], upper=high[h, s, a])
            q[s, a] = mdp.rewards[h, s, a] + law @ value
        value = q.max(axis=1)
        assert solution.value[h] == pytest.approx(value, rel=1e-12)
    radius = np.random.default_rng(1).random((4, 3, 2))
    staged = rlt.solve_robust(mdp, l1=radius)
    assert (staged.value <= rlt.solve(mdp).value + 1e-9).all()
    shared = mdp.transitions.shape
    with pytest.raises(rlt.ModelError, match=r"lower has shape \(2, 3\)"):
        rlt.solve_robust(mdp, lower=np.zeros((2, 3)))
    assert shared == (24, 3)
    # The same bounds at every stage of shared rows.
    stationary = rlt.garnet(3, 2, 2, seed=0).episodic(3)
    table = stationary.transitions.toarray().reshape(3, 2, 3)
    one = rlt.solve_robust(stationary, upper=np.minimum(1, table + 0.3))
    many = rlt.solve_robust(stationary, upper=np.tile(np.minimum(1, table + 0.3), (3, 1, 1, 1)))
    assert one.value.tolist() == many.value.tolist()


def test_ragged_models():
    mdp = rlt.MDP.from_pairs(
        [0, 0, 1, 2], [0, 2, 1, 0], [[0, 1, 0], [0, 0, 1], [1, 0, 0], [0, 0, 1]],
        [0.0, 1.0, 2.0, 0.5], 0.5,
    )  # fmt: skip
    table = np.full((3, 3), 0.5)
    by_table, by_row = rlt.solve_robust(mdp, l1=table), rlt.solve_robust(mdp, l1=np.full(4, 0.5))
    assert (
        by_table.value.tolist()
        == by_row.value.tolist()
        == rlt.solve_robust(mdp, l1=0.5).value.tolist()
    )
    assert rlt.solve(by_row.worst_model).value == pytest.approx(by_row.value)
    free = rlt.solve_robust(mdp, lower=np.zeros((4, 3)))
    assert free.value == pytest.approx(rlt.solve_robust(mdp, l1=2).value)


def test_the_end_is_an_outcome():
    # Ending is worth 0, less than staying: the adversary ends the episode where rows may end.
    mdp = rlt.MDP([[[0.5]]], [[1.0]], 0.5, termination=[[0.5]])
    assert rlt.solve_robust(mdp, l1=0.5).value[0] == pytest.approx(1 / (1 - 0.5 * 0.25))
    assert rlt.solve_robust(mdp, l1=0.5, optimistic=True).value[0] == pytest.approx(
        1 / (1 - 0.5 * 0.75)
    )
    # Without a column for the end it stays as it is.
    fixed = rlt.solve_robust(mdp, lower=[[[0.0]]], upper=[[[1.0]]])
    assert fixed.value[0] == pytest.approx(4 / 3)
    loose = rlt.solve_robust(mdp, lower=[[[0.25, 0.0]]], upper=[[[1.0, 1.0]]])
    assert loose.value[0] == pytest.approx(1 / (1 - 0.5 * 0.25))
    assert loose.worst_model.termination.tolist() == [0.75]


# --- large models, threads, zeros ---------------------------------------------------------


def test_results_do_not_depend_on_threads():
    mdp = rlt.garnet(4000, 4, 6, seed=0, discount=0.9)
    before, found = rlt.threads(), []
    try:
        for threads in (1, 4):
            rlt.set_threads(threads)
            solution = rlt.solve_robust(mdp, l1=0.7)
            found.append((solution.value.tobytes(), solution.policy.tobytes(), solution.gap))
    finally:
        rlt.set_threads(before)
    assert found[0] == found[1]


def test_methods_agree_where_mixing_is_slow():
    mdp = rlt.riverswim(300, discount=0.999)
    by = [
        rlt.solve_robust(mdp, l1=0.01, support_only=True, method=m)
        for m in ("auto", "policy-iteration", "value-iteration")
    ]
    for one, other in product(by, by):
        assert (one.lower <= other.upper).all()


def test_a_model_without_rewards_has_gap_0():
    mdp = rlt.MDP.deterministic([[1], [0]], [[0.0], [0.0]], discount=0.99)
    assert rlt.solve_robust(mdp, l1=1.0).gap == 0.0


def test_exact_models_have_brackets_too():
    third = F(1, 3)
    mdp = rlt.MDP([[[third, 1 - third]], [[1, 0]]], [[third], [1]], third, exact=True)
    solution = rlt.solve_robust(mdp, l1=0.5, rtol=1e-12)
    # 0 keeps 1/3 of its mass, 1/4 of it moves to the worse state; 1 goes to 0 in any case.
    matrix = [[1 - third * F(7, 12), -third * F(5, 12)], [-third, F(1)]]
    assert contains(solution, solve_linear(matrix, [third, F(1)]))


def test_a_tolerance_out_of_reach_raises_with_the_bracket():
    with pytest.raises(rlt.ConvergenceError, match="stalled") as error:
        rlt.solve_robust(rlt.garnet(5, 3, 2, seed=0, discount=0.99), l1=0.3, tol=0.0)
    assert error.value.solution.gap < 1e-12


def test_overflow_raises():
    mdp = rlt.MDP.deterministic([[0, 0]], [[1e308, -1e308]], discount=0.99)
    with pytest.raises(rlt.ConvergenceError, match="overflow"):
        rlt.solve_robust(mdp, l1=0.1)


# --- what is refused ----------------------------------------------------------------------

TWO = rlt.MDP([[[0.5, 0.5], [1, 0]], [[0, 1], [0.25, 0.75]]], np.zeros((2, 2)), 0.5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "neither l1 nor intervals are given"),
        ({"l1": 0.1, "upper": np.ones((2, 2, 2))}, "both l1 and intervals are given"),
        ({"l1": -0.1}, "l1 is -0.1; a radius must be finite and at least 0"),
        ({"l1": [[0, 0], [0, np.nan]]}, r"l1\[1, 1\] is nan; a radius must be"),
        ({"l1": np.inf}, "l1 is inf"),
        ({"l1": [0.1, 0.2, 0.3]}, r"l1 has shape \(3,\); it must be a number or \(2, 2\) or"),
        ({"l1": "x"}, "l1 has dtype"),
        ({"l1": 0.1, "support_only": 1}, "support_only is 1"),
        ({"upper": np.ones((2, 2, 2)), "support_only": True}, "support_only is for l1"),
        ({"lower": np.ones((2, 2, 5))}, r"lower has shape \(2, 2, 5\)"),
        ({"lower": np.full((2, 2, 2), 0.6)}, r"row lower\[0, 0\] sums to 1.2; no law is above it"),
        ({"lower": [[[0, 0], [0, 0]], [[0, 0], [0.5, 0]]]},
         r"lower\[1, 1, 0\] is 0.5 and the model's probability 0.25; it must be at most"),
        ({"upper": [[[1, 0.4], [1, 0]], [[0, 1], [1, 1]]]},
         r"upper\[0, 0, 1\] is 0.4 and the model's probability 0.5; it must be at least"),
        ({"upper": np.full((2, 2, 2), np.nan)}, r"upper\[0, 0, 0\] is nan"),
        ({"lower": np.full((2, 2, 2), -0.5)}, r"lower\[0, 0, 0\] is -0.5"),
        ({"l1": 0.1, "optimistic": "no"}, "optimistic is 'no'; it must be True or False"),
        ({"l1": 0.1, "method": "newton"}, "'newton' does not solve discounted models"),
        ({"l1": 0.1, "rtol": -1}, "rtol is -1"),
    ],
)  # fmt: skip
def test_bad_arguments(arguments, message):
    with pytest.raises(rlt.ModelError, match=message):
        rlt.solve_robust(TWO, **arguments)


def test_places_of_stages():
    mdp = TWO.episodic(2)
    radius = np.zeros((2, 2, 2))
    radius[1, 0, 1] = -1
    with pytest.raises(rlt.ModelError, match=r"l1\[1, 0, 1\] is -1.0"):
        rlt.solve_robust(mdp, l1=radius)
    upper = np.ones((2, 2, 2, 2))
    upper[1, 1, 0, 1] = 0.5
    with pytest.raises(rlt.ModelError, match=r"upper\[1, 1, 0, 1\] is 0.5"):
        rlt.solve_robust(mdp, upper=upper)
    with pytest.raises(rlt.ModelError, match="takes an MDP or an EpisodicMDP, not str"):
        rlt.solve_robust("x", l1=0.1)
    with pytest.raises(rlt.ModelError, match="no discount"):
        rlt.solve_robust(rlt.riverswim(3), l1=0.1)


@pytest.mark.parametrize(
    ("p", "value", "arguments", "message"),
    [
        ([0.5, 0.5], [1.0], {"radius": 0.1}, "p has 2 entries and value 1"),
        ([0.5, 0.6], [1.0, 0.0], {"radius": 0.1}, "p sums to 1.1"),
        ([1.5, -0.5], [1.0, 0.0], {"radius": 0.1}, r"p\[1\] is -0.5"),
        ([0.5, 0.5], [1.0, 0.0], {"radius": -0.1}, "radius is -0.1"),
        ([0.5, 0.5], [1.0, 0.0], {"radius": np.nan}, r"radius\[0\] is nan"),
        ([0.5, 0.5], [1.0, 0.0], {}, "neither a radius nor bounds"),
        ([0.5, 0.5], [1.0, 0.0], {"radius": 0.1, "upper": [1, 1]}, "radius and bounds"),
        ([0.5, 0.5], [1.0, 0.0], {"upper": [1, 0.25]}, r"upper\[1\] is 0.25 and p\[1\] is 0.5"),
        ([0.5, 0.5], [1.0, 0.0], {"lower": [0.75, 0]}, r"lower\[0\] is 0.75 and p\[0\] is 0.5"),
        ([0.5, 0.5], [1.0, 0.0], {"lower": [0.0]}, "lower has 1 entries; 2 are needed"),
        ([0.5, 0.5], [1.0, 0.0], {"lower": [0, 0], "support_only": True}, "for a radius"),
    ],
)
def test_bad_rows(p, value, arguments, message):
    with pytest.raises(rlt.ModelError, match=message):
        rlt.worst_case_row(p, value, **arguments)


def test_rows_in_fractions_stay_fractions():
    law = rlt.worst_case_row([F(1, 2), F(1, 3), F(1, 6)], [3, 1, 2], F(1, 2), optimistic=True)
    assert law.tolist() == [F(3, 4), F(1, 12), F(1, 6)]


@pytest.mark.parametrize("optimistic", [False, True])
@pytest.mark.parametrize("support_only", [False, True])
def test_few_steps_where_news_travels_slowly(support_only, optimistic):
    mdp = rlt.riverswim(300, 0.999)
    sets = {"l1": 0.05, "support_only": support_only, "optimistic": optimistic}
    solution = rlt.solve_robust(mdp, **sets, tol=1e-6)
    assert solution.iterations < 500  # 731 to 1,726 where one state changes at a time
    other = rlt.solve_robust(mdp, **sets, method="value-iteration", tol=1e-6)
    assert np.abs(solution.value - other.value).max() <= 2e-6
