"""Episodes a second of UCBVI that replans before every episode: ours, numpy's, and rlberry's.

    python -m benchmarks.learning [--episodes N] [--repeats N]

A random stationary model of 20 states and 4 actions with 20 stages, planned before every episode,
counts of their own at each stage. The learners take turns and the table has medians. Ours passes
over stages whose next values are what they were; with "full induction" it backs up all of them, as
numpy's loop (`benchmarks.numpy_ucbvi`) does, which plays the same episodes for the same seed: in
the order of summation that makes it so, and with a matrix product in place of it, which is faster
and mostly plays the same. Both are checked. rlberry 0.2.1, where it is installed, plays with
bonuses of its own; its functions are compiled by a first short run.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

__all__ = ["main", "measure"]

STATES, ACTIONS, HORIZON, DELTA = 20, 4, 20, 0.1


def model(seed: int = 1) -> Any:
    import rltheory as rlt

    one = rlt.random_episodic(STATES, ACTIONS, 1, seed=seed)
    rows = one.transitions.toarray().reshape(STATES, ACTIONS, STATES)
    return rlt.EpisodicMDP(rows, one.rewards.reshape(STATES, ACTIONS), HORIZON, one.initial)


def ours(mdp: Any, episodes: int, full: bool = False, **options: Any) -> Callable[[], Any]:
    """A run in the core, which may back up what cannot have changed; it returns its `Run`."""
    import rltheory as rlt
    from rltheory import _core
    from rltheory.learning.tabular import EpisodeWords, play_whole

    def play() -> Any:
        S, A, H = mdp.n_states, mdp.n_actions, mdp.horizon
        bonus = rlt.UCBVI(DELTA, **options).bonus_of(S, A, H, episodes)
        doubling = options.get("replanning") == "doubling"
        core = _core.learning.TabularLearner(H, S, A, _core.learning.Bonus(*bonus), doubling, full)
        return play_whole(mdp, [core], episodes, [EpisodeWords(*keys())])[0]

    return play


def keys() -> tuple[tuple[int, int], tuple[int, int]]:
    from rltheory.mdp.streams import philox_key

    return philox_key(0, "access-starts"), philox_key(0, "access-transitions")


def numpy_loop(mdp: Any, episodes: int, blas: bool) -> Callable[[], Any]:
    from benchmarks.numpy_ucbvi import play

    return lambda: play(mdp, DELTA, episodes, *keys(), blas=blas)


def rlberry(mdp: Any, episodes: int) -> Callable[[], Any] | None:
    """rlberry's agent, its functions compiled; None where it is not installed."""
    try:
        agents, finite = import_module("rlberry.agents"), import_module("rlberry.envs.finite")
    except ImportError:
        return None
    rows = mdp.transitions.toarray().reshape(STATES, ACTIONS, STATES)
    env = finite.FiniteMDP(mdp.rewards.reshape(-1, STATES, ACTIONS)[0], rows, mdp.initial)
    options = {"gamma": 1.0, "horizon": HORIZON, "stage_dependent": True}
    agents.UCBVIAgent(env, **options).fit(2)
    return lambda: agents.UCBVIAgent(env, **options).fit(episodes)


def same_play(run: Any, other: Any) -> bool:
    """Whether numpy's policies and returns are those of our run, to the bit."""
    import numpy as np

    policies, returns = other
    kept = list(run.policies)
    which = np.repeat(run.which, np.diff(run.starts, append=len(run.returns)))[: len(returns)]
    return bool((returns == run.returns[: len(returns)]).all()) and all(
        (kept[i] == policy).all() for i, policy in zip(which, policies, strict=True)
    )


def measure(episodes: int, repeats: int) -> dict[str, Any]:
    """Median episodes a second of each learner, and whether numpy's played the same."""
    mdp = model()
    few = max(2, episodes // 40)  # what is slow plays fewer; its speed does not depend on it
    learners: dict[str, tuple[int, Callable[[], Any] | None]] = {
        "rltheory": (episodes, ours(mdp, episodes)),
        "rltheory, full induction": (episodes, ours(mdp, episodes, full=True)),
        "rltheory, bernstein": (episodes, ours(mdp, episodes, bonus="bernstein")),
        "rltheory, doubling": (episodes, ours(mdp, episodes, replanning="doubling")),
        "numpy, same order of sums": (few, numpy_loop(mdp, few, blas=False)),
        "numpy, matrix product": (few, numpy_loop(mdp, few, blas=True)),
        "rlberry": (few, rlberry(mdp, few)),
    }
    speeds: dict[str, list[float]] = {name: [] for name in learners}
    for _ in range(repeats):
        for name, (count, play) in learners.items():
            if play is not None:
                begin = time.perf_counter()
                play()
                speeds[name].append(count / (time.perf_counter() - begin))
    reference = ours(mdp, few)()
    same = {
        name: same_play(reference, play())
        for name, (_, play) in learners.items()
        if name.startswith("numpy") and play is not None
    }
    medians = {name: statistics.median(found) for name, found in speeds.items() if found}
    return {
        "speeds": medians,
        "same": same,
        "missing": [n for n, found in speeds.items() if not found],
    }


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--episodes", type=int, default=40_000)
    parser.add_argument("--repeats", type=int, default=5)
    wanted = parser.parse_args(arguments)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    found = measure(wanted.episodes, wanted.repeats)
    own = found["speeds"]["rltheory, full induction"]
    print(f"UCBVI, S={STATES}, A={ACTIONS}, H={HORIZON}, a plan an episode, one thread")
    for name, speed in found["speeds"].items():
        note = "" if name not in found["same"] else ", plays the same"
        if found["same"].get(name) is False:
            note = ", plays otherwise"
        print(
            f"{name:28s} {speed:12,.0f} episodes/s   full induction is {own / speed:6.1f} x{note}"
        )
    for name in found["missing"]:
        print(f"{name:28s} not installed")


if __name__ == "__main__":
    main()
