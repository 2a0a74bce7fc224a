"""How rewards are distributed around the means that planning uses.

A model stores one mean reward a pair (s, a); a reward law says what is paid:

    Deterministic   the mean itself, or, where rewards of outcomes were given, that of (s, a, s')
    Bernoulli       `scale` with probability mean / scale, else 0
    Gaussian        normal with the mean and standard deviation `sigma`
    Atoms           finitely many values with their probabilities

Given the pair, the reward is independent of the next state, except for rewards of outcomes.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import ModelError

__all__ = ["Atoms", "Bernoulli", "Deterministic", "Gaussian", "RewardLaw"]

Bounds = tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True)
class Deterministic:
    """Rewards are paid as the model states them."""

    def check(self, mean: NDArray[np.float64]) -> None:
        """Every mean is possible."""

    def support(self, mean: NDArray[np.float64]) -> Bounds:
        """Least and largest reward of each pair."""
        return mean, mean

    def reordered(self, order: NDArray[np.int64]) -> "Deterministic":
        """The law with pairs in another order."""
        return self

    def arrays(self) -> dict[str, Any]:
        return {}


@dataclass(frozen=True)
class Bernoulli:
    """`scale` or nothing.

    Parameters
    ----------
    scale : float
        Positive; means must lie in [0, scale].
    """

    scale: float = 1.0

    def __post_init__(self) -> None:
        if not _is_number(self.scale) or not 0.0 < self.scale < math.inf:
            raise ModelError(f"scale is {self.scale!r}; it must be positive and finite")

    def check(self, mean: NDArray[np.float64]) -> None:
        wrong = np.flatnonzero((mean < 0.0) | (mean > self.scale))
        if len(wrong):
            raise ModelError(
                f"the mean reward of pair {wrong[0]} is {mean[wrong[0]]!r}; "
                f"Bernoulli rewards of scale {self.scale!r} have means in [0, {self.scale!r}]"
            )

    def support(self, mean: NDArray[np.float64]) -> Bounds:
        return np.where(mean < self.scale, 0.0, self.scale), np.where(mean > 0.0, self.scale, 0.0)

    def reordered(self, order: NDArray[np.int64]) -> "Bernoulli":
        """The law with pairs in another order."""
        return self

    def arrays(self) -> dict[str, Any]:
        return {"law": np.array("bernoulli"), "law_scale": np.array(float(self.scale))}


@dataclass(frozen=True)
class Gaussian:
    """Normal noise of standard deviation `sigma`, at least 0 and finite."""

    sigma: float

    def __post_init__(self) -> None:
        if not _is_number(self.sigma) or not 0.0 <= self.sigma < math.inf:
            raise ModelError(f"sigma is {self.sigma!r}; it must be at least 0 and finite")

    def check(self, mean: NDArray[np.float64]) -> None:
        """Every mean is possible."""

    def support(self, mean: NDArray[np.float64]) -> Bounds:
        if self.sigma == 0.0:
            return mean, mean
        return np.full_like(mean, -np.inf), np.full_like(mean, np.inf)

    def reordered(self, order: NDArray[np.int64]) -> "Gaussian":
        """The law with pairs in another order."""
        return self

    def arrays(self) -> dict[str, Any]:
        return {"law": np.array("gaussian"), "law_sigma": np.array(float(self.sigma))}


@dataclass(frozen=True, eq=False)
class Atoms:
    """Finitely many rewards a pair.

    Parameters
    ----------
    values, probabilities : ndarray of float64, shape (n_pairs, k)
        Row i is the law of pair i in the model's order; pad with probability 0. Each row of
        probabilities sums to 1 within 1e-9.
    """

    values: NDArray[np.float64]
    probabilities: NDArray[np.float64]

    def __post_init__(self) -> None:
        for name in ("values", "probabilities"):
            array = _table(name, getattr(self, name))
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        values, probabilities = self.values, self.probabilities
        if values.ndim != 2 or values.shape != probabilities.shape or not values.size:
            raise ModelError(
                f"values has shape {values.shape} and probabilities {probabilities.shape}; "
                "both must be (n_pairs, k)"
            )
        if not np.isfinite(values).all():
            raise ModelError("values of a reward law must be finite")
        if not (probabilities >= 0.0).all():
            raise ModelError("probabilities of a reward law must be at least 0")
        wrong = np.flatnonzero(~(np.abs(probabilities.sum(axis=1) - 1.0) <= 1e-9))
        if len(wrong):
            total = probabilities[wrong[0]].sum()
            raise ModelError(
                f"row probabilities[{wrong[0]}] of the reward law sums to {total!r}; "
                "it must sum to 1 within 1e-9"
            )

    def check(self, mean: NDArray[np.float64]) -> None:
        if len(self.values) != len(mean):
            raise ModelError(
                f"the reward law has {len(self.values)} rows; the model has {len(mean)} pairs"
            )
        size = np.abs(self.values).max(axis=1)
        law_mean = (self.values * self.probabilities).sum(axis=1)
        wrong = np.flatnonzero(~(np.abs(law_mean - mean) <= 4e-9 * (size + np.abs(mean))))
        if len(wrong):
            raise ModelError(
                f"pair {wrong[0]} has the mean reward {mean[wrong[0]]!r}; "
                f"its reward law has the mean {law_mean[wrong[0]]!r}"
            )

    def support(self, mean: NDArray[np.float64]) -> Bounds:
        possible = self.probabilities > 0.0
        return (
            np.where(possible, self.values, np.inf).min(axis=1),
            np.where(possible, self.values, -np.inf).max(axis=1),
        )

    def reordered(self, order: NDArray[np.int64]) -> "Atoms":
        """The law with pairs in another order."""
        if len(order) != len(self.values):
            raise ModelError(
                f"the reward law has {len(self.values)} rows; the model has {len(order)} pairs"
            )
        return Atoms(self.values[order], self.probabilities[order])

    def arrays(self) -> dict[str, Any]:
        return {
            "law": np.array("atoms"),
            "law_values": self.values,
            "law_probabilities": self.probabilities,
        }


def _is_number(x: Any) -> bool:
    return isinstance(x, int | float | np.number) and not isinstance(x, bool)


def _table(name: str, x: Any) -> NDArray[np.float64]:
    try:
        return np.array(x, dtype=np.float64)
    except (TypeError, ValueError):
        raise ModelError(f"{name} of a reward law must be a table of numbers") from None


RewardLaw = Deterministic | Bernoulli | Gaussian | Atoms


def law_from_arrays(arrays: Any) -> RewardLaw:
    """The law that `RewardLaw.arrays` described."""
    if "law" not in arrays:
        return Deterministic()
    name = str(arrays["law"])
    needed = {"bernoulli": ("law_scale",), "gaussian": ("law_sigma",)}.get(
        name, ("law_values", "law_probabilities")
    )
    if missing := [key for key in needed if key not in arrays]:
        raise ModelError(f"`{missing[0]}` is missing")
    given = [arrays[key] for key in needed]
    if name == "atoms":
        return Atoms(*given)
    if name not in ("bernoulli", "gaussian"):
        raise ModelError(f"law is {name!r}; known are 'atoms', 'bernoulli' and 'gaussian'")
    if np.ndim(given[0]) != 0:
        raise ModelError(f"`{needed[0]}` has shape {np.shape(given[0])}; it must be one number")
    return Bernoulli(float(given[0])) if name == "bernoulli" else Gaussian(float(given[0]))
