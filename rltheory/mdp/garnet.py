"""Garnet models: random rows with a given number of successors, at any size.

Each pair (s, a) leads to `branching` different states, a uniform subset; their probabilities
are the gaps that branching - 1 uniform points leave in [0, 1]; rewards are uniform on [0, 1).

Reference: T. Archibald, K. McKinnon, L. Thomas, "On the generation of Markov decision
processes", Journal of the Operational Research Society 46, 1995.
"""

import numpy as np
from scipy import sparse

from rltheory import _core
from rltheory.errors import ModelError
from rltheory.mdp.arguments import at_least
from rltheory.mdp.model import MDP
from rltheory.mdp.streams import philox_key

__all__ = ["garnet"]

_MOST_ENTRIES = 2**40


def garnet(
    states: int,
    actions: int,
    branching: int,
    seed: int | np.random.SeedSequence = 0,
    discount: float | None = None,
) -> MDP:
    """A Garnet model, sparse, or dense when `branching` is more than half of `states`.

    Parameters
    ----------
    states, actions : int
        Each at least 1.
    branching : int
        Successors of each pair, in 1..states.
    seed : int or SeedSequence
    discount : float, optional
        In [0, 1).

    Returns
    -------
    MDP

    Raises
    ------
    ModelError
        If an argument is out of its range.

    Examples
    --------
    >>> from rltheory.mdp.garnet import garnet
    >>> mdp = garnet(states=1000, actions=4, branching=5, seed=0, discount=0.99)
    >>> mdp.n_pairs, mdp.transitions.nnz, mdp.storage
    (4000, 20000, 'csr')
    """
    at_least("states", states, 1)
    at_least("actions", actions, 1)
    at_least("branching", branching, 1)
    if branching > states:
        raise ModelError(
            f"branching is {branching}; it must be in 1..{states}, the number of states"
        )
    rows = states * actions
    if states > np.iinfo(np.int32).max or rows * branching > _MOST_ENTRIES:
        raise ModelError(
            f"states={states}, actions={actions}, branching={branching} make {rows * branching} "
            f"entries; at most {_MOST_ENTRIES} entries and 2^31 - 1 states are supported"
        )
    col, prob, reward = _core.model.garnet(rows, states, branching, *philox_key(seed, "garnet"))
    # Beside pointers of another width scipy would copy the columns.
    width = np.int32 if rows * branching <= np.iinfo(np.int32).max else np.int64
    row_ptr = np.arange(0, rows * branching + 1, branching, dtype=width)
    row_ptr.setflags(write=False)
    transitions = sparse.csr_array((prob, col, row_ptr), shape=(rows, states))
    return MDP(transitions, reward.reshape(states, actions), discount)
