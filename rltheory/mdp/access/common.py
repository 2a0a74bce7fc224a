"""What all ways of using a model have: the model, hidden; what may be known of it; counters."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import AccessError
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.model import MDP
from rltheory.mdp.reward_laws import Deterministic
from rltheory.mdp.rows import owner_of, row_at
from rltheory.mdp.simulator import model_of, simulator_of

__all__ = ["Access", "Known", "MDPInfo", "Seed", "Step", "Used", "at_stage", "is_whole", "listed"]

Seed = int | np.random.SeedSequence


@dataclass(frozen=True)
class MDPInfo:
    """What a learner may know of a model: its sizes, and its features where it has some."""

    n_states: int
    n_actions: int
    horizon: int | None = None
    discount: float | None = None
    features: Any = field(default=None, repr=False)


@dataclass(frozen=True, eq=False)
class Known:
    """What a learner may read where rewards and the start law are known, and transitions are not.

    Attributes
    ----------
    rewards : ndarray of float64, shape (H, S, A)
        NaN where a state does not have the action.
    initial : ndarray of float64, shape (S,)
    may_end : bool
        Whether an episode may end before its horizon.
    """

    rewards: NDArray[np.float64]
    initial: NDArray[np.float64]
    may_end: bool


@dataclass
class Used:
    """What an access was asked for so far.

    Attributes
    ----------
    episodes : int
        Resets of any kind.
    steps : int
        Steps within episodes.
    draws : int
        Draws at pairs that were chosen freely.
    resets : int
        Resets to a law mu; they count as episodes too.
    """

    episodes: int = 0
    steps: int = 0
    draws: int = 0
    resets: int = 0


@dataclass(frozen=True)
class Step:
    """What one action brought: the next state, -1 where the run ended, and whether it is over.

    An episode is over when it ended, and when its horizon is reached.
    """

    reward: float
    state: int
    ended: bool


class _NotOfferedError(AccessError, AttributeError):
    """Another kind of access offers this; hasattr tells, too."""


_OFFERS = ("reset", "step", "sample", "counts")


class Access:
    """What all ways have: the model, hidden, and the counters."""

    def __init__(self, mdp: Any, seed: Seed) -> None:
        model = model_of(mdp)
        self._mdp = model
        self.seed = seed
        self.used = Used()
        discount = model.discount if isinstance(model, MDP) else None
        self.mdp_info = MDPInfo(
            model.n_states,
            model.n_actions,
            model.horizon if isinstance(model, EpisodicMDP) else None,
            None if discount is None else float(discount),
            getattr(mdp, "features", None),
        )
        self._simulator = simulator_of(model)

    @property
    def random_rewards(self) -> bool:
        """Whether the reward of a pair may differ from draw to draw."""
        mdp = self._mdp
        return not isinstance(mdp.reward_law, Deterministic) or mdp.core.outcome_reward.size > 0

    if not TYPE_CHECKING:  # a checker of types shall go on missing what is missing

        def __getattr__(self, name: str) -> Any:
            if name not in _OFFERS:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            offered = " and ".join(x for x in _OFFERS if hasattr(type(self), x))
            raise _NotOfferedError(f"{name} is asked for; {type(self).__name__} offers {offered}")

    def _row(self, stage: int, state: int, action: Any) -> int:
        row = row_at(self._mdp, stage, state, action) if is_whole(action) else -1
        if row < 0:
            mdp = self._mdp
            first, last = mdp.pair_ptr[owner_of(mdp, stage, state) :][:2]
            raise AccessError(
                f"action {action!r} is asked for in state {state}{at_stage(mdp, stage)}; it has "
                f"the actions {listed(mdp.actions[first:last])}"
            )
        return row

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.mdp_info}, {self.used})"


def is_whole(x: Any) -> bool:
    return isinstance(x, int | np.integer) and not isinstance(x, bool)


def at_stage(mdp: MDP | EpisodicMDP, stage: int) -> str:
    return f" at stage {stage}" if isinstance(mdp, EpisodicMDP) else ""


def listed(actions: NDArray[Any]) -> str:
    shown = ", ".join(str(a) for a in actions[:8])
    return shown + (", ..." if len(actions) > 8 else "")
