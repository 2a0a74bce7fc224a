"""What is reached is known from the graph, not from rounding."""

import math

import numpy as np

import rltheory as rlt
from rltheory.mirror_descent.reached import reached_states


def test_what_is_never_reached_is_known_from_the_graph():
    """A large cycle, whose equations are iterated, beside a state that leads into it."""
    S = 400
    ring = [[(s + 1) % S, (s + 7) % S] for s in range(S)]
    mdp = rlt.MDP.deterministic(
        [*ring, [0, 0]], [[0.5, 0.0]] * S + [[1.0, 0.0]], 0.99, initial=[1.0] + [0.0] * S
    )
    everywhere = np.ones(mdp.n_pairs, dtype=bool)
    reached = reached_states(mdp, mdp.initial, everywhere)
    assert reached[:S].all() and not reached[S]
    history = rlt.natural_policy_gradient(mdp, 0.1, 1)
    assert history.policy[S].tolist() == [0.5, 0.5] and history.policy[0, 0] > 0.5
    one = reached_states(mdp.with_discount(0.0), mdp.initial, everywhere)
    assert one.sum() == 1
    # The occupancy of the optimum is 0 there exactly, so the mismatch does not divide by its start.
    start = np.r_[np.full(S, 1.0 / S), 0.0]
    assert 1.0 < rlt.distribution_mismatch(mdp, start) < math.inf
