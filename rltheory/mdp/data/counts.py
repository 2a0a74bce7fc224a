"""Counts: how often each pair was visited, what followed, and what it paid in all.

    N(h, s, a)    visits,    N(h, s, a, s')    with successor s',    R(h, s, a)    sum of rewards

The rows are in the order (h S + s) A + a. What is missing from a row's successors ended:
N(h, s, a) - sum_s' N(h, s, a, s'). Without stages the index h is left out.
"""

from dataclasses import dataclass, field
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from rltheory.errors import ModelError
from rltheory.mdp.arguments import at_least
from rltheory.mdp.data.entries import the_provenance
from rltheory.mdp.data.files import read_data, write_data
from rltheory.mdp.data.provenance import Provenance, joined
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.intake import as_array
from rltheory.mdp.model import MDP

__all__ = ["Counts", "Unvisited", "counted", "place_of"]

Unvisited = Literal["end", "stay", "uniform", "absent", "refuse"]


@dataclass(frozen=True, eq=False)
class Counts:
    """How often each pair was visited, and what followed.

    Parameters
    ----------
    visits : array_like of int, shape (S, A), or (H, S, A) by stage
    next_counts : array_like of int or sparse
        Dense with a last axis of S beside the shape of `visits`, or sparse (pairs, S). Kept sparse:
        a scipy CSR array of int64, row (h S + s) A + a. A row sums to at most its visits; what is
        missing ended.
    reward_sums : array_like, shape of `visits`
    provenance : Provenance, optional

    Raises
    ------
    ModelError
        If shapes do not fit, a count is negative, or a pair has more successors than visits; the
        message names the pair.

    Examples
    --------
    >>> import rltheory as rlt
    >>> counts = rlt.Counts([[4]], [[[3]]], [[2.0]])
    >>> counts
    Counts(1 states, 1 actions, 4 visits)
    >>> counts.empirical(discount=0.5).termination.tolist()
    [0.25]
    """

    visits: NDArray[np.int64]
    next_counts: Any
    reward_sums: NDArray[np.float64]
    provenance: Provenance = field(default_factory=Provenance)

    def __post_init__(self) -> None:
        origin = the_provenance(self.provenance)
        visits = _whole("visits", self.visits)
        if visits.ndim not in (2, 3) or not visits.size:
            raise ModelError(
                f"visits has shape {visits.shape}; it must be (S, A), or (H, S, A) by stage, and "
                "not empty"
            )
        sizes = dict(
            zip(("horizon", "n_states", "n_actions"), (None, *visits.shape)[-3:], strict=True)
        )
        for name, size in sizes.items():
            known = getattr(origin, name)
            if size is not None and known is not None and known != size:
                raise ModelError(f"visits has shape {visits.shape}; the {name} is {known}")
        _refuse_below_0("visits", visits)
        following = _successors(self.next_counts, visits)
        left = visits.reshape(-1) - _row_sums(following)
        if left.min() < 0:
            row = int(np.flatnonzero(left < 0)[0])
            where = place_of(row, visits.shape)
            raise ModelError(
                f"next_counts{where} sums to {visits.flat[row] - left[row]}, visits{where} is "
                f"{visits.flat[row]}; a visit has at most one successor"
            )
        paid = np.array(as_array("reward_sums", self.reward_sums))
        if paid.dtype.kind not in "fiu" or paid.shape != visits.shape:
            raise ModelError(
                f"reward_sums has shape {paid.shape} and dtype {paid.dtype}; it must hold real "
                f"numbers in the shape of visits, {visits.shape}"
            )
        paid = np.ascontiguousarray(paid, dtype=np.float64)
        wrong = np.flatnonzero(~np.isfinite(paid))
        if len(wrong):
            row = int(wrong[0])
            raise ModelError(
                f"reward_sums{place_of(row, visits.shape)} is {paid.flat[row]!s}; it must be finite"
            )
        wrong = np.flatnonzero((visits == 0) & (paid != 0.0))
        if len(wrong):
            row = int(wrong[0])
            raise ModelError(
                f"reward_sums{place_of(row, visits.shape)} is {paid.flat[row]!s} without a visit"
            )
        for array in (visits, paid, following.data, following.indices, following.indptr):
            array.setflags(write=False)
        fields = {
            "visits": visits,
            "next_counts": following,
            "reward_sums": paid,
            "provenance": origin,
        }
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    # --- sizes --------------------------------------------------------------------------

    @property
    def n_states(self) -> int:
        return int(self.visits.shape[-2])

    @property
    def n_actions(self) -> int:
        return int(self.visits.shape[-1])

    @property
    def horizon(self) -> int | None:
        """Number of stages counted apart; None where they are not."""
        return int(self.visits.shape[0]) if self.visits.ndim == 3 else None

    @property
    def total(self) -> int:
        """All visits."""
        return int(self.visits.sum())

    @property
    def ends(self) -> NDArray[np.int64]:
        """How often a pair ended the run: the shape of `visits`."""
        return self.visits - _row_sums(self.next_counts).reshape(self.visits.shape)

    def dense(self) -> NDArray[np.int64]:
        """`next_counts` as an array of shape (S, A, S) or (H, S, A, S)."""
        table = np.asarray(self.next_counts.toarray())
        return table.reshape(*self.visits.shape, self.n_states)

    # --- arithmetic ---------------------------------------------------------------------

    def __add__(self, other: "Counts") -> "Counts":
        """Counts of both collections together."""
        if not isinstance(other, Counts):
            return NotImplemented
        if self.visits.shape != other.visits.shape:
            raise ModelError(
                f"counts of shapes {self.visits.shape} and {other.visits.shape} cannot be added"
            )
        return Counts(
            self.visits + other.visits,
            self.next_counts + other.next_counts,
            self.reward_sums + other.reward_sums,
            joined([self.provenance, other.provenance]),
        )

    def pooled(self) -> "Counts":
        """The same without stages: those of all stages together."""
        if self.horizon is None:
            return self
        S, A = self.n_states, self.n_actions
        parts = [self.next_counts[row : row + S * A] for row in range(0, self.visits.size, S * A)]
        return Counts(
            self.visits.sum(axis=0), sum(parts[1:], parts[0]), self.reward_sums.sum(axis=0),
            self.provenance,
        )  # fmt: skip

    def occupancy(self) -> NDArray[np.float64]:
        """Share of the visits to each pair.

        Returns
        -------
        ndarray of float64, shape (S, A) or (H, S, A)
            By stage, shares of the episodes, which are the visits of stage 0: their mean is the
            policy's `occupancy`, where whole episodes were played. Without stages, shares of all
            visits; a discounted occupancy needs the times (``Trajectories.occupancy``).

        Raises
        ------
        ModelError
            If there is no visit (at stage 0).
        """
        whole = self.total if self.horizon is None else int(self.visits[0].sum())
        if not whole:
            raise ModelError("there is no visit to take shares of")
        return self.visits / whole

    # --- the empirical model ------------------------------------------------------------

    def empirical(
        self,
        discount: float | None = None,
        initial: Any = None,
        *,
        horizon: int | None = None,
        rewards: Any = None,
        unvisited: Unvisited = "refuse",
        exact: bool = False,
    ) -> MDP | EpisodicMDP:
        """The plug-in model: shares of successors, and mean rewards.

        Parameters
        ----------
        discount : float, optional
            Of an `MDP`.
        initial : array_like, shape (S,), optional
            Start law.
        horizon : int, optional
            An `EpisodicMDP` of counts without stages; those with stages have theirs.
        rewards : array_like, shape (S, A) or (H, S, A), optional
            Known mean rewards, in place of the empirical ones.
        unvisited : {"refuse", "end", "stay", "uniform", "absent"}
            What a pair without a visit is. "refuse": there must be none. Otherwise its reward is 0,
            or the known one, and it ends the run, stays in its state, or leads to every state with
            the same probability; "absent" leaves it out, where each state (at each stage) has
            another.
        exact : bool
            Shares and means of rewards in fractions (the sums of rewards are doubles).

        Returns
        -------
        MDP or EpisodicMDP
            With stages that are counted apart, or a horizon, an `EpisodicMDP`.

        Raises
        ------
        ModelError
            If a pair was never visited and `unvisited` is "refuse", or a state would be left
            without an action; the message names it.
        """
        from rltheory.mdp.data.empirical import empirical_model

        return empirical_model(self, discount, initial, horizon, rewards, unvisited, exact)

    # --- files --------------------------------------------------------------------------

    def save(self, path: Any) -> None:
        """Write an .npz archive, which `load` reads; nothing in it is pickled."""
        following = self.next_counts
        arrays = {
            "visits": self.visits,
            "reward_sums": self.reward_sums,
            "row_ptr": following.indptr,
            "col": following.indices,
            "count": following.data,
        }
        write_data(path, "counts", arrays, self.provenance)

    @classmethod
    def load(cls, path: Any) -> Self:
        """Read what `save` wrote.

        Raises
        ------
        ModelError
            If the file is no such archive or its entries are wrong.
        """

        def made(
            visits: Any, reward_sums: Any, row_ptr: Any, col: Any, count: Any, provenance: Any
        ) -> Any:
            shape = (visits.size, visits.shape[-2] if visits.ndim > 1 else 0)
            try:
                following = sparse.csr_array((count, col, row_ptr), shape=shape)
                following.check_format()
            except ValueError as fault:
                raise ModelError(f"next_counts is a damaged sparse array: {fault}") from None
            return cls(visits, following, reward_sums, provenance)

        names = ("visits", "reward_sums", "row_ptr", "col", "count")
        read: Self = read_data(path, "counts", made, dict.fromkeys(names, True))
        return read

    def __repr__(self) -> str:
        staged = "" if self.horizon is None else f"horizon {self.horizon}, "
        return (
            f"Counts({self.n_states} states, {self.n_actions} actions, {staged}{self.total} visits)"
        )


def counted(
    steps: Any,
    n_states: int | None,
    n_actions: int | None,
    horizon: int | None,
    staged: bool | None,
) -> Counts:
    """The counts of steps (h, s, a, r, s'); see `Transitions.counts`."""
    S, A = (
        _size(name, given, getattr(steps.provenance, name), getattr(steps, column))
        for name, given, column in (
            ("n_states", n_states, "states"),
            ("n_actions", n_actions, "actions"),
        )
    )
    beyond = np.flatnonzero(steps.next_states >= S)
    if len(beyond):
        raise ModelError(
            f"next_states[{beyond[0]}] is {steps.next_states[beyond[0]]}; n_states is {S}"
        )
    known = horizon if horizon is not None else steps.provenance.horizon
    if staged is None:
        staged = known is not None and steps.stages is not None
    states = steps.states.astype(np.int64)
    shape: tuple[int, ...] = (S, A)
    if staged:
        if steps.stages is None:
            raise ModelError("the steps have no stages; they can only be counted together")
        H = _size("horizon", horizon, steps.provenance.horizon, steps.stages)
        states += steps.stages.astype(np.int64) * S
        shape = (H, S, A)
    rows = states * A + steps.actions
    size = int(np.prod(shape))
    visits = np.bincount(rows, minlength=size).reshape(shape)
    paid = np.bincount(rows, weights=steps.rewards, minlength=size).astype(np.float64)
    on = steps.next_states >= 0
    ones = np.ones(int(on.sum()), dtype=np.int64)
    following = sparse.coo_array((ones, (rows[on], steps.next_states[on])), shape=(size, S))
    origin = steps.provenance
    fields = origin.to_json() | {"n_states": S, "n_actions": A}
    if staged:
        fields["horizon"] = shape[0]
    return Counts(visits, following.tocsr(), paid.reshape(shape), Provenance.from_json(fields))


def _size(name: str, given: Any, known: int | None, entries: NDArray[Any]) -> int:
    size = known if given is None else given
    if size is None:
        raise ModelError(f"{name} is not known; the provenance does not say it: give {name}=")
    at_least(name, size, 1)
    if known is not None and size != known:
        raise ModelError(f"{name} is {size}; the provenance says {known}")
    if len(entries) and entries.max() >= size:
        column = {"n_states": "states", "n_actions": "actions", "horizon": "stages"}[name]
        at = int(np.argmax(entries >= size))
        raise ModelError(f"{column}[{at}] is {entries[at]}; {name} is {size}")
    return int(size)


def _whole(name: str, x: Any) -> NDArray[np.int64]:
    array = as_array(name, x)
    if array.dtype.kind not in "iu":
        raise ModelError(f"{name} has dtype {array.dtype}; it must hold integers")
    if array.dtype.kind == "u" and array.size and array.max() > np.iinfo(np.int64).max:
        raise ModelError(f"{name} has an entry of {array.max()}, above 2^63 - 1")
    return np.array(array, dtype=np.int64, order="C")


def _refuse_below_0(name: str, counts: NDArray[np.int64]) -> None:
    if counts.min() < 0:
        where = tuple(int(i) for i in np.argwhere(counts < 0)[0])
        place = ", ".join(map(str, where))
        raise ModelError(f"{name}[{place}] is {counts[where]}; a count must be at least 0")


def _successors(given: Any, visits: NDArray[np.int64]) -> Any:
    S = visits.shape[-2]
    shape = (visits.size, S)
    if sparse.issparse(given):
        if given.dtype.kind not in "iu":
            raise ModelError(f"next_counts has dtype {given.dtype}; it must hold integers")
        if given.shape != shape:
            raise ModelError(
                f"next_counts has shape {given.shape}; sparse, it must be {shape}, one row a pair"
            )
        csr = sparse.csr_array(given, dtype=np.int64, copy=True)
        csr.sum_duplicates()
    else:
        table = _whole("next_counts", given)
        if table.shape != (*visits.shape, S):
            raise ModelError(
                f"next_counts has shape {table.shape}; it must be {(*visits.shape, S)}, or sparse "
                f"{shape}"
            )
        csr = sparse.csr_array(table.reshape(shape))
    if csr.nnz and csr.data.min() < 0:
        at = int(np.flatnonzero(csr.data < 0)[0])
        row = int(np.searchsorted(csr.indptr, at, side="right")) - 1
        place = place_of(row, visits.shape)[:-1] + f", {csr.indices[at]}]"
        raise ModelError(f"next_counts{place} is {csr.data[at]}; a count must be at least 0")
    csr.eliminate_zeros()
    return csr


def _row_sums(csr: Any) -> NDArray[np.int64]:
    # By differences of running totals, which stay whole numbers and need no pass for empty rows.
    totals = np.concatenate([[0], np.cumsum(csr.data)])
    return np.asarray(totals[csr.indptr[1:]] - totals[csr.indptr[:-1]])


def place_of(row: int, shape: tuple[int, ...]) -> str:
    """The indices of a row in an array of this shape: "[1, 0]"."""
    return f"[{', '.join(str(int(i)) for i in np.unravel_index(row, shape))}]"
