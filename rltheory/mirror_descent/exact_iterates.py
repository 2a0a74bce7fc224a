r"""The iterates of mirror descent to sixty digits on small models, for checks.

Apart from the algorithms: a model's equations are solved in mpmath (`SoftPlanner`), policies are
lists of logarithms, CONTEXT.ninf for an action never taken, and steps may be as long as they like,
since exponents are unbounded. Rounding loses about 10^-58 of the values; comparisons allow 10^-40.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from rltheory.claims.claim import Measurement
from rltheory.foundations.soft_planner import CONTEXT, SoftPlanner, fraction_of

__all__ = [
    "ExactIterates",
    "at_most",
    "distance_of_laws",
    "equal",
    "kl",
    "law",
    "logs_of",
    "real",
    "softmax",
]

Real = Any
Row = list[Real]
Table = list[Row]
TOLERANCE = Fraction(1, 10**40)
_SMALL = Fraction(1, 10**15)
"""Bounds below this are compared by their difference: a ratio of them would be of rounding."""

real = SoftPlanner.real


def softmax(logits: Row) -> Row:
    """Logits less their log-sum-exp."""
    top = max(logits)
    total = CONTEXT.fsum(CONTEXT.exp(x - top) for x in logits)
    return [x - top - CONTEXT.log(total) for x in logits]


def law(logs: Row) -> Row:
    """Probabilities of logarithms."""
    return [CONTEXT.exp(x) for x in logs]


def logs_of(weights: Sequence[Any]) -> Row:
    """Logarithms of probabilities."""
    return [CONTEXT.log(real(w)) if w else CONTEXT.ninf for w in weights]


def kl(p: Row, q: Row) -> Real:
    """KL divergence of two laws in logarithms; +inf where q excludes what p takes."""
    taken = [(x, y) for x, y in zip(p, q, strict=True) if x != CONTEXT.ninf]
    if any(y == CONTEXT.ninf for _, y in taken):
        return CONTEXT.inf
    return CONTEXT.fsum(CONTEXT.exp(x) * (x - y) for x, y in taken)


def distance_of_laws(p: Row, q: Row) -> Real:
    """The largest difference of logarithms; +inf where one excludes what the other takes."""
    far = [abs(x - y) for x, y in zip(p, q, strict=True) if x != y]
    return max(far, default=CONTEXT.mpf(0))


def _tolerance(sizes: Sequence[Real]) -> Fraction:
    size = max((abs(x) for x in sizes if CONTEXT.isfinite(x)), default=CONTEXT.mpf(0))
    return TOLERANCE * (1 + fraction_of(size))


def at_most(measured: Real, bound: Real, what: str, *sizes: Real, **more: Any) -> Measurement:
    """measured <= bound, both of sixty digits; `sizes` are what they were formed from."""
    tolerance = more.pop("tolerance", None) or _tolerance([measured, bound, *sizes])
    if bound == CONTEXT.inf:
        return Measurement(fraction_of(measured), float("inf"), tolerance=tolerance, what=what)
    x, y = fraction_of(measured), fraction_of(bound)
    if y < _SMALL:
        x, y = x - y, Fraction(0)
        more.pop("trivial", None)
    return Measurement(x, y, tolerance=tolerance, what=what, **more)


def equal(measured: Real, wanted: Real, what: str, *sizes: Real, **more: Any) -> Measurement:
    """measured == wanted, likewise."""
    tolerance = more.pop("tolerance", None) or _tolerance([measured, wanted, *sizes])
    if CONTEXT.isinf(measured) or CONTEXT.isinf(wanted):
        return Measurement(float(measured), float(wanted), tolerance=tolerance, what=what)
    return Measurement(
        fraction_of(measured), fraction_of(wanted), tolerance=tolerance, what=what, **more
    )


class ExactIterates:
    """Mirror descent on a small exact model.

    Parameters
    ----------
    mdp : MDP
        Exact and full.
    temperature : Fraction, optional
        None is no regularisation.
    reference : list of list of Fraction, optional
        With a temperature; None is the entropy.
    """

    def __init__(self, mdp: Any, temperature: Any = None, reference: Any = None) -> None:
        self.soft = SoftPlanner(mdp, Fraction(1) if temperature is None else temperature, reference)
        self.regularised = temperature is not None
        self.tau = self.soft.tau if self.regularised else CONTEXT.mpf(0)
        self.states, self.actions = self.soft.hard.states, self.soft.hard.actions
        self.discount = self.soft.discount

    def value(self, logs: Table) -> Row:
        """V of a policy, regularised or not."""
        policy = [law(row) for row in logs]
        rewards = None if self.regularised else self.soft.mean_rewards(policy)
        return self.soft.value(policy, rewards)

    def q(self, value: Row) -> Table:
        return self.soft.q(value)

    def reference(self, s: int) -> Row:
        """Logarithms of the reference; 0 for the entropy."""
        return logs_of(self.soft.weights[s])

    def step(self, logs: Table, q: Table, eta: Real) -> Table:
        """pi_k^alpha rho^(1-alpha) exp(weight Q); an infinite eta has alpha = 0."""
        if not self.regularised:
            return [
                softmax([x + eta * y for x, y in zip(row, values, strict=True)])
                for row, values in zip(logs, q, strict=True)
            ]
        keep = CONTEXT.mpf(0) if eta == CONTEXT.inf else 1 / (1 + eta * self.tau)
        weight = (1 - keep) / self.tau
        found = []
        for s in self.states:
            logits = []
            for x, y, z in zip(logs[s], q[s], self.reference(s), strict=True):
                never = CONTEXT.ninf in (x, z)
                logits.append(CONTEXT.ninf if never else keep * x + (1 - keep) * z + weight * y)
            found.append(softmax(logits))
        return found

    def run(
        self, logs: Table, count: int, steps: Callable[[int, Table, Table], Real]
    ) -> tuple[list[Table], list[Row], list[Table]]:
        """(policies, values, q values) of the first `count` + 1 iterates."""
        policies, values, qs = [logs], [], []
        for k in range(count + 1):
            values.append(self.value(policies[-1]))
            qs.append(self.q(values[-1]))
            if k < count:
                policies.append(self.step(policies[-1], qs[-1], steps(k, qs[-1], policies[-1])))
        return policies, values, qs

    def occupancy(self, policy: Table, start: Sequence[Any]) -> Row:
        """(1 - discount) start (I - discount P_pi)^-1 of a policy of probabilities."""
        S = self.soft.hard.S
        matrix = CONTEXT.matrix(S, S)
        for s in self.states:
            for t in self.states:
                ahead = CONTEXT.fsum(policy[s][a] * self.soft.P[s][a][t] for a in self.actions)
                matrix[t, s] = int(s == t) - self.discount * ahead
        right = CONTEXT.matrix([(1 - self.discount) * real(x) for x in start])
        return list(CONTEXT.lu_solve(matrix, right))
