"""How many draws of each pair plug-in planning needs for accuracy eps: n = C (1/eps)^2.

    python experiments/plug_in_planning.py [--quick]

Two laws on one model. The value of the empirical optimum is off by about n^(-1/2), on any model.
What the policy loses falls like that only where there are gaps of all sizes: a start state chooses
among arms that reach the rewarding state with probabilities 1/2 - 2^(-k/2)/2, k = 0, 1, ..., and
1/2, and the accuracies that are asked for stand between these gaps.
"""

import argparse

import rltheory as rlt
from rltheory.sweeps.progress import show

ARMS = 13


def ladder(discount: float = 0.5) -> rlt.MDP:
    """State 0 chooses an arm; state 2 pays 1 for ever, state 1 nothing."""
    chances = [0.5 - 0.5 * 2.0 ** (-k / 2) for k in range(ARMS)] + [0.5]
    states = [0] * len(chances) + [1, 2]
    actions = [*range(len(chances)), 0, 0]
    rows = [[0.0, 1.0 - p, p] for p in chances] + [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    rewards = [0.0] * (len(chances) + 1) + [1.0]
    return rlt.MDP.from_pairs(states, actions, rows, rewards, discount)


def measured(of: str, points: int = 9, trials: int = 2000) -> rlt.SampleComplexity:
    """Brackets of n for `points` accuracies, a factor sqrt(2) apart."""
    eps = [2.0 ** (-k / 2 - 0.25) / 4 for k in range(points)]
    grid = rlt.geometric_grid(2, 2**14, 2**0.5)
    problem = rlt.planning_problem(ladder(), of)
    with show(trials) as progress:
        return rlt.sample_complexity(
            rlt.PlugIn(), problem, eps, 0.1, grid=grid, most_trials=trials, progress=progress
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer accuracies and trials")
    quick = parser.parse_args().quick
    for of in ("policy", "value"):
        result = measured(of, 5, 400) if quick else measured(of)
        print(f"error of the {of}\n{result}\n{result.fit()}\n")


if __name__ == "__main__":
    main()
