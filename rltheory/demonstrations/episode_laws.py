"""Episodes of small exact models, listed one by one, and soft planning over their stages.

For checks: fractions, mpmath's reals of sixty digits, and no code of the solvers. An episode is its
steps ((s_0, a_0), ..., (s_T, a_T)) with the probability of its start, moves and end; that of its
actions under a policy is a factor of its own. The move after the last step does not count.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from rltheory.foundations.rationals import Planner
from rltheory.foundations.soft_planner import CONTEXT, SoftPlanner, fraction_of

__all__ = [
    "SoftStages",
    "bound_of",
    "divergence",
    "episodes",
    "law_of",
    "most_difference",
    "real",
    "sums_along",
]

Steps = tuple[tuple[int, int], ...]
Real = Any
real = SoftPlanner.real
_LARGEST = 10**40


def episodes(stages: Sequence[Planner], start: Sequence[Fraction]) -> list[tuple[Steps, Fraction]]:
    """All episodes whose start and moves have probability above 0, with that probability."""
    out: list[tuple[Steps, Fraction]] = []

    def follow(h: int, s: int, steps: Steps, chance: Fraction) -> None:
        for a in stages[h].actions:
            longer = (*steps, (s, a))
            if h + 1 == len(stages):
                out.append((longer, chance))
                continue
            row = stages[h].P[s][a]
            end = 1 - sum(row)
            if end:
                out.append((longer, chance * end))
            for then, p in enumerate(row):
                if p:
                    follow(h + 1, then, longer, chance * p)

    for s, p in enumerate(start):
        if p:
            follow(0, s, (), Fraction(p))
    return out


def law_of(listed: Sequence[tuple[Steps, Fraction]], policy: Any) -> list[Fraction]:
    """Probability of each episode under a policy (H, S, A)."""
    out = []
    for steps, chance in listed:
        for h, (s, a) in enumerate(steps):
            chance = chance * policy[h][s][a]
        out.append(chance)
    return out


def sums_along(listed: Sequence[tuple[Steps, Fraction]], rewards: Any) -> list[Any]:
    """Sum of rewards (H, S, A) along each episode."""
    return [
        sum((rewards[h][s][a] for h, (s, a) in enumerate(steps)), Fraction(0))
        for steps, _ in listed
    ]


def divergence(p: Sequence[Any], q: Sequence[Any]) -> Real:
    """KL(p || q) of two laws."""
    return SoftPlanner.divergence([real(x) for x in p], [real(x) for x in q])


def most_difference(x: Any, y: Any) -> Any:
    """max |x - y| of two tables of the same shape."""
    if isinstance(x, list | tuple):
        return max(most_difference(a, b) for a, b in zip(x, y, strict=True))
    return abs(x - y)


def bound_of(x: Any) -> Any:
    """A real as a fraction, or infinity: beyond 10^40 nothing is compared."""
    return fraction_of(x) if abs(x) < _LARGEST else float("inf")


class SoftStages:
    """Backward induction regularised by the divergence from a reference.

    Parameters
    ----------
    stages : list of Planner
        Whose rows are used; `rewards` (H, S, A) take the place of theirs.
    """

    def __init__(
        self, stages: Sequence[Planner], rewards: Any, temperature: Fraction, reference: Any
    ) -> None:
        self.stages, self.reference = stages, reference
        self.tau = real(temperature)
        self.r = [[[real(x) for x in row] for row in stage] for stage in rewards]
        H, S = len(stages), stages[0].S
        self.value: list[list[Real]] = [[CONTEXT.mpf(0)] * S for _ in range(H + 1)]
        self.policy: list[list[list[Real]]] = [[[]] * S for _ in range(H)]
        for h in reversed(range(H)):
            for s, q in enumerate(self.q(h, self.value[h + 1])):
                self.value[h][s], self.policy[h][s] = self._soft(q, reference[h][s])

    def q(self, h: int, ahead: Sequence[Real]) -> list[list[Real]]:
        stage = self.stages[h]
        return [
            [
                self.r[h][s][a]
                + CONTEXT.fsum(real(p) * v for p, v in zip(stage.P[s][a], ahead, strict=True) if p)
                for a in stage.actions
            ]
            for s in stage.states
        ]

    def value_of(self, policy: Any) -> list[Real]:
        """V_0 of a policy, less tau times its divergence from the reference."""
        value: list[Real] = [CONTEXT.mpf(0)] * self.stages[0].S
        for h in reversed(range(len(self.stages))):
            q = self.q(h, value)
            value = [
                CONTEXT.fdot([real(x) for x in policy[h][s]], q[s])
                - self.tau * divergence(policy[h][s], self.reference[h][s])
                for s in self.stages[h].states
            ]
        return value

    def _soft(self, q: Sequence[Real], law: Sequence[Any]) -> tuple[Real, list[Real]]:
        top = max(x for x, w in zip(q, law, strict=True) if w)
        weights = [
            real(w) * CONTEXT.exp((x - top) / self.tau) if w else CONTEXT.mpf(0)
            for x, w in zip(q, law, strict=True)
        ]
        total = CONTEXT.fsum(weights)
        return top + self.tau * CONTEXT.log(total), [w / total for w in weights]
