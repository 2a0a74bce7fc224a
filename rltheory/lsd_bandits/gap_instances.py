r"""Instances with a wide integrality gap, and instances on which no choice of offsets helps.

**Composed.** Arms that block for d_1, ..., d_k and pay 1 have density rho = sum 1/d_i < 1 and the
n-round optimum V_n. One more arm pays 1 at every play and 1 + n - V_n after n rests: what rounds
of rest lose is just paid back, so that g* = 1, while the relaxation fills them at rate rho:

    LP >= 1 + rho (1 - V_n / n) for every n >= rho / (1 - rho).

**Nested.** Arm i = 0..N-1 has the type (R_i, M_i) = ((N-1) N^i, N^i): it plays in the rounds whose
i-th digit in base N, after a shift, is the last one. Whatever the shifts are, the digits of t run
through all tuples, so that some arm plays in exactly a share c_N = 1 - (1-1/N)^N of the rounds.

Both are worked out in docs/theory/lsd_gap.md (claims lsd-gap-composed, lsd-offsets-tight).
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from rltheory.errors import ModelError
from rltheory.lsd_bandits.arms import LSDArm
from rltheory.lsd_bandits.bandit import LSDBandit
from rltheory.lsd_bandits.optimal import optimal_value

__all__ = ["composed_bandit", "nested_bandit"]


def composed_bandit(delays: Sequence[int], rests: int) -> LSDBandit:
    """Unit blocking arms, and one that pays 1 + n - V_n after n <= `rests` rests, over its largest.

    Parameters
    ----------
    delays : sequence of int
        The d_i, with sum 1/d_i < 1.
    rests : int
        R of the last arm, at least 1.

    Returns
    -------
    LSDBandit
        With g* the payoff p(-1) of its last arm.

    Examples
    --------
    >>> import rltheory as rlt
    >>> from rltheory.lsd_bandits.gap_instances import composed_bandit
    >>> bandit = composed_bandit([3, 4], 9)
    >>> bandit.arms[-1]
    LSDArm(rest_payoffs=(1/5, 1/5, 2/5, 2/5, 3/5, 3/5, 3/5, 4/5, 1), play_payoffs=(1/5,))
    >>> rlt.optimal_gain(bandit, exact=True).gain
    Fraction(1, 5)
    >>> rlt.concave_relaxation(bandit, exact=True).value
    Fraction(34, 135)
    """
    if rests < 1:
        raise ModelError(f"rests is {rests}; it must be at least 1")
    if sum((Fraction(1, d) for d in delays), Fraction(0)) >= 1:
        raise ModelError(f"delays are {list(delays)}; their density must be below 1")
    earned = optimal_value(LSDBandit([LSDArm.blocking(d) for d in delays]), rests, exact=True)
    missed = [1 + n - earned[n] for n in range(1, rests + 1)]
    unit = 1 / Fraction(missed[-1])
    arms = [LSDArm.blocking(d, unit) for d in delays]
    return LSDBandit([*arms, LSDArm([unit * p for p in missed], [unit])])


def nested_bandit(n_arms: int, step: Any) -> LSDBandit:
    """Arms whose only types of use are ((N-1) N^i, N^i), with payoffs near 1.

    p_i(R_i) = b + step R_i, p_i(-M_i) = 0, and b in every state between, with the largest payoff 1.

    Parameters
    ----------
    n_arms : int
        N, at least 2.
    step : number
        Positive, and small enough for b > 0.

    Examples
    --------
    >>> import rltheory as rlt
    >>> from rltheory.lsd_bandits.gap_instances import nested_bandit
    >>> rlt.concave_relaxation(nested_bandit(2, "1/40"), exact=True)
    Relaxation(value 39/40 exact, price 37/40: arm 0 (1,1); arm 1 (2,2))
    """
    gap = Fraction(step)
    base = 1 - gap * (n_arms - 1) * n_arms ** (n_arms - 1)
    if n_arms < 2 or gap <= 0 or base <= 0:
        raise ModelError(
            f"n_arms is {n_arms} and step {step}; at least 2 arms, and a positive step below "
            "1/((N-1) N^(N-1))"
        )
    arms = []
    for i in range(n_arms):
        plays = n_arms**i
        rests = (n_arms - 1) * plays
        worn = [base] * (plays - 1) + [Fraction(0)]
        arms.append(LSDArm([base] * (rests - 1) + [base + gap * rests], worn))
    return LSDBandit(arms)
