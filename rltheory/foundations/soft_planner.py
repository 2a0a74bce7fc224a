"""Regularised planning to sixty digits on small models, for checks: apart from the solvers.

Numbers are mpmath's, of 60 digits; what is compared is rounded to fractions, and the tolerance of a
comparison, 10^-40 times the size of the values, is far above what 60 digits lose on these models.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import mpmath

from rltheory.foundations.rationals import Planner
from rltheory.mdp.model import MDP

__all__ = ["CONTEXT", "SoftPlanner", "fraction_of", "lambert"]

Real = Any
"""An mpf, which mpmath does not type."""
Value = list[Real]

CONTEXT = mpmath.mp.clone()
CONTEXT.dps = 60
_TOLERANCE = Fraction(1, 10**40)
_MOST_STEPS = 200


def fraction_of(x: Real) -> Fraction:
    """The exact value of an mpf."""
    sign, mantissa, exponent, _ = CONTEXT.mpf(x)._mpf_
    return (-1) ** sign * Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


def lambert(x: Real) -> Real:
    """W_0(x), the solution w >= 0 of w e^w = x for x >= 0."""
    return CONTEXT.lambertw(x).real


class SoftPlanner:
    """The operators of a small exact model, regularised.

    Parameters
    ----------
    mdp : MDP
        Exact and full.
    temperature : Fraction
    reference : list of list of Fraction, optional
        rho(a | s), each above 0 or forbidding the action; None for the entropy.
    """

    def __init__(self, mdp: MDP, temperature: Fraction, reference: Any = None) -> None:
        self.hard = Planner(mdp)
        self.tau = self.real(temperature)
        S, A = self.hard.states, self.hard.actions
        self.weights = [
            [self.real(1 if reference is None else reference[s][a]) for a in A] for s in S
        ]
        self.allowed = [[a for a in A if self.weights[s][a] > 0] for s in S]
        self.discount = self.real(self.hard.discount)
        self.r = [[self.real(x) for x in row] for row in self.hard.r]
        self.P = [[[self.real(x) for x in row] for row in rows] for rows in self.hard.P]

    @staticmethod
    def real(x: Any) -> Real:
        x = x if isinstance(x, CONTEXT.mpf) else Fraction(x)
        return x if isinstance(x, CONTEXT.mpf) else CONTEXT.mpf(x.numerator) / x.denominator

    def q(self, v: Sequence[Any]) -> list[Value]:
        """r + discount P v."""
        x = [self.real(y) for y in v]
        return [
            [
                self.r[s][a] + self.discount * CONTEXT.fdot(self.P[s][a], x)
                for a in self.hard.actions
            ]
            for s in self.hard.states
        ]

    def T(self, v: Sequence[Any]) -> Value:  # noqa: N802
        """tau log sum_a rho(a) exp(q(a) / tau)."""
        return [self._soft_maximum(row, s) for s, row in enumerate(self.q(v))]

    def T_hard(self, v: Sequence[Any]) -> Value:  # noqa: N802
        """max over allowed actions of q."""
        return [max(row[a] for a in self.allowed[s]) for s, row in enumerate(self.q(v))]

    def _soft_maximum(self, row: Value, s: int) -> Real:
        top = max(row[a] for a in self.allowed[s])
        terms = [
            self.weights[s][a] * CONTEXT.exp((row[a] - top) / self.tau) for a in self.allowed[s]
        ]
        return top + self.tau * CONTEXT.log(CONTEXT.fsum(terms))

    def greedy(self, v: Sequence[Any]) -> list[Value]:
        """rho(a) exp((q(a) - T v) / tau)."""
        q, top = self.q(v), self.T(v)
        return [
            [
                w * CONTEXT.exp((x - top[s]) / self.tau)
                for w, x in zip(self.weights[s], q[s], strict=True)
            ]
            for s in self.hard.states
        ]

    def value(self, policy: Sequence[Sequence[Any]], rewards: Any = None) -> Value:
        """V of a policy of probabilities with these rewards (S,), the regularised ones if None."""
        S, A = self.hard.states, self.hard.actions
        pi = [[self.real(p) for p in row] for row in policy]
        if rewards is None:
            rewards = [
                CONTEXT.fdot(pi[s], self.r[s]) - self.tau * self.divergence(pi[s], self.weights[s])
                for s in S
            ]
        matrix = CONTEXT.matrix(self.hard.S, self.hard.S)
        for s in S:
            for t in S:
                ahead = CONTEXT.fsum(pi[s][a] * self.P[s][a][t] for a in A)
                matrix[s, t] = int(s == t) - self.discount * ahead
        return list(CONTEXT.lu_solve(matrix, CONTEXT.matrix([self.real(x) for x in rewards])))

    def mean_rewards(self, policy: Sequence[Sequence[Any]]) -> Value:
        """sum_a pi(a) r(a), without the regularisation."""
        return [
            CONTEXT.fdot([self.real(p) for p in policy[s]], self.r[s]) for s in self.hard.states
        ]

    @staticmethod
    def divergence(p: Sequence[Real], q: Sequence[Real]) -> Real:
        """sum p log(p / q); +inf where q forbids what p does."""
        if any(x > 0 and y == 0 for x, y in zip(p, q, strict=True)):
            return CONTEXT.inf
        return CONTEXT.fsum(x * CONTEXT.log(x / y) for x, y in zip(p, q, strict=True) if x > 0)

    def optimum(self) -> Value:
        """V_tau^*, by soft policy iteration from 0 until a step changes nothing that matters."""
        v: Value = [CONTEXT.mpf(0)] * self.hard.S
        for _ in range(_MOST_STEPS):
            new = self.value(self.greedy(v))
            change = max(abs(x - y) for x, y in zip(new, v, strict=True))
            v = new
            if change <= CONTEXT.mpf(10) ** -50 * (1 + max(map(abs, v))):
                return v
        raise ArithmeticError("soft policy iteration did not settle")

    def tolerance(self, *values: Sequence[Real]) -> Fraction:
        """What rounding may have done to a comparison of these values, generously."""
        size = max((abs(x) for v in values for x in v), default=CONTEXT.mpf(0))
        return _TOLERANCE * (1 + fraction_of(size))
