"""Stochastic shortest paths: when runs end, and when T has one fixed point.

The problem: total reward at discount 1, with exits, T_a v = r + P_a v. A policy is proper if it
ends with probability 1 from every state. If all are, the largest expected time f to the end weighs
a norm in which T contracts. If only some are, and every other loses without bound, V* is still the
only fixed point; numbers g and k >= 0 with g >= 1 + k r + P_a g at every row show that, and how
fast value iteration comes down:

    psi = g - k V*:    v <= V* + e psi, 0 <= e k <= 1    gives    T v <= V* + e (1 - 1/max psi) psi

Proofs: docs/theory/total.md. Reference: Bertsekas and Tsitsiklis, An analysis of stochastic
shortest path problems, Mathematics of OR 16, 1991.
"""

import itertools
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np

from rltheory import _core
from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice, Dyadic, Integer, Many, Space
from rltheory.foundations.rationals import Planner, minus, norm
from rltheory.mathematics.simplex import minimize_exactly
from rltheory.mdp.model import MDP

__all__ = ["CLAIMS"]

Value = list[Fraction]

_STATES, _ACTIONS = 4, 2
_PAIRS = _STATES * _ACTIONS
_ZERO, _ONE = Fraction(0), Fraction(1)
_SWEEPS = (1, 2, 6)


def _models(most_states: int, rewards: tuple[str, ...]) -> Family:
    """Models with exits in which some policies stay for ever, and two values to look at."""

    def build(
        states: int,
        actions: int,
        weights: list[int],
        ends: list[int],
        rewards: list[str],
        value: list[float],
        other: list[float],
    ) -> Instance:
        moves, leaves = [], []
        for pair in range(states * actions):
            w = [*weights[pair * _STATES :][:states], ends[pair]]
            w = w if any(w) else [*w[:-1], 1]
            moves.append([Fraction(x, sum(w)) for x in w[:-1]])
            leaves.append(Fraction(w[-1], sum(w)))

        def table(flat: list[Any]) -> list[list[Any]]:
            return [flat[s * actions : (s + 1) * actions] for s in range(states)]

        paid = table([Fraction(x) for x in rewards])
        mdp = MDP(table(moves), paid, termination=table(leaves), exact=True)
        values = ([Fraction(x) for x in each[:states]] for each in (value, other))
        return Instance(mdp=mdp, **dict(zip(("value", "other"), values, strict=True)))

    space: dict[str, Space] = {
        "states": Integer(1, most_states),
        "actions": Integer(1, _ACTIONS),
        "weights": Many(Choice(0, 0, 0, 1, 1, 3), _PAIRS * _STATES),
        "ends": Many(Choice(0, 0, 1, 1, 1, 9), _PAIRS),
        "rewards": Many(Choice(*rewards), _PAIRS),
        "value": Many(Dyadic(-3, 3, 2), _STATES),
        "other": Many(Dyadic(-3, 3, 2), _STATES),
    }
    return Family(space, build)


def _one_state(
    stays: list[Fraction], paid: list[Fraction], value: Fraction, known: Fraction | None = None
) -> Callable[[], Instance]:
    """One state; each action stays with a probability, else ends. `known` is its optimum."""

    def make() -> Instance:
        mdp = MDP([[[q] for q in stays]], [paid], termination=[[1 - q for q in stays]], exact=True)
        parts = {} if known is None else {"known": [known]}
        return Instance(mdp=mdp, value=[value], other=[_ZERO], **parts)

    return make


def _grid() -> Instance:
    """Sutton and Barto's 4 x 4 world: -1 a move, two corners end; minus the distance is optimal.

    The corners are left out: a move into one ends.
    """
    cells = range(1, 15)
    rows, ends = [], []
    for s in cells:
        x, y = divmod(s, 4)
        mine, out = [], []
        for dx, dy in ((-1, 0), (0, 1), (1, 0), (0, -1)):
            t = 4 * min(3, max(0, x + dx)) + min(3, max(0, y + dy))
            mine.append([int(t == c) for c in cells])
            out.append(int(t in (0, 15)))
        rows.append(mine)
        ends.append(out)
    mdp = MDP(rows, [[-1] * 4 for _ in cells], termination=ends, exact=True)
    distance = [min(sum(divmod(s, 4)), 6 - sum(divmod(s, 4))) for s in cells]
    known = [Fraction(-d) for d in distance]
    return Instance(
        mdp=mdp, value=[_ZERO] * 14, other=[3 * x for x in known], known=known, policy=known
    )


def _undiscounted(mdp: MDP) -> Planner:
    m = Planner(mdp)
    m.discount = _ONE
    return m


# --- when runs end ------------------------------------------------------------------------


def _by_enumeration(m: Planner) -> Value | None:
    """The largest expected time to the end over all policies; None where one does not end."""
    timed = _undiscounted_with(m, [[_ONE] * m.A for _ in m.states])
    largest = [_ZERO] * m.S
    for policy in itertools.product(m.actions, repeat=m.S):
        try:
            largest = list(map(max, largest, timed.policy_value(policy)))
        except ZeroDivisionError:  # I - P_pi is singular: some states are never left
            return None
    return largest


def _undiscounted_with(m: Planner, rewards: list[Value]) -> Planner:
    out = Planner.__new__(Planner)
    out.__dict__.update(m.__dict__)
    out.r, out.discount = rewards, _ONE
    return out


def _least_cover(lines: list[list[Fraction]]) -> Value | None:
    """The x >= 0 of least sum with a x >= 1 for every line a, or None."""
    count = len(lines)
    slack = [[Fraction(-(i == j)) for j in range(count)] for i in range(count)]
    matrix = [[*map(Fraction, line), *own] for line, own in zip(lines, slack, strict=True)]
    n = len(lines[0])
    found = minimize_exactly([_ONE] * n + [_ZERO] * count, matrix, [_ONE] * count)
    return found.x[:n] if found.status == "optimal" else None


def _by_inequalities(m: Planner, decrease: bool = True) -> Value | None:
    """The least f >= 0 with f >= 1 + P_a f, or None."""
    if not decrease:
        return [_ZERO] * m.S  # f >= P_a f
    lines = [[int(s == t) - m.P[s][a][t] for t in m.states] for s in m.states for a in m.actions]
    return _least_cover(lines)


def _by_graph(mdp: MDP) -> bool:
    """Whether there is no end component."""
    label, _ = _core.graph.end_components(mdp.core, np.ones(mdp.n_pairs, dtype=bool))
    return bool(label.max() < 0)


def _proper(instance: Instance, decrease: bool = True, modulus: int = 1) -> list[Measurement]:
    m = _undiscounted(instance.mdp)
    times, f, acyclic = _by_enumeration(m), _by_inequalities(m, decrease), _by_graph(instance.mdp)
    ends = times is not None
    found = [
        Measurement(int((f is not None) != ends), 0, what="(b) against (a)"),
        Measurement(int(acyclic != ends), 0, what="(c) against (a)"),
    ]
    if times is None or f is None or not decrease:
        return found
    found.append(Measurement(norm(minus(f, times)), 0, what="least f, largest expected time"))
    v, w = instance.value, instance.other
    apart = _weighted(minus(v, w), f)
    after = _weighted(minus(m.T(v), m.T(w)), f)
    bound = max(_ZERO, 1 - modulus / max(f)) * apart
    return [*found, Measurement(after, bound, apart, what="contraction in the norm of f")]


def _weighted(x: Value, f: Value) -> Fraction:
    return max(abs(a) / b for a, b in zip(x, f, strict=True))


@claim(
    "plan-ssp-proper",
    "inequality",
    title="All runs end: a ranking function, and a norm in which T contracts",
    statement=r"""$\gamma=1$, finitely many pairs, with exits. Equivalent: (a) every policy ends
with probability 1; (b) some $f\ge0$ has $f\ge1+P_af$ at every pair; (c) no end component. The least
such $f$ is the largest expected time to the end, and then
$\|Tv-Tw\|_f\le\bigl(1-\frac1{\max f}\bigr)\|v-w\|_f$, $\|x\|_f=\max_s|x_s|/f_s$.""",
    source="Bertsekas and Tsitsiklis 1991",
    provenance=("textbook", "derived"),
    family=_models(_STATES, ("-1", "0", "1")),
    named={
        "stays with probability 3/4": _one_state([Fraction(3, 4)], [_ONE], Fraction(2)),
        "stays with probability 99/100": _one_state([Fraction(99, 100)], [_ZERO], Fraction(-1)),
        "stay or exit": _one_state([_ONE, _ZERO], [_ZERO, _ZERO], _ONE),
    },
    mutants=[
        Mutant(
            "weak-decrease",
            "(b) with f >= P_a f, which f = 0 satisfies",
            check=partial(_proper, decrease=False),
        ),
        Mutant("half", "modulus 1 - 2 / max f", check=partial(_proper, modulus=2)),
    ],
    bound=lambda longest: 1 - 1 / longest,
    proof="text",
)
def ssp_proper(instance: Instance) -> list[Measurement]:
    return _proper(instance)


# --- the fixed point, and how fast it is reached ------------------------------------------


def _best_proper(m: Planner) -> tuple[Value, list[int]] | None:
    """(the best value of a proper policy, one that attains it everywhere), by enumeration."""
    values = []
    for policy in itertools.product(m.actions, repeat=m.S):
        try:
            values.append((m.policy_value(policy), list(policy)))
        except ZeroDivisionError:
            continue
    if not values:
        return None
    best = [max(each) for each in zip(*(v for v, _ in values), strict=True)]
    return next(((v, policy) for v, policy in values if v == best), None)


def _drifts(m: Planner, pairs: list[tuple[int, int]]) -> tuple[Value, Fraction] | None:
    """(g, k) with g >= 1 + k r + P_a g at these pairs, or None."""
    lines = [[*(int(s == t) - m.P[s][a][t] for t in m.states), -m.r[s][a]] for s, a in pairs]
    found = _least_cover(lines)
    return None if found is None else (found[:-1], found[-1])


def _fixed_point(
    instance: Instance, rows: str = "all", modulus: int = 1, basin: bool = True
) -> list[Measurement]:
    m = _undiscounted(instance.mdp)
    optimum = _known(m, instance) if "policy" in instance else _best_proper(m)
    nothing = [Measurement(0, 0, event=False, what="no proper policy, or one that loses nothing")]
    if optimum is None:
        return nothing
    best, policy = optimum
    own = list(enumerate(policy))
    drift = _drifts(m, own if rows == "own" else list(itertools.product(m.states, m.actions)))
    if drift is None:
        return nothing
    (g, k), f = drift, _undiscounted_with(m, [[_ONE] * m.A for _ in m.states]).policy_value(policy)
    psi = minus(g, [k * x for x in best])
    found = [Measurement(norm(minus(m.T(best), best)), 0, what="T V* = V*")]
    if "known" in instance:
        found.append(Measurement(norm(minus(best, instance.known)), 0, what="V*, known"))
    for start in (instance.value, instance.other):
        e = max(_ZERO, *((x - y) / p for x, y, p in zip(start, best, psi, strict=True)))
        c = max(_ZERO, *((y - x) / p for x, y, p in zip(start, best, f, strict=True)))
        inside = not basin or e * k <= 1
        v = list(start)
        for n in range(1, max(_SWEEPS) + 1):
            v = m.T(v)
            if n not in _SWEEPS:
                continue
            above = max((x - y) / p for x, y, p in zip(v, best, psi, strict=True))
            below = max((y - x) / p for x, y, p in zip(v, best, f, strict=True))
            rate, slower = (max(_ZERO, 1 - modulus / max(x)) ** n for x in (psi, f))
            found.append(Measurement(above, e * rate, e, inside, what=f"from above, {n} sweeps"))
            found.append(Measurement(below, c * slower, c, what=f"from below, {n} sweeps"))
    return found


def _known(m: Planner, instance: Instance) -> tuple[Value, list[int]]:
    """The value that is known, and the policy that is greedy for it."""
    return list(instance.known), m.greedy(instance.known)


@claim(
    "plan-ssp-fixed-point",
    "inequality",
    title="One fixed point, and a rate for value iteration",
    statement=r"""$\gamma=1$, with exits. If some policy surely ends from everywhere and every
policy that does not is worth $-\infty$ somewhere, $V^*$ is the unique fixed point of $T$, and
$T^nv\to V^*$ from every $v$. Then there are $\lambda\ge0$ and $g$ with $g\ge1+\lambda r+P_ag$ at
every pair, and with $\psi=g-\lambda V^*$, $\pi$ optimal and proper, $f\ge1+P_\pi f$:
$v\le V^*+\varepsilon\psi$, $0\le\varepsilon\lambda\le1$ gives
$T^nv\le V^*+\varepsilon(1-\frac1{\max\psi})^n\psi$, and $v\ge V^*-cf$, $c\ge0$ gives
$T^nv\ge V^*-c(1-\frac1{\max f})^nf$.""",
    source="Bertsekas and Tsitsiklis 1991, Proposition 2 (fixed point); this project (rates)",
    provenance=("textbook", "derived"),
    family=_models(3, ("-2", "-1", "-1", "-1/2", "0", "1/2")),
    named={
        "stays with probability 3/4": _one_state(
            [Fraction(3, 4)], [-_ONE], Fraction(-3), Fraction(-4)
        ),
        "from below": _one_state([Fraction(3, 4)], [-_ONE], Fraction(-9), Fraction(-4)),
        "pay to stay, or to exit": _one_state(
            [_ONE, _ZERO], [-Fraction(1, 100), Fraction(-10)], Fraction(990), Fraction(-10)
        ),
        "stay or exit": _one_state([_ONE, _ZERO], [_ZERO, _ZERO], _ONE, _ZERO),
        "4 x 4 world": _grid,
    },
    mutants=[
        Mutant(
            "zero-loops",
            "loops of reward 0 allowed: g at the rows of the optimal policy only",
            check=partial(_fixed_point, rows="own"),
        ),
        Mutant("twice", "rates 1 - 2 / max", check=partial(_fixed_point, modulus=2)),
        Mutant(
            "any-start",
            "the rate from above from every start",
            check=partial(_fixed_point, basin=False),
        ),
    ],
    bound=lambda longest, sweeps: (1 - 1 / longest) ** sweeps,
    proof="text",
)
def ssp_fixed_point(instance: Instance) -> list[Measurement]:
    return _fixed_point(instance)


CLAIMS = (ssp_proper, ssp_fixed_point)
