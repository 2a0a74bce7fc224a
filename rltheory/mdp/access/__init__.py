"""Ways to use a model without knowing it: what may be asked, and how much was.

    online            episodes from the start law: reset, then step after step
    mu_reset          online, or an episode from any stage h, its state drawn from mu_h
    local_simulator   draws at states that this access has shown before
    hybrid            local simulator and mu-resets
    generative        draws at any pair

All keep count in `used`, say in `mdp_info` what a learner may know, and raise `AccessError` when
asked for more than they allow. `rltheory.mdp.simulator` says which random word decides what.
"""

from typing import Any

from numpy.typing import ArrayLike

from rltheory.mdp.access.common import MDPInfo, Seed, Step, Used
from rltheory.mdp.access.draws import Generative, Hybrid, LocalSimulator
from rltheory.mdp.access.episodes import MuReset, Online

__all__ = [
    "Generative",
    "Hybrid",
    "LocalSimulator",
    "MDPInfo",
    "MuReset",
    "Online",
    "Step",
    "Used",
    "generative",
    "hybrid",
    "local_simulator",
    "mu_reset",
    "online",
]


def online(mdp: Any, seed: Seed = 0) -> Online:
    """Episodes from the start law of a model.

    Parameters
    ----------
    mdp : MDP, EpisodicMDP or LinearMDP
        With a start law. Without a horizon an episode lasts until it ends, or is reset.
    seed : int or SeedSequence

    Returns
    -------
    Online
        ``reset() -> state``, ``step(action) -> Step(reward, state, ended)``.

    Raises
    ------
    ModelError
        If the model has no start law.

    Examples
    --------
    >>> import rltheory as rlt
    >>> access = rlt.online(rlt.riverswim(3).episodic(2), seed=0)
    >>> state = access.reset()
    >>> access.step(1)
    Step(reward=0.0, state=0, ended=False)
    >>> access.used
    Used(episodes=1, steps=1, draws=0, resets=0)
    """
    return Online(mdp, seed)


def generative(mdp: Any, seed: Seed = 0) -> Generative:
    """Draws of rewards and next states at any pair.

    Parameters
    ----------
    mdp : MDP, EpisodicMDP or LinearMDP
    seed : int or SeedSequence

    Returns
    -------
    Generative
        ``sample(states, actions, stages=None) -> (rewards, next_states)`` and ``counts(n)``.

    Examples
    --------
    >>> import rltheory as rlt
    >>> access = rlt.generative(rlt.riverswim(3), seed=0)
    >>> access.sample([0, 0, 2], [0, 1, 1])
    (array([0.005, 0.   , 1.   ]), array([0, 0, 1], dtype=int32))
    >>> access.counts(100), access.used.draws
    (Counts(3 states, 2 actions, 600 visits), 603)
    """
    return Generative(mdp, seed)


def local_simulator(mdp: Any, seed: Seed = 0) -> LocalSimulator:
    """Episodes, and draws at states that episodes or draws have shown before.

    Examples
    --------
    >>> import rltheory as rlt
    >>> access = rlt.local_simulator(rlt.riverswim(3), seed=0)
    >>> state = access.reset()
    >>> rewards, next_states = access.sample([state] * 2, [0, 1])
    >>> access.sample([2], [0])
    Traceback (most recent call last):
        ...
    rltheory.errors.AccessError: a draw at state 2 is asked for; this access has not shown it yet
    """
    return LocalSimulator(mdp, seed)


def mu_reset(mdp: Any, mu: ArrayLike, seed: Seed = 0) -> MuReset:
    """Episodes from the start law, or from a law mu at any stage.

    Parameters
    ----------
    mdp : MDP, EpisodicMDP or LinearMDP
    mu : array_like, shape (S,) or (H, S)
        Laws over states.
    seed : int or SeedSequence

    Returns
    -------
    MuReset
        ``reset(from_mu=False, stage=0)``, and ``step`` as `online`.

    Examples
    --------
    >>> import rltheory as rlt
    >>> access = rlt.mu_reset(rlt.riverswim(3).episodic(4), mu=[0, 0, 1])
    >>> access.reset(), access.reset(from_mu=True, stage=3)
    (0, 2)
    >>> access.step(1).ended  # stage 3 is the last one
    True
    """
    return MuReset(mdp, mu, seed)


def hybrid(mdp: Any, mu: ArrayLike, seed: Seed = 0) -> Hybrid:
    """A local simulator that can also be reset to a law mu; see `local_simulator`, `mu_reset`.

    Examples
    --------
    >>> import rltheory as rlt
    >>> access = rlt.hybrid(rlt.riverswim(3), mu=[0, 0, 1])
    >>> state = access.reset(from_mu=True)
    >>> rewards, next_states = access.sample([state] * 3, [1] * 3)
    >>> access.used
    Used(episodes=1, steps=0, draws=3, resets=1)
    """
    return Hybrid(mdp, mu, seed)
