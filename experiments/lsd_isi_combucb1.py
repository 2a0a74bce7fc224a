"""CombUCB1 in blocks against greedy that knows the payoffs, on two delay-dependent bandits.

    rltheory sweep experiments/lsd_isi_combucb1.py --jobs 2

The instances, block lengths and horizons of Laforgue et al. (AISTATS 2022): Bernoulli rewards,
exactly one arm per round, every arm at delay 1 at first. Vanilla CombUCB1 plans blocks of length d
from the delays at hand and knows no delay beyond d; ISI-CombUCB1 plans blocks of length d + 1, and
ignores the first play of each arm within a block; oracle greedy knows all payoffs and looks one
round ahead (ties to the lowest arm; at random in the paper).

    A   5 arms, d = 3, 5112 rounds: the optimal average is 38/75, the best repeated block of length
        4 averages 5/16, greedy 91/600
    B   2 arms, d = 10, 5060 rounds: the optimal average is 1/2, greedy 3/50
"""

import numpy as np
from numpy.typing import NDArray

import rltheory as rlt
from rltheory.lsd_bandits.baselines import greedy_rule
from rltheory.lsd_bandits.laforgue_instances import just_played, laforgue_a, laforgue_b

CASES = {"A": (laforgue_a, 3, 5112), "B": (laforgue_b, 10, 5060)}
POLICIES = ("vanilla CombUCB1", "ISI-CombUCB1", "oracle greedy")
LATE = 1000
"""The last rounds, over which the average tells what a policy ends with."""


def rewards_of(instance: str, policy: str, seed: int) -> NDArray[np.uint8]:
    """The rewards of one run to the horizon."""
    make, d, T = CASES[instance]
    bandit = make()
    if policy == "vanilla CombUCB1":
        return rlt.comb_ucb1(bandit, T, seed, d, independent=False).rewards
    if policy == "ISI-CombUCB1":
        return rlt.comb_ucb1(bandit, T, seed, d + 1).rewards
    environment = rlt.BanditEnvironment(bandit, seed, just_played(bandit))
    return environment.run(greedy_actions(bandit, T))


def greedy_actions(bandit: rlt.LSDBandit, T: int) -> list[int]:
    """The arms that oracle greedy plays."""
    choose, state, actions = greedy_rule(bandit), just_played(bandit), []
    for t in range(T):
        (arm,) = choose(t, state)
        actions.append(arm)
        state = tuple(
            a.play_next[s] if i == arm else a.rest_next[s]
            for i, (a, s) in enumerate(zip(bandit.arms, state, strict=True))
        )
    return actions


def trial(seed: int, instance: str, policy: str) -> dict[str, float]:
    rewards = rewards_of(instance, policy, seed)
    return {"reward": float(rewards.sum()), "late_average": float(rewards[-LATE:].mean())}


sweep = rlt.Sweep(
    "lsd-isi-combucb1",
    trial,
    {"instance": list(CASES), "policy": list(POLICIES)},
    seeds=10,
    title="Blocks that ignore their first plays, blocks that do not, and greedy",
)
