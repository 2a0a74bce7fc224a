"""The linear equations of one policy, (I - discount P_pi) x = b, and their transpose.

Small chains are factored in the core; large ones are iterated there (BiCGSTAB with an
incomplete factorisation). Where the iteration stalls, scipy's sparse LU takes over.
"""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import splu

from rltheory import _core

__all__ = ["DIRECT_STATES", "PolicyEquations"]

DIRECT_STATES = 160
"""Chains up to this size are factored densely in the core."""

Vector = NDArray[np.float64]
_MOST_ITERATIONS = 2000
_STALLED = 1e-6  # relative residual that no healthy iteration leaves


class PolicyEquations:
    """Equations of the policy that picks these rows of a stationary model.

    Parameters
    ----------
    core : _core.model.Model
    discount : float
        In [0, 1]; at 1 a solution exists where the policy leads to an ending, or to a target,
        from everywhere, and is not finite, or wrong, where it does not.
    rows : ndarray of int64, shape (S,)
    targets : ndarray of bool, shape (S,), optional
        At discount 1: moves into these states count as ends.
    """

    def __init__(
        self,
        core: _core.model.Model,
        discount: float,
        rows: NDArray[np.int64],
        targets: NDArray[np.bool_] | None = None,
    ) -> None:
        if targets is None:
            self._chain = _core.solvers.PolicyChain(core, discount, rows)
        else:
            self._chain = _core.solvers.PolicyChain.hitting(core, rows, targets)
        # The equations cannot be satisfied better than to rounding of |x| <= |b| / (1-discount).
        self.reachable = 1e-13
        if discount < 1.0:
            self.reachable = max(1e-13, 8 * 2.0**-53 / (1.0 - discount))
        self._factors: Any = None

    def solve(
        self,
        b: Vector,
        start: Vector | None = None,
        transposed: bool = False,
        wanted: float | None = None,
    ) -> Vector:
        """The solution x, to a relative residual max|b - A x| / max|b| of `wanted`."""
        goal = self.reachable if wanted is None else max(wanted, self.reachable)
        begin = np.zeros_like(b) if start is None else start
        if self._factors is None:
            x, residual, _ = self._chain.solve(b, begin, goal, _MOST_ITERATIONS, transposed)
            if residual <= max(goal, _STALLED):
                return x
        if not np.isfinite(b).all():
            return np.full_like(b, np.nan)
        return self._by_factors(b, "T" if transposed else "N")

    def _by_factors(self, b: Vector, transposition: str) -> Vector:
        if self._factors is None:
            row_ptr, col, values = self._chain.matrix()
            matrix = sparse.csr_array((values, col, row_ptr), shape=(len(b), len(b)))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    self._factors = splu(matrix.tocsc())
                except RuntimeError:  # singular as doubles: the caller sees what is not finite
                    return np.full_like(b, np.nan)
        return np.asarray(self._factors.solve(b, transposition))
