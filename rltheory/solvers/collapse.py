"""Zero-reward end components, collapsed: the models on which total reward is well behaved.

In an end component (`rltheory._core.graph`) a policy can stay for ever and reach every state from
every other. Where its rows all pay 0 this costs nothing and earns nothing, so that all its states
have one optimal value, at least 0: but w = T w alone does not know it, and value iteration may end
at any fixed point above. The collapsed model has one state for each maximal zero-reward end
component, with all rows that leave it and one more, `stop`, that ends and pays 0: to stay for ever
(de Alfaro, Computing minimum and maximum reachability times in probabilistic systems, 1999; Haddad
and Monmege, Interval iteration, 2018). A policy of it is lifted: the states of a component move,
for nothing, towards the one whose row leaves, or stay. Proofs: docs/theory/total.md.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from rltheory import _core
from rltheory.mdp.model import MDP

__all__ = ["Collapsed", "zero_reward_rows"]

Flags = NDArray[np.bool_]
Rows = NDArray[np.int64]

STOP = -1


def zero_reward_rows(mdp: MDP) -> Flags:
    """Which rows pay exactly 0, shape (R,)."""
    if mdp.rational is not None:
        return np.array([x == 0 for x in mdp.rational.reward], dtype=bool)
    return np.asarray(mdp.core.reward == 0.0)


@dataclass(frozen=True)
class Collapsed:
    """A model, its zero-reward end components, and the model with each of them in one state.

    Parameters
    ----------
    mdp : MDP
    stop_everywhere : bool
        Whether every state has the row `stop`: then some policy ends from everywhere, and values
        are finite exactly where no end component earns more than 0 in the long run.
    """

    mdp: MDP
    stop_everywhere: bool = False

    @cached_property
    def _found(self) -> tuple[Rows, Flags]:
        label, inside = _core.graph.end_components(self.mdp.core, zero_reward_rows(self.mdp))
        return label, inside

    @property
    def component(self) -> Rows:
        """The zero-reward end component of each state, or -1."""
        return self._found[0]

    @property
    def inside(self) -> Flags:
        """Whether a row stays in the component of its state for nothing, shape (R,)."""
        return self._found[1]

    @property
    def trivial(self) -> bool:
        """Whether the collapsed model is the model itself."""
        return not self.stop_everywhere and bool((self.component < 0).all())

    @cached_property
    def owner(self) -> Rows:
        """The state of each row."""
        counts = np.diff(self.mdp.core.state_ptr)
        return np.repeat(np.arange(self.mdp.n_states), counts)

    @cached_property
    def state(self) -> Rows:
        """The collapsed state of each state."""
        component = self.component
        first = np.full(max(0, int(component.max())) + 1, self.mdp.n_states, dtype=np.int64)
        members = np.flatnonzero(component >= 0)
        np.minimum.at(first, component[members], members)
        representative = np.arange(self.mdp.n_states)
        representative[members] = first[component[members]]
        return np.unique(representative, return_inverse=True)[1].astype(np.int64)

    @cached_property
    def _built(self) -> tuple[_core.model.Model, Rows]:
        core, n = self.mdp.core, int(self.state.max()) + 1
        if self.trivial:
            return core, np.arange(core.n_rows)
        kept = np.flatnonzero(~self.inside)
        stopping = np.arange(n)
        if not self.stop_everywhere:
            stopping = np.unique(self.state[self.component >= 0])
        states = np.concatenate([self.state[self.owner[kept]], stopping])
        origin = np.concatenate([kept, np.full(len(stopping), STOP)])
        order = np.argsort(states, kind="stable")
        states, origin = states[order], origin[order]
        begin = np.searchsorted(states, states)
        actions = np.arange(len(states)) - begin

        row_ptr, col, prob = _core.model.as_csr(core)
        every = sparse.csr_array((prob, col, row_ptr), shape=(core.n_rows, core.n_states))
        merge = sparse.csr_array(
            (np.ones(core.n_states), (np.arange(core.n_states), self.state)),
            shape=(core.n_states, n),
        )
        moves = sparse.csr_array(every[kept] @ merge)
        ends = core.exit[kept] if len(core.exit) else np.zeros(len(kept))
        if core.storage == "deterministic":
            ends = 1.0 - np.diff(row_ptr)[kept]
        total = np.asarray(moves.sum(axis=1)).reshape(-1) + ends
        moves = sparse.csr_array(sparse.diags_array(1.0 / total) @ moves)
        blank = sparse.csr_array((len(stopping), n))
        table = sparse.csr_array(sparse.vstack([moves, blank]))[order]
        exits = np.concatenate([ends / total, np.ones(len(stopping))])[order]
        rewards = np.concatenate([core.reward[kept], np.zeros(len(stopping))])[order]
        model = MDP.from_pairs(states, actions, table, rewards, termination=exits)
        return model.core, origin

    @property
    def core(self) -> _core.model.Model:
        """The collapsed model; its rows are those of `origin`."""
        return self._built[0]

    @property
    def origin(self) -> Rows:
        """The model's row of each collapsed row; -1 for `stop`."""
        return self._built[1]

    @cached_property
    def row_of(self) -> Rows:
        """The collapsed row of each row of the model; -1 inside components."""
        out = np.full(self.mdp.core.n_rows, -1, dtype=np.int64)
        real = np.flatnonzero(self.origin != STOP)
        out[self.origin[real]] = real
        return out

    @cached_property
    def stop(self) -> Rows:
        """The row `stop` of each collapsed state; -1 where it has none."""
        ptr = self.core.state_ptr
        out = np.full(len(ptr) - 1, -1, dtype=np.int64)
        rows = np.flatnonzero(self.origin == STOP)
        out[np.searchsorted(ptr, rows, side="right") - 1] = rows
        return out

    def lift(self, rows: Rows) -> tuple[Rows, Flags, Rows]:
        """A policy of the model from one of the collapsed model.

        Returns
        -------
        rows : ndarray of int64, shape (S,)
        held : ndarray of bool, shape (S,)
            States that it never leaves, for no reward.
        speaker : ndarray of int64, shape (S,)
            The state whose row leaves a component; of other states they themselves.
        """
        core, component = self.mdp.core, self.component
        chosen = self.origin[rows]
        lifted = chosen[self.state].copy()
        speaker = np.arange(core.n_states)
        held = lifted == STOP
        inner = component >= 0
        if inner.any():
            leaver = self.owner[np.maximum(lifted, 0)]
            leaves = inner & ~held
            speaker[leaves] = leaver[leaves]
            here = speaker == np.arange(core.n_states)
            _, step = _core.graph.reach(core, self.inside, (here & leaves) | held, False)
            lifted = np.where(leaves & ~here, step, lifted)
            first = np.full(core.n_states, -1, dtype=np.int64)
            within = np.flatnonzero(self.inside)[::-1]
            first[self.owner[within]] = within
            lifted = np.where(held, first, lifted)
        return lifted, held, speaker
