r"""Demonstration-regularised reinforcement learning: clone the expert, explore around the clone.

From N whole episodes of an expert, wanted: a policy within epsilon of the expert (and so within
epsilon + epsilon_E of the optimum, epsilon_E being what the expert lacks), with probability at
least 1 - delta. With A the largest number of actions of a state:

    1. clone with smoothing 1: pi_h(a | s) = (N_h(s, a) + 1) / (N_h(s) + A_s),
    2. K = min{2 H S (A-1) / (delta (N+1)), H log(N + A)}: at least KL(expert, clone) of whole
       episodes, but for the chance delta / 2,
    3. lambda = epsilon / (2 K), the least temperature at which K costs epsilon / 2,
    4. `RegularizedBPI` with the clone as reference, lambda, epsilon / 2 and delta / 2.

It is the algorithm of Tiapkin et al., ICLR 2024, arXiv 2310.17303, algorithm 1, with explicit
constants (claim demo-pac; docs/theory/regularized_bpi.md). Another reference may take the clone's
place, with a bound of the expert's divergence from it.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory.demonstrations.cloning import behavior_cloning, whole_counts
from rltheory.demonstrations.cloning_law import bc_kl_bound
from rltheory.demonstrations.exploration import (
    BPIResult,
    known_problem,
    read_level,
    read_reference,
)
from rltheory.demonstrations.regularized_bpi import RegularizedBPI
from rltheory.errors import ModelError, PolicyError
from rltheory.mdp.access.common import Known
from rltheory.mdp.data import Counts, Trajectories

__all__ = ["demonstration_regularized_rl"]


def demonstration_regularized_rl(
    access: Any,
    trajectories: Trajectories | Counts,
    epsilon: float,
    delta: float,
    *,
    seed: Any = 0,
    reference: Any = None,
    divergence: float | None = None,
    batch_growth: float = 0.05,
    most_episodes: int = 10**7,
) -> BPIResult:
    """A policy within epsilon of the expert, from demonstrations and few further episodes.

    Parameters
    ----------
    access : online access to a model with a horizon
        As in `RegularizedBPI.run`.
    trajectories : Trajectories or Counts
        Whole episodes of the expert, or how often they visited each pair of each stage.
    epsilon : float
        Above 0.
    delta : float
        In (0, 1).
    seed, batch_growth, most_episodes
        As in `RegularizedBPI`.
    reference : array_like, shape (S, A) or (H, S, A), optional
        Probabilities, in place of the clone's; none of them 0 where the expert was seen to act.
    divergence : float, optional
        With `reference`: what KL(expert, reference) of whole episodes is at most, but for the
        chance delta / 2; at least 0.

    Returns
    -------
    BPIResult
        Its `reference` is the clone, its `temperature` lambda; certificate and interval are those
        of the regularised problem.

    Raises
    ------
    ModelError, PolicyError, AccessError
        If an argument is not allowed, the data do not fit the model, or the reference forbids what
        the expert does.
    ConvergenceError
        If `most_episodes` are not enough.

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.random_episodic(2, 2, horizon=2, seed=0)
    >>> demonstrations = mdp.sample(rlt.solve(mdp).policy, episodes=500, seed=1)
    >>> result = rlt.demonstration_regularized_rl(rlt.online(mdp, 0), demonstrations, 0.5, 0.1)
    >>> result.episodes, bool(result.certificate <= 0.25)
    (0, True)
    """
    epsilon = read_level("epsilon", epsilon, math.inf)
    delta = read_level("delta", delta, 1.0)
    known = known_problem(access)
    visits = _visits(trajectories, known)
    if (reference is None) != (divergence is None):
        raise ModelError(
            "reference and divergence go together: a bound of the expert's divergence from it"
        )
    if reference is None:
        feasible = ~np.isnan(known.rewards)
        H, S, A = known.rewards.shape
        clone = np.where(feasible, behavior_cloning(trajectories, S, A, H), 0.0)
        law = clone / clone.sum(axis=2, keepdims=True)
        most = _most_divergence(visits, known, delta)
    else:
        law, most = read_reference(reference, known), _bound(divergence)
        _need_support(law, visits)
    temperature = 1.0 if most == 0.0 else epsilon / (2.0 * most)
    if not 0.0 < temperature < math.inf:
        raise ModelError(f"divergence is {most!r}: epsilon over it is no temperature")
    learner = RegularizedBPI(law, temperature, epsilon / 2.0, delta / 2.0, batch_growth)
    return learner.run(access, seed, most_episodes=most_episodes)


def _visits(data: Any, known: Known) -> NDArray[np.int64]:
    """Visits of each stage, state and action, at pairs that the model has."""
    if not isinstance(data, Trajectories | Counts):
        raise ModelError(
            f"trajectories is a {type(data).__name__}; demonstrations are Trajectories or Counts"
        )
    H, S, A = known.rewards.shape
    counts = whole_counts(data, S, A, H) if isinstance(data, Trajectories) else data
    if counts.visits.shape != (H, S, A):
        raise ModelError(
            f"the demonstrations have shape {counts.visits.shape}, stages, states and actions; the "
            f"model has {(H, S, A)}"
        )
    lost = np.argwhere((counts.visits > 0) & np.isnan(known.rewards))
    if len(lost):
        h, s, a = lost[0].tolist()
        raise ModelError(
            f"the expert takes action {a} in state {s} at stage {h}; the model's state does not "
            "have that action"
        )
    return counts.visits


def _most_divergence(visits: NDArray[np.int64], known: Known, delta: float) -> float:
    H, S, _ = known.rewards.shape
    N, A = int(visits[0].sum()), int((~np.isnan(known.rewards)).sum(axis=2).max())
    if A == 1:
        return 0.0
    sure = bc_kl_bound(N, S, A, H, kind="cap")
    return min(bc_kl_bound(N, S, A, H, delta / 2.0, "markov"), sure)


def _bound(divergence: Any) -> float:
    try:
        most = math.nan if isinstance(divergence, bool | str) else float(divergence)
    except (TypeError, ValueError):
        most = math.nan
    if not 0.0 <= most < math.inf:
        raise ModelError(f"divergence is {divergence!r}; it must be finite and at least 0")
    return most


def _need_support(law: NDArray[np.float64], visits: NDArray[np.int64]) -> None:
    forbidden = np.argwhere((visits > 0) & (law == 0.0))
    if len(forbidden):
        h, s, a = forbidden[0].tolist()
        raise PolicyError(
            f"reference forbids action {a} in state {s} at stage {h}, which the expert takes: its "
            "divergence from it is infinite"
        )
