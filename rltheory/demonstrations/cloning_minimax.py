r"""The claim that no way to clone is much better than add-one smoothing.

One state, p uniform on the laws of A actions, n draws. Counts are then uniform on all compositions
of n, the mean of p given them is (N_a + 1)/(n + A), which minimises the mean of KL(p, .), and

    R_A(n) = psi(2) - psi(A+1) - A sum_k C(n-k+A-2, A-2)/C(n+A-1, A-1) (k+1)/(n+A) log((k+1)/(n+A))

is its risk: least among all estimates, so that none has a smaller worst mean over p. Checked by
sums over all compositions, for estimates with other smoothing. Proof: docs/theory/cloning.md.
"""

import math
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice, Integer, Many
from rltheory.demonstrations.cloning_claims import binomial, compositions
from rltheory.demonstrations.cloning_law import add_one_risk, bc_kl_bound
from rltheory.demonstrations.exact_episodes import DIGITS, Real, compare, real
from rltheory.foundations.soft_planner import fraction_of

__all__ = ["CLAIMS", "bayes_risk", "least_risk"]


def least_risk(n: int, actions: int) -> Real:
    """R_A(n)."""
    A = actions
    if A == 1:
        return DIGITS.mpf(0)
    harmonic = sum((Fraction(1, j) for j in range(1, A + 1)), Fraction(0))
    below = math.comb(n + A - 1, A - 1)
    terms = []
    for k in range(n + 1):
        chance = Fraction(math.comb(n - k + A - 2, A - 2), below)
        share = Fraction(k + 1, n + A)
        terms.append(real(chance * share) * DIGITS.log(real(share)))
    return real(1 - harmonic) - A * DIGITS.fsum(terms)


def bayes_risk(n: int, smoothing: list[Fraction]) -> Real:
    """Mean of KL(p, estimate) over p and n draws; the estimate is proportional to N + smoothing."""
    A = len(smoothing)
    below = math.comb(n + A - 1, A - 1)
    total = DIGITS.psi(0, 2) - DIGITS.psi(0, A + 1)
    for counts in compositions(n, A):
        mass = n + sum(smoothing)
        for k, c in zip(counts, smoothing, strict=True):
            share = Fraction(k + 1, n + A) / below
            total -= real(share) * DIGITS.log(real((k + c) / mass))
    return total


Risk = Callable[[int, int], Real]


def _minimax(i: Any, risk: Risk = least_risk) -> list[Measurement]:
    A = len(i.smoothing)
    found = [compare(bayes_risk(i.n, i.smoothing), risk(i.n, A), "one row")]
    chances = binomial(i.episodes, Fraction(1, i.states))
    seen = [real(w) * bayes_risk(n, i.smoothing) for n, w in enumerate(chances)]
    least = [real(w) * risk(n, A) for n, w in enumerate(chances)]
    if not any(DIGITS.isinf(x) for x in least):
        whole = i.horizon * DIGITS.fsum(least)
        found.append(compare(i.horizon * DIGITS.fsum(seen), whole, "equally likely states"))
        if risk is least_risk:
            computed = bc_kl_bound(i.episodes, i.states, A, i.horizon, kind="minimax_lower")
            off = abs(Fraction(computed) - fraction_of(whole))
            found.append(Measurement(-off, 0, tolerance=Fraction(1, 10**12), what="as computed"))
    return found


def _row(
    smoothing: list[str], n: int, states: int = 1, episodes: int = 0
) -> Callable[[], Instance]:
    return lambda: Instance(
        smoothing=[Fraction(x) for x in smoothing], n=n, states=states, episodes=episodes, horizon=2
    )


def _family() -> Family:
    def build(actions: int, smoothing: list[str], alike: bool, **rest: Any) -> Instance:
        chosen = [smoothing[0]] * actions if alike else smoothing[:actions]
        return Instance(smoothing=[Fraction(x) for x in chosen], **rest)

    space: dict[str, Any] = {
        "actions": Integer(1, 4),
        "smoothing": Many(Choice("1/100", "1/4", "1/2", "1", "1", "2", "10"), 4),
        "alike": Choice(False, True),
        "n": Integer(0, 8),
        "states": Choice(1, 2, 3),
        "episodes": Integer(0, 6),
        "horizon": Integer(1, 3),
    }
    return Family(space, build)


def _simple(n: int, actions: int) -> Real:
    return real(Fraction(actions - 1, n)) if n else DIGITS.inf


@claim(
    "demo-bc-minimax",
    "lower-bound",
    title="No way to clone is much better than add-one smoothing",
    statement=r"""One stage, one state: for every estimate $\hat q$ of $p\in\Delta_A$ from $n$ draws
$\sup_pE\,\mathrm{KL}(p\|\hat q)\ge R_A(n)$, the Bayes risk under the uniform prior, attained by
add-one smoothing:
$$R_A(n)=\psi(2)-\psi(A+1)-A\sum_{k=0}^n\frac{\binom{n-k+A-2}{A-2}}{\binom{n+A-1}{A-1}}\cdot
\frac{k+1}{n+A}\log\frac{k+1}{n+A}.$$
With $S$ equally likely states at each of $H$ stages, whatever the actions, every way to clone $N$
episodes has $\sup_{\pi^E}E\,\mathrm{KL}_{traj}\ge H\,E_{n\sim\mathrm{Bin}(N,1/S)}R_A(n)$.
$nR_A(n)\to\frac{A-1}2$: add-one smoothing is minimax up to a factor that tends to 2.""",
    source="this project",
    provenance=("derived", "derived"),
    family=_family(),
    named={
        "add-one, three actions": _row(["1"] * 3, 3, 2, 4),
        "add-one, two actions, no draw": _row(["1"] * 2, 0),
        "add-one, five actions": _row(["1"] * 5, 10),
        "one action": _row(["1"], 4),
    },
    mutants=[Mutant("twice", "(A-1)/n in place of R_A(n)", check=partial(_minimax, risk=_simple))],
    bound=add_one_risk,
    proof="text",
)
def minimax(instance: Any) -> list[Measurement]:
    return _minimax(instance)


CLAIMS = (minimax,)
