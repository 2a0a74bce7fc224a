"""Arguments of the functions of this folder: arrays of numbers in a range, or a ModelError."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rltheory.errors import ModelError

__all__ = ["checked", "counts", "level_of_error", "nonnegative", "positive", "probability"]

Array = NDArray[np.float64]


def checked(
    name: str,
    value: ArrayLike,
    good: Callable[[Array], Any],
    allowed: str = "finite, at least 0",
) -> Array:
    """The value as an array of floats, all of them `good`."""
    try:
        x = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as fault:
        raise ModelError(f"{name} is {value!r}; it must be a number or an array of them") from fault
    bad = ~np.asarray(good(x))
    if bad.any():
        raise ModelError(f"{name} is {float(x[bad].flat[0])!r}; it must be {allowed}")
    return x


def nonnegative(name: str, value: ArrayLike) -> Array:
    return checked(name, value, lambda x: (x >= 0.0) & (x < np.inf))


def positive(name: str, value: ArrayLike) -> Array:
    return checked(name, value, lambda x: (x > 0.0) & (x < np.inf), "finite, above 0")


def counts(n: ArrayLike) -> Array:
    return nonnegative("n", n)


def level_of_error(delta: ArrayLike) -> Array:
    return checked("delta", delta, lambda x: (x > 0.0) & (x < 1.0), "in (0, 1)")


def probability(name: str, p: ArrayLike) -> Array:
    return checked(name, p, lambda x: (x >= 0.0) & (x <= 1.0), "in [0, 1]")
