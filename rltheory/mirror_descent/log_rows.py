"""Policies as logarithms of probabilities, one a row of the model, state by state.

Rows of a state stand together, from `pair_ptr[s]` to `pair_ptr[s + 1]`; -inf is an action that is
never taken.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory import _core
from rltheory.errors import ModelError, PolicyError
from rltheory.mdp.intake import start_law
from rltheory.mdp.log_policies import log_weights_of, one_of
from rltheory.mdp.model import MDP
from rltheory.mdp.policies import weights_of
from rltheory.solvers.bellman import discount_of
from rltheory.solvers.evaluate import value_of_rows
from rltheory.solvers.reference_laws import Regularizer

__all__ = [
    "largest_of_state",
    "log_rows",
    "model_of",
    "normalised",
    "of_state",
    "q_rows",
    "spread",
    "start_of",
    "sum_of_state",
    "value_of_logs",
]

Rows = NDArray[np.float64]


def model_of(mdp: Any, name: str) -> MDP:
    """A discounted model, or an error that says who wants one."""
    if not isinstance(mdp, MDP):
        raise ModelError(f"{name} takes an MDP with a discount, not {type(mdp).__name__}")
    discount_of(mdp)
    return mdp


def start_of(mdp: MDP, initial: Any, name: str) -> NDArray[np.float64]:
    """The start law given, or the model's; an error that says who needs one where there is none."""
    start = mdp.initial if initial is None else start_law(initial, mdp.n_states)
    if start is None:
        raise ModelError(f"{name} needs a start law: give the model one, or pass initial=")
    return start


def of_state(mdp: MDP, x: NDArray[Any]) -> NDArray[Any]:
    """A number of each state, repeated for its rows."""
    return np.repeat(x, np.diff(mdp.pair_ptr))


def sum_of_state(mdp: MDP, x: Rows) -> NDArray[np.float64]:
    """The sum over the rows of each state."""
    return np.add.reduceat(x, mdp.pair_ptr[:-1])


def largest_of_state(mdp: MDP, x: Rows) -> NDArray[np.float64]:
    """The maximum over the rows of each state."""
    return np.maximum.reduceat(x, mdp.pair_ptr[:-1])


def normalised(mdp: MDP, logits: Rows) -> Rows:
    """Logits less their log-sum-exp; the largest is subtracted first, so that nothing overflows."""
    centred = logits - of_state(mdp, largest_of_state(mdp, logits))
    return centred - of_state(mdp, np.log(sum_of_state(mdp, np.exp(centred))))


def log_rows(mdp: MDP, policy: Any, log_policy: Any, allowed: Rows | None = None) -> Rows:
    """A policy given as probabilities, actions or logarithms; uniform on `allowed` if neither.

    Parameters
    ----------
    allowed : ndarray, optional
        Logarithms of a reference: -inf at the actions that it forbids.

    Raises
    ------
    PolicyError
        If it is no policy of this model, or takes an action that is not allowed.
    """
    if policy is None and log_policy is None:
        free = np.zeros(mdp.n_pairs) if allowed is None else allowed
        return normalised(mdp, np.where(np.isneginf(free), -np.inf, 0.0))
    one_of("init", policy, "log_init", log_policy)
    if log_policy is not None:
        logs = log_weights_of(mdp, log_policy, "log_init")
    else:
        with np.errstate(divide="ignore"):
            logs = np.log(weights_of(mdp, policy))
    if allowed is not None:
        wrong = np.flatnonzero(np.isneginf(allowed) & ~np.isneginf(logs))
        if len(wrong):
            row = int(wrong[0])
            raise PolicyError(
                f"init takes action {mdp.actions[row]} in state {mdp.states[row]}, which the "
                "reference forbids: its regularised value is -inf"
            )
    return logs


def spread(mdp: MDP, logs: Rows) -> NDArray[np.float64]:
    """Logarithms (S, A), -inf where the model has no such action."""
    return mdp.table(logs, -np.inf)


def value_of_logs(mdp: MDP, logs: Rows, soft: Regularizer | None = None) -> NDArray[np.float64]:
    """The value of a policy, regularised where `soft` is given."""
    weights = np.exp(logs)
    weights = weights / of_state(mdp, sum_of_state(mdp, weights))
    chain = _core.model.induced_chain(mdp.core, weights)
    if soft is not None:
        apart = np.zeros_like(logs)
        np.subtract(logs, soft.log_weight[0], out=apart, where=weights > 0.0)
        costs = soft.temperature * sum_of_state(mdp, weights * apart) - soft.bonus[0]
        chain = _core.model.with_rewards(chain, np.ascontiguousarray(chain.reward - costs))
    return value_of_rows(chain, discount_of(mdp), np.arange(mdp.n_states, dtype=np.int64))


def q_rows(mdp: MDP, value: NDArray[np.float64]) -> Rows:
    """r + discount P v of each row."""
    return _core.solvers.q_values(mdp.core, 0, discount_of(mdp), np.ascontiguousarray(value))
