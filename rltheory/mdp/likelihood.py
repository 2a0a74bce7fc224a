"""How likely data are under a policy, and how far policies are apart, in logarithms throughout.

    log_likelihood      sum_t log pi_t(a_t | s_t) of each episode: what behaviour cloning maximises
    trajectory law      log rho(s_0) + sum_t log pi_t(a_t | s_t) + log P_t(s_{t+1} | s_t, a_t)
    policy_kl           KL(pi(. | s), rho(. | s)) of each state

A `Mixture` draws once per episode, so that the likelihood of an episode is the mean of its
policies' likelihoods. A `HistoryPolicy` is played along each episode. Impossible is -inf. Products
of probabilities are never formed, so that nothing underflows.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import ModelError, PolicyError
from rltheory.mdp.data import Trajectories, Transitions
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.log_policies import log_table, one_of
from rltheory.mdp.model import MDP
from rltheory.mdp.policies import HistoryPolicy, Mixture, is_deterministic
from rltheory.mdp.rows import owner_of, rows_at

__all__ = ["log_likelihood", "policy_kl", "trajectory_log_probability"]

Vector = NDArray[np.float64]


def log_likelihood(
    data: Trajectories | Transitions, policy: Any = None, *, log_policy: Any = None
) -> Vector:
    """Logarithm of the probability that a policy takes the actions of the data in their states.

    Parameters
    ----------
    data : Trajectories or Transitions
    policy : array_like, Mixture or HistoryPolicy
        As in `evaluate`. The last two have a likelihood of whole episodes only.
    log_policy : array_like, shape (S, A) or (H, S, A), in place of `policy`
        Logarithms of probabilities, -inf for actions never taken.

    Returns
    -------
    ndarray of float64
        Of each episode, shape (N,), or of each step of `Transitions`, shape (n,); -inf where the
        policy never does that.

    Raises
    ------
    PolicyError
        If it is no policy, or has no row for a state, action or stage of the data.

    Examples
    --------
    >>> import rltheory as rlt
    >>> data = rlt.Trajectories([0, 1, 0], [0, 1, 1], [0.0, 0.0, 0.0], [-1, -1], [2, 1])
    >>> rlt.log_likelihood(data, log_policy=[[-0.0, -800.0], [-800.0, 0.0]]).tolist()
    [0.0, -800.0]
    """
    if not isinstance(data, Trajectories | Transitions):
        raise ModelError(f"data is a {type(data).__name__}; it must be Trajectories or Transitions")
    one_of("policy", policy, "log_policy", log_policy)
    if isinstance(policy, Mixture | HistoryPolicy):
        if isinstance(data, Transitions):
            raise PolicyError(
                f"a {type(policy).__name__} has a likelihood of whole episodes; these are steps"
            )
        return _of_mixture(data, policy) if isinstance(policy, Mixture) else _played(data, policy)
    steps = _of_steps(data, policy, log_policy)
    return data.per_episode(steps) if isinstance(data, Trajectories) else steps


def trajectory_log_probability(
    mdp: MDP | EpisodicMDP, data: Trajectories, policy: Any = None, *, log_policy: Any = None
) -> Vector:
    """Logarithm of the probability of each episode's states and actions under a policy.

    It includes the start state, the move after the last step, and endings; rewards do not count.
    Over all episodes of a horizon H that ended or have H steps, the probabilities sum to 1.

    Parameters
    ----------
    mdp : MDP or EpisodicMDP
        With a start law.
    data : Trajectories
    policy, log_policy
        As in `log_likelihood`.

    Returns
    -------
    ndarray of float64, shape (N,)

    Raises
    ------
    ModelError
        If the model has no start law, or a state, action or stage of the data is none of its.

    Examples
    --------
    >>> import numpy as np
    >>> import rltheory as rlt
    >>> mdp = rlt.EpisodicMDP([[[0.25, 0.75]], [[0.0, 1.0]]], [[0.0], [0.0]], 1, [1.0, 0.0])
    >>> data = rlt.Trajectories([0, 0], [0, 0], [0.0, 0.0], final_states=[0, 1], lengths=[1, 1])
    >>> np.exp(rlt.trajectory_log_probability(mdp, data, [0, 0])).tolist()
    [0.25, 0.75]
    """
    if not isinstance(data, Trajectories):
        raise ModelError(f"data is a {type(data).__name__}; it must be Trajectories")
    if mdp.initial is None:
        raise ModelError("the probability of an episode needs a start law; the model has none")
    _refuse_beyond(mdp, data)
    with np.errstate(divide="ignore"):
        start = np.log(mdp.initial / mdp.initial.sum())[data.states[data.starts[:-1]]]
        moves = np.log(_moves(mdp, data))
    return start + data.per_episode(moves) + log_likelihood(data, policy, log_policy=log_policy)


def policy_kl(
    policy: Any = None,
    reference: Any = None,
    *,
    log_policy: Any = None,
    log_reference: Any = None,
) -> Vector:
    """KL divergence of a policy from a reference, in each state.

    Summed as p (e^d - 1 - d) with d = log q - log p, which is at least 0 term by term: close
    policies do not lose their distance to cancellation, and small probabilities may be given by
    their logarithms.

    Parameters
    ----------
    policy, reference : array_like, shape (S, A) or (H, S, A)
        Probabilities.
    log_policy, log_reference : array_like, in place of them

    Returns
    -------
    ndarray of float64, shape (S,) or (H, S)
        Infinite where the policy takes an action that the reference never takes.

    Raises
    ------
    PolicyError
        If one of them is no policy, or their shapes do not fit.

    Examples
    --------
    >>> import rltheory as rlt
    >>> rlt.policy_kl([[1.0, 0.0]], log_reference=[[-800.0, 0.0]]).tolist()
    [800.0]
    """
    p = log_table(policy, log_policy)
    q = log_table(reference, log_reference, "reference")
    if p.shape[-2:] != q.shape[-2:] or (p.ndim == q.ndim == 3 and len(p) != len(q)):
        raise PolicyError(f"policy has shape {p.shape} and reference {q.shape}; they must fit")
    p, q = np.broadcast_arrays(p, q)
    with np.errstate(invalid="ignore", over="ignore"):
        mass, d = np.exp(p), q - p
        close = np.minimum(d, 1.0)
        series = 0.5 * d * d * (1 + d / 3 * (1 + d / 4 * (1 + d / 5 * (1 + d / 6 * (1 + d / 7)))))
        near = mass * np.where(np.abs(d) < 2e-2, series, np.expm1(close) - d)
        far = np.exp(q) - mass - mass * np.where(mass > 0.0, d, 0.0)
    terms = np.where(d > 1.0, far, near)
    terms = np.where(np.isneginf(p), np.exp(q), terms)
    # A probability that underflows still makes the divergence infinite where it is forbidden.
    terms = np.where(np.isneginf(q) & ~np.isneginf(p), np.inf, terms)
    return np.asarray(terms.sum(axis=-1))


# --- likelihoods -----------------------------------------------------------------------------


def _of_steps(data: Any, policy: Any, log_policy: Any) -> Vector:
    """log pi(a | s) of each step."""
    if log_policy is None and is_deterministic(policy):
        actions = np.asarray(policy)
        if actions.ndim not in (1, 2):
            raise PolicyError(
                f"the policy has shape {actions.shape}; as actions ({actions.dtype}) it must be "
                "(S,) or (H, S)"
            )
        chosen = actions[_places(data, actions.shape, actions.ndim == 2)]
        return np.where(chosen == data.actions, 0.0, -np.inf)
    logs = log_table(policy, log_policy)
    return np.asarray(logs[_places(data, logs.shape, logs.ndim == 3, True)])


def _places(
    data: Any, shape: tuple[int, ...], staged: bool, with_actions: bool = False
) -> tuple[Any, ...]:
    columns = {"states": data.states} | ({"actions": data.actions} if with_actions else {})
    if staged:
        if data.stages is None:
            raise PolicyError(f"the policy, of shape {shape}, has stages; the data have none")
        columns = {"stages": data.stages} | columns
    for size, (name, entries) in zip(shape, columns.items(), strict=True):
        if len(entries) and entries.max() >= size:
            at = int(np.argmax(entries >= size))
            raise PolicyError(f"{name}[{at}] of the data is {entries[at]}; the policy has {shape}")
    return tuple(columns.values())


def _of_mixture(data: Trajectories, mixture: Mixture) -> Vector:
    with np.errstate(divide="ignore"):
        weights = np.log(mixture.weights)
    total = np.full(len(data), -np.inf)
    for weight, policy in zip(weights, mixture.policies, strict=True):
        if weight > -np.inf:
            total = np.logaddexp(total, weight + log_likelihood(data, policy))
    return total


def _played(data: Trajectories, policy: HistoryPolicy) -> Vector:
    """Play the policy along each episode, and see what it gave to the actions taken."""
    n_actions = data.provenance.n_actions
    steps = np.empty(data.n_steps)
    following = data.next_states.tolist()
    columns = (data.states.tolist(), data.actions.tolist(), data.rewards.tolist(), following)
    for first, last in zip(data.starts[:-1].tolist(), data.starts[1:].tolist(), strict=True):
        memory = policy.init()
        for i in range(first, last):
            state, action, reward, next_state = (column[i] for column in columns)
            chances = policy.probabilities(memory, i - first, state, n_actions)
            chance = chances[action] if action < len(chances) else 0.0
            steps[i] = np.log(chance) if chance > 0.0 else -np.inf
            memory = policy.update(memory, i - first, state, action, reward, next_state)
    return data.per_episode(steps)


# --- moves of a model ------------------------------------------------------------------------


def _refuse_beyond(mdp: MDP | EpisodicMDP, data: Trajectories) -> None:
    limits = [("states", data.states, mdp.n_states), ("actions", data.actions, mdp.n_actions)]
    limits.append(("final_states", data.final_states, mdp.n_states))
    if isinstance(mdp, EpisodicMDP):
        limits.append(("stages", data.stages, mdp.horizon))
    for name, entries, size in limits:
        if len(entries) and entries.max() >= size:
            at = int(np.argmax(entries >= size))
            raise ModelError(f"{name}[{at}] is {entries[at]}; the model has 0..{size - 1}")


def _moves(mdp: MDP | EpisodicMDP, data: Trajectories) -> Vector:
    """P(s' | s, a) of each step, or the probability of ending."""
    owners = owner_of(mdp, data.stages.astype(np.int64), data.states.astype(np.int64))
    rows = rows_at(mdp, owners, data.actions.astype(np.int64))
    absent = np.flatnonzero(rows < 0)
    if len(absent):
        i = int(absent[0])
        raise ModelError(
            f"actions[{i}] is {data.actions[i]}; state {data.states[i]} does not have that action"
        )
    following = data.next_states
    on = following >= 0
    found = mdp.termination[rows]
    found[on] = np.asarray(mdp.transitions[rows[on], following[on]]).reshape(-1)
    return np.asarray(found / (1.0 + mdp.row_defect[rows]))
