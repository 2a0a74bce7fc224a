"""Values and occupancies of policies in exact rationals, with and without a horizon.

A discounted model is one stage that is followed by itself: policies, values and occupancies are
lists with an entry for each stage, of which it has one (values with a horizon have one more, the 0
at the end). Nested lists of fractions are tables; here are the sums over them that claims compare.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any

from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice, Many
from rltheory.foundations.families import MOST_ACTIONS, MOST_STATES, law_of_weights, part_of
from rltheory.foundations.rationals import Planner, episodic_value, stages_of
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.model import MDP

__all__ = [
    "PAIRS",
    "Runs",
    "distance",
    "dot",
    "merged",
    "parts_of",
    "policy_of_weights",
    "product",
    "total",
    "with_policies",
]

Value = list[Fraction]
Table = list[Value]
Policy = list[Any]  # one table of probabilities a stage

PAIRS = MOST_STATES * MOST_ACTIONS


def dot(x: Sequence[Fraction], y: Sequence[Fraction]) -> Fraction:
    return sum((a * b for a, b in zip(x, y, strict=True)), Fraction(0))


def total(x: Any) -> Fraction:
    """The sum of all entries of nested lists."""
    return sum(map(total, x), Fraction(0)) if isinstance(x, list) else Fraction(x)


def merged(combine: Callable[[Any, Any], Any], x: Any, y: Any) -> Any:
    """Two nested lists combined entry by entry."""
    if isinstance(x, list):
        return [merged(combine, a, b) for a, b in zip(x, y, strict=True)]
    return combine(x, y)


def product(x: Any, y: Any) -> Fraction:
    return total(merged(lambda a, b: a * b, x, y))


def distance(x: Any, y: Any) -> Fraction:
    return total(merged(lambda a, b: abs(a - b), x, y))


class Runs:
    """Values and occupancies of one model: a discounted one is a stage followed by itself."""

    def __init__(self, mdp: MDP | EpisodicMDP) -> None:
        self.staged = isinstance(mdp, EpisodicMDP)
        self.stages = stages_of(mdp) if isinstance(mdp, EpisodicMDP) else [Planner(mdp)]
        self.discount = self.stages[0].discount
        self.share = Fraction(1) if self.staged else 1 - self.discount  # mass starting anew
        self.name = "horizon" if self.staged else "discounted"

    def value(self, policy: Policy) -> list[Value]:
        if self.staged:
            return episodic_value(self.stages, policy)
        return [self.stages[0].policy_value(policy[0])]

    def ahead(self, values: list[Value]) -> list[Value]:
        """The values that the stages look ahead to."""
        return values[1:] if self.staged else values

    def q(self, values: list[Value]) -> list[Table]:
        return [m.q(v) for m, v in zip(self.stages, self.ahead(values), strict=True)]

    def occupancy(self, policy: Policy, start: Value) -> list[Table]:
        """d(s, a), forward in time."""
        tables: list[Table] = []
        state = list(start) if self.staged else self.stages[0].occupancy(policy[0], start)
        for m, pi in zip(self.stages, policy, strict=True):
            tables.append([[x * w for w in pi[s]] for s, x in enumerate(state)])
            state = self.inflow(m, tables[-1])
        return tables

    def arrivals(self, policy: Policy, start: Value) -> list[Table]:
        """d(s, a), backward: the value of the reward 1{s}, or of being in s at stage h."""
        tables = []
        for h, m in enumerate(self.stages):
            state = []
            for s in m.states:
                if self.staged:
                    v = [Fraction(int(t == s)) for t in m.states]
                    for j in reversed(range(h)):
                        v = [dot(row, v) for row in self.stages[j].chain(policy[j])[1]]
                else:
                    visits = copy.copy(m)
                    visits.r = [[Fraction(int(t == s))] * m.A for t in m.states]
                    v = visits.policy_value(policy[0])
                state.append(self.share * dot(start, v))
            tables.append([[x * w for w in policy[h][s]] for s, x in enumerate(state)])
        return tables

    @staticmethod
    def inflow(m: Planner, d: Table) -> Value:
        """sum_{x,b} d(x, b) P(s | x, b) of every s."""
        pairs = [(x, b) for x in m.states for b in m.actions]
        return [sum((d[x][b] * m.P[x][b][s] for x, b in pairs), Fraction(0)) for s in m.states]


def policy_of_weights(weights: list[int], mdp: Any) -> Policy:
    """A table of probabilities for each stage; one where there is no horizon."""
    S, A = mdp.n_states, mdp.n_actions
    return [
        [law_of_weights(weights[h * PAIRS + s * A :][:A]) for s in range(S)]
        for h in range(getattr(mdp, "horizon", 1))
    ]


def with_policies(models: Family, stages: int = 1) -> Family:
    """The instances of a family with two policies of probabilities, `new` and `old`."""

    def build(new: list[int], old: list[int], **rest: Any) -> Instance:
        built = models.instance(rest)
        parts = {key: built[key] for key in built}
        return Instance(
            **parts, new=policy_of_weights(new, built.mdp), old=policy_of_weights(old, built.mdp)
        )

    weights = Many(Choice(0, 0, 0, 1, 1, 3), PAIRS * stages)
    return Family({**models.space, "new": weights, "old": weights}, build)


def parts_of(instance: Instance) -> Iterator[tuple[Instance, Runs]]:
    """The discounted part of an instance, and the one with a horizon, as far as it has them."""
    for name in ("discounted", "horizon"):
        part = part_of(instance, name)
        if part is not None:
            yield part, Runs(part.mdp)
