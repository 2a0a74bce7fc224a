"""The simplex method in fractions: small linear programs, solved exactly.

    min c x  over  A x = b, x >= 0

in two phases on a full tableau, with Bland's rule, so that it ends. Whatever it says comes with
what proves it: an optimum with multipliers y (y A <= c and y b = c x), infeasibility with y
(y A <= 0 and y b > 0, Farkas), unboundedness with a ray d >= 0 (A d = 0 and c d < 0). For the
checks of claims and the small master problems of solvers: the time grows with the size of the
tableau and with the length of the fractions. Reference: Chvatal, Linear Programming, 1983.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

__all__ = ["Outcome", "minimize_exactly"]

Row = list[Fraction]


@dataclass(frozen=True)
class Outcome:
    """What a program comes to, with its proof.

    Parameters
    ----------
    status : str
        "optimal", "infeasible" or "unbounded".
    x : list of Fraction
        A vertex: the optimal one, or where the ray begins. Empty if infeasible.
    y : list of Fraction
        Multipliers of the equations; the Farkas vector if infeasible. Empty if unbounded.
    value : Fraction or None
        c x, if optimal.
    basis : list of int
        The columns that may be positive; independent.
    ray : list of Fraction
        If unbounded.
    """

    status: str
    x: Row
    y: Row
    value: Fraction | None = None
    basis: list[int] = field(default_factory=list)
    ray: Row = field(default_factory=list)


def minimize_exactly(
    cost: Sequence[Fraction], matrix: Sequence[Sequence[Fraction]], right: Sequence[Fraction]
) -> Outcome:
    """min cost x over matrix x = right, x >= 0, in exact arithmetic.

    Examples
    --------
    >>> from fractions import Fraction
    >>> one, two = Fraction(1), Fraction(2)
    >>> found = minimize_exactly([one, two], [[one, one]], [two])
    >>> found.status, found.value, found.basis
    ('optimal', Fraction(2, 1), [0])
    """
    m, n = len(matrix), len(cost)
    signs = [-1 if b < 0 else 1 for b in right]
    # Columns: the unknowns, one artificial unknown an equation, the right-hand side.
    rows = []
    for i, (line, b, sign) in enumerate(zip(matrix, right, signs, strict=True)):
        unit = [Fraction(int(i == k)) for k in range(m)]
        rows.append([*(sign * Fraction(x) for x in line), *unit, sign * Fraction(b)])
    basis = list(range(n, n + m))
    first = [Fraction(0)] * n + [Fraction(1)] * m + [Fraction(0)]
    reduced = _reduced(first, rows, basis)
    _pivoted(rows, reduced, basis, n + m)
    if reduced[-1] != 0:  # minus the least sum of the artificial unknowns
        y = [sign * (1 - reduced[n + i]) for i, sign in enumerate(signs)]
        return Outcome("infeasible", [], y)
    _drop_artificial(rows, basis, n)
    second = [*map(Fraction, cost), *[Fraction(0)] * m, Fraction(0)]
    reduced = _reduced(second, rows, basis)
    entering = _pivoted(rows, reduced, basis, n)
    x = [Fraction(0)] * n
    for row, k in zip(rows, basis, strict=True):
        if k < n:
            x[k] = row[-1]
    own = sorted(k for k in basis if k < n)
    if entering is not None:
        ray = [Fraction(int(k == entering)) for k in range(n)]
        for row, k in zip(rows, basis, strict=True):
            if k < n:
                ray[k] = -row[entering]
        return Outcome("unbounded", x, [], basis=own, ray=ray)
    y = [-sign * reduced[n + i] for i, sign in enumerate(signs)]
    return Outcome("optimal", x, y, value=-reduced[-1], basis=own)


def _reduced(cost: Row, rows: list[Row], basis: list[int]) -> Row:
    """The line of reduced costs, with minus the value at its end."""
    line = list(cost)
    for row, k in zip(rows, basis, strict=True):
        if cost[k]:
            line = [a - cost[k] * b for a, b in zip(line, row, strict=True)]
    return line


def _pivoted(rows: list[Row], reduced: Row, basis: list[int], columns: int) -> int | None:
    """Pivot until no column lowers the value; the column along which it falls for ever, or None."""
    while True:
        entering = next((k for k in range(columns) if reduced[k] < 0), None)
        if entering is None:
            return None
        ratios = [
            (row[-1] / row[entering], basis[i], i)
            for i, row in enumerate(rows)
            if row[entering] > 0
        ]
        if not ratios:
            return entering
        _pivot(rows, reduced, basis, min(ratios)[2], entering)


def _pivot(rows: list[Row], reduced: Row, basis: list[int], at: int, entering: int) -> None:
    scale = rows[at][entering]
    line = rows[at] = [x / scale if x else x for x in rows[at]]
    for i, row in enumerate(rows):
        factor = row[entering]
        if i != at and factor:
            rows[i] = [a - factor * b if b else a for a, b in zip(row, line, strict=True)]
    factor = reduced[entering]
    reduced[:] = [a - factor * b if b else a for a, b in zip(reduced, line, strict=True)]
    basis[at] = entering


def _drop_artificial(rows: list[Row], basis: list[int], n: int) -> None:
    """Pivot artificial unknowns, which are 0 by now, out of the basis.

    Where a row has no entry to pivot on, its equation follows from the others: it stays, all 0.
    """
    for at in range(len(rows)):
        if basis[at] >= n:
            entering = next((k for k in range(n) if rows[at][k] != 0), None)
            if entering is not None:
                _pivot(rows, [Fraction(0)] * len(rows[at]), basis, at, entering)
