"""The error of one residual in floating point, whatever the order of summation.

The problem: a row of n doubles p(s') >= 0 with an exit x and a reward r means P = p / sigma,
sigma = sum p + x. Of its residual rho = r + discount P v - v_s doubles give

    delta = sigma - 1,  d = sum p v in any order,  e = d - delta d,  c = (r + discount e) - v_s
    |c - rho| <= E = (n + 8) u (|r| + discount sum P|v| + |v_s|) + (n + 8) 2^-1074,  u = 2^-53

as long as nothing overflows and |delta| <= 1e-9. Two kernels of the core give intervals for rho and
for sigma rho, the second one in double-double; they and plain loops are held against fractions.
Theorems T1 and T2 of docs/theory/certificates.md.
"""

import math
from collections.abc import Callable
from fractions import Fraction
from functools import partial

import numpy as np

from rltheory import _core
from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice, Dyadic, Integer
from rltheory.mdp.model import MDP
from rltheory.mdp.streams import Stream

__all__ = ["CLAIMS", "error_bound"]

U = Fraction(1, 2**53)
_SMALLEST = Fraction(1, 2**1074)


def error_bound(terms: int, magnitude: Fraction) -> Fraction:
    """E for a row of so many terms and a magnitude |r| + discount sum P|v| + |v_s|."""
    return (terms + 8) * (U * magnitude + _SMALLEST)


# --- instances ----------------------------------------------------------------------------


def _row(
    prob: list[float], exit_: float, reward: float, discount: float, ahead: list[float], own: float
) -> Instance:
    return Instance(
        prob=np.array(prob),
        exit=exit_,
        reward=reward,
        discount=discount,
        ahead=np.array(ahead),
        own=own,
    )


def _hard_row(
    seed: int,
    terms: int,
    shape: str,
    exit_: float,
    off: float,
    size: float,
    reward: float,
    discount: float,
    cancel: str,
) -> Instance:
    """Rows over all orders of magnitude, whose residuals cancel."""
    stream = Stream(seed, "foundations.rounding")
    if shape == "certain":
        p = np.eye(terms)[stream.integer(terms)]
    elif shape == "steep":  # down to denormal numbers, beside what is left
        p = np.array([0.4 * 2.0 ** -(1 + stream.integer(1074)) for _ in range(terms)])
        p[0] = 1.0 - p[1:].sum()
    else:
        p = stream.spacings(1, terms)[0] if shape == "even" else np.full(terms, 1.0 / terms)
    p = p * (1.0 - exit_) * (1.0 + off)
    v = size * (2.0 * stream.uniforms(terms) - 1.0) if stream.integer(2) else np.full(terms, size)
    row = _row(p.tolist(), exit_ * (1.0 + off), reward * size, discount, v.tolist(), 0.0)
    own = _in_doubles(row, _defect(row))
    if cancel == "nearly":
        own += math.ulp(own) * stream.integer(8)
    elif cancel == "not":
        own = size * stream.uniform()
    return _row(p.tolist(), exit_ * (1.0 + off), reward * size, discount, v.tolist(), own)


_ROWS = Family(
    {
        "seed": Integer(0, 2**31),
        "terms": Choice(1, 2, 3, 8, 8, 40, 120),
        "shape": Choice("certain", "steep", "even", "equal"),
        "exit_": Choice(0.0, 0.0, 5e-324, 1e-17, 0.5, 1.0 - 2.0**-30),
        "off": Choice(0.0, 1e-10, -1e-10, 9e-10, -9e-10),
        "size": Choice(0.0, 5e-324, 1e-320, 1e-300, 1e-6, 1.0, 1.0, 1e6, 1e300),
        "reward": Dyadic(-1, 1, 3),
        "discount": Choice(0.0, 2.0**-60, 0.5, 0.9, 1.0 - 1e-12, 1.0 - 2.0**-53),
        "cancel": Choice("fully", "nearly", "not"),
    },
    _hard_row,
)


def _drift(doublings: int, empty: int = 0) -> Callable[[], Instance]:
    """A sum that stays at 1 although u is added to it 2^doublings times, each a tie to even.

    With `empty` columns beside them the model is stored as a sparse one.
    """

    def make() -> Instance:
        n = 2**doublings
        share = 0.5 / n
        prob = [0.5] + [share] * n + [0.0] * empty
        ahead = [2.0] + [2.0**-53 / share] * n + [0.0] * empty
        return _row(prob, 0.0, 0.0, 0.5, ahead, 0.0)

    return make


def _off_by_1e10() -> Instance:
    return _row([0.5, 0.5 + 1e-10], 0.0, 1.0, 0.9, [10.0, 10.0], 10.0)


def _exit_off() -> Instance:
    return _row([0.5], 0.5 + 5e-10, 1.0, 0.9, [10.0], 5.5)


def _denormal() -> Instance:
    """Products below the smallest double: their error is all of it."""
    return _row([0.25, 0.75], 0.0, 0.0, 0.5, [5e-324, 5e-324], 0.0)


# --- what is measured ---------------------------------------------------------------------


def _sum_of(row: Instance) -> Fraction:
    return sum(map(Fraction, row.prob.tolist()), Fraction(row.exit))


def _mean(row: Instance, absolute: bool = False) -> Fraction:
    pairs = zip(row.prob.tolist(), row.ahead.tolist(), strict=True)
    total = sum((Fraction(p) * Fraction(abs(v) if absolute else v) for p, v in pairs), Fraction(0))
    return total / _sum_of(row)


def _residual(row: Instance) -> Fraction:
    return Fraction(row.reward) + Fraction(row.discount) * _mean(row) - Fraction(row.own)


def _magnitude(row: Instance) -> Fraction:
    ahead = Fraction(row.discount) * _mean(row, absolute=True)
    return abs(Fraction(row.reward)) + ahead + abs(Fraction(row.own))


def _defect(row: Instance, exit_: bool = True) -> float:
    return math.fsum([*row.prob.tolist(), row.exit * exit_, -1.0])


def _in_sequence(terms: list[float]) -> float:
    total = 0.0
    for x in terms:
        total += x
    return total


def _in_pairs(terms: list[float]) -> float:
    while len(terms) > 1:
        terms = [x + y for x, y in zip(terms[::2], [*terms[1::2], 0.0], strict=False)]
    return terms[0]


def _in_doubles(
    row: Instance, defect: float, order: Callable[[list[float]], float] = _in_sequence
) -> float:
    """The residual c as one computes it."""
    d = order([p * v for p, v in zip(row.prob.tolist(), row.ahead.tolist(), strict=True)])
    e = d - defect * d
    return float((row.reward + row.discount * e) - row.own)


def _kernels(row: Instance) -> list[Measurement]:
    """The intervals of the core: is the middle within half of the length?"""
    n = len(row.prob)
    mdp = MDP(
        np.broadcast_to(row.prob, (n, 1, n)),
        np.full((n, 1), row.reward),
        termination=np.full((n, 1), row.exit),
    )
    own, rows, zero = np.full(n, row.own), np.arange(n), np.zeros(n)
    tail = row.ahead * 2.0**-53 * np.cos(np.arange(n))  # |tail| <= u |v|
    lost = (
        Fraction(p) * Fraction(t) for p, t in zip(row.prob.tolist(), tail.tolist(), strict=True)
    )
    exact = _residual(row)
    scaled = exact * _sum_of(row) + Fraction(row.discount) * sum(lost, Fraction(0))
    plain = _core.solvers.residual_bounds(mdp.core, 0, row.discount, row.ahead, own, rows)
    precise = _core.solvers.precise_residual_bounds(
        mdp.core, 0, row.discount, row.ahead, tail, own, zero, rows
    )
    found = []
    for (low, high, finite), rho, what in (
        (plain, exact, "kernel in doubles"),
        (precise[:3], scaled, "kernel in double-double"),
    ):
        if finite:
            middle = (Fraction(low) + Fraction(high)) / 2
            radius = (Fraction(high) - Fraction(low)) / 2
            found.append(Measurement(abs(rho - middle), radius, what=what))
    return found


def _rounding(
    instance: Instance,
    bound: Callable[[int, Fraction], Fraction] = error_bound,
    corrected: bool = True,
    exit_counts: bool = True,
    kernels: bool = False,
) -> list[Measurement]:
    rho, size, n = _residual(instance), _magnitude(instance), len(instance.prob)
    defect = _defect(instance, exit_counts) if corrected else 0.0
    found = _kernels(instance) if kernels else []
    for order, what in ((_in_sequence, "one after another"), (_in_pairs, "in pairs")):
        c = _in_doubles(instance, defect, order)
        if math.isfinite(c):
            found.append(Measurement(abs(Fraction(c) - rho), bound(n, size), what=what))
    return found or [Measurement(0, 0, event=False, what="overflow")]


@claim(
    "plan-rounding",
    "inequality",
    title="The error of a residual in doubles",
    statement=r"""A row of $n\le2^{20}$ doubles $p$, an exit $e$, $\sigma=\sum p+e$ with
$|\sigma-1|\le10^{-9}$; $u=2^{-53}$, rounding to nearest, gradual underflow, no overflow. The
computed residual, by any order of summation and corrected by $\delta=\sigma-1$, is within
$$(n+8)\,u\,\Bigl(|r|+\gamma\tfrac{\sum p|v|}\sigma+|v_s|\Bigr)+(n+8)\,2^{-1074}$$
of $r+\gamma\frac{\sum pv}\sigma-v_s$. The intervals of the core's kernels contain it: in doubles,
and in double-double, for $v$ with a tail, what is $\sigma$ times as large.""",
    source="this project (docs/theory/certificates.md, T1 and T2)",
    family=_ROWS,
    named={
        "drift": _drift(10),
        "drift, sparse": _drift(8, empty=300),
        "row off by 1e-10": _off_by_1e10,
        "exit off": _exit_off,
        "denormal": _denormal,
    },
    mutants=[
        Mutant(
            "half-ulp",
            "u/2 in place of (n + 8) u",
            check=partial(_rounding, bound=lambda n, size: U / 2 * size + (n + 8) * _SMALLEST),
        ),
        Mutant(
            "one-ulp",
            "u in place of (n + 8) u, as for one operation",
            check=partial(_rounding, bound=lambda n, size: U * size + (n + 8) * _SMALLEST),
        ),
        Mutant("no-correction", "delta left out", check=partial(_rounding, corrected=False)),
        Mutant(
            "no-exit",
            "delta without the exit",
            check=partial(_rounding, exit_counts=False),
        ),
        Mutant(
            "no-underflow",
            "the bound without (n + 8) 2^-1074",
            check=partial(_rounding, bound=lambda n, size: (n + 8) * U * size),
        ),
    ],
    bound=error_bound,
    proof="text",
)
def rounding(instance: Instance) -> list[Measurement]:
    return _rounding(instance, kernels=True)


CLAIMS = (rounding,)
