"""Intervals for the mean of draws from one row: KL-UCB and Clopper-Pearson, by their exact laws.

A one-sided bound of level alpha may miss the mean with probability alpha. How often it does is
computed at the jump points of the law, where it is largest. Proofs: docs/theory/foundations.md.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from scipy.special import betaincc

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice, Integer
from rltheory.foundations.laws import (
    SAFE,
    coin,
    failure,
    just_beyond,
    law_of_mean,
    mean_of,
    row_family,
)
from rltheory.inference.binomial import lower_bound, upper_bound
from rltheory.mathematics.concentration import kl_lcb, kl_ucb
from rltheory.mathematics.crossing import crossing_probability

__all__ = ["CLAIMS"]


# --- KL-UCB -------------------------------------------------------------------------------


def _kl_ucb(i: Any, share: float = 1.0, pinsker: float = 0.5) -> list[Measurement]:
    outcomes, total = law_of_mean(i.row, [x / i.scale for x in i.values], i.n)
    mu = mean_of(i) / i.scale
    b = -share * math.log(i.delta) / i.n
    means = np.array([float(m) for m, _, _ in outcomes])
    weights = [w for _, _, w in outcomes]
    upper, lower = kl_ucb(means, b), kl_lcb(means, b)
    # Nothing is above 1 or below 0, however close mu is to it.
    above = np.where(upper < 1.0, float(mu) - upper, -1.0).tolist()
    below = np.where(lower > 0.0, lower - float(mu), -1.0).tolist()
    gap = np.maximum(upper - means, means - lower)
    explicit = {
        "Pinsker": gap - math.sqrt(pinsker * b),
        "explicit, above": upper - means - b - np.sqrt(b * b + 2.0 * means * b),
        "explicit, below": means - lower - b - np.sqrt(b * b + 2.0 * (1.0 - means) * b),
        "contains": np.maximum(means - upper, lower - means),
    }
    return [
        failure(zip(above, weights, strict=True), total, i.delta, "above"),
        failure(zip(below, weights, strict=True), total, i.delta, "below"),
        *(
            Measurement(float(excess.max()), 0, tolerance=1e-14, certified=True, what=what)
            for what, excess in explicit.items()
        ),
    ]


def _kl_jump(n: int, delta: Fraction, k: int, share: float = 1.0) -> Fraction:
    """Just above the upper bound that k successes in n draws give."""
    upper = float(kl_ucb(k / n, -share * math.log(delta) / n)) + 10 * SAFE
    return just_beyond(lambda p: p > upper, Fraction(k, n), 1)


@claim(
    "conf-kl-ucb",
    "high-probability",
    title="Inverting the Bernoulli relative entropy (KL-UCB)",
    statement=r"$U(\hat p,b)=\max\{q\ge\hat p:\mathrm{kl}(\hat p,q)\le b\}$, "
    r"$L(\hat p,b)=1-U(1-\hat p,b)$. For $n$ independent draws from $[0,1]$ of mean $p$: "
    r"$P(p>U(\hat p_n,\log(1/\delta)/n))\le\delta$ and "
    r"$P(p<L(\hat p_n,\log(1/\delta)/n))\le\delta$. Moreover "
    r"$U\le\hat p+\sqrt{b/2}$ and $U\le\hat p+b+\sqrt{b^2+2\hat pb}$.",
    source="A. Garivier, O. Cappe, COLT 2011, arXiv 1102.2490",
    provenance=("textbook", "textbook"),
    family=row_family(_kl_jump, 8),
    named={
        "ten draws, all 0": lambda: coin(_kl_jump(10, Fraction(1, 10), 0), 10, "1/10"),
        "one draw": lambda: coin(_kl_jump(1, Fraction(1, 20), 0), 1, "1/20"),
        "0.9 of the level": lambda: coin(_kl_jump(10, Fraction(1, 10), 0, 0.9), 10, "1/10"),
    },
    mutants=[
        Mutant("level", "0.9 log(1/delta)/n", check=lambda i: _kl_ucb(i, share=0.9)),
        Mutant("pinsker", "sqrt(0.45 b) for sqrt(b/2)", check=lambda i: _kl_ucb(i, pinsker=0.45)),
    ],
    bound=kl_ucb,
    proof="text",
)
def kl_ucb_claim(i: Any) -> list[Measurement]:
    return _kl_ucb(i)


# --- Clopper-Pearson ----------------------------------------------------------------------


def _binomial_instance(n: int, p: Fraction | str, alpha: Fraction | str) -> Instance:
    return Instance(n=n, p=Fraction(p), alpha=Fraction(alpha))


def _binomial_weights(n: int, p: Fraction) -> tuple[list[int], int]:
    a, b = p.numerator, p.denominator - p.numerator
    return [math.comb(n, k) * a**k * b ** (n - k) for k in range(n + 1)], p.denominator**n


Bound = Callable[[int, int, float], float]


def _coverage(i: Any, lower: Bound = lower_bound, upper: Bound = upper_bound) -> list[Measurement]:
    """How often each one-sided bound misses p; both rise with the number of failures."""
    n, p, alpha = i.n, float(i.p), float(i.alpha)
    weights, total = _binomial_weights(n, i.p)
    counts = range(n + 1)
    found = []
    for what, cuts in (
        ("below p", [bisect_left(counts, p + s, key=lambda k: upper(k, n, alpha)) for s in _SIDES]),
        (
            "above p",
            [bisect_right(counts, p - s, key=lambda k: lower(k, n, alpha)) for s in _SIDES],
        ),
    ):
        masses = [sum(weights[:k] if what == "below p" else weights[k:]) for k in cuts]
        found.append(
            Measurement(
                Fraction(masses[0], total),
                i.alpha,
                trivial=1,
                tolerance=Fraction(masses[0] - masses[1], total),
                certified=True,
                what=what,
            )
        )
    return found


_SIDES = (SAFE, -SAFE)


def _coverage_jump(n: int, alpha: Fraction, k: int) -> Fraction:
    """Just above the upper bound of k failures: only k or fewer are below."""
    upper = upper_bound(k, n, float(alpha)) + 10 * SAFE
    return just_beyond(lambda p: p > upper, Fraction(k, n), 1)


def _coverage_family() -> Family:
    def build(n: int, failures: int, alpha: str, mirror: bool) -> Instance:
        p = _coverage_jump(n, Fraction(alpha), failures % (n + 1))
        return _binomial_instance(n, 1 - p if mirror else p, alpha)

    space: dict[str, Any] = {
        "n": Integer(1, 60),
        "failures": Integer(0, 59),
        "alpha": Choice("1/1000", "1/20", "1/10", "2/5"),
        "mirror": Choice(False, True),
    }
    return Family(space, build)


def _wald(sign: int) -> Bound:
    def bound(k: int, n: int, alpha: float) -> float:
        quantile = {0.05: 1.6448536269514722, 0.025: 1.959963984540054}[alpha]
        return k / n + sign * quantile * math.sqrt(k * (n - k) / n) / n

    return bound


def _peeking(i: Any) -> Measurement:
    """Misses of the two-sided interval, alpha/2 each side, looked at after every draw."""
    p, half = float(i.p), float(i.alpha) / 2.0

    def missed(n: int) -> Any:
        k = np.arange(n + 1)
        at_most = np.append(betaincc(k[:-1] + 1.0, n - k[:-1], p), 1.0)
        at_least = np.append(1.0, 1.0 - at_most[:-1])
        return (at_most < half) | (at_least < half)

    measured = crossing_probability(missed, p, i.n)
    tolerance = 8 * i.n * 2.0**-53 * measured
    return Measurement(measured, i.alpha, trivial=1, tolerance=tolerance, certified=True)


@claim(
    "conf-clopper-pearson",
    "high-probability",
    title="Clopper-Pearson bounds of a failure probability",
    statement=r"After $k$ failures in $n$ independent trials of failure probability $p$, $n$ fixed "
    r"beforehand, each of the bounds $p\ge$ the $\alpha$-quantile of Beta$(k,n-k+1)$ and $p\le$ "
    r"the $(1-\alpha)$-quantile of Beta$(k+1,n-k)$ is wrong with probability at most $\alpha$.",
    source="C. Clopper, E. Pearson, Biometrika 26, 1934",
    provenance=("textbook", "textbook"),
    family=_coverage_family(),
    named={
        "50 rare failures": lambda: _binomial_instance(50, "1/100", "1/20"),
        "200 fair coins": lambda: _binomial_instance(200, "1/2", "1/10"),
    },
    mutants=[
        Mutant(
            "wald",
            "the normal interval",
            check=lambda i: _coverage(i, _wald(-1), _wald(1)),
            named={"50 rare failures": lambda: _binomial_instance(50, "1/100", "1/20")},
        ),
        Mutant(
            "peeking",
            "looked at after every draw, two-sided at alpha/2 each",
            check=_peeking,
            named={"200 fair coins": lambda: _binomial_instance(200, "1/2", "1/10")},
        ),
    ],
    bound=upper_bound,
    proof="text",
)
def clopper_pearson(i: Any) -> list[Measurement]:
    return _coverage(i)


CLAIMS = (kl_ucb_claim, clopper_pearson)
