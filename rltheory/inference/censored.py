"""Linear regression on intervals: maximum likelihood with normal errors.

y_i = design_i . beta + sigma z_i with standard normal z_i is only known to lie in
(low_i, high_i], either end possibly infinite:

    l(beta, sigma) = sum_i log( Phi((high_i - m_i)/sigma) - Phi((low_i - m_i)/sigma) ),
    m_i = design_i . beta.

With theta = beta/sigma and tau = 1/sigma it is concave (Burridge, Biometrika 68, 1981), so that
Newton's method with step halving finds the maximum. Where some beta passes inside all intervals the
supremum is 0, for sigma -> 0, and the maximisers tend to the beta deepest inside.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

from rltheory.errors import ClaimError
from rltheory.inference.feasible import deepest

__all__ = ["CensoredFit", "fit_intervals"]

Array = NDArray[np.float64]

_MOST_STEPS = 200
_SMALL = 1e-10
_LOG_SQRT_2PI = 0.9189385332046727


@dataclass(frozen=True)
class CensoredFit:
    """The fit: `sigma` is that of the errors, `slack` the depth inside the intervals."""

    beta: Array
    sigma: float
    log_likelihood: float
    slack: float


def fit_intervals(design: Array, low: Array, high: Array) -> CensoredFit:
    """The maximum likelihood fit.

    Parameters
    ----------
    design : ndarray, shape (m, p)
        Of full column rank.
    low, high : ndarray, shape (m,)
        low < high, with infinities where there is no bound.
    """
    slack, beta = deepest(design, low, high)
    if slack > 0.0:
        return CensoredFit(beta, 0.0, 0.0, slack)
    spread = max(-slack, 0.1 * float(np.min(high - low)), 1e-9)
    parameters = np.append(beta, 1.0) / spread
    value, gradient, hessian = _likelihood(design, low, high, parameters)
    for _ in range(_MOST_STEPS):
        step = np.linalg.lstsq(-hessian, gradient, rcond=None)[0]
        expected = float(gradient @ step)
        if expected <= _SMALL * (1.0 + abs(value)):
            break
        length = 1.0
        while length > 1e-12:
            tried = parameters + length * step
            if tried[-1] > 0.0:
                then = _likelihood(design, low, high, tried)
                if then[0] >= value + 1e-4 * length * expected:
                    break
            length *= 0.5
        else:
            break
        parameters, (value, gradient, hessian) = tried, then
    else:
        raise ClaimError("the likelihood of the brackets has no maximum; there are too few of them")
    sigma = float(1.0 / parameters[-1])
    return CensoredFit(parameters[:-1] * sigma, sigma, float(value), slack)


def _likelihood(
    design: Array, low: Array, high: Array, parameters: Array
) -> tuple[float, Array, Array]:
    """l and its derivatives in (theta, tau)."""
    theta, tau = parameters[:-1], parameters[-1]
    centre = design @ theta
    up, down = tau * high - centre, tau * low - centre
    log_mass = _log_difference(up, down)
    ends_up = np.column_stack([-design, np.where(np.isfinite(high), high, 0.0)])
    ends_down = np.column_stack([-design, np.where(np.isfinite(low), low, 0.0)])
    at_up = np.exp(-0.5 * up**2 - _LOG_SQRT_2PI - log_mass)
    at_down = np.exp(-0.5 * down**2 - _LOG_SQRT_2PI - log_mass)
    slopes = at_up[:, None] * ends_up - at_down[:, None] * ends_down
    bend_up = -np.where(at_up > 0.0, up, 0.0) * at_up
    bend_down = np.where(at_down > 0.0, down, 0.0) * at_down
    hessian = (
        ends_up.T @ (bend_up[:, None] * ends_up)
        + ends_down.T @ (bend_down[:, None] * ends_down)
        - slopes.T @ slopes
    )
    return float(log_mass.sum()), slopes.sum(axis=0), hessian


def _log_difference(up: Array, down: Array) -> Array:
    """log(Phi(up) - Phi(down)), up > down, from the tail in which both lie."""
    flip = down > 0.0
    a, b = np.where(flip, -down, up), np.where(flip, -up, down)
    larger, smaller = log_ndtr(a), log_ndtr(b)
    return larger + np.log1p(-np.exp(np.minimum(smaller - larger, -1e-300)))
