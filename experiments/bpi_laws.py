"""When certified exploration stops, against accuracy, temperature and number of demonstrations.

    rltheory sweep experiments/bpi_laws.py --jobs 2

One random model of 3 states, 2 actions and 3 stages for the first studies, another for the last;
delta = 0.1; plans in batches of 5 %.

    accuracy         RegularizedBPI at temperature 0.2. The certificate needs n(epsilon) visits of
                     each pair (claim demo-cert-size; about 1/epsilon): the factor of the law. What
                     is left has slope 0.015: episodes are about 5 n(epsilon).
    temperature      the same at accuracy 0.05; n(temperature) is the factor. The plan changes with
                     the temperature, so that episodes fall a little faster: slope -0.11.
    unregularised    BestPolicyIdentification: slope -2.2, 1/epsilon^2 and logarithms.
    demonstrations   with a clone as reference and a temperature proportional to N + 1. At most 1/N:
                     episodes fall faster until none is needed (N = 5624). The clone alone lacks
                     0.011 at N = 200, far below the accuracy of 0.2: for an expert without chance
                     cloning is strong.
"""

from functools import cache
from typing import Any

import numpy as np

import rltheory as rlt
from rltheory.demonstrations.regularized_bpi import least_visits

DELTA = 0.1
STATES, ACTIONS, HORIZON = 3, 2, 3
ACCURACIES = [0.2, 0.1, 0.05, 0.025]
TEMPERATURES = [0.05, 0.1, 0.2, 0.4]
DEMONSTRATIONS = [200, 400, 800, 1600, 3200]


@cache
def model(seed: int = 3) -> rlt.EpisodicMDP:
    """Rows, then rewards, of numpy's default generator under this seed."""
    rng = np.random.default_rng(seed)
    rows = rng.dirichlet(np.ones(STATES), size=(HORIZON, STATES, ACTIONS))
    rewards = rng.random((HORIZON, STATES, ACTIONS))
    return rlt.EpisodicMDP(rows, rewards, HORIZON, [1.0, 0.0, 0.0])


def visits_needed(epsilon: float, temperature: float) -> int:
    return least_visits(epsilon, STATES, ACTIONS, HORIZON, temperature, DELTA)


def regularized(seed: int, epsilon: float, temperature: float) -> dict[str, float]:
    """Episodes of `RegularizedBPI` with the uniform reference."""
    uniform = np.full((STATES, ACTIONS), 1.0 / ACTIONS)
    learner = rlt.RegularizedBPI(uniform, temperature, epsilon, DELTA)
    result = learner.run(rlt.online(model(), seed), seed)
    return {"episodes": result.episodes, "certificate": result.certificate}


def unregularized(seed: int, epsilon: float) -> dict[str, float]:
    """Episodes of `BestPolicyIdentification`."""
    result = rlt.BestPolicyIdentification(epsilon, DELTA).run(rlt.online(model(), seed), seed)
    return {"episodes": result.episodes, "certificate": result.certificate}


def demonstrated(seed: int, demonstrations: int, epsilon: float = 0.2) -> dict[str, float]:
    """Episodes with a clone as reference, what its policy lacks, and what the clone lacks."""
    mdp = model(6)
    best = rlt.solve(mdp)
    data = mdp.sample(best.policy, episodes=demonstrations, seed=seed)
    clone = rlt.behavior_cloning(data, STATES, ACTIONS, HORIZON)
    divergence = HORIZON * STATES * (ACTIONS - 1) / (DELTA * (demonstrations + 1))
    learner = rlt.RegularizedBPI(clone, epsilon / 2 / divergence, epsilon / 2, DELTA)
    result = learner.run(rlt.online(mdp, seed), seed)
    value = float(best.value[0, 0])
    return {
        "episodes": result.episodes,
        "certificate": result.certificate,
        "gap": value - float(rlt.evaluate(mdp, result.policy)[0, 0]),
        "clone_gap": value - float(rlt.evaluate(mdp, clone)[0, 0]),
    }


def trial(seed: int, study: str, **point: Any) -> dict[str, float]:
    if study == "accuracy":
        return regularized(seed, point["epsilon"], 0.2)
    if study == "temperature":
        return regularized(seed, 0.05, point["temperature"])
    if study == "unregularised":
        return unregularized(seed, point["epsilon"])
    return demonstrated(seed, point["demonstrations"])


def _needed_at(epsilon: Any) -> Any:
    return np.array([visits_needed(float(each), 0.2) for each in epsilon])


def _needed_for(temperature: Any) -> Any:
    return np.array([visits_needed(0.05, float(each)) for each in temperature])


sweep = rlt.Sweep(
    "bpi-laws",
    trial,
    [
        {"study": ["accuracy"], "epsilon": ACCURACIES},
        {"study": ["temperature"], "temperature": TEMPERATURES},
        {"study": ["unregularised"], "epsilon": [0.8, 0.4, 0.2, 0.1]},
        {"study": ["demonstrations"], "demonstrations": DEMONSTRATIONS},
    ],
    seeds=20,
    title="Episodes of certified exploration",
    laws=(
        rlt.Law("episodes", "epsilon", factor=_needed_at, at={"study": "accuracy"}),
        rlt.Law("episodes", "temperature", slope=0.0, factor=_needed_for, upper=True),
        rlt.Law("episodes", "epsilon", at={"study": "unregularised"}),
        rlt.Law("episodes", "demonstrations", slope=-1.0, upper=True),
    ),
)
