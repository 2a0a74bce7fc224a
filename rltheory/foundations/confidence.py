"""Confidence for a fixed number of draws: the mean of f(s') and the law of s', s' ~ one row.

Draws are successors s'_1..s'_n of one transition row, independent; a row with exits has the exit as
its last point, of value 0. X_i = f(s'_i) lies in [0, B], with mean mu and variance sigma^2. How
often a bound fails is not sampled: the law of (sum X, sum X^2), or of the counts, is a finite sum,
computed in integers for rational rows. An event is decided by comparing the exact deviation with
the radius that `rltheory.mathematics.concentration` gives, whose rounding error is far below 1e-12:
outcomes within 1e-12 of it count as failures, and their mass is the tolerance of the measurement
(none, unless an outcome sits there). Two claims, on the mean distance of an empirical row and on
all rows of a model at once, are tried on random draws instead. Proofs: docs/theory/foundations.md.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from itertools import accumulate
from typing import Any

import numpy as np

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice, Dyadic, Integer, Many
from rltheory.foundations.families import model_space, read_model, rows_of_weights
from rltheory.mathematics.concentration import (
    bernoulli_kl,
    bernstein_radius,
    empirical_bernstein_radius,
    hoeffding_radius,
    l1_radius,
)
from rltheory.mdp.model import MDP

__all__ = ["CLAIMS", "failure", "just_beyond", "law_of_mean", "law_of_row"]

SAFE = 1e-12
_GRID = 2**30
_UNIT = 2.0**-53
_DELTAS = ("1/1000", "1/20", "1/10", "1/2", "9/10")

Numbers = Sequence[Fraction]


# --- exact laws ---------------------------------------------------------------------------


def law_of_mean(
    row: Numbers, values: Numbers, n: int
) -> tuple[list[tuple[Fraction, Fraction, int]], int]:
    """Outcomes (mean, unbiased variance, weight) of n draws, and the sum of the weights."""
    common = math.lcm(*(p.denominator for p in row))
    unit = math.lcm(*(x.denominator for x in values))
    weights: dict[int, int] = {}
    for p, x in zip(row, values, strict=True):
        if p:
            weights[int(x * unit)] = weights.get(int(x * unit), 0) + int(p * common)
    if len(weights) == 2:
        (a, u), (b, w) = weights.items()
        sums = {
            (k * a + (n - k) * b, k * a * a + (n - k) * b * b): math.comb(n, k)
            * u**k
            * w ** (n - k)
            for k in range(n + 1)
        }
    else:
        sums = {(0, 0): 1}
        for _ in range(n):
            longer: dict[tuple[int, int], int] = {}
            for (first, second), mass in sums.items():
                for a, u in weights.items():
                    key = (first + a, second + a * a)
                    longer[key] = longer.get(key, 0) + mass * u
            sums = longer
    outcomes = [
        (
            Fraction(first, n * unit),
            Fraction(n * second - first * first, max(1, n * (n - 1)) * unit * unit),
            mass,
        )
        for (first, second), mass in sums.items()
    ]
    return outcomes, common**n


def law_of_row(row: Numbers, n: int) -> tuple[list[tuple[Fraction, int]], int]:
    """Outcomes (L1 distance of the empirical row from the row, weight), and the sum of weights."""
    common = math.lcm(*(p.denominator for p in row))
    # States of the sum over points: draws used so far, distance so far times n * common.
    states = {(0, 0): 1}
    for p in row:
        w = int(p * common)
        longer: dict[tuple[int, int], int] = {}
        for (used, distance), mass in states.items():
            for count in range(n - used + 1 if w else 1):
                key = (used + count, distance + abs(count * common - w * n))
                ways = math.comb(n - used, count) * w**count
                longer[key] = longer.get(key, 0) + mass * ways
        states = longer
    outcomes = [
        (Fraction(distance, n * common), mass)
        for (used, distance), mass in states.items()
        if used == n
    ]
    return outcomes, common**n


def failure(
    outcomes: Iterable[tuple[Fraction | float, int]], total: int, delta: Fraction, what: str = ""
) -> Measurement:
    """The mass of the outcomes (excess, weight) with excess > 0, against delta.

    Excesses within `SAFE` of 0 count, and their mass is the tolerance.
    """
    failed = unsure = 0
    for excess, weight in outcomes:
        if excess > -SAFE:
            failed += weight
            unsure += weight if excess < SAFE else 0
    return Measurement(
        Fraction(failed, total),
        delta,
        trivial=1,
        tolerance=Fraction(unsure, total),
        certified=True,
        what=what,
    )


def just_beyond(
    beyond: Callable[[Fraction], bool], inside: Fraction | int, outside: Fraction | int
) -> Fraction:
    """The multiple of 2^-30 nearest to `inside` that a bisection finds to be `beyond`.

    It is where a jump of the failure probability is: 1/2 if `outside` is not beyond either.
    """
    near, far = math.floor(inside * _GRID), math.floor(outside * _GRID)
    if not beyond(Fraction(far, _GRID)):
        return Fraction(1, 2)
    while abs(far - near) > 1:
        middle = (near + far) // 2
        if beyond(Fraction(middle, _GRID)):
            far = middle
        else:
            near = middle
    return Fraction(far, _GRID)


# --- instances ----------------------------------------------------------------------------


def coin(p: Fraction | str, n: int, delta: Fraction | str, scale: int = 1) -> Instance:
    """Two successors, of values 0 and `scale`, the second one with probability p."""
    p, d = Fraction(p), Fraction(delta)
    values = [Fraction(0), Fraction(scale)]
    return Instance(row=[1 - p, p], values=values, scale=Fraction(scale), n=n, delta=d)


def row_family(jump: Callable[[int, Fraction, int], Fraction], most: int) -> Family:
    """Rows with values in [0, scale]: small ones, or two points with p at a jump of the failure.

    ``jump(n, delta, k)`` is a p beyond which k successes in n draws just fail; other rows get at
    most `most` draws.
    """

    def build(
        states: int,
        exits: bool,
        certain: bool,
        weights: list[int],
        values: list[float],
        scale: str,
        n: int,
        delta: str,
        at_jump: bool,
        outcome: int,
        flip: bool,
    ) -> Instance:
        d, width = Fraction(delta), Fraction(scale)
        if at_jump:
            p = jump(n, d, outcome % (n + 1))
            row, f = [1 - p, p], [Fraction(flip), Fraction(not flip)]
        else:
            n = 1 + n % most
            rows, ends = rows_of_weights(states, 1, exits, [certain], weights)
            row = rows[0] + ends[:exits]
            f = [Fraction(x) for x in values[:states]] + [Fraction(0)] * exits
        return Instance(row=row, values=[x * width for x in f], scale=width, n=n, delta=d)

    space = row_space() | {
        "values": Many(Dyadic(0, 1, 2), 4),
        "scale": Choice("1", "1", "1/2", "3"),
        "n": Integer(1, 60),
        "delta": Choice(*_DELTAS),
        "at_jump": Choice(False, True),
        "outcome": Integer(0, 59),
        "flip": Choice(False, True),
    }
    return Family(space, build)


def row_space() -> dict[str, Any]:
    """Parameters of one transition row that `rows_of_weights` reads."""
    return {
        "states": Integer(2, 4),
        "exits": Choice(False, True),
        "certain": Choice(*[False] * 9, True),
        "weights": Many(Choice(0, 1, 1, 1, 2, 5, 40), 5),
    }


def mean_of(i: Any) -> Fraction:
    return sum((p * x for p, x in zip(i.row, i.values, strict=True)), Fraction(0))


# --- Hoeffding ----------------------------------------------------------------------------


def _hoeffding(i: Any, radius: Callable[..., Any]) -> Measurement:
    outcomes, total = law_of_mean(i.row, i.values, i.n)
    mu, r = mean_of(i), float(radius(i.n, float(i.delta), float(i.scale)))
    return failure(((float(abs(m - mu)) - r, w) for m, _, w in outcomes), total, i.delta)


def _hoeffding_jump(n: int, delta: Fraction, k: int) -> Fraction:
    r = float(hoeffding_radius(n, float(delta))) + 10 * SAFE
    return just_beyond(lambda p: p - Fraction(k, n) > r, Fraction(k, n), 1)


@claim(
    "conf-hoeffding",
    "high-probability",
    title="Hoeffding's inequality for the mean of n draws, two-sided",
    statement=r"For independent $X_1,\dots,X_n\in[0,B]$ of mean $\mu$ and $0<\delta<1$: "
    r"$P\big(|\bar X_n-\mu|>B\sqrt{\log(2/\delta)/(2n)}\big)\le\delta$. For a transition row: "
    r"$X_i=f(s'_i)$ with $f$ in $[0,B]$; an exit is one more point, of value 0.",
    source="W. Hoeffding, JASA 58, 1963",
    provenance=("textbook", "textbook"),
    family=row_family(_hoeffding_jump, 16),
    named={
        "two draws just past a jump": lambda: coin(
            _hoeffding_jump(2, Fraction(9, 10), 0), 2, "9/10"
        ),
        "six draws just past a jump": lambda: coin(
            _hoeffding_jump(6, Fraction(1, 10), 0), 6, "1/10"
        ),
        "100 fair coins": lambda: coin("1/2", 100, "1/10"),
        "one fair coin": lambda: coin("1/2", 1, "7/10", 3),
    },
    mutants=[
        Mutant(
            "half",
            "the radius halved",
            check=lambda i: _hoeffding(i, lambda n, d, b: hoeffding_radius(n, d, b) / 2),
        ),
        Mutant(
            "one-sided",
            "log(1/delta) in place of log(2/delta), two-sided all the same",
            check=lambda i: _hoeffding(i, lambda n, d, b: b * math.sqrt(-math.log(d) / (2 * n))),
        ),
    ],
    bound=hoeffding_radius,
    proof="text",
)
def hoeffding(i: Any) -> Measurement:
    return _hoeffding(i, hoeffding_radius)


# --- Chernoff -----------------------------------------------------------------------------


def _chernoff(i: Any, exponent: float = 1.0) -> Measurement:
    """At the threshold x > mu, among the attained ones, where the bound is tightest."""
    outcomes, total = law_of_mean(i.row, [x / i.scale for x in i.values], i.n)
    mu = mean_of(i) / i.scale
    masses: dict[Fraction, int] = {}
    for x, _, weight in outcomes:
        masses[x] = masses.get(x, 0) + weight
    above, tightest, found = 0, -1.0, Measurement(1, 1, trivial=1)
    for x in sorted((x for x in masses if x > mu), reverse=True):
        above += masses[x]
        bound, error = _chernoff_bound(x, mu, i.n, exponent)
        ratio = float(Fraction(above, total) / Fraction(bound))
        if ratio > tightest:
            measured = Fraction(above, total)
            tightest = ratio
            found = Measurement(measured, bound, trivial=1, tolerance=error, certified=True)
    return found


def _chernoff_bound(x: Fraction, mu: Fraction, n: int, exponent: float) -> tuple[Any, float]:
    """exp(-exponent n kl(x, mu)), exact where n x is an integer, and its rounding error."""
    factors = [(n * x, mu / x)] + ([(n * (1 - x), (1 - mu) / (1 - x))] if x < 1 else [])
    if exponent == 1 and (n * x).denominator == 1:
        return math.prod(base ** int(power) for power, base in factors), 0.0
    total = error = 0.0
    for power, base in factors:
        w, log = exponent * float(power), math.log(base)
        total += w * log
        error += w * (2.0 + 4.0 * abs(log)) * _UNIT  # base, log, power and product; then the sum
    bound = math.exp(total)
    return bound, (error + 4.0 * _UNIT) * bound


@claim(
    "conf-chernoff-kl",
    "high-probability",
    title="Chernoff's bound with the Bernoulli relative entropy",
    statement=r"For independent $X_1,\dots,X_n\in[0,1]$ of mean $\mu$ and $x\ge\mu$: "
    r"$P(\bar X_n\ge x)\le e^{-n\,\mathrm{kl}(x,\mu)}$.",
    source="W. Hoeffding, JASA 58, 1963",
    provenance=("textbook", "textbook"),
    family=row_family(lambda n, delta, k: Fraction(k + 1, n + 2), 8),
    named={
        "all ones": lambda: coin("1/2", 5, "1/10"),
        "one draw": lambda: coin("1/3", 1, "1/10"),
    },
    mutants=[Mutant("exponent", "exponent 1.01 n", check=lambda i: _chernoff(i, 1.01))],
    bound=lambda n, x, mean: math.exp(-n * float(bernoulli_kl(x, mean))),
    proof="text",
)
def chernoff(i: Any) -> Measurement:
    return _chernoff(i)


# --- Bernstein ----------------------------------------------------------------------------

Radius = Callable[[int, Any, float, float], Any]


def _bernstein(
    i: Any, known: Radius = bernstein_radius, empirical: Radius = empirical_bernstein_radius
) -> list[Measurement]:
    outcomes, total = law_of_mean(i.row, i.values, i.n)
    n, delta, scale, mu = i.n, float(i.delta), float(i.scale), mean_of(i)
    square = sum((p * x * x for p, x in zip(i.row, i.values, strict=True)), Fraction(0))
    sigma2 = float(square - mu * mu)
    errors = np.array([float(m - mu) for m, _, _ in outcomes])
    variances = np.array([float(v) for _, v, _ in outcomes])
    weights = [w for _, _, w in outcomes]

    def fails(excess: Any, what: str) -> Measurement:
        return failure(zip(excess.tolist(), weights, strict=True), total, i.delta, what)

    r = known(n, sigma2, delta, scale)
    found = [fails(errors - r, "known, above"), fails(-errors - r, "known, below")]
    if n < 2:
        return found
    r = empirical(n, variances, delta, scale)
    # What leads from one form to the other: the standard deviation against its estimate.
    slack = scale * math.sqrt(-2.0 * math.log(delta) / (n - 1))
    step = math.sqrt(sigma2) - np.sqrt(variances) - slack
    return [
        *found,
        fails(-errors - r, "empirical, below"),
        fails(errors - r, "empirical, above"),
        fails(step, "standard deviation"),
    ]


def _bernstein_jump(n: int, delta: Fraction, k: int) -> Fraction:
    """A jump of the known-variance form for even k, of the estimated form for odd k."""
    d = float(delta)
    if k % 2:
        share = Fraction(k // 2, n)
        variance = float(share * (1 - share)) * n / max(1, n - 1)
        r = float(empirical_bernstein_radius(n, variance, d)) + 10 * SAFE
        return just_beyond(lambda p: p - share > r, share, 1)
    share = Fraction(k, n)

    def beyond(p: Fraction) -> bool:
        return share - p > float(bernstein_radius(n, float(p * (1 - p)), d)) + 10 * SAFE

    return just_beyond(beyond, share, 0)


def _all_zeros(c: Fraction | int) -> Instance:
    """50 draws, likely all 0, of a mean just past c log(2/delta)/(n-1), delta = 1/10."""
    return coin(just_beyond(lambda p: p > float(c) * math.log(20.0) / 49, 0, 1), 50, "1/10")


def _with_constant(c: float) -> Callable[[Any], list[Measurement]]:
    def radius(n: int, variance: Any, delta: float, scale: float) -> Any:
        log = math.log(2.0 / delta)
        return np.sqrt(2.0 * variance * log / n) + c * scale * log / (n - 1)

    return lambda i: _bernstein(i, empirical=radius)


@claim(
    "conf-bernstein",
    "high-probability",
    title="Bernstein's inequality, for a known and for an estimated variance",
    statement=r"For i.i.d. $X_1,\dots,X_n\in[0,B]$ of mean $\mu$ and variance $\sigma^2$: "
    r"$P\big(\bar X_n-\mu>\sqrt{2\sigma^2\log(1/\delta)/n}+B\log(1/\delta)/(3n)\big)\le\delta$; "
    r"for $n\ge2$ and the unbiased sample variance $V_n$: "
    r"$P\big(\mu-\bar X_n>\sqrt{2V_n\log(2/\delta)/n}+7B\log(2/\delta)/(3(n-1))\big)\le\delta$ "
    r"and $P\big(\sigma>\sqrt{V_n}+B\sqrt{2\log(1/\delta)/(n-1)}\big)\le\delta$. The first two "
    r"also with the sign of $\bar X_n-\mu$ reversed. For a transition row: $X_i=f(s'_i)$ with $f$ "
    r"in $[0,B]$; an exit is one more point, of value 0.",
    source="A. Maurer, M. Pontil, COLT 2009, arXiv 0907.3740, Theorem 4 (estimated variance)",
    provenance=("paper", "paper"),
    family=row_family(_bernstein_jump, 9),
    named={
        "rare ones": lambda: _all_zeros(Fraction(2, 3)),
        "rarer ones": lambda: _all_zeros(Fraction(1, 3)),
        "hardly any ones": lambda: _all_zeros(0),
        "one draw": lambda: coin("11/64", 1, "1/10"),
        "1000 fair coins": lambda: coin("1/2", 1000, "1/1000"),
        "500 draws": lambda: coin(_bernstein_jump(500, Fraction(9, 10), 1), 500, "9/10"),
    },
    mutants=[
        Mutant("two-thirds", "2/3 in place of 7/3", check=_with_constant(2 / 3)),
        Mutant("third", "1/3 in place of 7/3", check=_with_constant(1 / 3)),
        Mutant("no-range", "0 in place of 7/3", check=_with_constant(0.0)),
        Mutant(
            "half-variance",
            "known variance: the factor 2 before it dropped",
            check=lambda i: _bernstein(i, lambda n, v, d, b: bernstein_radius(n, v / 2, d, b)),
        ),
        Mutant(
            "no-range-known",
            "known variance: the second term dropped",
            check=lambda i: _bernstein(i, lambda n, v, d, b: math.sqrt(-2 * v * math.log(d) / n)),
        ),
    ],
    bound=empirical_bernstein_radius,
    proof="text",
)
def bernstein(i: Any) -> list[Measurement]:
    return _bernstein(i)


# --- L1 distance --------------------------------------------------------------------------


def _row_instance(row: Sequence[Fraction | int], n: int, delta: Fraction | str) -> Instance:
    return Instance(row=[Fraction(p) for p in row], n=n, delta=Fraction(delta))


def _l1_family() -> Family:
    def build(
        states: int, exits: bool, certain: bool, weights: list[int], n: int, delta: str
    ) -> Instance:
        rows, ends = rows_of_weights(states, 1, exits, [certain], weights)
        return _row_instance(rows[0] + ends[:exits], n, delta)

    return Family(row_space() | {"n": Integer(1, 24), "delta": Choice(*_DELTAS)}, build)


def _l1(i: Any, subsets: Callable[[int], int] = lambda size: 2**size - 2) -> list[Measurement]:
    """The stated bound at the attained distance where it is tightest, and at the radius."""
    size, n = len(i.row), i.n
    outcomes, total = law_of_row(i.row, n)
    masses: dict[Fraction, int] = {}
    for distance, weight in outcomes:
        masses[distance] = masses.get(distance, 0) + weight
    beyond, tightest, found = 0, -1.0, Measurement(1, 1, trivial=1)
    for eps in sorted((d for d in masses if d > 0), reverse=True):
        beyond += masses[eps]
        exponent = float(n * eps * eps / 2)
        bound = subsets(size) * math.exp(-exponent)
        measured = Fraction(beyond, total)
        if bound < 1 and float(measured) > tightest * bound:
            tightest = float(measured) / bound
            error = (exponent + 4.0) * _UNIT * bound
            found = Measurement(measured, bound, trivial=1, tolerance=error, certified=True)
    r = float(l1_radius(n, size, float(i.delta)))
    inverse = failure(((float(d) - r, w) for d, w in masses.items()), total, i.delta, "radius")
    return [found, inverse]


@claim(
    "conf-l1",
    "high-probability",
    title="L1 distance of an empirical transition row from the row",
    statement=r"For $n$ i.i.d. draws from a row $p$ on $S\ge2$ points (a row with exits: $S+1$) "
    r"and $\epsilon>0$: $P(\|\hat p_n-p\|_1\ge\epsilon)\le(2^S-2)e^{-n\epsilon^2/2}$, that is, "
    r"$P\big(\|\hat p_n-p\|_1\ge\sqrt{2\log((2^S-2)/\delta)/n}\big)\le\delta$.",
    source="T. Weissman et al., HP Labs report HPL-2003-97, 2003",
    provenance=("paper", "paper"),
    family=_l1_family(),
    named={
        "fair coin, two draws": lambda: _row_instance([Fraction(1, 2)] * 2, 2, "1/2"),
        "uniform on 8, 8 draws": lambda: _row_instance([Fraction(1, 8)] * 8, 8, "1/10"),
        "uniform on 6, 8 draws": lambda: _row_instance([Fraction(1, 6)] * 6, 8, "1/10"),
    },
    mutants=[Mutant("two", "2 in place of 2^S - 2", check=lambda i: _l1(i, lambda size: 2))],
    bound=l1_radius,
    proof="text",
)
def l1(i: Any) -> list[Measurement]:
    return _l1(i)


# --- random trials: the expected distance, and all rows of a model at once ----------------


def _counts(cumulated: Any, n: int, stream: Any) -> Any:
    """Counts of n draws from each row, shape (rows, points)."""
    rows, points = cumulated.shape
    drawn = (stream.uniforms(rows, n)[:, :, None] >= cumulated[:, None, :-1]).sum(axis=2)
    flat = (drawn + points * np.arange(rows)[:, None]).ravel()
    return np.bincount(flat, minlength=rows * points).reshape(rows, points)


def _cumulated(rows: Sequence[Numbers]) -> Any:
    """Sums of the first points of each row, in floats; the last is exactly 1."""
    return np.array([[float(x) for x in accumulate(row)] for row in rows])


def _mean_distance(i: Any, stream: Any, factor: float = 1.0) -> Measurement:
    counts = _counts(_cumulated([i.row]), i.n, stream)[0]
    distance = float(np.abs(counts / i.n - np.array([float(p) for p in i.row])).sum())
    return Measurement(distance, factor * math.sqrt((len(i.row) - 1) / i.n))


@claim(
    "conf-l1-mean",
    "expectation",
    title="Expected L1 distance of an empirical transition row from the row",
    statement=r"For $n\ge1$ i.i.d. draws from a row $p$ on $S$ points (a row with exits: $S+1$): "
    r"$E\|\hat p_n-p\|_1\le\sum_x\sqrt{p(x)(1-p(x))/n}\le\sqrt{(S-1)/n}$.",
    provenance=("textbook", "derived"),
    family=_l1_family(),
    named={
        "one fair coin": lambda: _row_instance([Fraction(1, 2)] * 2, 1, "1/2"),
        "uniform on 4, 20 draws": lambda: _row_instance([Fraction(1, 4)] * 4, 20, "1/2"),
    },
    mutants=[
        Mutant("half", "half the bound", check=lambda i, stream: _mean_distance(i, stream, 0.5)),
        Mutant("tenth", "a tenth less", check=lambda i, stream: _mean_distance(i, stream, 0.9)),
    ],
    bound=lambda size, n: math.sqrt((size - 1) / n),
    range=lambda i: (0.0, 2.0),
    proof="text",
)
def l1_mean(i: Any, stream: Any) -> Measurement:
    return _mean_distance(i, stream)


ROWS_DELTA = 0.1


def _rows(
    i: Any,
    stream: Any,
    union: bool = True,
    factor: float = 1.0,
    empirical: Radius = empirical_bernstein_radius,
) -> Measurement:
    """The largest distance, over all rows and points, in units of its radius."""
    p, n = _full_rows(i.mdp), i.n
    share = ROWS_DELTA / (p.size if union else 1)
    p_hat = _counts(np.minimum(np.cumsum(p, axis=1), 1.0), n, stream) / n
    variance = p_hat * (1.0 - p_hat) * n / (n - 1.0)
    bernstein = empirical(n, variance, share / 4.0, 1.0)
    radius = factor * np.minimum(hoeffding_radius(n, share / 2.0), bernstein)
    return Measurement(float((np.abs(p_hat - p) / radius).max()), 1.0, tolerance=SAFE)


def _full_rows(mdp: Any) -> Any:
    """Rows in floats, shape (pairs, points); where some row can end, the exit is the last point."""
    rows, ends = mdp.transitions.toarray(), np.asarray(mdp.termination).reshape(-1, 1)
    return np.hstack([rows, ends]) if ends.any() else rows


def _rows_instance(row: Sequence[Fraction], actions: int, n: int) -> Instance:
    """A model with the same row in every pair."""
    states = len(row)
    mdp = MDP([[row] * actions] * states, [[0] * actions] * states, exact=True)
    return Instance(mdp=mdp, n=n)


@claim(
    "conf-rows",
    "high-probability",
    title="A confidence set for all rows of a model at once",
    statement=r"A model with $N$ pairs, rows on $m$ points (successors, and the exit if any row "
    r"has one), $n\ge2$ i.i.d. draws from every row, $V_n=\frac n{n-1}\hat p(1-\hat p)$. With "
    r"probability at least $1-\delta$, for all pairs and points at once, $|\hat p(x|s,a)-p(x|s,a)|"
    r"\le\min\{\sqrt{\tfrac1{2n}\log\tfrac{4Nm}\delta},\ \sqrt{\tfrac{2V_n}n\log\tfrac{8Nm}\delta}"
    r"+\tfrac7{3(n-1)}\log\tfrac{8Nm}\delta\}$.",
    provenance=("derived", "derived"),
    family=Family(
        model_space() | {"n": Choice(5, 20, 50, 200)},
        lambda n, **model: Instance(mdp=read_model(**model, discount=None), n=n),
    ),
    named={
        "40 fair rows": lambda: _rows_instance([Fraction(1, 2)] * 2, 20, 100),
        "rare successors": lambda: _rows_instance([Fraction(99, 100), Fraction(1, 100)], 2, 50),
    },
    mutants=[
        Mutant(
            "no-union",
            "delta in place of delta / Nm",
            check=lambda i, stream: _rows(i, stream, union=False),
        ),
        Mutant("half", "radii halved", check=lambda i, stream: _rows(i, stream, factor=0.5)),
        Mutant(
            "no-range",
            "the term with 7/3 dropped",
            check=lambda i, stream: _rows(
                i,
                stream,
                empirical=lambda n, v, d, b: np.sqrt(2.0 * v * np.log(2.0 / d) / n) + SAFE,
            ),
        ),
    ],
    bound=lambda pairs, points, n, delta: hoeffding_radius(n, delta / (2.0 * pairs * points)),
    delta=ROWS_DELTA,
    proof="text",
)
def rows(i: Any, stream: Any) -> Measurement:
    return _rows(i, stream)


CLAIMS = (hoeffding, chernoff, bernstein, l1, l1_mean, rows)
