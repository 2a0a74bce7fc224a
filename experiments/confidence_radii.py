"""Empirical-Bernstein and Hoeffding radii of a mean: how wide, how often wrong, by the variance.

    rltheory sweep experiments/confidence_radii.py

n draws from Bernoulli(p), delta = 0.1. Hoeffding's radius is sqrt(log(2/delta) / 2n) whatever p is;
the empirical-Bernstein radius (Maurer and Pontil 2009) is about sqrt(2 p (1 - p) log(2/delta) / n)
and 7 log(2/delta) / 3(n - 1), of which the second prevails while n p is small: its slope is near -1
there. Both fail far less often than delta.
"""

import numpy as np

import rltheory as rlt
from rltheory.mathematics.concentration import empirical_bernstein_radius, hoeffding_radius
from rltheory.mdp.streams import Stream

DELTA = 0.1
REPETITIONS = 200


def trial(seed: int, n: int, p: float, radius: str) -> dict[str, float]:
    draws = Stream(seed, "draws").uniforms(REPETITIONS, n) < p
    mean = draws.mean(axis=1)
    if radius == "hoeffding":
        width = np.broadcast_to(hoeffding_radius(n, DELTA), mean.shape)
    else:
        width = empirical_bernstein_radius(n, draws.var(axis=1, ddof=1), DELTA)
    return {"width": float(width.mean()), "wrong": float((np.abs(mean - p) > width).mean())}


sweep = rlt.Sweep(
    "confidence-radii",
    trial,
    {"n": [100, 300, 1000, 3000], "p": [0.01, 0.5], "radius": ["hoeffding", "bernstein"]},
    seeds=20,
    title="Radii of a mean at delta = 0.1",
    laws=(
        rlt.Law("width", "n", slope=-0.5, at={"radius": "hoeffding"}),
        rlt.Law("width", "n", at={"radius": "bernstein"}),
    ),
)
