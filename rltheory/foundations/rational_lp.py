"""A linear program in fractions, small enough for checks: the covering problem.

    minimise c x    over x >= 0 with A x >= 1,    c > 0

Its dual, maximise the sum of y over y >= 0 with y A <= c, has the feasible point 0: the simplex
method starts there, and Bland's rule (1977) keeps it from cycling. If the dual is unbounded, no x
exists; else the reduced costs of its slacks are an optimal x, which is verified.
"""

from collections.abc import Sequence
from fractions import Fraction

__all__ = ["cover"]

Vector = Sequence[Fraction]


def cover(matrix: Sequence[Vector], cost: Vector) -> list[Fraction] | None:
    """An optimal x, or None if there is no x >= 0 with A x >= 1."""
    m, n = len(matrix), len(cost)
    # One line for each x: its column of A, a slack, its cost. Then what entering y would gain.
    lines = [
        [Fraction(row[i]) for row in matrix]
        + [Fraction(int(i == j)) for j in range(n)]
        + [Fraction(cost[i])]
        for i in range(n)
    ]
    gain = [Fraction(-1)] * m + [Fraction(0)] * (n + 1)
    basis = list(range(m, m + n))
    while True:
        enters = next((j for j in range(m + n) if gain[j] < 0), None)
        if enters is None:
            break
        ratios = [(line[-1] / line[enters], basis[i], i) for i, line in enumerate(lines)
                  if line[enters] > 0]  # fmt: skip
        if not ratios:
            return None
        _, _, out = min(ratios)
        pivot = lines[out][enters]
        lines[out] = [x / pivot for x in lines[out]]
        for i in range(n):
            if i != out and lines[i][enters] != 0:
                lines[i] = _less(lines[i], lines[i][enters], lines[out])
        gain = _less(gain, gain[enters], lines[out])
        basis[out] = enters
    x = gain[m : m + n]
    fits = all(sum(a * b for a, b in zip(row, x, strict=True)) >= 1 for row in matrix)
    if min(x) < 0 or not fits:
        raise ArithmeticError("the simplex method ended at a point that is not feasible")
    return x


def _less(line: list[Fraction], factor: Fraction, other: list[Fraction]) -> list[Fraction]:
    return [a - factor * b for a, b in zip(line, other, strict=True)]
