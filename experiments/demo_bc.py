"""How far behaviour cloning is from its expert: E KL against the number of demonstrations n.

    rltheory sweep experiments/demo_bc.py --jobs 2

The clone is add-one smoothing, pi(a | s) = (N_h(s, a) + 1) / (N_h(s) + A), and KL is that of the
trajectories, E_expert log P_expert / P_clone. Its mean has an exact law (claim demo-bc-exact-law;
`rlt.expected_bc_kl`), in the end about half the number of free probabilities over n for an expert
that plays everything, and all of it over n for one that plays one action. The first law has no
factor: its slope is near -1, not there yet. The others have the exact law as their factor: what is
left has slope 0.
"""

from functools import cache

import numpy as np

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
def exact_kl(n: int, expert: str) -> float:
    return rlt.expected_bc_kl(model(), expert_of(expert), n)


def trial(seed: int, n: int, expert: str) -> dict[str, float]:
    data = rlt.sample(model(), expert_of(expert), n, seed=seed)
    clone = rlt.behavior_cloning(data, STATES, ACTIONS, HORIZON)
    kl = rlt.trajectory_kl(model(), expert_of(expert), clone)
    return {"kl": kl, "of_law": kl / exact_kl(n, expert)}


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
