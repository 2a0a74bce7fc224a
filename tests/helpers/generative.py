"""A generative model in a few lines of numpy, for tests of what only needs `counts`."""

from types import SimpleNamespace
from typing import Any

import numpy as np
from scipy import sparse

from rltheory.mdp.data import Counts
from rltheory.mdp.streams import Stream


class PlainGenerative:
    """Draws of every pair of a full model, one stream a pair."""

    def __init__(self, mdp: Any, seed: Any = 0) -> None:
        self.mdp, self.seed = mdp, seed
        self.mdp_info = SimpleNamespace(
            n_states=mdp.n_states,
            n_actions=mdp.n_actions,
            discount=getattr(mdp, "discount", None),
            horizon=getattr(mdp, "horizon", None),
        )

    def counts(self, n: int) -> Any:
        S = self.mdp.n_states
        p = self.mdp.transitions.toarray()
        cumulated = np.cumsum(p, axis=1)
        following = np.zeros_like(p, dtype=np.int64)
        for row in range(len(p)):
            u = Stream(self.seed, "tests.generative", row).uniforms(n)
            drawn = np.searchsorted(cumulated[row], u * max(1.0, cumulated[row, -1]), side="right")
            following[row] = np.bincount(drawn, minlength=S + 1)[:S]
        shape = (-1, S, self.mdp.n_actions) if len(p) > S * self.mdp.n_actions else (S, -1)
        rewards = (n * self.mdp.mean_rewards).reshape(shape)
        return Counts(np.full(rewards.shape, n), sparse.csr_array(following), rewards)
