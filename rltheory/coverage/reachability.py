"""The most that any policy can visit a pair, by dynamic programming.

With a horizon, for a target (h, s): u_h = 1{s}, u_j(x) = max_a sum_y P_j(y | x, a) u_{j+1}(y), and
max_pi d^pi_h(s, a) = rho u_0 for every action a of s (claim cov-reach-dp). All targets go through
the core, eight at a time; where stages share their rows, one pass serves a state at every stage.

Without a horizon, max_pi d^pi(s, a) is the optimal normalised return of the reward 1{(s, a)}, and
the targets of a state share one model. Let u_s(x) = max_pi E[discount^T], T the first time in s
from x; u_s = V / V(s) for the optimal V of the reward 1{s}. Whoever returns to s under the reward
1{(s, a)} takes a there, and goes back to s as soon as can be, so that

    max_pi d^pi(s, a) = (1 - discount) rho u_s / (1 - discount g),   g = sum_y P(y | s, a) u_s(y).
"""

import dataclasses
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory import _core
from rltheory.errors import ModelError
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.model import MDP
from rltheory.mdp.rational import RationalModel
from rltheory.solvers.bellman import discount_of
from rltheory.solvers.exact import solve_exact
from rltheory.solvers.solve import solve

__all__ = ["max_occupancy", "max_occupancy_exact", "reaching_policy", "start_law_of"]

Array = NDArray[np.float64]

_RELATIVE = 1e-10


def max_occupancy(mdp: MDP | EpisodicMDP) -> Array:
    """max over all policies of d^pi(s, a), for every pair.

    Parameters
    ----------
    mdp : MDP or EpisodicMDP
        With a start law; the rewards do not matter.

    Returns
    -------
    ndarray of float64, shape (H, S, A), or (S, A) for a discounted model
        In [0, 1], within rounding with a horizon, else within about 1e-9 of itself; 0 for
        actions that a state does not have. Each entry is attained by a policy of its own; together
        they are in general no occupancy.

    Raises
    ------
    ModelError
        If the model has no start law, or neither a discount nor a horizon.
    ConvergenceError
        If the discount is so near 1 that a discounted target cannot be solved that well.

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.EpisodicMDP(
    ...     [[[0, 1, 0], [0, 0, 1]], [[0, 1, 0]] * 2, [[0, 0, 1]] * 2],
    ...     [[0, 0]] * 3, horizon=2, initial=[1, 0, 0])
    >>> rlt.max_occupancy(mdp)[1].tolist()  # either of two states, for sure
    [[0.0, 0.0], [1.0, 1.0], [1.0, 1.0]]
    """
    rho = start_law_of(mdp)
    if not isinstance(mdp, EpisodicMDP):
        return _discounted(mdp, rho)
    reach = _core.planning.largest_state_occupancy(mdp.core, mdp.horizon, rho)
    present = mdp.table(np.ones(mdp.n_pairs), fill=0.0)
    found: Array = reach[:, :, None] * present
    return found


def max_occupancy_exact(
    mdp: MDP | EpisodicMDP, initial: Sequence[Any] | None = None
) -> NDArray[np.object_]:
    """`max_occupancy` in fractions, for small models.

    Parameters
    ----------
    mdp : MDP or EpisodicMDP
        A model of doubles stands for the rational model that it means.
    initial : sequence of Fraction, length S, optional
        Start law, exactly; else the doubles of the model's.

    Returns
    -------
    ndarray of Fraction, shape (H, S, A) or (S, A)

    Raises
    ------
    ModelError
        If there is no start law, or the model is too large for `solve_exact`.

    Examples
    --------
    >>> from fractions import Fraction
    >>> import rltheory as rlt
    >>> half = Fraction(1, 2)
    >>> mdp = rlt.MDP([[[1, 0], [0, 1]], [[0, 1]] * 2], [[0, 0]] * 2, half, [1, 0], exact=True)
    >>> rlt.max_occupancy_exact(mdp)[0].tolist()  # stay for ever, or leave at once
    [Fraction(1, 1), Fraction(1, 2)]
    """
    exact = mdp.as_exact() if mdp.rational is None else mdp
    rational = exact.rational
    assert rational is not None
    rho = [Fraction(x) for x in (start_law_of(mdp).tolist() if initial is None else initial)]
    if len(rho) != mdp.n_states or min(rho) < 0 or (initial is not None and sum(rho) != 1):
        raise ModelError(
            f"initial has {len(rho)} entries with sum {sum(rho)}; it must have {mdp.n_states}, of "
            "sum 1 and none below 0"
        )
    shape: tuple[int, ...] = (mdp.n_states, mdp.n_actions)
    if not isinstance(exact, EpisodicMDP):
        discount_of(exact)
        table = np.full(shape, Fraction(0), dtype=object)
        for s in range(mdp.n_states):
            for row, most in _of_state_exactly(exact, rational, rho, s):
                table[s, rational.action[row]] = most
        return table
    table = np.full((exact.horizon, *shape), Fraction(0), dtype=object)
    for h in range(exact.horizon):
        first = exact.stage(h) * mdp.n_states
        for s in range(mdp.n_states):
            most = _staged_exactly(exact, rational, rho, h, s)
            for row in range(rational.state_ptr[first + s], rational.state_ptr[first + s + 1]):
                table[h, s, rational.action[row]] = most
    return table


def reaching_policy(
    mdp: MDP | EpisodicMDP, stage: int | None, state: int, action: int | None = None
) -> NDArray[np.int64]:
    """A policy that is in a state, at a stage or with a discount, as often as any.

    Parameters
    ----------
    mdp : MDP or EpisodicMDP
    stage : int or None
        None for a discounted model, which has none.
    state : int
    action : int, optional
        Attains ``max_occupancy(mdp)[stage, state, action]``, or ``[state, action]``. Left out, any
        action does.

    Returns
    -------
    ndarray of int64, shape (H, S) or (S,)
        Of several best actions the first; so from `stage` on, but for `action`.

    Raises
    ------
    ModelError
        If there is no such place.

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.riverswim(4).episodic(4)
    >>> policy = rlt.reaching_policy(mdp, stage=3, state=3)
    >>> d = rlt.occupancy(mdp, policy)[3, 3].sum()
    >>> bool(abs(d - rlt.max_occupancy(mdp)[3, 3, 0]) < 1e-15)
    True
    """
    stages = range(mdp.horizon) if isinstance(mdp, EpisodicMDP) else [None]
    if stage not in stages or state not in range(mdp.n_states):
        what = f"{mdp.horizon} stages and " if isinstance(mdp, EpisodicMDP) else "a discount and "
        raise ModelError(
            f"stage {stage}, state {state} is no place of a model with {what}{mdp.n_states} states"
        )
    rows = _rows_at(mdp, state, stage)
    wanted = rows
    if action is not None:
        wanted = [row for row in rows if mdp.actions[row] == action]
        if not wanted:
            raise ModelError(f"state {state} does not have action {action!r}")
    if not isinstance(mdp, EpisodicMDP):
        return solve(_paying(mdp, wanted)).policy
    assert stage is not None
    core = _core.model.with_rewards(mdp.core, np.zeros(mdp.n_pairs))
    policy = np.empty((mdp.horizon, mdp.n_states), dtype=np.int64)
    u = np.zeros(mdp.n_states)
    for h in reversed(range(mdp.horizon)):
        u, best = _core.solvers.bellman(core, mdp.stage(h), 1.0, u)
        policy[h] = mdp.actions[best]
        if h == stage:
            policy[h, state] = mdp.actions[wanted[0]]
            u = np.zeros(mdp.n_states)
            u[state] = 1.0
    return policy


def start_law_of(mdp: MDP | EpisodicMDP) -> Array:
    """The start law; coverage is of occupancies, which have one."""
    if mdp.initial is None:
        raise ModelError("the model has no start law; give initial= when it is made")
    return mdp.initial


def _rows_at(mdp: MDP | EpisodicMDP, state: int, stage: int | None = None) -> list[int]:
    at = state if stage is None or mdp.core.n_stages == 1 else stage * mdp.n_states + state
    return list(range(int(mdp.pair_ptr[at]), int(mdp.pair_ptr[at + 1])))


# --- discounted ---------------------------------------------------------------------------


def _paying(mdp: MDP, rows: list[int]) -> MDP:
    """The model, in doubles, that pays 1 in these rows and 0 elsewhere."""
    paid = np.zeros(mdp.n_pairs)
    paid[rows] = 1.0
    made = MDP.__new__(MDP)
    core = _core.model.with_rewards(mdp.core, paid)
    return made._made(core, discount_of(mdp), mdp.initial, None, None, None)


def _discounted(mdp: MDP, rho: Array) -> Array:
    gamma = discount_of(mdp)
    found = np.zeros((mdp.n_states, mdp.n_actions))
    for s in range(mdp.n_states):
        rows = _rows_at(mdp, s)
        # The relative error of 1 - gamma g is that of g over 1 - gamma, at worst.
        value = solve(_paying(mdp, rows), rtol=max(2.0**-50, _RELATIVE * (1.0 - gamma))).value
        u = np.clip(value / value[s], 0.0, 1.0)
        back = mdp.transitions[rows] @ u / (1.0 + mdp.row_defect[rows])
        found[s, mdp.actions[rows]] = (1.0 - gamma) * float(rho @ u) / (1.0 - gamma * back)
    return np.minimum(found, 1.0)


# --- in fractions -------------------------------------------------------------------------


def _of_state_exactly(
    mdp: MDP, rational: RationalModel, rho: list[Fraction], s: int
) -> Iterator[tuple[int, Fraction]]:
    """(row, max_pi d^pi of it), of a state's rows."""
    rows = _rows_at(mdp, s)
    paid = tuple(Fraction(int(row in rows)) for row in range(mdp.n_pairs))
    target = _paying(mdp, rows)
    target = target._with_rational(dataclasses.replace(rational, reward=paid))
    value = solve_exact(target).value
    gamma = rational.discount
    assert gamma is not None
    u = [x / value[s] for x in value]
    start = sum((p * x for p, x in zip(rho, u, strict=True)), Fraction(0))
    nothing = dataclasses.replace(rational, reward=(Fraction(0),) * mdp.n_pairs)
    for row in rows:
        yield row, (1 - gamma) * start / (1 - nothing.backup(row, gamma, u))


def _staged_exactly(
    mdp: EpisodicMDP, rational: RationalModel, rho: list[Fraction], stage: int, state: int
) -> Fraction:
    u = [Fraction(int(x == state)) for x in range(mdp.n_states)]
    for h in reversed(range(stage)):
        u = [
            max(rational.backup(row, 1, u) - rational.reward[row] for row in _rows_at(mdp, x, h))
            for x in range(mdp.n_states)
        ]
    return sum((p * x for p, x in zip(rho, u, strict=True)), Fraction(0))
