r"""Maximum mean cycles: the largest average reward of walks in a graph, from every vertex.

Arcs v -> t have rewards w; the gain g(v) is the largest mean of a cycle that v reaches, which is
the largest long-run average of a walk from v. Potentials h prove it: gains do not rise along arcs,
and where they stay

    w - g(v) + h(t) <= h(v),      with = along the arcs of an optimal policy (method "howard").

Integers and fractions are solved exactly, in integers of 128 bits that cannot overflow; doubles
with a bracket whose bounds are rounded outward. Methods: Howard's policy iteration (millions of
vertices) and Karp's formula (thousands: its table has the square of the vertices). References:
Karp, Discrete Math. 1978; Cochet-Terrasson et al., IFAC 1998; Puterman, Markov Decision
Processes, 1994, section 9.2.
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rltheory import _core
from rltheory.errors import ConvergenceError, ModelError
from rltheory.solvers.checker import Check
from rltheory.solvers.checker_cycles import prove_cycle_means

__all__ = ["CycleMeans", "MeanCycle", "WeightedGraph", "max_cycle_mean"]

METHODS = ("howard", "karp")
LARGEST = 2**62
GAIN_SLACK = 1e-12
POTENTIAL_SLACK = 1e-12
MOST_POLICIES = 10_000


@dataclass(frozen=True, eq=False)
class WeightedGraph:
    """A graph as arrays.

    Attributes
    ----------
    ptr : ndarray of int64, shape (V+1,)
        The arcs of vertex v are ``ptr[v] .. ptr[v+1] - 1``.
    successor : ndarray of int32, shape (E,)
    reward : ndarray of float64 or int64, shape (E,)
    unit : int
        What integer rewards are to be divided by; 1 for floats.
    """

    ptr: NDArray[np.int64]
    successor: NDArray[np.int32]
    reward: NDArray[Any]
    unit: int = 1

    @property
    def n_vertices(self) -> int:
        """V."""
        return len(self.ptr) - 1

    @property
    def is_exact(self) -> bool:
        """Whether rewards are integers over `unit`."""
        return bool(np.issubdtype(self.reward.dtype, np.integer))

    def exact_reward(self, arc: int) -> Fraction:
        """The reward of an arc."""
        return Fraction(self.reward[arc].item()) / self.unit

    @property
    def core_arguments(self) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[Any]]:
        """As the core takes it."""
        return self.ptr, self.successor, self.reward


@dataclass(frozen=True)
class MeanCycle:
    """A cycle.

    Attributes
    ----------
    vertices, arcs : tuple of int, length L
        The arc at each vertex leads to the next one, the last to the first.
    mean : Fraction
        The exact mean of the rewards; of floats, of the rationals that they are.
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
    lower, upper : ndarray of shape (V,), of Fraction where rewards are exact, else of float
        ``lower <= gain <= upper``, proved; exact ones are equal.
    policy : ndarray of int64, shape (V,)
        An arc of each vertex. Following them from v gives a mean of at least ``lower[v]``.
    level : ndarray of int32, shape (V,)
        Of each vertex, an index into `bounds`; it does not rise along arcs.
    bounds : tuple of Fraction or float
        The upper bound of each level, ascending.
    potential : ndarray of int64, of int objects, or of float64, shape (V,)
        The bias in units of 1 / `units` of the vertex's level.
    units : tuple of int
    method : str
    iterations : int
        Policies of Howard's method, sweeps for Karp's potentials.
    """

    graph: WeightedGraph
    lower: NDArray[Any]
    policy: NDArray[np.int64]
    level: NDArray[np.int32]
    bounds: tuple[Any, ...]
    potential: NDArray[Any]
    units: tuple[int, ...]
    method: str
    iterations: int

    @property
    def is_exact(self) -> bool:
        """Whether gains are fractions."""
        return self.graph.is_exact

    @cached_property
    def upper(self) -> NDArray[Any]:
        """Upper bounds of the gains, shape (V,)."""
        dtype = object if self.is_exact else np.float64
        return _shared(self.bounds, dtype)[self.level]

    @property
    def gain(self) -> NDArray[Any]:
        """The largest mean of a cycle that each vertex reaches; of floats, the lower bound."""
        return self.lower

    @property
    def gap(self) -> Any:
        """The largest width of the bracket; 0 where rewards are exact."""
        return Fraction(0) if self.is_exact else float(np.max(self.upper - self.lower))

    @cached_property
    def bias(self) -> NDArray[Any]:
        """The potentials h, shape (V,): of Fraction, or of float64."""
        if not self.is_exact:
            return self.potential
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
        v = int(np.argmax(self.lower)) if vertex is None else int(vertex)
        if not 0 <= v < size:
            raise ModelError(f"vertex is {vertex}; it must be in 0..{size - 1}")
        vertices, arcs = _follow(self.graph, self.policy, v)
        mean = sum((self.graph.exact_reward(a) for a in arcs), Fraction(0)) / len(arcs)
        return MeanCycle(tuple(vertices), tuple(arcs), mean)

    def check(self) -> Check:
        """Prove both bounds again, in plain Python integers that share no code with the kernels."""
        graph = self.graph
        rewards, potentials = graph.reward.tolist(), self.potential.tolist()
        unit, units = graph.unit, list(self.units)
        if not self.is_exact:
            rewards, unit = _as_integers(rewards)
            potentials, common = _as_integers(potentials)
            units = [common] * len(self.bounds)
        try:
            prove_cycle_means(
                graph.ptr.tolist(),
                graph.successor.tolist(),
                (rewards, unit),
                self.policy.tolist(),
                self.level.tolist(),
                [Fraction(x) for x in self.bounds],
                [Fraction(x) for x in self.lower.tolist()],
                (potentials, units),
            )
        except (ValueError, IndexError, ZeroDivisionError, OverflowError) as fault:
            return Check(False, str(fault))
        return Check(True, f"the gains of {graph.n_vertices} vertices are proved")

    def __repr__(self) -> str:
        best = self.bounds[-1]
        how = "exact" if self.is_exact else f"gap {self.gap:.2g}"
        return (
            f"CycleMeans(largest {best}, {how}, {self.graph.n_vertices} vertices, "
            f"{len(self.bounds)} level{'s' * (len(self.bounds) > 1)}, {self.method!r})"
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
        Of each arc: floats, integers, or with ``exact=True`` anything that `Fraction` takes.
    ptr : array_like of int, shape (V+1,), optional
        The arcs of vertex v are ``ptr[v] .. ptr[v+1] - 1``; each vertex needs at least one.
    method : {"howard", "karp"}
        Policy iteration, for millions of arcs; or Karp's formula, for strongly connected parts of
        at most 8000 vertices.
    exact : bool
        Whether gains are fractions. Floats then stand for the rationals that they are.

    Returns
    -------
    CycleMeans
        Its ``check()`` proves the gains without the code that found them.

    Raises
    ------
    ModelError
        If a vertex has no successor, an index is out of range, a reward is not finite, exact
        rewards have no common denominator that makes them integers of at most 2^62, or the graph
        is too large for Karp's table.
    ConvergenceError
        If rounding keeps Howard's method from ending within 10,000 policies.

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
    """
    if method not in METHODS:
        raise ModelError(f"method is {method!r}; it must be one of {', '.join(METHODS)}")
    return solve_graph(_read(successor, reward, ptr, exact), method)


def solve_graph(graph: WeightedGraph, method: str) -> CycleMeans:
    """`max_cycle_mean` of arrays that need no reading."""
    try:
        policy, cycle_of, reference, level_of, potential, iterations, converged = (
            _core.graph.mean_cycles(
                *graph.core_arguments,
                method == "karp",
                GAIN_SLACK,
                POTENTIAL_SLACK,
                MOST_POLICIES,
            )
        )
    except ValueError as fault:
        raise ModelError(str(fault)) from None
    cycles = [_follow(graph, policy, v)[1] for v in reference.tolist()]
    level = level_of[cycle_of]
    if graph.is_exact:
        bounds, units = _exact_bounds(graph, cycles, level_of)
        lower, heights = _shared(bounds, object)[level], _joined(*potential)
        return CycleMeans(graph, lower, policy, level, bounds, heights, units, method, iterations)
    below = np.array([_mean_below(graph.reward[arcs]) for arcs in cycles])[cycle_of]
    proved, level = _upper_bounds(graph, level, potential[0])
    rounded = CycleMeans(
        graph, below, policy, level, proved, potential[0], (1,) * len(proved), method, iterations
    )
    if not converged:
        raise ConvergenceError(
            rounded, 0.0, rounded.gap, f"rounding in {MOST_POLICIES} policies; use exact"
        )
    return rounded


def _exact_bounds(
    graph: WeightedGraph, cycles: list[list[int]], level_of: NDArray[np.int32]
) -> tuple[tuple[Fraction, ...], tuple[int, ...]]:
    """The gain of each level, and the units of its potentials: the core has integers alone."""
    one_of = dict(zip(level_of.tolist(), cycles, strict=True))
    means = [Fraction(sum(graph.reward[a].tolist()), len(a)) for _, a in sorted(one_of.items())]
    return tuple(x / graph.unit for x in means), tuple(x.denominator * graph.unit for x in means)


def _joined(high: NDArray[np.int64], low: NDArray[np.uint64]) -> NDArray[Any]:
    """Integers of 128 bits from their halves: as int64 where all fit, else as objects."""
    small = low.view(np.int64)
    if bool(np.all(high == small >> 63)):
        return small
    out = np.empty(len(high), dtype=object)
    out[:] = [(h << 64) + x for h, x in zip(high.tolist(), low.tolist(), strict=True)]
    return out


def _upper_bounds(
    graph: WeightedGraph, level: NDArray[np.int32], potential: NDArray[np.float64]
) -> tuple[tuple[float, ...], NDArray[np.int32]]:
    """What the potentials prove; with one level where rounding lets arcs lead to higher ones."""
    count = int(level.max()) + 1
    descending, upper = _core.graph.level_bounds(*graph.core_arguments, level, potential, count)
    if not descending:
        level = np.zeros_like(level)
        _, upper = _core.graph.level_bounds(*graph.core_arguments, level, potential, 1)
    return tuple(np.maximum.accumulate(upper).tolist()), level


def _mean_below(rewards: NDArray[np.float64]) -> float:
    """The mean rounded down: the sum of math.fsum is the rounded exact one."""
    total = math.nextafter(math.fsum(rewards.tolist()), -math.inf)
    return math.nextafter(total / len(rewards), -math.inf)


def _follow(graph: WeightedGraph, policy: NDArray[np.int64], v: int) -> tuple[list[int], list[int]]:
    """The vertices and arcs of the cycle into which the policy leads from v."""
    place: dict[int, int] = {}
    vertices: list[int] = []
    arcs: list[int] = []
    while v not in place:
        place[v] = len(vertices)
        vertices.append(v)
        arcs.append(int(policy[v]))
        v = int(graph.successor[arcs[-1]])
    return vertices[place[v] :], arcs[place[v] :]


def _shared(values: Any, dtype: Any) -> NDArray[Any]:
    out = np.empty(len(values), dtype=dtype)
    out[:] = values
    return out


def _as_integers(xs: list[float]) -> tuple[list[int], int]:
    """Doubles as integers over a common power of two."""
    ratios = [x.as_integer_ratio() for x in xs]
    common = max(d for _, d in ratios)
    return [n * (common // d) for n, d in ratios], common


# --- reading ------------------------------------------------------------------------------


def _read(successor: ArrayLike, reward: Any, ptr: ArrayLike | None, exact: bool) -> WeightedGraph:
    to = np.asarray(successor)
    if to.size == 0 or to.ndim != (2 if ptr is None else 1):
        shape = "(V, A)" if ptr is None else "(E,), as ptr is given"
        raise ModelError(f"successor has shape {to.shape}; it must be {shape}, and not empty")
    if not np.issubdtype(to.dtype, np.integer):
        raise ModelError(f"successor has dtype {to.dtype}; it must hold integers")
    if ptr is None:
        first = np.arange(to.shape[0] + 1, dtype=np.int64) * to.shape[1]
    else:
        given = np.asarray(ptr)
        if given.ndim != 1 or len(given) < 2 or not np.issubdtype(given.dtype, np.integer):
            raise ModelError("ptr must be a list of integers, one for each vertex and one more")
        first = np.ascontiguousarray(given, dtype=np.int64)
    size = len(first) - 1
    if to.min() < 0 or to.max() >= size:
        wrong = int(to.min()) if to.min() < 0 else int(to.max())
        raise ModelError(f"successor has {wrong}; vertices are 0..{size - 1}")
    paid = np.asarray(reward)
    if paid.shape != to.shape:
        raise ModelError(f"reward has shape {paid.shape}; it must be that of successor, {to.shape}")
    flat, unit = _exact_rewards(paid) if exact else (_float_rewards(paid), 1)
    return WeightedGraph(first, np.ascontiguousarray(to.reshape(-1), dtype=np.int32), flat, unit)


def _float_rewards(paid: NDArray[Any]) -> NDArray[np.float64]:
    try:
        return np.ascontiguousarray(paid.reshape(-1), dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise ModelError(f"reward has dtype {paid.dtype}; it must hold numbers") from None


def _exact_rewards(paid: NDArray[Any]) -> tuple[NDArray[np.int64], int]:
    flat = paid.reshape(-1)
    if np.issubdtype(flat.dtype, np.signedinteger):
        return np.ascontiguousarray(flat, dtype=np.int64), 1
    numbers = []
    for a, x in enumerate(flat.tolist()):
        try:
            numbers.append(Fraction(x))
        except (TypeError, ValueError, OverflowError, ZeroDivisionError):
            raise ModelError(f"reward[{a}] is {x!r}; it must be a finite number") from None
    unit = math.lcm(*{x.denominator for x in numbers})
    scaled = [int(x * unit) for x in numbers]
    if max(map(abs, scaled)) > LARGEST:
        raise ModelError(
            f"exact rewards over their common denominator {unit} are integers beyond 2^62; "
            "round them, or leave out exact=True"
        )
    return np.array(scaled, dtype=np.int64), unit
