"""What can go wrong, by whose fault.

Each message says what was given, what is allowed, and where. Errors about a bad
argument also derive from ``ValueError``.
"""

from typing import Any


class RLTheoryError(Exception):
    """Base of every error that rltheory raises on purpose."""


class ModelError(RLTheoryError, ValueError):
    """A model, a model file or a request about a model is not valid."""


class InfeasibleError(ModelError):
    """No policy stays within the budgets, and here is the proof.

    Attributes
    ----------
    multipliers : ndarray of float64, shape (K,)
        At least 0. Every policy's costs, weighted by these, sum to at least `least`.
    least, budget : float
        `least` is certified, rounded down; `budget` is what the weighted budgets sum to, rounded
        up; ``least > budget``.
    solution : Solution
        Of the model whose rewards are the weighted costs times -1; its certificate is the proof.
    """

    def __init__(
        self, message: str, multipliers: Any, least: float, budget: float, solution: Any
    ) -> None:
        super().__init__(message)
        self.multipliers = multipliers
        self.least = least
        self.budget = budget
        self.solution = solution


class PolicyError(RLTheoryError, ValueError):
    """A policy has the wrong shape, names an absent action, or is not a distribution."""


class ClaimError(RLTheoryError, ValueError):
    """A claim is unknown, incomplete, or its check returned something else than it should."""


class SweepError(RLTheoryError, ValueError):
    """A sweep file, a point of its grid or its ledger is not valid."""


class AccessError(RLTheoryError, ValueError):
    """A learner asked for more than its access to the model allows."""


class ConvergenceError(RLTheoryError):
    """The certified gap did not reach the tolerance.

    Attributes
    ----------
    solution : Solution or None
        The best bracket that was reached; None where nothing finite was computed.
    wanted, reached : float
        The tolerance asked for and the certified gap reached.
    reason : str
        Why no smaller gap was reached.
    """

    def __init__(self, solution: Any, wanted: float, reached: float, reason: str) -> None:
        what = "the error may be" if solution is None else "the certified gap is"
        super().__init__(f"{what} {reached:.3g}, above the tolerance {wanted:.3g}: {reason}")
        self.solution = solution
        self.wanted = wanted
        self.reached = reached
        self.reason = reason
