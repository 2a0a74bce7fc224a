"""Counts: sparse rows, arithmetic, occupancies."""

from typing import Any

import numpy as np
import pytest
from episodes import episode_lists, few, trajectories_of
from hypothesis import given
from scipy import sparse

import rltheory as rlt
from rltheory import ModelError

VISITS = [[4, 0], [1, 2]]
NEXT = [[[1, 2], [0, 0]], [[0, 1], [1, 1]]]
SUMS = [[2.0, 0.0], [-1.0, 0.5]]
COUNTS = rlt.Counts(VISITS, NEXT, SUMS)


def test_sparse_and_dense_are_the_same() -> None:
    flat = np.array(NEXT).reshape(4, 2)
    assert COUNTS.dense().tolist() == NEXT
    assert COUNTS.ends.tolist() == [[1, 0], [0, 0]]
    assert (COUNTS.n_states, COUNTS.n_actions, COUNTS.horizon, COUNTS.total) == (2, 2, None, 7)
    # Duplicates of a sparse array are counts of the same thing, in any order and kind.
    pairs = sparse.coo_array(([1, 1, 1, 1, 1, 1], ([0, 0, 0, 2, 3, 3], [1, 0, 1, 1, 1, 0])), (4, 2))
    for given_counts in (sparse.csc_array(flat), sparse.coo_array(flat), pairs):
        again = rlt.Counts(VISITS, given_counts, SUMS)
        assert (again.next_counts != COUNTS.next_counts).nnz == 0
        assert again.next_counts.has_canonical_format


def test_nothing_can_be_changed() -> None:
    for array in (COUNTS.visits, COUNTS.reward_sums, COUNTS.next_counts.data):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_occupancies_are_shares() -> None:
    assert (COUNTS.occupancy() * 7).tolist() == VISITS
    staged = rlt.Counts([[[3, 1]], [[1, 1]]], np.zeros((2, 1, 2, 1), int), np.zeros((2, 1, 2)))
    assert staged.occupancy().tolist() == [[[0.75, 0.25]], [[0.25, 0.25]]]
    with pytest.raises(ModelError, match="no visit"):
        rlt.Counts([[0]], [[[0]]], [[0.0]]).occupancy()


@few
@given(episode_lists(), episode_lists(0))
def test_counts_add_up(first: list[Any], second: list[Any]) -> None:
    one, two = trajectories_of(first), trajectories_of(second)
    both = rlt.Trajectories.concatenate([one, two]).counts()
    total = one.counts() + two.counts()
    assert total.visits.tolist() == both.visits.tolist()
    assert total.dense().tolist() == both.dense().tolist()
    assert total.reward_sums.tolist() == both.reward_sums.tolist()
    assert both.pooled().dense().tolist() == both.dense().sum(axis=0).tolist()
    assert both.pooled().ends.tolist() == both.ends.sum(axis=0).tolist()
    assert np.allclose(one.counts().occupancy(), one.occupancy(), rtol=1e-15, atol=0)


def test_counts_that_do_not_add() -> None:
    with pytest.raises(ModelError, match=r"shapes \(2, 2\) and \(1, 1\) cannot be added"):
        COUNTS + rlt.Counts([[0]], [[[0]]], [[0.0]])
    with pytest.raises(TypeError):
        COUNTS + 1  # type: ignore[operator]


SPARSE = sparse.csr_array(np.array(NEXT).reshape(4, 2))
BAD: list[tuple[str, Any, str]] = [
    ("visits", [4, 0], "visits has shape (2,); it must be (S, A), or (H, S, A)"),
    ("visits", np.zeros((0, 2), int), "not empty"),
    ("visits", [[4.0, 0.0], [1.0, 2.0]], "visits has dtype float64; it must hold integers"),
    ("visits", [[4, 0], [1, -2]], "visits[1, 1] is -2; a count must be at least 0"),
    ("visits", [[2, 0], [1, 2]], "next_counts[0, 0] sums to 3, visits[0, 0] is 2"),
    ("next_counts", [[[1, 2], [0, 1]], NEXT[1]], "next_counts[0, 1] sums to 1, visits[0, 1] is 0"),
    ("next_counts", [[[1, 2], [0, 0]], [[0, -1], [1, 1]]], "next_counts[1, 0, 1] is -1"),
    ("next_counts", [[1, 2]], "next_counts has shape (1, 2); it must be (2, 2, 2), or sparse (4"),
    ("next_counts", SPARSE[:3], "next_counts has shape (3, 2); sparse, it must be (4, 2)"),
    ("next_counts", SPARSE.astype(float), "next_counts has dtype float64"),
    ("next_counts", -SPARSE, "next_counts[0, 0, 0] is -1; a count must be at least 0"),
    ("reward_sums", [[2.0, 0.0]], "reward_sums has shape (1, 2)"),
    ("reward_sums", [[2.0, 0.5], SUMS[1]], "reward_sums[0, 1] is 0.5 without a visit"),
    ("reward_sums", [[np.nan, 0.0], SUMS[1]], "reward_sums[0, 0] is nan; it must be finite"),
    ("provenance", rlt.Provenance(n_states=3), "visits has shape (2, 2); the n_states is 3"),
    ("provenance", "me", "it must be a Provenance"),
]


@pytest.mark.parametrize(("name", "value", "words"), BAD)
def test_what_is_no_count(name: str, value: Any, words: str) -> None:
    fields: dict[str, Any] = {"visits": VISITS, "next_counts": NEXT, "reward_sums": SUMS}
    with pytest.raises(ModelError) as caught:
        rlt.Counts(**(fields | {name: value}))
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_counts_by_stage_need_not_know_a_horizon() -> None:
    origin = rlt.Provenance(n_states=1, n_actions=1, horizon=3)
    pooled = rlt.Counts([[2]], [[[2]]], [[1.0]], origin)
    assert pooled.horizon is None
    with pytest.raises(ModelError, match="the horizon is 3"):
        rlt.Counts([[[2]]], [[[[2]]]], [[[1.0]]], origin)
