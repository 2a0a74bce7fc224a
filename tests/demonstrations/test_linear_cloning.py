"""Behaviour cloning in linear models, against frequencies and against a general optimiser."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_softmax

import rltheory as rlt
from rltheory.errors import ModelError


def softmax(features, theta):
    return np.exp(log_softmax(np.einsum("sad,hd->hsa", features, theta), axis=-1))


def model(seed, states=5, actions=3, dimension=3, horizon=2):
    mdp = rlt.random_linear_mdp(states, actions, dimension, horizon, seed=seed)
    return rlt.LinearMDP(
        mdp.features, mdp.measures, mdp.reward_weights, np.full(states, 1 / states)
    )


def data_of(seed, episodes=200, scale=2.0, **sizes):
    mdp = model(seed, **sizes)
    theta = scale * np.random.default_rng(seed).standard_normal((mdp.horizon, mdp.dimension))
    expert = softmax(mdp.features, theta)
    return mdp, expert, mdp.tabular().sample(expert, episodes=episodes, seed=seed)


def mixture_loss(features, counts, theta, floor):
    soft = np.exp(log_softmax(features @ theta, axis=-1))
    return -(counts * np.log(floor / counts.shape[1] + (1 - floor) * soft)).sum()


def best_of_scipy(features, counts, radius, floor, start):
    found = minimize(
        lambda x: mixture_loss(features, counts, x, floor),
        start,
        method="SLSQP",
        constraints={"type": "ineq", "fun": lambda x: radius**2 - x @ x},
        options={"maxiter": 500, "ftol": 1e-13},
    )
    return found.fun


@pytest.mark.parametrize("radius", [0.5, 3.0, 50.0])
@pytest.mark.parametrize("seed", range(3))
def test_without_a_floor_the_gap_bounds_what_is_left(seed, radius):
    mdp, _, data = data_of(seed)
    clone = rlt.behavior_cloning_linear(data, mdp.features, radius, floor=0.0)
    counts = data.counts().visits
    assert (clone.gap <= 1e-8 * counts.sum(axis=(1, 2))).all()
    assert (np.linalg.norm(clone.parameters, axis=1) <= radius * (1 + 1e-12)).all()
    assert clone.policy == pytest.approx(softmax(mdp.features, clone.parameters), rel=1e-12)
    for h in range(2):
        start = clone.parameters[h] * 0.9
        best = best_of_scipy(mdp.features, counts[h], radius, 0.0, start)
        assert clone.loss[h] - clone.gap[h] <= best * (1 + 1e-12)
        assert clone.loss[h] == pytest.approx(best, rel=1e-6)
        own = mixture_loss(mdp.features, counts[h], clone.parameters[h], 0.0)
        assert clone.loss[h] == pytest.approx(own, rel=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_with_a_floor_the_loss_is_at_most_that_of_the_start(seed):
    mdp, _, data = data_of(seed, episodes=30)
    plain = rlt.behavior_cloning_linear(data, mdp.features, 5.0, floor=0.0)
    clone = rlt.behavior_cloning_linear(data, mdp.features, 5.0)
    assert clone.floor == 3 / 33 and clone.policy.min() >= clone.floor / 3
    counts = data.counts().visits
    for h in range(2):
        start = mixture_loss(mdp.features, counts[h], plain.parameters[h], clone.floor)
        assert clone.loss[h] <= start + 1e-9
        best = best_of_scipy(mdp.features, counts[h], 5.0, clone.floor, plain.parameters[h])
        assert clone.loss[h] == pytest.approx(best, rel=1e-6)


def test_indicator_features_give_frequencies():
    mdp = rlt.random_episodic(3, 2, 2, seed=5)
    data = mdp.sample(np.full((3, 2), 0.5), episodes=300, seed=1)
    features = np.eye(6).reshape(3, 2, 6)
    clone = rlt.behavior_cloning_linear(data, features, 100.0, floor=0.0, tol=1e-12)
    plain = rlt.behavior_cloning(data, smoothing=0.0, allow_zeros=True)
    assert clone.policy == pytest.approx(plain, abs=1e-6)


def test_separable_data_end_on_the_ball():
    data = rlt.Trajectories([0, 1], [0, 1], [0.0, 0.0], [0, 0], [1, 1])
    clone = rlt.behavior_cloning_linear(data, np.eye(4).reshape(2, 2, 4), 3.0, 1, floor=0.0)
    assert np.linalg.norm(clone.parameters) == pytest.approx(3.0)
    assert clone.parameters[0] == pytest.approx(1.5 * np.array([1, -1, -1, 1]), abs=1e-6)


def test_more_data_bring_the_clone_to_the_expert():
    found = []
    for episodes in (100, 10000):
        mdp, expert, data = data_of(3, episodes, 1.0)
        clone = rlt.behavior_cloning_linear(data, mdp.features, 10.0)
        found.append(rlt.trajectory_kl(mdp, expert, clone.policy))
    assert found[1] < found[0] / 20 and found[1] < 1e-3


def test_a_stage_without_data_and_no_data_at_all():
    ended = rlt.Trajectories([0, 0], [0, 1], [0.0, 0.0], [-1, -1], [1, 1])
    clone = rlt.behavior_cloning_linear(ended, np.eye(2)[None], 1.0, 2, floor=0.0)
    assert clone.policy[1].tolist() == [[0.5, 0.5]] and clone.loss[1] == 0.0
    empty = rlt.Trajectories([], [], [], [], [])
    clone = rlt.behavior_cloning_linear(empty, np.eye(2)[None], 1.0, 2)
    assert clone.policy == pytest.approx(np.full((2, 1, 2), 0.5))


def test_what_it_says():
    data = rlt.Trajectories([0] * 4, [0, 0, 0, 1], [0.0] * 4, [0] * 4, [1] * 4)
    clone = rlt.behavior_cloning_linear(data, np.eye(2)[None], 10.0, 1, floor=0.0)
    assert repr(clone).startswith("LinearClone(gap ")
    assert "of loss 2.24934; 1 states, 2 actions, horizon 1, dimension 2, floor 0)" in repr(clone)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"radius": 0.0}, "radius is 0.0; it must be in \\(0, inf\\)"),
        ({"radius": "x"}, "radius is 'x'"),
        ({"floor": 1.0}, "floor is 1.0; it must be in \\[0, 1\\)"),
        ({"tol": -1.0}, "tol is -1.0"),
        ({"features": np.eye(2)}, "features has shape \\(2, 2\\)"),
        ({"features": np.full((1, 2, 2), np.nan)}, "must hold finite numbers"),
        ({"horizon": None}, "horizon is not known"),
    ],
)
def test_errors_say_what_is_allowed(change, message):
    data = rlt.Trajectories([0], [1], [0.0], [0], [1])
    given = {"features": np.eye(2)[None], "radius": 1.0, "horizon": 1} | change
    with pytest.raises(ModelError, match=message):
        rlt.behavior_cloning_linear(data, **given)
