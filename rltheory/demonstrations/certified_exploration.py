r"""Claims about the certificate of regularised best-policy identification, in exact arithmetic.

Counts of any size, near the true proportions or at the edge of what the event allows; U, L, G and
the plan as in `rltheory.demonstrations.regularized_bpi`, to sixty digits (`exact_intervals`).

    KL(p_hat, p) <= kappa, 0 <= f <= b:  p f <= (sqrt(p_hat f) + sqrt(b kappa))^2  demo-kl-transport
    on the event:  V* - V^pi <= G in every state of every stage                           demo-cert
    all counts at least n:  G_0 <= B^2 (H-1)H(H+1)(3H^2-2) / (480 lambda)            demo-cert-size
    d_mix(s, a) >= d(s) (1{a = a*} + (H-h) pi(a | s)) / (H + 1)                    demo-explore-mix

Stages count from 0. Proofs: docs/theory/regularized_bpi.md.
"""

import math
from fractions import Fraction
from functools import partial
from typing import Any

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice, Integer, Many
from rltheory.demonstrations.exact_episodes import (
    DIGITS,
    Episodes,
    Policy,
    Real,
    compare,
    divergence,
    episode_family,
    one_state,
    real,
)
from rltheory.demonstrations.exact_intervals import (
    Intervals,
    counts_near,
    explored_family,
)
from rltheory.foundations.families import law_of_weights
from rltheory.mdp.episodic import EpisodicMDP

__all__ = ["CLAIMS", "closed_certificate_size"]

_HALF = Fraction(1, 2)


def _hand_made(mdp: EpisodicMDP, start: list[int], reference: Any, **more: Any) -> Instance:
    law = [[[Fraction(x) for x in row] for row in rows] for rows in reference]
    return Instance(mdp=mdp, start=[Fraction(x) for x in start], reference=law, **more)


# --- demo-kl-transport --------------------------------------------------------------------


def _transport(i: Any, halved: bool = False, unscaled: bool = False) -> Measurement:
    n = sum(i.counts)
    empirical = [Fraction(k, n) for k in i.counts]
    kappa = divergence(empirical, i.row)
    values = [i.most * f for f in i.shares]
    mean = sum((p * f for p, f in zip(i.row, values, strict=True)), Fraction(0))
    seen = sum((p * f for p, f in zip(empirical, values, strict=True)), Fraction(0))
    if DIGITS.isinf(kappa):
        return Measurement(mean, math.inf, trivial=i.most)
    slack = DIGITS.sqrt(kappa if unscaled else real(i.most) * kappa)
    bound = (DIGITS.sqrt(real(seen)) + (slack / 2 if halved else slack)) ** 2
    return compare(real(mean), bound, "p f", trivial=i.most)


def _rows(counts: list[int], row: list[Any], shares: list[Any], most: Any = 1) -> Instance:
    return Instance(
        counts=counts,
        row=[Fraction(x) for x in row],
        shares=[Fraction(x) for x in shares],
        most=Fraction(most),
    )


def _rows_family() -> Family:
    def build(
        size: int,
        counts: list[int],
        row: list[int],
        shares: list[int],
        most: str,
        least: bool,
        near: bool,
    ) -> Instance:
        seen = [int(k) for k in counts[:size]]
        if not sum(seen):
            seen[0] = 1
        if near:  # as the draws say, less or more the weights
            row = [20 * k + w for k, w in zip(counts, row, strict=True)]
        law = law_of_weights([w if w or not k else 1 for w, k in zip(row, seen, strict=False)])
        f = [Fraction(x, 4) for x in shares[:size]]
        return _rows(seen, law, [1 - x for x in f] if least else f, most)

    space: dict[str, Any] = {
        "size": Integer(1, 4),
        "counts": Many(Choice(0, 0, 1, 2, 10, 300), 4),
        "row": Many(Choice(0, 1, 2, 10, 300), 4),
        "shares": Many(Choice(0, 1, 2, 4), 4),
        "most": Choice("1/8", "1", "5"),
        "least": Choice(False, True),
        "near": Choice(False, True, True),
    }
    return Family(space, build)


@claim(
    "demo-kl-transport",
    "inequality",
    title="A mean under a law within kappa of an empirical one",
    statement=r"""$\hat p$ and $p$ laws on finitely many points, $f$ with $0\le f\le b$, and
$\mathrm{KL}(\hat p\|p)\le\kappa$. Then
$$pf\le\big(\sqrt{\hat pf}+\sqrt{b\kappa}\big)^2.$$""",
    source="this project",
    provenance=("derived", "derived"),
    family=_rows_family(),
    named={
        "a rare point, not seen": lambda: _rows([1, 0], ["999/1000", "1/1000"], [0, 1], 5),
        "half, not seen": lambda: _rows([1, 0], ["1/2", "1/2"], [0, 1], 5),
        "seen a little less": lambda: _rows([501, 499], ["1/2", "1/2"], [0, 1]),
        "three points": lambda: _rows([8, 1, 1], ["1/2", "1/4", "1/4"], [0, "1/2", 1], 2),
        "equal laws": lambda: _rows([3, 1], ["3/4", "1/4"], [0, 1]),
    },
    mutants=[
        Mutant("half", "sqrt(b kappa) / 2", check=partial(_transport, halved=True)),
        Mutant("unscaled", "sqrt(kappa), without b", check=partial(_transport, unscaled=True)),
    ],
    bound=lambda mean, most, kappa: (math.sqrt(mean) + math.sqrt(most * kappa)) ** 2,
    proof="text",
)
def kl_transport(instance: Any) -> Measurement:
    return _transport(instance)


# --- demo-cert ----------------------------------------------------------------------------


def _certificate(i: Any, **changed: Any) -> list[Measurement]:
    episodes = Episodes(i.mdp, i.start)
    counts = i.counts if "counts" in i else counts_near(episodes, i.visits, i.tilts)
    tau = real(i.temperature)
    best, _, _ = episodes.soft_optimum(i.reference, tau)
    plan = Intervals(episodes, counts, i.reference, i.temperature, i.delta, **changed)
    event = plan.happens(best)
    own = episodes.soft_value(plan.policy, i.reference, tau)
    return [
        compare(
            best[h][s] - own[h][s],
            plan.gap[h][s],
            f"stage {h}, state {s}",
            event=event,
            trivial=first_bound(episodes.H - h, i.temperature),
        )
        for h in range(episodes.H)
        for s in episodes.states
    ]


def first_bound(left: int, temperature: Fraction) -> Fraction:
    """sum_{m < left} min{m, m^2 / (8 lambda)}."""
    return sum((min(Fraction(m), m * m / (8 * temperature)) for m in range(left)), Fraction(0))


def _edge(visits: int, temperature: Any, delta: Fraction = Fraction(1, 10)) -> Instance:
    """Two coins of chance 1/2; one fell as often as the event allows, the other as rarely.

    Two stages; state 1 pays 1 at the second. U - Q* is 2 b for one action and 0 for the other, and
    the intervals are as wide: the certificate is tight but for lambda.
    """
    L = DIGITS.log(real(2 * 2 * 2 * 2 / delta))
    width = DIGITS.sqrt((visits + 1) * (DIGITS.log(visits + 1) + 2 * L)) / 2
    off = int(DIGITS.floor(width))  # of the mean times n, from n/2 on
    half = visits // 2
    coins = [[half - off, half + off, 0], [half + off, half - off, 0]]
    moves = [[[_HALF, _HALF], [_HALF, _HALF]], [[_HALF, _HALF], [_HALF, _HALF]]]
    rewards = [[[0, 0], [0, 0]], [[0, 0], [1, 1]]]
    mdp = EpisodicMDP([moves, moves], rewards, 2, [1.0, 0.0], exact=True)
    counts = [[coins, coins], [[[0, 0, 0]] * 2] * 2]
    return _hand_made(
        mdp,
        [1, 0],
        [[[_HALF, _HALF]] * 2] * 2,
        counts=counts,
        temperature=Fraction(temperature),
        delta=delta,
    )


def _chain(seen: int, delta: Fraction = Fraction(1, 10)) -> Instance:
    """Before `_edge` a stage that leads to it by chance 1/2, seen so often in 50 episodes.

    At the first stage, and in state 1 afterwards, one action alone is allowed.
    """
    visits = 20_000
    L = DIGITS.log(real(2 * 3 * 2 * 3 / delta))
    width = DIGITS.sqrt((visits + 1) * (DIGITS.log(visits + 1) + 2 * L)) / 2
    off, half = int(DIGITS.floor(width)), visits // 2
    coins = [[0, half - off, half + off, 0], [0, half + off, half - off, 0]]
    fair = [0, _HALF, _HALF]
    first = [[[_HALF, _HALF, 0]] * 2] * 3
    second = [[fair, fair], [[0, 1, 0], [0, 1, 0]], [[0, 1, 0], [0, 1, 0]]]
    rewards = [[[0, 0]] * 3, [[0, 0]] * 3, [[0, 0], [0, 0], [1, 1]]]
    mdp = EpisodicMDP([first, second, second], rewards, 3, [1.0, 0.0, 0.0], exact=True)
    none, sure = [0, 0, 0, 0], [1, 0]
    counts = [
        [[[seen, 50 - seen, 0, 0], none], [none, none], [none, none]],
        [coins, [[0, visits, 0, 0], none], [none, none]],
        [[none, none]] * 3,
    ]
    mixed = [_HALF, _HALF]
    reference = [[sure, sure, sure], [mixed, sure, sure], [mixed, mixed, mixed]]
    return _hand_made(
        mdp, [1, 0, 0], reference, counts=counts, temperature=Fraction(1), delta=delta
    )


@claim(
    "demo-cert",
    "inequality",
    title="What the plan of regularised identification loses is certified",
    statement=r"""Stages $h=0,\dots,H-1$, rewards in $[0,1]$, $L=\log\frac{2SAH}\delta$, $b_h$,
$\kappa$, $\bar Q$, $\underline Q$, $\bar\pi$, $G$ of `RegularizedBPI`. Let $\mathcal E$ be the
event that for all counts $n\ge1$ and all $(h,s,a)$:
$|(\hat p-p)V^*_{\lambda,h+1}|\le b_h(n)$ and $\mathrm{KL}(\hat p\|p)\le\kappa(n)$. Then
$P(\mathcal E)\ge1-\delta$ (`demo-ci-hoeffding`, `demo-ci-kl`), and on $\mathcal E$, after any
episodes, for all $h,s$:
$$V^*_{\lambda,h}(s)-V^{\bar\pi}_{\lambda,h}(s)\le G_h(s).$$""",
    source="Tiapkin et al., ICLR 2024, arXiv 2310.17303 (shape); this project",
    provenance=("reconstructed", "derived"),
    family=explored_family(),
    named={
        "two coins at the edge": lambda: _edge(20_000, 1),
        "two coins at the edge, few throws": lambda: _edge(100, 100),
        "two coins at the edge, hardly regularised": lambda: _edge(20_000, "1/1000000"),
        "two coins at the edge, much regularised": lambda: _edge(2000, 1000000),
        "a hard state seen less than it is visited": lambda: _chain(15),
        "a hard state seen as often": lambda: _chain(25),
    },
    mutants=[
        Mutant("half-bonus", "half the bonus", check=partial(_certificate, factor=_HALF)),
        Mutant(
            "quarter-bonus", "a quarter of it", check=partial(_certificate, factor=Fraction(1, 4))
        ),
        Mutant("sixteenth", "D^2 / (16 lambda)", check=partial(_certificate, eighth=16)),
        Mutant(
            "no-transport", "P_hat G for P G, kappa dropped",
            check=partial(_certificate, transport=False),
        ),
    ],
    bound=lambda width, temperature: min(width, width**2 / (8 * temperature)),
    proof="text",
)  # fmt: skip
def certificate(instance: Any) -> list[Measurement]:
    return _certificate(instance)


# --- demo-cert-size -----------------------------------------------------------------------


def closed_certificate_size(
    visits: int, states: int, actions: int, horizon: int, temperature: Any, delta: Any
) -> Real:
    """B^2 (H-1)H(H+1)(3H^2-2) / (480 lambda)."""
    H = horizon
    L = DIGITS.log(real(Fraction(2 * states * actions * H) / Fraction(delta)))
    B2 = (visits + 1) * (DIGITS.log(visits + 1) + 2 * L) / DIGITS.mpf(visits) ** 2
    whole = Fraction((H - 1) * H * (H + 1) * (3 * H * H - 2), 480) / Fraction(temperature)
    return B2 * real(whole)


def _size(i: Any, shrunk: int = 1, shorter: int = 0) -> list[Measurement]:
    episodes = Episodes(i.mdp, i.start)
    counts = i.counts if "counts" in i else counts_near(episodes, i.visits, i.tilts)
    least = min(sum(row) for stage in counts for rows in stage for row in rows)
    S, A, H = episodes.S, episodes.A, episodes.H
    plan = Intervals(episodes, counts, i.reference, i.temperature, i.delta)
    L, width, size = plan.L, DIGITS.mpf(0), DIGITS.mpf(0)
    B = DIGITS.sqrt((least + 1) * (DIGITS.log(least + 1) + 2 * L)) / least
    tau = real(i.temperature)
    for m in range(H):
        width = min(DIGITS.mpf(m), m * B + width)
        size += min(width, width * width / (8 * tau))
    closed = closed_certificate_size(least, S, A, H - shorter, i.temperature, i.delta) / shrunk
    most = first_bound(H, i.temperature)
    return [
        compare(max(plan.gap[0]), size, "G_0, clipped"),
        compare(max(plan.gap[0]), closed, "G_0", trivial=most),
        compare(size, closed if not (shrunk - 1 or shorter) else size, "clipped"),
    ]


def _seen(horizon: int, visits: int, temperature: Any = 1) -> Instance:
    """One state and two actions that pay 1/2, each visited so often: the bound is attained."""
    made = one_state([_HALF, _HALF], [_HALF, _HALF], [_HALF, _HALF], temperature, horizon=horizon)
    parts = {name: made[name] for name in made}
    counts = [[[[visits, 0], [visits, 0]]]] * horizon
    return Instance(**parts, counts=counts, delta=Fraction(1, 10))


@claim(
    "demo-cert-size",
    "inequality",
    title="How small the certificate is once every pair was visited n times",
    statement=r"""If all $n_h(s,a)\ge n\ge1$, then with $L=\log\frac{2SAH}\delta$ and
$B=\frac{\sqrt{(n+1)(\log(n+1)+2L)}}n$, $m=H-1-h$, $W_H=0$, $W_h=\min\{m,mB+W_{h+1}\}$:
$$\max_sG_0(s)\le\sum_h\min\Big\{W_h,\frac{W_h^2}{8\lambda}\Big\}\le
\frac{B^2}{8\lambda}\sum_{m=0}^{H-1}\Big(\frac{m(m+1)}2\Big)^2
=\frac{B^2(H-1)H(H+1)(3H^2-2)}{480\lambda},$$
with equality where one state has two actions of the same reward and no interval is clipped. So
$n=\tilde O(\frac{H^5}{\lambda\varepsilon})$ visits of each pair suffice.""",
    source="this project",
    provenance=("derived", "derived"),
    family=explored_family(least=1),
    named={
        "H = 2": lambda: _seen(2, 1000),
        "H = 3": lambda: _seen(3, 10_000),
        "H = 4": lambda: _seen(4, 100_000, 50),
        "H = 5": lambda: _seen(5, 10**6, "1/4"),
        "H = 1": lambda: _seen(1, 1),
        "hardly regularised": lambda: _seen(3, 10_000, "1/1000000"),
    },
    mutants=[
        Mutant("half", "B^2 / 2", check=partial(_size, shrunk=2)),
        Mutant("shorter", "H - 1 in place of H", check=partial(_size, shorter=1)),
    ],
    bound=closed_certificate_size,
    proof="text",
)
def certificate_size(instance: Any) -> list[Measurement]:
    return _size(instance)


# --- demo-explore-mix ---------------------------------------------------------------------


def _explored(i: Any, everywhere: bool = False) -> list[Measurement]:
    episodes = Episodes(i.mdp, i.start)
    policy, H = i.other, episodes.H
    sure = [
        [[Fraction(int(a == i.widest[h][s] % episodes.A)) for a in episodes.actions]
         for s in episodes.states]
        for h in range(H)
    ]  # fmt: skip
    played: list[Policy] = [policy]
    for h in range(H):
        played.append(sure if everywhere else [*policy[:h], sure[h], *policy[h + 1 :]])
    mixed = [_pairs(episodes, each) for each in played]
    own = episodes.occupancy(policy)
    found = []
    for h in range(H):
        for s in episodes.states:
            for a in episodes.actions:
                share = sure[h][s][a] + (H - h) * policy[h][s][a]
                found.append(
                    Measurement(
                        own[h][s] * share / (H + 1),
                        sum((d[h][s][a] for d in mixed), Fraction(0)) / (H + 1),
                        what=f"stage {h}, state {s}, action {a}",
                    )
                )
    worst = min(found, key=lambda m: m.bound - m.measured)
    fraction = max(
        (m for m in found if m.measured > 0), key=lambda m: m.measured / m.bound if m.bound else 2
    )
    return [worst, fraction]


def _pairs(episodes: Episodes, policy: Policy) -> Any:
    d = episodes.occupancy(policy)
    return [
        [[d[h][s] * policy[h][s][a] for a in episodes.actions] for s in episodes.states]
        for h in range(episodes.H)
    ]


def _mix_family() -> Family:
    family = episode_family(3, 3, 3, explored=Many(Integer(0, 5), 9))

    def build(**parameters: Any) -> Instance:
        built = family.instance(parameters)
        parts = {name: built[name] for name in built}
        return Instance(**parts, widest=[built.explored[3 * h : 3 * h + 3] for h in range(3)])

    return Family(family.space, build)


def _away() -> Instance:
    """The plan stays in state 0 by action 0; exploring, action 1, leads to state 1 for good."""
    moves = [[[1, 0], [0, 1]], [[0, 1], [0, 1]]]
    mdp = EpisodicMDP(moves, [[0, 0], [0, 0]], 3, [1.0, 0.0], exact=True)
    law = [[[Fraction(1), Fraction(0)]] * 2] * 3
    return _hand_made(mdp, [1, 0], law, other=law, widest=[[1, 1]] * 3)


@claim(
    "demo-explore-mix",
    "inequality",
    title="Exploring at one stage at random reaches every pair that matters",
    statement=r"""Each episode plays $\bar\pi$, but at one of $H+1$ equally likely choices, a stage
$h'\in\{0,\dots,H-1\}$ or none, the action $a^\star_{h'}(s_{h'})$. Then for all $h,s,a$
$$d^{mix}_h(s,a)\ge\frac{d^{\bar\pi}_h(s)}{H+1}\big(1\{a=a^\star_h(s)\}+(H-h)\bar\pi_h(a|s)\big)
\ge\frac{d^{\bar\pi}_h(s)}{H+1}\big(1\{a=a^\star_h(s)\}\vee\bar\pi_h(a|s)\big).$$""",
    source="Tiapkin et al., ICLR 2024, arXiv 2310.17303 (the policies); this project",
    provenance=("paper", "derived"),
    family=_mix_family(),
    named={"exploring leads away": _away},
    mutants=[
        Mutant("everywhere", "exploring at all stages", check=partial(_explored, everywhere=True)),
    ],
    proof="text",
)
def explore_mix(instance: Any) -> list[Measurement]:
    return _explored(instance)


CLAIMS = (kl_transport, certificate, certificate_size, explore_mix)
