"""Regularised best-policy identification: its plain twin, numpy's, golden stopping times, edges."""

import os
import signal
import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rltheory as rlt
from benchmarks.numpy_bpi import play
from rltheory import _core
from rltheory.demonstrations.exploration import BPIResult
from rltheory.demonstrations.regularized_bpi import (
    certificate_size,
    least_visits,
    regularized_widths,
)
from rltheory.errors import AccessError, ConvergenceError, ModelError, PolicyError
from rltheory.mdp.streams import Stream, philox_key
from tests.reference.plain_bpi import PlainBPI
from tests.reference.plain_bpi import run as run_plain

PURPOSES = ("access-starts", "access-transitions", "bpi-stages", "bpi-actions")


def golden(seed: int = 3, states: int = 3, actions: int = 2, horizon: int = 3) -> rlt.EpisodicMDP:
    """The model of the specification: rows, then rewards, of numpy's default generator."""
    rng = np.random.default_rng(seed)
    rows = rng.dirichlet(np.ones(states), size=(horizon, states, actions))
    start = np.eye(states)[0]
    return rlt.EpisodicMDP(rows, rng.random((horizon, states, actions)), horizon, start)


def ending(seed: int) -> rlt.EpisodicMDP:
    m = rlt.random_episodic(3, 3, 3, branching=2, seed=seed)
    rows = 0.8 * m.transitions.toarray().reshape(3, 3, 3, 3)
    start = [0.5, 0.5, 0.0]
    return rlt.EpisodicMDP(rows, m.rewards, 3, start, termination=np.full((3, 3, 3), 0.2))


def reference_of(mdp: rlt.EpisodicMDP, seed: int) -> Any:
    """Random laws, some actions forbidden."""
    rng = np.random.default_rng(seed)
    law = rng.dirichlet(np.ones(mdp.n_actions), size=(mdp.horizon, mdp.n_states))
    law[rng.random(law.shape) < 0.2] = 0.0
    law[..., 0] += 1e-3
    return law / law.sum(axis=2, keepdims=True)


def so_far(learner: rlt.RegularizedBPI, access: Any, seed: int, episodes: int) -> BPIResult:
    with pytest.raises(ConvergenceError) as caught:
        learner.run(access, seed, most_episodes=episodes)
    result = caught.value.solution
    assert isinstance(result, BPIResult)
    return result


def stepped(mdp: rlt.EpisodicMDP, seed: int) -> Any:
    access = rlt.online(mdp, seed)
    access.whole_episodes = lambda: None  # type: ignore[method-assign]
    return access


# --- twins --------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [golden, ending])
@pytest.mark.parametrize("growth", [0.0, 0.1])
@pytest.mark.parametrize("temperature", [1e-3, 0.3, 50.0])
def test_the_plain_twin_stops_at_the_same_time_with_the_same_numbers(
    make: Any, growth: float, temperature: float
) -> None:
    mdp, delta = make(3), 0.4
    law = reference_of(mdp, 1)
    epsilon = {1e-3: 2.2, 0.3: 1.8, 50.0: 0.006}[temperature]
    learner = rlt.RegularizedBPI(law, temperature, epsilon, delta, growth)
    result = learner.run(rlt.online(mdp, 5), 7)
    assert 20 < result.episodes < 3000
    known = rlt.online(mdp, 0).known()
    plain = PlainBPI(
        known.rewards.tolist(), law.tolist(), temperature, delta, mdp.n_states + known.may_end
    )
    words = Stream(7, "bpi-stages"), Stream(7, "bpi-actions")
    episodes = run_plain(plain, rlt.online(mdp, 5), known.initial.tolist(), *words, epsilon, growth)
    assert episodes == result.episodes
    np.testing.assert_allclose(result.policy, plain.policy, rtol=0, atol=1e-11)
    ours = [result.certificate, result.lower, result.upper]
    theirs = [known.initial @ np.array(x[0]) for x in (plain.G, plain.V, plain.U)]
    np.testing.assert_allclose(ours, theirs, rtol=1e-11)
    assert result.policy[law == 0.0].max(initial=0.0) == 0.0


@pytest.mark.parametrize("make", [golden, ending])
def test_whole_runs_are_the_stepped_ones_to_the_bit(make: Any) -> None:
    mdp = make(2)
    learner = rlt.RegularizedBPI(reference_of(mdp, 0), 0.5, 0.15, 0.2, 0.03)
    whole, steps = rlt.online(mdp, 1), stepped(mdp, 1)
    one, other = learner.run(whole, 4), learner.run(steps, 4)
    assert one.episodes == other.episodes > 1024  # past the first tables
    np.testing.assert_array_equal(one.policy, other.policy)
    for x, y in zip(one.history, other.history, strict=True):
        np.testing.assert_array_equal(x, y)
    assert whole.used == steps.used
    again = learner.run(whole, 4)  # the access goes on
    assert again.episodes != one.episodes or (again.policy != one.policy).any()


@pytest.mark.parametrize("growth", [0.0, 0.05])
@pytest.mark.parametrize("together", [False, True])
def test_numpy_counts_the_same_and_stops_at_the_same_time(growth: float, together: bool) -> None:
    mdp, delta, epsilon, temperature = golden(), 0.1, 0.8, 0.2
    law = np.array([[0.7, 0.3]] * 3)
    result = rlt.RegularizedBPI(law, temperature, epsilon, delta, growth).run(rlt.online(mdp, 3), 3)
    widths = regularized_widths(np.arange(result.episodes + 500), 3, 2, 3, delta, False)
    keys = tuple(philox_key(3, purpose) for purpose in PURPOSES)
    episodes, counts, history = play(
        mdp, law, temperature, epsilon, widths, growth, len(widths.bonus) - 1, keys, together
    )
    assert episodes == result.episodes > 200
    assert counts.sum() == 3 * episodes
    np.testing.assert_array_equal(history[:, 0], result.history.episodes)
    np.testing.assert_allclose(history[:, 1], result.history.certificate, rtol=1e-10)
    np.testing.assert_allclose(history[:, 2:], np.transpose(result.history[2:]), atol=1e-10)


def test_every_width_of_registers_plans_the_same() -> None:
    mdp = rlt.random_episodic(11, 3, 5, seed=0)
    learner = rlt.RegularizedBPI(np.full((11, 3), 1 / 3), 0.5, 1e-6, 0.1)
    results = []
    try:
        for name in ("auto", "avx2", "generic"):
            try:
                _core.support.set_instruction_set(name)
            except ValueError:
                continue
            results.append(so_far(learner, rlt.online(mdp, 0), 0, 300))
    finally:
        _core.support.set_instruction_set("auto")
    for other in results[1:]:
        np.testing.assert_array_equal(results[0].policy, other.policy)
        np.testing.assert_array_equal(results[0].history.certificate, other.history.certificate)


# --- golden values ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("temperature", "epsilon", "median"),
    [
        (0.2, 0.2, 2671),
        (0.2, 0.1, 5821),
        (0.2, 0.05, 12090),
        (0.2, 0.025, 23927),
        (0.05, 0.05, 54829),
        (0.1, 0.05, 26379),
        (0.4, 0.05, 4790),
    ],
)
def test_stopping_times_are_those_of_the_specification(
    temperature: float, epsilon: float, median: int
) -> None:
    mdp = golden()
    learner = rlt.RegularizedBPI([[0.5, 0.5]] * 3, temperature, epsilon, 0.1)
    times = [learner.run(rlt.online(mdp, seed), seed).episodes for seed in range(5)]
    # Plans are on a grid of ratio 1.05: the same median or its neighbour.
    assert median / 1.06 < np.median(times) < median * 1.06


def test_the_sizes_of_certificates_are_those_of_the_specification() -> None:
    sizes = [least_visits(eps, 3, 2, 3, 0.2, 0.1) for eps in (0.2, 0.1, 0.05, 0.025)]
    assert sizes == [568, 1179, 2448, 5078]
    for n in (568, 1179):
        assert certificate_size(n, 3, 2, 3, 0.2, 0.1) < certificate_size(n - 1, 3, 2, 3, 0.2, 0.1)


@pytest.mark.parametrize("horizon", [2, 3, 5])
@pytest.mark.parametrize("temperature", [1e-3, 0.4, 30.0])
def test_the_first_certificate_is_known(horizon: int, temperature: float) -> None:
    mdp = rlt.random_episodic(4, 3, horizon, seed=1)
    learner = rlt.RegularizedBPI(np.full((4, 3), 1 / 3), temperature, 1e-9, 0.1)
    result = so_far(learner, rlt.online(mdp, 0), 0, 1)
    m = np.arange(horizon)
    wanted = np.minimum(m, m**2 / (8.0 * temperature)).sum()
    np.testing.assert_allclose(result.history.certificate[0], wanted, rtol=1e-12)


def test_no_episode_is_played_from_the_temperature_on_that_allows_it() -> None:
    mdp, epsilon = golden(), 0.1
    enough = 2 * 3 * 5 / (48 * epsilon)
    for factor, played in ((1.0 + 1e-9, False), (0.999, True)):
        learner = rlt.RegularizedBPI([[0.5, 0.5]] * 3, factor * enough, epsilon, 0.1)
        assert (learner.run(rlt.online(mdp, 0)).episodes > 0) == played


# --- what the result says -----------------------------------------------------------------


def test_the_interval_holds_the_optimum_and_the_policy_loses_no_more_than_certified() -> None:
    mdp, law = golden(), reference_of(golden(), 2)
    solution = rlt.solve_regularized(mdp, 0.3, law)
    for seed in range(5):
        result = rlt.RegularizedBPI(law, 0.3, 0.3, 0.1).run(rlt.online(mdp, seed), seed)
        value = float(rlt.evaluate_regularized(mdp, result.policy, 0.3, law)[0, 0])
        best = float(solution.value[0, 0])
        assert result.lower <= best <= result.upper
        assert best - value <= result.certificate <= 0.3
        assert value >= result.lower - result.certificate
        assert result.history.episodes[-1] == result.episodes
        assert (np.diff(result.history.episodes) >= 1).all()


def test_one_stage_and_one_action_stop_at_once() -> None:
    bandit = golden(horizon=1)
    result = rlt.RegularizedBPI([[0.5, 0.5]] * 3, 0.1, 1e-9, 0.1).run(rlt.online(bandit, 0))
    solution = rlt.solve_regularized(bandit, 0.1, [[0.5, 0.5]] * 3)
    assert (result.episodes, result.certificate) == (0, 0.0)
    np.testing.assert_allclose(result.policy, solution.policy, atol=1e-12)
    single = golden(actions=1)
    access = rlt.online(single, 0)
    assert rlt.RegularizedBPI([[1.0]] * 3, 0.1, 1e-9, 0.1).run(access).certificate == 0.0
    assert access.used.episodes == 0
    certain = rlt.RegularizedBPI([[1.0, 0.0]] * 3, 0.1, 1e-9, 0.1).run(rlt.online(golden(), 0))
    assert (certain.policy == [1.0, 0.0]).all()


def test_given_rewards_take_the_place_of_the_models() -> None:
    mdp = golden()
    other = np.random.default_rng(0).random((3, 3, 2))
    learner = rlt.RegularizedBPI([[0.5, 0.5]] * 3, 1.0, 0.1, 0.1)
    given = learner.run(rlt.online(mdp, 0), rewards=other)
    rows = mdp.transitions.toarray().reshape(3, 3, 2, 3)
    own = learner.run(rlt.online(rlt.EpisodicMDP(rows, other, 3, mdp.initial), 0))
    np.testing.assert_array_equal(given.policy, own.policy)
    assert given.episodes == own.episodes


@settings(max_examples=40)
@given(
    seed=st.integers(0, 10**6),
    temperature=st.sampled_from([1e-6, 1e-3, 0.1, 1.0, 1e3, 1e6]),
    states=st.integers(1, 4),
    actions=st.integers(1, 3),
    horizon=st.integers(1, 4),
)
def test_certificates_are_finite_and_intervals_in_order(
    seed: int, temperature: float, states: int, actions: int, horizon: int
) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.dirichlet(np.full(states, 0.1) + 1e-3, size=(horizon, states, actions))
    rewards = rng.integers(0, 2, (horizon, states, actions)).astype(float)
    mdp = rlt.EpisodicMDP(rows, rewards, horizon, np.eye(states)[0])
    learner = rlt.RegularizedBPI(reference_of(mdp, seed), temperature, 1e-12, 0.1)
    try:
        result = learner.run(rlt.online(mdp, seed), most_episodes=300)
    except ConvergenceError as fault:
        assert isinstance(fault.solution, BPIResult)
        result = fault.solution
    m = np.arange(horizon)
    most = np.minimum(m, m**2 / (8.0 * temperature)).sum()
    assert 0.0 <= result.certificate <= most * (1 + 1e-12)
    assert result.lower <= result.upper + 1e-9 <= horizon + 2e-9
    np.testing.assert_allclose(result.policy.sum(axis=2), 1.0, atol=1e-12)


# --- what is refused ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"temperature": 0.0}, ModelError, "above 0"),
        ({"temperature": -1.0}, ModelError, "above 0"),
        ({"temperature": float("inf")}, ModelError, "finite"),
        ({"epsilon": 0.0}, ModelError, "epsilon is 0.0"),
        ({"delta": 0.0}, ModelError, "delta is 0.0"),
        ({"delta": 1.0}, ModelError, "delta is 1.0"),
        ({"delta": "0.1"}, ModelError, "delta is '0.1'"),
        ({"batch_growth": -0.1}, ModelError, "batch_growth is -0.1"),
        ({"reference": [[0.5, 0.5]] * 2}, PolicyError, r"shape \(2, 2\)"),
        ({"reference": [0.0, 0.0, 1.0]}, PolicyError, r"shape \(3,\)"),
        ({"reference": [[1, 0]] * 3}, PolicyError, "means actions"),
        ({"reference": "uniform"}, PolicyError, "probabilities of actions"),
        ({"reference": [[0.6, 0.6]] * 3}, PolicyError, "sum to 1"),
        ({"reference": [[1.5, -0.5]] * 3}, PolicyError, "at least 0"),
        ({"reference": [[np.nan, 1.0]] * 3}, PolicyError, "at least 0"),
        ({"reference": [[1e-305, 1.0]] * 3}, PolicyError, "2\\^-1000"),
    ],
)
def test_arguments_are_checked(change: dict[str, Any], error: type, words: str) -> None:
    arguments = {"reference": [[0.5, 0.5]] * 3, "temperature": 1.0, "epsilon": 0.1, "delta": 0.1}
    with pytest.raises(error, match=words):
        rlt.RegularizedBPI(**(arguments | change)).run(rlt.online(golden(), 0))


def test_the_access_has_to_fit() -> None:
    learner = rlt.RegularizedBPI([[0.5, 0.5]] * 3, 1.0, 0.1, 0.1)
    mdp = golden()
    with pytest.raises(AccessError, match="Generative does not say"):
        learner.run(rlt.generative(mdp, 0))
    with pytest.raises(ModelError, match="no horizon"):
        learner.run(rlt.online(rlt.riverswim(3), 0))
    rows = mdp.transitions.toarray().reshape(3, 3, 2, 3)
    large = rlt.EpisodicMDP(rows, 2.0 * np.ones((3, 3, 2)), 3, mdp.initial)
    with pytest.raises(ModelError, match=r"reward of action 0 in state 0 at stage 0 is 2\.0"):
        learner.run(rlt.online(large, 0))
    holes = np.full((3, 2), 0.5)
    holes[1, 1] = np.nan
    with pytest.raises(ModelError, match="no number"):
        learner.run(rlt.online(mdp, 0), rewards=holes)
    with pytest.raises(ModelError, match="rewards have shape"):
        learner.run(rlt.online(mdp, 0), rewards=np.zeros(3))
    noisy = rlt.EpisodicMDP(
        rows, np.full((3, 3, 2), 0.5), 3, mdp.initial, reward_law=rlt.Bernoulli()
    )
    with pytest.raises(ModelError, match="random"):
        learner.run(rlt.online(noisy, 0))


def test_actions_that_are_not_there_may_not_be_in_the_reference() -> None:
    rows, paid, start = [[1, 0], [0, 1], [1, 0]], [0.0, 1.0, 0.5], [1.0, 0.0]
    ragged = rlt.MDP.from_pairs([0, 0, 1], [0, 1, 1], rows, paid, initial=start)
    access = rlt.online(ragged.episodic(2), 0)
    learner = rlt.RegularizedBPI([[0.5, 0.5], [0.0, 1.0]], 1.0, 1e-3, 0.1)
    assert learner.run(access).policy[0, 1].tolist() == [0.0, 1.0]
    with pytest.raises(PolicyError, match=r"action 0 in state 1 at stage 0 the probability 0\.5"):
        rlt.RegularizedBPI([[0.5, 0.5]] * 2, 1.0, 1e-3, 0.1).run(access)


def test_the_core_checks_what_it_is_given() -> None:
    rewards, law = np.zeros((2, 1, 2)), np.full((2, 1, 2), 0.5)
    scale, logs = np.array([1.0, 0.0]), np.log(law)
    make = _core.learning.SoftExplorer
    with pytest.raises(ValueError, match="shape"):
        make(rewards[0], law, logs, scale, 1.0)
    with pytest.raises(ValueError, match="weight has 2 entries"):
        make(rewards, law[0], logs, scale, 1.0)
    with pytest.raises(ValueError, match="sum to 1"):
        make(rewards, 2.0 * law, logs, scale, 1.0)
    with pytest.raises(ValueError, match="do not fit"):
        make(rewards, law, np.full_like(logs, -np.inf), scale, 1.0)
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        make(rewards + 2.0, law, logs, scale, 1.0)
    with pytest.raises(ValueError, match="temperature"):
        make(rewards, law, logs, scale, 0.0)
    core = make(rewards, law, logs, scale, 1.0)
    with pytest.raises(ValueError, match="than the widths have counts for"):
        core.observe(0, 0, 0, 0)
    with pytest.raises(ValueError, match="no counts"):
        core.use(np.zeros(1), np.zeros(1))
    with pytest.raises(ValueError, match="at least 0"):
        core.use(np.array([0.0, np.nan]), np.zeros(2))
    core.use(np.array([np.inf, 1.0]), np.array([np.inf, 1.0]))
    with pytest.raises(ValueError, match="no stage 2"):
        core.observe(2, 0, 0, 0)
    with pytest.raises(ValueError, match="no next state 1"):
        core.observe(0, 0, 0, 1)
    mdp = rlt.EpisodicMDP(np.ones((1, 2, 1)), np.zeros((1, 2)), 2, [1.0])
    keys = np.zeros(8, dtype=np.uint64)
    with pytest.raises(ValueError, match="fewer counts"):
        core.explore(mdp.core, np.ones(1), keys, 0, 0.0, 0.1, 2)
    with pytest.raises(ValueError, match="keys has 2 entries"):
        core.explore(mdp.core, np.ones(1), keys[:2], 0, 0.0, 0.1, 1)
    with pytest.raises(ValueError, match="growth"):
        core.explore(mdp.core, np.ones(1), keys, 0, float("nan"), 0.1, 1)
    other = rlt.EpisodicMDP(np.full((2, 2, 2), 0.5), np.zeros((2, 2)), 2, [1.0, 0.0])
    with pytest.raises(ValueError, match="other stages, states or actions"):
        core.explore(other.core, np.array([1.0, 0.0]), keys, 0, 0.0, 0.1, 1)


def test_a_long_run_can_be_interrupted() -> None:
    mdp = rlt.random_episodic(10, 3, 8, seed=0)
    learner = rlt.RegularizedBPI(np.full((10, 3), 1 / 3), 0.1, 1e-6, 0.1)
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            learner.run(rlt.online(mdp, 0))
    finally:
        timer.cancel()
