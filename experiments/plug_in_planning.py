"""How many draws of each pair plug-in planning needs for accuracy eps: n = C (1/eps)^2.

    python experiments/plug_in_planning.py [--quick]

Two laws. The value of the empirical optimum is off by about n^(-1/2) on any one model, here
RiverSwim. What the policy loses on one model is 0 from some n on; its law is that of the hardest
model for each accuracy: two arms that reach a rewarding state with probabilities 1/2 + eps and
1/2 - eps, the wrong one of which loses 2 eps.
"""

import argparse

import rltheory as rlt
from rltheory.sweeps.progress import show

GRID = rlt.geometric_grid(3, 2**15, 2**0.75)
DELTA = 0.1


def two_arms(eps: float) -> rlt.MDP:
    """State 0 chooses an arm; state 2 pays 1 for ever, state 1 nothing."""
    arms = [[0.0, 0.5 - eps, 0.5 + eps], [0.0, 0.5 + eps, 0.5 - eps]]
    rows = [*arms, [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    return rlt.MDP.from_pairs([0, 0, 1, 2], [0, 1, 0, 0], rows, [0.0, 0.0, 0.0, 1.0], 0.5)


def measured(mdp: rlt.MDP, of: str, eps: list[float], trials: int) -> rlt.SampleComplexity:
    problem = rlt.planning_problem(mdp, of)
    with show(trials) as bar:
        return rlt.sample_complexity(
            rlt.PlugIn(), problem, eps, DELTA, grid=GRID, most_trials=trials, progress=bar
        )


def value_law(points: int = 6, trials: int = 500) -> rlt.PowerLaw:
    """Of the error of the value on RiverSwim, all accuracies on the same trials."""
    eps = [0.4 / 1.7**k for k in range(points)]
    found = measured(rlt.riverswim(3, discount=0.8), "value", eps, trials)
    print(found)
    return found.fit()


def policy_law(points: int = 5, trials: int = 500) -> rlt.PowerLaw:
    """Of the loss of the policy, each accuracy on a model of its own."""
    eps = [0.16 / 2.2**k for k in range(points)]
    found = [measured(two_arms(e), "policy", [e], trials) for e in eps]
    print(*found, sep="\n")
    ends = [(law.lower[0], law.upper[0]) for law in found]
    return rlt.fit_power_law([1 / e for e in eps], *zip(*ends, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description="plug-in planning: draws against accuracy")
    parser.add_argument("--quick", action="store_true", help="fewer accuracies and trials")
    size = (4, 300) if parser.parse_args().quick else ()
    for law in (value_law, policy_law):
        print(f"{law(*size)}\n")


if __name__ == "__main__":
    main()
