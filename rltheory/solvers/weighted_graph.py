"""Graphs with rewards on their arcs, which are integers over one unit.

Fractions are put over their common denominator; doubles on the finest binary grid on which they
are integers of at most 2^57, to the nearest point.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rltheory.errors import ModelError

__all__ = ["LARGEST", "WeightedGraph", "read_graph"]

LARGEST = 2**58
"""Largest integer reward: with it, sums and products in the core stay within 128 bits."""
BITS = 57


@dataclass(frozen=True, eq=False)
class WeightedGraph:
    """A graph as arrays.

    Attributes
    ----------
    ptr : ndarray of int64, shape (V+1,)
        The arcs of vertex v are ``ptr[v] .. ptr[v+1] - 1``.
    successor : ndarray of int32, shape (E,)
    reward : ndarray of int64, shape (E,)
        In units of 1 / `unit`.
    unit : int
    error : Fraction
        By how much at most a reward is off the one given.
    given : ndarray of float64, shape (E,), or None
        The rewards given, where they were rounded.
    """

    ptr: NDArray[np.int64]
    successor: NDArray[np.int32]
    reward: NDArray[np.int64]
    unit: int = 1
    error: Fraction = Fraction(0)
    given: NDArray[np.float64] | None = None

    @property
    def n_vertices(self) -> int:
        """V."""
        return len(self.ptr) - 1

    def mean(self, arcs: Sequence[int]) -> Fraction:
        """The mean reward of some arcs."""
        return Fraction(sum(self.reward[list(arcs)].tolist()), len(arcs) * self.unit)


def read_graph(
    successor: ArrayLike, reward: Any, ptr: ArrayLike | None, exact: bool
) -> WeightedGraph:
    """The graph of what `max_cycle_mean` is given.

    Raises
    ------
    ModelError
        If shapes, indices or rewards are not as they must be; that every vertex has an arc is for
        the core to see.
    """
    to = np.asarray(successor)
    if to.size == 0 or to.ndim != (2 if ptr is None else 1):
        shape = "(V, A)" if ptr is None else "(E,), as ptr is given"
        raise ModelError(f"successor has shape {to.shape}; it must be {shape}, and not empty")
    if not np.issubdtype(to.dtype, np.integer):
        raise ModelError(f"successor has dtype {to.dtype}; it must hold integers")
    if ptr is None:
        first = np.arange(to.shape[0] + 1, dtype=np.int64) * to.shape[1]
    else:
        given = np.asarray(ptr)
        if given.ndim != 1 or len(given) < 2 or not np.issubdtype(given.dtype, np.integer):
            raise ModelError("ptr must be a list of integers, one for each vertex and one more")
        first = np.ascontiguousarray(given, dtype=np.int64)
    size = len(first) - 1
    if to.min() < 0 or to.max() >= size:
        wrong = int(to.min()) if to.min() < 0 else int(to.max())
        raise ModelError(f"successor has {wrong}; vertices are 0..{size - 1}")
    paid = np.asarray(reward)
    if paid.shape != to.shape:
        raise ModelError(f"reward has shape {paid.shape}; it must be that of successor, {to.shape}")
    flat = np.ascontiguousarray(to.reshape(-1), dtype=np.int32)
    if np.issubdtype(paid.dtype, np.signedinteger):
        return WeightedGraph(first, flat, np.ascontiguousarray(paid.reshape(-1), dtype=np.int64))
    if exact:
        return WeightedGraph(first, flat, *_common_unit(paid.reshape(-1).tolist()))
    return WeightedGraph(first, flat, *_on_grid(paid.reshape(-1)))


def _common_unit(rewards: list[Any]) -> tuple[NDArray[np.int64], int]:
    numbers = []
    for a, x in enumerate(rewards):
        try:
            numbers.append(Fraction(x))
        except (TypeError, ValueError, OverflowError, ZeroDivisionError):
            raise ModelError(f"reward {a} is {x!r}; it must be a finite number") from None
    unit = math.lcm(*{x.denominator for x in numbers})
    scaled = [int(x * unit) for x in numbers]
    if max(map(abs, scaled)) > LARGEST:
        raise ModelError(
            f"exact rewards over their common denominator {unit} are integers beyond 2^58; "
            "round them, or leave out exact=True"
        )
    return np.array(scaled, dtype=np.int64), unit


def _on_grid(
    paid: NDArray[Any],
) -> tuple[NDArray[np.int64], int, Fraction, NDArray[np.float64]]:
    try:
        rewards = np.array(paid, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise ModelError(f"reward has dtype {paid.dtype}; it must hold numbers") from None
    if not np.isfinite(rewards).all():
        a = int(np.argmin(np.isfinite(rewards)))
        raise ModelError(f"reward {a} is {rewards[a]}; it must be a finite number")
    _, exponent = np.frexp(np.abs(rewards).max())
    shift = BITS - int(exponent)
    if shift < 0:
        raise ModelError(f"the largest reward is {np.abs(rewards).max()}; it must be below 2^57")
    on_grid = np.rint(np.ldexp(rewards, shift))
    rounded = bool((on_grid != np.ldexp(rewards, shift)).any())
    error = Fraction(1, 2 ** (shift + 1)) if rounded else Fraction(0)
    return on_grid.astype(np.int64), 2**shift, error, rewards
