"""An anytime-valid test of a failure probability p against a stated delta.

Failures are independent Bernoulli(p). With a uniform prior on an interval Q of failure
probabilities, k failures in n trials and a null value q0,

    M_n = int_Q q^k (1-q)^(n-k) dq / |Q|  /  q0^k (1-q0)^(n-k)

is the mixture likelihood ratio. With Q = [delta, 1] and q0 = delta it is a supermartingale under
every p <= delta; with Q = [0, c] and q0 = c = margin * delta under every p >= c. By Ville's
inequality M_n >= 1/alpha happens, at any time, with probability at most alpha:

    refute    when M_n(Q = [delta, 1]) >= 1/alpha
    confirm   when M_n(Q = [0, c])     >= 1/alpha        (p < margin * delta)

Looking after every trial costs nothing, unlike with fixed-sample bounds. Proof:
docs/theory/foundations.md#conf-sequential-test.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import betainc, betaincc, betaln

from rltheory.errors import ClaimError

__all__ = ["SequentialTest", "fewest_trials", "log_evidence_against", "log_evidence_for"]


@dataclass
class SequentialTest:
    """Counts failures and says when the question is settled.

    Parameters
    ----------
    delta : float
        In (0, 1).
    alpha_confirm, alpha_refute : float
        Probability of a wrong "confirmed" (p >= margin * delta) and "refuted" (p <= delta).
    margin : float
        Above 1, with margin * delta below 1.

    Examples
    --------
    >>> from rltheory.inference.sequential import SequentialTest
    >>> test = SequentialTest(0.1, 1e-6, 1e-6)
    >>> test.add(0, 120)
    >>> test.decision
    >>> test.add(0, 60)
    >>> test.decision
    'confirmed'
    """

    delta: float
    alpha_confirm: float
    alpha_refute: float
    margin: float = 1.1
    failures: int = 0
    trials: int = 0

    def __post_init__(self) -> None:
        if not 0.0 < self.delta < 1.0:
            raise ClaimError(f"delta is {self.delta!r}; it must be in (0, 1)")
        for name in ("alpha_confirm", "alpha_refute"):
            if not 0.0 < getattr(self, name) < 1.0:
                raise ClaimError(f"{name} is {getattr(self, name)!r}; it must be in (0, 1)")
        if not (self.margin > 1.0 and self.margin * self.delta < 1.0):
            raise ClaimError(
                f"margin is {self.margin!r}; it must be above 1 and below 1/delta = "
                f"{1.0 / self.delta!r}"
            )

    def add(self, failures: int, trials: int) -> None:
        """Count `failures` among `trials` more trials."""
        if not 0 <= failures <= trials:
            raise ClaimError(f"{failures} failures in {trials} trials: that cannot be")
        self.failures += failures
        self.trials += trials

    @property
    def decision(self) -> str | None:
        """'refuted', 'confirmed', or None while it is open."""
        if self.log_evidence_against >= -math.log(self.alpha_refute):
            return "refuted"
        if self.log_evidence_for >= -math.log(self.alpha_confirm):
            return "confirmed"
        return None

    @property
    def log_evidence_against(self) -> float:
        """log M_n against p <= delta."""
        return float(log_evidence_against(self.failures, self.trials, self.delta))

    @property
    def log_evidence_for(self) -> float:
        """log M_n against p >= margin * delta."""
        return float(log_evidence_for(self.failures, self.trials, self.margin * self.delta))


def log_evidence_against(failures: Any, trials: Any, delta: float) -> Any:
    """log M_n with Q = [delta, 1] and q0 = delta; for arrays too.

    Examples
    --------
    >>> from rltheory.inference.sequential import log_evidence_against
    >>> log_evidence_against([0, 1, 2], 2, 0.1).round(3).tolist()
    [-1.099, 0.693, 3.611]
    """
    k, n = np.asarray(failures), np.asarray(trials)
    return _log_mixture(k, n, betaincc(k + 1, n - k + 1, delta), delta, 1.0 - delta)


def log_evidence_for(failures: Any, trials: Any, most: float) -> Any:
    """log M_n with Q = [0, most] and q0 = most; for arrays too.

    Examples
    --------
    >>> from rltheory.inference.sequential import log_evidence_for
    >>> log_evidence_for([0, 1, 2], 2, 0.5).round(3).tolist()
    [0.847, -0.405, -1.099]
    """
    k, n = np.asarray(failures), np.asarray(trials)
    return _log_mixture(k, n, betainc(k + 1, n - k + 1, most), most, most)


def _log_mixture(k: Any, n: Any, mass: Any, null: float, width: float) -> Any:
    """log of int_Q q^k (1-q)^(n-k) dq / |Q| / null^k (1-null)^(n-k); `mass` is Beta(Q).

    Where the mass underflows, M_n is below 1: its integrand is at most 1 on the far side of Q.
    """
    with np.errstate(divide="ignore"):
        integral = np.log(mass) + betaln(k + 1, n - k + 1)
    return integral - math.log(width) - k * math.log(null) - (n - k) * math.log1p(-null)


def fewest_trials(delta: float, alpha: float, margin: float = 1.1) -> int:
    """Trials without any failure after which the test confirms; fewer can never do.

    Examples
    --------
    >>> from rltheory.inference.sequential import fewest_trials
    >>> fewest_trials(0.1, 1e-6)
    143
    """
    low, high = 0, 1
    while not _confirms(high, delta, alpha, margin):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if _confirms(middle, delta, alpha, margin):
            high = middle
        else:
            low = middle
    return high


def _confirms(trials: int, delta: float, alpha: float, margin: float) -> bool:
    test = SequentialTest(delta, alpha, alpha, margin, 0, trials)
    return test.log_evidence_for >= -math.log(alpha)
