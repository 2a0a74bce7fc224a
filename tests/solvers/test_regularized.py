"""Regularised planning: values by hand, and brackets held against forty digits."""

import math

import numpy as np
import plain_soft as plain
import pytest

import rltheory as rlt
from rltheory import _core

TAUS = (1e-300, 1e-9, 1e-3, 0.05, 1.0, 30.0, 1e6)


def some_model(random, discount, exits=False, ragged=False):
    S, A = int(random.integers(1, 5)), int(random.integers(1, 5))
    P = random.dirichlet(np.full(S, 0.4), size=(S, A))
    if random.random() < 0.3:
        P = P * (
            1 + 1e-10 * random.uniform(-1, 1, (S, A, 1))
        )  # rows are off, within what is allowed
    r = np.round(random.uniform(-1, 2, (S, A)), 3) * 10.0 ** random.integers(-3, 4)
    ends = (
        random.uniform(0, 0.5, (S, A)) * (random.random((S, A)) < 0.5)
        if exits
        else np.zeros((S, A))
    )
    P = P * (1 - ends)[..., None]
    if not ragged:
        return rlt.MDP(P, r, discount, termination=ends if exits else None)
    keep = random.random((S, A)) < 0.6
    keep[:, 0] |= ~keep.any(axis=1)
    s, a = np.nonzero(keep)
    return rlt.MDP.from_pairs(
        s, a, P[keep], r[keep], discount, n_actions=A, termination=ends[keep] if exits else None
    )


def some_reference(random, mdp):
    """A table of probabilities with zeros, and its rows."""
    w = random.dirichlet(np.full(mdp.n_actions, 0.5), size=mdp.n_states)
    w = w * (mdp.table(np.ones(mdp.n_pairs), 0.0) > 0)
    w[random.random(w.shape) < 0.2] = 0.0
    for s in range(mdp.n_states):
        if not w[s].sum() > 0:
            w[s, mdp.actions[mdp.states == s][0]] = 1.0
    w /= w.sum(axis=1, keepdims=True)
    return w, w[mdp.states, mdp.actions]


def above(x, y):
    """Whether the forty-digit numbers x are at most the doubles y, but for the last digits."""
    return all(
        a <= plain.real(float(b)) + plain.mp.mpf(10) ** -28 * (1 + abs(a))
        for a, b in zip(x, y, strict=True)
    )


def below(x, y):
    return all(
        a >= plain.real(float(b)) - plain.mp.mpf(10) ** -28 * (1 + abs(a))
        for a, b in zip(x, y, strict=True)
    )


@pytest.mark.parametrize("tau", TAUS)
def test_brackets_contain_the_optimum_and_the_policy(tau):
    random = np.random.default_rng(7)
    for k in range(8):
        mdp = some_model(random, (0.0, 0.5, 0.9)[k % 3], exits=k % 2 == 0, ragged=k % 4 < 2)
        table, rows = (None, None) if k % 3 == 0 else some_reference(random, mdp)
        g = float(mdp.discount)
        pairs = plain.pairs_of(mdp, None if rows is None else [plain.real(float(x)) for x in rows])
        best = plain.optimum(pairs, g, tau, mdp.n_states)
        for method in ("auto", "value-iteration"):
            solution = rlt.solve_regularized(mdp, tau, table, method=method)
            assert solution.gap <= solution.tol
            assert above(best, solution.upper) and below(best, solution.lower)
        own = plain.policy_value(
            pairs, g, tau, solution.policy[mdp.states, mdp.actions], mdp.n_states
        )
        assert below(own, solution.lower) and above(own, solution.upper)
        evaluated = rlt.evaluate_regularized(mdp, solution.policy, tau, table)
        scale = max(1.0, np.abs(mdp.mean_rewards).max(), tau) / (1 - g)
        assert np.abs(evaluated - [float(x) for x in own]).max() <= 1e-13 * scale


def test_a_bandit_by_hand():
    mdp = rlt.MDP.deterministic([[0, 0, 0]], [[1.0, 0.0, -1.0]], discount=0.75)
    solution = rlt.solve_regularized(mdp, 0.5)
    total = math.exp(2) + 1 + math.exp(-2)
    assert solution.value[0] == pytest.approx(4 * 0.5 * math.log(total), rel=1e-14)
    assert solution.policy[0] == pytest.approx(
        [math.exp(2) / total, 1 / total, math.exp(-2) / total]
    )
    q = 0.75 * solution.value[0] + np.array([1.0, 0.0, -1.0])
    assert solution.q[0] == pytest.approx(q)
    assert solution.reference is None and solution.criterion == "discounted"
    assert repr(solution).startswith("RegularizedSolution(gap ")


def test_stages_by_hand():
    # One state, two stages: the soft maximum of one stage, twice.
    mdp = rlt.EpisodicMDP([[[1.0], [1.0]]], [[1.0, 0.0]], horizon=2)
    one = 2.0 * math.log((math.exp(0.5) + 3) / 4)
    solution = rlt.solve_regularized(mdp, 2.0, [[0.25, 0.75]])
    assert solution.value[:, 0] == pytest.approx([2 * one, one, 0.0], rel=1e-14)
    assert solution.policy.shape == solution.log_policy.shape == (2, 1, 2)
    assert solution.reference.shape == (2, 1, 2)
    share = math.exp(0.5) / (math.exp(0.5) + 3)
    assert solution.policy[0, 0] == pytest.approx([share, 1 - share])


def test_tending_to_hard_planning_from_above():
    mdp = rlt.gridworld(3, 3, slip=0.2, discount=0.9)
    hard = rlt.solve(mdp).value
    for tau in (1.0, 0.1, 1e-2, 1e-4, 1e-8):
        soft = rlt.solve_regularized(mdp, tau)
        assert (soft.upper >= hard - 1e-9).all()
        assert (soft.lower <= hard + tau * math.log(mdp.n_actions) / 0.1 + 1e-9).all()


def test_log_policies_of_tiny_temperatures_are_finite():
    mdp = rlt.MDP.deterministic([[0, 0, 0]], [[1.0, 0.0, 0.5]], discount=0.5)
    solution = rlt.solve_regularized(mdp, 1e-6, [[0.5, 0.5, 0.0]])
    assert solution.log_policy[0].tolist() == [0.0, pytest.approx(-1e6), -np.inf]
    assert solution.policy[0].tolist() == [1.0, 0.0, 0.0]
    least = rlt.solve_regularized(mdp, 5e-324).log_policy
    assert np.isfinite(least).all() and least.min() == -np.finfo(float).max


def test_log_references_below_every_double():
    mdp = rlt.MDP.deterministic([[0, 0]], [[0.0, 3.0]], discount=0.5)
    solution = rlt.solve_regularized(mdp, 1e-3, log_reference=[[0.0, -2000.0]])
    # The second action is worth its price: 3 - 2000/1000 a step.
    assert solution.value[0] == pytest.approx(2 * (3 - 2), rel=1e-13)
    assert solution.log_policy[0].tolist() == pytest.approx([-1000.0, 0.0])
    plainly = rlt.solve_regularized(mdp, 1.0, [[0.9, 0.1]]).value
    logs = rlt.solve_regularized(mdp, 1.0, log_reference=np.log([[0.9, 0.1]])).value
    assert logs == pytest.approx(plainly, rel=1e-14)


def test_a_certain_reference_leaves_its_own_value():
    mdp = rlt.garnet(20, 3, 4, seed=2, discount=0.9)
    policy = rlt.solve(mdp).policy
    solution = rlt.solve_regularized(mdp, 0.3, policy)
    assert solution.value == pytest.approx(rlt.evaluate(mdp, policy), rel=1e-12)
    assert rlt.evaluate_regularized(mdp, policy, 0.3, policy) == pytest.approx(solution.value)


@pytest.mark.parametrize("staged", [False, True])
def test_stages_with_references_and_ragged_rows(staged):
    random = np.random.default_rng(3)
    H, tau = 5, 0.4
    base = some_model(np.random.default_rng(12), 0.5, exits=True, ragged=True)
    mdp = base.episodic(H)
    table, rows = some_reference(random, base)
    if staged:
        stages = [some_reference(random, base) for _ in range(H)]
        table, lines = np.stack([x for x, _ in stages]), [y for _, y in stages]
    else:
        lines = [rows] * H
    solution = rlt.solve_regularized(mdp, tau, table)
    value = [plain.mp.mpf(0)] * base.n_states
    for h in reversed(range(H)):
        pairs = plain.pairs_of(base, [plain.real(float(x)) for x in lines[h]])
        value = plain.backup(pairs, 1.0, tau, value, base.n_states)
        assert above(value, solution.upper[h]) and below(value, solution.lower[h])
    evaluated = rlt.evaluate_regularized(mdp, solution.policy, tau, table)
    assert evaluated == pytest.approx(solution.value, abs=1e-11)
    logs = np.full(table.shape, -np.inf)
    np.log(table, out=logs, where=table > 0)
    same = rlt.solve_regularized(mdp, tau, log_reference=logs)
    assert same.value == pytest.approx(solution.value, rel=1e-13)


def test_stages_that_differ():
    mdp = rlt.random_episodic(4, 3, 6, seed=1)
    tau = 0.5
    solution = rlt.solve_regularized(mdp, tau, rlt.uniform_policy(mdp))
    entropy = rlt.solve_regularized(mdp, tau)
    left = np.arange(mdp.horizon, -1, -1)[:, None]
    assert entropy.value == pytest.approx(solution.value + tau * math.log(3) * left, rel=1e-13)
    assert rlt.evaluate_regularized(
        mdp, solution.policy, tau, rlt.uniform_policy(mdp)
    ) == pytest.approx(solution.value, rel=1e-13)
    assert np.exp(solution.log_policy) == pytest.approx(solution.policy, abs=1e-15)


def test_exact_models_have_brackets_too():
    from fractions import Fraction

    third = Fraction(1, 3)
    mdp = rlt.MDP([[[third, 1 - third]] * 2, [[1, 0]] * 2], [[third, 0], [1, 2]], third, exact=True)
    assert rlt.solve_regularized(mdp, 0.5, rtol=1e-12).gap < 1e-11


def test_large_models_by_sweeps_and_by_newton_agree():
    mdp = rlt.riverswim(400, discount=0.99)
    by = {m: rlt.solve_regularized(mdp, 0.01, method=m) for m in ("auto", "policy-iteration")}
    sweeps = rlt.solve_regularized(mdp, 0.01, method="value-iteration")
    for solution in by.values():
        assert (solution.lower <= sweeps.upper).all() and (sweeps.lower <= solution.upper).all()


def test_slow_chains_at_small_temperatures():
    # Like policy iteration: for long the gap is that of the worst state, and does not move.
    mdp = rlt.riverswim(200, discount=0.9999)
    for tau in (1e-6, 1e-2):
        solution = rlt.solve_regularized(mdp, tau, method="policy-iteration")
        assert solution.gap <= solution.tol


def test_results_do_not_depend_on_threads():
    mdp = rlt.garnet(3000, 4, 5, seed=0, discount=0.9)
    before, found = rlt.threads(), []
    try:
        for threads in (1, 4):
            rlt.set_threads(threads)
            solution = rlt.solve_regularized(mdp, 0.1)
            found.append((solution.value.tobytes(), solution.policy.tobytes(), solution.gap))
    finally:
        rlt.set_threads(before)
    assert found[0] == found[1]


# --- the kernel's bounds ------------------------------------------------------------------


def test_residual_bounds_contain_the_exact_residual():
    """One state whose actions all end: the residual is the soft maximum of rewards, minus w."""
    random, flat, worst = np.random.default_rng(5), 0, 0.0
    for k in range(1000):
        A = int(random.integers(1, 8))
        r = random.normal(size=A) * 10.0 ** random.integers(-8, 9)
        tau = float(10.0 ** random.uniform(-12, 12))
        logs = -random.exponential(size=A) * 10.0 ** random.integers(-2, 4)
        if k % 3 == 0:
            logs = (r.max() - r) / tau * -1  # rewards and reference that cancel
            logs = np.where(np.abs(logs) < 1e6, logs, -5.0)
        w = float(random.choice([0.0, r.max(), r.min()]))
        mdp = rlt.MDP(np.zeros((1, A, 1)), r[None], 0.5, termination=np.ones((1, A)))
        for _ in range(2):  # the first time what is subtracted may be large, and rounded as such
            top = logs.max()
            logs = logs - (top + math.log(np.exp(logs - top).sum()))
        low, high, finite, _, policy, _ = _core.planning.soft_residual_bounds(
            mdp.core, 0, 0.5, tau, np.exp(logs), logs, np.zeros(1),
            np.zeros(1), np.zeros(1), np.array([w]), np.zeros(1), 0.0,
        )  # fmt: skip
        assert finite
        weights = [plain.mp.exp(plain.real(x)) for x in logs]
        pairs = plain.pairs_of(mdp, weights)
        exact = plain.backup(pairs, 0.5, tau, [plain.mp.mpf(0)], 1)[0] - plain.real(w)
        own = plain.policy_value(pairs, 0.5, tau, policy, 1)[0] - plain.real(w)
        slack = plain.mp.mpf(10) ** -30 * (1 + abs(exact) + abs(own) + tau)
        assert plain.real(low) - slack <= own <= exact + slack <= plain.real(high) + 2 * slack, k
        spread = r.max() - r.min()
        flat += spread <= tau / 2
        size = np.abs(r).max() + abs(w) + min(tau, spread) * (A + np.abs(logs).max())
        size += tau * 2.0**-50  # the rounding of the policy costs tau times its square
        worst = max(worst, (high - low) / size)
    assert 200 < flat < 800
    assert worst < 1e-12  # a bound, and one that says something


# --- what is refused ----------------------------------------------------------------------

TWO = rlt.MDP.deterministic([[0, 0]], [[1.0, 0.0]], discount=0.5)


@pytest.mark.parametrize("tau", [-1.0, math.nan, math.inf, "x", None, True])
def test_bad_temperatures(tau):
    with pytest.raises(rlt.ModelError, match=r"temperature is .*; it must be finite and above 0"):
        rlt.solve_regularized(TWO, tau)


def test_temperature_0_is_hard_planning():
    with pytest.raises(rlt.ModelError, match="use solve"):
        rlt.solve_regularized(TWO, 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"reference": [[0.5, 0.6]]}, "reference: row policy.0. sums to 1.1"),
        ({"reference": [[0.5, 0.25, 0.25]]}, "reference: the policy has shape"),
        ({"reference": [[1.0, 1e-310]]}, "give log_reference"),
        ({"log_reference": [[0.0, 0.5]]}, r"log_reference\[0, 1\] is 0.5"),
        ({"log_reference": [[0.0, math.nan]]}, r"log_reference\[0, 1\] is nan"),
        ({"log_reference": [[-1.0, -1.0]]}, "log_reference, as probabilities: .* sums to 0.7"),
        ({"method": "newton"}, "'newton' does not solve discounted models; known are auto, value"),
        ({"tol": -1.0}, "tol is -1.0"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises((rlt.ModelError, rlt.PolicyError), match=message):
        rlt.solve_regularized(TWO, 1.0, **arguments)


def test_both_references_no_discount_no_model():
    with pytest.raises(rlt.ModelError, match="both given"):
        rlt.solve_regularized(TWO, 1.0, [[0.5, 0.5]], log_reference=[[0.0, -np.inf]])
    with pytest.raises(rlt.ModelError, match="no discount"):
        rlt.solve_regularized(rlt.riverswim(3), 1.0)
    with pytest.raises(rlt.ModelError, match="not list"):
        rlt.solve_regularized([1], 1.0)
    with pytest.raises(rlt.ModelError, match="not list"):
        rlt.evaluate_regularized([1], [0], 1.0)


def test_policies_that_the_reference_forbids():
    with pytest.raises(
        rlt.PolicyError, match="takes action 1 in state 0, which the reference forb"
    ):
        rlt.evaluate_regularized(TWO, [[0.5, 0.5]], 1.0, [[1.0, 0.0]])


def test_a_tolerance_out_of_reach_raises_with_the_bracket():
    with pytest.raises(rlt.ConvergenceError, match="rounding of exp and log") as error:
        rlt.solve_regularized(rlt.garnet(5, 3, 2, seed=0, discount=0.99), 1.0, tol=0.0)
    assert error.value.solution.gap < 1e-11


def test_overflow_raises():
    mdp = rlt.MDP.deterministic([[0, 0]], [[1e308, -1e308]], discount=0.99)
    with pytest.raises(rlt.ConvergenceError, match="overflow"):
        rlt.solve_regularized(mdp, 1.0)


@pytest.mark.parametrize("forbidden", [False, True])
def test_few_steps_where_news_travels_slowly(forbidden):
    mdp = rlt.riverswim(400, 0.999)
    reference = None
    if forbidden:  # in every third state only the way right is allowed
        reference = np.full((400, 2), 0.5)
        reference[::3] = [0.0, 1.0]
    solution = rlt.solve_regularized(mdp, 0.1, reference, tol=1e-6)
    assert solution.iterations < 80  # 104 from where sweeps led
    exact = rlt.solve_regularized(mdp, 0.1, reference, method="value-iteration", tol=1e-6)
    assert np.abs(solution.value - exact.value).max() <= 2e-6


def test_one_action_that_pays_nothing_is_worth_nothing():
    mdp = rlt.MDP([[[1.0]]], [[0.0]], 0.9999)
    for reference in (None, [[1.0]]):
        solution = rlt.solve_regularized(mdp, 1.0, reference)
        assert solution.value.tolist() == [0.0] and solution.gap < 1e-300
