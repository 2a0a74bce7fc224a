"""Which states an occupancy counts: those that have probability exactly, whatever rounding says.

An occupancy in doubles may be 10^-17 where it is 0. Where theorems ask whether it is 0, the graph
of the model answers: a state is reached from a start law along the rows of a policy, or not.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import breadth_first_order

from rltheory import _core
from rltheory.mdp.model import MDP
from rltheory.solvers.bellman import discount_of
from rltheory.solvers.occupancy import occupancy

__all__ = ["reached_states", "state_occupancy"]

Array = NDArray[np.float64]


def reached_states(mdp: MDP, start: Array, rows: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether a state has occupancy from a start law, under a policy that takes just these rows.

    Parameters
    ----------
    mdp : MDP
        With a discount; at discount 0 only the start counts.
    start : ndarray of float64, shape (S,)
    rows : ndarray of bool, shape (n_pairs,)

    Returns
    -------
    ndarray of bool, shape (S,)
    """
    first = start > 0.0
    if discount_of(mdp) == 0.0:
        return first
    S = mdp.n_states
    row_ptr, col, _ = _core.model.as_csr(mdp.core)
    owner = np.repeat(mdp.states, np.diff(row_ptr))
    used = np.repeat(rows, np.diff(row_ptr))
    # One more node leads to every state of the start law.
    tails = np.concatenate([owner[used], np.full(int(first.sum()), S)])
    heads = np.concatenate([col[used], np.flatnonzero(first)])
    ones = np.ones(len(tails), dtype=np.int8)
    graph = sparse.csr_array((ones, (tails, heads)), shape=(S + 1, S + 1))
    found = breadth_first_order(graph, S, return_predecessors=False)
    out = np.zeros(S + 1, dtype=np.bool_)
    out[found] = True
    return out[:S]


def state_occupancy(mdp: MDP, policy: NDArray[np.int64], start: Array) -> Array:
    """d(s) of a policy of actions, normalised, and 0 in states that are not reached."""
    d = np.bincount(mdp.states, occupancy(mdp, policy, start).reshape(-1), minlength=mdp.n_states)
    taken = mdp.actions == policy[mdp.states]
    return np.where(reached_states(mdp, start, taken), d, 0.0)
