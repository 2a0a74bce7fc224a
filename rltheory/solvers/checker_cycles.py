"""A checker for maximum mean cycles: do the gains follow from the numbers stored with them?

Along an arc v -> t of reward w, with levels l, ascending gains g of levels, and potentials h,

    l(t) <= l(v),     and where they are equal     w + h(t) - h(v) <= g(l(v)).

Levels cannot fall around a cycle, so they stay, potentials cancel, and the mean is at most g(l): no
cycle that v reaches has a mean above g(l(v)). And the cycle into which the policy leads from v has
that mean, by adding it up. Everything is done in integers of any size: this file imports neither
numpy nor the core.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

__all__ = ["prove_cycle_means", "prove_rounding"]


def prove_cycle_means(
    ptr: Sequence[int],
    successor: Sequence[int],
    reward: tuple[Sequence[int], int],
    policy: Sequence[int],
    level: Sequence[int],
    gains: Sequence[Fraction],
    potential: tuple[Sequence[int], Sequence[int]],
) -> None:
    """Raise ValueError unless gains[level(v)] is proved to be the gain of each vertex v.

    Parameters
    ----------
    ptr, successor : the arcs of v are ptr[v] .. ptr[v + 1] - 1
    reward : integers, and what they are to be divided by
    policy : an arc of each vertex
    level : of each vertex, an index into gains
    potential : integers, and what those of each level are to be divided by
    """
    rewards, unit = reward
    heights, units = potential
    size = len(ptr) - 1
    _need(all(a < b for a, b in pairwise(gains)), "gains do not ascend")
    _need(size == len(policy) == len(level) == len(heights), "sizes differ")
    _need(ptr[0] == 0 and ptr[size] == len(successor) == len(rewards), "sizes of arcs differ")
    scaled = []
    for gain, height_unit in zip(gains, units, strict=True):
        common = math.lcm(unit, height_unit, gain.denominator)
        scaled.append((common // unit, common // height_unit, int(common * gain)))
    for v in range(size):
        here, h = level[v], heights[v]
        _need(here >= 0 and ptr[v] <= policy[v] < ptr[v + 1], f"vertex {v}: not its arc")
        per_reward, per_height, gain_here = scaled[here]
        for a in range(ptr[v], ptr[v + 1]):
            t = successor[a]
            if level[t] != here:
                _need(level[t] < here, f"arc {a} leads to a larger gain")
            elif per_reward * rewards[a] + per_height * (heights[t] - h) > gain_here:
                raise ValueError(f"arc {a}: the inequality of the potentials fails")
    settled = [False] * size
    for v in range(size):
        path: list[int] = []
        place: dict[int, int] = {}
        t = v
        while not settled[t] and t not in place:
            place[t] = len(path)
            path.append(t)
            _need(level[successor[policy[t]]] == level[t], f"vertex {t}: the policy loses gain")
            t = successor[policy[t]]
        if not settled[t]:
            cycle = path[place[t] :]
            mean = Fraction(sum(rewards[policy[u]] for u in cycle), len(cycle) * unit)
            _need(mean == gains[level[t]], f"vertex {t}: the cycle has another mean")
        for u in path:
            settled[u] = True


def prove_rounding(
    rewards: Sequence[int], unit: int, given: Sequence[float], error: Fraction
) -> None:
    """Raise ValueError unless every reward is within `error` of the double given."""
    most = error * unit
    for a, (x, y) in enumerate(zip(rewards, given, strict=True)):
        top, bottom = y.as_integer_ratio()
        _need(
            abs(x * bottom - top * unit) * most.denominator <= most.numerator * bottom,
            f"arc {a}: the reward is rounded by more than it should be",
        )


def _need(holds: bool, what: str) -> None:
    if not holds:
        raise ValueError(what)
