"""Cloning in fractions: laws of counts, clones of counts, and the mean of what they lose.

For checks, apart from `behavior_cloning` and `expected_bc_kl`: binomial laws are fractions,
logarithms have sixty digits, and all data sets of small models can be gone through.
"""

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any

from rltheory.demonstrations.exact_episodes import DIGITS, Episodes, Policy, Real, real

__all__ = [
    "binomial",
    "clone_of",
    "compositions",
    "data_sets",
    "mean_divergence",
    "smoothed",
]


def compositions(n: int, size: int) -> Iterator[tuple[int, ...]]:
    """All ways to write n as a sum of so many counts."""
    if size == 1:
        yield (n,)
        return
    for k in range(n + 1):
        for rest in compositions(n - k, size - 1):
            yield (k, *rest)


@lru_cache(maxsize=256)
def binomial(n: int, q: Fraction) -> list[Fraction]:
    """The binomial law (n, q)."""
    return [math.comb(n, k) * q**k * (1 - q) ** (n - k) for k in range(n + 1)]


@lru_cache(maxsize=4096)
def _mean_log(n: int, q: Fraction, c: Fraction) -> Real:
    """E log(M + c)."""
    law = binomial(n, q)
    return DIGITS.fsum(real(w) * DIGITS.log(real(k + c)) for k, w in enumerate(law) if w)


def smoothed(counts: Sequence[int], alpha: Fraction) -> list[Fraction]:
    """(N_a + alpha) / (n + alpha A), uniform without a count."""
    total = sum(counts) + alpha * len(counts)
    if not total:
        return [Fraction(1, len(counts))] * len(counts)
    return [(k + alpha) / total for k in counts]


def data_sets(
    episodes: Episodes, expert: Policy, n: int
) -> Iterator[tuple[Fraction, dict[tuple[int, int], list[int]]]]:
    """The law of the counts of n episodes: chances, and counts of actions at (stage, state)."""
    known: dict[tuple[tuple[int, int, int], ...], Fraction] = {}

    def walk(h: int, s: int, chance: Fraction, seen: tuple[tuple[int, int, int], ...]) -> None:
        for a in episodes.actions:
            p = chance * expert[h][s][a]
            if not p:
                continue
            path = (*seen, (h, s, a))
            on = h < episodes.H - 1
            over = p * episodes.stages[h].exit(s, a) if on else p
            if over:
                known[path] = known.get(path, Fraction(0)) + over
            for t, x in enumerate(episodes.stages[h].P[s][a]) if on else ():
                if x:
                    walk(h + 1, t, p * x, path)

    for s in episodes.states:
        if episodes.start[s]:
            walk(0, s, episodes.start[s], ())
    paths = list(known.items())
    for times in compositions(n, len(paths)):
        chance = Fraction(math.factorial(n))
        counts: dict[tuple[int, int], list[int]] = {}
        for k, (path, p) in zip(times, paths, strict=True):
            chance *= p**k / math.factorial(k)
            for h, s, a in path if k else ():
                counts.setdefault((h, s), [0] * episodes.A)[a] += k
        yield chance, counts


def clone_of(
    episodes: Episodes, counts: dict[tuple[int, int], list[int]], alpha: Fraction
) -> Policy:
    """The clone of these counts."""
    nothing = [0] * episodes.A
    return [
        [smoothed(counts.get((h, s), nothing), alpha) for s in episodes.states]
        for h in range(episodes.H)
    ]


def mean_divergence(
    episodes: Episodes, expert: Policy, n: int, alpha: Fraction, occupancy: Any = None
) -> Real:
    """The formula of the exact law."""
    d = episodes.occupancy(expert) if occupancy is None else occupancy

    def at(h: int, s: int) -> Real:
        p, mass = [Fraction(x) for x in expert[h][s]], Fraction(d[h][s])
        terms = [_mean_log(n, mass, alpha * episodes.A)]
        for x in p:
            if x:
                own = DIGITS.log(real(x)) - _mean_log(n, mass * x, alpha)
                terms.append(real(x) * own)
        return DIGITS.fsum(terms)

    return episodes.mean(d, at)
