"""Policies given by their logarithms, in values, occupancies and regularised values."""

from typing import Any

import mpmath
import numpy as np
import pytest
from plain_rows import random_policy

import rltheory as rlt
from rltheory import PolicyError

FULL = rlt.riverswim(3, discount=0.9)
RAGGED = rlt.MDP.from_pairs(
    [0, 0, 1], [0, 2, 1], [[0.5, 0.5], [0, 1], [1, 0]], [1, 2, 3], 0.5, [1, 0]
)


def logs_of(policy: Any) -> Any:
    with np.errstate(divide="ignore"):
        return np.log(policy)


@pytest.mark.parametrize("seed", range(20))
def test_the_same_as_of_probabilities(seed: int) -> None:
    mdp = rlt.awkward(seed)
    policy = random_policy(mdp, seed)
    start = np.eye(mdp.n_states)[seed % mdp.n_states]
    for model in (mdp, mdp.episodic(3)):
        one, two = rlt.evaluate(model, policy), rlt.evaluate(model, log_policy=logs_of(policy))
        assert np.allclose(one, two, rtol=1e-9, atol=1e-9 * np.abs(one).max())
        d = rlt.occupancy(model, policy, start)
        again = rlt.occupancy(model, initial=start, log_policy=logs_of(policy))
        assert np.allclose(d, again, rtol=0, atol=1e-7)
    staged = np.stack([policy, policy[:, :], policy])
    three = rlt.evaluate(mdp.episodic(3), log_policy=logs_of(staged))
    assert np.array_equal(three, rlt.evaluate(mdp.episodic(3), log_policy=logs_of(policy)))


def test_probabilities_below_all_doubles() -> None:
    """Two moves of e^-400 each reach state 2 with e^-800, which is no double: 0, as it says."""
    moves = [[[1, 0, 0], [0, 1, 0]], [[0, 1, 0], [0, 0, 1]], [[0, 0, 1], [0, 0, 1]]]
    mdp = rlt.EpisodicMDP(moves, np.zeros((3, 2)), 3, [1.0, 0.0, 0.0])
    logs = [[0.0, -400.0], [0.0, -400.0], [0.0, -np.inf]]
    d = rlt.occupancy(mdp, log_policy=logs)
    assert np.isclose(d[0, 0, 1], np.exp(-400.0), rtol=1e-13) and d[2, 2].sum() == 0.0
    data = rlt.Trajectories([0, 1], [1, 1], [0.0, 0.0], [2], [2])
    assert rlt.trajectory_log_probability(mdp, data, log_policy=logs).tolist() == [-800.0]


def test_soft_policies_of_low_temperature_come_back() -> None:
    """The logarithms that soft planning returns, down to -10^4 and below, are such policies."""
    mdp = rlt.garnet(8, 3, 2, seed=1, discount=0.9)
    soft = rlt.solve_regularized(mdp, temperature=1e-4)
    assert soft.log_policy.min() < -1000.0
    value = rlt.evaluate(mdp, log_policy=soft.log_policy)
    optimum = rlt.solve(mdp).value
    assert (value <= optimum + 1e-9).all() and np.allclose(value, optimum, atol=1e-2)
    kl = rlt.policy_kl(log_policy=soft.log_policy, reference=rlt.uniform_policy(mdp))
    assert (kl <= np.log(3.0) + 1e-12).all() and (kl > 0.0).all()
    regular = rlt.evaluate_regularized(mdp, None, 1e-4, log_policy=soft.log_policy)
    assert np.allclose(regular, soft.value, rtol=1e-9, atol=1e-9)


def test_regularised_values_of_logarithms() -> None:
    for mdp in (FULL, FULL.episodic(3), RAGGED, RAGGED.episodic(2)):
        policy = rlt.uniform_policy(mdp)
        policy[0] = np.eye(mdp.n_actions)[0]
        one = rlt.evaluate_regularized(mdp, policy, 0.5)
        two = rlt.evaluate_regularized(mdp, None, 0.5, log_policy=logs_of(policy))
        assert np.allclose(one, two, rtol=1e-12, atol=1e-12)
    # e^-800 as a double is 0, and 0 log 0 costs nothing; but the reference forbids it.
    mdp = rlt.MDP.deterministic([[0, 0]], [[1.0, 0.0]], discount=0.5)
    forbidding = [[1.0, 0.0]]
    with pytest.raises(PolicyError, match="takes action 1 in state 0, which the reference forbids"):
        rlt.evaluate_regularized(mdp, None, 1.0, forbidding, log_policy=[[0.0, -800.0]])
    allowed = rlt.evaluate_regularized(mdp, None, 1.0, forbidding, log_policy=[[0.0, -np.inf]])
    assert allowed.tolist() == [2.0]


def test_a_value_to_sixty_digits() -> None:
    mdp = rlt.MDP.deterministic([[0, 0]], [[1.0, 0.0]], discount=0.5)
    for x in (-1e-3, -1.0, -50.0):
        with mpmath.workdps(60):
            p = mpmath.exp(mpmath.mpf(x))
            rest = float(mpmath.log(1 - p))
        value = rlt.evaluate(mdp, log_policy=[[x, rest]])
        assert np.isclose(value[0], 2.0 * float(p), rtol=1e-13)


BAD: list[tuple[Any, Any, str]] = [
    (FULL, [[0.0, -np.inf]] * 2, "log_policy, as probabilities: the policy has shape (2, 2)"),
    (FULL, [[0.0, -1.0]] * 3, "log_policy, as probabilities: row policy[0] sums to 1.3678"),
    (FULL, [[0.5, -1.0]] * 3, "log_policy[0, 0] is 0.5; the logarithm of a probability"),
    (FULL, [[0.0, np.nan]] * 3, "log_policy[0, 1] is nan"),
    (FULL, [[0.0, -1e301]] * 3, "log_policy[0, 1] is -1e+301"),
    (FULL, [[-np.inf] * 2] * 3, "row policy[0] sums to 0.0"),
    (RAGGED, [[0.0, -900.0, -np.inf], [-np.inf, 0.0, -np.inf]], "log_policy[0, 1] is -900.0"),
    (FULL.episodic(2), [[[0.0, -np.inf]] * 3] * 3, "it must be (2, 3, 2) or (3, 2)"),
]


@pytest.mark.parametrize(("mdp", "logs", "words"), BAD)
def test_what_is_no_log_policy(mdp: Any, logs: Any, words: str) -> None:
    start = np.eye(mdp.n_states)[0]
    for use in (
        lambda: rlt.evaluate(mdp, log_policy=logs),
        lambda: rlt.occupancy(mdp, initial=start, log_policy=logs),
        lambda: rlt.evaluate_regularized(mdp, None, 1.0, log_policy=logs),
    ):
        with pytest.raises(PolicyError) as caught:
            use()
        assert words in str(caught.value) and "\n" not in str(caught.value)


def test_one_of_both() -> None:
    actions, logs = [0, 0, 0], [[0.0, -np.inf]] * 3
    for use in (rlt.evaluate, rlt.occupancy):
        with pytest.raises(PolicyError, match="neither of policy and log_policy given"):
            use(FULL)
        for policy in (actions, rlt.Mixture([1.0], [actions])):
            with pytest.raises(PolicyError, match="both of policy and log_policy given"):
                use(FULL, policy, log_policy=logs)
