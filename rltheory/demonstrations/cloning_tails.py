r"""Claims on how far a clone may be from its expert with high probability, by exact laws.

N episodes, H stages, S states, A actions, smoothing 1, K = KL(P^E, P^BC). With probability 1-delta

    K <= H S (A-1) / (delta (N+1))                                                 demo-bc-markov
    K <= 8HS(2 + log(N+A))/N (log(2HS/delta) + (A-1)log(e(1 + N/(A-1))) + 2(A-1))  demo-bc-hp
    K <= 6SAH log(2 e^4 N) log(12HN^2/delta)/N + 18AH/N                      demo-bc-paper-finite
    h^2 <= 2 log(|class| / delta) / N, of the likeliest policy of a finite class   demo-bc-hellinger

How often a bound fails is computed, not sampled. Where there is one state, stages are independent:
K is a sum of H independent numbers, and -log(1 - h^2/2) is too; their laws are convolved on a
lattice between two bounds, whose distance is the tolerance. Small models with several states have
their data sets enumerated in fractions. Proofs: docs/theory/cloning.md.
"""

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice, Integer, Many
from rltheory.demonstrations.cloning_claims import clone_of, data_sets
from rltheory.demonstrations.cloning_law import BoundKind, bc_kl_bound, binomial_law
from rltheory.demonstrations.exact_episodes import Episodes, episode_family, real
from rltheory.demonstrations.lattice_laws import chance_above
from rltheory.foundations.families import law_of_weights

__all__ = ["CLAIMS", "divergence_law", "likeliest_law"]

Array = NDArray[np.float64]
Bound = Callable[[int, int, int, int, float], float]
_DELTAS = ("1/1000", "1/20", "1/10", "1/2", "9/10")
_ONE = Fraction(1)


# --- laws ---------------------------------------------------------------------------------


def _draws(p: Array, n: int) -> tuple[Array, Array]:
    """All counts of n draws from a law of positive chances, one a row, and their masses."""
    if len(p) == 1:
        return np.full((1, 1), float(n)), np.ones(1)
    first, law = binomial_law(n, float(p[0] / p.sum()), whole=True)
    if len(p) == 2:
        k = np.arange(first, first + len(law), dtype=np.float64)
        return np.column_stack([k, n - k]), law
    counts, masses = [], []
    for seen, mass in enumerate(law.tolist(), first):
        rest, shares = _draws(p[1:], n - seen)
        counts.append(np.column_stack([np.full(len(rest), float(seen)), rest]))
        masses.append(mass * shares)
    return np.concatenate(counts), np.concatenate(masses)


@cache
def divergence_law(row: tuple[Fraction, ...], n: int) -> tuple[Array, Array]:
    """KL(p, clone of n draws): its values and their masses."""
    p = np.array([float(x) for x in row if x > 0])
    counts, masses = _draws(p, n)
    clone = (counts + 1.0) / (n + len(row))
    values = (p * np.log(p / clone)).sum(axis=1)
    return np.maximum(values, 0.0), masses


@cache
def likeliest_law(expert: Fraction, levels: tuple[Fraction, ...], n: int) -> tuple[Array, Array]:
    """-log of the affinity of the coin p and the likeliest of these coins, after n throws.

    Levels and p are in (0, 1). Of several that are likeliest the farthest is taken.
    """
    p, q = float(expert), np.array([float(x) for x in levels])
    first, masses = binomial_law(n, p, whole=True)
    k = np.arange(first, first + len(masses), dtype=np.float64)[:, None]
    likelihood = xlogy(k, q) + xlogy(n - k, 1.0 - q)
    best = likelihood.max(axis=1, keepdims=True)
    near = likelihood >= best - 1e-9 * (1.0 + np.abs(best))
    affinity = np.sqrt(p * q) + np.sqrt((1.0 - p) * (1.0 - q))
    same = np.array([x == expert for x in levels])
    apart = np.where(same, 0.0, -np.log(np.minimum(affinity, 1.0)))
    return np.where(near, apart, 0.0).max(axis=1), masses


# --- demo-bc-markov, demo-bc-hp, demo-bc-paper-finite -------------------------------------


def _bound(kind: BoundKind, factor: float = 1.0) -> Bound:
    return lambda n, S, A, H, delta: factor * bc_kl_bound(n, S, A, H, delta, kind)


def _tail(i: Any, bound: Bound) -> list[Measurement]:
    delta = Fraction(i.delta)
    found = []
    if i.rows:
        H, A = len(i.rows), len(i.rows[0])
        allowed = bound(i.n, 1, A, H, float(delta))
        trivial = 1 if allowed < bc_kl_bound(i.n, 1, A, H, kind="cap") else delta
        low = high = 0.0
        if 0.0 < allowed < math.inf:
            laws = [divergence_law(tuple(row), i.n) for row in i.rows]
            low, high = chance_above(laws, allowed)
        found.append(
            Measurement(
                high, delta, trivial, tolerance=high - low, certified=True, what="one state a stage"
            )
        )
    if i.model_mdp is not None:
        found.append(_enumerated(i, bound, delta))
    return found


def _enumerated(i: Any, bound: Bound, delta: Fraction) -> Measurement:
    """A small model: all data sets of model_n episodes."""
    episodes = Episodes(i.model_mdp, i.model_start)
    sizes = (i.model_n, episodes.S, episodes.A, episodes.H)
    allowed = bound(*sizes, float(delta))
    cap = bc_kl_bound(*sizes, kind="cap")
    failed = Fraction(0)
    if 0.0 < allowed < cap:
        for chance, counts in data_sets(episodes, i.model_expert, i.model_n):
            clone = clone_of(episodes, counts, _ONE)
            if episodes.divergence(i.model_expert, clone) > real(Fraction(allowed)):
                failed += chance
    trivial = 1 if allowed < cap else delta
    return Measurement(failed, delta, trivial, what="small model")


def _tail_family(sizes: Sequence[int]) -> Family:
    small = episode_family(2, 2, 2, n=Choice(1, 2))

    def build(
        stages: int, actions: int, rows: list[int], n: int, delta: str, **model: Any
    ) -> Instance:
        built = small.instance({key.removeprefix("model_"): x for key, x in model.items()})
        draws = n if actions == 2 else min(n, 100)
        return Instance(
            rows=[law_of_weights(rows[3 * h : 3 * h + actions]) for h in range(stages)],
            n=draws,
            delta=Fraction(delta),
            model_mdp=built.mdp,
            model_start=built.start,
            model_expert=built.expert,
            model_n=built.n,
        )

    space: dict[str, Any] = {
        "stages": Integer(1, 4),
        "actions": Choice(1, 2, 2, 2, 3),
        "rows": Many(Choice(0, 1, 1, 2, 40), 12),
        "n": Choice(*sizes),
        "delta": Choice(*_DELTAS),
    }
    return Family(space | {f"model_{key}": x for key, x in small.space.items()}, build)


def _alike(row: Sequence[str], stages: int, n: int, delta: str = "1/10") -> Callable[[], Instance]:
    """Stages of one state with one expert."""
    return lambda: Instance(
        rows=[[Fraction(x) for x in row]] * stages, n=n, delta=Fraction(delta), model_mdp=None
    )


_COIN = ("1/2", "1/2")
_NAMED = {
    "three coins, 100 episodes": _alike(_COIN, 3, 100),
    "three coins, 1000 episodes": _alike(_COIN, 3, 1000),
    "a coin, 10000 episodes": _alike(_COIN, 1, 10000),
    "seven laws on three actions": _alike(("1/3",) * 3, 7, 200),
    "a certain expert": _alike(("1", "0"), 3, 100),
    "a coin, one episode": _alike(_COIN, 1, 1, "9/10"),
}


@claim(
    "demo-bc-markov",
    "high-probability",
    title="A clone is close to its expert with high probability: by Markov's inequality",
    statement=r"""Every finite model and expert, $N\ge0$, $\alpha=1$, $0<\delta<1$: with probability
at least $1-\delta$
$$\mathrm{KL}_{traj}(\pi^E\|\pi^{BC})\le\frac{HS(A-1)}{\delta(N+1)}.$$""",
    source="this project",
    provenance=("derived", "derived"),
    family=_tail_family((0, 1, 5, 20, 100, 400)),
    named=_NAMED,
    mutants=[
        Mutant(
            "third",
            "1/3 in place of 1/delta",
            check=partial(_tail, bound=lambda n, S, A, H, d: H * S * (A - 1) / (3.0 * (n + 1))),
        ),
    ],
    bound=partial(bc_kl_bound, kind="markov"),
    proof="text",
)
def markov(instance: Any) -> list[Measurement]:
    return _tail(instance, _bound("markov"))


@claim(
    "demo-bc-hp",
    "high-probability",
    title="A clone is close to its expert, at a logarithmic price of confidence",
    statement=r"""Every finite model and expert, $A\ge2$, $N\ge1$, $\alpha=1$, $0<\delta<1$: with
probability at least $1-\delta$
$$\mathrm{KL}_{traj}(\pi^E\|\pi^{BC})\le\frac{8HS(2+\log(N+A))}{N}\Big(\log\tfrac{2HS}\delta
+(A-1)\log\big(e(1+\tfrac N{A-1})\big)+2(A-1)\Big).$$""",
    source="this project",
    provenance=("derived", "derived"),
    family=_tail_family((1, 20, 400, 1000, 2000)),
    named=_NAMED,
    mutants=[
        Mutant(
            "two-thousandth",
            "the bound divided by 2000",
            check=partial(_tail, bound=_bound("high_probability", 1 / 2000)),
        ),
    ],
    bound=partial(bc_kl_bound, kind="high_probability"),
    proof="text",
)
def high_probability(instance: Any) -> list[Measurement]:
    return _tail(instance, _bound("high_probability"))


@claim(
    "demo-bc-paper-finite",
    "high-probability",
    title="The published bound of cloning in finite models",
    statement=r"""$N\ge A$, $\alpha=1$, $0<\delta<1$: with probability at least $1-\delta$
$$\mathrm{KL}_{traj}(\pi^E\|\pi^{BC})\le\frac{6SAH\log(2e^4N)\log(12HN^2/\delta)}{N}
+\frac{18AH}{N},$$ constants as recalled. Below some $N=2000$ for $H=S=A=3$ it is above the cap
$H\log(N+A)$, and it is above the bound of `demo-bc-markov` unless $\delta$ is below some $10^{-3}$:
what is tested is consistency.""",
    source="Tiapkin et al., ICLR 2024, arXiv 2310.17303, corollary for finite MDPs (as recalled)",
    provenance=("reconstructed", "reconstructed"),
    family=_tail_family((20, 400, 1000, 2000)),
    named=_NAMED,
    mutants=[
        Mutant(
            "fast",
            "1/N^2 in place of 1/N",
            check=partial(
                _tail, bound=lambda n, S, A, H, d: bc_kl_bound(n, S, A, H, d, "paper") / max(n, 1)
            ),
        ),
    ],
    bound=partial(bc_kl_bound, kind="paper"),
)
def paper_finite(instance: Any) -> list[Measurement]:
    return _tail(instance, _bound("paper"))


# --- demo-bc-hellinger --------------------------------------------------------------------


def _hellinger(i: Any, classes: bool = True) -> Measurement:
    delta, n, H = Fraction(i.delta), i.n, len(i.experts)
    size = H * math.log(len(i.levels)) if classes else 0.0
    allowed = 2.0 * (size - math.log(delta)) / n
    low = high = 0.0
    if allowed < 2.0:
        laws = [likeliest_law(p, tuple(i.levels), n) for p in i.experts]
        low, high = chance_above(laws, -math.log1p(-0.5 * allowed))
    trivial = 1 if allowed < 2.0 else delta
    return Measurement(
        high, delta, trivial, tolerance=high - low, certified=True, what="h^2 of episodes"
    )


def _coins(
    experts: Sequence[str], levels: int, n: int, delta: str = "1/10"
) -> Callable[[], Instance]:
    """Stages of one state and two actions; a level k / (levels + 1) for each."""
    return lambda: Instance(
        experts=[Fraction(x) for x in experts],
        levels=[Fraction(k, levels + 1) for k in range(1, levels + 1)],
        n=n,
        delta=Fraction(delta),
    )


def _class_family() -> Family:
    def build(stages: int, chosen: list[int], levels: int, n: int, delta: str) -> Instance:
        experts = [Fraction(1 + k % levels, levels + 1) for k in chosen[:stages]]
        return _coins([str(x) for x in experts], levels, n, delta)()

    space: dict[str, Any] = {
        "stages": Integer(1, 6),
        "chosen": Many(Integer(0, 59), 6),
        "levels": Choice(1, 2, 3, 5, 19),
        "n": Choice(1, 5, 20, 100, 400),
        "delta": Choice(*_DELTAS),
    }
    return Family(space, build)


@claim(
    "demo-bc-hellinger",
    "high-probability",
    title="The likeliest policy of a finite class",
    statement=r"""$N$ i.i.d. episodes of $\pi^E\in\Pi$, $\Pi$ finite, $\hat\pi$ any maximiser of the
likelihood over $\Pi$, $0<\delta<1$: with probability at least $1-\delta$
$$h^2(P^{\hat\pi},P^{\pi^E})\le\frac{2\log(|\Pi|/\delta)}N.$$""",
    source="Foster, Block and Misra, NeurIPS 2024, arXiv 2407.15007 (shape)",
    provenance=("paper", "derived"),
    family=_class_family(),
    named={
        "forty coins of nineteen levels": _coins(["1/2"] * 40, 19, 200),
        "one coin of two levels": _coins(["1/3"], 2, 20, "9/10"),
        "one coin of nineteen levels": _coins(["1/2"], 19, 200, "9/10"),
    },
    mutants=[
        Mutant(
            "no-class", "log(1/delta) in place of log(class/delta)",
            check=partial(_hellinger, classes=False),
        ),
    ],
    bound=lambda n, size, delta: 2.0 * math.log(size / delta) / n,
    proof="text",
)  # fmt: skip
def hellinger(instance: Any) -> Measurement:
    return _hellinger(instance)


# --- context ------------------------------------------------------------------------------


@claim(
    "demo-bc-paper-general",
    "context",
    title="The published bound of cloning in general classes",
    statement=r"""If (a) $\log\mathcal N(\epsilon,\mathcal F_h,\|\cdot\|_\infty)\le d_{\mathcal F}
\log(R_{\mathcal F}/\epsilon)$ and every $\pi\in\mathcal F_h$ has $\pi_h(a|s)\ge\gamma$; (b)
$(1-\kappa)\pi^E_h+\kappa/A\in\mathcal F_h$ for some $\kappa<\frac12$; (c) the regulariser lies in
$[0,M]$; then with probability at least $1-\delta$
$$\mathrm{KL}_{traj}\le\frac{6d_{\mathcal F}H\log(Ae^3/(A\gamma\wedge\kappa))\log(2HNR_{\mathcal F}
/(\gamma\delta))}{N}+\frac{2HM}N+\frac{18\kappa}{1-\kappa},$$ constants as recalled. For linear
models, with $\kappa=A/(N+A)$, it is $\tilde O(dH/N)+18AH/N$.""",
    source="Tiapkin et al., ICLR 2024, arXiv 2310.17303, theorem 1 (as recalled)",
    provenance=("reconstructed", "reconstructed"),
)
def paper_general(instance: Any) -> list[Measurement]:
    return []


@claim(
    "demo-bc-paper-lower",
    "context",
    title="The published lower bound of cloning",
    statement=r"""Cloning has a lower bound of the order $1/N$ too; the constant depends on the
floor $\gamma$ of the class and degenerates as $\gamma\to0$. The suite uses `demo-bc-minimax`.""",
    source="Tiapkin et al., ICLR 2024, arXiv 2310.17303, theorem 2 (shape)",
    provenance=("reconstructed", "reconstructed"),
)
def paper_lower(instance: Any) -> list[Measurement]:
    return []


CLAIMS = (markov, high_probability, paper_finite, hellinger, paper_general, paper_lower)
