"""The data of a constrained model, and the pieces of its solution: program, prices, bounds.

Symbols as in `rltheory.solvers.constrained`: rewards r, costs c_k, budgets b_k, multipliers lambda.
Everything here is one number a row of the core; budgets and bounds are fractions, unnormalised.
"""

from collections.abc import Sequence
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

__all__ = ["ConstrainedProblem"]

Vector = NDArray[np.float64]
Model = MDP | EpisodicMDP

_SAME = 2.0**-40
"""Beside the largest occupancy of all, what a state's is too small to tell actions by."""
_REPAIRS = 4
_SMALL_PAIRS = 4000
"""Up to which the program over all pairs is solved at once, and prices are formed in fractions."""


class ConstrainedProblem:
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
        if not isinstance(normalized, bool | np.bool_):
            raise ModelError(f"normalized is {normalized!r}; it must be True or False")
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
        self.is_small = len(self.flow.owner) <= _SMALL_PAIRS
        g = Fraction(mdp.discount or 0) if isinstance(mdp, MDP) else Fraction(0)
        self.mass = 1 / (1 - g) if isinstance(mdp, MDP) else Fraction(mdp.horizon)
        """Of all occupancies together, unnormalised."""
        self.unit = 1 - g if normalized else Fraction(1)
        """By which an unnormalised mean cost is multiplied before it is held against a budget."""
        self.exact_budgets = [Fraction(b) / self.unit for b in self.budgets.tolist()]
        self.sizes = np.abs(self.costs).max(axis=1, initial=0.0)
        self.sizes[self.sizes == 0.0] = 1.0

    def on_flow(self, x: Vector) -> Vector:
        """From rows of the core to rows of the flow, stage after stage."""
        return np.tile(x, len(self.flow.owner) // x.shape[-1])

    def program(self) -> tuple[Vector, Vector, int] | None:
        """(d, multipliers, iterations) at a vertex of the program; None if it is infeasible."""
        flow, K = self.flow, len(self.budgets)
        size = float(np.abs(flow.rewards).max()) or 1.0
        table = np.array([self.on_flow(c / s) for c, s in zip(self.costs, self.sizes, strict=True)])
        table = table.reshape(K, len(flow.owner))
        allowed = np.array([float(b) for b in self.exact_budgets]) * flow.share / self.sizes
        found = minimize(
            -flow.rewards / size,
            (flow.matrix.T.tocsr(), flow.share * flow.start(self.start)),
            (sparse.csr_array(table), allowed) if K else None,
        )
        if found.status == "infeasible":
            return None
        if found.status != "optimal":
            raise ConvergenceError(None, 0.0, np.inf, f"HiGHS finds the program {found.status}")
        marginals = found.multipliers[flow.matrix.shape[1] :]
        return found.x, np.maximum(0.0, -marginals) * size / self.sizes, found.iterations

    def lagrangian(
        self, multipliers: Vector, tol: float = 0.0, rewards: Vector | None = None
    ) -> Solution:
        """The model with rewards r - sum_k multipliers_k c_k solved, as well as that goes.

        These rewards are rounded up, so that its values bound those of the exact ones.
        """
        base = self.mdp.mean_rewards if rewards is None else rewards
        if self.is_small:
            parts = zip(multipliers.tolist(), self.costs, strict=True)
            priced = [(Fraction(m), c.tolist()) for m, c in parts if m]
            paid = base.tolist()
            for row, r in enumerate(paid if priced else ()):
                spent = sum((m * Fraction(c[row]) for m, c in priced), Fraction(0))
                paid[row] = round_up(Fraction(r) - spent)
        else:  # K products, K sums and a subtraction, each off by 2^-53 of its size at most
            size = np.abs(base) + multipliers @ np.abs(self.costs)
            units = (len(multipliers) + 4) * (2.0**-53 * size + 2.0**-1074)
            above = np.nextafter((base - multipliers @ self.costs) + units, np.inf)
            free = (self.costs[multipliers > 0.0] == 0.0).all(axis=0)
            paid = np.where(free, base, above).tolist()
        model = _with_rewards(self.mdp, np.array(paid))
        try:
            return solve(model, tol=tol, rtol=2.0**-50)
        except ConvergenceError as error:
            if error.solution is None:
                raise
            return error.solution

    def upper(self, lagrangian: Solution) -> Fraction:
        """A bound of J - sum_k multipliers_k C_k for all policies, in exact arithmetic."""
        top = lagrangian.upper if self.discounted else lagrangian.upper[0]
        pairs = zip(self.start.tolist(), top.tolist(), strict=True)
        return sum((Fraction(p) * Fraction(v) for p, v in pairs), Fraction(0))

    def priced(self, multipliers: Vector) -> Fraction:
        """sum_k multipliers_k b_k."""
        pairs = zip(multipliers.tolist(), self.exact_budgets, strict=True)
        return sum((Fraction(m) * b for m, b in pairs), Fraction(0))

    def size(self, objective: float, multipliers: Vector, lagrangian: Solution) -> float:
        """What a relative tolerance of the objective is relative to."""
        pairs = zip(multipliers.tolist(), self.exact_budgets, strict=True)
        spent = float(sum((Fraction(m) * abs(b) for m, b in pairs), Fraction(0)))
        largest = max(float(np.abs(x).max()) for x in (lagrangian.lower, lagrangian.upper))
        return max(abs(objective), spent, largest)

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
            margin = [2.0**-50 * 4.0**attempt * self.cost_size(k) for k in active]
            wanted = np.array([-float(over[k]) - m for k, m in zip(active, margin, strict=True)])
            step = np.linalg.lstsq(jacobian, wanted, rcond=None)[0]
            moved = flat.copy()
            for (s, base, a), x in zip(extra, step, strict=True):
                x = float(np.clip(x, -moved[s, a], moved[s, base]))
                moved[s, a] += x
                moved[s, base] -= x
            policy, flat = moved.reshape(policy.shape), moved
        return policy

    def cost_size(self, k: int) -> float:
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
            own = self.on_flow(self.costs[k])
            q = own + ahead.ravel()[self.flow.owner] - self.flow.matrix @ ahead.ravel()
            for j, (s, base, a) in enumerate(extra):
                out[i, j] = x[s] * (q[row_of[int(s), int(a)]] - q[row_of[int(s), int(base)]])
        return out

    def proof_of_infeasibility(self, multipliers: Vector) -> InfeasibleError | None:
        """That no policy stays within the budgets, if these multipliers prove it."""
        if not multipliers.any():
            return None
        multipliers = multipliers / multipliers.max()
        nothing = np.zeros(self.mdp.n_pairs)
        solution = self.lagrangian(multipliers, rewards=nothing)
        least = round_down(-self.upper(solution) * self.unit)
        pairs = zip(multipliers.tolist(), self.budgets.tolist(), strict=True)
        budget = round_up(sum((Fraction(m) * Fraction(b) for m, b in pairs), Fraction(0)))
        if not least > budget:
            return None
        names = ", ".join(f"{m:.6g}" for m in multipliers)
        return InfeasibleError(
            f"no policy stays within the budgets: costs weighted by [{names}] sum to at least "
            f"{least!r}, and the budgets to {budget!r}",
            multipliers,
            least,
            budget,
            solution,
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
    return mdp, np.ascontiguousarray(table.reshape(count, mdp.n_pairs))


def _with_rewards(mdp: Model, rewards: Vector) -> Model:
    """The same transitions with other rewards, one a row."""
    if isinstance(mdp, EpisodicMDP) and mdp.is_full:
        stages = () if mdp.is_stationary else (mdp.horizon,)
        return mdp.with_rewards(rewards.reshape(*stages, mdp.n_states, mdp.n_actions))
    return mdp.with_rewards(rewards.reshape(mdp.rewards.shape))
