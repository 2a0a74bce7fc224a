"""Regularised planning with forty digits: rows over their exact sums, value iteration."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import mpmath

mp = mpmath.mp.clone()
mp.dps = 40
Real = Any


class Pair(NamedTuple):
    """One row: state, P, reward, and its reference weight (any scale; 1 each for the entropy)."""

    state: int
    law: list[Real]
    reward: Real
    weight: Real


def real(x: Any) -> Real:
    x = Fraction(x)
    return mp.mpf(x.numerator) / x.denominator


def pairs_of(mdp: Any, weights: Sequence[Real] | None = None) -> list[Pair]:
    """The rows of a model of doubles; `weights` one a row, normalised in each state if given."""
    dense, out = mdp.transitions.toarray(), []
    total = [mp.mpf(0)] * mdp.n_states
    for row, s in enumerate(mdp.states):
        total[s] += mp.mpf(1) if weights is None else weights[row]
    for row, s in enumerate(mdp.states):
        p = [Fraction(float(x)) for x in dense[row]]
        sigma = sum(p) + Fraction(float(mdp.termination[row]))
        weight = mp.mpf(1) if weights is None else weights[row] / total[s]
        reward = real(float(mdp.mean_rewards[row]))
        out.append(Pair(int(s), [real(x / sigma) for x in p], reward, weight))
    return out


def q_of(pairs: Sequence[Pair], discount: float, value: Sequence[Real]) -> list[Real]:
    return [x.reward + real(discount) * mp.fdot(x.law, value) for x in pairs]


def backup(
    pairs: Sequence[Pair], discount: float, temperature: float, value: Sequence[Real], states: int
) -> list[Real]:
    """tau log sum_a rho exp(q / tau) of every state."""
    tau, q = real(temperature), q_of(pairs, discount, value)
    out = []
    for s in range(states):
        mine = [(x.weight, y) for x, y in zip(pairs, q, strict=True) if x.state == s and x.weight]
        top = max(y for _, y in mine)
        out.append(top + tau * mp.log(mp.fsum(w * mp.exp((y - top) / tau) for w, y in mine)))
    return out


def optimum(pairs: Sequence[Pair], discount: float, temperature: float, states: int) -> list[Real]:
    """The fixed point, to about 30 digits for discounts up to 0.9."""
    value = [mp.mpf(0)] * states
    for _ in range(5000):
        new = backup(pairs, discount, temperature, value, states)
        change = max(abs(x - y) for x, y in zip(new, value, strict=True))
        value = new
        if change <= mp.mpf(10) ** -32 * (1 + max(map(abs, value))):
            break
    return value


def policy_value(
    pairs: Sequence[Pair], discount: float, temperature: float, policy: Sequence[float], states: int
) -> list[Real]:
    """The regularised value of the policy with these probabilities, each state's over their sum."""
    total = [mp.mpf(0)] * states
    for x, p in zip(pairs, policy, strict=True):
        total[x.state] += real(float(p))
    matrix, right = mp.eye(states), mp.matrix(states, 1)
    for x, p in zip(pairs, policy, strict=True):
        share = real(float(p)) / total[x.state]
        if not share:
            continue
        right[x.state] += share * (x.reward - real(temperature) * mp.log(share / x.weight))
        for t in range(states):
            matrix[x.state, t] -= real(discount) * share * x.law[t]
    return list(mp.lu_solve(matrix, right))
