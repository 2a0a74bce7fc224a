r"""The elliptical potential, and what a determinant says of norms that are out of date.

Vectors x_1..x_T in R^d of norm at most 1, Lambda_1 = lambda I, Lambda_{t+1} = Lambda_t + x_t x_t^T,
u_t = |x_t|^2 in the norm of Lambda_t^{-1}, D = det Lambda_{T+1} / det Lambda_1:

    prod (1 + u_t) = D <= (1 + T / (d lambda))^d,      sum min(1, u_t) <= log D / log 2,
    |z|^2_{Lambda_s^-1} <= (det Lambda_t / det Lambda_s) |z|^2_{Lambda_t^-1}  for s <= t.

All in fractions, each u_t from a linear system of its own and each determinant by elimination; only
log D / log 2, where D is no power of 2, has sixty digits. Proofs: docs/theory/linear.md.
"""

import dataclasses
import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice, Integer, Many
from rltheory.foundations.rationals import solve_linear
from rltheory.foundations.soft_planner import CONTEXT

__all__ = ["CLAIMS", "elliptical_potential_bound"]

Matrix = list[list[Fraction]]
Vector = Sequence[Fraction]

_MOST_STEPS = 8
_MOST_DIMENSIONS = 3
_LOG_ERROR = Fraction(1, 10**50)


def elliptical_potential_bound(dimension: int, steps: int, ridge: float) -> float:
    """d log(1 + T/(d ridge)) / log 2, what sum min(1, |x_t|^2) is at most."""
    return dimension * math.log1p(steps / (dimension * ridge)) / math.log(2.0)


# --- exact linear algebra -----------------------------------------------------------------


def _determinant(matrix: Matrix) -> Fraction:
    lines = [list(line) for line in matrix]
    out = Fraction(1)
    for k in range(len(lines)):
        out *= lines[k][k]  # positive definite: no pivot is 0
        for i in range(k + 1, len(lines)):
            factor = lines[i][k] / lines[k][k]
            lines[i] = [x - factor * y for x, y in zip(lines[i], lines[k], strict=True)]
    return out


def _norm2(matrix: Matrix, x: Vector) -> Fraction:
    """|x|^2 in the norm of the inverse."""
    solved = solve_linear(matrix, x)
    return sum((a * b for a, b in zip(x, solved, strict=True)), Fraction(0))


def _plus(matrix: Matrix, x: Vector) -> Matrix:
    return [
        [m + a * b for m, b in zip(line, x, strict=True)] for line, a in zip(matrix, x, strict=True)
    ]


def _log2(x: Fraction) -> tuple[Fraction, Fraction]:
    """log2 x and a bound of its error; exact for powers of 2."""
    p, q = x.numerator, x.denominator
    if p & (p - 1) == 0 and q & (q - 1) == 0:
        return Fraction(p.bit_length() - q.bit_length()), Fraction(0)
    log = CONTEXT.log(CONTEXT.mpf(p) / q) / CONTEXT.log(2)
    sign, mantissa, exponent, _ = log._mpf_
    return (-1) ** sign * Fraction(int(mantissa)) * Fraction(2) ** int(exponent), _LOG_ERROR


# --- instances ----------------------------------------------------------------------------


def _steps(vectors: Sequence[Sequence[Any]], ridge: Any, probe: Sequence[Any]) -> Instance:
    return Instance(
        vectors=[[Fraction(x) for x in v] for v in vectors],
        ridge=Fraction(ridge),
        probe=[Fraction(x) for x in probe],
    )


def _family() -> Family:
    """Small integer directions over their 1-norm, so of norm at most 1, and the unit vectors."""

    def build(
        dimension: int, steps: int, entries: list[int], ridge: str, probe: list[int], basis: bool
    ) -> Instance:
        d, vectors = dimension, []
        for t in range(steps):
            x = entries[t * _MOST_DIMENSIONS : t * _MOST_DIMENSIONS + d]
            if basis:
                x = [int(k == t % d) for k in range(d)]
            size = sum(map(abs, x)) or 1
            vectors.append([Fraction(v, size) for v in x])
        return _steps(vectors, ridge, probe[:d])

    return Family(
        {
            "dimension": Integer(1, _MOST_DIMENSIONS),
            "steps": Integer(1, _MOST_STEPS),
            "entries": Many(Choice(0, 0, 1, 1, -1, 2, 3), _MOST_STEPS * _MOST_DIMENSIONS),
            "ridge": Choice("1/4", "1", "1", "2", "10"),
            "probe": Many(Choice(0, 1, 1, -1, 2), _MOST_DIMENSIONS),
            "basis": Choice(False, False, True),
        },
        build,
    )


def _basis(dimension: int, rounds: int, ridge: Any = 1, zeros: int = 0) -> Callable[[], Instance]:
    unit = [[int(i == j) for j in range(dimension)] for i in range(dimension)]
    rows = unit * rounds + [[0] * dimension] * zeros
    return lambda: _steps(rows, ridge, [1] * dimension)


# --- the claim ----------------------------------------------------------------------------


def _elliptical(
    i: Any,
    power: Callable[[int, int, Fraction], Fraction] | None = None,
    constant: Fraction | None = None,
    capped: bool = True,
    root: bool = False,
) -> list[Measurement]:
    d, T = len(i.probe), len(i.vectors)
    matrix = [[i.ridge * (j == k) for k in range(d)] for j in range(d)]
    matrices, u = [matrix], []
    for x in i.vectors:
        u.append(_norm2(matrix, x))
        matrix = _plus(matrix, x)
        matrices.append(matrix)
    ratio = _determinant(matrix) / i.ridge**d
    product = math.prod((1 + x for x in u), start=Fraction(1))
    most = (power or _volume)(d, T, i.ridge)
    potential = sum((min(Fraction(1), x) if capped else x for x in u), Fraction(0))
    log2, error = _log2(ratio)
    # sum <= log D / log 2, or c log D in a mutant, where log D = log 2 log2 D.
    bound = log2 if constant is None else constant * log2
    middle = matrices[T // 2]
    growth = _determinant(matrix) / _determinant(middle)
    then, now = _norm2(middle, i.probe), _norm2(matrix, i.probe)
    stale = Measurement(then, growth * now, trivial=_norm2(matrices[0], i.probe), what="staleness")
    if root:
        stale = Measurement(then**2, growth * now**2, what="staleness, squared")
    return [
        Measurement(abs(product - ratio), 0, what="determinants"),
        Measurement(ratio, most, what="volume"),
        Measurement(potential, bound, trivial=T, tolerance=error, certified=True, what="potential"),
        dataclasses.replace(stale, event=any(i.probe)),
    ]


def _volume(d: int, T: int, ridge: Fraction) -> Fraction:
    return (1 + T / (d * ridge)) ** d


_LOG_2 = Fraction(math.log(2.0))  # of a mutant, whose refutation does not hang on its last bits


@claim(
    "conf-elliptical",
    "inequality",
    title="The elliptical potential, with the constant 1/log 2",
    statement=r"""For $x_1,\dots,x_T\in\mathbb R^d$ with $\|x_t\|\le1$, $\lambda>0$,
$\Lambda_1=\lambda I$, $\Lambda_{t+1}=\Lambda_t+x_tx_t^\top$ and $u_t=\|x_t\|^2_{\Lambda_t^{-1}}$:
$\sum_t\log(1+u_t)=\log\frac{\det\Lambda_{T+1}}{\det\Lambda_1}\le d\log\bigl(1+\frac T{d\lambda}
\bigr)$ and $\sum_t\min(1,u_t)\le\frac1{\log2}\log\frac{\det\Lambda_{T+1}}{\det\Lambda_1}$. For
$s\le t$ and any $z$:
$\|z\|^2_{\Lambda_s^{-1}}\le\frac{\det\Lambda_t}{\det\Lambda_s}\|z\|^2_{\Lambda_t^{-1}}$.""",
    source="Abbasi-Yadkori, Pal, Szepesvari, NeurIPS 2011, Lemmas 11 and 12 (there with factor 2)",
    provenance=("textbook", "derived"),
    family=_family(),
    named={
        "a basis once, then nothing": _basis(3, 1, zeros=2),
        "a basis three times": _basis(2, 3),
        "one dimension": _basis(1, 6),
        "one step, large": _basis(1, 1, "1/4"),
        "little ridge": _basis(2, 2, "1/100"),
    },
    mutants=[
        Mutant(
            "constant-1",
            "1 in place of 1 / log 2",
            check=partial(_elliptical, constant=_LOG_2),
        ),
        Mutant(
            "no-cap",
            "u_t in place of min(1, u_t)",
            check=partial(_elliptical, capped=False),
        ),
        Mutant(
            "no-dimension",
            "log(1 + T / lambda), without d",
            check=partial(_elliptical, power=lambda d, T, ridge: 1 + T / ridge),
        ),
        Mutant(
            "smaller-dimension",
            "(d - 1) log(1 + T / (d lambda))",
            check=partial(_elliptical, power=lambda d, T, ridge: (1 + T / (d * ridge)) ** (d - 1)),
        ),
        Mutant(
            "staleness-root",
            "the square root of the determinant ratio",
            check=partial(_elliptical, root=True),
        ),
    ],
    bound=elliptical_potential_bound,
    proof="text",
)
def elliptical(instance: Any) -> list[Measurement]:
    return _elliptical(instance)


actor_critic_elliptical = dataclasses.replace(
    elliptical,
    id="ac-elliptical",
    title="The elliptical potential, as the actor-critic topic uses it",
    source="conf-elliptical; the factor 2 used there is larger than 1 / log 2",
)

CLAIMS = (elliptical, actor_critic_elliptical)
