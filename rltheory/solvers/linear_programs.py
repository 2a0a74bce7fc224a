"""The linear programs of planning: an optimal value, or an optimal occupancy, as a vertex.

With B and the start law rho of `rltheory.solvers.flow`, and c a law that is positive everywhere,

    primal    min  c v            over v with B v >= r               d(s, a) multipliers
    dual      max  r x            over x >= 0 with B^T x = c         v(s) multipliers

both equal to c V* (d'Epenoux 1963; Puterman, Markov Decision Processes, 1994, section 6.9). As c is
positive, V* is the only optimum of the primal, and a vertex of the dual has one positive pair in
each state: an optimal policy. c is rho where rho is positive. Where it is not, values and actions
of states that are never met would be arbitrary, so c is half rho and half uniform; with a horizon c
is uniform at all later stages. Claims: plan-lp, plan-lp-duality (docs/theory/linear-programs.md).

What the program gives is only a guess. Its policy and value go through the certificate of `solve`.
"""

import dataclasses
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory import _core
from rltheory.errors import ConvergenceError, ModelError
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.intake import start_law
from rltheory.mdp.model import MDP
from rltheory.solvers.finite_horizon import backward_induction, certify_stages
from rltheory.solvers.flow import Flow, Program, minimize
from rltheory.solvers.methods import Guess
from rltheory.solvers.occupancy import occupancy
from rltheory.solvers.solution import Solution
from rltheory.solvers.solve import certified_guess, returned
from rltheory.solvers.tolerance import Tolerance, read_tolerance

__all__ = ["LPSolution", "solve_lp"]

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class LPSolution(Solution):
    """A certified solution that a linear program found, with what the program says beside it.

    Parameters
    ----------
    side : str
        "primal" or "dual".
    weights : ndarray of float64, shape (S,) or (H, S)
        The positive law c that the program was solved with.
    objective : float
        Of the program, as far as the start law goes: rho v on the primal side; on the dual side
        <d, r> / (1 - discount), with a horizon the sum over stages of <d_h, r_h>. Not certified.
    dual_values : ndarray of float64
        Multipliers of the program's rows, not certified. Primal: the occupancy that `weights` send
        through the model, in the shape of q, of mass 1 if discounted and without exits. Dual: the
        value, (S,) or (H, S).
    occupancy : ndarray of float64, (S, A) or (H, S, A), or one a row on ragged models
        Of `policy` from the start law: an optimal vertex of the dual for that law.
    """

    side: str = field(kw_only=True)
    weights: Vector = field(kw_only=True)
    objective: float = field(kw_only=True)
    dual_values: Vector = field(kw_only=True)
    occupancy: Vector = field(kw_only=True)


def solve_lp(
    mdp: MDP | EpisodicMDP,
    side: str = "primal",
    *,
    initial: Any = None,
    tol: float | None = None,
    rtol: float | None = None,
) -> LPSolution:
    """Solve a model by linear programming, to a certified gap.

    `solve` is faster, by a factor that grows with the model (10^4 states with 4 actions and 5
    random successors: a minute here, a twentieth of a second there). This is for the program
    itself: its vertex, its multipliers, complementary slackness.

    Parameters
    ----------
    mdp : MDP or EpisodicMDP
        An `MDP` needs a discount.
    side : {"primal", "dual"}
        "primal": min rho v over v >= r + discount P v. "dual": max <d, r> / (1 - discount) over the
        flow equations of occupancies d.
    initial : array_like, shape (S,), optional
        Start law rho in place of the model's.
    tol, rtol : float, optional
        As in `solve`.

    Returns
    -------
    LPSolution
        With ``gap <= tol``, always.

    Raises
    ------
    ModelError
        If there is no start law, or an argument does not fit the model.
    ConvergenceError
        As in `solve`, and if HiGHS gives up.

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.MDP.deterministic([[0, 1], [1, 1]], [[1, 0], [4, 4]], 0.5, initial=[1, 0])
    >>> solution = rlt.solve_lp(mdp, "dual")
    >>> solution.occupancy.tolist()  # go (action 1) at once, and stay
    [[0.0, 0.5], [0.5, 0.0]]
    >>> round(solution.objective, 9), solution.gap <= solution.tol
    (4.0, True)
    """
    if not isinstance(mdp, MDP | EpisodicMDP):
        raise ModelError(f"solve_lp takes an MDP or an EpisodicMDP, not {type(mdp).__name__}")
    if side not in ("primal", "dual"):
        raise ModelError(f"side {side!r} is unknown; it is 'primal' or 'dual'")
    start = mdp.initial if initial is None else start_law(initial, mdp.n_states)
    if start is None:
        raise ModelError("solve_lp needs a start law: give the model one, or pass initial=")
    tolerance = read_tolerance(tol, rtol, float(np.abs(mdp.mean_rewards).max()))
    begin = time.perf_counter()
    flow = Flow(mdp)
    weights, is_start = _positive(flow, start)
    value, pairs, program = _solved(flow, side, weights)
    rows = flow.largest(pairs)
    if isinstance(mdp, MDP):
        guess = Guess(value, rows, program.iterations)
        solution = certified_guess(mdp, "linear-program", guess, tolerance, begin)
    else:
        solution = _with_horizon(mdp, flow, rows, program.iterations, tolerance, begin)
    visits = occupancy(mdp, solution.policy, start)
    if side == "primal":
        objective = float(start @ value[: mdp.n_states])
    else:
        of_start = flow.of_pairs(pairs) if is_start else visits
        objective = float((of_start.ravel() * flow.rewards).sum()) / flow.share
    multipliers = flow.of_pairs(pairs) if side == "primal" else flow.of_states(value)
    for array in (weights, multipliers, visits):
        array.setflags(write=False)
    fields = {f.name: getattr(solution, f.name) for f in dataclasses.fields(solution)}
    return LPSolution(
        **fields,
        side=side,
        weights=flow.of_states(weights),
        objective=objective,
        dual_values=multipliers,
        occupancy=visits,
    )


def _positive(flow: Flow, start: Vector) -> tuple[Vector, bool]:
    """The law c on columns, and whether it is the start law itself."""
    S = len(start)
    weights = np.full(flow.matrix.shape[1], 1.0 / S)
    weights[:S] = start if (start > 0.0).all() else 0.5 * start + 0.5 / S
    return weights, bool(flow.stages == 1 and (start > 0.0).all())


def _solved(flow: Flow, side: str, weights: Vector) -> tuple[Vector, Vector, Program]:
    """(v, d, program): both sides of the optimum, whichever was solved for."""
    size = float(np.abs(flow.rewards).max()) or 1.0
    rewards = flow.rewards / size
    if side == "primal":
        found = minimize(weights, at_most=(-flow.matrix, -rewards), free=True)
        value, pairs = found.x, -flow.share * found.multipliers
    else:
        equations = (flow.matrix.T.tocsr(), flow.share * weights)
        found = minimize(-rewards, equations)
        value, pairs = -found.multipliers, found.x
    if found.status != "optimal":
        raise ConvergenceError(
            None,
            0.0,
            np.inf,
            f"HiGHS finds the program {found.status}, though both sides always have an optimum: "
            "its tolerances are too coarse for this model; solve needs no program",
        )
    with np.errstate(over="ignore"):  # where it overflows, the policy is solved for instead
        return size * value, pairs, found


def _with_horizon(
    mdp: EpisodicMDP,
    flow: Flow,
    rows: NDArray[np.int64],
    iterations: int,
    tolerance: Tolerance,
    begin: float,
) -> Solution:
    """The program's policy certified; backward induction where it is not good enough."""
    chosen = flow.core_rows(rows)
    weights = np.zeros(len(flow.owner))
    weights[rows] = 1.0
    head = _core.solvers.policy_backward(mdp.core, mdp.horizon, weights)
    staged = np.ascontiguousarray(chosen.reshape(mdp.horizon, mdp.n_states))
    certificate, gap, note = None, np.inf, ""
    found = certify_stages(mdp, staged, head, np.zeros_like(head), precise=False)
    if found is not None:
        certificate, gap = found
    if certificate is None or gap > tolerance.of(certificate):
        certificate, gap, passes = backward_induction(mdp, tolerance)
        iterations += passes
        note = "certified by backward induction: the program is not that precise"
    return returned(
        mdp,
        "finite-horizon",
        "linear-program",
        certificate,
        gap,
        tolerance,
        iterations,
        begin,
        note,
    )
