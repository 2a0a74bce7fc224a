"""The environment of learners, beside rounds played one by one."""

import numpy as np
import pytest

import rltheory as rlt
from rltheory.errors import ModelError
from rltheory.lsd_bandits.environment import IDLE
from rltheory.mdp.streams import Stream


def three_arms() -> rlt.LSDBandit:
    return rlt.LSDBandit(
        [
            rlt.LSDArm(["1/2", "3/4"], ["1/4", 0]),
            rlt.LSDArm.blocking(3, "7/8"),
            rlt.LSDArm(["1/3"], ["1/5"], "gradual"),
        ]
    )


@pytest.mark.parametrize("state", [None, [0, 2, 1], [3, 0, 0]])
def test_rounds_are_those_of_the_definition(state: list[int] | None) -> None:
    bandit = three_arms()
    actions = Stream(3, "test").integers(4, 500) - 1
    environment = rlt.BanditEnvironment(bandit, 5, state)
    rewards = environment.run(actions)
    noise = Stream(5, "lsd.noise").uniforms(500)
    now = list(bandit.split(bandit.rested)) if state is None else list(state)
    plays = [[0] * arm.n_states for arm in bandit.arms]
    for t, action in enumerate(actions):
        paid, mean = 0, 0.0
        for i, arm in enumerate(bandit.arms):
            if i == action:
                mean = float(arm.payoffs[now[i]])
                paid = int(noise[t] < mean)
                plays[i][now[i]] += 1
                now[i] = arm.play_next[now[i]]
            else:
                now[i] = arm.rest_next[now[i]]
        assert rewards[t] == paid and environment.pseudo_rewards[t] == mean
    assert environment.state.tolist() == now
    assert environment.plays.tolist() == [n for own in plays for n in own]
    assert environment.successes.sum() == rewards.sum()
    assert environment.actions.tolist() == actions.tolist()


def test_rounds_one_by_one_or_together() -> None:
    bandit, actions = three_arms(), [0, IDLE, 2, 1, 1, 0, 0, IDLE, 2]
    together, apart = rlt.BanditEnvironment(bandit, 1), rlt.BanditEnvironment(bandit, 1)
    rewards = together.run(actions)
    assert [apart.play(None if a == IDLE else a) for a in actions] == rewards.tolist()
    assert apart.rounds == together.rounds == len(actions)
    assert (apart.plays == together.plays).all() and (apart.state == together.state).all()
    assert apart.run([]).shape == (0,)


def test_noise_depends_on_seed_and_round_alone() -> None:
    bandit = rlt.LSDBandit([rlt.LSDArm(["1/2"], ["1/2"])] * 2)
    first = rlt.BanditEnvironment(bandit, 7).run([0] * 200)
    assert (first == rlt.BanditEnvironment(bandit, 7).run([1] * 200)).all()
    assert (first != rlt.BanditEnvironment(bandit, 8).run([0] * 200)).any()
    assert abs(first.mean() - 0.5) < 0.15


def test_what_is_refused() -> None:
    bandit = three_arms()
    environment = rlt.BanditEnvironment(bandit, 0)
    for actions, word in (
        ([0, 3], r"actions\[1\] is 3"),
        ([-2], r"actions\[0\] is -2"),
        ([0.5], "list of arms"),
        ([[0]], "list of arms"),
    ):
        with pytest.raises(ModelError, match=word):
            environment.run(actions)
    assert environment.rounds == 0
    forced = rlt.LSDBandit(bandit.arms, idle=False)
    with pytest.raises(ModelError, match=r"actions\[0\] is -1"):
        rlt.BanditEnvironment(forced, 0).play(None)
    with pytest.raises(ModelError, match="plays=2"):
        rlt.BanditEnvironment(rlt.LSDBandit(bandit.arms, plays=2), 0)
    with pytest.raises(ModelError, match=r"state\[1\] is 9"):
        rlt.BanditEnvironment(bandit, 0, [0, 9, 0])
    with pytest.raises(ModelError, match="seed"):
        rlt.BanditEnvironment(bandit, -1)


@pytest.mark.parametrize("learner", [rlt.explore_then_commit, rlt.framed_ucb])
def test_bandits_that_learners_refuse(learner: object) -> None:
    assert callable(learner)
    arm = rlt.LSDArm([1], [0])
    for bandit, word in (
        (rlt.LSDBandit([arm, arm], plays=2), "plays=2"),
        (rlt.LSDBandit([arm], idle=False), "idle=False"),
        (rlt.LSDBandit([rlt.LSDArm([1], [0], "gradual")]), "recovery='reset'"),
        (rlt.LSDBandit([rlt.OrderedArm([0, 0], [1, 1], [0, 1])]), r"arms\[0\]"),
        (arm, "neither"),
    ):
        with pytest.raises(ModelError, match=word):
            learner(bandit, 1000, 0)


def test_arrays_of_the_core_are_checked() -> None:
    from rltheory._core import topics
    from rltheory.lsd_bandits.learning_run import plan_arrays

    bandit = rlt.LSDBandit([rlt.LSDArm([1], [0])])
    flat = bandit.arrays
    arm = (flat.sizes, flat.play_next, flat.rest_next, flat.payoffs)
    plans = plan_arrays(bandit)
    state, one = np.array([1], dtype=np.int32), np.zeros(1)
    with pytest.raises(ValueError, match="actions"):
        topics.lsd_play(*arm, state, np.array([1], dtype=np.int32), one)
    with pytest.raises(ValueError, match="cannot be in state 2"):
        topics.lsd_play(*arm, state + 1, np.array([0], dtype=np.int32), one)
    with pytest.raises(ValueError, match="noise"):
        topics.lsd_play(*arm, state, np.array([0, 0], dtype=np.int32), one)
    with pytest.raises(ValueError, match="draws"):
        topics.lsd_commit(*arm, *plans, one, 3)
    with pytest.raises(ValueError, match="ascend"):
        topics.lsd_commit(*arm, plans[0][::-1].copy(), *plans[1:], np.zeros(2), 3)
    with pytest.raises(ValueError, match="a plan of arm 0"):
        topics.lsd_commit(*arm, *plans[:2], plans[2] + 5, plans[3], np.zeros(2), 3)
    with pytest.raises(ValueError, match="frame"):
        topics.lsd_framed_ucb(*arm, *plans, state, 0, 1.0, 1, False, one, np.zeros(2))
