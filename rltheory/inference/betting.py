"""Time-uniform bounds of the mean of a bounded variable, by betting.

For x_t in [0, 1] with conditional mean mu, the wealth of a bet against m,

    K_n(m) = prod_t (1 + lambda_t (x_t - m)),    -1/(1-m) <= lambda_t <= 1/m,

with lambda_t chosen from x_1..x_{t-1}, is a nonnegative martingale at m = mu. K+ bets on a larger
mean, K- on a smaller one, with the plug-in bets of Waudby-Smith and Ramdas (JRSS-B 2024),
truncated at half of what is allowed. The values m at which neither has reached 2/alpha contain mu
for all n at once with probability at least 1 - alpha. K+ falls and K- rises with m, so that they
are an interval; it is reported outward to the grid of m. Proof:
docs/theory/foundations.md#conf-betting.
"""

import math

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import ClaimError

__all__ = ["BettingInterval"]

_TRUNCATION = 0.5


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
        self._alive = np.ones(len(self.means), dtype=np.bool_)

    def add(self, values: NDArray[np.float64]) -> None:
        """Take further values into account, in their order."""
        x = (np.asarray(values, dtype=np.float64) - self.low) / (self.high - self.low)
        if not ((x >= 0.0) & (x <= 1.0)).all():
            raise ClaimError(f"a value is outside the declared range [{self.low}, {self.high}]")
        horizon = math.log(2.0 / self.alpha)
        for value in x.tolist():
            n = self.trials + 1
            variance = self._deviations / n
            bet = math.sqrt(2.0 * horizon / (variance * n * math.log(n + 1.0)))
            up = np.minimum(bet, _TRUNCATION / self.means)
            down = np.minimum(bet, _TRUNCATION / (1.0 - self.means))
            self._up += np.log1p(up * (value - self.means))
            self._down += np.log1p(-down * (value - self.means))
            self._alive &= np.maximum(self._up, self._down) < horizon
            self.trials = n
            self._sum += value
            self._deviations += (value - self._sum / (n + 1)) ** 2

    @property
    def bounds(self) -> tuple[float, float]:
        """(lower, upper): the mean lies between them, at all times, but for probability alpha."""
        alive = np.flatnonzero(self._alive)
        if not len(alive):  # probability below alpha: nothing is left
            return self.high, self.low
        grid = np.concatenate([[0.0], self.means, [1.0]])
        first, last = grid[alive[0]], grid[alive[-1] + 2]
        width = self.high - self.low
        return self.low + width * float(first), self.low + width * float(last)
