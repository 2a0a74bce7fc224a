"""The exact law of a boundary crossing by sums of Bernoulli draws.

After n draws with success probability p there were k successes; a boundary says at which (n, k)
a path has crossed. The probability that it crosses at some n <= n_max is found by keeping, for
each k, the mass of the paths that have not: a draw shifts and adds, then the mass at crossed k is
taken out (algorithm F9 of the foundations). n_max^2 / 2 steps; every time-uniform bound on
Bernoulli data has its failure probability computed like this, without any sampling.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import ModelError

__all__ = ["crossing_probability"]

Boundary = Callable[[int], Any]


@overload
def crossing_probability(boundary: Boundary, p: Fraction, n_max: int) -> Fraction: ...


@overload
def crossing_probability(boundary: Boundary, p: float, n_max: int) -> float: ...


def crossing_probability(boundary: Boundary, p: Any, n_max: int) -> Any:
    """Probability that a Bernoulli(p) path crosses the boundary at some n = 1..n_max.

    Parameters
    ----------
    boundary : callable
        ``boundary(n)`` is an array of booleans, shape (n+1,): whether k = 0..n successes in n
        draws are beyond the boundary.
    p : float or Fraction
        In [0, 1].
    n_max : int
        At least 0.

    Returns
    -------
    float or Fraction
        Exact when `p` is a `Fraction`. A float has a relative error of at most 8 n_max 2^-53 (no
        subtractions: 3 roundings a step in each mass, and one for every mass that is taken out),
        besides what underflows, below n_max^2 2^-1074.

    Raises
    ------
    ModelError
        If `p` or `n_max` is out of its range, or the boundary has another shape.

    Examples
    --------
    Three successes before the first failure, and a doubling of wealth that never comes back:

    >>> from fractions import Fraction
    >>> from rltheory.mathematics.crossing import crossing_probability
    >>> crossing_probability(lambda n: [False] * n + [n == 3], Fraction(1, 2), 10)
    Fraction(1, 8)
    >>> round(crossing_probability(lambda n: [False] * n + [n == 3], 0.3, 10), 12)
    0.027
    """
    if isinstance(n_max, bool) or not isinstance(n_max, int | np.integer) or n_max < 0:
        raise ModelError(f"n_max is {n_max!r}; it must be an integer of at least 0")
    if not isinstance(p, Fraction | float | int) or not 0 <= p <= 1:
        raise ModelError(f"p is {p!r}; it must be a number in [0, 1]")
    # Masses are floats, or integers: exact masses times denominator^n.
    success: Any = p.numerator if isinstance(p, Fraction) else float(p)
    total: Any = p.denominator if isinstance(p, Fraction) else 1.0
    alive = np.array([type(total)(1)], dtype=object if isinstance(p, Fraction) else np.float64)
    dead = type(total)(0)
    for n in range(1, n_max + 1):
        dead, alive = _step(boundary, n, success, total - success, dead * total, alive)
    return Fraction(dead, total**n_max) if isinstance(p, Fraction) else float(dead)


def _step(
    boundary: Boundary, n: int, success: Any, failure: Any, dead: Any, alive: NDArray[Any]
) -> tuple[Any, NDArray[Any]]:
    """One more draw: (mass of what has crossed, masses by k of what has not)."""
    crossed = np.asarray(boundary(n))
    if crossed.shape != (n + 1,) or crossed.dtype != np.bool_:
        raise ModelError(
            f"boundary({n}) has shape {crossed.shape} and dtype {crossed.dtype}; it must be "
            f"booleans of shape ({n + 1},)"
        )
    moved = np.zeros(n + 1, dtype=alive.dtype)
    moved[:-1] = failure * alive
    moved[1:] += success * alive
    if crossed.any():
        dead = dead + moved[crossed].sum()
        moved[crossed] = 0
    return dead, moved
