r"""Blocks whose value does not depend on the states in which they begin.

In a block of d rounds the first play of each arm counts 0 and leads the arm to state -1, whatever
its state was; later plays pay p_i at the state that the block itself has brought about. The most
that a block is worth is B_d, a finite-horizon optimum over the states of S_i and one more,
"unknown", in which a play pays 0. With an idle round before each block, repeating the best one
earns what it is worth, and more for first plays:

    B_d >= d g* - N    for monotone payoffs,    average of [idle, block] >= B_d / (d+1)    for any

(claim ``lsd-isi-block``), the second for arms that one rest brings to a state n > 0: not under
gradual recovery, where one idle round is not enough. The idea is that of Laforgue,
Clerici, Cesa-Bianchi and Gilad-Bachrach (2022), who learn in such blocks because an arm's state at
their start is not known then.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from rltheory.errors import ModelError
from rltheory.lsd_bandits.arms import LSDArm, OrderedArm
from rltheory.lsd_bandits.bandit import LSDBandit
from rltheory.lsd_bandits.optimal import optimal_value
from rltheory.lsd_bandits.periodic_runs import PeriodicRun, repeated

__all__ = ["ISIBlock", "isi_block"]


MOST_ENTRIES = 2_000_000  # fractions in memory


@dataclass(frozen=True)
class ISIBlock:
    """The best block whose value does not depend on the states at its start.

    Attributes
    ----------
    value : Fraction
        B_d.
    sequence : tuple of tuple of int, length d
        The arms that are played in each round of the block.
    repeated : PeriodicRun
        The block over and over.
    rested : PeriodicRun or None
        An idle round and the block, over and over; None where the bandit does not allow idling.
    """

    value: Fraction
    sequence: tuple[tuple[int, ...], ...]
    repeated: PeriodicRun
    rested: PeriodicRun | None


def isi_block(bandit: LSDBandit, d: int) -> ISIBlock:
    """The best block of d rounds that is independent of the initial state.

    Parameters
    ----------
    bandit : LSDBandit
        Of `LSDArm` alone.
    d : int
        At least 1.

    Returns
    -------
    ISIBlock
        Exact; of the best sequences the first in the order of `bandit.actions`.

    Raises
    ------
    ModelError
        If `d` is no integer of at least 1, an arm is no `LSDArm`, the product of the arms' states
        is too large, or totals over the payoffs' common denominator are above 2^62.

    Notes
    -----
    Laforgue et al., A last switch dependent analysis of satiation and seasonality in bandits,
    AISTATS 2022.

    Examples
    --------
    >>> import rltheory as rlt
    >>> bandit = rlt.LSDBandit([rlt.LSDArm.recharging([0, "1/2", 1])])
    >>> block = rlt.isi_block(bandit, 4)
    >>> block.value, block.sequence
    (Fraction(1, 1), ((0,), (), (), (0,)))
    """
    if isinstance(d, bool) or not isinstance(d, int | np.integer) or d < 1:
        raise ModelError(f"d is {d!r}; it must be an integer of at least 1")
    blind = LSDBandit(
        [_with_unknown(arm, i) for i, arm in enumerate(bandit.arms)], bandit.plays, bandit.idle
    )
    size = (int(d) + 1) * blind.n_states
    if size > MOST_ENTRIES:
        raise ModelError(
            f"d is {d}, and with {blind.n_states} joint states there are {size} exact values; at "
            f"most {MOST_ENTRIES} are allowed"
        )
    tables = optimal_value(blind, int(d), exact=True, tables=True)
    sequence, state = [], blind.rested
    for left in range(int(d), 0, -1):
        action, state = _first_best(blind, state, tables[left], tables[left - 1])
        sequence.append(action)
    return ISIBlock(
        value=tables[int(d)][blind.rested],
        sequence=tuple(sequence),
        repeated=repeated(bandit, sequence),
        rested=repeated(bandit, [(), *sequence]) if bandit.idle else None,
    )


def _with_unknown(arm: OrderedArm, i: int) -> OrderedArm:
    """The arm with a state more, its top: left by a play alone, which pays nothing there."""
    if not isinstance(arm, LSDArm):
        raise ModelError(f"arms[{i}] is {arm!r}; it must be an LSDArm, where a play leads to -1")
    unknown = arm.n_states
    return OrderedArm(
        (*arm.play_next, arm.index(-1)), (*arm.rest_next, unknown), (*arm.payoffs, Fraction(0))
    )


def _first_best(
    bandit: LSDBandit, joint: int, now: tuple[Fraction, ...], after: tuple[Fraction, ...]
) -> tuple[tuple[int, ...], int]:
    """The first action that attains the value of a joint state, and where it leads."""
    states = bandit.split(joint)
    for action in bandit.actions:
        paid = sum((bandit.arms[i].payoffs[states[i]] for i in action), Fraction(0))
        moved = bandit.join(
            [
                arm.play_next[s] if i in action else arm.rest_next[s]
                for i, (arm, s) in enumerate(zip(bandit.arms, states, strict=True))
            ]
        )
        if paid + after[moved] == now[joint]:
            return action, moved
    raise AssertionError("no action attains the value of its state")
