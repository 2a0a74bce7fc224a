"""Linear programs: those of planning, and the duality of all.

The problem: an optimal value is the least v with v >= r + discount P v, an optimal policy the
occupancy d of the largest <d, r>; why are these the same number, what is unique, and what do
vertices look like? Symbols: rho the start law, V* the optimal value, Q* its look-ahead.

    min {rho v : v >= r + discount P v} = rho V* = max {<d, r> / (1-discount) : flow}      plan-lp
    c x - b y = y (A x - b)   for A x >= b, A^T y = c, y >= 0                    plan-lp-duality

All programs are solved by the simplex method in fractions. Proofs: docs/theory/linear-programs.md.
References: d'Epenoux 1963; Puterman, Markov Decision Processes, 1994, section 6.9; Chvatal, Linear
Programming, 1983.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice, Integer, Many
from rltheory.foundations.exact_programs import (
    best_occupancy,
    columns_of,
    highest_sum,
    least_value,
    lowest,
    policy_of_occupancy,
    randomizations,
    tables_of,
    weighted,
)
from rltheory.foundations.families import episodic_family, planning_family, side_by_side
from rltheory.foundations.instances import absorbing, quit_or_go, tie
from rltheory.foundations.rationals import episodic_optimum
from rltheory.foundations.runs import Runs, Value, dot, parts_of
from rltheory.mathematics.simplex import Outcome, minimize_exactly
from rltheory.mdp.model import MDP

__all__ = ["CLAIMS"]

_STAGES = 2
_MOST = 3  # equations and unknowns of a general program
_INFINITE = float("inf")

_MODELS = side_by_side(discounted=planning_family(), horizon=episodic_family(_STAGES))


# --- the programs of planning -------------------------------------------------------------


def _named(make: Callable[[], MDP], start: Sequence[int]) -> Callable[[], Instance]:
    """A model from a start law, discounted and over two stages."""

    def instance() -> Instance:
        mdp, law = make(), [Fraction(x, sum(start)) for x in start]
        return Instance(
            discounted_mdp=mdp,
            discounted_start=law,
            horizon_mdp=mdp.episodic(_STAGES),
            horizon_start=law,
        )

    return instance


def _laws(runs: Runs, start: Value) -> tuple[list[Value], list[Value]]:
    """The start law, and one that is positive at every stage."""
    S, H = len(start), len(runs.stages)
    even = [Fraction(1, S)] * S
    half = [(x + y) / 2 for x, y in zip(start, even, strict=True)]
    return [start, *[[Fraction(0)] * S] * (H - 1)], [half, *[even] * (H - 1)]


def _optimum(runs: Runs) -> list[Value]:
    """V*, by policy iteration or backward induction: one list a stage."""
    if runs.staged:
        return episodic_optimum(runs.stages)[0]
    return [runs.stages[0].optimum()[0]]


def _value_of(found: Outcome, runs: Runs, law: list[Value]) -> Fraction | float:
    """The optimum of a program over values; infinite where it has no solution."""
    if found.value is None:
        return _INFINITE
    return found.value + lowest(runs) * sum((x for stage in law for x in stage), Fraction(0))


def _planning(
    instance: Instance, equal: bool = False, anywhere: bool = False, whole_start: bool = False
) -> list[Measurement]:
    found = []
    for part, runs in parts_of(instance):
        best = _optimum(runs)
        looks = runs.q(best)
        given, positive = _laws(runs, part.start)
        for law, which in ((given, "start law"), (positive, "positive law")):
            name = f"{which}, {runs.name}"
            optimum = weighted(law, best)
            primal = _value_of(least_value(runs, law, equal), runs, law)
            found.append(Measurement(primal, optimum, what=f"primal, {name}"))
            dual = best_occupancy(runs, law)
            assert dual.value is not None
            most = -dual.value / (1 if whole_start else runs.share)
            found.append(Measurement(most, optimum, what=f"dual, {name}"))
            d = tables_of(runs, dual.x)
            slack = sum(
                (d[h][s][a] * (best[h][s] - looks[h][s][a]) for h, s, a in columns_of(runs)),
                Fraction(0),
            )
            found.append(Measurement(slack, 0, what=f"slackness, {name}"))
            found.append(Measurement(randomizations(d), 0, what=f"vertex, {name}"))
            own = runs.value(policy_of_occupancy(d))
            if law is positive:
                states = len(runs.stages)
                apart = sum(
                    (
                        abs(x - y)
                        for v, w in zip(own[:states], best, strict=False)
                        for x, y in zip(v, w, strict=True)
                    ),
                    Fraction(0),
                )
                found.append(Measurement(apart, 0, what=f"policy of the vertex, {runs.name}"))
            else:
                earned = weighted(law, own)
                found.append(Measurement(earned, optimum, what=f"policy of the vertex, {name}"))
            if law is positive or anywhere:
                highest = highest_sum(runs, law, optimum)
                total = sum((x for v in best[: len(runs.stages)] for x in v), Fraction(0))
                found.append(Measurement(highest, total, what=f"uniqueness, {name}"))
    return found


# --- the duality of all programs ----------------------------------------------------------

_ENTRIES = Choice(-2, -1, 0, 0, 0, 1, 1, 2)


def _program(
    rows: int,
    columns: int,
    matrix: list[int],
    right: list[int],
    cost: list[int],
    point: list[int],
    slack: list[int],
    prices: list[int],
) -> Instance:
    return Instance(
        matrix=[[Fraction(x) for x in matrix[i * _MOST :][:columns]] for i in range(rows)],
        right=[Fraction(x) for x in right[:rows]],
        cost=[Fraction(x) for x in cost[:columns]],
        point=[Fraction(x) for x in point[:columns]],
        row_slack=[abs(Fraction(x)) for x in slack[:rows]],
        column_slack=[abs(Fraction(x)) for x in slack[_MOST:][:columns]],
        prices=[Fraction(x) for x in prices[:rows]],
    )  # fmt: skip


_PROGRAMS = Family(
    {
        "rows": Integer(1, _MOST),
        "columns": Integer(1, _MOST),
        "matrix": Many(_ENTRIES, _MOST * _MOST),
        "right": Many(_ENTRIES, _MOST),
        "cost": Many(_ENTRIES, _MOST),
        "point": Many(Integer(-2, 2), _MOST),
        "slack": Many(Choice(0, 0, 1, 3), 2 * _MOST),
        "prices": Many(Integer(-2, 2), _MOST),
    },
    _program,
)


def _one_by_one(a: int, b: int, c: int) -> Callable[[], Instance]:
    """One unknown, one row, and the feasible pair x = y = 0."""
    return lambda: _program(1, 1, [a], [b], [c], [0], [0] * (2 * _MOST), [0])


def _transposed(matrix: list[Value]) -> list[Value]:
    return [list(column) for column in zip(*matrix, strict=True)]


def _times(matrix: list[Value], x: Value) -> Value:
    return [dot(line, x) for line in matrix]


def _at_least(cost: Value, matrix: list[Value], right: Value) -> tuple[str, Any]:
    """min cost x over matrix x >= right: the status and the value, x split by sign."""
    m = len(matrix)
    wide = [
        [*line, *(-x for x in line), *(-Fraction(int(i == k)) for k in range(m))]
        for i, line in enumerate(matrix)
    ]
    found = minimize_exactly([*cost, *(-x for x in cost), *[Fraction(0)] * m], wide, right)
    return found.status, found.value


def _equal(cost: Value, matrix: list[Value], right: Value) -> tuple[str, Any]:
    """min cost x over matrix x = right, x >= 0."""
    found = minimize_exactly(cost, matrix, right)
    return found.status, found.value


def _negated(outcome: tuple[str, Any]) -> tuple[str, Any]:
    return outcome[0], None if outcome[1] is None else -outcome[1]


_PAIRS = {("infeasible", "unbounded"), ("unbounded", "infeasible"), ("infeasible", "infeasible")}


def _duality(
    instance: Instance, free: bool = False, equal: bool = False, never_both: bool = False
) -> list[Measurement]:
    A, prices, point = instance.matrix, instance.prices, instance.point
    turned = _transposed(A)
    # A feasible pair of each form, made from a point and prices.
    x, y = point, prices if free else list(map(abs, prices))
    b = [u - z for u, z in zip(_times(A, x), instance.row_slack, strict=True)]
    c = _times(turned, y)
    slack = [u - v for u, v in zip(_times(A, x), b, strict=True)]
    first = (dot(c, x) - dot(b, y), dot(y, slack), "first form")
    x, y = list(map(abs, point)), prices
    b = _times(A, x)
    c = [u + z for u, z in zip(_times(turned, y), instance.column_slack, strict=True)]
    rest = [u - v for u, v in zip(c, _times(turned, y), strict=True)]
    second = (dot(c, x) - dot(b, y), dot(x, rest), "second form")
    found = []
    for gap, product, form in (first, second):
        found.append(Measurement(gap, 0 if equal else product, what=f"gap, {form}"))
        found.append(Measurement(max(Fraction(0), -gap), 0, what=f"weak duality, {form}"))

    b, c = instance.right, instance.cost
    forms = {
        "first form": (_at_least(c, A, b), _negated(_equal([-z for z in b], turned, c))),
        "second form": (
            _equal(c, A, b),
            # max b y over A^T y <= c is minus the least of -b y over -A^T y >= -c.
            _negated(_at_least([-z for z in b], [[-z for z in q] for q in turned],
                               [-z for z in c])),
        ),
    }  # fmt: skip
    allowed = _PAIRS - {("infeasible", "infeasible")} if never_both else _PAIRS
    for form, (primal, dual) in forms.items():
        if primal[0] == dual[0] == "optimal":
            found.append(Measurement(primal[1], dual[1], what=f"strong duality, {form}"))
        else:
            pair = (primal[0], dual[0])
            found.append(Measurement(int(pair in allowed), 1, what=f"statuses, {form}"))
    return found


# --- claims -------------------------------------------------------------------------------


@claim(
    "plan-lp",
    "identity",
    title="The linear programs of planning",
    statement=r"""For every start law $\rho$, exits or not,
$\min\{\rho v:v\ge r+\gamma Pv\}=\rho V^*
=\max\bigl\{\frac{\langle d,r\rangle}{1-\gamma}:d\ge0\text{ satisfies the flow equations}\bigr\}$.
If $\rho>0$ then $V^*$ is the only optimum of the first program. Every vertex of the second is
the occupancy of a policy that is deterministic in the states it reaches, and at an optimum
$d(s,a)>0$ implies $Q^*(s,a)=V^*(s)$. Likewise with a horizon: $v_h\ge r_h+P_hv_{h+1}$ with $v_H=0$,
and $\sum_h\langle d_h,r_h\rangle$; $V^*$ is unique under weights that are positive at every stage
and state.""",
    source="d'Epenoux 1963; Puterman, Markov Decision Processes, 1994, section 6.9",
    provenance=("textbook", "textbook"),
    family=_MODELS,
    named={
        "tie": _named(lambda: tie(Fraction(1, 2), 1, 1), [1, 0, 0]),
        "quit or go": _named(lambda: quit_or_go(3, Fraction(1, 10), Fraction(9, 10)), [1, 1, 1]),
        "unreached": _named(lambda: absorbing(0, 1, Fraction(9, 10)), [1, 0]),
    },
    mutants=[
        Mutant("equations", "equality at every pair", partial(_planning, equal=True)),
        Mutant("unique-anywhere", "unique for all start laws", partial(_planning, anywhere=True)),
        Mutant("whole-start", "<d, r> not over 1 - discount", partial(_planning, whole_start=True)),
    ],
    proof="text",
)  # fmt: skip
def planning(instance: Instance) -> list[Measurement]:
    return _planning(instance)


@claim(
    "plan-lp-duality",
    "identity",
    title="Duality of linear programs",
    statement=r"""Two pairs of programs: $\min\{c^\top x:Ax\ge b\}$ and
$\max\{b^\top y:A^\top y=c,\,y\ge0\}$; $\min\{c^\top x:Ax=b,\,x\ge0\}$ and
$\max\{b^\top y:A^\top y\le c\}$. For all feasible $x,y$ the gap $c^\top x-b^\top y$ equals
$y^\top(Ax-b)\ge0$ in the first pair and $x^\top(c-A^\top y)\ge0$ in the second. If one side has an
optimum, so has the other, with the same value; otherwise one is infeasible and the other one
unbounded, or both are infeasible.""",
    source="Chvatal, Linear Programming, 1983, ch. 5 and 9",
    provenance=("textbook", "textbook"),
    family=_PROGRAMS,
    named={
        "first form, both infeasible": _one_by_one(0, 1, 1),
        "second form, both infeasible": _one_by_one(0, 1, -1),
        "one unknown": _one_by_one(1, 1, 1),
    },
    mutants=[
        Mutant("free-sign", "y of any sign in the first pair", partial(_duality, free=True)),
        Mutant("no-gap", "all feasible pairs are optimal", partial(_duality, equal=True)),
        Mutant("never-both", "never both infeasible", partial(_duality, never_both=True)),
    ],
    proof="text",
)
def duality(instance: Instance) -> list[Measurement]:
    return _duality(instance)


CLAIMS = (planning, duality)
