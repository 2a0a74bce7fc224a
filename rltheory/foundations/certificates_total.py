"""Certificates of total reward: without a discount, inequalities alone prove nothing.

The problem: at discount 1, with exits, T_a w = r + P w. Which w, w' bracket V^pi and V*? For
w <= T_pi w alone any number may stand where a run can stay for ever; a ranking function f, which
bounds how long it lasts, is what discounting did before:

    f >= 0, f >= 1 + P_pi f:    w - c f <= V^pi,    c = max(0, max (w - T_pi w))
    f >= 1 + P_a f at all rows: V* <= w' + c' f,    c' = max(0, max (T w' - w'))
    w' >= T w', w' >= 0:        V* <= w'

Proofs: docs/theory/foundations.md. Reference: Bertsekas and Tsitsiklis, An analysis of stochastic
shortest path problems, Mathematics of OR 16, 1991.
"""

import copy
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice, Dyadic, Integer, Many, Space
from rltheory.foundations.families import MOST_ACTIONS, MOST_STATES
from rltheory.foundations.rationals import Planner
from rltheory.mdp.model import MDP

__all__ = ["CLAIMS"]

Value = list[Fraction]

_PAIRS = MOST_STATES * MOST_ACTIONS
_ZERO = Fraction(0)


def _total_models() -> Family:
    """Models of total reward in which most policies end for sure, with witnesses and costs."""

    def build(
        states: int,
        actions: int,
        weights: list[int],
        ends: list[int],
        rewards: list[float],
        costs: list[float],
        value: list[float],
        other: list[float],
        policy: list[int],
    ) -> Instance:
        moves, leaves = [], []
        for pair in range(states * actions):
            w = [*weights[pair * MOST_STATES :][:states], ends[pair]]
            w = w if any(w) else [*w[:-1], 1]
            moves.append([Fraction(x, sum(w)) for x in w[:-1]])
            leaves.append(Fraction(w[-1], sum(w)))

        def table(flat: Sequence[Any]) -> list[list[Any]]:
            return [list(flat[s * actions : (s + 1) * actions]) for s in range(states)]

        paid = table([Fraction(x) for x in rewards])
        mdp = MDP(table(moves), paid, termination=table(leaves), exact=True)
        return Instance(
            mdp=mdp,
            policy=[x % actions for x in policy[:states]],
            value=[Fraction(x) for x in value[:states]],
            other=[Fraction(x) for x in other[:states]],
            costs=table([1 + Fraction(x) for x in costs]),
        )

    space: dict[str, Space] = {
        "states": Integer(1, MOST_STATES),
        "actions": Integer(1, MOST_ACTIONS),
        "weights": Many(Choice(0, 0, 0, 1, 2, 9), _PAIRS * MOST_STATES),
        "ends": Many(Choice(0, 1, 1, 1, 2, 5), _PAIRS),
        "rewards": Many(Dyadic(-1, 1, 2), _PAIRS),
        "costs": Many(Dyadic(0, 1, 1), _PAIRS),
        "value": Many(Dyadic(-3, 3, 2), MOST_STATES),
        "other": Many(Dyadic(-3, 3, 2), MOST_STATES),
        "policy": Many(Integer(0, MOST_ACTIONS - 1), MOST_STATES),
    }
    return Family(space, build)


def _loop(
    exits: Sequence[int], policy: int = 0, below: int | None = None, above: int | None = None
) -> Callable[[], Instance]:
    """One state: action 0 stays for nothing, each further one ends and pays what is in `exits`.

    The optimum is 0. Witnesses: `below` is above the value of the policy, `above` below 0.
    """

    def make() -> Instance:
        n = len(exits)
        mdp = MDP([[[1]] + [[0]] * n], [[0, *exits]], termination=[[0] + [1] * n], exact=True)
        parts = {"below": below, "above": above}
        wrong = {key: [Fraction(x)] for key, x in parts.items() if x is not None}
        return Instance(mdp=mdp, policy=[policy], costs=[[Fraction(1)] * (n + 1)], **wrong)

    return make


def _stays(chance: Fraction, reward: Fraction) -> Callable[[], Instance]:
    """One state; f = 1 / (1 - chance) is the expected time. Witnesses 2 f and 3 f off are met."""

    def make() -> Instance:
        f = 1 / (1 - chance)
        mdp = MDP([[[chance]]], [[reward]], termination=[[1 - chance]], exact=True)
        v = reward * f
        costs = [[Fraction(1)]]
        return Instance(mdp=mdp, policy=[0], value=[v + 2 * f], other=[v - 3 * f], costs=costs)

    return make


# --- what is measured ---------------------------------------------------------------------


def _undiscounted(mdp: MDP) -> Planner:
    m = Planner(mdp)
    m.discount = Fraction(1)
    return m


def _ranking(m: Planner, costs: list[Value], policy: list[int] | None) -> Value | None:
    """The largest total cost from each state, under the policy or under all; None if infinite."""
    paid = copy.copy(m)
    paid.r = costs
    try:
        f = paid.optimum()[0] if policy is None else paid.policy_value(policy)
    except ZeroDivisionError:
        return None
    return f if _ranks(m, f, policy) else None


def _ranks(m: Planner, f: Value, policy: list[int] | None, decrease: int = 1) -> bool:
    """Whether f >= 0 and f >= decrease + P f at the rows of the policy, or at all rows."""
    pairs = [(s, a) for s in m.states for a in (m.actions if policy is None else [policy[s]])]
    return min(f) >= 0 and all(f[s] >= decrease + m.ahead(s, a, f) for s, a in pairs)


def _difference(x: Value, y: Value, per: Value | None = None) -> Fraction:
    """max (x - y) / per, or 0."""
    scale = per or [Fraction(1)] * len(x)
    return max(_ZERO, *((a - b) / c for a, b, c in zip(x, y, scale, strict=True)))


def _value(m: Planner, policy: list[int] | None) -> Value:
    """V^pi, or V* without a policy: 0 where no number of steps earns more or less."""
    zero = [_ZERO] * m.S
    if policy is None:
        return zero if m.T(zero) == zero else m.optimum()[0]
    return zero if m.T_pi(zero, policy) == zero else m.policy_value(policy)


def _counterexamples(m: Planner, instance: Instance) -> list[Measurement]:
    """Stated errors of witnesses that satisfy the inequalities of the discounted case."""
    found = []
    if "below" in instance:
        w = instance.below
        holds = _difference(w, m.T_pi(w, instance.policy)) == 0
        error = _difference(w, _value(m, instance.policy)) if holds else Fraction(-1)
        found.append(Measurement(max(w), error, what="w <= T_pi w, but above V^pi"))
    if "above" in instance:
        w = instance.above
        holds = _difference(m.T(w), w) == 0
        error = _difference(_value(m, None), w) if holds else Fraction(-1)
        found.append(Measurement(-min(w), error, what="w' >= T w', but below V*"))
    return found


def _brackets(m: Planner, instance: Instance, rule: str) -> list[Measurement]:
    """The shift rule: by ranking functions, or by what a mutant puts in their place."""
    policy, costs, one = instance.policy, instance.costs, [Fraction(1)] * m.S
    paid = [x for row in m.r for x in row]
    w = instance["below"] if "below" in instance else instance.get("value")
    v = instance["above"] if "above" in instance else instance.get("other")
    mine, every = _ranking(m, costs, policy), _ranking(m, costs, None)
    if rule == "weak decrease":
        mine = every = one if _ranks(m, one, None, decrease=0) else None
    elif rule == "of the policy":
        every = mine
    bare = rule == "none"
    found = []
    if w is not None and (mine or bare):
        f = mine or one
        c = _difference(w, m.T_pi(w, policy))
        most = max(x / y for x, y in zip(w, f, strict=True)) + max(1, -min(paid))
        error = _difference(w, _value(m, policy), f)
        found.append(
            Measurement(error, c, None if bare else most, c == 0 or not bare, what="lower")
        )
    if v is not None and (every or bare):
        f = every or one
        c = _difference(m.T(v), v)
        most = max(-x / y for x, y in zip(v, f, strict=True)) + max(1, *paid)
        error = _difference(_value(m, None), v, f)
        found.append(
            Measurement(error, c, None if bare else most, c == 0 or not bare, what="upper")
        )
    return found


def _not_negative(m: Planner, costs: list[Value]) -> list[Measurement]:
    """w' >= T w' and w' >= 0: here, the optimum under |r|; all policies end."""
    if _ranking(m, costs, None) is None:
        return []
    larger = copy.copy(m)
    larger.r = [[abs(x) for x in row] for row in m.r]
    w = larger.optimum()[0]
    holds = _difference(m.T(w), w) == 0 and min(w) >= 0
    return [Measurement(_difference(m.optimum()[0], w), 0, event=holds, what="upper, w' >= 0")]


def _total(instance: Instance, rule: str = "ranking") -> list[Measurement]:
    m = _undiscounted(instance.mdp)
    found = _brackets(m, instance, rule)
    if rule == "ranking":
        found += _counterexamples(m, instance) + _not_negative(m, instance.costs)
    return found or [Measurement(0, 0, event=False, what="some runs never end")]


# --- the claim ----------------------------------------------------------------------------


@claim(
    "plan-certificate-total",
    "counterexample",
    title="Total reward needs a ranking function",
    statement=r"""$\gamma=1$, with exits. One state, actions `stay` and `exit`, both for nothing:
$w=5\le T_{\rm stay}w$ and $V^{\rm stay}=0$; with `stay` alone, $w'=-1\ge Tw'$ and $V^*=0$.
If $f\ge0$ and $f\ge1+P_\pi f$ then $w-cf\le V^\pi$ with $c=\max(0,\max(w-T_\pi w))$, for every
$w$. If $f\ge0$ and $f\ge1+P_af$ at every row then $V^*\le w'+c'f$ with
$c'=\max(0,\max(Tw'-w'))$, for every $w'$. Without one, $w'\ge Tw'$ and $w'\ge0$ imply
$w'\ge V^*$.""",
    source="Bertsekas and Tsitsiklis 1991 (setting); this project",
    provenance=("derived", "derived"),
    family=_total_models(),
    named={
        "stay or exit": _loop([0], below=5),
        "stay": _loop([], below=5, above=-1),
        "stay or pay": _loop([-1], policy=1, above=-1),
        "stays half the time": _stays(Fraction(1, 2), _ZERO),
        "stays long": _stays(Fraction(99, 100), Fraction(1, 4)),
    },
    mutants=[
        Mutant(
            "no-ranking",
            "the inequalities alone, as with a discount",
            check=partial(_total, rule="none"),
        ),
        Mutant(
            "weak-decrease",
            "f >= P f in place of f >= 1 + P f, which f = 1 satisfies",
            check=partial(_total, rule="weak decrease"),
        ),
        Mutant(
            "policy-ranking",
            "an upper bound with f checked on the rows of one policy",
            check=partial(_total, rule="of the policy"),
        ),
    ],
    proof="text",
)
def certificate_total(instance: Instance) -> list[Measurement]:
    return _total(instance)


CLAIMS = (certificate_total,)
