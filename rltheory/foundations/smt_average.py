"""Queries to an SMT solver: average reward, for every model of two states.

As in `rltheory.foundations.smt_planning`, each query states that a claim fails. Here nothing ends
and nothing is discounted. Variables, chosen so that the polynomials stay small:

    p(s, a) = P(0 | s, a), so that rows p and q overlap by 1 - |p - q|
    b(s, a) = r(s, a) + (P g)(s, a) in place of the reward

Adding a constant to h, or scaling rewards and values, changes nothing in the claim on spans, and h
and g may be exchanged there: h - g = (1, 0).
"""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

from rltheory.claims.smt import Query

__all__ = ["bounds", "span", "span_squared", "span_within_states"]

EVERY = "2 states, 2 actions, no exits"
ANY_ACTIONS = "2 states, any actions, no exits"
_BOTH = range(2)


def _number(name: str) -> Any:
    import z3

    return z3.Real(name)


def _any(*conditions: Any) -> Any:
    import z3

    return z3.Or(*conditions)


def _all(*conditions: Any) -> Any:
    import z3

    return z3.And(*conditions)


def _larger(x: Any, y: Any) -> Any:
    import z3

    return z3.If(x >= y, x, y)


def _spans(groups: Sequence[Sequence[tuple[int, int]]], squared: bool = False) -> Query:
    """Fails: T (g + (1, 0)) - T g has a span of at most k, or of k^2; rows of a group are k apart.

    Two actions a state are enough for all: the greedy one for h and the one for g.
    """
    k = _number("k")
    p = {(s, a): _number(f"p{s}{a}") for s in _BOTH for a in _BOTH}
    b = {(s, a): _number(f"b{s}{a}") for s in _BOTH for a in _BOTH}
    given = [k >= 0, k <= 1] + [x >= 0 for x in p.values()] + [x <= 1 for x in p.values()]
    for group in groups:
        for one, other in combinations(group, 2):
            given += [p[one] - p[other] <= k, p[other] - p[one] <= k]
    moved = [
        _larger(b[s, 0] + p[s, 0], b[s, 1] + p[s, 1]) - _larger(b[s, 0], b[s, 1]) for s in _BOTH
    ]
    most = k * k if squared else k
    return Query(EVERY, [*given, _any(moved[0] - moved[1] > most, moved[1] - moved[0] > most)])


_ROWS = [(s, a) for s in _BOTH for a in _BOTH]


def span() -> Query:
    """Fails: sp(T h - T g) <= (1 - alpha) sp(h - g)."""
    return _spans([_ROWS])


def span_squared() -> Query:
    """Wrong: sp(T h - T g) <= (1 - alpha)^2 sp(h - g)."""
    return _spans([_ROWS], squared=True)


def span_within_states() -> Query:
    """Wrong: alpha from the rows of one state."""
    return _spans([_ROWS[:2], _ROWS[2:]])


def bounds() -> Query:
    """Fails: one policy's gain is at most M, or for a greedy one at least m.

    A policy leaves state 0 with chance u and state 1 with chance v. Its residuals at h, with
    d = h(1) - h(0), are c0 = r0 + u d and c1 = r1 - v d: at most M, and for a greedy policy, which
    attains T h, at least m. Where u + v > 0 the gain of both states is (v r0 + u r1) / (u + v), and
    else r0 and r1. Other actions enter through m and M alone.
    """
    u, v, d = _number("u"), _number("v"), _number("d")
    r, low, high = [_number("r0"), _number("r1")], _number("m"), _number("M")
    c = [r[0] + u * d, r[1] - v * d]
    given = [u >= 0, u <= 1, v >= 0, v <= 1]
    total = v * r[0] + u * r[1]
    apart = _all(u == 0, v == 0)
    above = _any(_all(u + v > 0, total > (u + v) * high), _all(apart, _any(*(x > high for x in r))))
    below = _any(_all(u + v > 0, total < (u + v) * low), _all(apart, _any(*(x < low for x in r))))
    return Query(
        ANY_ACTIONS,
        [
            *given,
            _any(
                _all(*(x <= high for x in c), above),
                _all(*(x >= low for x in c), below),
            ),
        ],
    )
