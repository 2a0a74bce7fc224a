"""QuantEcon's DiscreteDP: dense tables in product form, sparse ones by state-action pairs.

Modified policy iteration stops when the span of T v - v is below epsilon (1 - d) / d and returns
the middle of the bracket, value iteration when max |T v - v| is below epsilon (1 - d) / (2 d):
epsilon = 1e-6 proves both within 1e-6. Iteration caps are lifted; at the default of 250 it stops
without a word.
"""

from typing import Any

import numpy as np
from quantecon.markov import DiscreteDP, backward_induction

from benchmarks.families import Problem
from benchmarks.peers import Settings
from benchmarks.verify import WANTED

PACKAGE = "quantecon"


def candidates(problem: Problem) -> list[Settings]:
    if problem.horizon is not None:
        return [{"method": "backward_induction"}]
    modified = [
        {"method": "modified_policy_iteration", "k": k, "v_init": start}
        for k in (20, 100, 5, 500)
        for start in ("zero", "default")
    ]
    others = [{"method": "policy_iteration"}, {"method": "value_iteration"}]
    return [modified[0], *others, *modified[1:]]


def refuses(problem: Problem) -> str:
    return ""


def build(problem: Problem, settings: Settings) -> Any:
    discount = 1.0 if problem.discount is None else problem.discount
    if not problem.sparse and problem.regular:
        table = problem.transitions.reshape(problem.n_states, problem.n_actions, problem.n_states)
        rewards = problem.rewards.reshape(problem.n_states, problem.n_actions)
        return DiscreteDP(rewards, table, discount)
    return DiscreteDP(
        problem.rewards, problem.transitions, discount, problem.states, problem.actions
    )


def solve(model: Any, problem: Problem, settings: Settings) -> tuple[Any, Any]:
    if problem.horizon is not None:
        return backward_induction(model, problem.horizon)
    arguments: Settings = {"method": settings["method"], "max_iter": 10**9}
    if settings["method"] != "policy_iteration":
        arguments["epsilon"] = WANTED
    if "k" in settings:
        arguments["k"] = settings["k"]
    if settings.get("v_init") == "zero":
        arguments["v_init"] = np.zeros(problem.n_states)
    result = model.solve(**arguments)
    return result.v, result.sigma
