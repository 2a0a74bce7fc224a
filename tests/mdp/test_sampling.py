"""Sampled episodes: word for word the plain ones, in law the policy's occupancy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import rltheory as rlt
from rltheory import _core
from rltheory.errors import ModelError, PolicyError
from rltheory.mdp.simulator import keys_of, law_sampler, simulator_of
from tests.reference.plain_sampling import episodes as plain_episodes

LEVEL = 1e-6


def model(seed=0, horizon=4, stationary=True, law=None):
    rng = np.random.Generator(np.random.Philox(seed))
    shape = (5, 3) if stationary else (horizon, 5, 3)
    rows = rng.dirichlet(np.full(6, 0.5), size=shape)
    rows[rows < 0.05] = 0.0
    rows /= rows.sum(axis=-1, keepdims=True)
    return rlt.EpisodicMDP(
        rows[..., :5],
        rng.random(shape),
        horizon,
        rng.dirichlet(np.ones(5)),
        termination=np.maximum(0.0, 1.0 - rows[..., :5].sum(axis=-1)),
        reward_law=law,
    )


def policy_of(mdp, seed=1):
    rng = np.random.Generator(np.random.Philox(seed))
    table = rng.dirichlet(np.full(3, 0.5), size=(mdp.horizon, 5))
    table[table < 0.1] = 0.0
    return table / table.sum(axis=-1, keepdims=True)


def steps_of(data):
    return [
        list(
            zip(
                data.states[a:b].tolist(),
                data.actions[a:b].tolist(),
                data.rewards[a:b].tolist(),
                data.next_states[a:b].tolist(),
                strict=True,
            )
        )
        for a, b in zip(data.starts[:-1].tolist(), data.starts[1:].tolist(), strict=True)
    ]


@settings(max_examples=10)
@given(st.integers(0, 1000), st.booleans(), st.booleans())
def test_episodes_are_the_plain_ones_word_for_word(seed, stationary, bernoulli):
    mdp = model(seed, stationary=stationary, law=rlt.Bernoulli(1.0) if bernoulli else None)
    policy = policy_of(mdp, seed)
    data = rlt.sample(mdp, policy, 40, seed=seed)
    assert steps_of(data) == plain_episodes(mdp, policy, 40, seed)


def test_actions_and_their_probabilities_are_one_policy():
    mdp = model()
    actions = np.argmax(policy_of(mdp), axis=-1)
    by_action = rlt.sample(mdp, actions, 50, seed=3)
    by_probability = rlt.sample(mdp, np.eye(3)[actions], 50, seed=3)
    assert steps_of(by_action) == steps_of(by_probability)


def test_a_history_policy_meets_the_same_words():
    mdp, table = model(), policy_of(model())
    markov = rlt.HistoryPolicy(lambda: None, lambda memory, h, s: table[h, s])
    assert steps_of(rlt.sample(mdp, markov, 60, seed=5)) == steps_of(
        rlt.sample(mdp, table, 60, seed=5)
    )


def test_a_history_policy_remembers():
    mdp = model(horizon=6)
    counting = rlt.HistoryPolicy(
        lambda: 0, lambda n, h, s: n % 3, lambda n, h, s, a, r, following: n + 1
    )
    data = mdp.sample(counting, 30, seed=1)
    assert data.actions.tolist() == [h % 3 for h in data.stages.tolist()]


def test_an_episode_does_not_depend_on_how_many_there_are():
    mdp, policy = model(), policy_of(model())
    many, few = (mdp.sample(policy, n, seed=2) for n in (5000, 7))
    assert steps_of(many[:7]) == steps_of(few)


def test_results_do_not_depend_on_threads():
    mdp, policy = model(), policy_of(model())
    found = []
    try:
        for threads in (1, 2, 3):
            rlt.set_threads(threads)
            data = mdp.sample(policy, 20_000, seed=2)
            found.append([x.tobytes() for x in (data.states, data.actions, data.rewards)])
    finally:
        rlt.set_threads(1)
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("stationary", [True, False])
def test_visits_are_those_of_the_occupancy(stationary):
    mdp = model(3, stationary=stationary)
    policy = policy_of(mdp)
    n = 40_000
    data = mdp.sample(policy, n, seed=9)
    exact = rlt.occupancy(mdp, policy)
    pairs = exact.size
    for h in range(mdp.horizon):
        at = data.stages == h
        seen = np.zeros((5, 3))
        np.add.at(seen, (data.states[at], data.actions[at]), 1)
        for count, mass in zip(seen.reshape(-1), exact[h].reshape(-1), strict=True):
            p = min(1.0, float(mass))
            assert stats.binomtest(int(count), n, p).pvalue > LEVEL / pairs


def test_a_mixture_draws_once_an_episode():
    mdp = model(horizon=6)
    first, second = np.zeros(5, dtype=np.int64), np.full(5, 2)
    nested = rlt.Mixture([0.5, 0.5], [first, second])
    mixture = rlt.Mixture([0.25, 0.0, 0.75], [first, np.ones(5, dtype=np.int64), nested])
    n = 20_000
    data = mdp.sample(mixture, n, seed=4)
    actions = [set(data.actions[a:b].tolist()) for a, b in zip(data.starts, data.starts[1:], strict=False)]  # fmt: skip # noqa: E501
    assert all(len(each) == 1 for each in actions)
    share = sum(each == {0} for each in actions)
    assert stats.binomtest(share, n, 0.25 + 0.375).pvalue > LEVEL
    assert {0, 2} == set().union(*actions)
    # An episode of the mixture is that of the policy drawn, word for word.
    alone = [steps_of(mdp.sample(p, n, seed=4)[:200]) for p in (first, second)]
    for i, each in enumerate(steps_of(data[:200])):
        assert each == alone[0 if actions[i] == {0} else 1][i]


def test_a_discounted_model_is_cut_off():
    mdp = rlt.riverswim(6, discount=0.9)
    data = mdp.sample([1] * 6, 100, seed=0, steps=25)
    assert data.lengths.tolist() == [25] * 100 and not data.ended.any()
    with pytest.raises(ModelError, match="say where episodes are cut off, steps="):
        mdp.sample([1] * 6, 100)


def test_many_steps_cost_only_what_is_played():
    mdp = rlt.MDP([[[0.5]]], [[1.0]], termination=[[0.5]], initial=[1.0])
    forgetful = rlt.HistoryPolicy(lambda: None, lambda memory, h, s: 0)
    whole, stepped = (mdp.sample(p, 20, steps=10**12) for p in ([0], forgetful))
    assert steps_of(whole) == steps_of(stepped) and whole.ended.all()


def test_a_long_history_meets_the_words_of_the_core():
    mdp = rlt.riverswim(4, discount=0.9)
    table = np.full((4, 2), 0.5)
    markov = rlt.HistoryPolicy(lambda: None, lambda memory, h, s: table[s])
    both = [mdp.sample(p, 2, seed=1, steps=2500) for p in (table, markov)]
    assert steps_of(both[0]) == steps_of(both[1])


def test_fewer_steps_than_the_horizon():
    for stationary in (True, False):
        mdp = model(stationary=stationary)
        data = mdp.sample(policy_of(mdp), 100, steps=2)
        assert data.lengths.max() == 2
        by_action = mdp.sample(np.zeros((4, 5), dtype=np.int64), 100, steps=1)
        assert set(by_action.lengths.tolist()) == {1}


def test_ragged_models():
    mdp = rlt.MDP.from_pairs(
        [0, 0, 1, 2], [1, 3, 2, 0], [[0, 0.5, 0.5], [0, 0, 1], [1, 0, 0], [1, 0, 0]],
        [0.0, 1.0, 2.0, 3.0], discount=0.5, initial=[1, 0, 0],
    )  # fmt: skip
    data = mdp.sample(rlt.uniform_policy(mdp), 2000, steps=6)
    assert set(zip(data.states.tolist(), data.actions.tolist(), strict=True)) == {
        (0, 1), (0, 3), (1, 2), (2, 0),
    }  # fmt: skip
    bad = rlt.HistoryPolicy(lambda: None, lambda memory, h, s: 0)
    with pytest.raises(PolicyError, match="action 0 in state 0, which does not have it"):
        mdp.sample(bad, 5, steps=3)


def test_provenance_says_where_it_came_from():
    mdp = model()
    data = mdp.sample(policy_of(mdp), 5, seed=8)
    origin = data.provenance
    assert (origin.model, origin.horizon, origin.seed) == (mdp.fingerprint, 4, 8)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"episodes": 0}, "episodes is 0"),
        ({"episodes": 2**70}, "more than 2"),
        ({"seed": -1}, "seed is -1"),
        ({"steps": 0}, "steps is 0"),
        ({"steps": 5}, "steps is 5; the horizon is 4"),
    ],
)
def test_bad_arguments_are_named(options, message):
    mdp = model()
    with pytest.raises(ModelError, match=message):
        rlt.sample(**{"mdp": mdp, "policy": policy_of(mdp), "episodes": 2} | options)
    with pytest.raises(ModelError, match="a list cannot be sampled"):
        rlt.sample([], policy_of(mdp), 1)
    with pytest.raises(PolicyError, match="shape"):
        mdp.sample([0, 0], 2)
    with pytest.raises(ModelError, match="no start law"):
        rlt.EpisodicMDP([[[1.0]]], [[0.0]], 2).sample([0], 1)


def test_the_core_refuses_a_policy_of_another_size():
    mdp = model()
    simulator, start = simulator_of(mdp), law_sampler(mdp.initial)
    keys = keys_of(0, "x", "a", "b", "c", "d")
    none, episodes = np.zeros(0), np.arange(2)
    rows = np.zeros(0, dtype=np.int64)
    for bad_rows, weights, at, steps, key in (
        (np.zeros(4, dtype=np.int64), none, episodes, 4, keys),
        (np.zeros(5, dtype=np.int64), none, episodes, 4, keys),  # rows of other states
        (rows, np.zeros(14), episodes, 4, keys),
        (rows, np.zeros(15), -episodes - 1, 4, keys),
        (rows, np.zeros(15), episodes, 0, keys),
        (rows, np.zeros(15), episodes, 4, keys[:6].copy()),
    ):
        with pytest.raises(ValueError):
            simulator.episodes(start, bad_rows, weights, at, steps, key)
    with pytest.raises(ValueError, match="another model"):
        simulator.episodes(
            _core.simulate.Sampler(rlt.riverswim(3).core), rows, np.zeros(15), episodes, 4, keys
        )
