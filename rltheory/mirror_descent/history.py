"""What a run of policy optimisation went through: values, policies in logarithms, steps.

For K iterations there are K + 1 policies, the first being the start, and K steps between them. A
step may have been cut, because beyond some size the rounding of q values decides what it does: what
a theorem says of longer steps is then not said of this run, and the history tells from where on.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

__all__ = ["History"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class History:
    """The iterates of a policy optimisation of K steps.

    Parameters
    ----------
    method : str
    values : ndarray of float64, shape (K+1, S)
        Of each policy; regularised where the run is.
    log_policies : ndarray of float64, shape (K+1, S, A)
        Logarithms of probabilities; -inf for actions never taken or not there.
    steps : ndarray of float64, shape (K,)
        As they were taken.
    cut_from : int or None
        The first step that the schedule wanted longer than it was taken; None if none was cut.
    temperature : float
        Of the regularisation; 0 without.
    """

    method: str
    values: Array
    log_policies: Array
    steps: Array
    cut_from: int | None = None
    temperature: float = 0.0

    @cached_property
    def policies(self) -> Array:
        """Probabilities, (K+1, S, A)."""
        return np.exp(self.log_policies)

    @property
    def value(self) -> Array:
        """Of the last policy, (S,)."""
        return self.values[-1]

    @property
    def policy(self) -> Array:
        """The last policy, (S, A)."""
        return np.exp(self.log_policies[-1])

    @property
    def n_iters(self) -> int:
        return len(self.steps)

    def __repr__(self) -> str:
        steps = "no steps"
        if len(self.steps):
            steps = f"steps {self.steps.min():.3g} to {self.steps.max():.3g}"
        cut = "none cut" if self.cut_from is None else f"cut from iteration {self.cut_from} on"
        last = float(np.abs(self.values[-1] - self.values[-2]).max()) if len(self.steps) else 0.0
        return (
            f"History(last change of value {last:.3g}, {self.method}, {self.n_iters} iterations, "
            f"{steps}, {cut}, {self.values.shape[1]} states)"
        )
