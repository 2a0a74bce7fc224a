"""rltheory itself, asked for a certified gap of 1e-6; the certificate is part of the work."""

from typing import Any

import rltheory as rlt
from benchmarks.families import Problem
from benchmarks.peers import Settings
from benchmarks.verify import WANTED
from rltheory import _core

PACKAGE = "rltheory"


def candidates(problem: Problem) -> list[Settings]:
    return [{"method": "auto"}]


def refuses(problem: Problem) -> str:
    return ""


def build(problem: Problem, settings: Settings) -> Any:
    if problem.horizon is not None and problem.regular:
        table = problem.transitions
        if not problem.sparse:
            table = table.reshape(problem.n_states, problem.n_actions, problem.n_states)
        rewards = problem.rewards.reshape(problem.n_states, problem.n_actions)
        return rlt.EpisodicMDP(table, rewards, problem.horizon)
    mdp = rlt.MDP.from_pairs(
        problem.states, problem.actions, problem.transitions, problem.rewards, problem.discount
    )
    return mdp if problem.horizon is None else mdp.episodic(problem.horizon)


def solve(model: Any, problem: Problem, settings: Settings) -> tuple[Any, Any]:
    solution = rlt.solve(model, tol=WANTED, method=settings["method"])
    return solution.value, solution.policy


def sweep(model: Any, problem: Problem, value: Any) -> None:
    """One Jacobi sweep, for the comparison with memory bandwidth."""
    _core.solvers.bellman(model.core, 0, problem.discount or 1.0, value)
