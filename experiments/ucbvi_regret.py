"""Regret of UCBVI against episodes: the bound's exponent 1/2, and what is seen.

    rltheory sweep experiments/ucbvi_regret.py --jobs 2

Random models of 3 states, 2 actions and 3 stages; exact pseudo-regret after K episodes. The bound
in claim learn-ucbvi grows like sqrt(K) up to logarithms; on a fixed model, whose gaps are what they
are, regret grows more slowly once bonuses are below them. With the bonus divided by ten the learner
commits earlier: less regret here, and no theorem.
"""

import rltheory as rlt

DELTA = 0.1


def trial(seed: int, episodes: int, factor: float) -> dict[str, float]:
    mdp = rlt.random_episodic(3, 2, horizon=3, seed=seed)
    log = rlt.run(rlt.UCBVI(DELTA, factor=factor), rlt.online(mdp, seed), episodes)
    regret = float(rlt.regret(log, mdp).sum())
    bound = rlt.ucbvi_regret_bound(3, 2, 3, episodes, DELTA)
    return {"regret": regret, "of_bound": regret / float(bound)}


sweep = rlt.Sweep(
    "ucbvi-regret",
    trial,
    {"episodes": [300, 1000, 3000, 10_000, 30_000, 100_000], "factor": [1.0, 0.1]},
    seeds=24,
    title="UCBVI: S = 3, A = 2, H = 3",
    laws=(rlt.Law("regret", "episodes", slope=0.5, upper=True),),
)
