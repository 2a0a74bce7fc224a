"""What a learner is: something that plans, acts and observes, and is told no more than its access.

Before each episode it plans; in each step it acts and then observes what happened:

    begin(task)
    for each episode k:    policy = plan(k)
        for each stage h:  action = act(h, state);  observe(h, state, action, reward, next_state)

`rltheory.learning.run.run` is that loop. The policy that `plan` declares is what regret is computed
of, so that an action which `act` returns must be one that this policy takes.
"""

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

__all__ = ["Learner", "Task"]


@dataclass(frozen=True)
class Task:
    """What a learner is told before the first episode.

    Parameters
    ----------
    n_states, n_actions, horizon : int
        At least 1 each.
    episodes : int
        How many will be played: confidence levels that hold at all times may use it.
    seed : int
        For the learner's own random numbers, if it has any.
    info : object
        Whatever else the access says of the model (``access.mdp_info``): features, for instance.
    """

    n_states: int
    n_actions: int
    horizon: int
    episodes: int
    seed: int = 0
    info: Any = None


@runtime_checkable
class Learner(Protocol):
    """A learner that plays episodes: four methods, in the order in which they are called.

    Any object with these methods is one; nothing has to be derived from.
    """

    def begin(self, task: Task) -> None:
        """Forget everything and get ready for this task."""

    def plan(self, episode: int) -> Any:
        """The policy of this episode, counted from 0; None where it is that of the one before.

        A policy is an array as in `rltheory.evaluate`, or a `Mixture`. A learner that has none to
        declare returns None from the beginning; its regret is then not defined.
        """

    def act(self, stage: int, state: int) -> int:
        """The action in this state, at this stage of the current episode."""

    def observe(self, stage: int, state: int, action: int, reward: float, next_state: int) -> None:
        """What this action brought; `next_state` is -1 where the episode ended early."""
