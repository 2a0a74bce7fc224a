"""Confidence for the mean of f(s'), s' ~ one row, from a fixed number of draws.

X_i = f(s'_i) lies in [0, B], with mean mu and variance sigma^2. How often a bound fails is not
sampled: it is computed from the law of the sums (`rltheory.foundations.laws`), by comparing the
exact deviation with the radius that `rltheory.mathematics.concentration` gives, whose rounding
error is far below 1e-12. Proofs: docs/theory/foundations.md.
"""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Instance
from rltheory.foundations.laws import (
    SAFE,
    UNIT,
    coin,
    failure,
    just_beyond,
    law_of_mean,
    mean_of,
    row_family,
)
from rltheory.mathematics.concentration import (
    bernoulli_kl,
    bernstein_radius,
    empirical_bernstein_radius,
    hoeffding_radius,
)

__all__ = ["CLAIMS"]


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
        error += w * (2.0 + 4.0 * abs(log)) * UNIT  # base, log, power and product; then the sum
    bound = math.exp(total)
    return bound, (error + 4.0 * UNIT) * bound


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


CLAIMS = (hoeffding, chernoff, bernstein)
