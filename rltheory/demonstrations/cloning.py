r"""Behaviour cloning in finite models: frequencies of the expert's actions, smoothed.

Stages h = 0..H-1. From N episodes of an expert, with N_h(s, a) visits of a pair, N_h(s) their sum
over the A_s actions of the state, and smoothing alpha,

    pi_h(a | s) = (N_h(s, a) + alpha) / (N_h(s) + alpha A_s),

the one minimiser of sum_{h,i} log 1/pi_h(a_h^i | s_h^i) + alpha sum_{h,s,a} log 1/pi_h(a | s)
(claim demo-bc-closed-form). A state that no episode visits gets the uniform law. Source: Tiapkin
et al., ICLR 2024, arXiv 2310.17303, section 3, whose regulariser has alpha = 1; what the clone is
worth: `bc_kl_bound`, `expected_bc_kl`, docs/theory/cloning.md.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import ModelError
from rltheory.mdp.data import Counts, Trajectories
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.linear import LinearMDP

__all__ = ["behavior_cloning", "read_smoothing", "whole_counts"]

Array = NDArray[np.float64]


def behavior_cloning(
    data: Trajectories | Counts,
    n_states: int | None = None,
    n_actions: int | None = None,
    horizon: int | None = None,
    *,
    mdp: EpisodicMDP | LinearMDP | None = None,
    smoothing: float = 1.0,
    allow_zeros: bool = False,
) -> Array:
    """The policy of smoothed frequencies of an expert's actions.

    Parameters
    ----------
    data : Trajectories or Counts
        Whole episodes of the expert, or how often they visited each pair of each stage.
    n_states, n_actions, horizon : int, optional
        Sizes; those of the model, or of the provenance of the data, if left out.
    mdp : EpisodicMDP or LinearMDP, optional
        Whose actions the clone may take. Without it every state has every action.
    smoothing : float
        alpha, at least 0 and at most 1e300: what is added to each count.
    allow_zeros : bool
        Smoothing 0, the unregularised maximum of the likelihood, must be asked for by this: its
        divergence from an expert that randomises has an infinite mean (demo-bc-mle-infinite).

    Returns
    -------
    ndarray of float64, shape (H, S, A)
        Rows sum to 1; 0 at pairs that the model does not have. Without any episode, uniform.

    Raises
    ------
    ModelError
        If a size is not known, an episode was cut off before the horizon, the expert takes an
        action that its state does not have, there is no episode to take frequencies of at
        smoothing 0, or `smoothing` is not allowed.

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.EpisodicMDP([[[1.0], [1.0]]], [[1.0, 0.0]], 1, [1.0])
    >>> demonstrations = mdp.sample([[0.75, 0.25]], episodes=8, seed=2)
    >>> demonstrations.counts().visits.tolist()
    [[[5, 3]]]
    >>> rlt.behavior_cloning(demonstrations).tolist()
    [[[0.6, 0.4]]]
    """
    alpha = read_smoothing(smoothing, allow_zeros)
    if isinstance(mdp, LinearMDP):
        mdp = mdp.tabular()
    if mdp is not None:
        if not isinstance(mdp, EpisodicMDP):
            raise ModelError(f"mdp is a {type(mdp).__name__}; cloning needs an EpisodicMDP")
        n_states = _agreed("n_states", n_states, mdp.n_states)
        n_actions = _agreed("n_actions", n_actions, mdp.n_actions)
        horizon = _agreed("horizon", horizon, mdp.horizon)
    counts = whole_counts(data, n_states, n_actions, horizon)
    visits = counts.visits
    if alpha == 0.0 and not visits.any():
        raise ModelError(
            "the data have no episode; without smoothing a clone needs at least one (with "
            "smoothing it is uniform)"
        )
    feasible = np.ones(visits.shape, dtype=np.bool_) if mdp is None else _feasible(mdp)
    lost = np.argwhere((visits > 0) & ~feasible)
    if len(lost):
        h, s, a = (int(i) for i in lost[0])
        raise ModelError(
            f"the expert takes action {a} in state {s} at stage {h}; the model's state does not "
            "have that action"
        )
    total = np.where(feasible, visits + alpha, 0.0)
    below = total.sum(axis=-1, keepdims=True)
    seen = below > 0.0
    return np.where(seen, total, feasible) / np.where(
        seen, below, feasible.sum(axis=-1, keepdims=True)
    )


def read_smoothing(smoothing: Any, allow_zeros: bool) -> float:
    """A smoothing of at least 0 whose sums doubles hold; 0 only if asked for."""
    try:
        alpha = float(smoothing)
        valid = not isinstance(smoothing, bool | np.bool_ | str | bytes) and 0.0 <= alpha <= 1e300
    except (TypeError, ValueError, OverflowError):
        valid = False
    if not valid:
        raise ModelError(f"smoothing is {smoothing!r}; it must be at least 0 and at most 1e300")
    if alpha == 0.0 and not allow_zeros:
        raise ModelError(
            "smoothing is 0, which may give probability 0 to what the expert does; ask for it by "
            "allow_zeros=True"
        )
    return alpha


def _agreed(name: str, given: int | None, of_model: int) -> int:
    if given is not None and given != of_model:
        raise ModelError(f"{name} is {given}; the model has {of_model}")
    return of_model


def whole_counts(data: Any, n_states: Any, n_actions: Any, horizon: Any) -> Counts:
    """Counts of whole episodes, stage by stage."""
    if isinstance(data, Trajectories):
        if horizon is None and data.provenance.horizon is None:
            raise ModelError("horizon is not known; the provenance does not say it: give horizon=")
        counts = data.counts(n_states, n_actions, horizon, staged=True)
        H = counts.visits.shape[0]
        short = np.flatnonzero((data.lengths < H) & (data.final_states >= 0))
        if len(short):
            raise ModelError(
                f"lengths[{short[0]}] is {data.lengths[short[0]]}, and the episode was cut off, "
                f"not ended; a demonstration has {H} steps or an ending"
            )
        return counts
    if not isinstance(data, Counts):
        raise ModelError(f"data is a {type(data).__name__}; it must be Trajectories or Counts")
    if data.horizon is None:
        raise ModelError("the counts have no stages; cloning needs counts(..., staged=True)")
    sizes = {"n_states": n_states, "n_actions": n_actions, "horizon": horizon}
    for name, given in sizes.items():
        if given is not None and given != getattr(data, name):
            raise ModelError(f"{name} is {given}; the counts have {getattr(data, name)}")
    visits = data.visits.sum(axis=-1)
    for h in range(1, data.horizon):
        rows = slice((h - 1) * data.visits[0].size, h * data.visits[0].size)
        arrivals = np.asarray(data.next_counts[rows].sum(axis=0)).reshape(-1)
        wrong = np.flatnonzero(arrivals != visits[h])
        if len(wrong):
            s = int(wrong[0])
            raise ModelError(
                f"state {s} is reached {arrivals[s]} times at stage {h} and visited "
                f"{visits[h, s]} times; counts of whole episodes agree"
            )
    return data


def _feasible(mdp: EpisodicMDP) -> NDArray[np.bool_]:
    """Which actions each state has at each stage, shape (H, S, A)."""
    present = mdp.table(np.ones(mdp.n_pairs), fill=0.0) > 0.0
    return np.broadcast_to(present, (mdp.horizon, mdp.n_states, mdp.n_actions))
