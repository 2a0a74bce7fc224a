"""What an adversary may make of the rows of a model, as users say it: radii or intervals.

An ambiguity set is (s, a)-rectangular: one set of laws for each row, chosen from anew at every
visit. Outcomes are the states and, where the model has rows that end, the end of the episode, of
value 0. As a row of doubles means its entries divided by their sum, the bounds of intervals are
divided by the same sum.
"""

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from rltheory import _core
from rltheory.errors import ModelError
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.intake import real_numbers
from rltheory.mdp.model import MDP

__all__ = ["Ambiguity", "read_ambiguity"]

Model = MDP | EpisodicMDP
Ambiguity = _core.planning.Ambiguity

_SUM_TOLERANCE = 1e-9
_CEILING = 1.0 + 2.0**-20
"""No law of a row gives an outcome more than the row's sum, which is 1 within 1e-9."""


def read_ambiguity(
    mdp: Model, l1: Any, lower: Any, upper: Any, support_only: bool
) -> list[Ambiguity]:
    """One set of laws a row: of each stage, or a single one that all stages share.

    Raises
    ------
    ModelError
        If what is given is no ambiguity set around this model; the message names the row.
    """
    if not isinstance(support_only, bool | np.bool_):
        raise ModelError(f"support_only is {support_only!r}; it must be True or False")
    if (l1 is None) == (lower is None and upper is None):
        what = "both l1 and intervals are" if l1 is not None else "neither l1 nor intervals are"
        raise ModelError(f"{what} given; robust planning needs one of them")
    if l1 is not None:
        return _radii(mdp, l1, bool(support_only))
    if support_only:
        raise ModelError("support_only is for l1; intervals say their own support")
    return _intervals(mdp, lower, upper)


def _place(mdp: Model, row: int, h: int | None) -> str:
    """Stage (where there are several), state and action of a row, as an index."""
    at = [int(mdp.states[row]), int(mdp.actions[row])]
    if isinstance(mdp, EpisodicMDP):
        if not mdp.is_stationary:
            h = int(np.searchsorted(mdp.pair_ptr, row, side="right") - 1) // mdp.n_states
        if h is not None:
            at.insert(0, h)
    return ", ".join(map(str, at))


def _stage_rows(mdp: Model) -> list[slice]:
    """The rows of each stage of the core."""
    ends = mdp.pair_ptr[:: mdp.n_states]
    return [slice(int(a), int(b)) for a, b in pairwise(ends)]


# --- radii --------------------------------------------------------------------------------


def _radii(mdp: Model, l1: Any, support_only: bool) -> list[Ambiguity]:
    lines = _per_row(mdp, real_numbers("l1", l1))
    wrong = np.argwhere(~((lines >= 0.0) & np.isfinite(lines)))
    if len(wrong):
        line, row = (int(i) for i in wrong[0])
        place = (
            "" if np.ndim(l1) == 0 else f"[{_place(mdp, row, line if len(lines) > 1 else None)}]"
        )
        raise ModelError(
            f"l1{place} is {lines[line, row]!s}; a radius must be finite and at least 0"
        )
    lines = np.minimum(lines, 2.0)
    parts = list(lines) if len(lines) > 1 else [lines[0, rows] for rows in _stage_rows(mdp)]
    return [_core.planning.Ambiguity.l1(mdp.n_states, x.copy(), support_only) for x in parts]


def _per_row(mdp: Model, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """One number a row: (1, n_pairs), or (H, n_pairs) on stages that share their rows."""
    S, A, pairs = mdp.n_states, mdp.n_actions, mdp.n_pairs
    staged = isinstance(mdp, EpisodicMDP)
    table = (mdp.horizon, S, A) if isinstance(mdp, EpisodicMDP) else (S, A)
    shared = isinstance(mdp, EpisodicMDP) and mdp.is_stationary
    if x.ndim == 0:
        return np.full((1, pairs), float(x))
    if x.shape in (table, (S, A)):
        if shared or not staged:
            return x[..., mdp.states, mdp.actions].reshape(-1, pairs)
        stages = np.repeat(
            np.arange(len(x) if x.ndim == 3 else mdp.core.n_stages), np.diff(mdp.pair_ptr[::S])
        )
        full = np.broadcast_to(x, table)
        return full[stages, mdp.states, mdp.actions][None]
    if x.shape == (pairs,):
        return x[None]
    if isinstance(mdp, EpisodicMDP) and shared and x.shape == (mdp.horizon, pairs):
        return x
    allowed = dict.fromkeys(["a number", str((S, A)), str(table), str((pairs,))])
    raise ModelError(f"l1 has shape {x.shape}; it must be {' or '.join(allowed)}")


# --- intervals ----------------------------------------------------------------------------


def _intervals(mdp: Model, lower: Any, upper: Any) -> list[Ambiguity]:
    bounds = {}
    for name, given in (("lower", lower), ("upper", upper)):
        bounds[name] = None if given is None else _stage_matrices(mdp, name, given)
    stages = max(len(x) for x in bounds.values() if x is not None)
    stages = max(stages, mdp.core.n_stages)
    sets = []
    rows = _stage_rows(mdp)
    for h in range(stages):
        part = rows[h if len(rows) > 1 else 0]
        label = h if stages > len(rows) else None
        nominal = sparse.csr_array(
            sparse.hstack(
                [mdp.transitions[part], sparse.csr_array(mdp.termination[part, None])], format="csr"
            )
        )
        low, high = (
            None if x is None else x[h if len(x) > 1 else 0]
            for x in (bounds["lower"], bounds["upper"])
        )
        sets.append(_interval(mdp, nominal, low, high, part.start, label))
    return sets


def _stage_matrices(mdp: Model, name: str, given: Any) -> list[Any]:
    """Sparse (rows of the stage, S or S + 1) for each stage, or one that all of them share."""
    S, A, pairs = mdp.n_states, mdp.n_actions, mdp.n_pairs
    rows = _stage_rows(mdp)
    staged = isinstance(mdp, EpisodicMDP)
    shapes = [(*lead, width) for width in (S, S + 1) for lead in ((S, A), (pairs,))]
    if isinstance(mdp, EpisodicMDP):
        shapes += [(mdp.horizon, S, A, width) for width in (S, S + 1)]
    if sparse.issparse(given):
        matrix = sparse.csr_array(given)
        shape: tuple[int, ...] = matrix.shape
    else:
        matrix = real_numbers(name, given)
        shape = matrix.shape
    if shape not in shapes:
        raise ModelError(
            f"{name} has shape {shape}; it must be {' or '.join(map(str, shapes))}, the last "
            "column of S + 1 being the end of the episode"
        )
    if sparse.issparse(given):
        return [matrix[part] for part in rows]
    if len(shape) == 4 and isinstance(mdp, EpisodicMDP) and mdp.is_stationary:
        return [sparse.csr_array(stage[mdp.states, mdp.actions]) for stage in matrix]
    if len(shape) == 4:
        matrix = np.concatenate(
            [matrix[h][mdp.states[part], mdp.actions[part]] for h, part in enumerate(rows)]
        )
    elif len(shape) == 3:
        matrix = matrix[mdp.states, mdp.actions]
    assert staged or len(rows) == 1
    return [sparse.csr_array(matrix[part]) for part in rows]


def _interval(
    mdp: Model, nominal: Any, low: Any, high: Any, first: int, h: int | None
) -> Ambiguity:
    """The intervals of one stage, checked against its nominal rows."""
    S, rows = mdp.n_states, nominal.shape[0]
    end = nominal[:, [S]]
    if low is None:
        low = sparse.csr_array((rows, S + 1))
    elif low.shape[1] == S:
        low = sparse.csr_array(sparse.hstack([low, end], format="csr"))
    if high is None:
        full = np.ones((rows, S + 1))
        if not mdp.core.has_exits:
            full[:, S] = 0.0
        high = sparse.csr_array(full)
    elif high.shape[1] == S:
        high = sparse.csr_array(sparse.hstack([high, end], format="csr"))
    for name, bound in (("lower", low), ("upper", high)):
        coo = bound.tocoo()
        wrong = np.flatnonzero(~((coo.data >= 0.0) & np.isfinite(coo.data)))
        if len(wrong):
            k = wrong[0]
            raise ModelError(
                f"{name}[{_entry(mdp, first + int(coo.row[k]), int(coo.col[k]), h)}] is "
                f"{coo.data[k]!s}; it must be finite and at least 0"
            )
    sums = np.asarray(low.sum(axis=1)).reshape(-1)
    over = np.flatnonzero(sums > 1.0 + _SUM_TOLERANCE)
    if len(over):
        raise ModelError(
            f"row lower[{_place(mdp, first + int(over[0]), h)}] sums to {sums[over[0]]!s}; no law "
            "is above it: the sum must be at most 1"
        )
    for name, gap in (("lower", nominal - low), ("upper", high - nominal)):
        coo = sparse.coo_array(gap)
        wrong = np.flatnonzero(coo.data < 0.0)
        if len(wrong):
            row, col = int(coo.row[wrong[0]]), int(coo.col[wrong[0]])
            bound = (low if name == "lower" else high)[row, col]
            side = "at most" if name == "lower" else "at least"
            raise ModelError(
                f"{name}[{_entry(mdp, first + row, col, h)}] is {bound!s} and the model's "
                f"probability {nominal[row, col]!s}; it must be {side} that"
            )
    high = high.copy()
    high.data = np.minimum(high.data, _CEILING)
    high.eliminate_zeros()
    high.sort_indices()
    low = low.copy()
    low.eliminate_zeros()
    low.sort_indices()
    owner = np.repeat(np.arange(rows, dtype=np.int64), np.diff(high.indptr))
    keys = owner * (S + 1) + high.indices
    wanted = np.repeat(np.arange(rows, dtype=np.int64), np.diff(low.indptr)) * (S + 1) + low.indices
    least = np.zeros(len(keys))
    least[np.searchsorted(keys, wanted)] = low.data  # lower <= upper: all of them are there
    return _core.planning.Ambiguity.intervals(
        S,
        high.indptr.astype(np.int64),
        high.indices.astype(np.int32),
        least,
        np.ascontiguousarray(high.data, dtype=np.float64),
    )


def _entry(mdp: Model, row: int, col: int, h: int | None) -> str:
    return f"{_place(mdp, row, h)}, {col}"
