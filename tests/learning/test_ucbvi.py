"""UCBVI: against its plain twin to the bit, by hand, at its edges, and against what is proved."""

import math
from typing import Any

import numpy as np
import pytest

import rltheory as rlt
from rltheory import _core
from rltheory.errors import ModelError
from rltheory.foundations.instances import misled, predict
from rltheory.learning.learner import Task
from rltheory.learning.tabular import EpisodeWords, play_whole
from tests.helpers.plain_access import PlainOnline
from tests.reference.plain_ucbvi import PlainUCBVI

BONUSES = ("hoeffding", "bernstein")
REPLANNING = ("every episode", "doubling")


def ending(seed: int) -> rlt.EpisodicMDP:
    m = rlt.random_episodic(5, 3, 4, branching=3, seed=seed)
    moves = 0.8 * m.transitions.toarray().reshape(4, 5, 3, 5)
    return rlt.EpisodicMDP(moves, m.rewards, 4, m.initial, termination=np.full((4, 5, 3), 0.2))


def stepped(mdp: rlt.EpisodicMDP, seed: int) -> PlainOnline:
    access = PlainOnline(mdp, seed)
    access.whole_episodes = lambda: None  # type: ignore[method-assign]
    return access


def assert_same(one: rlt.RunLog, other: rlt.RunLog) -> None:
    np.testing.assert_array_equal(one.returns, other.returns)
    np.testing.assert_array_equal(one.starts, other.starts)
    np.testing.assert_array_equal(one.which, other.which)
    assert one.used == other.used
    for p, q in zip(one.policies, other.policies, strict=True):
        np.testing.assert_array_equal(p, q)


@pytest.mark.parametrize("replanning", REPLANNING)
@pytest.mark.parametrize("bonus", BONUSES)
@pytest.mark.parametrize("make", [lambda s: rlt.random_episodic(5, 3, 4, seed=s), ending])
@pytest.mark.parametrize("seed", [0, 1])
def test_whole_runs_steps_and_the_plain_twin_agree_to_the_bit(
    make: Any, bonus: str, replanning: str, seed: int
) -> None:
    mdp = make(seed)
    whole, steps = rlt.UCBVI(0.1, bonus, replanning), rlt.UCBVI(0.1, bonus, replanning)
    plain = PlainUCBVI(0.1, bonus, replanning == "doubling")
    log = rlt.run(whole, PlainOnline(mdp, seed), 50)
    assert_same(log, rlt.run(steps, stepped(mdp, seed), 50))
    assert_same(log, rlt.run(plain, stepped(mdp, seed), 50))
    for learner in (whole, steps):
        np.testing.assert_array_equal(learner.q, plain.q)
        np.testing.assert_array_equal(learner.value, plain.v)
        np.testing.assert_array_equal(learner.visits, plain.n)
        np.testing.assert_array_equal(learner.transitions, plain.N)


@pytest.mark.parametrize("replanning", REPLANNING)
@pytest.mark.parametrize("bonus", BONUSES)
@pytest.mark.parametrize("delta", [0.1, 0.999])
def test_passing_over_what_has_not_changed_changes_nothing(
    bonus: str, replanning: str, delta: float
) -> None:
    # A small bonus takes values off their caps; then everything changes all the time.
    for factor in (1.0, 0.05):
        mdp = rlt.random_episodic(9, 3, 5, seed=6)
        tables = rlt.UCBVI(delta, bonus, factor=factor).bonus_of(9, 3, 5, 300)
        found = []
        for full in (False, True):
            core = _core.learning.TabularLearner(
                5, 9, 3, _core.learning.Bonus(*tables), replanning == "doubling", full
            )
            words = [EpisodeWords((1, 2), (3, 4))]
            run = play_whole(mdp, [core], 300, words, traced=True)[0]
            found.append((core.q, core.policy, run.bounds, run.states))
        for one, other in zip(*found, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("bonus", BONUSES)
@pytest.mark.parametrize("shape", [(1, 1, 1), (8, 1, 3), (9, 2, 2), (3, 7, 2), (17, 5, 3)])
def test_every_instruction_set_gives_the_same_bits(bonus: str, shape: Any) -> None:
    states, actions, horizon = shape
    mdp = rlt.random_episodic(states, actions, horizon, seed=3)
    found = []
    try:
        for name in ("auto", "avx2", "generic"):
            try:
                _core.support.set_instruction_set(name)
            except ValueError:
                continue
            learner = rlt.UCBVI(0.1, bonus)
            log = rlt.run(learner, PlainOnline(mdp, 1), 40)
            found.append((learner.q, log))
    finally:
        _core.support.set_instruction_set("auto")
    for q, log in found[1:]:
        np.testing.assert_array_equal(q, found[0][0])
        assert_same(log, found[0][1])


def test_runs_on_any_number_of_threads_are_the_same() -> None:
    mdp = rlt.random_episodic(6, 3, 5, seed=2)
    alone = [rlt.run(rlt.UCBVI(0.1), PlainOnline(mdp, seed), 3000) for seed in range(5)]
    before = rlt.threads()
    try:
        for count in (1, 4):
            rlt.set_threads(count)
            accesses = [PlainOnline(mdp, seed) for seed in range(5)]
            together = rlt.run_many(rlt.UCBVI(0.1), accesses, 3000)
            for one, other in zip(alone, together, strict=True):
                assert_same(one, other)
    finally:
        rlt.set_threads(before)


def test_many_runs_that_cannot_be_whole_are_played_one_by_one() -> None:
    mdp = ending(0)
    together = rlt.run_many(rlt.UCBVI(0.1), [stepped(mdp, 0), PlainOnline(mdp, 1)], 30)
    for seed, log in enumerate(together):
        assert_same(log, rlt.run(rlt.UCBVI(0.1), PlainOnline(mdp, seed), 30))


def test_a_run_goes_on_where_the_access_is() -> None:
    mdp = ending(3)
    whole, steps = PlainOnline(mdp, 5), stepped(mdp, 5)
    for _ in range(2):
        assert_same(rlt.run(rlt.UCBVI(0.1), whole, 20), rlt.run(rlt.UCBVI(0.1), steps, 20))
    first = rlt.run(rlt.UCBVI(0.1), PlainOnline(mdp, 5), 20)
    again = rlt.run(rlt.UCBVI(0.1), PlainOnline(mdp, 5), 40)
    assert not np.array_equal(first.returns, again.returns[20:])


def test_one_episode_by_hand() -> None:
    # One state, two actions that pay 1/4 and 1/2, two stages: unvisited, both look like H - h.
    mdp = rlt.EpisodicMDP([[[1.0], [1.0]]], [[0.25, 0.5]], 2, initial=[1.0])
    learner = rlt.UCBVI(0.1)
    log = rlt.run(learner, PlainOnline(mdp), 2)
    # Before the second episode action 0 was seen once at both stages. At the first one, it looks
    # like 1/4 + sqrt(L/2) + 1, cut at 2, and ties with the other; at the last, it is known.
    assert [p.tolist() for p in log.policies] == [[[0], [0]], [[0], [1]]]
    assert log.returns.tolist() == [0.5, 0.75]
    assert learner.q.tolist() == [[[2.0, 2.0]], [[0.25, 1.0]]]
    assert learner.value.tolist() == [[2.0], [1.0], [0.0]]
    assert learner.visits.tolist() == [[[2, 0]], [[1, 1]]]


def test_ties_go_to_the_lowest_action() -> None:
    mdp = rlt.EpisodicMDP([[[1.0]] * 3], [[0.5, 0.5, 0.5]], 1, initial=[1.0])
    log = rlt.run(rlt.UCBVI(0.5), PlainOnline(mdp), 5)
    # Each action once, as untried ones look like 1, and the first one from then on.
    assert [int(log.policy(k)[0, 0]) for k in range(5)] == [0, 1, 2, 0, 0]


def test_actions_that_a_state_does_not_have_are_never_planned() -> None:
    mdp = misled()
    learner = rlt.UCBVI(0.1)
    log = rlt.run(learner, PlainOnline(mdp), 200)
    assert all((policy[:, :3] == 0).all() for policy in log.policies)
    assert learner.visits[:, :3, 1].sum() == 0 and learner.visits[0, 3].min() > 0


def test_without_a_bonus_half_of_the_runs_are_misled() -> None:
    accesses = [PlainOnline(misled(), seed) for seed in range(40)]
    logs = rlt.run_many(rlt.UCBVI(0.1, factor=0.0), accesses, 400)
    totals = np.array([rlt.regret(log, misled()).sum() for log in logs])
    lost = totals > 99.0
    assert 10 <= lost.sum() <= 30
    assert set(totals[lost].round(9)) == {99.75}


def test_the_bonus_of_the_last_stage_is_nothing() -> None:
    bonus = rlt.UCBVI(0.1).bonus_of(states=2, actions=3, horizon=4, episodes=5)
    assert bonus.scale.tolist() == [3.0, 2.0, 1.0, 0.0]
    level = math.log(3 * 2 * 3 * 4 * 5 / 0.1)
    assert bonus.table[2] == math.sqrt(level / 4.0) and len(bonus.table) == 6


def test_the_second_bonus_does_not_fall_when_the_value_rises() -> None:
    # f(v) = p v + min{B table, max{root sigma, B floor}} for random rows and v <= w.
    stream = np.random.default_rng(0)
    B = 3.0
    tables = rlt.UCBVI(0.1, "bernstein").bonus_of(2, 1, 4, 2000)
    assert (tables.floor[2:] >= tables.root[2:] ** 2).all()
    for n in (2, 3, 40, 200, 2000):
        p = stream.dirichlet(np.full(4, 0.3), size=300)
        v = stream.uniform(0.0, B, size=(300, 4)) * stream.integers(0, 2, size=(300, 4))
        w = np.minimum(B, v + stream.uniform(0.0, 0.3, size=(300, 4)))

        def f(x: Any, p: Any = p, n: int = n) -> Any:
            mean = (p * x).sum(axis=1)
            sigma = np.sqrt(np.maximum((p * x * x).sum(axis=1) - mean**2, 0.0))
            b = np.maximum(tables.root[n] * sigma, B * tables.floor[n])
            return mean + np.minimum(b, B * tables.table[n])

        assert (f(w) >= f(v) - 1e-12).all()


@pytest.mark.parametrize("bonus", BONUSES)
def test_plans_are_optimistic_in_most_runs(bonus: str) -> None:
    mdp = rlt.random_episodic(3, 2, 3, seed=5)
    best = rlt.solve(mdp).value
    exceptions = 0
    for seed in range(20):
        learner = rlt.UCBVI(0.1, bonus)
        access, values = stepped(mdp, seed), []
        plan = learner.plan

        def watched(
            episode: int, plan: Any = plan, learner: Any = learner, seen: Any = values
        ) -> Any:
            policy = plan(episode)
            seen.append((learner.value >= best - 1e-9).all())
            return policy

        learner.plan = watched  # type: ignore[method-assign]
        rlt.run(learner, access, 100)
        exceptions += not all(values)
    assert exceptions <= 2


def test_the_instance_predict_fails_where_the_boundary_is_crossed() -> None:
    # A thin bonus, so that it happens: Q falls below 1/2 exactly where p_hat + b(n) does.
    mdp = predict(horizon=3)
    seen = set()
    for seed in range(12):
        learner = rlt.UCBVI(0.1, factor=0.1)
        learner.begin(Task(2, 1, 3, 60))
        table = learner.bonus_of(2, 1, 3, 60).table
        access = stepped(mdp, seed)
        for episode in range(60):
            learner.plan(episode)
            n = int(learner.visits[1, 0, 0])
            wins = int(learner.transitions[1, 0, 0, 1])
            q = learner.q[1, 0, 0]
            assert q == (2.0 if n == 0 else min(2.0, table[n] + wins * (1.0 / n)))
            seen.add(bool(q < 0.5))
            state = access.reset()
            for stage in range(3):
                step = access.step(0)
                learner.observe(stage, state, 0, step.reward, step.state)
                state = step.state
    assert seen == {False, True}


# --- what is refused ----------------------------------------------------------------------


@pytest.mark.parametrize("delta", [0.0, 1.0, -0.1, 2, math.nan, math.inf, "0.1", True, None])
def test_delta_must_be_a_probability_inside(delta: Any) -> None:
    with pytest.raises(ModelError, match=r"delta is .*; it must be in \(0, 1\)"):
        rlt.UCBVI(delta)
    with pytest.raises(ModelError, match="delta"):
        rlt.ucbvi_regret_bound(2, 2, 3, 100, delta)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bonus": "azar"}, "bonus is 'azar'"),
        ({"replanning": "sometimes"}, "replanning is 'sometimes'"),
        ({"factor": -1.0}, "factor is -1.0"),
        ({"factor": math.nan}, "factor is nan"),
    ],
)
def test_options_are_checked(options: Any, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        rlt.UCBVI(0.1, **options)


def test_rewards_must_fit_the_assumptions() -> None:
    high = rlt.EpisodicMDP([[[1.0]]], [[1.5]], 1, initial=[1.0])
    with pytest.raises(ModelError, match=r"stage 0 is 1\.5.*must be in \[0, 1\]"):
        rlt.run(rlt.UCBVI(0.1), PlainOnline(high), 1)
    random = rlt.EpisodicMDP([[[1.0]]], [[0.5]], 1, initial=[1.0], reward_law=rlt.Bernoulli())
    with pytest.raises(ModelError, match="no random numbers"):
        rlt.run(rlt.UCBVI(0.1), PlainOnline(random), 1)
    learner = rlt.UCBVI(0.1)
    learner.begin(Task(1, 1, 1, 2))
    learner.observe(0, 0, 0, 1.0, 0)
    with pytest.raises(ModelError, match="no random numbers"):
        learner.observe(0, 0, 0, 0.0, 0)


def test_wrong_steps_are_refused() -> None:
    learner = rlt.UCBVI(0.1)
    with pytest.raises(ModelError, match="has not begun"):
        learner.q  # noqa: B018
    learner.begin(Task(2, 2, 2, 1))
    for wrong in [(2, 0, 0), (0, 2, 0), (0, 0, 2), (-1, 0, 0)]:
        with pytest.raises(ValueError, match="there is no stage"):
            learner.observe(*wrong, 0.0, 0)
    with pytest.raises(ValueError, match="next state 2"):
        learner.observe(0, 0, 0, 0.0, 2)
    learner.observe(0, 0, 0, 0.0, 1)
    with pytest.raises(ValueError, match="more episodes"):
        learner.observe(0, 0, 0, 0.0, 1)


# --- the bound ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("episodes", "bound"), [(500, 1538.0), (700, 1836.0), (1500, 2746.0), (10**4, 7.5e3)]
)
def test_the_bound_has_the_printed_values(episodes: int, bound: float) -> None:
    found = rlt.ucbvi_regret_bound(2, 2, 3, episodes, 0.1)
    assert found == pytest.approx(bound, rel=1e-2 if bound == 7.5e3 else 4e-4)


def test_one_stage_needs_no_planning() -> None:
    # H = 1: the bound reads S A + sqrt(K L3 / 2), and regret ends once every action was tried.
    assert rlt.ucbvi_regret_bound(2, 3, 1, 100, 0.3) == 6 + math.sqrt(100 * math.log(10.0) / 2)
    mdp = rlt.random_episodic(2, 3, 1, seed=0)
    lost = rlt.regret(rlt.run(rlt.UCBVI(0.1), PlainOnline(mdp), 60), mdp)
    assert np.count_nonzero(lost > 1e-12) <= 6


def test_the_bound_refuses_what_it_does_not_cover() -> None:
    with pytest.raises(ModelError, match="states is 1"):
        rlt.ucbvi_regret_bound(1, 2, 3, 100, 0.1)
    with pytest.raises(ModelError, match="episodes is 0"):
        rlt.ucbvi_regret_bound(2, 2, 3, 0, 0.1)
