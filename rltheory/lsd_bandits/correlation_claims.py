r"""The claim on which rounding rests: independent offsets lose a factor of c_{N,k} at most.

    E[sum of the k largest v_i] >= c_{N,k} sum_i E v_i >= c_{inf,k} sum_i E v_i      lsd-corr-gap

for independent v_i >= 0 with sum_i P(v_i > 0) <= k. Proof: docs/theory/lsd_relaxation.md.
"""

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from itertools import product
from math import factorial, prod
from typing import Any

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice, Integer, Many
from rltheory.lsd_bandits.virtual_value import expected_largest, guarantee

__all__ = ["CLAIMS"]

F = Fraction
MOST_NUMBERS = 7
VALUES = 3
FEW_OUTCOMES = 300
TERMS = 60


def limit_from_above(k: int) -> Fraction:
    """A rational number above 1 - k^k e^{-k}/k!, by less than 10^-30 for k <= 3.

    The series of e^{-k} alternates and its terms fall from the k-th on: after a negative one the
    sum is below.
    """
    series = sum((F((-k) ** j, factorial(j)) for j in range(TERMS)), F(0))
    return 1 - F(k**k, factorial(k)) * series


def _corr_gap(i: Instance, hundredths: int = 0) -> list[Measurement]:
    k = i.plays
    laws: list[dict[Fraction, Fraction]] = [
        {v: p for v, p in zip(values, chances, strict=True) if p}
        for values, chances in zip(i.values_of, i.chances_of, strict=True)
    ]
    whole = sum((v * p for law in laws for v, p in law.items()), F(0))
    largest = Fraction(expected_largest(laws, k))
    found = []
    if prod(len(law) + 1 for law in laws) <= FEW_OUTCOMES:
        listed = [[*law.items(), (F(0), 1 - sum(law.values(), F(0)))] for law in laws]
        one_by_one = F(0)
        for outcome in product(*listed):
            top = sorted((v for v, _ in outcome), reverse=True)[:k]
            one_by_one += prod((p for _, p in outcome), start=F(1)) * sum(top, F(0))
        largest = min(largest, one_by_one)
    bound = (guarantee(len(laws), k) + F(hundredths, 100)) * whole
    found.append(Measurement(largest, bound, what="c_{N,k}"))
    found.append(Measurement(largest, limit_from_above(k) * whole, what="c_{inf,k}"))
    return found


def _numbers_family() -> Family:
    def build(
        count: int, plays: int, weights: list[int], eighths: list[int], scale: int, load: str
    ) -> Instance:
        values, chances = [], []
        for n in range(count):
            part = slice(n * VALUES, (n + 1) * VALUES)
            pairs = zip(eighths[part], weights[part], strict=True)
            kept = {F(v, 8): F(w, scale * VALUES) for v, w in pairs}
            values.append(list(kept))
            chances.append(list(kept.values()))
        total = sum((p for of in chances for p in of), F(0))
        # Up to the budget, as far as no probability exceeds 1; down to it where it is exceeded.
        most = max((sum(of, F(0)) for of in chances), default=F(0))
        factor = F(1)
        if total > plays or (total and load == "full"):
            factor = min(F(plays) / total, 1 / most)
        return Instance(
            values_of=values,
            chances_of=[[p * factor for p in of] for of in chances],
            plays=plays,
        )

    entries = MOST_NUMBERS * VALUES
    space: dict[str, Any] = {
        "count": Integer(1, MOST_NUMBERS),
        "plays": Integer(1, 3),
        "weights": Many(Choice(0, 0, 1, 1, 2, 5), entries),
        "eighths": Many(Integer(1, 8), entries),
        "scale": Choice(5, 5, 10, 40),
        "load": Choice("full", "as drawn"),
    }
    return Family(space, build)


def equal_numbers(count: int, plays: int) -> Callable[[], Instance]:
    """N numbers that are 1 with probability k/N each: equality."""
    chance = min(F(1), F(plays, count))
    return lambda: Instance(values_of=[[F(1)]] * count, chances_of=[[chance]] * count, plays=plays)


def sure_numbers(count: int, plays: int) -> Callable[[], Instance]:
    """N numbers that are 1: together above the budget where N > k."""
    return lambda: Instance(values_of=[[F(1)]] * count, chances_of=[[F(1)]] * count, plays=plays)


EQUAL = {
    f"N = {n}, k = {k}, all k/N": equal_numbers(n, k) for n in (1, 2, 3, 5, 7) for k in (1, 2, 3)
}


@claim(
    "lsd-corr-gap",
    "lower-bound",
    title="The k largest of independent numbers keep c_{N,k} of the sum of all",
    statement=r"""$v_1,\dots,v_N\ge0$ independent with $\sum_iP(v_i>0)\le k$. Then
$$E[\text{sum of the }k\text{ largest}]\ \ge\ c_{N,k}\sum_iEv_i\ \ge\ c_{\infty,k}\sum_iEv_i,$$
$c_{N,k}=E[\min(k,\mathrm{Bin}(N,k/N))]/k$ (1 for $k\ge N$), $c_{\infty,k}=1-k^ke^{-k}/k!$.
Equality at $P(v_i=1)=k/N=1-P(v_i=0)$, for every $N$ and $k$.""",
    source="Yan, SODA 2011 (the correlation gap of rank functions)",
    provenance=("reconstructed", "derived"),
    family=_numbers_family(),
    named=EQUAL,
    mutants=[
        Mutant("more", "c_{N,k} + 1/100", check=partial(_corr_gap, hundredths=1)),
        Mutant(
            "no-budget",
            "any probabilities",
            named={"three sure ones, k = 1": sure_numbers(3, 1)},
        ),
    ],
    bound=guarantee,
    proof="text",
)
def corr_gap(instance: Instance) -> list[Measurement]:
    return _corr_gap(instance)


CLAIMS = (corr_gap,)
