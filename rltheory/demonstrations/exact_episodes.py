"""Small episodic models in fractions, and regularised planning on them to sixty digits.

For checks: apart from the solvers, and short. Policies are lists (H, S, A) of fractions or of
mpmath's numbers of 60 digits; what is compared is rounded to fractions, with a tolerance of 10^-40
times the size of the values, far above what 60 digits lose here.
"""

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from rltheory.claims.claim import Measurement
from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice, Integer, Many
from rltheory.foundations.families import law_of_weights, model_space, read_model
from rltheory.foundations.rationals import episodic_optimum, episodic_value, stages_of
from rltheory.foundations.soft_planner import CONTEXT, SoftPlanner, fraction_of
from rltheory.mdp.episodic import EpisodicMDP

__all__ = [
    "DIGITS",
    "Episodes",
    "Policy",
    "Real",
    "compare",
    "divergence",
    "episode_family",
    "one_state",
    "real",
    "softmax",
    "two_states",
]

Real = Any
"""An mpf, which mpmath does not type."""
Policy = Any
"""H lists of S lists of A probabilities, fractions or mpfs."""

DIGITS = CONTEXT
_TOLERANCE = Fraction(1, 10**40)


real = SoftPlanner.real
"""A number as an mpf of 60 digits."""


def _times(x: Any, y: Any) -> Any:
    """A product: exact of two fractions."""
    return x * y if isinstance(x, Fraction) and isinstance(y, Fraction) else real(x) * real(y)


def divergence(p: Sequence[Any], q: Sequence[Any]) -> Real:
    """sum p log(p/q); +inf where q forbids what p does."""
    return SoftPlanner.divergence([real(x) for x in p], [real(y) for y in q])


def softmax(reference: Sequence[Any], q: Sequence[Real], tau: Real) -> tuple[Real, list[Real]]:
    """tau log sum rho exp(q/tau), and the law that attains it."""
    top = max(x for w, x in zip(reference, q, strict=True) if w > 0)
    masses = [
        real(w) * DIGITS.exp((x - top) / tau) if w > 0 else DIGITS.mpf(0)
        for w, x in zip(reference, q, strict=True)
    ]
    total = DIGITS.fsum(masses)
    return top + tau * DIGITS.log(total), [x / total for x in masses]


def compare(measured: Real, bound: Real, what: str, **more: Any) -> Measurement:
    """Two numbers of 60 digits, or infinite, side by side."""
    left, right = (math.inf if DIGITS.isinf(x) else fraction_of(real(x)) for x in (measured, bound))
    size = max((abs(x) for x in (left, right) if isinstance(x, Fraction)), default=Fraction(0))
    return Measurement(left, right, tolerance=_TOLERANCE * (1 + size), what=what, **more)


class Episodes:
    """What an exact, full episodic model and a start law say about policies.

    Parameters
    ----------
    mdp : EpisodicMDP
        Exact and full.
    start : list of Fraction
    """

    def __init__(self, mdp: EpisodicMDP, start: Sequence[Fraction]) -> None:
        self.stages = stages_of(mdp)
        self.H, self.S, self.A = len(self.stages), self.stages[0].S, self.stages[0].A
        self.states, self.actions = range(self.S), range(self.A)
        self.start = list(start)

    def at_start(self, value: Sequence[Any]) -> Any:
        """The mean of a value of stage 0 over the start law."""
        return sum(_times(w, x) for w, x in zip(self.start, value, strict=True) if w)

    def occupancy(self, policy: Policy) -> list[list[Any]]:
        """d_h(s)."""
        found = [list(self.start)]
        for h, planner in enumerate(self.stages[:-1]):
            after: list[Any] = [Fraction(0)] * self.S
            for s in self.states:
                for a in self.actions:
                    mass = _times(found[h][s], policy[h][s][a])
                    for t, p in enumerate(planner.P[s][a]):
                        if p and mass:
                            more = _times(mass, p)
                            after[t] = after[t] + more if after[t] else more
            found.append(after)
        return found

    def divergence(self, policy: Policy, reference: Policy, law: Policy | None = None) -> Real:
        """sum_h sum_s d_h(s) KL(policy_h(s), reference_h(s)), d that of `law` or of the policy."""
        d = self.occupancy(policy if law is None else law)
        return self.mean(d, lambda h, s: divergence(policy[h][s], reference[h][s]))

    def mean(self, d: Sequence[Sequence[Any]], of: Any) -> Real:
        """sum_h sum_s d_h(s) of(h, s), over the states that are reached."""
        return DIGITS.fsum(
            real(d[h][s]) * of(h, s) for h in range(self.H) for s in self.states if d[h][s] > 0
        )

    def value(self, policy: Policy) -> Any:
        """Mean of V_0 over the start law; of fractions, a fraction."""
        if all(isinstance(x, int | Fraction) for x in policy[0][0]):
            return self.at_start(episodic_value(self.stages, policy)[0])
        d = self.occupancy(policy)
        return self.mean(
            d,
            lambda h, s: DIGITS.fsum(
                real(w) * real(x) for w, x in zip(policy[h][s], self.stages[h].r[s], strict=True)
            ),
        )

    def optimum(self, reference: Policy | None = None) -> tuple[Fraction, Policy]:
        """(V*_0, an optimal policy), among those within the support of a reference."""
        if reference is None:
            values, chosen = episodic_optimum(self.stages)
            return self.at_start(values[0]), self.always(chosen)
        value, policy = [Fraction(0)] * self.S, list[list[int]]()
        for h in reversed(range(self.H)):
            q = self.stages[h].q(value)
            best = [
                max((a for a in self.actions if reference[h][s][a] > 0), key=q[s].__getitem__)
                for s in self.states
            ]
            policy.insert(0, best)
            value = [q[s][best[s]] for s in self.states]
        return self.at_start(value), self.always(policy)

    def always(self, chosen: Sequence[Sequence[int]]) -> Policy:
        """A policy of actions, as probabilities."""
        return [[[Fraction(int(a == b)) for b in self.actions] for a in row] for row in chosen]

    def soft_optimum(self, reference: Policy, tau: Real) -> tuple[Any, Any, Policy]:
        """(V, Q, policy) of planning regularised by the divergence from a reference."""
        values, qs, policy = [[DIGITS.mpf(0)] * self.S], list[Any](), list[Any]()
        for h in reversed(range(self.H)):
            q = self.soft_q(h, values[0])
            found = [softmax(reference[h][s], q[s], tau) for s in self.states]
            values.insert(0, [v for v, _ in found])
            policy.insert(0, [row for _, row in found])
            qs.insert(0, q)
        return values, qs, policy

    def soft_value(self, policy: Policy, reference: Policy, tau: Real) -> list[list[Real]]:
        """V of a policy less what its divergence from the reference costs, by the recursion."""
        values = [[DIGITS.mpf(0)] * self.S]
        for h in reversed(range(self.H)):
            q = self.soft_q(h, values[0])
            values.insert(
                0,
                [
                    DIGITS.fsum(
                        real(w) * x for w, x in zip(policy[h][s], q[s], strict=True) if w > 0
                    )
                    - tau * divergence(policy[h][s], reference[h][s])
                    for s in self.states
                ],
            )
        return values

    def soft_q(self, h: int, value: Sequence[Real]) -> list[list[Real]]:
        """r_h + P_h V."""
        planner = self.stages[h]
        return [
            [
                real(planner.r[s][a])
                + DIGITS.fsum(real(p) * x for p, x in zip(planner.P[s][a], value, strict=True) if p)
                for a in self.actions
            ]
            for s in self.states
        ]

    def laws(self, *policies: Policy) -> Iterator[tuple[list[Fraction], Fraction]]:
        """Every episode with a chance under one of the policies: chances, and its return.

        The move after the last action is no part of an episode.
        """

        def walk(h: int, s: int, chances: list[Fraction], paid: Fraction) -> Any:
            planner = self.stages[h]
            for a in self.actions:
                here = [x * pi[h][s][a] for x, pi in zip(chances, policies, strict=True)]
                if not any(here):
                    continue
                total = paid + planner.r[s][a]
                if h == self.H - 1:
                    yield here, total
                    continue
                out = planner.exit(s, a)
                if out:
                    yield [x * out for x in here], total
                for t, p in enumerate(planner.P[s][a]):
                    if p:
                        yield from walk(h + 1, t, [x * p for x in here], total)

        for s in self.states:
            if self.start[s]:
                yield from walk(0, s, [self.start[s]] * len(policies), Fraction(0))


# --- instances ----------------------------------------------------------------------------


def episode_family(
    most_states: int = 3, most_actions: int = 3, most_stages: int = 3, **more: Any
) -> Family:
    """Exact episodic models with three policies, a temperature and a start law.

    `expert` may be certain, `reference` forbids nothing where `positive`; `other` and `expert` are
    within its support otherwise. Further parameters of the space are parts of the instance.
    """
    pairs = most_states * most_actions

    def build(
        horizon: int,
        start: list[int],
        expert: list[int],
        other: list[int],
        reference: list[int],
        deterministic: bool,
        positive: bool,
        temperature: str,
        **rest: Any,
    ) -> Instance:
        extra = {name: rest.pop(name) for name in more}
        S, A = rest["states"], rest["actions"]
        law = law_of_weights(start[:S])
        mdp = read_model(**rest, discount=None, horizon=horizon, initial=[float(x) for x in law])

        def table(weights: list[int], within: Policy | None = None, sure: bool = False) -> Policy:
            found = []
            for h in range(horizon):
                rows = []
                for s in range(S):
                    first = h * pairs + s * A
                    row = list(weights[first : first + A])
                    if within is not None:
                        row = [w if x > 0 else 0 for w, x in zip(row, within[h][s], strict=True)]
                        if not any(row):
                            row = [int(x > 0) for x in within[h][s]]
                    if sure:
                        best = max(range(A), key=row.__getitem__)
                        row = [int(a == best) for a in range(A)]
                    rows.append(law_of_weights(row))
                found.append(rows)
            return found

        rho = table([max(w, 1) if positive else w for w in reference])
        return Instance(
            mdp=mdp,
            start=law,
            expert=table(expert, rho, deterministic),
            other=table(other, rho),
            reference=rho,
            temperature=Fraction(temperature),
            **extra,
        )

    entries = pairs * most_stages
    space = model_space(most_stages) | {
        "states": Integer(1, most_states),
        "actions": Integer(1, most_actions),
        "horizon": Integer(1, most_stages),
        "start": Many(Choice(0, 1, 1, 3), most_states),
        "expert": Many(Choice(0, 0, 1, 1, 3, 30), entries),
        "other": Many(Choice(0, 0, 1, 1, 3), entries),
        "reference": Many(Choice(0, 1, 1, 2, 5, 1000), entries),
        "deterministic": Choice(False, False, True),
        "positive": Choice(False, True),
        "temperature": Choice("1/1000000", "1/100", "1/4", "1", "8", "1000000"),
    }
    return Family(space | more, build)


def one_state(
    rewards: Sequence[Any],
    expert: Sequence[Any],
    reference: Sequence[Any],
    temperature: Any = 1,
    other: Sequence[Any] | None = None,
    horizon: int = 1,
    **more: Any,
) -> Instance:
    """Stages of one state; an action for each reward."""

    def staged(row: Sequence[Any]) -> Policy:
        return [[[Fraction(x) for x in row]]] * horizon

    return Instance(
        mdp=EpisodicMDP([[[1] for _ in rewards]], [list(rewards)], horizon, [1.0], exact=True),
        start=[Fraction(1)],
        expert=staged(expert),
        reference=staged(reference),
        other=staged(expert if other is None else other),
        temperature=Fraction(temperature),
        **more,
    )


def two_states(
    expert: Sequence[Any],
    reference: Sequence[Any],
    temperature: Any = 1,
    horizon: int = 2,
    **more: Any,
) -> Instance:
    """The first action leads to state 0, the second to state 1, which pays 1 a stage.

    Policies are rows of two states, the same at every stage; the start is state 0.
    """

    def staged(rows: Sequence[Any]) -> Policy:
        return [[[Fraction(x) for x in row] for row in rows]] * horizon

    moves = [[[1, 0], [0, 1]]] * 2
    return Instance(
        mdp=EpisodicMDP(moves, [[0, 0], [1, 1]], horizon, [1.0, 0.0], exact=True),
        start=[Fraction(1), Fraction(0)],
        expert=staged(expert),
        reference=staged(reference),
        other=staged(expert),
        temperature=Fraction(temperature),
        **more,
    )
