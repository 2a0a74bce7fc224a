"""Plug-in planning from n draws a pair: two families of bounds, with constants.

On two-state models the law of the empirical model is a finite sum, so that the (1 - delta)-quantile
of each error is computed and held against its bound; runs of the planner itself on larger models
are a claim of their own. Bounds: `rltheory.learning.plug_in`. Proofs: docs/theory/plug_in.md.
"""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice
from rltheory.foundations.families import model_space, read_model
from rltheory.foundations.instances import minimax_loop
from rltheory.foundations.rationals import Planner, norm, span
from rltheory.foundations.two_state_laws import (
    Law,
    law_of_counts,
    policies,
    policy_values,
    quantile_measured,
    two_state_family,
    two_states,
)
from rltheory.learning.plug_in import PlugIn, plugin_bound
from rltheory.mdp.access import generative
from rltheory.mdp.model import MDP

__all__ = ["CLAIMS"]

Bound = Callable[..., Any]
_NEAR = 1e-11
"""Actions this close to greedy, relative to the largest value, count as greedy."""


class _Errors:
    """What plug-in planning gets wrong on a two-state model, for every outcome of the counts."""

    def __init__(self, i: Any) -> None:
        m = Planner(i.mdp)
        self.law: Law = law_of_counts(i.mdp, i.n)
        self.discount = float(m.discount)
        p, r = self.law.p, np.array([[float(x) for x in row] for row in m.r])
        each = {pi: policy_values(p, r, self.discount, pi) for pi in policies(m.A)}
        value = np.max(list(each.values()), axis=0)
        ahead = p * value[1] + (1.0 - p) * value[0]
        q = r[:, :, None] + self.discount * ahead
        best, _ = m.optimum()
        true_q = np.array([[float(x) for x in row] for row in m.q(best)])
        self.q = np.abs(q - true_q[:, :, None]).max(axis=(0, 1))
        self.value = np.abs(value - np.array([[float(x)] for x in best])).max(axis=0)
        near = q >= value[:, None] - _NEAR / (1.0 - self.discount)
        self.loss = np.zeros(len(self.law.weight))
        for pi in each:
            lost = float(norm([x - y for x, y in zip(best, m.policy_value(pi), strict=True)]))
            chosen = near[0, pi[0]] & near[1, pi[1]]
            self.loss = np.where(chosen, np.maximum(self.loss, lost), self.loss)
        self.span = float(span(best))


def _pairs(i: Any) -> tuple[int, int, int, float, float]:
    """(S, A, n, discount, delta) of an instance."""
    return i.mdp.n_states, i.mdp.n_actions, i.n, float(i.mdp.discount), float(i.delta)


# --- Hoeffding, and L1 ---------------------------------------------------------------------


def _hoeffding(
    i: Any,
    factor: float = 1.0,
    power: int = 2,
    draws: Callable[[Any], int] = lambda i: i.n,
) -> list[Measurement]:
    """All forms; `power` is that of 1/(1 - discount) in the bound of Q."""
    e = _Errors(i)
    S, A, _, g, delta = _pairs(i)
    n, trivial = draws(i), 1.0 / (1.0 - g)
    error = factor * float(plugin_bound(S, A, n, g, delta, "hoeffding", of="value"))
    by_span = error * (1.0 - g) * e.span
    forms = [
        (e.q, by_span, "Q, by the span of V*"),
        (e.q, error * (1.0 - g) ** (2 - power), "Q"),
        (e.loss, factor * float(plugin_bound(S, A, n, g, delta)), "policy"),
        (e.loss, factor * float(plugin_bound(S, A, n, g, delta, "l1")), "policy, by L1"),
    ]
    return [
        quantile_measured(e.law, values, i.delta, bound, trivial, what)
        for values, bound, what in forms
    ]


def _coin(actions: int, n: int, delta: str, chance: Fraction | str = "1/2") -> Instance:
    """`leak` with probability 1 - chance, all its actions equal but for one row that is open."""
    p = Fraction(chance)
    stay, leave = [[1, 0]] * actions, [[1 - p, p], *[[1, 0]] * (actions - 1)]
    paid = [[0] * actions, [1, *[0] * (actions - 1)]]
    return two_states(MDP([stay, leave], paid, Fraction(9, 10), exact=True), n, delta)


def _fair_bandit() -> Instance:
    """Two arms that are hard to tell apart: state 1 is reached, and pays for ever."""
    arms = [[Fraction(1, 2), Fraction(1, 2)], [Fraction(31, 64), Fraction(33, 64)]]
    mdp = MDP([arms, [[1, 0], [1, 0]]], [[0, 0], [1, 1]], Fraction(1, 2), exact=True)
    return two_states(mdp, 400, "1/10")


_DELTAS = ("1/1000", "1/10", "1/2", "9/10")


@claim(
    "learn-plugin-hoeffding",
    "high-probability",
    title="Plug-in planning: Hoeffding's and the L1 bound",
    statement=r"Known rewards in $[0,1]$, no exits, $n$ draws of every pair, $\hat\pi$ optimal in "
    r"the empirical model. (a) With probability at least $1-\delta$: $\|\hat Q^*-Q^*\|\le"
    r"\frac\gamma{1-\gamma}\mathrm{sp}(V^*)\sqrt{\frac{\log(2SA/\delta)}{2n}}\le"
    r"\frac\gamma{(1-\gamma)^2}\sqrt{\frac{\log(2SA/\delta)}{2n}}$, so $V^*-V^{\hat\pi}\le"
    r"\frac{2\gamma}{(1-\gamma)^3}\sqrt{\frac{\log(2SA/\delta)}{2n}}$. (b) With probability at "
    r"least $1-\delta$, for $S\ge2$: $V^*-V^{\hat\pi}\le\frac\gamma{(1-\gamma)^2}"
    r"\sqrt{\frac{2\log((2^S-2)SA/\delta)}n}$. Each by itself, for every greedy $\hat\pi$.",
    source="A. Agarwal, S. Kakade, L. Yang, COLT 2020, arXiv 1906.03804 (shape)",
    provenance=("textbook", "derived"),
    family=two_state_family(
        lambda g, pairs, delta, k: (1, 2, 5, 20, 100, 400)[k],
        ("3/10", "1/2", "7/10", "9/10"),
        _DELTAS,
    ),
    named={
        "loop at 9/10": lambda: two_states(minimax_loop(Fraction(9, 10)), 2000, "1/10"),
        "loop at 99/100": lambda: two_states(minimax_loop(Fraction(99, 100)), 400_000, "1/10"),
        "one draw of a coin": lambda: _coin(1, 1, "1/2"),
        "one draw among six pairs": lambda: _coin(3, 1, "1/2"),
        "two arms": _fair_bandit,
    },
    mutants=[
        Mutant(
            "total",
            "n counted in total, not for each pair",
            check=lambda i: _hoeffding(i, draws=lambda i: i.n * i.mdp.n_pairs),
        ),
        Mutant(
            "power",
            "1/(1 - discount) for its square in the bound of Q",
            check=lambda i: _hoeffding(i, power=1)[1:2],
        ),
        Mutant("tenth", "all bounds divided by 10", check=lambda i: _hoeffding(i, factor=0.1)),
    ],
    bound=plugin_bound,
    proof="text",
)
def hoeffding(i: Any) -> list[Measurement]:
    return _hoeffding(i)


# --- variance ------------------------------------------------------------------------------


def _variance(i: Any, factor: float = 1.0, power: float = 1.5) -> list[Measurement]:
    S, A, n, g, delta = _pairs(i)
    value, policy = (
        float(plugin_bound(S, A, n, g, delta, "variance", of=of)) for of in ("value", "policy")
    )
    if not math.isfinite(value):
        return [Measurement(0, 0, event=False, what="too few draws")]
    leading = 2.0 * math.sqrt((1.0 + g) * math.log(4.0 * S * A / delta) / (2.0 * (n - 1.0)))
    value += leading * ((1.0 - g) ** -power - (1.0 - g) ** -1.5)
    e, trivial = _Errors(i), 1.0 / (1.0 - g)
    return [
        quantile_measured(e.law, e.value, i.delta, factor * value, trivial, "value"),
        quantile_measured(e.law, e.loss, i.delta, factor * policy, trivial, "policy"),
    ]


def _enough(g: Fraction, pairs: int, delta: Fraction, k: int) -> int:
    """The least n to which the bound applies, times up to 8."""
    least = 8.0 * float(g) ** 2 * math.log(4.0 * pairs / float(delta)) / (1.0 - float(g)) ** 2
    return math.ceil(2.0 ** (k // 2) * (least + 2.0))


def _loop(discount: str, n: int, delta: str = "1/10") -> Callable[[], Instance]:
    return lambda: two_states(minimax_loop(Fraction(discount)), n, delta)


@claim(
    "learn-plugin-variance",
    "high-probability",
    title="Plug-in planning: the bound with the minimax power of the horizon",
    statement=r"Known rewards in $[0,1]$, no exits, $n$ draws of every pair, $\hat\pi$ optimal in "
    r"the empirical model, $\beta=\log\frac{4SA}\delta$. If $n\ge2$ and $n-1\ge\frac{8\gamma^2"
    r"\beta}{(1-\gamma)^2}$ then with probability at least $1-\delta$: $\|\hat V^*-V^*\|\le2X$ and "
    r"$V^*-V^{\hat\pi}\le\frac{2\gamma(2X+Y)}{1-\gamma}$, where $X=\sqrt{\frac{(1+\gamma)\beta}"
    r"{2(n-1)(1-\gamma)^3}}+\frac{7\gamma\beta}{3(n-1)(1-\gamma)^2}$ and $Y=\frac1{1-\gamma}"
    r"\sqrt{\frac\beta{2(n-1)}}+\frac{7\beta}{3(n-1)(1-\gamma)}$.",
    source="this project; the power of the horizon is that of M. Azar, R. Munos, B. Kappen, "
    "Machine Learning 91, 2013",
    provenance=("paper", "derived"),
    family=two_state_family(_enough, ("3/10", "1/2", "7/10", "4/5"), _DELTAS),
    named={
        "loop at 99/100": _loop("99/100", 400_000),
        "loop at 999/1000": _loop("999/1000", 50_000_000),
        "loop at 99/100, many draws": _loop("99/100", 35_000_000),
        "loop at 999/1000, many draws": _loop("999/1000", 3_500_000_000),
        "loop at 99/100, rare failures": _loop("99/100", 100_000_000, "1/1000000"),
    },
    mutants=[
        Mutant(
            "power",
            "1/(1 - discount) in place of its power 3/2 in X",
            check=lambda i: _variance(i, power=1.0)[:1],
        ),
        Mutant("tenth", "both bounds divided by 10", check=lambda i: _variance(i, factor=0.1)),
    ],
    bound=lambda S, A, n, discount, delta, of="value": plugin_bound(
        S, A, n, discount, delta, "variance", of
    ),
    proof="text",
)
def variance(i: Any) -> list[Measurement]:
    return _variance(i)


# --- runs on larger models -----------------------------------------------------------------

RUNS_DELTA = 0.1


def _run(i: Any, stream: Any, factor: float = 1.0) -> Measurement:
    """The largest ratio to its bound of what one run gets wrong, each bound at delta/3."""
    m, g = Planner(i.mdp), float(i.mdp.discount)
    best = np.array([float(x) for x in i.best])
    plan = PlugIn(i.n)(generative(i.mdp, seed=int(stream.integer(2**32))))
    lost = m.policy_value(plan.policy.tolist())
    loss = float(norm([x - y for x, y in zip(i.best, lost, strict=True)]))
    error = float(np.abs(plan.value - best).max())

    def bound(form: str, of: str) -> float:
        return factor * float(plugin_bound(m.S, m.A, i.n, g, RUNS_DELTA / 3.0, form, of))

    ratios = [error / bound("hoeffding", "value"), loss / bound("hoeffding", "policy")]
    ratios += [loss / bound("l1", "policy")] if m.S > 1 else []
    ratios += [error / bound("variance", "value"), loss / bound("variance", "policy")]
    return Measurement(max(ratios), 1.0, tolerance=1e-9)


def _runs_instance(mdp: MDP, n: int) -> Instance:
    best, _ = Planner(mdp).optimum()
    return Instance(mdp=mdp, n=n, best=best)


@claim(
    "learn-plugin-runs",
    "high-probability",
    title="Plug-in planning: all bounds at once, in runs of the planner",
    statement=r"With probability at least $1-\delta$, one run of plug-in planning keeps (a) and "
    r"(b) of `learn-plugin-hoeffding` and the bounds of `learn-plugin-variance` (where these "
    r"apply) at the same time, each with $\delta/3$ in place of $\delta$.",
    provenance=("derived", "derived"),
    family=Family(
        model_space(exits=False) | {"n": Choice(10, 100, 1000), "discount": Choice("1/2", "9/10")},
        lambda n, discount, **model: _runs_instance(
            read_model(**model, discount=Fraction(discount)), n
        ),
    ),
    named={"loop at 9/10": lambda: _runs_instance(minimax_loop(Fraction(9, 10)), 2000)},
    mutants=[
        Mutant(
            "twentieth",
            "all bounds divided by 20",
            check=lambda i, stream: _run(i, stream, factor=0.05),
        ),
    ],
    bound=plugin_bound,
    delta=RUNS_DELTA,
    proof="text",
)
def runs(i: Any, stream: Any) -> Measurement:
    return _run(i, stream)


CLAIMS = (hoeffding, variance, runs)
