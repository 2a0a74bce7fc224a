"""Hypothesis strategies of LSD bandits; what fails shrinks to few arms and small integers."""

from fractions import Fraction

from hypothesis import strategies as st

import rltheory as rlt


@st.composite
def lsd_arms(draw, most_rests=3, most_plays=2, mode="monotone", recovery=("reset",)):
    """An arm with payoffs in multiples of 1/8: nondecreasing, in rests only, or in any order."""
    rests, plays = draw(st.integers(1, most_rests)), draw(st.integers(1, most_plays))
    size = rests + plays
    eighths = [
        Fraction(x, 8) for x in draw(st.lists(st.integers(0, 8), min_size=size, max_size=size))
    ]
    if mode == "monotone":
        eighths.sort()
    worn, rested = eighths[:plays][::-1], eighths[plays:]
    return rlt.LSDArm(
        sorted(rested) if mode == "rested" else rested, worn, draw(st.sampled_from(recovery))
    )


@st.composite
def lsd_bandits(draw, arms=(2, 3), plays=(1, 2, 3), **of_arms):
    """A bandit of such arms; k is at most the number of arms."""
    n = draw(st.sampled_from(arms))
    k = min(n, draw(st.sampled_from(plays)))
    return rlt.LSDBandit([draw(lsd_arms(**of_arms)) for _ in range(n)], k)


@st.composite
def ordered_arms(draw, most_states=4):
    """An arm with any maps and payoffs in multiples of 1/8."""
    size = draw(st.integers(1, most_states))
    states = st.lists(st.integers(0, size - 1), min_size=size, max_size=size)
    paid = draw(st.lists(st.integers(0, 8), min_size=size, max_size=size))
    return rlt.OrderedArm(draw(states), draw(states), [Fraction(x, 8) for x in paid])


def any_bandits(arms=(1, 2, 3)):
    """LSD arms with payoffs in multiples of 1/8, one or two plays, with and without idling."""
    bandits = lsd_bandits(arms=arms, plays=(1, 2), mode="any")
    return st.builds(lambda b, idle: rlt.LSDBandit(b.arms, b.plays, idle), bandits, st.booleans())
