"""Studentised bootstrap intervals on our own random streams.

A sample of n rows (seeds, runs) is drawn again B times with replacement; each time the estimate
theta* and its standard error s* give t* = (theta* - theta)/s*, and with the quantiles of t*

    [ theta - s q(1 - alpha/2),   theta - s q(alpha/2) ]

covers with error O(1/n) where the plain quantiles of theta* have O(1/sqrt n) (Efron and Tibshirani,
An Introduction to the Bootstrap, 1993, section 12.5). At least 20 rows, the design's least number
of seeds: with fewer the quantiles of t* are those of a handful of samples.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from rltheory.errors import ClaimError
from rltheory.mdp.streams import Stream

__all__ = ["FEWEST_ROWS", "mean_and_error", "studentized_interval"]

FEWEST_ROWS = 20


def mean_and_error(rows: Any) -> tuple[float, float]:
    """The mean of numbers, and its standard error."""
    values = np.asarray(rows, dtype=np.float64)
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))


def studentized_interval(
    rows: Any,
    estimate: Callable[[Any], tuple[float, float]] = mean_and_error,
    *,
    confidence: float = 0.95,
    repetitions: int = 1999,
    seed: Any = 0,
) -> tuple[float, float]:
    """A confidence interval of what `estimate` estimates.

    Parameters
    ----------
    rows : array_like, shape (n, ...)
        Independent, at least 20.
    estimate : callable
        ``estimate(rows) -> (estimate, standard error)``; the mean if left out.
    confidence : float
        In (0, 1).
    repetitions : int
        Samples drawn again; those whose standard error is 0 say nothing and are left out.
    seed : int or SeedSequence

    Returns
    -------
    (float, float)
        Both the estimate where its standard error is 0.

    Raises
    ------
    ClaimError
        If there are too few rows or repetitions, the standard error is not a number, or it is 0 in
        every sample drawn again.

    Examples
    --------
    >>> from rltheory.inference.bootstrap import studentized_interval
    >>> low, high = studentized_interval([0.0, 1.0] * 20)
    >>> round(low, 2), round(high, 2)
    (0.34, 0.66)
    """
    sample = np.asarray(rows)
    n = len(sample) if sample.ndim else 0
    if n < FEWEST_ROWS:
        raise ClaimError(f"{n} rows are given; a studentised interval needs {FEWEST_ROWS}")
    if not 0.0 < confidence < 1.0 or repetitions < 2.0 / (1.0 - confidence):
        raise ClaimError(
            f"confidence is {confidence!r} and repetitions {repetitions!r}; confidence must be in "
            "(0, 1), and repetitions at least 2 / (1 - confidence)"
        )
    theta, error = estimate(sample)
    if not np.isfinite([theta, error]).all() or error < 0.0:
        raise ClaimError(f"the estimate is {theta!r} with standard error {error!r}")
    if error == 0.0:
        return theta, theta
    stream = Stream(seed, "inference.bootstrap")
    ratios = []
    for _ in range(repetitions):
        again, its_error = estimate(sample[stream.integers(n, n)])
        if its_error > 0.0:
            ratios.append((again - theta) / its_error)
    if not ratios:
        raise ClaimError("no sample drawn again has a standard error above 0")
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(ratios, [tail, 1.0 - tail])
    return float(theta - error * high), float(theta - error * low)
