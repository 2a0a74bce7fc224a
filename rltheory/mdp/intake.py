"""From arrays as users have them to a validated model of the compiled core.

What is cheap to check is checked here: kinds and shapes. What touches every entry (sums,
signs, indices, duplicates) is checked in C++ in the same pass that copies. Nothing is ever
repaired: numbers of another kind, duplicates and rows that do not sum to 1 are refused.

An array is used without a copy only when nobody can write to it: it and everything it is a
view of are read-only (memory maps opened for reading, shared arrays of workers).
"""

import math
import mmap
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from rltheory import _core
from rltheory.errors import ModelError

__all__ = ["as_array", "build", "flat_rows", "frozen", "integers", "real_numbers", "start_law"]


def as_array(name: str, x: Any) -> NDArray[Any]:
    """The argument as an array of any kind; refuses ragged lists, and entries that are masked."""
    if np.ma.is_masked(x):
        raise ModelError(f"{name} has masked entries; every entry must be a number")
    try:
        return np.asarray(x)
    except ValueError:
        raise ModelError(f"{name} is a ragged list; it must be an array of numbers") from None


def real_numbers(name: str, x: Any) -> NDArray[np.float64]:
    """The argument as a C-contiguous float64 array; refuses booleans, texts, complex numbers,
    and integers and long doubles that no double holds."""
    array = as_array(name, x)
    if array.dtype.kind not in "fiu":
        hint = "; exact=True takes fractions" if array.dtype.kind == "O" else ""
        raise ModelError(f"{name} has dtype {array.dtype}; it must hold real numbers{hint}")
    with np.errstate(over="ignore"):  # of a long double: reported below
        doubles = np.ascontiguousarray(array, dtype=np.float64).reshape(array.shape)
    _refuse_rounded(name, array, doubles)
    return doubles


def _refuse_rounded(name: str, array: NDArray[Any], doubles: NDArray[np.float64]) -> None:
    if array.dtype.itemsize < 8 or array.dtype == np.float64 or not array.size:
        return
    if array.dtype.kind == "f":
        same = (doubles.astype(array.dtype) == array) | np.isnan(doubles)
    else:
        if max(-int(array.min()), int(array.max())) <= 2**53:
            return
        same = np.asarray(doubles.astype(object) == array.astype(object))  # Python compares exactly
    if not same.all():
        place = tuple(int(i) for i in np.argwhere(~same)[0])
        where = f"[{', '.join(map(str, place))}]" if place else ""
        raise ModelError(
            f"{name}{where} is {array[place]!s}, which no double holds; "
            "round it first if that is meant"
        )


def integers(name: str, x: Any) -> NDArray[np.int64]:
    """The argument as a C-contiguous int64 array of one dimension."""
    array = as_array(name, x)
    if array.ndim != 1:
        raise ModelError(f"{name} has shape {array.shape}; it must have one dimension")
    if array.dtype.kind not in "iu" and array.size:
        raise ModelError(f"{name} has dtype {array.dtype}; it must hold integers")
    if array.dtype.kind == "u" and array.size and array.max() > np.iinfo(np.int64).max:
        raise ModelError(f"{name} has an entry of {array.max()}, above 2^63 - 1")
    return np.ascontiguousarray(array, dtype=np.int64)


def start_law(initial: Any, n_states: int) -> NDArray[np.float64] | None:
    """A read-only distribution over states, or None."""
    if initial is None:
        return None
    law = np.array(real_numbers("initial", initial))
    if law.shape != (n_states,):
        raise ModelError(f"initial has shape {law.shape}; it must be ({n_states},), one a state")
    wrong = np.flatnonzero(~(law >= 0.0))
    if len(wrong):
        raise ModelError(
            f"initial[{wrong[0]}] is {law[wrong[0]]!s}; a probability must be at least 0"
        )
    if not abs(law.sum() - 1.0) <= 1e-9:
        raise ModelError(f"initial sums to {law.sum()!s}; a law must sum to 1 within 1e-9")
    law.setflags(write=False)
    return law


def flat_rows(name: str, x: Any, shapes: Sequence[tuple[int, ...]]) -> NDArray[np.float64] | None:
    """One number a row: the first of `shapes` is what is stored, others are broadcast to it."""
    if x is None:
        return None
    array = real_numbers(name, x)
    if array.shape not in shapes:
        allowed = " or ".join(str(shape) for shape in dict.fromkeys(shapes))
        raise ModelError(f"{name} has shape {array.shape}; it must be {allowed}")
    if array.size == math.prod(shapes[0]):
        return array.reshape(-1)
    return np.ascontiguousarray(np.broadcast_to(array, shapes[0])).reshape(-1)


def build(
    n_states: int,
    n_actions: int,
    n_stages: int,
    pairs: tuple[NDArray[np.int64], NDArray[np.int64]] | None,
    transitions: Any,
    rewards: NDArray[np.float64] | None,
    termination: NDArray[np.float64] | None,
    next_state_rewards: Any,
    termination_rewards: NDArray[np.float64] | None,
) -> _core.model.Model:
    """Validate rows of probabilities and make the core's model of them.

    Parameters
    ----------
    n_states, n_actions, n_stages : int
        With pairs, an n_actions of 0 stands for one more than the largest action.
    pairs : tuple of two ndarrays of int64, shape (rows,), optional
        ``stage * S + state`` and the action of each row; None for a full table in order.
    transitions : ndarray of shape (rows, S), or sparse array
    rewards, termination, termination_rewards : ndarray of shape (rows,), optional
    next_state_rewards : like transitions, optional
        In place of `rewards`.
    """
    if (rewards is None) == (next_state_rewards is None):
        what = "neither" if rewards is None else "both"
        raise ModelError(f"{what} of rewards and next_state_rewards given; a model needs one")
    if termination_rewards is not None and next_state_rewards is None:
        raise ModelError("termination_rewards is given without next_state_rewards")
    state, action = (None, None) if pairs is None else pairs
    of_rows = (rewards, termination, termination_rewards)
    rows_alias = all(x is None or frozen(x) for x in of_rows)
    try:
        if sparse.issparse(transitions):
            csr = _csr("transitions", transitions)
            row_ptr, col, prob = _arrays_of(csr)
            outcome = _on_pattern(next_state_rewards, csr)
            alias = all(map(frozen, (csr.indptr, csr.indices, csr.data)))
            alias = alias and (outcome is None or frozen(outcome))
            return _core.model.from_csr(
                n_states,
                n_actions,
                n_stages,
                state,
                action,
                row_ptr,
                col,
                prob,
                rewards,
                termination,
                outcome,
                termination_rewards,
                alias,
                rows_alias,
            )
        outcome = next_state_rewards
        if outcome is not None:
            if sparse.issparse(outcome):
                outcome = outcome.toarray()
            outcome = real_numbers("next_state_rewards", outcome)
            if outcome.size != transitions.size:
                raise ModelError(
                    f"next_state_rewards has shape {outcome.shape}; "
                    "it must have one entry for each of transitions"
                )
            outcome = outcome.reshape(-1)
        alias = frozen(transitions) and (outcome is None or frozen(outcome))
        return _core.model.from_dense(
            n_states,
            n_actions,
            n_stages,
            state,
            action,
            transitions.reshape(-1),
            rewards,
            termination,
            outcome,
            termination_rewards,
            alias,
            rows_alias,
        )
    except _core.model.ModelFault as fault:
        raise ModelError(str(fault)) from None


def _csr(name: str, matrix: Any) -> Any:
    if matrix.dtype.kind not in "fiu":
        raise ModelError(f"{name} has dtype {matrix.dtype}; it must hold real numbers")
    if matrix.format == "csr":
        return matrix
    # Conversion adds up duplicates without a word: they are counted before and after.
    csr = matrix.tocsr()
    if csr.nnz != matrix.nnz and matrix.format != "dia":
        raise ModelError(f"{name} names an entry twice; duplicates are refused")
    return csr


def _arrays_of(csr: Any) -> tuple[NDArray[Any], NDArray[np.int32], NDArray[np.float64]]:
    width = np.int32 if csr.indptr.dtype == np.int32 else np.int64
    row_ptr = np.ascontiguousarray(csr.indptr, dtype=width)
    indices, data = csr.indices, csr.data
    entries = int(row_ptr[-1]) if len(row_ptr) else 0
    if not 0 <= entries <= min(len(indices), len(data)):
        raise ModelError("transitions is a damaged sparse array: pointers beyond its entries")
    if len(indices) > entries or len(data) > entries:
        indices, data = indices[:entries], data[:entries]
    if indices.dtype.itemsize > 4 and entries:
        extreme, limit = max(int(indices.max()), -int(indices.min()) - 1), np.iinfo(np.int32).max
        if extreme > limit:
            raise ModelError(f"transitions leads to state {extreme}, above {limit}")
    col = np.ascontiguousarray(indices, dtype=np.int32)
    return row_ptr, col, real_numbers("transitions.data", data)


def _on_pattern(matrix: Any, pattern: Any) -> NDArray[np.float64] | None:
    """Entries of `matrix` (0 where it has none) at the places that `pattern` stores."""
    if matrix is None:
        return None
    if not sparse.issparse(matrix):
        matrix = real_numbers("next_state_rewards", matrix)
        matrix = matrix.reshape(-1, matrix.shape[-1]) if matrix.ndim else matrix
    if matrix.shape != pattern.shape:
        raise ModelError(
            f"next_state_rewards has shape {matrix.shape}; it must be {pattern.shape}, "
            "like transitions"
        )
    pointers, columns = pattern.indptr, pattern.indices
    if pointers[0] != 0 or (np.diff(pointers) < 0).any():
        raise ModelError("transitions is a damaged sparse array: its pointers do not ascend")
    if columns.size and not 0 <= columns.min() <= columns.max() < pattern.shape[1]:
        wrong = columns[(columns < 0) | (columns >= pattern.shape[1])][0]
        raise ModelError(
            f"transitions leads to state {wrong}; states are 0..{pattern.shape[1] - 1}"
        )
    row = np.repeat(np.arange(pattern.shape[0]), np.diff(pointers))
    if not sparse.issparse(matrix):
        return np.ascontiguousarray(matrix[row, pattern.indices])
    csr = _csr("next_state_rewards", matrix)
    _refuse_duplicates("next_state_rewards", csr)
    same = np.array_equal(csr.indptr, pattern.indptr) and np.array_equal(
        csr.indices, pattern.indices
    )
    entries = csr.data if same else np.asarray(csr[row, pattern.indices]).reshape(-1)
    return real_numbers("next_state_rewards.data", entries)


def _refuse_duplicates(name: str, csr: Any) -> None:
    if csr.has_canonical_format:
        return
    row = np.repeat(np.arange(csr.shape[0], dtype=np.int64), np.diff(csr.indptr))
    places = row * csr.shape[1] + csr.indices
    if len(np.unique(places)) != len(places):
        raise ModelError(f"{name} names an entry twice; duplicates are refused")


def frozen(array: Any) -> bool:
    """Whether nobody can write to the array: it and its whole base chain are read-only."""
    while isinstance(array, np.ndarray | memoryview):
        if array.flags.writeable if isinstance(array, np.ndarray) else not array.readonly:
            return False
        array = array.base if isinstance(array, np.ndarray) else array.obj
    if isinstance(array, mmap.mmap):
        return memoryview(array).readonly
    return array is None or isinstance(array, bytes) or _core.support.is_own_memory(array)
