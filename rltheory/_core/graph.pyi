"""
Components, end components, reachability.
"""
from __future__ import annotations
import numpy
import numpy.typing
import rltheory._core.model
__all__: list[str] = ['components', 'end_components', 'reach']
def components(model: rltheory._core.model.Model, rows: numpy.typing.NDArray[numpy.bool]) -> numpy.typing.NDArray[numpy.int64]:
    """
    Strongly connected components along these rows: a label of each state, none of which leads to a larger one.
    """
def end_components(model: rltheory._core.model.Model, rows: numpy.typing.NDArray[numpy.bool]) -> tuple[numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.bool]]:
    """
    (label of each state or -1, whether a row keeps to its component), of these rows.
    """
def reach(model: rltheory._core.model.Model, rows: numpy.typing.NDArray[numpy.bool], goal: numpy.typing.NDArray[numpy.bool], certain: bool) -> tuple[numpy.typing.NDArray[numpy.bool], numpy.typing.NDArray[numpy.int64]]:
    """
    (whether a goal state or an ending is reached from a state, possibly or for certain; the row of a policy that does, or -1).
    """
