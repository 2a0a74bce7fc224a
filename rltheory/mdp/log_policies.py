"""Policies given by logarithms of probabilities, where these are too small for doubles.

    log pi(a | s), with log sum_a exp(log pi(a | s)) = 0 within 1e-9; -inf for an action never taken

What is meant is the law given, divided by its exact sum, as for probabilities. Nothing is
exponentiated where logarithms are what is wanted (likelihoods, divergences). Where probabilities
are, as in a policy's equations, one below 2^-1074 counts as 0, which changes no value by more than
that times the number of actions and the spread of q.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import PolicyError
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.intake import real_numbers
from rltheory.mdp.model import MDP
from rltheory.mdp.policies import SUM_TOLERANCE, is_deterministic, weights_of

__all__ = ["checked_logs", "log_table", "log_weights_of", "one_of", "weights_or_logs"]

_LEAST_LOG = -1e300


def log_weights_of(
    mdp: MDP | EpisodicMDP, log_policy: Any, name: str = "log_policy"
) -> NDArray[np.float64]:
    """The logarithm of the probability that a policy gives to each row.

    Parameters
    ----------
    mdp : MDP or EpisodicMDP
    log_policy : array_like, shape (S, A) or (H, S, A)
        -inf, or at least -1e300; at pairs that the model does not have, -inf.
    name : str
        What the argument is called in errors.

    Returns
    -------
    ndarray of float64
        Shape (n_pairs,), or (H, n_pairs) where stages share their rows; normalised.

    Raises
    ------
    PolicyError
        If an entry is above 0 or NaN, a row does not sum to 1, or an absent action is taken; the
        message names the entry.
    """
    table = _entries(name, log_policy)
    try:
        weights_of(mdp, np.exp(np.minimum(table, 0.0)))
    except PolicyError as fault:
        raise PolicyError(f"{name}, as probabilities: {fault}") from None
    present = np.isfinite(mdp.table(np.zeros(mdp.n_pairs), fill=np.nan))
    lost = np.argwhere(~present & np.isfinite(table))
    if len(lost):
        where = tuple(int(i) for i in lost[0])
        raise PolicyError(
            f"{name}[{', '.join(map(str, where))}] is {table[where]!s}; state {where[-2]} "
            "does not have that action"
        )
    if isinstance(mdp, EpisodicMDP) and mdp.is_stationary:
        table = np.broadcast_to(table, (mdp.horizon, mdp.n_states, mdp.n_actions))
    elif isinstance(mdp, EpisodicMDP):
        table = np.broadcast_to(table, present.shape)
    shared = isinstance(mdp, EpisodicMDP) and mdp.is_stationary
    logs = table[..., present] if shared or table.ndim == 2 else table[present]
    starts = mdp.pair_ptr[:-1]
    counts = np.diff(mdp.pair_ptr)
    top = np.maximum.reduceat(logs, starts, axis=-1)
    total = np.add.reduceat(np.exp(logs - np.repeat(top, counts, axis=-1)), starts, axis=-1)
    return np.asarray(logs - np.repeat(top + np.log(total), counts, axis=-1))


def weights_or_logs(mdp: MDP | EpisodicMDP, policy: Any, log_policy: Any) -> NDArray[np.float64]:
    """The probability of each row, of a policy given one way or the other; as `weights_of`."""
    one_of("policy", policy, "log_policy", log_policy)
    if log_policy is None:
        return weights_of(mdp, policy)
    return np.ascontiguousarray(np.exp(log_weights_of(mdp, log_policy)))


def log_table(policy: Any, log_policy: Any = None, suffix: str = "policy") -> NDArray[np.float64]:
    """Normalised logarithms of a policy of probabilities or logarithms, without a model.

    Returns
    -------
    ndarray of float64, shape (S, A) or (H, S, A)

    Raises
    ------
    PolicyError
        If it is no policy, or a policy of actions, whose number of actions is not known.
    """
    one_of(suffix, policy, f"log_{suffix}", log_policy)
    if log_policy is not None:
        return checked_logs(f"log_{suffix}", log_policy)
    if is_deterministic(policy):
        raise PolicyError(f"{suffix} holds actions; probabilities (floats) are needed here")
    table = np.asarray(policy, dtype=np.float64)
    wrong = np.argwhere(~((table >= 0.0) & (table <= 2.0)))
    if len(wrong):
        where = tuple(int(i) for i in wrong[0])
        raise PolicyError(
            f"{suffix}[{', '.join(map(str, where))}] is {table[where]!s}; a probability must be in "
            "[0, 1]"
        )
    with np.errstate(divide="ignore"):
        return _normalised(suffix, np.log(table))


def checked_logs(name: str, log_policy: Any) -> NDArray[np.float64]:
    """Normalised logarithms: log sum exp must be 0 within 1e-9 in each row."""
    return _normalised(name, _entries(name, log_policy))


def one_of(name: str, given: Any, other: str, instead: Any) -> None:
    """Refuse both or neither of two arguments that say the same."""
    if (given is None) == (instead is None):
        what = "neither" if given is None else "both"
        raise PolicyError(f"{what} of {name} and {other} given; one of them is needed")


def _entries(name: str, log_policy: Any) -> NDArray[np.float64]:
    table = real_numbers(name, log_policy)
    wrong = np.argwhere(~((table <= SUM_TOLERANCE) & ((table >= _LEAST_LOG) | np.isneginf(table))))
    if len(wrong):
        where = tuple(int(i) for i in wrong[0])
        raise PolicyError(
            f"{name}[{', '.join(map(str, where))}] is {table[where]!s}; the logarithm of a "
            "probability is at most 0, and -inf or at least -1e300"
        )
    return table


def _normalised(name: str, logs: NDArray[np.float64]) -> NDArray[np.float64]:
    if logs.ndim not in (2, 3) or not logs.size:
        raise PolicyError(f"{name} has shape {logs.shape}; it must be (S, A) or (H, S, A)")
    top = logs.max(axis=-1, keepdims=True)
    safe = np.where(np.isneginf(top), 0.0, top)
    with np.errstate(divide="ignore"):
        total = safe + np.log(np.exp(logs - safe).sum(axis=-1, keepdims=True))
    wrong = np.argwhere(~(np.abs(np.expm1(total[..., 0])) <= SUM_TOLERANCE))
    if len(wrong):
        where = tuple(int(i) for i in wrong[0])
        raise PolicyError(
            f"row {name}[{', '.join(map(str, where))}] sums to {np.exp(total[where][0])!s} as "
            "probabilities; it must be 1 within 1e-9"
        )
    return logs - total
