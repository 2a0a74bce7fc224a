"""Solve a model: an optimal value and policy with a proof of how good they are.

A method of `rltheory.solvers.methods` finds a policy and its value in doubles; a certificate is
formed, and refined in double-double where doubles do not reach the tolerance. What is returned
is within the tolerance, certified; what cannot be brought there raises.
"""

import math
import time
from fractions import Fraction
from typing import Any

import numpy as np

from rltheory.errors import ConvergenceError, ModelError
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.linear import LinearMDP
from rltheory.mdp.model import MDP
from rltheory.solvers.average import solve_average
from rltheory.solvers.bellman import discount_of, value_array
from rltheory.solvers.certificate import Certificate
from rltheory.solvers.certify import (
    Certified,
    certify,
    certify_rationals,
    guaranteed_reach,
)
from rltheory.solvers.finite_horizon import backward_induction, reach
from rltheory.solvers.methods import METHODS, Guess, pessimistic
from rltheory.solvers.solution import Solution
from rltheory.solvers.tolerance import Tolerance, overflow, read_tolerance
from rltheory.solvers.total import solve_total

__all__ = ["certified_guess", "returned", "solve"]

_OF_MODEL = {MDP: "discounted", EpisodicMDP: "finite-horizon"}


def solve(
    mdp: MDP | EpisodicMDP | LinearMDP,
    *,
    criterion: str | None = None,
    method: str = "auto",
    tol: float | None = None,
    rtol: float | None = None,
    initial_value: Any = None,
) -> Solution:
    """Solve a model to a certified gap.

    Parameters
    ----------
    mdp : MDP, EpisodicMDP or LinearMDP
        An `MDP` needs a discount, unless the criterion is "average" or "total". Of a `LinearMDP`
        the table is solved; `solve_linear` gives weights.
    criterion : {None, "discounted", "finite-horizon", "average", "total"}
        Follows from the model, or for an `MDP`, whatever its discount: "average", the reward per
        step of a model that never ends; "total", the sum of all rewards. Otherwise, given, it must
        fit.
    method : str
        "auto", "value-iteration", "gauss-seidel", "modified-policy-iteration",
        "policy-iteration" or "ordered-policy-iteration" for discounted models; "auto" or
        "backward-induction" with a horizon; "auto", "relative-value-iteration",
        "unichain-policy-iteration" or "multichain-policy-iteration" for average reward; "auto",
        "value-iteration" or "policy-iteration" for total reward.
    tol, rtol : float, optional
        The gap max (upper - lower) is at most ``max(tol, rtol * max(max|bounds|, 2^-53 max|r|))``;
        neither given means rtol = 1e-10.
    initial_value : array_like, shape (S,), optional
        Where a discounted method starts; otherwise at the least return there could be, from
        which values rise. The bias where a method for average reward starts.

    Returns
    -------
    Solution
        With ``gap <= tol``, always.

    Raises
    ------
    ModelError
        If an argument is unknown or does not fit the model; if a total reward is not finite, or
        not defined, with the states to blame.
    ConvergenceError
        If the gap stays above the tolerance: `error.solution` has the best bracket, `error.reason`
        says what limits it.

    Examples
    --------
    >>> import rltheory as rlt
    >>> solution = rlt.solve(rlt.riverswim(discount=0.99))
    >>> solution.gap <= solution.tol < 1e-7
    True
    >>> bool((solution.lower <= solution.value).all())
    True
    >>> walk = rlt.MDP([[[0.5]]], [[-1.0]], termination=[[0.5]])
    >>> rlt.solve(walk, criterion="total").value.round(9).tolist()
    [-2.0]
    """
    if isinstance(mdp, LinearMDP):
        mdp = mdp.tabular()
    if not isinstance(mdp, MDP | EpisodicMDP):
        raise ModelError(f"solve takes an MDP or an EpisodicMDP, not {type(mdp).__name__}")
    natural = _OF_MODEL[MDP if isinstance(mdp, MDP) else EpisodicMDP]
    if criterion == "total":
        if not isinstance(mdp, MDP):
            raise ModelError(f"criterion 'total' does not fit a model with horizon {mdp.horizon}")
        tolerance = read_tolerance(tol, rtol, float(np.abs(mdp.mean_rewards).max()))
        return solve_total(mdp, method, tolerance, initial_value, time.perf_counter())
    if criterion == "average":
        largest = float(np.abs(mdp.mean_rewards).max())
        return solve_average(mdp, method, read_tolerance(tol, rtol, largest), initial_value)
    if criterion is not None and criterion != natural:
        others = "; the others are 'average' and 'total'" if isinstance(mdp, MDP) else ""
        raise ModelError(
            f"criterion {criterion!r} does not fit this model; it is {natural}{others}"
        )
    tolerance = read_tolerance(tol, rtol, float(np.abs(mdp.mean_rewards).max()))
    begin = time.perf_counter()
    if isinstance(mdp, MDP):
        return _discounted(mdp, method, tolerance, initial_value, begin)
    if method not in ("auto", "backward-induction"):
        raise ModelError(
            f"method {method!r} does not solve models with a horizon; 'backward-induction' does"
        )
    if initial_value is not None:
        raise ModelError("initial_value is given; backward induction starts from 0 at the end")
    certificate, gap, passes = backward_induction(mdp, tolerance)
    note = "" if passes == 1 else "in double-double: doubles do not reach the tolerance"
    return returned(
        mdp, natural, "backward-induction", certificate, gap, tolerance, passes, begin, note
    )


def _discounted(
    mdp: MDP, method: str, tolerance: Tolerance, initial_value: Any, begin: float
) -> Solution:
    if not isinstance(method, str) or method not in METHODS:
        raise ModelError(f"method {method!r} is unknown; known are {', '.join(METHODS)}")
    discount = discount_of(mdp)
    if initial_value is None:
        start = np.full(mdp.n_states, pessimistic(mdp.core, discount))
    else:
        start = value_array(mdp, initial_value, "initial_value")
    with np.errstate(all="ignore"):
        guess = METHODS[method](mdp.core, discount, tolerance, start)
    return certified_guess(mdp, method, guess, tolerance, begin)


def certified_guess(
    mdp: MDP, method: str, guess: Guess, tolerance: Tolerance, begin: float
) -> Solution:
    """The solution around what a method found, refined until it is within the tolerance."""
    with np.errstate(all="ignore"):
        found = certify(mdp, guess.rows, guess.value, tolerance, guess.residuals)
        if found is not None and mdp.rational is not None:
            c = found.certificate
            found = certify_rationals(mdp, c.rows, c.head, c.tail)
            if found is None or found.gap > tolerance.of(found.certificate):
                found = _by_exact_value(mdp, found)
    certificate, gap, steps = (
        (None, math.inf, 0) if found is None else (found.certificate, found.gap, found.steps)
    )
    note = guess.note
    if steps:
        note = f"{note}; " if note else ""
        note += "refined in double-double"
    return returned(
        mdp,
        "discounted",
        method,
        certificate,
        gap,
        tolerance,
        guess.iterations + steps,
        begin,
        note,
    )


def _by_exact_value(mdp: MDP, found: Certified | None) -> Certified | None:
    """The certificate around the exact optimum of an exact model, where it is tighter."""
    from rltheory.solvers.exact import MOST_STATES, solve_exact

    if mdp.n_states > MOST_STATES:
        return found
    solution = solve_exact(mdp)
    try:
        head = np.array([float(x) for x in solution.value])
        tail = [float(x - Fraction(h)) for x, h in zip(solution.value, head.tolist(), strict=True)]
    except OverflowError:
        return found
    exact = certify_rationals(mdp, solution.certificate.rows, head, np.array(tail))
    return exact if found is None or (exact is not None and exact.gap < found.gap) else found


def returned(
    mdp: MDP | EpisodicMDP,
    criterion: str,
    method: str,
    certificate: Certificate | None,
    gap: float,
    tolerance: Tolerance,
    iterations: int,
    begin: float,
    note: str,
) -> Solution:
    """The solution, if it is within the tolerance."""
    if certificate is None:
        raise overflow(tolerance)
    wanted = tolerance.of(certificate)
    solution = Solution(
        mdp=mdp,
        criterion=criterion,
        method=method,
        value=certificate.head,
        policy=certificate.policy,
        certificate=certificate,
        gap=gap,
        tol=wanted,
        iterations=iterations,
        seconds=time.perf_counter() - begin,
        note=note,
    )
    for array in (solution.value, solution.policy, certificate.lower, certificate.upper):
        array.setflags(write=False)
    if gap > wanted:
        largest = float(np.abs(certificate.upper).max())
        largest = max(largest, float(np.abs(certificate.lower).max()))
        sure = (
            guaranteed_reach(mdp.core, discount_of(mdp), largest)
            if isinstance(mdp, MDP)
            else reach(mdp, largest)
        )
        reason = (
            f"a gap of {sure:.3g} is what double-double guarantees on this model"
            if wanted < sure
            else "refinement stalled"
        )
        raise ConvergenceError(solution, wanted, gap, reason)
    return solution
