r"""LSVI-UCB: optimistic least-squares value iteration in a linear MDP (Jin et al., COLT 2020).

Rewards in [0, 1], features phi(s, a) in R^d of norm at most 1. Before an episode, from the steps
seen at each stage h = 0..H-1 in the episodes so far, and from V_H = 0,

    M_h = ridge I + sum phi phi^T,    w_h = M_h^-1 sum phi (r + V_{h+1}(s')),
    Q_h = clip(phi^T w_h + radius_h |phi|_{M_h^-1}, 0, H-h),   V_h = max_a Q_h,

and the episode is played greedily, the first of the best actions. With `switch` = c > 1 the plan
stays until some det M_h is more than c times what it was at the last plan (rare switching:
Abbasi-Yadkori, Pal and Szepesvari, NeurIPS 2011; Wang, Zhou and Gu, NeurIPS 2021), at most
1 + sum_h log_c(det M_h / ridge^d) plans in all.

On an event of probability 1 - delta every Q_h is at least Q*_h, for K episodes and with the radii,
B_h = H - h,

    radius_h = sqrt(ridge d) B_h + B_h/2 sqrt(2 log(H N_h / delta) + d log(1 + K/(d ridge)))
               + 2 B_{h+1},

where N_h covers the values V_{h+1} to within B_{h+1} / sqrt(K): N_{H-1} = 1, and otherwise the
lesser of two, with r = radius_{h+1},

    log N_h = S log ceil(sqrt(K)/2),
    log N_h = d log(1 + 4 K sqrt(d/ridge)) + d^2 log(1 + 8 sqrt(d) r^2 K / (ridge B_{h+1}^2)).

It supposes |theta_h + sum_s' mu_h(s') v(s')| <= sqrt(d) B_h for v in [0, B_{h+1}], as simplex
features and Jin's normalisation do. Proofs, and the regret bound: docs/theory/linear.md. Plans and
updates are compiled (`cpp/learning/linear_loop.hpp`); their cost does not grow with the episodes.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rltheory import _core
from rltheory.errors import ModelError
from rltheory.learning.core_learner import CoreLearner
from rltheory.mdp.arguments import at_least
from rltheory.mdp.intake import real_numbers

__all__ = ["LSVIUCB", "lsvi_ucb_radii", "lsvi_ucb_regret_bound", "read_features"]


def lsvi_ucb_radii(
    dimension: int,
    horizon: int,
    episodes: int,
    delta: float,
    ridge: float = 1.0,
    states: int | None = None,
) -> NDArray[np.float64]:
    """The radii under which LSVI-UCB is optimistic in all episodes with probability 1 - delta.

    Parameters
    ----------
    dimension, horizon, episodes : int
        d, H, K, at least 1 each.
    delta : float
        In (0, 1).
    ridge : float
        Above 0.
    states : int, optional
        S; when left out, values are covered through the features alone.

    Returns
    -------
    ndarray of float64, shape (H,)

    Raises
    ------
    ModelError
        If an argument is out of its range.

    Examples
    --------
    >>> import rltheory as rlt
    >>> rlt.lsvi_ucb_radii(3, 3, episodes=1000, delta=0.1, states=5).round(2).tolist()
    [20.01, 12.67, 4.19]
    >>> rlt.lsvi_ucb_radii(3, 1, episodes=1000, delta=0.1).round(2).tolist()
    [4.08]
    """
    for name, value in (("dimension", dimension), ("horizon", horizon), ("episodes", episodes)):
        at_least(name, value, 1)
    if states is not None:
        at_least("states", states, 1)
    _check_delta(delta)
    _check_ridge(ridge)
    d, H, K = dimension, horizon, episodes
    log_det = d * math.log1p(K / (d * ridge))
    radii = np.zeros(H)
    for h in reversed(range(H)):
        B, ahead = H - h, H - h - 1
        log_net = 0.0
        if ahead:
            log_net = d * math.log1p(4.0 * K * math.sqrt(d / ridge)) + d * d * math.log1p(
                8.0 * math.sqrt(d) * (radii[h + 1] / ahead) ** 2 * K / ridge
            )
            if states is not None:
                log_net = min(log_net, states * math.log(math.ceil(math.sqrt(K) / 2.0)))
        noise = 2.0 * (math.log(H / delta) + log_net) + log_det
        radii[h] = math.sqrt(ridge * d) * B + B / 2.0 * math.sqrt(noise) + 2.0 * ahead
    return radii


def lsvi_ucb_regret_bound(
    dimension: int,
    horizon: int,
    episodes: int,
    delta: float,
    ridge: float = 1.0,
    states: int | None = None,
    switch: float | None = None,
) -> float:
    """What the regret of LSVI-UCB with its default radii exceeds with probability at most delta.

    With the radii of level delta/2, c = 1 or the switching ratio:

        sum_h 2 radius_h sqrt(c K d log(1 + K/(d ridge)) / log 2)
            + H(H+1)/2 sqrt(K log(2/delta) / 2),

    proved in docs/theory/linear.md for rewards in [0, 1].

    Parameters
    ----------
    dimension, horizon, episodes, delta, ridge, states
        As in `lsvi_ucb_radii`, of a learner with half this delta.
    switch : float, optional
        As in `LSVIUCB`.

    Returns
    -------
    float
        It says something where it is below the trivial bound, horizon times episodes.

    Raises
    ------
    ModelError
        If an argument is out of its range, or the ridge is below 1/4, for which it is not proved.

    Examples
    --------
    >>> import rltheory as rlt
    >>> round(rlt.lsvi_ucb_regret_bound(3, 3, episodes=10**6, delta=0.1, states=5))  # of 3e6
    687433
    """
    _check_delta(delta)
    _check_switch(switch)
    radii = lsvi_ucb_radii(dimension, horizon, episodes, delta / 2.0, ridge, states)
    if ridge < 0.25:  # 2 radius_h >= H - h is what the proof uses
        raise ModelError(f"ridge is {ridge!r}; the bound is proved for ridges of at least 1/4")
    d, H, K = dimension, horizon, episodes
    potential = (switch or 1.0) * K * d * math.log1p(K / (d * ridge)) / math.log(2.0)
    chance = H * (H + 1) / 2.0 * math.sqrt(K * math.log(2.0 / delta) / 2.0)
    return float(2.0 * radii.sum() * math.sqrt(potential) + chance)


class LSVIUCB(CoreLearner):
    """LSVI-UCB: a learner for models that are linear in known features.

    Parameters
    ----------
    features : array_like, shape (S, A, d)
        Of norm at most 1.
    delta : float
        In (0, 1): how often optimism may fail under the radii of `lsvi_ucb_radii`.
    radius : float or array_like, shape (H,), optional
        In place of these radii, beta of the paper; at least 0. A small constant learns much
        faster, and nothing is proved of it.
    ridge : float
        Above 0.
    switch : float, optional
        Above 1: plan anew only when a determinant has grown by this factor (2 is usual); in every
        episode when left out.

    Raises
    ------
    ModelError
        If an argument is out of its range; when learning begins, if features and task differ; when
        a reward is met that is not in [0, 1].

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.random_linear_mdp(states=5, actions=2, dimension=3, horizon=3)
    >>> learner = rlt.LSVIUCB(mdp.features, radius=0.5, switch=2.0)
    >>> learner
    LSVIUCB(dimension 3, radius 0.5, ridge 1, switch 2)
    """

    def __init__(
        self,
        features: ArrayLike,
        delta: float = 0.1,
        *,
        radius: Any = None,
        ridge: float = 1.0,
        switch: float | None = None,
    ) -> None:
        self.features = read_features(features)
        _check_delta(delta)
        _check_ridge(ridge)
        self.radius = None if radius is None else real_numbers("radius", radius)
        if self.radius is not None and not bool(
            ((self.radius >= 0.0) & (self.radius < np.inf)).all()
        ):
            raise ModelError("radius must be at least 0 and finite")
        _check_switch(switch)
        self.delta, self.ridge, self.switch = float(delta), float(ridge), switch
        self.core: Any = None

    def begin(self, task: Any) -> None:
        """Forget everything; radii that were not given follow from the number of episodes."""
        S, A, d = self.features.shape
        if (task.n_states, task.n_actions) != (S, A):
            raise ModelError(
                f"features are those of {S} states and {A} actions; the task has "
                f"{task.n_states} and {task.n_actions}"
            )
        H = int(task.horizon)
        radii = self.radius
        if radii is None:
            radii = lsvi_ucb_radii(d, H, task.episodes, self.delta, self.ridge, S)
        if radii.shape not in ((), (H,)):
            raise ModelError(f"radius has shape {radii.shape}; it must be a number or ({H},)")
        self.radii = np.ascontiguousarray(np.broadcast_to(radii, (H,)))
        caps = np.arange(H, 0, -1, dtype=np.float64)
        log_switch = -1.0 if self.switch is None else math.log(self.switch)
        self.core = _core.learning.LinearLearner(
            H, self.features, self.ridge, self.radii, caps, log_switch
        )

    @property
    def q(self) -> NDArray[np.float64]:
        """Upper bounds of Q* of the last plan, shape (H, S, A)."""
        return self._begun.q

    @property
    def weights(self) -> NDArray[np.float64]:
        """w_h of the last plan, shape (H, d)."""
        return self._begun.weights

    @property
    def plans(self) -> int:
        """How often a plan was made."""
        return int(self._begun.plans)

    def __repr__(self) -> str:
        radius = "by default" if self.radius is None else str(self.radius.tolist())
        switch = "" if self.switch is None else f", switch {self.switch:g}"
        return (
            f"LSVIUCB(dimension {self.features.shape[2]}, radius {radius}, "
            f"ridge {self.ridge:g}{switch})"
        )


def read_features(features: Any) -> NDArray[np.float64]:
    """Features of pairs, (S, A, d), of norm at most 1; not to be written to.

    Raises
    ------
    ModelError
        If they are none.
    """
    table = np.array(real_numbers("features", features))
    if table.ndim != 3 or 0 in table.shape:
        raise ModelError(f"features has shape {table.shape}; it must be (S, A, d)")
    norms = np.linalg.norm(table, axis=2)
    wrong = np.argwhere(~(norms <= 1.0 + 1e-9))
    if len(wrong):
        s, a = wrong[0]
        raise ModelError(f"features[{s}, {a}] has norm {norms[s, a]:.9g}; it must be at most 1")
    table.setflags(write=False)
    return table


def _check_delta(delta: float) -> None:
    if not 0.0 < delta < 1.0:
        raise ModelError(f"delta is {delta!r}; it must be in (0, 1)")


def _check_ridge(ridge: float) -> None:
    if not 0.0 < ridge < np.inf:
        raise ModelError(f"ridge is {ridge!r}; it must be above 0 and finite")


def _check_switch(switch: float | None) -> None:
    if switch is not None and not 1.0 < switch < np.inf:
        raise ModelError(f"switch is {switch!r}; it must be above 1 and finite")
