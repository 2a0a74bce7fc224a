"""Planning in exact rationals on small models, for checks: short, and apart from the solvers.

A value is a list of fractions; a policy is a list of actions, or a list of lists of probabilities.
Rows are those of a full exact model: row s*A + a.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import lcm
from typing import Any

from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.model import MDP

__all__ = [
    "Planner",
    "episodic_optimum",
    "episodic_value",
    "minus",
    "norm",
    "probabilities",
    "solve_linear",
    "span",
    "stages_of",
]

Value = list[Fraction]
Policy = Sequence[Any]


class Planner:
    """The operators of one discounted model, or of one stage of an episodic one.

    Parameters
    ----------
    mdp : MDP or EpisodicMDP
        Exact and full.
    stage : int
        Of an episodic model, whose discount is 1.
    """

    def __init__(self, mdp: MDP | EpisodicMDP, stage: int = 0) -> None:
        rational = mdp.rational
        if rational is None or not mdp.is_full:
            raise ValueError("the checks of the foundations need an exact, full model")
        self.S, self.A = mdp.n_states, mdp.n_actions
        self.states, self.actions = range(self.S), range(self.A)
        self.discount = Fraction(1)
        first = 0
        if isinstance(mdp, MDP):
            self.discount = Fraction(mdp.discount or 0)
        else:
            first = mdp.stage(stage) * self.S * self.A
        self.r = [
            [rational.reward[first + s * self.A + a] for a in self.actions] for s in self.states
        ]
        self.P = [
            [self._row(rational, first + s * self.A + a) for a in self.actions] for s in self.states
        ]

    def _row(self, rational: Any, row: int) -> list[Fraction]:
        dense = [Fraction(0)] * self.S
        for k in range(rational.row_ptr[row], rational.row_ptr[row + 1]):
            dense[rational.col[k]] = rational.prob[k]
        return dense

    def exit(self, s: int, a: int) -> Fraction:
        """Probability that the episode ends."""
        return 1 - sum(self.P[s][a], Fraction(0))

    @property
    def has_exits(self) -> bool:
        return any(self.exit(s, a) != 0 for s in self.states for a in self.actions)

    def ahead(self, s: int, a: int, v: Sequence[Fraction]) -> Fraction:
        """(P v)(s, a)."""
        return sum((p * x for p, x in zip(self.P[s][a], v, strict=True) if p), Fraction(0))

    def q(self, v: Sequence[Fraction]) -> list[Value]:
        """r + discount P v for every pair."""
        return [
            [self.r[s][a] + self.discount * self.ahead(s, a, v) for a in self.actions]
            for s in self.states
        ]

    def T(self, v: Sequence[Fraction]) -> Value:  # noqa: N802
        """The Bellman operator."""
        return [max(row) for row in self.q(v)]

    def T_pi(self, v: Sequence[Fraction], policy: Policy) -> Value:  # noqa: N802
        """The operator of a policy of actions or of probabilities."""
        return [
            row[pi]
            if isinstance(pi, int)
            else sum((Fraction(w) * x for w, x in zip(pi, row, strict=True)), Fraction(0))
            for row, pi in zip(self.q(v), policy, strict=True)
        ]

    def sweeps(self, v: Sequence[Fraction], count: int) -> Value:
        """T^count v, in integers over a power of the least common denominator of the model."""
        g = self.discount
        below = lcm(*(x.denominator for row in self.r for x in row))
        below = lcm(below, *((g * p).denominator for rows in self.P for row in rows for p in row))
        ahead = [[[int(g * p * below) for p in row] for row in rows] for rows in self.P]
        paid = [[int(x * below) for x in row] for row in self.r]
        scale = lcm(*(x.denominator for x in v))
        tops = [int(x * scale) for x in v]
        for _ in range(count):
            tops = [
                max(
                    paid[s][a] * scale + sum(w * x for w, x in zip(ahead[s][a], tops, strict=True))
                    for a in self.actions
                )
                for s in self.states
            ]
            scale *= below
        return [Fraction(x, scale) for x in tops]

    def returns(self) -> tuple[Fraction, Fraction]:
        """Between which numbers every value lies if all that is known is the range of rewards.

        The range is taken to contain [0, 1], and so 0, which is what an exit is worth.
        """
        paid = [x for row in self.r for x in row] + [Fraction(0), Fraction(1)]
        return min(paid) / (1 - self.discount), max(paid) / (1 - self.discount)

    def greedy(self, v: Sequence[Fraction], last: bool = False) -> list[int]:
        """A policy that attains T v: of several actions the first, or the last."""
        out = []
        for row in self.q(v):
            best = [a for a in self.actions if row[a] == max(row)]
            out.append(best[-1 if last else 0])
        return out

    def chain(self, policy: Policy) -> tuple[Value, list[Value]]:
        """(r_pi, P_pi)."""
        weights = [
            [Fraction(int(a == pi)) for a in self.actions]
            if isinstance(pi, int)
            else [Fraction(w) for w in pi]
            for pi in policy
        ]
        reward = [
            sum(w * x for w, x in zip(weights[s], self.r[s], strict=True)) for s in self.states
        ]
        moves = [
            [
                sum((weights[s][a] * self.P[s][a][t] for a in self.actions), Fraction(0))
                for t in self.states
            ]
            for s in self.states
        ]
        return [Fraction(x) for x in reward], moves

    def policy_value(self, policy: Policy) -> Value:
        """V = r_pi + discount P_pi V."""
        reward, moves = self.chain(policy)
        return solve_linear(self._matrix(moves), reward)

    def occupancy(self, policy: Policy, start: Sequence[Fraction]) -> Value:
        """State occupancy (1 - discount) start (I - discount P_pi)^-1."""
        _, moves = self.chain(policy)
        matrix = self._matrix(moves)
        transposed = [list(column) for column in zip(*matrix, strict=True)]
        return solve_linear(transposed, [(1 - self.discount) * Fraction(x) for x in start])

    def optimum(self) -> tuple[Value, list[int]]:
        """(V*, an optimal policy), by policy iteration."""
        policy = [0] * self.S
        while True:
            v = self.policy_value(policy)
            q = self.q(v)
            better = [
                max(self.actions, key=q[s].__getitem__) if max(q[s]) > v[s] else policy[s]
                for s in self.states
            ]
            if better == policy:
                return v, policy
            policy = better

    def _matrix(self, moves: list[Value]) -> list[Value]:
        return [
            [int(s == t) - self.discount * moves[s][t] for t in self.states] for s in self.states
        ]


def minus(x: Sequence[Fraction], y: Sequence[Fraction]) -> Value:
    """x - y."""
    return [a - b for a, b in zip(x, y, strict=True)]


def norm(x: Sequence[Fraction]) -> Fraction:
    """max |x|."""
    return max(map(abs, x))


def span(x: Sequence[Fraction]) -> Fraction:
    """max x - min x."""
    return max(x) - min(x)


def solve_linear(matrix: Sequence[Sequence[Fraction]], right: Sequence[Fraction]) -> Value:
    """Gaussian elimination; raises ZeroDivisionError on a singular matrix."""
    n = len(right)
    rows = [[*map(Fraction, line), Fraction(b)] for line, b in zip(matrix, right, strict=True)]
    for k in range(n):
        pivot = next((i for i in range(k, n) if rows[i][k] != 0), None)
        if pivot is None:
            raise ZeroDivisionError("singular matrix")
        rows[k], rows[pivot] = rows[pivot], rows[k]
        inverse = 1 / rows[k][k]
        rows[k] = [x * inverse for x in rows[k]]
        for i in range(n):
            if i != k and rows[i][k] != 0:
                factor = rows[i][k]
                rows[i] = [x - factor * y for x, y in zip(rows[i], rows[k], strict=True)]
    return [line[n] for line in rows]


def probabilities(policy: Policy, actions: int) -> list[Value]:
    """A policy of actions, or of probabilities, as probabilities."""
    return [
        [Fraction(int(a == pi)) for a in range(actions)]
        if isinstance(pi, int)
        else [Fraction(w) for w in pi]
        for pi in policy
    ]


def stages_of(mdp: EpisodicMDP) -> list[Planner]:
    """The operators of every stage."""
    return [Planner(mdp, h) for h in range(mdp.horizon)]


def episodic_value(stages: Sequence[Planner], policy: Sequence[Policy]) -> list[Value]:
    """V_H = 0 and V_h = T_{pi_h} V_{h+1}, H + 1 lists."""
    values = [[Fraction(0)] * stages[0].S]
    for planner, pi in zip(reversed(stages), reversed(policy), strict=True):
        values.insert(0, planner.T_pi(values[0], pi))
    return values


def episodic_optimum(stages: Sequence[Planner]) -> tuple[list[Value], list[list[int]]]:
    """(V*, an optimal policy) by backward induction."""
    values, policy = [[Fraction(0)] * stages[0].S], list[list[int]]()
    for planner in reversed(stages):
        policy.insert(0, planner.greedy(values[0]))
        values.insert(0, planner.T(values[0]))
    return values, policy
