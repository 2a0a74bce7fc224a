"""What it costs to know a law d from data of a law mu, in the versions that theorems use.

With w = d / mu, infinite where d > 0 = mu and 0 where d = 0:

    order inf    max w                     all-policy or single-policy concentrability, by what d is
    order 2      E_mu[w^2] = 1 + chi^2     between 1 and the former (claim cov-concentrability)
    pushforward  the largest of rho / mu_0 and P_h(s' | s, a) / mu_{h+1}(s')      whatever is played
    features     max_x x^T E_d[phi phi^T] x / x^T E_mu[phi phi^T] x   of linear functions

References: Xie and Jiang, ICML 2021 (pushforward); Xie et al., ICLR 2023 (coverability).
"""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rltheory.coverage.reachability import start_law_of
from rltheory.errors import ModelError
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.model import MDP

__all__ = ["concentrability", "feature_concentrability", "pushforward_concentrability"]

Array = NDArray[np.float64]


def concentrability(d: ArrayLike, mu: ArrayLike, order: float = math.inf) -> float:
    """How much of d there is where mu has little.

    Parameters
    ----------
    d : array_like
        A law, of pairs for instance; several along a first axis stand for a class, and the
        largest counts.
    mu : array_like
        The data's law, of one shape with d or with each of them.
        Of order inf, d and mu may be laws of every stage; the largest ratio of all counts.
    order : {inf, 2}
        max w, or E_mu[w^2].

    Returns
    -------
    float
        Infinite where mu lacks what d has; at least 1 for laws.

    Raises
    ------
    ModelError
        If entries are negative or not finite, or shapes differ.

    Examples
    --------
    >>> import rltheory as rlt
    >>> d, mu = [0.75, 0.25], [0.5, 0.5]
    >>> rlt.concentrability(d, mu), rlt.concentrability(d, mu, order=2)
    (1.5, 1.25)
    >>> rlt.concentrability(d, [1.0, 0.0])
    inf
    """
    laws, data = _entries("d", d), _entries("mu", mu)
    if laws.shape != data.shape and laws.shape[1:] != data.shape:
        raise ModelError(f"d has shape {laws.shape} and mu {data.shape}; they must be of one shape")
    if order not in (2, math.inf):
        raise ModelError(f"order is {order!r}; it must be inf or 2")
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        w = np.where(laws > 0.0, laws / data, 0.0)
    if order == math.inf:
        return float(w.max())
    own = tuple(range(laws.ndim - data.ndim, laws.ndim))
    mass = max(float(laws.sum(axis=own).max()), float(data.sum()))
    if mass > 1.0 + 1e-6:
        raise ModelError(f"d or mu sums to {mass:.6g}; a law sums to 1, and stages go one by one")
    moments = np.where(laws > 0.0, laws * w, 0.0).sum(axis=own)  # E_mu[w^2] = E_d[w]
    return float(np.max(moments))


def pushforward_concentrability(mdp: MDP | EpisodicMDP, mu: ArrayLike) -> float:
    """The largest of rho / mu_0 and P_h(s' | s, a) / mu_{h+1}(s'): nothing leaves what mu covers.

    Parameters
    ----------
    mdp : MDP or EpisodicMDP
        With a start law.
    mu : array_like, shape (S,), or (H, S)
        Laws over states, of each stage; without a horizon one law.

    Returns
    -------
    float
        At least the largest ratio of any policy's state occupancy to mu, at every stage.

    Raises
    ------
    ModelError
        If there is no start law, or mu has another shape.

    Examples
    --------
    >>> import rltheory as rlt
    >>> rlt.pushforward_concentrability(rlt.riverswim(4, discount=0.9), [0.25] * 4)
    4.0
    """
    S = mdp.n_states
    horizon = mdp.horizon if isinstance(mdp, EpisodicMDP) else 1
    data = _entries("mu", mu)
    if data.shape not in ((S,), (horizon, S)):
        raise ModelError(f"mu has shape {data.shape}; it must be {(S,)} or {(horizon, S)}")
    laws = np.broadcast_to(data, (horizon, S))
    largest = concentrability(start_law_of(mdp), laws[0])
    moves = mdp.transitions
    with np.errstate(divide="ignore", over="ignore"):
        if not isinstance(mdp, EpisodicMDP):
            return max(largest, float((moves.data / laws[0][moves.indices]).max(initial=0.0)))
        for h in range(horizon - 1):
            first = mdp.stage(h) * S
            ptr = moves.indptr[mdp.pair_ptr[[first, first + S]]]
            part = slice(int(ptr[0]), int(ptr[1]))
            ratios = moves.data[part] / laws[h + 1][moves.indices[part]]
            largest = max(largest, float(ratios.max(initial=0.0)))
    return largest


def feature_concentrability(features: ArrayLike, d: ArrayLike, mu: ArrayLike) -> float:
    """max over x of E_d[(x phi)^2] / E_mu[(x phi)^2]: what linear functions can tell of d and mu.

    Functions that are 0 under both laws say nothing and do not count. The scale of a feature does
    not matter.

    Parameters
    ----------
    features : array_like, shape (..., k)
    d, mu : array_like, shape (...)
        Laws of what has these features.

    Returns
    -------
    float
        At most `concentrability` of order inf; infinite where mu lacks a direction that d has.

    Examples
    --------
    >>> import rltheory as rlt
    >>> round(rlt.feature_concentrability([[1.0], [2.0]], [0.0, 1.0], [0.5, 0.5]), 12)
    1.6
    """
    phi = np.asarray(features, dtype=np.float64)
    laws, data = _entries("d", d), _entries("mu", mu)
    if phi.ndim < 2 or phi.shape[:-1] != laws.shape or laws.shape != data.shape:
        raise ModelError(
            f"features has shape {phi.shape}, d {laws.shape} and mu {data.shape}; the latter two "
            "must be all but the last axis of the first"
        )
    if not np.isfinite(phi).all():
        raise ModelError("features must be finite")
    both = (laws + data).reshape(-1)
    seen = both > 0.0
    both, share = both[seen], (data.reshape(-1)[seen] / both[seen])
    scaled = phi.reshape(-1, phi.shape[-1])[seen]
    sizes = np.abs(scaled).max(axis=0, initial=0.0)
    scaled = np.sqrt(both)[:, None] * (scaled[:, sizes > 0.0] / sizes[sizes > 0.0])
    norms = np.linalg.norm(scaled, axis=0)
    if not norms.size:
        return 0.0
    # In an orthonormal basis of these functions under d + mu, the moments of d and mu sum to 1:
    # the ratio is decided by singular values, which are accurate to rounding where moments of
    # moments would lose half of the digits.
    basis, sizes, _ = np.linalg.svd(scaled / norms, full_matrices=False)
    basis = basis[:, sizes > sizes[0] * max(scaled.shape) * 2.0**-52]
    of_mu = np.linalg.svd(np.sqrt(share)[:, None] * basis, full_matrices=False, compute_uv=False)
    of_d = np.linalg.svd(
        np.sqrt(1.0 - share)[:, None] * basis, full_matrices=False, compute_uv=False
    )
    if of_mu[-1] <= max(basis.shape) * 2.0**-52:
        return math.inf
    return float((of_d[0] / of_mu[-1]) ** 2)


def _entries(name: str, x: Any) -> Array:
    array = np.asarray(x, dtype=np.float64)
    wrong = np.argwhere(~(np.isfinite(array) & (array >= 0.0)))
    if len(wrong):
        at = tuple(int(i) for i in wrong[0])
        raise ModelError(f"{name}{list(at)} is {array[at]!s}; it must be at least 0 and finite")
    return array
