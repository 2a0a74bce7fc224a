"""Several arms of which at most k are played per round, and the graph of their joint states.

A joint state is a mixed-radix number of the arms' states, the last arm varying fastest; actions
are the sets of arms that may be played together, by size and then in lexicographic order (with
idling, k = 1: nothing, arm 0, arm 1, ...).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, pairwise
from math import lcm, prod

import numpy as np
from numpy.typing import NDArray

from rltheory._core import topics
from rltheory.errors import ModelError
from rltheory.lsd_bandits.arms import LSDArm, OrderedArm

__all__ = ["LSDBandit"]

MODES = ("monotone", "rested", "any")
MOST_ENTRIES = 2**31 - 1


@dataclass(frozen=True)
class LSDBandit:
    """Arms, and how many of them are played per round.

    Parameters
    ----------
    arms : sequence of LSDArm or OrderedArm, length N
        At least one.
    plays : int
        k, at most N.
    idle : bool
        Whether fewer than k arms may be played.

    Raises
    ------
    ModelError
        If there are no arms, something else is among them, or `plays` is not in 1..N.

    Examples
    --------
    >>> import rltheory as rlt
    >>> bandit = rlt.LSDBandit([rlt.LSDArm.blocking(2), rlt.LSDArm.blocking(3)])
    >>> bandit.n_states, bandit.actions, bandit.is_monotone()
    (6, ((), (0,), (1,)), True)
    >>> successor, reward = bandit.product_graph()
    >>> reward[bandit.rested]
    array([0., 1., 1.])
    """

    arms: tuple[OrderedArm, ...]
    plays: int = 1
    idle: bool = True

    def __init__(self, arms: Sequence[OrderedArm], plays: int = 1, idle: bool = True) -> None:
        if len(arms) == 0:
            raise ModelError("arms is empty; a bandit needs at least one")
        for i, arm in enumerate(arms):
            if not isinstance(arm, OrderedArm):
                raise ModelError(f"arms[{i}] is {arm!r}; it must be an LSDArm or an OrderedArm")
        if isinstance(plays, bool) or not isinstance(plays, int | np.integer):
            raise ModelError(f"plays is {plays!r}; it must be an integer")
        if not 1 <= plays <= len(arms):
            raise ModelError(f"plays is {plays}; it must be in 1..{len(arms)}, the number of arms")
        object.__setattr__(self, "arms", tuple(arms))
        object.__setattr__(self, "plays", int(plays))
        object.__setattr__(self, "idle", bool(idle))

    @property
    def n_arms(self) -> int:
        """N, the number of arms."""
        return len(self.arms)

    @cached_property
    def n_states(self) -> int:
        """V, the number of joint states."""
        return prod(arm.n_states for arm in self.arms)

    @property
    def rested(self) -> int:
        """The joint state in which every arm is in its top state: where everything starts."""
        return self.n_states - 1

    @cached_property
    def recovery_time(self) -> int | None:
        """R: rests that lead from every joint state to the rested one; None if there is no such."""
        times = [arm.recovery_time for arm in self.arms]
        known = [t for t in times if t is not None]
        return max(known) if len(known) == len(times) else None

    @cached_property
    def actions(self) -> tuple[tuple[int, ...], ...]:
        """The sets of arms that may be played together."""
        least = 0 if self.idle else self.plays
        sizes = range(least, self.plays + 1)
        return tuple(a for k in sizes for a in combinations(range(self.n_arms), k))

    def is_monotone(self, mode: str = "monotone") -> bool:
        """Whether payoffs are as ordered as `mode` says.

        Parameters
        ----------
        mode : {"monotone", "rested", "any"}
            "monotone": nondecreasing over all states (rest helps, plays wear out), with monotone
            maps; "rested": nondecreasing in the rests n > 0 alone; "any": no condition.

        Examples
        --------
        >>> import rltheory as rlt
        >>> tired = rlt.LSDBandit([rlt.LSDArm(rest_payoffs=[0, 1], play_payoffs=["1/2"])])
        >>> tired.is_monotone(), tired.is_monotone("rested")
        (False, True)
        """
        if mode not in MODES:
            raise ModelError(f"mode is {mode!r}; it must be one of {', '.join(MODES)}")
        return mode == "any" or all(_ordered(arm, mode) for arm in self.arms)

    def need_monotone(self, mode: str = "monotone") -> None:
        """Refuse a bandit whose payoffs are not as ordered as `mode` says.

        Raises
        ------
        ModelError
            That names the first arm that is not.
        """
        if self.is_monotone(mode):
            return
        i = next(i for i, arm in enumerate(self.arms) if not _ordered(arm, mode))
        raise ModelError(
            f"arms[{i}] is {self.arms[i]!r}, whose payoffs are not {_WORDS[mode]}; the guarantee "
            "needs that"
        )

    def split(self, state: int) -> tuple[int, ...]:
        """The arms' states in a joint state."""
        out = []
        for arm in reversed(self.arms):
            state, s = divmod(state, arm.n_states)
            out.append(s)
        return tuple(reversed(out))

    def join(self, states: Sequence[int]) -> int:
        """The joint state of the arms' states, each an index 0..S_i-1.

        Raises
        ------
        ModelError
            If there are not N of them, or one is out of range.
        """
        if not hasattr(states, "__len__"):
            raise ModelError(f"state is {states!r}; it must be a sequence of {self.n_arms} indices")
        if len(states) != self.n_arms:
            raise ModelError(f"state has {len(states)} entries; there are {self.n_arms} arms")
        joint = 0
        for i, (arm, s) in enumerate(zip(self.arms, states, strict=True)):
            if not isinstance(s, int | np.integer) or not 0 <= s < arm.n_states:
                raise ModelError(
                    f"state[{i}] is {s}; it must be an integer in 0..{arm.n_states - 1}"
                )
            joint = joint * arm.n_states + int(s)
        return joint

    @cached_property
    def denominator(self) -> int:
        """The least common denominator of all payoffs."""
        return lcm(*(p.denominator for arm in self.arms for p in arm.payoffs))

    @cached_property
    def arrays(self) -> "ArmArrays":
        """The arms as flat arrays, for the compiled core."""
        return ArmArrays(self.arms)

    def product_graph(self) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        """The joint states as a graph.

        Returns
        -------
        successor : ndarray of int32, shape (V, A)
        reward : ndarray of float64, shape (V, A)
            The rounded sum of the payoffs of the arms that are played.

        Raises
        ------
        ModelError
            If V * A is above 2^31 - 1.
        """
        size = self.n_states * len(self.actions)
        if size > MOST_ENTRIES:
            raise ModelError(
                f"the product graph has {self.n_states} states and {len(self.actions)} actions; "
                f"their product must be at most {MOST_ENTRIES}"
            )
        flat = self.arrays
        graph: tuple[NDArray[np.int32], NDArray[np.float64]] = topics.lsd_product_graph(
            flat.sizes, flat.play_next, flat.rest_next, flat.payoffs, self.masks
        )
        return graph

    @cached_property
    def masks(self) -> NDArray[np.uint8]:
        """Which arms each action plays, of shape (A, N)."""
        out = np.zeros((len(self.actions), self.n_arms), dtype=np.uint8)
        for a, played in enumerate(self.actions):
            out[a, list(played)] = 1
        return out


class ArmArrays:
    """The arms' states one after another.

    Attributes
    ----------
    sizes : ndarray of int32, shape (N,)
    play_next, rest_next : ndarray of int32, shape (sum of sizes,)
        Each within its arm.
    payoffs : ndarray of float64, shape (sum of sizes,)
    """

    def __init__(self, arms: Sequence[OrderedArm]) -> None:
        self.sizes = np.array([arm.n_states for arm in arms], dtype=np.int32)
        self.play_next = np.array([t for arm in arms for t in arm.play_next], dtype=np.int32)
        self.rest_next = np.array([t for arm in arms for t in arm.rest_next], dtype=np.int32)
        self.payoffs = np.array([float(p) for arm in arms for p in arm.payoffs])

    def integer_payoffs(self, bandit: LSDBandit) -> NDArray[np.int64] | None:
        """Payoffs times their common denominator; None if that is no 64-bit integer."""
        if bandit.denominator >= 2**62:
            return None
        scale = bandit.denominator
        return np.array([int(p * scale) for a in bandit.arms for p in a.payoffs], dtype=np.int64)


_WORDS = {
    "monotone": "nondecreasing over its states",
    "rested": "nondecreasing over the rests n > 0",
}


def _ordered(arm: OrderedArm, mode: str) -> bool:
    if mode == "monotone":
        return arm.is_monotone
    if not isinstance(arm, LSDArm):
        raise ModelError(f"mode {mode!r} is about the rests of LSD arms; {arm!r} is none")
    rests = arm.rest_payoffs
    return all(x <= y for x, y in pairwise(rests))
