"""Policies as users write them, read against the rows of a model.

A policy is an array: integer dtype means actions, float dtype means probabilities; it is never
inferred from values. Shapes are (S,) or (S, A), with a leading H when it changes with the
stage of an episodic model. A `Mixture` of policies draws one of them for a whole episode. A
`HistoryPolicy` may use all that happened in the episode.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import PolicyError
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.model import MDP
from rltheory.mdp.rows import owner_of, row_keys, rows_at

__all__ = [
    "SUM_TOLERANCE",
    "HistoryPolicy",
    "Mixture",
    "is_deterministic",
    "rows_of",
    "uniform_policy",
    "weights_of",
]

SUM_TOLERANCE = 1e-9


@dataclass(frozen=True, eq=False)
class Mixture:
    """Draws one of several policies at the start of an episode, and follows it.

    `evaluate` and `occupancy` are linear in it. It is no Markov policy: what it plays in a state
    depends on the draw (claim plan-mixture).

    Parameters
    ----------
    weights : array_like, shape (n,)
        Probabilities; they sum to 1 within 1e-9, and mean themselves over their sum.
    policies : sequence of n policies
        As in `evaluate`.

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.MDP.deterministic([[0, 0]], [[1.0, 0.0]], discount=0.5)
    >>> rlt.evaluate(mdp, rlt.Mixture([0.25, 0.75], [[0], [1]])).tolist()
    [0.5]
    """

    weights: NDArray[np.float64]
    policies: Sequence[Any]

    def __post_init__(self) -> None:
        weights = np.array(self.weights, dtype=np.float64)
        if weights.ndim != 1 or len(weights) != len(self.policies) or not len(weights):
            raise PolicyError(
                f"a mixture of {len(self.policies)} policies has weights of shape "
                f"{weights.shape}; it needs one weight a policy, and at least one"
            )
        total = float(weights.sum())
        if not (weights >= 0.0).all() or not abs(total - 1.0) <= SUM_TOLERANCE:
            raise PolicyError(
                f"the weights {weights.tolist()} sum to {total!s}; they must be at least 0 and sum "
                "to 1 within 1e-9"
            )
        weights /= total
        weights.setflags(write=False)
        object.__setattr__(self, "weights", weights)
        object.__setattr__(self, "policies", tuple(self.policies))

    def mean(self, of: Any) -> NDArray[np.float64]:
        """sum_i weights_i of(policy_i), over the policies that can be drawn."""
        drawn = zip(self.weights.tolist(), self.policies, strict=True)
        return np.asarray(sum(w * of(policy) for w, policy in drawn if w))


def _unchanged(memory: Any, *_: Any) -> Any:
    return memory


@dataclass(frozen=True, eq=False)
class HistoryPolicy:
    """A policy that may use all that happened in the episode; it can only be sampled.

    Its memory is whatever the three functions make of it. In an episode::

        memory = init()
        at each step:  act(memory, stage, state)  ->  an action, or probabilities of actions
                       memory = update(memory, stage, state, action, reward, next_state)

    The functions draw no random numbers: a policy that randomises returns probabilities. What
    `update` returns is the memory of the next step, so that a memory that is changed in place has
    to be returned too; `init` makes a new one for every episode.

    Parameters
    ----------
    init : callable
        ``init() -> memory``.
    act : callable
        ``act(memory, stage, state)``: an integer is an action; an array of floats, shape (A,),
        are probabilities that sum to 1 within 1e-9.
    update : callable, optional
        ``update(memory, stage, state, action, reward, next_state) -> memory``, where `next_state`
        is -1 if the run ended. Left out, the memory stays what `init` made.
    name : str, optional
        For provenance.

    Raises
    ------
    PolicyError
        If one of them cannot be called.

    Examples
    --------
    Take the action of the step before again, and action 0 at first:

    >>> import rltheory as rlt
    >>> again = rlt.HistoryPolicy(
    ...     init=lambda: 0,
    ...     act=lambda last, stage, state: last,
    ...     update=lambda last, stage, state, action, reward, next_state: action)
    >>> data = rlt.Trajectories([0, 0], [0, 1], [0.0, 0.0], [-1], [2])
    >>> rlt.log_likelihood(data, again).tolist()
    [-inf]
    """

    init: Callable[[], Any]
    act: Callable[[Any, int, int], Any]
    update: Callable[[Any, int, int, int, float, int], Any] = _unchanged
    name: str | None = None

    def __post_init__(self) -> None:
        for part in ("init", "act", "update"):
            given = getattr(self, part)
            if not callable(given):
                raise PolicyError(f"{part} is {given!r}; it must be a function")

    def probabilities(
        self, memory: Any, stage: int, state: int, n_actions: int | None
    ) -> NDArray[np.float64]:
        """What `act` returns, as probabilities over their sum.

        Returns
        -------
        ndarray of float64, shape (A,)
            Where `n_actions` is None, as many as `act` names.

        Raises
        ------
        PolicyError
            If `act` returned neither an action nor probabilities; the message says where.
        """
        chosen = np.asarray(self.act(memory, stage, state))
        where = f"stage {stage}, state {state}"
        if chosen.dtype.kind in "iu" and chosen.shape == ():
            size = int(chosen) + 1 if n_actions is None else n_actions
            if not 0 <= chosen < size:
                raise PolicyError(f"act returned {chosen} at {where}; actions are 0..{size - 1}")
            return np.eye(1, size, int(chosen))[0]
        size = chosen.size if n_actions is None else n_actions
        if chosen.dtype.kind != "f" or chosen.shape != (size,):
            raise PolicyError(
                f"act returned an array of dtype {chosen.dtype} and shape {chosen.shape} at "
                f"{where}; it must be one integer, an action, or {size} probabilities"
            )
        total = float(chosen.sum())
        if not (chosen >= 0.0).all() or not abs(total - 1.0) <= SUM_TOLERANCE:
            raise PolicyError(
                f"act returned {chosen.tolist()} at {where}; probabilities are at least 0 and sum "
                "to 1 within 1e-9"
            )
        return chosen.astype(np.float64) / total


def is_deterministic(policy: Any) -> bool:
    """Whether the array names actions (integer dtype), rather than probabilities (float).

    Raises
    ------
    PolicyError
        If the dtype is neither.
    """
    array = _array_of(policy)
    if array.dtype.kind in "iu":
        return True
    if array.dtype.kind == "f":
        return False
    raise PolicyError(
        f"the policy has dtype {array.dtype}; integers are actions, floats are probabilities"
    )


def rows_of(mdp: MDP | EpisodicMDP, policy: Any) -> NDArray[np.int64]:
    """The row that a policy of actions picks in each state.

    Returns
    -------
    ndarray of int64, shape (S,), or (H, S) on an episodic model
    """
    if not is_deterministic(policy):
        raise PolicyError("the policy holds probabilities; actions (integers) are needed here")
    actions = _shaped(mdp, np.asarray(policy), (mdp.n_states,))
    wrong = np.argwhere((actions < 0) | (actions >= mdp.n_actions))
    if len(wrong):
        where = tuple(int(i) for i in wrong[0])
        raise PolicyError(
            f"policy[{', '.join(map(str, where))}] is {actions[where]}; "
            f"actions are 0..{mdp.n_actions - 1}"
        )
    actions = actions.astype(np.int64)
    rows = rows_at(mdp, _table_states(mdp), actions)
    absent = np.argwhere(rows < 0)
    if len(absent):
        where = tuple(int(i) for i in absent[0])
        raise PolicyError(
            f"policy[{', '.join(map(str, where))}] is {actions[where]}; "
            f"state {where[-1]} does not have that action"
        )
    return rows


def weights_of(mdp: MDP | EpisodicMDP, policy: Any) -> NDArray[np.float64]:
    """The probability that a policy gives to each row.

    Probabilities of a state sum to 1 within 1e-9; what they mean is themselves over their sum.

    Returns
    -------
    ndarray of float64
        Shape (n_pairs,), or (H, n_pairs) where stages share their rows.
    """
    if is_deterministic(policy):
        rows = rows_of(mdp, policy)
        if isinstance(mdp, EpisodicMDP) and mdp.is_stationary:
            staged = np.zeros((mdp.horizon, mdp.n_pairs))
            np.put_along_axis(staged, rows, 1.0, axis=1)
            return staged
        weights = np.zeros(mdp.n_pairs)
        weights[rows.reshape(-1)] = 1.0
        return weights
    array = np.asarray(policy)
    table = _shaped(mdp, array, (mdp.n_states, mdp.n_actions)).astype(np.float64)
    wrong = np.argwhere(~((table >= 0.0) & (table <= 2.0)))
    if len(wrong):
        where = tuple(int(i) for i in wrong[0])
        raise PolicyError(
            f"policy[{', '.join(map(str, where))}] is {table[where]!s}; "
            "a probability must be in [0, 1]"
        )
    sums = table.sum(axis=-1)
    wrong = np.argwhere(~(np.abs(sums - 1.0) <= SUM_TOLERANCE))
    if len(wrong):
        where = tuple(int(i) for i in wrong[0])
        raise PolicyError(
            f"row policy[{', '.join(map(str, where))}] sums to {sums[where]!s}; "
            "it must sum to 1 within 1e-9"
        )
    shared = isinstance(mdp, EpisodicMDP) and mdp.is_stationary
    flat = table.reshape(mdp.horizon if shared else 1, -1)  # type: ignore[union-attr]
    flat = flat / sums.reshape(len(flat), -1).repeat(mdp.n_actions, axis=1)
    keys = np.arange(flat.shape[1]) if mdp.is_full else row_keys(mdp)
    weights = np.ascontiguousarray(flat[:, keys])
    if not mdp.is_full:
        absent = np.ones(flat.shape[1], dtype=np.bool_)
        absent[keys] = False
        lost = np.argwhere((flat > 0.0) & absent)
        if len(lost):
            state, action = divmod(int(lost[0][1]), mdp.n_actions)
            raise PolicyError(
                f"the policy takes action {action} in state {state % mdp.n_states}, "
                "which does not have it"
            )
    return weights if shared else weights[0]


def uniform_policy(mdp: MDP | EpisodicMDP) -> NDArray[np.float64]:
    """The policy that takes each feasible action with the same probability.

    Returns
    -------
    ndarray of float64, shape (S, A), or (H, S, A) when the stages differ

    Examples
    --------
    >>> import rltheory as rlt
    >>> rlt.uniform_policy(rlt.riverswim(3)).tolist()
    [[0.5, 0.5], [0.5, 0.5], [0.5, 0.5]]
    """
    present = mdp.table(np.ones(mdp.n_pairs), fill=0.0)
    return present / present.sum(axis=-1, keepdims=True)


def _array_of(policy: Any) -> NDArray[Any]:
    if isinstance(policy, HistoryPolicy):
        raise PolicyError(
            "a HistoryPolicy can only be sampled: what it does depends on more than the state"
        )
    if isinstance(policy, Mixture):
        raise PolicyError(
            "a Mixture is no Markov policy; rlt.markov_policy_of gives one of the same occupancy"
        )
    try:
        return np.asarray(policy)
    except ValueError:
        raise PolicyError("the policy is a ragged list; it must be an array") from None


def _shaped(mdp: MDP | EpisodicMDP, array: NDArray[Any], one: tuple[int, ...]) -> NDArray[Any]:
    """The policy over all stages of an episodic model, or as it is on a discounted one."""
    if isinstance(mdp, EpisodicMDP):
        staged = (mdp.horizon, *one)
        if array.shape == one:
            return np.broadcast_to(array, staged)
        allowed = f"{staged} or {one}"
        fits = array.shape == staged
    else:
        allowed, fits = str(one), array.shape == one
    if not fits:
        kind = "actions" if array.dtype.kind in "iu" else "probabilities"
        raise PolicyError(
            f"the policy has shape {array.shape}; as {kind} ({array.dtype}) it must be {allowed}"
        )
    return array


def _table_states(mdp: MDP | EpisodicMDP) -> NDArray[np.int64]:
    """Index into `pair_ptr` of each state, (S,), or of each stage and state, (H, S)."""
    states = np.arange(mdp.n_states, dtype=np.int64)
    if not isinstance(mdp, EpisodicMDP):
        return states
    stages = np.arange(mdp.horizon, dtype=np.int64)[:, None]
    return owner_of(mdp, stages, states) + 0 * stages
