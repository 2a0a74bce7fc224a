"""Regularised best-policy identification in plain Python, one number after another.

The twin of `rltheory.RegularizedBPI`, written from the specification and sharing no code with it
but the words of random streams: loops over lists, `math` for exp and log, binomials by `lgamma`.
"""

import math
from typing import Any


class PlainBPI:
    """Counts, plan and certificate of a problem with S states, A actions and H stages."""

    def __init__(
        self, rewards: Any, reference: Any, temperature: float, delta: float, outcomes: int
    ) -> None:
        self.r, self.rho, self.tau = rewards, reference, temperature
        self.H, self.S, self.A = len(rewards), len(rewards[0]), len(rewards[0][0])
        self.outcomes = outcomes
        self.L = math.log(2 * self.S * self.A * self.H / delta)
        self.n = [[[0] * self.A for _ in range(self.S)] for _ in range(self.H)]
        self.N = [
            [[[0] * self.S for _ in range(self.A)] for _ in range(self.S)] for _ in range(self.H)
        ]

    def b(self, h: int, n: int) -> float:
        c = self.H - 1 - h
        return c / 2 * math.sqrt((n + 1) * (math.log(n + 1) + 2 * self.L)) / n

    def kappa(self, n: int) -> float:
        k = self.outcomes
        if k == 1:
            return 0.0
        binomial = math.lgamma(n + k) - math.lgamma(k) - math.lgamma(n + 1)
        return (self.L + binomial) / n

    def soft(self, x: list[float], law: list[float]) -> tuple[float, list[float]]:
        """The soft maximum and its law, over the actions that the reference allows."""
        top = max(y for y, w in zip(x, law, strict=True) if w > 0)
        terms = [
            w * math.exp((y - top) / self.tau) if w > 0 else 0.0
            for y, w in zip(x, law, strict=True)
        ]
        change = sum(
            w * math.expm1((y - top) / self.tau) for y, w in zip(x, law, strict=True) if w > 0
        )
        return top + self.tau * math.log1p(change), [t / sum(terms) for t in terms]

    def plan(self) -> None:
        H, S, A = self.H, self.S, self.A
        zero = [0.0] * S
        self.U, self.V, self.G = [zero], [zero], [zero]
        self.policy: list[Any] = []
        self.widest: list[list[int]] = []
        for h in reversed(range(H)):
            c, beta = float(H - 1 - h), max(self.G[0])
            up, down, gap, laws, widest = [], [], [], [], []
            for s in range(S):
                rho = self.rho[h][s]
                high, low, ahead = [], [], []
                for a in range(A):
                    n, N = self.n[h][s][a], self.N[h][s][a]
                    if n == 0:
                        high.append(self.r[h][s][a] + c)
                        low.append(self.r[h][s][a])
                        ahead.append(beta)
                        continue
                    mean = [
                        sum(k * x for k, x in zip(N, later[0], strict=True)) / n
                        for later in (self.U, self.V, self.G)
                    ]
                    b, kappa = self.b(h, n), self.kappa(n)
                    high.append(self.r[h][s][a] + min(c, mean[0] + b))
                    low.append(self.r[h][s][a] + max(0.0, mean[1] - b))
                    root = math.sqrt(mean[2]) + math.sqrt(beta * kappa)
                    ahead.append(min(beta, root * root))
                allowed = [a for a in range(A) if rho[a] > 0]
                value, law = self.soft(high, rho)
                up.append(value)
                down.append(self.soft(low, rho)[0])
                laws.append(law)
                width = max(high[a] - low[a] for a in allowed)
                ties = [a for a in allowed if high[a] - low[a] >= width - H * 2.0**-40]
                widest.append(ties[0])
                D = max(0.0, width) if len(allowed) > 1 else 0.0
                gap.append(
                    min(D, D * D / (8 * self.tau))
                    + sum(p * x for p, x in zip(law, ahead, strict=True))
                )
            self.U.insert(0, up)
            self.V.insert(0, down)
            self.G.insert(0, gap)
            self.policy.insert(0, laws)
            self.widest.insert(0, widest)

    def observe(self, h: int, s: int, a: int, t: int) -> None:
        self.n[h][s][a] += 1
        if t >= 0:
            self.N[h][s][a][t] += 1


def run(
    plain: PlainBPI, access: Any, start: list[float], stages: Any, actions: Any, epsilon: float,
    growth: float,
) -> int:  # fmt: skip
    """Episodes until the certificate is at most epsilon; streams as in explore.hpp."""
    t = 0
    while True:
        plain.plan()
        if sum(w * g for w, g in zip(start, plain.G[0], strict=True)) <= epsilon:
            return t
        for _ in range(max(1, math.floor(growth * t))):
            exploring = (int(stages.words(1)[0]) * (plain.H + 1) >> 64) - 1
            s, uniforms = access.reset(), [actions.uniform() for _ in range(plain.H)]
            for h in range(plain.H):
                a = (
                    plain.widest[h][s]
                    if h == exploring
                    else chosen(plain.policy[h][s], uniforms[h])
                )
                step = access.step(a)
                plain.observe(h, s, a, step.state)
                s = step.state
                if step.ended:
                    break
            t += 1


def chosen(law: list[float], uniform: float) -> int:
    total = 0.0
    for a, p in enumerate(law):
        total += p
        if uniform < total:
            return a
    return max(a for a, p in enumerate(law) if p > 0)
