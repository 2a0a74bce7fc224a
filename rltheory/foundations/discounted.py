"""The Bellman operators of a discounted model: order, constants, contraction.

The problem: V*(s) = max_pi E sum_t discount^t r(s_t, a_t) is the fixed point of

    (T v)(s) = max_a r(s, a) + discount sum_t P(t | s, a) v(t),    0 <= discount < 1,

where rows may sum to less than 1: the missing mass e(s, a) is the chance that the episode ends.
T_pi is the operator of a policy. Symbols: |x| = max |x(s)|, sp x = max x - min x,
kappa = max (1 - e(s, a)).

    v <= w gives T v <= T w; T (v + c) <= T v + discount c            plan-monotone
    |T v - T w| <= discount kappa |v - w|                             plan-contraction

Everything is exact. Proofs: docs/theory/foundations.md. References: Puterman, Markov Decision
Processes, 1994, ch. 6; Bertsekas and Tsitsiklis, Neuro-Dynamic Programming, 1996.
"""

from fractions import Fraction
from functools import partial
from typing import Any

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Instance
from rltheory.foundations import smt_planning
from rltheory.foundations.families import case, planning_family
from rltheory.foundations.instances import (
    absorbing,
    frozen_lake,
    has_gymnasium,
    leaving,
    self_loop,
)
from rltheory.foundations.rationals import Planner, Value, minus, norm, span
from rltheory.mdp.model import MDP
from rltheory.solvers.exact import solve_exact

__all__ = ["CLAIMS", "lake", "optimal_value"]

GAMMA = Fraction(9, 10)
_HALF = Fraction(1, 2)
_FEW_STATES = 8


def optimal_value(planner: Planner, mdp: MDP) -> Value:
    """V*: by the checks' own policy iteration, on larger models by `solve_exact`."""
    if planner.S <= _FEW_STATES:
        return planner.optimum()[0]
    value = list(solve_exact(mdp).value)
    if planner.T(value) != value:
        raise ArithmeticError("the exact solution is not a fixed point of T")
    return value


def lake() -> dict[str, Any]:
    """FrozenLake-v1 with uneven values to look at, where gymnasium is installed."""
    values = [Fraction(s % 3, 4) for s in range(16)]
    others = [Fraction(s % 2, 8) for s in range(16)]
    policy = [s % 4 for s in range(16)]

    def build() -> Instance:
        return case(frozen_lake(GAMMA), values, others, policy)

    return {"FrozenLake-v1": build} if has_gymnasium() else {}


# --- plan-monotone ------------------------------------------------------------------------


def _monotone(
    i: Instance, power: int = 1, sign: int = 1, by_largest: bool = False, always: bool = False
) -> list[Measurement]:
    planner = Planner(i.mdp)
    g, v = planner.discount, i.value
    w = [x + abs(y) for x, y in zip(v, i.other, strict=True)]
    below = True
    if by_largest:
        w, below = i.other, max(v) <= max(i.other)
    Tv, moved = planner.T(v), g * norm(minus(w, v))
    c = sign * abs(i.other[0])
    shifted = planner.T([x + c for x in v])
    up = minus(shifted, Tv)
    q = planner.q(v)
    stays = [
        any(q[s][a] == Tv[s] and planner.exit(s, a) == 0 for a in planner.actions)
        for s in planner.states
    ]
    wrong = sum((up[s] == g * c) != (always or stays[s]) for s in planner.states)
    own, other = planner.T_pi(v, i.policy), planner.T_pi(w, i.policy)
    return [
        Measurement(max(minus(Tv, planner.T(w))), 0, moved, event=below, what="Tv - Tw"),
        Measurement(max(minus(own, other)), 0, moved, event=below, what="the same for a policy"),
        Measurement(max(up), g**power * c, abs(c), what="T(v + c) - Tv"),
        Measurement(
            wrong, 0, planner.S, event=g * c > 0, what="states where equality is foretold wrongly"
        ),
    ]


@claim(
    "plan-monotone",
    "inequality",
    title="Bellman operators are monotone and pass constants on",
    statement=r"""Discounted model, $0\le\gamma<1$, with or without exits.
If $v\le w$ then $Tv\le Tw$ and $T_\pi v\le T_\pi w$. For a constant $c\ge0$
$$T(v+c)\le Tv+\gamma c,$$
with equality in a state, if $c,\gamma>0$, exactly where some maximising action has no exit.""",
    source="Puterman, Markov Decision Processes, 1994, ch. 6",
    provenance=("textbook", "derived"),
    family=planning_family(),
    named={
        "shift": lambda: case(self_loop(1, GAMMA), [0], [1]),
        "half an exit": lambda: case(leaving(1, GAMMA, _HALF), [0], [1]),
        "crossed": lambda: case(absorbing(0, 0, GAMMA), [1, 0], [0, 1]),
    },
    mutants=[
        Mutant(
            "always-equal",
            "T(v + c) = Tv + discount c with exits too",
            check=partial(_monotone, always=True),
        ),
        Mutant(
            "any-sign",
            "T(v + c) <= Tv + discount c for c < 0 too",
            check=partial(_monotone, sign=-1),
        ),
        Mutant(
            "squared", "T(v + c) <= Tv + discount^2 c for c >= 0", check=partial(_monotone, power=2)
        ),
        Mutant(
            "by-largest",
            "max v <= max w is enough for Tv <= Tw",
            check=partial(_monotone, by_largest=True),
        ),
        Mutant(
            "any-sign-smt",
            "T(v + c) <= Tv + discount c for c < 0 too, by SMT",
            smt=smt_planning.monotone_any_sign,
        ),
    ],
    bound=lambda discount, shift: discount * shift,
    proof="text",
    smt=smt_planning.monotone,
)
def monotone(instance: Instance) -> list[Measurement]:
    return _monotone(instance)


# --- plan-contraction ---------------------------------------------------------------------


def _contraction(
    i: Instance, factor: Any = lambda g: g, rows: Any = max, span_with_exits: bool = False
) -> list[Measurement]:
    planner = Planner(i.mdp)
    modulus = factor(planner.discount)
    kept = [1 - planner.exit(s, a) for s in planner.states for a in planner.actions]
    apart = minus(i.value, i.other)
    moved = minus(planner.T(i.value), planner.T(i.other))
    full = span_with_exits or not planner.has_exits
    return [
        Measurement(norm(moved), modulus * rows(kept) * norm(apart), norm(apart), what="norm"),
        Measurement(span(moved), modulus * span(apart), span(apart), event=full, what="span"),
    ]


@claim(
    "plan-contraction",
    "inequality",
    title="The Bellman operator contracts, in the sup norm and in the span",
    statement=r"""Discounted model, $0\le\gamma<1$, exits $e(s,a)\ge0$,
$\bar\kappa=\max_{s,a}(1-e(s,a))\le1$. For all $v,w$
$$\|Tv-Tw\|\le\gamma\bar\kappa\,\|v-w\|,$$
and without exits $\mathrm{sp}(Tv-Tw)\le\gamma\,\mathrm{sp}(v-w)$,
where $\mathrm{sp}(x)=\max x-\min x$.""",
    source="Puterman, Markov Decision Processes, 1994, ch. 6",
    provenance=("textbook", "derived"),
    family=planning_family(),
    named={
        "shift, a quarter ends": lambda: case(leaving(1, GAMMA, Fraction(1, 4)), [1], [0]),
        "two islands": lambda: case(absorbing(0, 1, GAMMA), [1, 0], [0, 0]),
        "one of two ends": lambda: case(_one_ends(), [1, 1], [0, 0]),
    },
    mutants=[
        Mutant(
            "squared",
            "modulus discount^2 kappa",
            check=partial(_contraction, factor=lambda g: g * g),
        ),
        Mutant(
            "hundredth",
            "modulus 0.99 discount kappa",
            check=partial(_contraction, factor=lambda g: g * Fraction(99, 100)),
        ),
        Mutant("least-row", "kappa = min (1 - e)", check=partial(_contraction, rows=min)),
        Mutant(
            "span-with-exits",
            "the span form with exits",
            check=partial(_contraction, span_with_exits=True),
        ),
        Mutant("squared-smt", "modulus discount^2, by SMT", smt=smt_planning.contraction_modulus),
    ],
    bound=lambda discount, distance, kappa=1: discount * kappa * distance,
    proof="text",
    smt=smt_planning.contraction,
)
def contraction(instance: Instance) -> list[Measurement]:
    return _contraction(instance)


def _one_ends() -> MDP:
    """Two states, one action: state 0 stays, state 1 ends for sure."""
    return MDP([[[1, 0]], [[0, 0]]], [[0], [0]], GAMMA, termination=[[0], [1]], exact=True)


CLAIMS = (monotone, contraction)
