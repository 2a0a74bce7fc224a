"""On-policy MDPO: one inner step is policy gradient, many are mirror descent."""

import numpy as np
import pytest

import rltheory as rlt
from rltheory.errors import ModelError, PolicyError


def model(seed=4, states=4):
    mdp = rlt.garnet(states, 3, 2, seed=seed, discount=0.9)
    start = np.full(states, 1.0 / states)
    return rlt.MDP(mdp.transitions, mdp.rewards, 0.9, initial=start)


@pytest.mark.parametrize("step", [1e-3, 1.0, 1e3])
def test_one_inner_step_is_policy_gradient_whatever_the_step(step):
    mdp = model()
    history = rlt.on_policy_mdpo(mdp, step, 1, 1, learning_rate=0.7)
    gradient = rlt.softmax_policy_gradient(mdp, history.policies[0])
    logits = np.log(history.policies[0]) + 0.7 * (1.0 - 0.9) * gradient
    wanted = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert history.policies[1] == pytest.approx(wanted, rel=1e-12)


def test_many_inner_steps_are_mirror_descent():
    mdp = model()
    mirror = rlt.mirror_descent_policy_iteration(mdp, 0.5, 3)
    errors = []
    for inner in (10, 100, 3000):
        history = rlt.on_policy_mdpo(mdp, 0.5, 3, inner, learning_rate=2.0)
        errors.append(np.abs(history.policies - mirror.policies).max())
    assert errors[0] > errors[1] > errors[2] and errors[2] < 1e-9


def test_steps_by_iteration_and_what_is_refused():
    mdp = model()
    steps = [1.0 - k / 4 for k in range(4)]
    history = rlt.on_policy_mdpo(mdp, steps, 4, 5, 1.0)
    assert history.steps.tolist() == steps and history.values.shape == (5, 4)
    assert "on-policy MDPO" in repr(history)
    for change, error, words in (
        ({"inner_steps": 0}, ModelError, "inner_steps is 0"),
        ({"n_iters": 2.0}, ModelError, "n_iters is 2.0"),
        ({"learning_rate": -1.0}, ModelError, "learning_rate is -1.0"),
        ({"step_size": [1.0]}, ModelError, "one for each of 2 iterations"),
        ({"step_size": [1.0, 0.0]}, ModelError, "step_size is 0.0"),
        ({"init": np.eye(4)[:, :3]}, PolicyError, "sums to 0"),
        ({"init": np.eye(3)[[0, 1, 2, 0]]}, PolicyError, "probability 0"),
    ):
        arguments = {"step_size": 1.0, "n_iters": 2, "inner_steps": 3, "learning_rate": 1.0}
        with pytest.raises(error, match=words):
            rlt.on_policy_mdpo(mdp, **(arguments | change))
