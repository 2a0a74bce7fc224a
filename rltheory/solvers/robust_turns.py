"""A robust model by solving ordinary ones, whose laws are the adversary's best answers in turn.

With p_k the adversary's best laws at v_{k-1}, v_k = V*(p_k). As T_{p_{k+1}} v_k = T v_k <= v_k for
the robust operator T, v_{k+1} <= T v_k: values fall, at least as fast as by value iteration; if the
laws help, they rise. That is the policy iteration of the adversary (Hoffman and Karp 1966), each
of whose policies is answered by a whole solve, which travels as far as news has to.
"""

import numpy as np
from numpy.typing import NDArray

from rltheory import _core
from rltheory.mdp.model import MDP
from rltheory.solvers.ambiguity import Ambiguity
from rltheory.solvers.bellman import discount_of
from rltheory.solvers.tolerance import Tolerance

__all__ = ["in_turn"]

Vector = NDArray[np.float64]

_MOST_TURNS = 40


def in_turn(
    mdp: MDP, ambiguity: Ambiguity, sign: float, value: Vector, tolerance: Tolerance
) -> tuple[Vector, int]:
    """(value, steps): models in which the adversary keeps to its laws are solved, in turn."""
    core, discount = mdp.core, discount_of(mdp)
    every_row = np.arange(core.n_rows, dtype=np.int64)
    state = np.repeat(np.arange(core.n_states), np.diff(core.state_ptr))
    action = core.action.astype(np.int64)
    steps = 0
    for _ in range(_MOST_TURNS):
        laws = _core.planning.worst_laws(
            core, 0, ambiguity, sign, value, np.zeros_like(value), every_row
        )
        row_ptr, col, prob, exit_ = laws
        fixed = _core.model.from_csr(
            core.n_states,
            core.n_actions,
            1,
            state,
            action,
            row_ptr,
            col,
            prob,
            core.reward,
            exit_ if exit_.any() else None,
            None,
            None,
            True,
            True,
        )
        new, _, made, _ = _core.solvers.ordered_policy_iteration(
            fixed, discount, tolerance.tol, tolerance.rtol, value
        )
        steps += made
        if not np.isfinite(new).all():
            break
        change, value = float(np.abs(new - value).max()), new
        if change <= tolerance.of_size(float(np.abs(value).max())):
            break
    return value, steps
