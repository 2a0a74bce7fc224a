r"""Three linear programs whose value is that of the concave relaxation, solved by HiGHS.

    blocks      max sum_i [ sum_{n,m} W_i x_i(n,m) + p_i(-M_i) z_i ]   over rates of blocks,
                sum_{n,m} (n+m) x_i + z_i <= 1 for each i,   sum_i [ sum_{n,m} m x_i + z_i ] <= k
    occupancy   max sum_i sum_s p_i(s) y_i(s, play)   over frequencies of states and actions,
                in = out in each state of each arm, mass 1 per arm, sum_i sum_s y_i(s, play) <= k
    prices      min k l + sum_i u_i   over l, u >= 0,
                u_i >= p_i(-M_i) - l,   (n+m) u_i + m l >= W_i(n,m)

They share no code with `concave_relaxation`, which needs none of them, and are here to check it:
claim ``lsd-relax-equal``. Numbers are doubles.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import ModelError
from rltheory.lsd_bandits.arms import LSDArm
from rltheory.lsd_bandits.bandit import LSDBandit
from rltheory.solvers.flow import minimize

__all__ = ["BlockProgram", "block_program", "occupancy_program", "price_program"]

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class BlockProgram:
    """A vertex of the program over rates of blocks.

    Attributes
    ----------
    value : float
    rates : ndarray of float64, shape (C,)
        x_i(n, m) and z_i, by `columns`.
    columns : tuple of (int, int, int), length C
        (i, n, m); (i, 0, 1) is to play always.
    """

    value: float
    rates: Vector
    columns: tuple[tuple[int, int, int], ...]


def _blocks(bandit: LSDBandit) -> Iterator[tuple[int, int, int, float]]:
    """(i, n, m, W_i(n, m)) of all blocks, and (i, 0, 1, p_i(-M_i))."""
    for i, arm in enumerate(bandit.arms):
        if not isinstance(arm, LSDArm) or arm.recovery != "reset":
            raise ModelError(
                f"arms[{i}] is {arm!r}; blocks are those of LSD arms whose recovery is 'reset'"
            )
        for n, first in enumerate(arm.rest_payoffs, 1):
            for m in range(1, len(arm.play_payoffs) + 1):
                yield i, n, m, float(first + sum(arm.play_payoffs[: m - 1]))
        yield i, 0, 1, float(arm.play_payoffs[-1])


def block_program(bandit: LSDBandit, rests_alone: bool = False) -> BlockProgram:
    """Solve the program over rates of blocks.

    Parameters
    ----------
    bandit : LSDBandit
        Of LSD arms with recovery by reset.
    rests_alone : bool
        Whether a block takes only its n rests from the time of its arm: a wrong program, which the
        claim's mutant solves.

    Raises
    ------
    ModelError
        If an arm has no blocks.

    Examples
    --------
    >>> import rltheory as rlt
    >>> from rltheory.lsd_bandits.relaxation_programs import block_program
    >>> block_program(rlt.LSDBandit([rlt.LSDArm(["1/2", 1], ["1/2"])])).value
    0.5
    """
    blocks = list(_blocks(bandit))
    rows = np.zeros((bandit.n_arms + 1, len(blocks)))
    for j, (i, n, m, _) in enumerate(blocks):
        rows[i, j] = n if rests_alone and n else n + m
        rows[-1, j] = m
    limits = np.array([1.0] * bandit.n_arms + [float(bandit.plays)])
    found = minimize(-np.array([paid for *_, paid in blocks]), at_most=(rows, limits))
    return BlockProgram(-found.optimum, found.x, tuple((i, n, m) for i, n, m, _ in blocks))


def occupancy_program(bandit: LSDBandit) -> float:
    """The value of the program over frequencies of states and actions, for arms of any kind.

    Examples
    --------
    >>> import rltheory as rlt
    >>> from rltheory.lsd_bandits.relaxation_programs import occupancy_program
    >>> occupancy_program(rlt.LSDBandit([rlt.LSDArm(["1/2", 1], ["1/2"])]))
    0.5
    """
    sizes = [arm.n_states for arm in bandit.arms]
    states, first = sum(sizes), np.concatenate([[0], np.cumsum(sizes)])
    # Columns: the plays of all states, then their rests.
    balance, mass = np.zeros((states, 2 * states)), np.zeros((bandit.n_arms, 2 * states))
    paid = np.zeros(2 * states)
    for i, arm in enumerate(bandit.arms):
        for s in range(arm.n_states):
            at = first[i] + s
            for column, move in ((at, arm.play_next), (states + at, arm.rest_next)):
                balance[at, column] += 1.0
                balance[first[i] + move[s], column] -= 1.0
                mass[i, column] = 1.0
            paid[at] = float(arm.payoffs[s])
    equations = np.vstack([balance, mass]), np.array([0.0] * states + [1.0] * bandit.n_arms)
    budget = np.concatenate([np.ones(states), np.zeros(states)])[None, :]
    found = minimize(-paid, equations, at_most=(budget, np.array([float(bandit.plays)])))
    return -found.optimum


def price_program(bandit: LSDBandit) -> tuple[float, float]:
    """The value of the program over prices, and the price of a play.

    Examples
    --------
    >>> import rltheory as rlt
    >>> from rltheory.lsd_bandits.relaxation_programs import price_program
    >>> arms = [rlt.LSDArm(["1/2"], [0]), rlt.LSDArm(["1/2", 1], ["1/2"])]
    >>> price_program(rlt.LSDBandit(arms))
    (0.625, 0.25)
    """
    blocks = list(_blocks(bandit))
    rows = np.zeros((len(blocks), bandit.n_arms + 1))
    for row, (i, n, m, _) in zip(rows, blocks, strict=True):
        row[i], row[-1] = n + m, m
    cost = np.array([1.0] * bandit.n_arms + [float(bandit.plays)])
    found = minimize(cost, at_most=(-rows, -np.array([paid for *_, paid in blocks])))
    return found.optimum, float(found.x[-1])
