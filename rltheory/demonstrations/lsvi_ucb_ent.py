r"""LSVI-UCB-Ent: certified exploration of a linear MDP, regularised by a reference policy.

Features phi(s, a) of norm at most 1, in which rows are linear; rewards r_h(s, a) in [0, 1] and a
start law that are known; stages h = 0..H-1, a reference, a temperature lambda. From the steps seen
at stage h so far, M_h = ridge I + sum phi phi^T, and backward from U' = L' = 0 at H,

    U_h = r_h + clip(phi^T M_h^-1 sum phi U'(s') + beta |phi|_{M_h^-1}, 0, H-1-h),
    L_h = r_h + clip(phi^T M_h^-1 sum phi L'(s') - beta |phi|_{M_h^-1}, 0, H-1-h),

U', L' the soft maxima at the next stage, pi_h ~ reference exp(U_h / lambda). An episode plays pi
but for one of H + 1 equally likely choices: a stage, where the action of largest U_h - L_h is
taken, or none. With beta = `lsvi_ucb_ent_radius` all Q*_h are in [L_h, U_h], in all of T episodes,
but for chance delta/2. Then with D_h(s) = max_a (U_h - L_h) over allowed actions, 0 where there is
one alone,

    V*_lambda - V^pi_lambda <= E_pi sum_h X_h(s_h),    X_h = min{D_h, D_h^2 / (8 lambda)},

and the mean is estimated without a model: at check k = 1, 2, ... pi plays m fresh episodes, whose
mean is mu_hat, and with X = sum_h min{H-1-h, (H-1-h)^2/(8 lambda)} the run stops if

    X klUCB(mu_hat / X, log(2 k (k+1) / delta) / m) <= epsilon,

which is wrong with chance delta/2 at most. The beta of the theorem is of order d H: intervals say
nothing until some beta^2 / H^2 steps were seen in each direction. Plans, episodes and roll-outs are
compiled (`cpp/learning/soft_linear.hpp`). Proofs: docs/theory/linear_demonstrations.md. Source:
Tiapkin et al., ICLR 2024, arXiv 2310.17303 (their stages count from 1); Jin et al., COLT 2020.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory import _core
from rltheory.demonstrations.exploration import known_problem, read_level, read_reference
from rltheory.errors import ModelError
from rltheory.learning.lsvi_ucb import read_features
from rltheory.learning.tabular import whole_episodes
from rltheory.mathematics.concentration import kl_ucb
from rltheory.mdp.arguments import at_least
from rltheory.mdp.streams import Stream, philox_key
from rltheory.solvers.reference_laws import read_temperature

__all__ = ["LinearBPIResult", "lsvi_ucb_ent", "lsvi_ucb_ent_radius", "roll_out_bound"]

Vector = NDArray[np.float64]
_GROWTH = 0.05  # a batch of episodes is this share of those before it
_CHECK = 0.25  # a check is made when there are this share more than at the last one
_MORE = 4.0  # times the fewest roll-outs that could do, or
_SHARE = 0.05  # of the episodes so far, a quarter of them over all checks
_MOST_ROLL_OUTS = 2**31


@dataclass(frozen=True, eq=False, repr=False)
class LinearBPIResult:
    """The policy of the last plan, and how far it may be from the regularised optimum.

    Parameters
    ----------
    policy : ndarray of float64, shape (H, S, A)
    stopped : bool
        Whether `bound` is at most epsilon.
    bound : float
        Of V*_lambda - V^policy_lambda at the start law, by the last check, that of this policy.
    lower, upper : float
        Bounds of V*_lambda at the start law.
    q_lower, q_upper : ndarray of float64, shape (H, S, A)
    episodes, roll_outs, steps : int
        Episodes learned from and played for checks, and steps of the former.
    radius : ndarray of float64, shape (H,)
    history : tuple of (int, int, float)
        Of each check: episodes before it, its roll-outs, its bound.
    """

    policy: Vector
    stopped: bool
    bound: float
    lower: float
    upper: float
    q_lower: Vector
    q_upper: Vector
    episodes: int
    roll_outs: int
    steps: int
    radius: Vector
    history: tuple[tuple[int, int, float], ...]

    def __repr__(self) -> str:
        how = "stopped" if self.stopped else "not stopped"
        return (
            f"LinearBPIResult({how}, bound {self.bound:.4g}, value in [{self.lower:.4g}, "
            f"{self.upper:.4g}], {self.episodes} episodes, {self.roll_outs} roll-outs)"
        )


def lsvi_ucb_ent_radius(
    dimension: int, horizon: int, episodes: int, delta: float, ridge: float = 1.0
) -> float:
    r"""beta: intervals of LSVI-UCB-Ent hold in so many episodes with probability 1 - delta/2.

    The smallest fixed point of ::

        beta = sqrt(ridge d) H + H/sqrt(2) sqrt(d/2 log(1 + T/(ridge d)) + log(4H/delta) + log N)
               + 2 eps sqrt(T),            eps = H sqrt(d/T),
        log N = d log(1 + 4 H sqrt(dT/ridge)/eps) + d^2 log(1 + 8 sqrt(d) beta^2/(ridge eps^2)).

    Parameters
    ----------
    dimension, horizon, episodes : int
        d, H and T, at least 1 each.
    delta : float
        In (0, 1).
    ridge : float
        In (0, 1].

    Examples
    --------
    >>> import rltheory as rlt
    >>> round(rlt.lsvi_ucb_ent_radius(6, 3, 1000, 0.1), 1), round(
    ...     rlt.lsvi_ucb_ent_radius(2, 3, 10_000, 0.1), 1
    ... )
    (73.6, 33.7)
    """
    for name, size in (("dimension", dimension), ("horizon", horizon), ("episodes", episodes)):
        at_least(name, size, 1)
    read_level("delta", delta, 1.0)
    if not 0.0 < ridge <= 1.0:
        raise ModelError(f"ridge is {ridge!r}; it must be in (0, 1]")
    d, H, T = dimension, horizon, episodes
    eps = H * math.sqrt(d / T)
    fixed = math.sqrt(ridge * d) * H + 2.0 * eps * math.sqrt(T)
    level = d / 2.0 * math.log1p(T / (ridge * d)) + math.log(4.0 * H / delta)
    level += d * math.log1p(4.0 * H * math.sqrt(d * T / ridge) / eps)
    beta = float(H)
    while True:  # increases, and is concave in log beta: towards the smallest fixed point
        net = d * d * math.log1p(8.0 * math.sqrt(d) * beta * beta / (ridge * eps * eps))
        more = fixed + H / math.sqrt(2.0) * math.sqrt(level + net)
        if more <= beta * (1.0 + 1e-12):
            return more * (1.0 + 1e-9)
        beta = more


def roll_out_bound(mean: float, roll_outs: int, check: int, delta: float, most: float) -> float:
    """What a mean in [0, most] is below at every check at once, with probability 1 - delta/2.

    Parameters
    ----------
    mean : float
        Of the roll-outs of this check, in [0, most].
    roll_outs, check : int
        m and k, at least 1.
    delta : float
        In (0, 1).
    most : float
        At least 0.

    Returns
    -------
    float
        most * klUCB(mean / most, log(2 k (k+1) / delta) / m).

    Examples
    --------
    >>> from rltheory.demonstrations.lsvi_ucb_ent import roll_out_bound
    >>> round(roll_out_bound(0.0, roll_outs=1000, check=1, delta=0.1, most=2.0), 6)
    0.007364
    """
    at_least("roll_outs", roll_outs, 1)
    at_least("check", check, 1)
    read_level("delta", delta, 1.0)
    if not 0.0 <= mean <= most * (1.0 + 1e-12) or not most < math.inf:
        raise ModelError(f"mean is {mean!r} and most is {most!r}; the mean must be in [0, most]")
    if most == 0.0:
        return 0.0
    level = math.log(2.0 * check * (check + 1) / delta) / roll_outs
    return most * float(kl_ucb(min(mean / most, 1.0), level))


def lsvi_ucb_ent(
    access: Any,
    reference: Any,
    temperature: float,
    epsilon: float,
    delta: float = 0.1,
    *,
    episodes: int,
    features: Any = None,
    radius: Any = None,
    ridge: float = 1.0,
    roll_outs: int | None = None,
    seed: int | np.random.SeedSequence = 0,
) -> LinearBPIResult:
    """Look for a policy whose regularised value is within epsilon of the best, in a linear MDP.

    Parameters
    ----------
    access : online access to a model with a horizon
        `rltheory.online` of a `LinearMDP`, for instance. Rewards in [0, 1] and the start law are
        known; of moves, episodes are all that is seen.
    reference : array_like, shape (S, A) or (H, S, A)
        Probabilities; actions of probability 0 are never played.
    temperature : float
        lambda > 0.
    epsilon, delta : float
        Above 0; in (0, 1).
    episodes : int
        T, at least 1: how many are played at most, roll-outs apart.
    features : array_like, shape (S, A, d), optional
        Of norm at most 1; those of the model if left out. What is proved holds where rows are
        linear in them, as in a `LinearMDP`; rewards need not be.
    radius : float or array_like, shape (H,), optional
        In place of `lsvi_ucb_ent_radius`; at least 0. What holds then is not proved.
    ridge : float
        Above 0; at most 1 without `radius`.
    roll_outs : int, optional
        m, at least 1. Left out: four times the fewest with which a check can succeed, or a
        twentieth of the episodes so far.
    seed : int or SeedSequence
        For the learner's own random numbers; those of the model belong to the access.

    Returns
    -------
    LinearBPIResult
        With probability 1 - delta, ``bound`` holds, and so do ``lower``, ``upper``, ``q_lower`` and
        ``q_upper``. Not stopped where the episodes were used up.

    Raises
    ------
    AccessError
        If the access does not say rewards and start law, or cannot be stepped.
    ModelError, PolicyError
        If an argument does not fit.

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.random_linear_mdp(states=6, actions=3, dimension=3, horizon=3)
    >>> uniform = rlt.uniform_policy(mdp.tabular())
    >>> access = rlt.online(mdp, seed=0)
    >>> found = rlt.lsvi_ucb_ent(access, uniform, 1.0, 0.2, episodes=20_000, radius=1.0)
    >>> found.stopped, found.bound <= 0.2
    (True, True)
    >>> access.used.episodes == found.episodes + found.roll_outs
    True
    >>> best = rlt.solve_regularized(mdp.tabular(), 1.0, uniform)
    >>> bool(found.lower <= mdp.initial @ best.value[0] <= found.upper)
    True
    """
    known = known_problem(access)
    H, S, A = known.rewards.shape
    lam, epsilon = read_temperature(temperature), read_level("epsilon", epsilon, math.inf)
    delta, ridge = read_level("delta", delta, 1.0), read_level("ridge", ridge, math.inf)
    at_least("episodes", episodes, 1)
    if roll_outs is not None:
        at_least("roll_outs", roll_outs, 1)
    phi = read_features(_own(access) if features is None else features)
    if phi.shape[:2] != (S, A):
        raise ModelError(f"features has shape {phi.shape}; it must be ({S}, {A}, d)")
    if radius is None:
        radius = lsvi_ucb_ent_radius(phi.shape[2], H, episodes, delta, ridge)
    radii = _radii(radius, H)
    weight = read_reference(reference, known)
    with np.errstate(divide="ignore"):
        log_weight = np.log(weight)
    rewards = np.nan_to_num(known.rewards)  # of actions that are not there, and have weight 0
    core = _core.learning.SoftLinearLearner(phi, rewards, weight, log_weight, radii, ridge, lam)
    play = _Player(core, access, known, seed)
    left = np.arange(H - 1, -1, -1, dtype=np.float64)
    most = float(np.minimum(left, left**2 / (8.0 * lam)).sum())
    next_check = 0
    history: list[tuple[int, int, float]] = []
    while True:
        core.plan()
        if play.episodes >= next_check or play.episodes >= episodes:
            check, m, bound = len(history) + 1, 0, most
            if most > epsilon:
                m = roll_outs or _roll_outs(most, epsilon, check, delta, play.episodes)
                bound = roll_out_bound(min(play.roll_out(m) / m, most), m, check, delta, most)
            history.append((play.episodes, m, bound))
            next_check = play.episodes + max(1, math.ceil(_CHECK * play.episodes))
            if bound <= epsilon or play.episodes >= episodes:
                break
        batch = max(1, math.floor(_GROWTH * play.episodes))
        play.explore(min(batch, episodes - play.episodes))
    start = known.initial / known.initial.sum()
    return LinearBPIResult(
        policy=core.policy,
        stopped=bound <= epsilon,
        bound=bound,
        lower=float(start @ core.lower[0]),
        upper=float(start @ core.upper[0]),
        q_lower=core.q_lower,
        q_upper=core.q_upper,
        episodes=play.episodes,
        roll_outs=play.rolled,
        steps=play.steps,
        radius=radii,
        history=tuple(history),
    )


class _Player:
    """Plays through the access: whole batches in the core where it can, or step by step.

    The same words decide the same things either way. What is drawn for episodes and for roll-outs
    are streams of their own, each with one word an episode for the stage and H for the actions.
    """

    def __init__(self, core: Any, access: Any, known: Any, seed: Any) -> None:
        self.core, self.access, self.horizon = core, access, len(known.rewards)
        self.episodes = self.rolled = self.steps = 0
        names = [f"lsvi-ucb-ent-{name}" for name in ("stages", "actions", "fresh", "fresh-actions")]
        self.streams = [Stream(seed, name) for name in names]
        self.keys = [philox_key(seed, name) for name in names]
        whole = whole_episodes(access)
        self.world = None
        if whole is not None:
            self.world = _core.learning.World(whole[0].core, known.initial, self.horizon)

    def explore(self, episodes: int) -> None:
        """Learns from so many episodes."""
        if self.world is None:
            self.steps += sum(self._step_by_step(0) for _ in range(episodes))
        else:
            keys, first = self._words(0)
            steps = self.core.explore(self.world, keys, first, self.episodes, episodes)
            self.access.count(episodes, steps)
            self.steps += steps
        self.episodes += episodes

    def roll_out(self, episodes: int) -> float:
        """Sum of what so many episodes of the policy say that it may lose."""
        if self.world is None:
            total = math.fsum(self._step_by_step(2) for _ in range(episodes))
        else:
            keys, first = self._words(2)
            total, steps = self.core.roll_out(self.world, keys, first, self.rolled, episodes)
            self.access.count(episodes, steps)
        self.rolled += episodes
        return total

    def _words(self, own: int) -> tuple[NDArray[np.uint64], int]:
        found = whole_episodes(self.access)
        assert found is not None
        words = found[1]
        four = (*words.starts, *words.transitions, *self.keys[own], *self.keys[own + 1])
        return np.array(four, dtype=np.uint64), words.first_episode

    def _step_by_step(self, own: int) -> Any:
        """One episode: its length where it learns, otherwise what the policy may lose on it."""
        stages, actions = self.streams[own : own + 2]
        learns, H, excess = own == 0, self.horizon, self.core.excess
        exploring = (int(stages.words(1)[0]) * (H + 1) >> 64) - 1
        uniforms = actions.uniforms(H).tolist()
        state, lost = self.access.reset(), 0.0
        for h in range(H):
            lost += float(excess[h, state])
            action = self.core.act(h, state, uniforms[h], learns and h == exploring)
            step = self.access.step(action)
            if learns:
                self.core.observe(h, state, action, step.state)
            state = step.state
            if step.ended:
                break
        return h + 1 if learns else lost


def _own(access: Any) -> Any:
    features = getattr(getattr(access, "mdp_info", None), "features", None)
    if features is None:
        raise ModelError("features are missing: the model has none of its own")
    return features


def _radii(radius: Any, horizon: int) -> Vector:
    try:
        given = np.asarray(radius, dtype=np.float64)
        valid = given.shape in ((), (horizon,)) and bool(((given >= 0) & (given < np.inf)).all())
    except (TypeError, ValueError):
        valid = False
    if not valid:
        raise ModelError(
            f"radius is {radius!r}; it must be a number of at least 0, or {horizon} of them"
        )
    return np.ascontiguousarray(np.broadcast_to(given, (horizon,)))


def _roll_outs(most: float, epsilon: float, check: int, delta: float, played: int) -> int:
    """klUCB(0, c) = 1 - e^-c: fewer than level / -log(1 - epsilon/most) cannot do."""
    level = math.log(2.0 * check * (check + 1) / delta)
    enough = -_MORE * level / math.log1p(-epsilon / most)
    return min(_MOST_ROLL_OUTS, math.ceil(max(enough, _SHARE * played)))
