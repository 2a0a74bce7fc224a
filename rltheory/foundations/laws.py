"""Exact laws of sums and counts of draws from one row, and the instances they are computed on.

Draws are successors s'_1..s'_n of one transition row, independent; a row with exits has the exit as
its last point, of value 0. The law of (sum X, sum X^2), or of the counts, is a finite sum, computed
in integers for rational rows. Outcomes within 1e-12 of a radius count as failures, and their mass
is the tolerance of the measurement (none, unless an outcome sits there).
"""

import math
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import Any

from rltheory.claims.claim import Measurement
from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice, Dyadic, Integer, Many
from rltheory.foundations.families import rows_of_weights

__all__ = [
    "DELTAS",
    "GRID",
    "SAFE",
    "UNIT",
    "Numbers",
    "coin",
    "failure",
    "just_beyond",
    "law_of_mean",
    "law_of_row",
    "mean_of",
    "row_family",
    "row_space",
]

SAFE = 1e-12
GRID = 2**30
UNIT = 2.0**-53
DELTAS = ("1/1000", "1/20", "1/10", "1/2", "9/10")

Numbers = Sequence[Fraction]


# --- exact laws ---------------------------------------------------------------------------


def law_of_mean(
    row: Numbers, values: Numbers, n: int
) -> tuple[list[tuple[Fraction, Fraction, int]], int]:
    """Outcomes (mean, unbiased variance, weight) of n draws, and the sum of the weights."""
    common = math.lcm(*(p.denominator for p in row))
    unit = math.lcm(*(x.denominator for x in values))
    weights: dict[int, int] = {}
    for p, x in zip(row, values, strict=True):
        if p:
            weights[int(x * unit)] = weights.get(int(x * unit), 0) + int(p * common)
    if len(weights) == 2:
        (a, u), (b, w) = weights.items()
        sums = {
            (k * a + (n - k) * b, k * a * a + (n - k) * b * b): math.comb(n, k)
            * u**k
            * w ** (n - k)
            for k in range(n + 1)
        }
    else:
        sums = {(0, 0): 1}
        for _ in range(n):
            longer: dict[tuple[int, int], int] = {}
            for (first, second), mass in sums.items():
                for a, u in weights.items():
                    key = (first + a, second + a * a)
                    longer[key] = longer.get(key, 0) + mass * u
            sums = longer
    outcomes = [
        (
            Fraction(first, n * unit),
            Fraction(n * second - first * first, max(1, n * (n - 1)) * unit * unit),
            mass,
        )
        for (first, second), mass in sums.items()
    ]
    return outcomes, common**n


def law_of_row(row: Numbers, n: int) -> tuple[list[tuple[Fraction, int]], int]:
    """Outcomes (L1 distance of the empirical row from the row, weight), and the sum of weights."""
    common = math.lcm(*(p.denominator for p in row))
    # States of the sum over points: draws used so far, distance so far times n * common.
    states = {(0, 0): 1}
    for p in row:
        w = int(p * common)
        longer: dict[tuple[int, int], int] = {}
        for (used, distance), mass in states.items():
            for count in range(n - used + 1 if w else 1):
                key = (used + count, distance + abs(count * common - w * n))
                ways = math.comb(n - used, count) * w**count
                longer[key] = longer.get(key, 0) + mass * ways
        states = longer
    outcomes = [
        (Fraction(distance, n * common), mass)
        for (used, distance), mass in states.items()
        if used == n
    ]
    return outcomes, common**n


def failure(
    outcomes: Iterable[tuple[Fraction | float, int]], total: int, delta: Fraction, what: str = ""
) -> Measurement:
    """The mass of the outcomes (excess, weight) with excess > 0, against delta.

    Excesses within `SAFE` of 0 count, and their mass is the tolerance.
    """
    failed = unsure = 0
    for excess, weight in outcomes:
        if excess > -SAFE:
            failed += weight
            unsure += weight if excess < SAFE else 0
    return Measurement(
        Fraction(failed, total),
        delta,
        trivial=1,
        tolerance=Fraction(unsure, total),
        certified=True,
        what=what,
    )


def just_beyond(
    beyond: Callable[[Fraction], bool], inside: Fraction | int, outside: Fraction | int
) -> Fraction:
    """The multiple of 2^-30 nearest to `inside` that a bisection finds to be `beyond`.

    It is where a jump of the failure probability is: 1/2 if `outside` is not beyond either.
    """
    near, far = math.floor(inside * GRID), math.floor(outside * GRID)
    if not beyond(Fraction(far, GRID)):
        return Fraction(1, 2)
    while abs(far - near) > 1:
        middle = (near + far) // 2
        if beyond(Fraction(middle, GRID)):
            far = middle
        else:
            near = middle
    return Fraction(far, GRID)


# --- instances ----------------------------------------------------------------------------


def coin(p: Fraction | str, n: int, delta: Fraction | str, scale: int = 1) -> Instance:
    """Two successors, of values 0 and `scale`, the second one with probability p."""
    p, d = Fraction(p), Fraction(delta)
    values = [Fraction(0), Fraction(scale)]
    return Instance(row=[1 - p, p], values=values, scale=Fraction(scale), n=n, delta=d)


def row_family(jump: Callable[[int, Fraction, int], Fraction], most: int) -> Family:
    """Rows with values in [0, scale]: small ones, or two points with p at a jump of the failure.

    ``jump(n, delta, k)`` is a p beyond which k successes in n draws just fail; other rows get at
    most `most` draws.
    """

    def build(
        states: int,
        exits: bool,
        certain: bool,
        weights: list[int],
        values: list[float],
        scale: str,
        n: int,
        delta: str,
        at_jump: bool,
        outcome: int,
        flip: bool,
    ) -> Instance:
        d, width = Fraction(delta), Fraction(scale)
        if at_jump:
            p = jump(n, d, outcome % (n + 1))
            row, f = [1 - p, p], [Fraction(flip), Fraction(not flip)]
        else:
            n = 1 + n % most
            rows, ends = rows_of_weights(states, 1, exits, [certain], weights)
            row = rows[0] + ends[:exits]
            f = [Fraction(x) for x in values[:states]] + [Fraction(0)] * exits
        return Instance(row=row, values=[x * width for x in f], scale=width, n=n, delta=d)

    space = row_space() | {
        "values": Many(Dyadic(0, 1, 2), 4),
        "scale": Choice("1", "1", "1/2", "3"),
        "n": Integer(1, 60),
        "delta": Choice(*DELTAS),
        "at_jump": Choice(False, True),
        "outcome": Integer(0, 59),
        "flip": Choice(False, True),
    }
    return Family(space, build)


def row_space() -> dict[str, Any]:
    """Parameters of one transition row that `rows_of_weights` reads."""
    return {
        "states": Integer(2, 4),
        "exits": Choice(False, True),
        "certain": Choice(*[False] * 9, True),
        "weights": Many(Choice(0, 1, 1, 1, 2, 5, 40), 5),
    }


def mean_of(i: Any) -> Fraction:
    return sum((p * x for p, x in zip(i.row, i.values, strict=True)), Fraction(0))
