"""
Loops of learners.
"""
from __future__ import annotations
import numpy.typing
import collections.abc
import numpy
import rltheory._core.model
import typing
__all__: list[str] = ['Bonus', 'Gram', 'GreedyExplorer', 'LinearLearner', 'RewardFault', 'SoftExplorer', 'SoftLinearLearner', 'TabularLearner', 'World', 'play', 'start_values']
class RewardFault(ValueError):
    pass
class Bonus:
    """
    Tables over counts and a vector over stages, as a backup reads them.
    """
    def __init__(self, scale: numpy.typing.NDArray[numpy.float64], table: numpy.typing.NDArray[numpy.float64], root: numpy.typing.NDArray[numpy.float64], floor: numpy.typing.NDArray[numpy.float64]) -> None:
        ...
class TabularLearner:
    """
    Counts, optimistic backward induction and when to plan.
    """
    def __init__(self, horizon: typing.SupportsInt | typing.SupportsIndex, states: typing.SupportsInt | typing.SupportsIndex, actions: typing.SupportsInt | typing.SupportsIndex, bonus: Bonus, doubling: bool, full: bool = False, random_rewards: bool = False) -> None:
        ...
    def forbid(self, stage: typing.SupportsInt | typing.SupportsIndex, state: typing.SupportsInt | typing.SupportsIndex, action: typing.SupportsInt | typing.SupportsIndex) -> None:
        """
        The state does not have this action.
        """
    def observe(self, stage: typing.SupportsInt | typing.SupportsIndex, state: typing.SupportsInt | typing.SupportsIndex, action: typing.SupportsInt | typing.SupportsIndex, reward: typing.SupportsFloat | typing.SupportsIndex, next_state: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    def plan(self) -> bool:
        """
        Plans if it is time to; whether it was.
        """
    @property
    def plans(self) -> int:
        ...
    @property
    def policy(self) -> numpy.typing.NDArray[numpy.uint16]:
        ...
    @property
    def q(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
    @property
    def random_rewards(self) -> bool:
        ...
    @property
    def transitions(self) -> numpy.typing.NDArray[numpy.int64]:
        ...
    @property
    def value(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
    @property
    def visits(self) -> numpy.typing.NDArray[numpy.int64]:
        ...
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
    def __init__(self, horizon: typing.SupportsInt | typing.SupportsIndex, features: numpy.typing.NDArray[numpy.float64], ridge: typing.SupportsFloat | typing.SupportsIndex, radii: numpy.typing.NDArray[numpy.float64], caps: numpy.typing.NDArray[numpy.float64], log_switch: typing.SupportsFloat | typing.SupportsIndex) -> None:
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
        phi^T M^-1 phi of each pair, (H, S, A).
        """
    @property
    def plans(self) -> int:
        ...
    @property
    def policy(self) -> numpy.typing.NDArray[numpy.uint16]:
        ...
    @property
    def q(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
    @property
    def random_rewards(self) -> bool:
        """
        Whether rewards may be random numbers.
        """
    @property
    def value(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
    @property
    def weights(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
class World:
    """
    Where episodes happen: a model with a horizon.
    """
    def __init__(self, model: rltheory._core.model.Model, initial: numpy.typing.NDArray[numpy.float64], horizon: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
class SoftLinearLearner:
    """
    Certified exploration of a linear model, regularised.
    """
    def __init__(self, features: numpy.typing.NDArray[numpy.float64], reward: numpy.typing.NDArray[numpy.float64], weight: numpy.typing.NDArray[numpy.float64], log_weight: numpy.typing.NDArray[numpy.float64], radii: numpy.typing.NDArray[numpy.float64], ridge: typing.SupportsFloat | typing.SupportsIndex, temperature: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    def act(self, stage: typing.SupportsInt | typing.SupportsIndex, state: typing.SupportsInt | typing.SupportsIndex, uniform: typing.SupportsFloat | typing.SupportsIndex, explores: bool) -> int:
        ...
    def explore(self, world: World, keys: numpy.typing.NDArray[numpy.uint64], first_episode: typing.SupportsInt | typing.SupportsIndex, first: typing.SupportsInt | typing.SupportsIndex, episodes: typing.SupportsInt | typing.SupportsIndex) -> int:
        """
        Plays episodes and learns from them; the number of steps. The world's words are those from first_episode on, the learner's own those from first on.
        """
    def observe(self, stage: typing.SupportsInt | typing.SupportsIndex, state: typing.SupportsInt | typing.SupportsIndex, action: typing.SupportsInt | typing.SupportsIndex, next_state: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    def plan(self) -> None:
        ...
    def roll_out(self, world: World, keys: numpy.typing.NDArray[numpy.uint64], first_episode: typing.SupportsInt | typing.SupportsIndex, first: typing.SupportsInt | typing.SupportsIndex, episodes: typing.SupportsInt | typing.SupportsIndex) -> tuple[float, int]:
        """
        Sum over episodes of the policy of what each stage may lose; the number of steps.
        """
    @property
    def excess(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        What each state may lose at most, (H, S).
        """
    @property
    def lower(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
    @property
    def lower_weights(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
    @property
    def norms2(self) -> numpy.typing.NDArray[numpy.float64]:
        """
        phi^T M^-1 phi of each pair as of the last plan.
        """
    @property
    def plans(self) -> int:
        ...
    @property
    def policy(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
    @property
    def q_lower(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
    @property
    def q_upper(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
    @property
    def upper(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
    @property
    def upper_weights(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
    @property
    def widest(self) -> numpy.typing.NDArray[numpy.int64]:
        ...
class SoftExplorer:
    """
    Certified exploration for the regularised problem.
    """
    def __init__(self, reward: numpy.typing.NDArray[numpy.float64], weight: numpy.typing.NDArray[numpy.float64], log_weight: numpy.typing.NDArray[numpy.float64], scale: numpy.typing.NDArray[numpy.float64], temperature: typing.SupportsFloat | typing.SupportsIndex) -> None:
        ...
    def act(self, stage: typing.SupportsInt | typing.SupportsIndex, state: typing.SupportsInt | typing.SupportsIndex, uniform: typing.SupportsFloat | typing.SupportsIndex, explores: bool) -> int:
        ...
    def explore(self, model: rltheory._core.model.Model, initial: numpy.typing.NDArray[numpy.float64], keys: numpy.typing.NDArray[numpy.uint64], first_episode: typing.SupportsInt | typing.SupportsIndex, growth: typing.SupportsFloat | typing.SupportsIndex, epsilon: typing.SupportsFloat | typing.SupportsIndex, until: typing.SupportsInt | typing.SupportsIndex) -> bool:
        """
        Plays until the certificate is at most epsilon; False where episodes ran out.
        """
    def observe(self, stage: typing.SupportsInt | typing.SupportsIndex, state: typing.SupportsInt | typing.SupportsIndex, action: typing.SupportsInt | typing.SupportsIndex, next_state: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    def plan(self) -> None:
        ...
    def use(self, bonus: numpy.typing.NDArray[numpy.float64], root_kappa: numpy.typing.NDArray[numpy.float64]) -> None:
        """
        Tables over counts n = 0, 1, ..: b over its scale, and the root of kappa.
        """
    @property
    def episodes(self) -> int:
        ...
    @property
    def gap(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
    @property
    def history(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
    @property
    def lower(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
    @property
    def plans(self) -> int:
        ...
    @property
    def policy(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
    @property
    def q_lower(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
    @property
    def q_upper(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
    @property
    def steps(self) -> int:
        ...
    @property
    def transitions(self) -> numpy.typing.NDArray[numpy.int64]:
        ...
    @property
    def upper(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
    @property
    def visits(self) -> numpy.typing.NDArray[numpy.int64]:
        ...
    @property
    def widest(self) -> numpy.typing.NDArray[numpy.int64]:
        ...
class GreedyExplorer:
    """
    Certified exploration for the problem without regulariser.
    """
    def __init__(self, reward: numpy.typing.NDArray[numpy.float64], weight: numpy.typing.NDArray[numpy.float64], log_weight: numpy.typing.NDArray[numpy.float64], scale: numpy.typing.NDArray[numpy.float64]) -> None:
        ...
    def act(self, stage: typing.SupportsInt | typing.SupportsIndex, state: typing.SupportsInt | typing.SupportsIndex, uniform: typing.SupportsFloat | typing.SupportsIndex, explores: bool) -> int:
        ...
    def explore(self, model: rltheory._core.model.Model, initial: numpy.typing.NDArray[numpy.float64], keys: numpy.typing.NDArray[numpy.uint64], first_episode: typing.SupportsInt | typing.SupportsIndex, growth: typing.SupportsFloat | typing.SupportsIndex, epsilon: typing.SupportsFloat | typing.SupportsIndex, until: typing.SupportsInt | typing.SupportsIndex) -> bool:
        """
        Plays until the certificate is at most epsilon; False where episodes ran out.
        """
    def observe(self, stage: typing.SupportsInt | typing.SupportsIndex, state: typing.SupportsInt | typing.SupportsIndex, action: typing.SupportsInt | typing.SupportsIndex, next_state: typing.SupportsInt | typing.SupportsIndex) -> None:
        ...
    def plan(self) -> None:
        ...
    def use(self, bonus: numpy.typing.NDArray[numpy.float64], root_kappa: numpy.typing.NDArray[numpy.float64]) -> None:
        """
        Tables over counts n = 0, 1, ..: b over its scale, and the root of kappa.
        """
    @property
    def episodes(self) -> int:
        ...
    @property
    def gap(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
    @property
    def history(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
    @property
    def plans(self) -> int:
        ...
    @property
    def policy(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
    @property
    def q_upper(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
    @property
    def steps(self) -> int:
        ...
    @property
    def transitions(self) -> numpy.typing.NDArray[numpy.int64]:
        ...
    @property
    def upper(self) -> numpy.typing.NDArray[numpy.float64]:
        ...
    @property
    def visits(self) -> numpy.typing.NDArray[numpy.int64]:
        ...
@typing.overload
def play(model: rltheory._core.model.Model, horizon: typing.SupportsInt | typing.SupportsIndex, initial: numpy.typing.NDArray[numpy.float64], learners: collections.abc.Sequence[TabularLearner], episodes: typing.SupportsInt | typing.SupportsIndex, first_episode: typing.SupportsInt | typing.SupportsIndex, keys: numpy.typing.NDArray[numpy.uint64], traced: bool) -> list[tuple[numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.int64], numpy.ndarray, numpy.ndarray, numpy.typing.NDArray[numpy.float64], int, numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.float64]]]:
    """
    (starts, which, offsets, places, actions, returns, steps, states, bounds) of each run.
    """
@typing.overload
def play(model: rltheory._core.model.Model, horizon: typing.SupportsInt | typing.SupportsIndex, initial: numpy.typing.NDArray[numpy.float64], learners: collections.abc.Sequence[LinearLearner], episodes: typing.SupportsInt | typing.SupportsIndex, first_episode: typing.SupportsInt | typing.SupportsIndex, keys: numpy.typing.NDArray[numpy.uint64], traced: bool) -> list[tuple[numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.int64], numpy.ndarray, numpy.ndarray, numpy.typing.NDArray[numpy.float64], int, numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.float64]]]:
    """
    (starts, which, offsets, places, actions, returns, steps, states, bounds) of each run.
    """
def start_values(model: rltheory._core.model.Model, horizon: typing.SupportsInt | typing.SupportsIndex, initial: numpy.typing.NDArray[numpy.float64], offsets: numpy.typing.NDArray[numpy.int64], places: numpy.typing.NDArray[numpy.uint32], actions: numpy.typing.NDArray[numpy.uint16]) -> numpy.typing.NDArray[numpy.float64]:
    """
    rho V_0 of policies given by their changes.
    """
