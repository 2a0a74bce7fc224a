"""Total reward: stationary models at discount 1, solved to a certified gap.

The problem: V^pi(s) is the limit of E sum_{t<n} r_t; ending is by exits. It is a finite number
under the best policy exactly where no end component earns more than 0 in the long run, and from
every state some policy surely ends, or comes to stay where all rewards are 0 (stochastic shortest
paths: Bertsekas and Tsitsiklis 1991). Everything else is refused, with the states to blame. What
is certified bounds limits inferior and superior, of history-dependent policies as well.
"""

import math
import time
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory import _core
from rltheory.errors import ConvergenceError, ModelError
from rltheory.mdp.model import MDP
from rltheory.solvers.bellman import value_array
from rltheory.solvers.collapse import Collapsed
from rltheory.solvers.divergence import (
    StayingError,
    listed,
    refuse_profitable_rows,
    refuse_unbounded,
)
from rltheory.solvers.methods import Guess
from rltheory.solvers.solution import Solution
from rltheory.solvers.tolerance import Tolerance, overflow
from rltheory.solvers.total_certify import (
    Lifted,
    TotalCertified,
    certify_total,
    form,
    rational_residuals,
    reach,
)
from rltheory.solvers.total_methods import TOTAL_METHODS, improve_from
from rltheory.solvers.total_rankings import UpperRanking, upper_ranking

__all__ = ["proper_start", "solve_total"]

Rows = NDArray[np.int64]

_STALLED = "a policy that does not end looks better by rounding alone"


def solve_total(
    mdp: MDP, method: str, tolerance: Tolerance, initial_value: Any, begin: float
) -> Solution:
    """What `solve` does for criterion "total"."""
    if not isinstance(method, str) or method not in TOTAL_METHODS:
        raise ModelError(
            f"method {method!r} does not solve total reward; {', '.join(TOTAL_METHODS)} do"
        )
    if initial_value is not None and method == "policy-iteration":
        raise ModelError("initial_value is given; policy iteration starts from a policy that ends")
    with np.errstate(all="ignore"):
        collapsed, start = proper_start(mdp)
        value = None
        if initial_value is not None:
            value = np.full(collapsed.core.n_states, -np.inf)
            np.maximum.at(value, collapsed.state, value_array(mdp, initial_value, "initial_value"))
        try:
            guess = TOTAL_METHODS[method](collapsed.core, start, value, tolerance)
        except StayingError as met:
            refuse_unbounded(mdp, collapsed.lift(met.rows)[0])
            raise ConvergenceError(None, tolerance.tol, math.inf, _STALLED) from None
        found = None
        if np.isfinite(guess.value).all():
            ranking = upper_ranking(collapsed, guess.rows)
            if ranking is not None:
                found = certify_total(collapsed, guess.rows, guess.value, ranking, tolerance)
                if found is not None and mdp.rational is not None:
                    found = _in_fractions(collapsed, found, ranking, tolerance)
    return _returned(mdp, method, guess, found, tolerance, begin)


def proper_start(mdp: MDP) -> tuple[Collapsed, Rows]:
    """The collapsed model, and a policy of it that ends for sure.

    Raises
    ------
    ModelError
        If some state cannot end, or nonnegative rewards can be had for ever.
    """
    if mdp.rational is not None:
        chances = (*mdp.rational.prob, *mdp.rational.exit)
        if any(x != 0 and float(x) == 0.0 for x in chances):
            raise ModelError(
                "a probability of the model is below all doubles; where runs end is read from the "
                "probabilities as doubles"
            )
    refuse_profitable_rows(mdp)
    collapsed = Collapsed(mdp)
    core = collapsed.core
    every, nowhere = np.ones(core.n_rows, dtype=bool), np.zeros(core.n_states, dtype=bool)
    ends, rows = _core.graph.reach(core, every, nowhere, True)
    if not ends.all():
        _refuse_endless(mdp, np.flatnonzero(~ends[collapsed.state]))
    return collapsed, rows


def _refuse_endless(mdp: MDP, states: Rows) -> None:
    # Were it free to stop anywhere, would it pay to go on for ever?
    optional = Collapsed(mdp, stop_everywhere=True)
    try:
        improve_from(optional.core, optional.stop)
    except StayingError as met:
        refuse_unbounded(mdp, optional.lift(met.rows)[0])
    raise ModelError(
        f"from states {listed(states)} no policy surely ends, or comes to stay where rewards are "
        "0: their total reward is -infinity, or not defined where rewards cancel"
    )


def _in_fractions(
    collapsed: Collapsed, found: TotalCertified, ranking: UpperRanking, tolerance: Tolerance
) -> TotalCertified | None:
    """The certificate of an exact model: residuals in fractions, no error bounds needed."""
    from rltheory.solvers.exact import MOST_STATES
    from rltheory.solvers.exact_total import exact_rows

    def formed(chosen: Rows, head: Any, tail: Any) -> TotalCertified | None:
        lifted = Lifted.of(collapsed, chosen, ranking)
        if lifted is None:
            return None
        w = [Fraction(h) + Fraction(t) for h, t in zip(head.tolist(), tail.tolist(), strict=True)]
        bounds = rational_residuals(collapsed.mdp, lifted.rows, w)
        made = form(lifted, head, tail, *bounds, steps=found.steps)
        # Rankings and signs were found in doubles, near to the fractions.
        return made if made is None or made.certificate.check(collapsed.mdp) else None

    c = found.certificate
    chosen = found.chosen
    first = formed(chosen, c.head, c.tail)
    if first is not None and first.gap <= tolerance.of(first.certificate):
        return first
    if collapsed.mdp.n_states > MOST_STATES:
        return first
    chosen, value = exact_rows(collapsed, chosen)
    try:
        head = np.array([float(x) for x in value])
        rest = [float(x - Fraction(h)) for x, h in zip(value, head.tolist(), strict=True)]
    except OverflowError:
        return first
    exact = formed(chosen, head, np.array(rest))
    return exact if first is None or (exact is not None and exact.gap < first.gap) else first


def _returned(
    mdp: MDP,
    method: str,
    guess: Guess,
    found: TotalCertified | None,
    tolerance: Tolerance,
    begin: float,
) -> Solution:
    """The solution, if it is within the tolerance."""
    if found is None:
        if not np.isfinite(guess.value).all():
            raise overflow(tolerance)
        reason = (
            "no ranking of the states was found in doubles: runs last too long, or rewards differ "
            "too much"
        )
        raise ConvergenceError(None, tolerance.of_size(0.0), math.inf, reason)
    certificate = found.certificate
    wanted = tolerance.of(certificate)
    note = guess.note
    if found.steps:
        note = f"{note}; " if note else ""
        note += "refined in double-double"
    solution = Solution(
        mdp=mdp,
        criterion="total",
        method=method,
        value=certificate.head,
        policy=certificate.policy,
        certificate=certificate,
        gap=found.gap,
        tol=wanted,
        iterations=guess.iterations + found.steps,
        seconds=time.perf_counter() - begin,
        note=note,
    )
    for array in (solution.value, solution.policy, certificate.lower, certificate.upper):
        array.setflags(write=False)
    if found.gap > wanted:
        sure = reach(mdp.core, certificate)
        reason = "refinement stalled"
        if wanted < sure:
            reason = f"a gap of {sure:.3g} is what double-double guarantees on this model"
        raise ConvergenceError(solution, wanted, found.gap, reason)
    return solution
