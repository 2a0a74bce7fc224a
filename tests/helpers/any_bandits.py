"""A hypothesis strategy of LSD bandits with payoffs in any order, where idling may be forbidden."""

from hypothesis import strategies as st

import rltheory as rlt
from tests.helpers.lsd_arms import lsd_bandits


def any_bandits(arms=(1, 2, 3)):
    """LSD arms with payoffs in multiples of 1/8, one or two plays, with and without idling."""
    bandits = lsd_bandits(arms=arms, plays=(1, 2), mode="any")
    return st.builds(lambda b, idle: rlt.LSDBandit(b.arms, b.plays, idle), bandits, st.booleans())
