"""Confidence for whole transition rows from a fixed number of draws.

p_hat is the empirical law of n independent successors of a row on S points (S + 1 with an exit).
The failure probability of the L1 ball is computed from the law of the counts; two claims, on the
mean distance of an empirical row and on all rows of a model at once, are tried on random draws.
Proofs: docs/theory/foundations.md.
"""

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import accumulate
from typing import Any

import numpy as np

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice, Integer
from rltheory.foundations.families import model_space, read_model, rows_of_weights
from rltheory.foundations.laws import (
    DELTAS,
    SAFE,
    UNIT,
    Numbers,
    failure,
    law_of_row,
    row_space,
)
from rltheory.mathematics.concentration import (
    empirical_bernstein_radius,
    hoeffding_radius,
    l1_radius,
)
from rltheory.mdp.model import MDP

__all__ = ["CLAIMS"]

Radius = Callable[[int, Any, float, float], Any]


# --- L1 distance --------------------------------------------------------------------------


def _row_instance(row: Sequence[Fraction | int], n: int, delta: Fraction | str) -> Instance:
    return Instance(row=[Fraction(p) for p in row], n=n, delta=Fraction(delta))


def _l1_family() -> Family:
    def build(
        states: int, exits: bool, certain: bool, weights: list[int], n: int, delta: str
    ) -> Instance:
        rows, ends = rows_of_weights(states, 1, exits, [certain], weights)
        return _row_instance(rows[0] + ends[:exits], n, delta)

    return Family(row_space() | {"n": Integer(1, 24), "delta": Choice(*DELTAS)}, build)


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
            error = (exponent + 4.0) * UNIT * bound
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


CLAIMS = (l1, l1_mean, rows)
