"""Planning against an adversary that chooses each row: worst law, operator, saddle point.

The problem: U(s, a) is the set of laws within L1 distance eps(s, a) of the nominal row, and

    (T_rob v)(s) = max_a r(s, a) + discount min_{p in U(s, a)} p v,

whose fixed point is V_rob. The end of the episode is one more outcome, of value 0.

    min {p v : p in U} by sorting = the linear program           plan-robust-worst
    |T_rob v - T_rob w| <= discount |v - w|                      plan-robust-contraction
    V^* - V_rob <= discount eps/2 min(sp V^*, sp V_rob) / (1 - discount)
    V^pi_{P*} <= V^{pi*}_{P*} <= V^{pi*}_P                       plan-robust-saddle

Everything is exact. Proofs: docs/theory/robust.md. References: Iyengar, Math. OR 2005; Nilim and El
Ghaoui, Oper. Res. 2005.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice, Dyadic, Integer, Many, Space
from rltheory.foundations.families import (
    MOST_ACTIONS,
    MOST_STATES,
    law_of_weights,
    planning_family,
)
from rltheory.foundations.instances import leak, leaving
from rltheory.foundations.rationals import Planner, minus, norm, solve_linear, span
from rltheory.foundations.robust_planner import (
    RobustPlanner,
    dual_of_intervals,
    dual_of_l1,
    ends_of_segment,
)
from rltheory.mdp.model import MDP
from rltheory.solvers.worst_row import worst_case_row

__all__ = ["CLAIMS", "robust_loss_bound"]

Value = list[Fraction]
Law = list[Fraction]

GAMMA = Fraction(9, 10)
_ZERO, _HALF, _ONE = Fraction(0), Fraction(1, 2), Fraction(1)
_OUTCOMES = 5
RADII = Choice("0", "1/8", "1/2", "1", "3/2", "2", "5")


def robust_loss_bound(discount: Any, radius: Any, span: Any) -> Any:
    """discount radius span / (2 (1 - discount))."""
    return discount * radius * span / (2 * (1 - discount))


# --- plan-robust-worst --------------------------------------------------------------------


def _rows() -> Family:
    """A law, a value, a radius, and bounds around the law."""

    def build(
        outcomes: int, weights: list[int], value: list[float], radius: str, slack: list[int]
    ) -> Instance:
        p = law_of_weights(weights[:outcomes])
        down = [Fraction(x, 8) for x in slack[:outcomes]]
        up = [Fraction(x, 8) for x in slack[outcomes : 2 * outcomes]]
        return Instance(
            p=p,
            value=[Fraction(x) for x in value[:outcomes]],
            radius=Fraction(radius),
            low=[max(_ZERO, x - d) for x, d in zip(p, down, strict=True)],
            high=[min(_ONE, x + d) for x, d in zip(p, up, strict=True)],
        )

    space: dict[str, Space] = {
        "outcomes": Integer(1, _OUTCOMES),
        "weights": Many(Choice(0, 0, 1, 1, 2, 5), _OUTCOMES),
        "value": Many(Dyadic(-3, 3, 1), _OUTCOMES),
        "radius": RADII,
        "slack": Many(Choice(0, 0, 1, 3, 8), 2 * _OUTCOMES),
    }
    return Family(space, build)


def _row(p: Sequence[Any], value: Sequence[Any], radius: Any) -> Callable[[], Instance]:
    def make() -> Instance:
        law = [Fraction(x) for x in p]
        half = Fraction(radius) / 2
        return Instance(
            p=law,
            value=[Fraction(x) for x in value],
            radius=Fraction(radius),
            low=[max(_ZERO, x - half) for x in law],
            high=[min(_ONE, x + half) for x in law],
        )

    return make


def _mean(law: Sequence[Fraction], value: Sequence[Fraction]) -> Fraction:
    return sum((x * y for x, y in zip(law, value, strict=True)), _ZERO)


def _outside(law: Law, low: Sequence[Fraction], high: Sequence[Fraction]) -> Fraction:
    """By how much a law leaves the simplex, or these bounds."""
    beyond = [max(a - x, x - b) for x, a, b in zip(law, low, high, strict=True)]
    return max(_ZERO, abs(sum(law, -_ONE)), *beyond)


def _worst_rows(
    i: Instance,
    shifted: Any = None,
    filled: Any = None,
) -> list[Measurement]:
    p, v, n = i.p, i.value, len(i.p)
    by_l1: Law = list((shifted or worst_case_row)(p, v, i.radius))
    by_bounds: Law = list((filled or worst_case_row)(p, v, lower=i.low, upper=i.high))
    too_far = max(_ZERO, sum(abs(x - y) for x, y in zip(by_l1, p, strict=True)) - i.radius)
    lost = _mean(p, v) - _mean(by_l1, v)
    most = i.radius / 2 * span(v)
    on_best = sum(x for x, y in zip(p, v, strict=True) if y == max(v))
    return [
        Measurement(_outside(by_l1, [_ZERO] * n, [_ONE] * n) + too_far, 0, what="in the ball"),
        Measurement(_mean(by_l1, v), dual_of_l1(p, v, i.radius), what="mean in the ball"),
        Measurement(_outside(by_bounds, i.low, i.high), 0, what="between the bounds"),
        Measurement(_mean(by_bounds, v), dual_of_intervals(v, i.low, i.high), what="mean between"),
        Measurement(max(lost, most), most, what="decrease at most eps/2 sp(v)"),
        Measurement(lost, most, event=on_best >= i.radius / 2, what="decrease, mass on the best"),
    ]


def _whole_radius(p: Law, v: Value, radius: Fraction) -> Law:
    return list(worst_case_row(p, v, 2 * radius))


def _from_the_lowest(p: Law, v: Value, radius: Fraction) -> Law:
    """Mass goes to the least value, but is taken from the next one upward."""
    law, budget = list(p), min(radius, Fraction(2)) / 2
    order = sorted(range(len(p)), key=v.__getitem__)
    for j in order[1:]:
        moved = min(budget, law[j])
        law[j] -= moved
        law[order[0]] += moved
        budget -= moved
    return law


def _descending(p: Law, v: Value, lower: Law, upper: Law) -> Law:
    return list(worst_case_row(p, v, lower=lower, upper=upper, optimistic=True))


def _on_support(p: Law, v: Value, radius: Fraction) -> Law:
    return list(worst_case_row(p, v, radius, support_only=True))


@claim(
    "plan-robust-worst",
    "identity",
    title="The worst law of a ball or of intervals is found by sorting",
    statement=r"""For a law $\hat p$ and a value $v$ on finitely many outcomes: moving
$\min(\frac\epsilon2,1-\hat p(\underline s))$ to an outcome $\underline s$ of least value, from the
largest values downward, minimises $pv$ over $\{p:\|p-\hat p\|_1\le\epsilon\}$; starting from $l$
and filling up to $u$ in ascending order of $v$ minimises it over $\{p:l\le p\le u\}$. The decrease
is at most $\frac\epsilon2\mathrm{sp}(v)$, with equality if $\hat p$ gives at least
$\frac\epsilon2$ to the outcomes of largest value.""",
    source="Iyengar, Math. OR 2005; Nilim and El Ghaoui, Oper. Res. 2005",
    provenance=("paper", "derived"),
    family=_rows(),
    named={
        "two outcomes": _row([_HALF, _HALF], [1, 0], _HALF),
        "three outcomes": _row([_HALF, Fraction(1, 4), Fraction(1, 4)], [1, 0, 2], 1),
        "lowest has no mass": _row([_HALF, _HALF, 0], [2, 1, 0], _HALF),
    },
    mutants=[
        Mutant(
            "whole-radius",
            "mass eps in place of eps / 2",
            check=partial(_worst_rows, shifted=_whole_radius),
        ),
        Mutant(
            "from-the-lowest",
            "mass taken from the smallest values upward",
            check=partial(_worst_rows, shifted=_from_the_lowest),
        ),
        Mutant(
            "descending",
            "intervals filled in descending order",
            check=partial(_worst_rows, filled=_descending),
        ),
        Mutant(
            "support-only",
            "mass moved on the support, as if that were the whole ball",
            check=partial(_worst_rows, shifted=_on_support),
        ),
    ],
    proof="text",
)
def robust_worst(instance: Instance) -> list[Measurement]:
    return _worst_rows(instance)


# --- plan-robust-contraction --------------------------------------------------------------


def _balls() -> Family:
    """Models with two values and a radius a pair."""
    models = planning_family()

    def build(radii: list[str], **rest: Any) -> Instance:
        built = models.instance(rest)
        S, A = built.mdp.n_states, built.mdp.n_actions
        table = [[Fraction(x) for x in radii[s * A : (s + 1) * A]] for s in range(S)]
        return Instance(mdp=built.mdp, value=built.value, other=built.other, radius=table)

    space = dict(models.space) | {
        "radii": Many(Choice("0", "0", "1/16", "1/4", "1", "2"), MOST_STATES * MOST_ACTIONS)
    }
    return Family(space, build)


def _ball(mdp: MDP, radius: Any, other: Sequence[Any] | None = None) -> Instance:
    S, A = mdp.n_states, mdp.n_actions
    return Instance(
        mdp=mdp,
        value=[_ZERO] * S,
        other=[Fraction(x) for x in other or [0] * S],
        radius=[[Fraction(radius)] * A] * S,
    )


def _robust_contraction(
    i: Instance, power: int = 1, share: Fraction = _HALF, exits: bool = False
) -> list[Measurement]:
    m = RobustPlanner(i.mdp, i.radius)
    g, v, w = m.nominal.discount, i.value, i.other
    low = [min(x, y) for x, y in zip(v, w, strict=True)]
    Tv, Tw = m.T(v), m.T(w)
    best, _ = m.nominal.optimum()
    robust, _ = m.optimum()
    eps = min(Fraction(2), max(max(row) for row in i.radius))
    spread = g * share * eps / (1 - g)
    paid = [x for row in m.nominal.r for x in row] + [_ZERO]
    trivial = (max(paid) - min(paid)) / (1 - g)
    closed = exits or not m.nominal.has_exits
    lost = max(minus(best, robust))
    return [
        Measurement(norm(minus(Tv, Tw)), g**power * norm(minus(v, w)), what="norm"),
        Measurement(max(minus(m.T(low), Tv)), 0, what="monotone"),
        Measurement(norm(minus(m.T(robust), robust)), 0, what="fixed point"),
        Measurement(max(minus(robust, best)), 0, what="V_rob <= V*"),
        Measurement(lost, spread * span(best), trivial, closed, what="loss by sp(V*)"),
        Measurement(lost, spread * span(robust), trivial, closed, what="loss by sp(V_rob)"),
    ]


def _leaking(discount: str, radius: str) -> Callable[[], Instance]:
    return lambda: _ball(leak(Fraction(discount), 0), Fraction(radius), other=[1, 1])


@claim(
    "plan-robust-contraction",
    "inequality",
    title="The robust operator contracts, and what robustness costs",
    statement=r"""(s,a)-rectangular $L_1$ balls of radius at most $\epsilon\le2$,
$T^{\rm rob}v=\max_a\min_{p\in\mathcal U(s,a)}(r+\gamma pv)$, $0\le\gamma<1$. It is monotone, and
$\|T^{\rm rob}v-T^{\rm rob}w\|\le\gamma\|v-w\|$; its fixed point has $V^{\rm rob}\le V^*$. If no row
of the nominal model ends,
$$V^*-V^{\rm rob}\le\frac{\gamma\epsilon}{2(1-\gamma)}
\min\{\mathrm{sp}(V^*),\mathrm{sp}(V^{\rm rob})\}.$$
The bound by $\mathrm{sp}(V^{\rm rob})$ is attained for every $\gamma$ and $\epsilon$.""",
    source="this project; Iyengar, Math. OR 2005 (contraction)",
    provenance=("paper", "derived"),
    family=_balls(),
    named={
        f"leak at {g}, eps {e}": _leaking(g, e)
        for g in ("1/2", "9/10", "99/100")
        for e in ("1/4", "1", "2")
    }
    | {"may end": lambda: _ball(leaving(1, GAMMA, _HALF), _HALF)},
    mutants=[
        Mutant("squared", "discount^2 |v - w|", check=partial(_robust_contraction, power=2)),
        Mutant(
            "quarter",
            "discount eps / (4 (1 - discount))",
            check=partial(_robust_contraction, share=Fraction(1, 4)),
        ),
        Mutant(
            "with-exits",
            "the bound by spans where rows end too",
            check=partial(_robust_contraction, exits=True),
        ),
    ],
    bound=robust_loss_bound,
    proof="text",
)
def robust_contraction(instance: Instance) -> list[Measurement]:
    return _robust_contraction(instance)


# --- plan-robust-saddle -------------------------------------------------------------------


def _two_by_two() -> Family:
    """Two states, two actions, no exits, a radius a pair."""

    def build(
        discount: str, weights: list[int], rewards: list[float], radii: list[str]
    ) -> Instance:
        laws = [law_of_weights(weights[2 * k : 2 * k + 2]) for k in range(4)]
        mdp = MDP(
            [[laws[0], laws[1]], [laws[2], laws[3]]],
            [[Fraction(x) for x in rewards[:2]], [Fraction(x) for x in rewards[2:]]],
            Fraction(discount),
            exact=True,
        )
        radius = [[Fraction(x) for x in radii[:2]], [Fraction(x) for x in radii[2:]]]
        return Instance(mdp=mdp, radius=radius)

    space: dict[str, Space] = {
        "discount": Choice("0", "1/2", "9/10"),
        "weights": Many(Choice(0, 1, 1, 3), 8),
        "rewards": Many(Dyadic(0, 1, 2), 4),
        "radii": Many(Choice("0", "1/4", "1", "2"), 4),
    }
    return Family(space, build)


def _one_decision() -> Instance:
    """Every law is possible in state 0, and state 1 absorbs and pays.

    Under the first of two coupled kernels action 0 wins and action 1 stays, under the other action
    1 wins.
    """
    half = [_HALF, _HALF]
    mdp = MDP([[half, half], [[0, 1], [0, 1]]], [[0, 0], [1, 1]], GAMMA, exact=True)
    return Instance(mdp=mdp, radius=[[Fraction(2)] * 2, [_ZERO] * 2])


def _saddle(i: Instance) -> list[Measurement]:
    m = RobustPlanner(i.mdp, i.radius)
    states, policies, kernels = m.nominal.states, m.policies(), m.corner_kernels()
    value, best = m.optimum()
    worst = m.worst(value)
    own = m.value(best, worst)
    table = {(k, pi): m.value(pi, P) for k, P in enumerate(kernels) for pi in policies}
    better = max(max(minus(m.value(pi, worst), own)) for pi in policies)
    worse = max(max(minus(own, m.value(best, P))) for P in kernels)
    found = [
        Measurement(max(_ZERO, better), 0, what="a better policy under the worst kernel"),
        Measurement(max(_ZERO, worse), 0, what="a worse kernel for the robust policy"),
        Measurement(norm(minus(own, value)), 0, what="value of the saddle point"),
    ]
    for s in states:
        low = max(min(table[k, pi][s] for k in range(len(kernels))) for pi in policies)
        high = min(max(table[k, pi][s] for pi in policies) for k in range(len(kernels)))
        found.append(Measurement(low, high, what=f"max min = min max, state {s}"))
    return found


def _coupled(i: Instance) -> list[Measurement]:
    """Two kernels only, each action at one end of its ball under one and at the other end under
    the other; policies are mixed, also by halves."""
    m = RobustPlanner(i.mdp, i.radius)
    ends = [
        [ends_of_segment(m.rows[s][a], m.radius[s][a]) for a in m.nominal.actions]
        for s in m.nominal.states
    ]
    kernels = [[[row[a][(a + k) % 2] for a in m.nominal.actions] for row in ends] for k in range(2)]
    shares = [_ZERO, _HALF, _ONE]
    mixed = [[[x, 1 - x], [y, 1 - y]] for x in shares for y in shares]
    values = [[_mixed_value(m.nominal, P, pi) for pi in mixed] for P in kernels]
    low = max(min(values[k][j][0] for k in range(2)) for j in range(len(mixed)))
    high = min(max(values[k][j][0] for j in range(len(mixed))) for k in range(2))
    return [Measurement(low, high, what="max min = min max, coupled rows")]


def _mixed_value(nominal: Planner, kernel: Any, policy: Sequence[Sequence[Fraction]]) -> Value:
    S, A, g = nominal.states, nominal.actions, nominal.discount
    moves = [[sum((policy[s][a] * kernel[s][a][t] for a in A), _ZERO) for t in S] for s in S]
    matrix = [[int(s == t) - g * moves[s][t] for t in S] for s in S]
    return solve_linear(matrix, [_mean(policy[s], nominal.r[s]) for s in S])


@claim(
    "plan-robust-saddle",
    "identity",
    title="A robust policy and the worst kernel are best answers to each other",
    statement=r"""(s,a)-rectangular compact convex sets. A policy $\pi^*$ that is greedy for
$V^{\rm rob}$ and a kernel $P^*$ that is worst for it form a saddle point: for all $\pi$ and $P$
$$V^\pi_{P^*}\le V^{\pi^*}_{P^*}\le V^{\pi^*}_P,$$
so $\max_\pi\min_PV^\pi_P=\min_P\max_\pi V^\pi_P=V^{\rm rob}$ in every state at once.""",
    source="Iyengar, Math. OR 2005; Nilim and El Ghaoui, Oper. Res. 2005",
    provenance=("paper", "derived"),
    family=_two_by_two(),
    named={"one decision": _one_decision},
    mutants=[
        Mutant(
            "coupled",
            "the rows of all pairs are chosen together, from two kernels",
            check=_coupled,
        ),
    ],
    proof="text",
)
def robust_saddle(instance: Instance) -> list[Measurement]:
    return _saddle(instance)


CLAIMS = (robust_worst, robust_contraction, robust_saddle)
