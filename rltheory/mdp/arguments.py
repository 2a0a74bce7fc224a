"""Checks of the numbers that a generator of models is given, and the law of one start state."""

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import ModelError

__all__ = ["at_least", "one_hot", "probability", "stages"]

_MOST_STAGES = 2**31 - 1


def at_least(name: str, value: int, least: int) -> None:
    """Refuse what is not an integer of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ModelError(f"{name} is {value!r}; it must be an integer of at least {least}")


def stages(horizon: int) -> None:
    """Refuse what is not a number of stages; more of them than states may be are none."""
    at_least("horizon", horizon, 1)
    if horizon > _MOST_STAGES:
        raise ModelError(f"horizon is {horizon}; at most {_MOST_STAGES} stages are supported")


def probability(name: str, value: float) -> None:
    """Refuse what is not a number in [0, 1]; NaN is none."""
    if not 0.0 <= value <= 1.0:
        raise ModelError(f"{name} is {value!r}; a probability must be in [0, 1]")


def one_hot(index: int, size: int) -> NDArray[np.float64]:
    """The law on 0..size-1 that is always `index`."""
    law = np.zeros(size)
    law[index] = 1.0
    return law
