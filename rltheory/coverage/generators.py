"""Finite classes made by a rule.

softmax policies     pi(a | s) in proportion to exp(w . phi(s, a)), one for each vector w
aggregated critics   all q(s, a) that take values of a grid and are constant on groups of states
complete closure     F_H = {0}, F_h = {T_h f : f in F_{h+1}} and distractors: complete, and Q*
                     is the image of 0, so realizable, whatever the distractors are
"""

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from rltheory.coverage.classes import FunctionClass, PolicyClass
from rltheory.errors import ModelError
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.intake import real_numbers
from rltheory.mdp.model import MDP
from rltheory.solvers.bellman import q_values

__all__ = ["aggregated_critics", "complete_closure", "softmax_policies"]

_MOST_ENTRIES = 10_000_000


def softmax_policies(
    mdp: MDP | EpisodicMDP, features: ArrayLike, weights: ArrayLike
) -> PolicyClass:
    """Policies that take actions in proportion to exp(w . phi(s, a)).

    Parameters
    ----------
    mdp : MDP or EpisodicMDP
    features : array_like, shape (S, A, k), or (H, S, A, k)
        What stands at actions that a state does not have is not used.
    weights : array_like, shape (n, k)
        One policy each; infinite weights are not allowed, large ones are nearly greedy.

    Returns
    -------
    PolicyClass

    Raises
    ------
    ModelError
        If the shapes do not fit.

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.riverswim(2, discount=0.9)
    >>> policies = rlt.softmax_policies(mdp, [[[0.0], [1.0]]] * 2, [[0.0], [700.0]])
    >>> policies[0].tolist(), policies[1].round(3).tolist()
    ([[0.5, 0.5], [0.5, 0.5]], [[0.0, 1.0], [0.0, 1.0]])
    """
    phi, w = real_numbers("features", features), real_numbers("weights", weights)
    pairs = (mdp.n_states, mdp.n_actions)
    shapes = [pairs, (mdp.horizon, *pairs)] if isinstance(mdp, EpisodicMDP) else [pairs]
    if phi.shape[:-1] not in shapes or w.ndim != 2 or w.shape[1:] != phi.shape[-1:]:
        allowed = " or ".join(f"({', '.join(map(str, shape))}, k)" for shape in shapes)
        raise ModelError(
            f"features has shape {phi.shape} and weights {w.shape}; they must be {allowed} and "
            "(n, k)"
        )
    if not (np.isfinite(phi).all() and np.isfinite(w).all()):
        raise ModelError("features and weights must be finite")
    present = mdp.table(np.ones(mdp.n_pairs), fill=0.0) > 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        scores = np.moveaxis(phi @ w.T, -1, 0)
    if not np.isfinite(scores[np.broadcast_to(present, scores.shape)]).all():
        raise ModelError("weights times features are beyond doubles; scale them down")
    scores = np.where(present, scores, -np.inf)
    chances = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return PolicyClass(mdp, list(chances / chances.sum(axis=-1, keepdims=True)))


def aggregated_critics(
    mdp: MDP | EpisodicMDP, groups: ArrayLike, values: ArrayLike
) -> FunctionClass:
    """All critics of a grid of values that do not tell states of one group apart.

    Parameters
    ----------
    mdp : MDP or EpisodicMDP
    groups : array_like of int, shape (S,)
        The group of each state, 0..G-1; ``range(S)`` for tabular critics.
    values : array_like, shape (k,)

    Returns
    -------
    FunctionClass
        Of k^(G A) members; with a horizon they are those of every stage.

    Raises
    ------
    ModelError
        If there would be too many to hold.

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.riverswim(3, discount=0.9)
    >>> critics = rlt.aggregated_critics(mdp, [0, 0, 1], [0.0, 10.0])
    >>> len(critics), critics.realizable().holds
    (16, False)
    """
    of = np.asarray(groups)
    grid = real_numbers("values", values)
    S, A = mdp.n_states, mdp.n_actions
    if of.shape != (S,) or of.dtype.kind not in "iu" or sorted(set(of.tolist())) != list(
        range(int(of.max(initial=0)) + 1)
    ):  # fmt: skip
        raise ModelError(f"groups is {groups!r}; it must give each of {S} states a group 0..G-1")
    if grid.ndim != 1 or not grid.size:
        raise ModelError(f"values has shape {grid.shape}; it must be (k,), not empty")
    H = mdp.horizon if isinstance(mdp, EpisodicMDP) else 1
    free = (int(of.max()) + 1) * A
    if len(grid) ** free * H * S * A > _MOST_ENTRIES:
        raise ModelError(
            f"there are {len(grid)}^{free} such critics; a class that is looked through has to be "
            "smaller"
        )
    tables = np.array(list(product(grid.tolist(), repeat=free))).reshape(-1, free // A, A)[:, of]
    if isinstance(mdp, EpisodicMDP):
        tables = np.repeat(tables[:, None], H, axis=1)
    return FunctionClass(mdp, tables)


def complete_closure(mdp: EpisodicMDP, distractors: ArrayLike | None = None) -> FunctionClass:
    """The smallest class that is complete and contains distractors.

    Parameters
    ----------
    mdp : EpisodicMDP
    distractors : array_like, shape (m, H, S, A), optional
        Members of their stages beside the images of those of the next.

    Returns
    -------
    FunctionClass
        At most 1 + (H - h) m members of stage h; where a stage has fewer than the first, its last
        one is repeated.

    Raises
    ------
    ModelError
        If the model has no horizon, or the shape is another one.

    Examples
    --------
    >>> import numpy as np
    >>> import rltheory as rlt
    >>> mdp = rlt.riverswim(3).episodic(4)
    >>> noise = np.random.default_rng(0).random((2, 4, 3, 2))
    >>> critics = rlt.complete_closure(mdp, noise)
    >>> len(critics), bool(critics.realizable()), bool(critics.complete(tolerance=0.0))
    (9, True, True)
    """
    if not isinstance(mdp, EpisodicMDP):
        raise ModelError("complete_closure is for models with a horizon; give it one")
    H, pairs = mdp.horizon, (mdp.n_states, mdp.n_actions)
    added = np.zeros((0, H, *pairs))
    if distractors is not None:
        added = FunctionClass(mdp, distractors).functions
    stages: list[Any] = [[]] * H
    ahead = np.zeros((1, *pairs))
    for h in reversed(range(H)):
        images = []
        for f in ahead:
            v = np.zeros((H + 1, mdp.n_states))
            v[h + 1] = f.max(axis=-1) if h + 1 < H else 0.0
            images.append(q_values(mdp, v)[h])
        ahead = stages[h] = np.array(
            list({f.tobytes(): f for f in [*images, *added[:, h]]}.values())
        )
    most = max(map(len, stages))
    table = np.stack([np.concatenate([f, np.repeat(f[-1:], most - len(f), 0)]) for f in stages])
    return FunctionClass(mdp, np.moveaxis(table, 1, 0))
