r"""A schedule without chance: plans and offsets fixed arm by arm, each to the best of its choices.

At k = 1 let cur(t) be the largest virtual payoff of the arms that are already fixed, over their
common period, and W the largest of those that are not, whose law is the same in every round. The
score of a choice of plan and offset of the next arm, with virtual payoff v(t), is

    mean over t of E max(cur(t), v(t), W),

the expected virtual reward given all choices made. The mean of a next arm's scores under its law
is the score before it, so that the best is no smaller: the method of conditional expectations. The
scores start at A(x), the virtual value of the solution, and the schedule earns at least the last
(claim ``lsd-derandomise``). Since cur has period P and v has period L, offsets that are equal
modulo gcd(P, L) have equal scores.
"""

from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from math import gcd, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import ModelError
from rltheory.lsd_bandits.lotteries import Lottery, payoffs_of, ranks_of
from rltheory.lsd_bandits.plans import Plan, Relaxation, need_relaxation
from rltheory.lsd_bandits.schedule import MOST_PERIOD, Schedule

__all__ = ["DerandomizedSchedule", "derandomized_schedule"]


@dataclass(frozen=True, repr=False)
class DerandomizedSchedule(Schedule):
    """A schedule with the conditional expectations that led to it.

    Attributes
    ----------
    scores : tuple of N + 1 Fraction or float
        The expected virtual reward per round when nothing is fixed, when the first arm is, ...;
        nondecreasing, and the last is at most the long-run average.
    """

    scores: tuple[Fraction | float, ...] = ()


def derandomized_schedule(relax: Relaxation, mode: str = "monotone") -> DerandomizedSchedule:
    """Fix each arm's plan and offset so as to keep the expected virtual reward.

    Ties go to the plan with fewer plays per round, then to the smallest offset.

    Parameters
    ----------
    relax : Relaxation
        Of a bandit with k = 1.
    mode : {"monotone", "rested", "any"}
        What is required of the payoffs; the guarantee needs "monotone".

    Raises
    ------
    ModelError
        If k is above 1, payoffs are not as ordered as `mode` says, or the common period of the
        plans is above 10^6.

    Examples
    --------
    >>> import rltheory as rlt
    >>> from fractions import Fraction
    >>> from rltheory.lsd_bandits.plans import Relaxation, block
    >>> bandit = rlt.LSDBandit([rlt.LSDArm.blocking(2), rlt.LSDArm.blocking(2)])
    >>> plans, half = tuple((block(arm, 1, 1),) for arm in bandit.arms), Fraction(1, 2)
    >>> schedule = rlt.derandomized_schedule(
    ...     Relaxation(bandit, Fraction(1), plans, ((half,), (half,)), half))
    >>> schedule.offsets, [str(score) for score in schedule.scores], schedule.average()
    ((0, 1), ['3/4', '3/4', '1'], Average(1, period))
    """
    need_relaxation(relax)
    bandit = relax.bandit
    if bandit.plays != 1:
        raise ModelError(f"plays is {bandit.plays}; schedules are derandomised for plays=1")
    bandit.need_monotone(mode)
    lottery = Lottery.of(relax)
    values = sorted({Fraction(0), *payoffs_of(bandit)})
    virtual = _virtual_ranks(lottery)
    means = _means(lottery, virtual, values)
    current = np.zeros(1, dtype=np.int64)
    scores = [means[0][0]]
    plans: list[Plan | None] = []
    offsets: list[int] = []
    for i, options in enumerate(lottery.plans):
        best: tuple[Any, int, int] | None = None
        for j, ranks in enumerate(virtual[i]):
            common = gcd(len(current), len(ranks))
            period = len(current) // common * len(ranks)
            if period > MOST_PERIOD:
                raise ModelError(
                    f"the plans of the first {i + 1} arms have the common period {period}; "
                    f"schedules are derandomised up to {MOST_PERIOD}"
                )
            for offset in range(common):
                score = _mean(_merged(current, ranks, offset), means[i + 1])
                if best is None or score > best[0]:
                    best = score, j, offset
        assert best is not None  # every law has an option
        score, j, offset = best
        current = _merged(current, virtual[i][j], offset)
        scores.append(score)
        plans.append(options[j])
        offsets.append(offset)
    return DerandomizedSchedule(bandit, tuple(plans), tuple(offsets), scores=tuple(scores))


def _virtual_ranks(lottery: Lottery) -> list[list[NDArray[np.int64]]]:
    """For each plan of each arm the ranks of its virtual payoffs over one cycle, 0 at rest."""
    ranks, first = ranks_of(lottery.bandit).astype(np.int64), 0
    out = []
    for arm, options in zip(lottery.bandit.arms, lottery.plans, strict=True):
        own = ranks[first : first + arm.n_states]
        first += arm.n_states
        rows = []
        for plan in options:
            if plan is None:
                rows.append(np.zeros(1, dtype=np.int64))
            else:
                rows.append(np.where(plan.plays, own[list(plan.states)], 0))
        out.append(rows)
    return out


def _means(
    lottery: Lottery, virtual: list[list[NDArray[np.int64]]], values: list[Fraction]
) -> list[list[Any]]:
    """``means[i][r]`` = E max(u_r, v_i, ..., v_{N-1}) in one round, u_r the value of rank r."""
    below = []  # P(v_i <= u_r)
    for law, rows in zip(lottery.probabilities, virtual, strict=True):
        mass: list[Any] = [Fraction(0)] * len(values)
        for p, row in zip(law, rows, strict=True):
            for r, count in enumerate(np.bincount(row, minlength=len(values)).tolist()):
                mass[r] += p * Fraction(count, len(row))
        below.append(list(accumulate(mass)))
    means = []
    for i in range(len(below) + 1):
        together = [prod(each, start=Fraction(1)) for each in zip(*below[i:], strict=True)]
        together = together or [Fraction(1)] * len(values)
        # E max(u_r, W) = E max(u_{r+1}, W) - (u_{r+1} - u_r) P(W <= u_r)
        above: list[Any] = [values[-1]]
        for r in range(len(values) - 2, -1, -1):
            above.append(above[-1] - (values[r + 1] - values[r]) * together[r])
        means.append(above[::-1])
    return means


def _merged(current: NDArray[np.int64], ranks: NDArray[np.int64], offset: int) -> NDArray[np.int64]:
    period = len(current) // gcd(len(current), len(ranks)) * len(ranks)
    shifted = np.roll(ranks, -offset)
    return np.maximum(
        np.tile(current, period // len(current)), np.tile(shifted, period // len(ranks))
    )


def _mean(ranks: NDArray[np.int64], means: list[Any]) -> Any:
    counts = np.bincount(ranks).tolist()
    total = sum((n * means[r] for r, n in enumerate(counts) if n), Fraction(0))
    return total / len(ranks)
