"""Solve a model for its average reward per step.

    g^pi(s) = lim (1/n) E_s[r_0 + ... + r_(n-1)],    g*(s) = max over policies,

and with a bias h: g(s) = max_a (P_a g)(s), g(s) + h(s) = max (r + P_a h)(s) over the actions that
attain the first maximum (Puterman, Markov Decision Processes, 1994, ch. 8 and 9). A method of
`rltheory.solvers.average_methods` finds a policy; `rltheory.solvers.certify_average` certifies it.
The criterion is for models without ends, and a discount that the model has plays no part.
"""

import dataclasses
import math
import time
from typing import Any

import numpy as np

from rltheory import _core
from rltheory.errors import ConvergenceError, ModelError
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.model import MDP
from rltheory.solvers.average_certificate import AverageCertificate
from rltheory.solvers.average_methods import AVERAGE_METHODS, GainGuess
from rltheory.solvers.bellman import value_array
from rltheory.solvers.certify_average import (
    CertifiedGain,
    certify_bias,
    certify_policy,
    guaranteed_reach,
)
from rltheory.solvers.rounding import round_down, round_up
from rltheory.solvers.solution import Solution
from rltheory.solvers.tolerance import Tolerance

__all__ = ["need_recurrent", "solve_average"]


def need_recurrent(mdp: MDP | EpisodicMDP) -> MDP:
    """The model, if it is one that the average criterion is for."""
    if isinstance(mdp, EpisodicMDP):
        raise ModelError("criterion 'average' does not fit this model; it has a horizon")
    if mdp.core.has_exits:
        row = int(np.flatnonzero(mdp.termination > 0.0)[0])
        raise ModelError(
            f"the model ends with probability {mdp.termination[row]:.6g} in state "
            f"{mdp.states[row]}, action {mdp.actions[row]}; average reward is for models that "
            "never end: mdp.restarting() starts anew from `initial` instead"
        )
    return mdp


def solve_average(
    mdp: MDP | EpisodicMDP, method: str, tolerance: Tolerance, initial_value: Any
) -> Solution:
    """As `solve`; `initial_value` is a bias to start from."""
    begin = time.perf_counter()
    mdp = need_recurrent(mdp)
    if not isinstance(method, str) or method not in AVERAGE_METHODS:
        raise ModelError(
            f"method {method!r} is not one for average reward; they are "
            f"{', '.join(AVERAGE_METHODS)}"
        )
    if mdp.rational is not None:
        return _of_rationals(mdp, method, tolerance, begin)
    start = np.zeros(mdp.n_states)
    if initial_value is not None:
        start = value_array(mdp, initial_value, "initial_value")
    with np.errstate(all="ignore"):
        guess = AVERAGE_METHODS[method](mdp, tolerance, start)
        found = None
        if guess.bias is not None and np.isfinite(guess.bias).all():
            found = certify_bias(mdp, guess.bias)
        if not guess.obstacle and (found is None or found.gap > tolerance.of(found.certificate)):
            refined = certify_policy(mdp, guess.rows, tolerance)
            if refined is not None and (found is None or refined.gap < found.gap):
                found = refined
    if found is None:
        raise ConvergenceError(
            None,
            tolerance.of_size(0.0),
            math.inf,
            "overflow, or a chain too slow to solve in doubles",
        )
    return _judged(mdp, method, found, tolerance, guess, begin)


def _judged(
    mdp: MDP,
    method: str,
    found: CertifiedGain,
    tolerance: Tolerance,
    guess: GainGuess,
    begin: float,
) -> Solution:
    """The solution, if it is within the tolerance."""
    certificate, wanted = found.certificate, tolerance.of(found.certificate)
    note, bias = guess.note, None
    try:
        bias = np.asarray(certificate.bias, dtype=np.float64)
    except OverflowError:  # of fractions
        note = f"{note}; no double holds its bias, which the certificate has"
    solution = Solution(
        mdp=mdp,
        criterion="average",
        method=method,
        value=found.gain,
        policy=certificate.policy,
        certificate=certificate,
        gap=found.gap,
        tol=wanted,
        iterations=guess.iterations + found.steps,
        seconds=time.perf_counter() - begin,
        note=note,
        bias=bias,
    )
    for array in (solution.value, solution.policy, certificate.lower, certificate.upper):
        array.setflags(write=False)
    if found.gap > wanted:
        raise ConvergenceError(solution, wanted, found.gap, guess.obstacle or _limit(solution))
    return solution


def _of_rationals(mdp: MDP, method: str, tolerance: Tolerance, begin: float) -> Solution:
    """An exact model is solved in rationals; the bounds are the doubles around its gains."""
    from rltheory.solvers.exact import solve_exact

    exact = solve_exact(mdp, criterion="average")
    assert isinstance(exact.certificate, AverageCertificate) and exact.bias is not None
    lower, upper = (np.array([f(x) for x in exact.value]) for f in (round_down, round_up))
    certificate = dataclasses.replace(exact.certificate, lower=lower, upper=upper)
    gap = _core.solvers.largest_gap(lower, upper)
    return _judged(
        mdp,
        method,
        CertifiedGain(certificate, gap, lower),
        tolerance,
        GainGuess(certificate.rows, None, 1, "multichain policy iteration in rationals"),
        begin,
    )


def _limit(solution: Solution) -> str:
    """What keeps the gap above the tolerance."""
    largest = max(float(np.abs(x).max()) for x in (solution.lower, solution.upper))
    bias = 0.0 if solution.bias is None else float(np.abs(solution.bias).max())
    sure = guaranteed_reach(solution.mdp.core, largest, bias)
    if solution.tol < sure:
        return f"a gap of {sure:.3g} is what double-double guarantees on this model"
    return "refinement stalled"
