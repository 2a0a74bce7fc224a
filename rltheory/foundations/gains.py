"""Exact gains of small models, for checks: short, and apart from the solvers.

The chain of a policy is taken apart by what can be reached. A closed class has the gain of its
stationary law; a transient state has the mean gain of the classes it ends up in. The best gain is
found by looking at every deterministic policy, one of which is best in every state.
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import product

from rltheory.foundations.rationals import Planner, solve_linear

__all__ = ["best_gain", "gain_of", "recurrent_states"]

Value = list[Fraction]

_ZERO = Fraction(0)


def recurrent_states(moves: Sequence[Value]) -> list[bool]:
    """Which states of a chain are in a closed class."""
    reach = _reach(moves)
    return [all(s in reach[t] for t in reach[s]) for s in range(len(moves))]


def gain_of(moves: Sequence[Value], reward: Value) -> Value:
    """lim (1/n) sum_{t<n} P^t r of a chain without exits."""
    n = len(moves)
    reach, recurrent = _reach(moves), recurrent_states(moves)
    gain = [_ZERO] * n
    for s in range(n):
        members = sorted(reach[s])
        if not recurrent[s] or members[0] != s:
            continue
        balance = [[moves[j][i] - int(i == j) for j in members] for i in members[1:]]
        law = solve_linear([[Fraction(1)] * len(members), *balance],
                           [Fraction(1)] + [_ZERO] * (len(members) - 1))  # fmt: skip
        mean = sum((p * reward[i] for p, i in zip(law, members, strict=True)), _ZERO)
        for i in members:
            gain[i] = mean
    rest = [s for s in range(n) if not recurrent[s]]
    if rest:
        matrix = [[int(i == j) - moves[i][j] for j in rest] for i in rest]
        ahead = [sum((p * x for p, x in zip(moves[i], gain, strict=True)), _ZERO) for i in rest]
        for i, x in zip(rest, solve_linear(matrix, ahead), strict=True):
            gain[i] = x
    return gain


def best_gain(m: Planner) -> Value:
    """The largest gain of each state."""
    best: Value | None = None
    for policy in product(m.actions, repeat=m.S):
        reward, moves = m.chain(policy)
        gain = gain_of(moves, reward)
        best = gain if best is None else [max(x, y) for x, y in zip(best, gain, strict=True)]
    assert best is not None
    return best


def _reach(moves: Sequence[Value]) -> list[set[int]]:
    reach = [{s} | {t for t, p in enumerate(row) if p} for s, row in enumerate(moves)]
    for _ in moves:
        reach = [set().union(*(reach[t] for t in mine)) for mine in reach]
    return reach
