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
from rltheory.mdp.arguments import at_least
from rltheory.mdp.layout import Grid
from rltheory.mdp.rational import RationalModel
from rltheory.mdp.reward_laws import RewardLaw, law_from_arrays
from rltheory.mdp.tables import read_arrays, read_table
from rltheory.mdp.tabular import TabularModel

__all__ = ["EpisodicMDP"]


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
        at_least("horizon", horizon, 1)
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
        at_least("horizon", horizon, 1)
        core = read_arrays(arrays, horizon)
        law = law_from_arrays(arrays)
        return cls._of(core, horizon, arrays.get("initial"), law, None, None)

    @property
    def is_stationary(self) -> bool:
        """Whether all stages share one set of rows."""
        return self.core.n_stages == 1

    @property
    def return_range(self) -> tuple[float, float]:
        """Least and largest return that any policy can meet with positive probability."""
        low, high = self._reward_support()
        least, most = np.zeros(self.n_states), np.zeros(self.n_states)
        transitions = self.transitions
        ends = self.termination > 0.0
        per_stage = self.n_pairs // self.core.n_stages if self.is_full else self.n_pairs
        for h in reversed(range(self.horizon)):
            if self.is_stationary:
                rows = slice(0, self.n_pairs)
            elif self.is_full:
                rows = slice(h * per_stage, (h + 1) * per_stage)
            else:
                S = self.n_states
                rows = slice(int(self.pair_ptr[h * S]), int(self.pair_ptr[(h + 1) * S]))
            part = transitions[rows]
            owner = self.states[rows]
            for bound, reward, ufunc, start in (
                (least, low, np.minimum, np.inf),
                (most, high, np.maximum, -np.inf),
            ):
                ahead = np.full(part.shape[0], start)
                some = np.flatnonzero(np.diff(part.indptr))
                if len(some):
                    ahead[some] = ufunc.reduceat(bound[part.indices], part.indptr[some])
                ahead = np.where(ends[rows], ufunc(ahead, 0.0), ahead)
                new = np.full(self.n_states, start)
                ufunc.at(new, owner, reward[rows] + ahead)
                bound[:] = new
        if self.initial is not None:
            possible = self.initial > 0.0
            least, most = least[possible], most[possible]
        return float(least.min()), float(most.max())

    def as_exact(self) -> Self:
        """The rational model that this one means: its doubles, each row over its exact sum."""
        rational = self.rational
        if rational is None:
            rational = RationalModel.of_arrays(self._double_arrays(), None)
        return self._of(
            self.core, self.horizon, self.initial, self.reward_law, self.layout, rational
        )

    def _with_rational(self, rational: RationalModel) -> Self:
        """This model of doubles beside the rationals that it is nearest to."""
        return self._of(
            self.core, self.horizon, self.initial, self.reward_law, self.layout, rational
        )

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

    def _criterion_arrays(self) -> dict[str, Any]:
        return {"horizon": self.horizon}

    def _in_q_shape(self, x: NDArray[Any]) -> NDArray[Any]:
        """(H, S, A) on full models; rows as they are on ragged ones."""
        shape = (self.core.n_stages, self.n_states, self.n_actions)
        if not self.is_full:
            return x
        return np.broadcast_to(x.reshape(shape), (self.horizon, *shape[1:]))
