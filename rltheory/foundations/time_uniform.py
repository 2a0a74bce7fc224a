"""Confidence at all times at once: the Gaussian and the Dirichlet mixture.

How often a radius fails before time n is not sampled: it is the law of a crossing by Bernoulli
paths (`rltheory.mathematics.crossing`), or a sum over counts in fractions. Paths within 1e-9 of a
boundary count as crossing, and what they add is the tolerance. Proofs: docs/theory/confidence.md.
"""

import dataclasses
import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np
from scipy.special import betaln, xlogy

from rltheory.claims.claim import Claim, Measurement, Mutant, claim
from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice, Integer, Many
from rltheory.foundations.martingales import tightest
from rltheory.mathematics.concentration import (
    categorical_kl_threshold,
    hoeffding_radius,
    mixture_radius,
)
from rltheory.mathematics.crossing import crossing_probability

__all__ = ["CLAIMS"]

SAFE = 1e-9
Excess = Callable[[Any, int], Any]


def crossing(i: Any, excess: Excess, what: str = "") -> Measurement:
    """Probability that excess(k, n) > 0 at some n <= i.n, against i.delta."""
    unsure = False

    def crossed(n: int) -> Any:
        nonlocal unsure
        x = excess(np.arange(n + 1), n)
        unsure = unsure or bool((abs(x) < SAFE).any())
        return x > -SAFE

    measured = crossing_probability(crossed, float(i.p), i.n)
    surely = measured
    if unsure:
        surely = crossing_probability(lambda n: excess(np.arange(n + 1), n) > SAFE, float(i.p), i.n)
    rounding = 16 * i.n * 2.0**-53
    return Measurement(
        measured,
        i.delta,
        trivial=1,
        tolerance=measured - surely + rounding,
        certified=True,
        what=what,
    )


def path(p: Fraction | str, n: int, delta: Fraction | str = "1/10", **more: Any) -> Instance:
    """Bernoulli(p) draws up to time n."""
    return Instance(p=Fraction(p), n=n, delta=Fraction(delta), **more)


# --- the Gaussian mixture -----------------------------------------------------------------

Radius = Callable[[int, float, float], Any]


def _mean(n: int, delta: float, kappa: float) -> Any:
    return mixture_radius(n, delta, 0.5, kappa)


def _gauss(i: Any, radius: Radius = _mean) -> Measurement:
    p, delta, kappa = float(i.p), float(i.delta), float(i.kappa)
    return crossing(i, lambda k, n: abs(k - n * p) - n * radius(n, delta, kappa))


def _gauss_family(kappas: tuple[str, ...]) -> Family:
    space: dict[str, Any] = {
        "p": Choice("1/2", "1/2", "2/5", "1/5", "1/10"),
        "n": Integer(1, 300),
        "delta": Choice("1/100", "1/10", "3/10", "1/2", "9/10"),
        "kappa": Choice(*kappas),
    }
    return Family(space, lambda p, n, delta, kappa: path(p, n, delta, kappa=Fraction(kappa)))


def _scaled(share: float) -> Mutant:
    return Mutant(
        f"times-{share:g}".replace(".", "-"),
        f"the radius times {share:g}",
        check=lambda i: _gauss(i, lambda n, d, k: share * _mean(n, d, k)),
    )


_GAUSS_EVENT = (
    r"$P\big(\exists n\ge1:|S_n|>\sigma\sqrt{(n+\kappa)(2\log\frac1\delta+"
    r"\log\frac{n+\kappa}\kappa)}\big)\le\delta$"
)


@claim(
    "conf-mixture-gauss",
    "high-probability",
    title="A radius for the mean at all times: the Gaussian mixture",
    statement=r"$S_n$ a sum of $n$ draws, centred, $\sigma$-sub-Gaussian given the past "
    r"($\sigma=B/2$ for draws from a range of length $B$); $\kappa>0$, $0<\delta<1$. Then "
    f"{_GAUSS_EVENT}.",
    source="H. Robbins, Ann. Math. Stat. 41, 1970",
    provenance=("textbook", "derived"),
    family=_gauss_family(("1", "1", "1/10", "10", "100")),
    named={
        "fair coin": lambda: path("1/2", 2000, kappa=Fraction(1)),
        "fair coin, kappa 100": lambda: path("1/2", 2000, kappa=Fraction(100)),
        "one draw of a rare one": lambda: path("1/100", 1, "9/10", kappa=Fraction(1, 100)),
    },
    mutants=[
        _scaled(0.8),
        _scaled(0.5),
        Mutant(
            "fixed",
            "the Hoeffding radius of a fixed number of draws, used at all times",
            check=lambda i: _gauss(i, lambda n, d, k: hoeffding_radius(n, d)),
        ),
    ],
    bound=mixture_radius,
    proof="text",
)
def mixture_gauss(i: Any) -> Measurement:
    return _gauss(i)


# --- the Dirichlet mixture ----------------------------------------------------------------


def _compositions(n: int, size: int) -> Iterator[tuple[int, ...]]:
    if size == 1:
        yield (n,)
        return
    for k in range(n + 1):
        for rest in _compositions(n - k, size - 1):
            yield (k, *rest)


def _ratio(counts: tuple[int, ...], row: list[Fraction]) -> Fraction:
    """M_n: the mixture's probability of a path with these counts over that of the row."""
    size, n = len(row), sum(counts)
    ways = math.factorial(size - 1) * math.prod(math.factorial(k) for k in counts)
    likelihood = math.prod((p**k for p, k in zip(row, counts, strict=True)), start=Fraction(1))
    return Fraction(ways, math.factorial(n + size - 1)) / likelihood


def _mass(counts: tuple[int, ...], row: list[Fraction]) -> Fraction:
    mass = Fraction(math.factorial(sum(counts)))
    for p, k in zip(row, counts, strict=True):
        mass = mass * p**k / math.factorial(k)
    return mass


def _plug_in(counts: tuple[int, ...], row: list[Fraction]) -> Fraction:
    """The likelihood of the empirical law in place of the mixture's."""
    n = max(1, sum(counts))
    return math.prod(
        ((Fraction(k, n) / p) ** k for p, k in zip(row, counts, strict=True) if k),
        start=Fraction(1),
    )


def _enumerated(i: Any, ratio: Callable[..., Fraction] = _ratio) -> list[Measurement]:
    """The mean of M_n in fractions, and P(M_n >= m) against 1/m where that is tightest."""
    mean = Fraction(0)
    masses: dict[Fraction, Fraction] = {}
    support = sum(p > 0 for p in i.row)
    for counts in _compositions(i.n, len(i.row)):
        mass = _mass(counts, i.row)
        if mass:
            m = ratio(counts, i.row)
            mean += mass * m
            masses[m] = masses.get(m, Fraction(0)) + mass
    found = [tightest(masses), Measurement(mean, 1, what="mean")]
    if support == len(i.row):
        found.append(Measurement(abs(mean - 1), 0, what="mean off 1"))
    return found


def _entropy(k: Any, n: int, p: float) -> Any:
    """n KL(k/n, p) on two points."""
    x = k / n
    terms = xlogy(x, x) + xlogy(1 - x, 1 - x) - x * math.log(p) - (1 - x) * math.log1p(-p)
    return n * terms


def _log_ratio(k: Any, n: int, p: float) -> Any:
    return betaln(k + 1, n - k + 1) - k * math.log(p) - (n - k) * math.log1p(-p)


def _crossings(i: Any, threshold: Callable[[int, float], Any] | None = None) -> list[Measurement]:
    p, delta = float(i.p), float(i.delta)
    level = threshold or (lambda n, d: categorical_kl_threshold(n, 2, d))
    return [
        crossing(i, lambda k, n: _log_ratio(k, n, p) + math.log(delta), "ratio"),
        crossing(i, lambda k, n: _entropy(k, n, p) - level(n, delta), "entropy"),
    ]


def _several(i: Any, threshold: Callable[[int, int, float], Any]) -> Measurement:
    """At the one time i.n, on any number of points, by enumeration of the counts."""
    failed = unsure = Fraction(0)
    row = np.array([float(p) for p in i.row])
    level = float(threshold(i.n, len(row), float(i.delta)))
    for counts in _compositions(i.n, len(row)):
        mass = _mass(counts, i.row)
        if not mass:
            continue
        k = np.array(counts, dtype=float)
        entropy = (xlogy(k, k / i.n) - xlogy(k, np.where(row > 0.0, row, 1.0))).sum()
        failed += mass if entropy > level - SAFE else 0
        unsure += mass if abs(entropy - level) < SAFE else 0
    return Measurement(
        failed, i.delta, trivial=1, tolerance=unsure, certified=True, what="entropy, many points"
    )


def _dirichlet(
    i: Any,
    ratio: Callable[..., Fraction] = _ratio,
    threshold: Callable[[int, int, float], Any] = categorical_kl_threshold,
) -> list[Measurement]:
    if i.row:
        return [*_enumerated(i, ratio), _several(i, threshold)]
    return _crossings(i, lambda n, d: threshold(n, 2, d))


def _row(weights: list[int], n: int, delta: str = "1/10") -> Instance:
    total = sum(weights)
    row = [Fraction(w, total) for w in weights]
    return path("1/2", n, delta, row=row)


def _dirichlet_family() -> Family:
    def build(exact: bool, weights: list[int], n: int, p: str, delta: str, time: int) -> Instance:
        if not exact:
            return path(p, time, delta, row=[])
        w = weights if sum(weights) else [1] * len(weights)
        return _row(w, min(n, {2: 10, 3: 8, 4: 6}[len(w)]), delta)

    space: dict[str, Any] = {
        "exact": Choice(False, True),
        "weights": Many(Choice(0, 1, 1, 2, 5, 40), 2),
        "n": Integer(1, 10),
        "p": Choice("1/2", "1/10", "1/50", "1/3"),
        "delta": Choice("1/100", "1/10", "1/2", "9/10"),
        "time": Integer(1, 200),
    }
    return Family(space, build)


def _without(n: int, size: int, delta: float) -> float:
    return -math.log(delta)


@claim(
    "conf-dirichlet-kl",
    "high-probability",
    title="A ball around an empirical law at all times: the Dirichlet mixture",
    statement=r"$N_1,\dots,N_S$ are the counts of $n$ draws from a law $p$ on $S$ points, "
    r"$M_n=\frac{(S-1)!\prod N_k!}{(n+S-1)!}\prod p_k^{-N_k}$, $0<\delta<1$. Then $EM_n\le1$, with "
    r"equality if all $p_k>0$; $P(\exists n:M_n\ge\frac1\delta)\le\delta$; and "
    r"$P\big(\exists n\ge1:n\mathrm{KL}(\hat p_n\|p)>\log\frac1\delta+\log\binom{n+S-1}{S-1}\big)"
    r"\le\delta$. In a row with exits the exit is one more point.",
    source="A. Jonsson et al., NeurIPS 2020, arXiv 2006.05879, in a sharper form",
    provenance=("paper", "derived"),
    family=_dirichlet_family(),
    named={
        "fair coin": lambda: path("1/2", 1000, row=[]),
        "one in ten": lambda: path("1/10", 1000, row=[]),
        "one in fifty": lambda: path("1/50", 1000, row=[]),
        "one draw on three points": lambda: _row([1, 1, 1], 1),
        "a point without mass": lambda: _row([1, 1, 0], 4),
    },
    mutants=[
        Mutant(
            "no-binomial",
            "the logarithm of the binomial coefficient dropped",
            check=lambda i: _dirichlet(i, threshold=_without),
        ),
        Mutant(
            "half",
            "half the threshold",
            check=lambda i: _dirichlet(
                i, threshold=lambda n, s, d: categorical_kl_threshold(n, s, d) / 2
            ),
        ),
        Mutant(
            "plug-in",
            "the likelihood of the empirical law in place of the mixture's",
            check=lambda i: _dirichlet(i, ratio=_plug_in),
        ),
    ],
    bound=categorical_kl_threshold,
    proof="text",
)
def dirichlet_kl(i: Any) -> list[Measurement]:
    return _dirichlet(i)


# --- the same under the names of the topic on demonstrations ------------------------------


def _kappa_1(named: Any) -> dict[str, Any]:
    return {"fair coin": lambda: path("1/2", 2000, kappa=Fraction(1))} | named


demo_ci_hoeffding: Claim = dataclasses.replace(
    mixture_gauss,
    id="demo-ci-hoeffding",
    title="The radius of exploration for demonstrations: the Gaussian mixture at kappa = 1",
    statement=r"For i.i.d. $X_i\in[0,B]$ and $0<\delta<1$: $P\big(\exists n\ge1:"
    r"|\sum_{i\le n}(X_i-EX)|>\frac B2\sqrt{(n+1)(\log(n+1)+2\log\frac1\delta)}\big)\le\delta$.",
    source="this project; conf-mixture-gauss at kappa = 1, sigma = B/2",
    family=_gauss_family(("1",)),
    named=_kappa_1({"one in ten": lambda: path("1/10", 2000, kappa=Fraction(1))}),
)
demo_ci_kl: Claim = dataclasses.replace(
    dirichlet_kl,
    id="demo-ci-kl",
    title="The ball of exploration for demonstrations: the Dirichlet mixture",
)

CLAIMS = (mixture_gauss, dirichlet_kl, demo_ci_hoeffding, demo_ci_kl)
