"""
What one topic alone needs.
"""
from __future__ import annotations
import numpy
import numpy.typing
import typing
__all__: list[str] = ['lsd_judge_many', 'lsd_product_graph']
def lsd_judge_many(rests: numpy.typing.NDArray[numpy.int32], plays: numpy.typing.NDArray[numpy.int32], payoffs: numpy.typing.NDArray[numpy.int64], largest: typing.SupportsInt | typing.SupportsIndex, policy: typing.SupportsInt | typing.SupportsIndex) -> tuple[numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.float64]]:
    """
    Optimum and relaxation, as numerators and denominators, and a policy's average.
    """
@typing.overload
def lsd_product_graph(sizes: numpy.typing.NDArray[numpy.int32], play_next: numpy.typing.NDArray[numpy.int32], rest_next: numpy.typing.NDArray[numpy.int32], payoffs: numpy.typing.NDArray[numpy.float64], plays: numpy.typing.NDArray[numpy.uint8]) -> tuple[numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.float64]]:
    """
    Successor and reward of every joint state and action.
    """
@typing.overload
def lsd_product_graph(sizes: numpy.typing.NDArray[numpy.int32], play_next: numpy.typing.NDArray[numpy.int32], rest_next: numpy.typing.NDArray[numpy.int32], payoffs: numpy.typing.NDArray[numpy.int64], plays: numpy.typing.NDArray[numpy.uint8]) -> tuple[numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.int64]]:
    ...
