r"""The guarantee of interleaved schedules with many arms, where not everything can be enumerated.

As claim ``lsd-round-ratio``, for N in 4..8: one trial draws 4 schedules and takes the mean of
their rewards over 200 rounds from the rested state, whose expectation is at least c LP under every
rule. What is measured is the share of the k plays per round that is lost, 1 - reward/k, in [0, 1].
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory._core import topics
from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice, Integer, Many
from rltheory.lsd_bandits.arms import LSDArm
from rltheory.lsd_bandits.averages import need_dominance
from rltheory.lsd_bandits.bandit import LSDBandit
from rltheory.lsd_bandits.families import blocking, case
from rltheory.lsd_bandits.lotteries import Lottery, core_setting, payoffs_of
from rltheory.lsd_bandits.relaxation import concave_relaxation
from rltheory.lsd_bandits.virtual_value import guarantee
from rltheory.mdp.streams import Stream

__all__ = ["CLAIMS"]

SCHEDULES, ROUNDS = 4, 200
MOST_ARMS = 8


def _family() -> Family:
    def build(
        arms: int,
        plays: int,
        rests: list[int],
        worn: list[int],
        eighths: list[int],
        select: str,
        filler: bool,
    ) -> Instance:
        made = []
        for i in range(arms):
            paid = [Fraction(x, 8) for x in sorted(eighths[5 * i : 5 * i + rests[i] + worn[i]])]
            made.append(LSDArm(paid[worn[i] :], paid[: worn[i]][::-1]))
        return Instance(**case(LSDBandit(made, plays)), select=select, filler=filler)

    space: dict[str, Any] = {
        "arms": Integer(4, MOST_ARMS),
        "plays": Choice(1, 1, 2, 3),
        "rests": Many(Integer(1, 3), MOST_ARMS),
        "worn": Many(Integer(1, 2), MOST_ARMS),
        "eighths": Many(Integer(0, 8), 5 * MOST_ARMS),
        "select": Choice("virtual", "real"),
        "filler": Choice(False, True),
    }
    return Family(space, build)


@dataclass(frozen=True)
class _Prepared:
    """What all trials on one instance share."""

    value: Any
    lottery: Lottery
    setting: topics.LsdSetting
    payoffs: NDArray[np.float64]


@lru_cache(maxsize=16)
def _prepared(arms: tuple[Any, Any], plays: int, select: str, filler: bool) -> _Prepared:
    bandit = LSDBandit([LSDArm(*each) for each in zip(*arms, strict=True)], plays)
    relax = concave_relaxation(bandit, exact=True)
    lottery = Lottery.of(relax)
    setting = core_setting(bandit, lottery.plans, select, filler)
    payoffs = np.array([float(p) for p in payoffs_of(bandit)])
    return _Prepared(relax.value, lottery, setting, payoffs)


def _round_many(
    i: Instance, stream: Stream, share: Fraction | None = None, zero: bool = False
) -> Measurement:
    arms = tuple(map(tuple, i.rest_payoffs)), tuple(map(tuple, i.play_payoffs))
    ready = _prepared(arms, i.plays, i.select, i.filler)
    k = i.plays
    plans, offsets = ready.lottery.draw(stream, SCHEDULES)
    if zero:
        offsets = np.zeros_like(offsets)
    counts, violations = ready.setting.window_counts(plans, offsets, 0, ROUNDS)
    need_dominance(ready.lottery.bandit, violations)
    mean = float(counts.sum(axis=0) @ ready.payoffs) / (SCHEDULES * ROUNDS)
    c = guarantee(len(i.rest_payoffs), k) if share is None else share
    return Measurement(1 - mean / k, float(1 - c * ready.value / k), what="lost, 1 - c LP/k")


def _tight(n: int, k: int, select: str, filler: bool) -> Callable[[], Instance]:
    """Where exactly c is kept: N arms that pay 1/2 once in N/k rounds."""
    bandit = blocking([n // k] * n, [Fraction(1, 2)] * n, plays=k)
    return lambda: Instance(**case(bandit), select=select, filler=filler)


@claim(
    "lsd-round-many",
    "expectation",
    title="Interleaved schedules of many arms keep the share c of the relaxation",
    statement=r"""As claim `lsd-round-ratio`, $N\in\{4,\dots,8\}$ arms, $k\le3$, both rankings, with
and without filler: the mean reward of the first 200 rounds of a drawn schedule has expectation at
least $c_{N,k}\,\mathrm{LP}$.""",
    source="this project; the form: Foussoul et al., ICML 2023",
    provenance=("paper", "derived"),
    family=_family(),
    named={
        "tight, N = 8": _tight(8, 1, "virtual", False),
        "tight, N = 8, k = 2": _tight(8, 2, "real", False),
        "tight, N = 6, k = 3": _tight(6, 3, "virtual", True),
    },
    range=lambda instance: (0.0, 1.0),
    mutants=[
        Mutant(
            "seven-tenths",
            "the share 0.7 at N = 8",
            check=partial(_round_many, share=Fraction(7, 10)),
            named={"tight, N = 8": _tight(8, 1, "virtual", False)},
        ),
        Mutant(
            "offsets",
            "all offsets 0",
            check=partial(_round_many, zero=True),
            named={"tight, N = 8": _tight(8, 1, "virtual", False)},
        ),
    ],
    bound=guarantee,
    proof="text",
)
def round_many(instance: Instance, stream: Stream) -> Measurement:
    return _round_many(instance, stream)


CLAIMS = (round_many,)
