"""
Components, end components, reachability.
"""
from __future__ import annotations
import numpy
import numpy.typing
import rltheory._core.model
import typing
__all__: list[str] = ['components', 'cyclic_classes', 'end_components', 'far_apart', 'mean_cycles', 'mostly_acyclic', 'reach', 'walk_values']
def components(model: rltheory._core.model.Model, rows: numpy.typing.NDArray[numpy.bool]) -> numpy.typing.NDArray[numpy.int64]:
    """
    Strongly connected components along these rows: a label of each state, none of which leads to a larger one.
    """
def cyclic_classes(model: rltheory._core.model.Model) -> tuple[numpy.typing.NDArray[numpy.int64], int]:
    """
    (class of each state, their number): every row leads from one class to the next, and from the last to the first.
    """
def end_components(model: rltheory._core.model.Model, rows: numpy.typing.NDArray[numpy.bool]) -> tuple[numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.bool]]:
    """
    (label of each state or -1, whether a row keeps to its component), of these rows.
    """
def far_apart(model: rltheory._core.model.Model, steps: typing.SupportsInt | typing.SupportsIndex, most: typing.SupportsInt | typing.SupportsIndex) -> bool:
    """
    Whether a state is more than so many steps away from state 0, as far as can be told by looking at no more than `most` states.
    """
def mean_cycles(ptr: numpy.typing.NDArray[numpy.int64], to: numpy.typing.NDArray[numpy.int32], weight: numpy.typing.NDArray[numpy.int64], by_karp: bool) -> tuple[numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.int32], tuple[numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.uint64]], int]:
    """
    (policy, cycle of each vertex, reference and level of each cycle, halves of potentials, iterations).
    """
def mostly_acyclic(model: rltheory._core.model.Model) -> bool:
    """
    Whether from more than half of the states no way leads round, but in one state.
    """
def reach(model: rltheory._core.model.Model, rows: numpy.typing.NDArray[numpy.bool], goal: numpy.typing.NDArray[numpy.bool], certain: bool) -> tuple[numpy.typing.NDArray[numpy.bool], numpy.typing.NDArray[numpy.int64]]:
    """
    (whether a goal state or an ending is reached from a state, possibly or for certain; the row of a policy that does, or -1).
    """
@typing.overload
def walk_values(ptr: numpy.typing.NDArray[numpy.int64], to: numpy.typing.NDArray[numpy.int32], weight: numpy.typing.NDArray[numpy.float64], horizon: typing.SupportsInt | typing.SupportsIndex, start: typing.SupportsInt | typing.SupportsIndex, tables: bool) -> tuple[numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64]]:
    """
    (V_0 .. V_horizon at the start, the same at all vertices if asked for).
    """
@typing.overload
def walk_values(ptr: numpy.typing.NDArray[numpy.int64], to: numpy.typing.NDArray[numpy.int32], weight: numpy.typing.NDArray[numpy.int64], horizon: typing.SupportsInt | typing.SupportsIndex, start: typing.SupportsInt | typing.SupportsIndex, tables: bool) -> tuple[numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.int64]]:
    """
    (V_0 .. V_horizon at the start, the same at all vertices if asked for).
    """
