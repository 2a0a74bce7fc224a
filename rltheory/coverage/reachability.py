"""The most that any policy can visit a pair, by dynamic programming.

With a horizon, for a target (h, s): u_h = 1{s}, u_j(x) = max_a sum_x' P_j(x' | x, a) u_{j+1}(x'),
and max_pi d^pi_h(s, a) = rho u_0 for every action a of s (claim cov-reach-dp). One pass carries the
vectors of all targets of a stage, O(H^2 S times the entries of a stage) in all. Without a horizon,
max_pi d^pi(s, a) is the optimal normalised return of the reward 1{(s, a)}: one solve for each pair.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import ModelError
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.model import MDP
from rltheory.solvers.solve import solve

__all__ = ["max_occupancy", "reaching_policy", "start_law_of"]

Array = NDArray[np.float64]


def max_occupancy(mdp: MDP | EpisodicMDP) -> Array:
    """max over all policies of d^pi(s, a), for every pair.

    Parameters
    ----------
    mdp : MDP or EpisodicMDP
        With a start law.

    Returns
    -------
    ndarray of float64, shape (H, S, A), or (S, A) for a discounted model
        0 for actions that a state does not have. Each entry is attained by a policy of its own;
        together they are in general no occupancy.

    Raises
    ------
    ModelError
        If the model has no start law.

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.EpisodicMDP(
    ...     [[[0, 1, 0], [0, 0, 1]], [[0, 1, 0]] * 2, [[0, 0, 1]] * 2],
    ...     [[0, 0]] * 3, horizon=2, initial=[1, 0, 0])
    >>> rlt.max_occupancy(mdp)[1].tolist()  # either of two states, for sure
    [[0.0, 0.0], [1.0, 1.0], [1.0, 1.0]]
    """
    rho = start_law_of(mdp)
    if not isinstance(mdp, EpisodicMDP):
        return _discounted(mdp, rho)
    present = _present(mdp)
    return np.stack([_reach(mdp, rho, h)[:, None] * present[h] for h in range(mdp.horizon)])


def reaching_policy(mdp: EpisodicMDP, stage: int, state: int) -> NDArray[np.int64]:
    """A policy that is in a state at a stage as often as any.

    Parameters
    ----------
    mdp : EpisodicMDP
    stage, state : int

    Returns
    -------
    ndarray of int64, shape (H, S)
        From `stage` on, first actions.

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.riverswim(4).episodic(4)
    >>> policy = rlt.reaching_policy(mdp, stage=3, state=3)
    >>> round(float(rlt.occupancy(mdp, policy)[3, 3].sum()), 9)
    0.0735
    >>> round(float(rlt.max_occupancy(mdp)[3, 3, 0]), 9)
    0.0735
    """
    if not 0 <= stage < mdp.horizon or not 0 <= state < mdp.n_states:
        raise ModelError(
            f"stage {stage}, state {state} is no place of a model with {mdp.horizon} stages and "
            f"{mdp.n_states} states"
        )
    policy = np.empty((mdp.horizon, mdp.n_states), dtype=np.int64)
    u = np.zeros((mdp.n_states, 1))
    u[state] = 1.0
    for h in reversed(range(mdp.horizon)):
        ahead = _ahead(mdp, h, u if h < stage else np.zeros((mdp.n_states, 1)))
        policy[h] = ahead[..., 0].argmax(axis=1)
        if h < stage:
            u = ahead.max(axis=1)
    return policy


def start_law_of(mdp: Any) -> Array:
    """The start law; coverage is of occupancies, which have one."""
    if mdp.initial is None:
        raise ModelError("the model has no start law; give initial= when it is made")
    law: Array = mdp.initial
    return law


def _reach(mdp: EpisodicMDP, rho: Array, stage: int) -> Array:
    u = np.eye(mdp.n_states)
    for h in reversed(range(stage)):
        u = _ahead(mdp, h, u).max(axis=1)
    found: Array = rho @ u
    return found


def _ahead(mdp: EpisodicMDP, stage: int, u: Array) -> Array:
    """sum_x' P(x' | x, a) u(x'), shape (S, A, targets); -1 where there is no such action."""
    first = mdp.stage(stage) * mdp.n_states
    rows = slice(int(mdp.pair_ptr[first]), int(mdp.pair_ptr[first + mdp.n_states]))
    out = np.full((mdp.n_states, mdp.n_actions, u.shape[1]), -1.0)
    out[mdp.states[rows], mdp.actions[rows]] = mdp.transitions[rows] @ u
    return out


def _present(mdp: EpisodicMDP) -> Array:
    table = mdp.table(np.ones(mdp.n_pairs), fill=0.0)
    return np.broadcast_to(table, (mdp.horizon, mdp.n_states, mdp.n_actions))


def _discounted(mdp: MDP, rho: Array) -> Array:
    if mdp.discount is None:
        raise ModelError("the model has neither a discount nor a horizon; give it one")
    found = np.zeros((mdp.n_states, mdp.n_actions))
    for row, (s, a) in enumerate(zip(mdp.states.tolist(), mdp.actions.tolist(), strict=True)):
        wanted = np.zeros(mdp.n_pairs)
        wanted[row] = 1.0
        paid = wanted.reshape(mdp.n_states, mdp.n_actions) if mdp.is_full else wanted
        value = solve(mdp.with_rewards(paid)).value
        found[s, a] = (1.0 - float(mdp.discount)) * float(rho @ value)
    return found
