"""
Draws from models.
"""
from __future__ import annotations
import numpy
import numpy.typing
import rltheory._core.model
import typing
__all__: list[str] = ['Sampler', 'Simulator', 'normal_quantile', 'standard_normal']
class Sampler:
    """
    Alias tables of the rows of a model; a draw takes one word.
    """
    def __init__(self, model: rltheory._core.model.Model) -> None:
        ...
    def cells(self, row: typing.SupportsInt | typing.SupportsIndex) -> tuple[numpy.typing.NDArray[numpy.uint64], numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.int32]]:
        """
        (split, here, there) of a row's cells.
        """
    def draw(self, rows: numpy.typing.NDArray[numpy.int64], key0: typing.SupportsInt | typing.SupportsIndex, key1: typing.SupportsInt | typing.SupportsIndex, first_word: typing.SupportsInt | typing.SupportsIndex) -> numpy.typing.NDArray[numpy.int32]:
        """
        Next state of each row, or -1 where the run ends; draw i takes word first_word + i.
        """
class Simulator:
    """
    A model with the law of its rewards, ready to be drawn from.
    """
    def __init__(self, model: rltheory._core.model.Model, law: str, parameter: typing.SupportsFloat | typing.SupportsIndex, values: numpy.typing.NDArray[numpy.float64], probabilities: numpy.typing.NDArray[numpy.float64]) -> None:
        """
        The law is 'stated', 'bernoulli', 'gaussian' or 'atoms'.
        """
    def counts(self, n: typing.SupportsInt | typing.SupportsIndex, keys: numpy.typing.NDArray[numpy.uint64], first_word: typing.SupportsInt | typing.SupportsIndex) -> tuple[numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.float64]]:
        """
        (row_ptr, next state, how often, sum of rewards) of n draws of every row.
        """
    def episodes(self, start: Sampler, rows: numpy.typing.NDArray[numpy.int64], weights: numpy.typing.NDArray[numpy.float64], episodes: numpy.typing.NDArray[numpy.int64], steps: typing.SupportsInt | typing.SupportsIndex, keys: numpy.typing.NDArray[numpy.uint64]) -> tuple[numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.int64]]:
        """
        (states, actions, rewards, final states, lengths); one of rows and weights is empty.
        """
    def row(self, row: typing.SupportsInt | typing.SupportsIndex, keys: numpy.typing.NDArray[numpy.uint64], word: typing.SupportsInt | typing.SupportsIndex) -> tuple[int, float]:
        """
        (next state, reward) of one draw.
        """
    def rows(self, rows: numpy.typing.NDArray[numpy.int64], keys: numpy.typing.NDArray[numpy.uint64], first_word: typing.SupportsInt | typing.SupportsIndex) -> tuple[numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.float64]]:
        """
        (next states, rewards); draw i takes word first_word + i of both streams.
        """
def normal_quantile(p: typing.SupportsFloat | typing.SupportsIndex) -> float:
    ...
def standard_normal(word: typing.SupportsInt | typing.SupportsIndex) -> float:
    """
    The normal number that a word gives.
    """
