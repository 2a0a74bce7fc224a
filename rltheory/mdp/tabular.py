"""What models with and without a horizon have in common: validated rows (s, a), immutable.

A row is the pair (s, a) with P(. | s, a), the probability that the episode ends there
(`termination`), and the mean reward. Rows are in the order of (stage, state, action); ragged
models have rows for feasible pairs only. Ending is a probability, not a state: what has ended
is worth 0 from then on. The exact meaning of a row is itself divided by its exact sum.
"""

import hashlib
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from rltheory import _core
from rltheory.errors import ModelError
from rltheory.mdp.intake import real_numbers, start_law
from rltheory.mdp.labels import checked_labels
from rltheory.mdp.layout import Grid
from rltheory.mdp.rational import RationalModel
from rltheory.mdp.reward_laws import Deterministic, RewardLaw

if TYPE_CHECKING:
    from rltheory.mdp.data import Trajectories

__all__ = ["TabularModel", "by_row"]

_Model = TypeVar("_Model", bound="TabularModel")


class TabularModel:
    """Base of `MDP` and `EpisodicMDP`; not made directly."""

    core: _core.model.Model
    initial: NDArray[np.float64] | None
    layout: Grid | None
    reward_law: RewardLaw
    rational: RationalModel | None
    state_labels: tuple[str, ...] | None = None
    """A name for each state, for people; see `with_labels`."""
    action_labels: tuple[str, ...] | None = None
    """A name for each action."""

    def _fill(
        self,
        core: _core.model.Model,
        initial: Any = None,
        reward_law: RewardLaw | None = None,
        layout: Grid | None = None,
        rational: RationalModel | None = None,
        **criterion: Any,
    ) -> Self:
        law = Deterministic() if reward_law is None else reward_law
        if not isinstance(law, RewardLaw):
            raise ModelError(f"reward_law is {law!r}; it must be one of rltheory's reward laws")
        if not isinstance(law, Deterministic):
            if core.outcome_reward.size:
                raise ModelError("reward_law and next_state_rewards are both given")
            law.check(core.reward)
        if layout is not None:
            _check_layout(layout, core.n_states)
        fields = {
            "core": core,
            "initial": start_law(initial, core.n_states),
            "reward_law": law,
            "layout": layout,
            "rational": rational,
        }
        self.__dict__.update(fields | criterion)
        return self

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a model is immutable; {name} cannot be set")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a model is immutable; {name} cannot be deleted")

    def __reduce__(self) -> Any:
        labels = (self.state_labels, self.action_labels)
        arrays = self._double_arrays()
        return _from_state, (type(self), arrays, self.layout, self.rational, labels)

    # --- sizes and rows -----------------------------------------------------------------

    @property
    def n_states(self) -> int:
        return self.core.n_states

    @property
    def n_actions(self) -> int:
        """Number of action labels; a ragged model need not have each in every state."""
        return self.core.n_actions

    @property
    def n_pairs(self) -> int:
        """Number of rows: feasible (state, action) pairs, of all stages if those differ."""
        return self.core.n_rows

    @property
    def is_full(self) -> bool:
        """Whether every state has every action."""
        return self.n_pairs == self.core.n_stages * self.n_states * self.n_actions

    @property
    def pair_ptr(self) -> NDArray[np.int64]:
        """Rows of state s (at stage h: of number h S + s) are pair_ptr[s] .. pair_ptr[s+1]."""
        return self.core.state_ptr

    @cached_property
    def states(self) -> NDArray[np.int64]:
        """State of each row: int64, shape (n_pairs,)."""
        table = np.arange(self.core.n_stages * self.n_states, dtype=np.int64) % self.n_states
        return _read_only(np.repeat(table, np.diff(self.pair_ptr)))

    @cached_property
    def actions(self) -> NDArray[np.int64]:
        """Action label of each row: int64, shape (n_pairs,)."""
        return _read_only(self.core.action.astype(np.int64))

    @property
    def mean_rewards(self) -> NDArray[np.float64]:
        """Mean reward of each row, which planning uses: shape (n_pairs,)."""
        return self.core.reward

    @property
    def rewards(self) -> NDArray[np.float64]:
        """Mean rewards in the shape of q: a table if the model is full, else one a row."""
        return self._in_q_shape(self.mean_rewards)

    @cached_property
    def termination(self) -> NDArray[np.float64]:
        """Probability that each row ends the episode: shape (n_pairs,)."""
        core = self.core
        if core.exit.size:
            return core.exit
        if core.storage == "deterministic":
            return _read_only((core.col < 0).astype(np.float64))
        return _read_only(np.zeros(self.n_pairs))

    @cached_property
    def row_defect(self) -> NDArray[np.float64]:
        """By how much each row, with its termination, sums to more than 1: shape (n_pairs,)."""
        defect = self.core.defect
        return defect if defect.size else _read_only(np.zeros(self.n_pairs))

    @cached_property
    def transitions(self) -> Any:
        """Probabilities as a read-only scipy CSR array of shape (n_pairs, S)."""
        row_ptr, col, prob = _core.model.as_csr(self.core)
        if len(col) <= np.iinfo(np.int32).max:
            row_ptr = row_ptr.astype(np.int32)  # beside int64 pointers scipy would widen columns
        matrix = sparse.csr_array((prob, col, row_ptr), shape=(self.n_pairs, self.n_states))
        matrix.has_canonical_format = True
        for part in (matrix.data, matrix.indices, matrix.indptr):
            part.setflags(write=False)
        return matrix

    @property
    def storage(self) -> str:
        """How the rows are kept: 'csr', 'dense' or 'deterministic'."""
        return self.core.storage

    @cached_property
    def nbytes(self) -> int:
        """Bytes of all arrays of the model."""
        return sum(x.nbytes for x in self._core_arrays())

    @property
    def reward_range(self) -> tuple[float, float]:
        """Least and largest reward that can be paid."""
        low, high = self._reward_support()
        return float(low.min()), float(high.max())

    def table(self, x: Any, fill: float = np.nan) -> NDArray[np.float64]:
        """Spread one number a row over all pairs.

        Parameters
        ----------
        x : array_like, shape (n_pairs,)
        fill : float
            What stands at pairs that the model does not have.

        Returns
        -------
        ndarray of float64, shape (S, A), or (H, S, A) when the stages differ
        """
        values = real_numbers("x", x)
        if values.shape != (self.n_pairs,):
            raise ModelError(f"x has shape {values.shape}; it must be ({self.n_pairs},)")
        stages, S, A = self.core.n_stages, self.n_states, self.n_actions
        out = np.full((stages * S, A), fill)
        row_state = np.repeat(np.arange(stages * S), np.diff(self.pair_ptr))
        out[row_state, self.actions] = values
        return out.reshape(stages, S, A) if stages > 1 else out

    def sample(
        self,
        policy: Any,
        episodes: int,
        seed: int | np.random.SeedSequence = 0,
        *,
        steps: int | None = None,
    ) -> "Trajectories":
        """Let a policy play episodes; see `rltheory.sample`.

        Returns
        -------
        Trajectories
        """
        from rltheory.mdp.sampling import sample

        return sample(self, policy, episodes, seed, steps=steps)

    def with_labels(self, states: Any = None, actions: Any = None) -> Self:
        """The same model (shared, not copied) with names for its states and actions.

        Names are for people: nothing is computed from them, and `fingerprint` does not see them.
        Models made from this one (another discount, other rewards, a horizon) keep them.

        Parameters
        ----------
        states : sequence of str, length S, optional
            Of printable characters. Left out, the names that the model has are kept.
        actions : sequence of str, length A, optional

        Returns
        -------
        MDP or EpisodicMDP

        Examples
        --------
        >>> import rltheory as rlt
        >>> rlt.riverswim(states=3).with_labels(actions=["left", "right"]).action_labels
        ('left', 'right')
        """
        made = self.__class__.__new__(self.__class__)
        made.__dict__.update(self.__dict__)
        if states is not None:
            labels = checked_labels("states", states, self.n_states)
            made.__dict__["state_labels"] = labels
        if actions is not None:
            labels = checked_labels("actions", actions, self.n_actions)
            made.__dict__["action_labels"] = labels
        return made

    def _labelling(self, made: _Model) -> _Model:
        """The model made from this one, with this one's labels."""
        for name in ("state_labels", "action_labels"):
            if getattr(self, name) is not None:
                made.__dict__[name] = getattr(self, name)
        return made

    # --- the whole model as arrays ------------------------------------------------------

    def arrays(self) -> dict[str, Any]:
        """The canonical arrays, of an exact model in fractions; absent ones are left out.

        Returns
        -------
        dict
            ``n_states, n_actions, state_ptr, action, row_ptr, col, prob, reward, exit`` (empty
            when no row ends), and where the model has them ``discount`` or ``horizon``,
            ``initial``, ``outcome_reward`` and ``exit_reward`` (rewards by successor and on
            ending), and the reward law.
        """
        out = self._double_arrays()
        return out if self.rational is None else out | self.rational.arrays()

    def _double_arrays(self) -> dict[str, Any]:
        core = self.core
        row_ptr, col, prob = _core.model.as_csr(core)
        out: dict[str, Any] = {
            "n_states": core.n_states,
            "n_actions": core.n_actions,
            "state_ptr": core.state_ptr,
            "action": core.action,
            "row_ptr": row_ptr,
            "col": col,
            "prob": prob,
            "reward": core.reward,
            "exit": self.termination if core.has_exits else np.zeros(0),
        }
        out |= self._criterion_arrays()
        if self.initial is not None:
            out["initial"] = self.initial
        if core.outcome_reward.size:
            out["outcome_reward"] = self._outcome_rewards()
        if core.exit_reward.size:
            out["exit_reward"] = core.exit_reward
        return out | self.reward_law.arrays()

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the canonical arrays: equal exactly for equal models, however stored."""
        digest = hashlib.sha256()
        for key, x in sorted(self.arrays().items()):
            digest.update(key.encode())
            if self.rational is not None and isinstance(x, tuple | list):
                digest.update(repr(tuple(map(str, x))).encode())
            else:
                array = np.ascontiguousarray(np.asarray(x))
                kind = {"i": "<i8", "f": "<f8"}.get(array.dtype.kind)
                plain = array if kind is None else array.astype(kind, copy=False)
                digest.update(f"{plain.dtype.str}{plain.shape}".encode())
                digest.update(str(x).encode() if array.dtype.kind == "O" else plain.tobytes())
        return digest.hexdigest()

    # --- for subclasses -----------------------------------------------------------------

    def _criterion_arrays(self) -> dict[str, Any]:
        raise TypeError("a model is an MDP or an EpisodicMDP")

    def _in_q_shape(self, x: NDArray[Any]) -> NDArray[Any]:
        raise TypeError("a model is an MDP or an EpisodicMDP")

    def _outcome_rewards(self) -> NDArray[np.float64]:
        """Reward of each stored successor, in the order of `transitions`."""
        core = self.core
        if core.storage == "deterministic":
            return core.outcome_reward[core.col >= 0]
        if core.storage == "dense":
            return core.outcome_reward[core.prob != 0.0]
        return core.outcome_reward

    def _reward_support(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Least and largest reward of each row."""
        if not self.core.outcome_reward.size:
            return self.reward_law.support(self.mean_rewards)
        outcome, transitions = self._outcome_rewards(), self.transitions
        low = by_row(np.minimum, outcome, transitions.indptr, np.inf)
        high = by_row(np.maximum, outcome, transitions.indptr, -np.inf)
        ends = self.termination > 0.0
        paid = self.core.exit_reward if self.core.exit_reward.size else np.zeros(self.n_pairs)
        low = np.where(ends, np.minimum(low, paid), low)
        return low, np.where(ends, np.maximum(high, paid), high)

    def _core_arrays(self) -> list[NDArray[Any]]:
        core = self.core
        names = [
            "state_ptr",
            "action",
            "reward",
            "exit",
            "defect",
            "row_ptr",
            "col",
            "prob",
            "outcome_reward",
            "exit_reward",
        ]
        return [getattr(core, name) for name in names]


def _from_state(
    kind: Any,
    arrays: dict[str, Any],
    layout: Grid | None,
    rational: RationalModel | None,
    labels: tuple[tuple[str, ...] | None, tuple[str, ...] | None],
) -> Any:
    model = kind.from_arrays(arrays)
    if rational is not None:
        model = model._with_rational(rational)
    model.__dict__.update(layout=layout)
    return model.with_labels(*labels)


def _check_layout(layout: Grid, n_states: int) -> None:
    named = np.asarray(layout.cells)[np.asarray(layout.cells) >= 0]
    if sorted(named.tolist()) != list(range(n_states)):
        raise ModelError(f"the layout must show each of the {n_states} states once")


def by_row(
    ufunc: Any, entries: NDArray[np.float64], row_ptr: NDArray[Any], empty: float
) -> NDArray[np.float64]:
    """Reduce the entries of each row; `empty` for rows without any."""
    out = np.full(len(row_ptr) - 1, empty)
    some = np.flatnonzero(np.diff(row_ptr))
    if len(some):
        out[some] = ufunc.reduceat(entries, row_ptr[some])
    return out


def _read_only(x: NDArray[Any]) -> NDArray[Any]:
    x.setflags(write=False)
    return x
