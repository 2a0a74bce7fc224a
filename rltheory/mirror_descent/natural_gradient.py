r"""Natural policy gradient of a tabular softmax policy.

The problem: pi_theta(a | s) ~ exp(theta(s, a)), V(rho) the value from a start law rho, and d the
normalised occupancy of states. With F = E_{s ~ d, a ~ pi} (grad log pi)(grad log pi)^T,

    dV/dtheta(s, a) = d(s) pi(a|s) A(s, a) / (1 - discount),     theta <- theta + eta F^+ grad V.

F has a block d(s) (diag pi - pi pi^T) for each state, whose pseudo-inverse is

    (diag pi - pi pi^T)^+ = C diag(1/pi) C,   C = I - 1 1^T / A,

and that of a block 0 is 0: states that are never visited do not move. So the direction is A(s, .)
less its mean over the actions, over 1 - discount: a step of mirror descent with
eta / (1 - discount) (claim mdpo-npg). References: Kakade, NIPS 2001; Agarwal, Kakade, Lee and
Mahajan, JMLR 2021.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import ModelError, PolicyError
from rltheory.mdp.model import MDP
from rltheory.mirror_descent.history import History
from rltheory.mirror_descent.log_rows import (
    largest_of_state,
    log_rows,
    model_of,
    normalised,
    of_state,
    q_rows,
    spread,
    start_of,
    sum_of_state,
    value_of_logs,
)
from rltheory.mirror_descent.mirror_descent_policy_iteration import LARGEST_WEIGHT
from rltheory.mirror_descent.reached import reached_states
from rltheory.mirror_descent.schedules import positive
from rltheory.solvers.bellman import discount_of
from rltheory.solvers.occupancy import occupancy

__all__ = [
    "fisher_matrix",
    "natural_policy_gradient",
    "softmax_logs",
    "softmax_policy_gradient",
    "visited_states",
]

Array = NDArray[np.float64]


def natural_policy_gradient(
    mdp: MDP,
    step_size: float,
    n_iters: int,
    init: Any = None,
    initial: Any = None,
    *,
    log_init: Any = None,
) -> History:
    """Ascend V(rho) by F^+ grad V, exactly.

    Parameters
    ----------
    mdp : MDP
        With a discount.
    step_size : float
        eta, of logits. Where eta / (1 - discount) is above 1e12 the step is cut there, and
        ``history.cut_from`` says so.
    n_iters : int
    init, log_init : array_like, shape (S, A), optional
        The first policy; uniform if left out. A softmax takes every action: probabilities of 0 are
        refused.
    initial : array_like, shape (S,), optional
        rho in place of the model's start law.

    Returns
    -------
    History

    Raises
    ------
    ModelError
        If there is no start law, or a number is out of range.
    PolicyError
        If the first policy is none of this model, or excludes an action.

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.MDP.deterministic([[0, 0]], [[1.0, 0.0]], discount=0.5, initial=[1.0])
    >>> history = rlt.natural_policy_gradient(mdp, step_size=0.5, n_iters=1)
    >>> round(float(history.policy[0, 0]), 6)  # a step of 1 of mirror descent
    0.731059
    """
    model_of(mdp, "natural_policy_gradient")
    eta = positive("step_size", step_size)
    if isinstance(n_iters, bool) or not isinstance(n_iters, int | np.integer) or n_iters < 0:
        raise ModelError(f"n_iters is {n_iters!r}; it must be an integer of at least 0")
    start = start_of(mdp, initial, "natural_policy_gradient")
    logs = softmax_logs(mdp, init, log_init)
    # A softmax takes every action, so that what it reaches never changes.
    moves = of_state(mdp, reached_states(mdp, start, np.ones(mdp.n_pairs, dtype=np.bool_)))
    value = value_of_logs(mdp, logs)
    values, policies = [value], [spread(mdp, logs)]
    step = min(eta, LARGEST_WEIGHT * (1.0 - discount_of(mdp)))
    weight = step / (1.0 - discount_of(mdp))
    for _ in range(int(n_iters)):
        # The pseudo-inverse, its middle diag(1/pi) cancelled against the pi in the gradient, gives
        # advantages less their mean. Less their maximum they are the same policy, and no product
        # overflows upwards.
        q = q_rows(mdp, value)
        behind = q - of_state(mdp, largest_of_state(mdp, q))
        logs = normalised(mdp, logs + np.where(moves, weight * behind, 0.0))
        value = value_of_logs(mdp, logs)
        values.append(value)
        policies.append(spread(mdp, logs))
    found = (np.stack(values), np.stack(policies), np.full(int(n_iters), step))
    for array in found:
        array.setflags(write=False)
    return History("natural policy gradient", *found, 0 if step < eta and n_iters > 0 else None)


def softmax_policy_gradient(mdp: MDP, policy: Any, initial: Any = None) -> Array:
    """The gradient of V(rho) in the logits of a softmax policy.

    Parameters
    ----------
    mdp : MDP
    policy : array_like, shape (S, A)
        Probabilities.
    initial : array_like, shape (S,), optional

    Returns
    -------
    ndarray of float64, shape (S, A)
        0 at pairs that the model does not have.

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.MDP.deterministic([[0, 0]], [[1.0, 0.0]], discount=0.5, initial=[1.0])
    >>> rlt.softmax_policy_gradient(mdp, [[0.5, 0.5]]).tolist()
    [[0.5, -0.5]]
    """
    model_of(mdp, "softmax_policy_gradient")
    start = start_of(mdp, initial, "softmax_policy_gradient")
    logs = log_rows(mdp, policy, None)
    value = value_of_logs(mdp, logs)
    advantage = q_rows(mdp, value) - of_state(mdp, value)
    visited = of_state(mdp, visited_states(mdp, logs, start))
    gradient = visited * np.exp(logs) * advantage / (1.0 - discount_of(mdp))
    return mdp.table(gradient, 0.0)


def fisher_matrix(mdp: MDP, policy: Any, initial: Any = None) -> Array:
    """The Fisher information of the logits, under the occupancy of the policy.

    Parameters
    ----------
    mdp : MDP
    policy : array_like, shape (S, A)
        Probabilities.
    initial : array_like, shape (S,), optional

    Returns
    -------
    ndarray of float64, shape (n_pairs, n_pairs)
        Rows and columns as the model's; a block a state.

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.MDP.deterministic([[0, 0]], [[1.0, 0.0]], discount=0.5, initial=[1.0])
    >>> rlt.fisher_matrix(mdp, [[0.5, 0.5]]).tolist()
    [[0.25, -0.25], [-0.25, 0.25]]
    """
    model_of(mdp, "fisher_matrix")
    start = start_of(mdp, initial, "fisher_matrix")
    logs = log_rows(mdp, policy, None)
    weights = np.exp(logs)
    same = mdp.states[:, None] == mdp.states[None, :]
    visited = of_state(mdp, visited_states(mdp, logs, start))
    blocks = np.where(same, -weights[:, None] * weights[None, :], 0.0)
    blocks[np.diag_indices_from(blocks)] += weights
    return np.asarray(visited[:, None] * blocks)


def softmax_logs(mdp: MDP, init: Any, log_init: Any) -> Array:
    """A first policy in logarithms, a number a row, that takes every action."""
    logs = log_rows(mdp, init, log_init)
    wrong = np.flatnonzero(np.isneginf(logs))
    if len(wrong):
        row = int(wrong[0])
        raise PolicyError(
            f"init gives action {mdp.actions[row]} in state {mdp.states[row]} probability 0; a "
            "softmax policy takes every action: use mirror_descent_policy_iteration"
        )
    return logs


def visited_states(mdp: MDP, logs: Array, start: Array) -> Array:
    """d(s), the normalised occupancy of states, (S,)."""
    d = occupancy(mdp, log_policy=spread(mdp, logs), initial=start).reshape(-1)
    return sum_of_state(mdp, d)
