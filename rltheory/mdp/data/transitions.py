"""Single steps: (h, s, a, r, s').

The order of the steps means nothing; which steps follow one another is what `Trajectories` keep.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import ModelError
from rltheory.mdp.data.counts import Counts, counted
from rltheory.mdp.data.entries import indices, real_entries, same_length, the_provenance
from rltheory.mdp.data.files import read_data, write_data
from rltheory.mdp.data.provenance import Provenance, joined

__all__ = ["Transitions"]


@dataclass(frozen=True, eq=False)
class Transitions:
    """Steps of a model, in any order.

    Parameters
    ----------
    stages : array_like of int, shape (n,), or None
        Stage or time of each step; None where steps have none, as those of a generative model.
    states, actions : array_like of int, shape (n,)
        Kept in 32 bits.
    rewards : array_like, shape (n,)
    next_states : array_like of int, shape (n,)
        -1 where the run ended.
    provenance : Provenance, optional
        The sizes in it are what the entries are checked against.

    Raises
    ------
    ModelError
        If lengths differ, or an entry is out of range or not finite; the message names it.

    Examples
    --------
    >>> import rltheory as rlt
    >>> steps = rlt.Transitions([0, 1], [0, 1], [1, 0], [0.0, 1.0], [1, -1])
    >>> steps
    Transitions(2 steps, stages 0..1)
    >>> steps[:1].next_states.tolist()
    [1]
    """

    stages: NDArray[np.int32] | None
    states: NDArray[np.int32]
    actions: NDArray[np.int32]
    rewards: NDArray[np.float64]
    next_states: NDArray[np.int32]
    provenance: Provenance = field(default_factory=Provenance)

    def __post_init__(self) -> None:
        origin = the_provenance(self.provenance)
        S, A = origin.n_states, origin.n_actions
        fields: dict[str, Any] = {
            "states": indices("states", self.states, S),
            "actions": indices("actions", self.actions, A),
            "rewards": real_entries("rewards", self.rewards),
            "next_states": indices("next_states", self.next_states, S, -1, ", -1 for an end"),
        }
        if self.stages is not None:
            fields["stages"] = indices("stages", self.stages, origin.horizon)
        same_length(len(fields["states"]), "states", **fields)
        for name, value in (fields | {"provenance": origin}).items():
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return len(self.states)

    def __getitem__(self, index: Any) -> "Transitions":
        """The steps of an index, a slice, an array of indices or a mask; always `Transitions`."""
        chosen = chosen_of(index, len(self))
        columns: Any = {name: getattr(self, name)[chosen] for name in _COLUMNS}
        stages = None if self.stages is None else self.stages[chosen]
        return Transitions(stages, **columns, provenance=self.provenance)

    def __iter__(self) -> Iterator["Transitions"]:
        return (self[i] for i in range(len(self)))

    @classmethod
    def concatenate(cls, several: Iterable[Self]) -> Self:
        """The steps of several, one after another.

        Raises
        ------
        ModelError
            If there are none, sizes differ, or only some of them have stages.
        """
        all_of = list_of(several, cls)
        staged = {one.stages is None for one in all_of}
        if len(staged) > 1:
            raise ModelError("some of the transitions have stages and some have none")
        stages = None if staged == {True} else np.concatenate([one.stages for one in all_of])
        columns: Any = {
            name: np.concatenate([getattr(one, name) for one in all_of]) for name in _COLUMNS
        }
        return cls(stages, **columns, provenance=joined(one.provenance for one in all_of))

    def counts(
        self,
        n_states: int | None = None,
        n_actions: int | None = None,
        horizon: int | None = None,
        *,
        staged: bool | None = None,
    ) -> Counts:
        """How often each pair occurs, and what followed it.

        Parameters
        ----------
        n_states, n_actions, horizon : int, optional
            Sizes; those of the provenance if left out.
        staged : bool, optional
            Whether stages are counted apart. Left out: where there is a horizon and the steps have
            stages.

        Returns
        -------
        Counts

        Raises
        ------
        ModelError
            If a size is not known, or an entry is beyond it.
        """
        return counted(self, n_states, n_actions, horizon, staged)

    # --- files and layouts --------------------------------------------------------------

    def save(self, path: Any) -> None:
        """Write an .npz archive, which `load` reads; nothing in it is pickled."""
        arrays = {name: getattr(self, name) for name in ("stages", *_COLUMNS)}
        write_data(path, "transitions", arrays, self.provenance)

    @classmethod
    def load(cls, path: Any) -> Self:
        """Read what `save` wrote.

        Raises
        ------
        ModelError
            If the file is no such archive or its entries are wrong.
        """
        return read_data(
            path, "transitions", cls, {"stages": False} | dict.fromkeys(_COLUMNS, True)
        )

    @classmethod
    def from_flat(cls, data: Mapping[str, Any], **sizes: Any) -> Self:
        """The steps of a flat layout (D4RL); see `rltheory.mdp.data.flat`."""
        from rltheory.mdp.data.flat import transitions_from_flat

        return cls(*transitions_from_flat(data, **sizes))

    def to_flat(self, end_observation: int = -1) -> dict[str, NDArray[Any]]:
        """The arrays of a flat layout (D4RL); see `rltheory.mdp.data.flat`."""
        from rltheory.mdp.data.flat import transitions_to_flat

        return transitions_to_flat(self, end_observation)

    def __repr__(self) -> str:
        staged = ""
        if self.stages is not None and len(self):
            staged = f", stages {self.stages.min()}..{self.stages.max()}"
        return f"Transitions({len(self)} steps{staged})"


_COLUMNS = ("states", "actions", "rewards", "next_states")


def chosen_of(index: Any, size: int) -> Any:
    """The index as numpy takes it for rows: an integer becomes a slice of one."""
    if isinstance(index, int | np.integer) and not isinstance(index, bool):
        place = int(index) + size * (int(index) < 0)
        if not 0 <= place < size:
            raise IndexError(f"index {int(index)} is out of range; there are {size}")
        return slice(place, place + 1)
    if isinstance(index, slice):
        return index
    array = np.asarray(index)
    if array.size == 0 and array.ndim == 1:
        return array.astype(np.int64)
    if array.ndim != 1 or array.dtype.kind not in "iub":
        raise IndexError(
            f"index {index!r} is none; allowed are integers, slices, arrays of integers, and masks"
        )
    return array


def list_of(several: Iterable[Any], kind: type) -> list[Any]:
    """The arguments of `concatenate`, at least one, all of one kind."""
    found = list(several)
    if not found:
        raise ModelError(f"there is nothing to put together; {kind.__name__} of at least one")
    for i, one in enumerate(found):
        if not isinstance(one, kind):
            raise ModelError(f"number {i} is a {type(one).__name__}; all must be {kind.__name__}")
    return found
