"""Online access in plain Python, drawn from the core's alias tables by single words."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

import rltheory as rlt
from rltheory import _core
from rltheory.mdp.streams import philox_key


@dataclass
class Used:
    episodes: int = 0
    steps: int = 0


class PlainOnline:
    """Word k of one stream starts episode k, word k H + h of another moves it at stage h."""

    def __init__(self, mdp: rlt.EpisodicMDP, seed: int = 0) -> None:
        self.mdp, self.seed, self.used = mdp, seed, Used()
        self.mdp_info = SimpleNamespace(
            n_states=mdp.n_states, n_actions=mdp.n_actions, horizon=mdp.horizon
        )
        self.starts = philox_key(seed, "access-starts")
        self.moves = philox_key(seed, "access-transitions")
        assert mdp.initial is not None
        law = rlt.MDP(
            mdp.initial[None, None, :].repeat(mdp.n_states, axis=0), np.zeros((mdp.n_states, 1))
        )
        self._start = _core.simulate.Sampler(law.core)
        self._rows = _core.simulate.Sampler(mdp.core)

    def reset(self) -> int:
        k = self.used.episodes
        (state,) = self._start.draw(np.zeros(1, dtype=np.int64), *self.starts, k)
        self.used.episodes += 1
        self.stage, self.state = 0, int(state)
        return self.state

    def step(self, action: int) -> Any:
        mdp, h = self.mdp, self.stage
        first, last = mdp.pair_ptr[mdp.stage(h) * mdp.n_states + self.state :][:2]
        row = first + list(mdp.actions[first:last]).index(action)
        word = (self.used.episodes - 1) * mdp.horizon + h
        (state,) = self._rows.draw(np.array([row]), *self.moves, word)
        self.stage, self.state = h + 1, int(state)
        self.used.steps += 1
        ended = self.stage == mdp.horizon or state < 0
        return SimpleNamespace(reward=float(mdp.mean_rewards[row]), state=int(state), ended=ended)

    def whole_episodes(self) -> Any:
        return self.mdp, self.starts, self.moves, self.used.episodes

    def count(self, episodes: int, steps: int) -> None:
        self.used.episodes += episodes
        self.used.steps += steps
