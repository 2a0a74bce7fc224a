"""Queries to an SMT solver: planning claims for every model of two states and two actions.

The problem: each query states that a claim fails; the solver's "unsatisfiable" is then a proof for
all models of that size, with exits and with every discount in [0, 1), and "satisfiable" gives a
model on which the claim is wrong. Nonlinear real arithmetic is decided quickly only when the
polynomials are small, so the variables are chosen well; each choice is a bijection of the models:

    x(s, a, t) = discount P(t | s, a)    weights in place of probabilities: x >= 0 and
                                         sum_t x <= discount (= discount when nothing ends)
    b(s, a) = r(s, a) + sum_t x(s, a, t) u(t)
                                         what the action is worth at a fixed value u, in place of
                                         the reward; then at any other value
                                         r + discount P (u + d) = b + sum_t x d(t)

The value u (called v, w, V^pi or V* below) drops out: rewards are not restricted, so every pair
(r, u) has one b and every pair (b, u) one r. Two actions in each state are enough for any number of
actions wherever only two of them enter: the greedy one of each of two values.

Reference: L. de Moura, N. Bjorner, Z3, TACAS 2008; D. Jovanovic, L. de Moura, Solving non-linear
arithmetic, IJCAR 2012.
"""

from collections.abc import Sequence
from typing import Any

from rltheory.claims.smt import Query

__all__ = [
    "aposteriori",
    "aposteriori_stopping",
    "contraction",
    "contraction_modulus",
    "elimination",
    "elimination_gap",
    "elimination_upper",
    "improvement",
    "improvement_somewhere",
    "macqueen",
    "macqueen_midpoint",
    "macqueen_plain",
    "monotone",
    "monotone_any_sign",
]

EVERY = "2 states, 2 actions, with exits, every discount"
_BOTH = range(2)


class _TwoStates:
    """Variables of all models of two states and two actions, and what holds for them."""

    def __init__(self) -> None:
        import z3

        self.discount = z3.Real("discount")
        self.x = [[[z3.Real(f"x{s}{a}{t}") for t in _BOTH] for a in _BOTH] for s in _BOTH]
        self.b = [[z3.Real(f"b{s}{a}") for a in _BOTH] for s in _BOTH]
        self.given = [self.discount >= 0, self.discount < 1]
        for row in (row for state in self.x for row in state):
            self.given += [row[0] >= 0, row[1] >= 0, row[0] + row[1] <= self.discount]

    def no_exits(self) -> Any:
        import z3

        return z3.And(*(row[0] + row[1] == self.discount for state in self.x for row in state))

    def value(self, name: str) -> list[Any]:
        import z3

        return [z3.Real(f"{name}{s}") for s in _BOTH]

    def q(self, d: Sequence[Any]) -> list[list[Any]]:
        """r + discount P (u + d) of all pairs."""
        return [
            [self.b[s][a] + self.x[s][a][0] * d[0] + self.x[s][a][1] * d[1] for a in _BOTH]
            for s in _BOTH
        ]

    def best(self, d: Sequence[Any]) -> list[Any]:
        """T (u + d)."""
        import z3

        return [z3.If(row[0] >= row[1], row[0], row[1]) for row in self.q(d)]


def _some(*conditions: Any) -> Any:
    import z3

    return z3.Or(*conditions)


def _all(*conditions: Any) -> Any:
    import z3

    return z3.And(*conditions)


def _exceeds(size: Sequence[Any], bound: Any) -> Any:
    """Whether some absolute value is above the bound."""
    return _some(*(x > bound for x in size), *(-x > bound for x in size))


def _is_norm(bound: Any, x: Sequence[Any]) -> list[Any]:
    """Conditions for `bound` to be at least the sup norm: all that an upper bound can need."""
    return [bound >= y for y in x] + [bound >= -y for y in x]


def _number(name: str) -> Any:
    import z3

    return z3.Real(name)


def monotone() -> Query:
    """Fails: v <= v + d gives Tv <= T(v + d), pair by pair too; T(v + c) <= Tv + discount c."""
    m = _TwoStates()
    d, c = m.value("d"), _number("c")
    zero = [0, 0]
    here, there, shifted = m.best(zero), m.best(d), m.best([c, c])
    pairs = [m.q(zero)[s][a] > m.q(d)[s][a] for s in _BOTH for a in _BOTH]
    above = _some(*(here[s] > there[s] for s in _BOTH), *pairs)
    fails = _some(
        _all(d[0] >= 0, d[1] >= 0, above),
        _all(c >= 0, _some(*(shifted[s] > here[s] + m.discount * c for s in _BOTH))),
    )
    return Query(EVERY, [*m.given, fails])


def monotone_any_sign() -> Query:
    """Wrong: T(v + c) <= Tv + discount c for c < 0 too (exits leave it above)."""
    m = _TwoStates()
    c = _number("c")
    here, shifted = m.best([0, 0]), m.best([c, c])
    return Query(EVERY, [*m.given, _some(*(shifted[s] > here[s] + m.discount * c for s in _BOTH))])


def contraction() -> Query:
    """Fails: |Tv - Tw| <= discount kappa |v - w|, or the span form where nothing ends."""
    m = _TwoStates()
    d, D, K = m.value("d"), _number("D"), _number("K")
    low, high = _number("low"), _number("high")
    moved = [x - y for x, y in zip(m.best(d), m.best([0, 0]), strict=True)]
    largest = [row[0] + row[1] <= K for state in m.x for row in state]  # K = discount kappa
    norm = _all(*largest, *_is_norm(D, d), _exceeds(moved, K * D))
    ends = [low <= d[0], low <= d[1], d[0] <= high, d[1] <= high]
    wider = _exceeds([moved[0] - moved[1]], m.discount * (high - low))
    return Query(EVERY, [*m.given, _some(norm, _all(m.no_exits(), *ends, wider))])


def contraction_modulus() -> Query:
    """Wrong: |Tv - Tw| <= discount^2 |v - w|."""
    m = _TwoStates()
    d, D = m.value("d"), _number("D")
    moved = [x - y for x, y in zip(m.best(d), m.best([0, 0]), strict=True)]
    return Query(
        EVERY, [*m.given, *_is_norm(D, d), _exceeds(moved, m.discount * m.discount * D)]
    )


def _residual(m: _TwoStates) -> tuple[list[Any], Any, list[Any]]:
    """(V* - v, a bound D of |Tv - v|, conditions); b(s, a) = r + discount P v - v(s)."""
    z, D = m.value("z"), _number("D")
    fixed = [z[s] == t for s, t in enumerate(m.best(z))]
    return z, D, [*m.given, *fixed, *_is_norm(D, m.best([0, 0]))]


def aposteriori() -> Query:
    """Fails: |v - V*| (1 - discount) <= |Tv - v|, or |Tv - V*| (...) <= discount |Tv - v|."""
    m = _TwoStates()
    z, D, given = _residual(m)
    rest, swept = 1 - m.discount, m.best([0, 0])
    before = _exceeds([x * rest for x in z], D)
    after = _exceeds(
        [(x - y) * rest for x, y in zip(swept, z, strict=True)], m.discount * D
    )
    return Query(EVERY, [*given, _some(before, after)])


def aposteriori_stopping() -> Query:
    """Wrong: |v - V*| <= |Tv - v|."""
    z, D, given = _residual(_TwoStates())
    return Query(EVERY, [*given, _exceeds(z, D)])


def _bracket(m: _TwoStates, safe: bool) -> dict[str, Any]:
    """What the MacQueen bounds are about, at v, with action 0 greedy for v in both states.

    b = r + discount P v - v; y = V^pi - v, z = V* - v, and m, M below and above all residuals.
    """
    y, z = m.value("y"), m.value("z")
    low, high = _number("m"), _number("M")
    here, at_y = m.q([0, 0]), m.q(y)
    given = [here[s][0] >= here[s][1] for s in _BOTH]
    given += [y[s] == at_y[s][0] for s in _BOTH]
    given += [z[s] == t for s, t in enumerate(m.best(z))]
    given += [low <= here[s][0] for s in _BOTH] + [here[s][0] <= high for s in _BOTH]
    if safe:
        given += [low <= 0, high >= 0]
    swept = [here[s][0] for s in _BOTH]
    return {"given": [*m.given, *given], "y": y, "z": z, "low": low, "high": high, "swept": swept}


def macqueen() -> Query:
    """Fails: one of the inequalities of the bracket, of its midpoint, or of the greedy loss."""
    m = _TwoStates()
    k = _bracket(m, safe=True)
    g, rest, y, z, swept = m.discount, 1 - m.discount, k["y"], k["z"], k["swept"]
    low, high = k["low"], k["high"]
    lower = [(y[s] - swept[s]) * rest < g * low for s in _BOTH]
    upper = [(z[s] - swept[s]) * rest > g * high for s in _BOTH]
    order = [z[s] < y[s] for s in _BOTH]
    loss = [(z[s] - y[s]) * rest > g * (high - low) for s in _BOTH]
    middle = _exceeds(
        [2 * (swept[s] - z[s]) * rest + g * (low + high) for s in _BOTH], g * (high - low)
    )
    return Query(EVERY, [*k["given"], _some(*lower, *upper, *order, *loss, middle)])


def macqueen_midpoint() -> Query:
    """Wrong: the midpoint is within discount (M - m) / (4 (1 - discount))."""
    m = _TwoStates()
    k = _bracket(m, safe=True)
    g, rest, low, high = m.discount, 1 - m.discount, k["low"], k["high"]
    off = [2 * (k["swept"][s] - k["z"][s]) * rest + g * (low + high) for s in _BOTH]
    return Query(EVERY, [*k["given"], _exceeds([2 * x for x in off], g * (high - low))])


def macqueen_plain() -> Query:
    """Wrong: the lower bound with m = min(Tv - v) also where episodes end."""
    m = _TwoStates()
    k = _bracket(m, safe=False)
    rest = 1 - m.discount
    lower = [(k["y"][s] - k["swept"][s]) * rest < m.discount * k["low"] for s in _BOTH]
    return Query(EVERY, [*k["given"], _some(*lower)])


def _step(m: _TwoStates) -> tuple[list[Any], list[Any], list[Any]]:
    """(gains of one step, V^pi' - V^pi, conditions); b(s, a) = r + discount P V^pi - V^pi(s).

    The policy pi takes action 0, so b(s, 0) = 0, and pi' takes action 1: pi' may differ from pi
    everywhere or nowhere, as the rows of both actions are free.
    """
    y = m.value("y")
    gain, at_y = [m.b[s][1] for s in _BOTH], m.q(y)
    given = [m.b[s][0] == 0 for s in _BOTH] + [y[s] == at_y[s][1] for s in _BOTH]
    return gain, y, [*m.given, *given]


def improvement() -> Query:
    """Fails: one-step gains >= 0 make V^pi' - V^pi at least as large, equal to 0 iff they are."""
    gain, y, given = _step(_TwoStates())
    smaller = _some(*(y[s] < gain[s] for s in _BOTH))
    same = _all(*(y[s] == 0 for s in _BOTH))
    still = _all(*(gain[s] == 0 for s in _BOTH))
    improving = [gain[s] >= 0 for s in _BOTH]
    return Query(EVERY, [*given, *improving, _some(smaller, same != still)])


def improvement_somewhere() -> Query:
    """Wrong: a gain in one state is enough for V^pi' >= V^pi."""
    gain, y, given = _step(_TwoStates())
    somewhere = _some(*(gain[s] > 0 for s in _BOTH))
    return Query(EVERY, [*given, somewhere, _some(*(y[s] < 0 for s in _BOTH))])


def _elimination(m: _TwoStates) -> dict[str, Any]:
    """Action 0 of state 0 under the bracket V* - below <= V* <= V* + above; b = Q*."""
    below, above, width = m.value("below"), m.value("above"), _number("width")
    best = m.best([0, 0])
    given = [*m.given]
    for s in _BOTH:
        given += [below[s] >= 0, above[s] >= 0, below[s] + above[s] <= width]
    upper = m.q(above)[0]
    lower = m.q([-below[0], -below[1]])[0]
    return {
        "given": given,
        "gap": best[0] - m.b[0][0],
        "mine": upper[0],
        "lower": [*lower],
        "upper": [*upper],
        "width": width,
    }


def elimination() -> Query:
    """Fails: an eliminated action loses at least what is certified, and a wide gap eliminates."""
    m = _TwoStates()
    k = _elimination(m)
    removed = _some(*(k["mine"] < x for x in k["lower"]))
    optimal = _all(removed, k["gap"] <= 0)
    more = _some(*(_all(k["mine"] < x, x - k["mine"] > k["gap"]) for x in k["lower"]))
    kept = _all(*(k["mine"] >= x for x in k["lower"]), k["gap"] > 2 * m.discount * k["width"])
    return Query(EVERY, [*k["given"], _some(optimal, more, kept)])


def elimination_gap() -> Query:
    """Wrong: eliminated as soon as discount times the width is below the whole gap."""
    m = _TwoStates()
    k = _elimination(m)
    kept = [k["mine"] >= x for x in k["lower"]]
    return Query(EVERY, [*k["given"], *kept, k["gap"] > m.discount * k["width"]])


def elimination_upper() -> Query:
    """Wrong: an action is eliminated by another one's upper value."""
    m = _TwoStates()
    k = _elimination(m)
    return Query(EVERY, [*k["given"], k["mine"] < k["upper"][1], k["gap"] <= 0])
