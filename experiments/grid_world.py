"""Exploring a grid with demonstrations and without: what the policy lacks after so many episodes.

    rltheory sweep experiments/grid_world.py --jobs 2

A grid of 5 by 5 cells and 12 stages; moves slip with chance 1/10; a stage spent in the cell across
pays 1. The expert takes the optimal action, or with chance 1/10 any. Methods: UCBVI (greedy plans),
the uniform reference, and clones of 8 to 512 demonstrations as reference, named by their number and
temperature. Exploration is that of `RegularizedBPI`, with a bonus that theory does not give,
0.3 (H-1-h) / sqrt(n), and plans every 20 episodes; the answer is planned from what was seen without
a bonus, with the same reference and temperature, pairs that were never tried ending the episode.

At 100 episodes the gap falls with the number of demonstrations; at temperature 0.5 it ends where
the regularised optimum is, 0.183 below the optimum on average.
"""

from functools import cache
from typing import Any

import numpy as np

import rltheory as rlt
from rltheory import _core

SIZE, HORIZON, BATCH = 5, 12, 20
STATES, ACTIONS = SIZE * SIZE, 4
MOVES = ((0, -1), (0, 1), (-1, 0), (1, 0))
UCBVI = "UCBVI"
METHODS = {  # demonstrations (None: the uniform reference) and temperature
    "uniform, 0.02": (None, 0.02),
    "uniform, 0.1": (None, 0.1),
    "8, 0.1": (8, 0.1),
    "32, 0.1": (32, 0.1),
    "128, 0.1": (128, 0.1),
    "512, 0.1": (512, 0.1),
    "128, 0.5": (128, 0.5),
}
EPISODES = [20, 100, 500, 2000]


@cache
def grid() -> rlt.EpisodicMDP:
    rows = np.zeros((STATES, ACTIONS, STATES))
    for y in range(SIZE):
        for x in range(SIZE):
            for taken in range(ACTIONS):
                for made, (dx, dy) in enumerate(MOVES):
                    u, v = x + dx, y + dy
                    if not (0 <= u < SIZE and 0 <= v < SIZE):
                        u, v = x, y
                    chance = 0.9 if made == taken else 0.1 / 3
                    rows[SIZE * y + x, taken, SIZE * v + u] += chance
    rewards = np.zeros((STATES, ACTIONS))
    rewards[-1] = 1.0
    return rlt.EpisodicMDP(rows, rewards, HORIZON, np.eye(STATES)[0])


@cache
def best_value() -> float:
    return float(rlt.solve(grid()).value[0, 0])


def expert() -> Any:
    best = np.eye(ACTIONS)[np.asarray(rlt.solve(grid()).policy)]
    return 0.9 * best + 0.1 / ACTIONS


def reference_of(demonstrations: int | None, seed: int) -> Any:
    if demonstrations is None:
        return np.full((HORIZON, STATES, ACTIONS), 1.0 / ACTIONS)
    data = grid().sample(expert(), episodes=demonstrations, seed=seed)
    return rlt.behavior_cloning(data, STATES, ACTIONS, HORIZON)


def explore(core: Any, episodes: int, seed: int, everywhere: bool) -> None:
    """So many episodes in batches; with `everywhere` one stage in H + 1 choices explores."""
    n = np.arange(1, episodes + 1)
    core.use(np.concatenate([[np.inf], 0.3 / np.sqrt(n)]), np.zeros(episodes + 1))
    access, coins = rlt.online(grid(), seed), np.random.default_rng(seed)
    for episode in range(episodes):
        if episode % BATCH == 0:
            core.plan()
        exploring = int(coins.integers(HORIZON + 1)) - 1 if everywhere else -1
        state, uniforms = access.reset(), coins.random(HORIZON).tolist()
        for h in range(HORIZON):
            action = core.act(h, state, uniforms[h], h == exploring)
            step = access.step(action)
            core.observe(h, state, action, step.state)
            state = step.state


def planned(core: Any, reference: Any, temperature: float | None) -> Any:
    """The policy planned from what was seen, without a bonus."""
    visits = core.visits
    rows = core.transitions / np.maximum(visits, 1)[..., None]
    rewards = np.broadcast_to(grid().rewards, visits.shape)
    ends = np.where(visits == 0, 1.0, 0.0)
    seen = rlt.EpisodicMDP(rows, rewards, HORIZON, grid().initial, termination=ends)
    if temperature is None:
        return rlt.solve(seen).policy
    return rlt.solve_regularized(seen, temperature, reference).policy


def trial(seed: int, method: str, episodes: int) -> dict[str, float]:
    demonstrations, temperature = METHODS.get(method, (None, None))
    reference = reference_of(demonstrations, seed)
    rewards = np.broadcast_to(grid().rewards, reference.shape).copy()
    scale = np.arange(HORIZON - 1.0, -1.0, -1.0)
    known = (rewards, reference, np.log(reference), scale)
    core: Any = (
        _core.learning.GreedyExplorer(*known)
        if temperature is None
        else _core.learning.SoftExplorer(*known, temperature)
    )
    explore(core, episodes, seed, temperature is not None)
    value = float(rlt.evaluate(grid(), planned(core, reference, temperature))[0, 0])
    start = float(rlt.evaluate(grid(), reference)[0, 0])
    return {"gap": best_value() - value, "reference_gap": best_value() - start}


sweep = rlt.Sweep(
    "grid-world",
    trial,
    {"method": [UCBVI, *METHODS], "episodes": EPISODES},
    seeds=8,
    title="Grid 5 x 5, H = 12: what the policy lacks",
    laws=(rlt.Law("gap", "episodes"),),
)
