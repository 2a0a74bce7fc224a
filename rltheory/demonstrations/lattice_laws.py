"""How likely a sum of independent numbers is to be above a threshold, between two bounds.

Each number is at least 0 and has finitely many values. Values are rounded down and up to multiples
of threshold / cells; the chances that the sums of these are above the threshold enclose the chance
of the sum itself. Masses are positive, so that a convolution loses a relative (cells + 2) units of
rounding, and no more; masses themselves are taken to be known to a relative 1e-10.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["chance_above"]

Array = NDArray[np.float64]
_UNIT = 2.0**-53
_SAFE = 1e-12
_MASS = 1e-10


def chance_above(
    laws: Sequence[tuple[Array, Array]], threshold: float, cells: int = 4096
) -> tuple[float, float]:
    """Bounds (lower, upper) of P(X_1 + ... + X_m > threshold), threshold > 0.

    Parameters
    ----------
    laws : sequence of (values, masses)
        Values at least 0, and known to a relative 1e-12; masses of each law sum to 1, and are
        known to a relative 1e-10.
    threshold : float
    cells : int
        How fine the rounding is.
    """
    bounds = []
    for up in (False, True):
        total = np.zeros(cells + 2)
        total[0] = 1.0
        for values, masses in laws:
            scaled = np.asarray(values) * (cells / threshold)
            # Rounding up goes to the next multiple in any case; what is known to 1e-12 stays sure.
            places = (
                np.floor(scaled * (1.0 + _SAFE)) + 1.0 if up else np.floor(scaled * (1 - _SAFE))
            )
            if up:
                places = np.where(scaled == 0.0, 0.0, places)
            places = np.minimum(places, cells + 1).astype(np.int64)
            law = np.bincount(places, weights=masses, minlength=cells + 2)
            whole = np.convolve(total, law)
            total = whole[: cells + 2].copy()
            total[-1] += whole[cells + 2 :].sum()
        bounds.append(float(total[-1]))
    slack = len(laws) * (4.0 * (cells + 2) * _UNIT + _MASS)
    lower, upper = bounds
    return max(0.0, lower * (1.0 - slack)), min(1.0, upper * (1.0 + slack))
