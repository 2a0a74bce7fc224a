"""Exact gains of small models by brute force: every deterministic policy, in fractions.

The chain of a policy is taken apart by reachability; a closed class has the gain of its
stationary law, a transient state the mean of those it ends up in. Shares no code with the package.
"""

from fractions import Fraction
from itertools import product
from typing import Any

Rows = list[list[tuple[list[Fraction], Fraction]]]


def exact_rows(mdp: Any) -> Rows:
    """(probabilities, reward) of each pair of each state, probabilities over their exact sum."""
    arrays = mdp.arrays()
    S = arrays["n_states"]
    rows: Rows = []
    for s in range(S):
        mine = []
        for row in range(arrays["state_ptr"][s], arrays["state_ptr"][s + 1]):
            p = [Fraction(0)] * S
            for k in range(arrays["row_ptr"][row], arrays["row_ptr"][row + 1]):
                p[arrays["col"][k]] = _exact(arrays["prob"][k])
            total = sum(p)
            mine.append(([x / total for x in p], _exact(arrays["reward"][row])))
        rows.append(mine)
    return rows


def gains_of(chain: list[list[Fraction]], reward: list[Fraction]) -> list[Fraction]:
    """The gain of every state of a Markov chain with rewards."""
    S = len(chain)
    reach = [{s} for s in range(S)]
    for _ in range(S):
        for s in range(S):
            reach[s] |= {u for t in range(S) if chain[s][t] > 0 for u in reach[t]}
    closed = [all(s in reach[t] for t in reach[s]) for s in range(S)]
    gain: list[Any] = [None] * S
    for s in range(S):
        if closed[s] and gain[s] is None:
            members = sorted(reach[s])
            law = _stationary([[chain[i][j] for j in members] for i in members])
            mean = sum(p * reward[i] for p, i in zip(law, members, strict=True))
            for i in members:
                gain[i] = mean
    rest = [s for s in range(S) if not closed[s]]
    if rest:
        matrix = [[Fraction(int(i == j)) - chain[i][j] for j in rest] for i in rest]
        right = [sum(chain[i][j] * gain[j] for j in range(S) if closed[j]) for i in rest]
        for i, x in zip(rest, _solve(matrix, right), strict=True):
            gain[i] = x
    return gain


def policy_gains(mdp: Any, rows: list[int]) -> list[Fraction]:
    """The gains of the policy that picks these rows of the model."""
    model, first = exact_rows(mdp), mdp.arrays()["state_ptr"]
    picked = [model[s][row - first[s]] for s, row in enumerate(rows)]
    return gains_of([p for p, _ in picked], [r for _, r in picked])


def best_gains(mdp: Any) -> list[Fraction]:
    """The largest gain of every state over all deterministic policies: one attains all."""
    best: list[Fraction] | None = None
    for picked in product(*exact_rows(mdp)):
        gain = gains_of([p for p, _ in picked], [r for _, r in picked])
        best = gain if best is None else [max(a, b) for a, b in zip(best, gain, strict=True)]
    assert best is not None
    return best


def _stationary(chain: list[list[Fraction]]) -> list[Fraction]:
    n = len(chain)
    matrix = [[chain[j][i] - int(i == j) for j in range(n)] for i in range(n - 1)]
    matrix.append([Fraction(1)] * n)
    return _solve(matrix, [Fraction(0)] * (n - 1) + [Fraction(1)])


def _solve(matrix: list[list[Fraction]], right: list[Fraction]) -> list[Fraction]:
    n = len(right)
    a = [[*row, b] for row, b in zip(matrix, right, strict=True)]
    for k in range(n):
        pivot = next(i for i in range(k, n) if a[i][k] != 0)
        a[k], a[pivot] = a[pivot], a[k]
        a[k] = [x / a[k][k] for x in a[k]]
        for i in range(n):
            if i != k and a[i][k] != 0:
                a[i] = [x - a[i][k] * y for x, y in zip(a[i], a[k], strict=True)]
    return [row[n] for row in a]


def _exact(x: Any) -> Fraction:
    return x if isinstance(x, Fraction) else Fraction(float(x))
