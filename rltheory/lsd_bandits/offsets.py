r"""Schedules whose offsets are not independent: the exact long-run average of joint laws.

Arm i draws a plan of period L_i independently, as in `interleaved_schedule`; then offsets o_i:

    independent   uniform in {0..L_i-1}
    distinct      the same, given that arms of equal periods have different offsets, as far as there
                  are enough of them: drawn without replacement
    spread        floor(j L_i / J) for the j-th of the J arms that have a plan, all shifted in time
                  by the same uniform number of rounds
    best          those with the largest average

Under the first three each offset is uniform by itself, so that every arm still plays at the rates
of the relaxation; and mirroring (claim lsd-mirror) holds for all of them, whatever the offsets.
"""

from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from math import gcd, lcm, prod

from rltheory.errors import ModelError
from rltheory.lsd_bandits.lotteries import Lottery
from rltheory.lsd_bandits.plans import Plan, Relaxation, need_relaxation
from rltheory.lsd_bandits.schedule import Schedule

__all__ = ["OFFSET_LAWS", "offset_average"]

OFFSET_LAWS = ("independent", "distinct", "spread", "best")
MOST_SCHEDULES = 10**5


def offset_average(relax: Relaxation, law: str = "independent") -> Fraction:
    """The expected long-run average under a joint law of offsets, by enumeration.

    Parameters
    ----------
    relax : Relaxation
        Exact, of a bandit with monotone payoffs.
    law : {"independent", "distinct", "spread", "best"}

    Raises
    ------
    ModelError
        If the law is unknown, rates are floats, or there are more than 10^5 schedules to run.

    Examples
    --------
    >>> import rltheory as rlt
    >>> from rltheory.lsd_bandits.offsets import offset_average
    >>> bandit = rlt.LSDBandit([rlt.LSDArm.blocking(3)] * 3)
    >>> relax = rlt.concave_relaxation(bandit, exact=True)
    >>> [str(offset_average(relax, law)) for law in ("independent", "distinct", "spread")]
    ['19/27', '1', '1']
    """
    if law not in OFFSET_LAWS:
        raise ModelError(f"law is {law!r}; it must be one of {', '.join(OFFSET_LAWS)}")
    need_relaxation(relax)
    if not relax.is_exact:
        raise ModelError("the rates of the relaxation are floats; averages here are fractions")
    relax.bandit.need_monotone()
    lottery = Lottery.of(relax)
    total = Fraction(0)
    for plans, law_of_plans in zip(
        product(*lottery.plans), product(*lottery.probabilities), strict=True
    ):
        chance = Fraction(prod(law_of_plans, start=Fraction(1)))
        if chance == 0:
            continue
        averages = _averages(relax, plans, law)
        mean = sum(averages, Fraction(0)) / len(averages)
        total += chance * (max(averages) if law == "best" else mean)
    return total


def _averages(relax: Relaxation, plans: tuple[Plan | None, ...], law: str) -> list[Fraction]:
    """Of equally likely tuples of offsets."""
    periods = [1 if plan is None else plan.period for plan in plans]
    choices: Iterator[tuple[int, ...]]
    if law == "spread":
        active = [plan is not None for plan in plans]
        order = [sum(active[:i]) for i in range(len(plans))]
        choices = iter(
            [
                tuple(
                    j * length // sum(active) if plays else 0
                    for j, length, plays in zip(order, periods, active, strict=True)
                )
            ]
        )
    elif law == "distinct":
        if prod(periods) > MOST_SCHEDULES:
            raise ModelError(f"periods are {periods}: there are more than {MOST_SCHEDULES} offsets")
        choices = (offsets for offsets in product(*map(range, periods)) if _differ(plans, offsets))
    else:
        # Shifts of time aside: offset i modulo what it shares with the periods before it.
        ranges, common = [], 1
        for length in periods:
            ranges.append(range(gcd(common, length)))
            common = lcm(common, length)
        if prod(map(len, ranges)) > MOST_SCHEDULES:
            raise ModelError(f"periods are {periods}: there are more than {MOST_SCHEDULES} offsets")
        choices = product(*ranges)
    known: dict[tuple[int, ...], Fraction] = {}
    out = []
    for offsets in choices:
        shifted = _first_of_shifts(offsets, periods)
        if shifted not in known:
            average = Schedule(relax.bandit, plans, shifted).average().value
            known[shifted] = Fraction(average)
        out.append(known[shifted])
    return out


def _first_of_shifts(offsets: tuple[int, ...], periods: list[int]) -> tuple[int, ...]:
    """The least tuple among the shifts of time of these offsets: they have the same average."""
    return min(
        tuple((o + t) % length for o, length in zip(offsets, periods, strict=True))
        for t in range(lcm(*periods))
    )


def _differ(plans: tuple[Plan | None, ...], offsets: tuple[int, ...]) -> bool:
    """Whether arms of equal periods have different offsets, in groups of at most a period."""
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for plan, offset in zip(plans, offsets, strict=True):
        if plan is not None:
            groups[plan.period].append(offset)
    return all(
        len(set(part)) == len(part)
        for length, group in groups.items()
        for part in (group[j : j + length] for j in range(0, len(group), length))
    )
