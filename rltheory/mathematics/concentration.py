"""Confidence radii for the mean of n bounded draws, and for an empirical row of probabilities.

X_1..X_n are independent draws from one law on [0, B] (`scale` = B) with mean mu and variance
sigma^2; M is their mean, V their unbiased sample variance, L(x) = log(x / delta):

    hoeffding            |M - mu| > B sqrt(L(2) / 2n)                              (two-sided)
    bernstein              M - mu > sqrt(2 sigma^2 L(1) / n) + B L(1) / 3n         (one-sided)
    empirical bernstein    mu - M > sqrt(2 V L(2) / n) + 7 B L(2) / 3(n-1)         (one-sided)
    l1                   |p_hat - p|_1 >= sqrt(2 L(2^size - 2) / n)                (rows)

each have probability at most delta, and so have the mirror images of the one-sided ones. For
Bernoulli draws, kl(p_hat, mu) > log(1/delta)/n with p_hat < mu has it too; `kl_ucb` and `kl_lcb`
invert kl. No radius is above the range of what it bounds. Sources: Hoeffding (JASA 58, 1963);
Bernstein's inequality as in Boucheron, Lugosi and Massart (2013); Maurer and Pontil (COLT 2009,
Theorem 4); Weissman et al. (HP Labs HPL-2003-97); Garivier and Cappe (COLT 2011). Proofs:
docs/theory/foundations.md, headings conf-hoeffding to conf-kl-ucb.

Radii that hold for all n at once are in `time_uniform`, the extremes of a mean over a ball of laws
in `kl_ball`; both are to be had from here.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rltheory.mathematics.arguments import checked, counts, level_of_error, nonnegative, probability
from rltheory.mathematics.kl_ball import kl_ball_maximum, kl_ball_minimum
from rltheory.mathematics.time_uniform import (
    categorical_kl_threshold,
    mixture_radius,
    self_normalized_radius,
)

__all__ = [
    "bernoulli_kl",
    "bernstein_radius",
    "categorical_kl_threshold",
    "empirical_bernstein_radius",
    "hoeffding_radius",
    "kl_ball_maximum",
    "kl_ball_minimum",
    "kl_lcb",
    "kl_ucb",
    "l1_radius",
    "mixture_radius",
    "self_normalized_radius",
]

Array = NDArray[np.float64]

_UNIT = 2.0**-53
_KL_ERROR = 16.0 * _UNIT  # of each logarithmic term of kl, relative
_BISECTIONS = 60
_TINY = 2.0**-1022


def hoeffding_radius(n: ArrayLike, delta: ArrayLike, scale: ArrayLike = 1.0) -> Array:
    """scale sqrt(log(2/delta) / 2n): how far the mean of n draws is off, but for chance delta.

    Parameters
    ----------
    n : array_like
        Numbers of draws, at least 0; with none the radius is `scale`.
    delta : array_like
        In (0, 1). The arguments are broadcast.
    scale : array_like
        Length of the range of a draw, at least 0.

    Returns
    -------
    ndarray of float64
        In [0, scale]; relative error at most 8 units of 2^-53.

    Raises
    ------
    ModelError
        If an argument is out of its range.

    Examples
    --------
    >>> from rltheory.mathematics.concentration import hoeffding_radius
    >>> hoeffding_radius([0, 50, 200], 0.1).round(4).tolist()
    [1.0, 0.1731, 0.0865]
    """
    draws, width = counts(n), nonnegative("scale", scale)
    log = np.log(2.0 / level_of_error(delta))
    return _within(width * np.sqrt(log / (2.0 * np.maximum(draws, 1.0))), draws >= 1.0, width)


def bernstein_radius(
    n: ArrayLike, variance: ArrayLike, delta: ArrayLike, scale: ArrayLike = 1.0
) -> Array:
    """sqrt(2 variance log(1/delta) / n) + scale log(1/delta) / 3n, one-sided, variance known.

    Parameters
    ----------
    n : array_like
        Numbers of draws, at least 0; with none the radius is `scale`.
    variance : array_like
        Of one draw, at least 0.
    delta : array_like
        In (0, 1). The arguments are broadcast.
    scale : array_like
        Length of the range of a draw, at least 0.

    Returns
    -------
    ndarray of float64
        In [0, scale].

    Raises
    ------
    ModelError
        If an argument is out of its range.

    Examples
    --------
    >>> from rltheory.mathematics.concentration import bernstein_radius
    >>> bernstein_radius(50, [0.0, 0.01, 0.25], 0.1).round(4).tolist()
    [0.0154, 0.0457, 0.1671]
    """
    draws, width, sigma2 = counts(n), nonnegative("scale", scale), nonnegative("variance", variance)
    log, count = -np.log(level_of_error(delta)), np.maximum(draws, 1.0)
    radius = np.sqrt(2.0 * sigma2 * log / count) + width * log / (3.0 * count)
    return _within(radius, draws >= 1.0, width)


def empirical_bernstein_radius(
    n: ArrayLike, variance: ArrayLike, delta: ArrayLike, scale: ArrayLike = 1.0
) -> Array:
    """sqrt(2 variance log(2/delta) / n) + 7 scale log(2/delta) / 3(n-1), one-sided.

    Parameters
    ----------
    n : array_like
        Numbers of draws, at least 0; below 2 the radius is `scale`.
    variance : array_like
        Unbiased sample variance (divided by n - 1), at least 0.
    delta : array_like
        In (0, 1). The arguments are broadcast.
    scale : array_like
        Length of the range of a draw, at least 0.

    Returns
    -------
    ndarray of float64
        In [0, scale].

    Raises
    ------
    ModelError
        If an argument is out of its range.

    Examples
    --------
    >>> from rltheory.mathematics.concentration import empirical_bernstein_radius
    >>> empirical_bernstein_radius([1, 50, 5000], 0.01, 0.1).round(4).tolist()
    [1.0, 0.1773, 0.0049]
    """
    draws, width, sigma2 = counts(n), nonnegative("scale", scale), nonnegative("variance", variance)
    log, count = np.log(2.0 / level_of_error(delta)), np.maximum(draws, 2.0)
    radius = np.sqrt(2.0 * sigma2 * log / count) + 7.0 * width * log / (3.0 * (count - 1.0))
    return _within(radius, draws >= 2.0, width)


def l1_radius(n: ArrayLike, size: ArrayLike, delta: ArrayLike) -> Array:
    """sqrt(2 log((2^size - 2) / delta) / n): L1 distance of an empirical row from the row.

    Parameters
    ----------
    n : array_like
        Numbers of draws, at least 0; with none the radius is 2.
    size : array_like
        Points of a row, at least 1: the successors, and the exit if there is one. A row of one
        point has radius 0.
    delta : array_like
        In (0, 1). The arguments are broadcast.

    Returns
    -------
    ndarray of float64
        In [0, 2].

    Raises
    ------
    ModelError
        If an argument is out of its range.

    Examples
    --------
    >>> from rltheory.mathematics.concentration import l1_radius
    >>> l1_radius(100, [1, 2, 10], 0.1).round(4).tolist()
    [0.0, 0.2448, 0.4297]
    """
    draws, points = counts(n), checked("size", size, lambda x: (x >= 1.0) & (x < np.inf))
    several = np.maximum(points, 2.0)
    subsets = several * np.log(2.0) + np.log1p(-np.exp2(1.0 - several))  # log(2^size - 2)
    log = subsets - np.log(level_of_error(delta))
    radius = _within(np.sqrt(2.0 * log / np.maximum(draws, 1.0)), draws >= 1.0, np.asarray(2.0))
    return np.where(points > 1.0, radius, 0.0)[()]


def bernoulli_kl(p: ArrayLike, q: ArrayLike) -> Array:
    """Relative entropy of Bernoulli(p) to Bernoulli(q), in nats.

    Parameters
    ----------
    p, q : array_like
        In [0, 1], broadcast.

    Returns
    -------
    ndarray of float64
        At least 0; infinite where q excludes what p allows. The absolute error is at most
        2^-49 times the two terms whose difference it is, of the size of q - p.

    Raises
    ------
    ModelError
        If an argument is out of its range.

    Examples
    --------
    >>> from rltheory.mathematics.concentration import bernoulli_kl
    >>> bernoulli_kl([0.0, 0.5, 0.5, 1.0], [0.5, 0.5, 0.6, 0.0]).round(6).tolist()
    [0.693147, 0.0, 0.020411, inf]
    """
    return np.maximum(_kl(probability("p", p), probability("q", q))[0], 0.0)[()]


def kl_ucb(p_hat: ArrayLike, level: ArrayLike) -> Array:
    """The largest q >= p_hat with kl(p_hat, q) <= level, rounded up.

    At level log(1/delta)/n it is above the mean of n draws from [0, 1] with probability at least
    1 - delta.

    Parameters
    ----------
    p_hat : array_like
        In [0, 1].
    level : array_like
        At least 0, infinite where nothing was drawn; broadcast.

    Returns
    -------
    ndarray of float64
        In [p_hat, 1]: an upper bound of the exact inverse, by 60 bisections of
        [p_hat, p_hat + sqrt(level/2)] that step down only where kl surely exceeds the level.

    Raises
    ------
    ModelError
        If an argument is out of its range.

    Examples
    --------
    >>> from rltheory.mathematics.concentration import kl_ucb
    >>> kl_ucb([0.0, 0.5, 1.0], 0.1).round(6).tolist()
    [0.095163, 0.712879, 1.0]
    """
    return _invert(probability("p_hat", p_hat), _level(level), up=True)


def kl_lcb(p_hat: ArrayLike, level: ArrayLike) -> Array:
    """The smallest q <= p_hat with kl(p_hat, q) <= level, rounded down: the mirror of `kl_ucb`.

    Parameters
    ----------
    p_hat : array_like
        In [0, 1].
    level : array_like
        At least 0, infinite where nothing was drawn; broadcast.

    Returns
    -------
    ndarray of float64
        In [0, p_hat].

    Raises
    ------
    ModelError
        If an argument is out of its range.

    Examples
    --------
    >>> from rltheory.mathematics.concentration import kl_lcb
    >>> kl_lcb([0.0, 0.5, 1.0], 0.1).round(6).tolist()
    [0.0, 0.287121, 0.904837]
    """
    return _invert(probability("p_hat", p_hat), _level(level), up=False)


def _kl(p: Array, q: Array) -> tuple[Array, Array]:
    """kl(p, q), and a bound of its rounding error.

    With d = |q - p|, and for q >= p the terms a = (1-p) log(1 + d/(1-q)) and b = p log(1 + d/p):
    kl = a - b, both arguments of log(1 + .) positive and hence well-conditioned. For q < p the
    roles of p and 1 - p, and of q and 1 - q, are exchanged. A term has a relative error of at most
    13 units: 3 in the argument, 8 in log1p (4 ulp at the worst), 2 in the product.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        d = np.abs(q - p)
        rises = q >= p
        near, far = np.where(rises, p, 1.0 - p), np.where(rises, 1.0 - p, p)
        left = np.where(rises, 1.0 - q, q)
        a = np.where((d > 0.0) & (far > 0.0), far * np.log1p(d / left), 0.0)
        b = np.where((d > 0.0) & (near > 0.0), near * np.log1p(d / np.maximum(near, _TINY)), 0.0)
    return a - b, np.where(a < np.inf, _KL_ERROR * (a + b), 0.0)


def _invert(p: Array, level: Array, up: bool) -> Array:
    p, level = np.broadcast_arrays(p, level)
    sign, end = (1.0, 1.0) if up else (-1.0, 0.0)
    # Pinsker's inequality says how far it can be; rounded outward, and cut at the end.
    reach = np.nextafter(p + sign * np.sqrt(level / 2.0) * (1.0 + _KL_ERROR), sign * np.inf)
    outer = np.clip(np.where(level > 0.0, reach, p), 0.0, 1.0)
    inner = p
    for _ in range(_BISECTIONS):
        middle = 0.5 * (inner + outer)
        kl, error = _kl(p, middle)
        surely_outside = kl - error > level
        outer = np.where(surely_outside, middle, outer)
        inner = np.where(surely_outside, inner, middle)
    # At p_hat = 0 or 1 the inverse has a closed form.
    edge = -np.expm1(-level) if up else np.exp(-level)
    edge = np.clip(np.where(level > 0.0, edge * (1.0 + sign * _KL_ERROR), p), 0.0, 1.0)
    return np.where(p == end, end, np.where(p == 1.0 - end, edge, outer))[()]


def _within(radius: Array, enough: NDArray[np.bool_], scale: Array) -> Array:
    """The radius, where there are enough draws, and never more than the trivial one."""
    return np.where(enough, np.minimum(radius, scale), scale)[()]


def _level(level: ArrayLike) -> Array:
    return checked("level", level, lambda x: x >= 0.0, "at least 0")
