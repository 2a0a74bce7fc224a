"""Planning regularised by the entropy of the policy, or by its KL divergence to a reference.

The problem: with a temperature tau > 0 and a reference law rho(. | s),

    V_tau^pi = value of pi with the rewards r(s, a) - tau log(pi(a | s) / rho(a | s)),
    V_tau^*  = max over pi,    (T_tau v)(s) = tau log sum_a rho(a | s) exp(q(s, a) / tau),
    pi(a | s) = rho(a | s) exp((q(s, a) - (T_tau v)(s)) / tau),    q = r + discount P v;

for the entropy, -tau log pi(a | s) in place of the divergence and no rho in the sum. V_tau^* is the
fixed point of T_tau; with a horizon it is found by backward induction.

    value-iteration      v <- T_tau v
    policy-iteration     soft policy iteration: the value of the soft greedy policy, which is
                         Newton's method for v = T_tau v and converges quadratically

What is returned is certified: residuals T_tau v - v are formed in double-double, their soft maxima
in doubles with proven error bounds (theorem T3 of docs/theory/regularized.md; exp and log are taken
to be within 4 ulps), and bounds follow as for hard planning. References: Ziebart 2010; Haarnoja et
al. 2017; Geist, Scherrer and Pietquin 2019.
"""

import math
import time
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory import _core
from rltheory.errors import ConvergenceError, ModelError
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.model import MDP
from rltheory.solvers.bellman import discount_of, q_values
from rltheory.solvers.policy_equations import DIRECT_STATES, PolicyEquations
from rltheory.solvers.reference_laws import Regularizer, read_regularizer
from rltheory.solvers.regularized_starts import STARTS
from rltheory.solvers.rounding import round_down, round_up, shifts
from rltheory.solvers.tolerance import Tolerance, overflow, read_tolerance

__all__ = ["RegularizedSolution", "solve_regularized"]

Vector = NDArray[np.float64]

_MOST_STEPS = 100_000
_MOST_IDLE = 20
"""Newton steps without a smaller gap after which no more are made, once they are rounding.

At small temperatures they are policy iteration, which changes one state a round where mixing is
slow, while the gap stays as it is: as long as values still move, twenty a state are allowed.
"""
_SETTLED = 2.0**-48
_NO_PATH = 1e-25
"""Probabilities below this change no Newton step, and would only fill its matrix."""
DATA_ERROR = 4 * 2.0**-53
"""Relative error of the doubles of a model in fractions: each number, and the row's sum."""


@dataclass(frozen=True, eq=False, repr=False)
class RegularizedSolution:
    """A certified solution: lower <= V_tau^policy <= V_tau^* <= upper in every state.

    Parameters
    ----------
    mdp : MDP or EpisodicMDP
    criterion : str
        "discounted" or "finite-horizon".
    method : str
    temperature : float
    reference : ndarray of float64, shape (S, A) or (H, S, A), or None
        Reference probabilities, of a reference in logarithms as far as doubles hold them; None for
        the entropy.
    value : ndarray of float64, shape (S,) or (H+1, S)
        V_tau^*, within the bounds.
    policy, log_policy : ndarray of float64, shape (S, A) or (H, S, A)
        Probabilities, and their logarithms: finite for every allowed action, however small its
        probability; -inf for the others.
    lower, upper : ndarray of float64, like `value`
    gap : float
        max (upper - lower), rounded up.
    tol : float
        What was asked for, in absolute terms; `gap` is at most this.
    iterations : int
        Sweeps and Newton steps.
    seconds : float
    note : str
    """

    mdp: MDP | EpisodicMDP
    criterion: str
    method: str
    temperature: float
    reference: Vector | None
    value: Vector
    policy: Vector
    log_policy: Vector
    lower: Vector
    upper: Vector
    gap: float
    tol: float
    iterations: int
    seconds: float
    note: str = ""

    @cached_property
    def q(self) -> Vector:
        """r + discount P value: (S, A) or (H, S, A); one a row on ragged models."""
        return q_values(self.mdp, self.value)

    def __repr__(self) -> str:
        sign = "<=" if self.gap <= self.tol else "ABOVE"
        return (
            f"RegularizedSolution(gap {self.gap:.3g} {sign} tol {self.tol:.3g}, {self.criterion}, "
            f"temperature {self.temperature:.3g}, {self.mdp.n_states} states, {self.method}, "
            f"{self.iterations} iterations, {self.seconds:.3f} s)"
        )


@dataclass(frozen=True)
class _Bracket:
    """Bounds that hold, the value between them, and the policy that they are about."""

    lower: Vector
    upper: Vector
    gap: float
    value: Vector
    policy: Any
    log_policy: Any

    @property
    def largest(self) -> float:
        return max(float(np.abs(self.lower).max()), float(np.abs(self.upper).max()))


def solve_regularized(
    mdp: MDP | EpisodicMDP,
    temperature: float,
    reference: Any = None,
    *,
    log_reference: Any = None,
    method: str = "auto",
    tol: float | None = None,
    rtol: float | None = None,
) -> RegularizedSolution:
    """Solve a model whose policies pay for certainty, or for leaving a reference.

    Parameters
    ----------
    mdp : MDP or EpisodicMDP
        An `MDP` needs a discount.
    temperature : float
        tau > 0, in units of reward per nat. As it tends to 0 the value tends to that of `solve`,
        which is what temperature 0 would mean; 0 itself is refused.
    reference : array_like, optional
        Probabilities, (S, A) or (H, S, A), or actions: the objective is reward minus temperature
        times the KL divergence to it, and actions of probability 0 are forbidden. Left out, it is
        reward plus temperature times the entropy of the policy.
    log_reference : array_like, optional
        Logarithms of such probabilities, in place of `reference`: for those too small for a double.
    method : {"auto", "value-iteration", "policy-iteration", "backward-induction"}
        The last one is for models with a horizon.
    tol, rtol : float, optional
        As in `solve`; the temperature counts as a reward where values cancel to 0.

    Returns
    -------
    RegularizedSolution
        With ``gap <= tol``, always.

    Raises
    ------
    ModelError, PolicyError
        If an argument does not fit the model.
    ConvergenceError
        If the gap stays above the tolerance: exp and log are taken in doubles, so that about
        (A + 10) 2^-52 temperature / (1 - discount) is left.

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.MDP.deterministic([[0, 0]], [[1.0, 0.0]], discount=0.5)
    >>> solution = rlt.solve_regularized(mdp, temperature=1.0)
    >>> print(solution.value.round(6), solution.policy.round(6))  # log(1 + e) / (1 - discount)
    [2.626523] [[0.731059 0.268941]]
    >>> rlt.solve_regularized(mdp, 1e-3, reference=[[0.0, 1.0]]).value.tolist()
    [0.0]
    """
    if not isinstance(mdp, MDP | EpisodicMDP):
        raise ModelError(
            f"solve_regularized takes an MDP or an EpisodicMDP, not {type(mdp).__name__}"
        )
    soft = read_regularizer(mdp, temperature, reference, log_reference)
    largest = max(float(np.abs(mdp.mean_rewards).max()), soft.temperature)
    tolerance = read_tolerance(tol, rtol, largest)
    begin = time.perf_counter()
    known: tuple[str, ...]
    if isinstance(mdp, MDP):
        discount_of(mdp)
        criterion, known = "discounted", ("auto", "value-iteration", "policy-iteration")
    else:
        criterion, known = "finite-horizon", ("auto", "backward-induction")
    if method not in known:
        raise ModelError(
            f"method {method!r} does not solve {criterion} models; known are {', '.join(known)}"
        )
    with np.errstate(all="ignore"):
        if isinstance(mdp, MDP):
            chosen = method
            if method == "auto":
                chosen = "policy-iteration" if mdp.n_states <= DIRECT_STATES else "mixed"
            start, sweeps, note = STARTS[chosen](mdp, soft, tolerance)
            bracket, steps = _newton(mdp, soft, start, tolerance)
        else:
            note, sweeps = "", 0
            bracket, steps = _backward(mdp, soft, tolerance)
    if bracket is None:
        raise overflow(tolerance)
    solution = RegularizedSolution(
        mdp=mdp,
        criterion=criterion,
        method=method,
        temperature=soft.temperature,
        reference=None if soft.is_entropy else _table(mdp, soft.weight, 0.0),
        value=bracket.value,
        policy=_table(mdp, bracket.policy, 0.0),
        log_policy=_table(mdp, bracket.log_policy, -np.inf),
        lower=bracket.lower,
        upper=bracket.upper,
        gap=bracket.gap,
        tol=tolerance.of_size(bracket.largest),
        iterations=sweeps + steps,
        seconds=time.perf_counter() - begin,
        note=note,
    )
    arrays = (solution.value, solution.policy, solution.log_policy, solution.lower, solution.upper)
    for array in arrays:
        array.setflags(write=False)
    if solution.gap > solution.tol:
        raise ConvergenceError(
            solution, solution.tol, solution.gap, "what is left is the rounding of exp and log"
        )
    return solution


def _table(mdp: MDP | EpisodicMDP, x: Any, fill: float) -> Vector:
    """Rows of each stage, spread over (S, A) or (H, S, A)."""
    if isinstance(mdp, EpisodicMDP) and mdp.is_stationary:
        lines = [mdp.table(line, fill) for line in x]
        return np.stack(lines * mdp.horizon if len(lines) == 1 else lines)
    return mdp.table(np.concatenate(list(x)), fill)


# --- discounted ---------------------------------------------------------------------------


def _newton(
    mdp: MDP, soft: Regularizer, value: Vector, tolerance: Tolerance
) -> tuple[_Bracket | None, int]:
    """Newton steps from this value, until the bracket is within the tolerance or stays as it is."""
    core, discount = mdp.core, discount_of(mdp)
    exact = Fraction(mdp.discount or 0)
    data_error = 0.0 if mdp.rational is None else DATA_ERROR
    head, tail = value, np.zeros_like(value)
    states = np.arange(mdp.n_states, dtype=np.int64)
    best: _Bracket | None = None
    idle, settled = 0, False
    for step in range(_MOST_STEPS):
        low, high, finite, residual, policy, log_policy = _core.planning.soft_residual_bounds(
            core, 0, discount, *soft.at(), head, tail, head, tail, data_error
        )
        idle += 1
        if finite:
            lower, upper = _core.solvers.round_outward(head, tail, *shifts(low, high, exact))
            gap = _core.solvers.largest_gap(lower, upper)
            if math.isfinite(gap) and (best is None or gap < best.gap):
                idle = 0
                best = _Bracket(lower, upper, gap, head, [policy], [log_policy])
                if gap <= tolerance.of_size(best.largest):
                    return best, step
        most = _MOST_IDLE * (1 if settled else mdp.n_states)
        if idle > most or not np.isfinite(residual).all():
            break
        chain = _core.model.induced_chain(core, np.where(policy < _NO_PATH, 0.0, policy))
        correction = PolicyEquations(chain, discount, states).solve(residual)
        if not np.isfinite(correction).all():
            break
        head, tail = _core.solvers.add_correction(head, tail, correction)
        settled = bool(np.abs(correction).max() <= _SETTLED * np.abs(head).max())
    return best, step


# --- with a horizon -----------------------------------------------------------------------


def _backward(
    mdp: EpisodicMDP, soft: Regularizer, tolerance: Tolerance
) -> tuple[_Bracket | None, int]:
    bracket: _Bracket | None = None
    for precise in (False, True):
        found = _induction(mdp, soft, precise)
        if found is not None and (bracket is None or found.gap < bracket.gap):
            bracket = found
        if bracket is not None and bracket.gap <= tolerance.of_size(bracket.largest):
            break
    return bracket, 1 + precise


def _induction(mdp: EpisodicMDP, soft: Regularizer, precise: bool) -> _Bracket | None:
    """Backward induction; `precise` adds to each stage's value what its residual lacks."""
    core, H, S = mdp.core, mdp.horizon, mdp.n_states
    data_error = 0.0 if mdp.rational is None else DATA_ERROR
    head, tail = np.zeros((H + 1, S)), np.zeros((H + 1, S))
    lower, upper = np.zeros((H + 1, S)), np.zeros((H + 1, S))
    policy, log_policy = [np.zeros(0)] * H, [np.zeros(0)] * H
    below = above = Fraction(0)
    for h in reversed(range(H)):
        stage, regularizer = mdp.stage(h), soft.at(h)
        head[h] = _core.planning.soft_bellman(core, stage, 1.0, *regularizer, head[h + 1])
        for again in range(1 + precise):
            low, high, finite, residual, policy[h], log_policy[h] = (
                _core.planning.soft_residual_bounds(
                    core,
                    stage,
                    1.0,
                    *regularizer,
                    head[h + 1],
                    tail[h + 1],
                    head[h],
                    tail[h],
                    data_error,
                )
            )
            if not finite:
                return None
            if again < precise:
                head[h], tail[h] = _core.solvers.add_correction(head[h], tail[h], residual)
        down = round_down(below + min(Fraction(0), Fraction(low)))
        up = round_up(above + max(Fraction(0), Fraction(high)))
        if not (math.isfinite(down) and math.isfinite(up)):
            return None
        below, above = Fraction(down), Fraction(up)
        lower[h], upper[h] = _core.solvers.round_outward(head[h], tail[h], down, up)
    gap = _core.solvers.largest_gap(lower.reshape(-1), upper.reshape(-1))
    if not math.isfinite(gap):
        return None
    return _Bracket(lower, upper, gap, head, policy, log_policy)
