"""Queries to an SMT solver: planning claims for every model of two states and two actions.

The problem: each query states that a claim fails; the solver's "unsatisfiable" is then a proof for
all models of that size, with exits and with every discount in [0, 1), and "satisfiable" gives a
model on which the claim is wrong. Nonlinear real arithmetic is decided quickly only when the
polynomials are small, so the variables are chosen well; each choice is a bijection of the models
(at discount 0 transitions do not matter):

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
ANY_ACTIONS = "2 states, any actions, with exits, every discount"
ONE_ACTION = "2 states, 1 action, with exits, every discount"
_BOTH = range(2)


def _number(name: str) -> Any:
    import z3

    return z3.Real(name)


def _vector(name: str) -> list[Any]:
    return [_number(f"{name}{s}") for s in _BOTH]


def _weights(name: str) -> list[list[Any]]:
    return [_vector(f"{name}{a}") for a in _BOTH]


def _most(*x: Any) -> Any:
    import z3

    largest = x[0]
    for y in x[1:]:
        largest = z3.If(y >= largest, y, largest)
    return largest


class _TwoStates:
    """Variables of all models of two states and two actions, and what holds for them."""

    def __init__(self) -> None:
        self.discount = _number("discount")
        self.x = [_weights(f"x{s}") for s in _BOTH]
        self.b = [_vector(f"b{s}") for s in _BOTH]
        self.given = [self.discount >= 0, self.discount < 1]
        for row in (row for state in self.x for row in state):
            self.given += [row[0] >= 0, row[1] >= 0, row[0] + row[1] <= self.discount]

    def no_exits(self) -> Any:
        return _all(*(row[0] + row[1] == self.discount for state in self.x for row in state))

    def q(self, d: Sequence[Any]) -> list[list[Any]]:
        """r + discount P (u + d) of all pairs."""
        return [
            [self.b[s][a] + self.x[s][a][0] * d[0] + self.x[s][a][1] * d[1] for a in _BOTH]
            for s in _BOTH
        ]

    def best(self, d: Sequence[Any]) -> list[Any]:
        """T (u + d)."""
        return [_most(*row) for row in self.q(d)]


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


def monotone() -> Query:
    """Fails: v <= v + d gives Tv <= T(v + d), pair by pair too; T(v + c) <= Tv + discount c for
    c >= 0, with equality, for c, discount > 0, where a maximiser has no exit, and only there.
    """
    m = _TwoStates()
    d, c = _vector("d"), _number("c")
    zero = [0, 0]
    here, there, shifted = m.best(zero), m.best(d), m.best([c, c])
    pairs = [m.q(zero)[s][a] > m.q(d)[s][a] for s in _BOTH for a in _BOTH]
    above = _some(*(here[s] > there[s] for s in _BOTH), *pairs)
    equality = []
    for s in _BOTH:
        stays = [
            _all(m.b[s][a] == here[s], m.x[s][a][0] + m.x[s][a][1] == m.discount) for a in _BOTH
        ]
        equality.append((shifted[s] == here[s] + m.discount * c) != _some(*stays))
    fails = _some(
        _all(d[0] >= 0, d[1] >= 0, above),
        _all(c >= 0, _some(*(shifted[s] > here[s] + m.discount * c for s in _BOTH))),
        _all(c > 0, m.discount > 0, _some(*equality)),
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
    d, D, K = _vector("d"), _number("D"), _number("K")
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
    d, D = _vector("d"), _number("D")
    moved = [x - y for x, y in zip(m.best(d), m.best([0, 0]), strict=True)]
    return Query(EVERY, [*m.given, *_is_norm(D, d), _exceeds(moved, m.discount * m.discount * D)])


def _residual(m: _TwoStates) -> tuple[list[Any], Any, list[Any]]:
    """(V* - v, a bound D of |Tv - v|, conditions); b(s, a) = r + discount P v - v(s)."""
    z, D = _vector("z"), _number("D")
    fixed = [z[s] == t for s, t in enumerate(m.best(z))]
    return z, D, [*m.given, *fixed, *_is_norm(D, m.best([0, 0]))]


def aposteriori() -> Query:
    """Fails: |v - V*| (1 - discount) <= |Tv - v|, or |Tv - V*| (...) <= discount |Tv - v|."""
    m = _TwoStates()
    z, D, given = _residual(m)
    rest, swept = 1 - m.discount, m.best([0, 0])
    before = _exceeds([x * rest for x in z], D)
    after = _exceeds([(x - y) * rest for x, y in zip(swept, z, strict=True)], m.discount * D)
    return Query(EVERY, [*given, _some(before, after)])


def aposteriori_stopping() -> Query:
    """Wrong: |v - V*| <= |Tv - v|."""
    z, D, given = _residual(_TwoStates())
    return Query(EVERY, [*given, _exceeds(z, D)])


def _chain() -> dict[str, Any]:
    """One policy sigma at v, on the scale of 1 - discount.

    Z = (1 - discount) (V^sigma - v); b = T_sigma v - v and top = T v - v, so b <= top, and sigma is
    greedy for v where they agree. Other actions enter through `top` alone: any number of them.
    """
    discount = _number("discount")
    x, b, top, Z = _weights("x"), _vector("b"), _vector("top"), _vector("Z")
    given = [discount >= 0, discount < 1]
    for s in _BOTH:
        given += [x[s][0] >= 0, x[s][1] >= 0, x[s][0] + x[s][1] <= discount, b[s] <= top[s]]
        given += [Z[s] == (1 - discount) * b[s] + x[s][0] * Z[0] + x[s][1] * Z[1]]
    swept = [(1 - discount) * t for t in top]  # (1 - discount) (T v - v)
    return {"given": given, "g": discount, "b": b, "top": top, "Z": Z, "swept": swept}


def macqueen() -> Query:
    """Fails: V^sigma <= Tv + discount M / (1 - discount) for every policy, so for the best one;
    or V^sigma >= Tv + discount m / (1 - discount) for every greedy one.

    The greedy loss is the difference of the two, and the midpoint half of it.
    """
    k = _chain()
    low, high = _number("m"), _number("M")
    extremes = [low <= 0, high >= 0]
    extremes += [low <= t for t in k["top"]] + [t <= high for t in k["top"]]
    above = [k["Z"][s] - k["swept"][s] > k["g"] * high for s in _BOTH]
    below = [k["Z"][s] - k["swept"][s] < k["g"] * low for s in _BOTH]
    greedy = [k["b"][s] == k["top"][s] for s in _BOTH]
    return Query(
        ANY_ACTIONS,
        [*k["given"], *extremes, _some(*above, _all(*greedy, _some(*below)))],
    )


def macqueen_midpoint() -> Query:
    """Wrong: the midpoint is within discount (M - m) / (4 (1 - discount)) of V*."""
    k, g = _chain(), _number("discount")
    greedy = [k["b"][s] == k["top"][s] for s in _BOTH]  # the only policy
    high, low = _most(0, *k["top"]), -_most(0, *(-t for t in k["top"]))
    off = [2 * (2 * (x - z) + g * (low + high)) for x, z in zip(k["swept"], k["Z"], strict=True)]
    return Query(ONE_ACTION, [*k["given"], *greedy, _exceeds(off, g * (high - low))])


def macqueen_plain() -> Query:
    """Wrong: the lower bound with m = min(Tv - v) also where episodes end."""
    k, g = _chain(), _number("discount")
    greedy = [k["b"][s] == k["top"][s] for s in _BOTH]
    low = -_most(*(-t for t in k["top"]))
    below = [z - x < g * low for x, z in zip(k["swept"], k["Z"], strict=True)]
    return Query(ONE_ACTION, [*k["given"], *greedy, _some(*below)])


def _step(m: _TwoStates) -> tuple[list[Any], list[Any], list[Any]]:
    """(gains of one step, V^pi' - V^pi, conditions); b(s, a) = r + discount P V^pi - V^pi(s).

    The policy pi takes action 0, so b(s, 0) = 0, and pi' takes action 1: pi' may differ from pi
    everywhere or nowhere, as the rows of both actions are free.
    """
    y = _vector("y")
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


def _elimination() -> dict[str, Any]:
    """One state, its action 0 and a rival 1, under the bracket V* - below <= V* <= V* + above.

    b = Q*. Only these two actions enter, and the other states only through the bracket.
    """
    discount, width = _number("discount"), _number("width")
    x, b, below, above = _weights("x"), _vector("b"), _vector("below"), _vector("above")
    given = [discount >= 0, discount < 1]
    for k in _BOTH:
        given += [x[k][0] >= 0, x[k][1] >= 0, x[k][0] + x[k][1] <= discount]
        given += [below[k] >= 0, above[k] >= 0, below[k] + above[k] <= width]
    return {
        "given": given,
        "upper": b[0] + x[0][0] * above[0] + x[0][1] * above[1],
        "lower": b[1] - x[1][0] * below[0] - x[1][1] * below[1],
        "rival": b[1] + x[1][0] * above[0] + x[1][1] * above[1],
        "gap": b[1] - b[0],
        "most": discount * width,
    }


def elimination() -> Query:
    """Fails: the certified gap, lower - upper, is at most the true one, and less than it by twice
    the discounted width at most. So what is removed is not optimal, and a larger gap is found.
    """
    k = _elimination()
    certified = k["lower"] - k["upper"]
    wrong = _some(certified > k["gap"], certified < k["gap"] - 2 * k["most"])
    return Query(ANY_ACTIONS, [*k["given"], wrong])


def elimination_gap() -> Query:
    """Wrong: removed as soon as the discounted width is below the whole gap."""
    k = _elimination()
    return Query(ANY_ACTIONS, [*k["given"], k["upper"] >= k["lower"], k["gap"] > k["most"]])


def elimination_upper() -> Query:
    """Wrong: an action is removed by another one's upper value."""
    k = _elimination()
    return Query(ANY_ACTIONS, [*k["given"], k["upper"] < k["rival"], k["gap"] <= 0])
