"""Values of policies against linear algebra, and against elimination in Fractions."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from plain_policy import policy_value, stage_values
from plain_residuals import exact_policy_value
from plain_rows import Rows, Vector, random_actions, random_policy, rows_of

import rltheory as rlt
from rltheory.solvers.policy_equations import PolicyEquations

seeds = st.integers(0, 2**32 - 1)
# A smaller seed is no simpler model: nothing is gained by shrinking.
often = settings(max_examples=150, derandomize=True, phases=[Phase.generate])


def furthest(value: Vector, exact: list[Fraction]) -> Fraction:
    return max(abs(Fraction(float(a)) - b) for a, b in zip(value, exact, strict=True))


def one_hot(rows: Rows, actions: Vector) -> Vector:
    return (actions[rows.state] == rows.action).astype(float)


@often
@given(seeds)
def test_values_of_actions_are_correct_to_rounding(seed: int) -> None:
    mdp = rlt.awkward(seed)
    rows, actions = rows_of(mdp), random_actions(mdp, seed)
    exact = exact_policy_value(rows, one_hot(rows, actions), float(mdp.discount or 0.0))
    largest = float(max(map(abs, exact)))
    value = rlt.evaluate(mdp, actions)
    assert value.shape == (mdp.n_states,)
    assert furthest(value, exact) <= Fraction(math.ulp(largest))


@often
@given(seeds)
def test_values_of_probabilities(seed: int) -> None:
    mdp = rlt.awkward(seed)
    rows, policy = rows_of(mdp), random_policy(mdp, seed)
    weight = policy[rows.state, rows.action]
    exact = exact_policy_value(rows, weight.tolist(), float(mdp.discount or 0.0))
    # Rounding of mixed rewards may be all that is left of them where they cancel.
    floor = Fraction(float(np.abs(rows.reward).max())) * Fraction(2) ** -52
    floor *= 1 / (1 - Fraction(float(mdp.discount or 0.0)))
    error = furthest(rlt.evaluate(mdp, policy), exact)
    assert error <= Fraction(1, 10**12) * max(map(abs, exact)) + floor


def test_large_models_by_iteration() -> None:
    for mdp in (rlt.garnet(500, 3, 6, seed=1), rlt.gridworld(25, 25, slip=0.2, seed=3)):
        rows = rows_of(mdp)
        for discount in (0.9, 0.9999):
            for seed in range(3):
                policy = random_policy(mdp, seed)
                value = rlt.evaluate(mdp.with_discount(discount), policy)
                twin = policy_value(rows, policy[rows.state, rows.action], discount)
                near = 1e-14 / (1.0 - discount) * np.abs(twin).max()
                assert np.abs(value - twin).max() <= near


def test_close_to_discount_one() -> None:
    discount = 1.0 - 2.0**-40
    mdp = rlt.awkward(17, states=6, actions=3, discount=discount)
    rows, actions = rows_of(mdp), random_actions(mdp, 1)
    exact = exact_policy_value(rows, one_hot(rows, actions), discount)
    assert furthest(rlt.evaluate(mdp, actions), exact) <= max(map(abs, exact)) / 10**10
    loop = rlt.MDP([[[1.0]]], [[1.0]], 1.0 - 2.0**-53)
    assert rlt.evaluate(loop, [0]).tolist() == [2.0**53]


def test_probabilities_on_one_action_are_that_action() -> None:
    for seed in range(100):
        mdp = rlt.awkward(seed)
        actions = random_actions(mdp, seed)
        certain = np.zeros((mdp.n_states, mdp.n_actions))
        certain[np.arange(mdp.n_states), actions] = 1.0
        one, other = rlt.evaluate(mdp, actions), rlt.evaluate(mdp, certain)
        assert np.abs(one - other).max() <= 4e-12 * np.abs(one).max()


def test_an_optimal_policy_has_the_optimal_value() -> None:
    for seed in range(60):
        mdp = rlt.awkward(seed)
        solution = rlt.solve(mdp)
        value = rlt.evaluate(mdp, solution.policy)
        # The value of the certified policy lies in the bracket, up to its own rounding.
        slack = math.ulp(float(np.abs(value).max()))
        assert (value >= solution.lower - slack).all()
        assert (value <= solution.upper + slack).all()
        uniform = rlt.evaluate(mdp, rlt.uniform_policy(mdp))
        assert (uniform <= solution.upper + 1e-11 * np.abs(uniform).max()).all()


def staged(policy: Vector, horizon: int) -> list[Vector]:
    return list(policy) if policy.ndim == 3 else [policy] * horizon


@often
@given(seeds, st.integers(1, 6))
def test_values_with_a_horizon(seed: int, horizon: int) -> None:
    mdp = rlt.awkward(seed, horizon=horizon)
    stages = [rows_of(mdp, h) for h in range(horizon)]
    random = np.random.default_rng(seed)
    uniform = np.broadcast_to(rlt.uniform_policy(mdp), (horizon, mdp.n_states, mdp.n_actions))
    policy = uniform * random.random(uniform.shape)
    policy = policy / policy.sum(axis=2, keepdims=True)
    for given_policy in (policy, policy[0]):
        weights = [
            p[rows.state, rows.action]
            for p, rows in zip(staged(given_policy, horizon), stages, strict=True)
        ]
        value = rlt.evaluate(mdp, given_policy)
        twin = stage_values(stages, weights)
        size = horizon * max(float(np.abs(rows.reward).max()) for rows in stages)
        assert value.shape == (horizon + 1, mdp.n_states) and not value[-1].any()
        assert np.abs(value - twin).max() <= 1e-13 * horizon * size
    actions = np.array([np.argmax(p, axis=1) for p in staged(policy, horizon)])
    weights = [one_hot(rows, a) for rows, a in zip(stages, actions, strict=True)]
    value = rlt.evaluate(mdp, actions)
    assert np.abs(value - stage_values(stages, weights)).max() <= 1e-13 * horizon * size


def test_a_policy_without_stages_is_used_at_every_stage() -> None:
    mdp = rlt.random_episodic(4, 3, 5, seed=2)
    actions = np.array([0, 2, 1, 2])
    repeated = rlt.evaluate(mdp, np.broadcast_to(actions, (5, 4)))
    assert np.array_equal(rlt.evaluate(mdp, actions), repeated)
    assert not np.array_equal(rlt.evaluate(mdp, np.roll(actions, 1)), repeated)


def test_what_cannot_be_evaluated() -> None:
    with pytest.raises(rlt.ModelError, match="has no discount"):
        rlt.evaluate(rlt.riverswim(), [0] * 6)
    with pytest.raises(rlt.PolicyError, match="shape"):
        rlt.evaluate(rlt.riverswim(discount=0.9), [0] * 5)
    huge = rlt.MDP([[[1.0]]], [[1e308]], 0.999)
    with pytest.raises(rlt.ConvergenceError, match="overflow or are ill-conditioned") as caught:
        rlt.evaluate(huge, [0])
    assert caught.value.solution is None


def test_mixed_rewards_that_cancel_keep_the_accuracy_promised() -> None:
    mdp = rlt.MDP([[[1.0], [1.0]]], [[1e6, -1e6 * 3 / 7]], 0.999)
    exact = exact_policy_value(rows_of(mdp), [0.3, 0.7], 0.999)
    rounding = 2.0**-52 * 1e6 / (1 - 0.999)
    promised = Fraction(rounding) + max(map(abs, exact)) / 10**10
    assert furthest(rlt.evaluate(mdp, [[0.3, 0.7]]), exact) <= promised


def test_a_policy_means_the_same_with_and_without_a_horizon() -> None:
    policy = [[0.3, 0.7 + 5e-10]]  # accepted: it sums to 1 within 1e-9
    mdp = rlt.MDP([[[1.0], [1.0]]], [[1.0, 1.0]], 0.5)
    assert abs(rlt.evaluate(mdp, policy)[0] - 2.0) <= 1e-15
    assert abs(rlt.evaluate(mdp.episodic(3), policy)[0, 0] - 3.0) <= 1e-14


def test_what_is_not_accurate_is_not_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    mdp = rlt.riverswim(discount=0.9)
    monkeypatch.setattr(PolicyEquations, "solve", lambda *_, **__: np.zeros(6))
    with pytest.raises(rlt.ConvergenceError) as caught:
        rlt.evaluate(mdp, [1] * 6)
    assert caught.value.reached > 0.9 > caught.value.wanted  # r = 1 is all that is left
    assert rlt.evaluate(mdp.with_rewards(0.0 * mdp.rewards), [1] * 6).tolist() == [0.0] * 6
