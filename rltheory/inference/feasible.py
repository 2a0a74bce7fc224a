"""Lines that pass through all of several intervals: what intervals alone say about a slope.

Given low_i <= y_i <= high_i at x_i, infinite ends allowed, a line a + b x passes through all of
them iff max_i (low_i - b x_i) <= min_j (high_j - b x_j), that is, iff for every two i, j with
x_i < x_j

    (low_j - high_i) / (x_j - x_i)  <=  b  <=  (high_j - low_i) / (x_j - x_i),

and low_i <= high_j where x_i = x_j. The slopes that are left form an interval, exact up to the
rounding of these quotients; no assumption on errors enters. How far the intervals are from any
line, and which line is deepest inside them, is a linear program in (a, b) and a slack:

    max t   such that   low_i + t <= design_i . beta <= high_i - t.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from rltheory.errors import ClaimError

__all__ = ["deepest", "feasible_slopes"]

Array = NDArray[np.float64]


def feasible_slopes(x: Any, low: Any, high: Any) -> tuple[float, float] | None:
    """The slopes of lines through all intervals [low_i, high_i] at x_i; None if there is none.

    Parameters
    ----------
    x : array_like, shape (m,)
        Finite.
    low, high : array_like, shape (m,)
        low <= high; minus and plus infinity where there is no bound.

    Examples
    --------
    >>> from rltheory.inference.feasible import feasible_slopes
    >>> feasible_slopes([0, 1, 3], [0, 1, 5], [1, 3, 6])
    (1.333333333333..., 2.0)
    >>> feasible_slopes([0, 1, 2], [0, 5, 0], [1, 6, 1]) is None
    True
    """
    x, low, high = np.asarray(x, float), np.asarray(low, float), np.asarray(high, float)
    run = x[None, :] - x[:, None]  # from i to j
    with np.errstate(divide="ignore", invalid="ignore"):
        least = np.where(run > 0.0, (low[None, :] - high[:, None]) / run, -np.inf)
        most = np.where(run > 0.0, (high[None, :] - low[:, None]) / run, np.inf)
    same = (run == 0.0) & (low[None, :] > high[:, None])
    lowest, highest = float(least.max()), float(most.min())
    return None if same.any() or lowest > highest else (lowest, highest)


def deepest(design: Array, low: Array, high: Array, most: float = 1e3) -> tuple[float, Array]:
    """(slack, beta): the coefficients whose least distance to the ends of the intervals is largest.

    Parameters
    ----------
    design : ndarray, shape (m, p)
    low, high : ndarray, shape (m,)
        low <= high, with infinities where there is no bound.
    most : float
        Slack beyond which no more is asked for.

    Returns
    -------
    slack : float
        Negative where no coefficients pass through all intervals: then it is how far off the
        best ones are somewhere.
    beta : ndarray, shape (p,)
    """
    p = design.shape[1]
    top, bottom = float(high.min()), float(low.max())
    if p == 1 and (design == 1.0).all() and math.isfinite(top - bottom):
        return min(most, (top - bottom) / 2.0), np.array([(top + bottom) / 2.0])
    ones = np.ones((len(low), 1))
    bounded_below, bounded_above = np.isfinite(low), np.isfinite(high)
    above = np.hstack([design, ones])[bounded_above]
    below = np.hstack([-design, ones])[bounded_below]
    found = linprog(
        np.append(np.zeros(p), -1.0),
        A_ub=np.vstack([above, below]),
        b_ub=np.concatenate([high[bounded_above], -low[bounded_below]]),
        bounds=[(None, None)] * p + [(None, most)],
    )
    if found.status != 0 or not math.isfinite(found.fun):
        raise ClaimError(f"the linear program of the brackets failed: {found.message}")
    return -float(found.fun), np.asarray(found.x[:p])
