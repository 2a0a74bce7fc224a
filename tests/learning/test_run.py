"""The loop, its log, and exact regret, with small learners of our own."""

from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import rltheory as rlt
from rltheory.errors import AccessError, ModelError, PolicyError
from rltheory.learning.played import ActionPolicies, PolicyRecorder
from tests.helpers.plain_access import PlainOnline


class Scripted:
    """Plays the policies of a list, one an episode, and notes what it is told."""

    def __init__(self, policies: Any) -> None:
        self.policies, self.told = policies, []

    def begin(self, task: rlt.Task) -> None:
        self.task, self.told = task, []

    def plan(self, episode: int) -> Any:
        policy = self.policies[episode % len(self.policies)]
        if policy is not None:
            self.current = policy
        return policy

    def act(self, stage: int, state: int) -> int:
        return int(np.asarray(self.current)[stage, state])

    def observe(self, *what: Any) -> None:
        self.told.append(what)

    def __repr__(self) -> str:
        return "Scripted()"


def mdp_of(seed: int = 0, exact: bool = False) -> rlt.EpisodicMDP:
    made = rlt.random_episodic(4, 3, 3, seed=seed)
    return made.as_exact() if exact else made


def policies(count: int, seed: int = 0, shape: Any = (3, 4), actions: int = 3) -> list[Any]:
    stream = np.random.default_rng(seed)
    return [stream.integers(0, actions, size=shape) for _ in range(count)]


def test_a_learner_is_told_its_task_and_every_step() -> None:
    learner = Scripted(policies(1))
    assert isinstance(learner, rlt.Learner)
    log = rlt.run(learner, PlainOnline(mdp_of()), 5, seed=7)
    task = learner.task
    assert (task.n_states, task.n_actions, task.horizon) == (4, 3, 3)
    assert (task.episodes, task.seed) == (5, 7)
    assert len(learner.told) == 15 and [x[0] for x in learner.told[:3]] == [0, 1, 2]
    assert learner.told[0][4] == learner.told[1][1], "where it went is where it acts next"
    paid = np.array([x[3] for x in learner.told]).reshape(5, 3)
    np.testing.assert_allclose(log.returns, paid.sum(axis=1), rtol=1e-15)
    assert (log.used.episodes, log.used.steps) == (5, 15)
    assert log.provenance == {
        "learner": "Scripted()", "access": "PlainOnline", "access_seed": 0, "seed": 7,
    }  # fmt: skip


def test_ended_episodes_end() -> None:
    mdp = rlt.EpisodicMDP([[[0.0]]], [[1.0]], 4, initial=[1.0], termination=[[1.0]])
    learner = Scripted([np.zeros((4, 1), dtype=int)])
    log = rlt.run(learner, PlainOnline(mdp), 3)
    assert learner.told == [(0, 0, 0, 1.0, -1)] * 3 and log.used.steps == 3


def test_distinct_policies_are_kept_once_with_their_stretches() -> None:
    a, b = policies(2)
    log = rlt.run(Scripted([a, None, b, a, b.astype(np.int8), b]), PlainOnline(mdp_of()), 6)
    assert len(log.policies) == 2
    assert log.starts.tolist() == [0, 2, 3, 4] and log.which.tolist() == [0, 1, 0, 1]
    assert log.lengths.tolist() == [2, 1, 1, 2]
    assert log.policy_of_episode.tolist() == [0, 0, 1, 0, 1, 1]
    for k, policy in enumerate([a, a, b, a, b, b]):
        np.testing.assert_array_equal(log.policy(k), policy)
    with pytest.raises(IndexError, match="episode 6 of 6"):
        log.policy(6)
    assert repr(log).startswith("RunLog(6 episodes, 2 distinct policies, mean return ")


@pytest.mark.parametrize(("shape", "actions"), [((3, 4), 3), ((300, 2), 2), ((2, 3), 300)])
def test_changes_give_the_policies_back(shape: Any, actions: int) -> None:
    recorder, given = PolicyRecorder(actions), policies(20, 1, shape, actions)
    for k, policy in enumerate(given):
        recorder.add(k, policy)
    kept, starts, which = recorder.finish()
    assert isinstance(kept, ActionPolicies)
    assert starts.tolist() == list(range(20)) == which.tolist()
    for policy, one, two in zip(given, kept, [kept[i] for i in range(20)], strict=True):
        np.testing.assert_array_equal(policy, one)
        np.testing.assert_array_equal(policy, two)
    np.testing.assert_array_equal(kept[-1], given[-1])
    assert len(kept[2:5]) == 3
    with pytest.raises(IndexError, match="policy 20 of 20"):
        kept[20]


def test_what_is_no_array_of_actions_is_kept_as_it_is() -> None:
    (actions,) = policies(1)
    soft = np.full((3, 4, 3), 1.0 / 3.0)
    mixture = rlt.Mixture([0.5, 0.5], [actions, soft])
    recorder = PolicyRecorder(3)
    for k, policy in enumerate([actions, soft, mixture, soft.copy(), actions, mixture]):
        recorder.add(k, policy)
    kept, _, which = recorder.finish()
    assert len(kept) == 3 and which.tolist() == [0, 1, 2, 1, 0, 2]
    assert kept[2] is mixture
    mdp = mdp_of()
    log = rlt.RunLog(kept, np.arange(6), which, np.zeros(6))
    best = float(mdp.initial @ rlt.solve(mdp).value[0])
    values = [float(mdp.initial @ rlt.evaluate(mdp, x)[0]) for x in (actions, soft, mixture)]
    np.testing.assert_allclose(rlt.regret(log, mdp), best - np.array(values)[which], atol=1e-14)


def test_logs_of_a_million_episodes_are_small() -> None:
    # The changes of an episode of a learner that replans every time, at the size of the benchmark.
    mdp = rlt.random_episodic(20, 4, 20, seed=1)
    log = rlt.run(rlt.UCBVI(0.1), PlainOnline(mdp), 4000)
    assert log.policies.places.dtype == np.uint16 and log.policies.actions.dtype == np.uint8
    assert log.nbytes / log.episodes < 100  # 500 bytes an episode are allowed


# --- regret -------------------------------------------------------------------------------


def exact_start_value(mdp: rlt.EpisodicMDP, policy: Any) -> Fraction:
    """rho V_0 by brute force over all paths of the exact model."""
    exact = mdp.as_exact().rational
    assert exact is not None
    S, A = mdp.n_states, mdp.n_actions

    def ahead(h: int, s: int) -> Fraction:
        if h == mdp.horizon:
            return Fraction(0)
        row = (mdp.stage(h) * S + s) * A + int(policy[h][s])
        steps = range(exact.row_ptr[row], exact.row_ptr[row + 1])
        later = (exact.prob[k] * ahead(h + 1, exact.col[k]) for k in steps)
        return exact.reward[row] + sum(later, Fraction(0))

    return sum((Fraction(float(p)) * ahead(0, s) for s, p in enumerate(mdp.initial)), Fraction(0))


def test_values_of_played_policies_are_exact() -> None:
    mdp = mdp_of(3)
    log = rlt.run(Scripted(policies(12, 4)), PlainOnline(mdp), 12)
    values = -rlt.regret(log, mdp, comparator=0.0)
    for policy, value in zip(log.policies, values, strict=True):
        assert abs(exact_start_value(mdp, policy) - Fraction(float(value))) < Fraction(1, 2**49)


def test_comparators() -> None:
    mdp = mdp_of(1)
    given = policies(4, 2)
    log = rlt.run(Scripted(given), PlainOnline(mdp), 8)
    values = np.array([float(mdp.initial @ rlt.evaluate(mdp, p)[0]) for p in given])
    best = float(mdp.initial @ rlt.solve(mdp).value[0])
    np.testing.assert_allclose(rlt.regret(log, mdp), best - np.tile(values, 2), atol=1e-14)
    half = rlt.regret(log, mdp, comparator=0.5 * best)
    np.testing.assert_allclose(half, 0.5 * best - np.tile(values, 2), atol=1e-14)
    inside = rlt.regret(log, mdp, "best-in-class", policies=given[:2])
    np.testing.assert_allclose(inside, values[:2].max() - np.tile(values, 2), atol=1e-14)
    other = rlt.regret(log, mdp, comparator=given[3])
    np.testing.assert_allclose(other[3::4], 0.0, atol=1e-14)
    uniform = rlt.regret(log, mdp, comparator=rlt.uniform_policy(mdp))
    assert uniform.shape == (8,)


def test_wrong_comparators_are_refused() -> None:
    mdp = mdp_of(1)
    log = rlt.run(Scripted(policies(2)), PlainOnline(mdp), 2)
    with pytest.raises(ModelError, match="comparator is 'best'"):
        rlt.regret(log, mdp, "best")
    with pytest.raises(ModelError, match="needs a class"):
        rlt.regret(log, mdp, "best-in-class")
    with pytest.raises(ModelError, match="policies are given"):
        rlt.regret(log, mdp, policies=policies(1))
    with pytest.raises(ModelError, match="comparator is nan"):
        rlt.regret(log, mdp, float("nan"))
    with pytest.raises(ModelError, match="no start law"):
        rlt.regret(
            log, rlt.EpisodicMDP(mdp.transitions.toarray().reshape(3, 4, 3, 4), mdp.rewards, 3)
        )
    with pytest.raises(ModelError, match="needs a horizon"):
        rlt.regret(log, rlt.riverswim(4))
    with pytest.raises(PolicyError, match="policy 0"):
        few = rlt.random_episodic(4, 1, 3, seed=0)
        rlt.regret(log, few)


def test_a_learner_without_a_policy_has_no_regret() -> None:
    learner = Scripted([None])
    learner.current = policies(1)[0]
    mdp = mdp_of()
    log = rlt.run(learner, PlainOnline(mdp), 3)
    assert log.which.tolist() == [-1] and log.policy(2) is None
    with pytest.raises(PolicyError, match="declared no policy"):
        rlt.regret(log, mdp)


# --- access -------------------------------------------------------------------------------


def test_a_learner_needs_online_access_with_a_horizon() -> None:
    with pytest.raises(AccessError, match="SimpleNamespace cannot be reset and stepped"):
        rlt.run(Scripted(policies(1)), SimpleNamespace(sample=None), 1)
    access = PlainOnline(mdp_of())
    access.mdp_info.horizon = None
    with pytest.raises(ModelError, match="no horizon"):
        rlt.run(Scripted(policies(1)), access, 1)
    for episodes in (0, -1, 1.5, True):
        with pytest.raises(ModelError, match="episodes is"):
            rlt.run(Scripted(policies(1)), PlainOnline(mdp_of()), episodes)  # type: ignore[arg-type]


def test_actions_out_of_range_are_refused_in_the_log() -> None:
    recorder = PolicyRecorder(256)
    with pytest.raises(PolicyError, match="actions from -1 to 2"):
        recorder.add(0, np.array([[-1, 2]]))
    with pytest.raises(PolicyError, match="actions from 0 to 300"):
        recorder.add(0, np.array([[0, 300]]))
