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

from typing import Any

import numpy as np

import rltheory as rlt
from rltheory.demonstrations.stopping_times import (
    greedy_time,
    regularized_time,
    taught,
    visits_needed,
)

ACCURACIES = [0.2, 0.1, 0.05, 0.025]
TEMPERATURES = [0.05, 0.1, 0.2, 0.4]
DEMONSTRATIONS = [200, 400, 800, 1600, 3200]


def trial(seed: int, study: str, **point: Any) -> dict[str, float]:
    if study == "accuracy":
        return {"episodes": regularized_time(seed, point["epsilon"], 0.2)}
    if study == "temperature":
        return {"episodes": regularized_time(seed, 0.05, point["temperature"])}
    if study == "unregularised":
        return {"episodes": greedy_time(seed, point["epsilon"])}
    return taught(seed, point["demonstrations"])._asdict()


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
