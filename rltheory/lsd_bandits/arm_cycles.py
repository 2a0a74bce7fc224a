r"""The best cycle of one arm when every play is charged, and the concave hull of all its cycles.

An arm is a graph with two edges per state: a play, which pays p(s) - l under the charge l, and a
rest, which pays nothing. A cycle of length L with m plays and reward W is the point (q, v) =
(m/L, W/L). The best mean under the charge is

    g(l) = max over cycles of v - l q = max_v min_{0<=j<S} (D_S(v) - D_j(v)) / (S - j)

with D_j(v) the best reward of a walk of j rounds that ends in v (Karp 1978), and the potentials
h(v) = max_j D_j(v) - j g satisfy h(s) + pay - g <= h(t) on every edge: they prove that no cycle is
better, and a cycle is best where equality holds along it. The hull is found from outside: a charge
equal to the slope between two neighbouring points finds a cycle above them or proves there is none.

Everything is exact. All cycles count, also those that the top state does not lead to.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import lcm

from rltheory.lsd_bandits.arms import OrderedArm
from rltheory.lsd_bandits.plans import Plan

__all__ = ["BestCycle", "Vertex", "best_cycle", "hull_of_cycles", "upper_hull"]


@dataclass(frozen=True)
class Vertex:
    """A plan as a point: plays per round, and reward per round.

    The plan is a `Plan`, a block by its rests and plays (n, m), or None: never to play.
    """

    plays: Fraction
    reward: Fraction
    plan: Plan | tuple[int, int] | None

    @classmethod
    def of(cls, arm: OrderedArm, plan: Plan) -> "Vertex":
        """The point of a plan."""
        length = plan.period
        return cls(Fraction(plan.n_plays, length), plan.reward(arm) / length, plan)


NEVER = Vertex(Fraction(0), Fraction(0), None)


@dataclass(frozen=True)
class BestCycle:
    """The best mean reward of an arm's cycles under a charge, and the potentials that prove it.

    Attributes
    ----------
    gain : Fraction
    potentials : tuple of Fraction, length S
    """

    gain: Fraction
    potentials: tuple[Fraction, ...]


def best_cycle(arm: OrderedArm, charge: Fraction) -> BestCycle:
    """The best mean of payoff minus charge over the arm's cycles.

    Parameters
    ----------
    arm : OrderedArm
    charge : Fraction
        What each play costs.

    Notes
    -----
    O(S^2) additions of integers; the walks are followed three times, so that O(S) are kept.
    """
    size = arm.n_states
    scale = lcm(charge.denominator, *(p.denominator for p in arm.payoffs))
    paid = [int((p - charge) * scale) for p in arm.payoffs]
    last: dict[int, int] = {}
    for walk in _walks(arm, paid):
        last = walk
    # Of each end v the least of (end - walk) / (S - j), as numerator and denominator.
    least: dict[int, tuple[int, int]] = {}
    for j, walk in enumerate(_walks(arm, paid)):
        for v in walk if j < size else ():
            if v in last:
                rise, rounds = last[v] - walk[v], size - j
                if v not in least or rise * least[v][1] < least[v][0] * rounds:
                    least[v] = rise, rounds
    gain = max(Fraction(*pair) for pair in least.values())
    top, bottom = gain.numerator, gain.denominator
    potentials: dict[int, int] = {}
    for j, walk in enumerate(_walks(arm, paid)):
        for v, reward in walk.items() if j < size else ():
            level = reward * bottom - j * top
            potentials[v] = max(potentials.get(v, level), level)
    unit = bottom * scale
    return BestCycle(gain / scale, tuple(Fraction(potentials[v], unit) for v in range(size)))


def _walks(arm: OrderedArm, paid: list[int]) -> Iterator[dict[int, int]]:
    """For j = 0, ..., S the best reward of a walk of j rounds, by the states where walks end."""
    here = dict.fromkeys(range(arm.n_states), 0)
    yield here
    for _ in range(arm.n_states):
        after: dict[int, int] = {}
        for s, reward in here.items():
            for t, pay in ((arm.play_next[s], paid[s]), (arm.rest_next[s], 0)):
                if t not in after or reward + pay > after[t]:
                    after[t] = reward + pay
        here = after
        yield here


def shortest_best_plan(arm: OrderedArm, charge: Fraction, best: BestCycle) -> Plan:
    """The shortest of the cycles that are best under the charge; of several, the first found."""
    h, size = best.potentials, arm.n_states

    def tight(s: int) -> Iterator[tuple[int, bool]]:
        if h[s] + arm.payoffs[s] - charge - best.gain == h[arm.play_next[s]]:
            yield arm.play_next[s], True
        if h[s] - best.gain == h[arm.rest_next[s]]:
            yield arm.rest_next[s], False

    found: tuple[list[int], list[bool]] | None = None
    for start in range(size):
        # Walks of tight edges by length; the first that comes back is the shortest from here.
        ends: dict[int, tuple[list[int], list[bool]]] = {start: ([], [])}
        for _ in range(size if found is None else len(found[0]) - 1):
            longer: dict[int, tuple[list[int], list[bool]]] = {}
            for s, (states, plays) in ends.items():
                for t, played in tight(s):
                    longer.setdefault(t, ([*states, s], [*plays, played]))
            ends = longer
            if start in ends:
                found = ends[start]
                break
    assert found is not None
    return _canonical(*found)


def _canonical(states: list[int], plays: list[bool]) -> Plan:
    """The rotation that ends with a play and begins with the longest rest."""
    turns = []
    for i in range(len(states)):
        turned = (*plays[i:], *plays[:i]), (*states[i:], *states[:i])
        if turned[0][-1] or not any(plays):
            turns.append(turned)
    first, order = min(turns)
    return Plan(order, first)


def upper_hull(vertices: list[Vertex]) -> list[Vertex]:
    """The upper concave hull from (0, 0) to the first maximum, without points inside a segment.

    Parameters
    ----------
    vertices : list of Vertex
        In any order; of several at one point the first is kept.

    Returns
    -------
    list of Vertex
        By ascending rate of plays, the first never to play: rewards increase, slopes decrease.
    """
    hull = [NEVER]
    for point in sorted(vertices, key=lambda v: (v.plays, -v.reward)):
        if point.plays == hull[-1].plays:
            continue
        while len(hull) >= 2 and slope(hull[-2], hull[-1]) <= slope(hull[-1], point):
            hull.pop()
        hull.append(point)
    last = 0
    while last + 1 < len(hull) and hull[last + 1].reward > hull[last].reward:
        last += 1
    return hull[: last + 1]


def slope(a: Vertex, b: Vertex) -> Fraction:
    """Reward per further play between two points."""
    return (b.reward - a.reward) / (b.plays - a.plays)


def hull_of_cycles(arm: OrderedArm) -> list[Vertex]:
    """The hull of all cycles of the arm; at each point the shortest cycle.

    Returns
    -------
    list of Vertex
        As `upper_hull`.
    """
    if not any(arm.payoffs):
        return [NEVER]

    def seen_from(charge: Fraction) -> tuple[Fraction, Vertex]:
        best = best_cycle(arm, charge)
        return best.gain, Vertex.of(arm, shortest_best_plan(arm, charge, best))

    # Means of two cycles that differ do so by 1/(d S^2) at least: a charge below that settles
    # ties of reward in favour of fewer plays and nothing else.
    denominator = lcm(*(p.denominator for p in arm.payoffs))
    _, top = seen_from(Fraction(1, 2 * denominator * arm.n_states**2))
    if top.reward == 0:
        return [NEVER]
    found, open_pairs = [top], [(NEVER, top)]
    while open_pairs:
        left, right = open_pairs.pop()
        charge = slope(left, right)
        gain, point = seen_from(charge)
        if gain > left.reward - charge * left.plays:
            found.append(point)
            open_pairs += [(left, point), (point, right)]
    hull = upper_hull(found)
    slopes = [slope(a, b) for a, b in pairwise(hull)] + [Fraction(0)]
    # Strictly between the slopes beside it a point is the only best one.
    between = [(above + below) / 2 for above, below in pairwise(slopes)]
    return [NEVER, *(seen_from(charge)[1] for charge in between)]
