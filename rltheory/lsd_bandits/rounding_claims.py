r"""What else is known of schedules: without chance, without monotone payoffs, by real payoffs.

    scores of derandomised schedules rise from A(x) to less than they earn   lsd-derandomise
    whole blocks keep 1/4 of the value, 1/8 under any payoffs                lsd-block-commit
    without monotone payoffs interleaving may keep less than it guarantees   lsd-monotone-needed
    ranking by real payoffs can lose to ranking by virtual ones              lsd-real-rule

All in fractions, by enumeration. Proofs: docs/theory/lsd_rounding.md; all are this project's.
"""

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from itertools import pairwise
from typing import Any

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice
from rltheory.lsd_bandits.arms import LSDArm
from rltheory.lsd_bandits.averages import Average
from rltheory.lsd_bandits.bandit import LSDBandit
from rltheory.lsd_bandits.block_commit import block_commit_average, block_commit_certificate
from rltheory.lsd_bandits.derandomize import derandomized_schedule
from rltheory.lsd_bandits.expected_average import expected_average
from rltheory.lsd_bandits.families import (
    CORNERS,
    GOLDEN,
    bandit_of,
    case,
    named,
    rand_any,
    rand_mono,
    rand_rested,
    tight,
)
from rltheory.lsd_bandits.optimal import optimal_gain
from rltheory.lsd_bandits.plans import Relaxation
from rltheory.lsd_bandits.relaxation import concave_relaxation
from rltheory.lsd_bandits.rounding_instances import (
    momentum,
    offsets_zero,
    solution_of,
    with_rates,
)
from rltheory.lsd_bandits.schedule import Schedule
from rltheory.lsd_bandits.virtual_value import guarantee, virtual_value

__all__ = ["CLAIMS"]


# --- lsd-derandomise ----------------------------------------------------------------------


def _derandomise(i: Instance, first: bool = False) -> list[Measurement]:
    relax = solution_of(i)
    floor = guarantee(relax.bandit.n_arms) * relax.value
    start = virtual_value(relax)
    if first:
        average = Schedule(relax.bandit, *offsets_zero(relax)).average().value
        return [Measurement(average, start, trivial=0, what="offsets 0, A(x)")]
    schedule = derandomized_schedule(relax)
    average, scores = schedule.average().value, schedule.scores
    assert isinstance(average, Fraction)
    found = [
        Measurement(score, before, trivial=0, what=f"score {a + 1}, score {a}")
        for a, (before, score) in enumerate(pairwise(scores))
    ]
    return [
        *found,
        Measurement(scores[0], start, trivial=0, what="first score, A(x)"),
        Measurement(start, scores[0], trivial=0, what="A(x), first score"),
        Measurement(average, scores[-1], trivial=0, what="average, last score"),
        Measurement(average, floor, trivial=0, what="average, c LP"),
    ]


def _worst_seen() -> Instance:
    """7/9 of the optimum, the least that is known."""
    bandit = LSDBandit([LSDArm(["3/4", 1], ["1/2", 0]), LSDArm(["3/4"], ["1/4"])])
    return with_rates(bandit, [[(2, 1, "1/6"), (1, 2, "1/6")], [(1, 1, "1/2")]])


@claim(
    "lsd-derandomise",
    "lower-bound",
    title="Plans and offsets chosen one by one lose nothing in expectation",
    statement=r"""Payoffs nondecreasing over the states, $k=1$, arms rested at the start. The scores
of the derandomised schedule start at $A(x)$ and never fall, and its long-run average is at least
the last of them: $\bar r\ge s_N\ge\dots\ge s_0=A(x)\ge c_N\,\mathrm{LP}$.""",
    family=rand_mono(plays=(1,)),
    named={
        **named({name: make for name, make in CORNERS.items() if make().plays == 1}),
        **named(GOLDEN),
        **named({f"tight, N = {n}": partial(tight, n) for n in range(2, 6)}),
        "seven ninths": _worst_seen,
    },
    mutants=[
        Mutant(
            "first",
            "the first plan of each arm, offset 0",
            check=partial(_derandomise, first=True),
            named=named({"tight": lambda: tight(2)}),
        )
    ],
    bound=guarantee,
    proof="text",
)
def derandomise(instance: Instance) -> list[Measurement]:
    return _derandomise(instance)


# --- lsd-block-commit ---------------------------------------------------------------------


def _capped(arms: Family, mode: str) -> Family:
    space = {**arms.space, "cap": Choice(1, 2, 3, 4)}

    def build(cap: int, **parameters: Any) -> Instance:
        return Instance(**arms.build(**parameters), cap=cap, mode=mode)

    return Family(space, build)


def _two_modes() -> Family:
    """Every second instance nondecreasing in rests."""
    rested = _capped(rand_rested(plays=(1,), arms=(1, 2, 2, 3)), "rested")
    free = _capped(rand_any(plays=(1,), arms=(1, 2, 2, 3)), "any")

    def build(mode: str, **parameters: Any) -> Instance:
        built: Instance = (rested if mode == "rested" else free).build(**parameters)
        return built

    return Family({**free.space, "mode": Choice("rested", "any")}, build)


def _block_commit(
    i: Instance,
    fourth: bool = False,
    average_of: Callable[[Relaxation, Fraction], Average] = block_commit_average,
) -> list[Measurement]:
    bandit, rested = bandit_of(i), i.mode == "rested"
    capped = concave_relaxation(bandit, exact=True, cap=i.cap)
    if "rates" in i:
        capped = solution_of(i)
    alpha = Fraction(1, 2) if rested else Fraction(1, 4)
    average = average_of(capped, alpha).value
    certificate = block_commit_certificate(capped, alpha, i.mode)
    share = Fraction(1, 4) if rested or fourth else Fraction(1, 8)
    found = [
        Measurement(average, share * capped.value, trivial=0, what="average, share of LP^cap"),
    ]
    if fourth:
        return found
    found += [
        Measurement(average, certificate, trivial=0, what="average, certificate"),
        Measurement(certificate, share * capped.value, trivial=0, what="certificate, share"),
    ]
    if "rates" not in i:
        longest = max(len(row) for row in i.play_payoffs)
        kept = 1 - Fraction(longest + 1, i.cap + 1)
        value = concave_relaxation(bandit, exact=True).value
        found.append(Measurement(capped.value, kept * value, trivial=0, what="LP^cap, share of LP"))
    return found


def _with(bandit: LSDBandit, cap: int, mode: str) -> Callable[[], Instance]:
    return lambda: Instance(**case(bandit), cap=cap, mode=mode)


_FIFTH = _with(
    LSDBandit([LSDArm([0, "1/4"], ["1/4", "1/4"]), LSDArm([1, 0, 0], ["1/4"])]), 2, "any"
)
_SEVEN_TWENTIETHS = _with(
    LSDBandit([LSDArm([0], [0, "1/4"]), LSDArm([0, "1/2", 1], [0, 0])]), 3, "rested"
)


def _momentum_blocks(length: int) -> Callable[[], Instance]:
    return lambda: Instance(**momentum(length), cap=length, mode="rested")


@claim(
    "lsd-block-commit",
    "lower-bound",
    title="Blocks played to their end keep a share without monotone payoffs",
    statement=r"""$k=1$, arms that reset, $x$ of value $\mathrm{LP}^{cap}$ over types $(n,m)$,
$m\le m_{max}$; block-commit with $\alpha$; $\mu_i=\sum m\,x_i(n,m)$. The expected long-run average
is at least
$$\sum_i\alpha\prod_{j\ne i}(1-\alpha\mu_j)\sum x_iW_i\ge\tfrac14\mathrm{LP}^{cap}
\quad(\alpha=\tfrac12)$$
if payoffs are nondecreasing in rests, and for any payoffs at least
$$\sum_i\alpha\Bigl[\prod_{j\ne i}(1-\alpha\mu_j)\sum x_i(W_i-p_i(n))+
\bigl(1-2\alpha\textstyle\sum_{j\ne i}\mu_j\bigr)^+\sum x_ip_i(n)\Bigr]\ge\tfrac18\mathrm{LP}^{cap}
\quad(\alpha=\tfrac14).$$
$\mathrm{LP}^{cap}\ge\bigl(1-\frac{M+1}{m_{max}+1}\bigr)\mathrm{LP}$ for the optimal $x$.""",
    family=_two_modes(),
    named={
        "a fifth": _FIFTH,
        "seven twentieths": _SEVEN_TWENTIETHS,
        "momentum, L = 8": _momentum_blocks(8),
        "one arm": _with(LSDBandit([LSDArm(["1/2", 1], ["1/4", 0])]), 2, "rested"),
        "no payoff at all": _with(LSDBandit([LSDArm([0], [0])] * 2), 1, "any"),
        "always best, cap 8": _with(LSDBandit([LSDArm([0], ["1/2", 1])]), 8, "rested"),
    },
    mutants=[
        Mutant(
            "fourth",
            "a quarter for any payoffs at alpha = 1/4",
            check=partial(_block_commit, fourth=True),
            named={"a fifth": _FIFTH},
        ),
        Mutant(
            "interleaved",
            "an interleaved schedule in place of blocks",
            check=partial(_block_commit, average_of=lambda x, alpha: expected_average(x)),
            named={"momentum, L = 8": _momentum_blocks(8)},
        ),
    ],
    proof="text",
)
def block_commit(instance: Instance) -> list[Measurement]:
    return _block_commit(instance)


# --- lsd-monotone-needed ------------------------------------------------------------------

_BELOW_ONE_MINUS_INVERSE_E = Fraction(632, 1000)


def _monotone_needed(i: Instance) -> list[Measurement]:
    relax = solution_of(i)
    bandit = relax.bandit
    ratio = expected_average(relax).value / relax.value
    found = [
        Measurement(ratio, _BELOW_ONE_MINUS_INVERSE_E, what="ratio, below 1 - 1/e"),
        Measurement(ratio, guarantee(2), what="ratio, c_2"),
    ]
    if "length" in i:
        formula = Fraction(1, 4) + Fraction(3, 4 * i.length)
        found += _equal(ratio, formula, "ratio, 1/4 + 3/(4L)")
        found += _equal(relax.value, Fraction(1, i.length), "LP, 1/L")
        best = concave_relaxation(bandit, exact=True).value
        found += _equal(best, relax.value, "optimal value, LP")
        found += _equal(optimal_gain(bandit, exact=True).gain, relax.value, "g*, LP")
    return found


def _equal(x: Any, y: Any, what: str) -> list[Measurement]:
    return [Measurement(x, y, what=what), Measurement(y, x, what=f"{what}, reversed")]


def _of_length(length: int) -> Callable[[], Instance]:
    return lambda: Instance(**momentum(length), length=length)


@claim(
    "lsd-monotone-needed",
    "counterexample",
    title="Without monotone payoffs interleaved schedules fall below their guarantee",
    statement=r"""Two arms with $p(n)=0$ for $n>0$, $p(-m)=1\{m=L-1\}$, $R=M=L$, $k=1$, ties to
the lowest index: $\mathrm{LP}=g^*=1/L$, attained by $x_i(L,L)=1/(2L)$, of which interleaved
schedules ranked by virtual payoffs keep the share $\frac14+\frac3{4L}$ on average: $\frac58$ at
$L=2$, below $1-1/e$ and $c_2=\frac34$, and no more than a quarter as $L$ grows.""",
    named={f"L = {length}": _of_length(length) for length in range(2, 9)},
    mutants=[
        Mutant(
            "sorted",
            "the same payoffs, sorted",
            named=named({"L = 2": lambda: LSDBandit([LSDArm([0, 1], [0, 0])] * 2)}),
        )
    ],
    proof="text",
)
def monotone_needed(instance: Instance) -> list[Measurement]:
    return _monotone_needed(instance)


# --- lsd-real-rule ------------------------------------------------------------------------


def _golden_four() -> Instance:
    return with_rates(GOLDEN["I4"](), [[(1, 2, "1/6"), (2, 1, "1/6")], [(1, 1, "1/2")]])


def _real_rule(i: Instance) -> list[Measurement]:
    relax = solution_of(i)
    virtual, real = (expected_average(relax, rule).value for rule in ("virtual", "real"))
    gain = optimal_gain(relax.bandit, exact=True).gain
    return [
        Measurement(real, virtual - Fraction(1, 18), what="real, virtual - 1/18"),
        *_equal(virtual, Fraction(13, 18), "virtual"),
        *_equal(real, Fraction(2, 3), "real"),
        *_equal(virtual_value(relax), Fraction(2, 3), "A(x)"),
        *_equal(relax.value, Fraction(5, 6), "LP"),
        *_equal(gain, Fraction(5, 6), "g*"),
    ]


def _real_never_loses(i: Instance) -> Measurement:
    relax = solution_of(i)
    virtual, real = (expected_average(relax, rule).value for rule in ("virtual", "real"))
    return Measurement(virtual, real, what="virtual, real")


@claim(
    "lsd-real-rule",
    "counterexample",
    title="Ranking by real payoffs can earn less than ranking by virtual ones",
    statement=r"""Arm A: $p(-2)=0$, $p(-1)=\frac13$, $p(1)=\frac23$, $p(2)=1$; arm B: $p(-2)=0$,
$p(-1)=\frac13$, $p(1)=1$; $k=1$, $x_A(1,2)=x_A(2,1)=\frac16$, $x_B(1,1)=\frac12$, ties to the
lowest index: $\mathrm{LP}=g^*=\frac56$, $A(x)=\frac23$, and interleaved schedules earn
$\frac{13}{18}$ on average when ranked by virtual payoffs, $\frac23$ when ranked by real ones.""",
    named={"I4": _golden_four},
    mutants=[Mutant("never", "real ranking never loses to virtual", check=_real_never_loses)],
    proof="text",
)
def real_rule(instance: Instance) -> list[Measurement]:
    return _real_rule(instance)


CLAIMS = (derandomise, block_commit, monotone_needed, real_rule)
