"""What learners whose counts and plans live in the core have in common: all but how they begin."""

from typing import Any

from rltheory import _core
from rltheory.errors import ModelError

__all__ = ["CoreLearner"]


class CoreLearner:
    """A learner that hands its steps to `core`, which `begin` makes; see `Learner`."""

    core: Any
    _policy: Any

    def plan(self, episode: int) -> Any:
        """The greedy policy, shape (H, S); None where it stays as it was."""
        if not self.core.plan():
            return None
        self._policy = self.core.policy
        return self._policy

    def act(self, stage: int, state: int) -> int:
        """The greedy action."""
        return int(self._policy[stage, state])

    def observe(self, stage: int, state: int, action: int, reward: float, next_state: int) -> None:
        """One more step; `next_state` is -1 where the episode ended."""
        try:
            self.core.observe(stage, state, action, reward, next_state)
        except _core.learning.RewardFault as fault:
            raise ModelError(str(fault)) from None

    @property
    def _begun(self) -> Any:
        if self.core is None:
            raise ModelError("the learner has not begun: it knows nothing before a run")
        return self.core
