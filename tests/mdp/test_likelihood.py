"""Likelihoods and divergences in logarithms, against enumeration and sixty digits."""

from typing import Any

import mpmath
import numpy as np
import pytest
from episodes import all_episodes, episode_lists, few, trajectories_of
from hypothesis import given
from hypothesis import strategies as st

import rltheory as rlt
from rltheory import ModelError, PolicyError
from rltheory.mdp.log_policies import log_weights_of

DATA = rlt.Trajectories([0, 1, 0], [0, 1, 1], [0.0, 1.0, 2.0], [-1, 1], [2, 1])
MOVES = np.array([[[0.5, 0.25], [0.0, 1.0]], [[0.25, 0.75], [0.5, 0.5]]])
ENDS = np.array([[0.25, 0.0], [0.0, 0.0]])
MDP = rlt.EpisodicMDP(MOVES, np.zeros((2, 2)), 3, [0.75, 0.25], termination=ENDS)
POLICY = [[[0.5, 0.5], [0.25, 0.75]], [[1.0, 0.0], [0.5, 0.5]], [[0.25, 0.75], [0.0, 1.0]]]


def test_by_hand() -> None:
    probable = [[0.25, 0.75], [0.5, 0.5]]
    wanted = np.log([0.125, 0.75])
    assert np.allclose(rlt.log_likelihood(DATA, probable), wanted, rtol=1e-15)
    assert np.allclose(rlt.log_likelihood(DATA, log_policy=np.log(probable)), wanted, rtol=1e-15)
    assert rlt.log_likelihood(DATA, [0, 1]).tolist() == [0.0, -np.inf]
    assert rlt.log_likelihood(DATA, [[0, 0], [1, 1]]).tolist() == [0.0, -np.inf]
    assert rlt.log_likelihood(DATA, [[1.0, 0.0], [0.0, 1.0]]).tolist() == [0.0, -np.inf]
    steps = rlt.log_likelihood(DATA.transitions(), probable)
    assert np.allclose(steps, np.log([0.25, 0.5, 0.75]), rtol=1e-15)
    mixture = rlt.Mixture([0.25, 0.75], [[0, 1], probable])
    assert np.allclose(
        rlt.log_likelihood(DATA, mixture), np.log([0.25 + 0.75 * 0.125, 0.75 * 0.75]), rtol=1e-15
    )
    certain = rlt.Mixture([1.0, 0.0], [[1, 1], [0, 1]])
    assert rlt.log_likelihood(DATA, certain).tolist() == [-np.inf, 0.0]


def test_logarithms_mean_themselves_over_their_sum() -> None:
    half = float(np.log(0.5))
    off = [[half + 8e-10, half], [half, half]]
    steps = rlt.log_likelihood(DATA.transitions(), log_policy=off)
    assert np.allclose(steps, [half + 4e-10, half, half - 4e-10], rtol=0, atol=1e-15)
    rows = np.exp(log_weights_of(MDP, off)).reshape(3, 2, 2)
    assert np.allclose(rows.sum(axis=-1), 1.0, rtol=0, atol=1e-15)


def test_nothing_underflows() -> None:
    """A thousand steps of probability e^-700 each, far below the smallest double."""
    n = 1000
    data = rlt.Trajectories([0] * n, [0] * n, np.zeros(n), [0], [n])
    logs = [[-700.0, 0.0]]
    assert rlt.log_likelihood(data, log_policy=logs).tolist() == [-7e5]
    tiny = rlt.Mixture([0.5, 0.5], [[[1e-300, 1.0]], [[2e-300, 1.0]]])
    wanted = n * np.log(2e-300) + np.log(0.5)  # the first one is 2^-1000 of it
    assert np.allclose(rlt.log_likelihood(data, tiny), wanted, rtol=1e-14)
    once = rlt.log_likelihood(data[:0], log_policy=logs)
    assert once.shape == (0,)


def test_the_law_of_trajectories_by_enumeration() -> None:
    total = 0.0
    for stationary in (False, True):
        policy = [POLICY[0]] * 3 if stationary else POLICY
        episodes = list(all_episodes(MDP, policy))
        assert sum(chance for _, _, chance in episodes) == 1
        pairs = [pair for one, _, _ in episodes for pair in one]
        states, actions = zip(*pairs, strict=True)
        lengths = [len(one) for one, _, _ in episodes]
        finals = [final for _, final, _ in episodes]
        data = rlt.Trajectories(states, actions, np.zeros(len(pairs)), finals, lengths)
        logs = rlt.trajectory_log_probability(MDP, data, POLICY[0] if stationary else policy)
        assert np.allclose(np.exp(logs), [float(chance) for _, _, chance in episodes], rtol=1e-13)
        with np.errstate(divide="ignore"):
            given_logs = rlt.trajectory_log_probability(MDP, data, log_policy=np.log(policy))
        assert np.allclose(logs, given_logs, rtol=1e-13)
        total += float(np.exp(logs).sum())
    assert abs(total - 2.0) < 1e-13


def test_a_mixture_and_its_markov_policy_have_other_laws_of_trajectories() -> None:
    mixture = rlt.Mixture([0.5, 0.5], [POLICY, [[0, 0]] * 3])
    markov = rlt.markov_policy_of(MDP, mixture)
    data = rlt.Trajectories([0, 1, 0], [0, 1, 0], np.zeros(3), [1], [3])
    law = rlt.trajectory_log_probability(MDP, data, mixture)
    parts = [rlt.trajectory_log_probability(MDP, data, one) for one in mixture.policies]
    assert np.allclose(np.exp(law), 0.5 * sum(np.exp(part) for part in parts), rtol=1e-14)
    assert abs(law - rlt.trajectory_log_probability(MDP, data, markov)) > 0.1


def test_a_row_means_itself_over_its_sum() -> None:
    off = rlt.EpisodicMDP([[[0.5, 0.5 + 8e-10]], [[0.0, 1.0]]], [[0.0], [0.0]], 1, [1.0, 0.0])
    data = rlt.Trajectories([0], [0], [0.0], [0], [1])
    chance = rlt.trajectory_log_probability(off, data, [0, 0])[0]
    assert np.isclose(chance, np.log(0.5 / (1.0 + 8e-10)), rtol=1e-14, atol=0)


def test_stages_that_differ_and_ragged_rows() -> None:
    staged = rlt.random_episodic(3, 2, 3, seed=1)
    dense = staged.transitions.toarray().reshape(3, 3, 2, 3)
    start = np.array([0.5, 0.25, 0.25])
    staged = rlt.EpisodicMDP(dense, staged.rewards, 3, start)
    data = rlt.Trajectories([0, 2, 1], [1, 0, 1], np.zeros(3), [2], [3])
    wanted = np.log(0.5 * dense[0, 0, 1, 2] * dense[1, 2, 0, 1] * dense[2, 1, 1, 2])
    assert np.allclose(rlt.trajectory_log_probability(staged, data, [[1, 1, 1], [0] * 3, [1] * 3]),
                       wanted)  # fmt: skip
    ragged = rlt.MDP.from_pairs(
        [0, 0, 1], [0, 2, 1], [[0.5, 0.5], [0, 1], [1, 0]], [0, 0, 0], 0.9, [1, 0]
    )
    data = rlt.Trajectories([0, 1], [0, 1], np.zeros(2), [0], [2])
    uniform = rlt.uniform_policy(ragged)
    assert np.allclose(rlt.trajectory_log_probability(ragged, data, uniform), np.log(0.25))
    with pytest.raises(ModelError, match=r"actions\[1\] is 0; state 1 does not have that action"):
        rlt.trajectory_log_probability(
            ragged, rlt.Trajectories([0, 1], [0, 0], np.zeros(2), [0], [2]), uniform
        )


@few
@given(episode_lists(), st.integers(0, 2**32 - 1))
def test_a_markov_policy_is_its_steps(episodes: list[Any], seed: int) -> None:
    data, random = trajectories_of(episodes), np.random.default_rng(seed)
    policy = random.dirichlet([0.3, 0.3], size=(4, 3))
    with np.errstate(divide="ignore"):
        logs = np.log(policy)
    wanted = [sum(logs[h, s, a] for h, (s, a, _) in enumerate(one)) for one, _ in episodes]
    assert np.allclose(rlt.log_likelihood(data, policy), wanted, rtol=1e-12)
    nested = rlt.Mixture([0.5, 0.5], [policy, rlt.Mixture([1.0], [policy])])
    assert np.allclose(rlt.log_likelihood(data, nested), wanted, rtol=1e-12)


# --- divergences -------------------------------------------------------------------------------


def sixty_digits(p: Any, q: Any) -> Any:
    """KL of the laws with these logarithms, each over its sum."""
    with mpmath.workdps(60):
        p, q = ([mpmath.mpf(float(x)) for x in row] for row in (p, q))
        P, Q = (mpmath.fsum(map(mpmath.exp, row)) for row in (p, q))
        return mpmath.fsum(
            mpmath.exp(x) / P * (x - mpmath.log(P) - y + mpmath.log(Q))
            for x, y in zip(p, q, strict=True)
        )


@few
@given(
    st.lists(st.floats(0.0, 900.0), min_size=2, max_size=5),
    st.floats(-20.0, 2.0),
    st.integers(0, 2**32 - 1),
)
def test_divergences_to_sixty_digits(weights: list[float], closeness: float, seed: int) -> None:
    p = -np.array(weights)
    q = p + 10.0**closeness * np.random.default_rng(seed).normal(size=len(p))
    p, q = (x - x.max() - np.log(np.exp(x - x.max()).sum()) for x in (p, q))
    found = float(rlt.policy_kl(log_policy=[p], log_reference=[q])[0])
    exact = sixty_digits(p, q)
    assert found >= 0.0
    # Logarithms are rounded by an ulp each, which moves p by that much: absolute where it is tiny.
    error = 1e-13 * (float(exact) + float(np.exp(p) @ np.abs(q - p)) * 1e-2) + 1e-29
    assert abs(found - float(exact)) <= error


def test_divergences_by_hand() -> None:
    half, third = [[0.5, 0.5]], [[1 / 3, 2 / 3]]
    assert np.allclose(rlt.policy_kl(half, third), 0.5 * np.log(9 / 8), rtol=1e-14)
    assert rlt.policy_kl(half, half).tolist() == [0.0]
    assert rlt.policy_kl([[1.0, 0.0]], half).tolist() == [np.log(2.0)]
    assert rlt.policy_kl([[1.0, 0.0]], [[1.0, 0.0]]).tolist() == [0.0]
    assert rlt.policy_kl(half, [[1.0, 0.0]]).tolist() == [np.inf]
    staged = rlt.policy_kl([half, third], third)
    assert staged.shape == (2, 1) and staged[1, 0] == 0.0
    # e^-800 is 0 as a double, but the reference never does it.
    assert rlt.policy_kl(log_policy=[[-800.0, 0.0]], reference=[[0.0, 1.0]]).tolist() == [np.inf]
    assert rlt.policy_kl([[0.0, 1.0]], log_reference=[[-800.0, 0.0]]).tolist() == [0.0]
    assert rlt.policy_kl(log_policy=[[-800.0, 0.0]], log_reference=[[-700.0, 0.0]]).tolist() == [
        np.exp(-700.0)
    ]


BAD: list[tuple[dict[str, Any], str]] = [
    ({}, "neither of policy and log_policy given"),
    ({"policy": [0, 1], "log_policy": [[0.0]]}, "both of policy and log_policy given"),
    ({"policy": [0]}, "states[1] of the data is 1; the policy has (1,)"),
    ({"policy": [[0, 1]]}, "stages[1] of the data is 1; the policy has (1, 2)"),
    ({"policy": [[1.0], [1.0]]}, "actions[1] of the data is 1; the policy has (2, 1)"),
    ({"policy": [[[[1.0]]]]}, "policy has shape (1, 1, 1, 1); it must be (S, A) or (H, S, A)"),
    ({"policy": [[[0]]]}, "it must be (S,) or (H, S)"),
    ({"policy": [[0.5, 0.6], [0.5, 0.5]]}, "row policy[0] sums to 1.1"),
    ({"policy": [[0.5, 0.5], [1.5, -0.5]]}, "policy[1, 1] is -0.5"),
    ({"policy": [[0.5, 0.5], [np.nan, 0.5]]}, "policy[1, 0] is nan"),
    ({"policy": [["a"]]}, "the policy has dtype <U1"),
    ({"log_policy": [[-1.0, -1.0], [0.0, -np.inf]]}, "row log_policy[0] sums to 0.7357"),
    ({"log_policy": [[0.0, 0.5]]}, "log_policy[0, 1] is 0.5; the logarithm of a probability"),
    ({"log_policy": [[0.0, np.nan]]}, "log_policy[0, 1] is nan"),
    ({"log_policy": [[-np.inf, -np.inf], [0.0, -np.inf]]}, "row log_policy[0] sums to 0.0"),
    ({"log_policy": [[0.0, 2e-9], [0.0, -np.inf]]}, "log_policy[0, 1] is 2e-09"),
    ({"log_policy": [[2e-10 - 700, 3e-9]]}, "log_policy[0, 1] is 3e-09"),
    ({"log_policy": [[0.0, -19.0], [0.0, -np.inf]]}, "row log_policy[0] sums to 1.000000005"),
]


@pytest.mark.parametrize(("arguments", "words"), BAD)
def test_what_is_no_policy(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(PolicyError) as caught:
        rlt.log_likelihood(DATA, **arguments)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_what_has_no_likelihood() -> None:
    steps = DATA.transitions()
    with pytest.raises(PolicyError, match="a Mixture has a likelihood of whole episodes"):
        rlt.log_likelihood(steps, rlt.Mixture([1.0], [[0, 1]]))
    with pytest.raises(PolicyError, match=r"has stages; the data have none"):
        rlt.log_likelihood(rlt.Transitions(None, [0], [0], [0.0], [0]), [[0, 0]])
    with pytest.raises(ModelError, match="data is a list"):
        rlt.log_likelihood([], [0, 1])  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="data is a Transitions"):
        rlt.trajectory_log_probability(MDP, steps, [0, 1])  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="needs a start law"):
        rlt.trajectory_log_probability(rlt.EpisodicMDP(MOVES, ENDS, 3, termination=ENDS), DATA, [0])
    beyond = rlt.Trajectories([0, 5], [0, 0], [0.0, 0.0], [0], [2])
    with pytest.raises(ModelError, match=r"states\[1\] is 5; the model has 0\.\.1"):
        rlt.trajectory_log_probability(MDP, beyond, [0, 0])
    long = rlt.Trajectories([0] * 4, [0] * 4, [0.0] * 4, [0], [4])
    with pytest.raises(ModelError, match=r"stages\[3\] is 3; the model has 0\.\.2"):
        rlt.trajectory_log_probability(MDP, long, [0, 0])
    with pytest.raises(PolicyError, match="they must fit"):
        rlt.policy_kl([[0.5, 0.5]], [[1.0]])
    with pytest.raises(PolicyError, match="policy holds actions"):
        rlt.policy_kl([0, 1], [[1.0]])
