"""The value of a policy.

    discounted    (I - discount P_pi) V = r_pi, solved in doubles and refined in double-double
    episodic      V_H = 0, V_h = r_pi + P_pi V_{h+1}

A policy of probabilities first makes a Markov chain of the model: one row a state, the mixture of
its rows.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory import _core
from rltheory.errors import ConvergenceError
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.linear import LinearMDP
from rltheory.mdp.log_policies import weights_or_logs
from rltheory.mdp.model import MDP
from rltheory.mdp.policies import Mixture, is_deterministic, rows_of
from rltheory.solvers.bellman import discount_of
from rltheory.solvers.policy_equations import PolicyEquations

__all__ = ["evaluate", "value_of_rows"]

_MOST_STEPS = 60
_RELATIVE = 1e-10
"""Error beside the largest value up to which a result is returned."""


def evaluate(
    mdp: MDP | EpisodicMDP | LinearMDP, policy: Any = None, *, log_policy: Any = None
) -> NDArray[np.float64]:
    """The value of a policy in every state.

    Parameters
    ----------
    mdp : MDP, EpisodicMDP or LinearMDP
    policy : array_like or Mixture
        Integers are actions, (S,) or (H, S); floats are probabilities, (S, A) or (H, S, A). A
        policy without the axis of stages is used at every stage. A mixture may hold mixtures.
    log_policy : array_like, shape (S, A) or (H, S, A), in place of `policy`
        Logarithms of probabilities, -inf for actions never taken. Probabilities below 2^-1074 count
        as 0.

    Returns
    -------
    ndarray of float64, shape (S,) or (H+1, S)
        Not normalised. A discounted value is accurate to 1e-10 of the largest one, and mostly to
        rounding; a mixture of rewards that cancel adds their rounding, 2^-52 max|r| /
        (1 - discount).

    Raises
    ------
    PolicyError
        If the policy is none of this model, or a `HistoryPolicy`, which can only be sampled.
    ConvergenceError
        If the equations cannot be solved to that accuracy in doubles.

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.MDP.deterministic([[0, 0]], [[1.0, 0.0]], discount=0.5)
    >>> rlt.evaluate(mdp, [0]).tolist(), rlt.evaluate(mdp, [[0.5, 0.5]]).tolist()
    ([2.0], [1.0])
    """
    if isinstance(mdp, LinearMDP):
        mdp = mdp.tabular()
    if isinstance(policy, Mixture) and log_policy is None:
        return policy.mean(lambda one: evaluate(mdp, one))
    if isinstance(mdp, EpisodicMDP):
        weights = weights_or_logs(mdp, policy, log_policy).reshape(-1)
        return _core.solvers.policy_backward(mdp.core, mdp.horizon, weights)
    discount = discount_of(mdp)
    if log_policy is None and policy is not None and is_deterministic(policy):
        return value_of_rows(mdp.core, discount, rows_of(mdp, policy))
    chain = _core.model.induced_chain(mdp.core, weights_or_logs(mdp, policy, log_policy))
    return value_of_rows(chain, discount, np.arange(mdp.n_states, dtype=np.int64))


def value_of_rows(
    core: _core.model.Model, discount: float, rows: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The value of the policy that picks these rows of a stationary model."""
    equations = PolicyEquations(core, discount, rows)
    head = equations.solve(np.ascontiguousarray(core.reward[rows]))
    tail = np.zeros_like(head)
    last = size = np.inf
    with np.errstate(all="ignore"):
        for _ in range(_MOST_STEPS):
            _, _, _, residual, _ = _core.solvers.precise_residual_bounds(
                core, 0, discount, head, tail, head, tail, rows
            )
            size = float(np.abs(residual).max())
            if size == 0.0 or not size <= 0.5 * last:
                break
            last = size
            correction = equations.solve(residual, wanted=1e-6)
            head, tail = _core.solvers.add_correction(head, tail, correction)
            if np.abs(correction).max() <= 2.0**-60 * np.abs(head).max():
                break
    error = min(last, size) / (1.0 - discount)
    scale = float(np.abs(head).max())
    if not np.isfinite(head).all() or not error <= _RELATIVE * max(
        scale, 2.0**-53 * float(np.abs(core.reward).max())
    ):
        raise ConvergenceError(
            None, _RELATIVE * scale, error, "the policy's equations overflow or are ill-conditioned"
        )
    return head
