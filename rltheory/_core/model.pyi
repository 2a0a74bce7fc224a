"""
Validated tabular models.
"""
from __future__ import annotations
import numpy
import numpy.typing
import typing
__all__: list[str] = ['Model', 'ModelFault', 'as_csr', 'from_csr', 'from_dense', 'garnet', 'induced_chain', 'with_rewards']
class ModelFault(ValueError):
    pass
class Model:
    """
    A validated model; its arrays are read-only.
    """
    @property
    def action(self) -> numpy.typing.NDArray[numpy.int32]:
        ...
    @property
    def col(self) -> numpy.typing.NDArray[numpy.int32]:
        ...
    @property
    def defect(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
    @property
    def exit(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
    @property
    def exit_reward(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
    @property
    def has_exits(self) -> bool:
        ...
    @property
    def longest_row(self) -> int:
        ...
    @property
    def n_actions(self) -> int:
        ...
    @property
    def n_entries(self) -> int:
        ...
    @property
    def n_rows(self) -> int:
        ...
    @property
    def n_stages(self) -> int:
        ...
    @property
    def n_states(self) -> int:
        ...
    @property
    def outcome_reward(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
    @property
    def prob(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
    @property
    def reward(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
    @property
    def row_ptr(self) -> numpy.typing.NDArray[numpy.int64]:
        ...
    @property
    def state_ptr(self) -> numpy.typing.NDArray[numpy.int64]:
        ...
    @property
    def storage(self) -> str:
        ...
def as_csr(model: Model) -> tuple[numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.float64]]:
    """
    (row_ptr, col, prob) of any storage.
    """
def from_csr(n_states: typing.SupportsInt | typing.SupportsIndex, n_actions: typing.SupportsInt | typing.SupportsIndex, n_stages: typing.SupportsInt | typing.SupportsIndex, state: numpy.typing.NDArray[numpy.int64] | None, action: numpy.typing.NDArray[numpy.int64] | None, row_ptr: numpy.typing.NDArray[numpy.int64] | numpy.typing.NDArray[numpy.int32], col: numpy.typing.NDArray[numpy.int32], prob: numpy.typing.NDArray[numpy.float64], reward: numpy.typing.NDArray[numpy.float64] | None, exit: numpy.typing.NDArray[numpy.float64] | None, outcome_reward: numpy.typing.NDArray[numpy.float64] | None, exit_reward: numpy.typing.NDArray[numpy.float64] | None, may_alias: bool, rows_may_alias: bool) -> Model:
    ...
def from_dense(n_states: typing.SupportsInt | typing.SupportsIndex, n_actions: typing.SupportsInt | typing.SupportsIndex, n_stages: typing.SupportsInt | typing.SupportsIndex, state: numpy.typing.NDArray[numpy.int64] | None, action: numpy.typing.NDArray[numpy.int64] | None, prob: numpy.typing.NDArray[numpy.float64], reward: numpy.typing.NDArray[numpy.float64] | None, exit: numpy.typing.NDArray[numpy.float64] | None, outcome_reward: numpy.typing.NDArray[numpy.float64] | None, exit_reward: numpy.typing.NDArray[numpy.float64] | None, may_alias: bool, rows_may_alias: bool) -> Model:
    ...
def garnet(rows: typing.SupportsInt | typing.SupportsIndex, n_states: typing.SupportsInt | typing.SupportsIndex, branching: typing.SupportsInt | typing.SupportsIndex, key0: typing.SupportsInt | typing.SupportsIndex, key1: typing.SupportsInt | typing.SupportsIndex) -> tuple[numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.float64]]:
    """
    (col, prob, reward) of a Garnet model.
    """
def induced_chain(model: Model, weight: numpy.typing.NDArray[numpy.float64]) -> Model:
    ...
def with_rewards(model: Model, reward: numpy.typing.NDArray[numpy.float64]) -> Model:
    ...
