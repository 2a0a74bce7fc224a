r"""The expected average of an interleaved schedule, by enumeration of all that it may draw.

Let arm i draw plan j of period L_ij with probability q_ij and then one of L_ij offsets. With f the
long-run average of a schedule,

    E f = sum over tuples of plans of (prod_i q_{i j_i}) / (prod_i L_{i j_i}) sum over offsets of f,

and f is the mean reward over one period of (round modulo the common period, joint state) from the
rested state on. With virtual ranking and nondecreasing maps all tuples of offsets that a shift of
time leads through have the same f, and one of them is run (docs/theory/lsd_rounding.md). What the
core returns are plays per state, in whole numbers: the average is exact for any rational payoffs.
"""

from fractions import Fraction
from itertools import product
from math import prod
from typing import Any

from rltheory.errors import ModelError
from rltheory.lsd_bandits.averages import SAMPLES, Average, need_dominance, sampled
from rltheory.lsd_bandits.bandit import LSDBandit
from rltheory.lsd_bandits.lotteries import (
    Lottery,
    core_setting,
    earned,
    forgets_after,
    payoffs_of,
)
from rltheory.lsd_bandits.plans import Relaxation, need_relaxation
from rltheory.mdp.streams import Stream

__all__ = ["expected_average", "expected_rewards"]

MOST_TUPLES = 10**6
MONTE_CARLO_ROUNDS = 200


def expected_average(
    relax: Relaxation,
    select: str = "virtual",
    exact: bool = True,
    filler: bool = False,
    earning: LSDBandit | None = None,
    most_tuples: int = MOST_TUPLES,
    seed: int = 0,
) -> Average:
    """The expectation, over plans and offsets, of a schedule's long-run average.

    Parameters
    ----------
    relax : Relaxation
    select, filler
        As in `interleaved_schedule`. Payoffs may be in any order.
    exact : bool
        Whether the result must be a Fraction where it is enumerated; rates must be fractions then.
    earning : LSDBandit, optional
        Whose payoffs are earned, for rates that were planned on estimates; with the same states.
    most_tuples : int
        Above so many tuples of (plan, offset), schedules are drawn instead.
    seed : int
        Of the schedules that are drawn.

    Returns
    -------
    Average
        Its `method` says whether it was enumerated or sampled.

    Raises
    ------
    ModelError
        If `exact` is asked for and rates are floats, `select` is unknown, or rates are negative or
        take more than all rounds.

    Examples
    --------
    >>> import rltheory as rlt
    >>> from fractions import Fraction
    >>> from rltheory.lsd_bandits.plans import Relaxation, block
    >>> bandit = rlt.LSDBandit([rlt.LSDArm.blocking(2), rlt.LSDArm.blocking(2)])
    >>> plans, half = tuple((block(arm, 1, 1),) for arm in bandit.arms), Fraction(1, 2)
    >>> rlt.expected_average(Relaxation(bandit, Fraction(1), plans, ((half,), (half,)), half))
    Average(3/4, enumeration)
    """
    lottery = _law(relax, select, exact)
    return average_of(lottery, select, exact, filler, earning, most_tuples, seed)


def expected_rewards(
    relax: Relaxation,
    rounds: int,
    select: str = "virtual",
    exact: bool = True,
    filler: bool = False,
) -> tuple[Any, ...]:
    """The expected reward of each of the first rounds, from the rested state.

    Parameters
    ----------
    relax, select, exact, filler
        As in `expected_average`.
    rounds : int

    Returns
    -------
    tuple of T Fraction or float

    Raises
    ------
    ModelError
        As `expected_average`, and above 10^6 tuples of (plan, offset).

    Examples
    --------
    >>> import rltheory as rlt
    >>> from fractions import Fraction
    >>> from rltheory.lsd_bandits.plans import Relaxation, block
    >>> bandit = rlt.LSDBandit([rlt.LSDArm.blocking(2), rlt.LSDArm.blocking(2)])
    >>> plans, half = tuple((block(arm, 1, 1),) for arm in bandit.arms), Fraction(1, 2)
    >>> relax = Relaxation(bandit, Fraction(1), plans, ((half,), (half,)), half)
    >>> [str(r) for r in rlt.expected_rewards(relax, 3)]
    ['3/4', '3/4', '3/4']
    """
    if rounds < 0:
        raise ModelError(f"rounds is {rounds}; it must be at least 0")
    lottery = _law(relax, select, exact)
    if lottery.n_tuples > MOST_TUPLES:
        raise ModelError(
            f"there are {lottery.n_tuples} tuples of plans and offsets; rewards round by round are "
            f"enumerated up to {MOST_TUPLES}"
        )
    setting = core_setting(lottery.bandit, lottery.plans, select, filler)
    counts, violations = setting.expected_curve(rounds)
    need_dominance(lottery.bandit, violations)
    weights = [
        prod(law, start=Fraction(1)) / prod(periods)
        for law, periods in zip(
            product(*lottery.probabilities), product(*lottery.periods), strict=True
        )
    ]
    paid = earned(counts, payoffs_of(lottery.bandit))
    curve = [
        sum((w * r for w, r in zip(weights, paid[t::rounds], strict=True)), Fraction(0))
        for t in range(rounds)
    ]
    return tuple(curve) if exact else tuple(map(float, curve))


def average_of(
    lottery: Lottery,
    select: str,
    exact: bool,
    filler: bool = False,
    earning: LSDBandit | None = None,
    most_tuples: int = MOST_TUPLES,
    seed: int = 0,
) -> Average:
    """`expected_average` of a law of plans."""
    bandit = lottery.bandit
    payoffs = payoffs_of(bandit, earning)
    setting = core_setting(bandit, lottery.plans, select, filler)
    if lottery.n_tuples <= most_tuples:
        try:
            counts, rounds, violations = setting.expected_counts()
        except OverflowError:
            pass  # too many rounds or joint states to keep track of: draw schedules instead
        else:
            need_dominance(bandit, violations)
            value: Any = Fraction(0)
            laws = product(*lottery.probabilities)
            paid = earned(counts, payoffs)
            for law, total, over in zip(laws, paid, rounds.tolist(), strict=True):
                value += prod(law, start=Fraction(1)) * total / over
            value = value if exact else float(value)
            return Average(value, "enumeration", 0.0, lottery.n_tuples, 0)
    forgotten = forgets_after(bandit)
    plans, offsets = lottery.draw(Stream(seed, "lsd.expected_average"), SAMPLES)
    known = forgotten is not None and select == "virtual" and not filler
    skipped = forgotten if known and forgotten is not None else MONTE_CARLO_ROUNDS
    counts, violations = setting.window_counts(plans, offsets, skipped, MONTE_CARLO_ROUNDS)
    need_dominance(bandit, violations)
    return sampled(counts, MONTE_CARLO_ROUNDS, payoffs, bandit.plays, window=not known)


def _law(relax: Relaxation, select: str, exact: bool) -> Lottery:
    need_relaxation(relax)
    if select not in ("virtual", "real"):
        raise ModelError(f"select is {select!r}; it must be 'virtual' or 'real'")
    if exact and not relax.is_exact:
        raise ModelError("the rates of the relaxation are floats; pass exact=False for those")
    return Lottery.of(relax)
