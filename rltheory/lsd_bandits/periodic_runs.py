"""Runs of rules that look at the arms' states and at a clock of finitely many phases.

States and phases are finite in number and everything is deterministic, so the run meets some
(phase, states) again and from there on repeats itself: it is a transient and then, for ever, a
cycle, and its long-run average is the cycle's mean, an exact fraction.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import cycle, islice
from numbers import Integral

from rltheory.errors import ModelError, PolicyError
from rltheory.lsd_bandits.bandit import LSDBandit

__all__ = ["PeriodicRun", "Rule", "first_rewards", "repeated", "rounds", "run_until_repeated"]

Rule = Callable[[int, tuple[int, ...]], tuple[int, ...]]
"""From the phase and the arms' states to the arms that are played, ascending."""


@dataclass(frozen=True, repr=False)
class PeriodicRun:
    """A run that goes through a transient once, and then through a cycle for ever.

    Attributes
    ----------
    transient, cycle : tuple of tuple of int
        The arms that are played in each round; () where none is.
    transient_rewards, cycle_rewards : tuple of Fraction
        What each round pays.
    """

    transient: tuple[tuple[int, ...], ...]
    cycle: tuple[tuple[int, ...], ...]
    transient_rewards: tuple[Fraction, ...]
    cycle_rewards: tuple[Fraction, ...]

    @property
    def average(self) -> Fraction:
        """The long-run average reward per round."""
        return sum(self.cycle_rewards, Fraction(0)) / len(self.cycle)

    def rewards(self, T: int) -> tuple[Fraction, ...]:
        """What rounds 0, ..., T-1 pay.

        Raises
        ------
        ModelError
            If `T` is no integer of at least 0.
        """
        _need_rounds(T)
        start, cycle = self.transient_rewards, self.cycle_rewards
        repeats = -(-max(0, T - len(start)) // len(cycle))
        return (start + cycle * repeats)[:T]

    def __repr__(self) -> str:
        return (
            f"PeriodicRun(average={self.average}, {len(self.transient)} rounds, then "
            f"{len(self.cycle)} for ever)"
        )


def _need_rounds(T: int) -> None:
    if isinstance(T, bool) or not isinstance(T, Integral) or T < 0:
        raise ModelError(f"T is {T!r}; it must be an integer of at least 0")


def first_rewards(
    bandit: LSDBandit, rule: Rule, T: int, state: Sequence[int] | None = None
) -> tuple[Fraction, ...]:
    """What a rule without a clock is paid in rounds 0, ..., T-1, however long its cycle is."""
    _need_rounds(T)
    return tuple(paid for _, _, paid in islice(rounds(bandit, rule, 1, state), T))


def rounds(
    bandit: LSDBandit, rule: Rule, phases: int = 1, state: Sequence[int] | None = None
) -> Iterator[tuple[tuple[int, tuple[int, ...]], tuple[int, ...], Fraction]]:
    """For every round: the phase and the states at its start, the arms played, what they pay.

    Parameters
    ----------
    bandit : LSDBandit
    rule : callable
        ``rule(phase, states)`` with the phase counted from 0 to ``phases - 1`` and around, and the
        states as indices.
    phases : int
    state : sequence of int, length N, optional
        Where the arms start; rested if left out.

    Raises
    ------
    ModelError
        If there is no such state.
    """
    arms = bandit.arms
    states = bandit.split(bandit.rested if state is None else bandit.join(state))
    for phase in cycle(range(phases)):
        action = rule(phase, states)
        paid = sum((arms[i].payoffs[states[i]] for i in action), Fraction(0))
        yield (phase, states), action, paid
        states = tuple(
            arm.play_next[s] if i in action else arm.rest_next[s]
            for i, (arm, s) in enumerate(zip(arms, states, strict=True))
        )


def run_until_repeated(
    bandit: LSDBandit, rule: Rule, phases: int = 1, state: Sequence[int] | None = None
) -> PeriodicRun:
    """The run of a rule, whose cycle begins at phase 0; arguments and errors as in `rounds`."""
    seen: dict[tuple[int, tuple[int, ...]], int] = {}
    played: list[tuple[int, ...]] = []
    paid: list[Fraction] = []
    for where, action, reward in rounds(bandit, rule, phases, state):
        t = seen.setdefault(where, len(played))
        if t < len(played):
            break
        played.append(action)
        paid.append(reward)
    # The cycle may begin anywhere in itself; a whole number of turns of the clock has passed at u.
    u = t + -t % phases
    return PeriodicRun(
        transient=tuple(played[:u]),
        cycle=tuple(played[u:] + played[t:u]),
        transient_rewards=tuple(paid[:u]),
        cycle_rewards=tuple(paid[u:] + paid[t:u]),
    )


def repeated(
    bandit: LSDBandit,
    sequence: Sequence[Sequence[int]],
    state: Sequence[int] | None = None,
) -> PeriodicRun:
    """The run that plays a finite sequence over and over.

    Parameters
    ----------
    bandit : LSDBandit
    sequence : sequence of sequence of int, length at least 1
        The arms that are played in each round.
    state : sequence of int, length N, optional
        Where the arms start; rested if left out.

    Raises
    ------
    PolicyError
        If the sequence is empty, or a round plays what the bandit does not allow.
    """
    actions = [tuple(sorted(arms)) for arms in sequence]
    if not actions:
        raise PolicyError("sequence is empty; it must have at least one round")
    for t, arms in enumerate(actions):
        if arms not in bandit.actions:
            least = 0 if bandit.idle else bandit.plays
            raise PolicyError(
                f"sequence[{t}] is {tuple(sequence[t])}; it must be {least} to {bandit.plays} "
                f"different arms out of 0..{bandit.n_arms - 1}"
            )
    return run_until_repeated(bandit, lambda phase, _: actions[phase], len(actions), state)
