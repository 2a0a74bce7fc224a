"""A damped Bellman operator, (1 - step) v + step T v, contracts, but not by the discount."""

import numpy as np

import rltheory as rlt
from rltheory.foundations.families import planning_family
from rltheory.foundations.rationals import Planner


def compared(instance, modulus):
    plan, v, w = Planner(instance.mdp), np.array(instance.value), np.array(instance.other)
    before, half = v - w, (np.array(plan.T(v)) - plan.T(w) + v - w) / 2
    bound = modulus(plan.discount) * max(abs(before))
    return rlt.Measurement(max(abs(half)), bound, trivial=max(abs(before)))


too_fast = rlt.Mutant("too-fast", "as if undamped", check=lambda i: compared(i, lambda g: g))
statement = r"$\|T_{1/2}v-T_{1/2}w\|\le\frac{1+\gamma}2\|v-w\|$, $T_\alpha=(1-\alpha)I+\alpha T$"
fields = {"family": planning_family(), "statement": statement, "mutants": [too_fast]}


@rlt.claim("damped-contraction", "inequality", title="A damped operator contracts", **fields)
def damped_contraction(instance):
    return compared(instance, lambda g: (1 + g) / 2)
