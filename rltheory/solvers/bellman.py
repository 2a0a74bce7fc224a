"""Bellman operators, one application at a time.

    (T_a v)(s) = r(s, a) + discount sum_s' P(s' | s, a) v(s'),    T v = max_a T_a v,

and T_pi for a policy. With a horizon, (T v)_h = max_a r_h + P_h v_{h+1}, without a discount.
Ending is worth nothing: rows may sum to less than 1.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory import _core
from rltheory.errors import ModelError
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.intake import real_numbers
from rltheory.mdp.model import MDP
from rltheory.mdp.policies import weights_of

__all__ = ["bellman", "discount_of", "greedy", "q_values", "value_array"]


def discount_of(mdp: MDP) -> float:
    """The model's discount as a double; raises where it has none."""
    if not isinstance(mdp, MDP):
        raise ModelError(f"an MDP is needed, not {type(mdp).__name__}")
    if mdp.discount is None:
        raise ModelError(
            "the model has no discount; give one with with_discount(g), or a horizon with "
            "episodic(H)"
        )
    return float(mdp.discount)


def value_array(mdp: MDP | EpisodicMDP, value: Any, name: str = "value") -> NDArray[np.float64]:
    """A finite value array of the model's shape: (S,), or (H+1, S); `name` is for errors."""
    array = real_numbers(name, value)
    shape: tuple[int, ...] = (mdp.n_states,)
    if isinstance(mdp, EpisodicMDP):
        shape = (mdp.horizon + 1, mdp.n_states)
    if array.shape != shape:
        raise ModelError(f"{name} has shape {array.shape}; it must be {shape}")
    wrong = np.argwhere(~np.isfinite(array))
    if len(wrong):
        where = tuple(int(i) for i in wrong[0])
        raise ModelError(
            f"{name}[{', '.join(map(str, where))}] is {array[where]!s}; it must be finite"
        )
    return array


def q_values(mdp: MDP | EpisodicMDP, value: Any) -> NDArray[np.float64]:
    """T_a v for every pair.

    Parameters
    ----------
    mdp : MDP or EpisodicMDP
    value : array_like, shape (S,) or (H+1, S)

    Returns
    -------
    ndarray of float64
        (S, A) or (H, S, A). On ragged models one a row, (n_pairs,), per stage where stages share
        their rows; `mdp.table` spreads such a row over all pairs.

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.combination_lock(2, discount=0.5)
    >>> rlt.q_values(mdp, [1.0, 0.0]).shape
    (2, 2)
    """
    v = value_array(mdp, value)
    if isinstance(mdp, MDP):
        return mdp._in_q_shape(_core.solvers.q_values(mdp.core, 0, discount_of(mdp), v))
    stages = [
        _core.solvers.q_values(mdp.core, mdp.stage(h), 1.0, v[h + 1]) for h in range(mdp.horizon)
    ]
    if mdp.is_full:
        return np.stack(stages).reshape(mdp.horizon, mdp.n_states, mdp.n_actions)
    return np.stack(stages) if mdp.is_stationary else np.concatenate(stages)


def relative_q_values(
    mdp: MDP | EpisodicMDP, gain: NDArray[np.float64], bias: NDArray[np.float64]
) -> NDArray[np.float64]:
    """r - gain + P bias for every pair, in the shape of `q_values`."""
    ahead = _core.solvers.q_values(mdp.core, 0, 1.0, np.ascontiguousarray(bias))
    return mdp._in_q_shape(ahead - gain[mdp.states])


def bellman(mdp: MDP | EpisodicMDP, value: Any, policy: Any = None) -> NDArray[np.float64]:
    """T v, or T_pi v for a policy.

    Parameters
    ----------
    mdp : MDP or EpisodicMDP
    value : array_like, shape (S,) or (H+1, S)
    policy : array_like, optional
        Actions (integers) or probabilities (floats); the maximum over actions when left out.

    Returns
    -------
    ndarray of float64, of the shape of `value`
        With a horizon, row h looks ahead to ``value[h + 1]``, and the last row is 0.

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.MDP.deterministic([[1], [1]], [[2.0], [1.0]], discount=0.5)
    >>> rlt.bellman(mdp, [0.0, 2.0]).tolist()
    [3.0, 2.0]
    """
    v = value_array(mdp, value)
    if policy is None:
        return _maximum(mdp, v)[0]
    weights = weights_of(mdp, policy)
    q = q_values(mdp, v)
    flat = (
        q.reshape(mdp.horizon, -1)
        if isinstance(mdp, EpisodicMDP) and mdp.is_stationary
        else (q.reshape(-1))
    )
    weighted = np.where(weights > 0.0, weights * flat, 0.0)
    starts = mdp.pair_ptr[:-1]
    sums = np.add.reduceat(weighted, starts, axis=-1)
    if isinstance(mdp, MDP):
        return sums
    out = np.zeros((mdp.horizon + 1, mdp.n_states))
    out[:-1] = sums.reshape(mdp.horizon, mdp.n_states)
    return out


def greedy(mdp: MDP | EpisodicMDP, value: Any) -> NDArray[np.int64]:
    """The policy that attains T v, with the lowest action where several do.

    Parameters
    ----------
    mdp : MDP or EpisodicMDP
    value : array_like, shape (S,) or (H+1, S)

    Returns
    -------
    ndarray of int64, shape (S,) or (H, S)
        Action labels.

    Raises
    ------
    ModelError
        If the model has neither a discount nor a horizon, or `value` is not of its shape.

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.MDP.deterministic([[0, 1], [1, 1]], [[1.0, 0.0], [1.0, 1.0]], discount=0.5)
    >>> rlt.greedy(mdp, [0.0, 4.0]).tolist()  # going on is worth 2; in state 1 nothing differs
    [1, 0]
    """
    rows = _maximum(mdp, value_array(mdp, value))[1]
    return mdp.core.action[rows].astype(np.int64)


def _maximum(
    mdp: MDP | EpisodicMDP, v: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    if isinstance(mdp, MDP):
        return _core.solvers.bellman(mdp.core, 0, discount_of(mdp), v)
    out = np.zeros_like(v)
    rows = np.empty((mdp.horizon, mdp.n_states), dtype=np.int64)
    for h in range(mdp.horizon):
        out[h], rows[h] = _core.solvers.bellman(mdp.core, mdp.stage(h), 1.0, v[h + 1])
    return out, rows
