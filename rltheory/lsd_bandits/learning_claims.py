r"""What learners of last-switch-dependent arms lose against what a mirrored schedule keeps.

One play per round, monotone LSD arms, LP the relaxation's value, c_N = 1 - (1 - 1/N)^N.

    explore-then-commit    c_N T LP - E[rewards] <= 3 2^{-2/3} L^{1/3} B^{2/3} + ...  lsd-etc-regret
    framed UCB             c_N T LP - E[rewards] <= 2 sqrt(2DT ln(2DT/delta)) + ...   lsd-ucb-regret

No run earns more than (T + R) LP in mean payoffs (claim ``lsd-relax-upper``), so that regret lies
in [c_N T LP - (T + R) LP, c_N T LP] surely. Proofs: docs/theory/lsd_learning.md. Source: this
project.
"""

import math
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np

from rltheory._core import topics
from rltheory.claims.claim import Claim, Measurement, Mutant, claim
from rltheory.claims.family import Family, Instance
from rltheory.lsd_bandits.arms import LSDArm
from rltheory.lsd_bandits.averages import need_dominance
from rltheory.lsd_bandits.bandit import LSDBandit
from rltheory.lsd_bandits.environment import BanditEnvironment
from rltheory.lsd_bandits.explore_then_commit import (
    etc_regret_bound,
    exploration_repeats,
    exploration_rounds,
    shape_of,
)
from rltheory.lsd_bandits.families import bandit_of, case, rand_mono
from rltheory.lsd_bandits.framed_ucb import (
    default_frame,
    framed_run,
    framed_ucb_regret_bound,
    radius_width,
)
from rltheory.lsd_bandits.learning_run import plan_arrays
from rltheory.lsd_bandits.relaxation import concave_relaxation
from rltheory.lsd_bandits.virtual_value import guarantee
from rltheory.mdp.streams import Stream

__all__ = ["CLAIMS", "committed_reward", "framed_reward"]

MOST_DRAWS = 10**8
"""Rounds that the mean of one commitment may simulate."""


@lru_cache(maxsize=64)
def relaxed_value(bandit: LSDBandit) -> float:
    """LP, exact and then rounded."""
    return float(concave_relaxation(bandit, exact=True).value)


def target(bandit: LSDBandit) -> float:
    """c_N LP."""
    return float(guarantee(bandit.n_arms)) * relaxed_value(bandit)


def regret_range(i: Instance) -> tuple[float, float]:
    """Between what regret against c_N LP lies surely, with a hair for rounding."""
    bandit, T = bandit_of(i), int(i.T)
    assert bandit.recovery_time is not None
    value = relaxed_value(bandit)
    kept = float(i.share) * value if "share" in i else target(bandit)
    hair = 1e-9 * (T + 1)
    return T * kept - (T + bandit.recovery_time) * value - hair, T * kept + hair


# --- one trial of each --------------------------------------------------------------------


def committed_reward(bandit: LSDBandit, T: int, repeats: int, stream: Stream) -> float:
    """The mean rewards of explore-then-commit given its samples.

    Samples are drawn; the payoffs of the exploration and the mean over all draws of plans and
    offsets are exact up to rounding. From a rested start.
    """
    flat = bandit.arrays
    rests, plays = shape_of(bandit)
    samples = stream.uniforms(repeats, len(flat.payoffs)) < flat.payoffs
    means = samples.sum(axis=0) / repeats
    firsts = sum(float(arm.payoffs[arm.top]) for arm in bandit.arms)
    explored = firsts + repeats * float(flat.payoffs.sum())
    left = T - exploration_rounds(rests, plays, repeats)
    mean: float = topics.lsd_committed(
        *(flat.sizes, flat.play_next, flat.rest_next, flat.payoffs),
        *plan_arrays(bandit),
        means,
        flat.sizes - 1,
        left,
        max(*rests, *plays) + 1,
        MOST_DRAWS,
    )
    return explored + mean


def framed_reward(
    bandit: LSDBandit,
    T: int,
    stream: Stream,
    frame: int | None = None,
    radii: bool = True,
    rest: bool = True,
) -> float:
    """The sum of the mean payoffs of what one run of framed UCB plays."""
    rests, plays = shape_of(bandit)
    size = default_frame(rests, plays, T) if frame is None else frame
    width = radius_width(rests, plays, T, 1.0 / T) if radii else 0.0
    environment = BanditEnvironment(bandit, np.random.SeedSequence(stream.integer(2**32)))
    recovery = max(rests) if rest else 0
    (_, _, paid), below = framed_run(environment, T, stream, size, width, recovery)
    if rest:
        need_dominance(bandit, below)
    return float(paid.sum())


# --- instances ----------------------------------------------------------------------------


def learning_case(arms: Callable[[], list[LSDArm]], T: int, **more: Any) -> Callable[[], Instance]:
    """An instance of these arms and T rounds."""
    return lambda: Instance(**case(LSDBandit(arms())), T=T, **more)


def two_blocking() -> list[LSDArm]:
    """Two arms of delay 2: independent offsets collide half of the time."""
    return [LSDArm.blocking(2, "9/10")] * 2


def coin() -> list[LSDArm]:
    """One arm that pays 1/2 in every state: (1, 1) earns half of what always playing does."""
    return [LSDArm(["1/2"], ["1/2"])]


def slow() -> list[LSDArm]:
    """One arm that pays 1/2 after a rest, else nothing."""
    return [LSDArm(["1/2"], [0])]


def mixed() -> list[LSDArm]:
    """Two arms, one of which plays twice in a row."""
    return [LSDArm(["3/4", 1], ["3/4", "1/4"]), LSDArm.blocking(3, "7/8")]


def _family(
    bound: Callable[[list[int], list[int], int], float], horizons: tuple[int, ...]
) -> Family:
    """Monotone instances with payoffs in [1/2, 1], and T where the bound says something."""
    drawn = rand_mono(plays=(1,))

    def build(**parameters: Any) -> Instance:
        i = drawn.instance(parameters)
        half = Fraction(1, 2)
        raised = {
            name: [[half + p / 2 for p in row] for row in i[name]]
            for name in ("rest_payoffs", "play_payoffs")
        }
        bandit = bandit_of(Instance(**{**i, **raised}))
        rests, plays = shape_of(bandit)
        for T in horizons:
            if bound(rests, plays, T) <= 0.8 * T * target(bandit):
                break
        return Instance(**case(bandit), T=T)

    return Family(drawn.space, build)


# --- lsd-etc-regret -----------------------------------------------------------------------


def _etc(i: Instance, stream: Stream, repeats: int | None = None) -> Measurement:
    bandit, T = bandit_of(i), int(i.T)
    rests, plays = shape_of(bandit)
    share = float(i.share) if "share" in i else None
    m = exploration_repeats(rests, plays, T, share) if repeats is None else repeats
    kept = target(bandit) if share is None else share * relaxed_value(bandit)
    regret = T * kept - committed_reward(bandit, T, m, stream)
    return Measurement(regret, etc_regret_bound(rests, plays, T, share=share), trivial=T * kept)


@claim(
    "lsd-etc-regret",
    "expectation",
    title="Regret of explore-then-commit on last-switch-dependent arms",
    statement=r"""One play per round, monotone LSD arms, any start,
$L=\sum_i\bigl(\tfrac{R_i(R_i+3)}2+M_i\bigr)$, $D=\sum_i(R_i+M_i)$, $R=\max_iR_i$,
$B=(1+c_N)T\sqrt{\tfrac12\ln(2DT)}$. If every payoff is sampled
$m=\lceil(B/2L)^{2/3}\rceil$ times and then one mirrored schedule of the means is run, for
$T\ge N+mL+R$
$$c_N\,T\,\mathrm{LP}-E\Bigl[\sum_{t\le T}r_t\Bigr]\le
3\cdot2^{-2/3}L^{1/3}B^{2/3}+N+L+R+c_N,$$
and the same with $1-1/e$ for $c_N=1-(1-1/N)^N$, in $B$ too. The bound says something where it is
below $c_NT\,\mathrm{LP}$.""",
    source="this project",
    provenance=("derived", "derived"),
    family=_family(etc_regret_bound, (10_000, 100_000, 1_000_000)),
    named={
        "two blocking arms, T = 20,000": learning_case(two_blocking, 20_000),
        "two blocking arms, T = 100,000": learning_case(two_blocking, 100_000),
        "the same against 1 - 1/e": learning_case(two_blocking, 100_000, share=1 - math.exp(-1.0)),
        "a coin, T = 1,000,000": learning_case(coin, 1_000_000),
        "two kinds of plans, T = 100,000": learning_case(mixed, 100_000),
    },
    mutants=[
        Mutant(
            "one-sample",
            "m = 1",
            check=lambda i, stream: _etc(i, stream, repeats=1),
            named={"a coin, T = 1,000,000": learning_case(coin, 1_000_000)},
        ),
    ],
    bound=etc_regret_bound,
    range=regret_range,
    proof="text",
)
def etc_regret(instance: Instance, stream: Stream) -> Measurement:
    return _etc(instance, stream)


# --- lsd-ucb-regret -----------------------------------------------------------------------


def _ucb(i: Instance, stream: Stream, radii: bool = True) -> Measurement:
    bandit, T = bandit_of(i), int(i.T)
    rests, plays = shape_of(bandit)
    frame = int(i.frame) if "frame" in i else None
    regret = T * target(bandit) - framed_reward(bandit, T, stream, frame, radii)
    bound = framed_ucb_regret_bound(rests, plays, T, frame)
    return Measurement(regret, bound, trivial=T * target(bandit))


def _ucb_without_rests(i: Instance, stream: Stream) -> Measurement:
    """Nobody rests at the start of a frame, and the bound does not pay for it."""
    bandit, T, frame = bandit_of(i), int(i.T), int(i.frame)
    rests, plays = shape_of(bandit)
    regret = T * target(bandit) - framed_reward(bandit, T, stream, frame, rest=False)
    resting = float(guarantee(bandit.n_arms)) * max(rests) * math.ceil(T / frame)
    bound = framed_ucb_regret_bound(rests, plays, T, frame) - resting
    return Measurement(regret, bound, trivial=T * target(bandit))


@claim(
    "lsd-ucb-regret",
    "expectation",
    title="Regret of framed UCB on last-switch-dependent arms",
    statement=r"""One play per round, monotone LSD arms, rested start, $D=\sum_i(R_i+M_i)$,
$R=\max_iR_i$. Framed UCB with frames of any length $F\ge1$ and $\delta\in(0,1]$ has
$$c_N\,T\,\mathrm{LP}-E\Bigl[\sum_{t\le T}r_t\Bigr]\le c_NR\lceil T/F\rceil+DF
+2\sqrt{2DT\ln(2DT/\delta)}+c_N\delta T,$$
which for $F=\lceil\sqrt{RT/D}\rceil$, $\delta=1/T$ is at most
$2\sqrt{RDT}+2\sqrt{2DT\ln(2DT^2)}+D+R+1$. The bound says something where it is below
$c_NT\,\mathrm{LP}$.""",
    source="this project",
    provenance=("derived", "derived"),
    family=_family(framed_ucb_regret_bound, (5000, 10_000, 20_000, 50_000, 100_000)),
    named={
        "two blocking arms, T = 5000": learning_case(two_blocking, 5000),
        "two blocking arms, T = 20,000": learning_case(two_blocking, 20_000),
        "the same, frames of 25": learning_case(two_blocking, 20_000, frame=25),
        "one arm, T = 20,000": learning_case(slow, 20_000),
        "two kinds of plans, T = 20,000": learning_case(mixed, 20_000),
    },
    mutants=[
        Mutant(
            "no-radius",
            "all radii are 0",
            check=lambda i, stream: _ucb(i, stream, radii=False),
            named={"one arm, T = 100,000": learning_case(slow, 100_000)},
        ),
        Mutant(
            "no-rests",
            "frames do not start with rests, and the bound has no term for these",
            check=_ucb_without_rests,
            named={
                "frames of 1": learning_case(lambda: [LSDArm.blocking(2)], 20_000, frame=1),
            },
        ),
    ],
    bound=framed_ucb_regret_bound,
    range=regret_range,
    proof="text",
)
def ucb_regret(instance: Instance, stream: Stream) -> Measurement:
    return _ucb(instance, stream)


CLAIMS: tuple[Claim, ...] = (etc_regret, ucb_regret)
