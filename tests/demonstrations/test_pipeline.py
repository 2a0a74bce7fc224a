"""Demonstration-regularised learning: its steps one by one, golden stopping times, refusals."""

from typing import Any

import numpy as np
import pytest

import rltheory as rlt
from rltheory.errors import ModelError, PolicyError
from tests.demonstrations.test_regularized_bpi import ending, golden


def demonstrations(mdp: rlt.EpisodicMDP, episodes: int, seed: int = 1) -> rlt.Trajectories:
    data = mdp.sample(rlt.solve(mdp).policy, episodes=episodes, seed=seed)
    assert isinstance(data, rlt.Trajectories)
    return data


@pytest.mark.parametrize("make", [golden, ending])
@pytest.mark.parametrize("episodes", [1, 300])
def test_it_is_cloning_and_regularised_identification(make: Any, episodes: int) -> None:
    mdp, epsilon, delta = make(6), 1.0, 0.2
    H, S, A = mdp.horizon, mdp.n_states, mdp.n_actions
    data = demonstrations(mdp, episodes)
    result = rlt.demonstration_regularized_rl(rlt.online(mdp, 2), data, epsilon, delta, seed=3)
    clone = rlt.behavior_cloning(data, S, A, H)
    most = min(2 * H * S * (A - 1) / (delta * (episodes + 1)), H * np.log(episodes + A))
    assert result.temperature == pytest.approx(epsilon / (2 * most))
    np.testing.assert_allclose(result.reference, clone, rtol=1e-15)
    learner = rlt.RegularizedBPI(clone, result.temperature, epsilon / 2, delta / 2)
    same = learner.run(rlt.online(mdp, 2), 3)
    assert (same.episodes, same.certificate) == (result.episodes, result.certificate)
    own = rlt.demonstration_regularized_rl(
        rlt.online(mdp, 2), data, epsilon, delta, seed=3, reference=clone, divergence=most
    )
    np.testing.assert_array_equal(own.policy, result.policy)


@pytest.mark.parametrize(
    ("episodes", "median"), [(200, 5029), (400, 2308), (800, 964), (1600, 337), (3200, 133)]
)
def test_stopping_times_are_those_of_the_specification(episodes: int, median: int) -> None:
    """Its divergence is H S (A-1) / (delta (N+1)), its confidence delta all for exploring."""
    mdp = golden(6)
    assert float(rlt.solve(mdp).value[0, 0]) == pytest.approx(2.42375, abs=5e-6)
    times = []
    for seed in range(3):
        clone = rlt.behavior_cloning(demonstrations(mdp, episodes, seed), 3, 2, 3)
        temperature = 0.1 * 0.1 * (episodes + 1) / 9
        learner = rlt.RegularizedBPI(clone, temperature, 0.1, 0.1)
        times.append(learner.run(rlt.online(mdp, seed), seed).episodes)
    assert median / 1.16 < np.median(times) < median * 1.16  # three grid points: clones differ


def test_many_demonstrations_need_no_episode() -> None:
    mdp = golden(6)
    for episodes, played in ((5624, False), (5622, True)):
        clone = rlt.behavior_cloning(demonstrations(mdp, episodes), 3, 2, 3)
        temperature = 0.1 * 0.1 * (episodes + 1) / 9
        result = rlt.RegularizedBPI(clone, temperature, 0.1, 0.1).run(rlt.online(mdp, 0))
        assert (result.episodes > 0) == played


def test_one_action_needs_nothing() -> None:
    mdp = golden(actions=1)
    result = rlt.demonstration_regularized_rl(
        rlt.online(mdp, 0), demonstrations(mdp, 1), epsilon=0.01, delta=0.1
    )
    assert (result.episodes, result.certificate) == (0, 0.0)
    assert (result.policy == 1.0).all()


def test_ragged_actions_are_left_out_of_the_clone() -> None:
    rows, paid, start = [[0, 1], [0, 1], [1, 0]], [0.0, 1.0, 0.5], [1.0, 0.0]
    mdp = rlt.MDP.from_pairs([0, 0, 1], [0, 1, 1], rows, paid, initial=start).episodic(2)
    data = mdp.sample([[0.0, 1.0]] * 2, episodes=3, seed=0)
    result = rlt.demonstration_regularized_rl(rlt.online(mdp, 0), data, 1.0, 0.1)
    assert result.reference is not None
    assert result.reference[0].tolist() == [[0.2, 0.8], [0.0, 1.0]]


def test_what_is_refused() -> None:
    mdp, data = golden(), demonstrations(golden(), 20)

    def run(data: Any = data, epsilon: Any = 0.5, delta: Any = 0.1, **more: Any) -> Any:
        return rlt.demonstration_regularized_rl(rlt.online(mdp, 0), data, epsilon, delta, **more)

    with pytest.raises(ModelError, match="delta is 1"):
        run(delta=1)
    with pytest.raises(ModelError, match="epsilon is -1"):
        run(epsilon=-1)
    with pytest.raises(ModelError, match="demonstrations are Trajectories or Counts"):
        run([[0, 1, 0]])
    with pytest.raises(ModelError, match="go together"):
        run(reference=[[0.5, 0.5]] * 3)
    with pytest.raises(ModelError, match="go together"):
        run(divergence=1.0)
    with pytest.raises(ModelError, match="divergence is nan"):
        run(reference=[[0.5, 0.5]] * 3, divergence=float("nan"))
    with pytest.raises(ModelError, match="divergence is True"):
        run(reference=[[0.5, 0.5]] * 3, divergence=True)
    short = rlt.Trajectories([0, 0], [0, 0], [0, 0], [1, 1], [1, 1], provenance=data.provenance)
    with pytest.raises(ModelError, match="the episode was cut off"):
        run(short, reference=[[0.5, 0.5]] * 3, divergence=1.0)
    forbidding = np.full((3, 3, 2), 0.5)
    h, s = 0, 0
    taken = int(data.counts(3, 2, 3, staged=True).visits[h, s].argmax())
    forbidding[h, s] = [float(a != taken) for a in range(2)]
    with pytest.raises(PolicyError, match=f"forbids action {taken} in state 0 at stage 0"):
        run(reference=forbidding, divergence=1.0)
    with pytest.raises(ModelError):
        run(demonstrations(golden(horizon=2), 5))
    with pytest.raises(ModelError):
        run(demonstrations(golden(states=4), 50))


def test_without_demonstrations_the_clone_is_uniform() -> None:
    mdp = golden()
    none = rlt.Counts(np.zeros((3, 3, 2), int), np.zeros((3, 3, 2, 3), int), np.zeros((3, 3, 2)))
    result = rlt.demonstration_regularized_rl(rlt.online(mdp, 0), none, 1.5, 0.2)
    assert result.temperature == pytest.approx(1.5 / (2 * 3 * np.log(2)))
    assert (result.reference == 0.5).all() and result.episodes > 0
