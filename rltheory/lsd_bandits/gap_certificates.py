r"""Certificates of g* >= lambda * value(x) for every monotone payoff at once, and their checker.

A solution x of the relaxation (k = 1) starts the cycles of its plans at fixed rates. Let
W_i(s) be the rate at which it plays arm i in state s or higher. A mixture of periodic schedules,
with masses that sum to 1, plays arm i in state s or higher at some rate Y_i(s). A nonnegative
nondecreasing payoff is a nonnegative combination of the steps 1{state >= s}, so

    Y_i(s) >= lambda W_i(s) for all i, s   implies   g* >= reward of the mixture >= lambda value(x)

whatever the payoffs are, since g* is at least the average of the best schedule of the mixture. The
check simulates the schedules and compares fractions; no program is solved. Why the truncation of an
arm's states to those that x needs loses nothing is proved in docs/theory/lsd_gap.md.
"""

from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from typing import TypeVar

from rltheory.errors import ModelError
from rltheory.lsd_bandits.arms import LSDArm
from rltheory.lsd_bandits.bandit import LSDBandit

__all__ = ["GapVertex", "Pattern", "ScheduleMix", "plays_above"]

Pattern = tuple[int, int]
"""(n, m) for n rests before m plays; (0, 1) for a play in every round."""

IDLE = -1


@dataclass(frozen=True)
class GapVertex:
    """A solution of the relaxation, by the types alone: it stands for all payoffs.

    Attributes
    ----------
    arms : tuple of N tuples of (Pattern, Fraction)
        For each arm the types it mixes and the rates at which their cycles start.
    """

    arms: tuple[tuple[tuple[Pattern, Fraction], ...], ...]

    @property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """(R_i, M_i): the rests and plays that must be told apart, at least 1 each."""
        return tuple(
            (max(max(n, 1) for (n, _), _ in arm), max(m for (_, m), _ in arm)) for arm in self.arms
        )

    def plays_above(self, arm: int) -> tuple[Fraction, ...]:
        """W_i(s) for the states s = 0..R_i+M_i-1 in payoff order."""
        rests, plays = self.sizes[arm]
        at = [Fraction(0)] * (rests + plays)
        for (n, m), rate in self.arms[arm]:
            if n == 0:
                at[0] += rate
                continue
            at[plays - 1 + n] += rate
            for j in range(1, m):
                at[plays - j] += rate
        return tuple(_from_above(at))

    def value(self, bandit: LSDBandit) -> Fraction:
        """What it earns per round with these payoffs."""
        total = Fraction(0)
        for arm, types in zip(bandit.arms, self.arms, strict=True):
            if not isinstance(arm, LSDArm):
                raise ModelError(f"{arm!r} has no types (n, m); it must be an LSDArm")
            for (n, m), rate in types:
                if n == 0:
                    total += rate * arm.payoffs[0]
                else:
                    worn = (arm.payoff(-j) for j in range(1, m))
                    total += rate * (arm.payoff(n) + sum(worn, Fraction(0)))
        return total

    def __str__(self) -> str:
        return "; ".join(
            " + ".join(f"{rate} {'always' if n == 0 else f'({n},{m})'}" for (n, m), rate in arm)
            for arm in self.arms
        )


@dataclass(frozen=True)
class ScheduleMix:
    """Periodic schedules with masses that sum to 1.

    Attributes
    ----------
    schedules : tuple of (Fraction, tuple of int)
        Mass, and the arm that is played in each round of the period; -1 plays none.
    """

    schedules: tuple[tuple[Fraction, tuple[int, ...]], ...]

    def plays_above(self, arm: int, rests: int, plays: int) -> tuple[Fraction, ...]:
        """Y_i(s) for the states s = 0..R+M-1 of an arm with R rests and M plays."""
        total = [Fraction(0)] * (rests + plays)
        for mass, schedule in self.schedules:
            above = plays_above(schedule, arm, rests, plays)
            total = [
                x + mass * Fraction(y, len(schedule)) for x, y in zip(total, above, strict=True)
            ]
        return tuple(total)

    def ratio(self, vertex: GapVertex) -> Fraction:
        """The largest lambda that it proves for a vertex."""
        if sum((mass for mass, _ in self.schedules), Fraction(0)) != 1:
            return Fraction(0)
        if any(mass < 0 for mass, _ in self.schedules):
            return Fraction(0)
        return min(
            have / need
            for arm, (rests, plays) in enumerate(vertex.sizes)
            for have, need in zip(
                self.plays_above(arm, rests, plays), vertex.plays_above(arm), strict=True
            )
            if need > 0
        )


def plays_above(schedule: tuple[int, ...], arm: int, rests: int, plays: int) -> list[int]:
    """How often a period of a schedule, long repeated, plays an arm in state s or higher."""
    state = rests + plays - 1
    at = [0] * (rests + plays)
    before = None
    while state != before:
        before = state
        at = [0] * (rests + plays)
        for played in schedule:
            if played == arm:
                at[state] += 1
                state = max(0, state - 1) if state < plays else plays - 1
            else:
                state = plays if state < plays else min(rests + plays - 1, state + 1)
    return _from_above(at)


_Count = TypeVar("_Count", int, Fraction)


def _from_above(at: list[_Count]) -> list[_Count]:
    return list(accumulate(reversed(at)))[::-1]
