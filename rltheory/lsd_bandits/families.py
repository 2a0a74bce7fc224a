"""Instances of the claims about last-switch-dependent bandits: random ones, corners, named ones.

An `Instance` holds plain numbers, so that it can be stored and replayed; `bandit_of` makes the
bandit of it and `case` is its inverse. Payoffs of random instances are multiples of 1/8, so that
everything stays exact and ties are common.
"""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice, Integer, Many
from rltheory.lsd_bandits.arms import LSDArm, OrderedArm
from rltheory.lsd_bandits.bandit import LSDBandit

__all__ = [
    "CORNERS",
    "GOLDEN",
    "bandit_of",
    "blocking",
    "case",
    "named",
    "rand_any",
    "rand_block",
    "rand_mono",
    "rand_ordered",
    "rand_rested",
    "tight",
]

ARMS = (1, 2, 2, 3, 3)
PLAYS = (1, 1, 2, 3)
MOST_ARMS = 3
MOST_DELAY = 5


def case(bandit: LSDBandit) -> Instance:
    """The instance of a bandit, as the families build them.

    Its parts are `rest_payoffs`, `play_payoffs` (N lists of Fraction) and `recovery` (N words) if
    every arm is an `LSDArm`, else `play_next`, `rest_next`, `payoffs` (N lists); and `plays`.
    """
    arms, plays = bandit.arms, bandit.plays
    lsd = [arm for arm in arms if isinstance(arm, LSDArm)]
    if len(lsd) == len(arms):
        return Instance(
            rest_payoffs=[list(arm.rest_payoffs) for arm in lsd],
            play_payoffs=[list(arm.play_payoffs) for arm in lsd],
            recovery=[arm.recovery for arm in lsd],
            plays=plays,
        )
    return Instance(
        play_next=[list(arm.play_next) for arm in arms],
        rest_next=[list(arm.rest_next) for arm in arms],
        payoffs=[list(arm.payoffs) for arm in arms],
        plays=plays,
    )


def bandit_of(instance: Instance) -> LSDBandit:
    """The bandit that an instance describes."""
    if "rest_payoffs" in instance:
        lists = zip(instance.rest_payoffs, instance.play_payoffs, instance.recovery, strict=True)
        return LSDBandit([LSDArm(*each) for each in lists], instance.plays)
    lists = zip(instance.play_next, instance.rest_next, instance.payoffs, strict=True)
    return LSDBandit([OrderedArm(*each) for each in lists], instance.plays)


def named(bandits: Mapping[str, Callable[[], LSDBandit]]) -> dict[str, Callable[[], Instance]]:
    """Functions that build bandits as the named instances of a claim."""

    def of(make: Callable[[], LSDBandit]) -> Callable[[], Instance]:
        return lambda: case(make())

    return {name: of(make) for name, make in bandits.items()}


# --- random -------------------------------------------------------------------------------


def rand_mono(
    plays: Sequence[int] = PLAYS,
    arms: Sequence[int] = ARMS,
    most_rests: int = 3,
    most_plays: int = 2,
    recovery: Sequence[str] = ("reset",),
) -> Family:
    """LSD arms whose payoffs are nondecreasing over all states, (M).

    Parameters
    ----------
    plays : sequence of int
        From which k is drawn; more than N count as N.
    arms : sequence of int
        From which N <= 3 is drawn.
    most_rests, most_plays : int
        R_i is in 1..most_rests and M_i in 1..most_plays.
    recovery : sequence of {"reset", "gradual"}

    Notes
    -----
    Every second instance has step functions; one in eight pays nothing, one in eight has equal
    arms.
    """
    return _family("monotone", plays, arms, most_rests, most_plays, recovery)


def rand_rested(
    plays: Sequence[int] = PLAYS,
    arms: Sequence[int] = ARMS,
    most_rests: int = 3,
    most_plays: int = 2,
    recovery: Sequence[str] = ("reset",),
) -> Family:
    """As `rand_mono`, nondecreasing in the rests n > 0 alone, (M+)."""
    return _family("rested", plays, arms, most_rests, most_plays, recovery)


def rand_any(
    plays: Sequence[int] = PLAYS,
    arms: Sequence[int] = ARMS,
    most_rests: int = 3,
    most_plays: int = 2,
    recovery: Sequence[str] = ("reset",),
) -> Family:
    """As `rand_mono`, in any order, (G)."""
    return _family("any", plays, arms, most_rests, most_plays, recovery)


def _family(
    mode: str,
    plays: Sequence[int],
    arms: Sequence[int],
    most_rests: int,
    most_plays: int,
    recovery: Sequence[str],
) -> Family:
    width = most_rests + most_plays

    def build(
        arms: int,
        plays: int,
        rests: list[int],
        worn: list[int],
        eighths: list[int],
        shape: str,
        special: str,
        recovery: str,
    ) -> Instance:
        lists = []
        for i in range(arms):
            drawn = eighths[i * width : i * width + rests[i] + worn[i]]
            if shape == "steps":
                # Nothing below a threshold, the first number from there on.
                threshold = sum(drawn) % len(drawn)
                drawn = [drawn[0] if s >= threshold else 0 for s in range(len(drawn))]
                drawn = drawn if mode == "monotone" else _turned(drawn, eighths[i])
            if special == "nothing":
                drawn = [0] * len(drawn)
            payoffs = [Fraction(x, 8) for x in (sorted(drawn) if mode == "monotone" else drawn)]
            rested = payoffs[worn[i] :]
            lists.append((sorted(rested) if mode == "rested" else rested, payoffs[: worn[i]][::-1]))
        if special == "equal":
            lists = [lists[0]] * arms
        return Instance(
            rest_payoffs=[rested for rested, _ in lists],
            play_payoffs=[played for _, played in lists],
            recovery=[recovery] * arms,
            plays=min(plays, arms),
        )

    space: dict[str, Any] = {
        "arms": Choice(*arms),
        "plays": Choice(*plays),
        "rests": Many(Integer(1, most_rests), MOST_ARMS),
        "worn": Many(Integer(1, most_plays), MOST_ARMS),
        "eighths": Many(Integer(0, 8), MOST_ARMS * width),
        "shape": Choice("any", "steps"),
        "special": Choice(*["nothing", "equal"], *["none"] * 6),
        "recovery": Choice(*recovery),
    }
    return Family(space, build)


def _turned(drawn: list[int], by: int) -> list[int]:
    """The list, begun elsewhere: a step down as well as up."""
    by %= len(drawn)
    return drawn[by:] + drawn[:by]


def rand_block(plays: Sequence[int] = (1,), most_arms: int = 4) -> Family:
    """Blocking arms: N in 1..most_arms, delays in 1..5, rewards in {1/8, ..., 1}.

    Instances have `delays` and `rewards`, sorted by decreasing reward, beside the parts of `case`.
    """

    def build(arms: int, plays: int, delays: list[int], eighths: list[int]) -> Instance:
        rewards = sorted((Fraction(x, 8) for x in eighths[:arms]), reverse=True)
        bandit = blocking(delays[:arms], rewards, min(plays, arms))
        return Instance(**case(bandit), delays=delays[:arms], rewards=rewards)

    space: dict[str, Any] = {
        "arms": Integer(1, most_arms),
        "plays": Choice(*plays),
        "delays": Many(Integer(1, MOST_DELAY), most_arms),
        "eighths": Many(Integer(1, 8), most_arms),
    }
    return Family(space, build)


def rand_ordered(
    monotone: bool = True, plays: Sequence[int] = (1, 1, 2), most_states: int = 4
) -> Family:
    """Ordered arms with maps and payoffs drawn at random, N in {2, 3}, S_i in 1..most_states.

    Parameters
    ----------
    monotone : bool
        Whether maps and payoffs are sorted and a rest leads at least as high as a play; in
        one half of the instances, then, rests lead to the top.
    plays : sequence of int
        From which k is drawn.
    most_states : int
    """

    def build(
        arms: int,
        plays: int,
        states: list[int],
        play: list[int],
        rest: list[int],
        eighths: list[int],
        rise: bool,
    ) -> Instance:
        lists = []
        for i in range(arms):
            part, size = slice(i * most_states, i * most_states + states[i]), states[i]
            down, up = [x % size for x in play[part]], [x % size for x in rest[part]]
            paid = [Fraction(x, 8) for x in eighths[part]]
            if monotone:
                down, up, paid = sorted(down), sorted(up), sorted(paid)
                least = [min(s + 1, size - 1) if rise else 0 for s in range(size)]
                up = [max(pair) for pair in zip(up, down, least, strict=True)]
            lists.append((down, up, paid))
        return Instance(
            play_next=[down for down, _, _ in lists],
            rest_next=[up for _, up, _ in lists],
            payoffs=[paid for _, _, paid in lists],
            plays=min(plays, arms),
        )

    entries = MOST_ARMS * most_states
    space: dict[str, Any] = {
        "arms": Integer(2, MOST_ARMS),
        "plays": Choice(*plays),
        "states": Many(Integer(1, most_states), MOST_ARMS),
        "play": Many(Integer(0, most_states - 1), entries),
        "rest": Many(Integer(0, most_states - 1), entries),
        "eighths": Many(Integer(0, 8), entries),
        "rise": Choice(True, False),
    }
    return Family(space, build)


# --- named --------------------------------------------------------------------------------


def blocking(
    delays: Sequence[int], rewards: Sequence[Any] | None = None, plays: int = 1
) -> LSDBandit:
    """Blocking arms of these delays and rewards (1 if left out)."""
    paid = [1] * len(delays) if rewards is None else rewards
    return LSDBandit([LSDArm.blocking(d, r) for d, r in zip(delays, paid, strict=True)], plays)


def tight(n: int) -> LSDBandit:
    """N blocking arms of delay N: independent offsets earn no more than 1 - (1 - 1/N)^N."""
    return blocking([n] * n)


def _i1() -> LSDBandit:
    """The gap 4/5 between the optimum and the relaxation (claim ``lsd-gap-four-fifths``)."""
    return LSDBandit([LSDArm(["1/2"], [0]), LSDArm(["1/2", 1], ["1/2"])])


def _i2() -> LSDBandit:
    return LSDBandit(
        [
            LSDArm([0, "9/10"], [0]),
            LSDArm(["1/2", "3/5"], ["1/5"]),
            LSDArm(["2/5", "4/5"], ["1/10", 0]),
        ]
    )


def _i3() -> LSDBandit:
    return LSDBandit([LSDArm(["3/4", 1], ["1/2", "1/4"]), LSDArm(["1/2", "1/2"], ["1/4", 0])])


def _i4() -> LSDBandit:
    """Where ranking by real payoffs can lose to ranking by virtual ones (``lsd-real-rule``)."""
    return LSDBandit([LSDArm(["2/3", 1], ["1/3", 0]), LSDArm([1], ["1/3", 0])])


def _b23() -> LSDBandit:
    return blocking([2, 3])


def _b236() -> LSDBandit:
    return blocking([2, 3, 6])


GOLDEN: Mapping[str, Callable[[], LSDBandit]] = {
    "I1": _i1,
    "I2": _i2,
    "I3": _i3,
    "I4": _i4,
    "B23": _b23,
    "B236": _b236,
}
"""Bandits of which all values are known exactly, by name."""


def _arm() -> LSDArm:
    return LSDArm(["1/2", 1], ["1/4", 0])


CORNERS: Mapping[str, Callable[[], LSDBandit]] = {
    "one arm": lambda: LSDBandit([_arm()]),
    "as many plays as arms": lambda: LSDBandit([_arm(), LSDArm([1], ["1/2"])], plays=2),
    "constant arms": lambda: LSDBandit([LSDArm(["1/2"], ["1/2"]), LSDArm([1], [1])]),
    "no payoff at all": lambda: LSDBandit([LSDArm([0, 0], [0, 0])] * 2),
    "three equal arms": lambda: LSDBandit([_arm()] * 3),
    "three equal arms, two plays": lambda: LSDBandit([_arm()] * 3, plays=2),
}
"""Monotone bandits at the edges of what is allowed, by name."""
