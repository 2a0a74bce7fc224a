"""Bellman backups of plain rows, and the sweeps of value iteration made of them."""

import numpy as np
from numpy.typing import NDArray
from plain_rows import Rows, Vector, means


def q_values(rows: Rows, discount: float, value: Vector) -> Vector:
    return rows.reward + discount * means(rows, value)


def row_sum(prob: list[float], value: list[float]) -> float:
    """sum p v in the order of the core: from 16 terms on four sums side by side, then two."""
    sums, k = [0.0, 0.0, 0.0, 0.0], 0
    while len(prob) >= 16 and k + 4 <= len(prob):
        sums = [x + prob[k + i] * value[k + i] for i, x in enumerate(sums)]
        k += 4
    sums = [sums[0] + sums[2], sums[1] + sums[3]] if len(prob) >= 16 else sums[:2]
    for i in range(k, len(prob)):
        sums[(i - k) % 2] += prob[i] * value[i]
    return sums[0] + sums[1]


def best(rows: Rows, q: Vector) -> tuple[Vector, NDArray[np.int64]]:
    """The largest q of each state, and the first row that has it."""
    n = int(rows.state.max()) + 1
    winner = np.array([max(np.flatnonzero(rows.state == s), key=lambda r: q[r]) for s in range(n)])
    return q[winner], winner


def backup(rows: Rows, discount: float, value: Vector) -> Vector:
    return best(rows, q_values(rows, discount, value))[0]


def gauss_seidel(rows: Rows, discount: float, value: Vector) -> Vector:
    """One sweep in which later states see what earlier ones became."""
    value = value.copy()
    for s in range(len(value)):
        value[s] = q_values(rows, discount, value)[rows.state == s].max()
    return value


def centred(
    value: Vector, before: Vector, discount: float, may_leak: bool, may_end: bool
) -> Vector:
    """MacQueen: the middle of the bracket that a sweep leaves; as it is where rows may end."""
    if may_end:
        return value
    low, high = (value - before).min(), (value - before).max()
    if may_leak:
        low, high = min(low, 0.0), max(high, 0.0)
    return value + discount / (1.0 - discount) * 0.5 * (low + high)


def bracket_width(value: Vector, before: Vector, discount: float, may_leak: bool) -> float:
    """What is left to know; 0 is in the bracket where constants may leak, by exits or order."""
    low, high = (value - before).min(), (value - before).max()
    if may_leak:
        low, high = min(low, 0.0), max(high, 0.0)
    return float(discount * (high - low) / (1.0 - discount))


def optimum(rows: Rows, discount: float, sweeps: int = 400) -> Vector:
    value = np.zeros(rows.prob.shape[1])
    for _ in range(sweeps):
        value = backup(rows, discount, value)
    return value


def backward_induction(stages: list[Rows]) -> tuple[Vector, NDArray[np.int64]]:
    """Values (H+1, S), and the rows within each stage that attain them, (H, S)."""
    value = np.zeros((len(stages) + 1, stages[0].prob.shape[1]))
    chosen = np.zeros((len(stages), value.shape[1]), dtype=np.int64)
    for h in reversed(range(len(stages))):
        value[h], chosen[h] = best(stages[h], q_values(stages[h], 1.0, value[h + 1]))
    return value, chosen
