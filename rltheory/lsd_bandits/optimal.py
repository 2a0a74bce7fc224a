r"""The best a bandit with known arms can do: per round for ever, and in T rounds.

Joint states are the vertices of a graph, actions its arcs. The optimal gain g* is the largest mean
of a cycle that the start reaches; in T rounds, from joint state v,

    V_0 = 0,    V_t(v) = max over actions of payoff + V_{t-1}(next state).

Sizes: the product of the arms' states; a graph of 10^6 states takes seconds and well under a
gigabyte. Section 3, A2 of the specification of this topic; Puterman, Markov Decision Processes,
1994, sections 4.5 and 9.2.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory import _core
from rltheory.errors import ModelError
from rltheory.lsd_bandits.bandit import MOST_ENTRIES, LSDBandit
from rltheory.solvers.checker import Check
from rltheory.solvers.cycle_means import METHODS, CycleMeans, solve_graph
from rltheory.solvers.weighted_graph import LARGEST, WeightedGraph

__all__ = ["GainResult", "Round", "optimal_gain", "optimal_value"]

MOST_TABLE_BYTES = 4 * 2**30
BYTES_PER_ENTRY = 20


@dataclass(frozen=True)
class Round:
    """One round of a schedule.

    Attributes
    ----------
    state : tuple of int, length N
        The arms' states (indices) before it.
    played : tuple of int
        The arms that are played.
    """

    state: tuple[int, ...]
    played: tuple[int, ...]


@dataclass(frozen=True, eq=False, repr=False)
class GainResult:
    """The optimal gain with a schedule that attains it.

    Attributes
    ----------
    bandit : LSDBandit
    start : int
        The joint state from which the gain is that.
    gain : Fraction or float
        The optimum: exact, or a double within the bracket.
    lower, upper : Fraction or float
        ``lower <= g* <= upper``, proved; equal if exact.
    cycle : tuple of Round
        To be repeated for ever; its average is at least `lower`.
    means : CycleMeans
        Of the whole graph of joint states: gains, biases and policies of all of them.
    """

    bandit: LSDBandit
    start: int
    gain: Any
    lower: Any
    upper: Any
    cycle: tuple[Round, ...]
    means: CycleMeans

    @property
    def bias(self) -> NDArray[Any]:
        """Potentials of all joint states, shape (V,); they prove `upper`."""
        return self.means.bias

    @property
    def certified(self) -> bool:
        """Whether lower and upper are one number."""
        return bool(self.lower == self.upper)

    def check(self) -> Check:
        """Prove the bracket again: the cycle from the arms, the rest from the potentials."""
        try:
            average = _average(self.bandit, self.cycle)
        except ModelError as fault:
            return Check(False, str(fault))
        if average < Fraction(self.lower):
            return Check(False, f"the cycle's average is {average}, below {self.lower}")
        if self.means.lower[self.start] != self.lower or self.means.upper[self.start] != self.upper:
            return Check(False, "the bracket is not that of the graph")
        return self.means.check()

    def __repr__(self) -> str:
        found = f"{self.gain}" if self.certified else f"[{self.lower}, {self.upper}]"
        plays = " ".join(
            "+".join(map(str, r.played)) if r.played else "-" for r in self.cycle[:24]
        ) + (" ..." if len(self.cycle) > 24 else "")
        return f"GainResult(gain {found}, {self.bandit.n_states} states, plays {plays})"


def optimal_gain(
    bandit: LSDBandit,
    method: str = "howard",
    exact: bool = False,
    state: Sequence[int] | None = None,
) -> GainResult:
    """The optimal long-run average reward per round, g*.

    Parameters
    ----------
    bandit : LSDBandit
    method : {"howard", "karp"}
        Policy iteration, or Karp's formula for a few thousand joint states.
    exact : bool
        Whether everything is in fractions.
    state : sequence of int, length N, optional
        The arms' states (indices) at the start; rested if left out. With idling, the gain does not
        depend on it if recovery is by reset, or if payoffs are monotone and rests lead to the top.

    Raises
    ------
    ModelError
        If the graph of joint states is too large, or exact payoffs are no integers of at most 2^58
        over their common denominator.

    Notes
    -----
    Howard's policy iteration, and Karp (1978), on the graph of joint states.

    Examples
    --------
    >>> import rltheory as rlt
    >>> bandit = rlt.LSDBandit([rlt.LSDArm.blocking(2), rlt.LSDArm.blocking(3)])
    >>> best = rlt.optimal_gain(bandit, exact=True)
    >>> best.gain, len(best.cycle), bool(best.check())
    (Fraction(3, 4), 4, True)
    """
    if method not in METHODS:
        raise ModelError(f"method is {method!r}; it must be one of {', '.join(METHODS)}")
    start = bandit.rested if state is None else bandit.join(state)
    means = solve_graph(joint_graph(bandit, exact), method, exact)
    found = means.cycle(start)
    actions = bandit.actions
    cycle = tuple(
        Round(bandit.split(v), actions[a - v * len(actions)])
        for v, a in zip(found.vertices, found.arcs, strict=True)
    )
    gain, lower, upper = means.gain[start], means.lower[start], means.upper[start]
    if not exact:
        gain, lower, upper = float(gain), float(lower), float(upper)
    return GainResult(bandit, start, gain, lower, upper, cycle, means)


def optimal_value(
    bandit: LSDBandit,
    T: int,
    state: Sequence[int] | None = None,
    *,
    exact: bool = False,
    tables: bool = False,
) -> Any:
    """The optimal total reward in t rounds, for t = 0..T.

    Parameters
    ----------
    bandit : LSDBandit
    T : int
        At least 0.
    state : sequence of int, length N, optional
        The arms' states (indices) at the start; rested if left out.
    exact : bool
        Whether values are fractions.
    tables : bool
        Whether to return the values from every joint state.

    Returns
    -------
    ndarray of float64, shape (T+1,), or with `exact` a tuple of T+1 Fraction
        V_0, ..., V_T. With `tables` of shape (T+1, V), or T+1 tuples of V Fraction.

    Raises
    ------
    ModelError
        If T is negative, the graph or its tables are too large, or exact values are no integers
        below 2^63 over the payoffs' common denominator.

    Examples
    --------
    >>> import rltheory as rlt
    >>> bandit = rlt.LSDBandit([rlt.LSDArm.blocking(2), rlt.LSDArm.blocking(3)])
    >>> rlt.optimal_value(bandit, 6)
    array([0., 1., 2., 3., 3., 4., 5.])
    """
    if isinstance(T, bool) or not isinstance(T, int | np.integer) or T < 0:
        raise ModelError(f"T is {T!r}; it must be an integer of at least 0")
    start = bandit.rested if state is None else bandit.join(state)
    kept = bandit.n_states if tables else 1
    size = 8 * (int(T) + 1) * kept
    if size > MOST_TABLE_BYTES:
        raise ModelError(
            f"tables of {T + 1} values of {kept} joint states take {size / 1e9:.3g} GB; "
            f"at most {MOST_TABLE_BYTES / 1e9:.2g} GB are allowed"
        )
    graph = joint_graph(bandit, exact)
    reward = graph.reward if exact else graph.reward / graph.unit
    try:
        values, table = _core.graph.walk_values(
            graph.ptr, graph.successor, reward, int(T), start, tables
        )
    except ValueError as fault:
        raise ModelError(str(fault)) from None
    if not exact:
        return table if tables else values
    if tables:
        return tuple(tuple(Fraction(x, graph.unit) for x in row) for row in table.tolist())
    return tuple(Fraction(x, graph.unit) for x in values.tolist())


def joint_graph(bandit: LSDBandit, exact: bool = False) -> WeightedGraph:
    """The graph of joint states, rewards as integers over the payoffs' common denominator.

    Where these are too large, payoffs are rounded to 56 bits, and the error is kept.

    Raises
    ------
    ModelError
        If the graph is too large, or if payoffs would be rounded although they should be exact.
    """
    states, actions = bandit.n_states, len(bandit.actions)
    if states * actions > MOST_ENTRIES:
        raise ModelError(
            f"the product graph has {states} joint states and {actions} actions, some "
            f"{BYTES_PER_ENTRY * states * actions / 1e9:.3g} GB; states times actions must be at "
            f"most {MOST_ENTRIES}"
        )
    unit, error = bandit.denominator, Fraction(0)
    payoffs = bandit.arrays.integer_payoffs(bandit)
    if payoffs is None or bandit.plays * int(payoffs.max()) > LARGEST:
        if exact:
            raise ModelError(
                f"the payoffs' common denominator is {unit}; exact rewards must be integers of at "
                "most 2^58 over it"
            )
        unit = 2**56 // bandit.plays
        error = Fraction(bandit.plays, 2 * unit)
        payoffs = np.array([round(p * unit) for arm in bandit.arms for p in arm.payoffs])
    flat = bandit.arrays
    successor, reward = _core.topics.lsd_product_graph(
        flat.sizes, flat.play_next, flat.rest_next, payoffs, bandit.masks
    )
    ptr = np.arange(states + 1, dtype=np.int64) * actions
    return WeightedGraph(ptr, successor.reshape(-1), reward.reshape(-1), unit, error)


def _average(bandit: LSDBandit, cycle: Sequence[Round]) -> Fraction:
    """The average of a cycle, from the arms; ModelError if it is none of the bandit's."""
    total = Fraction(0)
    for here, there in zip(cycle, [*cycle[1:], *cycle[:1]], strict=True):
        if here.played not in bandit.actions:
            raise ModelError(f"{here.played} may not be played together")
        for i, (arm, s) in enumerate(zip(bandit.arms, here.state, strict=True)):
            moved = arm.play_next[s] if i in here.played else arm.rest_next[s]
            if there.state[i] != moved:
                raise ModelError(f"arm {i} in state {s} moves to {moved}, not to {there.state[i]}")
            total += arm.payoffs[s] if i in here.played else 0
    return total / len(cycle)
