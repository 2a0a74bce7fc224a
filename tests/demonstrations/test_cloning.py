"""Behaviour cloning in finite models."""

import numpy as np
import pytest

import rltheory as rlt
from rltheory.errors import ModelError


def two_actions(horizon=2):
    return rlt.EpisodicMDP([[[1.0], [1.0]]], [[1.0, 0.0]], horizon, [1.0])


def with_an_exit():
    """State 0 has both actions, state 1 only the second; action 0 of state 0 ends."""
    mdp = rlt.MDP.from_pairs(
        [0, 0, 1], [0, 1, 1], [[0, 0], [0, 1], [0, 1]], [1.0, 0.0, 0.0],
        termination=[1.0, 0.0, 0.0], initial=[1.0, 0.0],
    )  # fmt: skip
    return mdp.episodic(3)


def test_frequencies_by_hand():
    data = rlt.Trajectories([0, 0, 0, 0, 0, 0], [0, 1, 0, 1, 1, 1], [0] * 6, [0, 0, 0], [2, 2, 2])
    clone = rlt.behavior_cloning(data, 1, 2, 2)
    assert clone == pytest.approx(np.array([[[3 / 5, 2 / 5]], [[1 / 5, 4 / 5]]]))
    half = rlt.behavior_cloning(data, 1, 2, 2, smoothing=0.5)
    assert half[0, 0] == pytest.approx([2.5 / 4, 1.5 / 4])
    plain = rlt.behavior_cloning(data, 1, 2, 2, smoothing=0.0, allow_zeros=True)
    assert plain.tolist() == [[[2 / 3, 1 / 3]], [[0.0, 1.0]]]


def test_counts_give_the_same_clone():
    mdp = rlt.random_episodic(4, 3, 4, seed=1)
    data = mdp.sample(rlt.uniform_policy(mdp), episodes=50, seed=2)
    clone = rlt.behavior_cloning(data)
    assert (clone == rlt.behavior_cloning(data.counts())).all()
    assert clone.sum(axis=-1) == pytest.approx(np.ones((4, 4)))
    counts = data.counts()
    n = counts.visits.sum(axis=-1, keepdims=True)
    assert (clone >= 1.0 / (n + 3) - 1e-16).all()
    assert (clone[(n == 0)[..., 0]] == 1 / 3).all()


def test_ragged_actions_and_exits():
    mdp = with_an_exit()
    data = mdp.sample([[0.5, 0.5], [0.0, 1.0]], episodes=20, seed=0)
    clone = rlt.behavior_cloning(data, mdp=mdp)
    assert (clone[:, 1] == [0.0, 1.0]).all()
    assert (clone[1:, 0] == 0.5).all()  # state 0 is only visited at the start
    assert np.isfinite(rlt.trajectory_kl(mdp, [[0.5, 0.5], [0.0, 1.0]], clone))
    # Without the model, two actions are smoothed over everywhere.
    assert 0.0 < rlt.behavior_cloning(data)[0, 1, 0] < 1.0


def test_no_episode_gives_the_uniform_law():
    empty = rlt.Trajectories([], [], [], [], [])
    assert (rlt.behavior_cloning(empty, 2, 4, 3) == np.full((3, 2, 4), 0.25)).all()
    assert rlt.behavior_cloning(empty, mdp=with_an_exit())[0].tolist() == [[0.5, 0.5], [0.0, 1.0]]
    with pytest.raises(ModelError, match="the data have no episode"):
        rlt.behavior_cloning(empty, 2, 4, 3, smoothing=0.0, allow_zeros=True)
    with pytest.raises(ModelError, match="horizon is not known"):
        rlt.behavior_cloning(empty)


def test_an_action_that_is_not_there_is_refused():
    data = rlt.Trajectories([0, 1, 1], [1, 0, 1], [0] * 3, [1], [3])
    with pytest.raises(ModelError, match="takes action 0 in state 1 at stage 1"):
        rlt.behavior_cloning(data, mdp=with_an_exit())
    with pytest.raises(ModelError, match=r"actions\[0\] is 1; n_actions is 1"):
        rlt.behavior_cloning(data, 2, 1, 3)


def test_episodes_that_were_cut_off_are_refused():
    short = rlt.Trajectories([0, 0, 0], [0, 1, 1], [0] * 3, [0, 0], [2, 1])
    with pytest.raises(ModelError, match=r"lengths\[1\] is 1, and the episode was cut off"):
        rlt.behavior_cloning(short, 1, 2, 2)
    with pytest.raises(ModelError, match="state 0 is reached 2 times at stage 1 and visited 1"):
        rlt.behavior_cloning(short.counts(1, 2, 2, staged=True))
    ended = rlt.Trajectories([0, 0, 0], [0, 1, 1], [0] * 3, [0, -1], [2, 1])
    assert rlt.behavior_cloning(ended, 1, 2, 2).tolist() == [[[0.5, 0.5]], [[1 / 3, 2 / 3]]]
    assert (rlt.behavior_cloning(ended.counts(1, 2, 2, staged=True))[1, 0] == [1 / 3, 2 / 3]).all()


@pytest.mark.parametrize("smoothing", [-1.0, np.inf, np.nan, "1", True, None])
def test_smoothing_is_checked(smoothing):
    data = two_actions().sample([[0.5, 0.5]], episodes=2, seed=0)
    with pytest.raises(ModelError, match="smoothing is"):
        rlt.behavior_cloning(data, smoothing=smoothing)


def test_other_errors():
    data = two_actions().sample([[0.5, 0.5]], episodes=2, seed=0)
    with pytest.raises(ModelError, match="allow_zeros=True"):
        rlt.behavior_cloning(data, smoothing=0.0)
    with pytest.raises(ModelError, match="the model has 2"):
        rlt.behavior_cloning(data, 1, 3, mdp=two_actions())
    with pytest.raises(ModelError, match="horizon is 3; the counts have 2"):
        rlt.behavior_cloning(data.counts(), 1, 2, 3)
    with pytest.raises(ModelError, match="staged=True"):
        rlt.behavior_cloning(data.counts(staged=False))
    with pytest.raises(ModelError, match="must be Trajectories or Counts"):
        rlt.behavior_cloning([[0]])
    with pytest.raises(ModelError, match="cloning needs an EpisodicMDP"):
        rlt.behavior_cloning(data, mdp=rlt.riverswim(3))
