r"""Demonstration-regularised RLHF: clone, ask, fit, plan near the clone.

1. Clone the demonstrations: pi_BC = (N_h(s, a) + smoothing) / (N_h(s) + smoothing A).
2. Let pi_BC play pairs of episodes, and ask a judge which one of each pair is better.
3. Fit a reward r_hat in [0, 1] to the answers (`rltheory.demonstrations.rlhf`).
4. Plan for r_hat, regularised by lambda KL(. || pi_BC); lambda = 2H unless another is given.

The true reward is used by the judge alone. For lambda >= 2H the gap is at most eps_E + eps_RL +
lambda K + sqrt(2 v K) + 2 H K / 3 + 0.36 * 2 v / lambda, K the divergence of the expert from the
clone and v the variance of r* - r_hat under the clone; see `rlhf_gap_bound`, which evaluates it
where r* is known, and docs/theory/preferences.md. Source: Tiapkin et al., ICLR 2024, arXiv
2310.17303, section 5.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory.demonstrations.cloning import behavior_cloning
from rltheory.demonstrations.rlhf import BradleyTerryFit, fit_bradley_terry
from rltheory.errors import ModelError
from rltheory.mdp.arguments import at_least
from rltheory.mdp.data import Preferences, Trajectories
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.policies import weights_of
from rltheory.mdp.sampling import sample
from rltheory.mdp.streams import seed_sequence
from rltheory.solvers.reference_laws import read_temperature
from rltheory.solvers.regularized import solve_regularized

__all__ = ["RLHFResult", "demonstration_regularized_rlhf"]

Vector = NDArray[np.float64]
Learner = Callable[[EpisodicMDP, Vector, float], Any]


@dataclass(frozen=True, eq=False, repr=False)
class RLHFResult:
    """A policy learned from demonstrations and preferences, and what led to it.

    Parameters
    ----------
    policy : ndarray of float64, shape (H, S, A)
    reference : ndarray of float64, shape (H, S, A)
        The clone.
    fit : BradleyTerryFit
    preferences : Preferences
    temperature : float
    learned : object
        What the learner returned.
    """

    policy: Vector
    reference: Vector
    fit: BradleyTerryFit
    preferences: Preferences
    temperature: float
    learned: Any

    def __repr__(self) -> str:
        return f"RLHFResult(temperature {self.temperature:.4g}, {self.fit!r})"


def demonstration_regularized_rlhf(
    mdp: EpisodicMDP,
    demonstrations: Trajectories,
    pairs: int,
    judge: Any = None,
    temperature: float | None = None,
    *,
    smoothing: float = 1.0,
    candidates: Any = None,
    features: Any = None,
    learner: Learner | None = None,
    seed: int | np.random.SeedSequence = 0,
) -> RLHFResult:
    """Learn from demonstrations and from preferences between episodes of their clone.

    Parameters
    ----------
    mdp : EpisodicMDP
        With a start law, and all actions everywhere. Its rewards are what the judge is paid; they
        are not used otherwise.
    demonstrations : Trajectories
        Of the expert, on this model.
    pairs : int
        At least 1: how often the judge is asked.
    judge : array_like or callable, optional
        Rewards (S, A) or (H, S, A) of a Bradley-Terry judge, in place of the model's; or a function
        of two `Trajectories` that returns the labels, 1 where the second one is better.
    temperature : float, optional
        lambda > 0, in units of reward per nat; 2 H if left out.
    smoothing : float
        Above 0, of the clone.
    candidates, features
        The class of rewards, as in `fit_bradley_terry`.
    learner : callable, optional
        ``learner(mdp, reference, temperature)`` with a model that pays the fitted rewards: returns
        a policy, or an object that has one as `policy`. Left out: `solve_regularized`, which plans
        in the model. A learner that only samples from the model makes this the published method.
    seed : int or SeedSequence

    Returns
    -------
    RLHFResult

    Raises
    ------
    ModelError
        If an argument does not fit; if fitted rewards are not in [0, 1].
    PolicyError
        If what the learner returns is no policy of the model.

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.random_episodic(4, 2, horizon=3, branching=2, seed=0)
    >>> shown = rlt.sample(mdp, rlt.solve(mdp).policy, episodes=100, seed=1)
    >>> found = rlt.demonstration_regularized_rlhf(mdp, shown, pairs=500, seed=2)
    >>> found.temperature
    6.0
    >>> value = lambda policy: float(mdp.initial @ rlt.evaluate(mdp, policy)[0])
    >>> value(found.policy) > value(found.reference)
    True
    """
    if not isinstance(mdp, EpisodicMDP) or not mdp.is_full:
        raise ModelError(
            "demonstration_regularized_rlhf takes an EpisodicMDP with all actions everywhere"
        )
    if not isinstance(demonstrations, Trajectories):
        raise ModelError(
            f"demonstrations are {type(demonstrations).__name__}; they must be Trajectories"
        )
    at_least("pairs", pairs, 1)
    lam = 2.0 * mdp.horizon if temperature is None else read_temperature(temperature)
    seeds = [seed_sequence(seed, (step,)) for step in range(2)]
    clone = behavior_cloning(demonstrations, mdp=mdp, smoothing=smoothing)
    played = sample(mdp, clone, 2 * pairs, seeds[0])
    first, second = played[0::2], played[1::2]
    judged = _judged(first, second, judge, seeds[1])
    fit = fit_bradley_terry(judged, candidates, features, shape=clone.shape)
    if not bool(((fit.reward >= 0.0) & (fit.reward <= 1.0)).all()):
        raise ModelError(
            f"the fitted rewards are in [{fit.reward.min()}, {fit.reward.max()}]; candidates must "
            "be in [0, 1] for the bounds of what follows"
        )
    task = mdp.with_rewards(fit.reward)
    if learner is None:
        learned: Any = solve_regularized(task, lam, clone)
    else:
        learned = learner(task, clone, lam)
    returned = getattr(learned, "policy", learned)
    policy = weights_of(task, returned).reshape(clone.shape)  # of actions as well
    if np.shape(returned) == clone.shape:  # to the bit, not over its sums
        policy = np.asarray(returned, dtype=np.float64)
    return RLHFResult(policy, clone, fit, judged, lam, learned)


def _judged(first: Trajectories, second: Trajectories, judge: Any, seed: Any) -> Preferences:
    if callable(judge):
        return Preferences(first, second, judge(first, second))
    return Preferences.bradley_terry(first, second, judge, seed=seed)
