"""The law of a schedule: each arm draws one of its plans, or never to play, and an offset.

A plan of rate x and period L is drawn with probability x L and each of its L offsets is as likely,
so that in every round each place of its cycle has probability x. In the round t = 0, 1, ... the
virtual copy of an arm of offset o is at place (t + o) mod L of its plan's cycle.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import lcm, prod

import numpy as np
from numpy.typing import NDArray

from rltheory._core import topics
from rltheory.errors import ModelError
from rltheory.lsd_bandits.arms import LSDArm, OrderedArm
from rltheory.lsd_bandits.bandit import LSDBandit
from rltheory.lsd_bandits.plans import Plan, Relaxation
from rltheory.mdp.streams import Stream

__all__ = ["SELECT", "Lottery", "core_setting", "earned", "forgets_after", "payoffs_of", "ranks_of"]

SELECT = ("virtual", "real", "blocks")
"""Rules by which plays are chosen, in the order of the core."""
FLOAT_SLACK, FLOAT_DUST = 1e-9, 1e-12

Number = Fraction | float


@dataclass(frozen=True)
class Lottery:
    """Plans of each arm with their probabilities; None is never to play.

    Attributes
    ----------
    bandit : LSDBandit
    plans : tuple of N tuples of Plan or None
    probabilities : tuple of N tuples of Fraction or float
        Positive; of fractions the sum is 1, of floats it may be off by rounding.
    """

    bandit: LSDBandit
    plans: tuple[tuple[Plan | None, ...], ...]
    probabilities: tuple[tuple[Number, ...], ...]

    @classmethod
    def of(cls, relax: Relaxation) -> "Lottery":
        """The law that a solution of the relaxation stands for.

        Raises
        ------
        ModelError
            If a rate is negative, an arm's plans take more than every round, or a plan is no
            cycle of its arm.
        """
        plans, laws = [], []
        for i, arm in enumerate(relax.bandit.arms):
            law = relax.probabilities(i)
            for plan, p in zip(relax.plans[i], law, strict=True):
                if not p >= 0:
                    raise ModelError(f"arm {i} follows {plan.name()} with probability {p}")
                _need_cycle(arm, plan, i)
            total = sum(law, Fraction(0))
            if total > (1 if isinstance(total, Fraction) else 1 + FLOAT_SLACK):
                raise ModelError(
                    f"the plans of arm {i} take {total} of all rounds; at most 1 is possible"
                )
            kept = [(plan, p) for plan, p in zip(relax.plans[i], law, strict=True) if p > 0]
            options: list[Plan | None] = [plan for plan, _ in kept]
            chances: list[Number] = [p for _, p in kept]
            if 1 - total > (0 if isinstance(total, Fraction) else FLOAT_DUST):
                options.append(None)
                chances.append(1 - total)
            plans.append(tuple(options))
            laws.append(tuple(chances))
        return cls(relax.bandit, tuple(plans), tuple(laws))

    @cached_property
    def periods(self) -> tuple[tuple[int, ...], ...]:
        """Of each plan of each arm; 1 of never playing."""
        return tuple(tuple(1 if p is None else p.period for p in plans) for plans in self.plans)

    @property
    def n_tuples(self) -> int:
        """How many tuples of (plan, offset) there are."""
        return prod(sum(periods) for periods in self.periods)

    def draw(self, stream: Stream, count: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Plans (numbered through all arms) and offsets of so many schedules, each (count, N)."""
        plans = np.empty((count, len(self.plans)), dtype=np.int32)
        offsets = np.empty((count, len(self.plans)), dtype=np.int64)
        before = 0
        for i, (law, periods) in enumerate(zip(self.probabilities, self.periods, strict=True)):
            ends = np.cumsum([float(p) for p in law])
            # The last plan takes what rounding leaves, 2^-52 or so.
            chosen = np.searchsorted(ends[:-1], stream.uniforms(count), side="right")
            length = np.array(periods, dtype=np.int64)[chosen]
            plans[:, i] = before + chosen
            offsets[:, i] = (stream.uniforms(count) * length).astype(np.int64)
            before += len(law)
        return plans, offsets


def core_setting(
    bandit: LSDBandit,
    plans: Sequence[Sequence[Plan | None]],
    select: str,
    filler: bool,
) -> topics.LsdSetting:
    """Arms, plans and the rule as the core takes them.

    Raises
    ------
    ModelError
        If `select` is unknown, or a plan is no cycle of its arm.
    """
    if select not in SELECT:
        raise ModelError(f"select is {select!r}; it must be 'virtual' or 'real'")
    if not bandit.idle:
        raise ModelError("the bandit has idle=False; schedules idle where no virtual copy plays")
    if select == "blocks" and bandit.plays != 1:
        raise ModelError(f"plays is {bandit.plays}; blocks are played one at a time, with plays=1")
    states: list[int] = []
    plays: list[bool] = []
    begin = [0]
    for i, (arm, options) in enumerate(zip(bandit.arms, plans, strict=True)):
        for plan in options:
            if plan is not None:
                _need_cycle(arm, plan, i)
            if plan is None or plan.n_plays == 0:
                period = 1 if plan is None else plan.period
                states += [-1] * period
                plays += [False] * period
            else:
                states += plan.states
                plays += plan.plays
            begin.append(len(states))
    flat = bandit.arrays
    return topics.LsdSetting(
        flat.sizes,
        flat.play_next,
        flat.rest_next,
        ranks_of(bandit),
        np.cumsum([0, *map(len, plans)]).astype(np.int32),
        np.array(begin, dtype=np.int64),
        np.array(states, dtype=np.int32),
        np.array(plays, dtype=np.uint8),
        bandit.plays,
        SELECT.index(select),
        filler,
    )


def ranks_of(bandit: LSDBandit) -> NDArray[np.int32]:
    """Every state's place among all distinct payoffs; 0 stands for the payoff 0."""
    payoffs = [p for arm in bandit.arms for p in arm.payoffs]
    place = {p: j for j, p in enumerate(sorted({Fraction(0), *payoffs}))}
    return np.array([place[p] for p in payoffs], dtype=np.int32)


def payoffs_of(bandit: LSDBandit, earning: LSDBandit | None = None) -> list[Fraction]:
    """Of all states, one arm after another."""
    if earning is None:
        earning = bandit
    sizes, expected = ([arm.n_states for arm in b.arms] for b in (earning, bandit))
    if sizes != expected:
        raise ModelError(f"earning has arms of {sizes} states; the schedule's have {expected}")
    return [p for arm in earning.arms for p in arm.payoffs]


def earned(counts: NDArray[np.int64], payoffs: Sequence[Fraction]) -> list[Fraction]:
    """What plays pay that were counted state by state, for each row of counts (..., states)."""
    unit = lcm(*(p.denominator for p in payoffs))
    whole = np.array([int(p * unit) for p in payoffs], dtype=object)
    rows = counts.reshape(-1, len(payoffs)).astype(object)
    return [Fraction(total, unit) for total in rows @ whole]


def forgets_after(bandit: LSDBandit) -> int | None:
    """Rounds after which the states depend on the plays since alone; None if that is not known.

    An arm that resets has forgotten its start at its first switch, or after R rests or M plays.
    """
    longest = 0
    for arm in bandit.arms:
        if not isinstance(arm, LSDArm) or arm.recovery != "reset":
            return None
        longest = max(longest, len(arm.rest_payoffs), len(arm.play_payoffs))
    return longest


def _need_cycle(arm: OrderedArm, plan: Plan, i: int) -> None:
    places = zip(plan.states, plan.plays, (*plan.states[1:], *plan.states[:1]), strict=True)
    for t, (state, played, after) in enumerate(places):
        moves = arm.play_next if played else arm.rest_next
        if not 0 <= state < arm.n_states or moves[state] != after:
            raise ModelError(
                f"plan {plan.name()} of arm {i} is no cycle of that arm: at place {t} it is in "
                f"state {state}, and then in {after}"
            )
