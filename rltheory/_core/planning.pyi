"""
Regularised and robust planning.
"""
from __future__ import annotations
import numpy
import numpy.typing
import rltheory._core.model
import typing
__all__: list[str] = ['Ambiguity', 'largest_state_occupancy', 'robust_bellman', 'robust_iteration', 'robust_residual_bounds', 'soft_bellman', 'soft_residual_bounds', 'soft_value_iteration', 'worst_laws']
class Ambiguity:
    """
    What an adversary may make of the rows of one stage.
    """
    @staticmethod
    def intervals(n_states: typing.SupportsInt | typing.SupportsIndex, row_ptr: numpy.typing.NDArray[numpy.int64], col: numpy.typing.NDArray[numpy.int32], low: numpy.typing.NDArray[numpy.float64], high: numpy.typing.NDArray[numpy.float64]) -> Ambiguity:
        """
        Outcome n_states is the end.
        """
    @staticmethod
    def l1(n_states: typing.SupportsInt | typing.SupportsIndex, radius: numpy.typing.NDArray[numpy.float64], support_only: bool) -> Ambiguity:
        ...
def largest_state_occupancy(model: rltheory._core.model.Model, horizon: typing.SupportsInt | typing.SupportsIndex, initial: numpy.typing.NDArray[numpy.float64]) -> numpy.typing.NDArray[numpy.float64]:
    """
    (H, S): max over all policies of d_h(s).
    """
def robust_bellman(model: rltheory._core.model.Model, stage: typing.SupportsInt | typing.SupportsIndex, discount: typing.SupportsFloat | typing.SupportsIndex, ambiguity: Ambiguity, sign: typing.SupportsFloat | typing.SupportsIndex, value: numpy.typing.NDArray[numpy.float64]) -> tuple[numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.int64]]:
    """
    (T value, lowest best rows); sign -1: the best laws.
    """
def robust_iteration(model: rltheory._core.model.Model, discount: typing.SupportsFloat | typing.SupportsIndex, ambiguity: Ambiguity, sign: typing.SupportsFloat | typing.SupportsIndex, tol: typing.SupportsFloat | typing.SupportsIndex, rtol: typing.SupportsFloat | typing.SupportsIndex, max_improvements: typing.SupportsInt | typing.SupportsIndex, start: numpy.typing.NDArray[numpy.float64]) -> tuple[numpy.typing.NDArray[numpy.float64], int, bool]:
    """
    (value, sweeps, converged): value iteration if max_improvements is 0, else modified policy iteration.
    """
def robust_residual_bounds(model: rltheory._core.model.Model, stage: typing.SupportsInt | typing.SupportsIndex, discount: typing.SupportsFloat | typing.SupportsIndex, ambiguity: Ambiguity, sign: typing.SupportsFloat | typing.SupportsIndex, next_head: numpy.typing.NDArray[numpy.float64], next_tail: numpy.typing.NDArray[numpy.float64], own_head: numpy.typing.NDArray[numpy.float64], own_tail: numpy.typing.NDArray[numpy.float64], data_error: typing.SupportsFloat | typing.SupportsIndex, rows: numpy.typing.NDArray[numpy.int64]) -> tuple[float, float, bool, numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.int64]]:
    """
    (low, high, finite, residual, better rows), scaled by row sums.
    """
def soft_bellman(model: rltheory._core.model.Model, stage: typing.SupportsInt | typing.SupportsIndex, discount: typing.SupportsFloat | typing.SupportsIndex, temperature: typing.SupportsFloat | typing.SupportsIndex, weight: numpy.typing.NDArray[numpy.float64], log_weight: numpy.typing.NDArray[numpy.float64], bonus: numpy.typing.NDArray[numpy.float64], value: numpy.typing.NDArray[numpy.float64]) -> numpy.typing.NDArray[numpy.float64]:
    ...
def soft_residual_bounds(model: rltheory._core.model.Model, stage: typing.SupportsInt | typing.SupportsIndex, discount: typing.SupportsFloat | typing.SupportsIndex, temperature: typing.SupportsFloat | typing.SupportsIndex, weight: numpy.typing.NDArray[numpy.float64], log_weight: numpy.typing.NDArray[numpy.float64], bonus: numpy.typing.NDArray[numpy.float64], next_head: numpy.typing.NDArray[numpy.float64], next_tail: numpy.typing.NDArray[numpy.float64], own_head: numpy.typing.NDArray[numpy.float64], own_tail: numpy.typing.NDArray[numpy.float64], data_error: typing.SupportsFloat | typing.SupportsIndex) -> tuple[float, float, bool, numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64]]:
    """
    (low, high, finite, residual, policy, log policy).
    """
def soft_value_iteration(model: rltheory._core.model.Model, discount: typing.SupportsFloat | typing.SupportsIndex, temperature: typing.SupportsFloat | typing.SupportsIndex, weight: numpy.typing.NDArray[numpy.float64], log_weight: numpy.typing.NDArray[numpy.float64], bonus: numpy.typing.NDArray[numpy.float64], tol: typing.SupportsFloat | typing.SupportsIndex, rtol: typing.SupportsFloat | typing.SupportsIndex, start: numpy.typing.NDArray[numpy.float64]) -> tuple[numpy.typing.NDArray[numpy.float64], int, bool]:
    """
    (value, sweeps, converged).
    """
def worst_laws(model: rltheory._core.model.Model, stage: typing.SupportsInt | typing.SupportsIndex, ambiguity: Ambiguity, sign: typing.SupportsFloat | typing.SupportsIndex, head: numpy.typing.NDArray[numpy.float64], tail: numpy.typing.NDArray[numpy.float64], rows: numpy.typing.NDArray[numpy.int64]) -> tuple[numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64]]:
    """
    (row_ptr, col, prob, exit) of these rows.
    """
