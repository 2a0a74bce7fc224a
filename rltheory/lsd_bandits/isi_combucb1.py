r"""CombUCB1 in blocks: combinatorial semi-bandits for arms whose payoff depends on their delay.

K arms, exactly one played per round; an arm that was last played tau rounds ago pays f_i(tau) in
mean. Rounds are cut into blocks of length d. Every (arm, delay) with a delay of 1..d has an index,

    mean + sqrt(1.5 ln t / n)    after n plays among t rounds,    d sqrt(1.5 ln(K d))    before any,

and each block is the sequence of d plays with the largest sum of indices, found by dynamic
programming over the delays that it leads to (ties to the lowest arm). Two ways to read a block:

    vanilla    it starts from the delays at hand, d and longer counted as d;
    ISI        "initial-state independent": the first play of each arm within a block counts 0 and
               teaches nothing, as its delay is that of the block's past; after it delays are known.

What a block is worth does not depend on the past for ISI alone: its blocks of length d + 1 have the
delays 1..d of vanilla blocks of length d. Source: Laforgue, Clerici, Cesa-Bianchi and
Gilad-Bachrach, AISTATS 2022; the index, its first value and the lengths are those of the authors'
public experiments, where an index is renewed only when its arm is in that state; here all are
renewed at the start of each block. No regret bound is claimed.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import ModelError
from rltheory.lsd_bandits.arms import LSDArm
from rltheory.lsd_bandits.bandit import LSDBandit
from rltheory.lsd_bandits.environment import BanditEnvironment, need_whole
from rltheory.lsd_bandits.learning_run import LearningRun

__all__ = ["BlockPlanner", "comb_ucb1"]

UNKNOWN = 0
"""In place of a delay: the arm has not been played in this block."""


def comb_ucb1(
    bandit: LSDBandit,
    T: int,
    seed: int | np.random.SeedSequence,
    block: int,
    independent: bool = True,
) -> LearningRun:
    """Play the block of the largest index, again and again.

    Parameters
    ----------
    bandit : LSDBandit
        Of delay-dependent arms (`LSDArm.recharging`), one play per round. Every arm starts as if
        it had just been played.
    T : int
        Rounds, a multiple of `block`.
    seed : int or numpy.random.SeedSequence
        Of the noise.
    block : int
        d, at least 1; of independent blocks at least 2.
    independent : bool
        Whether first plays within a block are ignored (ISI-CombUCB1) or planned from the delays at
        hand (vanilla CombUCB1).

    Returns
    -------
    LearningRun
        Without a bound.

    Raises
    ------
    ModelError
        If an arm has states that a delay does not describe, or T is no multiple of `block`.

    Examples
    --------
    >>> import rltheory as rlt
    >>> arms = [rlt.LSDArm.recharging(["1/20"]), rlt.LSDArm.recharging(["3/50", "19/20"])]
    >>> run = rlt.comb_ucb1(rlt.LSDBandit(arms, idle=False), 1100, seed=0, block=11)
    >>> run.rewards.shape, run.bound
    ((1100,), inf)
    """
    for i, arm in enumerate(bandit.arms):
        if not isinstance(arm, LSDArm) or len(arm.play_payoffs) != 1:
            raise ModelError(
                f"arms[{i}] is {arm!r}; CombUCB1 needs arms whose payoff depends on the delay "
                "alone, as LSDArm.recharging makes them"
            )
    least = 2 if independent else 1
    for name, x, low in (("block", block, least), ("T", T, 1)):
        need_whole(name, x, low)
    if T % block:
        raise ModelError(f"T is {T}; it must be a multiple of the block's length, {block}")
    environment = BanditEnvironment(bandit, seed, state=[0] * bandit.n_arms)
    K = bandit.n_arms
    planner = BlockPlanner(K, block)
    plays, total = np.zeros(K * block, dtype=np.int64), np.zeros(K * block)
    delays = (UNKNOWN,) * K if independent else (1,) * K
    first = block * math.sqrt(1.5 * math.log(K * block)) if K * block > 1 else 0.0
    index = np.full(K * block, first)
    for t in range(0, T, block):
        seen = plays > 0
        bonus = np.sqrt(1.5 * math.log(max(1, t)) / plays[seen])
        index[seen] = total[seen] / plays[seen] + bonus
        best = planner.best(index, delays)
        rewards = environment.run(best.arms)
        counted = best.pairs >= 0
        np.add.at(plays, best.pairs[counted], 1)
        np.add.at(total, best.pairs[counted], rewards[counted])
        if not independent:
            delays = best.delays
    return LearningRun(
        bandit=bandit,
        actions=environment.actions,
        rewards=environment.rewards,
        pseudo_rewards=environment.pseudo_rewards,
        bound=math.inf,
    )


class Block(NamedTuple):
    """A sequence of plays.

    Attributes
    ----------
    arms : ndarray of int32, shape (d,)
    pairs : ndarray of int64, shape (d,)
        arm * d + delay - 1 of each play, or -1 where the delay is unknown.
    delays : tuple of int
        Those after the block.
    value : float
        The sum of the pairs' indices.
    """

    arms: NDArray[np.int32]
    pairs: NDArray[np.int64]
    delays: tuple[int, ...]
    value: float


class _Layer(NamedTuple):
    """The delays that some plays lead to, each play's pair, and where it leads."""

    pair: NDArray[np.int64]  # shape (n, K)
    successor: NDArray[np.int64]  # shape (n, K), into the next layer


class BlockPlanner:
    """Best blocks by dynamic programming; what delays lead to is worked out once per start.

    Parameters
    ----------
    arms, length : int
        K and d.

    Examples
    --------
    >>> import numpy as np
    >>> from rltheory.lsd_bandits.isi_combucb1 import BlockPlanner
    >>> index = np.array([0.1, 0.1, 0.1, 0.0, 1.0, 1.0])
    >>> block = BlockPlanner(2, 3).best(index, (0, 0))
    >>> block.arms.tolist(), block.value
    ([1, 0, 1], 1.0)
    """

    def __init__(self, arms: int, length: int) -> None:
        self.arms, self.length = arms, length
        self._known: dict[tuple[int, ...], tuple[list[_Layer], NDArray[np.int64]]] = {}

    def best(self, index: NDArray[np.float64], delays: tuple[int, ...]) -> Block:
        """The block of the largest sum of indices.

        Parameters
        ----------
        index : ndarray, shape (K * d,)
            By arm * d + delay - 1.
        delays : tuple of K int
            Those at its start, at most d; 0 where the delay is not known.
        """
        if delays not in self._known:
            self._known[delays] = self._layers(delays)
        layers, ends = self._known[delays]
        paid = np.append(index, 0.0)  # pair -1 pays nothing
        ahead = np.zeros(len(ends))
        choice = []
        for layer in reversed(layers):
            q = paid[layer.pair] + ahead[layer.successor]
            choice.append(q.argmax(axis=1))
            ahead = q.max(axis=1)
        at, arms, pairs = 0, [], []
        for layer, best in zip(layers, reversed(choice), strict=True):
            arm = int(best[at])
            arms.append(arm)
            pairs.append(int(layer.pair[at, arm]))
            at = int(layer.successor[at, arm])
        after = tuple(int(x) for x in ends[at])
        return Block(np.array(arms, dtype=np.int32), np.array(pairs), after, float(ahead[0]))

    def _layers(self, delays: tuple[int, ...]) -> tuple[list[_Layer], NDArray[np.int64]]:
        K, d = self.arms, self.length
        now = np.array([delays], dtype=np.int64)
        layers = []
        for _ in range(d):
            waited = np.where(now == UNKNOWN, UNKNOWN, np.minimum(now + 1, d))
            after = np.repeat(waited[:, None, :], K, axis=1)
            after[:, np.arange(K), np.arange(K)] = 1
            pair = np.where(now == UNKNOWN, -1, np.arange(K) * d + now - 1)
            following, successor = np.unique(after.reshape(-1, K), axis=0, return_inverse=True)
            layers.append(_Layer(pair, successor.reshape(len(now), K)))
            now = following
        return layers, now
