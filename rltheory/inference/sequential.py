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

from scipy.special import betainc, betaincc, betaln

from rltheory.errors import ClaimError

__all__ = ["SequentialTest", "fewest_trials"]


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
        if not (self.margin > 1.0 and self.margin * self.delta < 1.0):
            raise ClaimError(
                f"margin is {self.margin!r}; it must be above 1 and below 1/delta = "
                f"{1.0 / self.delta!r}"
            )

    def add(self, failures: int, trials: int) -> None:
        """Count `failures` among `trials` more trials."""
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
        k, n, q = self.failures, self.trials, self.delta
        mass = float(betaincc(k + 1, n - k + 1, q))
        return _log(mass) + _marginal(k, n) - math.log(1.0 - q) - _likelihood(k, n, q)

    @property
    def log_evidence_for(self) -> float:
        """log M_n against p >= margin * delta."""
        k, n, q = self.failures, self.trials, self.margin * self.delta
        mass = float(betainc(k + 1, n - k + 1, q))
        return _log(mass) + _marginal(k, n) - math.log(q) - _likelihood(k, n, q)


def fewest_trials(delta: float, alpha: float, margin: float = 1.1) -> int:
    """Trials without any failure after which the test confirms; fewer can never do.

    Examples
    --------
    >>> from rltheory.inference.sequential import fewest_trials
    >>> fewest_trials(0.1, 1e-6)
    142
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


def _marginal(k: int, n: int) -> float:
    return float(betaln(k + 1, n - k + 1))


def _likelihood(k: int, n: int, q: float) -> float:
    return k * math.log(q) + (n - k) * math.log1p(-q)


def _log(x: float) -> float:
    return math.log(x) if x > 0.0 else -math.inf
