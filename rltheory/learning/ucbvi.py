r"""UCBVI: value iteration on what was seen, with a bonus for what was seen rarely.

The problem: a model with stages h = 0..H-1, S states, A actions and rewards in [0, 1] that are no
random numbers; transitions unknown. Before episode k, with the counts n_h(s, a) of the episodes
before and the empirical rows P_hat_h, backward from V_H = 0 (algorithm F6 of the foundations):

    Q_h = H-h                                          where n = 0,
    Q_h = min{H-h, r_h + P_hat_h V_{h+1} + b_h(n)}     elsewhere,      V_h = max_a Q_h,

and the episode plays the greedy policy, lowest action on ties. With N = S A H and K episodes,

    hoeffding   b = (H-h-1) sqrt(L / 2n),  L = log(3 N K / delta)
    bernstein   b = min{(H-h-1) sqrt(L / 2n),
                        max{5/3 sqrt(2 l / (n-1)) sigma_hat, 35/6 (H-h-1) l / (n-1)}},
                L = log(2 N K / delta),  l = log(4 N K / delta),  the first term alone at n = 1,

sigma_hat^2 the variance of V_{h+1} under P_hat_h. With both, Q >= Q* for all k, h, s, a at once
with probability at least 1 - delta: docs/theory/learning.md proves it, with these constants, which
are this project's; for the first the regret bound below. The algorithms are those of Azar, Osband
and Munos, ICML 2017, arXiv 1703.05449 (UCBVI-CH, UCBVI-BF); the form of the second bonus, a maximum
that does not fall when V rises, is that of Zhang, Ji and Du, COLT 2021, arXiv 2009.13503.
"""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory import _core
from rltheory.errors import ModelError
from rltheory.learning.core_learner import CoreLearner
from rltheory.learning.learner import Task
from rltheory.learning.tabular import Bonus
from rltheory.mdp.arguments import at_least

__all__ = ["UCBVI", "ucbvi_regret_bound"]

BONUSES = ("hoeffding", "bernstein")
REPLANNING = ("every episode", "doubling")


@dataclass(eq=False)
class UCBVI(CoreLearner):
    """Optimistic value iteration with empirical transitions: a `Learner`.

    Parameters
    ----------
    delta : float
        In (0, 1): the guarantee may fail with this probability.
    bonus : {"hoeffding", "bernstein"}
        As in the module's header.
    replanning : {"every episode", "doubling"}
        Before every episode, or before those after which some count became a power of two; the
        optimism of every plan holds for both.
    factor : float
        Multiplies the bonus, at least 0. Nothing is guaranteed below 1.
    random_rewards : bool
        Whether rewards may be random numbers. Then their running mean is used, and the bonus has
        H-h in place of H-h-1, the range of a reward and the value after it; "hoeffding" only.

    Notes
    -----
    Rewards must lie in [0, 1], and be no random numbers unless this was said; what is not raises
    `ModelError`. The regret bound is for rewards that are not random. After a run, `q`, `value`,
    `visits` and `transitions` show what the learner thinks and has seen.

    Examples
    --------
    >>> import rltheory as rlt
    >>> learner = rlt.UCBVI(delta=0.1)
    >>> learner.bonus, learner.replanning
    ('hoeffding', 'every episode')
    """

    delta: float
    bonus: str = "hoeffding"
    replanning: str = "every episode"
    factor: float = 1.0
    random_rewards: bool = False
    core: Any = field(default=None, init=False, repr=False)
    _policy: Any = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        _probability("delta", self.delta)
        _one_of("bonus", self.bonus, BONUSES)
        _one_of("replanning", self.replanning, REPLANNING)
        if not (isinstance(self.factor, int | float) and 0.0 <= self.factor < math.inf):
            raise ModelError(f"factor is {self.factor!r}; it must be finite and at least 0")
        if self.random_rewards and self.bonus != "hoeffding":
            raise ModelError("random rewards need bonus='hoeffding'")

    # --- the protocol ---------------------------------------------------------------------

    def begin(self, task: Task) -> None:
        bonus = self.bonus_of(task.n_states, task.n_actions, task.horizon, task.episodes)
        self._policy = None
        try:
            self.core = _core.learning.TabularLearner(
                task.horizon,
                task.n_states,
                task.n_actions,
                _core.learning.Bonus(*bonus),
                self.replanning == "doubling",
                random_rewards=self.random_rewards,
            )
        except ValueError as fault:
            raise ModelError(str(fault)) from None
        feasible = getattr(task.info, "feasible", None)
        if feasible is not None:
            for place in np.argwhere(~np.broadcast_to(feasible, self.core.visits.shape)).tolist():
                self.core.forbid(*place)

    # --- what it thinks and has seen ------------------------------------------------------

    @property
    def q(self) -> NDArray[np.float64]:
        """The optimistic Q of the last plan, shape (H, S, A)."""
        return self._begun.q

    @property
    def value(self) -> NDArray[np.float64]:
        """The optimistic V of the last plan, shape (H+1, S)."""
        return self._begun.value

    @property
    def visits(self) -> NDArray[np.int64]:
        """Visits of each stage, state and action, shape (H, S, A)."""
        return self._begun.visits

    @property
    def transitions(self) -> NDArray[np.int64]:
        """How often each led where, shape (H, S, A, S)."""
        return self._begun.transitions

    # --- the bonus ------------------------------------------------------------------------

    def bonus_of(self, states: int, actions: int, horizon: int, episodes: int) -> Bonus:
        """The bonus as tables over n = 0..episodes and a vector over stages."""
        most = horizon if self.random_rewards else horizon - 1  # of what follows, at stage 0
        scale = np.arange(most, most - horizon, -1, dtype=np.float64)
        n = np.arange(1, episodes + 1)
        triples = states * actions * horizon * episodes
        if self.bonus == "hoeffding":
            table = np.sqrt(math.log(3 * triples / self.delta) / (2.0 * n))
            empty = np.zeros(0)
            return Bonus(scale, self._table(table), empty, empty)
        table = np.sqrt(math.log(2 * triples / self.delta) / (2.0 * n))
        level = math.log(4 * triples / self.delta)
        root, floor = np.zeros(episodes), table.copy()
        root[1:] = 5.0 / 3.0 * np.sqrt(2.0 * level / (n[1:] - 1))
        floor[1:] = 35.0 / 6.0 * level / (n[1:] - 1)
        return Bonus(scale, *map(self._table, (table, root, floor)))

    def _table(self, bonus: NDArray[np.float64]) -> NDArray[np.float64]:
        """With an entry for n = 0, which is never read."""
        return np.concatenate([[0.0], self.factor * bonus])


def ucbvi_regret_bound(
    states: int, actions: int, horizon: int, episodes: int, delta: float
) -> float:
    r"""What the regret of UCBVI with Hoeffding bonuses exceeds with probability at most delta.

    With N = S A H K, L1 = log(3 N / delta), L2 = log(3 (2^S - 2) N / delta), L3 = log(3 / delta):

        H (H-1) (sqrt(L1/2) + sqrt(L2/2)) sqrt(S A K) + H (H+1)/2 (S A + sqrt(K L3 / 2)).

    Claim ``learn-ucbvi``. The model has at least two states and no exits; with exits, which are one
    more outcome of a row, the bound is that of S + 1 states with S A pairs, and is not this one.

    Parameters
    ----------
    states, actions, horizon, episodes : int
        At least 1 each; at least 2 states.
    delta : float
        In (0, 1).

    Examples
    --------
    >>> import rltheory as rlt
    >>> round(rlt.ucbvi_regret_bound(states=2, actions=2, horizon=3, episodes=1500, delta=0.1))
    2746
    """
    S, A, H, K = states, actions, horizon, episodes
    for name, value, least in (("states", S, 2), ("actions", A, 1), ("horizon", H, 1)):
        at_least(name, value, least)
    at_least("episodes", K, 1)
    _probability("delta", delta)
    N = S * A * H * K
    L1 = math.log(3 * N / delta)
    L2 = math.log(3 * N / delta) + math.log(2**S - 2)
    L3 = math.log(3 / delta)
    per_pair = math.sqrt(L1 / 2) + math.sqrt(L2 / 2)
    return H * (H - 1) * per_pair * math.sqrt(S * A * K) + H * (H + 1) / 2 * (
        S * A + math.sqrt(K * L3 / 2)
    )


def _probability(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 < value < 1.0:
        raise ModelError(f"{name} is {value!r}; it must be in (0, 1)")


def _one_of(name: str, value: Any, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ModelError(f"{name} is {value!r}; it must be {' or '.join(map(repr, allowed))}")
