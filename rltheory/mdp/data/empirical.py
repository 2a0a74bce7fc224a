"""The plug-in model of counts: shares of successors, and mean rewards.

    P_hat(s' | s, a) = N(s, a, s') / N(s, a),    r_hat(s, a) = R(s, a) / N(s, a)

and the rest of a row ends. What was never visited has no share, and what it is to be is the
caller's choice.
"""

from fractions import Fraction
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from rltheory.errors import ModelError
from rltheory.mdp.arguments import at_least
from rltheory.mdp.data.counts import Counts, Unvisited, place_of
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.intake import real_numbers
from rltheory.mdp.model import MDP

__all__ = ["empirical_model"]


def empirical_model(
    counts: Counts,
    discount: float | None,
    initial: Any,
    horizon: int | None,
    rewards: Any,
    unvisited: Unvisited,
    exact: bool,
) -> MDP | EpisodicMDP:
    """See `Counts.empirical`."""
    if unvisited not in get_args(Unvisited):
        raise ModelError(
            f"unvisited is {unvisited!r}; allowed are {', '.join(get_args(Unvisited))}"
        )
    staged = counts.horizon is not None
    if horizon is not None:
        at_least("horizon", horizon, 1)
        if staged and horizon != counts.horizon:
            raise ModelError(f"horizon is {horizon}; the counts have {counts.horizon} stages")
    stages = counts.horizon if staged else horizon
    if stages is not None and discount is not None:
        raise ModelError(f"a discount and {stages} stages are both given; a model has one of them")

    visits = counts.visits.reshape(-1)
    never = np.flatnonzero(visits == 0)
    if unvisited == "refuse" and len(never):
        raise ModelError(
            f"pair {place_of(int(never[0]), counts.visits.shape)} was never visited; say what it "
            "is: unvisited='end', 'stay', 'uniform' or 'absent'"
        )
    following, ends = _filled(counts, never, unvisited)
    paid = _known(rewards, counts.visits.shape)
    keep = np.flatnonzero(visits > 0) if unvisited == "absent" else np.arange(len(visits))
    if exact:
        return _exact(counts, following, ends, paid, keep, discount, initial, stages)
    shares = following.astype(np.float64)
    total = np.maximum(visits + (visits == 0) * _filler(counts, unvisited), 1)
    shares.data = shares.data / np.repeat(total, np.diff(shares.indptr))
    mean = counts.reward_sums.reshape(-1) / np.maximum(visits, 1) if paid is None else paid
    ending = ends / total
    if staged:
        return _by_stage(counts, shares, ending, mean, keep, initial)
    S, A = counts.visits.shape
    some = bool(ends.any())
    if len(keep) == len(visits):
        mdp = MDP(
            shares,
            mean.reshape(S, A),
            discount,
            initial,
            termination=ending.reshape(S, A) if some else None,
        )
    else:
        _refuse_empty(counts, keep)
        mdp = MDP.from_pairs(
            keep // A, keep % A, shares[keep], mean[keep], discount, initial,
            n_states=S, n_actions=A, termination=ending[keep] if some else None,
        )  # fmt: skip
    return mdp if stages is None else mdp.episodic(stages)


def _filler(counts: Counts, unvisited: Unvisited) -> int:
    """What an unvisited pair is given visits for, so that its counts are shares of them."""
    return counts.n_states if unvisited == "uniform" else 1


def _filled(
    counts: Counts, never: NDArray[np.int64], unvisited: Unvisited
) -> tuple[Any, NDArray[np.int64]]:
    """Successors and ends, with made-up counts for the pairs that were never visited."""
    ends = counts.ends.reshape(-1).copy()
    following = counts.next_counts
    S, A = counts.n_states, counts.n_actions
    if not len(never) or unvisited == "absent":
        return following, ends
    if unvisited == "end":
        ends[never] = 1
        return following, ends
    if unvisited == "stay":
        rows, columns = never, never // A % S
    else:
        rows, columns = np.repeat(never, S), np.tile(np.arange(S), len(never))
    ones = np.ones(len(rows), dtype=np.int64)
    return following + sparse.csr_array((ones, (rows, columns)), shape=following.shape), ends


def _known(rewards: Any, shape: tuple[int, ...]) -> NDArray[np.float64] | None:
    if rewards is None:
        return None
    table = real_numbers("rewards", rewards)
    if table.shape not in (shape, shape[-2:]):
        allowed = " or ".join(dict.fromkeys(map(str, (shape, shape[-2:]))))
        raise ModelError(f"rewards has shape {table.shape}; it must be {allowed}")
    return np.broadcast_to(table, shape).reshape(-1)


def _refuse_empty(counts: Counts, keep: NDArray[np.int64]) -> None:
    """Refuse a state, at any stage, of which no pair was visited."""
    seen = np.bincount(keep // counts.n_actions, minlength=counts.visits.size // counts.n_actions)
    if not seen.all():
        where = place_of(int(np.argmin(seen > 0)), counts.visits.shape[:-1])
        raise ModelError(
            f"no pair of state {where} was visited; a state needs an action, so that its pairs "
            "cannot be absent"
        )


def _by_stage(
    counts: Counts,
    shares: Any,
    ending: NDArray[np.float64],
    mean: NDArray[np.float64],
    keep: NDArray[np.int64],
    initial: Any,
) -> EpisodicMDP:
    """Rows that differ by stage, of all pairs or of some: the canonical arrays say both."""
    _refuse_empty(counts, keep)
    H, S, A = counts.visits.shape
    rows = shares[keep] if len(keep) < H * S * A else shares
    arrays = {
        "n_states": S,
        "n_actions": A,
        "horizon": H,
        "state_ptr": np.concatenate([[0], np.cumsum(np.bincount(keep // A, minlength=H * S))]),
        "action": keep % A,
        "row_ptr": rows.indptr.astype(np.int64),
        "col": rows.indices.astype(np.int64),
        "prob": rows.data,
        "reward": np.ascontiguousarray(mean[keep]),
        "exit": ending[keep] if ending.any() else np.zeros(0),
    }
    if initial is not None:
        arrays["initial"] = initial
    return EpisodicMDP.from_arrays(arrays)


def _exact(
    counts: Counts,
    following: Any,
    ends: NDArray[np.int64],
    paid: NDArray[np.float64] | None,
    keep: NDArray[np.int64],
    discount: Any,
    initial: Any,
    stages: int | None,
) -> MDP | EpisodicMDP:
    """The same in fractions: for small models."""
    table = following.toarray()
    total = table.sum(axis=1) + ends
    visits = counts.visits.reshape(-1)
    shares = [
        [Fraction(n, max(t, 1)) for n in row]
        for row, t in zip(table.tolist(), total.tolist(), strict=True)
    ]
    ending = [Fraction(n, max(t, 1)) for n, t in zip(ends.tolist(), total.tolist(), strict=True)]
    if paid is None:
        pairs = zip(counts.reward_sums.reshape(-1).tolist(), visits.tolist(), strict=True)
        mean = [Fraction(x) / max(n, 1) for x, n in pairs]
    else:
        mean = [Fraction(x) for x in paid.tolist()]
    S, A = counts.n_states, counts.n_actions
    if counts.horizon is not None:
        if len(keep) < len(visits):
            raise ModelError("an exact model by stage has all pairs; unvisited cannot be 'absent'")
        H = counts.horizon
        tables = (np.array(x, dtype=object).reshape(shape) for x, shape in (
            (shares, (H, S, A, S)), (mean, (H, S, A)), (ending, (H, S, A))))  # fmt: skip
        moves, rewards, termination = tables
        return EpisodicMDP(moves, rewards, H, initial, termination=termination, exact=True)
    _refuse_empty(counts, keep)
    mdp = MDP.from_pairs(
        keep // A, keep % A, [shares[k] for k in keep], [mean[k] for k in keep], discount, initial,
        n_states=S, n_actions=A, termination=[ending[k] for k in keep], exact=True,
    )  # fmt: skip
    return mdp if stages is None else mdp.episodic(stages)
