"""The equations of one policy under average reward: gains g and biases h with

    P_pi g = g,    g + h = r_pi + P_pi h,    h = 0 at one reference state of each closed class.

Both are solved by first passage to the references Z (regeneration): with I - P_Z, the matrix
I - P_pi without the columns of Z, which is non-singular and an M-matrix,

    (I - P_Z) tau = 1,  (I - P_Z) y = r:    g(z) = y(z) / tau(z) at z in Z,
    (I - P_Z) g = P_(.,Z) g(Z),             (I - P_Z) h = r - g.

A reference should be a state that is met often: it is where a few steps of the chain, from a
uniform start, pile up most; and where that turns out to be far away, the state that is visited most
before the chain is back there. References: Puterman, Markov Decision Processes, 1994, section 8.2
and appendix A; Meyn and Tweedie, Markov Chains and Stochastic Stability, 1993, chapter 10.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from rltheory import _core
from rltheory.mdp.model import MDP
from rltheory.solvers.policy_equations import PolicyEquations

__all__ = ["GainEquations"]

Vector = NDArray[np.float64]
Rows = NDArray[np.int64]

_PILING_STEPS = 64
_LONG = 2.0**20
"""Steps on the way to the references beyond which better ones are looked for.

Biases are differences of what is earned meanwhile, and lose as many digits.
"""
_MOST_CHOICES = 3


class _FirstPassage(PolicyEquations):
    """The equations (I - P_Z) x = b."""

    reachable = 1e-13

    def __init__(self, core: _core.model.Model, rows: Rows, targets: NDArray[np.bool_]) -> None:
        self._chain = _core.solvers.PolicyChain.hitting(core, rows, targets)
        self._factors = None


class GainEquations:
    """Equations of the policy that picks these rows of a model without exits.

    Parameters
    ----------
    mdp : MDP
    rows : ndarray of int64, shape (S,)
    """

    def __init__(self, mdp: MDP, rows: Rows) -> None:
        self.count, self.class_of, self.reaches = _core.solvers.closed_classes(mdp.core, rows)
        sums = 1.0 + mdp.row_defect[rows]
        self._chain = sparse.diags_array(1.0 / sums) @ mdp.transitions[rows]
        self._core, self._rows = mdp.core, rows
        self._mixed = self.reaches < 0
        self._refer_to(self._often_met())
        for _ in range(_MOST_CHOICES):
            time = float(np.abs(self._time).max())
            if not _LONG < time < math.inf:
                break
            before, better = self.references, self._most_visited()
            if np.array_equal(better, before):
                break
            self._refer_to(better)
            if not float(np.abs(self._time).max()) < time:
                self._refer_to(before)
                break

    def _refer_to(self, references: Rows) -> None:
        self.references = references
        targets = np.zeros(len(self._rows), dtype=np.bool_)
        targets[references] = True
        self._passage = _FirstPassage(self._core, self._rows, targets)
        self._time = self._passage.solve(np.ones(len(self._rows)))

    def solve(self, reward: Vector, drift: Vector | None = None) -> tuple[Vector, Vector]:
        """(gain, bias) for these rewards; with drift d, P g + d = g where several classes are met.

        The gain of all states that can reach one closed class only is the same double.
        """
        y = self._passage.solve(reward)
        at = self.references
        of_class = y[at] / self._time[at]
        if self.count == 1:
            gain = np.full(len(y), of_class[0])
            bias = y - of_class[0] * self._time
        else:
            gain = self._spread(of_class, drift)
            bias = self._passage.solve(reward - gain)
        bias[at] = 0.0
        return gain, bias

    def centred(self, bias: Vector) -> Vector:
        """The bias whose stationary mean is 0 in every closed class, up to a constant if one.

        Only with it do improvements never lead back to a policy that was left.
        """
        if self.count == 1:
            return bias
        visits = self._visits()
        closed = self.class_of >= 0
        weights = visits[closed]
        classes = self.class_of[closed]
        total = np.bincount(classes, weights * bias[closed], self.count)
        return bias - self._spread(total / np.bincount(classes, weights, self.count), None)

    def _spread(self, of_class: Vector, drift: Vector | None) -> Vector:
        """What a state can expect to find in the class it ends up in."""
        out = np.where(self._mixed, 0.0, of_class[self.reaches])
        if self._mixed.any():
            there = np.zeros(len(out))
            there[self.references] = of_class
            ahead = self._chain @ there
            if drift is not None:
                ahead = ahead + drift
            out[self._mixed] = self._passage.solve(ahead)[self._mixed]
        return out

    def _often_met(self) -> Rows:
        """One state of each closed class, in the order of the classes."""
        backward = self._chain.T.tocsr()
        law = np.full(backward.shape[0], 1.0 / backward.shape[0])
        for _ in range(_PILING_STEPS):
            law = 0.5 * (law + backward @ law)
        return self._most(law)

    def _most_visited(self) -> Rows:
        """The same by visits between two at the references, which take equations to be known."""
        return self._most(np.abs(self._visits()))

    def _visits(self) -> Vector:
        """Expected visits from a reference until the next, itself counted."""
        start = np.zeros(len(self.class_of))
        start[self.references] = 1.0
        return self._passage.solve(start, transposed=True)

    def _most(self, law: Vector) -> Rows:
        """The state of each closed class of which there is most."""
        order = np.lexsort((-law, self.class_of))
        order = order[self.class_of[order] >= 0]
        _, first = np.unique(self.class_of[order], return_index=True)
        return np.asarray(order[first], dtype=np.int64)
