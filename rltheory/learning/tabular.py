"""Runs of tabular learners whole in the core: the same words, the same episodes, the same log.

The start of episode k of an access takes word k of its stream of starts, and the transition of
stage h word k H + h of its stream of transitions, played step by step or not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from rltheory import _core
from rltheory.errors import ModelError
from rltheory.learning.played import ActionPolicies
from rltheory.learning.run_log import RunLog
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.reward_laws import Deterministic

__all__ = ["Bonus", "EpisodeWords", "Run", "TabularLearner", "play_whole", "whole_episodes"]


class Bonus(NamedTuple):
    """A bonus as the core reads it: tables over n = 0, 1, .., and a vector over stages.

    The bonus is ``scale[h] * table[n]``, or where `root` is not empty the least of this and
    ``max(root[n] * sigma, scale[h] * floor[n])``, sigma the empirical deviation of the next value.
    """

    scale: NDArray[np.float64]
    table: NDArray[np.float64]
    root: NDArray[np.float64]
    floor: NDArray[np.float64]


@runtime_checkable
class TabularLearner(Protocol):
    """A learner that lives in the core: `core` is there once it has begun."""

    @property
    def core(self) -> _core.learning.TabularLearner: ...


@dataclass(frozen=True)
class EpisodeWords:
    """From which words of which streams episodes are made."""

    starts: tuple[int, int]
    transitions: tuple[int, int]
    first_episode: int = 0


@dataclass(frozen=True)
class Run:
    """What the core says of a run; `states` (episodes, H) and `bounds` (episodes,) if traced."""

    policies: ActionPolicies
    starts: NDArray[np.int64]
    which: NDArray[np.int32]
    returns: NDArray[np.float64]
    steps: int
    states: NDArray[np.int32]
    bounds: NDArray[np.float64]

    def log(self, used: Any, provenance: dict[str, Any]) -> RunLog:
        return RunLog(self.policies, self.starts, self.which, self.returns, used, provenance)


def whole_episodes(access: Any) -> tuple[EpisodicMDP, EpisodeWords] | None:
    """The model behind an online access and its next words; None where it must be stepped.

    An access that can be played whole has ``whole_episodes()``, which gives the model, the keys of
    both streams and the number of the next episode, or None; and ``count(episodes, steps)``, which
    is told what was played.
    """
    offer = getattr(access, "whole_episodes", None)
    offered = None if offer is None else offer()
    if offered is None:
        return None
    mdp, starts, transitions, first_episode = offered
    return mdp, EpisodeWords(starts, transitions, first_episode)


def play_whole(
    mdp: EpisodicMDP,
    learners: Sequence[_core.learning.TabularLearner],
    episodes: int,
    words: Sequence[EpisodeWords],
    traced: bool = False,
) -> list[Run]:
    """One run for each learner of the core, on as many threads as are set.

    With `traced` also the states, -1 after the end, and rho V_0 of the plan of each episode.
    """
    if mdp.initial is None:
        raise ModelError("the model has no start law; give initial= when it is made")
    if not isinstance(mdp.reward_law, Deterministic):
        raise ModelError("the learner assumes rewards that are no random numbers")
    first = {w.first_episode for w in words}
    if len(first) > 1:
        raise ModelError("runs that are played together begin at the same episode")
    keys = np.array([[*w.starts, *w.transitions] for w in words], dtype=np.uint64)
    try:
        played = _core.learning.play(
            mdp.core, mdp.horizon, mdp.initial, list(learners), episodes, first.pop(), keys, traced
        )
    except _core.learning.RewardFault as fault:
        raise ModelError(str(fault)) from None
    shape = (mdp.horizon, mdp.n_states)
    return [
        Run(ActionPolicies(shape, *changes), starts, which, returns, steps, states, bounds)
        for starts, which, *changes, returns, steps, states, bounds in played
    ]
