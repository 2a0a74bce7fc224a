"""A long-run average, and how far it may be trusted."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import RLTheoryError
from rltheory.lsd_bandits.bandit import LSDBandit

__all__ = ["Average", "need_dominance", "sampled"]

LEVEL = 1e-3
SAMPLES = 20_000
WINDOW = 64


@dataclass(frozen=True)
class Average:
    """A reward per round in the long run.

    Attributes
    ----------
    value : Fraction or float
        A Fraction where it is exact.
    method : {"enumeration", "period", "monte-carlo", "window"}
        "enumeration": over all tuples of plans and offsets; "period": over one period of plays and
        states; "monte-carlo": the mean over independent samples; "window": the same, where no
        finite number of rounds is known after which the start is forgotten, so that `half_width`
        is about the mean over the window of rounds alone.
    half_width : float
        0 for the first two, up to the rounding of float rates. For the others: with probability
        0.999 `value` is within it (Hoeffding); infinite where nothing can be said.
    samples : int
        Tuples enumerated, or schedules drawn; 1 for one schedule.
    rounds : int
        Averaged over for each of them, at most; 0 where this differs from tuple to tuple.
    """

    value: Fraction | float
    method: str
    half_width: float
    samples: int
    rounds: int

    @property
    def is_exact(self) -> bool:
        """Whether the value is exact."""
        return isinstance(self.value, Fraction)

    def __repr__(self) -> str:
        if self.half_width == 0:
            return f"Average({self.value}, {self.method})"
        return f"Average({self.value:.6g} +- {self.half_width:.2g}, {self.method})"


def sampled(
    counts: NDArray[np.int64], rounds: int, payoffs: Sequence[Fraction], plays: int, window: bool
) -> Average:
    """The mean over samples, whose plays over so many rounds were counted state by state."""
    pay = np.array([float(p) for p in payoffs])
    n = len(counts)
    value = math.fsum((counts @ pay).tolist()) / (n * rounds)
    most = plays * float(max(payoffs))
    half_width = most * math.sqrt(math.log(2.0 / LEVEL) / (2.0 * n))
    return Average(value, "window" if window else "monte-carlo", half_width, n, rounds)


def need_dominance(bandit: LSDBandit, violations: int) -> None:
    """Stop where a real state fell below its virtual one, which claim ``lsd-mirror`` excludes."""
    if violations and bandit.is_monotone():
        raise RLTheoryError(
            f"internal error: {violations} real states or payoffs are below their virtual ones "
            "although all arms are monotone and started at the top"
        )
