r"""What demonstrations cannot save: contexts that none of them shows, in fractions.

S contexts, equally likely, two arms each, of which a fair coin makes one the better: it pays 1 with
chance (1 + Delta)/2, the other with (1 - Delta)/2. The expert takes the better arm. After N
demonstrations and T episodes a learner names an arm for each context. With

    e(n) = P(Bin(n, (1 + Delta)/2) < n/2) + P(= n/2) / 2,

the least mean loss of any learner is Delta (1 - 1/S)^N E e(Bin(T, 1/S)): a demonstrated context is
settled, and in another every episode is the same coin, whichever arm it plays. The closed form
below it is by the inequality of Bretagnolle and Huber. The check knows nothing of that: it finds
the best learner of small problems by dynamic programming over beliefs, all adaptive choices of
arms included. Proof: docs/theory/regularized_bpi.md.
"""

import math
from collections.abc import Callable
from fractions import Fraction
from functools import cache, partial
from typing import Any

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice, Integer
from rltheory.demonstrations.exact_episodes import DIGITS, compare, real

__all__ = ["CLAIMS", "least_loss", "unseen_bound", "wrong"]


def wrong(n: int, gap: Fraction) -> Fraction:
    """e(n): the chance of naming the wrong arm after n draws of a context."""
    p = (1 + gap) / 2
    mass = [math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n // 2 + 1)]
    tied = mass.pop() / 2 if n % 2 == 0 else Fraction(0)
    return sum(mass, Fraction(0)) + tied


def least_loss(states: int, demonstrations: int, episodes: int, gap: Fraction) -> Fraction:
    """Delta (1 - 1/S)^N E e(Bin(T, 1/S))."""
    share = Fraction(1, states)
    mean = sum(
        (
            math.comb(episodes, n) * share**n * (1 - share) ** (episodes - n) * wrong(n, gap)
            for n in range(episodes + 1)
        ),
        Fraction(0),
    )
    return gap * (1 - share) ** demonstrations * mean


def unseen_bound(
    states: int, demonstrations: int, episodes: int, gap: Any, factor: Any = Fraction(1, 4)
) -> Any:
    """Delta/4 (1 - 1/S)^N (1 - (1 - e^-k)/S)^T, k = Delta log((1 + Delta)/(1 - Delta))."""
    d, S = real(gap), states
    k = d * DIGITS.log((1 + d) / (1 - d))
    left = (1 - (1 - DIGITS.exp(-k)) / S) ** episodes
    return real(factor) * d * real((1 - Fraction(1, S)) ** demonstrations) * left


def best_learner(states: int, demonstrations: int, episodes: int, gap: Fraction) -> Fraction:
    """The least mean loss by dynamic programming: no formula for e, no word of coins.

    A belief of a context is the weights (of arm 0 being the better one, of arm 1), scaled by the
    chance of what was seen; demonstrations and episodes are drawn one after another.
    """
    good, bad = (1 + gap) / 2, (1 - gap) / 2
    share = Fraction(1, states)
    Belief = tuple[Fraction, Fraction]
    fresh: Belief = (Fraction(1, 2), Fraction(1, 2))

    @cache
    def play(beliefs: tuple[Belief, ...], left: int) -> Fraction:
        if not left:
            total = Fraction(0)
            for at, (one, other) in enumerate(beliefs):
                rest = math.prod((sum(b) for i, b in enumerate(beliefs) if i != at), start=share)
                total += gap * min(one, other) * rest
            return total
        total = Fraction(0)
        for at, (one, other) in enumerate(beliefs):
            choices = []
            for paying in ((good, bad), (bad, good)):  # arm 0, arm 1
                lost = Fraction(0)
                for paid in (True, False):
                    x, y = paying if paid else (1 - paying[0], 1 - paying[1])
                    after = (*beliefs[:at], (one * x, other * y), *beliefs[at + 1 :])
                    lost += play(tuple(sorted(after)), left - 1)
                choices.append(lost)
            total += share * min(choices)
        return total

    def show(beliefs: tuple[Belief, ...], left: int) -> Fraction:
        if not left:
            return play(tuple(sorted(beliefs)), episodes)
        total = Fraction(0)
        for at, (one, other) in enumerate(beliefs):
            for told in ((one, Fraction(0)), (Fraction(0), other)):
                if any(told):
                    after = (*beliefs[:at], told, *beliefs[at + 1 :])
                    total += share * show(after, left - 1)
        return total

    return show((fresh,) * states, demonstrations)


def _unseen(
    i: Any, factor: Any = Fraction(1, 4), forget: bool = False, one_arm: bool = False
) -> list[Measurement]:
    S, N, T, gap = i.states, i.demonstrations, i.episodes, i.gap
    exact = least_loss(S, 0 if forget else N, T, gap)
    if one_arm:
        exact = gap * (1 - Fraction(1, S)) ** N * wrong(T, gap)
    found = []
    if S**N * (4 * S) ** T <= 5000:
        found.append(Measurement(best_learner(S, N, T, gap), exact, what="the best learner"))
        found.append(Measurement(-best_learner(S, N, T, gap), -exact, what="attained"))
    closed = unseen_bound(S, 0 if forget else N, T, gap, factor)
    found.append(compare(real(least_loss(S, N, T, gap)), closed, "closed form", trivial=0))
    return found


def _contexts(states: int, demonstrations: int, episodes: int, gap: str) -> Callable[[], Instance]:
    return lambda: Instance(
        states=states, demonstrations=demonstrations, episodes=episodes, gap=Fraction(gap)
    )


@claim(
    "demo-lb-unseen",
    "lower-bound",
    title="Demonstrations save no episode in contexts that they do not show",
    statement=r"""One stage, $S$ equally likely contexts, two arms paying 1 with chances
$\frac{1\pm\Delta}2$, the better one by a fair coin each, $0<\Delta<1$, an expert who takes the
better. The mean loss of any learner with $N$ demonstrations and $T$ episodes, which it may choose
adaptively, is at least
$$\Delta\big(1-\tfrac1S\big)^NE_{n\sim\mathrm{Bin}(T,1/S)}e(n)\ \ge\
\frac\Delta4\big(1-\tfrac1S\big)^N\Big(1-\tfrac{1-e^{-k}}S\Big)^T,\qquad
k=\Delta\log\tfrac{1+\Delta}{1-\Delta},$$
$e(n)=P(\mathrm{Bin}(n,\frac{1+\Delta}2)<\frac n2)+\frac12P(=\frac n2)$, and some learner attains
the first.""",
    source="this project",
    provenance=("derived", "derived"),
    family=Family(
        {
            "states": Integer(1, 6),
            "demonstrations": Choice(0, 0, 1, 2, 5),
            "episodes": Choice(0, 1, 2, 3, 20),
            "gap": Choice("1/100", "1/10", "3/10", "1/2", "9/10", "99/100"),
        },
        lambda states, demonstrations, episodes, gap: _contexts(
            states, demonstrations, episodes, gap
        )(),
    ),
    named={
        "five contexts, a hundred episodes": _contexts(5, 3, 100, "3/10"),
        "nothing seen": _contexts(2, 0, 0, "1/2"),
        "two contexts, one demonstration": _contexts(2, 1, 2, "1/2"),
        "two contexts, two demonstrations": _contexts(2, 2, 1, "3/10"),
        "three contexts": _contexts(3, 1, 2, "1/10"),
        "one context": _contexts(1, 0, 4, "1/2"),
    },
    mutants=[
        Mutant("whole", "Delta in place of Delta / 4", check=partial(_unseen, factor=1)),
        Mutant("forget", "without (1 - 1/S)^N", check=partial(_unseen, forget=True)),
        Mutant(
            "one-context",
            "all T episodes in the same context",
            check=partial(_unseen, one_arm=True),
        ),
    ],
    bound=unseen_bound,
    proof="text",
)
def unseen(instance: Any) -> list[Measurement]:
    return _unseen(instance)


CLAIMS = (unseen,)
