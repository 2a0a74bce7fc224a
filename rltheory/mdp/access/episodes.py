"""Episodes: from the start law, or from a law mu at any stage."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from rltheory.errors import AccessError, ModelError
from rltheory.mdp.access.common import Access, Known, Seed, Step, is_whole
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.intake import real_numbers
from rltheory.mdp.model import MDP
from rltheory.mdp.reward_laws import Deterministic
from rltheory.mdp.rows import row_keys
from rltheory.mdp.simulator import keys_of, law_sampler

__all__ = ["MuReset", "Online", "laws_of"]


class Online(Access):
    """Episodes from the start law; made by `online`."""

    def __init__(self, mdp: Any, seed: Seed = 0) -> None:
        super().__init__(mdp, seed)
        if self._mdp.initial is None:
            raise ModelError("the model has no start law; give initial= when it is made")
        self._keys = keys_of(seed, "access", "transitions", "rewards")
        self._starts = keys_of(seed, "access", "starts")
        self._start = law_sampler(self._mdp.initial)
        self._stage, self._state = 0, -1

    def reset(self) -> int:
        """Begin an episode; its first state."""
        return self._begin(self._start, 0)

    def step(self, action: int) -> Step:
        """Take an action.

        Raises
        ------
        AccessError
            If no episode is running, or the state does not have that action.
        """
        if self._state < 0:
            over = "before the first reset" if not self.used.episodes else "after its end"
            raise AccessError(f"a step is asked for {over}; reset begins an episode")
        row = self._row(self._stage, self._state, action)
        horizon = self.mdp_info.horizon
        word = self.used.steps
        if horizon is not None:
            word = (self.used.episodes - 1) * horizon + self._stage
        state, reward = self._simulator.row(row, self._keys, word)
        self.used.steps += 1
        self._stage += 1
        finished = state < 0 or self._stage == horizon
        self._state = -1 if finished else state
        return Step(reward, state, finished)

    def whole_episodes(self) -> Any:
        """For learners that run in the core: (model, keys of starts and transitions, next episode).

        None where the model has no horizon.
        """
        if not isinstance(self._mdp, EpisodicMDP):
            return None
        starts, moves = tuple(self._starts.tolist()), tuple(self._keys[:2].tolist())
        return self._mdp, starts, moves, self.used.episodes

    def known(self) -> Known:
        """Rewards and start law, for learners whose setting is that these are known.

        Raises
        ------
        ModelError
            If the model has no horizon, or rewards that are random numbers.
        """
        mdp = self._mdp
        if not isinstance(mdp, EpisodicMDP):
            raise ModelError("the model has no horizon; give one with episodic(H)")
        if not isinstance(mdp.reward_law, Deterministic):
            raise ModelError("rewards are random numbers; known rewards are not")
        shape = (-1, mdp.n_states, mdp.n_actions)
        rewards = np.full(mdp.core.n_stages * mdp.n_states * mdp.n_actions, np.nan)
        rewards[row_keys(mdp)] = mdp.mean_rewards.reshape(-1)
        by_stage = np.broadcast_to(rewards.reshape(shape), (mdp.horizon, *shape[1:]))
        return Known(by_stage.copy(), np.array(mdp.initial), bool((mdp.termination > 0.0).any()))

    def count(self, episodes: int, steps: int) -> None:
        """Told by a learner that ran in the core what it has used."""
        self.used.episodes += episodes
        self.used.steps += steps

    def _begin_from(self, mu: list[Any], from_mu: bool, stage: int) -> int:
        """Begin from the start law, or from a law of these at a stage."""
        if not from_mu:
            if stage:
                raise AccessError(
                    f"a start at stage {stage} is asked for; the start law is that of stage 0, and "
                    "other stages are begun from mu (from_mu=True)"
                )
            return self._begin(self._start, 0)
        if not is_whole(stage) or not 0 <= stage < len(mu):
            raise AccessError(f"stage {stage!r} is asked for; mu has the stages 0..{len(mu) - 1}")
        self.used.resets += 1
        return self._begin(mu[stage], int(stage))

    def _begin(self, law: Any, stage: int) -> int:
        first, second = self._starts.tolist()
        (state,) = law.draw(np.zeros(1, dtype=np.int64), first, second, self.used.episodes).tolist()
        self.used.episodes += 1
        self._stage, self._state = stage, state
        return int(state)


class MuReset(Online):
    """Episodes from the start law, or from a law mu at any stage; made by `mu_reset`."""

    def __init__(self, mdp: Any, mu: ArrayLike, seed: Seed = 0) -> None:
        super().__init__(mdp, seed)
        self._mu = laws_of(self._mdp, mu)

    def reset(self, from_mu: bool = False, stage: int = 0) -> int:
        """Begin an episode from the start law, or from mu at a stage; its first state."""
        return self._begin_from(self._mu, from_mu, stage)


def laws_of(mdp: MDP | EpisodicMDP, mu: ArrayLike) -> list[Any]:
    table = real_numbers("mu", mu)
    horizon = mdp.horizon if isinstance(mdp, EpisodicMDP) else 1
    shapes = [(mdp.n_states,), (horizon, mdp.n_states)]
    if table.shape not in shapes:
        raise ModelError(f"mu has shape {table.shape}; it must be {shapes[0]} or {shapes[1]}")
    shared = table.ndim == 1
    table = np.atleast_2d(table)
    for h, law in enumerate(table):
        if not (law >= 0.0).all() or not abs(float(law.sum()) - 1.0) <= 1e-9:
            raise ModelError(
                f"mu at stage {h} sums to {float(law.sum())!r}; its entries must be at least 0 and "
                "sum to 1 within 1e-9"
            )
    return [law_sampler(law) for law in table] * (horizon if shared else 1)
