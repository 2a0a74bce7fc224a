r"""What greedy is worth: nothing in general, and 1 - (1 - 1/N)^N of the optimum on blocking arms.

    greedy = eps, g* = 1/2   on one arm with p(1) = 1, p(-1) = eps            lsd-greedy-unbounded
    Rew_T >= T sum_i (r_i - r_{i+1}) (1 - prod_{j<=i} (1 - 1/d_j)) >= c_N T LP       blk-greedy
    greedy and g* on arms in the wrong order of priority                          blk-greedy-hard

Rewards r_1 >= ... >= r_N, r_{N+1} = 0, delays d_i; LP by the formula of ``blk-knapsack``. All in
fractions. Proofs: docs/theory/lsd_blocking.md. References: Basu, Sen, Sanghavi and Shakkottai,
NeurIPS 2019 (the asymptotic 1 - 1/e is in their abstract; the finite bound is derived here).
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from itertools import accumulate, pairwise, product
from operator import mul

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice, Integer
from rltheory.lsd_bandits.arms import LSDArm
from rltheory.lsd_bandits.bandit import LSDBandit
from rltheory.lsd_bandits.baselines import greedy_average, greedy_rewards
from rltheory.lsd_bandits.families import bandit_of, blocking, case, rand_block
from rltheory.lsd_bandits.optimal import optimal_gain, optimal_value
from rltheory.lsd_bandits.virtual_value import guarantee

__all__ = ["CLAIMS", "greedy_bound", "knapsack"]

HORIZON = 60
SHORT = 200


# --- lsd-greedy-unbounded -----------------------------------------------------------------


def _trap(eps: Fraction, kind: str) -> Instance:
    """An arm that greedy never lets rest, alone or beside one that it never plays."""
    tired = LSDArm([1], [eps])
    if kind == "alone":
        return _trapped(LSDBandit([tired]), eps, Fraction(1, 2))
    other = LSDArm([eps / 2], [eps / 2])
    return _trapped(LSDBandit([other, tired], idle=False), eps, (1 + eps / 2) / 2)


def _published() -> Instance:
    arms = [LSDArm.recharging(["1/20"]), LSDArm.recharging(["3/50", "19/20"])]
    return _trapped(LSDBandit(arms, idle=False), Fraction(3, 50), Fraction(1, 2))


def _trapped(bandit: LSDBandit, greedy: Fraction, best: Fraction) -> Instance:
    return Instance(**case(bandit), idle=bandit.idle, greedy=greedy, best=best)


def _idling(i: Instance) -> LSDBandit:
    bandit = bandit_of(i)
    return LSDBandit(bandit.arms, bandit.plays, bandit.idle and i.idle)


def _unbounded(i: Instance, share: Fraction | None = None) -> list[Measurement]:
    bandit = _idling(i)
    run, best = greedy_average(bandit), optimal_gain(bandit, exact=True).gain
    if share is not None:
        return [Measurement(share * best, run.average, what="a constant share")]
    # The first play is of a rested arm, all others are of a tired one.
    early = max(bandit.arms[-1].payoffs) + (SHORT - 1) * i.greedy
    return [
        Measurement(run.average, i.greedy, what="greedy, at most"),
        Measurement(i.best, best, what="optimum, at least"),
        Measurement(best, i.best, what="optimum, at most"),
        Measurement(run.average, i.greedy / i.best * best, what="ratio"),
        Measurement(sum(run.rewards(SHORT)), early, what=f"greedy in {SHORT} rounds"),
    ]


@claim(
    "lsd-greedy-unbounded",
    "separation",
    title="Under monotone payoffs greedy is no constant share of the optimum",
    statement=r"""One arm with $p(1)=1$, $p(-1)=\varepsilon\in(0,\frac12]$, idling allowed: greedy
averages $\varepsilon$ and $g^*=\frac12$: the ratio is $2\varepsilon$. With exactly one play per
round, that arm beside one that always pays $\varepsilon/2$: $\varepsilon$ and
$g^*=\frac12(1+\frac\varepsilon2)$. The published instance, exactly one play, $f=.05$ beside
$f(1)=.06$, $f(d\ge2)=.95$: $.06$ and $.5$.""",
    family=Family(
        {"inverse": Integer(2, 1000), "kind": Choice("alone", "beside another")},
        lambda inverse, kind: _trap(Fraction(1, inverse), kind),
    ),
    named={
        "eps = 1/10": lambda: _trap(Fraction(1, 10), "alone"),
        "eps = 1/100": lambda: _trap(Fraction(1, 100), "alone"),
        "eps = 1/100, one play": lambda: _trap(Fraction(1, 100), "beside another"),
        "published": _published,
    },
    mutants=[
        Mutant("half", "greedy >= g*/2", check=partial(_unbounded, share=Fraction(1, 2))),
    ],
    bound=lambda eps: 2 * eps,
    proof="text",
)
def greedy_unbounded(instance: Instance) -> list[Measurement]:
    return _unbounded(instance)


# --- blk-greedy ---------------------------------------------------------------------------


def greedy_bound(delays: Sequence[int], rewards: Sequence[Fraction]) -> Fraction:
    """sum_i (r_i - r_{i+1}) (1 - prod_{j<=i} (1 - 1/d_j)), rewards decreasing."""
    steps = [r - s for r, s in pairwise([*rewards, Fraction(0)])]
    missed = accumulate((1 - Fraction(1, d) for d in delays), mul)
    return sum((x * (1 - miss) for x, miss in zip(steps, missed, strict=True)), Fraction(0))


def knapsack(delays: Sequence[int], rewards: Sequence[Fraction]) -> Fraction:
    """LP = sum_i (r_i - r_{i+1}) min(1, sum_{j<=i} 1/d_j), rewards decreasing."""
    steps = [r - s for r, s in pairwise([*rewards, Fraction(0)])]
    rates = accumulate(Fraction(1, d) for d in delays)
    return sum((x * min(Fraction(1), y) for x, y in zip(steps, rates, strict=True)), Fraction(0))


def _blocking(delays: Sequence[int], rewards: Sequence[int | str]) -> Instance:
    exact = [Fraction(r) for r in rewards]
    bandit = blocking(delays, exact)
    return Instance(**case(bandit), delays=list(delays), rewards=exact)


def _greedy(i: Instance, lowest: bool = False) -> list[Measurement]:
    bandit = bandit_of(i)
    rewards = _lowest_first(bandit, HORIZON) if lowest else greedy_rewards(bandit, HORIZON)
    earned = list(accumulate(rewards, initial=Fraction(0)))
    bound, lp = greedy_bound(i.delays, i.rewards), knapsack(i.delays, i.rewards)
    share = guarantee(bandit.n_arms)
    values = optimal_value(bandit, HORIZON, exact=True)
    R = max(1, *(d - 1 for d in i.delays))
    found = [Measurement(bound, share * lp, trivial=0, what="both bounds")]
    for T in range(HORIZON + 1):
        found.append(Measurement(earned[T], T * bound, trivial=0, what=f"T = {T}, sharp"))
        against = share * Fraction(T, T + R) * values[T]
        found.append(Measurement(T * share * lp, against, trivial=0, what=f"T = {T}, optimum"))
    return found


def _more(i: Instance, more: Fraction) -> list[Measurement]:
    """Greedy's rewards against a larger share of T LP, at the horizon alone."""
    earned = sum(greedy_rewards(bandit_of(i), i.T))
    share = guarantee(len(i.delays)) + more
    return [Measurement(earned, i.T * share * knapsack(i.delays, i.rewards), trivial=0)]


def _lowest_first(bandit: LSDBandit, T: int) -> list[Fraction]:
    """Rewards of the rule that plays the worst arm that pays."""
    states = [arm.top for arm in bandit.arms]
    out = []
    for _ in range(T):
        now = [arm.payoffs[s] for arm, s in zip(bandit.arms, states, strict=True)]
        paying = [i for i in range(bandit.n_arms) if now[i] > 0]
        played = min(paying, key=lambda i: now[i], default=None)
        out.append(Fraction(0) if played is None else now[played])
        states = [
            arm.play_next[s] if i == played else arm.rest_next[s]
            for i, (arm, s) in enumerate(zip(bandit.arms, states, strict=True))
        ]
    return out


@claim(
    "blk-greedy",
    "lower-bound",
    title="Greedy on blocking arms earns 1 - (1 - 1/N)^N of the relaxation at every horizon",
    statement=r"""Blocking arms with delays $d_i$ and rewards $r_1\ge\dots\ge r_N\ge r_{N+1}=0$, all
available at the start, one play per round, greedy with ties to the lowest index. For every
$T\ge0$, with $R=\max_i\max(1,d_i-1)$ and $c_N=1-(1-1/N)^N$,
$$\mathrm{Rew}_T\ge T\sum_i(r_i-r_{i+1})\Bigl(1-\prod_{j\le i}(1-1/d_j)\Bigr)\ge c_N\,T\,\mathrm{LP}
\ge c_N\frac T{T+R}V_T.$$
The first is an equality for one arm at every $T$ that its delay divides, the second for $N$ arms
of delay $N$ and equal rewards.""",
    source="this project; Basu, Sen, Sanghavi and Shakkottai, NeurIPS 2019 (asymptotic 1 - 1/e)",
    provenance=("paper", "derived"),
    family=rand_block(),
    named={
        "one arm": lambda: _blocking([2], [1]),
        "always available": lambda: _blocking([1], ["1/2"]),
        "N equal arms of delay N": lambda: _blocking([3, 3, 3], [1, 1, 1]),
        "(7,3,2)": lambda: _blocking([7, 3, 2], [1, 1, 1]),
        "a free arm last": lambda: _blocking([3, 1], [1, "1/8"]),
    },
    mutants=[
        Mutant(
            "lowest-first",
            "the lowest reward first",
            check=partial(_greedy, lowest=True),
            named={"d = (1,1), r = (1,1/10)": lambda: _blocking([1, 1], [1, "1/10"])},
        ),
        Mutant(
            "larger",
            "c_N + 1/20",
            check=partial(_more, more=Fraction(1, 20)),
            family=Family(
                {"T": Choice(420, 1260)},
                lambda T: Instance(**_blocking([7, 3, 2], [1, 1, 1]), T=T),
            ),
            named={"(7,3,2)": lambda: Instance(**_blocking([7, 3, 2], [1, 1, 1]), T=420)},
        ),
    ],
    bound=lambda delays, rewards, T=1: T * greedy_bound(delays, rewards),
    proof="text",
)
def greedy_on_blocking(instance: Instance) -> list[Measurement]:
    return _greedy(instance)


# --- blk-greedy-hard ----------------------------------------------------------------------

HARD: dict[tuple[int, ...], tuple[Fraction, Fraction]] = {
    (3, 2): (Fraction(2, 3), Fraction(3, 4)),
    (4, 3, 2): (Fraction(3, 4), Fraction(1)),
    (5, 4, 3, 2): (Fraction(4, 5), Fraction(1)),
    (7, 3, 2): (Fraction(5, 7), Fraction(7, 8)),
}
"""Delays in order of priority: greedy's average and g*, of unit rewards."""
LEAST = {
    "pairs": (2, 12, Fraction(8, 9), (3, 2)),
    "triples": (3, 7, Fraction(3, 4), (4, 3, 2)),
}
"""Number of arms, largest delay; the least ratio of greedy to g*, and where it is attained."""


def _ratio(delays: Sequence[int]) -> tuple[Fraction, Fraction]:
    bandit = blocking(delays)
    return greedy_average(bandit).average, optimal_gain(bandit, exact=True).gain


def _hard(i: Instance, ascending: bool = False) -> list[Measurement]:
    if "largest" in i:
        ratios = {}
        for delays in product(range(2, i.largest + 1), repeat=i.arms):
            ours, best = _ratio(sorted(delays) if ascending else delays)
            ratios[delays] = ours / best
        return [
            Measurement(min(ratios.values()), i.ratio, what="least ratio"),
            Measurement(ratios[tuple(i.delays)], i.ratio, what="where it is attained"),
        ]
    ours, best = _ratio(sorted(i.delays) if ascending else i.delays)
    found = [
        Measurement(ours, i.greedy, what="greedy"),
        Measurement(best, i.best, what="optimum"),
    ]
    if tuple(i.delays) == (7, 3, 2):
        unit = [Fraction(1)] * 3
        found.append(Measurement(knapsack(i.delays, unit), Fraction(41, 42), what="relaxation"))
    return found


def _listed(delays: tuple[int, ...]) -> Callable[[], Instance]:
    greedy, best = HARD[delays]
    return lambda: Instance(delays=list(delays), greedy=greedy, best=best)


def _least(name: str) -> Callable[[], Instance]:
    arms, largest, ratio, delays = LEAST[name]
    return lambda: Instance(arms=arms, largest=largest, ratio=ratio, delays=list(delays))


@claim(
    "blk-greedy-hard",
    "identity",
    title="Delays in the wrong order of priority: what greedy loses",
    statement=r"""Unit rewards, one play per round, ties to the arm named first. Greedy's average
and $g^*$: delays $(3,2)$: $\frac23$ and $\frac34$, ratio $\frac89$, the least over pairs of delays
in $2..12$; $(4,3,2)$: $\frac34$ and $1$, the least ratio over triples in $2..7$; $(5,4,3,2)$:
$\frac45$ and $1$; $(7,3,2)$: $\frac57$ and $\frac78$, with $\mathrm{LP}=\frac{41}{42}$.""",
    named={
        **{str(delays): _listed(delays) for delays in HARD},
        **{f"all {name}": _least(name) for name in LEAST},
    },
    mutants=[
        Mutant("ascending", "shortest delay first", check=partial(_hard, ascending=True)),
    ],
)
def greedy_hard(instance: Instance) -> list[Measurement]:
    return _hard(instance)


CLAIMS = (greedy_unbounded, greedy_on_blocking, greedy_hard)
