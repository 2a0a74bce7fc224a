"""When certified exploration stops on the models of the specification: trials of its rates.

Two random models of 3 states, 2 actions and 3 stages, start in state 0, delta = 0.1, the uniform
reference. Each function is one run under a seed and returns the number of episodes; those with
demonstrations return what the policies lack as well. `linear_time` is the mutant of the rate in
the accuracy: D in place of min{D, D^2 / (8 temperature)} in the certificate is as safe and needs
about 1/epsilon^2 episodes.
"""

import math
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rltheory import _core
from rltheory.demonstrations.best_policy_identification import BestPolicyIdentification
from rltheory.demonstrations.cloning import behavior_cloning
from rltheory.demonstrations.regularized_bpi import (
    RegularizedBPI,
    least_visits,
    regularized_widths,
)
from rltheory.mdp.access import online
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.streams import philox_key
from rltheory.solvers.evaluate import evaluate
from rltheory.solvers.solve import solve

__all__ = [
    "Taught",
    "greedy_time",
    "linear_time",
    "random_model",
    "regularized_time",
    "taught",
    "visits_needed",
]

DELTA = 0.1
STATES, ACTIONS, HORIZON = 3, 2, 3
GROWTH = 0.05
"""By how much of the episodes so far the next look at the certificate is later."""


@cache
def random_model(seed: int = 3) -> EpisodicMDP:
    """Rows, uniform on the simplex, then rewards, of numpy's default generator under this seed."""
    rng = np.random.default_rng(seed)
    rows = rng.dirichlet(np.ones(STATES), size=(HORIZON, STATES, ACTIONS))
    rewards = rng.random((HORIZON, STATES, ACTIONS))
    return EpisodicMDP(rows, rewards, HORIZON, [1.0, 0.0, 0.0])


def visits_needed(epsilon: float, temperature: float) -> int:
    """Visits of each pair from which on the certificate is at most epsilon (demo-cert-size)."""
    return least_visits(epsilon, STATES, ACTIONS, HORIZON, temperature, DELTA)


def _learner(epsilon: float, temperature: float, growth: float) -> RegularizedBPI:
    uniform = np.full((STATES, ACTIONS), 1.0 / ACTIONS)
    return RegularizedBPI(uniform, temperature, epsilon, DELTA, growth)


def regularized_time(seed: int, epsilon: float, temperature: float, growth: float = GROWTH) -> int:
    """Episodes of `RegularizedBPI`."""
    return _learner(epsilon, temperature, growth).run(online(random_model(), seed), seed).episodes


def greedy_time(seed: int, epsilon: float, growth: float = GROWTH) -> int:
    """Episodes of `BestPolicyIdentification`."""
    learner = BestPolicyIdentification(epsilon, DELTA, growth)
    return learner.run(online(random_model(), seed), seed).episodes


def linear_time(
    seed: int,
    epsilon: float,
    temperature: float,
    most: int = 2**21,
    growth: float = GROWTH,
) -> int:
    """Episodes of `RegularizedBPI` when the certificate has D itself; `most` if they are more."""
    mdp = random_model()
    known = online(mdp, seed).known()
    core = _learner(epsilon, temperature, growth).core(known)
    purposes = ("access-starts", "access-transitions", "bpi-stages", "bpi-actions")
    words = [word for purpose in purposes for word in philox_key(seed, purpose)]
    keys = np.array(words, dtype=np.uint64)
    kappa, t = np.zeros(0), 0
    while t < most:
        if t >= len(kappa):
            size = min(max(4 * t, 1024), most)
            bonus, kappa = regularized_widths(
                np.arange(size + 1), STATES, ACTIONS, HORIZON, DELTA, may_end=False
            )
            core.use(bonus, np.sqrt(kappa))
        core.explore(mdp.core, known.initial, keys, 0, growth, 1e-12, t)  # planned at t
        if linear_certificate(core, kappa) <= epsilon:
            return t
        t = min(t + max(1, math.floor(growth * t)), most)
    return most


def linear_certificate(core: _core.learning.SoftExplorer, kappa: NDArray[np.float64]) -> float:
    """G_0 of state 0 with D in place of min{D, D^2 / (8 temperature)}, from the plan and counts."""
    visits, policy = core.visits, core.policy
    rows = core.transitions / np.maximum(visits, 1)[..., None]
    widths = np.maximum((core.q_upper - core.q_lower).max(axis=2), 0.0)
    gap = np.zeros(STATES)
    for h in reversed(range(HORIZON)):
        beta = float(gap.max())
        seen = visits[h] > 0
        root = np.sqrt(rows[h] @ gap) + np.sqrt(beta * np.where(seen, kappa[visits[h]], 0.0))
        ahead = np.where(seen, np.minimum(beta, root * root), beta)
        gap = widths[h] + (policy[h] * ahead).sum(axis=1)
    return float(gap[0])


class Taught(NamedTuple):
    """Episodes with a clone as reference, what the policy lacks, and what the clone lacks."""

    episodes: int
    gap: float
    clone_gap: float


def taught(
    seed: int,
    demonstrations: int,
    epsilon: float = 0.2,
    inverted: bool = False,
    growth: float = GROWTH,
) -> Taught:
    """One run of cloning and exploring, with all of delta for each and K its bound.

    The temperature is epsilon / (2 K); with `inverted`, for a mutant, it is epsilon K / 2.
    """
    mdp = random_model(6)
    best = solve(mdp)
    data = mdp.sample(best.policy, episodes=demonstrations, seed=seed)
    clone = behavior_cloning(data, STATES, ACTIONS, HORIZON)
    K = HORIZON * STATES * (ACTIONS - 1) / (DELTA * (demonstrations + 1))
    temperature = epsilon / 2 * (K if inverted else 1 / K)
    learner = RegularizedBPI(clone, temperature, epsilon / 2, DELTA, growth)
    result = learner.run(online(mdp, seed), seed)
    values = [float(evaluate(mdp, policy)[0, 0]) for policy in (result.policy, clone)]
    optimum = float(best.value[0, 0])
    return Taught(result.episodes, optimum - values[0], optimum - values[1])
