"""State-action occupancy of a policy from the model's start law.

    discounted    d(s, a) = (1 - discount) sum_t discount^t Pr(s_t = s, a_t = a),   mass 1
    episodic      d_h(s, a) = Pr(s_h = s, a_h = a),                        mass 1 a stage

Where episodes end early, the mass that has left is missing. Near discount 1, where doubles do not
tell the equations' errors from their solution, it is refined in integers.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory import _core
from rltheory.errors import ConvergenceError, ModelError
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.intake import start_law
from rltheory.mdp.linear import LinearMDP
from rltheory.mdp.log_policies import weights_or_logs
from rltheory.mdp.model import MDP
from rltheory.mdp.policies import Mixture
from rltheory.solvers.bellman import discount_of
from rltheory.solvers.policy_equations import PolicyEquations
from rltheory.solvers.policy_returns import PolicyReturns

__all__ = ["occupancy"]

_RELATIVE = 1e-7
"""Error beside the total mass up to which a result is returned; above, it is refined first."""


def occupancy(
    mdp: MDP | EpisodicMDP | LinearMDP,
    policy: Any = None,
    initial: Any = None,
    normalized: bool = True,
    *,
    log_policy: Any = None,
) -> NDArray[np.float64]:
    """Occupancy of state-action pairs under a policy.

    Parameters
    ----------
    mdp : MDP, EpisodicMDP or LinearMDP
    policy : array_like or Mixture
        As in `evaluate`.
    initial : array_like, shape (S,), optional
        Start law in place of the model's.
    normalized : bool
        On a discounted model, False leaves out the factor 1 - discount: mass 1/(1 - discount). An
        episodic occupancy has mass 1 at every stage either way.
    log_policy : array_like, in place of `policy`
        As in `evaluate`.

    Returns
    -------
    ndarray of float64
        In the shape of q: (S, A) or (H, S, A); on ragged models one a row.

    Raises
    ------
    ModelError
        If there is no start law.
    PolicyError
        If the policy is none of this model, or a `HistoryPolicy`, which can only be sampled.
    ConvergenceError
        If the flow equations cannot be solved to 1e-7 of the mass.

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.MDP.deterministic([[1], [1]], [[0.0], [1.0]], 0.5, initial=[1.0, 0.0])
    >>> rlt.occupancy(mdp, [0, 0]).tolist()
    [[0.5], [0.5]]
    """
    if isinstance(mdp, LinearMDP):
        mdp = mdp.tabular()
    if isinstance(policy, Mixture) and log_policy is None:
        return policy.mean(lambda one: occupancy(mdp, one, initial, normalized))
    start = mdp.initial if initial is None else start_law(initial, mdp.n_states)
    if start is None:
        raise ModelError("occupancy needs a start law: give the model one, or pass initial=")
    weights = weights_or_logs(mdp, policy, log_policy)
    if isinstance(mdp, EpisodicMDP):
        flat = _core.solvers.policy_forward(mdp.core, mdp.horizon, weights.reshape(-1), start)
        if mdp.is_full:
            return flat.reshape(mdp.horizon, mdp.n_states, mdp.n_actions)
        return flat.reshape(mdp.horizon, -1) if mdp.is_stationary else flat
    states = _state_occupancy(mdp, weights, start)
    if normalized:
        states = (1.0 - discount_of(mdp)) * states
    shares = np.add.reduceat(weights, mdp.pair_ptr[:-1])
    return mdp._in_q_shape(states[mdp.states] * weights / shares[mdp.states])


def _state_occupancy(
    mdp: MDP, weights: NDArray[np.float64], start: NDArray[np.float64]
) -> NDArray[np.float64]:
    """x = sum_t discount^t Pr(s_t = .), from (I - discount P_pi)^T x = start."""
    discount = discount_of(mdp)
    chain = _core.model.induced_chain(mdp.core, weights)
    rows = np.arange(mdp.n_states, dtype=np.int64)
    equations = PolicyEquations(chain, discount, rows)
    x = equations.solve(start, transposed=True)
    row_ptr, col, prob = _core.model.as_csr(chain)
    owner = np.repeat(rows, np.diff(row_ptr))
    if chain.defect.size:
        prob = prob / (1.0 + chain.defect)[owner]
    for _ in range(3):
        flow = np.bincount(col, weights=prob * x[owner], minlength=len(x))
        residual = start - (x - discount * flow)
        if not np.abs(residual).max() > 2.0**-53 * np.abs(x).max():
            break
        x = x + equations.solve(residual, transposed=True)
    # The residual itself is rounded: a sum of up to so many terms a state, each as large as x.
    total = float(np.abs(x).sum())
    terms = int(np.bincount(col, minlength=1).max()) + 4
    error = float(np.abs(residual).sum()) + terms * 2.0**-53 * (1.0 + 2.0 * total)
    relative = error / ((1.0 - discount) * max(total, 2.0**-1000))
    if not relative <= _RELATIVE:
        x, error = PolicyReturns(mdp, mdp.table(weights, fill=0.0), start).visits()
        relative = error / max(float(x.sum()), 2.0**-1000)
    if not relative <= _RELATIVE:
        raise ConvergenceError(
            None, _RELATIVE, relative, "the flow equations are ill-conditioned as doubles"
        )
    return np.maximum(x, 0.0)
