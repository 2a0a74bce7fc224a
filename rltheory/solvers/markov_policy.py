"""The Markov policy that does what a mixture does.

A mixture draws one of its policies for a whole episode, and what it plays in a state then depends
on the draw. But with its occupancy d = sum_i w_i d^{pi_i} from the start law, the Markov policy

    pi_d(a | s) = d(s, a) / sum_b d(s, b),    stage by stage where there is a horizon,

has the same occupancy, hence the same value from the start law (claim plan-mixture): d satisfies
the flow equations of pi_d, which determine it. Not the same law of returns, and not the same value
from other states. Where d is 0 any choice will do. Source: Derman and Strauch 1966; Puterman 1994,
theorem 5.5.1.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.model import MDP
from rltheory.mdp.policies import uniform_policy
from rltheory.solvers.occupancy import occupancy

__all__ = ["markov_policy_of"]


def markov_policy_of(
    mdp: MDP | EpisodicMDP, policy: Any, initial: Any = None
) -> NDArray[np.float64]:
    """The Markov policy with the occupancy of a mixture.

    Parameters
    ----------
    mdp : MDP or EpisodicMDP
    policy : Mixture, or any policy that `occupancy` takes
    initial : array_like, shape (S,), optional
        Start law in place of the model's; the policy depends on it.

    Returns
    -------
    ndarray of float64, shape (S, A), or (H, S, A) with a horizon
        In states that are not reached, every action that is there with the same probability.

    Raises
    ------
    ModelError, PolicyError, ConvergenceError
        As in `occupancy`.

    Examples
    --------
    One of two constant policies, equally likely. It stays in state 0 for ever or leaves at once, so
    that with discount 1/2 it is there twice as often to stay as to leave:

    >>> import rltheory as rlt
    >>> mdp = rlt.MDP.deterministic([[0, 1], [1, 1]], [[0, 0], [0, 0]], 0.5, initial=[1, 0])
    >>> mixture = rlt.Mixture([0.5, 0.5], [[0, 0], [1, 1]])
    >>> rlt.markov_policy_of(mdp, mixture)[0].round(6).tolist()
    [0.666667, 0.333333]
    """
    mass = occupancy(mdp, policy, initial)
    table = _spread(mdp, mass)
    total = table.sum(axis=-1, keepdims=True)
    reached = total > 0.0
    return np.where(reached, table / np.where(reached, total, 1.0), uniform_policy(mdp))


def _spread(mdp: MDP | EpisodicMDP, mass: NDArray[np.float64]) -> NDArray[np.float64]:
    """Occupancy as a table of all pairs, 0 where there is none."""
    if isinstance(mdp, EpisodicMDP) and mass.ndim == 2:  # rows that stages share, ragged
        return np.stack([mdp.table(row, fill=0.0) for row in mass])
    return mdp.table(mass, fill=0.0) if mass.ndim == 1 else mass
