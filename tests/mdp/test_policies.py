"""Policies as arrays: which rows they pick, with which weights, and which are refused."""

from typing import Any

import numpy as np
import pytest
from plain_rows import random_actions, random_policy, rows_of

import rltheory as rlt
from rltheory import PolicyError
from rltheory.mdp.policies import is_deterministic, weights_of
from rltheory.mdp.policies import rows_of as picked

FULL = rlt.riverswim(3, discount=0.9)
RAGGED = rlt.MDP.from_pairs(
    [0, 0, 1, 2, 2], [0, 2, 1, 0, 3], np.full((5, 3), 1 / 3), np.zeros(5), 0.9, n_actions=4
)
STAGED = rlt.random_episodic(3, 2, 2, seed=1)
SHARED = FULL.episodic(2)
RAGGED_SHARED = RAGGED.episodic(2)


def test_the_dtype_decides_never_the_values() -> None:
    for kind in (np.int8, np.uint64, np.int64, int):
        assert is_deterministic(np.array([0, 1], dtype=kind))
    for other in (np.float16, np.float32, float):
        assert not is_deterministic(np.array([0, 1], dtype=other))
    for bad in ([True, False], ["0"], [None], [1j]):
        with pytest.raises(PolicyError, match="integers are actions, floats are probabilities"):
            is_deterministic(bad)
    certain = np.array([[1.0, 0.0]] * 3)
    assert np.array_equal(rlt.evaluate(FULL, certain), rlt.evaluate(FULL, [0, 0, 0]))
    with pytest.raises(PolicyError, match=r"shape \(3, 2\); as actions \(int64\) it must be"):
        rlt.evaluate(FULL, certain.astype(np.int64))


def test_rows_that_actions_pick() -> None:
    assert picked(FULL, [1, 0, 1]).tolist() == [1, 2, 5]
    assert picked(RAGGED, [2, 1, 3]).tolist() == [1, 2, 4]
    assert picked(SHARED, [1, 0, 1]).tolist() == [[1, 2, 5]] * 2
    assert picked(SHARED, [[1, 0, 1], [0, 0, 0]]).tolist() == [[1, 2, 5], [0, 2, 4]]
    assert picked(STAGED, [1, 0, 1]).tolist() == [[1, 2, 5], [7, 8, 11]]
    assert picked(RAGGED_SHARED, [[2, 1, 3], [0, 1, 0]]).tolist() == [[1, 2, 4], [0, 2, 3]]
    for seed in range(100):
        mdp = rlt.awkward(seed)
        actions, rows = random_actions(mdp, seed), rows_of(mdp)
        chosen = picked(mdp, actions.astype(np.uint8))
        assert rows.state[chosen].tolist() == list(range(mdp.n_states))
        assert rows.action[chosen].tolist() == actions.tolist()


def test_weights_of_rows() -> None:
    assert weights_of(FULL, [1, 0, 1]).tolist() == [0, 1, 1, 0, 0, 1]
    assert weights_of(RAGGED, [2, 1, 3]).tolist() == [0, 1, 1, 0, 1]
    table = np.array([[0.25, 0.0, 0.75, 0.0], [0.0, 1.0, 0.0, 0.0], [0.5, 0.0, 0.0, 0.5]])
    assert weights_of(RAGGED, table).tolist() == [0.25, 0.75, 1.0, 0.5, 0.5]
    assert weights_of(RAGGED_SHARED, table).tolist() == [[0.25, 0.75, 1.0, 0.5, 0.5]] * 2
    for seed in range(100):
        mdp = rlt.awkward(seed)
        policy, rows = random_policy(mdp, seed), rows_of(mdp)
        weight = policy[rows.state, rows.action]
        assert np.allclose(weights_of(mdp, policy), weight, rtol=1e-15, atol=0)
        shared = weights_of(mdp.episodic(3), np.stack([policy] * 3))
        assert np.allclose(shared, np.stack([weight] * 3), rtol=1e-15, atol=0)
    staged = np.random.default_rng(1).dirichlet([1.0, 1.0], size=(2, 3))
    assert np.allclose(weights_of(STAGED, staged), staged.ravel(), rtol=1e-15, atol=0)
    tiled = np.tile(staged[0].ravel(), 2)
    assert np.allclose(weights_of(STAGED, staged[0]), tiled, rtol=1e-15, atol=0)
    assert weights_of(STAGED, [[1, 0, 1], [0, 0, 1]]).tolist() == [
        *(0, 1, 1, 0, 0, 1),
        *(1, 0, 1, 0, 0, 1),
    ]


def test_ragged_stages_that_differ() -> None:
    # No constructor makes such a model, but canonical arrays do.
    arrays = dict(RAGGED.episodic(2).arrays())
    arrays |= {
        "state_ptr": np.array([0, 2, 3, 5, 6, 7, 8]),
        "action": np.array([0, 2, 1, 0, 3, 1, 1, 1]),
        "row_ptr": np.arange(0, 25, 3),
        "col": np.tile([0, 1, 2], 8),
        "prob": np.full(24, 1 / 3),
        "reward": np.arange(8.0),
    }
    mdp = rlt.EpisodicMDP.from_arrays(arrays)
    assert not mdp.is_full and not mdp.is_stationary
    assert picked(mdp, [[2, 1, 3], [1, 1, 1]]).tolist() == [[1, 2, 4], [5, 6, 7]]
    uniform = rlt.uniform_policy(mdp)
    assert uniform.shape == (2, 3, 4)
    assert weights_of(mdp, uniform).tolist() == [0.5, 0.5, 1.0, 0.5, 0.5, 1.0, 1.0, 1.0]
    assert rlt.evaluate(mdp, uniform)[1].tolist() == [5.0, 6.0, 7.0]
    assert rlt.evaluate(mdp, uniform)[0].tolist() == [6.5, 8.0, 9.5]
    assert rlt.occupancy(mdp, uniform, initial=[0.0, 1.0, 0.0])[:5].tolist() == [0, 0, 1, 0, 0]
    with pytest.raises(PolicyError, match="takes action 3 in state 0, which does not have it"):
        weights_of(mdp, np.stack([uniform[0], np.eye(4)[[3, 1, 1]]]))
    with pytest.raises(PolicyError, match=r"policy\[1, 0\] is 2; state 0 does not have that"):
        picked(mdp, [[2, 1, 3], [2, 1, 1]])


def test_the_uniform_policy() -> None:
    assert rlt.uniform_policy(RAGGED).tolist() == [
        [0.5, 0.0, 0.5, 0.0],
        [0.0, 1.0, 0.0, 0.0],
        [0.5, 0.0, 0.0, 0.5],
    ]
    assert rlt.uniform_policy(STAGED).tolist() == [[[0.5, 0.5]] * 3] * 2
    assert rlt.uniform_policy(SHARED).shape == (3, 2)
    for seed in range(60):
        mdp = rlt.awkward(seed)
        policy = rlt.uniform_policy(mdp)
        rows = rows_of(mdp)
        assert np.allclose(policy.sum(axis=1), 1.0, atol=1e-15)
        present = np.zeros(policy.shape, dtype=bool)
        present[rows.state, rows.action] = True
        assert np.array_equal(policy > 0.0, present)


HALF = [[0.5, 0.5]] * 3
QUARTER = [[0.25, 0.25, 0.25, 0.25]] * 3
BAD: list[tuple[Any, Any, str]] = [
    (FULL, [0, 0], "the policy has shape (2,); as actions (int64) it must be (3,)"),
    (FULL, [[0, 0, 0]] * 2, "it must be (3,)"),
    (FULL, [0.0, 0.0, 0.0], "as probabilities (float64) it must be (3, 2)"),
    (FULL, HALF[:2], "the policy has shape (2, 2)"),
    (FULL, QUARTER, "the policy has shape (3, 4)"),
    (FULL, 0, "the policy has shape ()"),
    (FULL, [0, 2, 0], "policy[1] is 2; actions are 0..1"),
    (FULL, [0, 0, -1], "policy[2] is -1; actions are 0..1"),
    (FULL, [[0.5, 0.6], *HALF[1:]], "row policy[0] sums to 1.1; it must sum to 1 within 1e-9"),
    (FULL, [*HALF[1:], [0.5, 0.5 + 2e-9]], "row policy[2] sums to 1.000000002"),
    (FULL, [[-0.5, 1.5], *HALF[1:]], "policy[0, 0] is -0.5; a probability must be in [0, 1]"),
    (FULL, [*HALF[1:], [np.nan, 1.0]], "policy[2, 0] is nan"),
    (FULL, [*HALF[1:], [1.0, np.inf]], "policy[2, 1] is inf"),
    (FULL, [[True, False]] * 3, "the policy has dtype bool"),
    (FULL, [["0", "1"]] * 3, "the policy has dtype <U1"),
    (FULL, [None] * 3, "the policy has dtype object"),
    (RAGGED, [0, 0, 0], "policy[1] is 0; state 1 does not have that action"),
    (RAGGED, [0, 1, 4], "policy[2] is 4; actions are 0..3"),
    (RAGGED, QUARTER, "the policy takes action 1 in state 0, which does not have it"),
    (SHARED, [0, 0], "it must be (2, 3) or (3,)"),
    (SHARED, [[0, 0, 0]] * 3, "it must be (2, 3) or (3,)"),
    (SHARED, [HALF] * 3, "it must be (2, 3, 2) or (3, 2)"),
    (SHARED, [[0, 0, 0], [0, 5, 0]], "policy[1, 1] is 5; actions are 0..1"),
    (STAGED, [HALF, [[0.5, 0.25]] * 3], "row policy[1, 0] sums to 0.75"),
    (STAGED, [HALF, [[1.5, -0.5]] * 3], "policy[1, 0, 1] is -0.5"),
    (RAGGED_SHARED, [[0, 1, 0], [0, 0, 0]], "policy[1, 1] is 0; state 1 does not have that"),
    (RAGGED_SHARED, QUARTER, "takes action 1 in state 0"),
]


@pytest.mark.parametrize(("mdp", "policy", "words"), BAD)
def test_what_is_no_policy_of_the_model(mdp: Any, policy: Any, words: str) -> None:
    shape = (mdp.n_states,) if isinstance(mdp, rlt.MDP) else (mdp.horizon + 1, mdp.n_states)
    start = np.eye(mdp.n_states)[0]
    for use in (
        lambda: rlt.evaluate(mdp, policy),
        lambda: rlt.occupancy(mdp, policy, initial=start),
        lambda: rlt.bellman(mdp, np.zeros(shape), policy),
    ):
        with pytest.raises(PolicyError) as caught:
            use()
        assert words in str(caught.value) and "\n" not in str(caught.value)


def test_sums_within_the_tolerance_mean_themselves_over_their_sum() -> None:
    policy = [*HALF[1:], [0.5, 0.5 + 9e-10]]
    assert weights_of(FULL, policy)[-1] == (0.5 + 9e-10) / (1 + 9e-10)
    with pytest.raises(PolicyError, match="actions \\(integers\\) are needed here"):
        picked(FULL, policy)


def test_ragged_lists_are_refused() -> None:
    with pytest.raises(PolicyError):
        rlt.evaluate(FULL, [[0.5, 0.5], [1.0], [0.5, 0.5]])


def test_a_mixture_is_linear_and_a_markov_policy_does_the_same() -> None:
    """The policy of the mixed occupancy has its occupancy and value; averaged rows do not."""
    mdp = rlt.random_episodic(3, 2, 4, seed=1)
    start = np.array([0.5, 0.25, 0.25])
    rng = np.random.default_rng(0)
    policies = [rng.dirichlet(np.ones(2), (4, 3)), np.zeros(3, dtype=int)]
    mixture = rlt.Mixture([0.25, 0.75], policies)
    d = rlt.occupancy(mdp, mixture, start)
    alone = [rlt.occupancy(mdp, policy, start) for policy in policies]
    assert np.abs(d - (0.25 * alone[0] + 0.75 * alone[1])).max() <= 1e-16
    markov = d / d.sum(axis=-1, keepdims=True)
    assert np.abs(rlt.occupancy(mdp, markov, start) - d).max() <= 1e-15
    value = start @ rlt.evaluate(mdp, mixture)[0]
    assert start @ rlt.evaluate(mdp, markov)[0] == pytest.approx(value, rel=1e-14)
    averaged = 0.25 * policies[0] + 0.75 * np.eye(2)[np.zeros((4, 3), dtype=int)]
    assert abs(start @ rlt.evaluate(mdp, averaged)[0] - value) > 1e-6


def test_mixtures_that_are_refused() -> None:
    for weights, policies, words in (
        ([0.5], [[0], [0]], "one weight a policy"),
        ([], [], "at least one"),
        ([0.5, 0.6], [[0], [0]], "sum to 1.1"),
        ([1.5, -0.5], [[0], [0]], "at least 0"),
    ):
        with pytest.raises(rlt.PolicyError, match=words):
            rlt.Mixture(weights, policies)
    with pytest.raises(rlt.PolicyError):  # it is no Markov policy
        rlt.bellman(rlt.riverswim(discount=0.9), np.zeros(6), rlt.Mixture([1.0], [[0] * 6]))
