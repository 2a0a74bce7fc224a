"""Average reward: spans shrink, residuals bracket the gain, and pairs of gains and biases prove it.

The problem: no discount and no exits; T h = max_a (r + P_a h), T_pi for a policy, pi_h a greedy one
for h; the gain of a policy is g^pi = lim (1/n) sum_{t<n} P_pi^t r_pi, and g* the largest of all.
Symbols: sp(x) = max x - min x; the overlap of two rows is sum_j min(p_j, q_j).

    sp(T h - T g) <= (1 - alpha) sp(h - g), alpha the least overlap        plan-avg-span
    min (T h - h) <= g^{pi_h} <= g* <= max (T h - h)                       plan-avg-bounds
    g >= P_a g, g + h >= r_a + P_a h at all rows: g >= g*                  plan-avg-multichain

Proofs: docs/theory/average.md. References: Puterman, Markov Decision Processes, 1994, sections 8.5
and 9.1 to 9.3; Odoni, On finding the maximal gain for Markov decision processes, 1969.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from itertools import combinations

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice, Integer, Many
from rltheory.foundations import smt_average
from rltheory.foundations.families import MOST_ACTIONS, MOST_STATES, case, planning_family
from rltheory.foundations.gains import best_gain, gain_of, recurrent_states
from rltheory.foundations.instances import absorbing, flip
from rltheory.foundations.rationals import Planner, minus, span
from rltheory.mdp.model import MDP
from rltheory.solvers.exact import solve_exact

__all__ = ["CLAIMS"]

Value = list[Fraction]

_ZERO = Fraction(0)
_ONE = Fraction(1)
_HALF = Fraction(1, 2)
_SWEEPS = 3


# --- instances ----------------------------------------------------------------------------


def _spread_rows() -> Family:
    """Models without exits in which many pairs of rows overlap."""
    family, pairs = planning_family(exits=False, discounts=("0",)), MOST_STATES * MOST_ACTIONS
    space = dict(family.space)
    space["certain"] = Many(Choice(False), pairs)
    space["weights"] = Many(Choice(0, 1, 1, 2, 5, 40), pairs * (MOST_STATES + 1))
    return Family(space, family.build)


def _few_moves() -> Family:
    """Models without exits, most rows certain: several closed classes, and few policies."""
    family, pairs = planning_family(exits=False, discounts=("0",)), MOST_STATES * MOST_ACTIONS
    space = dict(family.space)
    space["certain"] = Many(Choice(False, True, True), pairs)
    space["actions"] = Integer(1, 2)
    return Family(space, family.build)


def _two(next_states: list[list[list[Fraction]]], rewards: list[list[int]]) -> MDP:
    return MDP(next_states, rewards, _ZERO, exact=True)


_TO_0, _TO_1 = [_ONE, _ZERO], [_ZERO, _ONE]


def _flip(beta: Fraction, h: Sequence[int] = (1, 0)) -> Callable[[], Instance]:
    return lambda: case(flip(beta), h)


def _absorbing() -> Instance:
    return case(absorbing(0, 0, 0), [1, 0])


def _cycle() -> Instance:
    """0 and 1 follow each other and pay 1 and 0."""
    return case(_two([[_TO_1], [_TO_0]], [[1], [0]]))


def _stay_or_go(stay: int, beyond: int, h: Sequence[int] = (0, 0)) -> Callable[[], Instance]:
    """State 0 stays for `stay`, or goes for nothing to state 1, which pays `beyond` for ever."""
    rows = [[_TO_0, _TO_1], [_TO_1, _TO_1]]
    return lambda: case(_two(rows, [[stay, 0], [beyond, beyond]]), h)


# --- what is measured ---------------------------------------------------------------------


def _undiscounted(mdp: MDP) -> Planner:
    m = Planner(mdp)
    m.discount = _ONE
    return m


def _lazy(m: Planner) -> Planner:
    """The model whose rows stay half of the time; its policies have the gains of the model's."""
    out = _undiscounted_copy(m)
    out.P = [
        [[_HALF * (p + int(s == t)) for t, p in enumerate(m.P[s][a])] for a in m.actions]
        for s in m.states
    ]
    return out


def _undiscounted_copy(m: Planner) -> Planner:
    out = Planner.__new__(Planner)
    out.__dict__.update(m.__dict__)
    return out


def _overlap(m: Planner, within_states: bool = False) -> Fraction:
    """The least overlap of two rows; with `within_states`, of two rows of the same state."""
    groups = m.P if within_states else [[row for rows in m.P for row in rows]]
    common = [
        sum((min(p, q) for p, q in zip(one, other, strict=True)), _ZERO)
        for rows in groups
        for one, other in combinations(rows, 2)
    ]
    return min(common, default=_ONE)


def span_bound(overlap: Fraction, span: Fraction, sweeps: int = 1) -> Fraction:
    """What is left of a span after so many sweeps: (1 - overlap)^sweeps span."""
    return (1 - overlap) ** sweeps * span


def _span(instance: Instance, power: int = 1, within_states: bool = False) -> list[Measurement]:
    m = _undiscounted(instance.mdp)
    before = span(minus(instance.value, instance.other))
    after = span(minus(m.T(instance.value), m.T(instance.other)))
    bound = span_bound(_overlap(m, within_states), before, power)
    return [Measurement(after, bound, before)]


def _range(m: Planner) -> tuple[Fraction, Fraction]:
    paid = [x for row in m.r for x in row]
    return min(paid), max(paid)


def _bounds(
    instance: Instance, lazily: bool = True, recurrent_only: bool = False
) -> list[Measurement]:
    m, h = _undiscounted(instance.mdp), instance.value
    least, most = _range(m)
    change = minus(m.T(h), h)
    best = best_gain(m)
    found = []
    for last in (False, True):
        reward, moves = m.chain(m.greedy(h, last))
        own = gain_of(moves, reward)
        counted = recurrent_states(moves) if recurrent_only else [True] * m.S
        high = max(x for x, counts in zip(change, counted, strict=True) if counts)
        found += [
            Measurement(max(best) - least, high - least, most - least, what="g* at most max"),
            Measurement(most - min(own), most - min(change), most - least, what="gain from min"),
            Measurement(max(minus(own, best)), 0, what="gain of a policy at most g*"),
        ]
    lazy = _lazy(m)
    swept = lazy if lazily else m
    ahead = swept.sweeps(h, _SWEEPS)
    width = span(minus(swept.T(ahead), ahead))
    first = span(minus(lazy.T(h), h))
    bound = span_bound(_overlap(lazy), first, _SWEEPS)
    found.append(Measurement(width, bound, first, what="width of the bracket, lazily"))
    return found


def _fails_upper(m: Planner, g: Value, h: Value) -> Fraction:
    """By how much g >= P_a g or g + h >= r_a + P_a h fails at some row."""
    worst = [
        max(m.ahead(s, a, g) - g[s], m.r[s][a] + m.ahead(s, a, h) - g[s] - h[s])
        for s in m.states
        for a in m.actions
    ]
    return max(_ZERO, *worst)


def _lifted(m: Planner, g: Value, h: Value) -> Value:
    """h + K g with the least K >= 0 for which the second inequality holds at every row."""
    needed = [_ZERO]
    for s in m.states:
        for a in m.actions:
            loss = g[s] - m.ahead(s, a, g)
            if loss > 0:
                needed.append((m.r[s][a] + m.ahead(s, a, h) - g[s] - h[s]) / loss)
    k = max(needed)
    return [x + k * y for x, y in zip(h, g, strict=True)]


def _multichain(instance: Instance, gains_move: bool = True) -> list[Measurement]:
    m, h = _undiscounted(instance.mdp), instance.value
    least, most = _range(m)
    best = best_gain(m)
    change = minus(m.T(h), h)
    if not gains_move:  # the second inequality alone: g = T h - h satisfies it
        return _above(change, best, least, most, "g* at most g")
    exact = solve_exact(instance.mdp, criterion="average")
    assert exact.bias is not None
    g, bias = list(exact.value), _lifted(m, list(exact.value), list(exact.bias))
    found = [
        Measurement(_fails_upper(m, g, bias), 0, what="the pair of g* satisfies both"),
        *_above(g, best, least, most, "g* at most its own g"),
        Measurement(
            sum((p * x for p, x in zip(instance.start, g, strict=True)), _ZERO) - least,
            sum((p * x for p, x in zip(instance.start, best, strict=True)), _ZERO) - least,
            most - least,
            what="value of the linear program",
        ),
    ]
    # Between that pair and a constant one every mixture satisfies the inequalities.
    top = max(change)
    mixed_g = [_HALF * (x + top) for x in g]
    mixed_h = [_HALF * (x + y) for x, y in zip(bias, h, strict=True)]
    found.append(Measurement(_fails_upper(m, mixed_g, mixed_h), 0, what="so does a mixture"))
    found += _above(mixed_g, best, least, most, "g* at most a mixture")
    # From below, for one policy: g^pi itself, and a constant.
    reward, moves = m.chain(instance.policy)
    own = gain_of(moves, reward)
    low = min(minus(m.T_pi(h, instance.policy), h))
    mixed = [_HALF * (x + low) for x in own]
    found += [
        Measurement(x - least, y - least, most - least, what="a lower pair at most g^pi")
        for x, y in zip(mixed, own, strict=True)
        if x >= least
    ]
    return found


def _above(g: Value, best: Value, least: Fraction, most: Fraction, what: str) -> list[Measurement]:
    return [
        Measurement(y - least, x - least, most - least, what=what)
        for x, y in zip(g, best, strict=True)
    ]


# --- the claims ---------------------------------------------------------------------------


@claim(
    "plan-avg-span",
    "inequality",
    title="Overlapping rows shrink the span",
    statement=r"""$\gamma=1$, no exits. If every two rows of the model, over all pairs $(s,a)$
and $(s',a')$, overlap by at least $\alpha$, $\sum_j\min(P(j|s,a),P(j|s',a'))\ge\alpha$, then
$\mathrm{sp}(Th-Tg)\le(1-\alpha)\,\mathrm{sp}(h-g)$ for all $h$ and $g$.""",
    source="Puterman 1994, theorem 8.5.2 (one stage)",
    provenance=("textbook", "textbook"),
    family=_spread_rows(),
    named={
        "flips one time in four": _flip(Fraction(1, 4)),
        "flips half the time": _flip(_HALF),
        "flips rarely": _flip(Fraction(1, 100), (3, -1)),
        "absorbing": _absorbing,
    },
    mutants=[
        Mutant(
            "squared",
            "the factor (1 - alpha)^2",
            check=partial(_span, power=2),
            smt=smt_average.span_squared,
        ),
        Mutant(
            "same-state",
            "overlap of the rows of one state only",
            check=partial(_span, within_states=True),
            smt=smt_average.span_within_states,
        ),
    ],
    bound=span_bound,
    proof="text",
    smt=smt_average.span,
)
def span_shrinks(instance: Instance) -> list[Measurement]:
    return _span(instance)


@claim(
    "plan-avg-bounds",
    "inequality",
    title="One residual brackets the gain",
    statement=r"""$\gamma=1$, no exits, one gain or several. For every $h$ and every $s$,
$\min(Th-h)\le g^{\pi_h}(s)\le g^*(s)\le\max(Th-h)$, with $\pi_h$ any greedy policy. Value iteration
on the lazy model $\frac12(I+P)$, with the same rewards and so the same gains, closes the bracket:
after $n$ sweeps $\mathrm{sp}(Th_n-h_n)\le(1-\alpha)^n\,\mathrm{sp}(Th-h)$, $\alpha$ the overlap of
its rows.""",
    source="Odoni 1969; Puterman 1994, theorem 8.5.5",
    provenance=("textbook", "derived"),
    family=_few_moves(),
    named={
        "one state": lambda: case(MDP([[[1]]], [[1]], _ZERO, exact=True)),
        "cycle": _cycle,
        "flips, its bias": lambda: case(flip(Fraction(1, 4)), [2, 0]),
        "stay or go": _stay_or_go(1, 0, (0, 10)),
        "absorbing": lambda: case(absorbing(0, 1, 0)),
    },
    mutants=[
        Mutant(
            "no-laziness",
            "value iteration on the model itself closes the bracket as fast",
            check=partial(_bounds, lazily=False),
        ),
        Mutant(
            "recurrent-states",
            "max over the recurrent states of the greedy policy only",
            check=partial(_bounds, recurrent_only=True),
        ),
    ],
    proof="text",
    smt=smt_average.bounds,
)
def gain_bounds(instance: Instance) -> list[Measurement]:
    return _bounds(instance)


@claim(
    "plan-avg-multichain",
    "inequality",
    title="Gains and biases bound gains that differ between states",
    statement=r"""$\gamma=1$, no exits. If $g\ge P_ag$ and $g+h\ge r_a+P_ah$ at every row, then
$g\ge g^*$; if $g\le P_\pi g$ and $g+h\le r_\pi+P_\pi h$, then $g\le g^\pi$. The first system has a
solution with $g=g^*$, so that its linear program $\min\rho g$ has the value $\rho g^*$: a bias $h$
of a policy that multichain policy iteration ends with, plus $Kg^*$ with $K$ large.""",
    source="Puterman 1994, section 9.3",
    provenance=("textbook", "textbook"),
    family=_few_moves(),
    named={
        "stay or go": _stay_or_go(0, 1),
        "better stay": _stay_or_go(1, 0, (0, 10)),
        "absorbing": lambda: case(absorbing(0, 1, 0), [1, 0]),
        "cycle": _cycle,
    },
    mutants=[
        Mutant(
            "no-gain-test",
            "without g >= P_a g",
            check=partial(_multichain, gains_move=False),
        ),
    ],
    proof="text",
)
def multichain(instance: Instance) -> list[Measurement]:
    return _multichain(instance)


CLAIMS = (span_shrinks, gain_bounds, multichain)
