r"""The self-normalised bound: ridge regression is near the truth at all times at once.

y_i = x_i^T theta + eta_i with eta_i sigma-sub-Gaussian given the past and x_i a function of it,
Lambda_t = lambda I + sum x x^T, and theta_t the ridge estimate, so that

    Lambda_t (theta_t - theta) = sum eta_i x_i - lambda theta.

Noise here is eta = b - p with b Bernoulli(p), sigma = 1/2. Where directions are one or two fixed
vectors, and the next one is chosen from what they brought so far, all depends on the numbers of
uses and of successes of each; the law of the first failure is then a recursion over these (F9 with
further axes), and no draw is needed. Paths within 1e-9 of the boundary count as failures, and what
they add is the tolerance. The form for values of a linear MDP, `demo-linear-selfnorm`, has more
directions and is tested by trials. Proofs: docs/theory/linear.md.
"""

import dataclasses
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory.claims.claim import Claim, Measurement, Mutant, claim
from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice, Integer, Many
from rltheory.foundations.laws import DELTAS
from rltheory.mathematics.concentration import self_normalized_radius
from rltheory.mathematics.crossing import crossing_probability
from rltheory.mathematics.regression import Ridge
from rltheory.mdp.linear import random_linear_mdp

__all__ = ["CLAIMS"]

_CLOSE = 1e-9
_MOST_DRAWS = 24
RULES = ("alternate", "least known", "most promising", "as long as it wins")

Array = NDArray[Any]
Radius = Callable[..., Any]


class _Past:
    """What the past amounts to: `uses` and `successes` of each direction, arrays or numbers."""

    def __init__(self, i: Any, uses: Sequence[Any], successes: Sequence[Any]) -> None:
        x = np.array([[float(v) for v in row] for row in i.directions])
        theta, ridge, p = np.array([float(v) for v in i.theta]), float(i.ridge), float(i.p)
        self.uses, self.successes, self.p, self.x = uses, successes, p, x
        d = len(theta)
        outer = [np.outer(row, row) for row in x]
        self.matrix = [
            [
                ridge * (a == b) + sum(n * o[a, b] for n, o in zip(uses, outer, strict=True))
                for b in range(d)
            ]
            for a in range(d)
        ]
        self.det = self.matrix[0][0]
        if d == 2:
            self.det = self.det * self.matrix[1][1] - self.matrix[0][1] ** 2
        noise = [k - n * p for n, k in zip(uses, successes, strict=True)]
        sums = [sum(e * row[a] for e, row in zip(noise, x, strict=True)) for a in range(d)]
        self.log_det_ratio = np.maximum(np.log(self.det / ridge**d), 0.0)
        self.off = [s - ridge * t for s, t in zip(sums, theta, strict=True)]
        outcome = [n * (row @ theta) + e for n, e, row in zip(uses, noise, x, strict=True)]
        self.right = [sum(y * row[a] for y, row in zip(outcome, x, strict=True)) for a in range(d)]

    def norm2(self, v: Sequence[Any]) -> Any:
        """|v|^2 in the norm of the inverse of Lambda."""
        m = self.matrix
        if len(v) == 1:
            return v[0] ** 2 / self.det
        return (m[1][1] * v[0] ** 2 - 2 * m[0][1] * v[0] * v[1] + m[0][0] * v[1] ** 2) / self.det

    def estimate(self, v: Any) -> Any:
        """v^T theta_t."""
        m, b = self.matrix, self.right
        if len(b) == 1:
            return v[0] * b[0] / self.det
        solved = (m[1][1] * b[0] - m[0][1] * b[1], m[0][0] * b[1] - m[0][1] * b[0])
        return (v[0] * solved[0] + v[1] * solved[1]) / self.det

    def takes_second(self, rule: str) -> Any:
        """Whether the next direction is the second one: a function of the past alone."""
        first, second = self.x
        if rule == "alternate":
            return self.uses[0] > self.uses[1]
        if rule == "least known":
            return self.norm2(second) > self.norm2(first) + _CLOSE
        if rule == "most promising":
            return self.estimate(second) > self.estimate(first) + _CLOSE
        return self.successes[0] < self.p * self.uses[0] - _CLOSE


def _excess(i: Any, radius: Radius, past: _Past) -> Any:
    bound = radius(
        past.log_det_ratio,
        float(i.delta),
        0.5,
        float(i.ridge),
        float(np.linalg.norm([float(v) for v in i.theta])),
    )
    return np.sqrt(np.maximum(past.norm2(past.off), 0.0)) - bound


def _one_direction(i: Any, radius: Radius, safe: float) -> tuple[float, bool]:
    """(probability that the excess is above `safe` at some time, whether any was near 0)."""
    near = False

    def crossed(n: int) -> Array:
        nonlocal near
        k = np.arange(n + 1)
        excess = _excess(i, radius, _Past(i, [np.full(n + 1, float(n))], [k]))
        near = near or bool((np.abs(excess) < _CLOSE).any())
        return np.asarray(excess > safe)

    return float(crossing_probability(crossed, float(i.p), i.n)), near


def _two_directions(i: Any, radius: Radius, safe: float) -> tuple[float, bool]:
    """The same, over (uses of the first, successes of the first, successes of the second)."""
    p, near, dead = float(i.p), False, 0.0
    alive = np.ones((1, 1, 1))
    for t in range(i.n + 1):
        cells = np.nonzero(alive)
        n1, k1, k2 = (cell.astype(np.float64) for cell in cells)
        past, mass = _Past(i, [n1, t - n1], [k1, k2]), alive[cells]
        if t:
            excess = _excess(i, radius, past)
            near = near or bool((np.abs(excess) < _CLOSE).any())
            dead += float(mass[excess > safe].sum())
            mass = np.where(excess > safe, 0.0, mass)
        if t == i.n:
            break
        second = past.takes_second(i.rule)
        stays, goes = np.zeros(alive.shape), np.zeros(alive.shape)
        stays[cells], goes[cells] = np.where(second, 0.0, mass), np.where(second, mass, 0.0)
        alive = np.zeros((t + 2, t + 2, t + 2))
        alive[1:, 1:, :-1] += p * stays
        alive[1:, :-1, :-1] += (1 - p) * stays
        alive[:-1, :-1, 1:] += p * goes
        alive[:-1, :-1, :-1] += (1 - p) * goes
    return dead, near


def _law(i: Any, radius: Radius = self_normalized_radius) -> Measurement:
    of = _one_direction if len(i.directions) == 1 else _two_directions
    failed, near = of(i, radius, -_CLOSE)
    surely = of(i, radius, _CLOSE)[0] if near else failed
    rounding = 16 * i.n * 2.0**-53 * failed
    return Measurement(
        failed, i.delta, trivial=1, tolerance=failed - surely + rounding, certified=True
    )


def _peeking(i: Any) -> Measurement:
    """x = 1 where the noise is above 0, else 0: then Lambda and the sum count successes alone."""

    def crossed(n: int) -> Array:
        k = np.arange(n + 1.0)
        excess = k * (1 - float(i.p)) / np.sqrt(float(i.ridge) + k) - self_normalized_radius(
            np.log1p(k / float(i.ridge)), float(i.delta), 0.5, float(i.ridge), 0.0
        )
        return np.asarray(excess > _CLOSE)

    return Measurement(crossing_probability(crossed, float(i.p), i.n), i.delta, trivial=1)


def _no_growth(growth: Any, *rest: Any) -> Any:
    return self_normalized_radius(0.0 * growth, *rest)


def _no_bias(growth: Any, delta: float, sigma: float, ridge: float, norm: float) -> Any:
    return self_normalized_radius(growth, delta, sigma, ridge, 0.0)


def _half(*arguments: Any) -> Any:
    return self_normalized_radius(*arguments) / 2.0


# --- instances ----------------------------------------------------------------------------


def _regression(
    directions: Sequence[Sequence[Any]],
    theta: Sequence[Any],
    n: int,
    rule: str = "alternate",
    p: Any = "1/2",
    ridge: Any = 1,
    delta: Any = "1/10",
) -> Callable[[], Instance]:
    return lambda: Instance(
        directions=[[Fraction(x) for x in row] for row in directions],
        theta=[Fraction(x) for x in theta],
        n=n,
        rule=rule,
        p=Fraction(p),
        ridge=Fraction(ridge),
        delta=Fraction(delta),
    )


def _family() -> Family:
    def build(
        two: bool,
        entries: list[str],
        theta: list[str],
        n: int,
        rule: str,
        p: str,
        ridge: str,
        delta: str,
    ) -> Instance:
        d = 2 if two else 1
        rows = [entries[:2], entries[2:]] if two else [["1"]]
        draws = n if two else 20 * n
        return _regression(rows, theta[:d], draws, rule, p, ridge, delta)()

    return Family(
        {
            "two": Choice(False, True, True),
            "entries": Many(Choice("0", "1", "1", "3/5", "-4/5", "1/4"), 4),
            "theta": Many(Choice("0", "0", "1", "-1/2"), 2),
            "n": Integer(1, _MOST_DRAWS),
            "rule": Choice(*RULES),
            "p": Choice("1/2", "1/2", "1/4", "9/10", "1/50"),
            "ridge": Choice("1/4", "1", "1", "10"),
            "delta": Choice(*DELTAS),
        },
        build,
    )


_BASIS = [[1, 0], [0, 1]]


@claim(
    "conf-self-normalized",
    "high-probability",
    title="The self-normalised bound for ridge regression",
    statement=r"""$y_i=\langle\theta,x_i\rangle+\eta_i$ with $x_i\in\mathbb R^d$ a function of the
past and $\eta_i$ $\sigma$-sub-Gaussian given it, $\lambda>0$,
$\Lambda_t=\lambda I+\sum_{i\le t}x_ix_i^\top$,
$\hat\theta_t=\Lambda_t^{-1}\sum_{i\le t}y_ix_i$:
$P\Bigl(\exists t:\|\hat\theta_t-\theta\|_{\Lambda_t}>\sigma\sqrt{2\log\frac1\delta
+\log\frac{\det\Lambda_t}{\lambda^d}}+\sqrt\lambda\|\theta\|\Bigr)\le\delta$.""",
    source="Abbasi-Yadkori, Pal, Szepesvari, NeurIPS 2011, arXiv 1102.2670, Theorems 1 and 2",
    provenance=("paper", "paper"),
    family=_family(),
    named={
        "one direction, 2000 draws": _regression([[1]], [0], 2000),
        "one direction, much ridge": _regression([[1]], [0], 5000, ridge=100),
        "one direction, a truth": _regression([[1]], [1], 500, ridge=4),
        "two directions, least known": _regression(_BASIS, [0, 0], 50, RULES[1], ridge="1/4"),
        "two directions, promising": _regression(
            [["4/5", "3/5"], ["3/5", "4/5"]], [1, "-1/2"], 40, RULES[2]
        ),
        "two directions, winning": _regression(_BASIS, [0, 0], 50, RULES[3]),
    },
    mutants=[
        Mutant("half", "the radius halved", check=partial(_law, radius=_half)),
        Mutant("no-growth", "without the log-determinant", check=partial(_law, radius=_no_growth)),
        Mutant(
            "no-bias",
            "without sqrt(lambda) |theta|",
            check=partial(_law, radius=_no_bias),
            named={"a far truth": _regression([[1]], [4], 100, ridge=4)},
        ),
        Mutant(
            "peeking",
            "x_i that looks at its own noise: 1 where it is above 0, else 0",
            check=_peeking,
            named={"fair coins": _regression([[1]], [0], 200)},
        ),
    ],
    bound=self_normalized_radius,
    proof="text",
)
def self_normalized(instance: Any) -> Measurement:
    return _law(instance)


# --- values of a linear MDP -----------------------------------------------------------------


def _values(states: int, dimension: int, steps: int, seed: int) -> Callable[[], Instance]:
    """Features and rows of one stage of a linear MDP, and a function on its states."""

    def make() -> Instance:
        mdp = random_linear_mdp(states, 2, dimension, 1, seed)
        corner = np.arange(states) % 2
        return Instance(
            features=mdp.features.reshape(-1, dimension),
            rows=mdp.features.reshape(-1, dimension) @ mdp.measures[0],
            value=3.0 * corner,
            scale=3.0,
            steps=steps,
            delta=0.1,
        )

    return make


def _trial(i: Any, stream: Any, factor: float = 1.0, growth: bool = True) -> Measurement:
    """The largest |sum phi (V(s') - pV)| / radius of one path."""
    fit = Ridge(i.features.shape[1], 1.0)
    means, cumulated = i.rows @ i.value, i.rows.cumsum(axis=1)
    uniform = stream.uniforms(i.steps)
    sums = np.zeros(fit.dimension)
    squares, growths = np.zeros(i.steps), np.zeros(i.steps)
    weights = fit.weights
    for t in range(i.steps):
        # Towards where the noise went so far, and where little is known: a function of the past.
        pair = int(np.argmax(i.features @ weights + 0.3 * fit.norm(i.features)))
        then = min(int(cumulated[pair].searchsorted(uniform[t], "right")), len(i.value) - 1)
        noise = float(i.value[then] - means[pair])
        fit.update(i.features[pair], noise)
        sums += noise * i.features[pair]
        weights = fit.weights
        squares[t], growths[t] = sums @ weights, fit.log_det_ratio
    radius = self_normalized_radius(growths * growth, i.delta, factor * i.scale / 2.0, 1.0, 0.0)
    worst = float((np.sqrt(np.maximum(squares, 0.0)) / radius).max())
    return Measurement(worst, 1.0, tolerance=1e-9)


def linear_mdp_form(base: Claim) -> Claim:
    """The bound for values: no truth to be near to, so no bias, and sigma = B/2."""
    return dataclasses.replace(
        base,
        id="demo-linear-selfnorm",
        title="The self-normalised bound for a value in a linear MDP",
        statement=r"""A linear MDP with features $\phi$, a fixed $V\in[0,B]$, pairs chosen from the
past, $\Lambda_t=\lambda I+\sum_{i\le t}\phi_i\phi_i^\top$: $P\Bigl(\exists t:
\bigl\|\sum_{i\le t}\phi_i(V(s_i')-pV)\bigr\|^2_{\Lambda_t^{-1}}>\frac{B^2}2\bigl(\frac12\log
\frac{\det\Lambda_t}{\det\lambda I}+\log\frac1\delta\bigr)\Bigr)\le\delta$.""",
        check=_trial,
        family=None,
        named={
            "two features, 100 steps": _values(4, 2, 100, 0),
            "four features, 40 steps": _values(6, 4, 40, 1),
        },
        mutants=(
            Mutant(
                "half",
                "a quarter of the squared radius",
                check=lambda i, stream: _trial(i, stream, factor=0.5),
            ),
            Mutant(
                "no-growth",
                "without the log-determinant",
                check=lambda i, stream: _trial(i, stream, growth=False),
                named={"two features, 400 steps": _values(4, 2, 400, 0)},
            ),
        ),
        delta=lambda i: float(i.delta),
    )


CLAIMS = (self_normalized, linear_mdp_form(self_normalized))
