"""Discounted Markov decision processes with finitely many states and actions.

The problem: states s, actions a, rows P(. | s, a) with a probability of ending, mean rewards
r(s, a), a discount in [0, 1). Value of a policy pi, and the optimal one:

    V^pi(s) = r(s, pi(s)) + discount * sum_s' P(s' | s, pi(s)) V^pi(s'),    V* = max over pi.

The discount may be left out of a model that is only made episodic, or given one later.
"""

import dataclasses
import math
from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from rltheory import _core
from rltheory.errors import ModelError
from rltheory.mathematics.rounding import round_down, round_up
from rltheory.mdp.arguments import at_least, stages
from rltheory.mdp.intake import as_array, build, flat_rows, frozen, integers, real_numbers
from rltheory.mdp.layout import Grid
from rltheory.mdp.rational import RationalModel
from rltheory.mdp.reward_laws import RewardLaw, law_from_arrays
from rltheory.mdp.tables import exact_dense, exact_rows, read_arrays, read_table
from rltheory.mdp.tabular import TabularModel

if TYPE_CHECKING:
    from rltheory.mdp.episodic import EpisodicMDP

__all__ = ["MDP"]


class MDP(TabularModel):
    """A discounted tabular MDP: validated, immutable.

    Parameters
    ----------
    transitions : array_like, shape (S, A, S), or sparse, shape (S*A, S)
        P(s' | s, a), in row s*A + a when sparse. With `termination`, each row sums to 1 within
        1e-9; its exact meaning is itself divided by its exact sum.
    rewards : array_like, shape (S, A), optional
        Mean rewards; in their place `next_state_rewards` may be given.
    discount : float, optional
        In [0, 1). Solving needs one, or a horizon (`episodic`).
    initial : array_like, shape (S,), optional
        Law of the start state. What needs a start law raises without one.
    termination : array_like, shape (S, A), optional
        Probability that the episode ends instead of going on; nothing follows.
    next_state_rewards : array_like or sparse, like `transitions`, optional
        Rewards by successor.
    termination_rewards : array_like, shape (S, A), optional
        Rewards on ending, with `next_state_rewards`; 0 if left out.
    reward_law : RewardLaw, optional
        How rewards are distributed around their means; planning does not depend on it.
    layout : Grid, optional
        Where states stand on a grid, for drawings.
    exact : bool
        Keep every number as a fraction (`Fraction`, integers, or the exact value of floats),
        the discount included. For small models.

    Raises
    ------
    ModelError
        If the arrays are no model; the message names the entry.

    Examples
    --------
    Puterman's two-state example (Markov Decision Processes, 1994, section 3.1):

    >>> import rltheory as rlt
    >>> mdp = rlt.MDP.from_pairs(
    ...     states=[0, 0, 1], actions=[0, 1, 0],
    ...     transitions=[[0.5, 0.5], [0.0, 1.0], [0.0, 1.0]], rewards=[5.0, 10.0, -1.0],
    ...     discount=0.95)
    >>> mdp
    MDP(2 states, 2 actions, 3 pairs, discount 0.95)
    >>> rlt.solve(mdp).policy.tolist()
    [0, 0]
    """

    discount: float | Fraction | None

    def __init__(
        self,
        transitions: Any,
        rewards: Any = None,
        discount: float | Fraction | None = None,
        initial: Any = None,
        *,
        termination: Any = None,
        next_state_rewards: Any = None,
        termination_rewards: Any = None,
        reward_law: RewardLaw | None = None,
        layout: Grid | None = None,
        exact: bool = False,
    ) -> None:
        core, rational = read_table(
            transitions,
            rewards,
            termination,
            next_state_rewards,
            termination_rewards,
            None,
            exact,
        )
        self._made(core, discount, initial, reward_law, layout, rational)

    def _made(
        self,
        core: _core.model.Model,
        discount: Any,
        initial: Any,
        reward_law: RewardLaw | None,
        layout: Grid | None,
        rational: RationalModel | None,
    ) -> Self:
        checked = _discount(discount, exact=rational is not None)
        if rational is not None:
            exact = None if checked is None else Fraction(checked)
            rational = dataclasses.replace(rational, discount=exact)
        return self._fill(core, initial, reward_law, layout, rational, discount=checked)

    # --- other ways to make one ---------------------------------------------------------

    @classmethod
    def from_pairs(
        cls,
        states: Any,
        actions: Any,
        transitions: Any,
        rewards: Any = None,
        discount: float | Fraction | None = None,
        initial: Any = None,
        *,
        n_states: int | None = None,
        n_actions: int | None = None,
        termination: Any = None,
        next_state_rewards: Any = None,
        termination_rewards: Any = None,
        reward_law: RewardLaw | None = None,
        layout: Grid | None = None,
        exact: bool = False,
    ) -> Self:
        """A model from its feasible pairs, one row each, in any order.

        Parameters
        ----------
        states, actions : array_like of int, shape (R,)
            The pair of each row; every state 0..S-1 needs at least one, none comes twice.
        transitions : array_like or sparse, shape (R, S)
        rewards : array_like, shape (R,), optional
        n_states : int, optional
            S; must fit `transitions`.
        n_actions : int, optional
            Number of action labels; the largest one plus 1 if left out.
        termination, termination_rewards : array_like, shape (R,), optional
        next_state_rewards : array_like or sparse, shape (R, S), optional
        discount, initial, reward_law, layout, exact
            As in `MDP`. A reward law of atoms is in the order of the rows given.

        Returns
        -------
        MDP

        Raises
        ------
        ModelError
            As of `MDP`; if a pair comes twice or is out of range, or a state has no row.

        Examples
        --------
        >>> import rltheory as rlt
        >>> rlt.MDP.from_pairs([1, 0, 0], [0, 1, 0], [[0, 1], [0, 1], [1, 0]], [0, 3, 1])
        MDP(2 states, 2 actions, 3 pairs, no discount)
        """
        state, action = integers("states", states), integers("actions", actions)
        if state.shape != action.shape:
            raise ModelError(f"states has {len(state)} entries and actions {len(action)}")
        if exact:
            transitions = exact_dense("transitions", transitions)
        elif not sparse.issparse(transitions):
            transitions = real_numbers("transitions", transitions)
        if len(transitions.shape) != 2 or transitions.shape[0] != len(state):
            raise ModelError(
                f"transitions has shape {transitions.shape}; it must be ({len(state)}, S), one "
                "row a pair"
            )
        size = transitions.shape[1]
        if n_states is not None and n_states != size:
            raise ModelError(f"n_states is {n_states}; transitions has {size} columns, one a state")
        if not len(state) or not size:
            raise ModelError(
                f"the model has {size} states and {len(state)} pairs; it needs at least one of each"
            )
        if n_actions is not None:
            at_least("n_actions", n_actions, 1)
        elif exact:
            n_actions = max(int(action.max()), 0) + 1
        labels = 0 if n_actions is None else n_actions  # 0: the core finds the largest itself
        pairs = (state, action)
        shapes = [(len(state),)]
        named = {
            "rewards": rewards,
            "termination": termination,
            "termination_rewards": termination_rewards,
        }
        rational = None
        if exact:
            core, rational = exact_rows(
                size, labels, 1, pairs, transitions, next_state_rewards, named, shapes
            )
        else:
            flat = {name: flat_rows(name, x, shapes) for name, x in named.items()}
            core = build(
                size,
                labels,
                1,
                pairs,
                transitions,
                flat["rewards"],
                flat["termination"],
                next_state_rewards,
                flat["termination_rewards"],
            )
        if isinstance(reward_law, RewardLaw):
            reward_law = reward_law.reordered(np.lexsort((action, state)))
        return cls.__new__(cls)._made(core, discount, initial, reward_law, layout, rational)

    @classmethod
    def deterministic(
        cls,
        next_states: Any,
        rewards: Any,
        discount: float | None = None,
        initial: Any = None,
        *,
        reward_law: RewardLaw | None = None,
        layout: Grid | None = None,
    ) -> Self:
        """A model whose every move is certain.

        Parameters
        ----------
        next_states : array_like of int, shape (S, A)
            Successor of each pair, or -1 where the episode ends.
        rewards : array_like, shape (S, A)
        discount, initial, reward_law, layout
            As in `MDP`.

        Returns
        -------
        MDP

        Examples
        --------
        >>> import rltheory as rlt
        >>> rlt.MDP.deterministic([[1, -1], [1, 0]], [[0, 1], [0, 0]]).storage
        'deterministic'
        """
        table = as_array("next_states", next_states)
        if table.ndim != 2 or not table.size:
            raise ModelError(f"next_states has shape {table.shape}; it must be (S, A), not empty")
        S, A = table.shape
        following = integers("next_states", table.reshape(-1))
        wrong = np.flatnonzero((following < -1) | (following >= S))
        if len(wrong):
            s, a = divmod(int(wrong[0]), A)
            raise ModelError(
                f"next_states[{s}, {a}] is {following[wrong[0]]}; it must be in 0..{S - 1}, or -1 "
                "where the episode ends"
            )
        ends = following < 0
        row_ptr = np.concatenate([[0], np.cumsum(~ends)])
        transitions = sparse.csr_array(
            (np.ones(int(row_ptr[-1])), following[~ends], row_ptr), shape=(S * A, S)
        )
        termination = ends.reshape(S, A).astype(np.float64) if ends.any() else None
        return cls(
            transitions,
            rewards,
            discount,
            initial,
            termination=termination,
            reward_law=reward_law,
            layout=layout,
        )

    @classmethod
    def from_gymnasium(
        cls, env_or_id: Any, discount: float | None = None, **make_kwargs: Any
    ) -> "MDP":
        """Read an environment that publishes its table `P`; see `rltheory.mdp.gymnasium`.

        Parameters
        ----------
        env_or_id : str or gymnasium.Env
        discount : float, optional
        **make_kwargs
            For ``gymnasium.make``, with an id.

        Returns
        -------
        MDP
        """
        from rltheory.mdp.gymnasium import read_gymnasium

        return read_gymnasium(env_or_id, discount, **make_kwargs)

    @classmethod
    def from_function(
        cls,
        function: Any,
        n_states: int,
        n_actions: int,
        discount: float | None = None,
        initial: Any = None,
        *,
        feasible: Any = None,
        batch: int = 65536,
    ) -> "MDP":
        """Tabulate a function of arrays of states and actions in batches.

        The function returns next states (B, K), -1 where the run ends, probabilities (B, K) and
        rewards (B,) for states and actions (B,); see `rltheory.mdp.tabulate.tabulate_function`.
        """
        from rltheory.mdp.tabulate import tabulate_function

        return tabulate_function(
            function, n_states, n_actions, discount, initial, feasible=feasible, batch=batch
        )

    @classmethod
    def from_states(
        cls,
        initial: Any,
        actions: Any,
        transition: Any,
        discount: float | None = None,
        *,
        max_states: int = 1_000_000,
    ) -> "MDP":
        """Tabulate what can be reached from initial states, of any hashable kind, breadth first.

        ``transition(state, action)`` lists ``(probability, next state or None, reward)``; see
        `rltheory.mdp.tabulate.tabulate_states`.
        """
        from rltheory.mdp.tabulate import tabulate_states

        return tabulate_states(initial, actions, transition, discount, max_states=max_states)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> Self:
        """The model of the canonical arrays that `arrays()` gives, in doubles."""
        core = read_arrays(arrays, None)
        law = law_from_arrays(arrays)
        made = cls.__new__(cls)
        return made._made(core, arrays.get("discount"), arrays.get("initial"), law, None, None)

    # --- what it says -------------------------------------------------------------------

    @property
    def return_range(self) -> tuple[float, float]:
        """Bounds of the discounted return that hold almost surely, whatever the policy."""
        if self.discount is None:
            raise ModelError("the model has no discount; give it one, or a horizon")
        low, high = self.reward_range
        rest = 1 - Fraction(self.discount)
        least = round_down(Fraction(low) / rest) if math.isfinite(low) else low
        most = round_up(Fraction(high) / rest) if math.isfinite(high) else high
        if self.core.has_exits:  # the sum may be over after the first reward
            return min(low, least), max(high, most)
        return least, most

    def __repr__(self) -> str:
        discount = "no discount" if self.discount is None else f"discount {self.discount}"
        pairs = "" if self.is_full else f"{self.n_pairs} pairs, "
        exact = ", exact" if self.rational is not None else ""
        return f"MDP({self.n_states} states, {self.n_actions} actions, {pairs}{discount}{exact})"

    # --- related models -----------------------------------------------------------------

    def with_discount(self, discount: float | Fraction) -> Self:
        """The same transitions and rewards (shared, not copied) under another discount."""
        made = type(self).__new__(type(self))
        made._made(self.core, discount, self.initial, self.reward_law, self.layout, self.rational)
        return self._labelling(made)

    def with_rewards(self, rewards: Any) -> Self:
        """The same transitions (shared, not copied) with other mean rewards.

        Parameters
        ----------
        rewards : array_like, shape of `rewards`
            (S, A), or (n_pairs,) on a ragged model. They are paid as they stand.
        """
        if self.rational is not None:
            raise ModelError("an exact model keeps its rewards; make another one")
        shape = self.rewards.shape
        flat = flat_rows("rewards", real_numbers("rewards", rewards), [shape])
        assert flat is not None
        flat = flat if frozen(flat) else flat.copy()
        try:
            core = _core.model.with_rewards(self.core, flat)
        except _core.model.ModelFault as fault:
            raise ModelError(str(fault)) from None
        made = type(self).__new__(type(self))
        made._made(core, self.discount, self.initial, None, self.layout, None)
        return self._labelling(made)

    def episodic(self, horizon: int) -> "EpisodicMDP":
        """The same model (shared, not copied) over `horizon` stages without discount."""
        from rltheory.mdp.episodic import EpisodicMDP

        stages(horizon)
        rational = self.rational and dataclasses.replace(self.rational, discount=None)
        made = EpisodicMDP._of(
            self.core, int(horizon), self.initial, self.reward_law, self.layout, rational
        )
        return self._labelling(made)

    def restarting(self) -> Self:
        """The recurrent model: where the episode would end, it starts anew from `initial`.

        Raises
        ------
        ModelError
            If the model ends somewhere and has no start law.
        """
        if not self.core.has_exits:
            return self
        if self.initial is None:
            raise ModelError("restarting needs a start law: give the model `initial`")
        if self.rational is not None:
            raise ModelError("an exact model keeps its ends; restart the model of doubles")
        anew = sparse.csr_array(self.termination[:, None]) @ sparse.csr_array(self.initial[None])
        made = type(self).from_pairs(
            self.states,
            self.actions,
            self.transitions + anew,
            self.mean_rewards,
            self.discount,
            self.initial,
            n_actions=self.n_actions,
            layout=self.layout,
        )
        return self._labelling(made)

    def as_exact(self, discount: Fraction | None = None) -> Self:
        """The rational model that this one means: its doubles, each row over its exact sum.

        Parameters
        ----------
        discount : Fraction, optional
            In place of the model's, which is the double nearest to what was typed.
        """
        chosen = self.discount if discount is None else discount
        rational = self.rational
        if rational is None:
            rational = RationalModel.of_arrays(self._double_arrays(), None)
        made = type(self).__new__(type(self))
        made._made(self.core, chosen, self.initial, self.reward_law, self.layout, rational)
        return self._labelling(made)

    def _with_rational(self, rational: RationalModel) -> Self:
        """This model of doubles beside the rationals that it is nearest to."""
        made = type(self).__new__(type(self))
        made._made(
            self.core, rational.discount, self.initial, self.reward_law, self.layout, rational
        )
        return self._labelling(made)

    # --- for the base class -------------------------------------------------------------

    def _criterion_arrays(self) -> dict[str, Any]:
        return {} if self.discount is None else {"discount": self.discount}

    def _in_q_shape(self, x: NDArray[Any]) -> NDArray[Any]:
        return x.reshape(self.n_states, self.n_actions) if self.is_full else x


def _discount(discount: Any, exact: bool) -> float | Fraction | None:
    if discount is None:
        return None
    try:
        if isinstance(discount, bool | np.bool_) or (
            not isinstance(discount, float) and np.ndim(discount) != 0
        ):
            raise TypeError
        if not math.isfinite(discount):
            raise ValueError
        number: float | Fraction = Fraction(discount) if exact else float(discount)
    except (TypeError, ValueError, OverflowError):
        raise ModelError(f"discount is {discount!r}; it must be a number in [0, 1)") from None
    if not 0 <= number < 1:
        raise ModelError(f"discount is {discount!s}; it must be in [0, 1)")
    if float(number) == 1.0:
        raise ModelError(f"discount is {discount!s}, which is 1 as a double; it must be below 1")
    if number == 0 and discount != 0:
        raise ModelError(f"discount is {discount!r}, which is 0 as a double; give 0 if it is meant")
    return number
