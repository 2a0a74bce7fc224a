"""Laws of means: log E[y] = a + b log x + log g(x), from trials at each x, g a known factor.

At each of k points x_i there are n_i independent trials with mean m_i and variance s_i^2. With

    z_i = log m_i + s_i^2 / (2 n_i m_i^2) - log g(x_i),      v_i = s_i^2 / (n_i m_i^2)

(the logarithm of a mean is too small by half its relative variance), the slope is the least-squares
one, b = sum_i c_i z_i, c_i = (t_i - mean t) / sum_j (t_j - mean t)^2, t_i = log x_i: all points
count alike, so that the estimate does not depend on how the variances were estimated. Its variance
V = sum c_i^2 v_i has the degrees of freedom of Welch (1947) and Satterthwaite (1946),

    V^2 / sum_i (c_i^2 v_i)^2 / (n_i - 1),

and the interval is b -+ q sqrt(V), with q the larger of Student's quantile and of that of
|b* - b| / sqrt(V*) over 999 resamples of the trials (Hall 1988: the symmetric studentised
bootstrap; with up to 1,000 trials a point), which is larger where trials are skewed. It says how
well the slope is known if the law holds; whether it holds is what `misfit` says. With 20 trials a
point the interval of 95% covers about 95% for exponential trials, and 93% when the last point's are
log-normal with sigma 1 and the first's nearly constant. For a semi-logarithmic law,
E[y] = (a + b log x) g(x), the same with z_i = m_i / g(x_i) and v_i = s_i^2 / (n_i g(x_i)^2).

A trial that was stopped before it was done is censored: its y is only known to be at least what is
given. No mean follows from such data without an assumption; `fit_rate` makes one, that log y is
normal at each point, and then z_i is the maximum-likelihood location, v_i its observed information.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import CensoredData, chi2, norm
from scipy.stats import t as student

from rltheory.errors import SweepError
from rltheory.mdp.streams import Stream

__all__ = ["FEWEST_TRIALS", "RateFit", "crossover", "fit_rate"]

Array = NDArray[np.float64]

FEWEST_TRIALS = 20
"""Below this many trials a point, what is estimated of variances is not to be trusted."""

_RESAMPLES = 999
_FEW = 1000  # trials a point, beyond which Student's quantile is as good as the bootstrap's
_ULPS = 32 * 2.0**-53
"""What rounding may have done to a level, relative: trials without spread have intervals too."""
_MOST_POWER = 900
"""Of two, by which trials and factors are divided at most: the divisor stays a double."""


@dataclass(frozen=True)
class RateFit:
    """A law fitted to means.

    Parameters
    ----------
    slope, intercept : float
    interval : (float, float)
        Of the slope, at the given confidence.
    standard_error, degrees : float
        Of the slope, with its degrees of freedom.
    confidence : float
    misfit : float
        Probability of points as far from the law as these, if it holds: small speaks against it.
        1 with two points.
    x, level, error : ndarray, shape (k,)
        The points; z_i, and the square roots of v_i.
    kind : {"log-log", "semi-log"}
    censored : int
        How many trials were.
    rounding : float
        What rounding may have done to the slope; a part of every interval.
    """

    slope: float
    intercept: float
    interval: tuple[float, float]
    standard_error: float
    degrees: float
    confidence: float
    misfit: float
    x: Array
    level: Array
    error: Array
    kind: str = "log-log"
    censored: int = 0
    rounding: float = 0.0

    def one_sided(self, error_level: float) -> tuple[float, float]:
        """(lower, upper) bounds of the slope, each at this error level by itself.

        The level is asymptotic in the number of trials; a point whose trials are all equal counts
        as known, so that the bounds are too narrow where a rare trial would have differed.
        """
        reach = float(student.isf(error_level, self.degrees)) * self.standard_error + self.rounding
        return self.slope - reach, self.slope + reach

    def __repr__(self) -> str:
        low, high = self.interval
        return (
            f"RateFit({self.kind}, slope {self.slope:.4g} in [{low:.4g}, {high:.4g}] at "
            f"{100 * self.confidence:g}%, {len(self.x)} points, misfit p {self.misfit:.2g})"
        )


def fit_rate(
    x: ArrayLike,
    trials: Sequence[ArrayLike],
    *,
    factor: Callable[[Array], Any] | None = None,
    kind: str = "log-log",
    censored: Sequence[ArrayLike] | None = None,
    confidence: float = 0.95,
    bootstrap: bool = True,
) -> RateFit:
    """Fit a power law, or a semi-logarithmic one, to what trials gave at each point.

    Parameters
    ----------
    x : array_like, shape (k,)
        Positive and distinct, at least two.
    trials : sequence of k array_likes
        Results at each point, 20 or more; their means must be positive for a power law.
    factor : callable, optional
        The known factor g, positive, of an array of points: the logarithms of a bound, say.
    kind : {"log-log", "semi-log"}
    censored : sequence of k boolean array_likes, optional
        Which trials were stopped at what is given; log-log only.
    confidence : float
        Of the interval, in (0, 1).
    bootstrap : bool
        Whether the interval takes resamples into account; `one_sided` bounds do not.

    Returns
    -------
    RateFit

    Raises
    ------
    SweepError
        If an argument is out of range, there are too few trials, or a mean is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> import rltheory as rlt
    >>> x = np.array([1.0, 10.0, 100.0])
    >>> noise = np.linspace(0.9, 1.1, 21)
    >>> rlt.fit_rate(x, [5 * v**2 * noise for v in x])
    RateFit(log-log, slope 2 in [1.992, 2.008] at 95%, 3 points, misfit p 1)
    """
    points, samples, flags = _checked(x, trials, censored, kind, confidence)
    g = np.ones_like(points) if factor is None else np.asarray(factor(points), dtype=np.float64)
    if g.shape != points.shape or not (np.isfinite(g) & (g > 0.0)).all():
        raise SweepError(f"the factor is {g.tolist()} at the points; it must be positive there")
    if kind == "log-log":
        samples, g = _scaled(samples, flags, g)
    levels = [
        _level(float(at), y, flag, kind, float(gi))
        for at, y, flag, gi in zip(points, samples, flags, g, strict=True)
    ]
    z, v = np.array([z for z, _ in levels]), np.array([v for _, v in levels])
    t = np.log(points)
    c = (t - t.mean()) / float(((t - t.mean()) ** 2).sum())
    slope = float(c @ z)
    intercept = float(z.mean() - slope * t.mean())
    parts = c**2 * v
    variance = float(parts.sum())
    trials_left = np.array([len(y) - 1.0 for y in samples])
    spread = float((parts**2 / trials_left).sum())
    degrees = variance**2 / spread if spread > 0.0 else float(trials_left.sum())
    error = variance**0.5
    quantile = float(student.isf((1.0 - confidence) / 2.0, degrees))
    few = max(len(y) for y in samples) <= _FEW
    if bootstrap and few and error > 0.0 and not any(flag.any() for flag in flags):
        ratios = _studentised(samples, c, kind, g, slope)
        quantile = max(quantile, float(np.quantile(np.abs(ratios), confidence)))
    rounding = _ULPS * float(np.abs(c) @ (np.abs(z) + 1.0))
    reach = quantile * error + rounding
    return RateFit(
        slope,
        intercept,
        (slope - reach, slope + reach),
        error,
        degrees,
        confidence,
        _misfit(t, z, v),
        points,
        z,
        np.sqrt(v),
        kind,
        int(sum(flag.sum() for flag in flags)),
        rounding,
    )


def crossover(first: RateFit, second: RateFit) -> tuple[float, float, float]:
    """Where two fitted power laws meet: (x, lower, upper), by Fieller's theorem.

    The difference of the laws is a + b log x with a joint covariance; the set of x at which it is
    not significantly different from 0 at the confidence of `first` is an interval if the slopes
    differ significantly, and unbounded otherwise: then its ends are 0 and infinity.

    Raises
    ------
    SweepError
        If the fits are of different kinds, or have one slope.

    Examples
    --------
    Linear at first, then like the square root: 100 x and 1000 sqrt(x) meet at 100.

    >>> import numpy as np
    >>> import rltheory as rlt
    >>> noise = np.linspace(0.9, 1.1, 21)
    >>> x = np.array([1.0, 5.0, 25.0])
    >>> early = rlt.fit_rate(x, [100 * v * noise for v in x])
    >>> late = rlt.fit_rate(400 * x, [1000 * (400 * v) ** 0.5 * noise for v in x])
    >>> at, low, high = rlt.crossover(early, late)
    >>> bool(low < 100 < high), round(at)
    (True, 100)
    """
    if first.kind != second.kind:
        raise SweepError(f"a {first.kind} law and a {second.kind} one have no common scale")
    b = first.slope - second.slope
    a = first.intercept - second.intercept
    if b == 0.0:
        raise SweepError("the laws have the same slope; they do not meet")
    covariance = _covariance(first) + _covariance(second)
    quantile = float(
        student.isf((1.0 - first.confidence) / 2.0, min(first.degrees, second.degrees))
    )
    # (a + b t)^2 <= q^2 (var a + 2 t cov + t^2 var b), a quadratic inequality in t = log x.
    square = quantile**2
    alpha = b * b - square * covariance[1, 1]
    beta = a * b - square * covariance[0, 1]
    gamma = a * a - square * covariance[0, 0]
    at = float(np.exp(-a / b))
    discriminant = beta * beta - alpha * gamma
    if alpha <= 0.0 or discriminant < 0.0:
        return at, 0.0, float("inf")
    root = discriminant**0.5
    with np.errstate(over="ignore"):
        return at, float(np.exp((-beta - root) / alpha)), float(np.exp((-beta + root) / alpha))


def _scaled(
    samples: list[Array], flags: list[NDArray[np.bool_]], g: Array
) -> tuple[list[Array], Array]:
    """Trials and factors of each point, both divided by one power of two: their quotients stay the
    same to the bit, and squares of trials neither vanish nor overflow."""
    found, factors = list(samples), g.copy()
    for i, (y, flag) in enumerate(zip(samples, flags, strict=True)):
        power = int(np.clip(np.frexp(np.abs(y).max())[1], -_MOST_POWER, _MOST_POWER))
        scaled = np.ldexp(y, -power)
        if scaled.mean() > 0.0 and not flag.any():  # the others are told of, or in logarithms
            found[i], factors[i] = scaled, np.ldexp(g[i], -power)
    return found, factors


def _covariance(fit: RateFit) -> Array:
    """Of (intercept, slope)."""
    t = np.log(fit.x)
    centred = t - t.mean()
    c = centred / float((centred**2).sum())
    weights = np.stack([1.0 / len(t) - t.mean() * c, c])
    found: Array = (weights * fit.error**2) @ weights.T
    return found


def _misfit(t: Array, z: Array, v: Array) -> float:
    """Chi-square probability of the weighted distances to the best weighted line."""
    if len(t) == 2 or not (v > 0.0).all():
        return 1.0
    root = 1.0 / np.sqrt(v)
    design = np.stack([np.ones_like(t), t], axis=1) * root[:, None]
    residual = z * root - design @ np.linalg.lstsq(design, z * root, rcond=None)[0]
    return float(chi2.sf(float(residual @ residual), len(t) - 2))


def _studentised(samples: list[Array], c: Array, kind: str, g: Array, slope: float) -> Array:
    """(b* - b) / sqrt(V*) of resampled trials; the stream is always the same one."""
    stream = Stream(0, "rate-bootstrap")
    b, variance = np.zeros(_RESAMPLES), np.zeros(_RESAMPLES)
    for ci, gi, y in zip(c, g, samples, strict=True):
        drawn = y[stream.integers(len(y), _RESAMPLES, len(y))]
        mean, own = drawn.mean(axis=1), drawn.var(axis=1, ddof=1) / len(y)
        if kind == "semi-log":
            z, v = mean / gi, own / gi**2
        else:
            usable = mean > 0.0
            v = np.divide(own, mean**2, out=np.full_like(mean, np.nan), where=usable)
            z = np.log(np.where(usable, mean, 1.0) / gi) + v / 2.0
        b += ci * z
        variance += ci**2 * v
    kept = variance > 0.0  # a resample without a positive mean, or without spread, says nothing
    ratios: Array = (b[kept] - slope) / np.sqrt(variance[kept])
    return ratios if len(ratios) else np.zeros(1)


def _level(
    at: float, y: Array, flag: NDArray[np.bool_], kind: str, g: float
) -> tuple[float, float]:
    """(z, v) of one point."""
    n = len(y)
    if flag.any():
        location, variance = _censored_location(at, y, flag)
        return location - np.log(g), variance
    mean, variance = float(y.mean()), float(y.var(ddof=1)) / n
    if kind == "semi-log":
        return mean / g, variance / g**2
    if not mean > 0.0:
        raise SweepError(
            f"the mean at x = {at:g} is {mean:g}; the logarithm of a law needs positive means "
            "(more trials, or a grid that ends earlier)"
        )
    relative = variance / mean**2
    return float(np.log(mean / g)) + relative / 2.0, relative


def _censored_location(at: float, y: Array, flag: NDArray[np.bool_]) -> tuple[float, float]:
    """Maximum-likelihood location of log y, normal, with some known from below only.

    What a law is about is the logarithm of the mean, location + sigma^2 / 2: that is returned, with
    its variance from the observed information.
    """
    if flag.sum() > len(y) / 2 or not (y > 0.0).all():
        raise SweepError(
            f"{int(flag.sum())} of {len(y)} trials at x = {at:g} are censored; a location needs "
            "positive results, and at most half of them censored"
        )
    seen, cut = np.log(y[~flag]), np.log(y[flag])
    if seen.min() == seen.max():
        raise SweepError(
            f"the trials at x = {at:g} that were not censored are all equal; without spread "
            "nothing is known of what censored ones would have given"
        )
    location, sigma = norm.fit(CensoredData(uncensored=seen, right=cut))
    information = _information((seen - location) / sigma, (cut - location) / sigma, sigma)
    gradient = np.array([1.0, sigma**2])  # of location + sigma^2 / 2 in (location, log sigma)
    variance = float(gradient @ np.linalg.solve(information, gradient))
    return float(location + sigma**2 / 2.0), variance


def _information(seen: Array, cut: Array, sigma: float) -> Array:
    """Minus the second derivatives of the log-likelihood in (location, log sigma).

    `seen` and `cut` are standardised; a trial that was cut at u has the log-likelihood
    log(1 - Phi(u)), whose derivative is minus the hazard, and the hazard's is hazard (hazard - u).
    """
    hazard = np.exp(norm.logpdf(cut) - norm.logsf(cut))
    slope = hazard * (hazard - cut)
    of_location = (len(seen) + slope.sum()) / sigma**2
    mixed = (2.0 * seen.sum() + (hazard + slope * cut).sum()) / sigma
    of_scale = 2.0 * (seen**2).sum() + (hazard * cut + slope * cut**2).sum()
    return np.array([[of_location, mixed], [mixed, of_scale]])


def _checked(
    x: ArrayLike,
    trials: Sequence[ArrayLike],
    censored: Sequence[ArrayLike] | None,
    kind: str,
    confidence: float,
) -> tuple[Array, list[Array], list[NDArray[np.bool_]]]:
    if kind not in ("log-log", "semi-log"):
        raise SweepError(f"kind is {kind!r}; it must be 'log-log' or 'semi-log'")
    if not 0.0 < confidence < 1.0:
        raise SweepError(f"confidence is {confidence!r}; it must be in (0, 1)")
    points = np.asarray(x, dtype=np.float64)
    if points.ndim != 1 or len(points) < 2 or len(set(points.tolist())) < len(points):
        raise SweepError(f"x has shape {points.shape}; a law needs two distinct points or more")
    if not (np.isfinite(points) & (points > 0.0)).all():
        raise SweepError(f"x is {points.tolist()}; points must be positive and finite")
    if len(trials) != len(points):
        raise SweepError(f"there are {len(points)} points, and trials at {len(trials)}")
    samples = [np.asarray(y, dtype=np.float64) for y in trials]
    for at, y in zip(points, samples, strict=True):
        if y.ndim != 1 or len(y) < FEWEST_TRIALS:
            raise SweepError(
                f"there are {y.size} trials at x = {at:g}; a law with an interval needs at least "
                f"{FEWEST_TRIALS}"
            )
        if not np.isfinite(y).all():
            raise SweepError(f"a trial at x = {at:g} gave {y[~np.isfinite(y)][0]}")
    if censored is None:
        return points, samples, [np.zeros(len(y), dtype=np.bool_) for y in samples]
    flags = [np.asarray(flag, dtype=np.bool_) for flag in censored]
    if [flag.shape for flag in flags] != [y.shape for y in samples]:
        raise SweepError("censored must say of every trial whether it was")
    if kind == "semi-log" and any(flag.any() for flag in flags):
        raise SweepError("censored trials are for log-log laws")
    return points, samples, flags
