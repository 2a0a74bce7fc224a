r"""Claims about the arms' maps and the concave relaxation.

    play and rest are nondecreasing, rest >= play                                 lsd-order-maps
    hulls = block program = occupancy program = dual                              lsd-relax-equal
    g* <= LP, V_T <= (T + R) LP                                                   lsd-relax-upper
    a vertex has at most N + 1 positive rates, and splits one arm at most         lsd-vertex-support

Everything is in fractions but the answers of HiGHS. Proofs: docs/theory/lsd_relaxation.md.
"""

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from functools import partial
from itertools import pairwise

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Instance
from rltheory.lsd_bandits.arm_cycles import best_cycle, hull_of_cycles, slope
from rltheory.lsd_bandits.arms import LSDArm, OrderedArm
from rltheory.lsd_bandits.bandit import LSDBandit
from rltheory.lsd_bandits.block_hull import hull_of_blocks
from rltheory.lsd_bandits.families import (
    CORNERS,
    GOLDEN,
    bandit_of,
    named,
    rand_any,
    tight,
)
from rltheory.lsd_bandits.optimal import optimal_gain, optimal_value
from rltheory.lsd_bandits.relaxation import concave_relaxation, merged
from rltheory.lsd_bandits.relaxation_bracket import price_bound
from rltheory.lsd_bandits.relaxation_programs import (
    block_program,
    occupancy_program,
    price_program,
)

__all__ = ["CLAIMS"]

SOLVER = 1e-8
"""How far HiGHS may be from an exact value."""
HORIZONS = (1, 2, 5, 12)


def gradual() -> LSDBandit:
    """Two rests from the lowest state of the first arm, one from that of the second."""
    arms = [LSDArm([1], ["1/2", "1/4", 0], "gradual"), LSDArm(["1/4", 1], [0], "gradual")]
    return LSDBandit(arms)


def worn_out() -> LSDBandit:
    """One arm that takes three rests to recover, and pays 1 three times before it needs them."""
    return LSDBandit([LSDArm([1], [1, 1, "1/2"], "gradual")])


def any_maps() -> LSDBandit:
    """Arms of no order: one whose top state is left for ever, one that a rest leads in circles."""
    left = OrderedArm(play_next=[1, 0, 1], rest_next=[0, 0, 2], payoffs=["1/2", "1/8", 1])
    turning = OrderedArm(play_next=[0, 0, 1], rest_next=[2, 0, 1], payoffs=["3/4", "1/4", "1/2"])
    return LSDBandit([left, turning])


def constant_arm() -> LSDBandit:
    return LSDBandit([LSDArm([1], [1])])


# --- lsd-order-maps -----------------------------------------------------------------------

SIZES = [
    (r, m, recovery) for recovery in ("reset", "gradual") for r in range(1, 6) for m in range(1, 6)
]


def _sized(rests: int, plays: int, recovery: str) -> Callable[[], Instance]:
    return lambda: Instance(rests=rests, plays=plays, recovery=recovery)


def _order_maps(i: Instance, deeper: bool = False) -> list[Measurement]:
    arm = LSDArm([1] * i.rests, [1] * i.plays, i.recovery)
    states = range(arm.n_states)
    played = list(arm.play_next)
    if deeper:
        # The longer the rest, the lower a play leads.
        played = [
            arm.index(-min(i.plays, arm.label(s))) if arm.label(s) > 0 else played[s]
            for s in states
        ]
    rested = arm.rest_next
    return [
        Measurement(sum(x > y for x, y in pairwise(played)), 0, what="steps down of play"),
        Measurement(sum(x > y for x, y in pairwise(rested)), 0, what="steps down of rest"),
        Measurement(sum(rested[s] < played[s] for s in states), 0, what="states with rest < play"),
    ]


@claim(
    "lsd-order-maps",
    "identity",
    title="The maps of play and rest keep the order, and a rest leads at least as high as a play",
    statement=r"""On the states $-M<\dots<-1<1<\dots<R$, with recovery by reset
($-m\mapsto1$) or gradual ($-m\mapsto-m+1$, $-1\mapsto1$), both maps are nondecreasing and
$\mathrm{rest}(s)\ge\mathrm{play}(s)$ for every $s$. Checked for all $R,M\le5$.""",
    named={f"R = {r}, M = {m}, {how}": _sized(r, m, how) for r, m, how in SIZES},
    mutants=[
        Mutant(
            "deeper",
            "n -> -min(M, n): a longer rest leads to deeper fatigue",
            check=partial(_order_maps, deeper=True),
        )
    ],
    proof="text",
)
def order_maps(instance: Instance) -> list[Measurement]:
    return _order_maps(instance)


# --- lsd-relax-equal ----------------------------------------------------------------------


def _relax_equal(i: Instance, rests_alone: bool = False) -> list[Measurement]:
    bandit = bandit_of(i)
    relax = concave_relaxation(bandit, exact=True)
    charges = {Fraction(0)} | {
        slope(a, b) for arm in bandit.arms for a, b in pairwise(hull_of_cycles(arm))
    }
    duals = [
        price_bound(bandit, charge, tuple(best_cycle(arm, charge) for arm in bandit.arms))
        for charge in charges
    ]
    proof = relax.check()
    found = [
        Measurement(proof.lower, relax.value, what="what the rates earn"),
        Measurement(min(duals), relax.value, what="least dual, cycles by Karp"),
        Measurement(proof.upper, relax.value, what="dual at the multiplier"),
        Measurement(
            occupancy_program(bandit), relax.value, tolerance=SOLVER, what="occupancy program"
        ),
    ]
    if all(isinstance(arm, LSDArm) and arm.recovery == "reset" for arm in bandit.arms):
        blocks, prices = block_program(bandit, rests_alone), price_program(bandit)
        found += [
            Measurement(blocks.value, relax.value, tolerance=SOLVER, what="block program"),
            Measurement(prices[0], relax.value, tolerance=SOLVER, what="program over prices"),
        ]
    return found


NAMED = named(dict(GOLDEN) | dict(CORNERS))


@claim(
    "lsd-relax-equal",
    "identity",
    title="Four forms of the relaxation have one value",
    statement=r"""Any payoffs, $1\le k\le N$. With $W_i(n,m)=p_i(n)+\sum_{j<m}p_i(-j)$, equal are
$$\mathrm{LP}_k=\max\Bigl\{\sum_i\Bigl[\sum_{n,m}W_ix_i(n,m)+p_i(-M_i)z_i\Bigr]:
x,z\ge0,\ \sum_{n,m}(n+m)x_i(n,m)+z_i\le1\ \forall i,\quad
\sum_i\Bigl[\sum_{n,m}m\,x_i(n,m)+z_i\Bigr]\le k\Bigr\},$$
the same over occupancies $y_i(s,a)$ of the arms' states, $\max\{\sum_i\phi_i(q_i):\sum_iq_i\le k\}$
with $\phi_i$ the concave hull of the points $(m/L,W/L)$ of the arm's cycles and $(0,0)$, and
$$\min_{\lambda\ge0}\ k\lambda+\sum_i\max\Bigl\{0,\ p_i(-M_i)-\lambda,\
\max_{n,m}\frac{W_i(n,m)-\lambda m}{n+m}\Bigr\}.$$
For arms with other maps (gradual recovery, ordered arms) all but the first form, with all simple
cycles in place of blocks.""",
    family=rand_any(plays=(1, 2), recovery=("reset", "reset", "gradual")),
    named=NAMED | named({"gradual recovery": gradual, "worn out": worn_out, "any maps": any_maps}),
    mutants=[
        Mutant(
            "rests-alone",
            "a block takes n rounds, not n + m",
            check=partial(_relax_equal, rests_alone=True),
        )
    ],
    proof="text",
)
def relax_equal(instance: Instance) -> list[Measurement]:
    return _relax_equal(instance)


# --- lsd-relax-upper ----------------------------------------------------------------------


def without_endless(bandit: LSDBandit) -> Fraction:
    """The value of the relaxation without plays that never end: a wrong bound."""
    hulls = [
        hull_of_blocks(
            arm,
            range(1, len(arm.rest_payoffs) + 1),
            range(1, len(arm.play_payoffs) + 1),
            endless=False,
        )
        for arm in bandit.arms
        if isinstance(arm, LSDArm)
    ]
    return Fraction(merged(bandit, hulls).value)


def _relax_upper(
    i: Instance, blocks_alone: bool = False, rests_alone: bool = False
) -> list[Measurement]:
    bandit = bandit_of(i)
    value = Fraction(concave_relaxation(bandit, exact=True).value)
    if blocks_alone:
        value = without_endless(bandit)
    recovery = bandit.recovery_time
    if rests_alone:
        recovery = max(len(arm.rest_payoffs) for arm in bandit.arms if isinstance(arm, LSDArm))
    assert recovery is not None
    gain = optimal_gain(bandit, exact=True).gain
    values = optimal_value(bandit, max(HORIZONS), exact=True)
    found = [Measurement(gain, value, what="g*")]
    for T in HORIZONS:
        bound = relaxation_bound(value, T, recovery)
        found.append(Measurement(values[T], bound, trivial=T * bandit.plays, what=f"V_{T}"))
    return found


def relaxation_bound(value: Fraction, T: int, recovery: int) -> Fraction:
    """(T + R) LP: no schedule earns more in T rounds from the rested state."""
    return (T + recovery) * value


@claim(
    "lsd-relax-upper",
    "inequality",
    title="No schedule earns more than the relaxation",
    statement=r"""Any payoffs, rested start: $g^*\le\mathrm{LP}_k$, and
$V_T\le(T+R)\mathrm{LP}_k$ for every $T\ge0$, where $R$ rests lead from every state to the rested
one: $R=\max_iR_i$ by reset, $\max_i(R_i+M_i-1)$ if recovery is gradual. Attained by every single
arm: $g^*=\mathrm{LP}$.""",
    family=rand_any(recovery=("reset", "reset", "gradual")),
    named=NAMED
    | named({"gradual recovery": gradual, "worn out": worn_out, "a constant arm": constant_arm}),
    mutants=[
        Mutant(
            "blocks-alone",
            "no plays that never end",
            check=partial(_relax_upper, blocks_alone=True),
            named=named({"a constant arm": constant_arm}),
        ),
        Mutant(
            "rests-alone",
            "R = max R_i although recovery is gradual",
            check=partial(_relax_upper, rests_alone=True),
            named=named({"worn out": worn_out}),
        ),
    ],
    bound=relaxation_bound,
    proof="text",
)
def relax_upper(instance: Instance) -> list[Measurement]:
    return _relax_upper(instance)


# --- lsd-vertex-support -------------------------------------------------------------------

NOTHING = 1e-11


def support(rates: Iterable[Mapping[tuple[int, int], float | Fraction]]) -> tuple[int, int]:
    """Positive rates; and, of arms that have any, types beyond the first and slack time rows."""
    positive = split = 0
    for of_arm in rates:
        kept = {kind: x for kind, x in of_arm.items() if x > NOTHING}
        if kept:
            time = sum((n + m) * x for (n, m), x in kept.items())
            positive += len(kept)
            split += len(kept) - 1 + (time < 1 - 100 * NOTHING)
    return positive, split


def _rates_of_program(bandit: LSDBandit) -> list[dict[tuple[int, int], float]]:
    program = block_program(bandit)
    rates: list[dict[tuple[int, int], float]] = [{} for _ in bandit.arms]
    for (i, n, m), x in zip(program.columns, program.rates, strict=True):
        rates[i][n, m] = x
    return rates


def _counted(what: str, n_arms: int, positive: int, split: int) -> list[Measurement]:
    return [
        Measurement(positive, n_arms + 1, what=f"positive rates, {what}"),
        Measurement(split, 1, what=f"types beyond the first and slack rows, {what}"),
    ]


def _vertex_support(i: Instance) -> list[Measurement]:
    bandit = bandit_of(i)
    relax = concave_relaxation(bandit, exact=True)
    hulls = [
        {
            (plan.period - plan.n_plays, plan.n_plays): rate
            for plan, rate in zip(plans, rates, strict=True)
        }
        for plans, rates in zip(relax.plans, relax.rates, strict=True)
    ]
    return [
        *_counted("hulls", bandit.n_arms, *support(hulls)),
        *_counted("HiGHS", bandit.n_arms, *support(_rates_of_program(bandit))),
    ]


def three_halves() -> LSDBandit:
    """Three arms that always pay 1/2."""
    return LSDBandit([LSDArm(["1/2"] * 2, ["1/2"] * 2)] * 3)


def _all_positive(i: Instance) -> list[Measurement]:
    """The solution of `three_halves` with all its 15 rates equal to 1/21."""
    bandit = bandit_of(i)
    kinds = [(n, m) for n in (1, 2) for m in (1, 2)] + [(0, 1)]
    rates = [dict.fromkeys(kinds, Fraction(1, 21)) for _ in bandit.arms]
    plays = sum(m * x for of_arm in rates for (_, m), x in of_arm.items())
    assert plays == 1 and plays / 2 == concave_relaxation(bandit, exact=True).value
    return _counted("all equal", bandit.n_arms, *support(rates))


@claim(
    "lsd-vertex-support",
    "inequality",
    title="A basic solution of the relaxation mixes plans at one arm at most",
    statement=r"""A basic optimal solution of the program over rates of blocks has at most $N+1$
positive variables. Over the arms that have any, the sum of (types of positive rate $-1$) and of
$1$ where the arm's time row is slack is at most 1: all of these arms but at most one follow a
single type with probability 1.""",
    family=rand_any(),
    named=NAMED | named({"three halves": three_halves, "tight, N = 4": lambda: tight(4)}),
    mutants=[
        Mutant(
            "not-basic",
            "any optimal solution: three arms of 1/2, all 15 rates 1/21",
            check=_all_positive,
            named=named({"three halves": three_halves}),
        )
    ],
    proof="text",
)
def vertex_support(instance: Instance) -> list[Measurement]:
    return _vertex_support(instance)


CLAIMS = (order_maps, relax_equal, relax_upper, vertex_support)
