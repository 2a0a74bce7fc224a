"""Preferences: pairs of trajectories, and which of the two was preferred.

Under the Bradley-Terry model with reward r, the second trajectory is preferred with probability

    P(tau^1 > tau^0) = 1 / (1 + exp(-(r(tau^1) - r(tau^0)) / scale)),
    r(tau) = sum_t r_t(s_t, a_t).

Label o = 1 says that the second one was. Source: Bradley and Terry, Biometrika 1952.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import ModelError
from rltheory.mdp.data.entries import indices, same_length, the_provenance
from rltheory.mdp.data.files import read_data, write_data
from rltheory.mdp.data.provenance import Provenance, joined, plain_seed
from rltheory.mdp.data.trajectories import COLUMNS, Trajectories
from rltheory.mdp.data.transitions import chosen_of, list_of
from rltheory.mdp.streams import Stream

__all__ = ["Preferences", "preference_probability"]

_SIDES = ("first", "second")


@dataclass(frozen=True, eq=False)
class Preferences:
    """Pairs of trajectories with labels.

    Parameters
    ----------
    first, second : Trajectories
        Of the same number of episodes: tau^0 and tau^1 of each pair.
    labels : array_like of int, shape (n,)
        1 where the second one was preferred, 0 where the first one was.
    provenance : Provenance, optional
        Of the labels; the trajectories have their own.

    Raises
    ------
    ModelError
        If the numbers differ, or a label is neither 0 nor 1.

    Examples
    --------
    >>> import rltheory as rlt
    >>> poor = rlt.Trajectories([0], [0], [0.0], [-1], [1])
    >>> rich = rlt.Trajectories([0], [1], [1.0], [-1], [1])
    >>> rlt.Preferences(poor, rich, [1])
    Preferences(1 pairs, second preferred in 1)
    """

    first: Trajectories
    second: Trajectories
    labels: NDArray[np.int32]
    provenance: Provenance = field(default_factory=Provenance)

    def __post_init__(self) -> None:
        for side in _SIDES:
            if not isinstance(getattr(self, side), Trajectories):
                raise ModelError(f"{side} is a {type(getattr(self, side)).__name__}; Trajectories")
        _same_number(self.first, self.second)
        labels = indices("labels", self.labels, 2)
        same_length(len(self.first), "first", labels=labels)
        object.__setattr__(self, "labels", labels)
        object.__setattr__(self, "provenance", the_provenance(self.provenance))

    @classmethod
    def bradley_terry(
        cls,
        first: Trajectories,
        second: Trajectories,
        reward: Any = None,
        *,
        scale: float = 1.0,
        seed: int | np.random.SeedSequence = 0,
    ) -> Self:
        """Draw labels under the Bradley-Terry model.

        Parameters
        ----------
        first, second : Trajectories
        reward : array_like, shape (S, A) or (H, S, A), optional
            What the judge is paid; the collected rewards if left out.
        scale : float
            Above 0: how large a difference of returns counts as one.
        seed : int or numpy.random.SeedSequence

        Returns
        -------
        Preferences

        Examples
        --------
        >>> import rltheory as rlt
        >>> poor = rlt.Trajectories([0] * 4, [0] * 4, [0.0] * 4, [-1] * 4, [1] * 4)
        >>> rich = rlt.Trajectories([0] * 4, [0] * 4, [9.0] * 4, [-1] * 4, [1] * 4)
        >>> rlt.Preferences.bradley_terry(poor, rich, scale=0.1, seed=1).labels.tolist()
        [1, 1, 1, 1]
        """
        _same_number(first, second)
        if not (isinstance(scale, float | int) and 0.0 < scale < np.inf):
            raise ModelError(f"scale is {scale!r}; it must be a finite number above 0")
        chance = preference_probability((second.returns(reward) - first.returns(reward)) / scale)
        drawn = Stream(seed, "preferences").uniforms(len(chance)) < chance
        details: dict[str, Any] = {"link": "logistic", "scale": float(scale)}
        details["reward"] = "collected"
        if reward is not None:
            table = np.ascontiguousarray(reward, dtype="<f8")
            digest = hashlib.sha256(f"{table.shape}".encode() + table.tobytes())
            details["reward"] = digest.hexdigest()
        origin = Provenance(access="bradley-terry", seed=plain_seed(seed), details=details)
        return cls(first, second, drawn.astype(np.int32), origin)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def signs(self) -> NDArray[np.int64]:
        """2 o - 1 of each pair: 1 where the second one was preferred, -1 otherwise."""
        return 2 * self.labels.astype(np.int64) - 1

    def differences(self, reward: Any = None) -> NDArray[np.float64]:
        """Return of the second trajectory minus that of the first; `reward` as in `returns`."""
        return self.second.returns(reward) - self.first.returns(reward)

    def __getitem__(self, index: Any) -> "Preferences":
        """The pairs of an index, a slice, an array of indices or a mask."""
        chosen = chosen_of(index, len(self))
        return Preferences(
            self.first[chosen], self.second[chosen], self.labels[chosen], self.provenance
        )

    @classmethod
    def concatenate(cls, several: Iterable[Self]) -> Self:
        """The pairs of several, one after another."""
        all_of = list_of(several, cls)
        sides = [
            Trajectories.concatenate([getattr(one, side) for one in all_of]) for side in _SIDES
        ]
        labels = np.concatenate([one.labels for one in all_of])
        return cls(sides[0], sides[1], labels, joined(one.provenance for one in all_of))

    def save(self, path: Any) -> None:
        """Write an .npz archive, which `load` reads; nothing in it is pickled."""
        arrays: dict[str, Any] = {"labels": self.labels}
        details = {"labels": self.provenance.to_json()}
        for side in _SIDES:
            data = getattr(self, side)
            arrays |= {f"{side}_{name}": getattr(data, name) for name in COLUMNS}
            details[side] = data.provenance.to_json()
        write_data(path, "preferences", arrays, Provenance(details=details))

    @classmethod
    def load(cls, path: Any) -> Self:
        """Read what `save` wrote.

        Raises
        ------
        ModelError
            If the file is no such archive or its entries are wrong.
        """

        def made(labels: Any, provenance: Provenance, **columns: Any) -> Any:
            origin = provenance.details
            sides = [
                Trajectories(
                    **{name: columns[f"{side}_{name}"] for name in COLUMNS},
                    provenance=Provenance.from_json(origin.get(side, {})),
                )
                for side in _SIDES
            ]
            labels_origin = Provenance.from_json(origin.get("labels", {}))
            return cls(sides[0], sides[1], labels, labels_origin)

        names = ["labels", *(f"{side}_{name}" for side in _SIDES for name in COLUMNS)]
        read: Self = read_data(path, "preferences", made, dict.fromkeys(names, True))
        return read

    def __repr__(self) -> str:
        return f"Preferences({len(self)} pairs, second preferred in {int(self.labels.sum())})"


def preference_probability(difference: Any) -> NDArray[np.float64]:
    """The logistic link 1 / (1 + exp(-x)), without overflow."""
    x = np.asarray(difference, dtype=np.float64)
    small = np.exp(-np.abs(x))
    return np.where(x >= 0.0, 1.0, small) / (1.0 + small)


def _same_number(first: Trajectories, second: Trajectories) -> None:
    if len(first) != len(second):
        raise ModelError(f"first has {len(first)} trajectories and second {len(second)}")
