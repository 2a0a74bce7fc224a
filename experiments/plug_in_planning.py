"""How many draws of each pair plug-in planning needs: n = C (1/eps)^2, and n = C H^3 at one eps.

    rltheory sweep experiments/plug_in_planning.py --jobs 2

Every trial brackets one n, right but for a chance of one in a million, where plug-in planning is
within eps with probability 0.9. Three laws:

    value    the value of the empirical optimum is off by n^(-1/2) on any one model, here RiverSwim
    policy   what the policy loses on one model is 0 from some n on; its law is that of the hardest
             model for each accuracy: two arms that reach a rewarding state with probabilities
             1/2 + eps and 1/2 - eps, the wrong one of which loses 2 eps
    horizon  the value of a state that pays 1 and stays with the hardest probability for its
             horizon H = 1/(1 - discount), 1 - 1/(3 discount H): the law of Azar, Munos and Kappen
             (2013), who proved it a lower bound

The slope in H is that of an asymptotic law: between H = 4 and 32 exact local slopes still fall from
3.5 to 3.0.
"""

import rltheory as rlt

DELTA = 0.1
GRID = rlt.geometric_grid(3, 2**15, 2**0.5)
TRIALS = 1500


def two_arms(eps: float) -> rlt.MDP:
    """State 0 chooses an arm; state 2 pays 1 for ever, state 1 nothing."""
    arms = [[0.0, 0.5 - eps, 0.5 + eps], [0.0, 0.5 + eps, 0.5 - eps]]
    rows = [*arms, [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    return rlt.MDP.from_pairs([0, 0, 1, 2], [0, 1, 0, 0], rows, [0.0, 0.0, 0.0, 1.0], 0.5)


def staying(horizon: float) -> rlt.MDP:
    """State 0 pays 1 and stays with the probability hardest to learn; state 1 is the end."""
    discount = 1.0 - 1.0 / horizon
    stay = 1.0 - 1.0 / (3.0 * discount * horizon)
    return rlt.MDP([[[stay, 1.0 - stay]], [[0.0, 1.0]]], [[1.0], [0.0]], discount)


def trial(seed: int, of: str, inverse_eps: float, horizon: float = 5.0) -> dict[str, int | bool]:
    eps = 1.0 / inverse_eps
    if of == "policy":
        problem = rlt.planning_problem(two_arms(eps), "policy")
    else:
        model = rlt.riverswim(3, discount=0.8) if of == "value" else staying(horizon)
        problem = rlt.planning_problem(model, "value")
    found = rlt.sample_complexity(
        rlt.PlugIn(), problem, [eps], DELTA, grid=GRID, most_trials=TRIALS, seed=seed
    )
    unbounded = bool(found.unbounded[0])
    high = GRID[-1] if unbounded else int(found.upper[0])
    return {"low": int(found.lower[0]), "n": high, "unbounded": unbounded}


def law(x: str, slope: float, of: str) -> rlt.Law:
    return rlt.Law("n", x, slope, low="low", censored="unbounded", at={"of": of})


sweep = rlt.Sweep(
    "plug-in-planning",
    trial,
    [
        {"of": "value", "inverse_eps": [2.5, 4.2, 7.2, 12.3, 20.9, 35.5]},
        {"of": "policy", "inverse_eps": [13.8, 30.0, 67.0, 150.0]},
        {"of": "horizon", "inverse_eps": 1.0, "horizon": [4, 8, 16, 32]},
    ],
    seeds=1,
    title="Plug-in planning, delta = 0.1",
    laws=(
        law("inverse_eps", 2.0, "value"),
        law("inverse_eps", 2.0, "policy"),
        law("horizon", 3.0, "horizon"),
    ),
)
