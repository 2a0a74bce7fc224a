"""LSVI-UCB: every plan against plain inverses, the table it is for one-hot features, its regret."""

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import plain_linear
import pytest
from plain_access import PlainOnline

import rltheory as rlt
from rltheory import _core
from rltheory.errors import ModelError


class Online(PlainOnline):
    """Played step by step; keeps the steps."""

    def __init__(self, mdp: rlt.LinearMDP, seed: int = 0) -> None:
        super().__init__(mdp.tabular(), seed)
        self.steps: list[plain_linear.Step] = []

    def step(self, action: int) -> Any:
        h, s = self.stage, self.state
        step = super().step(action)
        self.steps.append((h, s, action, step.reward, step.state))
        return step

    def whole_episodes(self) -> Any:
        return None


class Recording(rlt.LSVIUCB):
    """Keeps every plan beside the steps that it was made from."""

    def begin(self, task: Any) -> None:
        super().begin(task)
        self.kept: list[tuple[int, np.ndarray, np.ndarray]] = []

    def plan(self, episode: int) -> Any:
        policy = super().plan(episode)
        if policy is not None:
            self.kept.append((episode, self.q.copy(), policy))
        return policy


@pytest.mark.parametrize("switch", [None, 1.5])
@pytest.mark.parametrize("seed", range(3))
def test_every_plan_is_that_of_plain_inverses(seed: int, switch: float | None) -> None:
    mdp = rlt.random_linear_mdp(4, 2, 3, 3, seed=seed)
    learner = Recording(mdp.features, radius=[0.3, 0.2, 0.1], ridge=0.5, switch=switch)
    access = Online(mdp, seed)
    rlt.run(learner, access, 60)
    assert len(learner.kept) == learner.plans
    for episode, q, policy in learner.kept:
        steps = access.steps[: 3 * episode]
        expected, _ = plain_linear.optimistic_plan(mdp.features, steps, learner.radii, 0.5)
        assert q == pytest.approx(expected, abs=1e-10)
        chosen = np.take_along_axis(expected, policy[:, :, None], axis=2)[:, :, 0]
        assert chosen == pytest.approx(expected.max(axis=2), abs=1e-10)


@pytest.mark.parametrize("seed", range(3))
def test_one_hot_features_are_the_table(seed: int) -> None:
    table = rlt.random_linear_mdp(3, 2, 6, 3, seed=seed)
    assert (table.features == np.eye(6).reshape(3, 2, 6)).all()
    learner = Recording(table.features, radius=0.4, ridge=1.0)
    access = Online(table, seed)
    rlt.run(learner, access, 50)
    for episode, q, policy in learner.kept:
        steps = access.steps[: 3 * episode]
        expected = plain_linear.tabular_plan(3, 2, steps, learner.radii, 1.0)
        assert q == pytest.approx(expected, abs=1e-12)
        taken = np.take_along_axis(expected, policy[:, :, None], axis=2)[:, :, 0]
        assert taken == pytest.approx(expected.max(axis=2), abs=1e-12)


def test_norms_stay_accurate_over_many_episodes() -> None:
    mdp = rlt.random_linear_mdp(5, 3, 4, 2, seed=3)
    learner, access = rlt.LSVIUCB(mdp.features, radius=0.2), Online(mdp)
    rlt.run(learner, access, 3000)
    norms2 = learner.core.norms2.reshape(2, 15)
    rows = mdp.features.reshape(15, 4)
    for h in range(2):
        used = np.array([mdp.features[s, a] for g, s, a, _, _ in access.steps if g == h])
        inverse = np.linalg.inv(plain_linear.gram(used, 1.0))
        assert norms2[h] == pytest.approx(np.einsum("pd,de,pe->p", rows, inverse, rows), rel=1e-9)


def hard_mdp() -> rlt.LinearMDP:
    """Two stages; at the first one action leads to the state that pays, the other does less often.

    Features of pairs mix two laws, "good" and "bad".
    """
    features = np.zeros((3, 3, 2))
    features[0] = [[0.2, 0.8], [0.5, 0.5], [0.9, 0.1]]
    features[1:] = [0.5, 0.5]
    features[1] = [1.0, 0.0]
    features[2] = [0.0, 1.0]
    measures = [[[0.0, 0.7, 0.3], [0.0, 0.3, 0.7]], [[1.0, 0.0, 0.0]] * 2]
    return rlt.LinearMDP(features, measures, [[0.0, 0.0], [1.0, 0.0]], [1.0, 0.0, 0.0])


@pytest.mark.parametrize("switch", [None, 2.0])
def test_regret_is_sublinear(switch: float | None) -> None:
    mdp = hard_mdp()
    curves = []
    for seed in range(5):
        learner = rlt.LSVIUCB(mdp.features, radius=2.0, switch=switch)
        log = rlt.run(learner, Online(mdp, seed), 4000)
        curves.append(np.cumsum(rlt.regret(log, mdp.tabular())))
    total = np.mean(curves, axis=0)
    table = mdp.tabular()
    blind = rlt.evaluate(table, rlt.uniform_policy(table))[0, 0]
    assert 0 < total[-1] < 4000 * (rlt.solve(mdp).value[0, 0] - blind) / 20
    slope = math.log(total[3999] / total[499]) / math.log(8.0)
    assert slope < 0.5, slope


def test_rare_switching_plans_rarely() -> None:
    mdp = rlt.random_linear_mdp(5, 3, 3, 3, seed=1)
    learner = rlt.LSVIUCB(mdp.features, radius=0.3, switch=2.0)
    log = rlt.run(learner, Online(mdp), 2000)
    log_dets = [learner.core.log_det_ratio(h) for h in range(3)]
    most = 1 + sum(math.floor(x / math.log(2.0)) for x in log_dets)
    assert 5 < learner.plans <= most < 100
    assert len(log.starts) <= learner.plans
    potential = 3 * math.log1p(2000 / 3)  # d log(1 + K/(d ridge)), the claim conf-elliptical
    assert max(log_dets) <= potential


@pytest.mark.parametrize("states", [None, 4])
def test_default_radii_make_it_optimistic(states: int | None) -> None:
    """With the proved radii, no Q of any plan is below Q*, on any of these seeds."""
    mdp = rlt.random_linear_mdp(4, 2, 2, 3, seed=7)
    best = rlt.solve_linear(mdp).q
    for seed in range(3):
        radius = rlt.lsvi_ucb_radii(2, 3, 100, 0.1, states=states)
        learner = Recording(mdp.features, 0.1, radius=radius)
        rlt.run(learner, Online(mdp, seed), 100)
        assert all((q >= best - 1e-12).all() for _, q, _ in learner.kept)
    by_default = rlt.LSVIUCB(mdp.features, 0.1)
    by_default.begin(SimpleNamespace(n_states=4, n_actions=2, horizon=3, episodes=100))
    assert (by_default.radii == rlt.lsvi_ucb_radii(2, 3, 100, 0.1, states=4)).all()


def test_the_regret_bound_by_hand() -> None:
    """H = 1, d = 1, K = 8, delta = 1/2, ridge 1: one radius, at delta = 1/4."""
    radius = 1.0 + 0.5 * math.sqrt(2 * math.log(4.0) + math.log(9.0))
    found = rlt.lsvi_ucb_regret_bound(1, 1, 8, 0.5, states=3, switch=2.0)
    potential = 2.0 * 8 * math.log(9.0) / math.log(2.0)
    expected = 2 * radius * math.sqrt(potential) + math.sqrt(4 * math.log(4.0))
    assert found == pytest.approx(expected, rel=1e-14)
    with pytest.raises(ModelError, match="at least 1/4"):
        rlt.lsvi_ucb_regret_bound(1, 1, 8, 0.5, ridge=0.1)


def test_the_regret_of_a_run_is_below_the_bound() -> None:
    mdp, K = hard_mdp(), 2000
    radii = rlt.lsvi_ucb_radii(2, 2, K, 0.05, states=3)
    log = rlt.run(rlt.LSVIUCB(mdp.features, radius=radii), PlainOnline(mdp.tabular(), 0), K)
    assert (
        0 < rlt.regret(log, mdp.tabular()).sum() < rlt.lsvi_ucb_regret_bound(2, 2, K, 0.1, states=3)
    )


def test_no_radius_is_no_optimism() -> None:
    mdp = hard_mdp()
    learner = Recording(mdp.features, radius=0.0)
    rlt.run(learner, Online(mdp), 5)
    assert any((q < rlt.solve_linear(mdp).q - 0.1).any() for _, q, _ in learner.kept)


def test_radii_by_hand() -> None:
    """H = 2, d = 1, K = 4, delta = 1/2: no net at the last stage, log ceil(1) = 0 at the first."""
    last = 1.0 + 0.5 * math.sqrt(2 * math.log(4.0) + math.log(5.0))
    first = 2.0 + 1.0 * math.sqrt(2 * math.log(4.0) + math.log(5.0)) + 2.0
    assert rlt.lsvi_ucb_radii(1, 2, 4, 0.5, states=9) == pytest.approx([first, last], rel=1e-15)
    net = math.log(1 + 16.0) + math.log(1 + 8.0 * last**2 * 4)
    first = 2.0 + 1.0 * math.sqrt(2 * (math.log(4.0) + net) + math.log(5.0)) + 2.0
    assert rlt.lsvi_ucb_radii(1, 2, 4, 0.5) == pytest.approx([first, last], rel=1e-15)


@pytest.mark.parametrize("switch", [None, 1.3])
def test_whole_runs_are_the_stepped_ones_to_the_bit(switch: float | None) -> None:
    mdp = rlt.random_linear_mdp(5, 3, 4, 3, seed=2)
    stepping = rlt.LSVIUCB(mdp.features, radius=0.5, switch=switch)
    stepped = rlt.run(stepping, Online(mdp, 3), 700)
    learner = rlt.LSVIUCB(mdp.features, radius=0.5, switch=switch)
    access = PlainOnline(mdp.tabular(), 3)
    whole = rlt.run(learner, access, 700)
    assert (access.used.episodes, access.used.steps) == (700, 2100)
    assert (whole.returns == stepped.returns).all()
    assert (whole.starts == stepped.starts).all() and (whole.which == stepped.which).all()
    assert len(whole.policies) == len(stepped.policies)
    for one, other in zip(whole.policies, stepped.policies, strict=True):
        assert (one == other).all()
    assert (learner.q == stepping.q).all() and (learner.weights == stepping.weights).all()


@pytest.mark.parametrize("count", [1, 2])
def test_runs_together_do_not_depend_on_threads(count: int) -> None:
    table = rlt.random_linear_mdp(5, 3, 4, 3, seed=2)
    before = rlt.threads()
    rlt.set_threads(count)
    try:
        model = table.tabular()
        learner = rlt.LSVIUCB(table.features, radius=0.5)
        logs = rlt.run_many(learner, [PlainOnline(model, seed) for seed in range(3)], 200)
    finally:
        rlt.set_threads(before)
    for seed, log in enumerate(logs):
        alone = rlt.run(rlt.LSVIUCB(table.features, radius=0.5), Online(table, seed), 200)
        assert (log.returns == alone.returns).all() and (log.which == alone.which).all()


def test_random_rewards_are_played_step_by_step() -> None:
    mdp = rlt.random_linear_mdp(3, 2, 2, 2, seed=0)
    table = mdp.tabular()
    coins = rlt.EpisodicMDP(
        table.transitions.toarray().reshape(2, 3, 2, 3),
        mdp.mean_rewards,
        2,
        table.initial,
        reward_law=rlt.Bernoulli(),
    )
    log = rlt.run(rlt.LSVIUCB(mdp.features, radius=0.5), PlainOnline(coins, 1), 20)
    assert log.episodes == 20


@pytest.mark.parametrize("access", [Online, lambda mdp: PlainOnline(mdp.tabular())])
def test_rewards_beyond_one_are_refused(access: Any) -> None:
    mdp = rlt.LinearMDP([[[1.0]]], [[[1.0]]] * 2, [[1.0], [1.5]], [1.0])
    with pytest.raises(ModelError, match=r"state 0 at stage 1 is 1\.50*; it must be in \[0, 1\]"):
        rlt.run(rlt.LSVIUCB(mdp.features), access(mdp), 3)


def test_a_model_that_lacks_an_action_is_refused() -> None:
    ragged = rlt.MDP.from_pairs([0, 0, 1], [0, 1, 0], np.eye(2)[[0, 1, 0]], [0.0, 1.0, 0.0])
    model = rlt.EpisodicMDP.from_arrays(
        {**ragged.episodic(2).arrays(), "initial": np.array([1.0, 0.0])}
    )
    with pytest.raises(ValueError, match="state 1 does not have action 1"):
        rlt.run(rlt.LSVIUCB(np.ones((2, 2, 1))), PlainOnline(model), 5)


def test_nothing_is_known_before_a_run() -> None:
    with pytest.raises(ModelError, match="has not begun"):
        rlt.LSVIUCB(np.ones((2, 2, 1))).q  # noqa: B018


def test_beginning_again_forgets() -> None:
    mdp = rlt.random_linear_mdp(4, 2, 3, 3, seed=0)
    learner = rlt.LSVIUCB(mdp.features, radius=0.2)
    first = rlt.run(learner, Online(mdp, 1), 40)
    again = rlt.run(learner, Online(mdp, 1), 40)
    assert (first.returns == again.returns).all() and (first.starts == again.starts).all()


def test_bad_input() -> None:
    good = np.ones((2, 2, 1))
    bad: list[tuple[Any, dict[str, Any], str]] = [
        (np.ones((2, 2)), {}, "features has shape"),
        (1.5 * good, {}, r"features\[0, 0\] has norm 1.5; it must be at most 1"),
        (good, {"delta": 1.0}, "delta is 1.0"),
        (good, {"ridge": 0.0}, "ridge is 0.0"),
        (good, {"switch": 1.0}, "switch is 1.0"),
        (good, {"radius": -1.0}, "radius must be"),
    ]
    for features, arguments, message in bad:
        with pytest.raises(ModelError, match=message):
            rlt.LSVIUCB(features, **arguments)
    task = SimpleNamespace(n_states=2, n_actions=2, horizon=3, episodes=10)
    with pytest.raises(ModelError, match=r"radius has shape \(2,\)"):
        rlt.LSVIUCB(good, radius=[1.0, 1.0]).begin(task)
    with pytest.raises(ModelError, match="2 states and 3 actions; the task has 2 and 2"):
        rlt.LSVIUCB(np.ones((2, 3, 1))).begin(task)
    for arguments, message in [
        ({"episodes": 0}, "episodes is 0"),
        ({"delta": 0.0}, "delta is 0.0"),
        ({"states": 0}, "states is 0"),
        ({"ridge": np.inf}, "ridge is inf"),
    ]:
        with pytest.raises(ModelError, match=message):
            rlt.lsvi_ucb_radii(
                **{"dimension": 1, "horizon": 1, "episodes": 1, "delta": 0.1} | arguments
            )
    core = _core.learning.LinearLearner(2, good, 1.0, np.ones(2), np.ones(2), -1.0)
    for call in (
        lambda: core.observe(2, 0, 0, 0.0, 0),
        lambda: core.observe(0, -1, 0, 0.0, 0),
        lambda: core.observe(0, 0, 2, 0.0, 0),
        lambda: core.observe(0, 0, 0, 0.0, 2),
        lambda: core.observe(0, 0, 0, math.nan, 0),
        lambda: core.log_det_ratio(2),
        lambda: _core.learning.LinearLearner(2, good, 1.0, np.ones(1), np.ones(2), -1.0),
        lambda: _core.learning.LinearLearner(0, good, 1.0, np.ones(0), np.ones(0), -1.0),
        lambda: _core.learning.LinearLearner(1, good, -1.0, np.ones(1), np.ones(1), -1.0),
    ):
        with pytest.raises(ValueError):
            call()
