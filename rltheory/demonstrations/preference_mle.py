r"""How far the reward of most likelihood in a finite class is from the true one.

The problem: n independent pairs with logistic labels, the candidate of most likelihood among G, one
of which is true. With h^2 the squared Hellinger distance of the laws of a label, averaged over
pairs, f = r* - r_hat and D = f(tau^1) - f(tau^0),

    P( E h^2 > 2 log(G/delta)/n  or  E D^2 / 2 > zeta^2 log(G/delta)/n ) <= delta

where returns differ by at most H and zeta = 4 cosh(H/2)^2. For two episodes of one policy E D^2 / 2
is the variance of f under it; pairs may as well share a context. Averages over pairs are sums over
the laws, without sampling; of several candidates of most likelihood the worst one is measured.
Proof: docs/theory/preferences.md.
"""

import math
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Instance
from rltheory.demonstrations.returns_along import everything, paying, returns_along
from rltheory.demonstrations.rlhf import bradley_terry_bound
from rltheory.mdp.data.preferences import preference_probability
from rltheory.mdp.generators import random_episodic
from rltheory.mdp.streams import Stream

__all__ = ["CLAIMS", "hellinger2"]

Array = NDArray[np.float64]
_TIE = 1e-9
_ROUNDING = 1e-12
DELTA = 0.1


def hellinger2(x: Any, y: Any) -> Array:
    """Squared Hellinger distance of the laws of labels at differences x and y, in [0, 2]."""
    p, q = preference_probability(x), preference_probability(y)
    p1, q1 = preference_probability(-x), preference_probability(-y)
    return (np.sqrt(p) - np.sqrt(q)) ** 2 + (np.sqrt(p1) - np.sqrt(q1)) ** 2


def _log_sigmoid(x: Array) -> Array:
    return np.minimum(x, 0.0) - np.log1p(np.exp(-np.abs(x)))


def _errors(i: Any, stream: Any, evaluation: Array | None = None) -> tuple[float, float]:
    """(E h^2, E D^2 / 2) of the worst candidate of most likelihood, of one trial."""
    K = len(i.law)
    cumulated = np.cumsum(i.law)
    words = stream.uniforms(3, i.n)
    first, second = (np.minimum(cumulated.searchsorted(w, "right"), K - 1) for w in words[:2])
    true = i.rewards[0]
    won = words[2] < preference_probability(true[second] - true[first])
    winner, loser = np.where(won, second, first), np.where(won, first, second)
    wins = np.bincount(loser * K + winner, minlength=K * K)
    seen = np.flatnonzero(wins)
    margins = (i.rewards[:, None, :] - i.rewards[:, :, None]).reshape(len(i.rewards), -1)
    logs = _log_sigmoid(margins[:, seen]) @ wins[seen]
    best = np.flatnonzero(logs >= logs.max() - _TIE)
    law = i.law if evaluation is None else evaluation
    weights = np.outer(law, law).reshape(-1)
    h2 = hellinger2(margins[best], margins[0]) @ weights
    spread = (margins[best] - margins[0]) ** 2 @ weights / 2.0
    return float(h2.max()), float(spread.max())


def _measured(
    i: Any, h2: float, spread: float, factor: float, class_size: float
) -> list[Measurement]:
    bound = bradley_terry_bound(i.n, 1, i.horizon, i.delta)
    grown = factor * math.log(class_size / i.delta) / math.log(1.0 / i.delta)
    zeta = bound["curvature"]
    variance = factor * zeta**2 * math.log(class_size / i.delta) / i.n
    return [
        Measurement(h2, grown * bound["hellinger"], trivial=2.0, tolerance=_ROUNDING, what="h^2"),
        Measurement(spread, variance, trivial=i.horizon**2, tolerance=_ROUNDING, what="variance"),
    ]


def _trial(i: Any, stream: Any, factor: float = 1.0) -> list[Measurement]:
    if "levels" in i:
        return _of_contexts(i, stream, factor)
    return _measured(i, *_errors(i, stream), factor, len(i.rewards))


def _of_contexts(
    i: Any, stream: Any, factor: float = 1.0, count_class: bool = True
) -> list[Measurement]:
    """Contexts on their own: a pair compares the two arms of one, and every one has its own level.

    The likelihood is a sum over contexts, and so the best of levels^contexts candidates is found
    context by context.
    """
    words = stream.uniforms(3, i.n)
    context = np.minimum((words[0] * i.contexts).astype(int), i.contexts - 1)
    compared = words[1] < 0.5  # the other half compares an arm with itself
    won = words[2] < preference_probability(i.true)
    wins = np.bincount(context[compared & won], minlength=i.contexts)
    losses = np.bincount(context[compared & ~won], minlength=i.contexts)
    logs = wins[:, None] * _log_sigmoid(i.levels) + losses[:, None] * _log_sigmoid(-i.levels)
    tied = logs >= logs.max(axis=1, keepdims=True) - _TIE
    h2 = np.where(tied, hellinger2(i.levels, i.true), 0.0).max(axis=1).mean() / 2.0
    spread = np.where(tied, (i.levels - i.true) ** 2, 0.0).max(axis=1).mean() / 4.0
    size = math.exp(i.contexts * math.log(len(i.levels))) if count_class else 1.0
    return _measured(i, float(h2), float(spread), factor, size)


def _elsewhere(i: Any, stream: Any) -> Measurement:
    """The variance under another policy than the one that was sampled from."""
    _, spread = _errors(i, stream, i.other)
    return _measured(i, 0.0, spread, 1.0, len(i.rewards))[1]


# --- instances ----------------------------------------------------------------------------


def _bandit(law: Any, rewards: Any, n: int, delta: float = DELTA, **more: Any) -> Instance:
    return Instance(
        law=np.array(law, dtype=float),
        rewards=np.array(rewards, dtype=float),
        n=n,
        horizon=1,
        delta=delta,
        **more,
    )


def two_candidates(n: int, away: float) -> Callable[[], Instance]:
    """Two arms that are equal, and a candidate for which n E h^2 is about `away`, at delta = 0.01.

    It is taken for the truth with probability 1 - Phi(sqrt(away)), about: as far off as it can be
    while that is still above delta, it is the tightest of these instances.
    """

    def make() -> Instance:
        # E h^2 = away / n, half of the pairs comparing an arm with itself: h^2 ~ x^2 / 16 at x.
        x = math.sqrt(32.0 * away / n)
        rewards = [[0.5, 0.5], [0.5 - x / 2.0, 0.5 + x / 2.0]]
        return _bandit([0.5, 0.5], rewards, n, delta=0.01)

    return make


def _many_candidates(n: int) -> Callable[[], Instance]:
    """Four arms and 500 random candidates."""
    return lambda: _bandit([0.4, 0.3, 0.2, 0.1], Stream(0, "candidates").uniforms(500, 4), n)


def _two_stages(n: int) -> Callable[[], Instance]:
    """Episodes of a model with two stages under the uniform policy, 60 candidates."""

    def make() -> Instance:
        mdp = random_episodic(2, 2, horizon=2, branching=2, seed=3).as_exact()
        tables = Stream(1, "candidates").uniforms(60, 2, 2, 2)
        models = [paying(mdp, table.tolist()) for table in tables]
        start = [Fraction(1), Fraction(0)]
        returns, (law,) = returns_along(start, models, everything(mdp))
        return Instance(
            law=np.array([float(p) for p in law]),
            rewards=np.array(returns, dtype=float),
            n=n,
            horizon=2,
            delta=DELTA,
        )

    return make


def _contexts(n: int) -> Callable[[], Instance]:
    """Forty contexts of two arms, 19 levels each: log of the class is 40 log 19."""
    return lambda: Instance(
        contexts=40, levels=np.linspace(-0.9, 0.9, 19), true=0.0, n=n, horizon=1, delta=DELTA
    )


def _unseen() -> Instance:
    """An arm that is hardly ever sampled, on which the candidates differ."""
    return _bandit(
        [0.5, 0.5, 0.0],
        [[0.5, 0.5, 0.0], [0.5, 0.5, 1.0]],
        2000,
        other=np.array([0.25, 0.25, 0.5]),
    )


@claim(
    "demo-bt-mle",
    "high-probability",
    title="The reward of most likelihood in a finite class",
    statement=r"""Logistic labels of differences in $[-H,H]$, $\zeta=2+e^H+e^{-H}=4\cosh^2\frac H2$,
a finite class $\mathcal G\ni r^*$, $n$ independent pairs of one law $\nu$, $\hat r$ of most
likelihood. With probability at least $1-\delta$, $f=r^*-\hat r$,
$$E_\nu h^2(\hat r,r^*)\le\frac{2\log(|\mathcal G|/\delta)}n,\qquad
\tfrac12E_\nu(f(\tau^1)-f(\tau^0))^2\le\frac{\zeta^2\log(|\mathcal G|/\delta)}n.$$
For $\nu=P^{\pi}\otimes P^{\pi}$ the last is $\mathrm{Var}_\pi(f)$.""",
    source="this project; maximum likelihood in Hellinger distance: van de Geer, 2000",
    provenance=("textbook", "derived"),
    named={
        "two candidates": two_candidates(1000, away=5.0),
        "four arms, 500 candidates": _many_candidates(500),
        "two stages, 60 candidates": _two_stages(1000),
        "forty contexts, 19 levels": _contexts(2000),
    },
    mutants=[
        Mutant(
            "quarter",
            "a quarter of the bounds",
            check=partial(_trial, factor=0.25),
            named={"two candidates": two_candidates(1000, away=3.0)},
        ),
        Mutant(
            "no-class",
            "without log |G|",
            check=partial(_of_contexts, count_class=False),
            named={"forty contexts, 19 levels": _contexts(2000)},
        ),
        Mutant(
            "elsewhere",
            "the variance under another policy",
            check=_elsewhere,
            named={"an arm that is never sampled": _unseen},
        ),
    ],
    bound=lambda n, size, horizon, delta: bradley_terry_bound(n, size, horizon, delta)["variance"],
    delta=lambda i: float(i.delta),
    proof="text",
)
def bt_mle(instance: Any, stream: Any) -> list[Measurement]:
    return _trial(instance, stream)


CLAIMS = (bt_mle,)
