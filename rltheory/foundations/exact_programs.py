"""The linear programs of planning in fractions, for the claims about them.

A program has a column for each pair (stage, state, action), and an equation for each (stage,
state): what leaves a state is what arrives there,

    sum_a d(s, a) - discount sum_{x,b} d(x, b) P(s | x, b) = (1 - discount) law(s),

with a horizon from stage to stage and without discount. All programs are solved by the exact
simplex method, the primal ones, over values v >= r + discount P v, on their own: v - low >= 0 are
the unknowns, where low is below all values.
"""

from collections.abc import Sequence
from fractions import Fraction

from rltheory.foundations.runs import Runs, Table, Value, dot
from rltheory.mathematics.simplex import Outcome, minimize_exactly

__all__ = [
    "best_occupancy",
    "columns_of",
    "flow_rows",
    "highest_sum",
    "least_value",
    "lowest",
    "policy_of_occupancy",
    "randomizations",
    "tables_of",
    "weighted",
]

Column = tuple[int, int, int]


def columns_of(runs: Runs) -> list[Column]:
    """(stage, state, action) of every pair."""
    return [(h, s, a) for h, m in enumerate(runs.stages) for s in m.states for a in m.actions]


def flow_rows(runs: Runs) -> list[Value]:
    """The left-hand sides of the flow equations, one a (stage, state)."""
    S, H = runs.stages[0].S, len(runs.stages)
    rows = [[Fraction(0)] * len(columns_of(runs)) for _ in range(H * S)]
    for k, (h, s, a) in enumerate(columns_of(runs)):
        m = runs.stages[h]
        rows[h * S + s][k] += 1
        ahead = h + 1 if runs.staged else h
        if ahead < H:
            for t in m.states:
                rows[ahead * S + t][k] -= runs.discount * m.P[s][a][t]
    return rows


def best_occupancy(
    runs: Runs,
    law: Sequence[Value],
    costs: Sequence[Value] = (),
    budgets: Sequence[Fraction] = (),
    rewards: Value | None = None,
) -> Outcome:
    """max <d, r> over the flow equations from `law` (a list of states for each stage).

    `costs` are rows over the columns, <d, cost> <= budget each; their slacks are the last columns.
    The value is that of the minimum of -<d, r>.
    """
    count = len(costs)
    if rewards is None:
        rewards = [runs.stages[h].r[s][a] for h, s, a in columns_of(runs)]
    zero = [Fraction(0)] * count
    matrix = [[*row, *zero] for row in flow_rows(runs)]
    matrix += [[*c, *(Fraction(int(i == k)) for i in range(count))] for k, c in enumerate(costs)]
    right = [runs.share * x for stage in law for x in stage] + list(budgets)
    return minimize_exactly([*(-x for x in rewards), *zero], matrix, right)


def _value_rows(runs: Runs) -> tuple[list[Value], Value, Fraction]:
    """(B, r - B low, low): v = low + u with u >= 0 satisfies v >= r + discount P v if B u >= r."""
    flow = flow_rows(runs)
    rewards = [runs.stages[h].r[s][a] for h, s, a in columns_of(runs)]
    low = min(Fraction(0), *rewards) * (len(runs.stages) if runs.staged else 1 / runs.share)
    rows = [[line[k] for line in flow] for k in range(len(rewards))]
    right = [r - low * sum(row, Fraction(0)) for r, row in zip(rewards, rows, strict=True)]
    return rows, right, low


def least_value(runs: Runs, law: Sequence[Value], equal: bool = False) -> Outcome:
    """min law v over v >= r + discount P v, or over equality at all pairs; without law low."""
    rows, right, _ = _value_rows(runs)
    flat = [x for stage in law for x in stage]
    surplus = 0 if equal else len(rows)
    matrix = [
        [*row, *(-Fraction(int(i == k)) for k in range(surplus))] for i, row in enumerate(rows)
    ]
    return minimize_exactly([*flat, *[Fraction(0)] * surplus], matrix, right)


def lowest(runs: Runs) -> Fraction:
    """A number below all feasible values."""
    return _value_rows(runs)[2]


def highest_sum(runs: Runs, law: Sequence[Value], optimum: Fraction) -> Fraction | float:
    """max sum v over the optimal set of the primal program: law v at most its optimum."""
    rows, right, low = _value_rows(runs)
    flat = [x for stage in law for x in stage]
    n, surplus = len(flat), len(rows)
    zero = [Fraction(0)] * surplus
    matrix = [
        [*row, *(-Fraction(int(i == k)) for k in range(surplus)), Fraction(0)]
        for i, row in enumerate(rows)
    ]
    matrix.append([*flat, *zero, Fraction(1)])
    room = optimum - low * sum(flat, Fraction(0))
    found = minimize_exactly([Fraction(-1)] * n + [*zero, Fraction(0)], matrix, [*right, room])
    if found.value is None:
        return float("inf")
    return n * low - found.value


def tables_of(runs: Runs, x: Sequence[Fraction]) -> list[Table]:
    """One number a column as a table for each stage."""
    tables = [[[Fraction(0)] * m.A for _ in m.states] for m in runs.stages]
    for (h, s, a), value in zip(columns_of(runs), x, strict=False):
        tables[h][s][a] = value
    return tables


def policy_of_occupancy(d: Sequence[Table], unreached: int = 0) -> list[Table]:
    """d(s, .) / d(s); where nothing arrives, the action `unreached`."""
    return [[_conditional(row, unreached) for row in table] for table in d]


def _conditional(row: Value, unreached: int) -> Value:
    total = sum(row, Fraction(0))
    if total:
        return [x / total for x in row]
    return [Fraction(int(a == unreached)) for a in range(len(row))]


def randomizations(d: Sequence[Table]) -> int:
    """Actions beyond one, over the states that are reached."""
    counts = [sum(x > 0 for x in row) for table in d for row in table]
    return sum(count - 1 for count in counts if count)


def weighted(law: Sequence[Value], values: Sequence[Value]) -> Fraction:
    """law v, over the stages that have a law."""
    return sum((dot(x, v) for x, v in zip(law, values, strict=False)), Fraction(0))
