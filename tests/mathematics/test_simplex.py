"""The exact simplex method against all bases, and what it says against what proves it."""

import random
from fractions import Fraction
from itertools import combinations

import pytest

from rltheory.foundations.rationals import solve_linear
from rltheory.mathematics.simplex import minimize_exactly

F = Fraction


def dot(x: list[Fraction], y: list[Fraction]) -> Fraction:
    return sum((a * b for a, b in zip(x, y, strict=True)), F(0))


def independent(matrix: list[list[Fraction]]) -> list[int]:
    """Rows of a largest independent set."""
    kept: list[tuple[int, list[Fraction]]] = []
    for i, line in enumerate(matrix):
        rest = list(line)
        for _, other in kept:
            k = next(j for j, x in enumerate(other) if x)
            rest = [a - rest[k] / other[k] * b for a, b in zip(rest, other, strict=True)]
        if any(rest):
            kept.append((i, rest))
    return [i for i, _ in kept]


def vertices(matrix: list[list[Fraction]], right: list[Fraction]) -> list[list[Fraction]]:
    """All basic feasible solutions, by solving every square part."""
    rows = independent(matrix)
    n, out = len(matrix[0]), []
    for columns in combinations(range(n), len(rows)):
        try:
            part = solve_linear(
                [[matrix[i][k] for k in columns] for i in rows], [right[i] for i in rows]
            )
        except ZeroDivisionError:
            continue
        x = [F(0)] * n
        for k, value in zip(columns, part, strict=True):
            x[k] = value
        if min(x) >= 0 and all(dot(line, x) == b for line, b in zip(matrix, right, strict=True)):
            out.append(x)
    return out


@pytest.mark.parametrize("seed", range(300))
def test_it_is_the_best_vertex_or_proves_that_there_is_none(seed: int) -> None:
    draw = random.Random(seed)
    m, n = draw.randint(1, 3), draw.randint(1, 5)
    matrix = [[F(draw.randint(-2, 2)) for _ in range(n)] for _ in range(m)]
    if m > 1 and draw.random() < 0.2:
        matrix[1] = [2 * x for x in matrix[0]]  # a redundant or contradictory equation
    right = [F(draw.randint(-2, 2)) for _ in range(m)]
    cost = [F(draw.randint(-2, 3)) for _ in range(n)]
    found = minimize_exactly(cost, matrix, right)
    columns = [list(column) for column in zip(*matrix, strict=True)]
    corners = vertices(matrix, right)
    if found.status == "infeasible":
        assert not corners
        assert all(dot(found.y, column) <= 0 for column in columns)
        assert dot(found.y, right) > 0
        return
    assert min(found.x) >= 0 and corners
    assert all(dot(line, found.x) == b for line, b in zip(matrix, right, strict=True))
    if found.status == "unbounded":
        assert min(found.ray) >= 0 and dot(cost, found.ray) < 0
        assert all(dot(line, found.ray) == 0 for line in matrix)
        return
    assert found.value == dot(cost, found.x) == min(dot(cost, x) for x in corners)
    assert all(dot(found.y, column) <= c for column, c in zip(columns, cost, strict=True))
    assert dot(found.y, right) == found.value
    assert found.x in corners
    assert {k for k, x in enumerate(found.x) if x} <= set(found.basis)
    assert len(independent([columns[k] for k in found.basis])) == len(found.basis)


def test_a_program_that_cycles_without_blands_rule() -> None:
    """Beale's example."""
    q = F(1, 4)
    matrix = [
        [q, F(-8), F(-1), F(9), F(1), F(0), F(0)],
        [F(1, 2), F(-12), F(-1, 2), F(3), F(0), F(1), F(0)],
        [F(0), F(0), F(1), F(0), F(0), F(0), F(1)],
    ]
    cost = [F(-3, 4), F(20), F(-1, 2), F(6), F(0), F(0), F(0)]
    found = minimize_exactly(cost, matrix, [F(0), F(0), F(1)])
    assert (found.status, found.value) == ("optimal", F(-5, 4))
