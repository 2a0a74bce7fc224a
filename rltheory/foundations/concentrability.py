"""What it costs to look at data of another law: ratios, their second moments, changes of measure.

Symbols: laws d and mu on pairs, w = d / mu where mu > 0. No exits.

    1 <= E_mu[w^2] = 1 + chi^2(d || mu) <= max w         cov-concentrability
    |E_d f| <= sqrt(E_mu[w^2] E_mu[f^2]),  E_d |f| <= max w E_mu |f|     cov-change-of-measure

Where some pair has d > 0 = mu both sides on the right are infinite, and nothing is said.
Proofs: docs/theory/coverage.md.
"""

from fractions import Fraction
from functools import partial
from typing import Any

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Family, Instance
from rltheory.claims.smt import Query
from rltheory.claims.space import Choice, Dyadic, Many
from rltheory.foundations.families import episodic_family, law_of_weights
from rltheory.foundations.reachability import most_occupied
from rltheory.foundations.runs import PAIRS, Runs, dot, with_policies
from rltheory.mdp.episodic import EpisodicMDP

__all__ = ["CLAIMS"]

_STAGES = 2
_SIZE = "2 pairs, all laws and functions"

Vector = list[Fraction]


def _with_data(models: Family) -> Family:
    """A data law for each stage, and a function of the pairs, whose support may be smaller."""

    def build(data: list[int], function: list[float], **rest: Any) -> Instance:
        built = models.instance(rest)
        mdp = built.mdp
        n = mdp.n_states * mdp.n_actions
        laws = [law_of_weights(data[h * PAIRS :][:n]) for h in range(mdp.horizon)]
        f = [[Fraction(x) for x in function[h * PAIRS :][:n]] for h in range(mdp.horizon)]
        return Instance(mdp=mdp, start=built.start, policy=built.new, mu=laws, f=f)

    space = {
        "data": Many(Choice(0, 1, 1, 2, 5), PAIRS * _STAGES),
        "function": Many(Dyadic(-2, 2, 2), PAIRS * _STAGES),
    }
    return Family({**models.space, **space}, build)


_FAMILY = _with_data(with_policies(episodic_family(_STAGES, exits=False), _STAGES))


def _one_stage(d: Vector, mu: Vector, f: Vector) -> Instance:
    """One state, whose actions are taken with the chances d."""
    n = len(d)
    mdp = EpisodicMDP([[[1]] * n], [[0] * n], 1, exact=True)
    return Instance(mdp=mdp, start=[Fraction(1)], policy=[[d]], mu=[mu], f=[f])


def _point() -> Instance:
    """A certain action, uniform data: w is constant where d > 0; f is the ratio itself."""
    third = Fraction(1, 3)
    d = [Fraction(1), Fraction(0), Fraction(0)]
    return _one_stage(d, [third] * 3, [Fraction(3), Fraction(0), Fraction(0)])


def _same() -> Instance:
    third = Fraction(1, 3)
    d = [third, 2 * third]
    return _one_stage(d, d, [Fraction(1), Fraction(1)])


def _ratio() -> Instance:
    """f = w, which is not constant: Cauchy-Schwarz is an equality."""
    d, mu = [Fraction(3, 4), Fraction(1, 4)], [Fraction(1, 4), Fraction(3, 4)]
    return _one_stage(d, mu, [Fraction(3), Fraction(1, 3)])


def _rounds(instance: Instance) -> tuple[list[Vector], list[Vector], list[Vector]]:
    """(d, mu, w) of the stages where w is finite, as flat vectors."""
    runs = Runs(instance.mdp)
    tables = runs.occupancy(instance.policy, instance.start)
    d = [[x for row in table for x in row] for table in tables]
    w = [
        [x / m if m else Fraction(0) for x, m in zip(dh, mu, strict=True)]
        for dh, mu in zip(d, instance.mu, strict=True)
    ]
    return d, instance.mu, w


def _covered(d: Vector, mu: Vector) -> bool:
    return all(m > 0 for x, m in zip(d, mu, strict=True) if x > 0)


def _concentrability(
    instance: Instance, reverse: bool = False, without_one: bool = False
) -> list[Measurement]:
    found = []
    runs = Runs(instance.mdp)
    for h, (d, mu, w) in enumerate(zip(*_rounds(instance), strict=True)):
        event = _covered(d, mu)
        second = dot(mu, [x * x for x in w])
        chi = sum(((x - m) ** 2 / m for x, m in zip(d, mu, strict=True) if m), Fraction(0))
        largest = max(w)
        told: dict[str, Any] = {"event": event}
        found.append(Measurement(1, second, what="at least 1", **told))
        gap = abs(second - chi - (0 if without_one else 1))
        found.append(Measurement(gap, 0, what="second moment and chi^2", **told))
        low, high = (largest, second) if reverse else (second, largest)
        found.append(Measurement(low, high, what="second moment and largest ratio", **told))
        f = [x * x for x in instance.f[h]]
        found.append(
            Measurement(dot(d, f), largest * dot(mu, f), what="ratio of second moments", **told)
        )
        at = w.index(largest)
        found.append(Measurement(largest * mu[at], d[at], what="attained by an indicator", **told))
        most = [x for row in most_occupied(runs, instance.start, h) for x in row]
        ratio = max((x / m for x, m in zip(most, mu, strict=True) if m), default=Fraction(0))
        found.append(
            Measurement(
                sum(most, Fraction(0)), ratio, event=_covered(most, mu), what="coverability"
            )
        )
    return found


def _change(instance: Instance, second_moment_one: bool = False) -> list[Measurement]:
    found = []
    d, mu, w = _rounds(instance)
    seconds = [dot(m, [x * x for x in v]) for m, v in zip(mu, w, strict=True)]
    if second_moment_one:
        seconds = [Fraction(1)] * len(seconds)
    squares = [dot(m, [x * x for x in f]) for m, f in zip(mu, instance.f, strict=True)]
    everywhere = True
    for h, f in enumerate(instance.f):
        event = _covered(d[h], mu[h])
        everywhere = everywhere and event
        found.append(
            Measurement(dot(d[h], f) ** 2, seconds[h] * squares[h], event=event, what="squares")
        )
        size = [abs(x) for x in f]
        found.append(
            Measurement(
                dot(d[h], size), max(w[h]) * dot(mu[h], size), event=event, what="absolute values"
            )
        )
    total = sum((dot(x, f) for x, f in zip(d, instance.f, strict=True)), Fraction(0))
    bound = sum(seconds, Fraction(0)) * sum(squares, Fraction(0))
    found.append(Measurement(max(total, Fraction(0)) ** 2, bound, event=everywhere, what="rounds"))
    return found


def _change_smt(constant: bool = False) -> Query:
    """Fails: (E_d f)^2 <= E_mu[w^2] E_mu[f^2] on two pairs, with d = mu w."""
    import z3

    m, w0, w1, f0, f1 = z3.Reals("m w0 w1 f0 f1")
    given = [m > 0, m < 1, w0 >= 0, w1 >= 0, m * w0 + (1 - m) * w1 == 1]
    moment = z3.RealVal(1) if constant else m * w0 * w0 + (1 - m) * w1 * w1
    left = m * w0 * f0 + (1 - m) * w1 * f1
    return Query(_SIZE, [*given, left * left > moment * (m * f0 * f0 + (1 - m) * f1 * f1)])


@claim(
    "cov-concentrability",
    "inequality",
    title="Second moments of density ratios",
    statement=r"""Let $w=d/\mu$ be finite. Then $1\le E_\mu[w^2]=1+\chi^2(d\,\|\,\mu)\le\max w$, and
$E_d[f^2]\le\max w\;E_\mu[f^2]$ for every $f$, with equality for an indicator. For every $\mu$,
$\max_\pi\max w$ is at least the coverability $\sum\max_\pi d^\pi$, and equal to it at the law of
cov-cumreach.""",
    source="textbook; Xie et al., ICLR 2023, for the last part",
    provenance=("textbook", "textbook"),
    family=_FAMILY,
    named={"point": _point, "same": _same, "ratio": _ratio},
    mutants=[
        Mutant(
            "reverse", "max w is at most the second moment", partial(_concentrability, reverse=True)
        ),
        Mutant("without-one", "E[w^2] = chi^2", partial(_concentrability, without_one=True)),
    ],
    proof="text",
)
def concentrability_claim(instance: Instance) -> list[Measurement]:
    return _concentrability(instance)


@claim(
    "cov-change-of-measure",
    "inequality",
    title="Change of measure",
    statement=r"""Let $w=d/\mu$ be finite. Then
$|E_df|\le\sqrt{E_\mu[w^2]}\sqrt{E_\mu[f^2]}$ and $E_d|f|\le\max w\;E_\mu|f|$; for $T$ rounds
$\sum_tE_{d_t}f_t\le\sqrt{\sum_tE_{\mu_t}[w_t^2]}\sqrt{\sum_tE_{\mu_t}[f_t^2]}$. The first is
attained at $f=w$, the second at the indicator of the largest ratio.""",
    source="textbook (Cauchy-Schwarz)",
    provenance=("textbook", "textbook"),
    family=_FAMILY,
    named={"point": _point, "same": _same, "ratio": _ratio},
    mutants=[
        Mutant(
            "no-moment", "E[w] = 1 in place of E[w^2]", partial(_change, second_moment_one=True)
        ),
        Mutant("no-moment-smt", "the same, by SMT", smt=partial(_change_smt, constant=True)),
    ],
    smt=_change_smt,
    proof="text",
)
def change_of_measure(instance: Instance) -> list[Measurement]:
    return _change(instance)


CLAIMS = (concentrability_claim, change_of_measure)
