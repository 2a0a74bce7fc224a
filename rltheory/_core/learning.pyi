"""
Loops of learners.
"""
from __future__ import annotations
import numpy
import numpy.typing
import typing
__all__: list[str] = ['Gram', 'LinearLearner']
class Gram:
    """
    ridge I + sum w x x^T, factored and updated.
    """
    def __init__(self, dimension: typing.SupportsInt | typing.SupportsIndex, ridge: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    def matrix(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        M, shape (d, d).
        """
    def norms2(self, x: numpy.typing.NDArray[numpy.float64]) -> numpy.typing.NDArray[numpy.float64]:
        """
        x^T M^-1 x of each row.
        """
    def solve(self, b: numpy.typing.NDArray[numpy.float64]) -> numpy.typing.NDArray[numpy.float64]:
        """
        M^-1 b.
        """
    def update(self, x: numpy.typing.NDArray[numpy.float64], weight: typing.SupportsFloat | typing.SupportsIndex = 1.0) -> float:
        """
        Adds weight x x^T; returns weight x^T M^-1 x with M as it was.
        """
    @property
    def dimension(self) -> int:
        ...
    @property
    def log_det_ratio(self) -> float:
        """
        log det M - dimension log ridge.
        """
    @property
    def refactored(self) -> int:
        """
        How often M was factored anew.
        """
    @property
    def updates(self) -> int:
        ...
class LinearLearner:
    """
    Optimistic least-squares value iteration.
    """
    def __init__(self, stages: typing.SupportsInt | typing.SupportsIndex, features: numpy.typing.NDArray[numpy.float64], ridge: typing.SupportsFloat | typing.SupportsIndex, radii: numpy.typing.NDArray[numpy.float64], caps: numpy.typing.NDArray[numpy.float64], log_switch: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    def act(self, stage: typing.SupportsInt | typing.SupportsIndex, state: typing.SupportsInt | typing.SupportsIndex) -> int:
        ...
    def log_det_ratio(self, stage: typing.SupportsInt | typing.SupportsIndex) -> float:
        ...
    def observe(self, stage: typing.SupportsInt | typing.SupportsIndex, state: typing.SupportsInt | typing.SupportsIndex, action: typing.SupportsInt | typing.SupportsIndex, reward: typing.SupportsFloat | typing.SupportsIndex, next_state: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    def plan(self) -> bool:
        """
        Plans if it is due; says whether it was.
        """
    @property
    def norms2(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        phi^T M^-1 phi, (H * S * A,).
        """
    @property
    def plans(self) -> int:
        """
        How often it planned.
        """
    @property
    def policy(self) -> numpy.typing.NDArray[numpy.int32]:
        """
        (H * S,), of the last plan.
        """
    @property
    def q(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        (H * S * A,), of the last plan.
        """
    @property
    def weights(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        (H * d,), of the last plan.
        """
