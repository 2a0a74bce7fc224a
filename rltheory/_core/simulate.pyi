"""
Draws from models.
"""
from __future__ import annotations
import numpy
import numpy.typing
import rltheory._core.model
import typing
__all__: list[str] = ['Sampler']
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
