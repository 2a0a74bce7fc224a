"""Ville's inequality, and the test and the interval behind the verdicts on random claims.

All laws here are exact: a finite tree of a supermartingale, a binomial sum, or the crossing of a
boundary by Bernoulli paths (`rltheory.mathematics.crossing`), with rational probabilities. Where
the boundary is a logarithm in floats, paths within 1e-9 of it count as crossing, and what they add
is the tolerance of the measurement: the terms of those logarithms, at most a few hundred each, have
relative errors of some 2^-50. Proofs: docs/theory/foundations.md.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from scipy.special import betaincc, betaln

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice, Dyadic, Integer, Many
from rltheory.foundations.laws import (
    mean_of,
)
from rltheory.inference.betting import BettingInterval
from rltheory.inference.sequential import log_evidence_against, log_evidence_for
from rltheory.mathematics.crossing import crossing_probability

__all__ = ["CLAIMS"]

LOG_SAFE = 1e-9


def tightest(masses: dict[Fraction, Fraction], share: Fraction | int = 1) -> Measurement:
    """P(X >= m) against share / m, at the attained m > 1 where it is tightest."""
    above, best, found = Fraction(0), Fraction(-1), Measurement(1, 1, trivial=1)
    for m in sorted((m for m in masses if m > 1), reverse=True):
        above += masses[m]
        if above * m > best:
            best, found = above * m, Measurement(above, share / m, trivial=1, what="crossing")
    return found


# --- Ville --------------------------------------------------------------------------------


def _ville(i: Any, share: Fraction = Fraction(1)) -> Measurement:
    """All paths of a process that is multiplied by up or down, by chances of the place it is at."""
    states = {(0, Fraction(i.start), Fraction(i.start)): Fraction(1)}  # ups, value, largest so far
    for step in range(i.steps):
        longer: dict[tuple[int, Fraction, Fraction], Fraction] = {}
        for (ups, value, largest), mass in states.items():
            place = (3 * step + ups) % len(i.chance)
            p = i.chance[place]
            for more, q, factor in ((1, p, i.up[place]), (0, 1 - p, i.down[place])):
                if q:
                    key = (ups + more, value * factor, max(largest, value * factor))
                    longer[key] = longer.get(key, Fraction(0)) + mass * q
        states = longer
    masses: dict[Fraction, Fraction] = {}
    for (_, _, largest), mass in states.items():
        masses[largest] = masses.get(largest, Fraction(0)) + mass
    return tightest(masses, share)


def _double_or_nothing(chance: Fraction | str, up: int = 2, down: int = 0) -> Instance:
    return Instance(
        start=Fraction(1),
        chance=[Fraction(chance)],
        up=[Fraction(up)],
        down=[Fraction(down)],
        steps=6,
    )


def _ville_family() -> Family:
    def build(
        start: str, chance: list[float], down: list[float], mean: list[str], steps: int
    ) -> Instance:
        p, low = [Fraction(x) for x in chance], [Fraction(x) for x in down]
        high = [(Fraction(c) - (1 - q) * d) / q for q, d, c in zip(p, low, mean, strict=True)]
        up = [max(x, Fraction(0)) for x in high]
        low = [d if x >= 0 else Fraction(0) for d, x in zip(low, high, strict=True)]
        return Instance(start=Fraction(start), chance=p, up=up, down=low, steps=steps)

    space: dict[str, Any] = {
        "start": Choice("1", "1", "3/4"),
        "chance": Many(Dyadic(0.125, 0.875, 3), 5),
        "down": Many(Dyadic(0, 1, 3), 5),
        "mean": Many(Choice("1", "1", "1", "3/4"), 5),
        "steps": Integer(1, 7),
    }
    return Family(space, build)


@claim(
    "conf-ville",
    "inequality",
    title="Ville's inequality for nonnegative supermartingales",
    statement=r"For a nonnegative supermartingale with $M_0\le1$ and $0<\alpha<1$: "
    r"$P(\sup_nM_n\ge1/\alpha)\le\alpha$.",
    source="J. Ville, Etude critique de la notion de collectif, 1939",
    provenance=("textbook", "textbook"),
    family=_ville_family(),
    named={"doubling": lambda: _double_or_nothing("1/2")},
    mutants=[
        Mutant(
            "submartingale",
            "a process that drifts upward: doubling that survives with probability 0.55",
            named={"survival 0.55": lambda: _double_or_nothing("11/20")},
        ),
        Mutant(
            "negative",
            "a martingale with negative values: times 4 or times -2",
            named={"times 4 or -2": lambda: _double_or_nothing("1/2", 4, -2)},
        ),
        Mutant("half", "alpha/2 in place of alpha", check=lambda i: _ville(i, Fraction(1, 2))),
    ],
    bound=lambda alpha: alpha,
    proof="text",
)
def ville(i: Any) -> Measurement:
    return _ville(i)


# --- the sequential test ------------------------------------------------------------------

Evidence = Callable[[Any, int], Any]


def _evidence(i: Any) -> Evidence:
    """log M_n of the test that the instance names."""
    delta = float(i.delta)
    if i.side == "refute":
        return lambda k, n: log_evidence_against(k, n, delta)
    if i.side == "confirm":
        return lambda k, n: log_evidence_for(k, n, float(i.margin) * delta)
    return _two_sided(delta)


def _two_sided(q: float) -> Evidence:
    """log M_n(q) with the uniform prior on all of [0, 1]."""
    return lambda k, n: betaln(k + 1, n - k + 1) - k * math.log(q) - (n - k) * math.log1p(-q)


def _crossing(i: Any, evidence: Evidence, threshold: float) -> Measurement:
    """Probability that log M_n >= threshold at some n <= i.n, against i.alpha."""
    unsure = False

    def crossed(n: int) -> Any:
        nonlocal unsure
        excess = evidence(np.arange(n + 1), n) - threshold
        unsure = unsure or bool((abs(excess) < LOG_SAFE).any())
        return excess > -LOG_SAFE

    measured = crossing_probability(crossed, i.p, i.n)
    tolerance = Fraction(0)
    if unsure:
        surely = crossing_probability(
            lambda n: evidence(np.arange(n + 1), n) - threshold > LOG_SAFE, i.p, i.n
        )
        tolerance = measured - surely
    return Measurement(measured, i.alpha, trivial=1, tolerance=tolerance, certified=True)


def _sequential(i: Any, evidence: Evidence | None = None, share: float = 1.0) -> Measurement:
    threshold = -math.log(share * float(i.alpha))
    return _crossing(i, _evidence(i) if evidence is None else evidence, threshold)


def _sequential_instance(
    side: str,
    delta: Fraction | str,
    p: Fraction | str,
    alpha: Fraction | str,
    n: int,
    margin: Fraction | str = "11/10",
) -> Instance:
    return Instance(
        side=side,
        delta=Fraction(delta),
        margin=Fraction(margin),
        p=Fraction(p),
        alpha=Fraction(alpha),
        n=n,
    )


def _sequential_family() -> Family:
    def build(side: str, delta: str, margin: str, alpha: str, slack: str, n: int) -> Instance:
        d, m, s = Fraction(delta), Fraction(margin), Fraction(slack)
        p = {"refute": d * s, "confirm": 1 - (1 - d * m) * s, "interval": d}[side]
        return _sequential_instance(side, d, p, alpha, n, m)

    space: dict[str, Any] = {
        "side": Choice("refute", "confirm", "interval"),
        "delta": Choice("1/100", "1/20", "1/10", "3/10", "1/2"),
        "margin": Choice("11/10", "3/2"),
        "alpha": Choice("1/19", "3/17", "9/19", "14/17"),
        "slack": Choice("1", "1", "9/10"),
        "n": Integer(1, 120),
    }
    return Family(space, build)


def _fixed_sample(i: Any) -> Evidence:
    """-log of the binomial tail at delta: a fixed-sample p-value taken at every look."""

    def evidence(k: Any, n: int) -> Any:
        at_most = np.append(betaincc(k[:-1] + 1.0, n - k[:-1], float(i.delta)), 1.0)
        at_least = np.append(1.0, 1.0 - at_most[:-1])
        tail = at_least if i.side == "refute" else at_most
        return -np.log(np.maximum(tail, 1e-300))

    return evidence


@claim(
    "conf-sequential-test",
    "high-probability",
    title="The anytime-valid test of a failure probability behind the verdicts",
    statement=r"Failures are independent Bernoulli($p$); for a law $\nu$ on $Q\subseteq[0,1]$, "
    r"$M_n(q_0)=\int_Qq^k(1-q)^{n-k}\,d\nu(q)\big/q_0^k(1-q_0)^{n-k}$. "
    r"(i) For every $\nu$: $P(\exists n:M_n(p)\ge1/\alpha)\le\alpha$. "
    r"(ii) For $Q\subseteq[\delta,1]$ and $p\le\delta$: $P(\exists n:M_n(\delta)\ge1/\alpha)"
    r"\le\alpha$. (iii) For $Q\subseteq[0,c]$ and $p\ge c$: "
    r"$P(\exists n:M_n(c)\ge1/\alpha)\le\alpha$.",
    source="this project",
    provenance=("textbook", "derived"),
    family=_sequential_family(),
    named={
        "refute at delta": lambda: _sequential_instance("refute", "1/10", "1/10", "1/20", 300),
        "confirm at 1.1 delta": lambda: _sequential_instance(
            "confirm", "1/10", "11/100", "1/20", 300
        ),
        "no failure ever": lambda: _sequential_instance("refute", "1/10", "0", "1/20", 200),
        "likely failures": lambda: _sequential_instance("refute", "1/2", "1/2", "4/5", 60),
    },
    mutants=[
        Mutant(
            "every-look",
            "refute by the fixed-sample Clopper-Pearson bound, looked at after every trial",
            check=lambda i: _sequential(i, _fixed_sample(i)),
        ),
        Mutant(
            "prior-below",
            "refute p <= delta by a prior with mass below delta",
            check=lambda i: _sequential(i, _two_sided(float(i.delta))),
        ),
        Mutant(
            "half", "1/(2 alpha) in place of 1/alpha", check=lambda i: _sequential(i, share=2.0)
        ),
    ],
    bound=lambda alpha: alpha,
    proof="text",
)
def sequential_test(i: Any) -> Measurement:
    return _sequential(i)


# --- betting ------------------------------------------------------------------------------

Bet = Callable[[Sequence[Fraction], Fraction], Fraction]


def _clipped(bet: Fraction, m: Fraction, share: Fraction) -> Fraction:
    return max(-share / (1 - m), min(share / m, bet))


def _bets(i: Any) -> list[tuple[Fraction, Bet]]:
    """(weight, bet from the past): one bettor, or two that share the capital."""
    share = i.share

    def plug_in(past: Sequence[Fraction], m: Fraction) -> Fraction:
        n = len(past) + 1
        mean = (Fraction(1, 2) + sum(past)) / n
        spread = (Fraction(1, 4) + sum((x - mean) ** 2 for x in past)) / n
        return _clipped((mean - m) / (spread + (mean - m) ** 2), m, share)

    if i.bettor == "plug-in":
        return [(Fraction(1), plug_in)]
    high: Bet = lambda past, m: share / m  # noqa: E731
    low: Bet = lambda past, m: -share / (1 - m)  # noqa: E731
    return {
        "high": [(Fraction(1), high)],
        "low": [(Fraction(1), low)],
        "both": [(Fraction(1, 2), high), (Fraction(1, 2), low)],
    }[i.bettor]


def _paths(i: Any, ahead: int = 0) -> Iterator[tuple[Fraction, Fraction, Fraction]]:
    """(probability, last wealth, largest wealth) of every path of draws, betting against mu."""
    mu, bets = mean_of(i), _bets(i)
    points = [(x, p) for x, p in zip(i.values, i.row, strict=True) if p]

    def walk(
        past: list[Fraction], mass: Fraction, wealths: list[Fraction], largest: Fraction
    ) -> Iterator[tuple[Fraction, Fraction, Fraction]]:
        if len(past) == i.n:
            yield mass, sum(wealths, Fraction(0)), largest
            return
        for x, p in points:
            known = past + [x] * ahead
            after = [
                w * (1 + bet(known, mu) * (x - mu))
                for w, (_, bet) in zip(wealths, bets, strict=True)
            ]
            yield from walk([*past, x], mass * p, after, max(largest, sum(after, Fraction(0))))

    yield from walk([], Fraction(1), [weight for weight, _ in bets], Fraction(1))


def _betting(i: Any, ahead: int = 0) -> list[Measurement]:
    if i.bettor == "the interval of the verdicts":
        return [_missed(i)]
    mean = Fraction(0)
    masses: dict[Fraction, Fraction] = {}
    for mass, last, largest in _paths(i, ahead):
        mean += mass * last
        masses[largest] = masses.get(largest, Fraction(0)) + mass
    return [tightest(masses), Measurement(abs(mean - 1), 0, what="mean wealth off 1")]


def _missed(i: Any, level: float = 1.0) -> Measurement:
    """How often `BettingInterval` has lost the mean after i.n draws, hence ever before."""
    mu, missed = mean_of(i), Fraction(0)
    points = [(float(x), p) for x, p in zip(i.values, i.row, strict=True) if p]
    for code in range(len(points) ** i.n):
        digits = [code // len(points) ** t % len(points) for t in range(i.n)]
        interval = BettingInterval(0.0, 1.0, level * float(i.alpha), grid=400)
        interval.add(np.array([points[d][0] for d in digits]))
        lower, upper = interval.bounds
        if not lower <= mu <= upper:
            missed += math.prod((points[d][1] for d in digits), start=Fraction(1))
    # A logarithm of wealth off by 1e-11 is a level off by as much.
    tolerance = 1e-11 * float(i.alpha)
    return Measurement(missed, i.alpha, trivial=1, tolerance=tolerance, certified=True)


def _betting_instance(
    row: Sequence[Fraction],
    values: Sequence[Fraction | int],
    n: int,
    bettor: str,
    share: Fraction | int = Fraction(1, 2),
    alpha: Fraction | str = "1/10",
) -> Instance:
    return Instance(
        row=list(row),
        values=[Fraction(x) for x in values],
        n=n,
        bettor=bettor,
        share=Fraction(share),
        alpha=Fraction(alpha),
    )


def _interval_instance(p: str, alpha: str) -> Instance:
    row = [1 - Fraction(p), Fraction(p)]
    return _betting_instance(row, [0, 1], 9, "the interval of the verdicts", alpha=alpha)


def _betting_family() -> Family:
    def build(weights: list[int], values: list[float], n: int, bettor: str, share: str) -> Instance:
        w, f = [x + 1 for x in weights], [Fraction(x) for x in values]
        if len(set(f)) == 1:
            f[0] = 1 - f[0] if f[0] != Fraction(1, 2) else Fraction(0)
        row = [Fraction(x, sum(w)) for x in w]
        most = {2: 8, 3: 5}[len(f)]
        return _betting_instance(row, f, min(n, most), bettor, Fraction(share))

    space: dict[str, Any] = {
        "weights": Many(Choice(0, 0, 1, 4, 39), 2),
        "values": Many(Dyadic(0, 1, 2), 2),
        "n": Integer(1, 8),
        "bettor": Choice("plug-in", "plug-in", "high", "low", "both"),
        "share": Choice("1/2", "1/2", "1"),
    }
    return Family(space, build)


_FAIR = [Fraction(1, 2), Fraction(1, 2)]
_THIRDS = [Fraction(1, 3)] * 3


@claim(
    "conf-betting",
    "high-probability",
    title="Bounds of a bounded mean by betting, behind the verdicts on expectations",
    statement=r"$X_t\in[0,1]$ with $E[X_t\mid\text{past}]=\mu$, $0<\mu<1$; $\lambda_t$ a function "
    r"of $X_1,\dots,X_{t-1}$ with $-\frac1{1-\mu}\le\lambda_t\le\frac1\mu$; "
    r"$K_n=\prod_{t\le n}(1+\lambda_t(X_t-\mu))$. Then $EK_n=1$ and "
    r"$P(\exists n:K_n\ge1/\alpha)\le\alpha$, also for $\frac12K^++\frac12K^-$. The interval that "
    r"`BettingInterval` keeps contains $\mu$ at all times with probability at least $1-\alpha$.",
    source="I. Waudby-Smith, A. Ramdas, JRSS-B 2024, arXiv 2010.09686",
    provenance=("paper", "derived"),
    family=_betting_family(),
    named={
        "all of it on a fair coin": lambda: _betting_instance(_FAIR, [0, 1], 6, "high", 1),
        "three values": lambda: _betting_instance(_THIRDS, [0, Fraction(1, 4), 1], 5, "plug-in"),
        "the verdicts' interval, 1/2": lambda: _interval_instance("1/2", "9/10"),
        "the verdicts' interval, 1/5": lambda: _interval_instance("1/5", "4/5"),
    },
    mutants=[
        Mutant("ahead", "the bet knows the draw", check=lambda i: _betting(i, ahead=1)),
        Mutant(
            "twice",
            "bets of up to twice the allowed range",
            named={"double stakes": lambda: _betting_instance(_FAIR, [0, 1], 6, "high", 2)},
        ),
        Mutant(
            "sides",
            "the verdicts' interval with level alpha on each side",
            check=lambda i: _missed(i, 2.0),
            named={"fair coin": lambda: _interval_instance("1/2", "9/20")},
        ),
    ],
    bound=lambda alpha: alpha,
    proof="text",
)
def betting(i: Any) -> list[Measurement]:
    return _betting(i)


CLAIMS = (ville, sequential_test, betting)
