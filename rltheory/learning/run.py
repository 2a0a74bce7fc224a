"""The loop that every learner lives in: plan, act, observe, episode after episode."""

from typing import Any

import numpy as np

from rltheory.errors import AccessError, ModelError
from rltheory.learning.learner import Learner, Task
from rltheory.learning.played import PolicyRecorder
from rltheory.learning.run_log import RunLog

__all__ = ["run"]


def run(learner: Learner, access: Any, episodes: int, seed: int = 0) -> RunLog:
    """Let a learner play episodes.

    Parameters
    ----------
    learner : Learner
        It begins anew.
    access : online access to a model with a horizon
        `rltheory.online`, or any other that can be reset and stepped.
    episodes : int
        At least 1.
    seed : int
        For the learner's own random numbers; those of the model belong to the access.

    Returns
    -------
    RunLog

    Raises
    ------
    AccessError
        If the access cannot be reset and stepped, or the learner asks for more than it allows.
    ModelError
        If the model has no horizon, or there is no episode to play.
    """
    task = _task(access, episodes, seed)
    learner.begin(task)
    recorder = PolicyRecorder(task.n_actions)
    returns = np.zeros(episodes)
    for episode in range(episodes):
        recorder.add(episode, learner.plan(episode))
        state = access.reset()
        total = 0.0
        for stage in range(task.horizon):
            action = learner.act(stage, state)
            step = access.step(action)
            learner.observe(stage, state, action, step.reward, step.state)
            total += step.reward
            if step.ended:
                break
            state = step.state
        returns[episode] = total
    policies, starts, which = recorder.finish()
    return RunLog(policies, starts, which, returns, access.used, _provenance(learner, access, seed))


def _task(access: Any, episodes: int, seed: int) -> Task:
    if not (hasattr(access, "reset") and hasattr(access, "step")):
        raise AccessError(
            f"{type(access).__name__} cannot be reset and stepped; a learner plays episodes with "
            "rltheory.online(mdp) or another access that can"
        )
    if isinstance(episodes, bool) or not isinstance(episodes, int) or episodes < 1:
        raise ModelError(f"episodes is {episodes!r}; it must be an integer of at least 1")
    info = access.mdp_info
    horizon = getattr(info, "horizon", None)
    if horizon is None:
        raise ModelError(
            "the model has no horizon, and learners play episodes; give one with episodic(H)"
        )
    return Task(info.n_states, info.n_actions, horizon, episodes, seed, info)


def _provenance(learner: Any, access: Any, seed: int) -> dict[str, Any]:
    return {
        "learner": repr(learner),
        "access": type(access).__name__,
        "access_seed": getattr(access, "seed", None),
        "seed": seed,
    }
