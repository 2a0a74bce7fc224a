"""
What one topic alone needs.
"""
from __future__ import annotations
import numpy
import numpy.typing
import typing
__all__: list[str] = ['lsd_best_cyclic', 'lsd_product_graph']
def lsd_best_cyclic(totals: numpy.typing.NDArray[numpy.int64], plays: numpy.typing.NDArray[numpy.uint8], length: typing.SupportsInt | typing.SupportsIndex) -> tuple[int, numpy.typing.NDArray[numpy.int32]]:
    """
    Total per period, and actions, of the best sequence of this length.
    """
@typing.overload
def lsd_product_graph(sizes: numpy.typing.NDArray[numpy.int32], play_next: numpy.typing.NDArray[numpy.int32], rest_next: numpy.typing.NDArray[numpy.int32], payoffs: numpy.typing.NDArray[numpy.float64], plays: numpy.typing.NDArray[numpy.uint8]) -> tuple[numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.float64]]:
    """
    Successor and reward of every joint state and action.
    """
@typing.overload
def lsd_product_graph(sizes: numpy.typing.NDArray[numpy.int32], play_next: numpy.typing.NDArray[numpy.int32], rest_next: numpy.typing.NDArray[numpy.int32], payoffs: numpy.typing.NDArray[numpy.int64], plays: numpy.typing.NDArray[numpy.uint8]) -> tuple[numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.int64]]:
    ...
