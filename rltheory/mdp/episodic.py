"""Finite-horizon Markov decision processes, stationary or different at every stage.

The problem: stages h = 0..H-1, rows P_h(. | s, a) with a probability of ending, mean rewards
r_h(s, a). Values count what is still to come, without discount:

    V_H = 0,    V_h^pi(s) = r_h(s, pi_h(s)) + sum_s' P_h(s' | s, pi_h(s)) V_{h+1}^pi(s').
"""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from rltheory import _core
from rltheory.errors import ModelError
from rltheory.mdp.arguments import stages
from rltheory.mdp.intake import real_numbers
from rltheory.mdp.layout import Grid
from rltheory.mdp.rational import RationalModel
from rltheory.mdp.reward_laws import RewardLaw, law_from_arrays
from rltheory.mdp.tables import read_arrays, read_table
from rltheory.mdp.tabular import TabularModel, by_row

__all__ = ["EpisodicMDP"]


_Bounds = tuple[NDArray[np.float64], NDArray[np.float64]]


class EpisodicMDP(TabularModel):
    """A finite-horizon tabular MDP: validated, immutable.

    Parameters
    ----------
    transitions : array_like, shape (S, A, S) or (H, S, A, S), or sparse (S*A, S), or a list of H
        P_h(s' | s, a); with `termination`, each row sums to 1 within 1e-9.
    rewards : array_like, shape (S, A) or (H, S, A), optional
        Mean rewards; in their place `next_state_rewards` may be given.
    horizon : int
        Number of stages H, at least 1.
    initial : array_like, shape (S,), optional
        Law of the start state.
    termination, termination_rewards : array_like, shape (S, A) or (H, S, A), optional
    next_state_rewards : like `transitions`, optional
    reward_law, layout, exact
        As in `MDP`.

    Raises
    ------
    ModelError
        If the arrays are no model; the message names the entry.

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.EpisodicMDP([[[0.5, 0.5]], [[0.0, 1.0]]], [[1.0], [0.0]], horizon=3)
    >>> rlt.solve(mdp).value[:, 0].tolist()
    [1.75, 1.5, 1.0, 0.0]
    """

    horizon: int

    def __init__(
        self,
        transitions: Any,
        rewards: Any,
        horizon: int,
        initial: Any = None,
        *,
        termination: Any = None,
        next_state_rewards: Any = None,
        termination_rewards: Any = None,
        reward_law: RewardLaw | None = None,
        layout: Grid | None = None,
        exact: bool = False,
    ) -> None:
        stages(horizon)
        core, rational = read_table(
            transitions,
            rewards,
            termination,
            next_state_rewards,
            termination_rewards,
            int(horizon),
            exact,
        )
        self._fill(core, initial, reward_law, layout, rational, horizon=int(horizon))

    @classmethod
    def _of(
        cls,
        core: _core.model.Model,
        horizon: int,
        initial: Any,
        reward_law: RewardLaw | None,
        layout: Grid | None,
        rational: RationalModel | None,
    ) -> Self:
        made = cls.__new__(cls)
        return made._fill(core, initial, reward_law, layout, rational, horizon=horizon)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> Self:
        """The model of the canonical arrays that `arrays()` gives, in doubles."""
        horizon = int(arrays["horizon"])
        stages(horizon)
        core = read_arrays(arrays, horizon)
        law = law_from_arrays(arrays)
        return cls._of(core, horizon, arrays.get("initial"), law, None, None)

    def with_rewards(self, rewards: Any) -> Self:
        """The same transitions with other mean rewards.

        Parameters
        ----------
        rewards : array_like, shape (S, A) or (H, S, A), or (n_pairs,) on a ragged model
            Rewards that differ by stage give a model that keeps the rows of every stage; otherwise
            the transitions are shared, not copied.
        """
        if self.rational is not None:
            raise ModelError("an exact model keeps its rewards; make another one")
        one = (self.n_states, self.n_actions) if self.is_full else (self.n_pairs,)
        staged = (self.horizon, *one)
        allowed = [one, staged] if self.is_full else [one]
        table = real_numbers("rewards", rewards)
        if table.shape not in allowed:
            shapes = " or ".join(map(str, allowed))
            raise ModelError(f"rewards has shape {table.shape}; it must be {shapes}")
        if self.is_stationary and table.shape != one:
            ends = None
            if self.core.has_exits:
                ends = np.broadcast_to(self.termination.reshape(one), staged)
            moves = [self.transitions] * self.horizon
            made = type(self)(moves, table, self.horizon, self.initial, termination=ends)
            made.__dict__.update(layout=self.layout)
            return made
        if not self.is_stationary:
            table = np.broadcast_to(table, staged)
        try:
            core = _core.model.with_rewards(self.core, np.array(table).reshape(-1))
        except _core.model.ModelFault as fault:
            raise ModelError(str(fault)) from None
        return self._of(core, self.horizon, self.initial, None, self.layout, None)

    @property
    def is_stationary(self) -> bool:
        """Whether all stages share one set of rows."""
        return self.core.n_stages == 1

    @property
    def return_range(self) -> tuple[float, float]:
        """Least and largest return that any policy can meet with positive probability."""
        least, most = np.zeros(self.n_states), np.zeros(self.n_states)
        S, transitions = self.n_states, self.transitions
        ends = self.termination > 0.0
        for h in reversed(range(self.horizon)):
            first = self.stage(h) * S
            rows = slice(int(self.pair_ptr[first]), int(self.pair_ptr[first + S]))
            for bound, paid, on_ending, down in zip(
                (least, most), *self._outcome_support(), (True, False), strict=True
            ):
                part = slice(transitions.indptr[rows.start], transitions.indptr[rows.stop])
                ahead = _outward(paid[part], bound[transitions.indices[part]], down)
                pointers = transitions.indptr[rows.start : rows.stop + 1] - part.start
                ufunc, empty = (np.minimum, np.inf) if down else (np.maximum, -np.inf)
                per_row = by_row(ufunc, ahead, pointers, empty)
                per_row = np.where(ends[rows], ufunc(per_row, on_ending[rows]), per_row)
                bound[:] = empty
                ufunc.at(bound, self.states[rows], per_row)
        if self.initial is not None:
            possible = self.initial > 0.0
            least, most = least[possible], most[possible]
        return float(least.min()), float(most.max())

    def as_exact(self) -> Self:
        """The rational model that this one means: its doubles, each row over its exact sum."""
        rational = self.rational
        if rational is None:
            rational = RationalModel.of_arrays(self._double_arrays(), None)
        made = self._of(
            self.core, self.horizon, self.initial, self.reward_law, self.layout, rational
        )
        return self._labelling(made)

    def _with_rational(self, rational: RationalModel) -> Self:
        """This model of doubles beside the rationals that it is nearest to."""
        made = self._of(
            self.core, self.horizon, self.initial, self.reward_law, self.layout, rational
        )
        return self._labelling(made)

    def stage(self, h: int) -> int:
        """The stage whose rows stage h has in the core: 0 when all are shared."""
        if not 0 <= h < self.horizon:
            raise ModelError(f"stage {h} is not in 0..{self.horizon - 1}")
        return 0 if self.is_stationary else h

    def __repr__(self) -> str:
        pairs = "" if self.is_full else f"{self.n_pairs} pairs, "
        staged = "" if self.is_stationary else ", stages differ"
        exact = ", exact" if self.rational is not None else ""
        return (
            f"EpisodicMDP({self.n_states} states, {self.n_actions} actions, {pairs}"
            f"horizon {self.horizon}{staged}{exact})"
        )

    def _outcome_support(self) -> tuple[_Bounds, _Bounds]:
        """(least, largest) reward of each stored successor, and of ending from each row."""
        if self.core.outcome_reward.size:
            outcome = self._outcome_rewards()
            last = self.core.exit_reward
            last = last if last.size else np.zeros(self.n_pairs)
            return (outcome, outcome), (last, last)
        low, high = self.reward_law.support(self.mean_rewards)
        entries = np.diff(self.transitions.indptr)
        return (np.repeat(low, entries), np.repeat(high, entries)), (low, high)

    def _criterion_arrays(self) -> dict[str, Any]:
        return {"horizon": self.horizon}

    def _in_q_shape(self, x: NDArray[Any]) -> NDArray[Any]:
        """(H, S, A) on full models; rows as they are on ragged ones."""
        shape = (self.core.n_stages, self.n_states, self.n_actions)
        if not self.is_full:
            return x
        return np.broadcast_to(x.reshape(shape), (self.horizon, *shape[1:]))


def _outward(a: NDArray[np.float64], b: NDArray[np.float64], down: bool) -> NDArray[np.float64]:
    """a + b, rounded down or up where it is not exact."""
    total = a + b
    with np.errstate(invalid="ignore"):  # infinite ends have no remainder
        back = total - a
        lost = (a - (total - back)) + (b - back)
        off = lost < 0.0 if down else lost > 0.0
    return np.where(off, np.nextafter(total, -np.inf if down else np.inf), total)
