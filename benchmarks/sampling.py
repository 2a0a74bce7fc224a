"""Draws and episodes a second, on one thread: ours, and numpy's written as well as we can.

    python -m benchmarks.sampling [--draws N] [--repeats N]

A Garnet model of 1,000 states, 4 actions and 10 successors. Draws at random pairs from a generative
model, n draws of every pair counted, and episodes of a stochastic policy. numpy finds successors by
comparing a uniform number with the cumulated probabilities of its row, all draws at once. The
samplers take turns, and the table has medians of CPU seconds.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["main", "measure"]

STATES, ACTIONS, BRANCHING, STEPS = 1000, 4, 10, 50


def samplers(draws: int) -> dict[str, tuple[int, Callable[[], Any]]]:
    """Name to (how many draws, what makes them)."""
    import rltheory as rlt

    rlt.set_threads(1)
    one = rlt.garnet(STATES, ACTIONS, branching=BRANCHING, seed=0)
    mdp = rlt.MDP(one.transitions, one.rewards, 0.9, np.full(STATES, 1.0 / STATES))
    rng = np.random.default_rng(0)
    states, actions = rng.integers(STATES, size=draws), rng.integers(ACTIONS, size=draws)
    access = rlt.generative(mdp, seed=0)
    each = max(1, draws // mdp.n_pairs)
    episodes = max(1, draws // STEPS)
    policy = rlt.uniform_policy(mdp)
    cumulated = np.cumsum(mdp.transitions.data.reshape(-1, BRANCHING), axis=1)
    columns = mdp.transitions.indices.reshape(-1, BRANCHING)

    def plain() -> Any:
        rows = states * ACTIONS + actions
        drawn = (rng.random(draws)[:, None] >= cumulated[rows, :-1]).sum(axis=1)
        return mdp.mean_rewards[rows], columns[rows, drawn]

    return {
        "generative, pairs given": (draws, lambda: access.sample(states, actions)),
        "generative, every pair counted": (each * mdp.n_pairs, lambda: access.counts(each)),
        "episodes of 50 steps": (
            episodes * STEPS,
            lambda: rlt.sample(mdp, policy, episodes, steps=STEPS),
        ),
        "numpy, pairs given": (draws, plain),
    }


def measure(draws: int, repeats: int) -> dict[str, float]:
    """Millions of draws a CPU second, medians."""
    known = samplers(draws)
    seconds: dict[str, list[float]] = {name: [] for name in known}
    for _ in range(repeats):
        for name, (_, run) in known.items():
            begin = time.process_time()
            run()
            seconds[name].append(time.process_time() - begin)
    return {
        name: count / statistics.median(seconds[name]) / 1e6 for name, (count, _) in known.items()
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sampling")
    parser.add_argument("--draws", type=int, default=2_000_000)
    parser.add_argument("--repeats", type=int, default=7)
    chosen = parser.parse_args(arguments)
    rates = measure(chosen.draws, chosen.repeats)
    plain = rates["numpy, pairs given"]
    print(f"{STATES} states, {ACTIONS} actions, {BRANCHING} successors; one thread")
    for name, rate in rates.items():
        print(f"{name:32s} {rate:7.2f} million a second   {rate / plain:5.1f} x numpy")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
