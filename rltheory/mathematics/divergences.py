"""f-divergences of finite laws and the conjugates of their generators: one table for all topics.

D_f(p, q) = sum_k q_k f(p_k / q_k), f convex on [0, inf) with f(1) = 0, here normalised to f'(1) = 0
(adding c(t - 1) changes no divergence of equal masses; on measures it makes every term at least
0). Where q_k = 0 the term is p_k f'(inf), where p_k = 0 it is q_k f(0). Conventions, by name:

    kl         t log t - t + 1              KL(p, q) = sum p log(p/q)
    rkl        t - 1 - log t                KL(q, p); some papers call `kl` the reverse one
    chi2       (t - 1)^2                    Pearson: sum (p - q)^2 / q
    neyman     (t - 1)^2 / t                sum (p - q)^2 / p
    tv         |t - 1| / 2                  total variation, in [0, 1]
    hellinger  (sqrt t - 1)^2               squared, without a half: sum (sqrt p - sqrt q)^2
    js         t log t - (t+1) log((t+1)/2) TWICE the Jensen-Shannon divergence, in nats
    softchi2   kl below 1, (t - 1)^2 / 2    OptiDICE's
    alpha(a)   (t^a - a t + a - 1) / (a (a - 1))   kl at 1, rkl at 0, chi2/2 at 2, neyman/2 at -1,
                                            2 hellinger at 1/2

The conjugate is f*(y) = sup over t >= 0 of t y - f(t), over ratios of measures and not over all
reals: for chi2 that is -1 below y = -2, for tv -1/2 below y = -1/2. It is finite below f'(inf), and
its derivative is the ratio max(0, (f')^-1(y)) of dual reinforcement learning. Sources: Csiszar
(1967); Liese and Vajda (IEEE Trans. IT 52, 2006); the conjugates as in Nachum and Dai
(arXiv 2001.01866), normalised.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logsumexp

from rltheory.errors import ModelError
from rltheory.mathematics.arguments import checked
from rltheory.mathematics.concentration import bernoulli_kl

__all__ = [
    "DIVERGENCES",
    "FDivergence",
    "alpha_divergence",
    "bernoulli_kl",
    "divergence",
    "log_divergence",
    "renyi_divergence",
]

Array = NDArray[np.float64]
Function = Callable[[Array], Array]

_SMALL = 0.05  # below, exp(x) - 1 - x and its like are summed as series
_TERMS = 10


@dataclass(frozen=True)
class FDivergence:
    """One row of the table: a generator, what is at its ends, and its conjugate.

    Attributes
    ----------
    name : str
    at_zero, slope_at_zero : float
        f(0) and f'(0+); may be infinite.
    recession : float
        f'(inf), the slope at infinity: what a unit of mass costs where q has none. The conjugate
        is infinite above it.
    curvature : float
        f''(1); not a number where f has a kink there.

    Examples
    --------
    >>> from rltheory.mathematics.divergences import DIVERGENCES
    >>> chi2 = DIVERGENCES["chi2"]
    >>> chi2.generator([0.0, 1.0, 3.0]).round(9).tolist(), chi2.conjugate([-3.0, 0.0, 2.0]).tolist()
    ([1.0, 0.0, 4.0], [-1.0, 0.0, 3.0])
    >>> chi2.ratio([-3.0, 0.0, 2.0]).tolist()
    [0.0, 1.0, 2.0]
    """

    name: str
    at_zero: float
    slope_at_zero: float
    recession: float
    curvature: float
    _scaled: Function  # f(exp(r)) / max(1, exp(r)) for finite r
    _slope: Function  # f'(t) for t > 0
    _inner: Function  # the conjugate between f'(0+) and f'(inf)
    _ratio: Function  # its derivative there
    _end: float = math.inf  # the conjugate at f'(inf)

    def generator(self, t: ArrayLike) -> Array:
        """f(t), t >= 0; f(0) and the infinite ends included."""
        x = checked("t", t, lambda x: x >= 0.0, "at least 0")
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            inner = self._scaled(np.log(x)) * np.maximum(1.0, x)
        return np.where(x == 0.0, self.at_zero, np.where(x < np.inf, inner, np.inf))[()]

    def derivative(self, t: ArrayLike) -> Array:
        """f'(t), t >= 0: f'(0+) at 0 and f'(inf) at infinity; 0 at the kink of `tv`."""
        x = checked("t", t, lambda x: x >= 0.0, "at least 0")
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            inner = self._slope(x)
        ends = np.where(x == 0.0, self.slope_at_zero, self.recession)
        return np.where((x > 0.0) & (x < np.inf), inner, ends)[()]

    def conjugate(self, y: ArrayLike) -> Array:
        """f*(y) = sup over t >= 0 of t y - f(t); infinite above `recession`."""
        x = checked("y", y, lambda x: ~np.isnan(x), "a number")
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            inner = self._inner(np.clip(x, self.slope_at_zero, self.recession))
        inner = np.where(x <= self.slope_at_zero, -self.at_zero, inner)
        end = np.where(x == self.recession, self._end, np.inf)
        return np.where(x < self.recession, inner, end)[()]

    def ratio(self, y: ArrayLike) -> Array:
        """The derivative of the conjugate: max(0, (f')^-1(y)), y below `recession`; else infinite.

        For `tv`, whose f' has no inverse: 1 from -1/2 to 1/2, 0 below.
        """
        x = checked("y", y, lambda x: ~np.isnan(x), "a number")
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            inner = self._ratio(np.clip(x, self.slope_at_zero, self.recession))
        inner = np.where(x < self.slope_at_zero, 0.0, inner)
        return np.where(x < self.recession, inner, np.inf)[()]

    def conjugate_above(self, y: ArrayLike, floor: ArrayLike) -> Array:
        """sup over t >= floor of t y - f(t): the conjugate for ratios with a part that is fixed."""
        low = checked("floor", floor, lambda x: (x >= 0.0) & (x < np.inf))
        x = checked("y", y, lambda x: ~np.isnan(x), "a number")
        # Below f'(floor) the supremum is at the floor.
        at_floor = low * x - self.generator(low)
        return np.where(x < self.derivative(low), at_floor, self.conjugate(x))[()]

    def terms(self, log_p: Array, log_q: Array, log_ratio: Array | None = None) -> Array:
        """q f(p/q) of every point, from logarithms; -inf is no mass."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            r = log_p - log_q if log_ratio is None else log_ratio
            top = np.exp(np.maximum(log_p, log_q))
            inner = top * self._scaled(np.where(np.isfinite(r), r, 0.0))
            no_p, no_q = np.exp(log_q) * self.at_zero, np.exp(log_p) * self.recession
        terms = np.where(log_p == -np.inf, no_p, np.where(log_q == -np.inf, no_q, inner))
        return np.where((log_p == -np.inf) & (log_q == -np.inf), 0.0, terms)


def _series(x: Array, coefficients: list[float]) -> Array:
    """Sum of coefficients[k] x^(k+2)."""
    total = np.zeros_like(x)
    for c in reversed(coefficients):
        total = total * x + c
    return total * x * x


def _rest(x: Array) -> Array:
    """exp(x) - 1 - x."""
    small = _series(x, [1.0 / math.factorial(k) for k in range(2, 2 + _TERMS)])
    return np.where(abs(x) < _SMALL, small, np.expm1(x) - x)


def _kl(r: Array) -> Array:
    """Of kl; with -r, of rkl."""
    near = np.maximum(r, -1.0)
    above = np.minimum(1.0, np.exp(near)) * _rest(-near)
    return np.where(r > -1.0, above, r * np.exp(r) - np.expm1(r))


def _chi2(r: Array) -> Array:
    return np.where(r > 0.0, -np.expm1(r) * np.expm1(-abs(r)), np.expm1(-abs(r)) ** 2)


def _js(r: Array) -> Array:
    """Symmetric in r once scaled."""
    x = -abs(r)
    h = 0.5 * np.maximum(x, -1.0)
    near = 2.0 * h * np.sinh(h) - np.cosh(h) * np.log1p(np.sinh(h) ** 2)
    a = np.log1p(np.expm1(x) / 2.0)
    return np.where(x > -1.0, np.exp(h) * near, np.exp(x) * (x - a) - a)


_TABLE = (
    FDivergence(
        "kl", 1.0, -math.inf, math.inf, 1.0,
        _kl, np.log, np.expm1, np.exp,
    ),
    FDivergence(
        "rkl", math.inf, -math.inf, 1.0, 1.0,
        lambda r: _kl(-r), lambda t: 1.0 - 1.0 / t,
        lambda y: -np.log1p(-y), lambda y: 1.0 / (1.0 - y),
    ),
    FDivergence(
        "chi2", 1.0, -2.0, math.inf, 2.0,
        _chi2, lambda t: 2.0 * (t - 1.0),
        lambda y: y + 0.25 * y * y, lambda y: 1.0 + 0.5 * y,
    ),
    FDivergence(
        "neyman", math.inf, -math.inf, 1.0, 2.0,
        lambda r: _chi2(-r), lambda t: 1.0 - 1.0 / (t * t),
        lambda y: 2.0 * y / (1.0 + np.sqrt(1.0 - y)), lambda y: 1.0 / np.sqrt(1.0 - y), 2.0,
    ),
    FDivergence(
        "tv", 0.5, -0.5, 0.5, math.nan,
        lambda r: -0.5 * np.expm1(-abs(r)), lambda t: 0.5 * np.sign(t - 1.0),
        lambda y: y, np.ones_like, 0.5,
    ),
    FDivergence(
        "hellinger", 1.0, -math.inf, 1.0, 0.5,
        lambda r: np.expm1(-0.5 * abs(r)) ** 2, lambda t: 1.0 - 1.0 / np.sqrt(t),
        lambda y: y / (1.0 - y), lambda y: (1.0 - y) ** -2,
    ),
    FDivergence(
        "js", math.log(2.0), -math.inf, math.log(2.0), 0.5,
        _js, lambda t: -np.log1p((1.0 / t - 1.0) / 2.0),
        lambda y: -np.log1p(-np.expm1(y)), lambda y: np.exp(y) / (1.0 - np.expm1(y)),
    ),
    FDivergence(
        "softchi2", 1.0, -math.inf, math.inf, 1.0,
        lambda r: np.where(r < 0.0, _kl(np.minimum(r, 0.0)), 0.5 * _chi2(r)),
        lambda t: np.where(t < 1.0, np.log(t), t - 1.0),
        lambda y: np.where(y < 0.0, np.expm1(np.minimum(y, 0.0)), y + 0.5 * y * y),
        lambda y: np.where(y < 0.0, np.exp(np.minimum(y, 0.0)), 1.0 + y),
    ),
)  # fmt: skip
DIVERGENCES = {row.name: row for row in _TABLE}


def alpha_divergence(a: float) -> FDivergence:
    """The row of f(t) = (t^a - a t + a - 1) / (a (a - 1)): curvature 1, f'(t) = (t^(a-1)-1)/(a-1).

    Parameters
    ----------
    a : float
        Finite. At 1 it is the row of `kl`, at 0 that of `rkl`.

    Returns
    -------
    FDivergence

    Raises
    ------
    ModelError
        If `a` is not a finite number.

    Examples
    --------
    >>> from rltheory.mathematics.divergences import alpha_divergence, divergence
    >>> p, q = [0.5, 0.5], [0.9, 0.1]
    >>> half = divergence(alpha_divergence(0.5), p, q)
    >>> round(float(half / divergence("hellinger", p, q)), 12)
    2.0
    """
    a = float(checked("a", a, np.isfinite, "finite"))
    if a in (0.0, 1.0):
        return DIVERGENCES["kl" if a else "rkl"]
    b = a - 1.0

    def scaled(r: Array) -> Array:
        top = np.maximum(r, 0.0)
        # The series has coefficients (a^(k-1) - 1) / (b k!), a sum of powers of a.
        sums = [sum(a**j for j in range(k - 1)) / math.factorial(k) for k in range(2, 2 + _TERMS)]
        reach = _SMALL / max(1.0, abs(a))
        small = _series(np.clip(r, -reach, reach), sums) * np.exp(-top)
        # Either way to write it loses digits at one of the orders 0 and 1.
        powers, p, q = np.exp(a * r - top), np.exp(r - top), np.exp(-top)
        if a > 0.5:
            first = np.where(abs(b * r) < 1.0, p * np.expm1(b * r), powers - p)
            large = (first / b - (p - q)) / a
        else:
            first = np.where(abs(a * r) < 1.0, q * np.expm1(a * r), powers - q)
            large = (first / a - (p - q)) / b
        return np.where(abs(r) < reach, small, large)

    def stretched(y: Array) -> Array:
        return np.log1p(np.maximum(b * y, -1.0)) / b

    recession = math.inf if a > 1.0 else -1.0 / b
    return FDivergence(
        f"alpha({a:g})",
        1.0 / a if a > 0.0 else math.inf,
        -1.0 / b if a > 1.0 else -math.inf,
        recession,
        1.0,
        scaled,
        lambda t: np.expm1(b * np.log(t)) / b,
        lambda y: np.expm1(a * stretched(y)) / a,
        lambda y: np.exp(stretched(y)),
        -1.0 / a if a < 0.0 else math.inf,
    )


def _row(name: str | FDivergence) -> FDivergence:
    if isinstance(name, FDivergence):
        return name
    if name not in DIVERGENCES:
        raise ModelError(f"divergence {name!r}; it must be one of {', '.join(DIVERGENCES)}")
    return DIVERGENCES[name]


def _pair(p: ArrayLike, q: ArrayLike, log: bool) -> tuple[Array, Array]:
    found = []
    for name, value in (("p", p), ("q", q)):
        if log:
            x = checked(f"log_{name}", value, lambda x: x < np.inf, "below infinity, or -infinity")
        else:
            x = checked(name, value, lambda x: (x >= 0.0) & (x < np.inf))
            with np.errstate(divide="ignore"):
                x = np.log(x)
        found.append(x)
    a, b = found
    if a.ndim == 0 or b.ndim == 0 or a.shape[-1] != b.shape[-1]:
        raise ModelError(
            f"p has shape {a.shape} and q {b.shape}; the last axes must be the points of one law"
        )
    return a, b


def _log_ratio(p: ArrayLike, q: ArrayLike) -> Array:
    """log(p/q), accurate also where p is close to q; anything where one of them is 0."""
    a, b = np.asarray(p, dtype=np.float64), np.asarray(q, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        apart = np.log(a) - np.log(b)
        return np.where(abs(apart) < 0.5, np.log1p((a - b) / b), apart)


def divergence(name: str | FDivergence, p: ArrayLike, q: ArrayLike) -> Array:
    """D_f(p, q) = sum q f(p/q) over the last axis.

    Parameters
    ----------
    name : str or FDivergence
        A name of the table of this module, or a row such as ``alpha_divergence(0.3)``.
    p, q : array_like, shape (..., K)
        Laws, or measures: entries at least 0. Broadcast.

    Returns
    -------
    ndarray of float64, shape (...)
        At least 0; infinite where the supports make it so. Terms have relative errors of a few
        units of 2^-53 times the logarithm of the larger and of the smaller mass.

    Raises
    ------
    ModelError
        If the name is unknown, an entry is out of its range, or the shapes do not fit.

    Examples
    --------
    >>> from rltheory.mathematics.divergences import divergence
    >>> p, q = [0.5, 0.5, 0.0], [0.25, 0.5, 0.25]
    >>> [round(float(divergence(name, p, q)), 4) for name in ("kl", "rkl", "chi2", "tv")]
    [0.3466, inf, 0.5, 0.25]
    """
    log_p, log_q = _pair(p, q, log=False)
    return _row(name).terms(log_p, log_q, _log_ratio(p, q)).sum(axis=-1)[()]


def log_divergence(name: str | FDivergence, log_p: ArrayLike, log_q: ArrayLike) -> Array:
    """`divergence` from logarithms of masses: for laws of long paths, and other tiny ones.

    Parameters
    ----------
    name : str or FDivergence
    log_p, log_q : array_like, shape (..., K)
        Logarithms of masses; -inf is no mass. Ratios may be beyond the range of a double.

    Returns
    -------
    ndarray of float64, shape (...)

    Raises
    ------
    ModelError
        As for `divergence`.

    Examples
    --------
    >>> from rltheory.mathematics.divergences import log_divergence
    >>> round(float(log_divergence("kl", [0.0, -800.0], [-800.0, 0.0])), 6)
    800.0
    """
    return _row(name).terms(*_pair(log_p, log_q, log=True)).sum(axis=-1)[()]


def renyi_divergence(order: float, p: ArrayLike, q: ArrayLike) -> Array:
    """log(sum p^order q^(1-order)) / (order - 1): KL at order 1, log max p/q at infinity.

    Parameters
    ----------
    order : float
        At least 0. At 0 it is -log q(p > 0).
    p, q : array_like, shape (..., K)
        Laws. Broadcast.

    Returns
    -------
    ndarray of float64, shape (...)

    Raises
    ------
    ModelError
        If `order` is negative, an entry is out of its range, or the shapes do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from rltheory.mathematics.divergences import renyi_divergence
    >>> [round(float(renyi_divergence(a, [0.5, 0.5], [0.9, 0.1])), 4) for a in (0, 1, 2, np.inf)]
    [0.0, 0.5108, 1.0217, 1.6094]
    """
    a = float(checked("order", order, lambda x: x >= 0.0, "at least 0"))
    log_p, log_q = np.broadcast_arrays(*_pair(p, q, log=False))
    there = log_p > -np.inf
    with np.errstate(invalid="ignore", divide="ignore"):
        if a == 0.0:
            found = -logsumexp(np.where(there, log_q, -np.inf), axis=-1)
        elif a == math.inf:
            found = np.where(there, log_p - log_q, -np.inf).max(axis=-1)
        elif a == 1.0:
            found = divergence("kl", p, q)
        else:
            # Near 0 from the divergence, which loses nothing; far from it from the sum.
            near = a * (a - 1.0) * divergence(alpha_divergence(a), p, q)
            powers = np.where(there, a * log_p + (1.0 - a) * log_q, -np.inf)
            far = logsumexp(powers, axis=-1)
            found = np.where(abs(near) < 0.5, np.log1p(np.maximum(near, -0.5)), far) / (a - 1.0)
    return np.maximum(found, 0.0)[()]
