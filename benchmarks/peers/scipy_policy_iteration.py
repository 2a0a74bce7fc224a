"""Policy iteration on numpy and scipy, as one writes it; a loop of products with a horizon.

The equations of a policy are solved by LAPACK when dense, else by SuperLU or, as a setting, by
BiCGSTAB to a relative residual of 1e-13. An action is changed only where another one is better by
more than rounding.
"""

from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse import linalg

from benchmarks.families import Problem
from benchmarks.peers import Settings

PACKAGE = "scipy"


def candidates(problem: Problem) -> list[Settings]:
    if problem.horizon is not None:
        return [{"method": "backward_induction"}]
    if not problem.sparse:
        return [{"equations": "direct"}]
    return [{"equations": "bicgstab"}, {"equations": "direct"}]


def refuses(problem: Problem) -> str:
    return ""


def build(problem: Problem, settings: Settings) -> Any:
    return problem.starts


def solve(model: Any, problem: Problem, settings: Settings) -> tuple[Any, Any]:
    starts = model
    if problem.horizon is not None:
        return _backward(problem)
    discount = problem.discount or 0.0
    value = np.zeros(problem.n_states)
    rows = _best(problem.rewards, problem, starts)
    while True:
        value = _evaluated(problem, rows, value, discount, settings["equations"])
        q = problem.rewards + discount * (problem.transitions @ value)
        better = _best(q, problem, starts)
        slack = 1e-13 * (1.0 + np.abs(value).max())
        switch = q[better] > q[rows] + slack
        if not switch.any():
            return value, problem.actions[rows]
        rows = np.where(switch, better, rows)


def _best(q: Any, problem: Problem, starts: Any) -> Any:
    """The first best row of each state."""
    best = np.maximum.reduceat(q, starts[:-1])
    hit = np.flatnonzero(q == best[problem.states])
    return hit[np.searchsorted(problem.states[hit], np.arange(problem.n_states))]


def _evaluated(problem: Problem, rows: Any, start: Any, discount: float, equations: str) -> Any:
    chain, reward = problem.transitions[rows], problem.rewards[rows]
    if not problem.sparse:
        return np.linalg.solve(np.eye(problem.n_states) - discount * chain, reward)
    matrix = sparse.eye_array(problem.n_states, format="csr") - discount * chain
    if equations == "direct":
        return linalg.spsolve(matrix.tocsc(), reward)
    value, failed = linalg.bicgstab(matrix, reward, start, rtol=1e-13, atol=0.0, maxiter=10_000)
    return linalg.spsolve(matrix.tocsc(), reward) if failed else value


def _backward(problem: Problem) -> tuple[Any, Any]:
    horizon = problem.horizon or 0
    value = np.zeros((horizon + 1, problem.n_states))
    policy = np.zeros((horizon, problem.n_states), dtype=np.int64)
    starts = problem.starts
    for h in reversed(range(horizon)):
        q = problem.rewards + problem.transitions @ value[h + 1]
        if problem.regular:
            table = q.reshape(problem.n_states, problem.n_actions)
            policy[h] = table.argmax(axis=1)
            value[h] = table.max(axis=1)
        else:
            rows = _best(q, problem, starts)
            policy[h], value[h] = problem.actions[rows], q[rows]
    return value, policy
