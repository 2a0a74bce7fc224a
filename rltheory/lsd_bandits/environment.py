"""A bandit whose payoffs only its plays show: what learners are given.

A learner knows the arms' states and moves, hence in which state each arm is, but no payoff. In
round t, playing arm i in state s pays 1 if the t-th uniform number of the seed is below p_i(s),
else 0: Bernoulli noise that depends on the seed and the round alone, not on what was played
before. Beside what a learner sees stand the means of what it played (pseudo-rewards), for those
who measure regret.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rltheory._core import topics
from rltheory.errors import ModelError
from rltheory.lsd_bandits.arms import LSDArm
from rltheory.lsd_bandits.bandit import LSDBandit
from rltheory.mdp.streams import Stream

__all__ = ["IDLE", "BanditEnvironment", "learnable"]

IDLE = -1
MOST_ROUNDS = 10**8
"""The action of a round in which every arm rests."""


class BanditEnvironment:
    """A bandit that is played round by round, at most one arm at a time.

    Parameters
    ----------
    bandit : LSDBandit
        With ``plays == 1``.
    seed : int or numpy.random.SeedSequence
        Of the noise.
    state : sequence of int, shape (N,), optional
        The arms' states (indices) at the start; rested if left out.

    Attributes
    ----------
    plays, successes : ndarray of int64, shape (sum of the numbers of states,)
        How often each state was played, arm after arm, and how often that paid 1.
    state : ndarray of int32, shape (N,)
        The arms' states now.

    Raises
    ------
    ModelError
        If more than one arm may be played per round, or `state` is no state of the arms.

    Examples
    --------
    >>> import rltheory as rlt
    >>> bandit = rlt.LSDBandit([rlt.LSDArm.blocking(2), rlt.LSDArm.blocking(3)])
    >>> environment = rlt.BanditEnvironment(bandit, seed=0)
    >>> environment.run([0, 1, 0, 0]).tolist(), environment.rounds
    ([1, 1, 1, 0], 4)
    >>> environment.plays.tolist()
    [1, 2, 0, 0, 1]
    """

    def __init__(
        self,
        bandit: LSDBandit,
        seed: int | np.random.SeedSequence,
        state: Sequence[int] | None = None,
    ) -> None:
        if bandit.plays != 1:
            raise ModelError(
                f"the bandit has plays={bandit.plays}; learners here play one arm per round"
            )
        joint = bandit.rested if state is None else bandit.join(state)
        self._bandit = bandit
        self._noise = Stream(seed, "lsd.noise")
        self._past: list[tuple[NDArray[Any], ...]] = []
        flat = bandit.arrays
        self.state = np.array(bandit.split(joint), dtype=np.int32)
        self.plays = np.zeros(len(flat.payoffs), dtype=np.int64)
        self.successes = np.zeros(len(flat.payoffs), dtype=np.int64)
        self.rounds = 0

    @property
    def n_arms(self) -> int:
        """N, the number of arms."""
        return self._bandit.n_arms

    @property
    def bandit(self) -> LSDBandit:
        """The bandit itself: its states and moves are known, its payoffs are for who measures."""
        return self._bandit

    @property
    def is_rested(self) -> bool:
        """Whether every arm is in its top state."""
        return bool((self.state == self._bandit.arrays.sizes - 1).all())

    def play(self, arm: int | None) -> int:
        """One round: 1 or 0; None, or `IDLE`, plays no arm and pays 0."""
        return int(self.run([IDLE if arm is None else arm])[0])

    def run(self, actions: ArrayLike) -> NDArray[np.uint8]:
        """Several rounds.

        Parameters
        ----------
        actions : array_like of int, shape (n,)
            The arm of each round, or `IDLE`.

        Returns
        -------
        ndarray of uint8, shape (n,)
            The rewards, each 0 or 1.

        Raises
        ------
        ModelError
            If an entry is neither an arm nor `IDLE`, or it is `IDLE` and the bandit does not allow
            that.
        """
        chosen = np.asarray(actions)
        if chosen.ndim != 1 or (len(chosen) and chosen.dtype.kind not in "iu"):
            raise ModelError("actions must be a list of arms, or IDLE, one for each round")
        least = IDLE if self._bandit.idle else 0
        wrong = np.flatnonzero((chosen < least) | (chosen >= self.n_arms))
        if len(wrong):
            raise ModelError(
                f"actions[{wrong[0]}] is {chosen[wrong[0]]}; it must be an arm in 0.."
                f"{self.n_arms - 1}" + (f", or {IDLE} for none" if least == IDLE else "")
            )
        flat = self._bandit.arrays
        record = topics.lsd_play(
            *(flat.sizes, flat.play_next, flat.rest_next, flat.payoffs, self.state),
            chosen.astype(np.int32),
            self.noise(len(chosen)),
        )
        self.add(record)
        rewards: NDArray[np.uint8] = record[1]
        return rewards

    def noise(self, rounds: int) -> NDArray[np.float64]:
        """The uniform numbers of the next `rounds` rounds, which must then be added."""
        return self._noise.uniforms(rounds)

    def add(self, record: tuple[NDArray[Any], ...]) -> None:
        """Rounds that were played elsewhere: actions, rewards, means, counts and the state."""
        actions, rewards, means, plays, successes, state = record
        self._past.append((actions, rewards, means))
        self.plays += plays
        self.successes += successes
        self.state = state
        self.rounds += len(actions)

    @property
    def actions(self) -> NDArray[np.int32]:
        """The arm of each round so far, or `IDLE`."""
        return self._told(0, np.int32)

    @property
    def rewards(self) -> NDArray[np.uint8]:
        """The reward of each round so far."""
        return self._told(1, np.uint8)

    @property
    def pseudo_rewards(self) -> NDArray[np.float64]:
        """The mean of what was played in each round so far; no learner sees it."""
        return self._told(2, np.float64)

    def _told(self, which: int, dtype: Any) -> NDArray[Any]:
        parts = [past[which] for past in self._past]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=dtype)


def need_whole(name: str, x: object, least: int = 1, most: int = MOST_ROUNDS) -> None:
    """Refuse what is no integer in least..most; memory is for so many rounds.

    Raises
    ------
    ModelError
        That names the argument.
    """
    if isinstance(x, bool) or not isinstance(x, int | np.integer) or not least <= x <= most:
        raise ModelError(f"{name} is {x!r}; it must be an integer in {least}..{most}")


def learnable(
    given: LSDBandit | BanditEnvironment, seed: int | np.random.SeedSequence
) -> BanditEnvironment:
    """The environment that is given, or one of the bandit, for a learner of LSD arms.

    Raises
    ------
    ModelError
        If there are plans that the learners do not know: arms that are not `LSDArm` or recover
        gradually; or if idling is not allowed, or more than one play per round is.
    """
    environment = given if isinstance(given, BanditEnvironment) else None
    bandit = given if environment is None else environment.bandit
    if not isinstance(bandit, LSDBandit):
        raise ModelError(f"{bandit!r} is neither an LSDBandit nor a BanditEnvironment")
    for i, arm in enumerate(bandit.arms):
        if not isinstance(arm, LSDArm) or arm.recovery != "reset":
            raise ModelError(
                f"arms[{i}] is {arm!r}; learners need LSD arms with recovery='reset', whose "
                "states n > 0 are reached by n rests"
            )
    if not bandit.idle:
        raise ModelError("the bandit has idle=False; these learners rest arms in some rounds")
    return BanditEnvironment(bandit, seed) if environment is None else environment
