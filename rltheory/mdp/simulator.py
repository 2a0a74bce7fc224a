"""The numbers behind every access and every sample: which word of which stream decides what.

Streams are Philox streams keyed by (seed, purpose); draw i of a purpose takes its word i:

    starts        word k: the start of episode k, from the alias table of the start law
    transitions   the next state, from the alias table of the pair's row
    rewards       the reward, where the law of rewards is random
    actions       the action, where the policy is stochastic

In episodes of at most T steps, step h of episode k takes word k T + h; where there is no T (a
discounted model that is stepped), word i belongs to step i of all. Hence an episode played step by
step is the episode played whole, and nothing depends on threads or order.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from rltheory import _core
from rltheory.errors import ModelError
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.model import MDP
from rltheory.mdp.reward_laws import Atoms, Bernoulli, Deterministic, Gaussian
from rltheory.mdp.streams import philox_key

__all__ = ["Keys", "keys_of", "law_sampler", "model_of", "simulator_of"]

Keys = NDArray[np.uint64]

_NONE = np.zeros(0)


def simulator_of(mdp: MDP | EpisodicMDP) -> _core.simulate.Simulator:
    """The core's tables for drawing next states and rewards of a model's rows."""
    law = mdp.reward_law
    if isinstance(law, Deterministic):
        return _core.simulate.Simulator(mdp.core, "stated", 0.0, _NONE, _NONE)
    if isinstance(law, Bernoulli):
        return _core.simulate.Simulator(mdp.core, "bernoulli", float(law.scale), _NONE, _NONE)
    if isinstance(law, Gaussian):
        return _core.simulate.Simulator(mdp.core, "gaussian", float(law.sigma), _NONE, _NONE)
    assert isinstance(law, Atoms)
    values, chances = (np.ascontiguousarray(x).reshape(-1) for x in (law.values, law.probabilities))
    return _core.simulate.Simulator(mdp.core, "atoms", 0.0, values, chances)


def law_sampler(law: NDArray[np.float64]) -> _core.simulate.Sampler:
    """The alias table of a law over states, as row 0 of a sampler."""
    size = len(law)
    possible = np.flatnonzero(law)
    # The other states stay where they are.
    columns = np.concatenate([possible, np.arange(1, size)])
    chances = np.concatenate([law[possible], np.ones(size - 1)])
    pointers = np.concatenate([[0], len(possible) + np.arange(size)])
    rows = sparse.csr_array((chances, columns, pointers), shape=(size, size))
    return _core.simulate.Sampler(MDP(rows, np.zeros((size, 1))).core)


def keys_of(seed: int | np.random.SeedSequence, room: str, *streams: str) -> Keys:
    """Two words of key for each stream of a room, ``room-stream`` being its purpose."""
    return np.array([philox_key(seed, f"{room}-{name}") for name in streams], np.uint64).reshape(-1)


def model_of(mdp: Any) -> MDP | EpisodicMDP:
    """The tabular model: itself, or what ``mdp.tabular()`` gives.

    Raises
    ------
    ModelError
        If it is neither.
    """
    found = mdp.tabular() if hasattr(mdp, "tabular") else mdp
    if not isinstance(found, MDP | EpisodicMDP):
        raise ModelError(f"a {type(mdp).__name__} cannot be sampled; it must be a model")
    return found
