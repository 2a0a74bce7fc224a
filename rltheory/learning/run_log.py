"""What happened in a run: which policy was played when, what it returned, what was used."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["RunLog"]


@dataclass(frozen=True, eq=False, repr=False)
class RunLog:
    """The log of a learner's run.

    Attributes
    ----------
    policies : sequence
        The distinct policies, in the order in which they were first played. Arrays of actions are
        stored as changes (`rltheory.learning.played.ActionPolicies`).
    starts : ndarray of int64, shape (n,)
        First episodes of the stretches in which the policy stayed the same; ``starts[0]`` is 0.
    which : ndarray of int32, shape (n,)
        The policy of each stretch, or -1 where the learner declared none.
    returns : ndarray of float64, shape (episodes,)
        The sum of the rewards that each episode brought.
    used : object
        What the access counted: episodes, steps, draws, resets.
    provenance : mapping
        The learner, the access with its seed, and the seed of the run.
    """

    policies: Sequence[Any]
    starts: NDArray[np.int64]
    which: NDArray[np.int32]
    returns: NDArray[np.float64]
    used: Any = None
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def episodes(self) -> int:
        """How many episodes were played."""
        return len(self.returns)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """The number of episodes in each stretch."""
        return np.diff(self.starts, append=self.episodes)

    @property
    def policy_of_episode(self) -> NDArray[np.int32]:
        """The index of the policy of every episode, shape (episodes,)."""
        return np.repeat(self.which, self.lengths)

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays that the log holds."""
        own = self.starts.nbytes + self.which.nbytes + self.returns.nbytes
        held = getattr(self.policies, "nbytes", None)
        if held is None:
            held = sum(int(getattr(policy, "nbytes", 0)) for policy in self.policies)
        return own + int(held)

    def policy(self, episode: int) -> Any:
        """The policy of an episode; None where the learner declared none."""
        if not 0 <= episode < self.episodes:
            raise IndexError(f"episode {episode} of {self.episodes}")
        index = int(self.which[np.searchsorted(self.starts, episode, side="right") - 1])
        return None if index < 0 else self.policies[index]

    def __repr__(self) -> str:
        mean = float(self.returns.mean()) if self.episodes else 0.0
        return (
            f"RunLog({self.episodes} episodes, {len(self.policies)} distinct policies, "
            f"mean return {mean:.6g})"
        )
