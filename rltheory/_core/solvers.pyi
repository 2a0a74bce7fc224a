"""
Sweeps, policy equations, certificates.
"""
from __future__ import annotations
import numpy
import numpy.typing
import rltheory._core.model
import typing
__all__: list[str] = ['PolicyChain', 'add_correction', 'backward_induction', 'backward_induction_double_double', 'bellman', 'closed_classes', 'curve_gain', 'gain_bias_residuals', 'gain_drift', 'gauss_seidel', 'improve', 'improve_gain_bias', 'improve_in_order', 'largest_gap', 'modified_policy_iteration', 'ordered_policy_iteration', 'ordered_total_sweeps', 'policy_backward', 'policy_forward', 'policy_iteration', 'precise_residual_bounds', 'q_values', 'relative_value_iteration', 'residual_bounds', 'round_outward', 'round_outward_by', 'value_iteration']
class PolicyChain:
    """
    The equations (I - discount P_pi) x = b.
    """
    @staticmethod
    def hitting(model: rltheory._core.model.Model, rows: numpy.typing.NDArray[numpy.int64], targets: numpy.typing.NDArray[numpy.bool]) -> PolicyChain:
        """
        At discount 1, with moves into the targets counted as ends.
        """
    def __init__(self, model: rltheory._core.model.Model, discount: typing.SupportsFloat | typing.SupportsIndex, rows: numpy.typing.NDArray[numpy.int64]) -> None:
        ...
    def matrix(self) -> tuple[numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.float64]]:
        """
        (row_ptr, col, values) of I - discount P_pi.
        """
    def solve(self, b: numpy.typing.NDArray[numpy.float64], start: numpy.typing.NDArray[numpy.float64], wanted: typing.SupportsFloat | typing.SupportsIndex, most: typing.SupportsInt | typing.SupportsIndex, transposed: bool) -> tuple[numpy.typing.NDArray[numpy.float64], float, int]:
        """
        (x, relative residual, iterations).
        """
def add_correction(head: numpy.typing.NDArray[numpy.float64], tail: numpy.typing.NDArray[numpy.float64], correction: numpy.typing.NDArray[numpy.float64]) -> tuple[numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64]]:
    """
    (head, tail).
    """
def backward_induction(model: rltheory._core.model.Model, horizon: typing.SupportsInt | typing.SupportsIndex) -> tuple[numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.float64]]:
    """
    (value (H+1, S), rows (H, S), residual errors (H,)).
    """
def backward_induction_double_double(model: rltheory._core.model.Model, horizon: typing.SupportsInt | typing.SupportsIndex) -> tuple[numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.int64]]:
    """
    (head, tail, rows).
    """
def bellman(model: rltheory._core.model.Model, stage: typing.SupportsInt | typing.SupportsIndex, discount: typing.SupportsFloat | typing.SupportsIndex, value: numpy.typing.NDArray[numpy.float64]) -> tuple[numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.int64]]:
    """
    (T value, lowest best rows).
    """
def closed_classes(model: rltheory._core.model.Model, rows: numpy.typing.NDArray[numpy.int64]) -> tuple[int, numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.int64]]:
    """
    (number of closed classes, the class of each state or -1, the only class it reaches or -1).
    """
def curve_gain(head: numpy.typing.NDArray[numpy.float64], tail: numpy.typing.NDArray[numpy.float64], scale: typing.SupportsFloat | typing.SupportsIndex, centre_head: typing.SupportsFloat | typing.SupportsIndex, centre_tail: typing.SupportsFloat | typing.SupportsIndex, curvature: typing.SupportsFloat | typing.SupportsIndex) -> tuple[numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64]]:
    """
    (head, tail).
    """
def gain_bias_residuals(model: rltheory._core.model.Model, gain_head: numpy.typing.NDArray[numpy.float64], gain_tail: numpy.typing.NDArray[numpy.float64], bias_head: numpy.typing.NDArray[numpy.float64], bias_tail: numpy.typing.NDArray[numpy.float64], rows: numpy.typing.NDArray[numpy.int64]) -> tuple[float, float, bool, numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.int64]]:
    """
    (low, high, finite, residual, better rows), in double-double, scaled by row sums.
    """
def gain_drift(model: rltheory._core.model.Model, head: numpy.typing.NDArray[numpy.float64], tail: numpy.typing.NDArray[numpy.float64], scale: typing.SupportsFloat | typing.SupportsIndex, rows: numpy.typing.NDArray[numpy.int64]) -> tuple[float, float, numpy.typing.NDArray[numpy.float64]]:
    """
    (curvature needed below, above, drift of the policy's rows).
    """
def gauss_seidel(model: rltheory._core.model.Model, discount: typing.SupportsFloat | typing.SupportsIndex, tol: typing.SupportsFloat | typing.SupportsIndex, rtol: typing.SupportsFloat | typing.SupportsIndex, start: numpy.typing.NDArray[numpy.float64]) -> tuple[numpy.typing.NDArray[numpy.float64], int, bool]:
    """
    (value, sweeps, converged).
    """
def improve(model: rltheory._core.model.Model, discount: typing.SupportsFloat | typing.SupportsIndex, value: numpy.typing.NDArray[numpy.float64], rows: numpy.typing.NDArray[numpy.int64]) -> tuple[numpy.typing.NDArray[numpy.int64], int]:
    """
    (rows, number switched).
    """
def improve_gain_bias(model: rltheory._core.model.Model, gain: numpy.typing.NDArray[numpy.float64], bias: numpy.typing.NDArray[numpy.float64], rows: numpy.typing.NDArray[numpy.int64]) -> tuple[numpy.typing.NDArray[numpy.int64], int]:
    """
    (rows, number switched).
    """
def improve_in_order(model: rltheory._core.model.Model, gain: typing.SupportsFloat | typing.SupportsIndex, bias: numpy.typing.NDArray[numpy.float64], rows: numpy.typing.NDArray[numpy.int64], sweeps: typing.SupportsInt | typing.SupportsIndex) -> tuple[numpy.typing.NDArray[numpy.int64], int, numpy.typing.NDArray[numpy.float64]]:
    """
    (rows, number of switches, raised bias), where all states have one gain.
    """
def largest_gap(lower: numpy.typing.NDArray[numpy.float64], upper: numpy.typing.NDArray[numpy.float64]) -> float:
    """
    max (upper - lower), rounded up.
    """
def modified_policy_iteration(model: rltheory._core.model.Model, discount: typing.SupportsFloat | typing.SupportsIndex, tol: typing.SupportsFloat | typing.SupportsIndex, rtol: typing.SupportsFloat | typing.SupportsIndex, patience: typing.SupportsFloat | typing.SupportsIndex, start: numpy.typing.NDArray[numpy.float64]) -> tuple[numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.int64], int, bool, float, float, bool, int, bool]:
    """
    (value, rows, sweeps, converged, low, high, exhausted, classes, by_equations).
    """
def ordered_policy_iteration(model: rltheory._core.model.Model, discount: typing.SupportsFloat | typing.SupportsIndex, tol: typing.SupportsFloat | typing.SupportsIndex, rtol: typing.SupportsFloat | typing.SupportsIndex, start: numpy.typing.NDArray[numpy.float64]) -> tuple[numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.int64], int, bool]:
    """
    (value, rows, sweeps, converged).
    """
def ordered_total_sweeps(model: rltheory._core.model.Model, tol: typing.SupportsFloat | typing.SupportsIndex, rtol: typing.SupportsFloat | typing.SupportsIndex, most: typing.SupportsInt | typing.SupportsIndex, start: numpy.typing.NDArray[numpy.float64], rows: numpy.typing.NDArray[numpy.int64]) -> tuple[numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.int64], int]:
    """
    (value, rows, sweeps).
    """
def policy_backward(model: rltheory._core.model.Model, horizon: typing.SupportsInt | typing.SupportsIndex, weight: numpy.typing.NDArray[numpy.float64]) -> numpy.typing.NDArray[numpy.float64]:
    ...
def policy_forward(model: rltheory._core.model.Model, horizon: typing.SupportsInt | typing.SupportsIndex, weight: numpy.typing.NDArray[numpy.float64], initial: numpy.typing.NDArray[numpy.float64]) -> numpy.typing.NDArray[numpy.float64]:
    ...
def policy_iteration(model: rltheory._core.model.Model, discount: typing.SupportsFloat | typing.SupportsIndex, most: typing.SupportsInt | typing.SupportsIndex, start: numpy.typing.NDArray[numpy.float64]) -> tuple[numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.int64], int, bool]:
    """
    (value, rows, policies, converged), of a small model.
    """
def precise_residual_bounds(model: rltheory._core.model.Model, stage: typing.SupportsInt | typing.SupportsIndex, discount: typing.SupportsFloat | typing.SupportsIndex, next_head: numpy.typing.NDArray[numpy.float64], next_tail: numpy.typing.NDArray[numpy.float64], own_head: numpy.typing.NDArray[numpy.float64], own_tail: numpy.typing.NDArray[numpy.float64], rows: numpy.typing.NDArray[numpy.int64]) -> tuple[float, float, bool, numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.int64]]:
    """
    (low, high, finite, residual, better rows), in double-double, scaled by row sums.
    """
def q_values(model: rltheory._core.model.Model, stage: typing.SupportsInt | typing.SupportsIndex, discount: typing.SupportsFloat | typing.SupportsIndex, value: numpy.typing.NDArray[numpy.float64]) -> numpy.typing.NDArray[numpy.float64]:
    """
    r + discount P value of every row of the stage.
    """
def relative_value_iteration(model: rltheory._core.model.Model, stay: typing.SupportsFloat | typing.SupportsIndex, tol: typing.SupportsFloat | typing.SupportsIndex, rtol: typing.SupportsFloat | typing.SupportsIndex, most: typing.SupportsInt | typing.SupportsIndex, start: numpy.typing.NDArray[numpy.float64]) -> tuple[numpy.typing.NDArray[numpy.float64], int, bool, float, float]:
    """
    (value, sweeps, converged, least and largest entry of T v - v).
    """
def residual_bounds(model: rltheory._core.model.Model, stage: typing.SupportsInt | typing.SupportsIndex, discount: typing.SupportsFloat | typing.SupportsIndex, next: numpy.typing.NDArray[numpy.float64], own: numpy.typing.NDArray[numpy.float64], rows: numpy.typing.NDArray[numpy.int64]) -> tuple[float, float, bool]:
    """
    (low, high, finite), in doubles.
    """
def round_outward(head: numpy.typing.NDArray[numpy.float64], tail: numpy.typing.NDArray[numpy.float64], lower_shift: typing.SupportsFloat | typing.SupportsIndex, upper_shift: typing.SupportsFloat | typing.SupportsIndex) -> tuple[numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64]]:
    """
    (lower, upper).
    """
def round_outward_by(head: numpy.typing.NDArray[numpy.float64], tail: numpy.typing.NDArray[numpy.float64], lower_shift: numpy.typing.NDArray[numpy.float64], upper_shift: numpy.typing.NDArray[numpy.float64]) -> tuple[numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64]]:
    """
    (lower, upper), with shifts of each state's own.
    """
def value_iteration(model: rltheory._core.model.Model, discount: typing.SupportsFloat | typing.SupportsIndex, tol: typing.SupportsFloat | typing.SupportsIndex, rtol: typing.SupportsFloat | typing.SupportsIndex, start: numpy.typing.NDArray[numpy.float64]) -> tuple[numpy.typing.NDArray[numpy.float64], int, bool]:
    """
    (value, sweeps, converged).
    """
