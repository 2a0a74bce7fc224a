"""The empirical model: shares of the draws of each pair, and their mean rewards.

P_hat(s' | s, a) = N(s, a, s') / n(s, a), ending included as what is left; r_hat(s, a) is the sum of
the rewards of the draws divided by n(s, a). What the learner knows beside the draws is the number
of states and of actions, and the discount or the horizon.
"""

from typing import Any

import numpy as np
from scipy import sparse

from rltheory.errors import ModelError
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.model import MDP

__all__ = ["draws_of", "empirical_model"]


def draws_of(n: Any) -> int:
    """n, if it is a number of draws."""
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
        raise ModelError(f"n is {n!r}; the draws of each pair are an integer of at least 1")
    return int(n)


def empirical_model(counts: Any, info: Any) -> MDP | EpisodicMDP:
    """The model whose rows are the shares of the draws.

    Parameters
    ----------
    counts : Counts
        Every pair (of every stage) drawn at least once.
    info : what the access tells of the model
        ``n_states, n_actions``, and ``discount`` or ``horizon``.

    Raises
    ------
    ModelError
        If a pair was never drawn, or the model has neither a discount nor a horizon.
    """
    S, A = info.n_states, info.n_actions
    visits = np.asarray(counts.visits, dtype=np.int64).reshape(-1)
    if not visits.all():
        row = int(np.flatnonzero(visits == 0)[0])
        raise ModelError(
            f"pair number {row} was never drawn; the empirical model needs a draw of every pair"
        )
    following = sparse.csr_array(counts.next_counts)
    shares = sparse.csr_array(
        (following.data / np.repeat(visits, np.diff(following.indptr)), following.indices,
         following.indptr),
        shape=following.shape,
    )  # fmt: skip
    ended = visits - np.asarray(following.sum(axis=1)).reshape(-1)
    ends = (ended / visits) if ended.any() else None
    rewards = np.asarray(counts.reward_sums).reshape(-1) / visits
    horizon = getattr(info, "horizon", None)
    discount = getattr(info, "discount", None)
    if horizon is None and discount is None:
        raise ModelError("the model has neither a discount nor a horizon; planning needs one")
    if horizon is None:
        ends = None if ends is None else ends.reshape(S, A)
        return MDP(shares, rewards.reshape(S, A), discount, termination=ends)
    # Draws of every stage, or of pairs that are the same at all stages.
    shape = (S, A) if len(visits) == S * A else (horizon, S, A)
    stages = [shares[row : row + S * A] for row in range(0, len(visits), S * A)]
    ends = None if ends is None else ends.reshape(shape)
    return EpisodicMDP(
        stages if len(shape) > 2 else shares, rewards.reshape(shape), horizon, termination=ends
    )
