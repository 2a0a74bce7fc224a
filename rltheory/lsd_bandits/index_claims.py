r"""LSD arms are indexable, but ranking them by their indices keeps no constant share of g*.

One arm with discount gamma, every play charged l; V its optimal value, and

    D_s(l) = p(s) - l + gamma (V(play) - V(rest)).

D_s is continuous and strictly decreasing in every state, whatever the payoffs are: where play and
rest lead, the same things happen sooner or later (claim ``lsd-indexable``). Hence one charge
at which play and rest are equally good, and the set of states in which rest is optimal grows with
l; with gamma to 1, in the average-reward problem as well.

The index of a state charges for what a play forgoes by not waiting for a later, large payoff, even
where the policy then plays before that comes: with two monotone arms it may be paid 1/(K+1) of the
optimum, and little more, for any K (claim ``lsd-index-unbounded``). Proofs:
docs/theory/lsd_index.md. All in fractions.
"""

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from itertools import pairwise
from typing import Any

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice, Integer
from rltheory.lsd_bandits.arms import LSDArm
from rltheory.lsd_bandits.bandit import LSDBandit
from rltheory.lsd_bandits.families import bandit_of, case, rand_any
from rltheory.lsd_bandits.lagrangian_index import index_average, play_index
from rltheory.lsd_bandits.optimal import optimal_gain

__all__ = ["CLAIMS"]

CHARGES = [Fraction(j, 4) for j in range(-14, 7)]


def _path_value(arm: LSDArm, plays: list[bool], s: int, charge: Fraction, discount: Any) -> Any:
    """The value of a policy: its path, and the cycle in which that ends as a geometric series."""
    seen: dict[int, int] = {}
    terms: list[Fraction] = []
    weight = Fraction(1)
    while s not in seen:
        seen[s] = len(terms)
        terms.append(weight * (arm.payoffs[s] - charge) if plays[s] else Fraction(0))
        s = arm.play_next[s] if plays[s] else arm.rest_next[s]
        weight *= discount
    begin = seen[s]
    return sum(terms[:begin]) + sum(terms[begin:]) / (1 - discount ** (len(terms) - begin))


def _advantages(arm: LSDArm, charge: Fraction, discount: Fraction) -> list[Fraction]:
    """D_s(l) of all states, by policy iteration."""
    states = range(arm.n_states)
    plays = [p > charge for p in arm.payoffs]
    while True:
        value = [_path_value(arm, plays, s, charge, discount) for s in states]
        better = [
            arm.payoffs[s] - charge + discount * (value[arm.play_next[s]] - value[arm.rest_next[s]])
            for s in states
        ]
        improved = [x > 0 if x != 0 else plays[s] for s, x in enumerate(better)]
        if improved == plays:
            return better
        plays = improved


def _indexable(i: Instance, rate: Fraction = Fraction(0), lower: bool = False) -> list[Measurement]:
    found = []
    for number, arm in enumerate(bandit_of(i).arms):
        assert isinstance(arm, LSDArm)
        index = play_index(arm)
        if lower:
            rests = [[best != "play" for best in piece.best] for piece in index.intervals]
            ordered = all(rest == sorted(rest, reverse=True) for rest in rests)
            event = arm.is_monotone
            found.append(Measurement(ordered, True, event=event, what=f"arm {number}, lower set"))
            continue
        found.append(Measurement(index.indexable, True, what=f"arm {number}, average reward"))
        rows = [_advantages(arm, charge, i.discount) for charge in CHARGES]
        falls = all(
            before - after > rate * step
            for left, right, step in zip(
                rows, rows[1:], (y - x for x, y in pairwise(CHARGES)), strict=False
            )
            for before, after in zip(left, right, strict=True)
        )
        found.append(Measurement(falls, True, what=f"arm {number}, discounted"))
    return found


def _case(arm: LSDArm, discount: str = "9/10") -> Callable[[], Instance]:
    return lambda: Instance(**case(LSDBandit([arm])), discount=Fraction(discount))


def _family() -> Family:
    arms = rand_any(plays=(1,), arms=(1, 2), most_plays=3, recovery=("reset", "gradual"))

    def build(discount: str, **rest: Any) -> Instance:
        return Instance(**arms.instance(rest), discount=Fraction(discount))

    return Family({**arms.space, "discount": Choice("1/4", "1/2", "9/10", "999/1000")}, build)


@claim(
    "lsd-indexable",
    "decision",
    title="Last-switch-dependent arms are indexable, whatever they pay",
    statement=r"""One LSD arm with any payoffs, reset or gradual recovery, discount $0<\gamma<1$,
every play charged $l$, $V_l$ the optimal value. In every state
$D_s(l)=p(s)-l+\gamma\bigl(V_l(\mathrm{play}\,s)-V_l(\mathrm{rest}\,s)\bigr)$ is continuous and
strictly decreasing in $l$. So play and rest are equally good at exactly one charge, and the set of
states in which rest is optimal grows with $l$; so it does in the average-reward problem, where
actions are compared by gain, bias and the next term.""",
    source="this project; the question is Whittle's, 1988",
    provenance=("derived", "derived"),
    family=_family(),
    named={
        "blocking": _case(LSDArm.blocking(3)),
        "constant": _case(LSDArm(["1/2"], ["1/2"])),
        "no payoff at all": _case(LSDArm([0], [0])),
        "seasonal": _case(LSDArm([0, 0, 1, 0], [0])),
        "gradual": _case(LSDArm([0, 1], [0, 1, 0, "1/2"], "gradual")),
        "momentum": _case(LSDArm([0, 0], [0, 1, 0]), "99/100"),
    },
    mutants=[
        Mutant(
            "lower-set", "rest is optimal on a lower set", check=partial(_indexable, lower=True)
        ),
        Mutant(
            "rate", "D falls faster than the charge", check=partial(_indexable, rate=Fraction(1))
        ),
    ],
    proof="text",
)
def indexable(instance: Instance) -> list[Measurement]:
    return _indexable(instance)


# --- lsd-index-unbounded ------------------------------------------------------------------


def _patient(K: int, R: int) -> Instance:
    """An arm whose index is small for the sake of a payoff after R rests, beside a poor one."""
    c = Fraction(1, R)
    waiting = LSDArm([c] * (R - 1) + [c * (R - K + Fraction(1, 2))], [c])
    poor = c * Fraction(K + 1, R)
    other = LSDArm([poor], [poor] * (K - 1) + [0])
    return Instance(**case(LSDBandit([waiting, other])), K=K, R=R)


def _share(K: int, R: int) -> Fraction:
    return Fraction(1, K + 1) + Fraction(K, R)


def _unbounded(i: Instance, share: Fraction | None = None) -> list[Measurement]:
    bandit, c = bandit_of(i), Fraction(1, i.R)
    ours = index_average(bandit).average
    best = optimal_gain(bandit, exact=True).gain
    if share is not None:
        return [Measurement(share * best, ours, what="a constant share")]
    assert bandit.is_monotone()
    return [
        Measurement(ours, _share(i.K, i.R) * c, what="index policy"),
        Measurement(c, best, what="optimum, at least"),
        Measurement(ours, _share(i.K, i.R) * best, what="ratio"),
    ]


@claim(
    "lsd-index-unbounded",
    "separation",
    title="Under monotone payoffs the index policy is no constant share of the optimum",
    statement=r"""$1\le K<R$, $c=1/R$. One arm with $p(-1)=p(1)=\dots=p(R-1)=c$ and
$p(R)=(R-K+\frac12)c$, one that pays $y=(K+1)c/R$ in state $1$ and for $K$ plays in a row, then 0
until it rests. Both are monotone and indexable. The index policy averages
$c\bigl(\frac1{K+1}+\frac KR\bigr)$, and $g^*\ge c$: the ratio is at most $\frac1{K+1}+\frac KR$,
which tends to 0, as for $R=K(K+1)^2$.""",
    source="this project; the policy is Whittle's, 1988",
    provenance=("derived", "derived"),
    family=Family(
        {"K": Integer(1, 3), "more": Integer(1, 6)}, lambda K, more: _patient(K, K + more)
    ),
    named={
        "K = 1, R = 20": lambda: _patient(1, 20),
        "K = 3, R = 30": lambda: _patient(3, 30),
    },
    mutants=[
        Mutant(
            "three-quarters", "index >= c_2 g*", check=partial(_unbounded, share=Fraction(3, 4))
        ),
        Mutant("two-fifths", "index >= 2 g*/5", check=partial(_unbounded, share=Fraction(2, 5))),
    ],
    bound=_share,
    proof="text",
)
def index_unbounded(instance: Instance) -> list[Measurement]:
    return _unbounded(instance)


CLAIMS = (indexable, index_unbounded)
