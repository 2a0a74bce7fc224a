"""Weighted ridge regression, one observation at a time.

Observations (x_i, y_i) with weights c_i, x_i in R^d:

    M = ridge I + sum_i c_i x_i x_i^T,            weights = M^-1 sum_i c_i y_i x_i,
    |x|_{M^-1} = sqrt(x^T M^-1 x),

M is kept beside its Cholesky factor, which a new observation updates by d plane rotations at
O(d^2) (`cpp/support/small_dense.hpp`): backward stable, and factored anew where a comparison with
M says that it drifted. log det M - d log(ridge) = sum_t log(1 + c_t |x_t|^2_{M_t^-1}), with M_t as
it was before x_t, is kept as this sum of terms of one sign. With c = 1 and noise that is
sigma-sub-Gaussian given the past, the truth is within `self_normalized_radius` of the weights in
the norm of M, at all times at once (Abbasi-Yadkori, Pal and Szepesvari, NeurIPS 2011; claim
conf-self-normalized).
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rltheory import _core
from rltheory.errors import ModelError

__all__ = ["Ridge"]


class Ridge:
    """Ridge regression with rank-one updates and the log-determinant.

    Parameters
    ----------
    dimension : int
        d, at least 1.
    ridge : float
        Above 0.

    Raises
    ------
    ModelError
        If an argument is out of its range, here or in the methods.

    Examples
    --------
    >>> from rltheory.mathematics.regression import Ridge
    >>> fit = Ridge(2, ridge=1.0)
    >>> for x, y in [([1.0, 0.0], 2.0), ([0.0, 1.0], 1.0), ([1.0, 0.0], 2.0)]:
    ...     fit.update(x, y)
    >>> fit.weights.round(12).tolist()  # 4/3 and 1/2: pulled towards 0
    [1.333333333333, 0.5]
    >>> fit.norm([[1.0, 0.0], [0.0, 1.0]]).round(12).tolist()  # 1/sqrt(3), 1/sqrt(2)
    [0.57735026919, 0.707106781187]
    >>> round(fit.log_det_ratio, 12)  # log 3 + log 2
    1.791759469228
    """

    def __init__(self, dimension: int, ridge: float = 1.0) -> None:
        if isinstance(dimension, bool) or not isinstance(dimension, int | np.integer):
            raise ModelError(f"dimension is {dimension!r}; it must be an integer of at least 1")
        if dimension < 1:
            raise ModelError(f"dimension is {dimension}; it must be an integer of at least 1")
        if not 0.0 < ridge < np.inf:
            raise ModelError(f"ridge is {ridge!r}; it must be above 0 and finite")
        self._gram = _core.learning.Gram(int(dimension), float(ridge))
        self._right = np.zeros(dimension)
        self.ridge = float(ridge)

    def update(self, x: ArrayLike, y: float, weight: float = 1.0) -> None:
        """Take in one observation.

        Parameters
        ----------
        x : array_like, shape (d,)
        y : float
        weight : float
            At least 0.
        """
        row = self._vectors("x", x)
        if row.ndim != 1:
            raise ModelError(f"x has shape {row.shape}; it must be ({self.dimension},)")
        if not np.isfinite(y):
            raise ModelError(f"y is {y!r}; it must be finite")
        if not 0.0 <= weight < np.inf:
            raise ModelError(f"weight is {weight!r}; it must be at least 0 and finite")
        self._gram.update(row, float(weight))
        self._right += (weight * float(y)) * row

    def norm(self, x: ArrayLike) -> Any:
        """sqrt(x^T M^-1 x) of vectors, shape (..., d); at most the length of x over sqrt(ridge).

        Returns
        -------
        ndarray of float64, shape (...)
            How little is known in these directions.
        """
        rows = self._vectors("x", x)
        return np.sqrt(self._gram.norms2(rows.reshape(-1, self.dimension))).reshape(rows.shape[:-1])

    @property
    def dimension(self) -> int:
        """d."""
        return int(self._gram.dimension)

    @property
    def count(self) -> int:
        """Number of observations."""
        return int(self._gram.updates)

    @property
    def weights(self) -> NDArray[np.float64]:
        """The minimiser of sum_i c_i (y_i - x_i^T w)^2 + ridge w^T w, shape (d,)."""
        return self._gram.solve(self._right)

    @property
    def matrix(self) -> NDArray[np.float64]:
        """M, shape (d, d)."""
        return self._gram.matrix()

    @property
    def log_det_ratio(self) -> float:
        """log det M - d log(ridge), at least 0."""
        return float(self._gram.log_det_ratio)

    @property
    def refactored(self) -> int:
        """How often the factor had drifted and was made anew."""
        return int(self._gram.refactored)

    def __repr__(self) -> str:
        return f"Ridge(dimension {self.dimension}, ridge {self.ridge:g}, {self.count} observations)"

    def _vectors(self, name: str, x: ArrayLike) -> NDArray[np.float64]:
        rows: NDArray[np.float64] = np.asarray(x, dtype=np.float64, order="C")
        if rows.ndim < 1 or rows.shape[-1] != self.dimension:
            raise ModelError(
                f"{name} has shape {rows.shape}; its last axis must be {self.dimension}"
            )
        if not np.isfinite(rows).all():
            raise ModelError(f"{name} holds a number that is not finite")
        return rows
