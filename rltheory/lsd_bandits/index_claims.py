r"""LSD arms are indexable: what a play is worth beside a rest falls strictly in the charge.

One arm with discount gamma, every play charged l; V its optimal value, and

    D_s(l) = p(s) - l + gamma (V(play) - V(rest)).

D_s is continuous and strictly decreasing in every state, whatever the payoffs are, because a play
resets positive states and a rest resets negative ones (claim ``lsd-indexable``). Hence one charge
at which play and rest are equally good, and the set of states in which rest is optimal grows with
l; with gamma to 1, in the average-reward problem as well. Proof: docs/theory/lsd_index.md. All in
fractions.
"""

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from itertools import pairwise
from typing import Any

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice
from rltheory.lsd_bandits.arms import LSDArm
from rltheory.lsd_bandits.bandit import LSDBandit
from rltheory.lsd_bandits.families import bandit_of, case, rand_any
from rltheory.lsd_bandits.lagrangian_index import play_index

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
    arms = rand_any(plays=(1,), arms=(1, 2))

    def build(discount: str, **rest: Any) -> Instance:
        return Instance(**arms.instance(rest), discount=Fraction(discount))

    return Family({**arms.space, "discount": Choice("1/4", "1/2", "9/10", "999/1000")}, build)


@claim(
    "lsd-indexable",
    "decision",
    title="Last-switch-dependent arms are indexable, whatever they pay",
    statement=r"""One LSD arm with reset recovery and any payoffs, discount $0<\gamma<1$, every play
charged $l$, $V_l$ the optimal value. In every state
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


CLAIMS = (indexable,)
