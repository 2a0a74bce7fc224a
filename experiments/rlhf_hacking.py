"""Planning for a fitted reward, with and without regularisation: who is hacked, and by how much.

    rltheory sweep experiments/rlhf_hacking.py

The bandit of claim demo-rlhf-hacking: five arms, the clone plays arm 0, which pays 1/2, but for a
chance of 0.01 on the four others, which pay nothing. `reward` says where the fitted reward comes
from: "hacked" adds 1 to arm 1, as in the claim; "fitted" is the reward of most likelihood of 300
preferences between arms that the clone played, among all tables in [0, 1]. Arms that were compared
a few times by then have rewards at the ends of [0, 1] by chance, and arms that never were are at
1/2: what is best for such a reward is then another arm than 0, at times one that pays nothing.

`gap` is that of the plan regularised towards the clone, `unregularised` that of the best arm for
the fitted reward; `bound` is that of claim demo-rlhf-det, and `sharp` the same with the exact
moments of the error in place of Bernstein's inequalities: at small temperatures the one explodes
and the other does not.
"""

from typing import Any

import numpy as np

import rltheory as rlt

KAPPA = 0.01
TRUE = np.array([[0.5, 0.0, 0.0, 0.0, 0.0]])
CLONE = np.array([[1.0 - KAPPA] + [KAPPA / 4.0] * 4])
MDP = rlt.EpisodicMDP([[[1.0]] * 5], TRUE, horizon=1, initial=[1.0])
PAIRS = 300


def fitted_reward(reward: str, seed: int) -> Any:
    if reward == "hacked":
        return TRUE + np.array([0.0, 1.0, 0.0, 0.0, 0.0])
    return rlt.fit_bradley_terry(rlt.sample_preferences(MDP, CLONE, PAIRS, seed=seed)).reward[0]


def gap(policy: Any) -> float:
    return 0.5 - float(rlt.evaluate(MDP, policy)[0, 0])


def trial(seed: int, temperature: float, reward: str) -> dict[str, float]:
    fitted = fitted_reward(reward, seed)
    task = MDP.with_rewards(fitted)
    bound = rlt.rlhf_gap_bound(MDP, fitted, CLONE, [0], temperature)
    return {
        "gap": gap(rlt.solve_regularized(task, temperature, CLONE).policy),
        "unregularised": gap(rlt.solve(task).policy),
        "bound": min(bound["total"], 1e6),
        "sharp": bound["sharp"],
    }


sweep = rlt.Sweep(
    "rlhf-hacking",
    trial,
    {"temperature": [0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0], "reward": ["hacked", "fitted"]},
    seeds=50,
    title="A bandit whose fitted reward is wrong where the clone hardly goes",
)
