r"""Mirrored interleaved schedules: virtual copies of the arms decide who is played.

Given a solution of the relaxation, each arm draws one of its plans, or never to play, and an
offset; a virtual copy of it runs the plan's cycle for ever, from that offset on. In each round the
candidates are the arms whose virtual copies play, and the k with the largest payoff in their
virtual state (or real state) are played, ties to the lowest index; all others rest. Real states
move by what is really played and virtual ones ignore it: under monotone maps and payoffs a real
state is never below its virtual one, since a rest leads at least as high as a play.

The expected reward of every round is at least c_{N,k} = E[min(k, Bin(N, k/N))]/k times the value
of the relaxation (claim ``lsd-round-ratio``). Foussoul et al. (2023) for mirroring,
Papadigenopoulos, Caramanis and Shakkottai (2022) for interleaving; proofs are in
docs/theory/lsd_rounding.md.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from math import lcm
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory._core import topics
from rltheory.errors import ModelError
from rltheory.lsd_bandits.averages import SAMPLES, WINDOW, Average, need_dominance, sampled
from rltheory.lsd_bandits.bandit import LSDBandit
from rltheory.lsd_bandits.lotteries import (
    Lottery,
    core_setting,
    earned,
    forgets_after,
    payoffs_of,
)
from rltheory.lsd_bandits.plans import Plan, Relaxation, need_relaxation
from rltheory.mdp.streams import Stream

__all__ = ["Schedule", "ScheduleRun", "interleaved_schedule"]

MOST_PERIOD = 10**6
MOST_ROUNDS = 2 * 10**7


@dataclass(frozen=True)
class ScheduleRun:
    """A schedule, round by round.

    Attributes
    ----------
    states : ndarray of int32, shape (T, N)
        Real states at the start of each round, as indices.
    plays : ndarray of bool, shape (T, N)
        Who is really played.
    virtual_states : ndarray of int32, shape (T, N)
        -1 where an arm has no virtual copy, or before the plans begin.
    virtual_plays : ndarray of bool, shape (T, N)
        Whose virtual copies play.
    payoffs : ndarray of float64, shape (T, N)
        What each arm pays; 0 where it rests.
    violations : int
        How often a real state was below its virtual one, or a play paid less than its virtual one.
    """

    states: NDArray[np.int32]
    plays: NDArray[np.bool_]
    virtual_states: NDArray[np.int32]
    virtual_plays: NDArray[np.bool_]
    payoffs: NDArray[np.float64]
    violations: int

    @property
    def rewards(self) -> NDArray[np.float64]:
        """The sum of what is paid in each round, of shape (T,)."""
        rewards: NDArray[np.float64] = self.payoffs.sum(axis=1)
        return rewards


@dataclass(frozen=True, repr=False)
class Schedule:
    """Each arm's plan and offset, and the rule by which plays are chosen.

    Attributes
    ----------
    bandit : LSDBandit
    plans : tuple of N Plan or None
        None for an arm that is never a candidate.
    offsets : tuple of N int
        In round t = 0, 1, ... the virtual copy is at place (t + offset) mod L of its cycle.
    select : {"virtual", "real", "blocks"}
        Which candidates are played: those of the largest payoff in their virtual or real states,
        or whole blocks of plays (`block_commit_schedule`).
    filler : bool
        Whether arms without a plan are played greedily where candidates are too few.

    Examples
    --------
    >>> import rltheory as rlt
    >>> from rltheory.lsd_bandits.plans import block
    >>> bandit = rlt.LSDBandit([rlt.LSDArm.blocking(2), rlt.LSDArm.blocking(2)])
    >>> plans = tuple(block(arm, 1, 1) for arm in bandit.arms)
    >>> schedule = rlt.Schedule(bandit, plans, offsets=(0, 1))
    >>> schedule
    Schedule(arm 0 (1,1) from 0; arm 1 (1,1) from 1; ranked by virtual payoffs)
    >>> schedule.average()
    Average(1, period)
    >>> rlt.Schedule(bandit, plans, offsets=(0, 0)).simulate(4)
    array([0., 1., 0., 1.])
    """

    bandit: LSDBandit
    plans: tuple[Plan | None, ...]
    offsets: tuple[int, ...]
    select: str = "virtual"
    filler: bool = False

    def __post_init__(self) -> None:
        n = self.bandit.n_arms
        for name in ("plans", "offsets"):
            given = len(getattr(self, name))
            if given != n:
                raise ModelError(f"{name} has {given} entries; there are {n} arms")
        for i, (plan, offset) in enumerate(zip(self.plans, self.offsets, strict=True)):
            length = 1 if plan is None else plan.period
            if not 0 <= offset < length:
                raise ModelError(f"offsets[{i}] is {offset}; it must be in 0..{length - 1}")
        self._setting  # noqa: B018  what is wrong with plans or rule is told now

    def __repr__(self) -> str:
        arms = "; ".join(
            f"arm {i} never" if plan is None else f"arm {i} {plan.name()} from {offset}"
            for i, (plan, offset) in enumerate(zip(self.plans, self.offsets, strict=True))
        )
        rule = "whole blocks" if self.select == "blocks" else f"ranked by {self.select} payoffs"
        return f"{type(self).__name__}({arms}; {rule}{', with filler' if self.filler else ''})"

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @cached_property
    def period(self) -> int:
        """The common period of all plans."""
        return lcm(*(plan.period for plan in self.plans if plan is not None))

    def plays(
        self, rounds: int, state: int | Sequence[int] | None = None, *, rest_first: bool = True
    ) -> ScheduleRun:
        """The first rounds, with states, plays and payoffs.

        Parameters
        ----------
        rounds : int
            T, at least 0, those of rest included.
        state : int or sequence of N int, optional
            The joint state at the start, or the arms' states; rested if left out.
        rest_first : bool
            Whether the plans begin only after the R rests that lead from every state to the top,
            unless the start is there. Without them no dominance is promised.

        Raises
        ------
        ModelError
            If the state is not one, or no number of rests leads to the top.
        """
        start, rests = self._start(state, rest_first)
        if not isinstance(rounds, int | np.integer) or not 0 <= rounds <= MOST_ROUNDS:
            raise ModelError(f"rounds is {rounds!r}; it must be an integer in 0..{MOST_ROUNDS}")
        rests = min(rests, rounds)
        n, arms = self.bandit.n_arms, self.bandit.arms
        states = np.empty((rounds, n), dtype=np.int32)
        plays = np.zeros((rounds, n), dtype=bool)
        virtual = np.full((rounds, n), -1, dtype=np.int32)
        wanted = np.zeros((rounds, n), dtype=bool)
        for t in range(rests):
            states[t] = start
            start = [arm.rest_next[s] for arm, s in zip(arms, start, strict=True)]
        states[rests:], played, violations = self._setting.run(
            *self._choice, np.array(start, dtype=np.int32), rounds - rests
        )
        plays[rests:] = played
        if all(s == arm.top for arm, s in zip(arms, start, strict=True)):
            need_dominance(self.bandit, violations)
        times = np.arange(rounds - rests)
        for i, plan in enumerate(self.plans):
            if plan is not None:
                place = (times + self.offsets[i]) % plan.period
                virtual[rests:, i] = np.array(plan.states)[place]
                wanted[rests:, i] = np.array(plan.plays)[place]
        paid = np.zeros((rounds, n))
        for i, arm in enumerate(arms):
            paid[:, i] = np.where(plays[:, i], np.array(arm.payoffs, dtype=float)[states[:, i]], 0)
        return ScheduleRun(states, plays, virtual, wanted, paid, violations)

    def simulate(
        self, rounds: int, state: int | Sequence[int] | None = None
    ) -> NDArray[np.float64]:
        """The rewards of the first rounds, of shape (T,); arguments as in `plays`.

        From a state that is not rested all arms rest for R rounds first.
        """
        return self.plays(rounds, state).rewards

    def average(self, earning: LSDBandit | None = None, seed: int = 0) -> Average:
        """The reward per round in the long run, from the rested state.

        Exact, over one period of plays and states, where the plans' common period is at most 10^6
        and real states repeat within 2 * 10^7 rounds. Else windows of rounds at independent random
        times are averaged, and the result says so.

        Parameters
        ----------
        earning : LSDBandit, optional
            Whose payoffs are earned, for a schedule planned on estimates; with the same states.
        seed : int
            Of the random times.
        """
        payoffs = payoffs_of(self.bandit, earning)
        if self.period <= MOST_PERIOD:
            counts, rounds, violations = self._setting.long_run(*self._choice, MOST_ROUNDS)
            need_dominance(self.bandit, violations)
            if rounds:
                return Average(earned(counts, payoffs)[0] / rounds, "period", 0.0, 1, rounds)
        forgotten = forgets_after(self.bandit)
        if self.select == "virtual" and not self._fills and forgotten is not None:
            times = _uniform_times(self.period, SAMPLES, seed)
            plans, phases = np.tile(self._choice[0], (SAMPLES, 1)), self._phases(times)
            counts, violations = self._setting.window_counts(plans, phases, forgotten, WINDOW)
            need_dominance(self.bandit, violations)
            return sampled(counts, WINDOW, payoffs, self.bandit.plays, window=False)
        counts, violations = self._setting.window_counts(*self._choice, MOST_PERIOD, MOST_PERIOD)
        need_dominance(self.bandit, violations)
        value = float(earned(counts, payoffs)[0] / MOST_PERIOD)
        return Average(value, "window", math.inf, 1, MOST_PERIOD)

    @cached_property
    def _setting(self) -> topics.LsdSetting:
        return core_setting(self.bandit, [[plan] for plan in self.plans], self.select, self.filler)

    @cached_property
    def _choice(self) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        n = self.bandit.n_arms
        return np.arange(n, dtype=np.int32), np.array(self.offsets, dtype=np.int64)

    @property
    def _fills(self) -> bool:
        return self.filler and any(plan is None or plan.n_plays == 0 for plan in self.plans)

    def _phases(self, times: list[int]) -> NDArray[np.int64]:
        """Where each plan is so many rounds later; a time may be a number of any size."""
        columns = []
        for plan, offset in zip(self.plans, self.offsets, strict=True):
            length = 1 if plan is None else plan.period
            columns.append([(t + offset) % length for t in times])
        return np.ascontiguousarray(np.array(columns, dtype=np.int64).T)

    def _start(self, state: int | Sequence[int] | None, rest: bool) -> tuple[list[int], int]:
        bandit = self.bandit
        top = [arm.top for arm in bandit.arms]
        if state is None:
            return top, 0
        if isinstance(state, int | np.integer):
            if not 0 <= state < bandit.n_states:
                raise ModelError(f"state is {state}; it must be in 0..{bandit.n_states - 1}")
            start = list(bandit.split(int(state)))
        else:
            start = list(bandit.split(bandit.join(state)))
        if start == top or not rest:
            return start, 0
        if bandit.recovery_time is None:
            raise ModelError(
                "no number of rests leads from every state to the top; schedules start there"
            )
        return start, bandit.recovery_time


def interleaved_schedule(
    relax: Relaxation,
    seed: int | np.random.SeedSequence = 0,
    select: str = "virtual",
    filler: bool = False,
    mode: str = "monotone",
) -> Schedule:
    """Draw a schedule from a solution of the relaxation.

    Parameters
    ----------
    relax : Relaxation
    seed : int or SeedSequence
    select : {"virtual", "real"}
        By which payoffs candidates are ranked: in their virtual states or in their real ones.
    filler : bool
        Whether arms that drew never to play are played greedily where candidates are too few.
    mode : {"monotone", "rested", "any"}
        What is required of the payoffs; the guarantee needs "monotone".

    Raises
    ------
    ModelError
        If payoffs are not as ordered as `mode` says, `select` is unknown, or rates are negative
        or take more than all rounds.

    Notes
    -----
    With `mode="monotone"` the expected reward of every round is at least ``virtual_value(relax)``,
    hence at least ``guarantee(N, k)`` times the value of the relaxation.

    Examples
    --------
    >>> import rltheory as rlt
    >>> from rltheory.lsd_bandits.plans import Relaxation, always
    >>> bandit = rlt.LSDBandit([rlt.LSDArm(rest_payoffs=["1/2"], play_payoffs=["1/2"])])
    >>> relax = Relaxation(bandit, 0.5, ((always(bandit.arms[0]),),), ((1.0,),), 0.5)
    >>> rlt.interleaved_schedule(relax, seed=1).simulate(3)
    array([0.5, 0.5, 0.5])
    """
    if select not in ("virtual", "real"):
        raise ModelError(f"select is {select!r}; it must be 'virtual' or 'real'")
    need_relaxation(relax)
    relax.bandit.need_monotone(mode)
    return drawn(Lottery.of(relax), Stream(seed, "lsd.schedule"), select, filler)


def drawn(lottery: Lottery, stream: Stream, select: str, filler: bool = False) -> Schedule:
    """One schedule of this law."""
    numbers, offsets = lottery.draw(stream, 1)
    options = [plan for plans in lottery.plans for plan in plans]
    plans = tuple(options[j] for j in numbers[0].tolist())
    return Schedule(lottery.bandit, plans, tuple(offsets[0].tolist()), select, filler)


def _uniform_times(bound: int, count: int, seed: int) -> list[int]:
    """Uniform integers below a bound of any size, up to 2^-64 in total variation."""
    size = bound.bit_length() // 64 + 2
    words = Stream(seed, "lsd.average").words(count * size).tolist()
    numbers = (words[j : j + size] for j in range(0, count * size, size))
    return [sum(w << (64 * b) for b, w in enumerate(row)) % bound for row in numbers]
