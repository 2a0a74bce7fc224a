"""Models with a horizon: shared and differing stages, what is refused, ranges of returns."""

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import sparse

import rltheory as rlt
from rltheory import EpisodicMDP, ModelError

Array = NDArray[np.float64]
P = np.full((2, 2, 2), 0.5)
R = np.array([[0.0, 1.0], [2.0, 3.0]])


def put(array: Array, place: tuple[int, ...], value: float) -> Array:
    changed = array.copy()
    changed[place] = value
    return changed


def tables(stages: int, states: int, actions: int, seed: int) -> tuple[Array, Array, Array]:
    """Transitions, termination and rewards that differ at every stage."""
    random = np.random.default_rng(seed)
    prob = random.dirichlet(np.ones(states + 1), size=(stages, states, actions))
    return prob[..., :-1].copy(), prob[..., -1].copy(), random.normal(size=prob.shape[:-1])


def test_shared_stages() -> None:
    mdp = EpisodicMDP(P, R, 3, [0.25, 0.75])
    assert (mdp.horizon, mdp.is_stationary, mdp.n_pairs, mdp.is_full) == (3, True, 4, True)
    assert mdp.rewards.shape == (3, 2, 2) and mdp.rewards[2].tolist() == R.tolist()
    assert mdp.mean_rewards.tolist() == [0.0, 1.0, 2.0, 3.0]
    assert [mdp.stage(h) for h in range(3)] == [0, 0, 0]
    assert mdp.fingerprint == rlt.MDP(P, R, 0.5, [0.25, 0.75]).episodic(3).fingerprint
    assert repr(mdp) == "EpisodicMDP(2 states, 2 actions, horizon 3)"
    for h in (-1, 3):
        with pytest.raises(ModelError, match=rf"stage {h} is not in 0\.\.2"):
            mdp.stage(h)


def test_stages_that_differ() -> None:
    prob, ends, rewards = tables(3, 4, 2, 1)
    mdp = EpisodicMDP(prob, rewards, 3, termination=ends)
    assert (mdp.is_stationary, mdp.n_pairs) == (False, 24)
    assert np.array_equal(mdp.transitions.toarray(), prob.reshape(24, 4))
    assert np.array_equal(mdp.rewards, rewards) and np.array_equal(mdp.termination, ends.ravel())
    assert mdp.states.tolist() == [0, 0, 1, 1, 2, 2, 3, 3] * 3
    assert mdp.actions.tolist() == [0, 1] * 12
    assert mdp.pair_ptr.tolist() == list(range(0, 25, 2))
    assert [mdp.stage(h) for h in range(3)] == [0, 1, 2]
    assert mdp.table(np.arange(24)).shape == (3, 4, 2)
    assert repr(mdp) == "EpisodicMDP(4 states, 2 actions, horizon 3, stages differ)"
    stages = [sparse.csr_array(stage.reshape(8, 4)) for stage in prob]
    assert EpisodicMDP(stages, rewards, 3, termination=ends).fingerprint == mdp.fingerprint


def repeated(x: Array, stages: int = 3) -> Array:
    return np.stack([x] * stages)


def test_one_stage_is_repeated_where_something_else_differs() -> None:
    prob, ends, rewards = tables(3, 4, 2, 2)
    flat = sparse.csr_array(prob[0].reshape(8, 4))
    outcome = np.random.default_rng(3).normal(size=(4, 2, 4))
    expected = EpisodicMDP(repeated(prob[0]), rewards, 3, termination=repeated(ends[0]))
    for transitions in (prob[0], flat, [flat] * 3, repeated(prob[0])):
        for termination in (ends[0], repeated(ends[0])):
            mdp = EpisodicMDP(transitions, rewards, 3, termination=termination)
            assert mdp.fingerprint == expected.fingerprint
    paid = [sparse.csr_array(outcome.reshape(8, 4)), outcome, repeated(outcome)]
    one, *others = (
        EpisodicMDP(
            transitions,
            None,
            3,
            termination=repeated(ends[0]),
            next_state_rewards=x,
            termination_rewards=rewards[0],
        )
        for transitions in (prob[0], flat)
        for x in (paid if transitions is flat else paid[1:])
    )
    mean = (prob[0] * outcome).sum(axis=2) + ends[0] * rewards[0]
    assert np.abs(one.rewards - mean).max() <= 1e-14
    assert {other.fingerprint for other in others} == {one.fingerprint}


def test_a_horizon_of_one() -> None:
    mdp = EpisodicMDP(P, R, 1)
    assert EpisodicMDP(P[None], R[None], 1).fingerprint == mdp.fingerprint
    assert rlt.solve(mdp).value.tolist() == [[1.0, 3.0], [0.0, 0.0]]


BAD: dict[str, tuple[Callable[[], Any], str]] = {
    "no horizon": (lambda: EpisodicMDP(P, R, 0), "horizon is 0; it must be an integer of at"),
    "bool": (lambda: EpisodicMDP(P, R, True), "horizon is True"),
    "float": (lambda: EpisodicMDP(P, R, 2.0), "horizon is 2.0"),  # type: ignore[arg-type]
    "too many": (lambda: rlt.MDP(P, R).episodic(10**20), "at most 2147483647 stages are"),
    "as many": (lambda: EpisodicMDP(P, R, 2**31), "at most 2147483647 stages are supported"),
    "episodic": (lambda: rlt.MDP(P, R).episodic(-1), "horizon is -1"),
    "stages": (lambda: EpisodicMDP(repeated(P), R, 2), "it must be (S, A, S) or (2, S, A, S)"),
    "rewards": (lambda: EpisodicMDP(P, repeated(R), 2), "rewards has shape (3, 2, 2)"),
    "exits": (lambda: EpisodicMDP(P, R, 2, termination=repeated(R)), "termination has shape"),
    "outcomes": (
        lambda: EpisodicMDP(P, None, 2, next_state_rewards=repeated(P)),
        "next_state_rewards has shape (3, 2, 2, 2)",
    ),
    "sum": (
        lambda: EpisodicMDP(put(repeated(P), (2, 1, 0, 1), 0.75), R, 3),
        "row transitions[2, 1, 0] sums to 1.25",
    ),
    "negative": (
        lambda: EpisodicMDP(put(repeated(P), (2, 1, 0, 1), -0.5), R, 3),
        "transitions[2, 1, 0, 1] is -0.5",
    ),
    "reward": (
        lambda: EpisodicMDP(P, put(repeated(R), (2, 1, 0), np.inf), 3),
        "rewards[2, 1, 0] is inf",
    ),
    "exit": (
        lambda: EpisodicMDP(P, R, 3, termination=put(repeated(0 * R), (1, 0, 1), np.nan)),
        "termination[1, 0, 1] is nan",
    ),
    "list": (
        lambda: EpisodicMDP([sparse.csr_array(P[0])] * 3, R, 2),
        "transitions is a list of 3; it must hold a sparse array for each of the 2 stages",
    ),
    "mixed list": (
        lambda: EpisodicMDP([sparse.csr_array(P[0]), P[0]], R, 2),
        "it must hold a sparse array for each",
    ),
    "no stages": (
        lambda: rlt.MDP([sparse.csr_array(P[0])] * 2, R),
        "transitions is a list of sparse arrays; an MDP takes one",
    ),
}


@pytest.mark.parametrize(("build", "words"), BAD.values(), ids=BAD)
def test_what_is_no_model_is_refused(build: Callable[[], Any], words: str) -> None:
    with pytest.raises(ModelError) as caught:
        build()
    assert words in str(caught.value)


def returns(mdp: EpisodicMDP, by_outcome: Array | None = None) -> list[float]:
    """The return of every path that has positive probability under some policy."""
    S, H = mdp.n_states, mdp.horizon
    prob = mdp.transitions.toarray()
    found: list[float] = []

    def walk(h: int, s: int, total: float) -> None:
        if h == H:
            found.append(total)
            return
        first = mdp.stage(h) * S + s
        for row in range(mdp.pair_ptr[first], mdp.pair_ptr[first + 1]):
            reward = mdp.mean_rewards[row]
            if mdp.termination[row] > 0.0:
                found.append(total + reward)
            for j in np.flatnonzero(prob[row]):
                walk(h + 1, int(j), total + (reward if by_outcome is None else by_outcome[row, j]))

    start = np.ones(S) if mdp.initial is None else mdp.initial
    for s in np.flatnonzero(start):
        walk(0, int(s), 0.0)
    return found


def test_the_return_range_is_that_of_all_paths() -> None:
    ragged = 0
    for seed, (states, horizon) in enumerate(product((1, 2, 3), (1, 2, 3)), start=1):
        for k in range(8):
            mdp = rlt.awkward(100 * seed + k, states=states, actions=2, horizon=horizon)
            if mdp.core.outcome_reward.size:
                continue  # see below
            low, high = mdp.return_range
            paths = returns(mdp)
            near = 1e-14 * horizon * np.abs(mdp.mean_rewards).max()
            assert abs(low - min(paths)) <= near and abs(high - max(paths)) <= near
            ragged += not mdp.is_full
    assert ragged > 5


def test_the_return_range_starts_where_episodes_start() -> None:
    rewards = [[1.0], [5.0]]
    stay = np.eye(2)[:, None]
    assert EpisodicMDP(stay, rewards, 2).return_range == (2.0, 10.0)
    assert EpisodicMDP(stay, rewards, 2, [1.0, 0.0]).return_range == (2.0, 2.0)


def test_the_return_range_contains_returns_of_outcome_rewards() -> None:
    random = np.random.default_rng(6)
    for horizon in (1, 3):
        outcome = random.normal(size=(2, 2, 2))
        mdp = EpisodicMDP(P, None, horizon, next_state_rewards=outcome)
        paths = returns(mdp, outcome.reshape(4, 2))
        low, high = mdp.return_range
        assert low <= min(paths) + 1e-14 and max(paths) <= high + 1e-14


def test_the_return_range_of_outcome_rewards_is_met() -> None:
    prob, paid = np.zeros((3, 1, 3)), np.zeros((3, 1, 3))
    prob[0, 0, 1:] = 0.5
    prob[1, 0, 1] = prob[2, 0, 2] = 1.0
    paid[0, 0, 1] = paid[2, 0, 2] = 1.0  # 1 now and 0 later, or 0 now and 1 later
    mdp = EpisodicMDP(prob, None, 2, [1.0, 0.0, 0.0], next_state_rewards=paid)
    assert mdp.return_range == (1.0, 1.0)


def test_outcome_rewards_are_given_like_transitions() -> None:
    stages = [sparse.csr_array(P.reshape(4, 2))] * 2
    mdp = EpisodicMDP(stages, None, 2, next_state_rewards=stages)
    assert mdp.rewards.tolist() == [[[0.5, 0.5], [0.5, 0.5]]] * 2


def test_other_rewards() -> None:
    mdp = rlt.riverswim().episodic(3)
    shared = mdp.with_rewards(np.ones((6, 2)))
    assert np.shares_memory(shared.transitions.data, mdp.transitions.data)
    assert shared.rewards.shape == (3, 6, 2) and shared.is_stationary
    table = np.arange(36.0).reshape(3, 6, 2)
    staged = mdp.with_rewards(table)
    assert not staged.is_stationary and np.array_equal(staged.rewards, table)
    again = staged.with_rewards(np.ones((6, 2)))
    assert again.rewards.min() == again.rewards.max() == 1
    ends = (
        rlt.MDP([[[0.5]]], [[1.0]], termination=[[0.5]])
        .episodic(2)
        .with_rewards([[[1.0]], [[3.0]]])
    )
    assert rlt.solve(ends).value[:, 0].tolist() == [2.5, 3.0, 0.0]
    ragged = rlt.MDP.from_pairs([0, 0, 1], [0, 1, 0], np.eye(2)[[0, 1, 1]], [0.0, 0, 0]).episodic(2)
    assert rlt.solve(ragged.with_rewards([1.0, 2, 3])).value[0].tolist() == [5, 6]
    for model, bad in ((mdp, [1.0]), (ragged, np.ones((2, 3)))):
        with pytest.raises(rlt.ModelError, match="rewards has shape"):
            model.with_rewards(bad)
    with pytest.raises(rlt.ModelError, match="an exact model keeps its rewards"):
        mdp.as_exact().with_rewards(np.ones((6, 2)))
