"""The natural gradient by a numerical pseudo-inverse, by differences, and where nothing is seen."""

import math

import numpy as np
import pytest

import rltheory as rlt
from rltheory.errors import ModelError, PolicyError
from tests.helpers.small_models import random_model, random_policy, two_arms


@pytest.mark.parametrize("seed", range(4))
def test_natural_gradient_by_a_numerical_pseudo_inverse(seed):
    mdp, pi = random_model(seed), random_policy(seed)
    fisher = rlt.fisher_matrix(mdp, pi)
    gradient = rlt.softmax_policy_gradient(mdp, pi)
    w = np.linalg.pinv(fisher, rcond=1e-10, hermitian=True) @ gradient.reshape(-1)
    logits = np.log(pi) + 0.3 * w.reshape(pi.shape)
    wanted = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    history = rlt.natural_policy_gradient(mdp, 0.3, 4, pi)
    assert history.policies[1] == pytest.approx(wanted, rel=1e-7)
    same = rlt.mirror_descent_policy_iteration(mdp, 0.3 / (1.0 - 0.9), 4, pi)
    assert history.log_policies == pytest.approx(same.log_policies, abs=1e-9)


def test_policy_gradient_by_differences():
    mdp, pi = random_model(7), random_policy(7)
    gradient = rlt.softmax_policy_gradient(mdp, pi)

    def value(logits):
        p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        return float(mdp.initial @ rlt.evaluate(mdp, p))

    for s, a in ((0, 0), (2, 1), (4, 2)):
        h = np.zeros_like(pi)
        h[s, a] = 1e-5
        slope = (value(np.log(pi) + h) - value(np.log(pi) - h)) / 2e-5
        assert gradient[s, a] == pytest.approx(slope, abs=1e-8)


def test_states_never_reached_do_not_move():
    mdp = rlt.MDP.deterministic([[0, 0], [1, 1]], [[1.0, 0.0]] * 2, 0.5, initial=[1.0, 0.0])
    history = rlt.natural_policy_gradient(mdp, 1.0, 3)
    assert history.policies[:, 1].tolist() == [[0.5, 0.5]] * 4
    assert history.policy[0, 0] == pytest.approx(1.0 / (1.0 + math.exp(-6.0)))
    everywhere = rlt.natural_policy_gradient(mdp, 1.0, 3, initial=[0.5, 0.5])
    assert everywhere.policy[1, 0] == pytest.approx(everywhere.policy[0, 0])


@pytest.mark.parametrize("step", [1e100, 1e308])
def test_long_steps_are_cut(step):
    history = rlt.natural_policy_gradient(two_arms(0.5), step, 3)
    assert history.cut_from == 0 and history.steps.tolist() == [0.5e12] * 3
    assert history.policy[0].tolist() == [1.0, 0.0] and np.isfinite(history.log_policies).all()
    assert rlt.natural_policy_gradient(two_arms(0.5), 0.5e12, 3).cut_from is None
    assert rlt.natural_policy_gradient(two_arms(0.5), step, 0).cut_from is None


def test_natural_gradient_refuses():
    with pytest.raises(PolicyError, match="gives action 1 in state 0 probability 0"):
        rlt.natural_policy_gradient(two_arms(), 1.0, 1, [[1.0, 0.0]])
    bare = rlt.MDP.deterministic([[0, 0]], [[1.0, 0.0]], 0.5)
    with pytest.raises(ModelError, match="natural_policy_gradient needs a start law"):
        rlt.natural_policy_gradient(bare, 1.0, 1)
    with pytest.raises(ModelError, match="step_size is -1"):
        rlt.natural_policy_gradient(two_arms(), -1, 1)
    with pytest.raises(ModelError, match="n_iters is True"):
        rlt.natural_policy_gradient(two_arms(), 1.0, True)
