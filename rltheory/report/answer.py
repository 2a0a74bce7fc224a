"""One solved source as the reports read it, whether the solver used doubles or rationals."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import ConvergenceError
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.model import MDP
from rltheory.report.brackets import Number, weighted
from rltheory.solvers.exact import ExactSolution
from rltheory.solvers.solution import AnyCertificate, Solution

Bounds = tuple[Number, Number]


@dataclass(frozen=True)
class Answer:
    """What was asked, what came out, and how far it may be trusted.

    Parameters
    ----------
    source : str
        The source as it was typed.
    mdp : MDP or EpisodicMDP
    criterion, method : str
    discount : float, Fraction or None
        A Fraction where exactly that rational was the discount.
    gap, tol : float
        Certified gap reached and tolerance asked for; both 0 when the answer is exact.
    value, lower, upper : ndarray of float64 or of Fraction objects, shape (S,) or (H+1, S)
        None where nothing finite was computed.
    policy : ndarray of int64, shape (S,) or (H, S)
        None likewise.
    certificate : Certificate, AverageCertificate or TotalCertificate
        None likewise.
    iterations : int
    seconds : float
    note : str
        What the solver chose and why, or which rational model was solved.
    failure : str
        Why the tolerance was not reached; empty when it was.
    exact : bool
        Whether the values are rationals.
    """

    source: str
    mdp: MDP | EpisodicMDP
    criterion: str
    method: str
    discount: Number | None
    gap: float
    tol: float
    value: NDArray[Any] | None = None
    lower: NDArray[Any] | None = None
    upper: NDArray[Any] | None = None
    policy: NDArray[np.int64] | None = None
    certificate: AnyCertificate | None = None
    iterations: int = 0
    seconds: float = 0.0
    note: str = ""
    failure: str = ""
    exact: bool = False

    @property
    def horizon(self) -> int | None:
        return self.mdp.horizon if isinstance(self.mdp, EpisodicMDP) else None

    def now(self, x: NDArray[Any]) -> NDArray[Any]:
        """The part of a value or policy that holds at the start: stage 0 of an episodic one."""
        return x if self.horizon is None else x[0]

    @property
    def quantity(self) -> str:
        """What is bounded, as a table names it: the value, or the gain."""
        return "gain" if self.criterion == "average" else "value"

    @property
    def start(self) -> Bounds | None:
        """Exact bounds of the optimal value of the start law; None without a start law."""
        if self.lower is None or self.upper is None or self.mdp.initial is None:
            return None
        start = self.mdp.initial
        return weighted(start, self.now(self.lower)), weighted(start, self.now(self.upper))

    @property
    def least(self) -> Bounds | None:
        """Bounds of the smallest optimal value of a state."""
        if self.lower is None or self.upper is None:
            return None
        return self.now(self.lower).min(), self.now(self.upper).min()

    @property
    def largest(self) -> Bounds | None:
        """Bounds of the largest optimal value of a state."""
        if self.lower is None or self.upper is None:
            return None
        return self.now(self.lower).max(), self.now(self.upper).max()


def of_solution(source: str, solution: Solution, failure: str = "") -> Answer:
    """The answer of a solver in doubles; `failure` says why it is wider than was asked for."""
    return Answer(
        source=source,
        mdp=solution.mdp,
        criterion=solution.criterion,
        method=solution.method,
        discount=_discount(solution.mdp, solution.criterion),
        gap=solution.gap,
        tol=solution.tol,
        value=solution.value,
        lower=solution.certificate.lower,
        upper=solution.certificate.upper,
        policy=solution.policy,
        certificate=solution.certificate,
        iterations=solution.iterations,
        seconds=solution.seconds,
        note=solution.note,
        failure=failure,
    )


def of_exact(source: str, solution: ExactSolution, seconds: float) -> Answer:
    """The answer in rationals: both bounds are the value, and the gap is 0."""
    value = _fractions(solution.value)
    return Answer(
        source=source,
        mdp=solution.mdp,
        criterion=solution.certificate.criterion,
        method="exact",
        discount=_discount(solution.mdp, solution.certificate.criterion),
        gap=0.0,
        tol=0.0,
        value=value,
        lower=value,
        upper=value,
        policy=np.asarray(solution.policy),
        certificate=solution.certificate,
        seconds=seconds,
        note=solution.model_note,
        exact=True,
    )


def of_nothing(
    source: str,
    mdp: MDP | EpisodicMDP,
    method: str,
    error: ConvergenceError,
    criterion: str | None = None,
) -> Answer:
    """The answer where no finite bracket was computed; `criterion` None is the model's own."""
    if criterion is None:
        criterion = "discounted" if isinstance(mdp, MDP) else "finite-horizon"
    return Answer(
        source=source,
        mdp=mdp,
        criterion=criterion,
        method=method,
        discount=_discount(mdp, criterion),
        gap=error.reached,
        tol=error.wanted,
        failure=error.reason,
    )


def _discount(mdp: MDP | EpisodicMDP, criterion: str) -> Number | None:
    return mdp.discount if isinstance(mdp, MDP) and criterion == "discounted" else None


def _fractions(values: tuple[Fraction, ...] | tuple[tuple[Fraction, ...], ...]) -> NDArray[Any]:
    """Object array of the values; built entry by entry, since numpy would ask each its type."""
    return np.array(values, dtype=object)
