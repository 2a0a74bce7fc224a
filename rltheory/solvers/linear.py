"""Exact planning in a linear MDP: backward recursion on weights in R^d.

With rows phi^T mu_h and rewards phi^T theta_h (`rltheory.mdp.linear`),

    w_h = theta_h + sum_s' mu_h(s') V_{h+1}(s'),   Q*_h(s, a) = phi(s, a)^T w_h,   V_h = max_a Q*_h,

from V_H = 0: H (S A d + S d) operations, where the table takes H S A S. It is least-squares value
iteration whose regression is exact (Bradtke and Barto 1996; Jin et al., COLT 2020); the claim is
`learn-lsvi-planning`, proved in docs/theory/linear.md.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import ModelError
from rltheory.mdp.linear import LinearMDP
from rltheory.solvers.solution import Solution
from rltheory.solvers.solve import solve

__all__ = ["LinearPlan", "LinearSolution", "backward_in_weights", "solve_linear"]


@dataclass(frozen=True, eq=False, repr=False)
class LinearPlan:
    """What backward recursion on weights found.

    Parameters
    ----------
    features : ndarray, shape (S, A, d)
    weights : ndarray, shape (H, d)
        w_h: q_h(s, a) = phi(s, a)^T w_h. Fractions where all that came in was exact, float64
        otherwise.
    value : ndarray, shape (H+1, S)
        max_a q_h, and 0 at the end.
    policy : ndarray of int64, shape (H, S)
        The first of the best actions.
    """

    features: NDArray[Any]
    weights: NDArray[Any]
    value: NDArray[Any]
    policy: NDArray[np.int64]

    @cached_property
    def q(self) -> NDArray[Any]:
        """phi(s, a)^T w_h, shape (H, S, A)."""
        return np.einsum("sad,hd->hsa", self.features, self.weights)

    def __repr__(self) -> str:
        H, d = self.weights.shape
        return f"{type(self).__name__}({d} weights at each of {H} stages)"


@dataclass(frozen=True, eq=False, repr=False)
class LinearSolution(LinearPlan):
    """Optimal weights of a linear MDP: q is Q*, value is V*.

    Parameters
    ----------
    features, weights, value, policy
        As in `LinearPlan`.
    mdp : LinearMDP
    """

    mdp: LinearMDP

    @cached_property
    def tabular(self) -> Solution:
        """The certified solution of ``mdp.tabular()``, which shares no code with the weights."""
        return solve(self.mdp.tabular())

    @cached_property
    def error(self) -> float:
        """Certified: no entry of `value` is further than this from the optimum of the table."""
        value = np.asarray(self.value, dtype=np.float64)
        bounds = self.tabular.certificate
        off = np.maximum(bounds.upper - value, value - bounds.lower)
        slack = 2.0**-51 * max(1.0, float(np.abs(value).max()))  # nearest doubles, subtraction
        return float(off.max()) + slack


def solve_linear(mdp: LinearMDP) -> LinearSolution:
    """Optimal weights, value and policy of a linear MDP, by backward recursion in R^d.

    Parameters
    ----------
    mdp : LinearMDP
        An exact one is solved in fractions, exactly.

    Returns
    -------
    LinearSolution
        Its `error` is a certified bound, from the certificate of the table, computed when asked
        for.

    Raises
    ------
    ModelError
        If the argument is another kind of model.

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.random_linear_mdp(states=20, actions=3, dimension=4, horizon=5)
    >>> solution = rlt.solve_linear(mdp)
    >>> solution.weights.shape
    (5, 4)
    >>> solution.error < 1e-9
    True
    """
    if not isinstance(mdp, LinearMDP):
        raise ModelError(f"solve_linear takes a LinearMDP, not {type(mdp).__name__}")
    features, measures, theta = mdp.fractions or (mdp.features, mdp.measures, mdp.reward_weights)

    def weights_of(h: int, ahead: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(theta[h] + measures[h] @ ahead)

    plan = backward_in_weights(features, mdp.horizon, weights_of)
    return LinearSolution(features, plan.weights, plan.value, plan.policy, mdp)


def backward_in_weights(
    features: NDArray[Any], horizon: int, weights_of: Callable[[int, NDArray[Any]], Any]
) -> LinearPlan:
    """Backward from V_H = 0, where ``weights_of(h, V_{h+1})`` is w_h.

    Parameters
    ----------
    features : ndarray, shape (S, A, d)
        Of doubles, or an object array of fractions.
    horizon : int
    weights_of : callable
    """
    S, _, d = features.shape
    kind = features.dtype
    weights = np.zeros((horizon, d), dtype=kind)
    value = np.zeros((horizon + 1, S), dtype=kind)
    policy = np.zeros((horizon, S), dtype=np.int64)
    for h in reversed(range(horizon)):
        weights[h] = weights_of(h, value[h + 1])
        q = features @ weights[h]
        policy[h] = q.argmax(axis=1)
        value[h] = q.max(axis=1)
    for array in (weights, value, policy):
        array.setflags(write=False)
    return LinearPlan(features, weights, value, policy)
