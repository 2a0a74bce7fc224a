r"""The optimism of UCBVI, by the exact law of a boundary crossing.

The problem: Q is planned from empirical transitions and a bonus before each of K episodes; how
likely is it that some plan puts some Q_h(s, a) below Q*_h(s, a)? On the instance `predict` there is
one unknown coin for each copy of the start state: after n throws with share p_hat of successes

    Q - Q* = p_hat - p + b(n)    at stage h = H-2, where H-h-1 = 1 and V_{h+1} is known,

so that optimism fails where p_hat falls short of p by more than b(n), whose law is that of a
Bernoulli path that crosses a boundary (algorithm F9); earlier stages fail later. With m
copies the numbers of throws are multinomial; they are independent given that a Poisson variable,
their sum, is K. Statement and proof: docs/theory/learning.md. The boundary is read from the bonus
of `rltheory.UCBVI` itself.
"""

import math
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice
from rltheory.foundations.laws import DELTAS
from rltheory.learning.ucbvi import UCBVI

__all__ = ["CLAIMS", "failure_law", "surviving"]

Array = NDArray[np.float64]
Boundary = Callable[[int], Any]
_SAFE = 1e-9


# --- laws ---------------------------------------------------------------------------------


def surviving(radius: Boundary, p: float, most: int, margin: float = 0.0) -> Array:
    """P(p - k/j <= radius(j)[k] for all j <= n), for n = 0..most.

    `radius(n)` is a number or an array over the successes k = 0..n; `margin` is taken from it.
    """
    alive = np.ones(1)
    out = np.ones(most + 1)
    for n in range(1, most + 1):
        moved = np.zeros(n + 1)
        moved[:-1] = (1.0 - p) * alive
        moved[1:] += p * alive
        moved[p - np.arange(n + 1) / n > radius(n) - margin] = 0.0
        alive = moved
        out[n] = alive.sum()
    return out


def failure_law(radius: Boundary, p: float, episodes: int, copies: int, margin: float) -> float:
    """Probability that some of the coins falls short at some time in so many episodes."""
    if copies == 1:
        return 1.0 - float(surviving(radius, p, episodes, margin)[-1])
    rate = episodes / copies
    most = min(episodes, math.ceil(rate + 12.0 * math.sqrt(rate)) + 50)
    n = np.arange(most + 1.0)
    log_mass = n * math.log(rate) - rate - _log_factorials(most)
    weights = np.exp(log_mass) * surviving(radius, p, most, margin)
    total = weights
    for _ in range(copies - 1):
        total = np.convolve(total, weights)[: episodes + 1]
    at = episodes * math.log(episodes) - episodes - math.lgamma(episodes + 1.0)
    return 1.0 - float(total[episodes]) / math.exp(at)


def _log_factorials(most: int) -> Array:
    return np.concatenate([[0.0], np.cumsum(np.log(np.arange(1.0, most + 1.0)))])


# --- radii --------------------------------------------------------------------------------


def _hoeffding(i: Any, level: float, factor: float = 1.0) -> Boundary:
    return lambda n: factor * math.sqrt(level / (2.0 * n))


def _played(i: Any, bonus: str, factor: float = 1.0, floor: float = 1.0) -> Boundary:
    """What the learner adds at stage H-2, over the number of successes."""
    learner = UCBVI(float(i.delta), bonus, factor=factor)
    _, table, root, low = learner.bonus_of(i.copies + 1, 1, i.horizon, i.episodes)
    if bonus == "hoeffding":
        return lambda n: table[n]

    def radius(n: int) -> Any:
        share = np.arange(n + 1) / n
        spread = root[n] * np.sqrt(share * (1.0 - share))
        return np.minimum(table[n], np.maximum(spread, floor * low[n]))

    return radius


def _log_of_all(i: Any) -> float:
    """log(S A H K / delta)."""
    return math.log((i.copies + 1) * i.horizon * i.episodes / i.delta)


# --- the claim ----------------------------------------------------------------------------


def _measured(i: Any, radius: Boundary, allowed: Fraction, what: str) -> Measurement:
    """Failures with the boundary moved in by 1e-9; what that adds is the tolerance."""
    p, shape = float(i.p), (i.episodes, i.copies)
    wide = failure_law(radius, p, *shape, margin=_SAFE)
    sure = failure_law(radius, p, *shape, margin=-_SAFE)
    rounding = 64.0 * i.episodes * 2.0**-53 * (i.copies + 1)
    tolerance = max(0.0, wide - sure) + rounding
    return Measurement(wide, allowed, trivial=1, tolerance=tolerance, what=what)


def _optimism(i: Any) -> list[Measurement]:
    delta = Fraction(i.delta)
    return [
        _measured(i, _hoeffding(i, _log_of_all(i)), delta, "L = log(SAHK/delta)"),
        _measured(i, _played(i, "hoeffding"), delta / 3, "hoeffding, as played"),
        _measured(i, _played(i, "bernstein"), delta, "bernstein, as played"),
    ]


def _mutated(i: Any, level: Callable[[Any], float], factor: float = 1.0) -> Measurement:
    return _measured(i, _hoeffding(i, level(i), factor), Fraction(i.delta), "mutant")


def _third(i: Any) -> float:
    """log(3 S A H K / delta): the level that is played."""
    return math.log(3.0) + _log_of_all(i)


def _no_floor(i: Any) -> Measurement:
    return _measured(i, _played(i, "bernstein", floor=0.0), Fraction(i.delta), "mutant")


def coins(
    episodes: int,
    p: str = "1/2",
    delta: str = "1/10",
    horizon: int = 2,
    copies: int = 1,
) -> Callable[[], Instance]:
    """The instance `predict` with this many episodes."""
    return lambda: Instance(
        p=Fraction(p), delta=Fraction(delta), episodes=episodes, horizon=horizon, copies=copies
    )


_NAMED = {
    "predict, K = 100": coins(100),
    "predict, K = 1000": coins(1000),
    "H = 5, rare success": coins(300, p="1/50", horizon=5),
    "5 coins, K = 2500": coins(2500, copies=5),
}


@claim(
    "learn-ucbvi-optimism",
    "high-probability",
    title="UCBVI is optimistic",
    statement=r"""Stages $h=0,\dots,H-1$, rewards in $[0,1]$ that are no random numbers, $N=SAHK$,
$K$ episodes. With $\bar Q_h=H-h$ where $n=0$, else
$\bar Q_h=\min\{H-h,\ r_h+\hat P_h\bar V_{h+1}+b_h(n)\}$, and
$b_h(n)=(H-h-1)\sqrt{L/2n}$, $L=\log\frac N\delta$:
$$P\big(\forall k\le K,h,s,a:\ \bar Q^k_h(s,a)\ge Q^*_h(s,a)\big)\ge1-\delta.$$
The same holds with $b_h(n)=\min\big\{(H-h-1)\sqrt{\tfrac L{2n}},\
\max\{\tfrac53\sqrt{\tfrac{2\ell}{n-1}}\,\hat\sigma,\ \tfrac{35}6\tfrac{(H-h-1)\ell}{n-1}\}\big\}$,
$L=\log\frac{2N}\delta$, $\ell=\log\frac{4N}\delta$,
$\hat\sigma^2=\mathrm{Var}_{\hat P_h}(\bar V_{h+1})$, and the first term alone at $n=1$.""",
    source="Azar, Osband and Munos, ICML 2017, arXiv 1703.05449 (the algorithm)",
    provenance=("textbook", "derived"),
    family=Family(
        {
            "p": Choice("1/100", "1/10", "1/2", "9/10", "99/100"),
            "delta": Choice(*DELTAS),
            "episodes": Choice(2, 10, 40, 160),
            "horizon": Choice(2, 3, 10),
            "copies": Choice(1, 1, 2),
        },
        lambda p, delta, episodes, horizon, copies: coins(episodes, p, delta, horizon, copies)(),
    ),
    named=_NAMED,
    mutants=[
        Mutant("tenth", "a tenth of the bonus", check=partial(_mutated, level=_third, factor=0.1)),
        Mutant("half", "half the bonus", check=partial(_mutated, level=_third, factor=0.5)),
        Mutant(
            "no-union",
            "log(1/delta): no union over pairs and counts",
            check=partial(_mutated, level=lambda i: -math.log(i.delta)),
            named={"predict, K = 1000": coins(1000)},
        ),
        Mutant(
            "no-union-third",
            "log(3/delta): no union over pairs and counts",
            check=partial(_mutated, level=lambda i: math.log(3 / i.delta)),
            named={"5 coins, K = 25000": coins(25000, copies=5)},
        ),
        Mutant("no-floor", "the second bonus without 35/6 (H-h-1) l / (n-1)", check=_no_floor),
    ],
    bound=lambda n, states, actions, horizon, episodes, delta: math.sqrt(
        math.log(states * actions * horizon * episodes / delta) / (2 * n)
    ),
    proof="text",
)
def optimism(i: Any) -> list[Measurement]:
    return _optimism(i)


CLAIMS = (optimism,)
