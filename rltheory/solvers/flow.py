"""The flow of probability through a model as one sparse matrix, and linear programs over it.

The problem: a value v and an occupancy x (unnormalised: of mass 1/(1-discount), or 1 a stage) are
two sides of one matrix B with a row for each pair and a column for each state,

    (B v)(s, a) = v(s) - discount sum_s' P(s' | s, a) v(s'),
    (B^T x)(s)  = sum_a x(s, a) - discount sum_{s', a'} P(s | s', a') x(s', a').

B v >= r says that v bounds the optimal value, B^T x = rho that x is the occupancy of a policy from
rho (d'Epenoux 1963; Puterman, Markov Decision Processes, 1994, section 6.9). With a horizon pairs
and states carry their stage h, the successors of stage h are the states of stage h + 1, and there
is no discount. Each row of P is divided by its exact sum. HiGHS solves the programs; what it
returns is a guess, and nothing is claimed about it here.
"""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import OptimizeWarning, linprog

from rltheory.errors import ConvergenceError
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.model import MDP
from rltheory.solvers.bellman import discount_of

__all__ = ["Flow", "Program", "minimize"]

Vector = NDArray[np.float64]

_SIMPLEX_PAIRS = 4000
"""Up to which HiGHS's dual simplex is faster than its interior point with crossover."""
_FEASIBILITY = 1e-10
"""The least tolerance that HiGHS takes."""


class Flow:
    """The matrix B of a model, and where its rows and columns are.

    Parameters
    ----------
    mdp : MDP or EpisodicMDP

    Attributes
    ----------
    matrix : sparse array, shape (rows, columns)
        Rows are pairs, with a horizon those of each stage in turn; columns are states.
    rewards : ndarray, shape (rows,)
    owner : ndarray of int64, shape (rows,)
        The column of each row's own state.
    first : ndarray of int64, shape (columns,)
        The first row of each column's state.
    """

    def __init__(self, mdp: MDP | EpisodicMDP) -> None:
        self.mdp = mdp
        self.stages = mdp.horizon if isinstance(mdp, EpisodicMDP) else 1
        moves = mdp.transitions
        if mdp.core.defect.size:
            moves = sparse.csr_array(
                (
                    moves.data / np.repeat(1.0 + mdp.row_defect, np.diff(moves.indptr)),
                    moves.indices,
                    moves.indptr,
                ),
                shape=moves.shape,
            )
        S, pointers = mdp.n_states, mdp.pair_ptr
        blocks, owners, rewards = [], [], []
        for h in range(self.stages):
            base = mdp.stage(h) * S if isinstance(mdp, EpisodicMDP) else 0
            rows = slice(int(pointers[base]), int(pointers[base + S]))
            owners.append(np.repeat(np.arange(S), np.diff(pointers[base : base + S + 1])) + h * S)
            rewards.append(mdp.mean_rewards[rows])
            blocks.append(moves[rows])
        self.owner = np.concatenate(owners).astype(np.int64)
        self.rewards = np.concatenate(rewards)
        size = (len(self.owner), S * self.stages)
        own = sparse.csr_array((np.ones(size[0]), self.owner, np.arange(size[0] + 1)), shape=size)
        if isinstance(mdp, EpisodicMDP):
            ahead = sparse.csr_array(size)
            if self.stages > 1:
                inner = sparse.block_diag(blocks[:-1], format="csr")
                last = len(owners[-1])
                ahead = sparse.block_array(
                    [
                        [sparse.csr_array((inner.shape[0], S)), inner],
                        [sparse.csr_array((last, S)), sparse.csr_array((last, inner.shape[1]))],
                    ],
                    format="csr",
                )
            self.matrix = sparse.csr_array(own - ahead)
        else:
            self.matrix = sparse.csr_array(own - discount_of(mdp) * blocks[0])
        counts = np.bincount(self.owner, minlength=size[1])
        self.first = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64)

    @property
    def share(self) -> float:
        """1 - discount, by which a value and an unnormalised occupancy are multiplied; or 1."""
        mdp = self.mdp
        return 1.0 - discount_of(mdp) if isinstance(mdp, MDP) else 1.0

    def start(self, initial: Vector) -> Vector:
        """The right-hand side of the flow equations for a start law."""
        out = np.zeros(self.matrix.shape[1])
        out[: len(initial)] = initial
        return out

    def of_states(self, x: Vector) -> Vector:
        """Reshape a vector over columns: (S,), or (H, S)."""
        return x if isinstance(self.mdp, MDP) else x.reshape(self.stages, -1)

    def of_pairs(self, x: Vector) -> Vector:
        """Reshape a vector over rows: the shape of q."""
        mdp = self.mdp
        if mdp.is_full:
            shape = (mdp.n_states, mdp.n_actions)
            return x.reshape(shape if isinstance(mdp, MDP) else (self.stages, *shape))
        if isinstance(mdp, EpisodicMDP) and mdp.is_stationary:
            return x.reshape(self.stages, -1)
        return x

    def core_rows(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Rows of the model's core that rows of the matrix stand for."""
        mdp = self.mdp
        if isinstance(mdp, EpisodicMDP) and mdp.is_stationary:
            return rows % mdp.n_pairs
        return rows

    def largest(self, x: Vector) -> NDArray[np.int64]:
        """The row of each column's state where x is largest, the first of several."""
        order = np.lexsort((np.arange(len(x)), -x, self.owner))
        return order[self.first]


@dataclass(frozen=True)
class Program:
    """What HiGHS found: the point, the multipliers of its rows, the optimum; or why nothing."""

    x: Vector
    multipliers: Vector
    """Of the equations, then of the inequalities: derivatives of the least value."""
    optimum: float
    iterations: int
    status: str


def minimize(
    cost: Vector,
    equations: tuple[Any, Vector] | None = None,
    at_most: tuple[Any, Vector] | None = None,
    free: bool = False,
) -> Program:
    """min cost x over equations A x = b, inequalities A x <= b, and x >= 0 unless `free`.

    The point is a vertex where there is one: the simplex method, or an interior point followed by
    a crossover.

    Returns
    -------
    Program
        With `status` "optimal", "infeasible" or "unbounded".

    Raises
    ------
    ConvergenceError
        If HiGHS gives up.
    """
    a_eq, b_eq = equations or (None, None)
    a_ub, b_ub = at_most or (None, None)
    small = max(len(cost), 0 if b_ub is None else len(b_ub)) <= _SIMPLEX_PAIRS
    options = {
        "primal_feasibility_tolerance": _FEASIBILITY,
        "dual_feasibility_tolerance": _FEASIBILITY,
    }
    if not small:
        options["ipm_optimality_tolerance"] = 1e-12
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OptimizeWarning)
        found = linprog(
            cost,
            A_ub=a_ub,
            b_ub=b_ub,
            A_eq=a_eq,
            b_eq=b_eq,
            bounds=(None, None) if free else (0.0, None),
            method="highs-ds" if small else "highs-ipm",
            options=options,
        )
    status = {0: "optimal", 2: "infeasible", 3: "unbounded"}.get(found.status)
    if status is None:
        raise ConvergenceError(
            None, 0.0, np.inf, f"HiGHS gives up: {' '.join(found.message.split())}"
        )
    if status != "optimal":
        nothing = np.zeros(0)
        return Program(nothing, nothing, np.nan, int(found.nit), status)
    multipliers = [
        part.marginals
        for part, given in ((found.eqlin, a_eq), (found.ineqlin, a_ub))
        if given is not None
    ]
    return Program(
        np.asarray(found.x), np.concatenate(multipliers), float(found.fun), int(found.nit), status
    )
