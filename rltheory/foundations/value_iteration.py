"""Value iteration: how far v_n = T^n v_0 is from V*, before and after looking at it.

The problem: V* is the fixed point of (T v)(s) = max_a r(s, a) + discount sum_t P(t | s, a) v(t),
0 <= discount < 1; rows may sum to less than 1, what is missing being the chance to end. Symbols:
|x| = max |x(s)|; d = T v - v, m = min d and M = max d, and with exits m := min(0, m) and
M := max(0, M); pi_v is any policy with T_{pi_v} v = T v.

    |T^n v_0 - V*| <= discount^n |v_0 - V*|                              plan-vi-apriori
    |v - V*| <= |T v - v| / (1 - discount)                               plan-vi-aposteriori
    T v + k m <= V^{pi_v} <= V* <= T v + k M, k = discount/(1-discount)  plan-macqueen

Everything is exact. Proofs: docs/theory/foundations.md. References: MacQueen, A modified dynamic
programming method, 1966; Puterman, Markov Decision Processes, 1994, ch. 6.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from functools import partial

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Instance
from rltheory.foundations import smt_planning
from rltheory.foundations.discounted import GAMMA, lake, optimal_value
from rltheory.foundations.families import case, planning_family
from rltheory.foundations.instances import absorbing, leaving, self_loop, tie
from rltheory.foundations.losses import worst_value
from rltheory.foundations.rationals import Planner, minus, norm
from rltheory.mdp.model import MDP

__all__ = ["CLAIMS", "sweeps_needed"]


def _reach(planner: Planner, v: Sequence[Fraction]) -> Fraction:
    """|v - V*| can be no larger: V* lies between the least and the largest return."""
    low, high = planner.returns()
    return max(max(high - x, x - low) for x in v)


# --- plan-vi-apriori ----------------------------------------------------------------------


def sweeps_needed(discount: Fraction, error: Fraction, horizon: bool = True) -> int:
    """Sweeps from 0 that leave an error of at most `error`, for rewards in [0, 1].

    The least n >= log(1 / (error (1 - discount))) / (1 - discount); without the 1 - discount
    inside the logarithm if not `horizon`, which is too few.
    """
    rest = 1 - discount
    return max(0, math.ceil(-math.log(error * (rest if horizon else 1)) / float(rest)))


def _apriori(
    i: Instance, more: int = 0, resolvent: bool = True, horizon: bool = True
) -> list[Measurement]:
    planner = Planner(i.mdp)
    g, best, v = planner.discount, optimal_value(planner, i.mdp), i.value
    first, residual = norm(minus(v, best)), norm(minus(planner.T(v), v))
    if resolvent:
        residual /= 1 - g
    found = []
    for n in (1, 2, 5):
        error = norm(minus(planner.sweeps(v, n), best))
        found += [
            Measurement(error, g ** (n + more) * first, first, what="by the first error"),
            Measurement(error, g**n * residual, _reach(planner, v), what="by the first residual"),
        ]
    eps = Fraction(1, 10)
    paid = [x for row in planner.r for x in row]
    _, high = planner.returns()
    swept = planner.sweeps([Fraction(0)] * planner.S, sweeps_needed(g, eps, horizon))
    left = norm(minus(swept, best))
    ranged = min(paid) >= 0 and max(paid) <= 1
    found.append(Measurement(left, eps, high, event=ranged, what="after the stated sweeps"))
    return found


@claim(
    "plan-vi-apriori",
    "inequality",
    title="Value iteration: what is left after n sweeps",
    statement=r"""Discounted model, $0\le\gamma<1$, with or without exits; any $v_0$. For all $n$
$$\|T^nv_0-V^*\|\le\gamma^n\|v_0-V^*\|\le\frac{\gamma^n}{1-\gamma}\|Tv_0-v_0\|.$$
From $v_0=0$ with rewards in $[0,1]$,
$n\ge\frac{1}{1-\gamma}\log\frac{1}{\varepsilon(1-\gamma)}$ sweeps leave an error of at most
$\varepsilon$.""",
    source="Puterman, Markov Decision Processes, 1994, ch. 6",
    provenance=("textbook", "derived"),
    family=planning_family(),
    named={
        "one loop": lambda: case(self_loop(1, GAMMA)),
        "one loop at 99/100": lambda: case(self_loop(1, Fraction(99, 100))),
    },
    mutants=[
        Mutant("one-sweep-more", "discount^(n+1) |v_0 - V*|", check=partial(_apriori, more=1)),
        Mutant(
            "bare-residual",
            "discount^n |Tv_0 - v_0|, without 1 / (1 - discount)",
            check=partial(_apriori, resolvent=False),
        ),
        Mutant(
            "too-few-sweeps",
            "log(1/eps) / (1 - discount) sweeps leave eps",
            check=partial(_apriori, horizon=False),
        ),
    ],
    bound=lambda discount, sweeps, residual: discount**sweeps * residual / (1 - discount),
    proof="text",
)
def vi_apriori(instance: Instance) -> list[Measurement]:
    return _apriori(instance)


# --- plan-vi-aposteriori ------------------------------------------------------------------


def _aposteriori(
    i: Instance, rule: bool = True, power: int = 1, of_policy: bool = False
) -> list[Measurement]:
    planner = Planner(i.mdp)
    g, best = planner.discount, optimal_value(planner, i.mdp)
    found = []
    for v in (i.value, planner.sweeps(i.value, 3)):
        Tv = planner.T(v)
        residual = norm(minus(planner.T_pi(v, i.policy) if of_policy else Tv, v))
        bound = residual / (1 - g) if rule else residual
        found += [
            Measurement(norm(minus(v, best)), bound, _reach(planner, v), what="of v"),
            Measurement(norm(minus(Tv, best)), g**power * bound, _reach(planner, Tv), what="of Tv"),
        ]
    return found


@claim(
    "plan-vi-aposteriori",
    "inequality",
    title="Value iteration: the error by the last residual",
    statement=r"""Discounted model, $0\le\gamma<1$, with or without exits. For every $v$
$$\|v-V^*\|\le\frac{\|Tv-v\|}{1-\gamma},\qquad\|Tv-V^*\|\le\frac{\gamma}{1-\gamma}\|Tv-v\|.$$""",
    source="Puterman, Markov Decision Processes, 1994, ch. 6",
    provenance=("textbook", "derived"),
    family=planning_family(),
    named={
        "one loop": lambda: case(self_loop(Fraction(1, 2), GAMMA)),
        "worse action": lambda: case(
            MDP([[[1], [1]]], [[0, Fraction(1, 2)]], GAMMA, exact=True), policy=[0]
        ),
    }
    | lake(),
    mutants=[
        Mutant(
            "stopping-rule",
            "|Tv - v| <= eps, hence |v - V*| <= eps",
            check=partial(_aposteriori, rule=False),
        ),
        Mutant(
            "two-sweeps",
            "|Tv - V*| <= discount^2 |Tv - v| / (1 - discount)",
            check=partial(_aposteriori, power=2),
        ),
        Mutant(
            "policy-residual",
            "the residual of any policy in place of that of T",
            check=partial(_aposteriori, of_policy=True),
        ),
        Mutant(
            "stopping-rule-smt",
            "|v - V*| <= |Tv - v|, by SMT",
            smt=smt_planning.aposteriori_stopping,
        ),
    ],
    bound=lambda discount, residual: residual / (1 - discount),
    proof="text",
    smt=smt_planning.aposteriori,
)
def vi_aposteriori(instance: Instance) -> list[Measurement]:
    return _aposteriori(instance)


# --- plan-macqueen ------------------------------------------------------------------------


def _macqueen(
    i: Instance, parts: int = 2, loss: int = 1, exit_safe: bool = True, shifted: bool = True
) -> list[Measurement]:
    planner = Planner(i.mdp)
    g, best = planner.discount, optimal_value(planner, i.mdp)
    share, (low, high) = g / (1 - g), planner.returns()
    found = []
    for v in (i.value, planner.sweeps(i.value, 8)):
        q, Tv = planner.q(v), planner.T(v)
        own = worst_value(
            planner, [[a for a in planner.actions if q[s][a] == Tv[s]] for s in planner.states]
        )
        d = minus(Tv, v) + [Fraction(0)] * (exit_safe and planner.has_exits)
        m, M = min(d), max(d)
        middle = share * (m + M) / 2 if shifted else 0
        off = [x + middle - y for x, y in zip(Tv, best, strict=True)]
        outer = max(*(m - x for x in minus(Tv, v)), *(x - M for x in minus(Tv, v)))
        found += [
            Measurement(max(minus(Tv, own)), -share * m, max(Tv) - low, what="lower bound"),
            Measurement(max(minus(best, Tv)), share * M, high - min(Tv), what="upper bound"),
            Measurement(max(minus(own, best)), 0, 0, what="V^pi against V*"),
            Measurement(outer, 0, 0, what="the bracket around v against that around Tv"),
            Measurement(norm(off), share * (M - m) / parts, (high - low) / 2, what="midpoint"),
            Measurement(max(minus(best, own)), share * (M - m) / loss, high - low, what="loss"),
        ]
    return found


@claim(
    "plan-macqueen",
    "inequality",
    title="MacQueen's bracket around one sweep of value iteration",
    statement=r"""Discounted model, $0\le\gamma<1$; any $v$, $m=\min(Tv-v)$, $M=\max(Tv-v)$;
with exits $m:=\min(0,m)$ and $M:=\max(0,M)$. For every policy $\pi$ greedy for $v$
$$v+\frac{m}{1-\gamma}\le Tv+\frac{\gamma m}{1-\gamma}\le V^\pi\le V^*
\le Tv+\frac{\gamma M}{1-\gamma}\le v+\frac{M}{1-\gamma},$$
so $u=Tv+\frac{\gamma}{1-\gamma}\frac{m+M}{2}$ has
$\|u-V^*\|\le\frac{\gamma(M-m)}{2(1-\gamma)}$, and
$\|V^*-V^\pi\|\le\frac{\gamma(M-m)}{1-\gamma}$.""",
    source="MacQueen 1966; Puterman, Markov Decision Processes, 1994, ch. 6",
    provenance=("textbook", "derived"),
    family=planning_family(),
    named={
        "two islands": lambda: case(absorbing(0, 1, GAMMA)),
        "tie": lambda: case(tie(GAMMA, 1, 0)),
        "sure end": lambda: case(leaving(1, GAMMA)),
        "one loop": lambda: case(self_loop(1, GAMMA)),
    }
    | lake(),
    mutants=[
        Mutant(
            "quarter",
            "the midpoint is within discount (M - m) / (4 (1 - discount))",
            check=partial(_macqueen, parts=4),
        ),
        Mutant(
            "half-loss",
            "the greedy policy loses at most discount (M - m) / (2 (1 - discount))",
            check=partial(_macqueen, loss=2),
        ),
        Mutant(
            "plain-extremes",
            "m = min (Tv - v) and M = max (Tv - v) with exits too",
            check=partial(_macqueen, exit_safe=False),
        ),
        Mutant(
            "no-shift",
            "Tv itself is within discount (M - m) / (2 (1 - discount))",
            check=partial(_macqueen, shifted=False),
        ),
        Mutant(
            "quarter-smt",
            "the midpoint is within discount (M - m) / (4 (1 - discount)), by SMT",
            smt=smt_planning.macqueen_midpoint,
        ),
        Mutant(
            "plain-extremes-smt",
            "m = min (Tv - v) with exits too, by SMT",
            smt=smt_planning.macqueen_plain,
        ),
    ],
    bound=lambda discount, m, M: discount * (M - m) / (2 * (1 - discount)),
    proof="text",
    smt=smt_planning.macqueen,
)
def macqueen(instance: Instance) -> list[Measurement]:
    return _macqueen(instance)


CLAIMS = (vi_apriori, vi_aposteriori, macqueen)
