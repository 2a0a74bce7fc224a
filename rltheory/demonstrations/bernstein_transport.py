r"""Bernstein's inequality for a change of law, and for an exponential moment.

The problem: a law Q on finitely many points, g with E_Q g = 0, v = Var_Q g, g <= b, g >= -B, a law
P with K = KL(P || Q), phi(x) = (e^x - 1 - x)/x^2. Then

    E_P g <= sqrt(2 v K) + b K / 3,      lambda log E_Q exp(-g/lambda) <= (v/lambda) phi(B/lambda).

Both sides to sixty digits. Proof: docs/theory/preferences.md. Source: Boucheron, Lugosi and
Massart, Concentration Inequalities, OUP 2013, Lemma 4.18 and section 2.7.
"""

from fractions import Fraction
from functools import partial
from typing import Any

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice, Dyadic, Integer, Many
from rltheory.demonstrations.exact_episodes import DIGITS, compare, divergence, real
from rltheory.foundations.families import law_of_weights

__all__ = ["CLAIMS", "capped", "phi_of", "transport_bound"]

_LARGEST = 10**40
_POINTS = 5


def phi_of(x: Any) -> Any:
    """(e^x - 1 - x) / x^2 to fifty digits and more; x = 0 gives 1/2."""
    if x < DIGITS.mpf("0.1"):
        return DIGITS.fsum(x**k / DIGITS.factorial(k + 2) for k in range(40))
    return (DIGITS.expm1(x) - x) / x**2


def transport_bound(v: Any, K: Any, b: Any) -> Any:
    """sqrt(2 v K) + b K / 3."""
    return DIGITS.sqrt(2 * v * K) + b * K / 3


def _centred(i: Any) -> list[Fraction]:
    mean = sum((q * x for q, x in zip(i.base, i.g, strict=True)), Fraction(0))
    return [x - mean for x in i.g]


def _both(
    i: Any, root: Fraction = Fraction(2), linear: bool = True, flat: bool = False
) -> list[Measurement]:
    g = _centred(i)
    v = sum((q * x * x for q, x in zip(i.base, g, strict=True)), Fraction(0))
    on = [x for q, x in zip(i.base, g, strict=True) if q]
    top, bottom = max(on), -min(on)
    shifted = sum((p * x for p, x in zip(i.other, g, strict=True)), Fraction(0))
    K = divergence(i.other, i.base)
    lam = real(i.temperature)
    first = DIGITS.sqrt(real(root) * real(v) * K) + linear * real(top) * K / 3
    moment = DIGITS.fsum(
        real(q) * DIGITS.expm1(-real(x) / lam) for q, x in zip(i.base, g, strict=True) if q
    )
    second = real(v) / lam * (DIGITS.mpf(1) / 2 if flat else phi_of(real(bottom) / lam))
    return [
        compare(shifted, first, "E_P g", trivial=top, certified=True),
        compare(
            lam * DIGITS.log1p(moment),
            capped(second),
            "exponential moment",
            trivial=bottom,
            certified=True,
        ),
    ]


def capped(x: Any) -> Any:
    """The number, or infinity: beyond 10^40 nothing is compared."""
    return x if x < _LARGEST else DIGITS.inf


def _instance(base: Any, other: Any, g: Any, temperature: Any = 1) -> Instance:
    return Instance(
        base=[Fraction(x) for x in base],
        other=[Fraction(x) for x in other],
        g=[Fraction(x) for x in g],
        temperature=Fraction(temperature),
    )


def _family() -> Family:
    def build(
        points: int, base: list[int], other: list[int], g: list[float], temperature: str
    ) -> Instance:
        q = law_of_weights(base[:points])
        kept = [w if q[k] else 0 for k, w in enumerate(other[:points])]
        p = law_of_weights(kept) if any(kept) else q
        return _instance(q, p, g[:points], temperature)

    weights = Choice(0, 1, 1, 2, 5, 100)
    return Family(
        {
            "points": Integer(1, _POINTS),
            "base": Many(weights, _POINTS),
            "other": Many(weights, _POINTS),
            "g": Many(Dyadic(-4, 4, 2), _POINTS),
            "temperature": Choice("1/1000000", "1/4", "1", "16", "1000000"),
        },
        build,
    )


_CLOSE = ["1/2", "1/2"], ["1001/2000", "999/2000"], [1, -1]


@claim(
    "demo-bernstein-transport",
    "inequality",
    title="Bernstein's inequality for a change of law",
    statement=r"""$E_Qg=0$, $v=\mathrm{Var}_Q(g)$, $-B\le g\le b$ on the support of $Q$,
$K=\mathrm{KL}(P\|Q)$, $\lambda>0$, $\varphi(x)=(e^x-1-x)/x^2$:
$$E_Pg\le\sqrt{2vK}+\frac{bK}3,\qquad
\lambda\log E_Qe^{-g/\lambda}\le\frac v\lambda\varphi\Big(\frac B\lambda\Big).$$""",
    source="Boucheron, Lugosi, Massart, OUP 2013, Lemma 4.18 and section 2.7",
    provenance=("textbook", "textbook"),
    family=_family(),
    named={
        "close laws": lambda: _instance(*_CLOSE, temperature=1000),
        "two points": lambda: _instance(["7/10", "3/10"], ["9/25", "16/25"], [0, 1]),
        "rare": lambda: _instance(["999/1000", "1/1000"], [0, 1], [0, 1]),
        "rare and bad": lambda: _instance(["9/10", "1/10"], ["9/10", "1/10"], [1, 0], "1/4"),
    },
    mutants=[
        Mutant("no-two", "sqrt(v K)", check=partial(_both, root=Fraction(1))),
        Mutant("no-linear", "without b K / 3", check=partial(_both, linear=False)),
        Mutant("flat", "1/2 in place of phi(B/lambda)", check=partial(_both, flat=True)),
    ],
    bound=lambda v, K, b: (2 * v * K) ** 0.5 + b * K / 3,
    proof="text",
)
def bernstein_transport(instance: Any) -> list[Measurement]:
    return _both(instance)


CLAIMS = (bernstein_transport,)
