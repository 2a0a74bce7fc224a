r"""What one round of the mirrored schedule earns in virtual payoffs, and the share it guarantees.

Every arm draws a plan and a uniform offset, so that in every round arm i stands at a given play of
a plan with probability the plan's rate. Its virtual payoff v_i is p_i there, or 0 if it rests. With
0 = u_0 < u_1 < ... the values that occur and B_l the number of arms with v_i >= u_l, a sum of
independent indicators,

    A(x) = E[sum of the k largest v_i] = sum_l (u_l - u_{l-1}) E[min(k, B_l)].

A(x) >= c_{N,k} sum_i E v_i for every solution x of the relaxation (claim ``lsd-corr-gap``), where

    c_{N,k} = E[min(k, Bin(N, k/N))] / k >= c_{inf,k} = 1 - k^k e^{-k} / k!,

c_{N,1} = 1 - (1 - 1/N)^N. Under monotone payoffs the schedule earns A(x) in every round (claim
``lsd-round-ratio``). The distribution of B_l by convolution: O(N k) for each value.
"""

import math
import numbers
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, overload

from rltheory.errors import ModelError
from rltheory.lsd_bandits.plans import Relaxation, need_relaxation

__all__ = ["expected_largest", "guarantee", "virtual_value"]

MOST_ARMS = 10**4

Number = Fraction | float


def virtual_value(relax: Relaxation) -> Number:
    """A(x), the expected sum of the k largest virtual payoffs of one round.

    Parameters
    ----------
    relax : Relaxation
        Optimal or not; an exact one gives a Fraction.

    Returns
    -------
    Fraction or float

    Raises
    ------
    ModelError
        If something else than a relaxation is given.

    Examples
    --------
    >>> import rltheory as rlt
    >>> arms = [rlt.LSDArm.blocking(d) for d in (2, 3, 6)]
    >>> rlt.virtual_value(rlt.concave_relaxation(rlt.LSDBandit(arms), exact=True))
    Fraction(13, 18)
    """
    need_relaxation(relax)
    laws: list[dict[Fraction, Number]] = []
    for arm, plans, rates in zip(relax.bandit.arms, relax.plans, relax.rates, strict=True):
        law: dict[Fraction, Number] = {}
        for plan, rate in zip(plans, rates, strict=True):
            for s, played in zip(plan.states, plan.plays, strict=True):
                if played:
                    law[arm.payoffs[s]] = law.get(arm.payoffs[s], 0) + rate
        laws.append(law)
    if relax.is_exact:
        return expected_largest(laws, relax.bandit.plays)
    rounded = [{float(v): p for v, p in law.items()} for law in laws]
    return float(expected_largest(rounded, relax.bandit.plays))


def expected_largest(laws: Sequence[Mapping[Any, Number]], k: int) -> Number:
    """E of the sum of the k largest of independent numbers that are at least 0.

    Parameters
    ----------
    laws : sequence of mappings
        The probability of each value; what is missing to 1 is at 0.
    k : int
        At least 1.

    Examples
    --------
    >>> from fractions import Fraction
    >>> expected_largest([{1: Fraction(1, 2)}, {1: Fraction(1, 2)}], 1)
    Fraction(3, 4)
    """
    total: Number = Fraction(0)
    below: Number = 0
    for value in sorted({v for law in laws for v in law if v > 0}):
        chances = [sum(p for v, p in law.items() if v >= value) for law in laws]
        total = total + (value - below) * expected_count(chances, k)
        below = value
    return total


def expected_count(chances: Iterable[Number], k: int) -> Number:
    """E[min(k, B)] for B the number of independent events of these probabilities.

    Examples
    --------
    >>> from fractions import Fraction
    >>> expected_count([Fraction(1, 3)] * 3, 1)
    Fraction(19, 27)
    """
    # The law of min(k, B): at 0, ..., k.
    law: list[Number] = [Fraction(1), *[Fraction(0)] * k]
    for p in chances:
        moved = [(1 - p) * law[b] + (p * law[b - 1] if b else 0) for b in range(k)]
        law = [*moved, law[k] + p * law[k - 1]]
    return sum((b * q for b, q in enumerate(law)), Fraction(0))


@overload
def guarantee(N: int, k: int = 1) -> Fraction: ...
@overload
def guarantee(N: None, k: int = 1) -> float: ...


def guarantee(N: int | None, k: int = 1) -> Fraction | float:
    """c_{N,k}, the share of the relaxation's value that independent offsets keep.

    Parameters
    ----------
    N : int or None
        The number of arms, at least 1; None for c_{inf,k} = 1 - k^k e^{-k}/k!, the infimum over N.
    k : int
        The plays per round, at least 1. With k >= N it is 1.

    Returns
    -------
    Fraction, or float if N is None
        The float is within a few units in the last place.

    Raises
    ------
    ModelError
        If N or k is no integer of at least 1, or N is above 10^4 and k below N.

    Examples
    --------
    >>> import rltheory as rlt
    >>> rlt.guarantee(3), rlt.guarantee(4, 2), round(rlt.guarantee(None), 5)
    (Fraction(19, 27), Fraction(13, 16), 0.63212)
    """
    for name, x in (("N", N), ("k", k)):
        if name == "N" and x is None:
            continue
        if isinstance(x, bool) or not isinstance(x, numbers.Integral) or x < 1:
            raise ModelError(f"{name} is {x!r}; it must be an integer of at least 1")
    if N is None:
        return 1.0 - math.exp(k * math.log(k) - k - math.lgamma(k + 1))
    if k >= N:
        return Fraction(1)
    if N > MOST_ARMS:
        raise ModelError(
            f"N is {N}; the fraction has N^N in its denominator and is told up to {MOST_ARMS}, "
            "N=None gives the infimum"
        )
    # E[(k - Bin(N, k/N))^+] over N^N, term by term in whole numbers.
    missing = sum((k - j) * math.comb(N, j) * k**j * (N - k) ** (N - j) for j in range(k))
    return 1 - Fraction(missing, k * N**N)
