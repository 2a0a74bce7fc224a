"""Power laws from brackets: log n = a + b log x + error, with n known to lie in (lower, upper].

What a search on a grid says about a sample complexity n(x), x = 1/eps or any other scale, is an
interval; where the cap was hit, upper is infinite (censored). Three answers, in order of what they
assume:

    feasible slopes   all b for which one power law passes through all brackets: nothing is assumed,
                      and there may be none (`rltheory.inference.feasible`)
    misfit            the least t such that some power law is within a factor exp(t) of all brackets
    slope, interval   maximum likelihood with normal errors of log n, and the slopes that the
                      likelihood does not reject (`rltheory.inference.censored`)

A slope b0 is rejected when 2 (max l - max l | b = b0) exceeds m log(1 + t^2/(m - p)), where m is
the number of brackets with two ends, p of coefficients, and t the quantile of Student's law with
m - p degrees of freedom. Where brackets are points this is the studentised interval, exactly; where
they are wide it is wider, and it always contains the feasible slopes.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import t as student

from rltheory.errors import ClaimError
from rltheory.inference.censored import CensoredFit, fit_intervals
from rltheory.inference.feasible import feasible_slopes

__all__ = ["PowerLaw", "fit_power_law"]

Array = NDArray[np.float64]

_WIDEST = 1e3
"""Slopes further than this from the estimate are not looked at: the interval is called infinite."""


@dataclass(frozen=True)
class PowerLaw:
    """n = exp(intercept) x^slope (log x)^log_power, fitted to brackets.

    Parameters
    ----------
    slope, intercept, log_power : float
        Maximum likelihood; the power of log x is 0 unless it was fitted.
    interval : (float, float)
        Of the slope, at the given confidence; infinite where there are too few brackets.
    confidence : float
    feasible : (float, float) or None
        Slopes of power laws through all brackets, without the power of log x; None if there is
        none.
    misfit : float
        Some law of the fitted form is within a factor exp(misfit) of every bracket; 0 if one
        passes through all of them.
    sigma : float
        Standard deviation of log n around the law; 0 if one passes through all brackets.
    points, censored : int
        How many brackets there are, and how many of them have one end only.
    log_likelihood : float
    """

    slope: float
    intercept: float
    log_power: float
    interval: tuple[float, float]
    confidence: float
    feasible: tuple[float, float] | None
    misfit: float
    sigma: float
    points: int
    censored: int
    log_likelihood: float

    def __call__(self, x: Any) -> Any:
        """n at these x."""
        x = np.asarray(x, dtype=np.float64)
        logs = np.log(x)
        power = logs**self.log_power if self.log_power else 1.0
        return np.exp(self.intercept + self.slope * logs) * power

    def __repr__(self) -> str:
        low, high = self.interval
        exact = "none" if self.feasible is None else "[{:.3g}, {:.3g}]".format(*self.feasible)
        with_log = f" (log x)^{self.log_power:.3g}" if self.log_power else ""
        return (
            f"PowerLaw(n = {math.exp(self.intercept):.3g} x^{self.slope:.3g}{with_log}, slope in "
            f"[{low:.3g}, {high:.3g}] at {self.confidence:.3g}, feasible {exact}, misfit "
            f"{self.misfit:.2g}, {self.points} brackets, {self.censored} censored)"
        )


def fit_power_law(
    x: Any,
    lower: Any,
    upper: Any,
    *,
    log_power: bool = False,
    confidence: float = 0.95,
) -> PowerLaw:
    """Fit a power law to brackets of n.

    Parameters
    ----------
    x : array_like, shape (m,)
        Positive, at least two different ones; above 1 with `log_power`.
    lower, upper : array_like, shape (m,)
        0 <= lower < upper; lower 0 and upper infinite where there is no bound.
    log_power : bool
        Whether to fit a power of log x beside that of x; on a short range the two are hard to
        tell apart, and the interval says so.
    confidence : float
        In (0, 1).

    Returns
    -------
    PowerLaw

    Raises
    ------
    ClaimError
        If the brackets are not as described, or too few have two ends to determine the law.

    Examples
    --------
    >>> from rltheory.inference.power_law import fit_power_law
    >>> law = fit_power_law([1, 2, 4, 8], [8, 32, 128, 512], [16, 64, 256, 1024])
    >>> round(law.slope, 3), [round(b, 3) for b in law.feasible], law.misfit
    (2.0, [1.667, 2.333], 0.0)
    """
    logs, low, high = _read(x, lower, upper, log_power)
    if not 0.0 < confidence < 1.0:
        raise ClaimError(f"confidence is {confidence!r}; it must be in (0, 1)")
    columns = [logs, np.ones_like(logs)]
    if log_power:
        columns.append(np.log(logs))
    design = np.column_stack(columns)
    bounded = np.isfinite(low) & np.isfinite(high)
    if np.linalg.matrix_rank(design[bounded]) < design.shape[1]:
        raise ClaimError(
            f"{int(bounded.sum())} brackets have two ends; that does not determine a law with "
            f"{design.shape[1]} coefficients"
        )
    # Centred for the sake of the numbers; a line's slope does not notice.
    middle = float(low[bounded].mean() + high[bounded].mean()) / 2.0
    best = fit_intervals(design, low - middle, high - middle)
    return PowerLaw(
        slope=float(best.beta[0]),
        intercept=float(best.beta[1]) + middle,
        log_power=float(best.beta[2]) if log_power else 0.0,
        interval=_interval(design, low - middle, high - middle, best, bounded, confidence),
        confidence=confidence,
        feasible=feasible_slopes(logs, low, high),
        misfit=max(0.0, -best.slack),
        sigma=best.sigma,
        points=len(logs),
        censored=int((~bounded).sum()),
        log_likelihood=best.log_likelihood,
    )


def _read(x: Any, lower: Any, upper: Any, log_power: bool) -> tuple[Array, Array, Array]:
    x, lower, upper = (np.asarray(y, dtype=np.float64) for y in (x, lower, upper))
    if x.ndim != 1 or x.shape != lower.shape or x.shape != upper.shape:
        raise ClaimError(
            f"x, lower and upper have shapes {x.shape}, {lower.shape}, {upper.shape}; they must "
            "be vectors of one length"
        )
    least = 1.0 if log_power else 0.0
    if not (np.isfinite(x) & (x > least)).all():
        raise ClaimError(f"x is {x.tolist()}; it must be finite and above {least:g}")
    good = (lower >= 0.0) & (lower < upper) & (lower < np.inf)
    if not good.all():
        i = int(np.flatnonzero(~good)[0])
        raise ClaimError(
            f"bracket {i} is ({lower[i]:g}, {upper[i]:g}]; it must be 0 <= lower < upper"
        )
    with np.errstate(divide="ignore"):
        return np.log(x), np.log(lower), np.log(upper)


def _interval(
    design: Array,
    low: Array,
    high: Array,
    best: CensoredFit,
    bounded: NDArray[np.bool_],
    confidence: float,
) -> tuple[float, float]:
    """The slopes that the profile likelihood does not reject."""
    m, p = int(bounded.sum()), design.shape[1]
    if m <= p:
        return -math.inf, math.inf
    t = float(student.ppf((1.0 + confidence) / 2.0, m - p))
    allowed = m * math.log1p(t * t / (m - p))

    def excess(slope: float) -> float:
        shift = slope * design[:, 0]
        rest = fit_intervals(design[:, 1:], low - shift, high - shift)
        return 2.0 * (best.log_likelihood - rest.log_likelihood) - allowed

    slope = float(best.beta[0])
    scale = max(best.sigma, best.slack, 1e-6) / max(float(np.std(design[bounded, 0])), 1e-12)
    return _edge(excess, slope, -scale), _edge(excess, slope, scale)


def _edge(excess: Callable[[float], float], inside: float, step: float) -> float:
    """Where the excess is 0 in the direction of the step: slopes not rejected are an interval.

    The likelihood is concave in (theta, tau), so that where it is large is a convex set, and its
    image under slope = theta_1 / tau is connected.
    """
    reach = step
    while excess(inside + reach) < 0.0:
        reach *= 2.0
        if abs(reach) > _WIDEST:
            return math.copysign(math.inf, step)
    return float(brentq(excess, inside, inside + reach, xtol=1e-6, rtol=1e-9))
