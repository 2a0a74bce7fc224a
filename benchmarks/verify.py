"""How far an answer can be from the optimum, by its residuals alone, in plain numpy.

With T the Bellman operator, T_pi that of a policy and d the discount, every vector v has

    max |v - V*|        <=  max |T v - v| / (1 - d),
    max (V* - V^pi)     <=  (max (T v - v) - min (T_pi v - v)) / (1 - d).

The first is about the value, the second about the policy, whatever constant is missing in v. With a
horizon, residuals add up over stages in place of the division. Nothing here is shared with any
solver. Rounding is not accounted for, which is the business of certificates: with n terms in a row
it moves a bound by at most (n + 8) 2^-53 max |v| / (1 - d), below 2e-7 on every problem here.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.families import Problem

__all__ = ["WANTED", "Bounds", "verify"]

WANTED = 1e-6
"""The bound that an answer must have: an absolute number, in units of the value."""


@dataclass(frozen=True)
class Bounds:
    """What is proved of an answer; infinite where it says nothing."""

    value_error: float
    policy_loss: float

    @property
    def verified(self) -> str:
        """What is within `WANTED`: "value and policy", "value", "policy" or ""."""
        within = {"value": self.value_error <= WANTED, "policy": self.policy_loss <= WANTED}
        return " and ".join(name for name, good in within.items() if good)


def verify(problem: Problem, value: Any, policy: Any = None) -> Bounds:
    """Bound the error of an answer.

    Parameters
    ----------
    problem : Problem
    value : array_like, shape (S,) or (H+1, S)
    policy : array_like of int, shape (S,) or (H, S), optional
        Action labels.

    Returns
    -------
    Bounds

    Raises
    ------
    ValueError
        If a shape is wrong, an entry is not finite, or an action is not there.

    Examples
    --------
    One action, reward 1 for ever at discount .5 is worth 2:

    >>> import numpy as np
    >>> from benchmarks.families import Problem
    >>> one = Problem("one", np.array([0]), np.array([0]), np.eye(1), np.ones(1), discount=0.5)
    >>> verify(one, [2.0], [0])
    Bounds(value_error=0.0, policy_loss=0.0)
    >>> verify(one, [2.5])
    Bounds(value_error=0.5, policy_loss=inf)
    """
    array = np.asarray(value, dtype=np.float64)
    actions = None if policy is None else np.asarray(policy)
    horizon = problem.horizon
    shape = (problem.n_states,) if horizon is None else (horizon + 1, problem.n_states)
    if array.shape != shape:
        raise ValueError(f"the value has shape {array.shape}; it must be {shape}")
    if not np.isfinite(array).all():
        raise ValueError("the value is not finite")
    if horizon is None:
        assert problem.discount is not None
        best, own = _residuals(problem, array, array, actions, problem.discount)
        effective = 1.0 / (1.0 - problem.discount)
        loss = np.inf if own is None else effective * (best.max() - own.min())
        return Bounds(float(effective * np.abs(best).max()), float(max(loss, 0.0)))
    if actions is not None and actions.shape != (horizon, problem.n_states):
        raise ValueError(f"the policy has shape {actions.shape}; it must be {horizon} stages")
    error, loss = float(np.abs(array[horizon]).max()), 0.0
    for h in reversed(range(horizon)):
        chosen = None if actions is None else actions[h]
        best, own = _residuals(problem, array[h + 1], array[h], chosen, 1.0)
        error += float(np.abs(best).max())
        loss += np.inf if own is None else float(best.max() - own.min())
    return Bounds(error, loss)


def _residuals(
    problem: Problem,
    after: NDArray[np.float64],
    before: NDArray[np.float64],
    policy: NDArray[Any] | None,
    discount: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """T `after` - `before`, and the same of the policy."""
    q = problem.rewards + discount * (problem.transitions @ after)
    starts = problem.starts
    best = np.maximum.reduceat(q, starts[:-1]) - before
    if policy is None:
        return best, None
    if policy.shape != (problem.n_states,):
        raise ValueError(f"the policy has shape {policy.shape}; it must be ({problem.n_states},)")
    width = problem.n_actions
    keys = problem.states * width + problem.actions
    wanted = np.arange(problem.n_states) * width + policy
    rows = np.searchsorted(keys, wanted)
    rows = np.minimum(rows, problem.n_pairs - 1)
    wrong = np.flatnonzero((keys[rows] != wanted) | (policy < 0) | (policy >= width))
    if len(wrong):
        raise ValueError(f"state {wrong[0]} has no action {policy[wrong[0]]}")
    return best, q[rows] - before
