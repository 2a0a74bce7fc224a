r"""Claims about the laws of two policies' episodes: sums over episodes against recursions.

Stages h = 0..H-1, P^pi the law of (s_0, a_0, ..., s_{H-1}, a_{H-1}); d_h(s) = P^pi(s_h = s).

    KL(P^pi, P^rho) = sum_h sum_s d_h(s) KL(pi_h(s), rho_h(s))                  demo-kl-chain
    sum sqrt(P^pi P^rho) = Z_0,  Z_h = sum_a sqrt(pi_h rho_h) P_h Z_{h+1}       demo-hellinger-chain

All episodes of small models are enumerated in fractions; logarithms and roots have sixty digits.
Proofs: docs/theory/cloning.md.
"""

from fractions import Fraction
from functools import partial
from typing import Any

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.demonstrations.exact_episodes import (
    DIGITS,
    Episodes,
    Real,
    compare,
    episode_family,
    one_state,
    real,
    two_states,
)

__all__ = ["CLAIMS"]


def _kl_chain(i: Any, of_reference: bool = False) -> list[Measurement]:
    episodes, tau = Episodes(i.mdp, i.start), real(i.temperature)
    summed: Real = DIGITS.mpf(0)
    paid = Fraction(0)
    for (p, q), total in episodes.laws(i.expert, i.reference):
        if p:
            summed += real(p) * DIGITS.log(real(p) / real(q)) if q else DIGITS.inf
            paid += p * total
    chain = episodes.divergence(i.expert, i.reference, i.reference if of_reference else None)
    found = [compare(summed, chain, "KL of episodes")]
    if not DIGITS.isinf(chain):
        own = episodes.at_start(episodes.soft_value(i.expert, i.reference, tau)[0])
        found.append(compare(own, real(paid) - tau * chain, "regularised value"))
    return found


_FORBIDDEN = partial(one_state, [1, 0], ["1/2", "1/2"], [1, 0])


@claim(
    "demo-kl-chain",
    "identity",
    title="The divergence of two policies' episodes is a sum over the states that one reaches",
    statement=r"""Finite-horizon model, with or without exits, policies $\pi,\tilde\pi$,
$\lambda>0$, $d^\pi_h(s)=P^\pi(s_h=s)$:
$$\mathrm{KL}_{traj}(\pi\|\tilde\pi):=\mathrm{KL}(P^\pi\|P^{\tilde\pi})=\sum_h\sum_sd^\pi_h(s)\,
\mathrm{KL}(\pi_h(s)\|\tilde\pi_h(s)),\qquad
V^\pi_{\lambda,1}=V^\pi_1-\lambda\,\mathrm{KL}_{traj}(\pi\|\tilde\pi),$$
values being means over the start law, and $0\cdot\infty=0$.""",
    source="Tiapkin et al., ICLR 2024, arXiv 2310.17303, preliminaries",
    provenance=("paper", "textbook"),
    family=episode_family(),
    named={
        "two states": lambda: two_states(
            [["1/8", "7/8"], ["1/2", "1/2"]], [["1/2", "1/2"], ["1/8", "7/8"]], horizon=3
        ),
        "forbidden": _FORBIDDEN,
        "forbidden where it never is": lambda: two_states([[1, 0]] * 2, [[1, 0], [0, 1]]),
    },
    mutants=[
        Mutant(
            "of-the-reference",
            "the occupancy of the reference in place of the policy's",
            check=partial(_kl_chain, of_reference=True),
        )
    ],
    proof="text",
)
def kl_chain(instance: Any) -> list[Measurement]:
    return _kl_chain(instance)


# --- demo-hellinger-chain -----------------------------------------------------------------


def _affinity(episodes: Episodes, one: Any, other: Any) -> Real:
    """Z_0, averaged over the start law."""
    z: list[Real] = [DIGITS.mpf(1)] * episodes.S
    for h in reversed(range(episodes.H)):
        planner = episodes.stages[h]
        z = [
            DIGITS.fsum(
                DIGITS.sqrt(real(one[h][s][a] * other[h][s][a]))
                * (
                    real(planner.exit(s, a))
                    + DIGITS.fsum(real(p) * x for p, x in zip(planner.P[s][a], z, strict=True))
                )
                for a in episodes.actions
            )
            for s in episodes.states
        ]
    return episodes.at_start(z)


def _hellinger(i: Any, linear: bool = False) -> list[Measurement]:
    episodes = Episodes(i.mdp, i.start)
    affinity: Real = DIGITS.mpf(0)
    kl: Real = DIGITS.mpf(0)
    tv, top = Fraction(0), Fraction(0)
    for (p, q), _ in episodes.laws(i.expert, i.reference):
        affinity += DIGITS.sqrt(real(p * q))
        tv += abs(p - q) / 2
        if p and q:
            top = max(top, p / q)
            kl += real(p) * DIGITS.log(real(p) / real(q))
        elif p:
            kl = DIGITS.inf
    z = _affinity(episodes, i.expert, i.reference)
    h2 = 2 - 2 * affinity
    found = [
        compare(abs(affinity - z), 0, "affinity off the recursion"),
        compare(h2 / 2, real(tv), "h^2/2 <= TV"),
        compare(real(tv), DIGITS.sqrt(max(0, h2 * (1 - h2 / 4))), "TV <= h sqrt(1 - h^2/4)"),
        compare(h2, kl, "h^2 <= KL"),
    ]
    if not DIGITS.isinf(kl):
        factor = 2 if linear else 2 + DIGITS.log(real(top))
        found.append(compare(kl, factor * h2, "KL <= (2 + log sup) h^2"))
    return found


def _near(x: str) -> Any:
    x_ = Fraction(x)
    half = Fraction(1, 2)
    return one_state([1, 0], [half + x_, half - x_], [half, half])


@claim(
    "demo-hellinger-chain",
    "inequality",
    title="The Hellinger distance of two policies' episodes by a recursion, and what it bounds",
    statement=r"""Finite-horizon model, with or without exits, $P=P^\pi$, $Q=P^{\pi'}$,
$h^2=\sum(\sqrt P-\sqrt Q)^2$. With $Z_{H+1}=1$, also after an exit, and
$Z_h(s)=\sum_a\sqrt{\pi_h(a|s)\pi'_h(a|s)}\,p_hZ_{h+1}(s,a)$: $\sum\sqrt{PQ}=Z_1$ (its mean over the
start law), $h^2=2-2Z_1$, and
$$\tfrac12h^2\le\mathrm{TV}\le h\sqrt{1-h^2/4},\qquad
h^2\le\mathrm{KL}(P\|Q)\le\Big(2+\log\sup\frac{dP}{dQ}\Big)h^2.$$""",
    source="this project; the last inequality after Yang and Barron, IEEE Trans. IT 44, 1998",
    provenance=("textbook", "derived"),
    family=episode_family(),
    named={
        "disjoint": lambda: one_state([1, 0], [1, 0], [0, 1]),
        "mirrored": lambda: one_state([1, 0], ["9/10", "1/10"], ["1/10", "9/10"]),
        "close": lambda: _near("1/1000000"),
        "certain": lambda: one_state([1, 0], [1, 0], ["999999/1000000", "1/1000000"]),
        "far": lambda: one_state(
            [1, 0], ["1/10", "9/10"], ["1/1000000000", "999999999/1000000000"]
        ),
    },
    mutants=[
        Mutant("no-logarithm", "KL <= 2 h^2", check=partial(_hellinger, linear=True)),
    ],
    bound=lambda h2, log_ratio: (2 + log_ratio) * h2,
    proof="text",
)
def hellinger_chain(instance: Any) -> list[Measurement]:
    return _hellinger(instance)


CLAIMS = (kl_chain, hellinger_chain)
