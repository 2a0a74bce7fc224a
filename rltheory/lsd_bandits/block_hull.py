r"""The concave hull of an LSD arm's blocks, in time linear in R + M.

A block rests n rounds and plays m: the point (m/(n+m), W(n,m)/(n+m)) with W(n,m) = a_n + c_m,
a_n = p(n) and c_m = p(-1) + ... + p(-(m-1)). There are R M of them, but the reward is a sum:
with a charge l of a play, the best mean g = g(l) solves

    max_n (a_n - g n) + max_m (c_m - (l + g) m) = 0,

so only n on the upper hull of the points (n, a_n) and m on that of (m, c_m) occur. As l rises, g
falls and l + g rises, so that n rises and m falls: the hull of the blocks is a staircase of at
most R + M steps, from the best mean at l = 0 to the left. At a block (n, m) the next step is the
first of

    n rises:  g = s      at  l = (W - s (n+m)) / m       s the slope of the hull right of n
    m falls:  l + g = t  at  l = (t (n+m) - W) / n       t the slope of the hull left of m

and never to play is best from l = W/m on. For the same reason no two blocks lie at one vertex.
Proof: claim ``lsd-relax-equal`` (docs/theory/lsd_relaxation.md).
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate

from rltheory.lsd_bandits.arm_cycles import Vertex, upper_hull
from rltheory.lsd_bandits.arms import LSDArm
from rltheory.lsd_bandits.plans import always

__all__ = ["hull_of_blocks"]

Point = tuple[int, Fraction]


def hull_of_blocks(
    arm: LSDArm, rests: Sequence[int], plays: Sequence[int], endless: bool
) -> list[Vertex]:
    """The hull of an LSD arm's blocks, and of always playing.

    Parameters
    ----------
    arm : LSDArm
        With recovery by reset.
    rests, plays : sequence of int, ascending
        The n and the m of the blocks.
    endless : bool
        Whether there is a play that never ends.

    Returns
    -------
    list of Vertex
        As `upper_hull`; blocks as (n, m).
    """
    later = (arm.payoff(-m) for m in range(1, plays[-1]))
    worn = [Fraction(0), Fraction(0), *accumulate(later)]  # c_m at m
    first = _hull([(n, arm.payoff(n)) for n in rests])
    after = _hull([(m, worn[m]) for m in plays])
    points = [
        Vertex(Fraction(m, n + m), (a + c) / (n + m), (n, m))
        for (n, a), (m, c) in _staircase(first, after)
    ]
    if endless:
        points.append(Vertex.of(arm, always(arm)))
    return upper_hull(points)


def _hull(points: Sequence[Point]) -> list[Point]:
    """The upper hull, without points inside a segment."""
    hull: list[Point] = []
    for point in points:
        while len(hull) >= 2 and _slope(hull[-2], hull[-1]) <= _slope(hull[-1], point):
            hull.pop()
        hull.append(point)
    return hull


def _slope(left: Point, right: Point) -> Fraction:
    return (right[1] - left[1]) / (right[0] - left[0])


def _staircase(first: Sequence[Point], after: Sequence[Point]) -> list[tuple[Point, Point]]:
    """Blocks that are best under some charge l >= 0, by rising charge."""
    i, j = _best_mean(first, after)
    steps = []
    while True:
        (n, a), (m, c) = first[i], after[j]
        steps.append((first[i], after[j]))
        reward = a + c
        # Never to play is best from here on.
        charge, move = reward / m, (0, 0)
        if i + 1 < len(first):
            at = (reward - _slope(first[i], first[i + 1]) * (n + m)) / m
            charge, move = min((charge, move), (at, (1, 0)))
        if j > 0:
            at = (_slope(after[j - 1], after[j]) * (n + m) - reward) / n
            charge, move = min((charge, move), (at, (0, -1)))
        if move == (0, 0):
            return steps
        i, j = i + move[0], j + move[1]


def _best_mean(first: Sequence[Point], after: Sequence[Point]) -> tuple[int, int]:
    """Where the blocks' mean reward is largest, by Dinkelbach's iteration."""
    i = j = 0
    while True:
        mean = (first[i][1] + after[j][1]) / (first[i][0] + after[j][0])
        best_i = max(range(len(first)), key=lambda x: first[x][1] - mean * first[x][0])
        best_j = max(range(len(after)), key=lambda x: after[x][1] - mean * after[x][0])
        (n, a), (m, c) = first[best_i], after[best_j]
        if a + c == mean * (n + m):
            return i, j
        i, j = best_i, best_j
