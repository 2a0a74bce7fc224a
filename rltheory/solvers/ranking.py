"""Ranking functions: a number of each state that proves that runs end, and how soon.

The problem: find f with f >= 1 + P_a f at every row, or at the rows of a policy. Such f >= 0 exists
exactly where every policy (this policy) ends with probability 1; the least one is the largest
expected number of steps. It exists unless the model has an end component, in which some policy
stays for ever. Bertsekas and Tsitsiklis, An analysis of stochastic shortest path problems, 1991;
claim plan-ssp-proper, proof in docs/theory/total.md.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory import _core
from rltheory.errors import ConvergenceError, ModelError
from rltheory.mdp.model import MDP
from rltheory.mdp.policies import rows_of
from rltheory.solvers.divergence import listed
from rltheory.solvers.policy_equations import PolicyEquations
from rltheory.solvers.total_methods import improve_from

__all__ = ["ranking_function"]

Vector = NDArray[np.float64]
Rows = NDArray[np.int64]

_MARGINS = (1e-12, 1e-9, 1e-6, 1e-3)
"""By how much more than 1 a ranking decreases, so that rounding leaves 1: the least that does."""


def ranking_function(mdp: MDP, policy: Any = None) -> Vector:
    """Expected numbers of steps until the end, rounded so that they prove that it comes.

    Parameters
    ----------
    mdp : MDP
        With exits; its discount, if it has one, is ignored.
    policy : array_like of int, shape (S,), optional
        Actions; all policies if left out.

    Returns
    -------
    ndarray of float64, shape (S,)
        f >= 1 + P_a f holds exactly at every row, or at the policy's: no run lasts longer than f
        in the mean. Above the largest expected number of steps (the policy's) by a share of at
        most 1e-3, mostly of 1e-12.

    Raises
    ------
    ModelError
        If some policy (the policy) can stay in an end component, which is named.
    ConvergenceError
        If runs last so long that doubles do not prove that they end.

    Examples
    --------
    >>> import rltheory as rlt
    >>> walk = rlt.MDP([[[0.5]]], [[1.0]], termination=[[0.5]])
    >>> rlt.ranking_function(walk).round(9).tolist()
    [2.0]
    """
    if not isinstance(mdp, MDP):
        raise ModelError(f"ranking_function takes an MDP, not {type(mdp).__name__}")
    core = mdp.core
    chosen = None if policy is None else rows_of(mdp, policy)
    allowed = np.ones(core.n_rows, dtype=bool)
    if chosen is not None:
        allowed[:] = False
        allowed[chosen] = True
    label, _ = _core.graph.end_components(core, allowed)
    if label.max() >= 0:
        who = "a policy" if policy is None else "the policy"
        raise ModelError(
            f"there is no ranking function: {who} can stay in states "
            f"{listed(np.flatnonzero(label == 0))} for ever"
        )
    with np.errstate(all="ignore"):
        for margin in _MARGINS:
            f = _expected_steps(core, 1.0 + margin, chosen)
            if f is not None and _decreases(core, f, chosen):
                return f
    raise ConvergenceError(None, 0.0, math.inf, "runs last too long for a ranking in doubles")


def _expected_steps(core: _core.model.Model, step: float, chosen: Rows | None) -> Vector | None:
    if chosen is None:
        paid = _core.model.with_rewards(core, np.full(core.n_rows, step))
        rows = np.asarray(core.state_ptr[:-1]).copy()
        f = improve_from(paid, rows).value
    else:
        f = PolicyEquations(core, 1.0, chosen).solve(np.full(core.n_states, step))
    return f if np.isfinite(f).all() and f.min() >= 1.0 else None


def _decreases(core: _core.model.Model, f: Vector, chosen: Rows | None) -> bool:
    """Whether f >= 1 + P f, by residuals with their rounding errors (T1)."""
    rows = np.asarray(core.state_ptr[:-1]).copy() if chosen is None else chosen
    sign = 1.0 if chosen is None else -1.0  # the kernel bounds all rows above, the policy's below
    paid = _core.model.with_rewards(core, np.full(core.n_rows, sign))
    low, high, finite = _core.solvers.residual_bounds(paid, 0, 1.0, sign * f, sign * f, rows)
    return finite and (high <= 0.0 if chosen is None else low >= 0.0)
