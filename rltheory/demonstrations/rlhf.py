r"""Rewards from preferences: the maximum-likelihood reward of the Bradley-Terry model.

The problem: pairs (tau^0_k, tau^1_k) with labels o_k, 1 where the second one was preferred, of
probability sigma(r*(tau^1) - r*(tau^0)), sigma(x) = 1/(1 + e^-x) and r(tau) = sum_h r_h(s_h, a_h).
Over a class of rewards,

    r_hat = argmax sum_k log sigma((2 o_k - 1)(r(tau^1_k) - r(tau^0_k))).

Of finitely many candidates all are compared. A table r[h, s, a], or r = <theta, phi> with features
phi >= 0 that sum to at most 1, is fitted with every entry of theta in [0, 1]: a concave problem,
solved by L-BFGS-B. The box keeps rewards where planning wants them, and it keeps the problem
solvable: where one reward explains every label, the likelihood has no maximum without it. As the
negative mean log-likelihood l is convex,

    l(theta) - min l <= max over the box of <grad l(theta), theta - theta'>
                      = sum_j max(g_j theta_j, g_j (theta_j - 1)),

which is the gap that is reported. What data say of a reward are its differences along pairs, and
these alone are unique at the optimum: rewards that differ by r_h -> r_h + c_h have the same
likelihood (claim demo-bt-invariance). Entries that no pair tells apart stay at 1/2.

Source: the reward model of Tiapkin et al., ICLR 2024, arXiv 2310.17303, section 5. Its error:
claim demo-bt-mle, docs/theory/preferences.md.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import minimize

from rltheory.coverage.classes import RewardClass
from rltheory.errors import ConvergenceError, ModelError
from rltheory.mdp.arguments import at_least
from rltheory.mdp.data import Preferences, Trajectories
from rltheory.mdp.data.preferences import preference_probability
from rltheory.mdp.intake import real_numbers
from rltheory.mdp.sampling import sample

__all__ = [
    "BradleyTerryFit",
    "bradley_terry_bound",
    "fit_bradley_terry",
    "sample_preferences",
]

Vector = NDArray[np.float64]
_RESTARTS = 5


@dataclass(frozen=True, eq=False, repr=False)
class BradleyTerryFit:
    """A reward fitted to preferences.

    Parameters
    ----------
    reward : ndarray of float64, shape (H, S, A)
    log_likelihood : float
        Of all labels, at most 0.
    gap : float
        How much more any reward of the class can have, a pair: at most this; 0 for candidates.
    weights : ndarray of float64, shape (d,), or None
        theta, of a fit by features.
    index : int or None
        Which candidate it is: the first of the best.
    pairs : int
    """

    reward: Vector
    log_likelihood: float
    gap: float
    weights: Vector | None
    index: int | None
    pairs: int

    def __repr__(self) -> str:
        kind = f"candidate {self.index}" if self.index is not None else f"gap {self.gap:.2g} a pair"
        return (
            f"BradleyTerryFit({kind}, log-likelihood {self.log_likelihood:.6g}, {self.pairs} pairs)"
        )


def sample_preferences(
    mdp: Any,
    policy: Any,
    pairs: int,
    reward: Any = None,
    *,
    scale: float = 1.0,
    seed: int | np.random.SeedSequence = 0,
) -> Preferences:
    """Independent pairs of episodes of one policy, labelled by the Bradley-Terry model.

    Parameters
    ----------
    mdp : MDP, EpisodicMDP or LinearMDP
        With a start law and a horizon.
    policy : array_like, Mixture or HistoryPolicy
        As in `sample`.
    pairs : int
        At least 1. Pair k of a seed is the same however many there are.
    reward : array_like, shape (S, A) or (H, S, A), optional
        What the judge is paid; the rewards of the model if left out.
    scale, seed
        As in `Preferences.bradley_terry`.

    Returns
    -------
    Preferences

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.riverswim(4).episodic(6)
    >>> rlt.sample_preferences(mdp, [[0.5, 0.5]] * 4, pairs=100, seed=1)
    Preferences(100 pairs, second preferred in 49)
    """
    at_least("pairs", pairs, 1)
    data = sample(mdp, policy, 2 * pairs, seed)
    return Preferences.bradley_terry(data[0::2], data[1::2], reward, scale=scale, seed=seed)


def fit_bradley_terry(
    preferences: Preferences,
    candidates: Any = None,
    features: Any = None,
    *,
    shape: tuple[int, int, int] | None = None,
    scale: float = 1.0,
    tol: float = 1e-7,
) -> BradleyTerryFit:
    """The reward that explains preferences best.

    Parameters
    ----------
    preferences : Preferences
        At least one pair.
    candidates : RewardClass or array_like, shape (n, S, A) or (n, H, S, A), optional
        A finite class, of which every member is tried.
    features : array_like, shape (S, A, d) or (H, S, A, d), optional
        Rewards <theta, phi> with theta in [0, 1]^d; at least 0, and of sum at most 1 at each pair.
        Left out, as candidates are: a number in [0, 1] for each (h, s, a).
    shape : (H, S, A), optional
        Sizes; those of the provenance of the trajectories if left out.
    scale : float
        Above 0: labels follow sigma(difference / scale).
    tol : float
        Above 0: the largest gap, in nats a pair.

    Returns
    -------
    BradleyTerryFit

    Raises
    ------
    ModelError
        If an argument does not fit, or sizes are not known.
    ConvergenceError
        If the gap stays above `tol`.

    Examples
    --------
    One state, two actions, and a judge who prefers the second one three times out of four:

    >>> import rltheory as rlt
    >>> first = rlt.Trajectories([0] * 4, [0] * 4, [0.0] * 4, [-1] * 4, [1] * 4)
    >>> second = rlt.Trajectories([0] * 4, [1] * 4, [0.0] * 4, [-1] * 4, [1] * 4)
    >>> judged = rlt.Preferences(first, second, [1, 1, 1, 0])
    >>> fit = rlt.fit_bradley_terry(judged, shape=(1, 1, 2))
    >>> fit.reward.round(3).tolist()  # log 3 apart, but for the box
    [[[0.0, 1.0]]]
    >>> fit = rlt.fit_bradley_terry(judged, shape=(1, 1, 2), scale=0.5)
    >>> round(float(fit.reward[0, 0, 1] - fit.reward[0, 0, 0]), 3)  # log(3) / 2
    0.549
    """
    if not isinstance(preferences, Preferences):
        raise ModelError(f"preferences are {type(preferences).__name__}; they must be Preferences")
    if not len(preferences):
        raise ModelError("preferences has no pair; there must be at least 1")
    if candidates is not None and features is not None:
        raise ModelError("candidates and features are both given; the class is one of them")
    for name, x in (("scale", scale), ("tol", tol)):
        if not 0.0 < x < np.inf:
            raise ModelError(f"{name} is {x!r}; it must be above 0 and finite")
    sizes = _sizes(preferences, shape)
    if candidates is not None:
        return _best_candidate(preferences, candidates, sizes, scale)
    if features is None:
        design: Any = _tabular_design(preferences, sizes)
        return _fit(preferences, design, None, sizes, scale, tol)
    phi = _features(features, sizes)
    sides = [
        side.per_episode(phi[side.stages, side.states, side.actions])
        for side in (preferences.first, preferences.second)
    ]
    return _fit(preferences, sides[1] - sides[0], phi, sizes, scale, tol)


def bradley_terry_bound(
    pairs: int, candidates: int, horizon: int, delta: float
) -> dict[str, float]:
    r"""How far the reward of most likelihood is from the true one, but for chance delta.

    With rewards in [0, 1], G candidates of which one is true, and n independent pairs: the mean
    squared Hellinger distance of the laws of labels is at most 2 log(G/delta)/n, and the variance
    of r* - r_hat under the sampling policy at most zeta^2 log(G/delta)/n, zeta = 4 cosh(H/2)^2
    (claim demo-bt-mle).

    Parameters
    ----------
    pairs, candidates, horizon : int
        n, G and H, at least 1 each.
    delta : float
        In (0, 1).

    Returns
    -------
    dict
        "hellinger", "variance", and the "curvature" zeta.

    Examples
    --------
    >>> import rltheory as rlt
    >>> bound = rlt.bradley_terry_bound(500, 500, horizon=1, delta=0.1)
    >>> {name: round(x, 4) for name, x in bound.items()}
    {'hellinger': 0.0341, 'variance': 0.4407, 'curvature': 5.0862}
    """
    for name, size in (("pairs", pairs), ("candidates", candidates), ("horizon", horizon)):
        at_least(name, size, 1)
    if not 0.0 < delta < 1.0:
        raise ModelError(f"delta is {delta!r}; it must be in (0, 1)")
    with np.errstate(over="ignore"):
        zeta = float(4.0 * np.cosh(horizon / 2.0) ** 2)
    level = float(np.log(candidates / delta)) / pairs
    return {"hellinger": 2.0 * level, "variance": zeta * zeta * level, "curvature": zeta}


# --- finite classes -----------------------------------------------------------------------


def _best_candidate(
    preferences: Preferences, candidates: Any, sizes: tuple[int, int, int], scale: float
) -> BradleyTerryFit:
    given = candidates.rewards if isinstance(candidates, RewardClass) else candidates
    tables = real_numbers("candidates", given)
    if tables.ndim < 2 or not len(tables) or tables.shape[1:] not in (sizes, sizes[1:]):
        raise ModelError(
            f"candidates has shape {tables.shape}; it must be (n, S, A) or (n, H, S, A) with "
            f"(H, S, A) = {sizes}"
        )
    if not np.isfinite(tables).all():
        raise ModelError("candidates holds a number that is not finite")
    logs = np.array(
        [
            _log_likelihoods(preferences.signs * preferences.differences(table) / scale).sum()
            for table in tables
        ]
    )
    best = int(logs.argmax())
    reward = np.ascontiguousarray(np.broadcast_to(tables[best], sizes))
    return BradleyTerryFit(reward, float(logs[best]), 0.0, None, best, len(preferences))


def _log_likelihoods(x: Vector) -> Vector:
    """log sigma(x)."""
    return np.minimum(x, 0.0) - np.log1p(np.exp(-np.abs(x)))


# --- concave classes ----------------------------------------------------------------------


def _fit(
    preferences: Preferences,
    design: Any,
    phi: Vector | None,
    sizes: tuple[int, int, int],
    scale: float,
    tol: float,
) -> BradleyTerryFit:
    """Of differences of features, one row a pair."""
    n, d = design.shape
    rows = design / scale
    transposed = rows.T.tocsr() if sparse.issparse(rows) else rows.T
    signs = preferences.signs.astype(np.float64)

    def loss(theta: Vector) -> tuple[float, Vector]:
        margins = signs * (rows @ theta)
        slope = -signs * preference_probability(-margins) / n
        return -float(_log_likelihoods(margins).sum()) / n, np.asarray(transposed @ slope)

    theta, gap = np.full(d, 0.5), np.inf
    for _ in range(_RESTARTS):
        options = {"maxiter": 20_000, "maxfun": 40_000, "maxcor": 30, "ftol": 0.0, "gtol": tol / d}
        found = minimize(
            loss, theta, jac=True, method="L-BFGS-B", bounds=[(0.0, 1.0)] * d, options=options
        )
        theta = np.clip(found.x, 0.0, 1.0)
        value, gradient = loss(theta)
        gap = float(np.maximum(gradient * theta, gradient * (theta - 1.0)).sum())
        if gap <= tol:
            break
    table = theta if phi is None else phi @ theta
    reward = np.ascontiguousarray(table.reshape(sizes))
    weights = None if phi is None else theta
    fit = BradleyTerryFit(reward, -value * n, gap, weights, None, n)
    if not gap <= tol:
        raise ConvergenceError(fit, tol, gap, "L-BFGS-B makes no more progress")
    return fit


def _tabular_design(preferences: Preferences, sizes: tuple[int, int, int]) -> Any:
    """How often pair k's second trajectory has (h, s, a), less how often the first one does."""
    _, S, A = sizes
    parts = []
    for side in (preferences.second, preferences.first):
        column = (side.stages.astype(np.int64) * S + side.states) * A + side.actions
        ones = np.ones(side.n_steps)
        parts.append(
            sparse.csr_array((ones, column, side.starts), shape=(len(side), int(np.prod(sizes))))
        )
    difference = (parts[0] - parts[1]).tocsr()
    difference.eliminate_zeros()
    return difference


# --- arguments ----------------------------------------------------------------------------


def _sizes(preferences: Preferences, shape: tuple[int, int, int] | None) -> tuple[int, int, int]:
    sides = (preferences.first, preferences.second)
    if shape is None:
        names = ("horizon", "n_states", "n_actions")
        known = [_known(name, sides) for name in names]
        shape = (known[0], known[1], known[2])
    if len(shape) != 3:
        raise ModelError(f"shape is {shape!r}; it must be (H, S, A)")
    for name, size in zip(("H", "S", "A"), shape, strict=True):
        at_least(name, size, 1)
    H, S, A = (int(x) for x in shape)
    for side in sides:
        for name, column, end in (
            ("stage", side.stages, H),
            ("state", side.states, S),
            ("action", side.actions, A),
        ):
            if column.size and column.max() >= end:
                raise ModelError(f"{name} {column.max()} of the data is beyond shape {(H, S, A)}")
    return H, S, A


def _known(name: str, sides: tuple[Trajectories, ...]) -> int:
    for side in sides:
        size = getattr(side.provenance, name)
        if size is not None:
            return int(size)
    raise ModelError(
        f"the {name} is not known: the provenance does not say it; give shape=(H, S, A)"
    )


def _features(features: Any, sizes: tuple[int, int, int]) -> Vector:
    phi = real_numbers("features", features)
    if phi.ndim not in (3, 4) or phi.shape[:-1] not in (sizes, sizes[1:]) or not phi.shape[-1]:
        raise ModelError(
            f"features has shape {phi.shape}; it must be {(*sizes[1:], 'd')} or {(*sizes, 'd')}"
        )
    wrong = np.argwhere(~((phi >= 0.0) & (phi <= 1.0)))
    if len(wrong):
        at = tuple(int(k) for k in wrong[0])
        raise ModelError(f"features{list(at)} is {phi[at]!s}; it must be in [0, 1]")
    sums = phi.sum(axis=-1)
    wrong = np.argwhere(sums > 1.0 + 1e-9)
    if len(wrong):
        at = tuple(int(k) for k in wrong[0])
        raise ModelError(
            f"features{list(at)} sums to {sums[at]:.9g}; at most 1 keeps rewards in [0, 1]"
        )
    return np.ascontiguousarray(np.broadcast_to(phi, (*sizes, phi.shape[-1])))
