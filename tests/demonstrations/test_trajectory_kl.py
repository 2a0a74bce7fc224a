"""Divergences of laws of episodes, against sums over all episodes."""

import itertools
import math

import numpy as np
import pytest

import rltheory as rlt
from rltheory.errors import ModelError, PolicyError


def episodes_of(mdp, policies, start):
    """Every episode's probability under each of several tables (H, S, A): rows of a list."""
    H, S, A = policies[0].shape
    table = mdp.table(np.arange(mdp.n_pairs, dtype=float), fill=-1.0).astype(int)
    moves = mdp.transitions.toarray()
    ends = mdp.termination

    def walk(h, s, chances):
        if h == H:
            yield chances
            return
        for a in range(A):
            row = table[(h, s, a)[3 - table.ndim :]]
            if row < 0:
                continue
            here = [x * pi[h, s, a] for x, pi in zip(chances, policies, strict=True)]
            for t in range(S):
                if moves[row, t]:
                    # The last move is no part of the episode, but sums to 1 with the others.
                    yield from walk(h + 1, t, [x * moves[row, t] for x in here])
            if ends[row]:
                yield [x * ends[row] for x in here]

    for s in range(S):
        if start[s]:
            yield from walk(0, s, [start[s]] * len(policies))


def by_sums(mdp, p, q):
    laws = np.array(list(episodes_of(mdp, [p, q], mdp.initial)))
    assert laws.sum(axis=0) == pytest.approx([1.0, 1.0])
    P, Q = laws.T
    on = P > 0.0
    with np.errstate(divide="ignore"):
        kl = float((P[on] * (np.log(P[on]) - np.log(Q[on]))).sum())
    return kl, float(((np.sqrt(P) - np.sqrt(Q)) ** 2).sum())


def ragged(horizon=3):
    """Two states, of one and of two actions, that may end; the stages are alike."""
    return rlt.MDP.from_pairs(
        [0, 0, 1], [0, 1, 1], [[0.25, 0.5], [0.0, 1.0], [0.5, 0.25]], [0.0, 1.0, 0.0],
        termination=[0.25, 0.0, 0.25], initial=[0.5, 0.5],
    ).episodic(horizon)  # fmt: skip


def laws(rng, shape, mask, sharp):
    weights = rng.gamma(sharp, size=shape) * mask + 1e-300 * mask
    return weights / weights.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("seed", range(12))
def test_against_all_episodes(seed):
    rng = np.random.default_rng(seed)
    H, S, A = 3, 2, 2
    if seed % 3 == 2:
        mdp, mask = ragged(H), np.array([[1, 1], [0, 1]])
    else:
        P = rng.dirichlet(np.full(S + 1, 0.5), size=(H, S, A)[seed % 3 :])
        mdp = rlt.EpisodicMDP(
            P[..., :S], np.zeros(P.shape[:-1]), H, [0.25, 0.75], termination=P[..., S]
        )
        mask = np.ones((S, A))
    p, q = (laws(rng, (H, S, A), mask, 10.0 ** rng.uniform(-1, 1)) for _ in range(2))
    kl, h2 = by_sums(mdp, p, q)
    assert rlt.trajectory_kl(mdp, p, q) == pytest.approx(kl, rel=1e-12)
    assert rlt.trajectory_hellinger(mdp, p, q) == pytest.approx(h2, rel=1e-12)
    with np.errstate(divide="ignore"):
        logs = {"log_policy": np.log(p)}
        assert rlt.trajectory_kl(mdp, **logs, log_reference=np.log(q)) == pytest.approx(kl)
        assert rlt.trajectory_hellinger(mdp, **logs, log_other=np.log(q)) == pytest.approx(h2)


def test_value_of_a_divergence_is_what_regularisation_costs():
    mdp = rlt.random_episodic(4, 3, 4, seed=3)
    start = np.full(4, 0.25)
    rng = np.random.default_rng(0)
    p, q = (rng.dirichlet(np.ones(3), size=(4, 4)) for _ in range(2))
    lost = rlt.evaluate(mdp, p) - rlt.evaluate_regularized(mdp, p, 0.3, q)
    assert start @ lost[0] == pytest.approx(0.3 * rlt.trajectory_kl(mdp, p, q, initial=start))


def test_a_state_that_is_not_reached_adds_nothing():
    # State 1 is never reached, and there the policies exclude each other.
    mdp = rlt.EpisodicMDP([[[1, 0], [1, 0]], [[0, 1], [0, 1]]], np.zeros((2, 2)), 5, [1.0, 0.0])
    assert rlt.trajectory_kl(mdp, [0, 0], [0, 1]) == 0.0
    assert rlt.trajectory_hellinger(mdp, [0, 0], [0, 1]) == 0.0
    assert rlt.trajectory_kl(mdp, [0, 0], [0, 1], initial=[0.0, 1.0]) == math.inf
    assert rlt.trajectory_hellinger(mdp, [0, 0], [0, 1], initial=[0.0, 1.0]) == 2.0


def test_a_state_reached_with_a_chance_below_the_doubles_still_counts():
    small = 1e-200
    chain = np.zeros((4, 1, 4))
    chain[0, 0] = [1 - small, small, 0, 0]
    chain[1, 0] = [1 - small, 0, small, 0]
    chain[2, 0] = [0, 0, 0, 1]
    chain[3, 0] = [0, 0, 0, 1]
    chain = np.repeat(chain, 2, axis=1)
    mdp = rlt.EpisodicMDP(chain, np.zeros((4, 2)), 4, [1.0, 0, 0, 0])
    p, q = np.zeros(4, dtype=int), np.array([0, 0, 0, 1])
    assert rlt.occupancy(mdp, p)[3, 3].sum() == 0.0
    assert rlt.trajectory_kl(mdp, p, q) == math.inf
    assert rlt.trajectory_kl(mdp, p, [0, 0, 0, 0]) == 0.0


def test_close_policies_keep_their_distance():
    mdp = rlt.EpisodicMDP([[[1.0], [1.0]]], [[0, 0]], 2, [1.0])
    x = 1e-10
    p, q = [[0.5 + x, 0.5 - x]], [[0.5, 0.5]]
    assert rlt.trajectory_kl(mdp, p, q) == pytest.approx(4 * x * x, rel=1e-5)
    assert rlt.trajectory_hellinger(mdp, p, q) == pytest.approx(2 * x * x, rel=1e-5)


def test_linear_models_are_read_as_tables():
    mdp = rlt.random_linear_mdp(states=4, actions=2, dimension=3, horizon=3)
    start = [1.0, 0.0, 0.0, 0.0]
    p, q = [[0.5, 0.5]] * 4, [[0.25, 0.75]] * 4
    kl = rlt.trajectory_kl(mdp, p, q, initial=start)
    assert kl == pytest.approx(3 * (0.5 * math.log(2) + 0.5 * math.log(2 / 3)))


def test_golden_value_of_one_state():
    """pi = (0.7310586, ...) and KL = 0.1109441: section 5 of the specification."""
    mdp = rlt.EpisodicMDP([[[1.0], [1.0]]], [[1.0, 0.0]], 1, [1.0])
    solution = rlt.solve_regularized(mdp, 1.0, [[0.5, 0.5]])
    assert solution.lower[0, 0] == pytest.approx(math.log((1 + math.e) / 2), abs=1e-12)
    assert solution.policy[0, 0, 0] == pytest.approx(0.7310586, abs=5e-8)
    kl = rlt.trajectory_kl(mdp, solution.policy, [[0.5, 0.5]])
    assert kl == pytest.approx(0.1109441, abs=5e-8)


def test_errors_say_what_is_wrong():
    mdp = rlt.EpisodicMDP([[[1.0], [1.0]]], [[0, 0]], 1)
    half = [[0.5, 0.5]]
    with pytest.raises(ModelError, match="start law"):
        rlt.trajectory_kl(mdp, half, half)
    with pytest.raises(ModelError, match=r"not MDP; give an MDP a horizon by mdp.episodic\(H\)"):
        rlt.trajectory_kl(rlt.riverswim(3), half, half)
    with pytest.raises(PolicyError, match="reference: row policy"):
        rlt.trajectory_kl(mdp, half, [[0.5, 0.6]], initial=[1.0])
    with pytest.raises(PolicyError, match="neither of other and log_other"):
        rlt.trajectory_hellinger(mdp, half, initial=[1.0])
    assert list(itertools.islice(episodes_of(mdp, [np.array([half])], [1.0]), 1)) == [[0.5]]
