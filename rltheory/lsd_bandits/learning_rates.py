r"""How regret against the virtual value of the best schedule grows with the number of rounds.

A(x) is what the mirrored schedule of the relaxation's solution x is sure to earn per round if
payoffs are known (claim ``lsd-round-ratio``); with one arm it is the optimum, g* = LP = A(x). On
one instance, T A(x) - E[rewards] grows

    for explore-then-commit    no faster than L^{1/3} B^{2/3}, that is T^{2/3} (ln T)^{1/3}
    for framed UCB             no faster than sqrt(T): its frames begin with sqrt(RDT) rests in all,
                               and what is learnt costs less than these once gaps are seen

where B and L are those of ``lsd-etc-regret``. With one arm that claim and ``lsd-ucb-regret`` say
so, the latter up to sqrt(ln T). With several they speak of c_N LP, which is at most A(x): the rate
of explore-then-commit is proved where x is the only solution (docs/theory/lsd_learning.md), that of
framed UCB is measured here and proved nowhere. Source: this project.
"""

import math
from collections.abc import Callable
from functools import lru_cache, partial

from rltheory.claims.claim import Claim, Measurement, Mutant, Rate
from rltheory.claims.family import Instance
from rltheory.lsd_bandits.arms import LSDArm
from rltheory.lsd_bandits.bandit import LSDBandit
from rltheory.lsd_bandits.explore_then_commit import (
    exploration_repeats,
    growing_regret,
    shape_of,
    sweep_rounds,
)
from rltheory.lsd_bandits.families import GOLDEN, bandit_of, case
from rltheory.lsd_bandits.learning_claims import (
    coin,
    committed_reward,
    framed_reward,
    slow,
)
from rltheory.lsd_bandits.relaxation import concave_relaxation
from rltheory.lsd_bandits.virtual_value import virtual_value
from rltheory.mdp.streams import Stream

__all__ = ["CLAIMS", "virtual"]

COMMIT_ROUNDS = (2000, 6000, 20_000, 60_000, 200_000)
UCB_ROUNDS = (1000, 3000, 10_000, 30_000, 100_000)


@lru_cache(maxsize=64)
def virtual(bandit: LSDBandit) -> float:
    """A(x), exact and then rounded."""
    return float(virtual_value(concave_relaxation(bandit, exact=True)))


def frame_rate(rests: list[int], plays: list[int], T: int) -> float:
    """2 sqrt(R D T): the rests at the starts of frames, and the rounds of D frames."""
    return 2.0 * math.sqrt(max(rests) * (sum(rests) + sum(plays)) * T)


def _etc(i: Instance, x: float, stream: Stream, samples: str = "stated") -> Measurement:
    bandit, T = bandit_of(i), int(x)
    rests, plays = shape_of(bandit)
    m = {
        "stated": exploration_repeats(rests, plays, T),
        "one": 1,
        "half of the rounds": T // (2 * sweep_rounds(rests, plays)),
    }[samples]
    regret = T * virtual(bandit) - committed_reward(bandit, T, m, stream)
    return Measurement(regret, growing_regret(rests, plays, T))


def _ucb(i: Instance, x: float, stream: Stream, radii: bool = True) -> Measurement:
    bandit, T = bandit_of(i), int(x)
    regret = T * virtual(bandit) - framed_reward(bandit, T, stream, radii=radii)
    return Measurement(regret, frame_rate(*shape_of(bandit), T))


def two_plans(worse: str = "24/25") -> LSDBandit:
    """Always to play earns 1/2, to play after every rest half of `worse`."""
    return LSDBandit([LSDArm([worse], ["1/2"])])


def one_is_worse(*delays: int) -> LSDBandit:
    """Blocking arms that pay 1/2, the last of them a tenth less."""
    *better, last = delays
    return LSDBandit([*(LSDArm.blocking(d, "1/2") for d in better), LSDArm.blocking(last, "9/20")])


def four_states() -> LSDBandit:
    """The best plan of the arm is to rest twice and play once."""
    return LSDBandit([LSDArm(["1/2", 1], ["1/4", 0])])


def _named(**bandits: Callable[[], LSDBandit]) -> dict[str, Callable[[], Instance]]:
    return {name.replace("_", " "): partial(_case, make) for name, make in bandits.items()}


def _case(make: Callable[[], LSDBandit]) -> Instance:
    return case(make())


CLAIMS = (
    Claim(
        id="lsd-etc-rate",
        kind="rate",
        check=_etc,
        title="Regret of explore-then-commit against the virtual value, by rounds",
        statement=r"""With $A(x)$ the virtual value of the relaxation's solution $x$ under the true
payoffs,
$$T\,A(x)-E\Bigl[\sum_{t\le T}r_t\Bigr]=O\bigl(L^{1/3}B^{2/3}\bigr)
=O\bigl(T^{2/3}(\ln T)^{1/3}\bigr),\qquad T\in\{2000,\dots,200{,}000\},$$
on each of three instances, of plans so near that even the longest exploration confuses them at
times. There it is positive and grows: the slope of its logarithm over $\log T$ is not above that
of $L^{1/3}B^{2/3}$, about $0.69$. For one arm $A(x)=\mathrm{LP}=g^*$ and
`lsd-etc-regret` says so; for several it is proved where $x$ is the only solution.""",
        provenance=("derived", "derived"),
        named=_named(
            one_arm_with_two_plans=two_plans,
            three_blocking_arms_of_delay_2=partial(one_is_worse, 2, 2, 2),
            blocking_arms_of_delays_2_3_and_3=partial(one_is_worse, 2, 3, 3),
        ),
        rate=Rate(COMMIT_ROUNDS),
        mutants=(
            Mutant(
                "one-sample",
                "m = 1 for every T",
                check=partial(_etc, samples="one"),
                named=_named(coin=lambda: LSDBandit(coin())),
            ),
            Mutant(
                "half-explores",
                "half of the rounds explore",
                check=partial(_etc, samples="half of the rounds"),
                named=_named(two_near_plans=partial(two_plans, "249/250")),
            ),
        ),
        bound=growing_regret,
    ),
    Claim(
        id="lsd-ucb-rate",
        kind="rate",
        check=_ucb,
        title="Regret of framed UCB against the virtual value, by rounds",
        statement=r"""With $A(x)$ the virtual value of the relaxation's solution $x$ under the true
payoffs, $F=\lceil\sqrt{RT/D}\rceil$ and $\delta=1/T$,
$$T\,A(x)-E\Bigl[\sum_{t\le T}r_t\Bigr]=O\bigl(\sqrt T\bigr),\qquad
T\in\{1000,\dots,100{,}000\},$$
on each of four instances, where it is positive and grows: the slope of its logarithm over
$\log T$ is at most $\frac12$. For one arm $A(x)=\mathrm{LP}=g^*$ and `lsd-ucb-regret` says
$O(\sqrt{T\ln T})$; for several the rate is measured and not proved, as optimism finds a solution
with the largest LP, not with the largest virtual value.""",
        provenance=("derived", "derived"),
        named=_named(
            one_arm_of_four_states=four_states,
            two_arms_with_a_gap=GOLDEN["I1"],
            blocking_arms_of_delays_2_and_3=GOLDEN["B23"],
            blocking_arms_of_delays_2_3_and_6=GOLDEN["B236"],
        ),
        rate=Rate(UCB_ROUNDS),
        mutants=(
            Mutant(
                "no-radius",
                "all radii are 0",
                check=partial(_ucb, radii=False),
                named=_named(one_arm=lambda: LSDBandit(slow())),
            ),
        ),
        bound=frame_rate,
    ),
)
