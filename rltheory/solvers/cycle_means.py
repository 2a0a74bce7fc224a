r"""Maximum mean cycles: the largest average reward of walks in a graph, from every vertex.

Arcs v -> t have rewards w; the gain g(v) is the largest mean of a cycle that v reaches, which is
the largest long-run average of a walk from v. Potentials h prove it: gains do not rise along arcs,
and where they stay

    w - g(v) + h(t) <= h(v),      with = along the arcs of an optimal policy (method "howard").

All of it is done in integers of 128 bits that cannot overflow: rewards are put on a grid, fractions
over their common denominator, doubles as finely as 58 bits allow (2^-57 of the largest; usually
that is what they are). So nothing hangs on a tolerance, also where thousands of cycles are equally
good. Methods: Howard's policy iteration (millions of vertices) and Karp's formula (thousands: its
table has the square of the vertices). References: Karp, Discrete Math. 1978; Cochet-Terrasson et
al., IFAC 1998; Puterman, Markov Decision Processes, 1994, section 9.2.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rltheory import _core
from rltheory.errors import ModelError
from rltheory.mathematics.rounding import round_down, round_up
from rltheory.solvers.checker import Check
from rltheory.solvers.checker_cycles import prove_cycle_means, prove_rounding
from rltheory.solvers.weighted_graph import WeightedGraph, read_graph

__all__ = ["CycleMeans", "MeanCycle", "max_cycle_mean"]

METHODS = ("howard", "karp")


@dataclass(frozen=True)
class MeanCycle:
    """A cycle.

    Attributes
    ----------
    vertices, arcs : tuple of int, length L
        The arc at each vertex leads to the next one, the last to the first.
    mean : Fraction
        The exact mean of the rewards; of rounded ones, of what they were rounded to.
    """

    vertices: tuple[int, ...]
    arcs: tuple[int, ...]
    mean: Fraction


@dataclass(frozen=True, eq=False, repr=False)
class CycleMeans:
    """Gains of all vertices, with what proves them.

    Attributes
    ----------
    graph : WeightedGraph
        Whose rewards are integers, and how far these are from those given.
    gains : tuple of Fraction
        The gains there are, ascending, for the rewards of the graph.
    level : ndarray of int32, shape (V,)
        Of each vertex, an index into `gains`; it does not rise along arcs.
    policy : ndarray of int64, shape (V,)
        An arc of each vertex: following them from a vertex attains its gain.
    potential : ndarray of int64, or of int objects beyond that, shape (V,)
        The bias in units of 1 / `units` of the vertex's level.
    units : tuple of int
    exact : bool
        Whether `gain`, `lower` and `upper` are fractions; else they are doubles, rounded outward.
    method : str
    iterations : int
        Policies of Howard's method, sweeps for Karp's potentials.
    """

    graph: WeightedGraph
    gains: tuple[Fraction, ...]
    level: NDArray[np.int32]
    policy: NDArray[np.int64]
    potential: NDArray[Any]
    units: tuple[int, ...]
    exact: bool
    method: str
    iterations: int

    @cached_property
    def gain(self) -> NDArray[Any]:
        """The largest mean of a cycle that each vertex reaches, shape (V,)."""
        return self._spread([x if self.exact else float(x) for x in self.gains])

    @cached_property
    def lower(self) -> NDArray[Any]:
        """What is proved to be attained, shape (V,): the gain, less errors of rounding."""
        below = [x - self.graph.error for x in self.gains]
        return self._spread(below if self.exact else [round_down(x) for x in below])

    @cached_property
    def upper(self) -> NDArray[Any]:
        """What is proved to be more than nothing attains, shape (V,)."""
        above = [x + self.graph.error for x in self.gains]
        return self._spread(above if self.exact else [round_up(x) for x in above])

    @property
    def gap(self) -> Any:
        """The largest width of the bracket; 0 if exact."""
        return max((self.upper - self.lower).tolist())

    @cached_property
    def bias(self) -> NDArray[Any]:
        """The potentials h, shape (V,): of Fraction if exact, else of float64."""
        if not self.exact:
            scale = np.array([float(u) for u in self.units])
            return self.potential.astype(np.float64) / scale[self.level]
        pairs = zip(self.potential.tolist(), self.level.tolist(), strict=True)
        out = np.empty(self.graph.n_vertices, dtype=object)
        out[:] = [Fraction(h, self.units[level]) for h, level in pairs]
        return out

    def cycle(self, vertex: int | None = None) -> MeanCycle:
        """The cycle into which the policy leads.

        Parameters
        ----------
        vertex : int, optional
            From here; from a vertex of the largest gain if left out.

        Raises
        ------
        ModelError
            If there is no such vertex.
        """
        size = self.graph.n_vertices
        v = int(np.argmax(self.level)) if vertex is None else int(vertex)
        if not 0 <= v < size:
            raise ModelError(f"vertex is {vertex}; it must be in 0..{size - 1}")
        seen: set[int] = set()
        while v not in seen:
            seen.add(v)
            v = int(self.graph.successor[self.policy[v]])
        arcs = _around(self.graph, self.policy, v)
        vertices = [v, *self.graph.successor[arcs[:-1]].tolist()]
        return MeanCycle(tuple(vertices), tuple(arcs), self.graph.mean(arcs))

    def check(self) -> Check:
        """Prove the gains again, in plain Python integers that share no code with the kernels."""
        graph = self.graph
        try:
            if graph.given is not None:
                prove_rounding(graph.reward.tolist(), graph.unit, graph.given.tolist(), graph.error)
            prove_cycle_means(
                graph.ptr.tolist(),
                graph.successor.tolist(),
                (graph.reward.tolist(), graph.unit),
                self.policy.tolist(),
                self.level.tolist(),
                self.gains,
                (self.potential.tolist(), self.units),
            )
        except (ValueError, IndexError, ZeroDivisionError, OverflowError) as fault:
            return Check(False, str(fault))
        return Check(True, f"the gains of {graph.n_vertices} vertices are proved")

    def _spread(self, values: list[Any]) -> NDArray[Any]:
        table = np.empty(len(values), dtype=object if self.exact else np.float64)
        table[:] = values
        return table[self.level]

    def __repr__(self) -> str:
        best = self.gains[-1] if self.exact else float(self.gains[-1])
        levels = f"{len(self.gains)} gain{'s' * (len(self.gains) > 1)}"
        return (
            f"CycleMeans(largest {best}, gap {float(self.gap):.2g}, "
            f"{self.graph.n_vertices} vertices, {levels}, {self.method!r})"
        )


def max_cycle_mean(
    successor: ArrayLike,
    reward: Any,
    *,
    ptr: ArrayLike | None = None,
    method: str = "howard",
    exact: bool = False,
) -> CycleMeans:
    """The largest mean reward of a cycle that each vertex of a graph reaches.

    Parameters
    ----------
    successor : array_like of int, shape (V, A), or (E,) with `ptr`
        Where arcs lead, in 0..V-1.
    reward : array_like, shape as `successor`
        Of each arc: numbers, or with ``exact=True`` anything that `Fraction` takes.
    ptr : array_like of int, shape (V+1,), optional
        The arcs of vertex v are ``ptr[v] .. ptr[v+1] - 1``; each vertex needs at least one.
    method : {"howard", "karp"}
        Policy iteration, for millions of arcs; or Karp's formula, for strongly connected parts of
        at most 8000 vertices.
    exact : bool
        Whether gains are fractions. Floats then stand for the rationals that they are. Otherwise
        gains are doubles, between bounds that are rounded outward.

    Returns
    -------
    CycleMeans
        Its ``check()`` proves the gains without the code that found them.

    Raises
    ------
    ModelError
        If a vertex has no successor, an index is out of range, a reward is not finite or beyond
        2^57, exact rewards are no integers of at most 2^58 over a common denominator, or the graph
        is too large for Karp's table.

    Notes
    -----
    Howard's policy iteration with the smallest vertex of a cycle as its reference; Karp, 1978.

    Examples
    --------
    >>> import rltheory as rlt
    >>> found = rlt.max_cycle_mean([[1, 1], [2, 0], [2, 2]], [[1, 0], [0, 2], [1, 0]], exact=True)
    >>> found.gain
    array([Fraction(3, 2), Fraction(3, 2), Fraction(1, 1)], dtype=object)
    >>> found.cycle(), bool(found.check())
    (MeanCycle(vertices=(0, 1), arcs=(0, 3), mean=Fraction(3, 2)), True)
    >>> rlt.max_cycle_mean([[0, 1], [1, 0]], [[0.1, 0.25], [0.0, 0.75]])
    CycleMeans(largest 0.5, gap 0, 2 vertices, 1 gain, 'howard')
    """
    if method not in METHODS:
        raise ModelError(f"method is {method!r}; it must be one of {', '.join(METHODS)}")
    return solve_graph(read_graph(successor, reward, ptr, exact), method, exact)


def solve_graph(graph: WeightedGraph, method: str, exact: bool) -> CycleMeans:
    """`max_cycle_mean` of a graph that needs no reading."""
    try:
        policy, cycle_of, reference, level_of, halves, iterations = _core.graph.mean_cycles(
            graph.ptr, graph.successor, graph.reward, method == "karp"
        )
    except ValueError as fault:
        raise ModelError(str(fault)) from None
    one_of = dict(zip(level_of.tolist(), reference.tolist(), strict=True))
    gains = [graph.mean(_around(graph, policy, v)) for _, v in sorted(one_of.items())]
    units = tuple((x * graph.unit).denominator * graph.unit for x in gains)
    level = level_of[cycle_of]
    return CycleMeans(
        graph, tuple(gains), level, policy, _joined(*halves), units, exact, method, iterations
    )


def _around(graph: WeightedGraph, policy: NDArray[np.int64], start: int) -> list[int]:
    """The arcs of the policy's cycle through a vertex."""
    arcs = [int(policy[start])]
    while (v := int(graph.successor[arcs[-1]])) != start:
        arcs.append(int(policy[v]))
    return arcs


def _joined(high: NDArray[np.int64], low: NDArray[np.uint64]) -> NDArray[Any]:
    """Integers of 128 bits from their halves: as int64 where all fit, else as objects."""
    small = low.view(np.int64)
    if bool(np.all(high == small >> 63)):
        return small
    out = np.empty(len(high), dtype=object)
    out[:] = [(h << 64) + x for h, x in zip(high.tolist(), low.tolist(), strict=True)]
    return out
