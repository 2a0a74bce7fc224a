"""
What one topic alone needs.
"""
from __future__ import annotations
import numpy
import numpy.typing
import typing
__all__: list[str] = ['LsdSetting', 'lsd_best_cyclic', 'lsd_commit', 'lsd_committed', 'lsd_framed_ucb', 'lsd_judge_many', 'lsd_play', 'lsd_product_graph']
class LsdSetting:
    """
    Arms with ranks for payoffs, their plans, and how plays are chosen.
    """
    def __init__(self, sizes: numpy.typing.NDArray[numpy.int32], play_next: numpy.typing.NDArray[numpy.int32], rest_next: numpy.typing.NDArray[numpy.int32], ranks: numpy.typing.NDArray[numpy.int32], first: numpy.typing.NDArray[numpy.int32], begin: numpy.typing.NDArray[numpy.int64], states: numpy.typing.NDArray[numpy.int32], plan_plays: numpy.typing.NDArray[numpy.uint8], plays: typing.SupportsInt | typing.SupportsIndex, rule: typing.SupportsInt | typing.SupportsIndex, filler: bool) -> None:
        ...
    def expected_counts(self) -> tuple[numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.int64], int]:
        """
        For each tuple of plans: plays in each state, over so many rounds; violations.
        """
    def expected_curve(self, length: typing.SupportsInt | typing.SupportsIndex) -> tuple[numpy.typing.NDArray[numpy.int64], int]:
        """
        For each tuple of plans and each round: plays in each state; violations.
        """
    def long_run(self, plans: numpy.typing.NDArray[numpy.int32], phases: numpy.typing.NDArray[numpy.int64], most_rounds: typing.SupportsInt | typing.SupportsIndex) -> tuple[numpy.typing.NDArray[numpy.int64], int, int]:
        """
        Plays in each state in one period, its rounds, and violations.
        """
    def run(self, plans: numpy.typing.NDArray[numpy.int32], phases: numpy.typing.NDArray[numpy.int64], start: numpy.typing.NDArray[numpy.int32], rounds: typing.SupportsInt | typing.SupportsIndex) -> tuple[numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.uint8], int]:
        """
        States and plays round by round, and violations of dominance.
        """
    def window_counts(self, plans: numpy.typing.NDArray[numpy.int32], phases: numpy.typing.NDArray[numpy.int64], skipped: typing.SupportsInt | typing.SupportsIndex, rounds: typing.SupportsInt | typing.SupportsIndex) -> tuple[numpy.typing.NDArray[numpy.int64], int]:
        """
        Plays in each state of many schedules, and violations.
        """
def lsd_best_cyclic(totals: numpy.typing.NDArray[numpy.int64], plays: numpy.typing.NDArray[numpy.uint8], length: typing.SupportsInt | typing.SupportsIndex) -> tuple[int, numpy.typing.NDArray[numpy.int32]]:
    """
    Total per period, and actions, of the best sequence of this length.
    """
def lsd_commit(sizes: numpy.typing.NDArray[numpy.int32], play_next: numpy.typing.NDArray[numpy.int32], rest_next: numpy.typing.NDArray[numpy.int32], index: numpy.typing.NDArray[numpy.float64], arm_first: numpy.typing.NDArray[numpy.int32], step_first: numpy.typing.NDArray[numpy.int32], plan_state: numpy.typing.NDArray[numpy.int32], plan_played: numpy.typing.NDArray[numpy.uint8], draws: numpy.typing.NDArray[numpy.float64], rounds: typing.SupportsInt | typing.SupportsIndex) -> tuple[float, numpy.typing.NDArray[numpy.int32]]:
    """
    The relaxed value under an index, and the arms that one draw of plans plays.
    """
def lsd_committed(sizes: numpy.typing.NDArray[numpy.int32], play_next: numpy.typing.NDArray[numpy.int32], rest_next: numpy.typing.NDArray[numpy.int32], payoffs: numpy.typing.NDArray[numpy.float64], arm_first: numpy.typing.NDArray[numpy.int32], step_first: numpy.typing.NDArray[numpy.int32], plan_state: numpy.typing.NDArray[numpy.int32], plan_played: numpy.typing.NDArray[numpy.uint8], index: numpy.typing.NDArray[numpy.float64], state: numpy.typing.NDArray[numpy.int32], rounds: typing.SupportsInt | typing.SupportsIndex, memory: typing.SupportsInt | typing.SupportsIndex, most: typing.SupportsInt | typing.SupportsIndex) -> float:
    """
    The mean of what a commitment pays, over all draws.
    """
def lsd_framed_ucb(sizes: numpy.typing.NDArray[numpy.int32], play_next: numpy.typing.NDArray[numpy.int32], rest_next: numpy.typing.NDArray[numpy.int32], payoffs: numpy.typing.NDArray[numpy.float64], arm_first: numpy.typing.NDArray[numpy.int32], step_first: numpy.typing.NDArray[numpy.int32], plan_state: numpy.typing.NDArray[numpy.int32], plan_played: numpy.typing.NDArray[numpy.uint8], state: numpy.typing.NDArray[numpy.int32], frame: typing.SupportsInt | typing.SupportsIndex, width: typing.SupportsFloat | typing.SupportsIndex, recovery: typing.SupportsInt | typing.SupportsIndex, rest_first: bool, noise: numpy.typing.NDArray[numpy.float64], draws: numpy.typing.NDArray[numpy.float64]) -> tuple[tuple[numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.uint8], numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.int32]], numpy.typing.NDArray[numpy.float64], int]:
    """
    What lsd_play gives, each frame's relaxed value, and rounds of broken dominance.
    """
def lsd_judge_many(rests: numpy.typing.NDArray[numpy.int32], plays: numpy.typing.NDArray[numpy.int32], payoffs: numpy.typing.NDArray[numpy.int64], largest: typing.SupportsInt | typing.SupportsIndex, policy: typing.SupportsInt | typing.SupportsIndex) -> tuple[numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.float64]]:
    """
    Optimum and relaxation, as numerators and denominators, and a policy's average.
    """
def lsd_play(sizes: numpy.typing.NDArray[numpy.int32], play_next: numpy.typing.NDArray[numpy.int32], rest_next: numpy.typing.NDArray[numpy.int32], payoffs: numpy.typing.NDArray[numpy.float64], state: numpy.typing.NDArray[numpy.int32], actions: numpy.typing.NDArray[numpy.int32], noise: numpy.typing.NDArray[numpy.float64]) -> tuple[numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.uint8], numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.int32]]:
    """
    Actions, rewards, means, plays and successes by state, and the last state.
    """
@typing.overload
def lsd_product_graph(sizes: numpy.typing.NDArray[numpy.int32], play_next: numpy.typing.NDArray[numpy.int32], rest_next: numpy.typing.NDArray[numpy.int32], payoffs: numpy.typing.NDArray[numpy.float64], plays: numpy.typing.NDArray[numpy.uint8]) -> tuple[numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.float64]]:
    """
    Successor and reward of every joint state and action.
    """
@typing.overload
def lsd_product_graph(sizes: numpy.typing.NDArray[numpy.int32], play_next: numpy.typing.NDArray[numpy.int32], rest_next: numpy.typing.NDArray[numpy.int32], payoffs: numpy.typing.NDArray[numpy.int64], plays: numpy.typing.NDArray[numpy.uint8]) -> tuple[numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.int64]]:
    ...
