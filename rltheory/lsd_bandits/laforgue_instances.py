r"""The two instances of the experiments of Laforgue et al. (2022), with exact payoffs.

Exactly one arm is played per round, and what a play of arm i pays in mean depends on its delay, the
rounds since its last play, alone: f_i(1), ..., f_i(10), the last one for longer delays too. In the
order of this package's states that is p(-1) = f(1), p(n) = f(n+1), which need not be monotone
(seasonality): `LSDArm` takes payoffs in any order, and `is_monotone` says no. A tail of equal
payoffs is one state.

    A   arms 0, 3, 4: 0.15. Arm 1: 0.95 at delay 3, else 0. Arm 2: 0.14, at delay 6 0.16, from
        delay 9 on 0.96.
    B   arm 0: 0.05. Arm 1: 0.06 at delay 1, else 0.95.

Runs begin at delay 1 everywhere (`just_played`), not with rested arms: a rested arm 2 of A would
pay 0.96 at once. Parameters are those of the authors' public code. Laforgue, Clerici, Cesa-Bianchi
and Gilad-Bachrach, AISTATS 2022, arXiv 2110.11819.
"""

from collections.abc import Sequence

from rltheory.lsd_bandits.arms import LSDArm
from rltheory.lsd_bandits.bandit import LSDBandit

__all__ = ["just_played", "laforgue_a", "laforgue_b"]

DELAYS = 10


def laforgue_a() -> LSDBandit:
    """Instance A, five arms: a spike that greedy misses once, and then for ever.

    Examples
    --------
    >>> import rltheory as rlt
    >>> from rltheory.lsd_bandits.laforgue_instances import just_played, laforgue_a
    >>> bandit = laforgue_a()
    >>> rlt.greedy_average(bandit, just_played(bandit)).average
    Fraction(91, 600)
    """
    constant = ["3/20"] * DELAYS
    spike = ["19/20" if d == 3 else 0 for d in range(1, DELAYS + 1)]
    late = ["24/25" if d >= 9 else "4/25" if d == 6 else "7/50" for d in range(1, DELAYS + 1)]
    return LSDBandit([_arm(f) for f in (constant, spike, late, constant, constant)], idle=False)


def laforgue_b() -> LSDBandit:
    """Instance B, two arms: greedy never lets the better one rest.

    Examples
    --------
    >>> import rltheory as rlt
    >>> from rltheory.lsd_bandits.laforgue_instances import just_played, laforgue_b
    >>> bandit = laforgue_b()
    >>> rlt.greedy_average(bandit, just_played(bandit)).average
    Fraction(3, 50)
    """
    return LSDBandit([_arm(["1/20"] * DELAYS), _arm(["3/50"] + ["19/20"] * 9)], idle=False)


def just_played(bandit: LSDBandit) -> tuple[int, ...]:
    """The arms' states at delay 1, state -1 of an arm with M = 1: its lowest."""
    return (0,) * bandit.n_arms


def _arm(payoffs: Sequence[str | int]) -> LSDArm:
    """The arm of these delays, without the states that repeat the last payoff."""
    shown = list(payoffs)
    while len(shown) > 1 and shown[-2] == shown[-1]:
        shown.pop()
    return LSDArm.recharging(shown)
