r"""UCBVI-Ent: learning the policy whose trajectories have the largest entropy.

The problem: stages h = 0..H-1 share unknown transitions P(. | s, a); no rewards. The entropy of a
trajectory (s_0, a_0, .., s_{H-1}, a_{H-1}) is the sum over its steps of the entropies of the policy
and, but for the last step, of the row (claim demo-traj-entropy), so that it is largest for the soft
plan with temperature 1 and the rows' entropies as rewards. UCBVI-Ent plans so from what it saw:

    Q_h = H(P_hat) + P_hat V_{h+1} + bonus(n),   V_h = min{log sum_a exp Q_h, v_h},
    pi_h = softmax Q_h,                          v_h = (H - h) log(S A),
    bonus = v_h sqrt(beta_1 / n) + sqrt(beta_2 / n) + beta_3 / n,
    beta_1 = log(4 S A H / delta) + log(4 e n (2 n + 1)),
    beta_2 = log(4 S A H / delta) + log(n)^2 log(2 n (n + 1)),
    beta_3 = (S - 1) log(e (1 + n / (S - 1))) + 1,

Q_h = v_h where n = 0, and no rows' entropies at the last stage unless `include_last`. Counts are
common to the stages. Algorithm and constants are those of Tiapkin et al., ICML 2023, arXiv
2303.08059, and of their code; that they suffice for a guarantee is not checked here.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp, softmax, xlogy

from rltheory.demonstrations.exploration import read_level
from rltheory.errors import ModelError
from rltheory.learning.learner import Task
from rltheory.mdp.arguments import at_least
from rltheory.mdp.streams import Stream

__all__ = ["UCBVIEnt", "entropy_bonus"]

Vector = NDArray[np.float64]


@dataclass(eq=False)
class UCBVIEnt:
    """Exploration by the largest entropy of trajectories: a `Learner`.

    Parameters
    ----------
    delta : float
        In (0, 1).
    factor : float
        Multiplies the bonus, at least 0; 0 plans on what was seen alone.
    include_last : bool
        Whether the state after the last step belongs to the trajectory.
    replan_every : int
        Episodes between plans; the authors plan before each.

    Notes
    -----
    Rewards are not looked at. Episodes must not end before their horizon, and every state has all
    actions. After a run, `policy`, `visits` and `transitions` show what it plays and has seen.

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.riverswim(3).episodic(4)
    >>> learner = rlt.UCBVIEnt(delta=0.1, factor=0.1)
    >>> log = rlt.run(learner, rlt.online(mdp, seed=0), episodes=20)
    >>> int(learner.visits.sum())
    80
    """

    delta: float
    factor: float = 1.0
    include_last: bool = False
    replan_every: int = 1
    visits: NDArray[np.int64] = field(
        default_factory=lambda: np.zeros((0, 0), np.int64), init=False
    )
    transitions: NDArray[np.int64] = field(
        default_factory=lambda: np.zeros((0, 0, 0), np.int64), init=False
    )
    policy: Any = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        read_level("delta", self.delta, 1.0)
        at_least("replan_every", self.replan_every, 1)
        if not 0.0 <= self.factor < float("inf"):
            raise ModelError(f"factor is {self.factor!r}; it must be finite and at least 0")

    def begin(self, task: Task) -> None:
        """Forget everything."""
        self._task = task
        self._actions = Stream(task.seed, "ucbvi-ent-actions")
        self.visits = np.zeros((task.n_states, task.n_actions), np.int64)
        self.transitions = np.zeros((task.n_states, task.n_actions, task.n_states), np.int64)
        self.policy = None

    def plan(self, episode: int) -> Any:
        """The soft plan from what was seen, shape (H, S, A); None between plans."""
        if episode % self.replan_every:
            return None
        S, A, H = self._task.n_states, self._task.n_actions, self._task.horizon
        n = self.visits
        some = np.maximum(n, 1)
        rows = self.transitions / some[:, :, None]
        entropies = -xlogy(rows, rows).sum(axis=2)
        tables = entropy_bonus(some, S, A, H, self.delta)
        value = np.zeros(S)
        policy = np.empty((H, S, A))
        for h in reversed(range(H)):
            cap = (H - h) * np.log(S * A)
            q = rows @ value + self.factor * (cap * tables[0] + tables[1])
            if h < H - 1 or self.include_last:
                q = q + entropies
            q = np.where(n > 0, q, cap)
            policy[h] = softmax(q, axis=1)
            value = np.minimum(logsumexp(q, axis=1), cap)
        self.policy = policy
        return policy

    def act(self, stage: int, state: int) -> int:
        """An action drawn from the plan."""
        law = np.cumsum(self.policy[stage, state])
        return min(int(np.searchsorted(law, self._actions.uniform(), side="right")), len(law) - 1)

    def observe(self, stage: int, state: int, action: int, reward: float, next_state: int) -> None:
        """One more step, counted for all stages."""
        if next_state < 0:
            raise ModelError("an episode ended before its horizon; UCBVI-Ent takes none that do")
        self.visits[state, action] += 1
        self.transitions[state, action, next_state] += 1


def entropy_bonus(
    n: NDArray[np.int64], states: int, actions: int, horizon: int, delta: float
) -> tuple[Vector, Vector]:
    """sqrt(beta_1 / n), which v_h multiplies, and sqrt(beta_2 / n) + beta_3 / n; n at least 1.

    Examples
    --------
    >>> import numpy as np
    >>> from rltheory.demonstrations.ucbvi_ent import entropy_bonus
    >>> [round(float(x), 4) for x in entropy_bonus(np.array(100), 3, 2, 4, 0.1)]
    [0.4377, 1.5821]
    """
    level = np.log(4.0 * states * actions * horizon / delta)
    beta_1 = level + np.log(4.0 * np.e * n * (2.0 * n + 1.0))
    beta_2 = level + np.log(n) ** 2 * np.log(2.0 * n * (n + 1.0))
    others = max(states - 1, 1)
    beta_3 = (states - 1) * np.log(np.e * (1.0 + n / others)) + 1.0
    return np.sqrt(beta_1 / n), np.sqrt(beta_2 / n) + beta_3 / n
