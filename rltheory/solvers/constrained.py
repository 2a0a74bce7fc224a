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

Reference: Altman, Constrained Markov Decision Processes, 1999. Claims and proofs:
docs/theory/linear-programs.md.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from rltheory.errors import ConvergenceError, InfeasibleError, ModelError
from rltheory.mathematics.rounding import round_down, round_up
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.intake import real_numbers, start_law
from rltheory.mdp.model import MDP
from rltheory.solvers.evaluate import evaluate
from rltheory.solvers.flow import Flow, minimize
from rltheory.solvers.occupancy import occupancy
from rltheory.solvers.policy_returns import PolicyReturns
from rltheory.solvers.solution import Solution
from rltheory.solvers.solve import solve
from rltheory.solvers.tolerance import Tolerance, read_tolerance

__all__ = ["ConstrainedSolution", "solve_constrained"]

Vector = NDArray[np.float64]
Model = MDP | EpisodicMDP

_SAME = 2.0**-40
"""Beside the largest occupancy of all, what a state's is too small to tell actions by."""
_REPAIRS = 4


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
        Of the same model with rewards r - sum_k multipliers_k c_k; its certificate proves `upper`.
    iterations : int
    seconds : float
    """

    mdp: Model
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
        d = self.occupancy if self.mdp.is_full else _tabled(self.mdp, self.occupancy)
        met = d.reshape(-1, self.mdp.n_actions).sum(axis=1) > 0.0
        support = (self.policy.reshape(-1, self.mdp.n_actions) > 0.0).sum(axis=1)
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
    mdp: Model,
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
        The gap is at most ``max(tol, rtol * size)``, size the largest of the two bounds and of
        sum_k multipliers_k |budgets_k|. A budget is exceeded by at most that, with size the larger
        of |budgets_k| and max|c_k| times the mass 1/(1 - discount) or H. Neither given means
        rtol = 1e-10.

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
    problem = _Problem(mdp, costs, budgets, initial, normalized)
    tolerance = read_tolerance(tol, rtol, float(np.abs(mdp.mean_rewards).max()))
    found = problem.program()
    if found is None:
        raise problem.infeasible()
    d, multipliers, iterations = found
    lagrangian = problem.lagrangian(multipliers, tolerance)
    policy = problem.policy_of(d, lagrangian)
    policy = problem.repaired(policy, multipliers)
    return problem.bracketed(policy, multipliers, lagrangian, tolerance, iterations, begin)


class _Problem:
    """The data of a constrained model, one number a row of the core."""

    def __init__(
        self, mdp: Model, costs: Any, budgets: Any, initial: Any, normalized: bool
    ) -> None:
        if not isinstance(mdp, MDP | EpisodicMDP):
            raise ModelError(
                f"solve_constrained takes an MDP or an EpisodicMDP, not {type(mdp).__name__}"
            )
        if mdp.rational is not None:
            raise ModelError("solve_constrained takes models of doubles, not exact ones")
        start = mdp.initial if initial is None else start_law(initial, mdp.n_states)
        if start is None:
            raise ModelError(
                "solve_constrained needs a start law: give the model one, or pass initial="
            )
        self.given, self.start = mdp, start
        self.budgets = _vector("budgets", budgets)
        self.mdp, self.costs = _read_costs(mdp, costs, len(self.budgets))
        self.flow = Flow(self.mdp)
        self.discounted = isinstance(mdp, MDP)
        g = Fraction(mdp.discount or 0) if isinstance(mdp, MDP) else Fraction(0)
        self.mass = 1 / (1 - g) if isinstance(mdp, MDP) else Fraction(mdp.horizon)
        """Of all occupancies together, unnormalised."""
        self.unit = 1 - g if normalized else Fraction(1)
        """By which an unnormalised mean cost is multiplied before it is held against a budget."""
        self.exact_budgets = [Fraction(b) / self.unit for b in self.budgets.tolist()]
        self.sizes = np.abs(self.costs).max(axis=1, initial=0.0)
        self.sizes[self.sizes == 0.0] = 1.0

    def _on_flow(self, x: Vector) -> Vector:
        """From rows of the core to rows of the flow, stage after stage."""
        return np.tile(x, len(self.flow.owner) // x.shape[-1])

    def program(self, phase_one: bool = False) -> tuple[Vector, Vector, int] | None:
        """(d, multipliers, iterations) at a vertex of the program; None if it is infeasible.

        In phase one the least t >= 0 is sought for which all budgets, each raised by t times the
        largest cost, can be kept.
        """
        flow, K = self.flow, len(self.budgets)
        size = float(np.abs(flow.rewards).max()) or 1.0
        table = np.array(
            [self._on_flow(c / s) for c, s in zip(self.costs, self.sizes, strict=True)]
        )
        table = table.reshape(K, len(flow.owner))
        allowed = np.array([float(b) for b in self.exact_budgets]) * flow.share / self.sizes
        cost, left, right = -flow.rewards / size, flow.matrix.T.tocsr(), sparse.csr_array(table)
        if phase_one:
            cost, size = np.append(np.zeros(len(cost)), 1.0), 1.0
            left = sparse.hstack([left, sparse.csr_array((left.shape[0], 1))], format="csr")
            right = sparse.hstack([right, sparse.csr_array(-np.ones((K, 1)))], format="csr")
        found = minimize(
            cost,
            (left, flow.share * flow.start(self.start)),
            (right, allowed) if K else None,
        )
        if found.status == "infeasible":
            return None
        if found.status != "optimal":
            raise ConvergenceError(None, 0.0, np.inf, f"HiGHS finds the program {found.status}")
        multipliers = np.maximum(0.0, -found.multipliers[left.shape[0] :]) * size / self.sizes
        return found.x[: len(flow.owner)], multipliers, found.iterations

    def lagrangian(
        self, multipliers: Vector, tolerance: Tolerance | None, rewards: Vector | None = None
    ) -> Solution:
        """The model with rewards r - sum_k multipliers_k c_k solved, as well as that goes."""
        base = self.mdp.mean_rewards if rewards is None else rewards
        priced = _with_rewards(self.mdp, base - multipliers @ self.costs)
        try:
            return solve(priced, rtol=1e-13 if tolerance is None else tolerance.rtol / 8 + 1e-16)
        except ConvergenceError as error:
            if error.solution is None:
                raise
            return error.solution

    def upper(
        self, multipliers: Vector, lagrangian: Solution, rewards: Vector | None = None
    ) -> Fraction:
        """A bound of J - sum_k multipliers_k C_k for all policies, in exact arithmetic."""
        base = self.mdp.mean_rewards if rewards is None else rewards
        weights = [(Fraction(m), c) for m, c in zip(multipliers.tolist(), self.costs, strict=True)]
        weights = [(m, c.tolist()) for m, c in weights if m]
        priced, most = lagrangian.mdp.mean_rewards.tolist(), Fraction(0)
        for row, r in enumerate(base.tolist()):
            exact = Fraction(r) - sum((m * Fraction(c[row]) for m, c in weights), Fraction(0))
            most = max(most, exact - Fraction(priced[row]))
        top = lagrangian.upper if self.discounted else lagrangian.upper[0]
        pairs = zip(self.start.tolist(), top.tolist(), strict=True)
        total = sum((Fraction(p) * Fraction(v) for p, v in pairs), Fraction(0))
        return total + most * self.mass * sum(map(Fraction, self.start.tolist()), Fraction(0))

    def policy_of(self, d: Vector, lagrangian: Solution) -> Vector:
        """d(s, .) / d(s); where next to nothing arrives, the action of the Lagrangian model."""
        flow, S, A = self.flow, self.mdp.n_states, self.mdp.n_actions
        d = np.maximum(d, 0.0)
        state = np.bincount(flow.owner, weights=d, minlength=flow.matrix.shape[1])
        reached = state > _SAME * state.max()
        labels = self.mdp.actions[flow.core_rows(np.arange(len(d)))]
        policy = np.zeros((len(state), A))
        share = d / np.where(reached, state, 1.0)[flow.owner]
        share[share < _SAME] = 0.0
        policy[flow.owner, labels] = share
        policy[~reached] = np.eye(A)[lagrangian.policy.reshape(-1)[~reached]]
        policy /= policy.sum(axis=1, keepdims=True)
        return policy if self.discounted else policy.reshape(flow.stages, S, A)

    def repaired(self, policy: Vector, multipliers: Vector) -> Vector:
        """Newton's method on the probabilities of randomised states: costs just within budgets.

        A probability moved from one action to another in s changes C_k by x(s), the unnormalised
        occupancy, times the difference of the two values q_k(s, .).
        """
        flat = policy.reshape(-1, policy.shape[-1])
        extra = []
        for s in np.flatnonzero((flat > 0.0).sum(axis=1) > 1):
            base, *others = np.argsort(-flat[s], kind="stable")[: int((flat[s] > 0.0).sum())]
            extra += [(s, base, a) for a in others]
        for attempt in range(_REPAIRS):
            returns = PolicyReturns(self.mdp, policy, self.start)
            over = [
                returns.bounds(c.tolist())[1] - b
                for c, b in zip(self.costs, self.exact_budgets, strict=True)
            ]
            if not extra or all(x <= 0 for x in over):
                break
            active = [k for k, x in enumerate(over) if x > 0 or multipliers[k] > 0.0]
            jacobian = self._jacobian(policy, active, extra)
            margin = [2.0**-50 * 4.0**attempt * self._cost_size(k) for k in active]
            wanted = np.array([-float(over[k]) - m for k, m in zip(active, margin, strict=True)])
            step = np.linalg.lstsq(jacobian, wanted, rcond=None)[0]
            moved = flat.copy()
            for (s, base, a), x in zip(extra, step, strict=True):
                x = float(np.clip(x, -moved[s, a], moved[s, base]))
                moved[s, a] += x
                moved[s, base] -= x
            policy, flat = moved.reshape(policy.shape), moved
        return policy

    def _cost_size(self, k: int) -> float:
        return max(abs(float(self.exact_budgets[k])), float(self.sizes[k] * self.mass))

    def _jacobian(
        self, policy: Vector, active: Sequence[int], extra: Sequence[tuple[Any, Any, Any]]
    ) -> Vector:
        visits = occupancy(self.mdp, policy, self.start, normalized=False)
        x = np.bincount(self.flow.owner, weights=visits.ravel())
        row_of = {}
        labels = self.mdp.actions[self.flow.core_rows(np.arange(len(self.flow.owner)))]
        for row, (s, a) in enumerate(zip(self.flow.owner.tolist(), labels.tolist(), strict=True)):
            row_of[s, a] = row
        out = np.empty((len(active), len(extra)))
        for i, k in enumerate(active):
            value = evaluate(_with_rewards(self.mdp, self.costs[k]), policy)
            ahead = value if self.discounted else value[:-1]
            own = self._on_flow(self.costs[k])
            q = own + ahead.ravel()[self.flow.owner] - self.flow.matrix @ ahead.ravel()
            for j, (s, base, a) in enumerate(extra):
                out[i, j] = x[s] * (q[row_of[int(s), int(a)]] - q[row_of[int(s), int(base)]])
        return out

    def bracketed(
        self,
        policy: Vector,
        multipliers: Vector,
        lagrangian: Solution,
        tolerance: Tolerance,
        iterations: int,
        begin: float,
    ) -> ConstrainedSolution:
        """The solution with all its bounds; raises where they are not good enough."""
        returns = PolicyReturns(self.mdp, policy, self.start)
        low, high = returns.bounds(self.mdp.mean_rewards.tolist())
        spent = [returns.bounds(c.tolist()) for c in self.costs]
        priced = [
            Fraction(m) * b for m, b in zip(multipliers.tolist(), self.exact_budgets, strict=True)
        ]
        top = self.upper(multipliers, lagrangian) + sum(priced, Fraction(0))
        over = [max(Fraction(0), c[1] - b) for c, b in zip(spent, self.exact_budgets, strict=True)]
        upper, lower = round_up(top), round_down(low)
        gap = round_up(max(Fraction(0), Fraction(upper) - Fraction(lower))) + 0.0  # never -0.0
        size = max(abs(lower), abs(upper), float(sum(map(abs, priced), Fraction(0))))
        wanted = tolerance.of_size(size)
        allowed = [tolerance.of_size(self._cost_size(k)) for k in range(len(over))]
        if any(x > a for x, a in zip(over, allowed, strict=True)):
            raise self.infeasible()
        costs = np.array([float((a + b) / 2 * self.unit) for a, b in spent])
        solution = ConstrainedSolution(
            mdp=self.given,
            policy=policy,
            objective=float((low + high) / 2),
            lower=lower,
            upper=upper,
            gap=gap,
            tol=wanted,
            costs=costs,
            budgets=self.budgets,
            slack=self.budgets - costs,
            violation=round_up(max(over, default=Fraction(0)) * self.unit) + 0.0,
            multipliers=multipliers / float(self.unit),
            occupancy=occupancy(self.given, policy, self.start),
            lagrangian=lagrangian,
            iterations=iterations,
            seconds=time.perf_counter() - begin,
        )
        for name in ("policy", "costs", "budgets", "slack", "multipliers", "occupancy"):
            getattr(solution, name).setflags(write=False)
        if gap > wanted:
            raise ConvergenceError(
                solution, wanted, gap, "the program is not solved more precisely in doubles"
            )
        return solution

    def infeasible(self) -> InfeasibleError | ConvergenceError:
        """The proof that no policy stays within the budgets, or that this is too close to call."""
        found = self.program(phase_one=True)
        multipliers = np.zeros(len(self.budgets)) if found is None else found[1]
        if multipliers.any():
            multipliers = multipliers / multipliers.max()
            nothing = np.zeros(self.mdp.n_pairs)
            solution = self.lagrangian(multipliers, None, nothing)
            least = round_down(-self.upper(multipliers, solution, nothing) * self.unit)
            budget = round_up(
                sum(
                    (
                        Fraction(m) * Fraction(b)
                        for m, b in zip(multipliers, self.budgets, strict=True)
                    ),
                    Fraction(0),
                )
            )
            if least > budget:
                names = ", ".join(f"{m:.6g}" for m in multipliers)
                return InfeasibleError(
                    f"no policy stays within the budgets: costs weighted by [{names}] sum to at "
                    f"least {least!r}, and the budgets to {budget!r}",
                    multipliers,
                    least,
                    budget,
                    solution,
                )
        return ConvergenceError(
            None,
            0.0,
            np.inf,
            "whether a policy stays within the budgets is too close to call in doubles",
        )


def _vector(name: str, x: Any) -> Vector:
    array = np.atleast_1d(real_numbers(name, x)).copy()
    if array.ndim != 1 or not np.isfinite(array).all():
        raise ModelError(f"{name} is {x!r}; it must hold one finite number a constraint")
    return array


def _read_costs(mdp: Model, costs: Any, count: int) -> tuple[Model, Vector]:
    """The costs one a row, (K, n_pairs), and the model, with stages where costs have them."""
    table = real_numbers("costs", costs)
    one = (mdp.n_states, mdp.n_actions) if mdp.is_full else (mdp.n_pairs,)
    shapes: list[tuple[int, ...]] = [one]
    if isinstance(mdp, EpisodicMDP) and mdp.is_full:
        staged = (mdp.horizon, *one)
        shapes = [one, staged] if mdp.is_stationary else [staged]
    if count == 1 and table.shape in shapes:
        table = table[None]
    if table.shape not in [(count, *shape) for shape in shapes]:
        allowed = " or ".join(str((count, *shape)) for shape in shapes)
        raise ModelError(
            f"costs has shape {table.shape}; with {count} budgets it must be {allowed}"
        )
    if not np.isfinite(table).all():
        raise ModelError("costs holds an entry that is not finite")
    if isinstance(mdp, EpisodicMDP) and mdp.is_stationary and table.shape[1:] != one:
        mdp = mdp.with_rewards(mdp.rewards)
    return mdp, np.ascontiguousarray(table.reshape(count, -1))


def _with_rewards(mdp: Model, rewards: Vector) -> Model:
    """The same transitions with other rewards, one a row."""
    if isinstance(mdp, EpisodicMDP) and mdp.is_full:
        stages = () if mdp.is_stationary else (mdp.horizon,)
        return mdp.with_rewards(rewards.reshape(*stages, mdp.n_states, mdp.n_actions))
    return mdp.with_rewards(rewards.reshape(mdp.rewards.shape))


def _tabled(mdp: Model, x: Vector) -> Vector:
    """One number a row, or a row of each stage, as a table over states and actions."""
    if isinstance(mdp, EpisodicMDP) and mdp.is_stationary:
        return np.stack([mdp.table(stage, 0.0) for stage in x])
    return mdp.table(x, 0.0)
