"""Draws of every pair of a model, counted: the least that planning from samples needs.

Successors come from the core's alias tables, one word a draw; a pair pays its mean reward, which is
taken to be known.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from rltheory import _core
from rltheory.mdp.data.counts import Counts
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.model import MDP
from rltheory.mdp.streams import philox_key

__all__ = ["PairDraws", "generative"]

_BLOCK = 2**20
"""Draws in memory at a time."""


@dataclass(frozen=True)
class _Info:
    """What a learner may know."""

    n_states: int
    n_actions: int
    discount: float | None
    horizon: int | None


class PairDraws:
    """A generative access: n draws of every pair at a time."""

    def __init__(self, mdp: MDP | EpisodicMDP, seed: Any) -> None:
        self._mdp = mdp
        self._sampler = _core.simulate.Sampler(mdp.core)
        self._key = philox_key(seed, "access-generative")
        self._drawn = 0
        horizon = mdp.horizon if isinstance(mdp, EpisodicMDP) else None
        discount = None if isinstance(mdp, EpisodicMDP) or mdp.discount is None else mdp.discount
        self.mdp_info = _Info(
            mdp.n_states, mdp.n_actions, None if discount is None else float(discount), horizon
        )

    def counts(self, n: int) -> Counts:
        """Counts of n fresh draws of every pair (of every stage whose rows differ)."""
        mdp, S = self._mdp, self._mdp.n_states
        width = S + 1  # the end comes first
        found = np.zeros(mdp.n_pairs * width, dtype=np.int64)
        for first in range(0, mdp.n_pairs * n, _BLOCK):
            draws = np.arange(first, min(mdp.n_pairs * n, first + _BLOCK))
            rows = draws // n
            after = self._sampler.draw(rows, *self._key, self._drawn)
            self._drawn += len(rows)
            found += np.bincount(rows * width + after + 1, minlength=len(found))
        followed = found.reshape(-1, width)[:, 1:]
        stages, A = mdp.core.n_stages, mdp.n_actions
        shape = (stages, S, A) if stages > 1 else (S, A)
        place = np.repeat(np.arange(stages * S), np.diff(mdp.pair_ptr)) * A + mdp.actions
        visits, paid = np.zeros(stages * S * A, dtype=np.int64), np.zeros(stages * S * A)
        visits[place], paid[place] = n, n * mdp.mean_rewards
        following = np.zeros((stages * S * A, S), dtype=np.int64)
        following[place] = followed
        return Counts(visits.reshape(shape), sparse.csr_array(following), paid.reshape(shape))


def generative(mdp: MDP | EpisodicMDP, seed: Any = 0) -> PairDraws:
    """Draws of every pair of this model, by the random numbers of this seed."""
    return PairDraws(mdp, seed)
