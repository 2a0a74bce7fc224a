"""The return of a policy whose rewards are random: its variance, its range, and where it varies.

The problem: reward and successor (R, s') of a pair have a joint law of mean reward r; what is the
variance of G = sum_t discount^t R_t? Two ways that share nothing but V:

    E G_h^2 = E[R^2 + 2 discount R V(s') + discount^2 G_{h+1}^2]     second moments, backward
    the terms Var V, Var Q, Var R, Var V(s'), Cov(R, V(s')), each weighted by the visits to a state

in exact rationals, with and without a horizon (see `rltheory.foundations.runs`).
"""

import copy
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import NamedTuple

from rltheory.claims.family import Instance
from rltheory.foundations.rationals import Planner
from rltheory.foundations.runs import Runs, Value, dot

__all__ = ["LAWS", "Return"]

LAWS = ("fixed", "coin", "successor")
"""Of a reward: always the mean r; 0 or 1 by an independent coin; r shifted by the successor."""

_ZERO = Fraction(0)


class Outcome(NamedTuple):
    """A reward and a successor that come together; the successor S is the exit."""

    chance: Fraction
    reward: Fraction
    successor: int


def _outcomes(m: Planner, s: int, a: int, law: str, tilt: Value) -> list[Outcome]:
    """The joint law of reward and successor at a pair, of mean reward r."""
    r, moves = m.r[s][a], [*m.P[s][a], m.exit(s, a)]
    if law == "coin":  # 0 or 1, whatever follows
        return [
            Outcome(p * chance, Fraction(paid), t)
            for t, p in enumerate(moves)
            for paid, chance in ((1, r), (0, 1 - r))
            if p * chance
        ]
    shift = tilt[: m.S] if law == "successor" else [_ZERO] * m.S
    mean = dot(m.P[s][a], shift)
    return [
        Outcome(p, r + x - mean, t)
        for t, (p, x) in enumerate(zip(moves, [*shift, _ZERO], strict=True))
        if p
    ]


def _mean(law: Sequence[Outcome], of: Callable[[Outcome], Fraction]) -> Fraction:
    return sum((x.chance * of(x) for x in law), _ZERO)


class Return:
    """The return of one policy: its variance by second moments, and the terms of its split."""

    def __init__(self, part: Instance, runs: Runs) -> None:
        self.runs, self.policy, self.start = runs, part.new, part.start
        self.values = runs.value(part.new)
        self.q = runs.q(self.values)
        size = runs.stages[0].S * runs.stages[0].A
        self.laws = [
            [
                [
                    _outcomes(m, s, a, part.laws[h * size + s * m.A + a], part.tilt)
                    for a in m.actions
                ]
                for s in m.states
            ]
            for h, m in enumerate(runs.stages)
        ]
        self.is_independent = "successor" not in part.laws[: size * len(runs.stages)]

    def _table(self, h: int, of: Callable[[list[Outcome], Value], Fraction]) -> list[Value]:
        """A number for each pair of the stage, from its law and the values that follow."""
        ahead = [*self.runs.ahead(self.values)[h], _ZERO]
        return [[of(law, ahead) for law in row] for row in self.laws[h]]

    def variance(self) -> Fraction:
        """E[G^2] - (E G)^2 with E[G^2] = E[R^2 + 2 discount R V(s') + discount^2 G'^2]."""
        g = self.runs.discount
        after: Value = [_ZERO] * self.runs.stages[0].S
        for h, m in reversed(list(enumerate(self.runs.stages))):
            squared = copy.copy(m)
            squared.r = self._table(
                h,
                lambda law, v: _mean(law, lambda x: x.reward * (x.reward + 2 * g * v[x.successor])),
            )
            squared.discount = g * g
            if self.runs.staged:
                after = squared.T_pi(after, self.policy[h])
            else:
                after = squared.policy_value(self.policy[h])
        mean = dot(self.start, self.values[0])
        return dot(self.start, after) - mean * mean

    def visits(self, of_square: bool = True) -> list[Value]:
        """sum_t discount^{2t} P(s_t = s), or with discount^t; P(s_h = s) stage by stage."""
        if self.runs.staged:
            tables = self.runs.occupancy(self.policy, self.start)
            return [[sum(row, _ZERO) for row in table] for table in tables]
        m = copy.copy(self.runs.stages[0])
        m.discount = m.discount**2 if of_square else m.discount
        return [[x / (1 - m.discount) for x in m.occupancy(self.policy[0], self.start)]]

    def terms(self, of_square: bool = True) -> dict[str, Fraction]:
        """The summands of the split, with their weights."""
        g = self.runs.discount
        means = dot(self.start, self.values[0])
        spread = sum(
            (p * (v - means) ** 2 for p, v in zip(self.start, self.values[0], strict=True)), _ZERO
        )
        out = {"start": spread, "action": _ZERO, "reward": _ZERO, "move": _ZERO, "joint": _ZERO}
        for h, weights in enumerate(self.visits(of_square)):
            reward = self._table(h, lambda law, v: _covariance(law, _reward, _reward))
            move = self._table(h, lambda law, v: _covariance(law, _at(v), _at(v)))
            joint = self._table(h, lambda law, v: _covariance(law, _reward, _at(v)))
            for s, weight in enumerate(weights):
                pi, q = self.policy[h][s], self.q[h][s]
                mean = dot(pi, q)
                out["action"] += weight * dot(pi, [(x - mean) ** 2 for x in q])
                out["reward"] += weight * dot(pi, reward[s])
                out["move"] += weight * g * g * dot(pi, move[s])
                out["joint"] += weight * 2 * g * dot(pi, joint[s])
        return out

    def is_only_moved(self) -> bool:
        """Whether nothing but the transitions makes G random, along the states that are reached."""
        if len({v for v, p in zip(self.values[0], self.start, strict=True) if p}) > 1:
            return False
        for h, weights in enumerate(self.visits()):
            for s in (s for s, weight in enumerate(weights) if weight):
                taken = [a for a, p in enumerate(self.policy[h][s]) if p]
                rewards = [{x.reward for x in self.laws[h][s][a]} for a in taken]
                if len({self.q[h][s][a] for a in taken}) > 1 or max(map(len, rewards)) > 1:
                    return False
        return True

    def reward_range(self) -> tuple[Fraction, Fraction]:
        paid = [x.reward for stage in self.laws for row in stage for law in row for x in law]
        return min(paid), max(paid)

    def range(self) -> Fraction:
        """A length of an interval that holds the return: the least one with a horizon."""
        if not self.runs.staged:
            low, high = self.reward_range()
            if self.runs.stages[0].has_exits:
                low, high = min(low, _ZERO), max(high, _ZERO)
            return (high - low) / self.runs.share
        ends: list[Fraction] = []
        for best in (min, max):
            v = [_ZERO] * self.runs.stages[0].S
            for stage, policy in zip(reversed(self.laws), reversed(self.policy), strict=True):
                ahead = [*v, _ZERO]
                v = [
                    best(
                        x.reward + ahead[x.successor]
                        for law, p in zip(row, pi, strict=True)
                        if p
                        for x in law
                    )
                    for row, pi in zip(stage, policy, strict=True)
                ]
            ends.append(best(x for x, p in zip(v, self.start, strict=True) if p))
        return ends[1] - ends[0]


def _reward(x: Outcome) -> Fraction:
    return x.reward


def _at(v: Value) -> Callable[[Outcome], Fraction]:
    return lambda x: v[x.successor]


def _covariance(
    law: Sequence[Outcome], f: Callable[[Outcome], Fraction], g: Callable[[Outcome], Fraction]
) -> Fraction:
    return _mean(law, lambda x: f(x) * g(x)) - _mean(law, f) * _mean(law, g)
