"""
Loops of learners.
"""
from __future__ import annotations
import collections.abc
import numpy
import numpy.typing
import rltheory._core.model
import typing
__all__: list[str] = ['Bonus', 'RewardFault', 'TabularLearner', 'play', 'start_values']
class RewardFault(ValueError):
    pass
class Bonus:
    """
    Tables over counts and a vector over stages, as a backup reads them.
    """
    def __init__(self, scale: numpy.typing.NDArray[numpy.float64], table: numpy.typing.NDArray[numpy.float64], root: numpy.typing.NDArray[numpy.float64], floor: numpy.typing.NDArray[numpy.float64]) -> None:
        ...
class TabularLearner:
    """
    Counts, optimistic backward induction and when to plan.
    """
    def __init__(self, horizon: typing.SupportsInt | typing.SupportsIndex, states: typing.SupportsInt | typing.SupportsIndex, actions: typing.SupportsInt | typing.SupportsIndex, bonus: Bonus, doubling: bool, full: bool = False) -> None:
        ...
    def forbid(self, stage: typing.SupportsInt | typing.SupportsIndex, state: typing.SupportsInt | typing.SupportsIndex, action: typing.SupportsInt | typing.SupportsIndex) -> None:
        """
        The state does not have this action.
        """
    def observe(self, stage: typing.SupportsInt | typing.SupportsIndex, state: typing.SupportsInt | typing.SupportsIndex, action: typing.SupportsInt | typing.SupportsIndex, reward: typing.SupportsFloat | typing.SupportsIndex, next_state: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    def plan(self) -> bool:
        """
        Plans if it is time to; whether it was.
        """
    @property
    def plans(self) -> int:
        ...
    @property
    def policy(self) -> numpy.typing.NDArray[numpy.uint16]:
        ...
    @property
    def q(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
    @property
    def transitions(self) -> numpy.typing.NDArray[numpy.int64]:
        ...
    @property
    def value(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
    @property
    def visits(self) -> numpy.typing.NDArray[numpy.int64]:
        ...
def play(model: rltheory._core.model.Model, horizon: typing.SupportsInt | typing.SupportsIndex, initial: numpy.typing.NDArray[numpy.float64], learners: collections.abc.Sequence[TabularLearner], episodes: typing.SupportsInt | typing.SupportsIndex, first_episode: typing.SupportsInt | typing.SupportsIndex, keys: numpy.typing.NDArray[numpy.uint64], traced: bool) -> list[tuple[numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.int64], numpy.ndarray, numpy.ndarray, numpy.typing.NDArray[numpy.float64], int, numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.float64]]]:
    """
    (starts, which, offsets, places, actions, returns, steps, states, bounds) of each run.
    """
def start_values(model: rltheory._core.model.Model, horizon: typing.SupportsInt | typing.SupportsIndex, initial: numpy.typing.NDArray[numpy.float64], offsets: numpy.typing.NDArray[numpy.int64], places: numpy.typing.NDArray[numpy.uint32], actions: numpy.typing.NDArray[numpy.uint16]) -> numpy.typing.NDArray[numpy.float64]:
    """
    rho V_0 of policies given by their changes.
    """
