"""Arrays as users have them: what is refused, and where it is wrong."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import sparse

import rltheory as rlt
from rltheory import MDP, ModelError
from rltheory.mdp.intake import flat_rows, integers, real_numbers, start_law

Array = NDArray[np.float64]
P = np.full((2, 2, 2), 0.5)
R = np.array([[0.0, 1.0], [2.0, 3.0]])


def put(array: Array, place: tuple[int, ...], value: float) -> Array:
    changed = array.copy()
    changed[place] = value
    return changed


BAD: list[tuple[str, Callable[[], Any], str]] = [
    (
        "sum",
        lambda: MDP(put(P, (1, 0, 1), 0.75), R),
        "row transitions[1, 0] sums to 1.25; a transition row must sum to 1 within 1e-9",
    ),
    ("sum just off", lambda: MDP(put(P, (0, 1, 0), 0.5 + 2e-9), R), "row transitions[0, 1] sums"),
    (
        "sum with exit",
        lambda: MDP(P, R, termination=put(0 * R, (1, 0), 0.5)),
        "row transitions[1, 0] sums to 1.5 with its termination 0.5",
    ),
    (
        "sparse sum",
        lambda: MDP(sparse.csr_array([[0.5, 0.5], [0.25, 0.5]]), R[:, :1]),
        "row transitions[1, 0] sums to 0.75",
    ),
    (
        "empty sparse row",
        lambda: MDP(sparse.csr_array([[0.0, 0.0], [0.5, 0.5]]), R[:, :1]),
        "row transitions[0, 0] sums to 0",
    ),
    (
        "negative",
        lambda: MDP(put(put(P, (1, 0, 1), -0.5), (1, 0, 0), 1.5), R),
        "transitions[1, 0, 1] is -0.5; a probability must be at least 0",
    ),
    ("nan", lambda: MDP(put(P, (1, 0, 1), np.nan), R), "transitions[1, 0, 1] is nan"),
    ("infinite", lambda: MDP(put(P, (1, 0, 1), np.inf), R), "transitions[1, 0, 1] is inf"),
    (
        "sparse negative",
        lambda: MDP(sparse.csr_array([[1.5, -0.5], [1, 0]]), R[:, :1]),
        "transitions[0, 0, 1] is -0.5",
    ),
    (
        "exit negative",
        lambda: MDP(P, R, termination=put(0 * R, (1, 0), -0.5)),
        "termination[1, 0] is -0.5; a probability must be at least 0",
    ),
    (
        "exit nan",
        lambda: MDP(P, R, termination=put(0 * R, (0, 1), np.nan)),
        "termination[0, 1] is nan",
    ),
    ("reward inf", lambda: MDP(P, put(R, (1, 0), -np.inf)), "rewards[1, 0] is -inf"),
    ("reward nan", lambda: MDP(P, put(R, (0, 1), np.nan)), "rewards[0, 1] is nan"),
    (
        "outcome nan",
        lambda: MDP(P, next_state_rewards=put(P, (1, 0, 1), np.nan)),
        "next_state_rewards[1, 0, 1] is nan; it must be finite",
    ),
    (
        "last reward",
        lambda: MDP(P, next_state_rewards=P, termination_rewards=put(R, (1, 1), np.inf)),
        "termination_rewards[1, 1] is inf",
    ),
    (
        "mean",
        lambda: MDP(
            [[[1.0]]],
            next_state_rewards=[[[1.7e308]]],
            termination=[[5e-10]],
            termination_rewards=[[1.7e308]],
            discount=0.5,
        ),
        "overflows",
    ),
    ("no rewards", lambda: MDP(P), "neither of rewards and next_state_rewards given"),
    ("two rewards", lambda: MDP(P, R, next_state_rewards=P), "both of rewards"),
    ("last alone", lambda: MDP(P, R, termination_rewards=R), "without next_state_rewards"),
    ("no new rewards", lambda: MDP(P, R).with_rewards(None), "rewards has dtype object"),
    ("two dimensions", lambda: MDP(np.eye(2), R), "transitions has shape (2, 2); it must be"),
    ("not square", lambda: MDP(np.ones((2, 3, 3)), R), "transitions has shape (2, 3, 3)"),
    ("staged", lambda: MDP(np.stack([P, P]), R), "transitions has shape (2, 2, 2, 2)"),
    ("rewards short", lambda: MDP(P, R[:1]), "rewards has shape (1, 2); it must be (2, 2)"),
    (
        "rewards turned",
        lambda: MDP(np.full((3, 2, 3), 1 / 3), np.ones((2, 3))),
        "rewards has shape (2, 3); it must be (3, 2)",
    ),
    ("outcomes short", lambda: MDP(P, next_state_rewards=P[:1]), "next_state_rewards has shape"),
    ("sparse shape", lambda: MDP(sparse.csr_array(np.ones((3, 2))), R), "it must be (S*A, S)"),
    ("empty", lambda: MDP(np.zeros((0, 1, 0)), np.zeros((0, 1))), "0 states and 1 actions"),
    ("no actions", lambda: MDP(np.zeros((2, 0, 2)), np.zeros((2, 0))), "2 states and 0 actions"),
    ("empty list", lambda: MDP([], []), "transitions has shape (0,)"),
    ("empty sparse", lambda: MDP(sparse.csr_array((0, 2)), np.zeros((0, 1))), "shape (0, 2)"),
    ("bool", lambda: MDP(P > 0, R), "transitions has dtype bool; it must hold real numbers"),
    ("complex", lambda: MDP(P + 0j, R), "transitions has dtype complex128"),
    ("text", lambda: MDP(P, [["a", "b"], ["c", "d"]]), "rewards has dtype <U1"),
    ("none", lambda: MDP(None, R), "transitions has dtype object"),
    ("masked", lambda: MDP(np.ma.masked_less(P, 0.6), R), "transitions has masked entries"),
    ("ragged list", lambda: MDP(P, [[1.0], [1.0, 2.0]]), "rewards is a ragged list"),
    (
        "layout",
        lambda: MDP(P, R, layout=rlt.Grid(np.array([[0, 0]]), ("a", "b"))),
        "the layout must show each of the 2 states once",
    ),
    ("law", lambda: MDP(P, R, reward_law="bernoulli"), "reward_law is 'bernoulli'"),
    (
        "next too large",
        lambda: MDP.deterministic([[0, 2], [1, 0]], R),
        "next_states[0, 1] is 2; it must be in 0..1, or -1 where the episode ends",
    ),
    ("next below", lambda: MDP.deterministic([[0, 1], [-2, 0]], R), "next_states[1, 0] is -2"),
    ("next float", lambda: MDP.deterministic([[0.0, 1.0], [1.0, 0.0]], R), "dtype float64"),
    ("next flat", lambda: MDP.deterministic([0, 1], R), "next_states has shape (2,)"),
    ("next empty", lambda: MDP.deterministic(np.zeros((0, 2), int), R), "not empty"),
]


@pytest.mark.parametrize(("build", "words"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_what_is_no_model_is_refused_where_it_is_wrong(
    build: Callable[[], Any], words: str
) -> None:
    with pytest.raises(ModelError) as caught:
        build()
    assert words in str(caught.value) and "\n" not in str(caught.value)


H = np.full((2, 2), 0.5)
BAD_PAIRS: list[tuple[tuple[Any, ...], dict[str, Any], str]] = [
    (([0, 1, 0], [0, 0, 0], np.full((3, 2), 0.5), [0] * 3), {}, "transitions[0, 0] is given twice"),
    (([0, 0], [0, 1], H, [0, 0]), {}, "state 1 has no action; every state needs at least one"),
    (([0, 2], [0, 0], H, [0, 0]), {}, "states[1] is 2; it must be 0..1"),
    (([-1, 1], [0, 0], H, [0, 0]), {}, "states[0] is -1; it must be 0..1"),
    (([0, 1], [0, -1], H, [0, 0]), {}, "actions[1] is -1; it must be at least 0"),
    (([0, 1], [0, 3], H, [0, 0]), {"n_actions": 3}, "actions[1] is 3; labels are 0..2"),
    (([0, 1], [0], H, [0, 0]), {}, "states has 2 entries and actions 1"),
    (([0, 1], [0, 0], np.full((3, 2), 0.5), [0, 0]), {}, "it must be (2, S), one row a pair"),
    (([0, 1], [0, 0], H, [0, 0, 0]), {}, "rewards has shape (3,); it must be (2,)"),
    (([0, 1], [0, 0], H, [0, 0]), {"n_states": 3}, "n_states is 3; transitions has 2 columns"),
    (([0, 1], [0, 0], H, [0, 0]), {"n_actions": 2.5}, "n_actions is 2.5"),
    (([0.0, 1.0], [0, 0], H, [0, 0]), {}, "states has dtype float64; it must hold integers"),
    (([[0], [1]], [0, 0], H, [0, 0]), {}, "states has shape (2, 1); it must have one dimension"),
    (([], [], np.zeros((0, 2)), []), {}, "2 states and 0 pairs"),
    (([1, 0], [2, 0], [[0.5, 0.7], [0.5, 0.5]], [0, 0]), {}, "row transitions[1, 2] sums to 1.2"),
    (([1, 0], [2, 0], [[1.5, -0.5], [0.5, 0.5]], [0, 0]), {}, "transitions[1, 2, 1] is -0.5"),
    (([1, 0], [2, 0], H, [np.nan, 0]), {}, "rewards[1, 2] is nan"),
    (([1, 0], [2, 0], H, [0, 0]), {"termination": [0, 0.5]}, "transitions[0, 0] sums to 1.5"),
]


@pytest.mark.parametrize(("arguments", "named", "words"), BAD_PAIRS)
def test_bad_pairs_are_named_as_pairs(
    arguments: tuple[Any, ...], named: dict[str, Any], words: str
) -> None:
    with pytest.raises(ModelError) as caught:
        MDP.from_pairs(*arguments, **named)
    assert words in str(caught.value)


def broken_csr(places: list[int], data: list[float] | None = None) -> sparse.csr_array:
    matrix = sparse.csr_array(([0.5, 0.5, 1.0] if data is None else data, [0, 1, 0], [0, 2, 3]))
    matrix.resize((2, 2))
    matrix.indices = np.array(places)
    return matrix


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        (broken_csr([0, 7, 0]), "row transitions[0, 0] leads to state 7; states are 0..1"),
        (broken_csr([0, 1, -1]), "row transitions[1, 0] leads to state -1"),
        (broken_csr([0, 2**40, 0]), f"transitions leads to state {2**40}, above {2**31 - 1}"),
        (broken_csr([1, 1, 0]), "row transitions[0, 0] names state 1 twice"),
        (broken_csr([0, 1, 0], [0.5, 0.5, np.nan]), "transitions[1, 0, 0] is nan"),
    ],
)
def test_sparse_arrays_that_are_damaged(matrix: Any, words: str) -> None:
    with pytest.raises(ModelError) as caught:
        MDP(matrix, np.zeros((2, 1)))
    assert words in str(caught.value)


def test_duplicates_are_refused_in_every_format_that_can_hold_them() -> None:
    data, row, col = [0.5, 0.25, 0.25, 1.0], [0, 0, 0, 1], [0, 1, 1, 0]
    coo = sparse.coo_array((data, (row, col)), shape=(2, 2))
    csr = sparse.csr_array((data, col, [0, 3, 4]), shape=(2, 2))
    csc = sparse.csc_array(([0.5, 1.0, 0.25, 0.25], [0, 1, 0, 0], [0, 2, 4]), shape=(2, 2))
    bsr = sparse.bsr_array((np.reshape(data, (4, 1, 1)), col, [0, 3, 4]), shape=(2, 2))
    for matrix in (coo, csr, csc, bsr):
        with pytest.raises(ModelError, match="twice"):
            MDP(matrix, np.zeros((2, 1)))
        assert matrix.nnz == 4  # and the array given is as it was
    with pytest.raises(ModelError, match="next_state_rewards names an entry twice"):
        MDP(csr[[1, 1]], next_state_rewards=coo)


def test_unsorted_columns_are_sorted_in_a_copy() -> None:
    matrix = sparse.csr_array(([0.25, 0.75, 1.0], [1, 0, 0], [0, 2, 3]), shape=(2, 2))
    outcome = sparse.csr_array(([5.0, 6.0, 7.0], [1, 0, 0], [0, 2, 3]), shape=(2, 2))
    mdp = MDP(matrix, next_state_rewards=outcome)
    assert mdp.transitions.toarray().tolist() == [[0.75, 0.25], [1.0, 0.0]]
    assert mdp.mean_rewards.tolist() == [0.75 * 6 + 0.25 * 5, 7.0]
    assert matrix.indices.tolist() == [1, 0, 0]


def test_numbers() -> None:
    for given in ([1, 2], (1.0, 2.0), np.array([1, 2], np.uint8), np.array([1, 2], np.float32)):
        found = real_numbers("x", given)
        assert found.dtype == np.float64 and found.tolist() == [1.0, 2.0]
    assert real_numbers("x", np.ones((2, 3)).T).flags.c_contiguous
    for bad in ([True], ["1"], [1j], [None], object()):
        with pytest.raises(ModelError, match=r"x has dtype .*; it must hold real numbers"):
            real_numbers("x", bad)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([[1, 2**53 + 1]], r"x\[0, 1\] is 9007199254740993"),
        ([-(2**53) - 1], r"x\[0\] is -9007199254740993"),
        (2**63 - 1, "x is 9223372036854775807"),
        (np.array([2**64 - 1], np.uint64), "x.0. is 18446744073709551615"),
    ],
)
def test_numbers_that_no_double_holds(given: object, words: str) -> None:
    with pytest.raises(ModelError, match=words + ", which no double holds; round it first"):
        real_numbers("x", given)


@pytest.mark.skipif(np.finfo(np.longdouble).nmant <= 52, reason="long doubles are doubles here")
def test_long_doubles_that_no_double_holds() -> None:
    third = np.longdouble(1) / 3
    with pytest.raises(
        ModelError, match=r"x\[1\] is 0.33333333333333333\d*, which no double holds"
    ):
        real_numbers("x", [0.5, third])
    with pytest.raises(ModelError, match=r"x\[0\] is 3.33333333333333333\d*e\+3999, which no"):
        real_numbers("x", [third * np.longdouble("1e4000")])
    with pytest.raises(ModelError, match=r"transitions.data\[0\] is 0.3333"):
        MDP(sparse.csr_array(np.full((1, 1), third)), np.ones((1, 1)))


def test_long_numbers_that_a_double_holds() -> None:
    for exact in (2**53 + 2, -(2**53), -(2**63), 2**63, np.longdouble("0.125")):
        assert Fraction(float(real_numbers("x", exact))) == Fraction(*exact.as_integer_ratio())
    assert np.isnan(real_numbers("x", np.longdouble("nan")))


def test_sparse_numbers_that_no_double_holds() -> None:
    one = sparse.csr_array(np.ones((1, 1)))
    with pytest.raises(ModelError, match=r"next_state_rewards.data\[0\] is 1152921504606846977"):
        MDP(one, next_state_rewards=sparse.csr_array(np.array([[2**60 + 1]])))


def test_indices() -> None:
    assert integers("x", [1, 2]).tolist() == [1, 2] and integers("x", []).dtype == np.int64
    for bad, words in (
        ([1.0], "x has dtype float64"),
        ([True], "x has dtype bool"),
        ([[1]], "must have one dimension"),
        (np.array([2**63], np.uint64), "above 2^63 - 1"),
    ):
        with pytest.raises(ModelError) as caught:
            integers("x", bad)
        assert words in str(caught.value)


def test_start_laws_are_copied_and_read_only() -> None:
    law = np.array([0.5, 0.5])
    kept = start_law(law, 2)
    law[0] = 9.0
    assert kept is not None and kept.tolist() == [0.5, 0.5] and not kept.flags.writeable
    assert start_law(None, 2) is None
    assert start_law([1.0 + 9e-10, 0.0], 2) is not None


def test_one_number_a_row_is_broadcast_over_stages() -> None:
    table = [[1.0, 2.0], [3.0, 4.0]]
    shapes = [(3, 2, 2), (2, 2)]
    assert flat_rows("x", table, shapes).tolist() == [1.0, 2.0, 3.0, 4.0] * 3
    assert flat_rows("x", np.ones((3, 2, 2)), shapes).shape == (12,)
    assert flat_rows("x", None, shapes) is None
    with pytest.raises(ModelError, match=r"x has shape \(2, 3, 2\); it must be \(3, 2, 2\) or"):
        flat_rows("x", np.ones((2, 3, 2)), shapes)


ESCAPES: dict[str, Callable[[], Any]] = {
    "outcomes turned": lambda: MDP(np.full((2, 3, 2), 0.5), next_state_rewards=np.ones((3, 2, 2))),
    "label": lambda: MDP.from_pairs([0], [2**32], [[1.0]], [1.0]),
    "law": lambda: MDP.from_pairs([0], [0], [[1.0]], [1.0], reward_law="x"),
    "next ragged": lambda: MDP.deterministic([[0], [0, 1]], R),
    "states ragged": lambda: MDP.from_pairs([[0], [0, 1]], [0], [[1.0]], [0]),
    "bad column": lambda: MDP(broken_csr([0, 7, 0]), next_state_rewards=np.ones((2, 2))),
    "outcomes twice": lambda: MDP(
        sparse.csr_array(np.full((2, 2), 0.5)),
        next_state_rewards=sparse.csr_array(([1.0, 2.0, 3.0], [0, 0, 0], [0, 2, 3]), shape=(2, 2)),
    ),
}


@pytest.mark.parametrize("build", ESCAPES.values(), ids=ESCAPES)
def test_what_is_refused_as_well(build: Callable[[], Any]) -> None:
    with pytest.raises(ModelError):
        build()
