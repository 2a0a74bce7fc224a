"""Exact mirror descent: the gap against iterations, for three kinds of steps, beside their bounds.

    rltheory sweep experiments/mirror_descent.py --jobs 2

Garnet models of 20 states and 4 actions at discount 0.9, from the uniform policy and a uniform
start law. With a constant step the theorem says 1/K; on a fixed model the gap falls faster in the
end, like exp(-eta K Delta) for its smallest action gap Delta. Geometric steps promise
(1 - 1/theta)^K, where theta is ten times the largest d*/rho, and adaptive ones 0.9^K. `gap` and
`bound` are of V(rho), with adaptive steps of the worst state; `valid` is 0 where a step was cut, of
which no theorem speaks.
"""

import numpy as np

import rltheory as rlt

DISCOUNT, STEP, SLACK = 0.9, 1.0, 1.0
STATES = 20
KINDS = {"constant": "sublinear", "geometric": "geometric", "adaptive": "gamma"}


def model(seed: int) -> rlt.MDP:
    mdp = rlt.garnet(STATES, 4, 3, seed=seed, discount=DISCOUNT)
    uniform = np.full(STATES, 1.0 / STATES)
    return rlt.MDP(mdp.transitions, mdp.rewards, DISCOUNT, initial=uniform)


def trial(seed: int, iterations: int, steps: str) -> dict[str, float]:
    mdp = model(seed)
    best, start = rlt.solve(mdp).value, np.full(STATES, 1.0 / STATES)
    schedule = {
        "constant": STEP,
        "geometric": rlt.GeometricSteps.of_model(mdp, STEP),
        "adaptive": rlt.GammaAdaptiveSteps(DISCOUNT, SLACK),
    }[steps]
    history = rlt.mirror_descent_policy_iteration(mdp, schedule, iterations)
    size = {"slack": SLACK} if steps == "adaptive" else {"step_size": STEP}
    bound = float(rlt.mdpo_bound(KINDS[steps], mdp, iterations, **size)[-1])
    gaps = best - history.value
    gap = max(0.0, float(gaps.max() if steps == "adaptive" else start @ gaps))
    valid = float(history.cut_from is None)
    return {"gap": gap, "bound": bound, "of_bound": gap / bound, "valid": valid}


sweep = rlt.Sweep(
    "mirror-descent",
    trial,
    {"iterations": [1, 2, 4, 8, 16, 32, 64, 128], "steps": list(KINDS)},
    seeds=20,
    title="Mirror descent: S = 20, A = 4, discount 0.9",
    laws=(rlt.Law("gap", "iterations", slope=-1.0, upper=True, at={"steps": "constant"}),),
)
