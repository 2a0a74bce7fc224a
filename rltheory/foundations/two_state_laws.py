"""Exact laws of planning from n draws a pair, on models with two states.

A row of such a model is known by its probability of leading to state 1, so that the empirical model
is a vector of binomial counts, one a row that is not certain: its law is a finite sum, and a
quantile of anything that depends on the model is found without sampling. Policies are evaluated in
closed form: with a = P(1 | 0, pi(0)), b = P(1 | 1, pi(1)), g the discount,

    V(0) = ((1 - g b) r0 + g a r1) / D,   V(1) = ((1 - g (1-a)) r1 + g (1-b) r0) / D,
    D = (1 - g)(1 - g (b - a)).

Counts whose binomial tail is below 1e-11 are left out; their mass, and the errors of binomial
probabilities in doubles, are together below `UNSURE`, which every quantile allows for.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from rltheory.claims.claim import Measurement
from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice, Dyadic, Integer, Many, Space
from rltheory.errors import ClaimError
from rltheory.foundations.rationals import Planner
from rltheory.mdp.model import MDP

__all__ = [
    "UNSURE",
    "Law",
    "law_of_counts",
    "policies",
    "policy_values",
    "quantile",
    "quantile_measured",
    "two_state_family",
    "two_states",
]

UNSURE = 1e-9
"""Bound of the mass that is left out or wrong, checked against the sum of all masses."""
_TAIL = 1e-11
_MOST_ACTIONS = 3

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Law:
    """Empirical models and their probabilities.

    `p` has shape (2, A, K): shares of the draws that led to state 1, for each of K outcomes;
    `weight` has shape (K,).
    """

    p: Array
    weight: Array


def two_states(mdp: MDP, n: int, delta: Fraction | str) -> Instance:
    """An instance: an exact model with two states and no exits, n draws a pair, delta."""
    return Instance(mdp=mdp, n=n, delta=Fraction(delta))


def law_of_counts(mdp: MDP, n: int) -> Law:
    """The law of the empirical model."""
    m = Planner(mdp)
    if m.S != 2 or m.has_exits:
        raise ClaimError("the law is computed on models with two states and no exits")
    pairs = [(s, a) for s in m.states for a in m.actions]
    shares: list[Array] = []
    weight = np.ones(1)
    for s, a in pairs:
        p = m.P[s][a][1]
        if p in (0, 1):
            k, mass = np.array([int(p) * n]), np.ones(1)
        else:
            law = binom(n, float(p))
            k = np.arange(max(0, law.ppf(_TAIL) - 1), min(n, law.isf(_TAIL) + 1) + 1)
            mass = law.pmf(k)
        shares = [np.repeat(x, len(k)) for x in shares] + [np.tile(k / n, len(weight))]
        weight = np.outer(weight, mass).reshape(-1)
    if abs(weight.sum() - 1.0) > UNSURE:
        raise ClaimError(f"the masses of the law sum to {weight.sum()!r}")
    return Law(np.array(shares).reshape(2, m.A, -1), weight)


def policies(actions: int) -> list[tuple[int, int]]:
    """All deterministic ones: actions in states 0 and 1."""
    return [(a, b) for a in range(actions) for b in range(actions)]


def policy_values(p: Any, rewards: Any, discount: float, policy: tuple[int, int]) -> Array:
    """V of a policy on every model, shape (2, ...), from `p` of shape (2, A, ...)."""
    a, b, g = p[0, policy[0]], p[1, policy[1]], discount
    r0, r1 = rewards[0, policy[0]], rewards[1, policy[1]]
    below = (1.0 - g) * (1.0 - g * (b - a))
    first = ((1.0 - g * b) * r0 + g * a * r1) / below
    second = ((1.0 - g + g * a) * r1 + g * (1.0 - b) * r0) / below
    return np.stack([first, second])


def quantile(values: Array, weight: Array, delta: Fraction) -> float:
    """The least x with P(value > x) <= delta + UNSURE: surely no larger than that for delta."""
    order = np.argsort(values)[::-1]
    above = np.cumsum(weight[order])  # mass of the largest so many
    # Values may be exceeded until their mass is more than the level.
    beyond = int(np.searchsorted(above, float(delta) + UNSURE, side="right"))
    return float(values[order[min(beyond, len(order) - 1)]])


def quantile_measured(
    law: Law, values: Array, delta: Fraction, bound: float, trivial: float, what: str
) -> Measurement:
    """The (1 - delta)-quantile of what was measured, against a bound that claims to be above it."""
    q = quantile(values, law.weight, delta)
    return Measurement(q, bound, trivial=trivial, tolerance=1e-9 * trivial, what=what)


def two_state_family(draws: Any, discounts: tuple[str, ...], deltas: tuple[str, ...]) -> Family:
    """Two states, at most two rows that are not certain; `draws(g, pairs, delta, k)` is n."""

    def build(
        actions: int,
        discount: str,
        targets: list[int],
        open_rows: list[int],
        chances: list[float],
        rewards: list[float],
        delta: str,
        size: int,
    ) -> Instance:
        pairs = 2 * actions
        to_one = [Fraction(x) for x in targets[:pairs]]
        for row, chance in zip(open_rows, chances, strict=True):
            to_one[row % pairs] = Fraction(chance)
        rows = [[1 - p, p] for p in to_one]
        g, d = Fraction(discount), Fraction(delta)
        mdp = MDP(
            [rows[:actions], rows[actions:]],
            [[Fraction(x) for x in part] for part in (rewards[:actions], rewards[actions:pairs])],
            g,
            exact=True,
        )
        return two_states(mdp, draws(g, pairs, d, size), d)

    space: dict[str, Space] = {
        "actions": Integer(1, _MOST_ACTIONS),
        "discount": Choice(*discounts),
        "targets": Many(Integer(0, 1), 2 * _MOST_ACTIONS),
        "open_rows": Many(Integer(0, 2 * _MOST_ACTIONS - 1), 2),
        "chances": Many(Dyadic(0, 1, 5), 2),
        "rewards": Many(Dyadic(0, 1, 2), 2 * _MOST_ACTIONS),
        "delta": Choice(*deltas),
        "size": Integer(0, 5),
    }
    return Family(space, build)
