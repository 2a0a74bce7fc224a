"""Planning against an adversary that chooses the transitions, within an ambiguity set a row.

The problem: for each pair a set U(s, a) of laws, chosen from anew at every visit
((s, a)-rectangular),

    V(s) = max_a r(s, a) + discount min_{p in U(s, a)} sum_s' p(s') V(s'),

or with a horizon without discount; the optimistic twin has a maximum over p. The fixed point is the
value of a saddle point: a policy and a kernel that are best answers to each other, in every state.

    value-iteration              v <- T v
    modified-policy-iteration    a greedy policy, then sweeps against the adversary with it fixed
    policy-iteration             a greedy policy, evaluated: the adversary's worst kernel, its
                                 linear equations, and again until the kernel stays worst

Residuals T v - v are formed in double-double with proven error bounds (theorem T4 of
docs/theory/robust.md), and bounds of the fixed point follow as for ordinary planning. References:
Iyengar, Math. OR 2005; Nilim and El Ghaoui, Oper. Res. 2005; Kaufman and Schaefer, INFORMS J.
Computing 2013.
"""

import math
import time
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory import _core
from rltheory.errors import ConvergenceError, ModelError
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.model import MDP
from rltheory.solvers.ambiguity import Ambiguity, read_ambiguity
from rltheory.solvers.bellman import discount_of
from rltheory.solvers.policy_equations import DIRECT_STATES, PolicyEquations
from rltheory.solvers.robust_solution import RobustSolution, Witness
from rltheory.solvers.robust_turns import in_turn
from rltheory.solvers.rounding import residual_of_scaled, round_down, round_up, shifts
from rltheory.solvers.tolerance import Tolerance, overflow, read_tolerance

__all__ = ["solve_robust"]

Vector = NDArray[np.float64]
Rows = NDArray[np.int64]

_METHODS = ("auto", "value-iteration", "modified-policy-iteration", "policy-iteration")
_MOST_IMPROVEMENTS = 12
_UNLIMITED = 2**62
_MOST_STEPS = 10_000
_MOST_IDLE = 100
"""Steps without a smaller gap, beyond twenty a state, after which no more are made.

Where mixing is slow one state a round changes its action, and the gap stays as it is for long.
"""
_MOST_ANSWERS = 50
"""Kernels tried against one policy before its residual has become small."""
_SMALL = 2.0**-40


def solve_robust(
    mdp: MDP | EpisodicMDP,
    *,
    l1: Any = None,
    lower: Any = None,
    upper: Any = None,
    support_only: bool = False,
    optimistic: bool = False,
    method: str = "auto",
    tol: float | None = None,
    rtol: float | None = None,
) -> RobustSolution:
    """Solve a model whose transitions an adversary chooses near the nominal ones.

    Rewards are those of the pairs, which the adversary does not change: where rewards were given by
    successor, their nominal means. If any row of the model may end, the end of the episode is one
    more outcome, of value 0.

    Parameters
    ----------
    mdp : MDP or EpisodicMDP
        The nominal model; an `MDP` needs a discount.
    l1 : float or array_like, optional
        Radius: all laws within this L1 distance of the nominal row. One for all pairs, (S, A), or
        (H, S, A); on ragged models also one a row. Beyond 2, every law is allowed.
    lower, upper : array_like or sparse, optional
        Intervals: all laws between these, shaped like the transitions, (S, A, S), or (H, S, A, S)
        with a horizon, or one row a pair. With one more column they bound the probability of
        ending too, which otherwise stays. Left out, lower is 0 and upper is 1. The nominal model
        must lie between.
    support_only : bool
        With `l1`, mass moves only between the outcomes that a row has; otherwise to any outcome.
    optimistic : bool
        The laws help: a maximum over p in place of the minimum.
    method : str
        "auto", "value-iteration", "modified-policy-iteration" or "policy-iteration" for discounted
        models; "auto" or "backward-induction" with a horizon.
    tol, rtol : float, optional
        As in `solve`.

    Returns
    -------
    RobustSolution
        With ``gap <= tol``, always.

    Raises
    ------
    ModelError
        If an argument is no ambiguity set around this model; the message names the row.
    ConvergenceError
        If the gap stays above the tolerance.

    Examples
    --------
    A state that pays 1 as long as one stays in it, and an adversary that can throw one out with
    probability 1/4:

    >>> import rltheory as rlt
    >>> mdp = rlt.MDP.deterministic([[0], [1]], [[0.0], [1.0]], discount=0.5)
    >>> solution = rlt.solve_robust(mdp, l1=0.5)
    >>> solution.value.tolist()  # 1 / (1 - 0.5 * 0.75)
    [0.0, 1.6]
    >>> solution.worst_transitions.toarray().tolist()
    [[1.0, 0.0], [0.25, 0.75]]
    """
    if not isinstance(mdp, MDP | EpisodicMDP):
        raise ModelError(f"solve_robust takes an MDP or an EpisodicMDP, not {type(mdp).__name__}")
    discounted = isinstance(mdp, MDP)
    known = _METHODS if discounted else ("auto", "backward-induction")
    criterion = "discounted" if discounted else "finite-horizon"
    if method not in known:
        raise ModelError(
            f"method {method!r} does not solve {criterion} models; known are {', '.join(known)}"
        )
    if not isinstance(optimistic, bool | np.bool_):
        raise ModelError(f"optimistic is {optimistic!r}; it must be True or False")
    if isinstance(mdp, MDP):
        discount_of(mdp)
    sets = read_ambiguity(mdp, l1, lower, upper, support_only)
    tolerance = read_tolerance(tol, rtol, float(np.abs(mdp.mean_rewards).max()))
    sign = -1.0 if optimistic else 1.0
    begin = time.perf_counter()
    with np.errstate(all="ignore"):
        if isinstance(mdp, MDP):
            value, sweeps, note = _approach(mdp, sets[0], sign, method, tolerance)
            witness, steps = _refine(mdp, sets[0], sign, value, tolerance)
        else:
            note, sweeps = "", 0
            witness, steps = _backward(mdp, sets, sign, tolerance)
    if witness is None:
        raise overflow(tolerance)
    solution = RobustSolution(
        mdp=mdp,
        criterion=criterion,
        method=method,
        optimistic=bool(optimistic),
        value=witness.head,
        policy=mdp.core.action[witness.rows].astype(np.int64),
        lower=witness.lower,
        upper=witness.upper,
        gap=witness.gap,
        tol=tolerance.of_size(witness.largest),
        iterations=sweeps + steps,
        seconds=time.perf_counter() - begin,
        note=note,
        ambiguity=tuple(sets),
        witness=witness,
    )
    for array in (solution.value, solution.policy, solution.lower, solution.upper):
        array.setflags(write=False)
    if solution.gap > solution.tol:
        raise ConvergenceError(solution, solution.tol, solution.gap, "refinement stalled")
    return solution


# --- discounted ---------------------------------------------------------------------------


def _approach(
    mdp: MDP, ambiguity: Ambiguity, sign: float, method: str, tolerance: Tolerance
) -> tuple[Vector, int, str]:
    """A value near the fixed point, by sweeps; how many; and what was chosen."""
    value = np.zeros(mdp.n_states)
    if method == "policy-iteration" or (method == "auto" and mdp.n_states <= DIRECT_STATES):
        return value, 0, "" if method != "auto" else "policy iteration"
    improvements = {"value-iteration": 0, "modified-policy-iteration": _UNLIMITED}
    value, sweeps, converged = _core.planning.robust_iteration(
        mdp.core,
        discount_of(mdp),
        ambiguity,
        sign,
        tolerance.tol / 4,
        tolerance.rtol / 4,
        improvements.get(method, _MOST_IMPROVEMENTS),
        value,
    )
    if method != "auto":
        return value, sweeps, ""
    if converged:
        return value, sweeps, "modified policy iteration"
    value, more = in_turn(mdp, ambiguity, sign, value, tolerance)
    note = "modified policy iteration, then models whose laws the adversary keeps to"
    return value, sweeps + more, f"{note}, then policy iteration"


def _data_error(mdp: MDP | EpisodicMDP) -> float:
    """Relative error of the doubles of a model in fractions, and of the sums of its rows."""
    return 0.0 if mdp.rational is None else (mdp.core.longest_row + 8) * 2.0**-53


def _refine(
    mdp: MDP, ambiguity: Ambiguity, sign: float, value: Vector, tolerance: Tolerance
) -> tuple[Witness | None, int]:
    """Policy iteration in double-double from this value, until the bracket is tight enough."""
    core, discount, exact = mdp.core, discount_of(mdp), Fraction(mdp.discount or 0)
    head, tail = value, np.zeros_like(value)
    _, rows = _core.planning.robust_bellman(core, 0, discount, ambiguity, sign, value)
    best: Witness | None = None
    last, answers, idle = math.inf, 0, 0
    for step in range(_MOST_STEPS):
        low, high, finite, residual, better = _core.planning.robust_residual_bounds(
            core, 0, discount, ambiguity, sign, head, tail, head, tail, _data_error(mdp), rows
        )
        if not finite:
            break
        bounds = shifts(*residual_of_scaled(low, high), exact)
        lower, upper = _core.solvers.round_outward(head, tail, *bounds)
        gap = _core.solvers.largest_gap(lower, upper)
        idle += 1
        if math.isfinite(gap) and (best is None or gap < best.gap):
            idle, best = 0, Witness(rows, head, tail, lower, upper, gap)
            if gap <= tolerance.of_size(best.largest):
                return best, step
        size = float(np.abs(residual).max())
        rough = size > _SMALL * float(np.abs(head).max()) and answers < _MOST_ANSWERS
        if size > 0.0 and (rough or size <= 0.5 * last):
            last, answers = size, answers + 1
            correction = _answered(mdp, ambiguity, sign, rows, head, tail, residual)
            if not np.isfinite(correction).all():
                break
            head, tail = _core.solvers.add_correction(head, tail, correction)
            continue
        if np.array_equal(better, rows) or idle > _MOST_IDLE + 20 * mdp.n_states:
            break
        rows, last, answers = better, math.inf, 0
    return best, step


def _answered(
    mdp: MDP,
    ambiguity: Ambiguity,
    sign: float,
    rows: Rows,
    head: Vector,
    tail: Vector,
    residual: Vector,
) -> Vector:
    """What the policy's value lacks if the adversary keeps the kernel that it now chooses."""
    core, n = mdp.core, mdp.n_states
    row_ptr, col, prob, exit_ = _core.planning.worst_laws(
        core, 0, ambiguity, sign, head, tail, rows
    )
    reward = np.zeros(n)
    ends = exit_ if exit_.any() else None
    chain = _core.model.from_csr(
        n, 1, 1, None, None, row_ptr, col, prob, reward, ends, None, None, True, True
    )
    equations = PolicyEquations(chain, discount_of(mdp), np.arange(n, dtype=np.int64))
    return equations.solve(residual)


# --- with a horizon -----------------------------------------------------------------------


def _backward(
    mdp: EpisodicMDP, sets: list[Ambiguity], sign: float, tolerance: Tolerance
) -> tuple[Witness | None, int]:
    best: Witness | None = None
    for precise in (False, True):
        found = _induction(mdp, sets, sign, precise)
        if found is not None and (best is None or found.gap < best.gap):
            best = found
        if best is not None and best.gap <= tolerance.of_size(best.largest):
            break
    return best, 1 + precise


def _induction(
    mdp: EpisodicMDP, sets: list[Ambiguity], sign: float, precise: bool
) -> Witness | None:
    """Backward induction; `precise` adds to each stage's value what its residual lacks."""
    core, H, S = mdp.core, mdp.horizon, mdp.n_states
    head, tail = np.zeros((H + 1, S)), np.zeros((H + 1, S))
    lower, upper = np.zeros((H + 1, S)), np.zeros((H + 1, S))
    rows = np.zeros((H, S), dtype=np.int64)
    below = above = Fraction(0)
    for h in reversed(range(H)):
        stage, ambiguity = mdp.stage(h), sets[h if len(sets) > 1 else 0]
        head[h], rows[h] = _core.planning.robust_bellman(
            core, stage, 1.0, ambiguity, sign, head[h + 1]
        )
        for correct in (True, False) if precise else (False,):
            witness = head[h + 1], tail[h + 1], head[h], tail[h]
            common = (core, stage, 1.0, ambiguity, sign, *witness, _data_error(mdp))
            low, high, finite, residual, better = _core.planning.robust_residual_bounds(
                *common, rows[h]
            )
            if correct and not np.array_equal(better, rows[h]):
                rows[h] = better
                residual = _core.planning.robust_residual_bounds(*common, rows[h])[3]
            if not finite:
                return None
            if correct:
                head[h], tail[h] = _core.solvers.add_correction(head[h], tail[h], residual)
        least, most = residual_of_scaled(low, high)
        down = round_down(below + min(Fraction(0), Fraction(least)))
        up = round_up(above + max(Fraction(0), Fraction(most)))
        if not (math.isfinite(down) and math.isfinite(up)):
            return None
        below, above = Fraction(down), Fraction(up)
        lower[h], upper[h] = _core.solvers.round_outward(head[h], tail[h], down, up)
    gap = _core.solvers.largest_gap(lower.reshape(-1), upper.reshape(-1))
    return Witness(rows, head, tail, lower, upper, gap) if math.isfinite(gap) else None
