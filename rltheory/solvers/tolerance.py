"""What a certified gap is measured against."""

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import ConvergenceError, ModelError

__all__ = ["Tolerance", "overflow", "read_tolerance"]

DEFAULT_RTOL = 1e-10


class Bracket(Protocol):
    """A certificate of any criterion, as far as its bounds."""

    @property
    def lower(self) -> NDArray[Any]: ...
    @property
    def upper(self) -> NDArray[Any]: ...


@dataclass(frozen=True)
class Tolerance:
    """max(tol, rtol * size), size = max(max|bounds|, 2^-53 max|reward|).

    The floor of the size serves values that cancel to 0, where no relative tolerance on the
    bounds alone could ever be met.
    """

    tol: float
    rtol: float
    largest_reward: float

    def of_size(self, largest_value: float) -> float:
        """The tolerance where the largest bound is of this size."""
        size = max(largest_value, 2.0**-53 * self.largest_reward)
        return max(self.tol, self.rtol * size) if math.isfinite(size) else self.tol

    def of(self, certificate: Bracket) -> float:
        """The tolerance that the gap of this certificate must not exceed."""
        if self.rtol == 0.0:
            return self.tol
        bounds = (certificate.lower, certificate.upper)
        return self.of_size(max(float(np.abs(x).max()) for x in bounds))


def overflow(tolerance: Tolerance) -> ConvergenceError:
    """What to raise where nothing finite was computed."""
    reason = "overflow: values or residuals are not finite as doubles"
    return ConvergenceError(None, tolerance.of_size(0.0), math.inf, reason)


def read_tolerance(tol: float | None, rtol: float | None, largest_reward: float) -> Tolerance:
    """The tolerance from what was given; neither means rtol = 1e-10.

    Raises
    ------
    ModelError
        If one is negative or not a finite number.
    """
    for name, x in (("tol", tol), ("rtol", rtol)):
        if x is None:
            continue
        try:
            valid = not isinstance(x, bool | np.bool_ | str | bytes) and 0.0 <= float(x) < math.inf
        except (TypeError, ValueError, OverflowError):
            valid = False
        if not valid:
            raise ModelError(f"{name} is {x!r}; it must be finite and at least 0")
    if tol is None and rtol is None:
        rtol = DEFAULT_RTOL
    return Tolerance(float(tol or 0.0), float(rtol or 0.0), largest_reward)
