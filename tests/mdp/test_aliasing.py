"""What a model copies, and what it uses as it stands because nobody can write to it."""

import mmap
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import sparse

import rltheory as rlt
from rltheory import MDP

Array = NDArray[np.float64]
P = np.full((2, 2, 2), 0.5)
R = np.array([[0.0, 1.0], [2.0, 3.0]])


def frozen(array: Array) -> Array:
    """A copy that nobody can write to: its memory belongs to a bytes object."""
    return np.frombuffer(array.tobytes(), dtype=array.dtype).reshape(array.shape)


def test_what_can_be_written_to_is_copied() -> None:
    table = np.array([[[0.25, 0.75]], [[0.5, 0.5]]])
    rewards, ends, law = np.ones((2, 1)), np.zeros((2, 1)), np.array([0.5, 0.5])
    view = table.view()
    view.setflags(write=False)
    inner = table[:]
    inner.setflags(write=False)
    deep = inner[:, :, :]
    for given in (table, view, deep):
        mdp = MDP(given, rewards, 0.5, law, termination=ends)
        before = mdp.fingerprint
        assert not np.shares_memory(mdp.core.prob, table)
        table[0, 0], rewards[0], ends[0], law[0] = [1.0, 0.0], 9.0, 0.5, 0.1
        assert mdp.transitions.toarray()[0].tolist() == [0.25, 0.75]
        assert (mdp.rewards[0, 0], mdp.termination[0], mdp.initial[0]) == (1.0, 0.0, 0.5)
        assert MDP(mdp.transitions, mdp.rewards, 0.5, mdp.initial).fingerprint == before
        table[0, 0], rewards[0], ends[0], law[0] = [0.25, 0.75], 1.0, 0.0, 0.5


def test_sparse_arrays_that_can_be_written_to_are_copied() -> None:
    matrix = sparse.csr_array(np.eye(5)[[1, 2, 3, 4, 0]] / 2 + np.eye(5) / 2)
    mdp = MDP(matrix, np.zeros((5, 1)), 0.5)
    expected = matrix.toarray()
    matrix.data[:] = 7.0
    matrix.indices[:] = 0
    assert mdp.storage == "csr" and np.array_equal(mdp.transitions.toarray(), expected)


def test_memory_maps_for_reading_are_not_copied(tmp_path: Path) -> None:
    table = np.full((40, 2, 40), 1 / 40)
    np.save(tmp_path / "table.npy", table)
    for mode, aliased in (("r", True), ("r+", False), ("c", False)):
        mapped = np.load(tmp_path / "table.npy", mmap_mode=mode)
        mdp = MDP(mapped, np.zeros((40, 2)), 0.5)
        assert np.shares_memory(mdp.core.prob, mapped) == aliased
        hidden = mapped.view()
        hidden.setflags(write=False)
        assert np.shares_memory(MDP(hidden, np.zeros((40, 2)), 0.5).core.prob, mapped) == aliased
        mapped.setflags(write=False)  # the file can still be written to
        assert np.shares_memory(MDP(mapped, np.zeros((40, 2)), 0.5).core.prob, mapped) == aliased
        del mapped, hidden
        assert mdp.transitions.sum() == pytest.approx(80.0)


def test_frozen_arrays_are_not_copied() -> None:
    table = frozen(np.full((3, 2, 3), 1 / 3))
    mdp = MDP(table, np.zeros((3, 2)), 0.5)
    assert np.shares_memory(mdp.core.prob, table)
    again = MDP(mdp.core.prob.reshape(3, 2, 3), mdp.rewards, 0.5)  # nor what a model holds
    assert np.shares_memory(again.core.prob, table)
    csr = sparse.csr_array(np.eye(5)[[1, 2, 3, 4, 0]] / 2 + np.eye(5) / 2)
    parts = [frozen(x) for x in (csr.data, csr.indices.astype(np.int32), csr.indptr)]
    mdp = MDP(sparse.csr_array(tuple(parts), shape=(5, 5)), np.zeros((5, 1)))
    assert np.shares_memory(mdp.core.prob, parts[0])
    assert np.shares_memory(mdp.core.col, parts[1])


def test_what_garnet_draws_is_not_copied() -> None:
    rows = rlt.garnet(30, 2, 3, seed=1).transitions
    assert rows.indices.dtype == np.int32
    assert np.shares_memory(MDP(rows, np.zeros((30, 2))).core.prob, rows.data)


def test_frozen_arrays_that_are_not_canonical_are_copied() -> None:
    whole = np.arange(5, dtype=np.int32)
    pointers = frozen(np.array([0, 2, 3, 4, 5, 6], np.int32))
    for chances, first in (([0.25, 0.75], [1, 0]), ([0.0, 1.0], [0, 1])):
        data = frozen(np.array([*chances, 1.0, 1.0, 1.0, 1.0]))
        col = frozen(np.array([*first, *whole[1:]], np.int32))
        mdp = MDP(sparse.csr_array((data, col, pointers), shape=(5, 5)), np.zeros((5, 1)), 0.5)
        assert mdp.storage != "dense" and not np.shares_memory(mdp.core.prob, data)
        rows = mdp.transitions
        assert (np.diff(rows.indices[: rows.indptr[1]]) > 0).all() and rows.data.all()
        assert rows.toarray()[0, first].tolist() == chances
    flipped = frozen(np.full((2, 2, 2), 0.5))[::-1]
    assert not np.shares_memory(MDP(flipped, R).core.prob, flipped)


def test_a_read_only_view_of_a_writable_map_is_copied() -> None:
    for access in (mmap.ACCESS_WRITE, mmap.ACCESS_COPY):
        with mmap.mmap(-1, P.nbytes, access=access) as memory:
            memory[:] = P.tobytes()
            view = np.frombuffer(memory).reshape(P.shape)
            view.setflags(write=False)
            mdp = MDP(view, R, 0.5)
            assert not np.shares_memory(mdp.core.prob, view)
            del view


def test_a_read_only_view_of_a_bytearray_is_copied() -> None:
    memory = bytearray(P.tobytes())
    mdp = MDP(np.frombuffer(memoryview(memory).toreadonly()).reshape(P.shape), R, 0.5)
    memory[:8] = np.array([7.0]).tobytes()
    assert mdp.transitions.toarray()[0, 0] == 0.5


def test_rewards_by_successor_that_can_be_written_to_are_copied() -> None:
    dense = np.tile([0.5, 0.5, 0.0, 0.0], (4, 1))
    csr = sparse.csr_array(dense)
    parts = [frozen(x) for x in (csr.data, csr.indices, csr.indptr)]
    outcome = sparse.csr_array((np.ones(8), csr.indices.copy(), csr.indptr.copy()), shape=(4, 4))
    mdp = MDP(sparse.csr_array(tuple(parts), shape=(4, 4)), next_state_rewards=outcome)
    outcome.data[:] = 7.0
    assert mdp.reward_range == (1.0, 1.0)


def test_new_rewards_are_copied() -> None:
    rewards = np.ones((2, 2))
    mdp = MDP(P, R, 0.5).with_rewards(rewards)
    rewards[0, 0] = 7.0
    assert mdp.rewards[0, 0] == 1.0
