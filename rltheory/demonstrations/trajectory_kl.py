r"""How far the laws of two policies' episodes are apart.

Stages h = 0..H-1; P^pi is the law of the episode (s_0, a_0, ..., s_{H-1}, a_{H-1}), shorter where
it ends early. Start law and moves are those of one model, so that they cancel:

    KL(P^pi, P^rho) = sum_h sum_s d_h(s) KL(pi_h(s), rho_h(s)),    d_h(s) = P^pi(s_h = s)

(claim demo-kl-chain). The affinity sum sqrt(P^pi P^rho) is Z_0 averaged over the start law, with
Z_h(s) = sum_a sqrt(pi_h(a|s) rho_h(a|s)) (P_h Z_{h+1})(s, a), and 1 after the last stage and after
an ending. It is 1 - D_0, and D is a sum of terms of one sign, so that the squared Hellinger
distance h^2 = 2 D_0 of close policies does not cancel:

    D_h(s) = sum_a (sqrt(pi) - sqrt(rho))^2 / 2 + sum_a sqrt(pi rho) (P_h D_{h+1})(s, a)

(claim demo-hellinger-chain). A state that is never reached adds nothing, however far the policies
are apart there. Source: Tiapkin et al., ICLR 2024, arXiv 2310.17303 (preliminaries); the second is
derived here. Proofs: docs/theory/cloning.md.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import ModelError, PolicyError
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.intake import start_law
from rltheory.mdp.likelihood import policy_kl
from rltheory.mdp.linear import LinearMDP
from rltheory.mdp.log_policies import log_weights_of, one_of
from rltheory.mdp.policies import weights_of
from rltheory.solvers.occupancy import occupancy

__all__ = ["trajectory_hellinger", "trajectory_kl"]

Array = NDArray[np.float64]


def trajectory_kl(
    mdp: EpisodicMDP | LinearMDP,
    policy: Any = None,
    reference: Any = None,
    *,
    initial: Any = None,
    log_policy: Any = None,
    log_reference: Any = None,
) -> float:
    """KL divergence of the law of a policy's episodes from that of a reference.

    Parameters
    ----------
    mdp : EpisodicMDP or LinearMDP
    policy, reference : array_like
        As in `evaluate`: actions (integers), or probabilities, (S, A) or (H, S, A).
    initial : array_like, shape (S,), optional
        Start law in place of the model's.
    log_policy, log_reference : array_like, in place of them
        Logarithms of probabilities, where these may be tiny.

    Returns
    -------
    float
        In nats; infinite where the policy takes, in a state that it reaches, an action that the
        reference never takes.

    Raises
    ------
    ModelError
        If the model has no horizon or there is no start law.
    PolicyError
        If one of the two is no policy of this model.

    Examples
    --------
    Two stages, and the second is reached with probability 1/2: log 2 + (log 2) / 2.

    >>> import rltheory as rlt
    >>> mdp = rlt.EpisodicMDP([[[0.5], [0.5]]], [[0, 0]], 2, [1.0], termination=[[0.5, 0.5]])
    >>> kl = rlt.trajectory_kl(mdp, [0], [[0.5, 0.5]])
    >>> round(kl, 6)
    1.039721
    >>> rlt.trajectory_kl(mdp, [[0.5, 0.5]], [0])
    inf
    """
    model = _with_horizon("trajectory_kl", mdp)
    own = _log_rows(model, policy, log_policy, "policy")
    other = _log_rows(model, reference, log_reference, "reference")
    start = _start(model, initial)
    tables = [_staged(model, rows, -np.inf) for rows in (own, other)]
    each = policy_kl(log_policy=tables[0], log_reference=tables[1])
    reached = _state_occupancy(model, np.exp(own), start)
    infinite = np.isinf(each)
    # A product of chances may be 0 as a double where the state can be reached.
    if infinite.any() and (infinite & _reachable(model, own, start)).any():
        return np.inf
    return float((reached * np.where(infinite, 0.0, each)).sum())


def trajectory_hellinger(
    mdp: EpisodicMDP | LinearMDP,
    policy: Any = None,
    other: Any = None,
    *,
    initial: Any = None,
    log_policy: Any = None,
    log_other: Any = None,
) -> float:
    """Squared Hellinger distance of the laws of two policies' episodes.

    Parameters
    ----------
    mdp : EpisodicMDP or LinearMDP
    policy, other : array_like
        As in `evaluate`.
    initial : array_like, shape (S,), optional
        Start law in place of the model's.
    log_policy, log_other : array_like, in place of them

    Returns
    -------
    float
        sum (sqrt P - sqrt P')^2, without a half: in [0, 2].

    Raises
    ------
    ModelError
        If the model has no horizon or there is no start law.
    PolicyError
        If one of the two is no policy of this model.

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.EpisodicMDP([[[1.0], [1.0]]], [[0, 0]], 3, [1.0])
    >>> h2 = rlt.trajectory_hellinger(mdp, [[0.5, 0.5]], [0])  # 2 - 2 (1/2)^(3/2)
    >>> round(h2, 6)
    1.292893
    """
    model = _with_horizon("trajectory_hellinger", mdp)
    own = np.exp(_log_rows(model, policy, log_policy, "policy"))
    second = np.exp(_log_rows(model, other, log_other, "other"))
    start = _start(model, initial)
    apart = np.zeros(model.n_states)
    for h in reversed(range(model.horizon)):
        rows, starts, moves = _stage(model, h)
        line = h if model.is_stationary else 0
        p = own[line, rows]
        q = second[line, rows]
        terms = 0.5 * (np.sqrt(p) - np.sqrt(q)) ** 2 + np.sqrt(p * q) * (moves @ apart)
        apart = np.add.reduceat(terms, starts)
    return 2.0 * min(1.0, float(start @ apart))


# --- inside ---------------------------------------------------------------------------------


def _with_horizon(who: str, mdp: Any) -> EpisodicMDP:
    if isinstance(mdp, LinearMDP):
        return mdp.tabular()
    if not isinstance(mdp, EpisodicMDP):
        hint = "; give an MDP a horizon by mdp.episodic(H)" if hasattr(mdp, "episodic") else ""
        raise ModelError(
            f"{who} takes an EpisodicMDP or a LinearMDP, not {type(mdp).__name__}{hint}"
        )
    return mdp


def _start(mdp: EpisodicMDP, initial: Any) -> Array:
    start = mdp.initial if initial is None else start_law(initial, mdp.n_states)
    if start is None:
        raise ModelError("the law of episodes needs a start law: give the model one, or initial=")
    return start / start.sum()


def _log_rows(mdp: EpisodicMDP, policy: Any, log_policy: Any, name: str) -> Array:
    """log pi of every row: (H, n_pairs) where stages share their rows, else (1, n_pairs)."""
    one_of(name, policy, f"log_{name}", log_policy)
    if log_policy is not None:
        logs = log_weights_of(mdp, log_policy, f"log_{name}")
    else:
        try:
            weights = weights_of(mdp, policy)
        except PolicyError as fault:
            raise PolicyError(f"{name}: {fault}") from None
        with np.errstate(divide="ignore"):
            logs = np.log(weights)
    return np.asarray(logs.reshape(-1, mdp.n_pairs))


def _staged(mdp: EpisodicMDP, rows: Array, fill: float) -> Array:
    """Numbers of rows as a table (H, S, A)."""
    tables = [mdp.table(line, fill=fill) for line in rows]
    return np.stack(tables) if mdp.is_stationary else tables[0]


def _state_occupancy(mdp: EpisodicMDP, weights: Array, start: Array) -> Array:
    """d_h(s), shape (H, S)."""
    pairs = occupancy(mdp, _staged(mdp, weights, 0.0), start)
    if mdp.is_full:
        return pairs.sum(axis=-1)
    return np.add.reduceat(pairs, mdp.pair_ptr[:-1], axis=-1).reshape(mdp.horizon, mdp.n_states)


def _stage(mdp: EpisodicMDP, h: int) -> tuple[slice, NDArray[np.int64], Any]:
    """The rows of a stage, where each state's begin among them, and their laws."""
    first = mdp.stage(h) * mdp.n_states
    pointers = mdp.pair_ptr[first : first + mdp.n_states + 1]
    rows = slice(int(pointers[0]), int(pointers[-1]))
    moves = mdp.transitions[rows].multiply(1.0 / (1.0 + mdp.row_defect[rows])[:, None]).tocsr()
    return rows, pointers[:-1] - pointers[0], moves


def _reachable(mdp: EpisodicMDP, logs: Array, start: Array) -> NDArray[np.bool_]:
    """Which states a policy reaches at which stage, shape (H, S), by supports alone."""
    reached = np.zeros((mdp.horizon, mdp.n_states), dtype=np.bool_)
    here = start > 0.0
    for h in range(mdp.horizon):
        reached[h] = here
        rows, _, moves = _stage(mdp, h)
        taken = logs[h if mdp.is_stationary else 0, rows] > -np.inf
        taken &= here[mdp.states[rows] % mdp.n_states]
        here = (taken.astype(np.float64) @ (moves > 0.0).astype(np.float64)) > 0.0
    return reached
