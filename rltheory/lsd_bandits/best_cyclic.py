r"""The best schedule of a short period, by looking at all of them.

Which rounds of the period an arm is played in is a pattern of L bits, and what the arm earns, when
that is repeated for ever, depends on its own pattern alone. So there is a table of 2^L averages for
each arm, and A^L sequences of actions whose sums are compared. Everything is exact: payoffs are
integers over their common denominator, and an arm that needs several periods to return to its
state is averaged over them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory._core import topics
from rltheory.errors import ModelError
from rltheory.lsd_bandits.arms import OrderedArm
from rltheory.lsd_bandits.bandit import LSDBandit
from rltheory.lsd_bandits.periodic_runs import PeriodicRun, repeated

__all__ = ["CyclicSchedule", "best_cyclic"]

MOST_SEQUENCES = 4**9
LARGEST = 2**62


@dataclass(frozen=True)
class CyclicSchedule:
    """A finite sequence of plays, repeated for ever.

    Attributes
    ----------
    sequence : tuple of tuple of int, length L
        The arms that are played in each round of the period.
    run : PeriodicRun
        From the start on.
    """

    sequence: tuple[tuple[int, ...], ...]
    run: PeriodicRun

    @property
    def average(self) -> Fraction:
        """The long-run average reward per round."""
        return self.run.average


def best_cyclic(
    bandit: LSDBandit, length: int, state: Sequence[int] | None = None
) -> CyclicSchedule:
    """The best cyclic schedule with a period of at most `length` rounds.

    Parameters
    ----------
    bandit : LSDBandit
    length : int
        L, at least 1; A^L must be at most 4^9, with A the number of actions (N+1 for one play).
    state : sequence of int, length N, optional
        Where the arms start, as indices; rested if left out.

    Returns
    -------
    CyclicSchedule
        The shortest of the best, and the first of these in the order of `bandit.actions`.

    Raises
    ------
    ModelError
        If there are too many sequences, or totals over the payoffs' common denominator are no
        64-bit integers.

    Examples
    --------
    >>> import rltheory as rlt
    >>> bandit = rlt.LSDBandit([rlt.LSDArm.blocking(2), rlt.LSDArm.blocking(3)])
    >>> best = rlt.best_cyclic(bandit, 6)
    >>> best.average, best.sequence
    (Fraction(3, 4), ((), (0,), (1,), (0,)))
    """
    if isinstance(length, bool) or not isinstance(length, int | np.integer) or length < 1:
        raise ModelError(f"length is {length!r}; it must be an integer of at least 1")
    actions = len(bandit.actions)
    # An arm has 2^L patterns, even where there is but one action.
    if max(actions, 2) ** length > MOST_SEQUENCES:
        raise ModelError(
            f"there are {actions}^{length} = {actions**length} sequences of {length} rounds and "
            f"{actions} actions; at most {MOST_SEQUENCES} are looked at"
        )
    start = bandit.split(bandit.rested if state is None else bandit.join(state))
    best, chosen = Fraction(-1), tuple[tuple[int, ...], ...]()
    for rounds in range(1, int(length) + 1):
        average, sequence = _best(bandit, rounds, start)
        if average > best:
            best, chosen = average, sequence
    run = repeated(bandit, chosen, state)
    assert run.average == best, "the tables disagree with the run"
    return CyclicSchedule(chosen, run)


def _best(
    bandit: LSDBandit, rounds: int, start: Sequence[int]
) -> tuple[Fraction, tuple[tuple[int, ...], ...]]:
    """Average and actions of the best sequence of exactly so many rounds."""
    found = [
        _pattern_rewards(arm, s, rounds, bandit.denominator)
        for arm, s in zip(bandit.arms, start, strict=True)
    ]
    common = lcm(*(int(c) for _, periods in found for c in np.unique(periods)))
    totals = [
        [int(x) * (common // int(c)) for x, c in zip(paid, periods, strict=True)]
        for paid, periods in found
    ]
    if sum(max(paid) for paid in totals) > LARGEST:
        raise ModelError(
            f"the payoffs' common denominator is {bandit.denominator}, and totals over it are "
            "no 64-bit integers; give payoffs as fractions with small denominators"
        )
    flat = np.array([x for paid in totals for x in paid], dtype=np.int64)
    total, sequence = topics.lsd_best_cyclic(flat, bandit.masks, rounds)
    average = Fraction(total, bandit.denominator * common * rounds)
    return average, tuple(bandit.actions[a] for a in sequence)


def _pattern_rewards(
    arm: OrderedArm, start: int, rounds: int, scale: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    """For every pattern of plays, what the arm earns on its ultimate cycle, and its periods.

    Bit t of a pattern is a play in round t. Rewards are Python integers, payoffs times `scale`.
    """
    patterns = np.arange(2**rounds)
    moves = np.array([arm.rest_next, arm.play_next])
    kind = np.int64 if scale * rounds * arm.n_states <= LARGEST else object
    payoffs = np.array([int(p * scale) for p in arm.payoffs], dtype=kind)
    earned = np.array([payoffs * 0, payoffs])

    def period(state: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        paid = np.zeros(len(patterns), dtype=kind)
        for t in range(rounds):
            played = patterns >> t & 1
            paid += earned[played, state]
            state = moves[played, state]
        return state, paid

    home = np.full(len(patterns), start)
    # After as many periods as there are states, every arm is on its cycle.
    for _ in range(arm.n_states):
        home, _ = period(home)
    at, total = period(home)
    periods = np.ones(len(patterns), dtype=kind)
    while (away := at != home).any():
        moved, paid = period(at)
        total += np.where(away, paid, 0)
        periods += away
        at = np.where(away, moved, home)
    return total, periods
