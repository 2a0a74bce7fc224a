"""Plain twin of the schedules of last-switch-dependent arms, in fractions, one round at a time."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from math import lcm, prod
from typing import Any


class PlainSchedule:
    """The state of a schedule; plans are pairs (states, plays), None for an arm without one."""

    def __init__(self, bandit, plans, offsets, select="virtual", filler=False, start=None):
        self.bandit, self.plans, self.offsets = bandit, plans, list(offsets)
        self.select, self.filler = select, filler
        self.states = list(start or [arm.top for arm in bandit.arms])
        self.round, self.running = 0, None

    def place(self, i: int, shift: int = 0) -> tuple[int, bool]:
        plan = self.plans[i]
        if plan is None:
            return -1, False
        t = (self.round + shift + self.offsets[i]) % len(plan.states)
        return plan.states[t], plan.plays[t]

    def step(self) -> tuple[list[int], Fraction]:
        """Who is played, and what it pays."""
        bandit = self.bandit
        arms = range(bandit.n_arms)
        pay = lambda i, s: bandit.arms[i].payoffs[s]  # noqa: E731
        wanted = [i for i in arms if self.place(i)[1]]
        if self.select == "blocks":
            if self.running is not None and self.running not in wanted:
                self.running = None
            if self.running is None:
                starts = [i for i in wanted if not self.place(i, -1)[1]]
                self.running = starts[0] if starts else None
            played = [] if self.running is None else [self.running]
        else:
            virtual = self.select == "virtual"
            rank = lambda i: pay(i, self.place(i)[0] if virtual else self.states[i])  # noqa: E731
            played = sorted(wanted, key=lambda i: (-rank(i), i))[: bandit.plays]
        if self.filler:
            idle = [i for i in arms if self.plans[i] is None or not any(self.plans[i].plays)]
            free = [i for i in idle if pay(i, self.states[i]) > 0]
            free.sort(key=lambda i: (-pay(i, self.states[i]), i))
            played += free[: bandit.plays - len(played)]
        reward = sum((pay(i, self.states[i]) for i in played), Fraction(0))
        for i, arm in enumerate(bandit.arms):
            self.states[i] = (arm.play_next if i in played else arm.rest_next)[self.states[i]]
        self.round += 1
        return played, reward


def plain_average(bandit, plans, offsets, select="virtual", filler=False) -> Fraction:
    """Until (round modulo the common period, states, running block) repeats."""
    schedule = PlainSchedule(bandit, plans, offsets, select, filler)
    period = lcm(*(len(plan.states) for plan in plans if plan is not None))
    seen: dict[Any, int] = {}
    earned = [Fraction(0)]
    while True:
        key = (schedule.round % period, tuple(schedule.states), schedule.running)
        if key in seen:
            first = seen[key]
            return (earned[-1] - earned[first]) / (schedule.round - first)
        seen[key] = schedule.round
        earned.append(earned[-1] + schedule.step()[1])


def plain_tuples(lottery) -> Iterator[tuple[Fraction, tuple, tuple[int, ...]]]:
    """(probability, plans, offsets) of all that may be drawn."""
    options = []
    for plans, law in zip(lottery.plans, lottery.probabilities, strict=True):
        lengths = [1 if plan is None else len(plan.states) for plan in plans]
        options.append(
            [
                (p / n, plan, o)
                for p, plan, n in zip(law, plans, lengths, strict=True)
                for o in range(n)
            ]
        )
    for chosen in product(*options):
        ps, plans, offsets = zip(*chosen, strict=True)
        yield prod(ps, start=Fraction(1)), plans, offsets


def plain_expected_average(lottery, select="virtual", filler=False) -> Fraction:
    return sum(
        (
            p * plain_average(lottery.bandit, plans, offsets, select, filler)
            for p, plans, offsets in plain_tuples(lottery)
        ),
        Fraction(0),
    )


def plain_expected_rewards(lottery, rounds, select="virtual", filler=False) -> list[Fraction]:
    total = [Fraction(0)] * rounds
    for p, plans, offsets in plain_tuples(lottery):
        schedule = PlainSchedule(lottery.bandit, plans, offsets, select, filler)
        for t in range(rounds):
            total[t] += p * schedule.step()[1]
    return total


def plain_virtual_value(lottery, plays: int) -> Fraction:
    """E of the sum of the k largest virtual payoffs in one round."""
    total = Fraction(0)
    for p, plans, offsets in plain_tuples(lottery):
        paid = []
        for arm, plan, o in zip(lottery.bandit.arms, plans, offsets, strict=True):
            if plan is not None and plan.plays[o]:
                paid.append(arm.payoffs[plan.states[o]])
        total += p * sum(sorted(paid, reverse=True)[:plays], Fraction(0))
    return total
