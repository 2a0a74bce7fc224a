"""Checks of the arrays that data are made of; each names the entry that is wrong.

States, actions and stages are kept in 32 bits, like the columns of a model; rewards in doubles. An
array is taken without a copy only when nobody can write to it.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import ModelError
from rltheory.mdp.data.provenance import Provenance
from rltheory.mdp.intake import as_array, frozen

__all__ = [
    "discrete",
    "flags",
    "indices",
    "positions",
    "real_entries",
    "same_length",
    "the_provenance",
]

_LARGEST = np.iinfo(np.int32).max


def indices(
    name: str, x: Any, below: int | None = None, least: int = 0, what: str = ""
) -> NDArray[np.int32]:
    """A read-only int32 array of one dimension with entries in least..below-1."""
    array = as_array(name, x)
    if array.ndim != 1:
        raise ModelError(f"{name} has shape {array.shape}; it must have one dimension")
    if array.dtype.kind not in "iu" and array.size:
        raise ModelError(f"{name} has dtype {array.dtype}; it must hold integers")
    limit = _LARGEST if below is None else below - 1
    if array.size and not (array.min() >= least and array.max() <= limit):
        at = int(np.flatnonzero((array < least) | (array > limit))[0])
        allowed = (
            f"at least {least}" if below is None and array[at] < least else f"{least}..{limit}"
        )
        raise ModelError(f"{name}[{at}] is {array[at]}; it must be {allowed}{what}")
    return _owned(array, np.int32)


def positions(name: str, x: Any) -> NDArray[np.int64]:
    """A read-only int64 array of one dimension with entries of at least 1: lengths."""
    array = as_array(name, x)
    if array.ndim != 1:
        raise ModelError(f"{name} has shape {array.shape}; it must have one dimension")
    if array.dtype.kind not in "iu" and array.size:
        raise ModelError(f"{name} has dtype {array.dtype}; it must hold integers")
    wrong = np.flatnonzero(array < 1)
    if len(wrong):
        raise ModelError(f"{name}[{wrong[0]}] is {array[wrong[0]]}; it must be at least 1")
    return _owned(array, np.int64)


def real_entries(name: str, x: Any) -> NDArray[np.float64]:
    """A read-only float64 array of one dimension, all of it finite."""
    array = as_array(name, x)
    if array.ndim != 1:
        raise ModelError(f"{name} has shape {array.shape}; it must have one dimension")
    if array.dtype.kind not in "fiu" and array.size:
        raise ModelError(f"{name} has dtype {array.dtype}; it must hold real numbers")
    values = _owned(array, np.float64)
    # One pass for the common case: a sum is finite only if all its terms are.
    with np.errstate(all="ignore"):
        suspect = not np.isfinite(values.sum())
    if suspect:
        wrong = np.flatnonzero(~np.isfinite(values))
        if len(wrong):
            raise ModelError(f"{name}[{wrong[0]}] is {values[wrong[0]]!s}; it must be finite")
    return values


def same_length(size: int, like: str, **arrays: NDArray[Any]) -> None:
    """Refuse arrays that do not have `size` entries, as `like` has."""
    for name, array in arrays.items():
        if len(array) != size:
            raise ModelError(f"{name} has {len(array)} entries and {like} {size}")


def the_provenance(provenance: Any) -> Provenance:
    """The argument, or an empty provenance for None."""
    if provenance is None:
        return Provenance()
    if not isinstance(provenance, Provenance):
        raise ModelError(f"provenance is {provenance!r}; it must be a Provenance")
    return provenance


def _owned(array: NDArray[Any], dtype: Any) -> NDArray[Any]:
    plain = np.ascontiguousarray(array, dtype=dtype)
    if plain is array or np.shares_memory(plain, array):
        if frozen(array):
            return plain
        plain = plain.copy()
    plain.setflags(write=False)
    return plain


def discrete(name: str, x: Any) -> NDArray[Any]:
    """A column as other tools keep it, (n,) or (n, 1), as (n,)."""
    array = as_array(name, x)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise ModelError(
            f"{name} has shape {array.shape}; it must be (n,) or (n, 1): numbers of finitely many "
            "states or actions, or rewards"
        )
    return array


def flags(name: str, x: Any) -> NDArray[np.bool_]:
    """A column of booleans, or of numbers that are 0 or 1."""
    array = discrete(name, x)
    if array.dtype.kind not in "biuf" and array.size:
        raise ModelError(f"{name} has dtype {array.dtype}; it must hold booleans")
    wrong = np.flatnonzero((array != 0) & (array != 1))
    if len(wrong):
        raise ModelError(f"{name}[{wrong[0]}] is {array[wrong[0]]!s}; it must be 0 or 1")
    return array.astype(np.bool_)
