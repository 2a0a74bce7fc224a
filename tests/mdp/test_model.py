"""Discounted models: every way to give one, what they share, what they say."""

import copy
import pickle
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from plain_rows import rows_of
from scipy import sparse

import rltheory as rlt
from rltheory import MDP, ModelError

Array = NDArray[np.float64]
H = np.full((2, 2), 0.5)
FORMATS = ("csr", "csc", "coo", "lil", "dok", "bsr", "dia")
P = np.full((2, 2, 2), 0.5)
R = np.array([[0.0, 1.0], [2.0, 3.0]])


def put(array: Array, place: tuple[int, ...], value: float) -> Array:
    changed = array.copy()
    changed[place] = value
    return changed


def random_table(states: int, actions: int, seed: int, density: float = 1.0) -> Array:
    random = np.random.default_rng(seed)
    table = random.random((states, actions, states))
    table *= random.random(table.shape) < density
    table[..., 0] += 1e-3
    return table / table.sum(axis=2, keepdims=True)


@pytest.mark.parametrize("density", [0.2, 1.0])
def test_one_model_in_every_format(density: float) -> None:
    S, A = 7, 3
    table = random_table(S, A, 1, density)
    flat = table.reshape(S * A, S)
    random = np.random.default_rng(2)
    rewards, law = random.normal(size=(S, A)), np.full(S, 1 / S)
    mdp = MDP(table, rewards, 0.9, law)
    assert mdp.storage == ("dense" if density == 1.0 else "csr")
    others = [MDP(sparse.csr_array(flat).asformat(f), rewards, 0.9, law) for f in FORMATS]
    others.append(MDP(sparse.csr_matrix(flat), rewards, 0.9, law))
    others.append(MDP(table.tolist(), rewards.tolist(), 0.9, law.tolist()))
    others.append(MDP(np.asfortranarray(table), np.asfortranarray(rewards), 0.9, law))
    for seed in range(4):
        order = np.random.default_rng(seed).permutation(S * A)
        states, actions = np.divmod(order, A)
        rows = flat[order] if seed % 2 else sparse.csc_array(flat[order])
        others.append(MDP.from_pairs(states, actions, rows, rewards.ravel()[order], 0.9, law))
    for other in others:
        assert other.fingerprint == mdp.fingerprint and other.storage == mdp.storage
        assert np.array_equal(other.transitions.toarray(), flat)
        assert np.array_equal(other.rewards, rewards)
        assert np.array_equal(rlt.bellman(other, law), rlt.bellman(mdp, law))
    assert (
        len(
            {
                m.fingerprint
                for m in (
                    mdp,
                    mdp.with_discount(0.8),
                    mdp.with_rewards(-rewards),
                    MDP(table, rewards, 0.9),
                    MDP(table[:, ::-1], rewards[:, ::-1], 0.9, law),
                    mdp.episodic(2),
                    mdp.episodic(3),
                )
            }
        )
        == 7
    )


def test_numbers_of_other_kinds_are_the_same_model() -> None:
    whole = np.eye(3)[:, None, :]
    expected = MDP(whole, np.ones((3, 1)), 0.5).fingerprint
    for kind in (np.float32, np.int8, np.uint64, int):
        assert MDP(whole.astype(kind), np.ones((3, 1), kind), 0.5).fingerprint == expected
    assert MDP.deterministic([[0], [1], [2]], [[1], [1], [1]], 0.5).fingerprint == expected


def test_deterministic_models() -> None:
    mdp = MDP.deterministic([[1, -1], [0, 1]], R, 0.5)
    assert mdp.storage == "deterministic"
    assert mdp.transitions.toarray().tolist() == [[0, 1], [0, 0], [1, 0], [0, 1]]
    assert mdp.termination.tolist() == [0.0, 1.0, 0.0, 0.0]
    assert mdp.transitions.nnz == 3 and mdp.rewards.tolist() == R.tolist()
    table = np.zeros((2, 2, 2))
    table[0, 0, 1] = table[1, 0, 0] = table[1, 1, 1] = 1.0
    ends = [[0.0, 1.0], [0.0, 0.0]]
    assert MDP(table, R, 0.5, termination=ends).fingerprint == mdp.fingerprint


def test_ragged_models() -> None:
    rows = np.array([[0.0, 1.0], [0.5, 0.5], [1.0, 0.0]])
    mdp = MDP.from_pairs([1, 0, 0], [2, 3, 0], rows, [1.0, 2.0, 3.0], n_actions=5)
    assert (mdp.n_states, mdp.n_actions, mdp.n_pairs, mdp.is_full) == (2, 5, 3, False)
    assert mdp.states.tolist() == [0, 0, 1] and mdp.actions.tolist() == [0, 3, 2]
    assert mdp.pair_ptr.tolist() == [0, 2, 3]
    assert mdp.rewards.tolist() == mdp.mean_rewards.tolist() == [3.0, 2.0, 1.0]
    assert mdp.transitions.toarray().tolist() == rows[[2, 1, 0]].tolist()
    table = mdp.table(mdp.rewards, fill=-1.0)
    assert table.tolist() == [[3.0, -1.0, -1.0, 2.0, -1.0], [-1.0, -1.0, 1.0, -1.0, -1.0]]
    assert np.isnan(mdp.table(mdp.rewards)).sum() == 7
    assert MDP.from_pairs([0, 1], [0, 2], rows[:2], [0, 0]).n_actions == 3


@pytest.mark.parametrize("as_sparse", [False, True])
@pytest.mark.parametrize("density", [0.2, 1.0])
def test_rewards_by_successor(density: float, as_sparse: bool) -> None:
    S, A = 6, 2
    random = np.random.default_rng(4)
    ends = random.random((S, A)) * (random.random((S, A)) < 0.5)
    table = random_table(S, A, 3, density) * (1.0 - ends)[..., None]
    outcome, last = random.normal(size=(S, A, S)), random.normal(size=(S, A))
    mean = (table * outcome).sum(axis=2)

    def given(x: Array) -> Any:
        return sparse.csr_array(x.reshape(S * A, S)) if as_sparse else x

    for paid, expected in ((last, mean + ends * last), (None, mean)):
        mdp = MDP(
            given(table),
            None,
            0.9,
            next_state_rewards=given(outcome),
            termination=ends,
            termination_rewards=paid,
        )
        assert np.abs(mdp.rewards - expected).max() <= 1e-15 * S
        low, high = mdp.reward_range
        possible = [*outcome[table > 0.0], *(0.0 * last if paid is None else last)[ends > 0.0]]
        assert (low, high) == (min(possible), max(possible))
    other = sparse.csr_array(outcome.reshape(S * A, S))  # on a pattern of its own
    mixed = MDP(given(table), None, 0.9, next_state_rewards=other, termination=ends)
    assert mixed.fingerprint == mdp.fingerprint


def test_rows_mean_themselves_over_their_sum() -> None:
    mdp = MDP(
        [[[0.5, 0.5 + 5e-10]], [[0.25, 0.25]]],
        [[0.0], [0.0]],
        0.5,
        termination=[[0.0], [0.5 - 5e-10]],
    )
    assert np.abs(mdp.row_defect - [5e-10, -5e-10]).max() <= 1e-16
    assert mdp.row_defect[0] == (0.5 + 5e-10) - 0.5
    v = rlt.bellman(mdp, [1.0, 1.0])
    assert v[0] == 0.5 and abs(v[1] - 0.25 / (1.0 - 5e-10)) <= 1e-16
    paid = MDP([[[1.0 + 9e-10]]], next_state_rewards=[[[3.0]]])
    assert paid.rewards.tolist() == [[3.0]]
    assert not MDP(P, R).row_defect.any()


def test_explicit_zeros_are_not_kept() -> None:
    data, places = [1.0, 0.0, 0.0, 1.0, 1.0], ([0, 0, 1, 1, 2], [0, 1, 0, 2, 1])
    mdp = MDP(sparse.coo_array((data, places), shape=(3, 3)), np.zeros((3, 1)), 0.5)
    assert mdp.transitions.nnz == 3 and mdp.storage == "deterministic"
    assert mdp.fingerprint == MDP(np.eye(3)[[0, 2, 1]][:, None], np.zeros((3, 1)), 0.5).fingerprint


@pytest.mark.parametrize(
    "discount",
    [
        1,
        1.0,
        1.5,
        -0.1,
        np.nan,
        np.inf,
        -np.inf,
        True,
        False,
        "0.9",
        [0.9],
        0.5j,
        1 - 1e-17,
        np.False_,
    ],
)
def test_discounts_that_are_none(discount: Any) -> None:
    for build in (lambda: MDP(P, R, discount), lambda: MDP(P, R).with_discount(discount)):
        with pytest.raises(ModelError, match=r"discount is .* in "):
            build()


def test_a_discount_that_would_become_none() -> None:
    with pytest.raises(ModelError, match="which is 0 as a double; give 0 if it is meant"):
        MDP(P, R, Fraction(1, 10**400))


def test_discounts() -> None:
    for given in (0, 0.0, np.float32(0.5), np.array(0.25), 1 - 2.0**-53):
        found = MDP(P, R, given).discount
        assert type(found) is float and found == given
    assert MDP(P, R).discount is None


def test_models_are_immutable() -> None:
    mdp = MDP(P, R, 0.5, [1.0, 0.0])
    for name in ("discount", "initial", "core", "anything"):
        with pytest.raises(AttributeError, match="immutable"):
            setattr(mdp, name, None)
    arrays = [x for x in mdp.arrays().values() if isinstance(x, np.ndarray) and x.size]
    matrix = mdp.transitions
    arrays += [mdp.states, mdp.actions, mdp.rewards, mdp.termination, mdp.row_defect]
    arrays += [matrix.data, matrix.indices, matrix.indptr, mdp.initial, mdp.pair_ptr]
    for array in arrays:
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


def test_related_models_share_what_they_have_in_common() -> None:
    mdp = MDP(random_table(5, 2, 1, 0.3), np.ones((5, 2)), 0.5, np.full(5, 0.2))
    assert mdp.with_discount(0.9).core is mdp.core is mdp.episodic(3).core
    assert mdp.with_discount(0.9).discount == 0.9 and mdp.discount == 0.5
    other = mdp.with_rewards(np.arange(10.0).reshape(5, 2))
    for name in ("prob", "col", "row_ptr", "state_ptr"):
        assert np.shares_memory(getattr(mdp.core, name), getattr(other.core, name))
    assert other.mean_rewards.tolist() == list(range(10)) and mdp.mean_rewards.max() == 1.0
    assert (other.discount, other.initial.tolist()) == (0.5, [0.2] * 5)
    with pytest.raises(ModelError, match=r"rewards has shape \(2, 5\); it must be \(5, 2\)"):
        mdp.with_rewards(np.ones((2, 5)))
    with pytest.raises(ModelError, match="reward of pair 3 is inf"):
        mdp.with_rewards(put(np.ones((5, 2)), (1, 1), np.inf))


def test_rewards_on_ending_that_are_left_out_are_zeros() -> None:
    one, other = (
        MDP(P / 2, None, 0.5, termination=H, next_state_rewards=P, termination_rewards=last)
        for last in (None, np.zeros((2, 2)))
    )
    assert np.array_equal(one.rewards, other.rewards) and one.reward_range == other.reward_range
    assert one.fingerprint == other.fingerprint


def test_return_range_holds_exactly() -> None:
    for discount in (0.1, 0.3, 0.9, 0.99):
        low, high = MDP([[[1.0]]], [[1.0]], discount).return_range
        assert Fraction(low) <= 1 / (1 - Fraction(discount)) <= Fraction(high)


def test_pickled_and_copied_models_are_the_same() -> None:
    grid = rlt.gridworld(3, 4, walls=0.2, seed=1, discount=0.9)
    models = [rlt.awkward(seed, horizon=1 + seed % 3 if seed % 2 else None) for seed in range(300)]
    for mdp in [grid, *models]:
        for twin in (pickle.loads(pickle.dumps(mdp)), copy.deepcopy(mdp), copy.copy(mdp)):
            assert type(twin) is type(mdp) and repr(twin) == repr(mdp)
            assert twin.fingerprint == mdp.fingerprint and twin.storage == mdp.storage
    assert copy.deepcopy(grid).layout.marks == grid.layout.marks


def test_ranges_of_rewards_and_discounted_returns() -> None:
    assert MDP(P, R, 0.5).reward_range == (0.0, 3.0)
    assert MDP(P, R - 1.0, 0.5).return_range == (-2.0, 4.0)
    ends = MDP(P / 2, R + 1.0, 0.5, termination=[[0.5, 0.5], [0.5, 0.5]])
    assert ends.return_range == (1.0, 8.0)  # it may end after the first reward
    assert MDP(P / 2, -R - 1, 0.5, termination=H).return_range == (-8.0, -1.0)
    with pytest.raises(ModelError, match="has no discount"):
        MDP(P, R).return_range  # noqa: B018
    for seed in range(100):
        mdp = rlt.awkward(seed)
        low, high = mdp.return_range
        for policy in (rlt.solve(mdp).policy, rlt.solve(mdp.with_rewards(-mdp.rewards)).policy):
            value = rlt.evaluate(mdp, policy)
            slack = 1e-9 * max(abs(low), abs(high))
            assert low - slack <= value.min() and value.max() <= high + slack


def test_sizes_and_words() -> None:
    mdp = MDP(P, R, 0.5)
    rows = rows_of(mdp)
    assert rows.state.tolist() == [0, 0, 1, 1] and rows.action.tolist() == [0, 1, 0, 1]
    assert repr(mdp) == "MDP(2 states, 2 actions, discount 0.5)"
    ragged = MDP.from_pairs([0, 1, 1], [0, 0, 1], np.full((3, 2), 0.5), [0, 0, 0])
    assert repr(ragged) == "MDP(2 states, 2 actions, 3 pairs, no discount)"
    assert mdp.nbytes >= 8 * (8 + 4) and MDP(P / 2, R, termination=H).nbytes > mdp.nbytes
    assert mdp.table([1, 2, 3, 4]).tolist() == [[1.0, 2.0], [3.0, 4.0]]
    with pytest.raises(ModelError, match=r"x has shape \(3,\); it must be \(4,\)"):
        mdp.table([1, 2, 3])
