"""Draws at pairs that the caller chooses: any of them, or those at states that were shown."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from rltheory.errors import AccessError, ModelError
from rltheory.mdp.access.common import Access, Seed, Step, at_stage, is_whole
from rltheory.mdp.access.episodes import Online, laws_of
from rltheory.mdp.data import Counts, Provenance
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.intake import as_array
from rltheory.mdp.rows import owner_of, row_keys, rows_at
from rltheory.mdp.simulator import keys_of

__all__ = ["Generative", "Hybrid", "LocalSimulator"]


class Generative(Access):
    """Draws at any pair; made by `generative`."""

    def __init__(self, mdp: Any, seed: Seed = 0) -> None:
        super().__init__(mdp, seed)
        # Draws have streams of their own: episodes between them do not move them.
        self._draw_keys = keys_of(seed, "access-draws", "transitions", "rewards")

    def sample(
        self, states: ArrayLike, actions: ArrayLike, stages: ArrayLike | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
        """One draw at each of these pairs.

        Parameters
        ----------
        states, actions : array_like of int, shape (n,)
        stages : array_like of int, shape (n,), optional
            Needed where the stages of the model differ.

        Returns
        -------
        rewards : ndarray of float64, shape (n,)
        next_states : ndarray of int32, shape (n,)
            -1 where the run ends.

        Raises
        ------
        AccessError
            If there is no such pair, or it may not be asked for.
        """
        stage, state, action = self._pairs(stages, states, actions)
        self._allow(stage, state)
        rows = self._rows(stage, state, action)
        following, rewards = self._simulator.rows(rows, self._draw_keys, self.used.draws)
        self.used.draws += len(rows)
        self._shown(stage, following)
        return rewards, following

    def counts(self, n: int) -> Counts:
        """n draws of every pair, of every stage where the stages differ, as counts.

        Raises
        ------
        AccessError
            If not every pair may be asked for.
        ModelError
            If n is no integer of at least 1, or there would be more than 2^56 draws.
        """
        if not is_whole(n) or n < 1:
            raise ModelError(f"n is {n!r}; it must be an integer of at least 1")
        mdp = self._mdp
        if int(n) * mdp.n_pairs > 2**56:
            raise ModelError(f"n is {n}, for {mdp.n_pairs} pairs; at most 2^56 draws are made")
        self._allow_all()
        row_ptr, col, count, sums = self._simulator.counts(int(n), self._draw_keys, self.used.draws)
        self.used.draws += int(n) * mdp.n_pairs
        stages = len(mdp.pair_ptr) // mdp.n_states if isinstance(mdp, EpisodicMDP) else 1
        shape = (
            (stages, mdp.n_states, mdp.n_actions) if stages > 1 else (mdp.n_states, mdp.n_actions)
        )
        place = row_keys(mdp)
        visits, reward_sums = np.zeros(shape, dtype=np.int64), np.zeros(shape)
        visits.reshape(-1)[place] = n
        reward_sums.reshape(-1)[place] = sums
        lengths = np.zeros(visits.size, dtype=np.int64)
        lengths[place] = np.diff(row_ptr)
        pointers = np.concatenate([[0], np.cumsum(lengths)])
        following = sparse.csr_array(
            (count, col.astype(np.int64), pointers), shape=(visits.size, mdp.n_states)
        )
        origin = Provenance(
            n_states=mdp.n_states,
            n_actions=mdp.n_actions,
            horizon=stages if stages > 1 else None,
            model=mdp.fingerprint,
            access=type(self).__name__.lower(),
            seed=self.seed,
        )
        return Counts(visits, following, reward_sums, origin)

    def _allow(self, stage: NDArray[np.int64], state: NDArray[np.int64]) -> None:
        """Every pair may be asked for."""

    def _allow_all(self) -> None:
        """Every pair may be asked for."""

    def _shown(self, stage: NDArray[np.int64], following: NDArray[np.int32]) -> None:
        """Nothing has to be remembered."""

    def _pairs(self, stages: Any, states: Any, actions: Any) -> Any:
        mdp = self._mdp
        state, action = (_whole(*x) for x in (("states", states), ("actions", actions)))
        differ = isinstance(mdp, EpisodicMDP) and not mdp.is_stationary
        if stages is None and differ:
            raise AccessError("the stages of the model differ: say at which ones, stages=")
        stage = np.zeros(len(state), dtype=np.int64) if stages is None else _whole("stages", stages)
        if not len(state) == len(action) == len(stage):
            raise AccessError(
                f"{len(state)} states, {len(action)} actions and {len(stage)} stages are asked "
                "for; there must be as many of each"
            )
        horizon = self.mdp_info.horizon or 1
        for name, x, size in (("state", state, mdp.n_states), ("stage", stage, horizon)):
            wrong = np.flatnonzero((x < 0) | (x >= size))
            if len(wrong):
                raise AccessError(f"{name} {x[wrong[0]]} is asked for; there are 0..{size - 1}")
        return stage, state, action

    def _rows(
        self, stage: NDArray[np.int64], state: NDArray[np.int64], action: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        rows = rows_at(self._mdp, owner_of(self._mdp, stage, state), action)
        for i in np.flatnonzero(rows < 0)[:1]:
            self._row(int(stage[i]), int(state[i]), int(action[i]))  # says what is wrong
        return rows


class LocalSimulator(Generative, Online):
    """Draws at states that were shown before, by an episode or a draw; made by `local_simulator`.

    Where stages differ or there is a horizon, a state is shown at a stage.
    """

    def __init__(self, mdp: Any, seed: Seed = 0) -> None:
        super().__init__(mdp, seed)
        horizon = self.mdp_info.horizon
        self._seen = np.zeros((1 if horizon is None else horizon + 1, self._mdp.n_states), np.bool_)

    def step(self, action: int) -> Step:
        step = super().step(action)
        if step.state >= 0:
            self._show(self._stage, step.state)
        return step

    def _begin(self, law: Any, stage: int) -> int:
        state = super()._begin(law, stage)
        self._show(stage, state)
        return state

    def _show(self, stage: Any, state: Any) -> None:
        self._seen[stage if len(self._seen) > 1 else 0, state] = True

    def _allow(self, stage: NDArray[np.int64], state: NDArray[np.int64]) -> None:
        at = stage if len(self._seen) > 1 else np.zeros_like(stage)
        wrong = np.flatnonzero(~self._seen[at, state])
        if len(wrong):
            i = wrong[0]
            raise AccessError(
                f"a draw at state {state[i]}{at_stage(self._mdp, int(stage[i]))} is asked for; "
                "this access has not shown it yet"
            )

    def _allow_all(self) -> None:
        raise AccessError(
            "draws of every pair are asked for; a local simulator draws at states that it has shown"
        )

    def _shown(self, stage: NDArray[np.int64], following: NDArray[np.int32]) -> None:
        there = following >= 0
        self._show(stage[there] + 1, following[there])

    def whole_episodes(self) -> None:
        """Steps are watched, one by one."""


class Hybrid(LocalSimulator):
    """A local simulator that can also be reset to a law mu; made by `hybrid`."""

    def __init__(self, mdp: Any, mu: ArrayLike, seed: Seed = 0) -> None:
        super().__init__(mdp, seed)
        self._mu = laws_of(self._mdp, mu)

    def reset(self, from_mu: bool = False, stage: int = 0) -> int:
        """Begin an episode from the start law, or from mu at a stage; its first state."""
        return self._begin_from(self._mu, from_mu, stage)


def _whole(name: str, x: Any) -> NDArray[np.int64]:
    array = np.atleast_1d(as_array(name, x))
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise AccessError(
            f"{name} are asked for as {array.dtype} of shape {array.shape}; they must be integers "
            "in one row"
        )
    if array.dtype.kind == "u":  # what int64 lacks, no model has
        array = np.minimum(array, np.iinfo(np.int64).max)
    return array.astype(np.int64)
