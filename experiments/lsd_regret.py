"""Regret of two learners of last-switch-dependent arms, against rounds, beside their bounds.

    rltheory sweep experiments/lsd_regret.py --jobs 2

Against A(x), what the mirrored schedule of the relaxation is sure to earn per round if payoffs are
known. Explore-then-commit samples every payoff some T^(2/3) ln(T)^(1/3) times, which is all that it
loses once its estimates choose the same plans as the truth: the factor of its law has the
logarithm. Framed UCB rests at the start of each of sqrt(D T / R) frames, and loses less by learning
the longer it runs. `of_bound` is the regret against c_N LP over the bound of claims lsd-etc-regret
and lsd-ucb-regret.

The mean reward of a commitment, given its samples, is exact over all draws of plans and offsets;
runs of framed UCB are measured by mean payoffs.
"""

from typing import Any

import numpy as np

import rltheory as rlt
from rltheory.lsd_bandits.explore_then_commit import exploration_repeats, shape_of
from rltheory.lsd_bandits.families import GOLDEN
from rltheory.lsd_bandits.learning_claims import committed_reward, framed_reward
from rltheory.mdp.streams import Stream

COMMIT, FRAMES = "explore, then commit", "framed UCB"
ROUNDS = [1000, 3000, 10_000, 30_000, 100_000, 300_000, 1_000_000]


def one_arm() -> rlt.LSDBandit:
    return rlt.LSDBandit([rlt.LSDArm(["1/2", 1], ["1/4", 0])])


BANDITS = {
    "one arm, four states": one_arm,
    "a gap, two arms": GOLDEN["I1"],
    "delays 2, 3": GOLDEN["B23"],
    "delays 2, 3, 6": GOLDEN["B236"],
}


def trial(seed: int, rounds: int, learner: str, bandit: str) -> dict[str, float]:
    model = BANDITS[bandit]()
    relaxed = rlt.concave_relaxation(model, exact=True)
    rests, plays = shape_of(model)
    stream = Stream(seed, "lsd-regret")
    if learner == COMMIT:
        repeats = exploration_repeats(rests, plays, rounds)
        reward = committed_reward(model, rounds, repeats, stream)
        bound = rlt.etc_regret_bound(rests, plays, rounds)
    else:
        reward = framed_reward(model, rounds, stream)
        bound = rlt.framed_ucb_regret_bound(rests, plays, rounds)
    kept = float(rlt.guarantee(model.n_arms) * relaxed.value)
    return {
        "regret": rounds * float(rlt.virtual_value(relaxed)) - reward,
        "of_bound": (rounds * kept - reward) / bound,
    }


def _logarithm(rounds: Any) -> Any:
    """(ln 2DT)^(1/3) with D = 6; other D change it by a factor that hardly depends on T."""
    return np.log(12.0 * np.asarray(rounds, dtype=np.float64)) ** (1.0 / 3.0)


sweep = rlt.Sweep(
    "lsd-regret",
    trial,
    {"rounds": ROUNDS, "learner": [COMMIT, FRAMES], "bandit": list(BANDITS)},
    seeds=24,
    title="Learners of LSD arms",
    laws=(
        rlt.Law(
            "regret", "rounds", slope=2 / 3, factor=_logarithm, upper=True, at={"learner": COMMIT}
        ),
        rlt.Law("regret", "rounds", slope=0.5, upper=True, at={"learner": FRAMES}),
    ),
)
