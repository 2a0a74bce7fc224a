r"""Explore, then commit: every payoff is sampled m times, then one mirrored schedule runs.

One play per round, LSD arms with R_i rests and M_i plays, D = sum_i (R_i + M_i), c_N the share of
the relaxation that a mirrored schedule keeps. Arm by arm: one play that is thrown away, then m
sweeps, each of which rests n rounds and plays once, for n = 1..R_i, and then plays M_i times more:
a sample of each of p_i(1..R_i) and p_i(-1..-M_i) in

    L_i = sum_{n=1}^{R_i} (n + 1) + M_i = R_i (R_i + 3) / 2 + M_i      rounds, L = sum_i L_i.

After N + m L rounds all arms rest R = max R_i rounds; then the relaxation is solved on the means
hat p, plans and offsets are drawn once, and of the arms whose virtual copy plays the one with the
largest hat p(virtual state) is played. With B = (1 + c_N) T sqrt(ln(2DT)/2) and any m,

    c_N T LP - E[rewards] <= N + m L + R + B / sqrt(m) + c_N,

for monotone payoffs, T >= N + m L + R and any start. m = ceil((B / 2L)^{2/3}) gives
3 * 2^{-2/3} L^{1/3} B^{2/3} + N + L + R + c_N. Claim ``lsd-etc-regret``, with its proof in
docs/theory/lsd_learning.md. Source: this project.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rltheory._core import topics
from rltheory.errors import ModelError
from rltheory.lsd_bandits.arms import LSDArm
from rltheory.lsd_bandits.bandit import LSDBandit
from rltheory.lsd_bandits.environment import IDLE, BanditEnvironment, learnable, need_whole
from rltheory.lsd_bandits.learning_run import LearningRun, plan_arrays
from rltheory.lsd_bandits.virtual_value import guarantee
from rltheory.mdp.streams import Stream

__all__ = [
    "error_scale",
    "etc_regret_bound",
    "exploration_actions",
    "exploration_repeats",
    "exploration_rounds",
    "explore_then_commit",
    "growing_regret",
    "shape_of",
    "sweep_rounds",
]


def shape_of(bandit: LSDBandit) -> tuple[list[int], list[int]]:
    """(R_1..R_N, M_1..M_N) of LSD arms."""
    arms = [arm for arm in bandit.arms if isinstance(arm, LSDArm)]
    return [len(arm.rest_payoffs) for arm in arms], [len(arm.play_payoffs) for arm in arms]


def exploration_rounds(rests: Sequence[int], plays: Sequence[int], repeats: int) -> int:
    """N + m L + R, the rounds before the commitment.

    Parameters
    ----------
    rests, plays : sequence of int, shape (N,)
        R_i and M_i.
    repeats : int
        m.
    """
    return len(rests) + repeats * sweep_rounds(rests, plays) + max(rests)


def exploration_repeats(
    rests: Sequence[int], plays: Sequence[int], T: int, share: float | None = None
) -> int:
    """m = ceil((B / 2L)^{2/3}), which balances exploration with what its errors cost later.

    Parameters
    ----------
    rests, plays : sequence of int, shape (N,)
        R_i and M_i.
    T : int
    share : float, optional
        A number in place of c_N.

    Examples
    --------
    >>> from rltheory.lsd_bandits.explore_then_commit import exploration_repeats
    >>> exploration_repeats([1, 1], [1, 1], 20_000)
    371
    """
    base = error_scale(rests, plays, T, share) / (2.0 * sweep_rounds(rests, plays))
    return math.ceil(base ** (2.0 / 3.0))


def etc_regret_bound(
    rests: Sequence[int],
    plays: Sequence[int],
    T: int,
    repeats: int | None = None,
    share: float | None = None,
) -> float:
    """The bound of c_N T LP - E[rewards]; claim ``lsd-etc-regret``.

    Parameters
    ----------
    rests, plays : sequence of int, shape (N,)
        R_i and M_i.
    T : int
        Rounds, at least N + m L + R.
    repeats : int, optional
        m, if it is not `exploration_repeats`.
    share : float, optional
        A smaller number in place of c_N, such as 1 - 1/e, which does not depend on N.

    Examples
    --------
    >>> import rltheory as rlt
    >>> round(rlt.etc_regret_bound([1, 1], [1, 1], 20_000))
    6684
    """
    share = float(guarantee(len(rests))) if share is None else share
    if repeats is not None:
        errors = error_scale(rests, plays, T, share) / math.sqrt(repeats)
        return exploration_rounds(rests, plays, repeats) + errors + share
    return growing_regret(rests, plays, T, share) + exploration_rounds(rests, plays, 1) + share


def growing_regret(
    rests: Sequence[int], plays: Sequence[int], T: int, share: float | None = None
) -> float:
    """3 * 2^{-2/3} L^{1/3} B^{2/3}: the bound without what does not grow with T."""
    sweep, scale = sweep_rounds(rests, plays), error_scale(rests, plays, T, share)
    return 3.0 * 2.0 ** (-2.0 / 3.0) * sweep ** (1.0 / 3.0) * scale ** (2.0 / 3.0)


def explore_then_commit(
    bandit: LSDBandit | BanditEnvironment,
    T: int,
    seed: int | np.random.SeedSequence,
    repeats: int | None = None,
) -> LearningRun:
    """Sample every payoff, then run one mirrored schedule of the means.

    Parameters
    ----------
    bandit : LSDBandit or BanditEnvironment
        Of LSD arms with recovery by reset, one play per round; of a bandit an environment is made.
    T : int
        Rounds, at least those of the exploration.
    seed : int or numpy.random.SeedSequence
        Of plans and offsets, and of the noise where a bandit is given.
    repeats : int, optional
        m, how often each payoff is sampled; `exploration_repeats` if left out.

    Returns
    -------
    LearningRun

    Raises
    ------
    ModelError
        If the arms are of another kind, `repeats` is not a positive integer, or T is shorter than
        the exploration.

    Examples
    --------
    >>> import rltheory as rlt
    >>> bandit = rlt.LSDBandit([rlt.LSDArm.blocking(2, "9/10"), rlt.LSDArm.blocking(2, "9/10")])
    >>> rlt.explore_then_commit(bandit, 20_000, seed=1)
    LearningRun(20000 rounds, 8705 rewards; pseudo-regret 4833 against c_N LP, bound 6684)
    """
    environment = learnable(bandit, seed)
    known = environment.bandit
    rests, plays = shape_of(known)
    m = _repeats(rests, plays, T, repeats)
    length = exploration_rounds(rests, plays, m)
    if length > T:
        raise ModelError(
            f"T is {T}; exploration with repeats={m} takes N + m L + R = {length} rounds, and T "
            "must be at least that"
        )
    first = environment.rounds
    means = explore(environment, m)
    flat, draws = known.arrays, Stream(seed, "lsd.plans").uniforms(2 * known.n_arms)
    _, actions = topics.lsd_commit(
        *(flat.sizes, flat.play_next, flat.rest_next, means),
        *plan_arrays(known),
        draws,
        T - length,
    )
    environment.run(actions)
    return LearningRun(
        bandit=known,
        actions=environment.actions[first:],
        rewards=environment.rewards[first:],
        pseudo_rewards=environment.pseudo_rewards[first:],
        bound=etc_regret_bound(rests, plays, T, repeats) if known.is_monotone() else math.inf,
        exploration=length,
    )


def explore(environment: BanditEnvironment, repeats: int) -> NDArray[np.float64]:
    """Explore, rest, and give the mean of each state's samples, arm after arm.

    Only these samples count: not the first plays, nor what the environment saw before.
    """
    bandit = environment.bandit
    rests, plays = shape_of(bandit)
    before = environment.successes.copy()
    for i in range(bandit.n_arms):
        actions = exploration_actions(rests[i], plays[i], repeats, i)
        thrown_away = int(bandit.arrays.sizes[:i].sum()) + int(environment.state[i])
        before[thrown_away] += environment.play(i)
        environment.run(actions[1:])
    environment.run(np.full(max(rests), IDLE))
    means: NDArray[np.float64] = (environment.successes - before) / repeats
    return means


def exploration_actions(rests: int, plays: int, repeats: int, arm: int) -> NDArray[np.int32]:
    """The rounds of one arm: 1 + m L_i entries, `IDLE` where it rests.

    Examples
    --------
    >>> exploration_actions(rests=2, plays=1, repeats=1, arm=0).tolist()
    [0, -1, 0, -1, -1, 0, 0]
    """
    sweep = [a for n in range(1, rests + 1) for a in (*[IDLE] * n, arm)] + [arm] * plays
    return np.array([arm] + sweep * repeats, dtype=np.int32)


def _repeats(rests: Sequence[int], plays: Sequence[int], T: int, repeats: int | None) -> int:
    for name, x in (("T", T), ("repeats", 1 if repeats is None else repeats)):
        need_whole(name, x)
    return exploration_repeats(rests, plays, T) if repeats is None else int(repeats)


def sweep_rounds(rests: Sequence[int], plays: Sequence[int]) -> int:
    """L, the rounds in which every payoff is sampled once."""
    return sum(r * (r + 3) // 2 + m for r, m in zip(rests, plays, strict=True))


def error_scale(
    rests: Sequence[int], plays: Sequence[int], T: int, share: float | None = None
) -> float:
    """B = (1 + c_N) T sqrt(ln(2DT)/2): with m samples, errors cost at most B / sqrt(m)."""
    pairs = sum(rests) + sum(plays)
    kept = float(guarantee(len(rests))) if share is None else share
    return (1.0 + kept) * T * math.sqrt(math.log(2.0 * pairs * T) / 2.0)
