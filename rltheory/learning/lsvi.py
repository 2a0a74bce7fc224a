"""Least-squares value iteration: planning with regression in place of the model.

Features phi(s, a) in R^d. Backward from V_H = 0, with weights c_h(s, a) >= 0 on pairs, or with the
steps (s, a, r, s') that were seen at stage h:

    w_h = argmin_w sum_i c_i (y_i - phi_i^T w)^2 + ridge |w|^2,    V_h = max_a phi^T w_h,

    population:   y(s, a) = r_h(s, a) + sum_s' P_h(s' | s, a) V_{h+1}(s'),   one term a pair
    from data:    y_i = r_i + V_{h+1}(s'_i),                                 one term a step

In a linear MDP the population form with ridge 0 and weights of full rank is exact planning, and a
ridge biases one stage by at most sqrt(ridge) |w| |phi|_{M^-1} (claim learn-lsvi-planning, proved in
docs/theory/linear.md). Sources: Bradtke and Barto (Machine Learning 22, 1996); Jin, Yang, Wang and
Jordan (COLT 2020).
"""

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rltheory.errors import ModelError
from rltheory.mdp.arguments import at_least
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.intake import integers, real_numbers
from rltheory.mdp.linear import LinearMDP
from rltheory.mdp.rational import fractions_of
from rltheory.solvers.linear import LinearPlan, backward_in_weights
from rltheory.solvers.rational_equations import objects, solve_rational

__all__ = ["lsvi", "population_lsvi"]


def population_lsvi(
    mdp: LinearMDP | EpisodicMDP,
    weights: Any = None,
    ridge: Any = 0,
    features: Any = None,
) -> LinearPlan:
    """Least-squares value iteration with the population regression: every target is exact.

    Parameters
    ----------
    mdp : LinearMDP or full EpisodicMDP
        Of an exact model all is computed in fractions.
    weights : array_like, shape (S, A) or (H, S, A), optional
        c, at least 0; all 1 when left out. A law of data, for instance.
    ridge : number
        At least 0. With 0 the features where c > 0 must have rank d.
    features : array_like, shape (S, A, d), optional
        Of an `EpisodicMDP`, which need not be linear in them; a `LinearMDP` has its own.

    Returns
    -------
    LinearPlan

    Raises
    ------
    ModelError
        If an argument does not fit, or the regression has no unique solution; the message names
        the stage and the rank.

    Examples
    --------
    >>> import numpy as np
    >>> import rltheory as rlt
    >>> mdp = rlt.random_linear_mdp(states=20, actions=3, dimension=4, horizon=5)
    >>> exact = rlt.solve_linear(mdp)
    >>> bool(np.allclose(rlt.population_lsvi(mdp).weights, exact.weights, atol=1e-10))
    True
    >>> bool(np.allclose(rlt.population_lsvi(mdp, ridge=1.0).weights, exact.weights, atol=0.1))
    False
    """
    table, phi = _table_and_features(mdp, features)
    H, S, A = table.horizon, table.n_states, table.n_actions
    exact = table.rational is not None
    c: Any = 1 if weights is None else weights
    c = fractions_of("weights", c) if exact else real_numbers("weights", c)
    if c.shape not in ((), (S, A), (H, S, A)):
        raise ModelError(f"weights has shape {c.shape}; it must be {(S, A)} or {(H, S, A)}")
    if not bool((c >= 0).all()):
        raise ModelError("weights has a negative entry, or one that is no number")
    c = np.broadcast_to(c, (H, S, A)).reshape(H, S * A)
    amount: Any = fractions_of("ridge", ridge).item() if exact else float(ridge)
    if not 0 <= amount < np.inf:
        raise ModelError(f"ridge is {ridge!r}; it must be at least 0 and finite")
    rows = phi.reshape(S * A, -1)
    fit: Any = _fit_fractions if exact else _fit

    def weights_of(h: int, ahead: NDArray[Any]) -> Any:
        first = table.stage(h) * S * A
        return fit(rows, _targets(table, first, S * A, ahead), c[h], amount, h)

    return backward_in_weights(phi, H, weights_of)


def lsvi(features: ArrayLike, data: Any, horizon: int, ridge: float = 1.0) -> LinearPlan:
    """Least-squares value iteration from data.

    Parameters
    ----------
    features : array_like, shape (S, A, d)
    data : Transitions
        With stages. Whatever has arrays `stages`, `states`, `actions`, `rewards` and `next_states`
        of the same length will do; a next state of -1 ended the episode, and what follows is worth
        0.
    horizon : int
        At least 1.
    ridge : float
        Above 0, or 0 where the features seen at every stage have rank d.

    Returns
    -------
    LinearPlan
        Values are not clipped.

    Raises
    ------
    ModelError
        If an argument does not fit, an index is out of its range, or the regression has no unique
        solution.

    Examples
    --------
    One state and two actions, of which the second paid more:

    >>> import numpy as np
    >>> import rltheory as rlt
    >>> seen = rlt.Transitions([0, 0, 0], [0, 0, 0], [0, 1, 1], [0.5, 1.0, 0.8], [0, 0, 0])
    >>> plan = rlt.lsvi(np.eye(2).reshape(1, 2, 2), seen, horizon=1, ridge=1.0)
    >>> plan.q.round(12).tolist(), plan.policy.tolist()  # 0.5/2 and 1.8/3
    ([[[0.25, 0.6]]], [[1]])
    """
    phi = _features(features)
    S, A, _ = phi.shape
    at_least("horizon", horizon, 1)
    if not 0.0 <= ridge < np.inf:
        raise ModelError(f"ridge is {ridge!r}; it must be at least 0 and finite")
    limits = {"stages": (0, horizon), "states": (0, S), "actions": (0, A), "next_states": (-1, S)}
    column = {name: _column(data, name, *ends) for name, ends in limits.items()}
    paid = real_numbers("rewards", data.rewards)
    if any(len(x) != len(paid) for x in column.values()) or paid.ndim != 1:
        raise ModelError("the arrays of data must have one dimension and the same length")
    rows = phi[column["states"], column["actions"]]

    def weights_of(h: int, ahead: NDArray[Any]) -> Any:
        here = column["stages"] == h
        then = column["next_states"][here]
        targets = paid[here] + np.where(then >= 0, ahead[then], 0.0)
        return _fit(rows[here], targets, np.ones(len(targets)), float(ridge), h)

    return backward_in_weights(phi, horizon, weights_of)


def _targets(table: EpisodicMDP, first: int, count: int, ahead: NDArray[Any]) -> NDArray[Any]:
    """r + P v of `count` rows from `first` on."""
    if table.rational is not None:
        value, rational = ahead.tolist(), table.rational
        return objects([rational.backup(first + k, 1, value) for k in range(count)])
    rows = slice(first, first + count)
    moves = table.transitions[rows]
    return np.asarray(table.mean_rewards.reshape(-1)[rows] + moves @ ahead)


def _fit(
    rows: NDArray[Any], targets: NDArray[Any], c: NDArray[Any], ridge: float, stage: int
) -> NDArray[np.float64]:
    """Least squares by orthogonal factors of the rows, those of sqrt(ridge) I below them."""
    d, root = rows.shape[1], np.sqrt(c)
    left = np.vstack([root[:, None] * rows, np.sqrt(ridge) * np.eye(d)])
    right = np.concatenate([root * targets, np.zeros(d)])
    found, _, rank, _ = np.linalg.lstsq(left, right, rcond=None)
    _check_rank(int(rank), d, stage)
    return np.asarray(found)


def _fit_fractions(
    rows: NDArray[Any], targets: NDArray[Any], c: NDArray[Any], ridge: Fraction, stage: int
) -> NDArray[Any]:
    """The normal equations, exactly."""
    d = rows.shape[1]
    weighted = rows * c[:, None]
    matrix = (rows.T @ weighted).tolist()
    for k in range(d):
        matrix[k][k] += ridge
    _check_rank(_rank(matrix), d, stage)
    return objects(solve_rational(matrix, (weighted.T @ targets).tolist()))


def _rank(matrix: list[list[Fraction]]) -> int:
    lines = [list(line) for line in matrix]
    rank = 0
    for k in range(len(lines)):
        pivot = next((i for i in range(rank, len(lines)) if lines[i][k] != 0), None)
        if pivot is None:
            continue
        lines[rank], lines[pivot] = lines[pivot], lines[rank]
        for i in range(rank + 1, len(lines)):
            factor = Fraction(lines[i][k]) / lines[rank][k]
            lines[i] = [x - factor * y for x, y in zip(lines[i], lines[rank], strict=True)]
        rank += 1
    return rank


def _check_rank(rank: int, d: int, stage: int) -> None:
    if rank < d:
        raise ModelError(
            f"stage {stage}: the features with weight have rank {rank}, below their dimension {d}; "
            "with ridge 0 the regression has no unique solution"
        )


def _table_and_features(
    mdp: LinearMDP | EpisodicMDP, features: Any
) -> tuple[EpisodicMDP, NDArray[Any]]:
    if isinstance(mdp, LinearMDP):
        if features is not None:
            raise ModelError("features are given; a LinearMDP has its own")
        return mdp.tabular(), mdp.features if mdp.fractions is None else mdp.fractions[0]
    if not isinstance(mdp, EpisodicMDP) or not mdp.is_full:
        raise ModelError("population_lsvi takes a LinearMDP or an EpisodicMDP with all actions")
    if features is None:
        raise ModelError("features are missing; an EpisodicMDP has none of its own")
    exact = mdp.rational is not None
    phi = fractions_of("features", features) if exact else _features(features)
    if phi.ndim != 3 or phi.shape[:2] != (mdp.n_states, mdp.n_actions):
        raise ModelError(
            f"features has shape {phi.shape}; it must be ({mdp.n_states}, {mdp.n_actions}, d)"
        )
    return mdp, phi


def _features(features: Any) -> NDArray[np.float64]:
    phi = real_numbers("features", features)
    if phi.ndim != 3 or 0 in phi.shape:
        raise ModelError(f"features has shape {phi.shape}; it must be (S, A, d)")
    if not np.isfinite(phi).all():
        raise ModelError("features holds a number that is not finite")
    return phi


def _column(data: Any, name: str, least: int, end: int) -> NDArray[np.int64]:
    given = getattr(data, name)
    if given is None:
        raise ModelError(f"{name} is None; least-squares value iteration needs them")
    column = integers(name, given)
    if column.size and not least <= column.min() <= column.max() < end:
        raise ModelError(f"{name} holds a number out of {least}..{end - 1}")
    return column
