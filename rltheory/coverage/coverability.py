"""How well the best single law covers all policies of a class (claim cov-cumreach).

    C_h = min_mu max_pi max_{s,a} d^pi_h(s, a) / mu(s, a) = sum_{s,a} max_pi d^pi_h(s, a),

attained at mu in proportion to the summands. Reference: Xie et al., ICLR 2023, Definition 2 and
Lemma 3.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory.coverage.reachability import max_occupancy
from rltheory.errors import ModelError
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.model import MDP
from rltheory.solvers.occupancy import occupancy

__all__ = ["coverability", "coverability_law"]

Array = NDArray[np.float64]


def coverability(
    mdp: MDP | EpisodicMDP, policies: Sequence[Any] | None = None
) -> NDArray[np.float64]:
    """The coverability of a class of policies, stage by stage.

    Parameters
    ----------
    mdp : MDP or EpisodicMDP
        With a start law.
    policies : sequence of policies, optional
        As in `occupancy`, mixtures included; all policies if left out.

    Returns
    -------
    ndarray of float64, shape (H,), or () for a discounted model
        At least 1 and at most S A where nothing exits.

    Raises
    ------
    ModelError
        If there is no start law, or the class is empty.

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.riverswim(5).episodic(3)
    >>> rlt.coverability(mdp).round(3).tolist()
    [2.0, 3.2, 3.62]
    >>> rlt.coverability(mdp, [[1] * 5]).round(12).tolist()
    [1.0, 1.0, 1.0]
    """
    most = _most(mdp, policies)
    found: Array = most.sum(axis=(-2, -1))
    return found


def coverability_law(
    mdp: MDP | EpisodicMDP, policies: Sequence[Any] | None = None
) -> NDArray[np.float64]:
    """The law on pairs that attains `coverability`.

    Returns
    -------
    ndarray of float64, shape (H, S, A), or (S, A) for a discounted model
        Sums to 1 at each stage; 0 at stages that no policy reaches.

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.riverswim(5).episodic(3)
    >>> mu = rlt.coverability_law(mdp)
    >>> d = rlt.occupancy(mdp, [1] * 5)
    >>> bool((d <= rlt.coverability(mdp)[:, None, None] * mu + 1e-12).all())
    True
    """
    most = _most(mdp, policies)
    total = most.sum(axis=(-2, -1), keepdims=True)
    found: Array = np.divide(most, total, out=np.zeros_like(most), where=total > 0.0)
    return found


def _most(mdp: MDP | EpisodicMDP, policies: Sequence[Any] | None) -> Array:
    if policies is None:
        return max_occupancy(mdp)
    tables = [_table(mdp, occupancy(mdp, policy)) for policy in policies]
    if not tables:
        raise ModelError("the class has no policies; None means all of them")
    found: Array = np.max(tables, axis=0)
    return found


def _table(mdp: MDP | EpisodicMDP, d: Array) -> Array:
    """(S, A) or (H, S, A); an occupancy of a ragged model is a number a row, stage by stage."""
    if mdp.is_full:
        return d
    if d.ndim == 1:
        return mdp.table(d, fill=0.0)
    return np.stack([mdp.table(row, fill=0.0) for row in d])
