"""Plans of one arm: cycles of its states, which a virtual copy of the arm runs for ever.

A relaxation gives each arm a law over plans; a schedule draws one per arm, and an offset.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

from rltheory.errors import ModelError
from rltheory.lsd_bandits.arms import LSDArm, OrderedArm
from rltheory.lsd_bandits.bandit import LSDBandit

if TYPE_CHECKING:
    from rltheory.lsd_bandits.relaxation_bracket import RelaxationBracket

__all__ = ["Plan", "Relaxation", "always", "block", "need_relaxation"]


@dataclass(frozen=True)
class Plan:
    """A cycle of an arm's states, from the round after its last play on.

    Attributes
    ----------
    states : tuple of int, length L
        The arm's state (an index) at the start of each round of the cycle.
    plays : tuple of bool, length L
        Whether it is played then.
    """

    states: tuple[int, ...]
    plays: tuple[bool, ...]

    @property
    def period(self) -> int:
        """L, the rounds of one cycle."""
        return len(self.states)

    @property
    def n_plays(self) -> int:
        """The plays of one cycle."""
        return sum(self.plays)

    def reward(self, arm: OrderedArm) -> Fraction:
        """What one cycle pays."""
        pairs = zip(self.states, self.plays, strict=True)
        return sum((arm.payoffs[s] for s, played in pairs if played), Fraction(0))

    def name(self) -> str:
        """ "always", "never", or "(n,m)" for n rests before m plays."""
        if self.n_plays == self.period:
            return "always"
        if self.n_plays == 0:
            return "never"
        rests = self.period - self.n_plays
        if not any(self.plays[:rests]):
            return f"({rests},{self.n_plays})"
        return "".join("p" if played else "r" for played in self.plays)


def block(arm: LSDArm, rests: int, plays: int) -> Plan:
    """The plan of type (n, m): rest n rounds, then play m.

    Parameters
    ----------
    arm : LSDArm
    rests, plays : int
        n and m, at least 1. Beyond R and M states stay at the ends.

    Examples
    --------
    >>> import rltheory as rlt
    >>> from rltheory.lsd_bandits.plans import block
    >>> arm = rlt.LSDArm(rest_payoffs=["1/2", 1], play_payoffs=["1/4"])
    >>> plan = block(arm, 2, 2)
    >>> plan.name(), plan.period, plan.reward(arm)
    ('(2,2)', 4, Fraction(5, 4))
    """
    if rests < 1 or plays < 1:
        raise ModelError(f"the type is ({rests}, {plays}); rests and plays must be at least 1")
    pattern = (False,) * rests + (True,) * plays
    return _cycle(arm, pattern)


def always(arm: OrderedArm) -> Plan:
    """The plan that plays in every round, in the state where this leads."""
    return _cycle(arm, (True,))


def _cycle(arm: OrderedArm, pattern: tuple[bool, ...]) -> Plan:
    """The cycle into which repeating the pattern leads from the top state."""
    state, seen = arm.top, set()
    while state not in seen:
        seen.add(state)
        for played in pattern:
            state = arm.play_next[state] if played else arm.rest_next[state]
    start, states = state, []
    while True:
        for played in pattern:
            states.append(state)
            state = arm.play_next[state] if played else arm.rest_next[state]
        if state == start:
            return Plan(tuple(states), pattern * (len(states) // len(pattern)))


@dataclass(frozen=True, repr=False)
class Relaxation:
    """A solution of the relaxation, in which arms are coupled only by their rates of plays.

    Attributes
    ----------
    bandit : LSDBandit
    value : Fraction or float
        The reward per round of the solution; of an optimal one an upper bound of every schedule's.
    plans : tuple of N tuples of Plan
        By ascending rate of plays.
    rates : tuple of N tuples of Fraction or float
        How often per round each plan's cycle starts; a plan is followed with probability
        ``rate * period``, and the arm is never played with the rest.
    multiplier : Fraction or float
        The price of a play: the slope at which the budget of k plays per round is used up, 0 if
        it is not.
    """

    bandit: LSDBandit
    value: Fraction | float
    plans: tuple[tuple[Plan, ...], ...]
    rates: tuple[tuple[Fraction | float, ...], ...]
    multiplier: Fraction | float

    def probabilities(self, arm: int) -> tuple[Fraction | float, ...]:
        """The probability of each of the arm's plans; what is missing to 1 is never to play."""
        pairs = zip(self.plans[arm], self.rates[arm], strict=True)
        return tuple(rate * plan.period for plan, rate in pairs)

    @cached_property
    def is_exact(self) -> bool:
        """Whether all numbers are fractions."""
        numbers = [self.value, self.multiplier, *(x for rates in self.rates for x in rates)]
        return all(isinstance(x, Fraction | int) for x in numbers)

    @cached_property
    def plays_per_round(self) -> Fraction | float:
        """The plays of all plans together, at most k."""
        return sum(
            rate * plan.n_plays
            for plans, rates in zip(self.plans, self.rates, strict=True)
            for plan, rate in zip(plans, rates, strict=True)
        )

    def check(self) -> "RelaxationBracket":
        """Prove, in exact arithmetic, between which bounds the relaxation's optimum lies.

        From below by these rates, from above by the multiplier with potentials of every arm; for
        an exact optimal solution the two agree.

        Raises
        ------
        ModelError
            If a plan is no cycle of its arm, or a rate is negative.
        """
        from rltheory.lsd_bandits.relaxation_bracket import bracket_relaxation

        return bracket_relaxation(self)

    def __repr__(self) -> str:
        def told(x: Fraction | float) -> str:
            return str(x) if self.is_exact else f"{float(x):.6g}"

        arms = []
        for i, plans in enumerate(self.plans):
            pairs = zip(plans, self.probabilities(i), strict=True)
            words = [plan.name() + ("" if p == 1 else f" {told(p)}") for plan, p in pairs]
            arms.append(f"arm {i} " + (", ".join(words) or "never"))
        how = " exact" if self.is_exact else ""
        return (
            f"Relaxation(value {told(self.value)}{how}, price {told(self.multiplier)}: "
            f"{'; '.join(arms)})"
        )


def need_relaxation(relax: object) -> None:
    """Refuse what is no solution of a relaxation, a bandit say.

    Raises
    ------
    ModelError
        That says how to make one.
    """
    if not isinstance(relax, Relaxation):
        raise ModelError(
            f"{relax!r} is no Relaxation; concave_relaxation(bandit, exact=True) makes one"
        )
