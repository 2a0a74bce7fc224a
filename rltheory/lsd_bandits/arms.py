r"""Arms whose payoff depends on when they were last switched.

An arm has finitely many states in a fixed order; playing it in state s pays p(s) and moves it to
``play_next[s]``, resting it pays nothing and moves it to ``rest_next[s]``. A last-switch-dependent
(LSD) arm counts rounds since its last switch:

    n > 0    not played in the last n rounds (n = R stands for R or more)
    -m < 0   played in each of the last m rounds (m = M stands for M or more)

    play:  n -> -1,  -m -> -(m+1)       rest:  n -> n+1,  -m -> 1

Here states are indices 0..S-1 in the order -M, ..., -1, 1, ..., R, so that index M-1 is -1, index
M is 1, and the last index is the rested state. Payoffs are exact: whatever is given is kept as a
`Fraction`. Sources: Laforgue et al. (2022); Foussoul et al. (2023); Kleinberg and Immorlica
(2018); Basu et al. (2019).
"""

import numbers
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Any

from rltheory.errors import ModelError

__all__ = ["LSDArm", "OrderedArm", "exact_payoff"]

MOST_DELAY = 10**6


@dataclass(frozen=True)
class OrderedArm:
    """A deterministic arm on the states 0..S-1, which starts in its top state S-1.

    Parameters
    ----------
    play_next, rest_next : sequence of int, shape (S,)
        The state after a play and after a rest.
    payoffs : sequence of numbers or of strings like "9/10", shape (S,)
        What a play pays in each state, in [0, 1]. A float stands for the rational number it is.

    Raises
    ------
    ModelError
        If the arm has no states, lengths differ, a state is out of range or a payoff is no number
        in [0, 1].

    Examples
    --------
    >>> import rltheory as rlt
    >>> arm = rlt.OrderedArm(play_next=[0, 0], rest_next=[1, 1], payoffs=["1/4", 1])
    >>> arm.n_states, arm.is_monotone
    (2, True)
    """

    play_next: tuple[int, ...]
    rest_next: tuple[int, ...]
    payoffs: tuple[Fraction, ...]

    def __init__(
        self, play_next: Sequence[int], rest_next: Sequence[int], payoffs: Sequence[Any]
    ) -> None:
        size = len(payoffs)
        if size == 0:
            raise ModelError("an arm needs at least one state")
        moves = {"play_next": _states(play_next, size, "play_next")}
        moves["rest_next"] = _states(rest_next, size, "rest_next")
        for name, move in moves.items():
            object.__setattr__(self, name, move)
        exact = tuple(exact_payoff(p, f"payoffs[{s}]") for s, p in enumerate(payoffs))
        object.__setattr__(self, "payoffs", exact)

    @property
    def n_states(self) -> int:
        """How many states the arm has."""
        return len(self.payoffs)

    @property
    def top(self) -> int:
        """The state in which the arm starts."""
        return self.n_states - 1

    @cached_property
    def is_monotone(self) -> bool:
        """Whether maps and payoffs are nondecreasing and a rest leads at least as high as a play.

        This is all that mirroring needs (claim ``lsd-general-order``).
        """
        return (
            all(p <= q for p, q in pairwise(self.payoffs))
            and all(s <= t for move in (self.play_next, self.rest_next) for s, t in pairwise(move))
            and all(s <= t for s, t in zip(self.play_next, self.rest_next, strict=True))
        )

    @cached_property
    def recovery_time(self) -> int | None:
        """Rests that lead from every state to the top, or None if some state never gets there."""
        at = set(range(self.n_states))
        for rounds in range(self.n_states + 1):
            if at == {self.top}:
                return rounds
            at = {self.rest_next[s] for s in at}
        return None


@dataclass(frozen=True, repr=False)
class LSDArm(OrderedArm):
    """A last-switch-dependent arm.

    Parameters
    ----------
    rest_payoffs : sequence of numbers, shape (R,)
        p(1), ..., p(R): what the first play after n rests pays, in [0, 1].
    play_payoffs : sequence of numbers, shape (M,)
        p(-1), ..., p(-M): what a play after m plays in a row pays.
    recovery : {"reset", "gradual"}
        Whether a rest leads from -m to 1, or to -m+1 (and from -1 to 1).

    Raises
    ------
    ModelError
        If a list is empty, a payoff is no number in [0, 1], or `recovery` is neither.

    Notes
    -----
    Foussoul, Goyal, Papadigenopoulos and Zeevi (2023), with truncated state sets.

    Examples
    --------
    >>> import rltheory as rlt
    >>> arm = rlt.LSDArm(rest_payoffs=["1/2", 1], play_payoffs=["1/2"])
    >>> arm
    LSDArm(rest_payoffs=(1/2, 1), play_payoffs=(1/2,))
    >>> arm.payoff(-1), arm.payoff(7)
    (Fraction(1, 2), Fraction(1, 1))
    >>> rlt.LSDArm.blocking(delay=3, reward="4/5")
    LSDArm(rest_payoffs=(0, 4/5), play_payoffs=(0,))
    """

    rest_payoffs: tuple[Fraction, ...]
    play_payoffs: tuple[Fraction, ...]
    recovery: str

    def __init__(
        self, rest_payoffs: Sequence[Any], play_payoffs: Sequence[Any], recovery: str = "reset"
    ) -> None:
        if recovery not in ("reset", "gradual"):
            raise ModelError(f"recovery is {recovery!r}; it must be 'reset' or 'gradual'")
        for name, given in (("rest_payoffs", rest_payoffs), ("play_payoffs", play_payoffs)):
            if not hasattr(given, "__len__"):
                raise ModelError(f"{name} is {given!r}; it must be a sequence of numbers in [0, 1]")
            if len(given) == 0:
                raise ModelError(f"{name} is empty; an LSD arm needs at least one payoff there")
            exact = tuple(exact_payoff(p, f"{name}[{j}]") for j, p in enumerate(given))
            object.__setattr__(self, name, exact)
        object.__setattr__(self, "recovery", recovery)
        rests, plays = len(rest_payoffs), len(play_payoffs)
        top = rests + plays - 1
        play_next = [max(0, s - 1) if s < plays else plays - 1 for s in range(top + 1)]
        after_play = plays if recovery == "reset" else None
        rest_next = [
            after_play if after_play is not None and s < plays else min(top, s + 1)
            for s in range(top + 1)
        ]
        super().__init__(play_next, rest_next, self.play_payoffs[::-1] + self.rest_payoffs)

    @classmethod
    def recharging(cls, payoffs: Sequence[Any]) -> "LSDArm":
        """The arm that pays f(d), ``payoffs[d-1]``, when it was last played d rounds ago.

        Its states are shifted by one: p(-1) = f(1) and p(n) = f(n+1).

        Parameters
        ----------
        payoffs : sequence of numbers, shape (D,)
            f(1), ..., f(D); the last holds for every longer delay.

        Examples
        --------
        >>> import rltheory as rlt
        >>> rlt.LSDArm.recharging([0, "1/2", 1])
        LSDArm(rest_payoffs=(1/2, 1), play_payoffs=(0,))
        """
        if len(payoffs) == 0:
            raise ModelError("payoffs is empty; a recharging arm needs at least f(1)")
        return cls(payoffs[1:] if len(payoffs) > 1 else payoffs, payoffs[:1])

    @classmethod
    def blocking(cls, delay: int, reward: Any = 1) -> "LSDArm":
        """The arm that pays `reward` if it was not played in the last ``delay - 1`` rounds.

        Parameters
        ----------
        delay : int
            In 1..10^6; 1 makes an arm that always pays.
        reward : number
            In [0, 1].

        Examples
        --------
        >>> import rltheory as rlt
        >>> rlt.LSDArm.blocking(1, "1/2")
        LSDArm(rest_payoffs=(1/2,), play_payoffs=(1/2,))
        """
        if not isinstance(delay, numbers.Integral) or delay < 1:
            raise ModelError(f"delay is {delay!r}; it must be an integer of at least 1")
        if delay > MOST_DELAY:
            raise ModelError(
                f"delay is {delay}; an arm has a state per round, at most {MOST_DELAY}"
            )
        return cls.recharging([0] * (int(delay) - 1) + [reward])

    def payoff(self, state: int) -> Fraction:
        """p(state), for a state n > 0 or -m < 0 of any size.

        Raises
        ------
        ModelError
            If `state` is 0, which no arm is in.
        """
        return self.payoffs[self.index(state)]

    def index(self, state: int) -> int:
        """Where a state n > 0 or -m < 0, truncated to those there are, stands in the order."""
        if state == 0:
            raise ModelError("state is 0; states are n > 0 rests or -m < 0 plays")
        rests, plays = len(self.rest_payoffs), len(self.play_payoffs)
        return plays - 1 + min(state, rests) if state > 0 else plays - min(-state, plays)

    def label(self, index: int) -> int:
        """The state n > 0 or -m < 0 at an index."""
        plays = len(self.play_payoffs)
        return index - plays + 1 if index >= plays else index - plays

    def __repr__(self) -> str:
        rests = ", ".join(map(str, self.rest_payoffs)) + (
            "," if len(self.rest_payoffs) == 1 else ""
        )
        plays = ", ".join(map(str, self.play_payoffs)) + (
            "," if len(self.play_payoffs) == 1 else ""
        )
        gradual = ", recovery='gradual'" if self.recovery == "gradual" else ""
        return f"LSDArm(rest_payoffs=({rests}), play_payoffs=({plays}){gradual})"


def _states(given: Sequence[int], size: int, name: str) -> tuple[int, ...]:
    if len(given) != size:
        raise ModelError(f"{name} has {len(given)} entries; payoffs has {size}")
    for s, t in enumerate(given):
        if not isinstance(t, numbers.Integral) or not 0 <= t < size:
            raise ModelError(f"{name}[{s}] is {t!r}; it must be a state in 0..{size - 1}")
    return tuple(int(t) for t in given)


def exact_payoff(given: Any, where: str) -> Fraction:
    """The payoff as the rational number it is; `where` names it in errors."""
    try:
        exact = Fraction(given.item() if hasattr(given, "item") else given)
    except (TypeError, ValueError, OverflowError, ZeroDivisionError):
        raise ModelError(f"{where} is {given!r}; it must be a number in [0, 1]") from None
    if not 0 <= exact <= 1:
        raise ModelError(f"{where} is {given}; payoffs must be in [0, 1]")
    return exact
