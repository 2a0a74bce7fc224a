"""The loop that every learner lives in: plan, act, observe, episode after episode.

Learners that live in the core play whole runs there, several at once on as many threads as are set;
what is played is the same to the bit, whether step by step or not, and on any number of threads.
"""

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np

from rltheory.errors import AccessError, ModelError
from rltheory.learning.learner import Learner, Task
from rltheory.learning.played import PolicyRecorder
from rltheory.learning.run_log import RunLog
from rltheory.learning.tabular import TabularLearner, play_whole, plays_whole, whole_episodes

__all__ = ["run", "run_many"]


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

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.random_episodic(3, 2, horizon=3, branching=2, seed=0)
    >>> log = rlt.run(rlt.UCBVI(delta=0.1), rlt.online(mdp, seed=0), episodes=200)
    >>> log.episodes, log.used.steps
    (200, 600)
    >>> rlt.regret(log, mdp).shape
    (200,)
    """
    task = _task(access, episodes, seed)
    learner.begin(task)
    whole = whole_episodes(access)
    if isinstance(learner, TabularLearner) and whole and plays_whole(learner.core, whole[0]):
        mdp, words = whole
        (played,) = play_whole(mdp, [learner.core], episodes, [words])
        access.count(episodes, played.steps)
        return played.log(access.used, _provenance(learner, access, seed))
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


def run_many(
    learner: Learner, accesses: Sequence[Any], episodes: int, seed: int = 0
) -> list[RunLog]:
    """Independent runs of a learner, one for each access.

    Parameters
    ----------
    learner : Learner
        A template: it plays no run itself where the runs are whole in the core.
    accesses : sequence of online accesses
        For instance to one model, with several seeds. Runs of a learner that lives in the core, on
        one and the same model, share the threads of `rltheory.set_threads`.
    episodes, seed : int
        As in `run`; run i gets the seed ``seed + i``.

    Returns
    -------
    list of RunLog
        What `run` gives, to the bit.

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.random_episodic(3, 2, horizon=3, branching=2, seed=0)
    >>> accesses = [rlt.online(mdp, seed) for seed in range(4)]
    >>> logs = rlt.run_many(rlt.UCBVI(delta=0.1), accesses, episodes=50)
    >>> [log.episodes for log in logs]
    [50, 50, 50, 50]
    """
    tasks = [_task(access, episodes, seed + i) for i, access in enumerate(accesses)]
    wholes = [whole_episodes(access) for access in accesses]
    together = [whole for whole in wholes if whole is not None]
    alike = len({(id(mdp), words.first_episode) for mdp, words in together}) == 1
    cores = []
    if isinstance(learner, TabularLearner) and alike and len(together) == len(tasks):
        for task in tasks:
            one = copy.copy(learner)
            one.begin(task)
            cores.append(one.core)
    if not cores or not plays_whole(cores[0], together[0][0]):
        return [run(learner, access, episodes, seed + i) for i, access in enumerate(accesses)]
    played = play_whole(together[0][0], cores, episodes, [words for _, words in together])
    logs = []
    for access, task, made in zip(accesses, tasks, played, strict=True):
        access.count(episodes, made.steps)
        logs.append(made.log(access.used, _provenance(learner, access, task.seed)))
    return logs


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
