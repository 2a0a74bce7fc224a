"""Confidence radii that hold at all times at once, by mixtures of likelihood ratios.

With L = log(1/delta), each of these events has probability at most delta:

    mixture          some n >= 1: |M_n - mu| > sigma sqrt((n + kappa)(2L + log(1 + n/kappa))) / n
    categorical      some n >= 1: n KL(p_hat_n, p) > L + log binomial(n + size - 1, size - 1)
    self-normalised  some t: |theta_hat_t - theta|_Lambda_t
                         > sigma sqrt(2L + log(det Lambda_t / ridge^d)) + sqrt(ridge) |theta|

for the mean M_n of n draws whose conditional law around mu is sigma-sub-Gaussian (draws from a
range of length B: sigma = B/2), for the empirical law p_hat_n of n draws from a law p on `size`
points, and for ridge regression on predictable features with sigma-sub-Gaussian noise. Sources:
the mixtures are Robbins's (Ann. Math. Stat. 41, 1970); Jonsson et al. (NeurIPS 2020) with the
Dirichlet one; Abbasi-Yadkori, Pal and Szepesvari (NIPS 2011). Proofs: docs/theory/confidence.md.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln

from rltheory.mathematics.arguments import (
    checked,
    counts,
    level_of_error,
    nonnegative,
    positive,
)

__all__ = ["categorical_kl_threshold", "mixture_radius", "self_normalized_radius"]

Array = NDArray[np.float64]

_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188)
_SERIES_FROM = 16.0


def mixture_radius(
    n: ArrayLike, delta: ArrayLike, sigma: ArrayLike = 0.5, kappa: ArrayLike = 1.0
) -> Array:
    """How far the MEAN of n draws is off, at any time n >= 1, but for chance delta; two-sided.

    It is sigma sqrt((n + kappa)(2 log(1/delta) + log(1 + n/kappa))) / n. For the sum of the draws
    multiply by n.

    Parameters
    ----------
    n : array_like
        Numbers of draws, at least 0; with none the radius is infinite.
    delta : array_like
        In (0, 1).
    sigma : array_like
        Of draws that are sigma-sub-Gaussian given the past, at least 0; half the length of the
        range of bounded ones. The radius is not cut to any range: `sigma` does not tell one.
    kappa : array_like
        Above 0: the n around which the radius is tightest is some multiple of it. The arguments
        are broadcast.

    Returns
    -------
    ndarray of float64
        Relative error at most 16 units of 2^-53.

    Raises
    ------
    ModelError
        If an argument is out of its range.

    Examples
    --------
    >>> from rltheory.mathematics.concentration import mixture_radius
    >>> mixture_radius([0, 50, 200], 0.1).round(4).tolist()
    [inf, 0.2087, 0.1116]
    """
    draws, log = counts(n), -2.0 * np.log(level_of_error(delta))
    spread, prior = nonnegative("sigma", sigma), positive("kappa", kappa)
    some = np.maximum(draws, 1.0)
    radius = spread * np.sqrt((some + prior) * (log + np.log1p(some / prior))) / some
    return np.where(draws >= 1.0, radius, np.inf)[()]


def categorical_kl_threshold(n: ArrayLike, size: ArrayLike, delta: ArrayLike) -> Array:
    """log(1/delta) + log binomial(n + size - 1, size - 1): what n KL(p_hat, p) stays below.

    Of the empirical law p_hat of n draws from p, for all n >= 1 at once, but for chance delta.
    Divided by n, it is the radius of `kl_ball_maximum`.

    Parameters
    ----------
    n : array_like
        Numbers of draws, at least 0.
    size : array_like
        Points of the law, at least 1: the successors, and the exit if there is one. A law on one
        point has threshold 0.
    delta : array_like
        In (0, 1). The arguments are broadcast.

    Returns
    -------
    ndarray of float64
        Relative error at most 2^-48.

    Raises
    ------
    ModelError
        If an argument is out of its range.

    Examples
    --------
    >>> from rltheory.mathematics.concentration import categorical_kl_threshold
    >>> categorical_kl_threshold(100, [1, 2, 10], 0.1).round(4).tolist()
    [0.0, 6.9177, 31.3837]
    """
    draws, log = counts(n), -np.log(level_of_error(delta))
    points = checked("size", size, lambda x: (x >= 1.0) & (x < np.inf), "finite, at least 1")
    threshold = log + _log_binomial(draws, points - 1.0)
    return np.where(points > 1.0, threshold, 0.0)[()]


def self_normalized_radius(
    log_det_ratio: ArrayLike,
    delta: ArrayLike,
    sigma: ArrayLike,
    ridge: ArrayLike,
    norm_bound: ArrayLike,
) -> Array:
    """sigma sqrt(2 log(1/delta) + log_det_ratio) + sqrt(ridge) norm_bound.

    How far the estimate of ridge regression is from the truth in the norm of its design matrix
    Lambda_t = ridge I + sum of x x^T, at any time t, but for chance delta.

    Parameters
    ----------
    log_det_ratio : array_like
        log(det Lambda_t / ridge^d), at least 0.
    delta : array_like
        In (0, 1).
    sigma : array_like
        Of noise that is sigma-sub-Gaussian given the past, at least 0.
    ridge : array_like
        Above 0.
    norm_bound : array_like
        Of the Euclidean norm of the true coefficients, at least 0. The arguments are broadcast.

    Returns
    -------
    ndarray of float64

    Raises
    ------
    ModelError
        If an argument is out of its range.

    Examples
    --------
    >>> from rltheory.mathematics.concentration import self_normalized_radius
    >>> self_normalized_radius([0.0, 9.0], 0.1, 0.5, 1.0, 2.0).round(4).tolist()
    [3.073, 3.8443]
    """
    ratio = nonnegative("log_det_ratio", log_det_ratio)
    spread, penalty = nonnegative("sigma", sigma), positive("ridge", ridge)
    bias = np.sqrt(penalty) * nonnegative("norm_bound", norm_bound)
    return (spread * np.sqrt(ratio - 2.0 * np.log(level_of_error(delta))) + bias)[()]


def _log_binomial(a: Array, b: Array) -> Array:
    """log binomial(a + b, a) by Stirling's series, in terms that do not cancel each other."""
    x, y = np.maximum(a, 1.0), np.maximum(b, 1.0)
    entropy = x * np.log1p(y / x) + y * np.log1p(x / y)
    width = 0.5 * np.log(2.0 * np.pi * x / (x + y) * y)
    logs = entropy - width + (_stirling_rest(x + y) - _stirling_rest(x) - _stirling_rest(y))
    return np.where((a >= 1.0) & (b >= 1.0), logs, 0.0)


def _stirling_rest(x: Array) -> Array:
    """log x! less (x + 1/2) log x - x + log(2 pi)/2."""
    few = np.minimum(x, _SERIES_FROM)
    direct = gammaln(few + 1.0) - (few + 0.5) * np.log(few) + few - 0.5 * np.log(2.0 * np.pi)
    series = np.zeros_like(x)
    for coefficient in reversed(_STIRLING):
        series = (series + coefficient) / (x * x)
    return np.where(x < _SERIES_FROM, direct, series * x)
