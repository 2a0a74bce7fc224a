r"""The integrality gap of the relaxation at bounded sizes, exactly: the least g*/LP of all payoffs.

LP = max over x of value(x), so that the least g*/LP over monotone payoffs p is the least over x and
p of g*(p)/value_p(x), and it is enough to look at vertices x of the relaxation (k = 1): every arm
follows one type, but for at most one arm that mixes two, or a type and never. For fixed x the
least ratio is the linear program

    min g   over p >= 0 nondecreasing, h, g
    s.t.    r_p(s, a) - g + h(s') <= h(s)  for all joint states s and actions a,   value_p(x) = 1

and its dual looks for a stationary schedule y and the largest lambda for which y plays every arm
in state s or higher at a rate of at least lambda times that of x (`GapVertex.plays_above`). An
optimal basic y mixes few periodic schedules; with rational masses it is a `ScheduleMix`, an exact
certificate. The programs are solved in floating point, and nothing is believed of them: what is
returned has been checked in fractions. Claim lsd-gap-four-fifths, docs/theory/lsd_gap.md.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from rltheory.errors import ConvergenceError, ModelError
from rltheory.lsd_bandits.arms import LSDArm
from rltheory.lsd_bandits.bandit import LSDBandit
from rltheory.lsd_bandits.gap_certificates import GapVertex, Pattern, ScheduleMix, plays_above
from rltheory.solvers.flow import minimize

__all__ = ["WorstGap", "gap_vertices", "worst_gap"]

_ALWAYS: Pattern = (0, 1)
_DUST = 1e-9
_DENOMINATORS = (1, 12, 120, 1000, 10_000, 100_000, 1_000_000)


@dataclass(frozen=True)
class WorstGap:
    """The least g*/LP over all monotone payoffs of some sizes, with its proof.

    Attributes
    ----------
    minimum : Fraction
    vertex : GapVertex
        The solution x at which it is attained.
    bandit : LSDBandit
        Payoffs that attain it: g* = minimum * LP exactly.
    certificates : tuple of (GapVertex, ScheduleMix)
        For every vertex a mixture that proves g* >= minimum * value(x).
    """

    minimum: Fraction
    vertex: GapVertex
    bandit: LSDBandit
    certificates: tuple[tuple[GapVertex, ScheduleMix], ...]

    def check(self) -> bool:
        """Whether all mixtures prove the minimum; fractions alone, no program is solved."""
        return all(mix.ratio(vertex) >= self.minimum for vertex, mix in self.certificates)

    def __repr__(self) -> str:
        arms = ", ".join(map(repr, self.bandit.arms))
        return f"WorstGap({self.minimum} at [{arms}], {len(self.certificates)} vertices)"


def gap_vertices(
    n_arms: int, rests: int, plays: int, all_used: bool = False
) -> Iterator[GapVertex]:
    """The vertices x of the relaxation with n <= R and m <= M, up to the order of the arms.

    Parameters
    ----------
    n_arms, rests, plays : int
        N, R and M, at least 1.
    all_used : bool
        Whether to leave out those that never play some arm, which are those of fewer arms.
    """
    if not all_used and n_arms > 1:
        yield from gap_vertices(n_arms - 1, rests, plays)
    if n_arms == 1:
        yield GapVertex((((_ALWAYS, Fraction(1)),),))
    types = [(n, m) for n in range(1, rests + 1) for m in range(1, plays + 1)]
    types.sort(key=lambda t: (_share(t), t))
    for chosen in combinations_with_replacement(types, n_arms):
        if sum(map(_share, chosen)) <= 1:
            yield GapVertex(tuple(((t, Fraction(1, sum(t))),) for t in chosen))
    for chosen in combinations_with_replacement(types, n_arms - 1):
        left = 1 - sum(map(_share, chosen), Fraction(0))
        if left <= 0 or n_arms == 1:
            continue
        alone = tuple(((t, Fraction(1, sum(t))),) for t in chosen)
        for high in [*(t for t in types if _share(t) > left), _ALWAYS]:
            yield GapVertex((*alone, ((high, left / _share(high) / sum(high)),)))
            for low in (t for t in types if _share(t) < left):
                weight = (left - _share(low)) / (_share(high) - _share(low))
                mixed = ((low, (1 - weight) / sum(low)), (high, weight / sum(high)))
                yield GapVertex((*alone, mixed))


def worst_gap(n_arms: int, rests: int, plays: int, all_used: bool = False) -> WorstGap:
    """The least g*/LP over all monotone payoffs of N arms with R_i <= R and M_i <= M, for k = 1.

    Parameters
    ----------
    n_arms, rests, plays : int
        N, R and M, at least 1.
    all_used : bool
        Only relaxations that use every arm.

    Returns
    -------
    WorstGap

    Raises
    ------
    ModelError
        If a size is below 1.
    ConvergenceError
        If a program's answer cannot be turned into fractions that prove it.

    Notes
    -----
    There are of the order of (RM)^(N+1) vertices, each with a program over the joint states.

    Examples
    --------
    >>> import rltheory as rlt
    >>> worst = rlt.worst_gap(2, 2, 1)
    >>> worst.minimum, worst.check()
    (Fraction(4, 5), True)
    >>> for arm in worst.bandit.arms:
    ...     print(arm)
    LSDArm(rest_payoffs=(1/2,), play_payoffs=(0,))
    LSDArm(rest_payoffs=(1/2, 1), play_payoffs=(1/2,))
    >>> print(worst.vertex)
    1/2 (1,1); 1/4 (2,1) + 1/4 always
    """
    for name, size in (("n_arms", n_arms), ("rests", rests), ("plays", plays)):
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise ModelError(f"{name} is {size!r}; it must be an integer of at least 1")
    programs = [(x, _program(x)) for x in gap_vertices(n_arms, rests, plays, all_used)]
    if not programs:
        raise ModelError(f"no relaxation uses all of {n_arms} arms with R={rests} and M={plays}")
    # Ties go to the first vertex, whatever the last digits of the programs are.
    vertex, worst = min(programs, key=lambda pair: round(pair[1].ratio, 9))
    minimum = Fraction(worst.ratio).limit_denominator(10_000)
    bandit = _payoffs(vertex, worst.steps, minimum)
    return WorstGap(
        minimum, vertex, bandit, tuple((x, _mixture(x, found, minimum)) for x, found in programs)
    )


# --- one vertex ---------------------------------------------------------------------------


@dataclass(frozen=True)
class _Found:
    """What the program of one vertex gave, in floating point."""

    ratio: float
    steps: NDArray[np.float64]
    """p(s) - p(s-1), of the arms one after another."""
    schedules: tuple[tuple[float, tuple[int, ...]], ...]


@dataclass(frozen=True)
class _Graph:
    """Joint states that can be reached from the rested one, for arms of some sizes."""

    successor: NDArray[np.int64]
    """(V, A)"""
    flow: sparse.csr_array
    """(V+1, VA+1): what leaves a state less what enters it, and the sum of all."""
    above: sparse.csr_array
    """(sum of R_i+M_i, VA): whether a pair plays an arm in a state or a higher one."""


@lru_cache(maxsize=512)
def _graph(sizes: tuple[tuple[int, int], ...]) -> _Graph:
    bandit = LSDBandit([LSDArm([1] * rests, [0] * plays) for rests, plays in sizes])
    successor = bandit.product_graph()[0]
    reached, todo = {bandit.rested}, [bandit.rested]
    while todo:
        for v in successor[todo.pop()].tolist():
            if v not in reached:
                reached.add(v)
                todo.append(v)
    kept = np.array(sorted(reached))
    moves = np.searchsorted(kept, successor[kept]).astype(np.int64)
    V, A = moves.shape
    pairs = np.arange(V * A)
    ones = np.ones(V * A)
    flow = sparse.coo_array(
        (
            np.concatenate([ones, -ones, ones]),
            (
                np.concatenate([pairs // A, moves.ravel(), np.full(V * A, V)]),
                np.concatenate([pairs, pairs, pairs]),
            ),
        ),
        shape=(V + 1, V * A + 1),
    )
    states = np.array([bandit.split(int(v)) for v in kept])
    rows = []
    for i, (rests, plays) in enumerate(sizes):
        for s in range(rests + plays):
            row = np.zeros((V, A))
            row[states[:, i] >= s, 1 + i] = 1.0
            rows.append(row.ravel())
    return _Graph(moves, sparse.csr_array(flow), sparse.csr_array(np.array(rows)))


def _program(vertex: GapVertex) -> _Found:
    """max lambda over circulations y of mass 1 with Y_i(s) >= lambda W_i(s)."""
    graph = _graph(vertex.sizes)
    needs = np.array([float(w) for i in range(len(vertex.arms)) for w in vertex.plays_above(i)])
    size = graph.successor.size
    cost = np.zeros(size + 1)
    cost[size] = -1.0
    mass = np.zeros(graph.flow.shape[0])
    mass[-1] = 1.0
    short = sparse.hstack([-graph.above, sparse.csr_array(needs[:, None])], format="csr")
    found = minimize(cost, (graph.flow, mass), (short, np.zeros(len(needs))))
    steps = np.maximum(-found.multipliers[len(mass) :], 0.0)
    return _Found(-found.optimum, steps, tuple(_cycles(graph.successor, found.x[:-1])))


def _cycles(
    successor: NDArray[np.int64], flow: NDArray[np.float64]
) -> Iterator[tuple[float, tuple[int, ...]]]:
    """A circulation as a sum of cycles: their masses, and the arms that they play."""
    A = successor.shape[1]
    left = {int(e): float(flow[e]) for e in np.flatnonzero(flow > _DUST)}
    leaving: dict[int, list[int]] = {}
    for e in left:
        leaving.setdefault(e // A, []).append(e)
    while left:
        path: list[int] = []
        at: dict[int, int] = {}
        v = next(iter(left)) // A
        while v not in at:
            at[v] = len(path)
            edges = [e for e in leaving.get(v, ()) if e in left]
            if not edges:
                break
            edge = max(edges, key=left.__getitem__)
            path.append(edge)
            v = int(successor[v, edge % A])
        else:
            cycle = path[at[v] :]
            least = min(left[e] for e in cycle)
            yield least * len(cycle), tuple(e % A - 1 for e in cycle)
            path = cycle
            for e in cycle:
                left[e] -= least
            for e in [e for e in cycle if left[e] <= _DUST]:
                del left[e]
            continue
        del left[path[-1] if path else next(iter(left))]  # rounding left a path that ends


# --- fractions ----------------------------------------------------------------------------


def _mixture(vertex: GapVertex, found: _Found, ratio: Fraction) -> ScheduleMix:
    """A mixture that proves the ratio, by rounding masses, at first to small denominators."""
    cycles = tuple(dict.fromkeys(schedule for _, schedule in found.schedules))
    masses = _masses(vertex, cycles)
    for most in _DENOMINATORS:
        exact = [Fraction(x).limit_denominator(most) for x in masses]
        largest = max(range(len(exact)), key=exact.__getitem__)
        exact[largest] += 1 - sum(exact)
        mix = ScheduleMix(tuple((x, c) for x, c in zip(exact, cycles, strict=True) if x != 0))
        if mix.ratio(vertex) >= ratio:
            return mix
    raise ConvergenceError(
        None, 0.0, float(ratio) - found.ratio, f"no fractions prove {ratio} at {vertex}"
    )


def _masses(vertex: GapVertex, cycles: tuple[tuple[int, ...], ...]) -> NDArray[np.float64]:
    """The best masses of given schedules."""
    columns = [
        [
            y / len(schedule)
            for i, size in enumerate(vertex.sizes)
            for y in plays_above(schedule, i, *size)
        ]
        for schedule in cycles
    ]
    needs = [float(w) for i in range(len(vertex.arms)) for w in vertex.plays_above(i)]
    short = np.column_stack([-np.array(columns).T, needs])
    cost = np.zeros(len(cycles) + 1)
    cost[-1] = -1.0
    total = np.ones((1, len(cycles) + 1))
    total[0, -1] = 0.0
    found = minimize(cost, (total, np.ones(1)), (short, np.zeros(len(needs))))
    return found.x[:-1]


def _payoffs(vertex: GapVertex, steps: NDArray[np.float64], ratio: Fraction) -> LSDBandit:
    """Payoffs with g* <= ratio * value(x), largest 1: checked by potentials in fractions."""
    sums, first = [], 0
    for rests, plays in vertex.sizes:
        sums.append(np.cumsum(steps[first : first + rests + plays]))
        first += rests + plays
    top = max(float(p[-1]) for p in sums)
    for most in _DENOMINATORS[1:]:
        arms = []
        for (_, plays), p in zip(vertex.sizes, sums, strict=True):
            exact = [Fraction(x / top).limit_denominator(most) for x in p.tolist()]
            arms.append(LSDArm(exact[plays:], exact[:plays][::-1]))
        bandit = LSDBandit(arms)
        if has_gain_at_most(bandit, ratio * vertex.value(bandit)):
            return bandit
    raise ConvergenceError(None, 0.0, 1.0, f"no fractions attain {ratio} at {vertex}")


def has_gain_at_most(bandit: LSDBandit, gain: Fraction) -> bool:
    """Whether g* <= gain: whether no cycle of the joint states earns more, in whole numbers.

    Longest walks of rewards less gain, from everywhere; they grow for ever where a cycle does.
    """
    scale = bandit.denominator * gain.denominator
    flat = bandit.arrays.integer_payoffs(bandit)
    rows = bandit.product_graph()[0].tolist()
    pay = [int(p) for p in flat] if flat is not None else None
    if pay is None:
        raise ModelError("payoffs have no common denominator below 2^62")
    offsets = np.concatenate([[0], np.cumsum(bandit.arrays.sizes)])[:-1]
    goal = int(gain * scale)
    gains = [
        [
            sum(pay[offsets[i] + states[i]] for i in played) * gain.denominator - goal
            for played in bandit.actions
        ]
        for states in map(bandit.split, range(bandit.n_states))
    ]
    longest = [0] * bandit.n_states
    for _ in range(bandit.n_states + 1):
        moved = [
            max(w + longest[v] for w, v in zip(weights, row, strict=True))
            for weights, row in zip(gains, rows, strict=True)
        ]
        moved = [max(x, y) for x, y in zip(moved, longest, strict=True)]
        if moved == longest:
            return True
        longest = moved
    return False


def _share(pattern: Pattern) -> Fraction:
    """Plays per round."""
    return Fraction(pattern[1], sum(pattern))
