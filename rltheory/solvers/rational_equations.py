"""Linear systems in rationals: by python-flint where it is installed, else by sympy."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["objects", "solve_rational"]


def solve_rational(matrix: list[list[Fraction]], right: list[Fraction]) -> list[Fraction]:
    """The solution x of ``matrix x = right``, with a square, non-singular matrix."""
    n = len(right)
    try:
        import flint
    except ImportError:
        return _by_sympy(matrix, right)

    def number(x: Fraction) -> Any:
        return flint.fmpq(x.numerator, x.denominator)

    left = flint.fmpq_mat(n, n, [number(x) for line in matrix for x in line])
    solved = left.solve(flint.fmpq_mat(n, 1, [number(x) for x in right]))
    return [Fraction(int(x.p), int(x.q)) for x in (solved[i, 0] for i in range(n))]


def objects(numbers: Sequence[Fraction]) -> NDArray[Any]:
    """An object array of the numbers, built without asking numpy for their type."""
    out = np.empty(len(numbers), dtype=object)
    out[:] = numbers
    return out


def _by_sympy(matrix: list[list[Fraction]], right: list[Fraction]) -> list[Fraction]:
    from sympy.polys.domains import QQ
    from sympy.polys.matrices import DomainMatrix

    n = len(right)

    def numbers(lines: list[list[Fraction]]) -> Any:
        return [[QQ(x.numerator, x.denominator) for x in line] for line in lines]

    solved = DomainMatrix(numbers(matrix), (n, n), QQ).lu_solve(
        DomainMatrix(numbers([[x] for x in right]), (n, 1), QQ)
    )
    flat = [line[0] for line in solved.to_list()]
    return [Fraction(int(x.numerator), int(x.denominator)) for x in flat]
