"""Reachability, coverability and concentrability against every policy of small models."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rltheory as rlt
from rltheory.errors import ModelError


def model(seed, S=3, A=2, H=3, exits=False, stationary=False):
    rng = np.random.Generator(np.random.Philox(seed))
    shape = (S, A) if stationary else (H, S, A)
    rows = rng.dirichlet(np.full(S + 1, 0.4), size=shape)
    rows[rows < 0.1] = 0.0
    if not exits:
        rows[..., S] = 0.0
    rows[..., 0] += rows.sum(axis=-1) == 0.0
    rows /= rows.sum(axis=-1, keepdims=True)
    ends = rows[..., S] if exits else None
    start = rng.dirichlet(np.ones(S))
    return rlt.EpisodicMDP(rows[..., :S], rng.random(shape), H, start, termination=ends)


def every_policy(mdp):
    shape = (mdp.horizon, mdp.n_states)
    for actions in product(range(mdp.n_actions), repeat=int(np.prod(shape))):
        yield np.array(actions, dtype=np.int64).reshape(shape)


@settings(max_examples=8)
@given(st.integers(0, 1000), st.booleans(), st.booleans())
def test_the_most_that_a_pair_is_visited_is_that_of_some_policy(seed, exits, stationary):
    mdp = model(seed, S=3, A=2, H=2, exits=exits, stationary=stationary)
    brute = np.max([rlt.occupancy(mdp, policy) for policy in every_policy(mdp)], axis=0)
    assert rlt.max_occupancy(mdp) == pytest.approx(brute, abs=1e-13)
    policies = rlt.deterministic_policies(mdp)
    assert len(policies) == 2**6
    assert rlt.coverability(mdp) == pytest.approx(rlt.coverability(mdp, policies), abs=1e-12)


@given(st.integers(0, 1000))
def test_a_reaching_policy_reaches(seed):
    mdp = model(seed)
    h, s = 2, seed % 3
    policy = rlt.reaching_policy(mdp, h, s)
    reached = rlt.occupancy(mdp, policy)[h, s].sum()
    assert reached == pytest.approx(rlt.max_occupancy(mdp)[h, s, 0], abs=1e-13)


def test_without_a_horizon_what_is_done_matters():
    stay_or_leave = rlt.MDP([[[1, 0], [0, 1]], [[0, 1], [0, 1]]], np.zeros((2, 2)), 0.75, [1, 0])
    assert rlt.max_occupancy(stay_or_leave) == pytest.approx(np.array([[1.0, 0.25], [0.75, 0.75]]))


def test_without_a_horizon_against_every_policy():
    one = model(5, stationary=True)
    mdp = rlt.MDP(one.transitions, np.zeros((3, 2)), 0.8, one.initial)
    brute = np.max([rlt.occupancy(mdp, np.array(p)) for p in product(range(2), repeat=3)], axis=0)
    assert rlt.max_occupancy(mdp) == pytest.approx(brute, abs=1e-9)
    assert float(rlt.coverability(mdp)) == pytest.approx(brute.sum(), abs=1e-8)


def test_ragged_models():
    mdp = rlt.MDP.from_pairs(
        [0, 0, 1], [0, 2, 1], [[0, 1], [1, 0], [1, 0]], [0.0] * 3, initial=[1, 0]
    ).episodic(2)
    assert rlt.max_occupancy(mdp)[1].tolist() == [[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]
    policies = rlt.deterministic_policies(mdp)
    assert len(policies) == 4
    assert rlt.coverability(mdp, policies).tolist() == rlt.coverability(mdp).tolist()


@given(st.integers(0, 1000))
def test_the_law_of_coverability_covers(seed):
    mdp = model(seed)
    rng = np.random.Generator(np.random.Philox(seed))
    policies = [rng.dirichlet(np.ones(2), size=(3, 3)) for _ in range(3)]
    policies.append(rlt.Mixture([0.5, 0.5], policies[:2]))
    mu, C = rlt.coverability_law(mdp, policies), rlt.coverability(mdp, policies)
    for h in range(3):
        laws = [rlt.occupancy(mdp, policy)[h] for policy in policies]
        assert rlt.concentrability(laws, mu[h]) == pytest.approx(C[h])
        other = rng.dirichlet(np.ones(6)).reshape(3, 2)
        assert rlt.concentrability(laws, other) >= C[h] * (1 - 1e-12)


def test_stages_that_nothing_reaches_have_no_law():
    mdp = rlt.EpisodicMDP([[[0.0]]], [[0.0]], 2, [1.0], termination=[[1.0]])
    assert rlt.coverability(mdp).tolist() == [1.0, 0.0]
    assert rlt.coverability_law(mdp).reshape(-1).tolist() == [1.0, 0.0]


LAWS = st.lists(st.integers(0, 5), min_size=4, max_size=4).filter(any)


@given(LAWS, LAWS)
def test_orders_of_concentrability(d, mu):
    d, mu = np.array(d) / sum(d), np.array(mu) / sum(mu)
    first, second = rlt.concentrability(d, mu), rlt.concentrability(d, mu, order=2)
    if ((mu == 0) & (d > 0)).any():
        assert first == second == math.inf
        return
    at = mu > 0
    chi = ((d - mu)[at] ** 2 / mu[at]).sum()
    assert second == pytest.approx(1 + chi) and 1 - 1e-12 <= second <= first * (1 + 1e-12)
    features = np.eye(4)
    assert rlt.feature_concentrability(features, d, mu) == pytest.approx(first)


@given(st.integers(0, 1000))
def test_linear_functions_see_less(seed):
    rng = np.random.Generator(np.random.Philox(seed))
    phi, d, mu = rng.normal(size=(6, 2)), rng.dirichlet(np.ones(6)), rng.dirichlet(np.ones(6))
    C = rlt.feature_concentrability(phi, d, mu)
    assert rlt.concentrability(d, mu) * (1 + 1e-9) >= C
    for x in rng.normal(size=(20, 2)):
        f = (phi @ x) ** 2
        assert d @ f <= C * (mu @ f) * (1 + 1e-9)


def test_a_direction_without_data():
    phi = np.array([[1.0, 0.0], [0.0, 1.0]])
    assert rlt.feature_concentrability(phi, [0.5, 0.5], [1.0, 0.0]) == math.inf
    assert rlt.feature_concentrability(phi, [1.0, 0.0], [1.0, 0.0]) == 1.0
    assert rlt.feature_concentrability(0 * phi, [1.0, 0.0], [1.0, 0.0]) == 0.0


def test_pushforward():
    mdp = model(1)
    mu = np.random.Generator(np.random.Philox(2)).dirichlet(np.ones(3), size=3)
    rows = mdp.transitions.toarray().reshape(3, 3, 2, 3)
    expected = [(mdp.initial / mu[0]).max(), *((rows[h] / mu[h + 1]).max() for h in range(2))]
    assert rlt.pushforward_concentrability(mdp, mu) == pytest.approx(max(expected))
    # What is played cannot matter: all states that any policy meets are covered.
    for policy in list(every_policy(mdp))[::37]:
        for h, law in enumerate(rlt.occupancy(mdp, policy).sum(axis=2)):
            assert rlt.concentrability(law, mu[h]) <= expected[h] * (1 + 1e-12)
    assert rlt.pushforward_concentrability(mdp, [1.0, 0.0, 0.0]) == math.inf
    river = rlt.riverswim(3, discount=0.9)
    assert rlt.pushforward_concentrability(river, [0.125, 0.75, 0.125]) == pytest.approx(8.0)


@given(st.integers(0, 1000), st.floats(-12, 0), st.floats(-12, 12))
def test_features_may_be_scaled_and_data_rare(seed, rarity, scale):
    rng = np.random.Generator(np.random.Philox(seed))
    rare = 10.0**rarity
    phi = np.diag([1.0, 10.0**scale])
    C = rlt.feature_concentrability(phi, [0.5, 0.5], [1.0 - rare / 2, rare / 2])
    assert pytest.approx(1 / rare, rel=1e-9) == C
    mixed = phi @ rng.normal(size=(2, 2))
    assert rlt.feature_concentrability(mixed, [0.5, 0.5], [0.5, 0.5]) == pytest.approx(1.0)


def test_features_that_depend_on_each_other():
    rng = np.random.Generator(np.random.Philox(3))
    phi, d, mu = rng.normal(size=(6, 2)), rng.dirichlet(np.ones(6)), rng.dirichlet(np.ones(6))
    again = phi @ rng.normal(size=(2, 5))
    one = rlt.feature_concentrability(phi, d, mu)
    assert rlt.feature_concentrability(again, d, mu) == pytest.approx(one)
    gram = [(phi.T * law) @ phi for law in (d, mu)]
    ratios = np.linalg.eigvals(np.linalg.solve(gram[1], gram[0])).real
    assert one == pytest.approx(ratios.max())


def test_ratios_beyond_doubles_are_infinite():
    assert rlt.concentrability([1.0, 0.0], [1e-310, 1.0]) == math.inf
    assert rlt.concentrability([1.0, 0.0], [1e-310, 1.0], order=2) == math.inf


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rlt.max_occupancy(rlt.EpisodicMDP([[[1.0]]], [[0.0]], 1)), "no start law"),
        (lambda: rlt.coverability(rlt.EpisodicMDP([[[1.0]]], [[0.0]], 1), None), "no start law"),
        (lambda: rlt.max_occupancy(rlt.MDP([[[1.0]]], [[0.0]], None, [1])), "has no discount"),
        (lambda: rlt.coverability(model(0), []), "has no policies"),
        (lambda: rlt.reaching_policy(model(0), 3, 0), "stage 3, state 0 is no place"),
        (lambda: rlt.concentrability([1.0], [0.5, 0.5]), "one shape"),
        (lambda: rlt.concentrability([1.0], [-1.0]), r"mu\[0\] is -1.0"),
        (lambda: rlt.concentrability([np.nan], [1.0]), r"d\[0\] is nan"),
        (lambda: rlt.concentrability([1.0], [1.0], order=1), "order is 1"),
        (lambda: rlt.concentrability(np.full((3, 2), 0.5), np.full((3, 2), 0.5), 2), "sums to 3"),
        (lambda: rlt.pushforward_concentrability(model(0), [1.0]), "mu has shape"),
        (
            lambda: rlt.feature_concentrability([[1.0]], [1.0, 0.0], [1.0, 0.0]),
            "features has shape",
        ),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ModelError, match=message):
        call()
