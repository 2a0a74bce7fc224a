"""Episodes: s_0 a_0 r_0 s_1 a_1 r_1 ... s_T, one after another in flat columns.

An episode of T steps has T states, actions and rewards, and a final state s_T: -1 where the run
ended, otherwise the state in which it was cut off (by the horizon, or by whoever collected it).
Step t of an episode is at stage t.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import ModelError
from rltheory.mdp.data.counts import Counts
from rltheory.mdp.data.entries import (
    indices,
    positions,
    real_entries,
    same_length,
    the_provenance,
)
from rltheory.mdp.data.files import read_data, write_data
from rltheory.mdp.data.provenance import Provenance, joined
from rltheory.mdp.data.transitions import Transitions, chosen_of, list_of
from rltheory.mdp.intake import real_numbers

__all__ = ["COLUMNS", "Trajectories"]

COLUMNS = ("states", "actions", "rewards", "final_states", "lengths")


@dataclass(frozen=True, eq=False)
class Trajectories:
    """Episodes, each of at least one step.

    Parameters
    ----------
    states, actions : array_like of int, shape (n,)
        Of all steps, episode by episode; kept in 32 bits. n is the sum of the lengths.
    rewards : array_like, shape (n,)
    final_states : array_like of int, shape (N,)
        The state after the last step of each episode; -1 where the run ended.
    lengths : array_like of int, shape (N,)
        Steps of each episode, at least 1.
    provenance : Provenance, optional
        The sizes in it are what the entries are checked against; no episode is longer than its
        horizon.

    Raises
    ------
    ModelError
        If lengths do not fit, or an entry is out of range or not finite; the message names it.

    Examples
    --------
    >>> import rltheory as rlt
    >>> data = rlt.Trajectories([0, 1, 0], [0, 1, 1], [0.0, 1.0, 2.0], [-1, 1], lengths=[2, 1])
    >>> data
    Trajectories(2 episodes, 3 steps)
    >>> data[0].states.tolist(), data.returns().tolist()
    ([0, 1], [1.0, 2.0])
    """

    states: NDArray[np.int32]
    actions: NDArray[np.int32]
    rewards: NDArray[np.float64]
    final_states: NDArray[np.int32]
    lengths: NDArray[np.int64]
    provenance: Provenance = field(default_factory=Provenance)

    def __post_init__(self) -> None:
        origin = the_provenance(self.provenance)
        S, A = origin.n_states, origin.n_actions
        fields: dict[str, Any] = {
            "states": indices("states", self.states, S),
            "actions": indices("actions", self.actions, A),
            "rewards": real_entries("rewards", self.rewards),
            "final_states": indices("final_states", self.final_states, S, -1, ", -1 for an end"),
            "lengths": positions("lengths", self.lengths),
        }
        n = int(fields["lengths"].sum())
        same_length(
            n, "the episodes by their lengths", **{name: fields[name] for name in COLUMNS[:3]}
        )
        same_length(len(fields["lengths"]), "lengths", final_states=fields["final_states"])
        if origin.horizon is not None:
            wrong = np.flatnonzero(fields["lengths"] > origin.horizon)
            if len(wrong):
                raise ModelError(
                    f"lengths[{wrong[0]}] is {fields['lengths'][wrong[0]]}; the horizon is "
                    f"{origin.horizon}"
                )
        for name, value in (fields | {"provenance": origin}).items():
            object.__setattr__(self, name, value)

    # --- episodes -----------------------------------------------------------------------

    def __len__(self) -> int:
        """Number of episodes."""
        return len(self.lengths)

    @property
    def n_steps(self) -> int:
        """Steps of all episodes."""
        return len(self.states)

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """Steps of episode i are starts[i] .. starts[i+1]: shape (N+1,)."""
        starts = np.concatenate([[0], np.cumsum(self.lengths)])
        starts.setflags(write=False)
        return starts

    @cached_property
    def stages(self) -> NDArray[np.int32]:
        """Stage of each step, counted from 0 in its episode: shape (n,)."""
        first = np.repeat(self.starts[:-1], self.lengths)
        stages = (np.arange(self.n_steps) - first).astype(np.int32)
        stages.setflags(write=False)
        return stages

    @cached_property
    def next_states(self) -> NDArray[np.int32]:
        """The state after each step, -1 where the run ended: shape (n,)."""
        following = np.append(self.states[1:], np.int32(0))[: self.n_steps]
        following[self.starts[1:] - 1] = self.final_states
        following.setflags(write=False)
        return following

    @property
    def ended(self) -> NDArray[np.bool_]:
        """Whether each episode ended, rather than being cut off: shape (N,)."""
        return self.final_states < 0

    def __getitem__(self, index: Any) -> "Trajectories":
        """The episodes of an index, a slice, an array of indices or a mask.

        Always `Trajectories`: ``data[3].states`` are the states of episode 3.
        """
        chosen = np.arange(len(self))[chosen_of(index, len(self))]
        lengths = self.lengths[chosen]
        if len(chosen) and (np.diff(chosen) == 1).all():  # one after another: a view
            steps: Any = slice(int(self.starts[chosen[0]]), int(self.starts[chosen[-1] + 1]))
        else:
            shift = (
                self.starts[chosen] - np.concatenate([[0], np.cumsum(lengths)[:-1]])[: len(chosen)]
            )
            steps = np.arange(int(lengths.sum())) + np.repeat(shift, lengths)
        columns = (self.states[steps], self.actions[steps], self.rewards[steps])
        return Trajectories(*columns, self.final_states[chosen], lengths, self.provenance)

    def __iter__(self) -> Iterator["Trajectories"]:
        return (self[i] for i in range(len(self)))

    @classmethod
    def concatenate(cls, several: Iterable[Self]) -> Self:
        """The episodes of several, one after another.

        Raises
        ------
        ModelError
            If there are none, or the sizes of their models differ.
        """
        all_of = list_of(several, cls)
        columns: Any = {
            name: np.concatenate([getattr(one, name) for one in all_of]) for name in COLUMNS
        }
        return cls(**columns, provenance=joined(one.provenance for one in all_of))

    # --- what they say ------------------------------------------------------------------

    def returns(self, reward: Any = None, discount: float = 1.0) -> NDArray[np.float64]:
        """Sum of rewards of each episode, discounted by discount^t.

        Parameters
        ----------
        reward : array_like, shape (S, A) or (H, S, A), optional
            Rewards to be paid in place of those collected.
        discount : float
            In [0, 1].

        Returns
        -------
        ndarray of float64, shape (N,)
        """
        paid = self.rewards if reward is None else self._looked_up("reward", reward)
        return self._summed(paid, discount)

    def occupancy(
        self,
        discount: float | None = None,
        n_states: int | None = None,
        n_actions: int | None = None,
    ) -> NDArray[np.float64]:
        """Empirical occupancy of pairs.

        Its mean is the policy's occupancy where episodes start from the model's law and are whole.

        Parameters
        ----------
        discount : float, optional
            (1 - discount) sum_t discount^t [s_t = s, a_t = a], averaged over episodes: mass 1 but
            for what lies beyond the ends of episodes. Left out: by stage.
        n_states, n_actions : int, optional
            Sizes; those of the provenance if left out.

        Returns
        -------
        ndarray of float64, shape (S, A), or (H, S, A) by stage
        """
        if not len(self):
            raise ModelError("there is no episode to take shares of")
        if discount is None:
            horizon = self.provenance.horizon or int(self.lengths.max())
            return self.counts(n_states, n_actions, horizon, staged=True).visits / len(self)
        if not 0.0 <= discount < 1.0:
            raise ModelError(f"discount is {discount!r}; it must be in [0, 1)")
        shape = self.counts(n_states, n_actions, staged=False).visits.shape
        rows = self.states.astype(np.int64) * shape[1] + self.actions
        weights = np.float64(discount) ** self.stages
        mass = np.bincount(rows, weights=weights, minlength=shape[0] * shape[1])
        return np.asarray((1.0 - discount) / len(self) * mass.reshape(shape), dtype=np.float64)

    def padded(self) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]:
        """States, actions and rewards, one row an episode.

        Returns
        -------
        three arrays of shape (N, length of the longest)
            After the end of an episode, states and actions are -1 and rewards 0.
        """
        shape = (len(self), int(self.lengths.max(initial=0)))
        episode = np.repeat(np.arange(len(self)), self.lengths)
        out = (np.full(shape, -1, np.int32), np.full(shape, -1, np.int32), np.zeros(shape))
        columns = (self.states, self.actions, self.rewards)
        for table, column in zip(out, columns, strict=True):
            np.asarray(table)[episode, self.stages] = column
        return out

    def transitions(self) -> Transitions:
        """The single steps, in order."""
        return Transitions(
            self.stages, self.states, self.actions, self.rewards, self.next_states, self.provenance
        )

    def counts(
        self,
        n_states: int | None = None,
        n_actions: int | None = None,
        horizon: int | None = None,
        *,
        staged: bool | None = None,
    ) -> Counts:
        """How often each pair occurs, and what followed it; as `Transitions.counts`."""
        return self.transitions().counts(n_states, n_actions, horizon, staged=staged)

    # --- files and layouts --------------------------------------------------------------

    @classmethod
    def from_padded(
        cls,
        states: Any,
        actions: Any,
        rewards: Any,
        final_states: Any,
        lengths: Any = None,
        provenance: Provenance | None = None,
    ) -> Self:
        """Episodes from tables (N, L), one row an episode.

        Parameters
        ----------
        states, actions, rewards : array_like, shape (N, L)
            Entries beyond the length of an episode are not read.
        final_states : array_like of int, shape (N,)
        lengths : array_like of int, shape (N,), optional
            L for all if left out.
        provenance : Provenance, optional
        """
        tables = {"states": states, "actions": actions, "rewards": rewards}
        arrays = {name: real_numbers_or_integers(name, x) for name, x in tables.items()}
        shape = arrays["states"].shape
        for name, array in arrays.items():
            if array.ndim != 2 or array.shape != shape:
                raise ModelError(f"{name} has shape {array.shape}; it must be (N, L) as states is")
        N, L = shape
        if lengths is None:
            flat: Any = {name: array.reshape(-1) for name, array in arrays.items()}
            whole = np.full(N, L)
            origin = the_provenance(provenance)
            return cls(**flat, final_states=final_states, lengths=whole, provenance=origin)
        steps = positions("lengths", lengths)
        same_length(N, "states", lengths=steps)
        if len(steps) and steps.max() > L:
            at = int(np.argmax(steps > L))
            raise ModelError(f"lengths[{at}] is {steps[at]}; the tables have {L} columns")
        within = np.arange(L) < steps[:, None]
        read: Any = {name: array[within] for name, array in arrays.items()}
        origin = the_provenance(provenance)
        return cls(**read, final_states=final_states, lengths=steps, provenance=origin)

    def save(self, path: Any) -> None:
        """Write an .npz archive, which `load` reads; nothing in it is pickled."""
        arrays = {name: getattr(self, name) for name in COLUMNS}
        write_data(path, "trajectories", arrays, self.provenance)

    @classmethod
    def load(cls, path: Any) -> Self:
        """Read what `save` wrote.

        Raises
        ------
        ModelError
            If the file is no such archive or its entries are wrong.
        """
        return read_data(path, "trajectories", cls, dict.fromkeys(COLUMNS, True))

    @classmethod
    def from_minari(cls, episodes: Iterable[Any], **sizes: Any) -> Self:
        """Episodes in Minari's layout; see `rltheory.mdp.data.minari`."""
        from rltheory.mdp.data.minari import columns_from_minari

        return cls(*columns_from_minari(episodes, **sizes))

    def to_minari(self, end_observation: int = -1) -> list[dict[str, Any]]:
        """Episodes in Minari's layout; see `rltheory.mdp.data.minari`."""
        from rltheory.mdp.data.minari import episodes_to_minari

        return episodes_to_minari(self, end_observation)

    @classmethod
    def from_flat(cls, data: Mapping[str, Any], **sizes: Any) -> Self:
        """Episodes of a flat layout (D4RL); see `rltheory.mdp.data.flat`."""
        from rltheory.mdp.data.flat import columns_from_flat

        return cls(*columns_from_flat(data, **sizes))

    def to_flat(self, end_observation: int = -1) -> dict[str, NDArray[Any]]:
        """The arrays of a flat layout (D4RL); see `rltheory.mdp.data.flat`."""
        from rltheory.mdp.data.flat import trajectories_to_flat

        return trajectories_to_flat(self, end_observation)

    def __repr__(self) -> str:
        return f"Trajectories({len(self)} episodes, {self.n_steps} steps)"

    # --- inside -------------------------------------------------------------------------

    def _summed(self, per_step: NDArray[np.float64], discount: float) -> NDArray[np.float64]:
        """sum_t discount^t x_t of each episode."""
        if not 0.0 <= discount <= 1.0:
            raise ModelError(f"discount is {discount!r}; it must be in [0, 1]")
        if not len(self):
            return np.zeros(0)
        weighted = per_step if discount == 1.0 else per_step * np.float64(discount) ** self.stages
        return np.add.reduceat(weighted, self.starts[:-1])

    def _looked_up(self, name: str, table: Any) -> NDArray[np.float64]:
        """The entry of a table (S, A) or (H, S, A) at each step."""
        values = real_numbers(name, table)
        if values.ndim not in (2, 3):
            raise ModelError(f"{name} has shape {values.shape}; it must be (S, A) or (H, S, A)")
        columns = {"stages": self.stages, "states": self.states, "actions": self.actions}
        chosen = list(columns.items())[3 - values.ndim :]
        for size, (column, entries) in zip(values.shape, chosen, strict=True):
            if len(entries) and entries.max() >= size:
                at = int(np.argmax(entries >= size))
                raise ModelError(
                    f"{column}[{at}] is {entries[at]}; {name} has shape {values.shape}"
                )
        return np.asarray(values[tuple(entries for _, entries in chosen)])


def real_numbers_or_integers(name: str, x: Any) -> NDArray[Any]:
    """The argument as an array of numbers, of the dtype it has."""
    array = np.asarray(x)
    return array if array.dtype.kind in "iu" else real_numbers(name, x)
