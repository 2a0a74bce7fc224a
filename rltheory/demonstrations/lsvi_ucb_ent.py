r"""LSVI-UCB-Ent: certified exploration of a linear MDP, regularised by a reference policy.

Features phi(s, a) of norm at most 1, rewards r_h(s, a) in [0, 1] that are known, stages h = 0..H-1,
a reference, a temperature lambda. From the steps seen at stage h so far, M_h = ridge I + sum phi
phi^T, and backward from U' = L' = 0 at H,

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
from rltheory.errors import ModelError
from rltheory.mathematics.concentration import kl_ucb
from rltheory.mdp.arguments import at_least
from rltheory.mdp.linear import LinearMDP
from rltheory.mdp.policies import weights_of
from rltheory.mdp.simulator import keys_of
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

    The smallest fixed point of

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
    if not 0.0 < delta < 1.0:
        raise ModelError(f"delta is {delta!r}; it must be in (0, 1)")
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
    if not 0.0 < delta < 1.0:
        raise ModelError(f"delta is {delta!r}; it must be in (0, 1)")
    if not 0.0 <= mean <= most * (1.0 + 1e-12) or not most < math.inf:
        raise ModelError(f"mean is {mean!r} and most is {most!r}; the mean must be in [0, most]")
    if most == 0.0:
        return 0.0
    level = math.log(2.0 * check * (check + 1) / delta) / roll_outs
    return most * float(kl_ucb(min(mean / most, 1.0), level))


def lsvi_ucb_ent(
    mdp: LinearMDP,
    reference: Any,
    temperature: float,
    epsilon: float,
    delta: float = 0.1,
    *,
    episodes: int,
    radius: Any = None,
    ridge: float = 1.0,
    roll_outs: int | None = None,
    seed: int | np.random.SeedSequence = 0,
) -> LinearBPIResult:
    """Look for a policy whose regularised value is within epsilon of the best, in a linear MDP.

    Parameters
    ----------
    mdp : LinearMDP
        With a start law; rewards in [0, 1]. Its rewards and features are known, its measures are
        only sampled from.
    reference : array_like, shape (S, A) or (H, S, A)
        As in `solve_regularized`.
    temperature : float
        lambda > 0.
    epsilon, delta : float
        Above 0; in (0, 1).
    episodes : int
        T, at least 1: how many are played at most, roll-outs apart.
    radius : float or array_like, shape (H,), optional
        In place of `lsvi_ucb_ent_radius`; at least 0. What holds then is not proved.
    ridge : float
        Above 0; at most 1 without `radius`.
    roll_outs : int, optional
        m, at least 1. Left out: four times the fewest with which a check can succeed, or a
        twentieth of the episodes so far.
    seed : int or SeedSequence

    Returns
    -------
    LinearBPIResult
        With probability 1 - delta, ``bound`` holds, and so do ``lower``, ``upper``, ``q_lower`` and
        ``q_upper``. Not stopped where the episodes were used up.

    Raises
    ------
    ModelError, PolicyError
        If an argument does not fit.

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.random_linear_mdp(states=6, actions=3, dimension=3, horizon=3)
    >>> uniform = rlt.uniform_policy(mdp.tabular())
    >>> found = rlt.lsvi_ucb_ent(mdp, uniform, 1.0, 0.2, episodes=20_000, radius=1.0)
    >>> found.stopped, found.bound <= 0.2
    (True, True)
    >>> best = rlt.solve_regularized(mdp.tabular(), 1.0, uniform)
    >>> bool(found.lower <= mdp.initial @ best.value[0] <= found.upper)
    True
    """
    if not isinstance(mdp, LinearMDP):
        raise ModelError(f"lsvi_ucb_ent takes a LinearMDP, not {type(mdp).__name__}")
    if mdp.initial is None:
        raise ModelError("the model has no start law; give initial= when it is made")
    lam = read_temperature(temperature)
    if not 0.0 < epsilon < math.inf:
        raise ModelError(f"epsilon is {epsilon!r}; it must be above 0 and finite")
    if not 0.0 < delta < 1.0:
        raise ModelError(f"delta is {delta!r}; it must be in (0, 1)")
    at_least("episodes", episodes, 1)
    if roll_outs is not None:
        at_least("roll_outs", roll_outs, 1)
    if not 0.0 < ridge < math.inf:
        raise ModelError(f"ridge is {ridge!r}; it must be above 0 and finite")
    H = mdp.horizon
    if radius is None:
        radius = lsvi_ucb_ent_radius(mdp.dimension, H, episodes, delta, ridge)
    radii = _radii(radius, H)
    table = mdp.tabular()
    core = _learner(mdp, table, reference, lam, radii, ridge)
    world = _core.learning.World(table.core, mdp.initial, H)
    left = np.arange(H - 1, -1, -1, dtype=np.float64)
    most = float(np.minimum(left, left**2 / (8.0 * lam)).sum())
    start = mdp.initial / mdp.initial.sum()
    keys = keys_of(seed, "lsvi-ucb-ent", "starts", "transitions", "stages", "actions")
    fresh = keys_of(seed, "lsvi-ucb-ent-roll-out", "starts", "transitions", "stages", "actions")
    played = rolled = steps = next_check = 0
    history: list[tuple[int, int, float]] = []
    while True:
        core.plan()
        if played >= next_check or played >= episodes:
            check = len(history) + 1
            m = 0
            if most > epsilon:
                m = roll_outs or _roll_outs(most, epsilon, check, delta, played)
            bound = most
            if m:
                total = core.roll_out(world, fresh, rolled, m)
                bound = roll_out_bound(min(total / m, most), m, check, delta, most)
            rolled += m
            history.append((played, m, bound))
            next_check = played + max(1, math.ceil(_CHECK * played))
            if bound <= epsilon or played >= episodes:
                break
        batch = min(max(1, math.floor(_GROWTH * played)), episodes - played)
        steps += core.explore(world, keys, played, batch)
        played += batch
    return LinearBPIResult(
        policy=core.policy,
        stopped=bound <= epsilon,
        bound=bound,
        lower=float(start @ core.lower[0]),
        upper=float(start @ core.upper[0]),
        q_lower=core.q_lower,
        q_upper=core.q_upper,
        episodes=played,
        roll_outs=rolled,
        steps=steps,
        radius=radii,
        history=tuple(history),
    )


def _learner(
    mdp: LinearMDP, table: Any, reference: Any, temperature: float, radii: Vector, ridge: float
) -> Any:
    shape = (mdp.horizon, mdp.n_states, mdp.n_actions)
    rewards = mdp.mean_rewards
    if not bool(((rewards >= -1e-9) & (rewards <= 1.0 + 1e-9)).all()):
        raise ModelError(
            f"rewards are in [{rewards.min()!s}, {rewards.max()!s}]; they must be in [0, 1]"
        )
    flat = weights_of(table, reference).reshape(-1, *shape[1:])
    weight = np.ascontiguousarray(np.broadcast_to(flat, shape))
    with np.errstate(divide="ignore"):
        log_weight = np.log(weight)
    return _core.learning.SoftLinearLearner(
        np.ascontiguousarray(mdp.features),
        np.ascontiguousarray(np.clip(rewards, 0.0, 1.0)),
        weight,
        log_weight,
        radii,
        ridge,
        temperature,
    )


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
