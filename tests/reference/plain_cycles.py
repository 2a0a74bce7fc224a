"""Maximum cycle means in plain fractions: every simple cycle, and twins of the kernels.

Graphs are lists of (successor, reward) lists, one a vertex.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

Graph = Sequence[Sequence[tuple[int, Any]]]


def simple_cycles(graph: Graph) -> list[tuple[list[int], Fraction]]:
    """The vertices of every simple cycle, from its smallest on, and its mean; by depth first."""
    found = []
    for start in range(len(graph)):
        stack = [(start, [start], Fraction(0))]
        while stack:
            v, path, total = stack.pop()
            for t, w in graph[v]:
                if t == start:
                    found.append((path, (total + Fraction(w)) / len(path)))
                elif t > start and t not in path:
                    stack.append((t, [*path, t], total + Fraction(w)))
    return found


def reached(graph: Graph, v: int) -> set[int]:
    seen, left = {v}, [v]
    while left:
        for t, _ in graph[left.pop()]:
            if t not in seen:
                seen.add(t)
                left.append(t)
    return seen


def best_means(graph: Graph) -> list[Fraction]:
    """The largest mean of a simple cycle that each vertex reaches."""
    cycles = simple_cycles(graph)
    return [
        max(mean for path, mean in cycles if path[0] in there)
        for there in (reached(graph, v) for v in range(len(graph)))
    ]


def plain_howard(graph: Graph) -> tuple[list[Fraction], list[Fraction], list[int]]:
    """(gain, bias, arc of each vertex) by policy iteration, one improvement at a time.

    The reference of a cycle is its smallest vertex, of bias 0.
    """
    policy = [max(range(len(arcs)), key=lambda a, v=v: graph[v][a][1])
              for v, arcs in enumerate(graph)]  # fmt: skip
    while True:
        gain, bias = plain_evaluation(graph, policy)
        better = []
        for v, arcs in enumerate(graph):
            scores = [(gain[t], Fraction(w) - gain[t] + bias[t]) for t, w in arcs]
            best = max(scores)
            better.append(policy[v] if scores[policy[v]] == best else scores.index(best))
        if better == policy:
            return gain, bias, policy
        policy = better


def plain_evaluation(graph: Graph, policy: Sequence[int]) -> tuple[list[Any], list[Any]]:
    """(gain, bias) of a policy."""
    n = len(graph)
    gain: list[Any] = [None] * n
    bias: list[Any] = [None] * n
    for root in range(n):
        path, v = [], root
        while gain[v] is None and v not in path:
            path.append(v)
            v = graph[v][policy[v]][0]
        if gain[v] is None:
            cycle = path[path.index(v) :]
            rewards = [Fraction(graph[u][policy[u]][1]) for u in cycle]
            at = cycle.index(min(cycle))
            gain[cycle[at]], bias[cycle[at]] = sum(rewards) / len(cycle), Fraction(0)
            path = path[: path.index(v)] + cycle[at + 1 :] + cycle[:at]
            path = [u for u in path if u not in cycle] + cycle[at + 1 :] + cycle[:at]
        for u in reversed(path):
            t, w = graph[u][policy[u]]
            gain[u], bias[u] = gain[t], Fraction(w) - gain[t] + bias[t]
    return gain, bias


def plain_karp(graph: Graph) -> Fraction:
    """The largest cycle mean of a graph, by Karp's formula with every vertex as a start."""
    n = len(graph)
    rows: list[list[Any]] = [[Fraction(0)] * n]
    for _ in range(n):
        row: list[Any] = [None] * n
        for u, arcs in enumerate(graph):
            for t, w in arcs:
                if rows[-1][u] is not None and (row[t] is None or rows[-1][u] + w > row[t]):
                    row[t] = rows[-1][u] + Fraction(w)
        rows.append(row)
    return max(
        min((rows[n][v] - rows[j][v]) / (n - j) for j in range(n) if rows[j][v] is not None)
        for v in range(n)
        if rows[n][v] is not None
    )


def plain_walks(graph: Graph, horizon: int) -> list[list[Fraction]]:
    """The largest reward of a walk of 0, ..., `horizon` arcs from each vertex."""
    rows = [[Fraction(0)] * len(graph)]
    for _ in range(horizon):
        rows.append([max(Fraction(w) + rows[-1][t] for t, w in arcs) for arcs in graph])
    return rows
