r"""Which delays can be kept exactly, and blocks that do not depend on where they begin.

    g* = sum 1/d_i of unit rewards  <=>  residue classes mod d_i that do not meet   blk-exact-cover
    B_d >= d g* - N,    average of [idle, block] >= B_d / (d+1)                       lsd-isi-block

Proofs: docs/theory/lsd_blocking.md. References: Basu et al., NeurIPS 2019; Laforgue et al., AISTATS
2022. All in fractions.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from itertools import combinations_with_replacement
from math import prod
from typing import Any

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice, Integer, Many
from rltheory.lsd_bandits.arms import LSDArm
from rltheory.lsd_bandits.bandit import LSDBandit
from rltheory.lsd_bandits.exact_cover import exact_cover
from rltheory.lsd_bandits.families import bandit_of, blocking, case, rand_any, rand_mono
from rltheory.lsd_bandits.isi_block import isi_block
from rltheory.lsd_bandits.optimal import optimal_gain

__all__ = ["CLAIMS", "full_density"]

# --- blk-exact-cover ----------------------------------------------------------------------

INFEASIBLE = {
    (2, 3, 6): Fraction(7, 8),
    (3, 4, 4, 6): Fraction(8, 9),
    (2, 3, 12, 12): Fraction(11, 12),
    (2, 5, 5, 10): Fraction(11, 12),
    (3, 3, 4, 12): Fraction(11, 12),
    (2, 4, 6, 12): Fraction(15, 16),
}
"""g* of the lists of density 1 that have no exact cover."""


def full_density(most_arms: int = 5, largest: int = 12, most_states: int = 4000) -> list[Any]:
    """All ascending lists of delays in 2..largest with sum 1/d = 1 and product < most_states."""
    return [
        delays
        for n in range(1, most_arms + 1)
        for delays in combinations_with_replacement(range(2, largest + 1), n)
        if prod(delays) < most_states and sum(Fraction(1, d) for d in delays) == 1
    ]


def _covers(i: Instance, density_suffices: bool = False) -> list[Measurement]:
    delays = i.delays
    density = sum(Fraction(1, d) for d in delays)
    best = optimal_gain(blocking(delays), exact=True).gain
    covered = density_suffices or exact_cover(delays) is not None
    inside = density <= 1
    found = [Measurement(covered, best == density, event=inside, what="cover and average")]
    if density == 1:
        repeats = sorted(delays).count(max(delays)) > 1
        found.append(
            Measurement(covered and not repeats and len(delays) > 1, False, what="largest")
        )
    if tuple(delays) in INFEASIBLE:
        found.append(Measurement(best, INFEASIBLE[tuple(delays)], what="optimum"))
    return found


def _delays(delays: Sequence[int]) -> Callable[[], Instance]:
    return lambda: Instance(delays=list(delays))


@claim(
    "blk-exact-cover",
    "decision",
    title="Blocking arms lose nothing exactly where residue classes do not meet",
    statement=r"""Unit rewards, delays $d_i$ with $\sum_i1/d_i\le1$, one play per round. $g^*=
\sum_i1/d_i$ if and only if there are residues $r_i$ such that the classes $r_i\bmod d_i$ are
disjoint, that is $r_i\not\equiv r_j\pmod{\gcd(d_i,d_j)}$ for $i\ne j$. In particular, if
$\sum_i1/d_i=1$, then $g^*=1$ if and only if the $d_i$ are the moduli of a disjoint covering system;
with two arms or more the largest modulus must then repeat. Density 1 is not enough: of the 16 lists
of at most five delays in $2..12$ of density 1 with product below 4000, ten have a cover; $g^*$ of
$(2,3,6)$ is $\frac78$, of $(3,4,4,6)$ $\frac89$, of $(2,3,12,12)$, $(2,5,5,10)$ and $(3,3,4,12)$
$\frac{11}{12}$, of $(2,4,6,12)$ $\frac{15}{16}$.""",
    source="this project; Mirsky and Newman (the largest modulus); Holte et al. 1989 (pinwheel)",
    provenance=("derived", "derived"),
    family=Family(
        {"arms": Integer(1, 4), "delays": Many(Integer(2, 6), 4)},
        lambda arms, delays: Instance(delays=delays[:arms]),
    ),
    named={str(delays): _delays(delays) for delays in full_density()},
    mutants=[
        Mutant("density", "density 1 suffices", check=partial(_covers, density_suffices=True)),
    ],
    proof="text",
)
def exact_cover_decides(instance: Instance) -> list[Measurement]:
    return _covers(instance)


# --- lsd-isi-block ------------------------------------------------------------------------


def _with_length(family: Family, lengths: Sequence[int] = (2, 4, 8)) -> Family:
    """The family's instances with a block length d."""

    def build(d: int, **rest: Any) -> Instance:
        return Instance(**family.instance(rest), d=d)

    return Family({**family.space, "d": Choice(*lengths)}, build)


def _either(monotone: Family, other: Family) -> Family:
    """Instances of both families, which have the same parameters."""

    def build(mode: str, **rest: Any) -> Instance:
        return (monotone if mode == "monotone" else other).instance(rest)

    return Family({**monotone.space, "mode": Choice("monotone", "any")}, build)


def _blocks(i: Instance, no_idle: bool = False, less: int = 0) -> list[Measurement]:
    bandit, d = bandit_of(i), i.d
    block, N = isi_block(bandit, d), bandit.n_arms
    best = optimal_gain(bandit, exact=True).gain
    monotone = bandit.is_monotone()
    assert block.rested is not None
    run = block.repeated if no_idle else block.rested
    within = Fraction(best + N - less, d + 1)
    return [
        Measurement(
            block.value, d * best - (N - less), trivial=0, event=monotone, what="value of a block"
        ),
        Measurement(run.average, block.value / (d + 1), trivial=0, what="average"),
        Measurement(run.average, best - within, trivial=0, event=monotone, what="loss"),
    ]


def _case(bandit: LSDBandit, d: int) -> Callable[[], Instance]:
    return lambda: Instance(**case(bandit), d=d)


@claim(
    "lsd-isi-block",
    "lower-bound",
    title="Blocks that do not depend on their start lose (g* + N) / (d + 1) per round",
    statement=r"""Payoffs in $[0,1]$, $B_d$ the most that a block of $d$ rounds is worth when the
first play of each arm in it counts 0 and leads to state $-1$. Under (M) $B_d\ge d\,g^*-N$. For any
payoffs, under reset recovery, repeating an idle round and the best block averages at least
$B_d/(d+1)$. Hence under (M) the schedule is within $(g^*+N)/(d+1)$ of $g^*$. This is so for every
number of plays per round. Attained by one arm that always pays 1 (the first), and by one with
$p(n)=0$, $p(-m)=1$ (the second).""",
    source="this project; the blocks are those of Laforgue et al., AISTATS 2022",
    provenance=("paper", "derived"),
    family=_with_length(
        _either(
            rand_mono(plays=(1, 1, 2), arms=(1, 2)),
            rand_any(plays=(1, 1, 2), arms=(1, 2)),
        )
    ),
    named={
        "always 1": _case(LSDBandit([LSDArm([1], [1])]), 8),
        "momentum": _case(LSDBandit([LSDArm([0], [1])]), 8),
        "two delays": _case(blocking([2, 3]), 8),
        "no payoff at all": _case(LSDBandit([LSDArm([0], [0])] * 2), 4),
        "both arms in every round": _case(LSDBandit([LSDArm([1], [1])] * 2, plays=2), 8),
    },
    mutants=[
        Mutant(
            "no-idle",
            "the block repeated without an idle round",
            check=partial(_blocks, no_idle=True),
            named={"fading": _case(LSDBandit([LSDArm([1], [1, 0])]), 2)},
        ),
        Mutant("first-play", "N - 1 in place of N", check=partial(_blocks, less=1)),
    ],
    bound=lambda gain, N, d: d * gain - N,
    proof="text",
)
def isi_blocks(instance: Instance) -> list[Measurement]:
    return _blocks(instance)


CLAIMS = (exact_cover_decides, isi_blocks)
