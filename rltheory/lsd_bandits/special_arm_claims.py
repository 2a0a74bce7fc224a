r"""Claims about the relaxation of arms of special kinds: long ones, blocking and recharging ones.

    types on a grid of ratio 1 + eps keep LP / (1 + eps)                            lsd-grid
    blocking arms are a knapsack: sum_i (r_i - r_{i+1}) min(1, sum_{j<=i} 1/d_j)    blk-knapsack
    recharging arms: max sum f_i(d) y_i(d), sum_d d y_i(d) <= 1, sum y <= k         rech-equal
    concave recharging: phi(q) = q f~(1/q)                                          rech-concave

Proofs: docs/theory/lsd_relaxation.md.
"""

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice, Integer, Many
from rltheory.lsd_bandits.arm_cycles import Vertex
from rltheory.lsd_bandits.arms import LSDArm
from rltheory.lsd_bandits.bandit import LSDBandit
from rltheory.lsd_bandits.block_hull import hull_of_blocks
from rltheory.lsd_bandits.families import bandit_of, blocking, case, rand_block, rand_mono
from rltheory.lsd_bandits.relaxation import concave_relaxation, grid_of, merged
from rltheory.solvers.flow import minimize

__all__ = ["CLAIMS"]

F = Fraction
SOLVER = 1e-8
"""How far HiGHS may be from an exact value."""


# --- lsd-grid -----------------------------------------------------------------------------


def most_points(size: int, eps: Fraction) -> int:
    """No more points than that are on a grid of ratio 1 + eps up to `size`."""
    return math.floor(2 + (2 + 2.5 * math.log(size)) / min(float(eps), 1.0))


def grid_bound(value: Fraction, eps: Fraction) -> Fraction:
    """LP / (1 + eps)."""
    return value / (1 + eps)


def _grid(i: Instance, without_last: bool = False, share: int = 1) -> list[Measurement]:
    bandit, eps = bandit_of(i), Fraction(i.eps)
    whole = Fraction(concave_relaxation(bandit, exact=True).value)
    value = concave_relaxation(bandit, exact=True, grid=eps).value
    hulls, found = [], []
    for arm in bandit.arms:
        assert isinstance(arm, LSDArm)
        sizes = len(arm.rest_payoffs), len(arm.play_payoffs)
        rests = grid_of(eps, sizes[0], past=not without_last)
        plays = grid_of(eps, sizes[1], past=False)
        hulls.append(hull_of_blocks(arm, rests, plays, endless=True))
        room = most_points(sizes[0], eps) * most_points(sizes[1], eps)
        found.append(Measurement(room, len(rests) * len(plays), what="room for types"))
    if without_last:
        value = merged(bandit, hulls).value
    return [Measurement(value, grid_bound(whole, eps / share), what="value on the grid"), *found]


def _grid_family() -> Family:
    arms = rand_mono(plays=(1, 1, 2), arms=(1, 2, 3), most_rests=20, most_plays=16)

    def build(eps: str, **parameters: Any) -> Instance:
        return Instance(**arms.instance(parameters), eps=Fraction(eps))

    return Family({**arms.space, "eps": Choice("1/10", "1/2", "1")}, build)


def _on_grid(bandit: LSDBandit, eps: str) -> Callable[[], Instance]:
    return lambda: Instance(**case(bandit), eps=Fraction(eps))


def spike() -> LSDBandit:
    """One arm that pays after exactly nine rests: not monotone, and nine is on no grid of 2."""
    return LSDBandit([LSDArm([int(n == 9) for n in range(1, 12)], [0])])


@claim(
    "lsd-grid",
    "lower-bound",
    title="Types on a geometric grid keep 1/(1 + eps) of the relaxation",
    statement=r"""Monotone payoffs, $\varepsilon>0$; $g_1=1$,
$g_{j+1}=\max(g_j+1,\lfloor(1+\varepsilon)g_j\rfloor)$, up to the first point $\ge R_i$ (clipped to
$R_i$) for rests, the points $\le M_i$ for plays. With blocks on the grids only, and plays that
never end, the relaxation keeps at least $\mathrm{LP}/(1+\varepsilon)$. A grid up to $X$ has at
most $2+(2+\frac52\ln X)/\min(\varepsilon,1)$ points, so that an arm has
$O(\varepsilon^{-2}\log R_i\log M_i)$ types for $\varepsilon\le1$.""",
    family=_grid_family(),
    named={
        "blocking, d = 2, eps = 1/1000": _on_grid(blocking([2]), "1/1000"),
        "blocking, d = 21, eps = 1": _on_grid(blocking([21]), "1"),
        "blocking, d = 1026 of 2049, eps = 1": _on_grid(
            LSDBandit([LSDArm([int(n >= 1025) for n in range(1, 2049)], [0])]), "1"
        ),
        "blocking, d = 603 of 701, eps = 1/2": _on_grid(
            LSDBandit([LSDArm([int(n >= 602) for n in range(1, 701)], [0])]), "1/2"
        ),
    },
    mutants=[
        Mutant("half", "1/(1 + eps/2)", check=partial(_grid, share=2)),
        Mutant(
            "no-end",
            "without the last point",
            check=partial(_grid, without_last=True),
            named={"blocking, d = 21, eps = 1": _on_grid(blocking([21]), "1")},
        ),
        Mutant(
            "any-payoffs",
            "payoffs that are not monotone",
            named={"a spike at nine": _on_grid(spike(), "1")},
        ),
    ],
    bound=grid_bound,
    proof="text",
)
def grid(instance: Instance) -> list[Measurement]:
    return _grid(instance)


# --- blk-knapsack -------------------------------------------------------------------------


def knapsack_value(delays: Sequence[int], rewards: Sequence[Fraction], later: int = 0) -> Fraction:
    """sum_i (r_i - r_{i+1}) min(1, sum_{j<=i} 1/(d_j + later)), rewards decreasing."""
    value, taken = F(0), F(0)
    for d, r, after in zip(delays, rewards, [*rewards[1:], F(0)], strict=True):
        taken += F(1, d + later)
        value += (r - after) * min(F(1), taken)
    return value


def _knapsack(i: Instance, later: int = 0) -> Measurement:
    value = concave_relaxation(bandit_of(i), exact=True).value
    return Measurement(value, knapsack_value(i.delays, i.rewards, later))


def _blocking(delays: Sequence[int], *rewards: str) -> Callable[[], Instance]:
    paid = [Fraction(r) for r in rewards] or [F(1)] * len(delays)
    return lambda: Instance(**case(blocking(delays, paid)), delays=list(delays), rewards=paid)


@claim(
    "blk-knapsack",
    "identity",
    title="The relaxation of blocking arms is a fractional knapsack",
    statement=r"""Blocking arms with delays $d_i\ge1$ and rewards $r_1\ge\dots\ge r_N\ge0=r_{N+1}$,
$k=1$: $\mathrm{LP}=\sum_i(r_i-r_{i+1})\min\bigl(1,\sum_{j\le i}1/d_j\bigr)$.""",
    family=rand_block(),
    named={
        "(7, 3, 2)": _blocking([7, 3, 2]),
        "(2, 3, 6)": _blocking([2, 3, 6]),
        "one arm that always pays": _blocking([1], "1/2"),
        "equal rewards, too many": _blocking([2, 2, 2], "1/2", "1/2", "1/2"),
        "the best arm takes all": _blocking([1, 2], "1", "1/2"),
    },
    mutants=[
        Mutant(
            "late",
            "1/(d_j + 1): delay and state mixed up by one",
            check=partial(_knapsack, later=1),
        )
    ],
    bound=knapsack_value,
    proof="text",
)
def knapsack(instance: Instance) -> Measurement:
    return _knapsack(instance)


# --- rech-equal ---------------------------------------------------------------------------

MOST_DELAY = 6


def recharging_program(payoffs: Sequence[Sequence[Fraction]], plays: int) -> float:
    """max sum f_i(d) y_i(d) s.t. sum_d d y_i(d) <= 1 for each i, sum y <= k, by HiGHS."""
    columns = [(i, d, f) for i, of in enumerate(payoffs) for d, f in enumerate(of, 1)]
    rows = np.zeros((len(payoffs) + 1, len(columns)))
    for j, (i, d, _) in enumerate(columns):
        rows[i, j], rows[-1, j] = d, 1.0
    limits = np.array([1.0] * len(payoffs) + [float(plays)])
    return -minimize(-np.array([float(f) for *_, f in columns]), at_most=(rows, limits)).optimum


def _recharging(i: Instance, unshifted: bool = False) -> list[Measurement]:
    make = _unshifted if unshifted else LSDArm.recharging
    relax = concave_relaxation(LSDBandit([make(f) for f in i.recharging], i.plays), exact=True)
    value, price = relax.value, Fraction(relax.multiplier)
    # The rates of the blocks (n, 1), and of always playing, as rates of the delays n + 1 and 1.
    earned, late = F(0), F(0)
    for f, plans, rates in zip(i.recharging, relax.plans, relax.rates, strict=True):
        for plan, rate in zip(plans, rates, strict=True):
            earned += Fraction(rate) * f[min(plan.period, len(f)) - 1]
        late += max(F(0), *((x - price) / d for d, x in enumerate(f, 1)))
    return [
        Measurement(earned, value, what="the same rates of delays"),
        Measurement(i.plays * price + late, value, what="dual over delays"),
        Measurement(
            recharging_program(i.recharging, i.plays), value, tolerance=SOLVER, what="program"
        ),
    ]


def _unshifted(payoffs: Sequence[Fraction]) -> LSDArm:
    """p(n) = f(n), as if the state after n rests were the delay n."""
    return LSDArm(payoffs, payoffs[:1])


def _recharging_family() -> Family:
    def build(arms: int, plays: int, delays: list[int], eighths: list[int], order: str) -> Instance:
        drawn = [eighths[i * MOST_DELAY :][: delays[i]] for i in range(arms)]
        drawn = [sorted(f) for f in drawn] if order == "nondecreasing" else drawn
        return Instance(
            recharging=[[Fraction(x, 8) for x in f] for f in drawn], plays=min(plays, arms)
        )

    space: dict[str, Any] = {
        "arms": Integer(1, 3),
        "plays": Choice(1, 2),
        "delays": Many(Integer(1, MOST_DELAY), 3),
        "eighths": Many(Integer(0, 8), 3 * MOST_DELAY),
        "order": Choice("nondecreasing", "any"),
    }
    return Family(space, build)


def _recharge(*payoffs: Sequence[str], plays: int = 1) -> Callable[[], Instance]:
    return lambda: Instance(recharging=[[F(x) for x in f] for f in payoffs], plays=plays)


@claim(
    "rech-equal",
    "identity",
    title="The relaxation of recharging arms is the program over delays",
    statement=r"""Recharging arms of any payoffs $f_i(1),\dots,f_i(D_i)$, constant after, as LSD
arms $p_i(-1)=f_i(1)$, $p_i(n)=f_i(n+1)$: $\mathrm{LP}_k=\max\sum_{i,d}f_i(d)y_i(d)$ over $y\ge0$
with $\sum_dd\,y_i(d)\le1$ for every $i$ and $\sum_{i,d}y_i(d)\le k$.""",
    source="Papadigenopoulos, Caramanis and Shakkottai, NeurIPS 2022 (the program)",
    provenance=("reconstructed", "derived"),
    family=_recharging_family(),
    named={
        "spike at three": _recharge(["0", "0", "1"], ["1/8"]),
        "two plays": _recharge(["0", "1"], ["1/4", "1/2", "1"], ["1/8"], plays=2),
        "constant": _recharge(["1/2"]),
        "nothing": _recharge(["0", "0"]),
    },
    mutants=[Mutant("unshifted", "p(n) = f(n)", check=partial(_recharging, unshifted=True))],
    proof="text",
)
def recharging(instance: Instance) -> list[Measurement]:
    return _recharging(instance)


# --- rech-concave -------------------------------------------------------------------------

RATES = tuple(F(q) for q in ("17/100", "1/5", "3/10", "9/20", "1/2", "7/10", "1"))


def between_delays(f: Sequence[Fraction], delay: Fraction) -> Fraction:
    """f~, linear between whole delays and constant after the last."""
    below = math.floor(delay)
    if below >= len(f):
        return f[-1]
    share = delay - below
    return f[below - 1] + (share * (f[below] - f[below - 1]) if share else 0)


def best_at_rate(f: Sequence[Fraction], q: Fraction) -> Fraction:
    """The best reward per round at exactly q plays per round: two delays, or one and never."""
    points = [(F(0), F(0)), *((F(1, d), x / d) for d, x in enumerate(f, 1))]
    found = [v for at, v in points if at == q]
    for left, low in points:
        for right, high in points:
            if left < q < right:
                found.append(low + (q - left) / (right - left) * (high - low))
    return max(found)


def on_hull(hull: Sequence[Vertex], q: Fraction) -> Fraction | None:
    """The hull's value at q; None past its maximum."""
    for left, right in pairwise(hull):
        if q <= right.plays:
            share = (q - left.plays) / (right.plays - left.plays)
            return left.reward + share * (right.reward - left.reward)
    return None


def _rech_concave(i: Instance, whole_delays: bool = False) -> list[Measurement]:
    f = i.recharging[0]
    arm = LSDArm.recharging(f)
    hull = hull_of_blocks(arm, range(1, len(arm.rest_payoffs) + 1), range(1, 2), endless=True)
    found = []
    for q in RATES:
        delay = F(math.floor(1 / q)) if whole_delays else 1 / q
        phi = q * between_delays(f, delay)
        found.append(Measurement(best_at_rate(f, q), phi, what=f"two delays, q = {q}"))
        relaxed = on_hull(hull, q)
        if relaxed is not None:
            found.append(Measurement(relaxed, phi, what=f"hull, q = {q}"))
    return found


def _concave_family() -> Family:
    def build(delays: int, first: int, rises: list[int], total: int) -> Instance:
        falling = sorted(rises[: delays - 1], reverse=True)
        heights = [first + sum(falling[:d]) for d in range(delays)]
        top = max(heights[-1], 1) * total
        return Instance(recharging=[[F(h * (total - 1 or 1), top) for h in heights]], plays=1)

    space: dict[str, Any] = {
        "delays": Integer(1, 8),
        "first": Integer(0, 4),
        "rises": Many(Choice(0, 0, 1, 2, 3, 8), 7),
        "total": Choice(1, 2, 4),
    }
    return Family(space, build)


@claim(
    "rech-concave",
    "identity",
    title="Concave recharging: the best reward at a play rate is f at the mean delay",
    statement=r"""$f$ concave and nondecreasing on $1,\dots,D$, constant after, $\tilde f$ its
linear interpolation. The best reward rate of one arm at exactly $q$ plays per round is
$\phi(q)=q\,\tilde f(1/q)$ for every $q\in(0,1]$, attained by two adjacent delays.""",
    source="Kleinberg and Immorlica, FOCS 2018 (setting)",
    family=_concave_family(),
    named={
        "min(d, 5)/5": _recharge(["1/5", "2/5", "3/5", "4/5", "1"]),
        "0 at once, then 1": _recharge(["0", "1"]),
        "constant": _recharge(["1/2"]),
        "nothing": _recharge(["0", "0"]),
    },
    mutants=[
        Mutant(
            "step",
            "a step, which is not concave",
            named={"1 from delay 3 on": _recharge(["0", "0", "1"])},
        ),
        Mutant(
            "whole-delays",
            "f at the whole delay below 1/q",
            check=partial(_rech_concave, whole_delays=True),
        ),
    ],
    proof="text",
)
def rech_concave(instance: Instance) -> list[Measurement]:
    return _rech_concave(instance)


CLAIMS = (grid, knapsack, recharging, rech_concave)
