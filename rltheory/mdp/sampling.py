"""Episodes of a policy, sampled in the core.

Policies of actions or probabilities run whole in C++; a `Mixture` draws one of its policies for
each episode; a `HistoryPolicy` is asked step by step, and meets the same words of the same streams.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory import _core
from rltheory.errors import ModelError, PolicyError
from rltheory.mdp.arguments import at_least
from rltheory.mdp.data import Provenance, Trajectories
from rltheory.mdp.data.provenance import policy_fingerprint
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.model import MDP
from rltheory.mdp.policies import HistoryPolicy, Mixture, is_deterministic, rows_of, weights_of
from rltheory.mdp.rows import row_at
from rltheory.mdp.simulator import Keys, keys_of, law_sampler, model_of, simulator_of
from rltheory.mdp.streams import Stream

__all__ = ["sample"]

_ROOM = "sample"
_SOME = 1024  # words of actions drawn at a time: few of very many steps may be played


def sample(
    mdp: Any,
    policy: Any,
    episodes: int,
    seed: int | np.random.SeedSequence = 0,
    *,
    steps: int | None = None,
) -> Trajectories:
    """Let a policy play episodes.

    Parameters
    ----------
    mdp : MDP, EpisodicMDP or LinearMDP
        With a start law.
    policy : array_like, Mixture or HistoryPolicy
        As in `evaluate`; a `Mixture` draws one of its policies for each episode.
    episodes : int
        At least 1. Episode k of a seed is the same however many there are.
    seed : int or SeedSequence
    steps : int, optional
        Steps after which an episode is cut off: needed where the model has no horizon; at most the
        horizon where it has one. The return of a cut episode lacks what was to come, at most
        discount^steps times the largest value. Episodes of different `steps` are not the same.

    Returns
    -------
    Trajectories

    Raises
    ------
    ModelError
        If there is no start law, or `steps` is missing or out of range.
    PolicyError
        If the policy is none of this model.

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.riverswim(6).episodic(20)
    >>> data = rlt.sample(mdp, [1] * 6, episodes=1000, seed=0)
    >>> data
    Trajectories(1000 episodes, 20000 steps)
    >>> exact = float(rlt.evaluate(mdp, [1] * 6)[0, 0])
    >>> abs(float(data.returns().mean()) - exact) < 0.2
    True
    """
    model = model_of(mdp)
    at_least("episodes", episodes, 1)
    length = _steps(model, steps)
    if episodes * length > 2**56:
        raise ModelError(f"{episodes} episodes of {length} steps are more than 2^56 steps")
    if model.initial is None:
        raise ModelError("the model has no start law; give initial= when it is made")
    run = _Run(model, length, keys_of(seed, _ROOM, "starts", "actions", "transitions", "rewards"))
    columns = run.play(policy, np.arange(episodes, dtype=np.int64), seed)
    origin = Provenance.of(model, access="online", policy=policy_fingerprint(policy), seed=seed)
    return Trajectories(*columns, origin)


Columns = tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]


class _Run:
    """The tables and keys that all episodes of one call share."""

    def __init__(self, mdp: MDP | EpisodicMDP, steps: int, keys: Keys) -> None:
        assert mdp.initial is not None
        self.mdp, self.steps, self.keys = mdp, steps, keys
        self.simulator = simulator_of(mdp)
        self.start = law_sampler(mdp.initial)

    def play(self, policy: Any, episodes: NDArray[np.int64], seed: Any, depth: int = 0) -> Columns:
        """(states, actions, rewards, final states, lengths) of these episodes."""
        if isinstance(policy, Mixture):
            return self._mixture(policy, episodes, seed, depth)
        if isinstance(policy, HistoryPolicy):
            return self._step_by_step(policy, episodes)
        if is_deterministic(policy):
            rows = self._of_steps(rows_of(self.mdp, policy))
            return self._core(rows, np.zeros(0), episodes)
        weights = self._of_steps(weights_of(self.mdp, policy))
        return self._core(np.zeros(0, dtype=np.int64), weights, episodes)

    def _of_steps(self, table: NDArray[Any]) -> NDArray[Any]:
        """The stages that are played, flat: all there are, where the stages share no rows."""
        return np.ascontiguousarray(table[: self.steps] if table.ndim == 2 else table).reshape(-1)

    def _core(
        self, rows: NDArray[np.int64], weights: NDArray[np.float64], episodes: NDArray[np.int64]
    ) -> Columns:
        return self.simulator.episodes(self.start, rows, weights, episodes, self.steps, self.keys)

    def _mixture(
        self, mixture: Mixture, episodes: NDArray[np.int64], seed: Any, depth: int
    ) -> Columns:
        words = Stream(seed, f"{_ROOM}-mixture", depth).uniforms(int(episodes.max()) + 1)[episodes]
        cumulated = np.cumsum(mixture.weights)
        possible = np.flatnonzero(mixture.weights)
        cumulated[possible[-1] :] = 1.0
        drawn = np.searchsorted(cumulated, words, side="right")
        parts, order = [], []
        for i in np.unique(drawn).tolist():
            mine = np.flatnonzero(drawn == i)
            parts.append(self.play(mixture.policies[i], episodes[mine], seed, depth + 1))
            order.append(mine)
        return _in_order(parts, np.concatenate(order))

    def _step_by_step(self, policy: HistoryPolicy, episodes: NDArray[np.int64]) -> Columns:
        mdp, T = self.mdp, self.steps
        starts, actions, moves = self.keys[:2], self.keys[2:4], np.ascontiguousarray(self.keys[4:])
        state_, action_, reward_, final, lengths = [], [], [], [], []
        zero = np.zeros(1, dtype=np.int64)
        for e in episodes.tolist():
            state = int(self.start.draw(zero, int(starts[0]), int(starts[1]), e)[0])
            memory, h = policy.init(), 0
            while h < T and state >= 0:
                if h % _SOME == 0:
                    words = _words(actions, e * T + h, min(_SOME, T - h))
                law = policy.probabilities(memory, h, state, mdp.n_actions)
                action = _drawn(law, words[h % _SOME])
                row = _row(mdp, h, state, action)
                following, reward = self.simulator.row(row, moves, e * T + h)
                memory = policy.update(memory, h, state, action, reward, following)
                state_.append(state)
                action_.append(action)
                reward_.append(reward)
                state, h = following, h + 1
            final.append(state)
            lengths.append(h)
        return (
            np.array(state_, dtype=np.int32),
            np.array(action_, dtype=np.int32),
            np.array(reward_, dtype=np.float64),
            np.array(final, dtype=np.int32),
            np.array(lengths, dtype=np.int64),
        )


def _in_order(parts: list[Columns], order: NDArray[np.int64]) -> Columns:
    """Episodes of several batches, put where they belong."""
    states, actions, rewards, final, lengths = (
        np.concatenate(columns) for columns in zip(*parts, strict=True)
    )
    back = np.argsort(order, kind="stable")
    first = np.cumsum(lengths) - lengths
    sorted_lengths = lengths[back]
    offset = np.repeat(first[back] - (np.cumsum(sorted_lengths) - sorted_lengths), sorted_lengths)
    steps = np.arange(len(states)) + offset
    return states[steps], actions[steps], rewards[steps], final[back], sorted_lengths


def _words(key: NDArray[np.uint64], first: int, count: int) -> NDArray[np.float64]:
    """Uniforms of words first, first + 1, ... of a stream."""
    words = _core.support.philox_words(int(key[0]), int(key[1]), count, first)
    return (words >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _drawn(law: NDArray[np.float64], u: float) -> int:
    cumulated = np.cumsum(law)
    cumulated[np.flatnonzero(law)[-1] :] = 1.0
    return int(np.searchsorted(cumulated, u, side="right"))


def _row(mdp: MDP | EpisodicMDP, stage: int, state: int, action: int) -> int:
    row = row_at(mdp, stage, state, action)
    if row < 0:
        raise PolicyError(
            f"the policy takes action {action} in state {state}, which does not have it"
        )
    return row


def _steps(mdp: MDP | EpisodicMDP, steps: int | None) -> int:
    horizon = mdp.horizon if isinstance(mdp, EpisodicMDP) else None
    if steps is None:
        if horizon is None:
            raise ModelError("the model has no horizon: say where episodes are cut off, steps=")
        return horizon
    at_least("steps", steps, 1)
    if horizon is not None and steps > horizon:
        raise ModelError(f"steps is {steps}; the horizon is {horizon}")
    return int(steps)
