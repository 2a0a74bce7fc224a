"""Robust planning in exact rationals on small models, for checks: apart from the solvers.

Outcomes of a row are the states and, where the model has rows that end, the end, of value 0: it is
the last one. The ambiguity is an L1 ball a pair, whose worst laws come from `worst_case_row`; that
they are worst is a claim of its own, and `dual_of_l1` and `dual_of_intervals` are what it is held
against.
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import product

from rltheory.foundations.rationals import Planner, solve_linear
from rltheory.mdp.model import MDP
from rltheory.solvers.worst_row import worst_case_row

__all__ = ["RobustPlanner", "dual_of_intervals", "dual_of_l1", "ends_of_segment"]

Value = list[Fraction]
Law = list[Fraction]
Kernel = list[list[Law]]

_ZERO = Fraction(0)


def dual_of_l1(p: Sequence[Fraction], value: Sequence[Fraction], radius: Fraction) -> Fraction:
    """max over t >= 0 of min v + t (1 - radius) + sum_i p_i min(v_i - min v - t, t).

    The dual of min {q v : q a law, |q - p|_1 <= radius}: concave and piecewise linear in t, with
    its breaks where v_i - min v = 2 t.
    """
    least = min(value)
    points = [_ZERO, *((x - least) / 2 for x in value)]
    return max(
        least
        + t * (1 - radius)
        + sum((y * min(x - least - t, t) for x, y in zip(value, p, strict=True)), _ZERO)
        for t in points
    )


def dual_of_intervals(
    value: Sequence[Fraction], low: Sequence[Fraction], high: Sequence[Fraction]
) -> Fraction:
    """max over t of t + sum_i (low_i max(v_i - t, 0) + high_i min(v_i - t, 0)).

    The dual of min {q v : q a law, low <= q <= high}, with its breaks where v_i = t.
    """
    return max(
        t
        + sum(
            (
                a * max(x - t, _ZERO) + b * min(x - t, _ZERO)
                for x, a, b in zip(value, low, high, strict=True)
            ),
            _ZERO,
        )
        for t in value
    )


def ends_of_segment(p: Law, radius: Fraction) -> list[Law]:
    """The vertices of an L1 ball around a law on two outcomes."""
    half = min(radius, Fraction(2)) / 2
    first = [max(_ZERO, p[0] - half), min(Fraction(1), p[0] + half)]
    return [[x, 1 - x] for x in first]


class RobustPlanner:
    """The robust operators of a small exact model under L1 balls.

    Parameters
    ----------
    mdp : MDP
        Exact and full.
    radius : list of list of Fraction, shape (S, A)
    """

    def __init__(self, mdp: MDP, radius: Sequence[Sequence[Fraction]]) -> None:
        self.nominal = Planner(mdp)
        self.radius = radius
        m = self.nominal
        self.rows: Kernel = [
            [list(m.P[s][a]) + ([m.exit(s, a)] if m.has_exits else []) for a in m.actions]
            for s in m.states
        ]

    def outlook(self, v: Sequence[Fraction]) -> Value:
        """The values of all outcomes."""
        return [*v, _ZERO] if self.nominal.has_exits else list(v)

    def worst(self, v: Sequence[Fraction]) -> Kernel:
        """The worst law of every row."""
        ahead, m = self.outlook(v), self.nominal
        return [
            [list(worst_case_row(self.rows[s][a], ahead, self.radius[s][a])) for a in m.actions]
            for s in m.states
        ]

    def q(self, v: Sequence[Fraction], kernel: Kernel | None = None) -> list[Value]:
        """r + discount p v under a kernel, under the worst one if none is given."""
        ahead, m = self.outlook(v), self.nominal
        laws = self.worst(v) if kernel is None else kernel
        return [
            [
                m.r[s][a]
                + m.discount * sum((p * x for p, x in zip(laws[s][a], ahead, strict=True)), _ZERO)
                for a in m.actions
            ]
            for s in m.states
        ]

    def T(self, v: Sequence[Fraction]) -> Value:  # noqa: N802
        return [max(row) for row in self.q(v)]

    def value(self, policy: Sequence[int], kernel: Kernel) -> Value:
        """V of a deterministic policy under a kernel."""
        m = self.nominal
        matrix = [
            [int(s == t) - m.discount * kernel[s][policy[s]][t] for t in m.states] for s in m.states
        ]
        return solve_linear(matrix, [m.r[s][policy[s]] for s in m.states])

    def policy_value(self, policy: Sequence[int]) -> Value:
        """The worst case of a policy: the adversary's policy iteration."""
        kernel = [[list(law) for law in row] for row in self.rows]
        while True:
            v = self.value(policy, kernel)
            now, worst = self.q(v, kernel), self.worst(v)
            then = self.q(v, worst)
            better = [s for s in self.nominal.states if then[s][policy[s]] < now[s][policy[s]]]
            if not better:
                return v
            for s in better:
                kernel[s][policy[s]] = worst[s][policy[s]]

    def optimum(self) -> tuple[Value, list[int]]:
        """(V_rob, a robust policy), by policy iteration."""
        m = self.nominal
        policy = [0] * m.S
        while True:
            v = self.policy_value(policy)
            q = self.q(v)
            better = [
                max(m.actions, key=q[s].__getitem__) if max(q[s]) > v[s] else policy[s]
                for s in m.states
            ]
            if better == policy:
                return v, policy
            policy = better

    def policies(self) -> list[tuple[int, ...]]:
        """All deterministic policies."""
        return list(product(self.nominal.actions, repeat=self.nominal.S))

    def corner_kernels(self) -> list[Kernel]:
        """All kernels whose rows are vertices of their balls, on two outcomes."""
        m = self.nominal
        pairs = [(s, a) for s in m.states for a in m.actions]
        ends = [ends_of_segment(self.rows[s][a], self.radius[s][a]) for s, a in pairs]
        return [
            [[laws[s * m.A + a] for a in m.actions] for s in m.states] for laws in product(*ends)
        ]
