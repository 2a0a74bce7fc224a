"""The row of a pair: where a model keeps (stage, state, action).

Rows are sorted by (stage * S + state) * A + action, their key; ragged models lack some keys. What
is absent is -1: who asks knows what to call it.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.model import MDP

__all__ = ["owner_of", "row_at", "row_keys", "rows_at"]


def owner_of(mdp: MDP | EpisodicMDP, stage: Any, state: Any) -> Any:
    """stage * S + state, the index into `pair_ptr`; without the stage where stages share rows."""
    if isinstance(mdp, EpisodicMDP) and not mdp.is_stationary:
        return stage * mdp.n_states + state
    return state


def row_keys(mdp: MDP | EpisodicMDP) -> NDArray[np.int64]:
    """The key of each row, ascending."""
    owners = np.repeat(np.arange(len(mdp.pair_ptr) - 1, dtype=np.int64), np.diff(mdp.pair_ptr))
    return owners * mdp.n_actions + mdp.actions


def rows_at(
    mdp: MDP | EpisodicMDP, owners: NDArray[np.int64], actions: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The rows of these actions at these owners (of one shape), -1 where there is none."""
    there = (actions >= 0) & (actions < mdp.n_actions)
    if mdp.is_full:
        rows = mdp.pair_ptr[owners] + actions
    else:
        keys, wanted = row_keys(mdp), owners * mdp.n_actions + actions
        rows = np.minimum(np.searchsorted(keys, wanted), mdp.n_pairs - 1)
        there = there & (keys[rows] == wanted)
    return np.ascontiguousarray(np.where(there, rows, -1), dtype=np.int64)


def row_at(mdp: MDP | EpisodicMDP, stage: int, state: int, action: int) -> int:
    """The row of one action, -1 if there is none; looks at the state's own rows only."""
    first, last = mdp.pair_ptr[owner_of(mdp, stage, state) :][:2].tolist()
    row = first + int(np.searchsorted(mdp.actions[first:last], action))
    return row if row < last and mdp.actions[row] == action else -1
