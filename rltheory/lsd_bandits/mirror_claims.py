r"""Mirroring and interleaved schedules: dominance, the main guarantee, its tightness.

x is a solution of the relaxation of value LP, A(x) the expected sum of the k largest virtual
payoffs of one round, c = c_{N,k} = E[min(k, Bin(N, k/N))]/k.

    real plays among virtual ones keep real states above virtual ones        lsd-mirror
    E[reward of round t] >= A(x) >= c LP in every round                      lsd-round-ratio
    equality for N arms that need N rounds                                   lsd-round-tight

Averages and rewards round by round are enumerated in fractions. Proofs: docs/theory/
lsd_rounding.md. The form of the guarantee is in Foussoul et al. (2023); constants are this
project's.
"""

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Integer, Many
from rltheory.lsd_bandits.arms import LSDArm
from rltheory.lsd_bandits.bandit import LSDBandit
from rltheory.lsd_bandits.expected_average import expected_average, expected_rewards
from rltheory.lsd_bandits.families import (
    CORNERS,
    GOLDEN,
    bandit_of,
    blocking,
    named,
    rand_any,
    rand_mono,
    tight,
)
from rltheory.lsd_bandits.optimal import optimal_gain, optimal_value
from rltheory.lsd_bandits.plans import Relaxation, block
from rltheory.lsd_bandits.rounding_instances import offsets_zero, solution_of, without_budget
from rltheory.lsd_bandits.schedule import Schedule, interleaved_schedule
from rltheory.lsd_bandits.virtual_value import guarantee, virtual_value

__all__ = ["CLAIMS"]

RULES = (("virtual", False), ("real", False), ("virtual", True), ("real", True))
MOST_GAIN_STATES = 1000


# --- lsd-mirror ---------------------------------------------------------------------------

_ROUNDS = 40


def _paths(arms: Family) -> Family:
    """Arms, where each real and each virtual copy starts, and who plays in each round."""
    space = {
        **arms.space,
        "starts": Many(Integer(0, 11), 6),
        "virtual": Many(Integer(0, 1), 3 * _ROUNDS),
        "kept": Many(Integer(0, 1), 3 * _ROUNDS),
    }

    def build(
        starts: list[int], virtual: list[int], kept: list[int], **parameters: Any
    ) -> Instance:
        return Instance(**arms.build(**parameters), starts=starts, virtual=virtual, kept=kept)

    return Family(space, build)


def _mirror(i: Instance, bottom: bool = False) -> list[Measurement]:
    bandit, found = bandit_of(i), []
    paid = Fraction(0)
    virtually_paid = Fraction(0)
    least = 0
    for a, arm in enumerate(bandit.arms):
        real = 0 if bottom else i.starts[2 * a] % arm.n_states
        virtual = i.starts[2 * a + 1] % (arm.n_states if bottom else real + 1)
        for t in range(_ROUNDS):
            least = min(least, real - virtual)
            wants = bool(i.virtual[3 * t + a])
            plays = wants and bool(i.kept[3 * t + a])
            if plays:
                paid += arm.payoffs[real]
                virtually_paid += arm.payoffs[virtual]
                worse = arm.payoffs[real] < arm.payoffs[virtual]
                found += [Measurement(arm.payoffs[real], arm.payoffs[virtual])] if worse else []
            real = (arm.play_next if plays else arm.rest_next)[real]
            virtual = (arm.play_next if wants else arm.rest_next)[virtual]
    found.append(Measurement(least, 0, what="real state - virtual state"))
    found.append(Measurement(paid, virtually_paid, trivial=0, what="real, virtual payoffs"))
    # The same inside a schedule, where losing against other arms decides who really plays.
    relax = solution_of(i)
    for select, filler in RULES:
        schedule = interleaved_schedule(relax, sum(i.starts), select, filler, mode="any")
        start = [0] * bandit.n_arms if bottom else None
        run = schedule.plays(_ROUNDS, start, rest_first=not bottom)
        found.append(Measurement(-run.violations, 0, what=f"violations, {select}"))
    return found


@claim(
    "lsd-mirror",
    "lower-bound",
    title="Real states stay above the virtual ones that they mirror",
    statement=r"""Payoffs nondecreasing over the states, both recoveries. A virtual copy of an arm
plays and rests at will; the real arm plays in some of the rounds in which its copy plays, and rests
in all others. If the real state is at least the virtual one at the start, it is so in every round,
and every real play pays at least what the virtual play of that round pays. In particular in every
interleaved schedule from the rested state.""",
    source="this project; Foussoul et al., ICML 2023 (mirroring)",
    provenance=("paper", "derived"),
    family=_paths(rand_mono(recovery=("reset", "gradual"))),
    mutants=[
        Mutant("tired", "real states start at the bottom", check=partial(_mirror, bottom=True)),
        Mutant("unsorted", "payoffs in any order", family=_paths(rand_any())),
    ],
    proof="text",
)
def mirror(instance: Instance) -> list[Measurement]:
    return _mirror(instance)


# --- lsd-round-ratio ----------------------------------------------------------------------


def _at_least(curve: Any, value: Any, what: str) -> Measurement:
    """The worst of the rounds."""
    return Measurement(min(curve), value, trivial=0, what=what)


def _round_ratio(
    i: Instance,
    share: Fraction | None = None,
    solution: Callable[[Instance], Relaxation] = solution_of,
    rounds: int = 25,
) -> list[Measurement]:
    relax = solution(i)
    bandit = relax.bandit
    n, k = bandit.n_arms, bandit.plays
    c = guarantee(n, k) if share is None else share
    floor = virtual_value(relax)
    found = [Measurement(floor, c * relax.value, trivial=0, what="A(x), c LP")]
    for select, filler in RULES:
        rule = select + (" with filler" if filler else "")
        curve = expected_rewards(relax, rounds, select, filler=filler)
        found.append(_at_least(curve, floor, f"worst round, A(x), {rule}"))
        average = expected_average(relax, select, filler=filler)
        assert average.is_exact
        found.append(Measurement(average.value, floor, trivial=0, what=f"average, A(x), {rule}"))
        found.append(
            Measurement(average.value, c * relax.value, trivial=0, what=f"average, c LP, {rule}")
        )
    if "rates" not in i and bandit.n_states <= MOST_GAIN_STATES:
        gain = optimal_gain(bandit, exact=True).gain
        found.append(Measurement(relax.value, gain, trivial=0, what="LP, g*"))
        best = optimal_value(bandit, rounds, exact=True)
        total, recovery = Fraction(0), bandit.recovery_time
        curve = expected_rewards(relax, rounds)
        assert recovery is not None
        for t in range(1, rounds + 1):
            total += curve[t - 1]
            bound = c * Fraction(t, t + recovery) * best[t]
            found.append(Measurement(total, bound, trivial=0, what=f"E Rew_{t}, c T/(T+R) V_T"))
    return found


def _zero_offsets(i: Instance) -> Measurement:
    relax = solution_of(i)
    c = guarantee(relax.bandit.n_arms, relax.bandit.plays)
    average = Schedule(relax.bandit, *offsets_zero(relax)).average().value
    return Measurement(average, c * relax.value, what="all offsets 0")


def _mixed(n: int, plays: int) -> Callable[[], LSDBandit]:
    """Arms of several kinds, so that neither periods nor payoffs agree."""
    kinds = [
        LSDArm.blocking(4, "3/4"),
        LSDArm(["1/2", "3/4", 1], ["1/4", 0]),
        LSDArm(["1/2"], ["3/8"]),
        LSDArm([0, 1], [0]),
        LSDArm(["1/8", "5/8"], ["1/8", "1/8"]),
        LSDArm.recharging(["1/4", "1/2", "3/4", "7/8"]),
    ]
    return lambda: LSDBandit(kinds[:n], plays)


_LARGE = {
    "tight, N = 5": lambda: tight(5),
    "tight, N = 4, k = 2": lambda: blocking([2] * 4, plays=2),
    "tight, N = 6, k = 2": lambda: blocking([3] * 6, plays=2),
    "tight, N = 5, k = 3": lambda: blocking([2] * 5, plays=3),
    "mixed, N = 6": _mixed(6, 1),
    "mixed, N = 5, k = 2": _mixed(5, 2),
    "mixed, N = 4, k = 3": _mixed(4, 3),
}


@claim(
    "lsd-round-ratio",
    "lower-bound",
    title="An interleaved schedule keeps the share c of the relaxation, in every round",
    statement=r"""Payoffs nondecreasing over the states, arms rested at the start, $x$ any solution
of the relaxation, of value $\mathrm{LP}$, drawn plans and uniform offsets. In every round $t\ge1$
$$E[\mathrm{reward}_t]\ge A(x)\ge c_{N,k}\,\mathrm{LP},\qquad
c_{N,k}=\tfrac1kE\min\{k,\mathrm{Bin}(N,\tfrac kN)\}\ge1-\tfrac{k^ke^{-k}}{k!},$$
whether candidates are ranked by virtual or by real payoffs, with or without filler. With $x$
optimal, $E[\mathrm{Rew}_T]\ge c_{N,k}T\,\mathrm{LP}\ge c_{N,k}Tg^*$ and
$E[\mathrm{Rew}_T]\ge c_{N,k}\frac T{T+R}V_T$.""",
    source="this project; the form: Foussoul et al., ICML 2023",
    provenance=("paper", "derived"),
    family=rand_mono(),
    named={**named(CORNERS), **named(GOLDEN), **named(_LARGE)},
    mutants=[
        Mutant(
            "seven-tenths",
            "the share 0.7 at N = 5",
            check=partial(_round_ratio, share=Fraction(7, 10)),
            named=named({"tight": lambda: tight(5)}),
        ),
        Mutant(
            "no-budget",
            "without the budget of plays",
            check=partial(_round_ratio, solution=lambda i: without_budget(solution_of(i))),
            named=named({"two constant arms": lambda: LSDBandit([LSDArm([1], [1])] * 2)}),
        ),
        Mutant(
            "offsets",
            "all offsets 0",
            check=_zero_offsets,
            named=named({"tight": lambda: tight(2)}),
        ),
        Mutant("unsorted", "payoffs in any order", family=rand_any()),
    ],
    bound=guarantee,
    proof="text",
)
def round_ratio(instance: Instance) -> list[Measurement]:
    return _round_ratio(instance)


# --- lsd-round-tight ----------------------------------------------------------------------


def _concave(n: int) -> LSDBandit:
    """f(d) = min(d, N)/N."""
    return LSDBandit([LSDArm.recharging([Fraction(d, n) for d in range(1, n + 1)])] * n)


def _round_tight(i: Instance) -> list[Measurement]:
    relax = solution_of(i)
    bandit, n = relax.bandit, relax.bandit.n_arms
    first = bandit.arms[0]
    assert isinstance(first, LSDArm)
    share = 1 - (1 - Fraction(1, n)) ** n
    plan = block(first, n - 1, 1)
    alone = all(
        plans == (plan,) and rates == (Fraction(1, n),)
        for plans, rates in zip(relax.plans, relax.rates, strict=True)
    )
    robin = Schedule(bandit, (plan,) * n, tuple(range(n))).average().value
    found = [
        Measurement(relax.value, Fraction(1), what="LP"),
        Measurement(robin, Fraction(1), what="round robin"),
        Measurement(alone, True, what="the solution found is x(N-1, 1) = 1/N"),
        Measurement(guarantee(n), share, what="c_N"),
    ]
    if bandit.n_states <= MOST_GAIN_STATES:
        found.append(Measurement(optimal_gain(bandit, exact=True).gain, Fraction(1), what="g*"))
    for select, filler in RULES:
        rule = select + (" with filler" if filler else "")
        average = expected_average(relax, select, filler=filler).value
        found.append(Measurement(average, share * relax.value, what=f"average, {rule}"))
        for t, reward in enumerate(expected_rewards(relax, 2 * n, select, filler=filler), 1):
            found.append(Measurement(reward, share * relax.value, what=f"round {t}, {rule}"))
    return found


def _wrong_delay(i: Instance) -> Measurement:
    relax = solution_of(i)
    n = relax.bandit.n_arms
    share = 1 - (1 - Fraction(1, n)) ** n
    return Measurement(expected_average(relax).value, share * relax.value, what="delay N + 1")


@claim(
    "lsd-round-tight",
    "identity",
    title="No interleaved schedule with independent offsets keeps more",
    statement=r"""$N$ equal blocking arms of delay $N$ and reward 1, or $N$ recharging arms with
$f(d)=\min\{d,N\}/N$, $k=1$: $\mathrm{LP}=g^*=1$ (round robin), $x_i(N-1,1)=1/N$ is the only
solution of the relaxation, and interleaved schedules earn exactly
$1-(1-1/N)^N=c_N\,\mathrm{LP}$ on average and in every round, under every rule.""",
    named=named(
        {f"blocking, N = {n}": partial(tight, n) for n in range(2, 7)}
        | {f"concave, N = {n}": partial(_concave, n) for n in range(2, 6)}
    ),
    mutants=[
        Mutant(
            "longer",
            "the same for delay N + 1",
            check=_wrong_delay,
            named=named({"N = 2": lambda: blocking([3, 3])}),
        )
    ],
    bound=guarantee,
    proof="text",
)
def round_tight(instance: Instance) -> list[Measurement]:
    return _round_tight(instance)


CLAIMS = (mirror, round_ratio, round_tight)
