"""A checker for maximum mean cycles: does every bound follow from the numbers stored with it?

Along an arc v -> t of reward w, with levels l, potentials h and bounds B of levels,

    l(t) <= l(v);     where they are equal:  w + h(t) - h(v) <= B(l(v));     B does not fall in l.

Levels cannot fall around a cycle, so they stay, potentials cancel, and the mean is at most B(l):
no cycle that v reaches has a mean above B(l(v)). And the cycle into which the policy leads from v
has a mean of at least lower(v), by adding it up. Everything is done in integers of any size: this
file imports neither numpy nor the core.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

__all__ = ["prove_cycle_means"]


def prove_cycle_means(
    ptr: Sequence[int],
    successor: Sequence[int],
    reward: tuple[Sequence[int], int],
    policy: Sequence[int],
    level: Sequence[int],
    bounds: Sequence[Fraction],
    lower: Sequence[Fraction],
    potential: tuple[Sequence[int], Sequence[int]],
) -> None:
    """Raise ValueError unless lower(v) <= the gain of v <= bounds[level(v)] is proved.

    Parameters
    ----------
    ptr, successor : the arcs of v are ptr[v] .. ptr[v + 1] - 1
    reward : integers, and what they are to be divided by
    policy : an arc of each vertex
    level : of each vertex, an index into bounds
    potential : integers, and what those of each level are to be divided by
    """
    rewards, unit = reward
    heights, units = potential
    size = len(ptr) - 1
    _need(all(a <= b for a, b in pairwise(bounds)), "bounds fall in the level")
    _need(len(policy) == len(level) == len(lower) == len(heights) == size, "sizes differ")
    scaled = []
    for bound, height_unit in zip(bounds, units, strict=True):
        common = math.lcm(unit, height_unit, bound.denominator)
        scaled.append((common // unit, common // height_unit, int(common * bound)))
    for v in range(size):
        here, h = level[v], heights[v]
        per_reward, per_height, bound_here = scaled[here]
        _need(here >= 0 and ptr[v] <= policy[v] < ptr[v + 1], f"vertex {v}: not its arc")
        for a in range(ptr[v], ptr[v + 1]):
            t = successor[a]
            if level[t] != here:
                _need(level[t] < here, f"arc {a}: leads to a higher level")
            elif per_reward * rewards[a] + per_height * (heights[t] - h) > bound_here:
                raise ValueError(f"arc {a}: the inequality of the potentials fails")
    mean: list[Fraction | None] = [None] * size
    for v in range(size):
        path: list[int] = []
        place: dict[int, int] = {}
        t = v
        while mean[t] is None and t not in place:
            place[t] = len(path)
            path.append(t)
            t = successor[policy[t]]
        found = mean[t]
        if found is None:
            cycle = path[place[t] :]
            found = Fraction(sum(rewards[policy[u]] for u in cycle), len(cycle) * unit)
        for u in path:
            mean[u] = found
            _need(lower[u] <= found, f"vertex {u}: the cycle of its policy has a smaller mean")


def _need(holds: bool, what: str) -> None:
    if not holds:
        raise ValueError(what)
