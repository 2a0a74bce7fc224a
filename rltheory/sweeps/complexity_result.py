"""What `sample_complexity` returns: brackets, the tests behind them, and the law fitted to them."""

import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import SweepError
from rltheory.inference.power_law import PowerLaw, fit_power_law

__all__ = ["ABOVE", "AT_OR_BELOW", "NOT_ASKED", "OPEN", "SampleComplexity"]

ABOVE, OPEN, AT_OR_BELOW, NOT_ASKED = 1, 0, -1, -2
_WORDS = {ABOVE: "above", OPEN: "open", AT_OR_BELOW: "at or below", NOT_ASKED: "not asked"}


@dataclass(frozen=True, eq=False, repr=False)
class SampleComplexity:
    """Brackets lower < n*(eps) <= upper, all of them right with probability 1 - level.

    Parameters
    ----------
    eps : tuple of float, length E
    delta : float
    grid : tuple of int, length G
    answers : ndarray of int8, shape (G, E)
        Of the test whether the failure probability at n is above delta: 1 above, -1 at or below,
        0 open, -2 not asked.
    failures, trials : ndarray of int64, shape (G, E)
        On which the answer stands.
    level : float
        Probability that any answer is wrong.
    most_trials : int
    seed : int
    """

    eps: tuple[float, ...]
    delta: float
    grid: tuple[int, ...]
    answers: NDArray[np.int8]
    failures: NDArray[np.int64]
    trials: NDArray[np.int64]
    level: float
    most_trials: int
    seed: int

    @property
    def lower(self) -> NDArray[np.float64]:
        """(E,): the largest n certified above delta before `upper`; 0 where there is none."""
        n = np.array([0, *self.grid], dtype=np.float64)
        above = np.vstack([np.ones(len(self.eps), dtype=np.bool_), self.answers == ABOVE])
        return np.where(above, n[:, None], 0.0).max(axis=0)

    @property
    def upper(self) -> NDArray[np.float64]:
        """(E,): the smallest n certified at or below delta; infinite where the cap was hit."""
        n = np.array([*self.grid, math.inf])
        below = np.vstack([self.answers == AT_OR_BELOW, np.ones(len(self.eps), dtype=np.bool_)])
        return np.where(below, n[:, None], math.inf).min(axis=0)

    @property
    def unbounded(self) -> NDArray[np.bool_]:
        """(E,): where no n of the grid was certified at or below."""
        return np.isinf(self.upper)

    def table(self) -> list[dict[str, Any]]:
        """One row an accuracy: eps, lower, upper (None where unbounded)."""
        return [
            {"eps": e, "lower": int(low), "upper": None if math.isinf(high) else int(high)}
            for e, low, high in zip(self.eps, self.lower, self.upper, strict=True)
        ]

    def fit(self, *, log_power: bool = False, confidence: float = 0.95) -> PowerLaw:
        """The law n = C (1/eps)^slope, fitted to the brackets as interval-censored data.

        Parameters
        ----------
        log_power : bool
            Whether to fit a power of log(1/eps) too.
        confidence : float
            Of the interval of the slope.

        Returns
        -------
        PowerLaw

        Raises
        ------
        ClaimError
            If too few accuracies have a bracket with two ends.
        """
        x = 1.0 / np.array(self.eps)
        return fit_power_law(x, self.lower, self.upper, log_power=log_power, confidence=confidence)

    def plot(self, ax: Any = None) -> Any:
        """Brackets and fitted law on logarithmic axes (extra `plot`).

        Parameters
        ----------
        ax : matplotlib Axes, optional
            A new one if left out.

        Returns
        -------
        Axes
        """
        from rltheory.sweeps.plots import plot_complexity

        return plot_complexity(self, ax)

    def to_json(self) -> str:
        """Everything, as text; `from_json` reads it back."""
        return json.dumps(
            {
                "eps": self.eps,
                "delta": self.delta,
                "grid": self.grid,
                "answers": self.answers.tolist(),
                "failures": self.failures.tolist(),
                "trials": self.trials.tolist(),
                "level": self.level,
                "most_trials": self.most_trials,
                "seed": self.seed,
                "brackets": self.table(),
            }
        )

    @classmethod
    def from_json(cls, text: str) -> "SampleComplexity":
        """What `to_json` wrote.

        Raises
        ------
        SweepError
            If the text is something else.
        """
        try:
            read = json.loads(text)
            shape = len(read["grid"]), len(read["eps"])
            return cls(
                eps=tuple(map(float, read["eps"])),
                delta=float(read["delta"]),
                grid=tuple(map(int, read["grid"])),
                answers=np.array(read["answers"], dtype=np.int8).reshape(shape),
                failures=np.array(read["failures"], dtype=np.int64).reshape(shape),
                trials=np.array(read["trials"], dtype=np.int64).reshape(shape),
                level=float(read["level"]),
                most_trials=int(read["most_trials"]),
                seed=int(read["seed"]),
            )
        except (KeyError, TypeError, ValueError) as fault:
            raise SweepError(f"the text is no stored SampleComplexity: {fault}") from fault

    def __repr__(self) -> str:
        lines = [f"SampleComplexity(delta {self.delta:g}, level {self.level:g})"]
        for row in self.table():
            end = "unbounded" if row["upper"] is None else f"<= {row['upper']}"
            lines.append(f"  eps {row['eps']:g}:  {row['lower']} < n {end}")
        return "\n".join(lines)
