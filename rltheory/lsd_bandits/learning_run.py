"""What a learner of LSD arms leaves behind, and the plans that learners choose from."""

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rltheory.lsd_bandits.arms import LSDArm
from rltheory.lsd_bandits.bandit import LSDBandit
from rltheory.lsd_bandits.plans import always, block
from rltheory.lsd_bandits.relaxation import concave_relaxation
from rltheory.lsd_bandits.virtual_value import guarantee

__all__ = ["LearningRun", "PlanArrays", "plan_arrays"]


@dataclass(frozen=True, repr=False)
class LearningRun:
    """T rounds of a learner.

    Parameters
    ----------
    bandit : LSDBandit
        What was played; its payoffs were hidden from the learner.
    actions : ndarray of int32, shape (T,)
        The arm of each round, -1 for none.
    rewards : ndarray of uint8, shape (T,)
    pseudo_rewards : ndarray of float64, shape (T,)
        The mean of each reward given what was played.
    bound : float
        The proved bound of E[c_N T LP - sum of rewards]; infinite where none applies.
    exploration : int
        Rounds that were played to learn, before anything was chosen by its estimates.
    """

    bandit: LSDBandit
    actions: NDArray[np.int32]
    rewards: NDArray[np.uint8]
    pseudo_rewards: NDArray[np.float64]
    bound: float
    exploration: int = 0

    @property
    def target(self) -> float:
        """c_N LP, which the bound compares with; LP of at most one play per round."""
        value = concave_relaxation(LSDBandit(self.bandit.arms), exact=True).value
        return float(guarantee(self.bandit.n_arms) * Fraction(value))

    @property
    def pseudo_regret(self) -> NDArray[np.float64]:
        """c_N LP t minus the pseudo-rewards of rounds 1..t, of shape (T,)."""
        return self.regret_against(self.target)

    def regret_against(self, value: float | Fraction) -> NDArray[np.float64]:
        """The same against another reward per round, such as A(x) or the optimal gain."""
        rounds = np.arange(1, len(self.rewards) + 1)
        earned = np.cumsum(self.pseudo_rewards)
        return np.asarray(float(value) * rounds - earned, dtype=np.float64)

    def __repr__(self) -> str:
        told = f"{len(self.rewards)} rounds, {int(self.rewards.sum())} rewards"
        if not math.isfinite(self.bound) or not len(self.rewards):
            return f"LearningRun({told}; no bound is proved)"
        regret = self.pseudo_regret[-1]
        return (
            f"LearningRun({told}; pseudo-regret {regret:.4g} against c_N LP, bound "
            f"{self.bound:.4g})"
        )


class PlanArrays(NamedTuple):
    """Plans of all arms one after another, for the compiled core.

    Attributes
    ----------
    arm_first : ndarray of int32, shape (N + 1,)
        Where each arm's plans begin.
    step_first : ndarray of int32, shape (plans + 1,)
        Where each plan's rounds begin.
    state : ndarray of int32, shape (rounds,)
    played : ndarray of uint8, shape (rounds,)
    """

    arm_first: NDArray[np.int32]
    step_first: NDArray[np.int32]
    state: NDArray[np.int32]
    played: NDArray[np.uint8]


def plan_arrays(bandit: LSDBandit) -> PlanArrays:
    """All blocks (n, m) with n <= R_i, m <= M_i, and always to play, of LSD arms."""
    shape = tuple(
        (len(arm.rest_payoffs), len(arm.play_payoffs))
        for arm in bandit.arms
        if isinstance(arm, LSDArm)
    )
    return _arrays(shape)


@lru_cache(maxsize=64)
def _arrays(shape: tuple[tuple[int, int], ...]) -> PlanArrays:
    arm_first, step_first = [0], [0]
    state: list[int] = []
    played: list[bool] = []
    for rests, plays in shape:
        arm = LSDArm([0] * rests, [0] * plays)
        plans = [block(arm, n, m) for n in range(1, rests + 1) for m in range(1, plays + 1)]
        for plan in [*plans, always(arm)]:
            state += plan.states
            played += plan.plays
            step_first.append(len(state))
        arm_first.append(len(step_first) - 1)
    return PlanArrays(
        np.array(arm_first, dtype=np.int32),
        np.array(step_first, dtype=np.int32),
        np.array(state, dtype=np.int32),
        np.array(played, dtype=np.uint8),
    )
