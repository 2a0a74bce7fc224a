"""UCBVI in plain numpy: one pair and one stage after another, as the algorithm is written."""

import math
from typing import Any

import numpy as np


class PlainUCBVI:
    """The twin of `rltheory.UCBVI`: the same formulas in the same order of operations."""

    def __init__(self, delta: float, bonus: str = "hoeffding", doubling: bool = False) -> None:
        self.delta, self.bonus, self.doubling = delta, bonus, doubling

    def begin(self, task: Any) -> None:
        self.S, self.A, self.H, self.K = (
            task.n_states, task.n_actions, task.horizon, task.episodes,
        )  # fmt: skip
        self.n = np.zeros((self.H, self.S, self.A), dtype=np.int64)
        self.N = np.zeros((self.H, self.S, self.A, self.S))
        self.r = np.zeros((self.H, self.S, self.A))
        self.due = True

    def plan(self, episode: int) -> Any:
        if not self.due:
            return None
        self.due = not self.doubling
        self.q = np.zeros((self.H, self.S, self.A))
        self.v = np.zeros((self.H + 1, self.S))
        for h in reversed(range(self.H)):
            for s in range(self.S):
                for a in range(self.A):
                    self.q[h, s, a] = self.backup(h, s, a)
            self.v[h] = self.q[h].max(axis=1)
        self.policy = self.q.argmax(axis=2)
        return self.policy

    def backup(self, h: int, s: int, a: int) -> float:
        n, v, cap = int(self.n[h, s, a]), self.v[h + 1], float(self.H - h)
        if n == 0:
            return cap
        inverse = 1.0 / n
        mean = self.in_order(self.N[h, s, a], v) * inverse
        triples = self.S * self.A * self.H * self.K
        scale = float(self.H - h - 1)
        if self.bonus == "hoeffding":
            table = math.sqrt(math.log(3 * triples / self.delta) / (2.0 * n))
            return min(cap, (self.r[h, s, a] + scale * table) + mean)
        most = scale * math.sqrt(math.log(2 * triples / self.delta) / (2.0 * n))
        level = math.log(4 * triples / self.delta)
        b = most
        if n > 1:
            square = self.in_order(self.N[h, s, a], v * v) * inverse
            sigma = math.sqrt(max(0.0, square - mean * mean))
            root = 5.0 / 3.0 * math.sqrt(2.0 * level / (n - 1))
            floor = 35.0 / 6.0 * level / (n - 1)
            b = min(most, max(sigma * root, scale * floor))
        return min(cap, self.r[h, s, a] + (mean + b))

    @staticmethod
    def in_order(counts: Any, v: Any) -> float:
        total = 0.0
        for x, y in zip(counts.tolist(), v.tolist(), strict=True):
            total += x * y
        return total

    def act(self, stage: int, state: int) -> int:
        return int(self.policy[stage, state])

    def observe(self, stage: int, state: int, action: int, reward: float, next_state: int) -> None:
        self.n[stage, state, action] += 1
        n = int(self.n[stage, state, action])
        self.r[stage, state, action] = reward
        if next_state >= 0:
            self.N[stage, state, action, next_state] += 1.0
        if n & (n - 1) == 0:
            self.due = True
