"""Models in exact rationals, for everything that promises exactness.

A `RationalModel` holds the canonical rows of a tabular model as fractions: row (s, a) has
probabilities p_j, an exit x and a reward r, with sum p_j + x = 1 exactly. Made from doubles,
each row is itself divided by its exact sum, which is what a row of doubles means everywhere in
rltheory. The core works on the nearest doubles beside it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from rltheory.errors import ModelError

__all__ = ["RationalModel", "fractions_of", "nearest"]

_LONGEST_TEXT = 4000  # of a number written out: Fraction("1e999999999") would never return


@dataclass(frozen=True)
class RationalModel:
    """Canonical rows in fractions; the fields are those of the core's model.

    Parameters
    ----------
    state_ptr, action, row_ptr, col : tuple of int
    prob, reward, exit : tuple of Fraction
        `exit` is empty when no row ends.
    discount : Fraction or None
    """

    state_ptr: tuple[int, ...]
    action: tuple[int, ...]
    row_ptr: tuple[int, ...]
    col: tuple[int, ...]
    prob: tuple[Fraction, ...]
    reward: tuple[Fraction, ...]
    exit: tuple[Fraction, ...]
    discount: Fraction | None

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, Any], discount: Fraction | None) -> "RationalModel":
        """The exact meaning of a model of doubles: each row divided by its exact sum."""
        plain = {
            key: np.asarray(arrays[key]).tolist()
            for key in ("state_ptr", "action", "row_ptr", "col", "prob", "reward", "exit")
        }
        prob = [Fraction(p) for p in plain["prob"]]
        exit_ = [Fraction(x) for x in plain["exit"]]
        for row, (i, j) in enumerate(zip(plain["row_ptr"], plain["row_ptr"][1:], strict=False)):
            total = sum(prob[i:j], exit_[row] if exit_ else Fraction(0))
            if total != 1:
                prob[i:j] = [p / total for p in prob[i:j]]
                if exit_:
                    exit_[row] /= total
        return cls(
            state_ptr=tuple(plain["state_ptr"]),
            action=tuple(plain["action"]),
            row_ptr=tuple(plain["row_ptr"]),
            col=tuple(plain["col"]),
            prob=tuple(prob),
            reward=tuple(map(Fraction, plain["reward"])),
            exit=tuple(exit_),
            discount=discount,
        )

    def backup(self, row: int, discount: Fraction | int, value: Sequence[Fraction]) -> Fraction:
        """r + discount sum_j p_j value_j of one row."""
        i, j = self.row_ptr[row], self.row_ptr[row + 1]
        ahead = sum(
            (p * value[t] for p, t in zip(self.prob[i:j], self.col[i:j], strict=True)), Fraction(0)
        )
        return self.reward[row] + discount * ahead

    def arrays(self) -> dict[str, Any]:
        """The rows under the names that the checker of certificates reads."""
        names = ("state_ptr", "action", "row_ptr", "col", "prob", "reward", "exit")
        out = {name: getattr(self, name) for name in names}
        return out if self.discount is None else out | {"discount": self.discount}


def fractions_of(name: str, x: Any) -> Any:
    """Object array of the argument's numbers as fractions, of the same shape."""
    try:
        array = np.array(x, dtype=object)
    except ValueError:
        raise ModelError(f"{name} is a ragged list; it must be an array of numbers") from None
    if array.size == 0:
        raise ModelError(f"{name} is empty")
    flat = [_fraction(name, number) for number in array.reshape(-1)]
    out = np.empty(len(flat), dtype=object)
    out[:] = flat
    return out.reshape(array.shape)


def nearest(x: Any) -> Any:
    """The nearest doubles of an object array of fractions."""
    try:
        return np.array([float(number) for number in x.reshape(-1)]).reshape(x.shape)
    except OverflowError:
        raise ModelError("a number of the model is above all doubles; scale it down") from None


def _fraction(name: str, number: Any) -> Fraction:
    if isinstance(number, np.generic):
        number = number.item()
    too_long = isinstance(number, str) and (len(number) > _LONGEST_TEXT or "e" in number.lower())
    try:
        if not too_long and not isinstance(number, bool):
            return Fraction(number)
    except (TypeError, ValueError, OverflowError, ZeroDivisionError):
        pass
    raise ModelError(f"{name} holds {number!r}; exact models take fractions, integers and floats")
