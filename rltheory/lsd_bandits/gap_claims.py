r"""How far g* may be below its relaxation, and how far any choice of offsets is below g*.

    g* >= 4/5 LP at bounded sizes, for all payoffs; attained        lsd-gap-four-fifths
    g* >= 4/5 LP for two recharging arms of any size; attained      lsd-gap-recharging
    g*/LP <= 1 / (1 + rho (1 - V_n/n)) with N-1 blocking arms       lsd-gap-composed
    A5 <= (c_N + small) g* for every choice of its offsets          lsd-offsets-tight

k = 1 and payoffs are monotone throughout. Proofs: docs/theory/lsd_gap.md.
"""

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from itertools import product

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice, Integer, Many
from rltheory.lsd_bandits.arms import LSDArm
from rltheory.lsd_bandits.bandit import LSDBandit
from rltheory.lsd_bandits.families import bandit_of, named, rand_mono
from rltheory.lsd_bandits.gap_instances import composed_bandit, nested_bandit
from rltheory.lsd_bandits.integrality_gap import gap_vertices, worst_gap
from rltheory.lsd_bandits.optimal import optimal_gain, optimal_value
from rltheory.lsd_bandits.relaxation import concave_relaxation
from rltheory.lsd_bandits.schedule import Schedule
from rltheory.lsd_bandits.two_recharging_arms import recharging_mixture
from rltheory.lsd_bandits.virtual_value import guarantee

__all__ = ["CLAIMS"]

_FOUR_FIFTHS = Fraction(4, 5)


def _gain(bandit: LSDBandit) -> Fraction:
    return Fraction(optimal_gain(bandit, exact=True).gain)


def _relaxed(bandit: LSDBandit) -> Fraction:
    return Fraction(concave_relaxation(bandit, exact=True).value)


# --- lsd-gap-four-fifths ------------------------------------------------------------------


def _gap(i: Instance, least: Fraction = _FOUR_FIFTHS) -> list[Measurement]:
    """An instance is a bandit, or sizes that stand for all payoffs."""
    if "n_arms" not in i:
        bandit = bandit_of(i)
        return [Measurement(_gain(bandit), least * _relaxed(bandit), what="g*")]
    worst = worst_gap(i.n_arms, i.rests, i.plays)
    proved = min(mix.ratio(vertex) for vertex, mix in worst.certificates)
    ratio = _gain(worst.bandit) / _relaxed(worst.bandit)
    return [
        Measurement(proved, least, what="g*/LP, proved for all payoffs"),
        Measurement(-ratio, -least, what="minus g*/LP where it is least"),
    ]


def _sizes(n_arms: int, rests: int, plays: int) -> Callable[[], Instance]:
    return lambda: Instance(n_arms=n_arms, rests=rests, plays=plays)


@claim(
    "lsd-gap-four-fifths",
    "lower-bound",
    title="The relaxation is within 4/5 of the optimum at small sizes",
    statement=r"""$k=1$, all payoffs that are nondecreasing over $-M_i,\dots,-1,1,\dots,R_i$, with
$R_i\le R$ and $M_i\le M$. For $N=2$ and $(R,M)\in\{(40,1),(12,4),(8,8)\}$, for $N=3$ and
$(R,M)\in\{(8,1),(6,2),(4,3)\}$, and for $N=4$ and $(R,M)\in\{(6,1),(3,2)\}$,
$$g^*\ge\tfrac45\,\mathrm{LP},$$
and equality is attained at each of them: $p(-1)=0$, $p(1)=\frac12$ beside $p(-1)=p(1)=\frac12$,
$p(2)=1$ has $\mathrm{LP}=\frac58$ and $g^*=\frac12$. For $N=3$, $(R,M)=(12,1)$ the least ratio is
$\frac{27}{34}<\frac45$.""",
    family=rand_mono(plays=(1,), arms=(2, 2, 3)),
    named={
        **named({f"attained, j = {j}": partial(composed_bandit, [2], 2 * j) for j in (1, 2, 5)}),
        "all of N = 2, R = 4, M = 1": _sizes(2, 4, 1),
        "all of N = 2, R = 2, M = 2": _sizes(2, 2, 2),
        "all of N = 2, R = 3, M = 2": _sizes(2, 3, 2),
        "all of N = 3, R = 3, M = 1": _sizes(3, 3, 1),
        "all of N = 3, R = 2, M = 2": _sizes(3, 2, 2),
    },
    mutants=[
        Mutant("five-sixths", "5/6 LP", check=partial(_gap, least=Fraction(5, 6))),
        Mutant(
            "any-size",
            "4/5 LP for three arms of any size",
            named=named({"delays 3 and 4": partial(composed_bandit, [3, 4], 9)}),
        ),
    ],
    proof="text",
)
def gap(instance: Instance) -> list[Measurement]:
    return _gap(instance)


# --- lsd-gap-recharging -------------------------------------------------------------------


def _recharging(i: Instance, least: Fraction = _FOUR_FIFTHS) -> list[Measurement]:
    """An instance is a bandit, or the largest R, which stands for all payoffs."""
    if "most_rests" not in i:
        return _gap(i, least)
    vertices = gap_vertices(2, i.most_rests, 1, all_used=True)
    proved = min(recharging_mixture(vertex).ratio(vertex) for vertex in vertices)
    return [Measurement(proved, least, what="g*/LP, proved for all payoffs")]


@claim(
    "lsd-gap-recharging",
    "lower-bound",
    title="Two recharging arms are within 4/5 of the relaxation",
    statement=r"""$k=1$, $N=2$, $M_1=M_2=1$, any $R_1,R_2$, payoffs nondecreasing over
$-1,1,\dots,R_i$:
$$g^*\ge\tfrac45\,\mathrm{LP},$$
with equality for every $j\ge1$ at $p(-1)=0$, $p(1)=1$ beside $p(-1)=1$,
$p(n)=1+\lfloor n/2\rfloor$ for $n\le2j$ (payoffs over the largest).""",
    family=rand_mono(plays=(1,), arms=(2,), most_rests=8, most_plays=1),
    named={
        **named({f"attained, j = {j}": partial(composed_bandit, [2], 2 * j) for j in (1, 2, 5)}),
        "all payoffs with R = 16": lambda: Instance(most_rests=16),
    },
    mutants=[
        Mutant("five-sixths", "5/6 LP", check=partial(_recharging, least=Fraction(5, 6))),
        Mutant(
            "three-arms",
            "4/5 LP for three recharging arms",
            named=named({"delays 3 and 4": partial(composed_bandit, [3, 4], 9)}),
        ),
    ],
    proof="text",
)
def recharging(instance: Instance) -> list[Measurement]:
    return _recharging(instance)


# --- lsd-gap-composed ---------------------------------------------------------------------


def _composed(i: Instance, limit: bool = False, early: bool = False) -> list[Measurement]:
    blocking = LSDBandit([LSDArm.blocking(d) for d in i.delays])
    density = sum((Fraction(1, d) for d in i.delays), Fraction(0))
    filled = optimal_value(blocking, i.rests, exact=True)[-1] / Fraction(i.rests)
    if limit:
        filled = _gain(blocking)
    bandit = composed_bandit(i.delays, i.rests)
    unit = bandit.arms[-1].payoffs[0]
    gain = _gain(bandit)
    return [
        Measurement(gain, unit, what="g*"),
        Measurement(
            gain / _relaxed(bandit),
            1 / (1 + density * (1 - filled)),
            event=early or i.rests * (1 - density) >= density,
            what="g*/LP",
        ),
    ]


def _overpaid(i: Instance) -> Measurement:
    """g* where the last arm is paid for what a long rest leaves idle, however short its rest is."""
    share = _gain(LSDBandit([LSDArm.blocking(d) for d in i.delays]))
    paid = [1 + n * (1 - share) for n in range(1, i.rests + 1)]
    unit = 1 / Fraction(paid[-1])
    arms = [LSDArm.blocking(d, unit) for d in i.delays]
    bandit = LSDBandit([*arms, LSDArm([unit * p for p in paid], [unit])])
    return Measurement(_gain(bandit), unit, what="g*")


def _blocks(delays: list[int], rests: int) -> Instance:
    while sum(Fraction(1, d) for d in delays) >= 1:
        delays = delays[:-1]
    return Instance(delays=delays, rests=rests)


@claim(
    "lsd-gap-composed",
    "inequality",
    title="Blocking arms and one that is paid for what they leave idle",
    statement=r"""$k=1$. Unit blocking arms with delays $d_1,\dots,d_{N-1}$,
$\rho=\sum1/d_i<1$, $n$-round optimum $V_n$ and $g_D=\lim V_n/n$. Beside them an arm with
$p(-1)=1$ and $p(m)=1+m-V_m$ for $m\le n$ (payoffs over the largest) makes $g^*=1$ and,
for $n\ge\rho/(1-\rho)$,
$$\frac{g^*}{\mathrm{LP}}\le\frac1{1+\rho(1-V_n/n)}\xrightarrow[n\to\infty]{}
\frac1{1+\rho(1-g_D)}.$$
So the infimum of $g^*/\mathrm{LP}$ is at most $\frac{15}{19}$ for every $N\ge3$ (delays 3 and 5,
$g_D=\frac12$), and $\frac{27}{34}$ is attained at $n=9$ (delays 3 and 4).""",
    family=Family(
        {"delays": Many(Integer(2, 6), 2), "rests": Integer(1, 12)},
        _blocks,
    ),
    named={
        "delay 2": lambda: Instance(delays=[2], rests=2),
        "delays 3 and 4": lambda: Instance(delays=[3, 4], rests=9),
        "delays 3 and 5": lambda: Instance(delays=[3, 5], rests=30),
        "delays 4, 5 and 9": lambda: Instance(delays=[4, 5, 9], rests=6),
    },
    mutants=[
        Mutant("limit", "g_D for V_n/n at finite n", check=partial(_composed, limit=True)),
        Mutant(
            "early",
            "every n, where the last arm may lack the rounds for its rests",
            check=partial(_composed, early=True),
            named={"delays 2 and 3": lambda: Instance(delays=[2, 3], rests=4)},
        ),
        Mutant(
            "all-dense",
            "the last arm pays 1 + m - g_D m",
            check=_overpaid,
        ),
    ],
    proof="text",
)
def composed(instance: Instance) -> list[Measurement]:
    return _composed(instance)


# --- lsd-offsets-tight --------------------------------------------------------------------


def _best_offsets(bandit: LSDBandit, bound: Fraction) -> list[Measurement]:
    """The largest average over all offsets, the last one 0: shifts of time change none."""
    relax = concave_relaxation(bandit, exact=True)
    plans = [own[0] for own in relax.plans]
    mixed = sum(len(own) - 1 for own in relax.plans)
    choices = product(*(range(plan.period) for plan in plans[:-1]), (0,))
    best = max(
        Fraction(Schedule(bandit, tuple(plans), offsets).average().value) for offsets in choices
    )
    return [
        Measurement(mixed, 0, what="arms that mix plans"),
        Measurement(best, bound * _gain(bandit), what="the best offsets"),
    ]


def _nested(i: Instance, equal: bool = False) -> list[Measurement]:
    base = 1 - Fraction(i.step) * (i.n_arms - 1) * i.n_arms ** (i.n_arms - 1)
    bandit = nested_bandit(i.n_arms, i.step)
    if equal:
        bandit = LSDBandit([LSDArm.blocking(i.n_arms)] * i.n_arms)
    return _best_offsets(bandit, guarantee(i.n_arms) / base)


@claim(
    "lsd-offsets-tight",
    "inequality",
    title="No choice of offsets beats independent ones in the worst case",
    statement=r"""$k=1$, $N\ge2$, $\delta>0$. Arm $i=0,\dots,N-1$ with $M_i=N^i$,
$R_i=(N-1)N^i$, $p_i(R_i)=b+\delta R_i$, $p_i(-M_i)=0$, and $p_i=b$ in every state between, where
$b=1-\delta(N-1)N^{N-1}>0$. The solution of the relaxation is unique, every arm has the one type
$(R_i,M_i)$, and for **every** choice of offsets
$$\text{average of A5}\le\frac{c_N}b\,g^*,\qquad c_N=1-(1-1/N)^N.$$
So neither derandomised offsets (A8) nor any joint law of offsets has a ratio above $c_N$ for all
instances.""",
    family=Family(
        {"n_arms": Choice(2, 2, 2, 3), "step": Choice("1/40", "1/100", "1/1000", "1/100000")},
        Instance,
    ),
    named={
        "two arms": lambda: Instance(n_arms=2, step="1/1000000"),
        "three arms": lambda: Instance(n_arms=3, step="1/1000000"),
    },
    mutants=[
        Mutant(
            "equal-arms",
            "N equal arms that block for N rounds",
            check=partial(_nested, equal=True),
        ),
    ],
    proof="text",
)
def nested(instance: Instance) -> list[Measurement]:
    return _nested(instance)


CLAIMS = (gap, recharging, composed, nested)
