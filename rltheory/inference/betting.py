"""Time-uniform bounds of the mean of a bounded variable, by betting.

For x_t in [0, 1] with conditional mean mu, the wealth of a bet against m,

    K_n(m) = prod_t (1 + lambda_t (x_t - m)),    -1/(1-m) <= lambda_t <= 1/m,

with lambda_t chosen from x_1..x_{t-1}, is a nonnegative martingale at m = mu. K+ bets on a larger
mean, K- on a smaller one, with the plug-in bets of Waudby-Smith and Ramdas (JRSS-B 2024),
truncated at half of what is allowed. Each reaches 2/alpha at m = mu with probability at most
alpha/2, over all times. K+ falls and K- rises with m: every factor is positive and monotone. So mu
is not below any m at which K+ has reached 2/alpha, nor above any m at which K- has; both are
looked up on a grid of m. Proof: docs/theory/foundations.md#conf-betting.
"""

import math

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import ClaimError

__all__ = ["BettingInterval"]

_TRUNCATION = 0.5
_CELLS = 2**14  # of a table of values by candidate means, so that it stays in the cache


class BettingInterval:
    """Bounds of a mean that hold at every time, updated in batches.

    Parameters
    ----------
    low, high : float
        Range in which every value lies surely.
    alpha : float
        Probability that the mean is ever outside the bounds.
    grid : int
        Number of candidate means between the ends.

    Examples
    --------
    >>> import numpy as np
    >>> from rltheory.inference.betting import BettingInterval
    >>> interval = BettingInterval(0.0, 1.0, alpha=1e-6)
    >>> interval.add(np.tile([0.0, 1.0], 500))
    >>> lower, upper = interval.bounds
    >>> 0.35 < lower < 0.5 < upper < 0.65
    True
    """

    def __init__(self, low: float, high: float, alpha: float, grid: int = 1000) -> None:
        if not low < high or not math.isfinite(high - low):
            raise ClaimError(f"the range is [{low!r}, {high!r}]; low must be below high")
        if not 0.0 < alpha < 1.0:
            raise ClaimError(f"alpha is {alpha!r}; it must be in (0, 1)")
        self.low, self.high, self.alpha = low, high, alpha
        self.means = np.linspace(0.0, 1.0, grid + 1)[1:-1]
        self.trials = 0
        self._sum, self._deviations = 0.5, 0.25  # one pseudo-observation of mean and variance
        self._up = np.zeros_like(self.means)
        self._down = np.zeros_like(self.means)
        self._too_low = np.zeros(len(self.means), dtype=np.bool_)
        self._too_high = np.zeros(len(self.means), dtype=np.bool_)

    def add(self, values: NDArray[np.float64]) -> None:
        """Take further values into account, in their order."""
        x = (np.asarray(values, dtype=np.float64) - self.low) / (self.high - self.low)
        if x.ndim != 1 or not ((x >= 0.0) & (x <= 1.0)).all():
            raise ClaimError(f"a value is outside the declared range [{self.low}, {self.high}]")
        block = max(1, _CELLS // max(1, len(self.means)))
        for first in range(0, len(x), block):
            self._add(x[first : first + block])

    def _add(self, x: NDArray[np.float64]) -> None:
        horizon = math.log(2.0 / self.alpha)
        n = self.trials + 1.0 + np.arange(len(x))
        # Sums one after another, so that batches do not matter; entry t is what is known before t.
        sums = np.cumsum(np.concatenate([[self._sum], x]))
        steps = (x - sums[1:] / (n + 1.0)) ** 2
        deviations = np.cumsum(np.concatenate([[self._deviations], steps]))
        bet = np.sqrt(2.0 * horizon / (deviations[:-1] * np.log(n + 1.0)))[:, None]
        gain = x[:, None] - self.means
        up = np.log1p(np.minimum(bet, _TRUNCATION / self.means) * gain)
        down = np.log1p(-np.minimum(bet, _TRUNCATION / (1.0 - self.means)) * gain)
        for wealth, reached, logs in (
            (self._up, self._too_low, up),
            (self._down, self._too_high, down),
        ):
            logs[0] += wealth
            np.cumsum(logs, axis=0, out=logs)
            reached |= (logs >= horizon).any(axis=0)
            wealth[:] = logs[-1]
        self.trials += len(x)
        self._sum, self._deviations = float(sums[-1]), float(deviations[-1])

    @property
    def bounds(self) -> tuple[float, float]:
        """(lower, upper): the mean lies between them, at all times, but for probability alpha.

        They cross, lower > upper, only where the mean is outside of one of them.
        """
        low, high = np.flatnonzero(self._too_low), np.flatnonzero(self._too_high)
        width = self.high - self.low
        lower, upper = self.low, self.high
        if len(low):
            lower = max(lower, math.nextafter(self.low + width * self.means[low[-1]], -math.inf))
        if len(high):
            upper = min(upper, math.nextafter(self.low + width * self.means[high[0]], math.inf))
        return lower, upper
