r"""Framed UCB: optimism about payoffs, and fresh plans at the start of each frame.

One play per round, LSD arms, D = sum_i (R_i + M_i) states in all, R = max R_i. Frames have F
rounds. With n_i(s) plays in real state s so far,

    rad_i(s) = sqrt(ln(2DT/delta) / (2 n_i(s))),   U_i(s) = min(1, mean + rad), 1 if never played,
    Ubar_i(s) = min_{s' >= s} U_i(s')              (payoffs are nondecreasing).

At the start of a frame all arms rest R rounds (not in the first, which starts rested); then the
relaxation is solved on Ubar, every arm draws a plan and an offset, and of the arms whose virtual
copy plays the one with the largest Ubar(virtual state) is played until the frame ends. For monotone
payoffs, a rested start and any F >= 1,

    c_N T LP - E[rewards] <= c_N R ceil(T/F) + D F + 2 sqrt(2DT ln(2DT/delta)) + c_N delta T,

which for F = ceil(sqrt(RT/D)), delta = 1/T is at most
2 sqrt(RDT) + 2 sqrt(2DT ln(2DT^2)) + D + R + 1. From any other start all arms rest R rounds in the
first frame too, which its first term has already. Frames of fixed length: if a frame ended when
some count doubled, frames with bad offsets, which play less, would last longer. Claim
``lsd-ucb-regret``, with its proof in docs/theory/lsd_learning.md. Source: this project.
"""

import math
from collections.abc import Sequence

import numpy as np

from rltheory._core import topics
from rltheory.errors import ModelError
from rltheory.lsd_bandits.averages import need_dominance
from rltheory.lsd_bandits.bandit import LSDBandit
from rltheory.lsd_bandits.environment import BanditEnvironment, learnable, need_whole
from rltheory.lsd_bandits.explore_then_commit import shape_of
from rltheory.lsd_bandits.learning_run import LearningRun, plan_arrays
from rltheory.lsd_bandits.virtual_value import guarantee
from rltheory.mdp.streams import Stream

__all__ = ["default_frame", "framed_ucb", "framed_ucb_regret_bound", "radius_width"]


def default_frame(rests: Sequence[int], plays: Sequence[int], T: int) -> int:
    """F = ceil(sqrt(R T / D)).

    Examples
    --------
    >>> default_frame([1, 1], [1, 1], 20_000)
    71
    """
    return _ceil_root(max(rests) * T, sum(rests) + sum(plays))


def radius_width(rests: Sequence[int], plays: Sequence[int], T: int, delta: float) -> float:
    """sqrt(ln(2DT/delta)/2): the radius after one play."""
    pairs = sum(rests) + sum(plays)
    return math.sqrt(math.log(2.0 * pairs * T / delta) / 2.0)


def framed_ucb_regret_bound(
    rests: Sequence[int],
    plays: Sequence[int],
    T: int,
    frame: int | None = None,
    delta: float | None = None,
) -> float:
    """The bound of c_N T LP - E[rewards], any F and delta; claim ``lsd-ucb-regret``.

    Parameters
    ----------
    rests, plays : sequence of int, shape (N,)
        R_i and M_i.
    T : int
        Rounds.
    frame : int, optional
        F; `default_frame` if left out.
    delta : float, optional
        1/T if left out.

    Examples
    --------
    >>> import rltheory as rlt
    >>> round(rlt.framed_ucb_regret_bound([1, 1], [1, 1], 20_000))
    4239
    """
    frame, delta = _chosen(rests, plays, T, frame, delta)
    pairs, share = sum(rests) + sum(plays), float(guarantee(len(rests)))
    width = radius_width(rests, plays, T, delta)
    resting = share * max(rests) * math.ceil(T / frame)
    learning = 4.0 * width * math.sqrt(pairs * T)
    return resting + pairs * frame + learning + share * delta * T


def framed_ucb(
    bandit: LSDBandit | BanditEnvironment,
    T: int,
    seed: int | np.random.SeedSequence,
    frame: int | None = None,
    delta: float | None = None,
) -> LearningRun:
    """Learn by upper confidence bounds in frames of fixed length.

    Parameters
    ----------
    bandit : LSDBandit or BanditEnvironment
        Of monotone LSD arms with recovery by reset, one play per round; of a bandit an environment
        is made, which starts rested. What an environment saw before is not used.
    T : int
        Rounds, at least 1.
    seed : int or numpy.random.SeedSequence
        Of plans and offsets, and of the noise where a bandit is given.
    frame : int, optional
        F, at least 1; `default_frame` if left out.
    delta : float, optional
        Failure probability of all radii together, in (0, 1]; 1/T if left out.

    Returns
    -------
    LearningRun

    Raises
    ------
    ModelError
        If the arms are of another kind or not monotone, or an argument is out of range.

    Examples
    --------
    >>> import rltheory as rlt
    >>> bandit = rlt.LSDBandit([rlt.LSDArm.blocking(2, "9/10"), rlt.LSDArm.blocking(2, "9/10")])
    >>> rlt.framed_ucb(bandit, 20_000, seed=1)
    LearningRun(20000 rounds, 13493 rewards; pseudo-regret 57.6 against c_N LP, bound 4239)
    """
    environment = learnable(bandit, seed)
    known = environment.bandit
    known.need_monotone()
    rests, plays = shape_of(known)
    frame, delta = _chosen(rests, plays, T, frame, delta)
    run, below = framed_run(
        environment, T, seed, frame, radius_width(rests, plays, T, delta), max(rests)
    )
    need_dominance(known, below)
    bound = framed_ucb_regret_bound(rests, plays, T, frame, delta)
    return LearningRun(known, *run, bound=bound)


def framed_run(
    environment: BanditEnvironment,
    T: int,
    seed: int | np.random.SeedSequence | Stream,
    frame: int,
    width: float,
    recovery: int,
) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], int]:
    """The loop with every number given.

    Returns
    -------
    ((actions, rewards, pseudo-rewards), below)
        `below` is in how many rounds some real state was below its virtual one.
    """
    bandit = environment.bandit
    flat = bandit.arrays
    stream = seed if isinstance(seed, Stream) else Stream(seed, "lsd.plans")
    record, _, below = topics.lsd_framed_ucb(
        *(flat.sizes, flat.play_next, flat.rest_next, flat.payoffs),
        *plan_arrays(bandit),
        environment.state,
        frame,
        width,
        recovery,
        not environment.is_rested,
        environment.noise(T),
        stream.uniforms(2 * bandit.n_arms * math.ceil(T / frame)),
    )
    environment.add(record)
    return record[:3], below


def _chosen(
    rests: Sequence[int], plays: Sequence[int], T: int, frame: int | None, delta: float | None
) -> tuple[int, float]:
    for name, x in (("T", T), ("frame", 1 if frame is None else frame)):
        need_whole(name, x)
    if delta is not None and not 0.0 < delta <= 1.0:
        raise ModelError(f"delta is {delta!r}; it must be in (0, 1]")
    size = default_frame(rests, plays, T) if frame is None else int(frame)
    return size, 1.0 / T if delta is None else float(delta)


def _ceil_root(numerator: int, denominator: int) -> int:
    """ceil(sqrt(numerator / denominator)), exactly."""
    root = math.isqrt(numerator // denominator)
    while root * root * denominator < numerator:
        root += 1
    return root
