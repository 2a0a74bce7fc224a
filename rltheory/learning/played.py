"""The policies that a learner played, each distinct one once, in few bytes.

A policy of actions is stored as its changes from the distinct policy before it: the places
(stage * S + state) and the actions there, in the smallest integers that hold them, three bytes a
change as a rule. The first one is stored as its changes from action 0 everywhere. Policies are
recognised by 128 bits of hash. What is no array of actions is kept as it is.
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import PolicyError

__all__ = ["ActionPolicies", "PolicyRecorder"]


class ActionPolicies(Sequence[NDArray[Any]]):
    """A sequence of policies of actions, (H, S) each, stored as changes.

    Parameters
    ----------
    shape : (H, S), or (S,) for policies without stages
    offsets : ndarray of int64, shape (n + 1,)
        Policy i differs from policy i-1 (the first one: from zeros) in the changes
        ``offsets[i] .. offsets[i+1]``.
    places : ndarray of unsigned integers
        Where, in the flattened policy.
    actions : ndarray of unsigned integers
        The new action there.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        offsets: NDArray[np.int64],
        places: NDArray[Any],
        actions: NDArray[Any],
    ) -> None:
        self.shape = shape
        self.offsets = offsets
        self.places = places
        self.actions = actions

    @property
    def nbytes(self) -> int:
        return self.offsets.nbytes + self.places.nbytes + self.actions.nbytes

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        n = len(self)
        i = int(index) + n * (int(index) < 0)
        if not 0 <= i < n:
            raise IndexError(f"policy {index} of {n}")
        policy = self._blank()
        upto = self.offsets[i + 1]
        policy[self.places[:upto]] = self.actions[:upto]  # the last change of a place counts
        return policy.reshape(self.shape)

    def __iter__(self) -> Iterator[NDArray[Any]]:
        policy = self._blank()
        for first, last in zip(self.offsets[:-1], self.offsets[1:], strict=True):
            policy[self.places[first:last]] = self.actions[first:last]
            yield policy.reshape(self.shape).copy()

    def _blank(self) -> NDArray[Any]:
        return np.zeros(int(np.prod(self.shape)), dtype=self.actions.dtype)


class PolicyRecorder:
    """Takes the policies of one episode after another and keeps each distinct one once."""

    def __init__(self, n_actions: int) -> None:
        self._action = np.min_scalar_type(max(n_actions - 1, 0))
        self._known: dict[Any, int] = {}
        self._starts: list[int] = []
        self._which: list[int] = []
        self._kept: list[Any] = []  # policies that are no arrays of actions
        self._last: NDArray[Any] | None = None
        self._places: list[NDArray[Any]] = []
        self._actions: list[NDArray[Any]] = []

    def add(self, episode: int, policy: Any) -> None:
        """The policy from this episode on; None means that of the episode before."""
        if policy is None:
            if not self._starts:
                self._stretch(episode, -1)
            return
        self._stretch(episode, self._index_of(policy))

    def finish(self) -> tuple[Sequence[Any], NDArray[np.int64], NDArray[np.int32]]:
        """(distinct policies, first episodes of the stretches, the policy of each, or -1)."""
        starts = np.array(self._starts, dtype=np.int64)
        return self._policies(), starts, np.array(self._which, dtype=np.int32)

    def _stretch(self, episode: int, index: int) -> None:
        if not self._which or self._which[-1] != index:
            self._starts.append(episode)
            self._which.append(index)

    def _index_of(self, policy: Any) -> int:
        array = policy if isinstance(policy, np.ndarray) else None
        if isinstance(policy, list | tuple):
            array = np.asarray(policy)
        key: tuple[Any, ...]
        if array is None or array.dtype.kind not in "iuf":
            key, array = ("object", id(policy)), None
        elif array.dtype.kind == "f":
            array = np.ascontiguousarray(array, dtype=np.float64)
            key = ("f", array.shape, _digest(array))
        else:
            array = self._actions_of(array)
            key = ("i", array.shape, _digest(array))
        if key not in self._known:
            self._known[key] = len(self._known)
            self._store(policy if array is None else array)
        return self._known[key]

    def _actions_of(self, array: NDArray[Any]) -> NDArray[Any]:
        most = np.iinfo(self._action).max
        if array.size and not 0 <= int(array.min()) <= int(array.max()) <= most:
            raise PolicyError(
                f"the policy has actions from {array.min()} to {array.max()}; the model has less "
                f"than {most + 2}"
            )
        return np.array(array, dtype=self._action, order="C")

    def _store(self, policy: Any) -> None:
        if self._kept or not _is_actions(policy) or not self._fits(policy):
            if not self._kept:
                self._kept = list(self._policies())
            self._kept.append(policy)
            if isinstance(policy, np.ndarray):
                policy.setflags(write=False)
            return
        last = np.zeros_like(policy) if self._last is None else self._last
        places = np.flatnonzero(policy.reshape(-1) != last.reshape(-1))
        self._places.append(places.astype(np.min_scalar_type(max(policy.size - 1, 0))))
        self._actions.append(policy.reshape(-1)[places])
        self._last = policy

    def _fits(self, policy: NDArray[Any]) -> bool:
        return self._last is None or policy.shape == self._last.shape

    def _policies(self) -> Sequence[Any]:
        if self._kept or self._last is None:
            return tuple(self._kept)
        offsets = np.zeros(len(self._places) + 1, dtype=np.int64)
        np.cumsum([len(x) for x in self._places], out=offsets[1:])
        return ActionPolicies(
            self._last.shape, offsets, np.concatenate(self._places), np.concatenate(self._actions)
        )


def _is_actions(policy: Any) -> bool:
    return isinstance(policy, np.ndarray) and policy.dtype.kind in "iu"


def _digest(array: NDArray[Any]) -> bytes:
    return hashlib.blake2b(array.tobytes(), digest_size=16).digest()
