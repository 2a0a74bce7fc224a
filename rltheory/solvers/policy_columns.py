"""The best mixture of policies within budgets, policy after policy.

The occupancies of a model are the mixtures of those of its deterministic policies. With points
(J_i, C_1i, ..., C_Ki) of the policies found so far, the master program

    max  sum_i w_i J_i    over    sum_i w_i C_ki <= b_k,    sum_i w_i = 1,    w >= 0

has K + 1 rows and is solved in fractions. Its multipliers lambda price the budgets; the model with
rewards r - sum_k lambda_k c_k is solved, and its policy becomes a column, until its value shows
that no policy improves the mixture (Dantzig and Wolfe 1960). While the master is infeasible, its
Farkas vector prices the costs alone; where the cheapest policy is still too dear, no policy is
within the budgets. Each step is one ordinary model, whatever the number of states.

The mixture's occupancy may randomise more than K times where policies differ in several states;
then a vertex of the program over the pairs that these policies use takes its place.
"""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from rltheory.errors import ConvergenceError
from rltheory.mathematics.simplex import Outcome, minimize_exactly
from rltheory.solvers.constrained_problem import ConstrainedProblem
from rltheory.solvers.flow import minimize
from rltheory.solvers.occupancy import occupancy
from rltheory.solvers.policy_returns import PolicyReturns
from rltheory.solvers.solution import Solution
from rltheory.solvers.tolerance import Tolerance

__all__ = ["best_mixture"]

Vector = NDArray[np.float64]

_MOST_COLUMNS = 2000


@dataclass
class _Column:
    """A deterministic policy, (H, S) or (S,), and what it earns and costs."""

    policy: NDArray[np.int64]
    earned: Fraction
    spent: list[Fraction]


def best_mixture(
    problem: ConstrainedProblem, tolerance: Tolerance, prices: Vector
) -> tuple[Vector, Vector, int]:
    """(d, multipliers, iterations) of the best mixture, started from these prices.

    Raises
    ------
    InfeasibleError
        If no policy stays within the budgets.
    ConvergenceError
        If that is too close to call.
    """
    columns: list[_Column] = []
    seen: set[bytes] = set()
    tol = 0.0
    for _ in range(_MOST_COLUMNS):
        feasible = True
        if columns:
            master = _master(columns, problem.exact_budgets)
            feasible = master.status == "optimal"
            prices = np.array([max(0.0, -float(y)) for y in master.y[:-1]])
        if not feasible:
            prices /= prices.max()
            # The cheapest policy at these prices, if the master lacks it.
            solution = problem.lagrangian(prices, rewards=np.zeros(problem.mdp.n_pairs))
        else:
            solution = problem.lagrangian(prices, tol)
        if columns and feasible:
            assert master.value is not None
            top = problem.upper(solution) + problem.priced(prices)
            tol = tolerance.of_size(problem.size(float(master.value), prices, solution)) / 8
            if top + master.value <= Fraction(tol):
                break
        key = solution.policy.tobytes()
        if key in seen:
            if feasible:
                break  # no more precise as doubles
            proof = problem.proof_of_infeasibility(prices)
            if proof is not None:
                raise proof
            break
        seen.add(key)
        columns.append(_column(problem, solution))
    used = [(float(w), c) for w, c in zip(master.x, columns, strict=False) if w > 0]
    if not used:
        raise ConvergenceError(
            None,
            0.0,
            np.inf,
            "whether a policy stays within the budgets is too close to call in doubles",
        )
    d = sum(w * _visits(problem, column) for w, column in used)
    return _vertex(problem, np.asarray(d)), prices, len(columns)


def _master(columns: list[_Column], budgets: list[Fraction]) -> Outcome:
    K = len(budgets)
    matrix = [
        [*(c.spent[k] for c in columns), *(Fraction(int(i == k)) for i in range(K))]
        for k in range(K)
    ]
    matrix.append([Fraction(1)] * len(columns) + [Fraction(0)] * K)
    cost = [*(-c.earned for c in columns), *[Fraction(0)] * K]
    return minimize_exactly(cost, matrix, [*budgets, Fraction(1)])


def _table(problem: ConstrainedProblem, policy: NDArray[np.int64]) -> Vector:
    return np.eye(problem.mdp.n_actions)[policy]


def _column(problem: ConstrainedProblem, solution: Solution) -> _Column:
    tables = [problem.mdp.mean_rewards, *problem.costs]
    if problem.is_small:
        returns = PolicyReturns(problem.mdp, _table(problem, solution.policy), problem.start)
        points = [sum(returns.bounds(x.tolist()), Fraction(0)) / 2 for x in tables]
    else:
        visits = occupancy(problem.mdp, solution.policy, problem.start, normalized=False).ravel()
        points = [Fraction(math.fsum(visits * problem.on_flow(x))) for x in tables]
    return _Column(solution.policy, points[0], points[1:])


def _visits(problem: ConstrainedProblem, column: _Column) -> Vector:
    """The occupancy on the rows of the flow."""
    return occupancy(problem.mdp, column.policy, problem.start).ravel()


def _vertex(problem: ConstrainedProblem, d: Vector) -> Vector:
    """d, or an occupancy on its pairs that earns and costs as much and randomises K times."""
    flow, K = problem.flow, len(problem.budgets)
    used = np.flatnonzero(d > 0.0)
    met = len(np.unique(flow.owner[used]))
    if len(used) - met <= K:
        return d
    table = np.array([problem.on_flow(c) for c in problem.costs])[:, used]
    states = np.unique(flow.owner[used])
    equations = flow.matrix[used][:, states].T.tocsr()
    scale = problem.sizes
    try:
        found = minimize(
            -flow.rewards[used] / (float(np.abs(flow.rewards).max()) or 1.0),
            (equations, flow.share * flow.start(problem.start)[states]),
            (sparse.csr_array(table / scale[:, None]), table @ d[used] / scale),
        )
    except ConvergenceError:
        return d
    if found.status != "optimal":
        return d
    out = np.zeros_like(d)
    out[used] = found.x
    return out
