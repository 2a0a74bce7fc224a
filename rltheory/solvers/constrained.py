"""Constrained models: the best mean return from a start law, within budgets of mean costs.

The problem: rewards r, costs c_1..c_K on pairs, budgets b_1..b_K, a start law rho,

    max  J(pi) = rho V^pi_r    over policies pi with    C_k(pi) = rho V^pi_{c_k} <= b_k,  k = 1..K

(V^pi_c is the value of pi when c is paid, discounted or over the horizon). In occupancies it is the
linear program max <d, r> over the flow equations and <d, c_k> <= (1-discount) b_k; a vertex of it
randomises at most K times (claim plan-cmdp-count). For any multipliers lambda >= 0

    J(pi) <= max over pi' of (J - sum_k lambda_k C_k)(pi') + sum_k lambda_k b_k

for all pi within the budgets, and the maximum is an ordinary model, which is solved with a
certificate: an upper bound of the optimum, whatever the multipliers. The lower bound is the return
of the policy, evaluated exactly. Where no policy is within the budgets, some lambda has
min over pi of sum_k lambda_k C_k(pi) > sum_k lambda_k b_k, certified in the same way.

The program over all pairs is solved by HiGHS while it is small. Above some thousand pairs, or where
that is not precise enough, its columns are policies instead (`rltheory.solvers.policy_columns`).

Reference: Altman, Constrained Markov Decision Processes, 1999. Claims and proofs:
docs/theory/linear-programs.md.
"""

import time
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import ConvergenceError
from rltheory.mathematics.rounding import round_down, round_up
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.model import MDP
from rltheory.solvers.constrained_problem import ConstrainedProblem
from rltheory.solvers.occupancy import occupancy
from rltheory.solvers.policy_columns import best_mixture
from rltheory.solvers.policy_returns import PolicyReturns
from rltheory.solvers.solution import Solution
from rltheory.solvers.tolerance import Tolerance, read_tolerance

__all__ = ["ConstrainedSolution", "solve_constrained"]

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class ConstrainedSolution:
    """A policy within its budgets, and how far from the best one it can be at most.

    Parameters
    ----------
    mdp : MDP or EpisodicMDP
    policy : ndarray of float64, shape (S, A) or (H, S, A)
        Probabilities. States that are never met take an optimal action of `lagrangian`.
    objective : float
        The policy's mean return from the start law (not normalised), between the two bounds.
    lower, upper : float
        The policy earns at least `lower`; no policy within the budgets earns more than `upper`.
        Where `violation` is 0 the optimum is between the two.
    gap, tol : float
        ``upper - lower`` rounded up, and what was asked for.
    costs, budgets, slack : ndarray of float64, shape (K,)
        The policy's mean costs, what they may be at most, and ``budgets - costs``; normalised if
        that was asked for.
    violation : float
        By how much a budget is exceeded at most, rounded up: 0 if it is certain that none is. Never
        above the tolerance.
    multipliers : ndarray of float64, shape (K,)
        Derivatives of the optimal `objective` by the budgets, where it has them; at least 0.
    occupancy : ndarray of float64
        Of the policy, as `rlt.occupancy` gives it.
    lagrangian : Solution
        Of the same model with rewards r - sum_k multipliers_k c_k, rounded up; its certificate
        proves `upper`.
    iterations : int
    seconds : float
    """

    mdp: MDP | EpisodicMDP
    policy: Vector
    objective: float
    lower: float
    upper: float
    gap: float
    tol: float
    costs: Vector
    budgets: Vector
    slack: Vector
    violation: float
    multipliers: Vector
    occupancy: Vector
    lagrangian: Solution
    iterations: int
    seconds: float

    @property
    def feasible(self) -> bool:
        """Whether it is certain that every budget is kept."""
        return self.violation == 0.0

    @property
    def randomizations(self) -> int:
        """Actions beyond one, over the states that are met: at most K."""
        mdp, d = self.mdp, self.occupancy
        if not mdp.is_full:
            d = np.stack([mdp.table(stage, 0.0) for stage in d.reshape(-1, mdp.n_pairs)])
        met = d.reshape(-1, mdp.n_actions).sum(axis=1) > 0.0
        support = (self.policy.reshape(-1, mdp.n_actions) > 0.0).sum(axis=1)
        return int((support[met] - 1).sum())

    def __repr__(self) -> str:
        sign = "<=" if self.gap <= self.tol else "ABOVE"
        kept = (
            "budgets kept" if self.feasible else f"budgets exceeded by up to {self.violation:.3g}"
        )
        return (
            f"ConstrainedSolution(gap {self.gap:.3g} {sign} tol {self.tol:.3g}, {kept}, "
            f"{self.mdp.n_states} states, {len(self.budgets)} constraints, "
            f"{self.randomizations} randomizations, {self.seconds:.3f} s)"
        )


def solve_constrained(
    mdp: MDP | EpisodicMDP,
    costs: Any,
    budgets: Any,
    *,
    initial: Any = None,
    normalized: bool = False,
    tol: float | None = None,
    rtol: float | None = None,
) -> ConstrainedSolution:
    """The best policy whose mean costs stay within budgets, with a certified bracket.

    Parameters
    ----------
    mdp : MDP or EpisodicMDP
        Of doubles; an `MDP` needs a discount.
    costs : array_like, shape (K, S, A), or (K, n_pairs) on ragged models
        Costs of pairs; with a horizon (K, H, S, A) too. One constraint may leave out the K.
        A constraint "at least" is one of negative costs.
    budgets : array_like, shape (K,)
        What the mean of sum_t discount^t c_k(s_t, a_t) from the start law may be at most; with a
        horizon of the sum over its stages.
    initial : array_like, shape (S,), optional
        Start law in place of the model's.
    normalized : bool
        Whether budgets and the costs returned are (1 - discount) times that: <d, c_k> for the
        occupancy d of mass 1. Without effect with a horizon.
    tol, rtol : float, optional
        The gap is at most ``max(tol, rtol * size)``, size the largest of the two bounds, of the
        values of `lagrangian`, and of ``sum_k multipliers_k abs(budgets_k)``. A budget is exceeded
        by at most that, with size the larger of ``abs(budgets_k)`` and ``max abs(c_k)`` times the
        mass 1/(1 - discount) or H. Neither given means rtol = 1e-10.

    Returns
    -------
    ConstrainedSolution
        With ``gap <= tol``, always.

    Raises
    ------
    InfeasibleError
        If no policy stays within the budgets; with a proof. It is a ModelError.
    ModelError
        If there is no start law, or an argument does not fit the model.
    ConvergenceError
        If the bracket, or the question whether there is a policy at all, stays open.

    Examples
    --------
    Two actions that pay and cost 1, or nothing; half of what could be had is allowed:

    >>> import rltheory as rlt
    >>> mdp = rlt.MDP.deterministic([[0, 0]], [[1, 0]], discount=0.5, initial=[1])
    >>> solution = rlt.solve_constrained(mdp, costs=[[[1, 0]]], budgets=[1])
    >>> solution.policy.tolist(), solution.objective, solution.multipliers.tolist()
    ([[0.5, 0.5]], 1.0, [1.0])
    >>> solution.feasible, solution.gap, solution.randomizations
    (True, 0.0, 1)
    """
    begin = time.perf_counter()
    problem = ConstrainedProblem(mdp, costs, budgets, initial, normalized)
    tolerance = read_tolerance(tol, rtol, float(np.abs(mdp.mean_rewards).max()))
    prices = np.zeros(len(problem.budgets))
    if problem.is_small:
        try:
            found = problem.program()
            if found is not None:
                d, prices, iterations = found
                return _bracketed(problem, d, prices, tolerance, iterations, begin)
        except ConvergenceError:
            pass  # with large and small rewards in one model HiGHS is not precise enough
    d, prices, iterations = best_mixture(problem, tolerance, prices)
    return _bracketed(problem, d, prices, tolerance, iterations, begin)


def _bracketed(
    problem: ConstrainedProblem,
    d: Vector,
    multipliers: Vector,
    tolerance: Tolerance,
    iterations: int,
    begin: float,
) -> ConstrainedSolution:
    """The solution with all its bounds; raises where they are not good enough."""
    lagrangian = problem.lagrangian(multipliers)
    policy = problem.repaired(problem.policy_of(d, lagrangian), multipliers)
    returns = PolicyReturns(problem.mdp, policy, problem.start)
    low, high = returns.bounds(problem.mdp.mean_rewards.tolist())
    spent = [returns.bounds(c.tolist()) for c in problem.costs]
    top = problem.upper(lagrangian) + problem.priced(multipliers)
    over = [max(Fraction(0), c[1] - b) for c, b in zip(spent, problem.exact_budgets, strict=True)]
    upper, lower = round_up(top), round_down(low)
    gap = round_up(max(Fraction(0), Fraction(upper) - Fraction(lower))) + 0.0  # never -0.0
    wanted = tolerance.of_size(problem.size(max(abs(lower), abs(upper)), multipliers, lagrangian))
    for k, x in enumerate(over):
        allowed = tolerance.of_size(problem.cost_size(k))
        if x > allowed:
            reason = f"budget {k} is exceeded by that: the program is too close to infeasible"
            raise ConvergenceError(None, allowed, float(x), reason)
    costs = np.array([float((a + b) / 2 * problem.unit) for a, b in spent])
    solution = ConstrainedSolution(
        mdp=problem.given,
        policy=policy,
        objective=float((low + high) / 2),
        lower=lower,
        upper=upper,
        gap=gap,
        tol=wanted,
        costs=costs,
        budgets=problem.budgets,
        slack=problem.budgets - costs,
        violation=round_up(max(over, default=Fraction(0)) * problem.unit) + 0.0,
        multipliers=multipliers / float(problem.unit),
        occupancy=occupancy(problem.given, policy, problem.start),
        lagrangian=lagrangian,
        iterations=iterations,
        seconds=time.perf_counter() - begin,
    )
    for name in ("policy", "costs", "budgets", "slack", "multipliers", "occupancy"):
        getattr(solution, name).setflags(write=False)
    if gap > wanted:
        raise ConvergenceError(
            solution, wanted, gap, "probabilities and multipliers are no more precise as doubles"
        )
    return solution
