"""Residuals in Fractions, the same in doubles with its error bound (theorem T1), exact values."""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from plain_rows import Rows

Numbers = Sequence[float] | Sequence[Fraction]


class Row(NamedTuple):
    """One row, what it looks ahead to, and the value of its own state."""

    prob: list[float]
    exit: float
    reward: float
    discount: float
    ahead: list[float]
    own: float


def row_sum(row: Row) -> Fraction:
    return sum(map(Fraction, row.prob), Fraction(row.exit))


def residual(row: Row) -> Fraction:
    """r + discount sum p v / sigma - own, exactly."""
    mean = sum((Fraction(p) * Fraction(v) for p, v in zip(row.prob, row.ahead, strict=True)))
    return Fraction(row.reward) + Fraction(row.discount) * mean / row_sum(row) - Fraction(row.own)


def magnitude(row: Row) -> Fraction:
    """|r| + discount sum p |v| + |own|."""
    mean = sum(Fraction(p) * abs(Fraction(v)) for p, v in zip(row.prob, row.ahead, strict=True))
    return abs(Fraction(row.reward)) + Fraction(row.discount) * mean + abs(Fraction(row.own))


def in_doubles(row: Row, defect: float) -> float:
    """The residual as one computes it, from a row that sums to 1 + defect."""
    d = math.fsum(p * v for p, v in zip(row.prob, row.ahead, strict=True))
    return (row.reward + row.discount * (d - defect * d)) - row.own


def error_in_doubles(row: Row, terms: int) -> Fraction:
    """E of theorem T1."""
    return (terms + 8) * (magnitude(row) / 2**53 + Fraction(1, 2**1074))


def error_in_double_double(row: Row, terms: int) -> Fraction:
    """E_2 of theorem T2, for the residual times the row's sum."""
    return (4 * terms + 40) * magnitude(row) / 2**106 + (terms + 8) * Fraction(1, 2**1070)


def rows_in_fractions(rows: Rows) -> list[tuple[int, list[Fraction], Fraction]]:
    """(state, P, reward) of each row, divided by its exact sum."""
    out = []
    for s, prob, exit_, reward in zip(rows.state, rows.prob, rows.exit, rows.reward, strict=True):
        p = [Fraction(float(x)) for x in prob]
        sigma = sum(p, Fraction(float(exit_)))
        out.append((int(s), [x / sigma for x in p], Fraction(float(reward))))
    return out


def exact_policy_value(rows: Rows, weight: Sequence[float], discount: float) -> list[Fraction]:
    """V = r_pi + discount P_pi V by elimination in Fractions; each state's weights sum to 1."""
    n, g = rows.prob.shape[1], Fraction(discount)
    matrix = [[Fraction(int(i == j)) for j in range(n)] + [Fraction(0)] for i in range(n)]
    total = [Fraction(0)] * n
    for (s, _, _), w in zip(rows_in_fractions(rows), weight, strict=True):
        total[s] += Fraction(float(w))
    for (s, p, r), w in zip(rows_in_fractions(rows), weight, strict=True):
        share = Fraction(float(w)) / total[s]
        for j in range(n):
            matrix[s][j] -= g * share * p[j]
        matrix[s][n] += share * r
    for k in range(n):  # no pivoting: I - g P is diagonally dominant
        matrix[k] = [x / matrix[k][k] for x in matrix[k]]
        for i in range(n):
            if i != k and matrix[i][k]:
                factor = matrix[i][k]
                matrix[i] = [x - factor * y for x, y in zip(matrix[i], matrix[k], strict=True)]
    return [line[n] for line in matrix]
