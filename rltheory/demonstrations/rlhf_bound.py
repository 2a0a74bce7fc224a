r"""What a fitted reward may cost: the gap of demonstration-regularised RLHF, term by term.

The problem: stages h = 0..H-1, true rewards r*, fitted rewards r_hat, a reference policy, an
expert, a temperature lambda, and a policy pi_hat that is within eps of the best in the
lambda-regularised model with rewards r_hat. With f = r* - r_hat summed along a trajectory, and
under the reference f_bar = E f, v = Var f, b = max(f - f_bar), B = max(f_bar - f),
K = KL(expert || reference) of trajectories, phi(x) = (e^x - 1 - x)/x^2:

    V*(r*) - V^pi_hat(r*) <= [V*(r*) - V^E(r*)] + eps + lambda K
                             + (sqrt(2 v K) + b K / 3) + (v / lambda) phi(B / lambda).

The last two are bounds of E_E(f - f_bar) and of lambda log E exp(-(f - f_bar)/lambda), which for
rewards that add over stages are computed as well: they give the sharper total. Means, variances,
extremes and exponential moments of f go backward over stages; no trajectory is listed. Proof:
docs/theory/preferences.md (claim demo-rlhf-det).
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory.demonstrations.trajectory_kl import trajectory_kl
from rltheory.errors import ModelError
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.intake import real_numbers
from rltheory.mdp.policies import weights_of
from rltheory.solvers.evaluate import evaluate
from rltheory.solvers.reference_laws import read_temperature
from rltheory.solvers.solve import solve

__all__ = ["phi", "rlhf_gap_bound"]

Vector = NDArray[np.float64]


def phi(x: float) -> float:
    """(e^x - 1 - x) / x^2, 1/2 at 0, for x >= 0; infinite where it overflows.

    Examples
    --------
    >>> from rltheory.demonstrations.rlhf_bound import phi
    >>> phi(0.0), round(phi(1.0), 12)  # e - 2
    (0.5, 0.718281828459)
    """
    if x < 0.5:
        return math.fsum(x**k / math.factorial(k + 2) for k in range(18))
    return math.inf if x > 700.0 else (math.expm1(x) - x) / (x * x)


def rlhf_gap_bound(
    mdp: EpisodicMDP,
    reward_hat: Any,
    reference: Any,
    expert: Any,
    temperature: float,
    eps_rl: float = 0.0,
) -> dict[str, float]:
    """The bound of the gap of a policy planned with a fitted reward, term by term.

    Parameters
    ----------
    mdp : EpisodicMDP
        With the true rewards, a start law, and all actions everywhere.
    reward_hat : array_like, shape (S, A) or (H, S, A)
        The rewards that were planned with.
    reference, expert : array_like
        Policies, as in `evaluate`.
    temperature : float
        lambda > 0.
    eps_rl : float
        At least 0: how far the policy is from the best regularised value with `reward_hat`.

    Returns
    -------
    dict
        "expert", "planning" (eps), "divergence" (lambda K), "transport", "variance": the five terms
        and their "total"; "sharp", the total with the expectation and the exponential moment of f
        themselves in place of the last two; and "kl", "error_variance", "error_above" (b),
        "error_below" (B), from which they come. Infinite where the reference forbids what the
        expert does.

    Raises
    ------
    ModelError, PolicyError
        If an argument does not fit the model.

    Examples
    --------
    A bandit of five arms, and a reward that is wrong where the reference hardly goes:

    >>> import rltheory as rlt
    >>> mdp = rlt.EpisodicMDP([[[1.0]] * 5], [[0.5, 0, 0, 0, 0]], horizon=1, initial=[1.0])
    >>> bound = rlt.rlhf_gap_bound(
    ...     mdp, [[0.5, 1, 0, 0, 0]], [[0.99] + [0.0025] * 4], [0], temperature=0.5
    ... )
    >>> round(bound["total"], 4), round(bound["sharp"], 4)
    (0.0176, 0.0129)
    """
    if not isinstance(mdp, EpisodicMDP) or not mdp.is_full:
        raise ModelError("rlhf_gap_bound takes an EpisodicMDP with all actions everywhere")
    if mdp.initial is None:
        raise ModelError("the model has no start law; give initial= when it is made")
    lam = read_temperature(temperature)
    if not 0.0 <= eps_rl < math.inf:
        raise ModelError(f"eps_rl is {eps_rl!r}; it must be at least 0 and finite")
    shape = (mdp.horizon, mdp.n_states, mdp.n_actions)
    fitted = real_numbers("reward_hat", reward_hat)
    if fitted.shape not in (shape, shape[1:]) or not np.isfinite(fitted).all():
        raise ModelError(
            f"reward_hat has shape {fitted.shape}; it must be {shape[1:]} or {shape}, and finite"
        )
    error = _Error(mdp, _true(mdp) - fitted, _table(mdp, reference))
    start = mdp.initial / mdp.initial.sum()
    best = float(start @ solve(mdp).value[0])
    played = _table(mdp, expert)
    gap = max(0.0, best - float(start @ evaluate(mdp, played)[0]))
    K = trajectory_kl(mdp, played, error.policy)
    v, above, below = error.variance, error.above, error.below
    transport = math.sqrt(2.0 * v * K) + above * K / 3.0 if math.isfinite(K) else math.inf
    terms = {
        "expert": gap,
        "planning": float(eps_rl),
        "divergence": lam * K,
        "transport": transport,
        "variance": 0.0 if v == 0.0 else v / lam * phi(below / lam),
    }
    first = terms["expert"] + terms["planning"] + terms["divergence"]
    sharp = first + error.mean_under(played) - error.mean + error.soft_loss(lam)
    return terms | {
        "total": sum(terms.values()),
        "sharp": sharp,
        "kl": K,
        "error_variance": v,
        "error_above": above,
        "error_below": below,
    }


class _Error:
    """The sum of f along trajectories: its law under the reference, as far as it is needed."""

    def __init__(self, mdp: EpisodicMDP, f: Vector, policy: Vector) -> None:
        assert mdp.initial is not None
        self.mdp, self.f, self.policy = mdp, f, policy
        self.start = mdp.initial / mdp.initial.sum()
        H, S = mdp.horizon, mdp.n_states
        mean, spread = np.zeros(S), np.zeros(S)
        high, low = np.zeros(S), np.zeros(S)
        for h in reversed(range(H)):
            pi, moves = policy[h], _Moves(mdp, h)
            q = f[h] + moves.mean(mean)
            value = (pi * q).sum(axis=1)
            # Law of total variance: sums of squares, nothing is subtracted.
            within = moves.spread(mean) + moves.mean(spread)
            spread = (pi * ((q - value[:, None]) ** 2 + within)).sum(axis=1)
            mean = value
            high = np.where(pi > 0.0, f[h] + moves.most(high), -np.inf).max(axis=1)
            low = np.where(pi > 0.0, f[h] - moves.most(-low), np.inf).min(axis=1)
        self.mean = float(self.start @ mean)
        self.variance = float(self.start @ (spread + (mean - self.mean) ** 2))
        on = self.start > 0.0
        self.above = max(0.0, float(high[on].max()) - self.mean)
        self.below = max(0.0, self.mean - float(low[on].min()))

    def mean_under(self, policy: Vector) -> float:
        """E f of another policy."""
        value = np.zeros(self.mdp.n_states)
        for h in reversed(range(self.mdp.horizon)):
            value = (policy[h] * (self.f[h] + _Moves(self.mdp, h).mean(value))).sum(axis=1)
        return float(self.start @ value)

    def soft_loss(self, lam: float) -> float:
        """lambda log E exp(-(f - f_bar) / lambda)."""
        value = np.zeros(self.mdp.n_states)  # lambda log E exp(-(what is left of f) / lambda)
        for h in reversed(range(self.mdp.horizon)):
            q = _Moves(self.mdp, h).soft(value, lam) - self.f[h]
            value = _soft(q, self.policy[h], lam)
        return self.mean + float(_soft(value, self.start, lam))


class _Moves:
    """Where the rows of a stage lead; what has ended is worth 0."""

    def __init__(self, mdp: EpisodicMDP, h: int) -> None:
        self.shape = (mdp.n_states, mdp.n_actions)
        first, count = mdp.stage(h) * mdp.n_states * mdp.n_actions, mdp.n_states * mdp.n_actions
        self.P = mdp.transitions[first : first + count].tocsr()
        ends = mdp.termination
        self.ends = np.zeros(count) if ends is None else ends.reshape(-1)[first : first + count]

    def mean(self, value: Vector) -> Vector:
        return np.asarray(self.P @ value).reshape(self.shape)

    def spread(self, value: Vector) -> Vector:
        """Variance of the value after each row."""
        centre = np.asarray(self.P @ value)
        squares = self.P.copy()
        owner = np.repeat(np.arange(len(centre)), np.diff(self.P.indptr))
        squares.data = squares.data * (value[self.P.indices] - centre[owner]) ** 2
        total = np.asarray(squares.sum(axis=1)).reshape(-1) + self.ends * centre**2
        return total.reshape(self.shape)

    def most(self, value: Vector) -> Vector:
        """Largest value after each row."""
        out = np.where(self.ends > 0.0, 0.0, -np.inf)
        owner = np.repeat(np.arange(len(out)), np.diff(self.P.indptr))
        np.maximum.at(out, owner, value[self.P.indices])
        return out.reshape(self.shape)

    def soft(self, value: Vector, lam: float) -> Vector:
        """lambda log of the mean of exp(value / lambda) after each row."""
        top = self.most(value).reshape(-1)
        owner = np.repeat(np.arange(len(top)), np.diff(self.P.indptr))
        below = (value[self.P.indices] - top[owner]) / lam

        def mean(f: Any) -> Vector:
            terms = self.P.copy()
            terms.data = terms.data * f(below)
            ended = np.where(self.ends > 0.0, self.ends * f(-top / lam), 0.0)
            return np.asarray(terms.sum(axis=1)).reshape(-1) + ended

        return (top + lam * _log_mean(mean)).reshape(self.shape)


def _soft(x: Vector, law: Vector, lam: float) -> Vector:
    """lambda log sum law exp(x / lambda) over the last axis."""
    top = np.where(law > 0.0, x, -np.inf).max(axis=-1)
    below = np.where(law > 0.0, (x - top[..., None]) / lam, 0.0)
    return np.asarray(top + lam * _log_mean(lambda f: (law * f(below)).sum(axis=-1)))


def _log_mean(mean: Any) -> Vector:
    """log of the mean of e^x, x <= 0, near 0 from the mean of e^x - 1."""
    less = np.asarray(mean(np.expm1))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(less > -0.5, np.log1p(less), np.log(mean(np.exp)))


def _true(mdp: EpisodicMDP) -> Vector:
    return _by_stage(mdp, mdp.mean_rewards)


def _table(mdp: EpisodicMDP, policy: Any) -> Vector:
    return _by_stage(mdp, weights_of(mdp, policy))


def _by_stage(mdp: EpisodicMDP, x: Any) -> Vector:
    shape = (mdp.horizon, mdp.n_states, mdp.n_actions)
    flat = np.asarray(x, dtype=np.float64).reshape(-1, *shape[1:])
    return np.ascontiguousarray(np.broadcast_to(flat, shape))
