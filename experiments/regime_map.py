"""Which way to a certified policy takes the fewest episodes: by demonstrations N and accuracy.

    rltheory sweep experiments/regime_map.py --jobs 2

A random model of 3 states, 2 actions and 3 stages, demonstrations of its optimal policy, delta =
0.1. Three ways, each with a proof of its own:

    clone      no episode, where the bound of cloning does: H (1 - exp(-K)) <= epsilon with
               K = H S (A - 1) / (delta (N + 1)) (claims demo-bc-markov, demo-bc-value)
    pipeline   explore around the clone, at the temperature that K allows (demo-pac)
    plain      explore without demonstrations (`BestPolicyIdentification`)

`best` is the one with the fewest episodes (0: clone, 1: pipeline, 2: plain). Cloning needs N like
1 / epsilon; below that demonstrations pay if there are more than a few.
"""

import math
from functools import cache

import rltheory as rlt
from rltheory.demonstrations.stopping_times import random_model

STATES, ACTIONS, HORIZON, DELTA = 3, 2, 3, 0.1
DEMONSTRATIONS = [3, 10, 30, 100, 300, 1000, 3000]
ACCURACIES = [0.05, 0.1, 0.2, 0.4, 0.8]


@cache
def model() -> tuple[rlt.EpisodicMDP, rlt.Solution]:
    mdp = random_model(6)
    return mdp, rlt.solve(mdp)


def clone_is_enough(n: int, epsilon: float) -> bool:
    bound = rlt.bc_kl_bound(n, STATES, ACTIONS, HORIZON, DELTA, "markov")
    return HORIZON * -math.expm1(-bound) <= epsilon


def trial(seed: int, n: int, epsilon: float) -> dict[str, float | int]:
    mdp, best = model()
    data = mdp.sample(best.policy, episodes=n, seed=seed)
    taught = rlt.demonstration_regularized_rl(
        rlt.online(mdp, seed), data, epsilon, DELTA, seed=seed
    )
    plain = rlt.BestPolicyIdentification(epsilon, DELTA).run(rlt.online(mdp, seed), seed)
    way = 1 if taught.episodes <= plain.episodes else 2
    lost = best.value[0, 0] - rlt.evaluate(mdp, taught.policy)[0, 0]
    return {
        "best": 0 if clone_is_enough(n, epsilon) else way,
        "pipeline": taught.episodes,
        "plain": plain.episodes,
        "pipeline_lost": float(lost),
    }


sweep = rlt.Sweep(
    "regime-map",
    trial,
    {"n": DEMONSTRATIONS, "epsilon": ACCURACIES},
    seeds=5,
    title="Which way takes the fewest episodes",
)
