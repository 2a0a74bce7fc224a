"""A model as model checkers list it: states, choices, transitions, labels and rewards.

What a reader of such a file hands over. Which model of ours it is: `rltheory.mdp.explicit`.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import ModelError
from rltheory.mdp.model_text import ModelText

__all__ = ["EXIT_LABEL", "Explicit", "RewardModel", "sorted_entries"]

EXIT_LABEL = "rltheory_exit"
"""Of the state that stands for the end in files that know no endings."""
_SLACK = 1e-9  # of the sum of a row, as everywhere


@dataclass
class RewardModel:
    """Rewards of one name; what is None is 0.

    Parameters
    ----------
    state : ndarray, shape (S,), optional
    choice : ndarray, shape (R,), optional
    transition : ndarray, shape (nnz,), optional
    """

    state: NDArray[Any] | None = None
    choice: NDArray[Any] | None = None
    transition: NDArray[Any] | None = None


@dataclass
class Explicit:
    """A model as it is listed, checked: choices by state, targets ascending within a choice.

    Parameters
    ----------
    name : str
        Of the file, for errors.
    n_states : int
    state : ndarray of int64, shape (R,)
        State of each choice, ascending.
    choice : list of str
        Name of each choice; empty where it has none.
    row_ptr : ndarray of int64, shape (R+1,)
    col : ndarray of int64, shape (nnz,)
    prob : ndarray, shape (nnz,)
        Doubles, or fractions (dtype object) of an exact model.
    labels : dict
        Label to the states that have it.
    rewards : dict
        Name to reward model, in the order of the file.
    state_labels : tuple of str, optional
    """

    name: str
    n_states: int
    state: NDArray[np.int64]
    choice: list[str]
    row_ptr: NDArray[np.int64]
    col: NDArray[np.int64]
    prob: NDArray[Any]
    labels: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    rewards: dict[str, RewardModel] = field(default_factory=dict)
    state_labels: tuple[str, ...] | None = None

    @property
    def exact(self) -> bool:
        return self.prob.dtype == object

    def zeros(self, size: int) -> NDArray[Any]:
        """Zeros of the model's kind of number."""
        out = np.zeros(size, dtype=self.prob.dtype)
        if self.exact:
            out[:] = Fraction(0)
        return out


def sorted_entries(
    text: ModelText,
    n_states: int,
    row: NDArray[np.int64],
    col: NDArray[np.int64],
    prob: NDArray[Any],
    line: NDArray[np.int64],
) -> NDArray[np.int64]:
    """The order of transitions by (choice, target), after a look at all of them.

    Parameters
    ----------
    text : ModelText
        What is read, for errors.
    n_states : int
    row, col, prob, line : ndarray, shape (nnz,)
        Choice, target, probability, and where it stands.

    Raises
    ------
    ModelError
        If a target is no state, a probability is not in [0, 1], a target is named twice by one
        choice, or the probabilities of a choice do not sum to 1 within 1e-9.
    """

    def fault(entry: Any, what: str) -> ModelError:
        return text.fault(int(line[entry]), what)

    for i in np.flatnonzero(col >= n_states)[:1]:
        raise fault(i, f"target {col[i]} is no state; states are 0..{n_states - 1}")
    for i in np.flatnonzero(~((prob >= 0) & (prob <= 1 + _SLACK)).astype(bool))[:1]:
        raise fault(i, f"a probability is {prob[i]}; it must be in [0, 1]")
    order = np.lexsort((col, row))
    row, col = row[order], col[order]
    same = np.flatnonzero((row[1:] == row[:-1]) & (col[1:] == col[:-1]))
    for i in same[:1]:
        raise fault(order[i + 1], f"the transition to state {col[i]} is given twice")
    if len(order):
        first = np.flatnonzero(np.diff(row, prepend=-1))
        sums = np.add.reduceat(prob[order], first)
        for i in np.flatnonzero(~(abs(sums - 1) <= _SLACK).astype(bool))[:1]:
            least = line[order[row == row[first[i]]]].min()
            raise text.fault(
                int(least),
                f"the probabilities from here on sum to {float(sums[i])!r}; those of an action "
                "must sum to 1 within 1e-9",
            )
    return order
