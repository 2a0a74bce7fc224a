"""Extremes of a mean over the laws p with KL(p_hat, p) <= radius, rounded outward.

For every x >= 0, with gaps g_k = max v - v_k, the weighted inequality of the two means gives

    max v - p.v = sum p_k g_k >= exp(sum p_hat_k log(x + g_k) - KL(p_hat, p)) - x ,

so that every x gives an upper bound of p.v over the ball; the best x attains it (Filippi, Cappe
and Garivier, Allerton 2010). A bad x costs width and never validity: x is found by bisection in
floats, and the bound at it is rounded outward by a bound of its own rounding error.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rltheory.errors import ModelError
from rltheory.mathematics.arguments import checked

__all__ = ["kl_ball_maximum", "kl_ball_minimum"]

Array = NDArray[np.float64]

_UNIT = 2.0**-53
_BISECTIONS = 64
_LOW, _HIGH = -60.0, 540.0  # of log2 of x over the span of the values
_SUM_ERROR = 1e-9


def kl_ball_maximum(p_hat: ArrayLike, values: ArrayLike, radius: ArrayLike) -> Array:
    """The largest p.values over laws p with KL(p_hat, p) <= radius, rounded up.

    With radius ``categorical_kl_threshold(n, size, delta) / n`` it bounds the mean of `values`
    under the law that n draws came from, for all n and all values at once. The law p may put mass
    where p_hat has none.

    Parameters
    ----------
    p_hat : array_like, shape (..., K)
        Laws: entries at least 0 whose sum is 1, up to 1e-9; they are scaled to sum 1.
    values : array_like, shape (..., K)
        Finite. An exit is one more point, of value 0.
    radius : array_like, shape (...)
        At least 0, infinite where nothing was drawn. The arguments are broadcast.

    Returns
    -------
    ndarray of float64, shape (...)
        An upper bound of the maximum, and at most the largest value. Its excess is below
        (K + 12) 2^-46 times the span of the values.

    Raises
    ------
    ModelError
        If an argument is out of its range, or the shapes do not fit.

    Examples
    --------
    >>> from rltheory.mathematics.concentration import kl_ball_maximum
    >>> kl_ball_maximum([0.5, 0.5, 0.0], [0.0, 1.0, 2.0], [0.0, 0.1, 1.0]).round(6).tolist()
    [0.5, 0.720367, 1.47974]

    On two points it is `kl_ucb`:

    >>> kl_ball_maximum([0.5, 0.5], [0.0, 1.0], 0.1).round(6).item()
    0.712879
    """
    p, v, r = _arguments(p_hat, values, radius)
    return _maximum(p, v, r)[()]


def kl_ball_minimum(p_hat: ArrayLike, values: ArrayLike, radius: ArrayLike) -> Array:
    """The smallest p.values over laws p with KL(p_hat, p) <= radius, rounded down.

    The mirror of `kl_ball_maximum`, whose parameters and errors it has.

    Parameters
    ----------
    p_hat, values : array_like, shape (..., K)
    radius : array_like, shape (...)

    Returns
    -------
    ndarray of float64, shape (...)
        A lower bound of the minimum, and at least the smallest value.

    Examples
    --------
    >>> from rltheory.mathematics.concentration import kl_ball_minimum
    >>> kl_ball_minimum([0.5, 0.5], [0.0, 1.0], 0.1).round(6).item()
    0.287121
    """
    p, v, r = _arguments(p_hat, values, radius)
    return (-_maximum(p, -v, r))[()]


def _arguments(p_hat: ArrayLike, values: ArrayLike, radius: ArrayLike) -> tuple[Array, ...]:
    p = checked("p_hat", p_hat, lambda x: (x >= 0.0) & (x < np.inf))
    v = checked("values", values, np.isfinite, "finite")
    r = checked("radius", radius, lambda x: x >= 0.0, "at least 0")
    if p.ndim == 0 or v.ndim == 0 or p.shape[-1] != v.shape[-1] or p.shape[-1] == 0:
        raise ModelError(
            f"p_hat has shape {p.shape} and values {v.shape}; the last axes must be the points of "
            "one law, at least one of them"
        )
    total = p.sum(axis=-1, keepdims=True)
    if (abs(total - 1.0) > _SUM_ERROR).any():
        worst = float(total.flat[int(np.argmax(abs(total - 1.0)))])
        raise ModelError(f"a law of p_hat has sum {worst!r}; it must be 1, up to {_SUM_ERROR}")
    try:
        shape = np.broadcast_shapes(p.shape[:-1], v.shape[:-1], r.shape)
    except ValueError as fault:
        raise ModelError(
            f"p_hat has shape {p.shape}, values {v.shape} and radius {r.shape}; without the last "
            "axis of the first two they must broadcast"
        ) from fault
    points = (*shape, p.shape[-1])
    return (
        np.broadcast_to(p / total, points),
        np.broadcast_to(v, points),
        np.broadcast_to(r, shape),
    )


def _maximum(p: Array, v: Array, r: Array) -> Array:
    top = v.max(axis=-1)
    gaps = top[..., None] - v
    span = gaps.max(axis=-1)
    unit = np.where(span > 0.0, span, 1.0)
    gaps = gaps / unit[..., None]
    low, high = np.full(r.shape, _LOW), np.full(r.shape, _HIGH)
    finite = np.where(r < np.inf, r, 0.0)
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high)
        x = np.exp2(middle)
        # The derivative in x of exp(y) x - x, y as in _drop, is exp(y) x sum p/(x + g) - 1.
        lost = (p * (gaps / (x[..., None] + gaps))).sum(axis=-1)
        with np.errstate(divide="ignore"):
            rises = _exponent(p, gaps, x) + np.log1p(-np.minimum(lost, 1.0)) > finite
        low, high = np.where(rises, middle, low), np.where(rises, high, middle)
    drop = np.maximum(
        _drop(p, gaps, np.exp2(0.5 * (low + high)), finite), _drop_at_0(p, gaps, finite)
    )
    mean = (p * gaps).sum(axis=-1)
    mean = mean * (1.0 - (p.shape[-1] + 8) * _UNIT)
    drop = np.where(finite > 0.0, np.minimum(drop, mean), mean)
    # Four roundings: of the gaps, of their scale, of the product and of the difference.
    bound = top - unit * drop * (1.0 - 4.0 * _UNIT)
    bound = np.nextafter(bound + 2.0 * _UNIT * abs(top), np.inf)
    return np.where((r < np.inf) & (span > 0.0), np.minimum(bound, top), top)


def _exponent(p: Array, gaps: Array, x: Array) -> Array:
    """sum p log(1 + g/x)."""
    return (p * np.log1p(gaps / x[..., None])).sum(axis=-1)


def _drop(p: Array, gaps: Array, x: Array, r: Array) -> Array:
    """x (exp(y) - 1), y = sum p log(1 + g/x) - r, less a bound of its rounding error.

    A term of y has a relative error of at most K + 14 units with its p (scaled by a sum of K
    terms), and the sum K more.
    """
    logs = _exponent(p, gaps, x)
    y = logs - r
    y = y - (2 * p.shape[-1] + 24) * _UNIT * (logs + r)
    drop = x * np.expm1(y)
    return drop - 8.0 * _UNIT * abs(drop)


def _drop_at_0(p: Array, gaps: Array, r: Array) -> Array:
    """exp(sum p log g - r) less a bound of its rounding error; 0 if p_hat has mass on the top."""
    with np.errstate(divide="ignore"):
        logs = (p * np.where(p > 0.0, np.log(gaps), 0.0)).sum(axis=-1)
    y = logs - r
    return np.exp(y - (2 * p.shape[-1] + 24) * _UNIT * (1.0 + r - logs)) * (1.0 - 8.0 * _UNIT)
