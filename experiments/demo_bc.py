"""How far behaviour cloning is from its expert: E KL against the number of demonstrations n.

    rltheory sweep experiments/demo_bc.py --jobs 2

The clone is add-one smoothing, pi(a | s) = (N_h(s, a) + 1) / (N_h(s) + A), and KL is that of the
trajectories, E_expert log P_expert / P_clone. Its mean has an exact law: N_h(s) is Bin(n, d_h(s))
and N_h(s, a) is Bin(n, d_h(s) p_a), so that

    E KL = sum_{h, s} d_h(s) { E log(N_h(s) + A) + sum_a p_a (log p_a - E log(N_h(s, a) + 1)) },

in the end about half the number of free probabilities over n for an expert that plays everything,
and all of it over n for one that plays one action. The first law has no factor: its slope is near
-1, not there yet. The others have the exact law as their factor: what is left has slope 0.
"""

from functools import cache

import numpy as np
from scipy.stats import binom

import rltheory as rlt

STATES, ACTIONS, HORIZON = 3, 3, 3


@cache
def model() -> rlt.EpisodicMDP:
    return rlt.random_episodic(STATES, ACTIONS, HORIZON, seed=1)


@cache
def expert_of(kind: str) -> np.ndarray:
    policy = np.full((HORIZON, STATES, ACTIONS), 1.0 / ACTIONS)
    if kind == "deterministic":
        policy[...] = 0.0
        policy[..., 0] = 1.0
    return policy


@cache
def exact_kl(n: int, kind: str) -> float:
    joint = rlt.occupancy(model(), expert_of(kind))
    visits = joint.sum(axis=-1)
    k = np.arange(n + 1.0)

    def mean_log(d: np.ndarray, plus: int) -> np.ndarray:
        return binom.pmf(k, n, d[..., None]) @ np.log(k + plus)

    p = expert_of(kind)
    seen = p * np.log(np.where(p > 0.0, p, 1.0)) - p * mean_log(joint, 1)
    return float((visits * (mean_log(visits, ACTIONS) + seen.sum(axis=-1))).sum())


def trial(seed: int, n: int, expert: str) -> dict[str, float]:
    p = expert_of(expert)
    data = rlt.sample(model(), p, n, seed=seed)
    counts = data.counts(STATES, ACTIONS, HORIZON).visits
    clone = (counts + 1.0) / (counts.sum(axis=-1, keepdims=True) + ACTIONS)
    ratio = np.log(np.where(p > 0.0, p, clone) / clone)
    kl = (rlt.occupancy(model(), p) * ratio).sum()
    return {"kl": float(kl), "of_law": float(kl) / exact_kl(n, expert)}


def beside_exact(expert: str) -> rlt.Law:
    def factor(n: np.ndarray) -> np.ndarray:
        return np.array([exact_kl(int(each), expert) for each in np.rint(n)])

    return rlt.Law("kl", "n", slope=0.0, factor=factor, at={"expert": expert})


sweep = rlt.Sweep(
    "demo-bc",
    trial,
    {"n": [30, 100, 300, 1000, 3000, 10_000], "expert": ["uniform", "deterministic"]},
    seeds=100,
    title="Behaviour cloning: S = A = H = 3",
    laws=(rlt.Law("kl", "n"), beside_exact("uniform"), beside_exact("deterministic")),
)
