"""pymdptoolbox: numpy, one matrix an action.

Its value iteration bounds the number of iterations by a loop over all columns when it is built,
which is quadratic in the states when they are sparse; policies are evaluated with dense matrices
whatever the model is. Values of value iteration and modified policy iteration lack a constant:
what is verified of these is the policy. The package was made for numpy 1; models with infeasible
actions are not for it.
"""

from typing import Any

import mdptoolbox.mdp as toolbox
import numpy as np
from scipy import sparse

from benchmarks.families import Problem
from benchmarks.peers import Settings
from benchmarks.verify import WANTED

PACKAGE = "pymdptoolbox"


def candidates(problem: Problem) -> list[Settings]:
    if problem.horizon is not None:
        return [{"method": "FiniteHorizon"}]
    return [
        {"method": "ValueIteration"},
        *({"method": "PolicyIterationModified", "max_iter": most} for most in (10, 100)),
        {"method": "PolicyIteration"},
    ]


def refuses(problem: Problem) -> str:
    return "" if problem.regular else "no infeasible actions"


def build(problem: Problem, settings: Settings) -> Any:
    size, actions = problem.n_states, problem.n_actions
    if problem.sparse:
        matrix = sparse.csr_matrix(problem.transitions)
        table: Any = [matrix[a::actions] for a in range(actions)]
    else:
        table = problem.transitions.reshape(size, actions, size).transpose(1, 0, 2)
        table = np.ascontiguousarray(table)
    rewards = problem.rewards.reshape(size, actions)
    method = settings["method"]
    if method == "FiniteHorizon":
        return toolbox.FiniteHorizon(table, rewards, 1.0, problem.horizon)
    if method == "PolicyIteration":
        return toolbox.PolicyIteration(table, rewards, problem.discount, max_iter=10**6)
    kind = getattr(toolbox, method)
    rest = {"max_iter": settings["max_iter"]} if "max_iter" in settings else {}
    return kind(table, rewards, problem.discount, epsilon=WANTED, **rest)


def solve(model: Any, problem: Problem, settings: Settings) -> tuple[Any, Any]:
    model.run()
    if settings["method"] == "FiniteHorizon":
        return model.V.T, model.policy.T
    return np.array(model.V), np.array(model.policy)
