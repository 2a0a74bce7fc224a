"""Queries to an SMT solver: losses, differences and certificates for every model of two states.

The problem: each query states that a claim fails; "unsatisfiable" is a proof for all models of two
states, with exits, every discount in [0, 1) and every reward, and "satisfiable" gives a model on
which the claim is wrong. Only the rows of one or two policies enter each claim,

    p(s, t) >= 0,  sum_t p(s, t) <= 1    a row of the policy; a mixture of rows is one, so that
                                         the number of actions and randomisation do not matter
    V = r + discount P V                 its value, which defines r = V - discount P V: rewards are
                                         eliminated, since every (P, V) belongs to one r

and two more choices make the polynomials small enough. States are labelled so that the loss is
largest in state 0, which every model allows; and what is near a value u is written u + z.

Reference: L. de Moura, N. Bjorner, Z3, TACAS 2008; D. Jovanovic, L. de Moura, Solving non-linear
arithmetic, IJCAR 2012.
"""

from collections.abc import Sequence
from typing import Any

from rltheory.claims.smt import Query

__all__ = [
    "certificate",
    "certificate_other_side",
    "certificate_unclipped",
    "certificate_undivided",
    "flow",
    "flow_full_mass",
    "flow_undiscounted_start",
    "greedy_loss",
    "greedy_loss_once",
    "pdl",
    "pdl_old_occupancy",
    "pdl_without_factor",
    "residual_loss",
    "residual_loss_once",
    "simulation",
    "simulation_classical_half",
    "simulation_coupling_half",
]

EVERY = "2 states, any actions, with exits, every discount"
NO_HORIZON = f"{EVERY}: the discounted form"
TWO_ACTIONS = "2 states, 2 actions, with exits, every discount: the discounted form"
NO_EXITS = "2 states, any actions, no exits, every discount: (i) to (iii)"
ANY_SUMS = "2 states, any actions and row sums, with exits, every discount: (i) to (iii)"
_BOTH = range(2)

Vector = Sequence[Any]


def _real(name: str) -> Any:
    import z3

    return z3.Real(name)


def _some(*conditions: Any) -> Any:
    import z3

    return z3.Or(*conditions)


def _all(*conditions: Any) -> Any:
    import z3

    return z3.And(*conditions)


def _vector(name: str) -> list[Any]:
    return [_real(f"{name}{s}") for s in _BOTH]


def _dot(row: Vector, v: Vector) -> Any:
    return row[0] * v[0] + row[1] * v[1]


class _Model:
    """A discount, rows of policies, and what holds for them."""

    def __init__(self) -> None:
        self.discount = _real("discount")
        self.given = [self.discount >= 0, self.discount < 1]

    def rows(self, name: str) -> list[list[Any]]:
        """One row in each state, with an exit."""
        rows = [[_real(f"{name}{s}{t}") for t in _BOTH] for s in _BOTH]
        for p in rows:
            self.given += [p[0] >= 0, p[1] >= 0, p[0] + p[1] <= 1]
        return rows

    def reward(self, rows: Sequence[Vector], value: Vector) -> list[Any]:
        """The rewards with which these rows have this value."""
        return [value[s] - self.discount * _dot(rows[s], value) for s in _BOTH]

    def query(self, *fails: Any, size: str = EVERY) -> Query:
        return Query(size, [*self.given, *fails])


class _Loss(_Model):
    """An optimal policy of value `best` and another one of value `value`."""

    def __init__(self, optimal: bool) -> None:
        super().__init__()
        self.here, self.other = self.rows("p"), self.rows("o")
        self.value, self.best = _vector("V"), _vector("W")
        self.r = self.reward(self.here, self.value)
        self.b = self.reward(self.other, self.best)
        if optimal:  # the claims hold for the value of any policy in place of `best`
            at_best = self.backup(self.r, self.here, self.best)
            self.given += [self.best[s] >= at_best[s] for s in _BOTH]
        self.loss = self.best[0] - self.value[0]
        self.given.append(self.loss >= self.best[1] - self.value[1])

    def backup(self, reward: Vector, rows: Sequence[Vector], v: Vector) -> list[Any]:
        return [reward[s] + self.discount * _dot(rows[s], v) for s in _BOTH]

    def near(self, name: str, error: Any) -> list[Any]:
        """Two numbers of absolute value at most `error`."""
        z = _vector(name)
        self.given += [x <= error for x in z] + [-x <= error for x in z]
        return z


def _greedy_loss(factor: int, of_q: bool) -> Query:
    m = _Loss(optimal=factor == 1)
    error = _real("eps")
    bound = [factor * m.discount * error]
    z = m.near("z", error)
    v = [m.best[s] + z[s] for s in _BOTH]
    mine, theirs = m.backup(m.r, m.here, v), m.backup(m.b, m.other, v)
    greedy = [mine[s] >= theirs[s] for s in _BOTH]
    fails = [_all(*greedy, m.loss * (1 - m.discount) > bound[0])]
    if of_q:
        x, y = m.near("x", error), m.near("y", error)
        q = m.backup(m.r, m.here, m.best)
        greedy = [q[s] + x[s] >= m.best[s] + y[s] for s in _BOTH]
        fails.append(_all(*greedy, m.loss * (1 - m.discount) > factor * error))
    return m.query(_some(*fails))


def greedy_loss() -> Query:
    """Fails: loss (1 - discount) <= 2 discount eps for values, or <= 2 eps for action values."""
    return _greedy_loss(2, of_q=True)


def greedy_loss_once() -> Query:
    """Wrong: loss (1 - discount) <= discount eps."""
    return _greedy_loss(1, of_q=False)


def _residual_loss(factor: int) -> Query:
    m = _Loss(optimal=factor == 1)
    v, low, high, norm = _vector("v"), _real("m"), _real("M"), _real("D")
    mine = [x - v[s] for s, x in enumerate(m.backup(m.r, m.here, v))]
    theirs = [x - v[s] for s, x in enumerate(m.backup(m.b, m.other, v))]
    # Clipped extremes are enough: without exits, subtracting m from all rewards makes them so, and
    # changes neither a loss nor the spread.
    m.given += [low <= 0, high >= 0]
    for s in _BOTH:
        m.given += [low <= mine[s], mine[s] <= high, theirs[s] <= high]
    rest = m.loss * (1 - m.discount)
    greedy = [mine[s] >= theirs[s] for s in _BOTH]
    by_norm = [x <= norm for x in mine] + [-x <= norm for x in mine]
    norm_fails = _all(*greedy, *by_norm, rest > factor * m.discount * norm)
    if factor == 1:
        return m.query(norm_fails)
    return m.query(
        _some(rest > high - low, _all(*greedy, rest > m.discount * (high - low)), norm_fails)
    )


def residual_loss() -> Query:
    """Fails: the loss of any policy, of a greedy one, or of a greedy one by the norm."""
    return _residual_loss(2)


def residual_loss_once() -> Query:
    """Wrong: loss of a greedy policy (1 - discount) <= discount |Tv - v|."""
    return _residual_loss(1)


def _pdl(occupancy_of_new: bool = True, factor: bool = True) -> Query:
    """(1 - discount) start (W - V) against sum_s d(s) (r + discount P V - V)(s)."""
    m = _Model()
    new, old = m.rows("p"), m.rows("o")
    V, W, d, start = _vector("V"), _vector("W"), _vector("d"), _vector("start")
    r = m.reward(new, W)
    chain = new if occupancy_of_new else old
    m.given += [start[0] >= 0, start[1] >= 0, start[0] + start[1] == 1]
    for t in _BOTH:
        arrives = d[0] * chain[0][t] + d[1] * chain[1][t]
        m.given.append(d[t] == (1 - m.discount) * start[t] + m.discount * arrives)
    gain = _dot(start, [W[s] - V[s] for s in _BOTH])
    advantage = sum(d[s] * (r[s] + m.discount * _dot(new[s], V) - V[s]) for s in _BOTH)
    return m.query((1 - m.discount if factor else 1) * gain != advantage, size=NO_HORIZON)


def pdl() -> Query:
    """Fails: the difference of two values is the mean advantage; V is any vector."""
    return _pdl()


def pdl_old_occupancy() -> Query:
    """Wrong: the same under the occupancy of the old policy."""
    return _pdl(occupancy_of_new=False)


def pdl_without_factor() -> Query:
    """Wrong: the same without 1 / (1 - discount)."""
    return _pdl(factor=False)


def _flow(start_share: bool = True, mass_lost: bool = True) -> Query:
    """Two actions in each state; d(s, a) >= 0 satisfies the flow equations."""
    m = _Model()
    P = [m.rows(f"p{a}") for a in _BOTH]  # P[a][s]
    d = [_vector(f"d{a}") for a in _BOTH]  # d[a][s]
    gain = [_vector(f"g{a}") for a in _BOTH]
    V = _vector("V")
    pairs = [(s, a) for s in _BOTH for a in _BOTH]
    m.given += [d[a][s] >= 0 for s, a in pairs]
    state = [d[0][s] + d[1][s] for s in _BOTH]
    start = [state[t] - m.discount * sum(d[a][s] * P[a][s][t] for s, a in pairs) for t in _BOTH]
    m.given += [start[0] >= 0, start[1] >= 0]
    m.given.append(start[0] + start[1] == (1 - m.discount if start_share else 1))
    ends = sum(d[a][s] * (1 - P[a][s][0] - P[a][s][1]) for s, a in pairs)
    lost = m.discount * ends if mass_lost else 0
    mass = (1 - m.discount) * (state[0] + state[1]) != (1 - m.discount) - lost
    # V is the value of pi_d: gains r + discount P V - V average to 0 where d is positive.
    reward = [[gain[a][s] + V[s] - m.discount * _dot(P[a][s], V) for s in _BOTH] for a in _BOTH]
    zero = [d[0][s] * gain[0][s] + d[1][s] * gain[1][s] == 0 for s in _BOTH]
    paid = sum(d[a][s] * reward[a][s] for s, a in pairs)
    value = _all(*zero, paid != _dot(start, V))
    # Two solutions of the flow equations of one policy differ by z = discount P' z; so z = 0.
    z, Q = _vector("z"), m.rows("q")
    kernel = [z[t] == m.discount * (z[0] * Q[0][t] + z[1] * Q[1][t]) for t in _BOTH]
    unique = _all(*kernel, _some(z[0] != 0, z[1] != 0))
    return m.query(_some(mass, value, unique), size=TWO_ACTIONS)


def flow() -> Query:
    """Fails: mass, value and uniqueness of what satisfies the flow equations."""
    return _flow()


def flow_undiscounted_start() -> Query:
    """Wrong: flow equations with the start law itself instead of its share 1 - discount."""
    return _flow(start_share=False)


def flow_full_mass() -> Query:
    """Wrong: mass 1 whatever ends."""
    return _flow(mass_lost=False)


class _Twins(_Model):
    """A policy in two models without exits: rows (p, 1-p) and (o, 1-o), values V and W.

    q bounds the mass that rows differ by, eps what rewards do. The difference is largest in state 0
    and positive there: negating all rewards, or replacing r by 1 - r, changes its sign.
    """

    def __init__(self) -> None:
        super().__init__()
        p, o, V, W = _vector("p"), _vector("o"), _vector("V"), _vector("W")
        self.eps, self.q, self.span = _real("eps"), _real("q"), _real("span")
        self.given += [self.eps >= 0, self.q >= 0, self.q <= 1, V[0] - W[0] >= V[1] - W[1]]
        self.given += [self.span >= W[0] - W[1], self.span >= W[1] - W[0]]
        for x in (*p, *o):
            self.given += [x >= 0, x <= 1]
        r = self.reward([[x, 1 - x] for x in p], V)
        b = self.reward([[x, 1 - x] for x in o], W)
        for s in _BOTH:
            self.given += [p[s] - o[s] <= self.q, o[s] - p[s] <= self.q]
            self.given += [r[s] - b[s] <= self.eps, b[s] - r[s] <= self.eps]
        self.apart = (1 - self.discount) * (V[0] - W[0])
        self.is_unit = _all(self.eps <= 1, *(_all(y >= 0, y <= 1) for y in (*r, *b)))

    def exceeds_coupling(self, q: Any) -> Any:
        k = 1 - self.discount + self.discount * q
        return self.apart * k > self.eps * k + (1 - self.eps) * self.discount * q

    def exceeds_classical(self, q: Any) -> Any:
        rest = 1 - self.discount
        return self.apart * rest > self.eps * rest + self.discount * q


def simulation() -> Query:
    """Fails: (i), with any rewards, (ii) or (iii), with R = 1, which scaling allows."""
    m = _Twins()
    by_span = m.apart > m.eps + m.discount * m.q * m.span
    by_range = _some(m.exceeds_classical(m.q), m.exceeds_coupling(m.q))
    return m.query(_some(by_span, _all(m.is_unit, by_range)), size=NO_EXITS)


def simulation_coupling_half() -> Query:
    """Wrong: (iii) with half of q."""
    m = _Twins()
    return m.query(m.is_unit, m.exceeds_coupling(m.q / 2), size=NO_EXITS)


def simulation_classical_half() -> Query:
    """Wrong: (ii) with half of eps_P."""
    m = _Twins()
    return m.query(m.is_unit, m.exceeds_classical(m.q / 2), size=NO_EXITS)


def _certificate(divided: bool = True, clipped: bool = True, own_side: bool = True) -> Query:
    """Rows of any sum sigma, exit included; k is the shift that the residuals allow."""
    m = _Model()
    p, x = [_vector(f"p{s}") for s in _BOTH], _vector("x")
    r, w, V, k = _vector("r"), _vector("w"), _vector("V"), _real("k")
    sigma = [p[s][0] + p[s][1] + x[s] for s in _BOTH]
    for s in _BOTH:
        m.given += [p[s][0] >= 0, p[s][1] >= 0, x[s] >= 0, sigma[s] > 0]
        m.given.append(sigma[s] * (V[s] - r[s]) == m.discount * _dot(p[s], V))
    if not own_side:  # the row of another policy is tested in state 0
        r = [_real("r2"), r[1]]
        p = [_vector("p2"), p[1]]
        m.given += [p[0][0] >= 0, p[0][1] >= 0, p[0][0] + p[0][1] <= sigma[0]]
    by = sigma if divided else [1, 1]
    scaled = [by[s] * (r[s] - w[s]) + m.discount * _dot(p[s], w) for s in _BOTH]
    low = [k * (1 - m.discount) * by[s] <= scaled[s] for s in _BOTH]
    high = [k * (1 - m.discount) * by[s] >= scaled[s] for s in _BOTH]
    if clipped:
        low, high = [*low, k <= 0], [*high, k >= 0]
    below, above = _all(*low, w[0] + k > V[0]), _all(*high, w[0] + k < V[0])
    if not divided:  # in rows that would pass for rows of sum 1
        near = [10**9 * (y - 1) <= 1 for y in sigma] + [10**9 * (1 - y) <= 1 for y in sigma]
        return m.query(*near, below, size=ANY_SUMS)
    return m.query(_some(below, above) if own_side else above, size=ANY_SUMS)


def certificate() -> Query:
    """Fails: w + k <= V of the policy, or w' + k' >= V, by residuals multiplied by row sums."""
    return _certificate()


def certificate_undivided() -> Query:
    """Wrong: rows that sum to 1 within 1e-9 are taken as if they summed to 1."""
    return _certificate(divided=False)


def certificate_unclipped() -> Query:
    """Wrong: a lower witness may be shifted up, and an upper one down."""
    return _certificate(clipped=False)


def certificate_other_side() -> Query:
    """Wrong: the upper side is tested on the rows of one policy, and bounds another one."""
    return _certificate(own_side=False)
