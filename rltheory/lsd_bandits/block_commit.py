r"""Schedules for payoffs in any order: blocks of plays, each played to its end once it has begun.

At k = 1, given a solution x of the relaxation over types (n, m) alone (rest n, then play m), each
arm follows type (n, m) with probability alpha (n+m) x(n, m), with a uniform offset, and else is
never played. When the virtual copy of an arm starts a block of plays, the block is accepted iff no
accepted one is running, ties to the lowest index; an accepted block is played to its end, any
other is skipped whole. With mu_i = sum of m x_i(n, m) and W the reward of a block, the average is
at least

    sum_i alpha prod_{j != i} (1 - alpha mu_j) sum x_i W_i                             (rested)
    sum_i alpha { prod_{j != i} (1 - alpha mu_j) sum x_i (W_i - p_i(n))
                  + max(0, 1 - 2 alpha sum_{j != i} mu_j) sum x_i p_i(n) }             (any)

hence at least 1/4 of the value at alpha = 1/2 if payoffs are nondecreasing in rests, and 1/8 of it
at alpha = 1/4 for any payoffs (claim ``lsd-block-commit``; derived in this project, docs/theory/
lsd_rounding.md).
"""

from dataclasses import replace
from fractions import Fraction
from math import prod
from typing import Any

import numpy as np

from rltheory.errors import ModelError
from rltheory.lsd_bandits.arms import LSDArm
from rltheory.lsd_bandits.averages import Average
from rltheory.lsd_bandits.expected_average import MOST_TUPLES, average_of
from rltheory.lsd_bandits.lotteries import Lottery
from rltheory.lsd_bandits.plans import Plan, Relaxation, need_relaxation
from rltheory.lsd_bandits.schedule import Schedule, drawn
from rltheory.mdp.streams import Stream

__all__ = ["block_commit_average", "block_commit_certificate", "block_commit_schedule"]


def block_commit_schedule(
    relax: Relaxation,
    alpha: Fraction | float | None = None,
    seed: int | np.random.SeedSequence = 0,
) -> Schedule:
    """Draw a schedule that plays whole blocks.

    Parameters
    ----------
    relax : Relaxation
        Over types (n, m) alone, as ``concave_relaxation(bandit, cap=...)`` gives it, of LSD arms
        that reset, with k = 1. Payoffs may be in any order.
    alpha : Fraction or float, optional
        In (0, 1]: with which probability an arm follows what it drew. By default 1/2 where payoffs
        are nondecreasing in rests, else 1/4.
    seed : int or SeedSequence

    Raises
    ------
    ModelError
        If a plan is not one block, an arm does not reset, k is above 1, or alpha is out of range.

    Examples
    --------
    >>> import rltheory as rlt
    >>> from fractions import Fraction
    >>> from rltheory.lsd_bandits.plans import Relaxation, block
    >>> arm = rlt.LSDArm(rest_payoffs=[0], play_payoffs=[1])  # pays from the second play on
    >>> relax = Relaxation(rlt.LSDBandit([arm]), Fraction(2, 4), ((block(arm, 1, 3),),),
    ...                    ((Fraction(1, 4),),), Fraction(0))
    >>> rlt.block_commit_schedule(relax, alpha=1).simulate(8).tolist()
    [0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0]
    """
    return drawn(_thinned(relax, alpha), Stream(seed, "lsd.block_commit"), "blocks")


def block_commit_average(
    relax: Relaxation,
    alpha: Fraction | float | None = None,
    exact: bool = True,
    most_tuples: int = MOST_TUPLES,
    seed: int = 0,
) -> Average:
    """The expected long-run average of `block_commit_schedule`, by enumeration.

    Parameters and errors as there and in `expected_average`.

    Examples
    --------
    >>> import rltheory as rlt
    >>> from fractions import Fraction
    >>> from rltheory.lsd_bandits.plans import Relaxation, block
    >>> arm = rlt.LSDArm(rest_payoffs=[0], play_payoffs=[1])
    >>> relax = Relaxation(rlt.LSDBandit([arm]), Fraction(2, 4), ((block(arm, 1, 3),),),
    ...                    ((Fraction(1, 4),),), Fraction(0))
    >>> rlt.block_commit_average(relax)
    Average(1/4, enumeration)
    """
    need_relaxation(relax)
    if exact and not relax.is_exact:
        raise ModelError("the rates of the relaxation are floats; pass exact=False for those")
    return average_of(_thinned(relax, alpha), "blocks", exact, most_tuples=most_tuples, seed=seed)


def block_commit_certificate(
    relax: Relaxation, alpha: Fraction | float | None = None, mode: str | None = None
) -> Any:
    """What the average of `block_commit_schedule` is at least, by the formulas above.

    Parameters
    ----------
    relax, alpha
        As in `block_commit_schedule`.
    mode : {"rested", "any"}, optional
        Which of the two; by default the first where payoffs are nondecreasing in rests.

    Returns
    -------
    Fraction, or float for rates in floats

    Raises
    ------
    ModelError
        As `block_commit_schedule`, and if payoffs are not as ordered as `mode` says.

    Examples
    --------
    >>> import rltheory as rlt
    >>> spike = rlt.LSDArm(rest_payoffs=[1, 0, 0], play_payoffs=["1/4"])
    >>> flat = rlt.LSDArm(rest_payoffs=[0, "1/4"], play_payoffs=["1/4", "1/4"])
    >>> relax = rlt.concave_relaxation(rlt.LSDBandit([flat, spike]), exact=True, cap=2)
    >>> str(relax.value), str(rlt.block_commit_certificate(relax)), rlt.block_commit_average(relax)
    ('5/8', '61/512', Average(1/8, enumeration))
    """
    need_relaxation(relax)
    bandit = relax.bandit
    chosen = _alpha(relax, alpha)
    mode = mode or ("rested" if bandit.is_monotone("rested") else "any")
    bandit.need_monotone(mode)
    busy = [
        sum((x * plan.n_plays for x, plan in zip(rates, plans, strict=True)), Fraction(0))
        for rates, plans in zip(relax.rates, relax.plans, strict=True)
    ]
    total: Any = Fraction(0)
    for i, arm in enumerate(bandit.arms):
        others = busy[:i] + busy[i + 1 :]
        free = prod((1 - chosen * mu for mu in others), start=Fraction(1))
        twice = max(0, 1 - 2 * chosen * sum(others, Fraction(0)))
        for x, plan in zip(relax.rates[i], relax.plans[i], strict=True):
            _need_block(arm, plan, i)
            first = arm.payoffs[_first_play(plan)]
            rest = plan.reward(arm) - first
            total += chosen * x * (free * rest + (free if mode == "rested" else twice) * first)
    return total


def _alpha(relax: Relaxation, alpha: Fraction | float | None) -> Fraction | float:
    if alpha is None:
        return Fraction(1, 2) if relax.bandit.is_monotone("rested") else Fraction(1, 4)
    if not 0 < alpha <= 1:
        raise ModelError(f"alpha is {alpha}; it must be in (0, 1]")
    return Fraction(alpha) if relax.is_exact else alpha


def _thinned(relax: Relaxation, alpha: Fraction | float | None) -> Lottery:
    """The law in which every plan is kept with probability alpha only."""
    need_relaxation(relax)
    for i, (arm, plans) in enumerate(zip(relax.bandit.arms, relax.plans, strict=True)):
        for plan in plans:
            _need_block(arm, plan, i)
    Lottery.of(relax)  # before it is thinned, too, the rates must be those of a law
    chosen = _alpha(relax, alpha)
    rates = tuple(tuple(chosen * x for x in row) for row in relax.rates)
    return Lottery.of(replace(relax, rates=rates))


def _first_play(plan: Plan) -> int:
    """The state in which the block begins."""
    starts = [s for t, s in enumerate(plan.states) if plan.plays[t] and not plan.plays[t - 1]]
    return starts[0]


def _need_block(arm: Any, plan: Plan, i: int) -> None:
    if not isinstance(arm, LSDArm) or arm.recovery != "reset":
        raise ModelError(f"arm {i} is {arm!r}; blocks are for LSD arms that reset")
    starts = sum(played and not plan.plays[t - 1] for t, played in enumerate(plan.plays))
    if starts != 1:
        raise ModelError(
            f"plan {plan.name()} of arm {i} is not one block of plays after a rest; solve the "
            "relaxation with a cap on the length of blocks"
        )
