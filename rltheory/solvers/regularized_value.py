"""The regularised value of a policy.

The problem: with a reference rho and a temperature tau

    V(s) = sum_a pi(a | s) (r(s, a) - tau log(pi(a | s) / rho(a | s)) + discount (P V)(s, a)),

without rho for the entropy: linear equations, those of the policy's chain with other rewards.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory import _core
from rltheory.errors import ModelError, PolicyError
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.log_policies import log_weights_of, weights_or_logs
from rltheory.mdp.model import MDP
from rltheory.solvers.bellman import discount_of
from rltheory.solvers.evaluate import value_of_rows
from rltheory.solvers.reference_laws import Regularizer, read_regularizer

__all__ = ["evaluate_regularized"]

Vector = NDArray[np.float64]


def evaluate_regularized(
    mdp: MDP | EpisodicMDP,
    policy: Any,
    temperature: float,
    reference: Any = None,
    *,
    log_reference: Any = None,
    log_policy: Any = None,
) -> Vector:
    """The value of a policy, less what its distance from the reference costs.

    Parameters
    ----------
    mdp : MDP or EpisodicMDP
    policy : array_like
        As in `evaluate`.
    temperature, reference, log_reference
        As in `solve_regularized`: the entropy is a bonus if no reference is given.
    log_policy : array_like, with None for `policy`
        Logarithms of probabilities, as in `evaluate`. Here even a probability that is 0 as a double
        counts where the reference forbids the action.

    Returns
    -------
    ndarray of float64, shape (S,) or (H+1, S)

    Raises
    ------
    PolicyError
        If the policy is none of this model, or takes an action that the reference forbids: its
        regularised value is -inf.
    ConvergenceError
        As in `evaluate`.

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.MDP.deterministic([[0, 0]], [[1.0, 0.0]], discount=0.5)
    >>> rlt.evaluate_regularized(mdp, [[0.5, 0.5]], 1.0).round(6).tolist()  # 1 + 2 log 2
    [2.386294]
    >>> rlt.evaluate_regularized(mdp, [[0.5, 0.5]], 1.0, reference=[[0.5, 0.5]]).tolist()
    [1.0]
    """
    if not isinstance(mdp, MDP | EpisodicMDP):
        raise ModelError(
            f"evaluate_regularized takes an MDP or an EpisodicMDP, not {type(mdp).__name__}"
        )
    soft = read_regularizer(mdp, temperature, reference, log_reference)
    weights = weights_or_logs(mdp, policy, log_policy)
    if log_policy is None:
        with np.errstate(divide="ignore"):
            logs = np.log(weights)
    else:
        logs = log_weights_of(mdp, log_policy)
    costs = _costs(mdp, soft, weights, logs)
    if isinstance(mdp, MDP):
        discount = discount_of(mdp)
        chain = _core.model.induced_chain(mdp.core, weights)
        rewards = np.ascontiguousarray(chain.reward - costs[0])
        chain = _core.model.with_rewards(chain, rewards)
        return value_of_rows(chain, discount, np.arange(mdp.n_states, dtype=np.int64))
    value = np.zeros((mdp.horizon + 1, mdp.n_states))
    for h in reversed(range(mdp.horizon)):
        first = mdp.stage(h) * mdp.n_states
        pointers = mdp.pair_ptr[first : first + mdp.n_states + 1]
        rows = slice(pointers[0], pointers[-1])
        q = _core.solvers.q_values(mdp.core, mdp.stage(h), 1.0, value[h + 1])
        own = weights[h] if mdp.is_stationary else weights[rows]
        mean = np.add.reduceat(np.where(own > 0.0, own * q, 0.0), pointers[:-1] - pointers[0])
        value[h] = mean - costs[h]
    return value


def _costs(mdp: MDP | EpisodicMDP, soft: Regularizer, weights: Vector, logs: Vector) -> Vector:
    """tau KL(policy, reference), or minus tau times the entropy: (stages, S)."""
    lines = weights.reshape(-1, mdp.n_pairs)
    logs = logs.reshape(lines.shape)
    log_weight = np.broadcast_to(soft.log_weight, lines.shape)
    forbidden = np.argwhere((logs > -np.inf) & np.isneginf(log_weight))
    if len(forbidden):
        row = int(forbidden[0][1])
        raise PolicyError(
            f"the policy takes action {mdp.actions[row]} in state {mdp.states[row]}, which the "
            "reference forbids: its regularised value is -inf"
        )
    with np.errstate(invalid="ignore"):
        terms = np.where(lines > 0.0, lines * (logs - log_weight), 0.0)
    divergence = np.add.reduceat(terms, mdp.pair_ptr[:-1], axis=-1)
    return soft.temperature * divergence.reshape(-1, mdp.n_states) - np.tile(
        soft.bonus, (len(lines), 1)
    )
