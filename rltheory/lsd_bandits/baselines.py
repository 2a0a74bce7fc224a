r"""What an optimal schedule is compared with: greedy and round robin.

Greedy plays the k arms of the largest current payoffs, those of payoff 0 left out, ties to the
lowest index. (A blocking arm that is not available is an arm that pays 0; to play it would only
keep it unavailable.) Where exactly k arms must be played it plays k, whatever they pay. Under
monotone payoffs its average is no constant share of the optimal one (claim
``lsd-greedy-unbounded``); on blocking arms it is 1 - (1 - 1/N)^N of it (claim ``blk-greedy``).

Round robin plays arms 0..k-1, then k..2k-1, and so on around.

Both are deterministic, so that their runs end in a cycle, and averages are exact.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import gcd

from rltheory.lsd_bandits.bandit import LSDBandit
from rltheory.lsd_bandits.periodic_runs import (
    PeriodicRun,
    Rule,
    first_rewards,
    repeated,
    run_until_repeated,
)

__all__ = ["greedy_average", "greedy_rewards", "greedy_rule", "round_robin_average"]


def greedy_rule(bandit: LSDBandit) -> Rule:
    """The arms that greedy plays, as a function of the arms' states."""
    # Payoffs compare as integers, which is much faster than as fractions.
    scale = bandit.denominator
    payoffs = [[int(p * scale) for p in arm.payoffs] for arm in bandit.arms]

    def choose(_: int, states: tuple[int, ...]) -> tuple[int, ...]:
        now = [paid[s] for paid, s in zip(payoffs, states, strict=True)]
        best = sorted(range(len(now)), key=lambda i: (-now[i], i))[: bandit.plays]
        return tuple(sorted(i for i in best if now[i] > 0 or not bandit.idle))

    return choose


def greedy_average(bandit: LSDBandit, state: Sequence[int] | None = None) -> PeriodicRun:
    """Greedy's run: its long-run average, and the cycle in which it ends.

    Parameters
    ----------
    bandit : LSDBandit
    state : sequence of int, length N, optional
        Where the arms start, as indices; rested if left out.

    Returns
    -------
    PeriodicRun
        Exact; `.average`, `.cycle`, `.transient`, `.rewards(T)`.

    Raises
    ------
    ModelError
        If there is no such state.

    Examples
    --------
    >>> import rltheory as rlt
    >>> tired = rlt.LSDBandit([rlt.LSDArm(rest_payoffs=[1], play_payoffs=["1/10"])])
    >>> rlt.greedy_average(tired)
    PeriodicRun(average=1/10, 1 rounds, then 1 for ever)
    >>> rlt.optimal_gain(tired, exact=True).gain
    Fraction(1, 2)
    """
    return run_until_repeated(bandit, greedy_rule(bandit), state=state)


def greedy_rewards(
    bandit: LSDBandit, T: int, state: Sequence[int] | None = None
) -> tuple[Fraction, ...]:
    """What greedy is paid in rounds 0, ..., T-1.

    Parameters
    ----------
    bandit : LSDBandit
    T : int
        At least 0.
    state : sequence of int, length N, optional
        Where the arms start, as indices; rested if left out.

    Returns
    -------
    tuple of Fraction, length T

    Raises
    ------
    ModelError
        If `T` is no integer of at least 0, or there is no such state.

    Examples
    --------
    >>> import rltheory as rlt
    >>> bandit = rlt.LSDBandit([rlt.LSDArm.blocking(3), rlt.LSDArm.blocking(2)])
    >>> sum(rlt.greedy_rewards(bandit, 60))
    Fraction(40, 1)
    """
    return first_rewards(bandit, greedy_rule(bandit), T, state)


def round_robin_average(bandit: LSDBandit, state: Sequence[int] | None = None) -> PeriodicRun:
    """The run of round robin, which plays k arms after k arms, whatever they pay.

    Parameters
    ----------
    bandit : LSDBandit
    state : sequence of int, length N, optional
        Where the arms start, as indices; rested if left out.

    Returns
    -------
    PeriodicRun

    Raises
    ------
    ModelError
        If there is no such state.

    Examples
    --------
    >>> import rltheory as rlt
    >>> bandit = rlt.LSDBandit([rlt.LSDArm.blocking(3)] * 3, plays=2)
    >>> rlt.round_robin_average(bandit).cycle
    ((0, 1), (0, 2), (1, 2))
    """
    n, k = bandit.n_arms, bandit.plays
    rounds = [[(t * k + j) % n for j in range(k)] for t in range(n // gcd(n, k))]
    return repeated(bandit, rounds, state)
