r"""Claims about behaviour cloning: its formula, and the exact law of its mean divergence.

N episodes of an expert, occupancy d_h(s), p = pi^E_h(. | s), A actions, smoothing alpha.

    pi^BC = (N_h(s,a) + alpha) / (N_h(s) + alpha A)                             demo-bc-closed-form
    E KL = sum d {sum p log p + E log(M_d + alpha A) - sum p_a E log(M_{d p_a} + alpha)}
                                                                                  demo-bc-exact-law
    E KL <= sum d E log(1 + (A-1)/(N_h(s)+1)) <= H S (A-1) / (N+1), alpha = 1   demo-bc-expectation
    |V^E - V^rho| <= H min(sqrt(K/2), sqrt(1 - e^-K))                           demo-bc-value
    P(KL < inf) = sum over sets T of actions of (-1)^|T| (1 - p(T))^N,
                  alpha = 0, one state                                          demo-bc-mle-infinite

Binomial laws are fractions, logarithms have sixty digits. Proofs: docs/theory/cloning.md.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import cache, partial
from itertools import combinations
from typing import Any

import numpy as np

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice, Integer, Many
from rltheory.demonstrations.cloning import behavior_cloning
from rltheory.demonstrations.cloning_law import bc_kl_bound, expected_bc_kl
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
    two_states,
)
from rltheory.foundations.families import law_of_weights
from rltheory.foundations.soft_planner import fraction_of
from rltheory.mdp.data import Counts
from rltheory.mdp.episodic import EpisodicMDP

__all__ = ["CLAIMS", "binomial", "compositions", "data_sets", "smoothed"]

_ONE = Fraction(1)


def compositions(n: int, size: int) -> Iterator[tuple[int, ...]]:
    """All ways to write n as a sum of so many counts."""
    if size == 1:
        yield (n,)
        return
    for k in range(n + 1):
        for rest in compositions(n - k, size - 1):
            yield (k, *rest)


@cache
def binomial(n: int, q: Fraction) -> list[Fraction]:
    """The binomial law (n, q)."""
    return [math.comb(n, k) * q**k * (1 - q) ** (n - k) for k in range(n + 1)]


@cache
def _mean_log(n: int, q: Fraction, c: Fraction) -> Real:
    """E log(M + c)."""
    law = binomial(n, q)
    return DIGITS.fsum(real(w) * DIGITS.log(real(k + c)) for k, w in enumerate(law) if w)


def smoothed(counts: Sequence[int], alpha: Fraction) -> list[Fraction]:
    """(N_a + alpha) / (n + alpha A), uniform without a count."""
    total = sum(counts) + alpha * len(counts)
    if not total:
        return [Fraction(1, len(counts))] * len(counts)
    return [(k + alpha) / total for k in counts]


# --- demo-bc-closed-form ------------------------------------------------------------------


def _loss(counts: Sequence[int], alpha: Fraction, law: Sequence[Any]) -> Real:
    return DIGITS.fsum(
        -real(k + alpha) * DIGITS.log(real(x)) for k, x in zip(counts, law, strict=True)
    )


Formula = Callable[[Sequence[int], Fraction], list[Fraction]]


def _closed_form(i: Any, formula: Formula = smoothed) -> list[Measurement]:
    alpha, found = i.alpha, []
    table = np.array(i.counts, dtype=np.int64)[None]
    nothing = np.zeros((*table.shape, table.shape[1]), dtype=np.int64)
    ends = Counts(table, nothing, np.zeros(table.shape))
    computed = behavior_cloning(ends, smoothing=float(alpha))[0]
    for s, counts in enumerate(i.counts):
        law, n = formula(counts, alpha), sum(counts)
        total = n + alpha * len(counts)
        # The derivatives of the loss are equal, and the law is one.
        slopes = [(k + alpha) / x for k, x in zip(counts, law, strict=True)]
        found.append(Measurement(max(slopes), min(slopes), what=f"derivatives, state {s}"))
        found.append(Measurement(sum(law), 1, what=f"sum, state {s}"))
        below = min(Fraction(0), min(law) - alpha / total)
        found.append(Measurement(below, 0, what=f"floor, state {s}"))
        more = _loss(counts, alpha, i.law) - _loss(counts, alpha, law)
        excess = real(total) * divergence(law, i.law)
        found.append(compare(more, excess, f"excess of another law, state {s}"))
        for x, y in zip(computed[s].tolist(), law, strict=True):
            # A sum, a sum of A terms and a quotient, each rounded, and alpha itself.
            allowed = (len(law) + 6) * Fraction(1, 2**53) * y
            found.append(
                Measurement(Fraction(x), y, tolerance=allowed, certified=True, what="as computed")
            )
    return found


def _counts_family() -> Family:
    def build(actions: int, counts: list[int], law: list[int], alpha: str) -> Instance:
        rows = [counts[s * 4 : s * 4 + actions] for s in range(3)]
        return Instance(counts=rows, law=law_of_weights(law[:actions]), alpha=Fraction(alpha))

    space: dict[str, Any] = {
        "actions": Integer(1, 4),
        "counts": Many(Choice(0, 0, 1, 2, 7, 1000), 12),
        "law": Many(Choice(1, 1, 2, 5, 100), 4),
        "alpha": Choice("1/1000", "1/10", "1/2", "1", "10", "1000"),
    }
    return Family(space, build)


def _per_state(counts: Sequence[int], alpha: Fraction) -> list[Fraction]:
    """alpha added once a state."""
    A = len(counts)
    return [(k + alpha / A) / (sum(counts) + alpha) for k in counts]


def _one_below(counts: Sequence[int], alpha: Fraction) -> list[Fraction]:
    """(N_a + 1) / (n + 1)."""
    return [Fraction(k + 1, sum(counts) + 1) for k in counts]


@claim(
    "demo-bc-closed-form",
    "identity",
    title="Smoothed frequencies minimise the regularised loss of cloning",
    statement=r"""Counts $N_h(s,a)$, $N_h(s)=\sum_aN_h(s,a)$, $\alpha>0$, $A$ actions. The one
minimiser of
$\sum_{h,s,a}N_h(s,a)\log\frac1{\pi_h(a|s)}+\alpha\sum_{h,s,a}\log\frac1{\pi_h(a|s)}$ is
$\pi^{BC}_h(a|s)=\frac{N_h(s,a)+\alpha}{N_h(s)+\alpha A}\ge\frac\alpha{N_h(s)+\alpha A}$, and a law
$\pi$ in its place at $(h,s)$ costs
$(N_h(s)+\alpha A)\,\mathrm{KL}(\pi^{BC}_h(s)\|\pi)$ more.""",
    source="Tiapkin et al., ICLR 2024, arXiv 2310.17303, section 3 (alpha = 1)",
    provenance=("paper", "derived"),
    family=_counts_family(),
    named={
        "three and one": lambda: Instance(counts=[[3, 1]], law=[Fraction(1, 2)] * 2, alpha=_ONE),
        "nothing seen": lambda: Instance(counts=[[0, 0, 0]], law=[Fraction(1, 3)] * 3, alpha=_ONE),
    },
    mutants=[
        Mutant("one-below", "(N+1) / (N_h(s)+1)", check=partial(_closed_form, formula=_one_below)),
        Mutant("per-state", "alpha once a state", check=partial(_closed_form, formula=_per_state)),
    ],
    bound=lambda n, actions, alpha: alpha / (n + alpha * actions),
    proof="text",
)
def closed_form(instance: Any) -> list[Measurement]:
    return _closed_form(instance)


# --- demo-bc-exact-law --------------------------------------------------------------------


def data_sets(
    episodes: Episodes, expert: Policy, n: int
) -> Iterator[tuple[Fraction, dict[tuple[int, int], list[int]]]]:
    """The law of the counts of n episodes: chances, and counts of actions at (stage, state)."""
    known: dict[tuple[tuple[int, int, int], ...], Fraction] = {}

    def walk(h: int, s: int, chance: Fraction, seen: tuple[tuple[int, int, int], ...]) -> None:
        for a in episodes.actions:
            p = chance * expert[h][s][a]
            if not p:
                continue
            path = (*seen, (h, s, a))
            on = h < episodes.H - 1
            over = p * episodes.stages[h].exit(s, a) if on else p
            if over:
                known[path] = known.get(path, Fraction(0)) + over
            for t, x in enumerate(episodes.stages[h].P[s][a]) if on else ():
                if x:
                    walk(h + 1, t, p * x, path)

    for s in episodes.states:
        if episodes.start[s]:
            walk(0, s, episodes.start[s], ())
    paths = list(known.items())
    for times in compositions(n, len(paths)):
        chance = Fraction(math.factorial(n))
        counts: dict[tuple[int, int], list[int]] = {}
        for k, (path, p) in zip(times, paths, strict=True):
            chance *= p**k / math.factorial(k)
            for h, s, a in path if k else ():
                counts.setdefault((h, s), [0] * episodes.A)[a] += k
        yield chance, counts


def clone_of(
    episodes: Episodes, counts: dict[tuple[int, int], list[int]], alpha: Fraction
) -> Policy:
    """The clone of these counts."""
    nothing = [0] * episodes.A
    return [
        [smoothed(counts.get((h, s), nothing), alpha) for s in episodes.states]
        for h in range(episodes.H)
    ]


def mean_divergence(
    episodes: Episodes, expert: Policy, n: int, alpha: Fraction, occupancy: Any = None
) -> Real:
    """The formula of the exact law."""
    d = episodes.occupancy(expert) if occupancy is None else occupancy

    def at(h: int, s: int) -> Real:
        p, mass = [Fraction(x) for x in expert[h][s]], Fraction(d[h][s])
        terms = [_mean_log(n, mass, alpha * episodes.A)]
        for x in p:
            if x:
                own = DIGITS.log(real(x)) - _mean_log(n, mass * x, alpha)
                terms.append(real(x) * own)
        return DIGITS.fsum(terms)

    return episodes.mean(d, at)


def _exact_law(i: Any, uniform: bool = False) -> list[Measurement]:
    episodes = Episodes(i.mdp, i.start)
    total: Real = DIGITS.mpf(0)
    for chance, counts in data_sets(episodes, i.expert, i.n):
        clone = clone_of(episodes, counts, i.alpha)
        total += real(chance) * episodes.divergence(i.expert, clone)
    d = None
    if uniform:
        law = [[[Fraction(1, episodes.A)] * episodes.A] * episodes.S] * episodes.H
        d = episodes.occupancy(law)
    formula = mean_divergence(episodes, i.expert, i.n, i.alpha, d)
    computed = expected_bc_kl(
        i.mdp,
        np.array(i.expert, dtype=np.float64),
        i.n,
        float(i.alpha),
        initial=np.array(i.start, dtype=np.float64),
    )
    # Probabilities, smoothing and occupancy are rounded before the formula is evaluated.
    exact = fraction_of(formula)
    tolerance = (1 + exact) / 10**12
    return [
        compare(total, formula, "mean over all data"),
        Measurement(Fraction(computed), exact, tolerance=tolerance, what="as computed"),
    ]


_SMALL = episode_family(2, 2, 2, n=Integer(0, 2), alpha=Choice("1/10", "3/10", "1/2", "1", "10"))


def _with_alpha(family: Family) -> Family:
    def build(**parameters: Any) -> Instance:
        built = family.instance(parameters)
        return Instance(**{**built, "alpha": Fraction(built.alpha)})

    return Family(family.space, build)


@claim(
    "demo-bc-exact-law",
    "identity",
    title="The exact mean of a clone's divergence from its expert",
    statement=r"""$N$ i.i.d. episodes of $\pi^E$, clone of smoothing $\alpha>0$, $d=d^{\pi^E}$,
$p=\pi^E_h(\cdot|s)$, $M_{N,q}\sim\mathrm{Bin}(N,q)$:
$$E[\mathrm{KL}_{traj}(\pi^E\|\pi^{BC})]=\sum_{h,s:d_h(s)>0}d_h(s)\Big\{\sum_ap_a\log p_a
+E\log(M_{N,d_h(s)}+\alpha A)-\sum_{a:p_a>0}p_aE\log(M_{N,d_h(s)p_a}+\alpha)\Big\}.$$""",
    source="this project",
    provenance=("derived", "derived"),
    family=_with_alpha(_SMALL),
    named={
        "a coin, three episodes": lambda: one_state(
            [1, 0], ["1/2", "1/2"], ["1/2", "1/2"], n=3, alpha=_ONE
        ),
        "two states, three episodes": lambda: two_states(
            [["1/8", "7/8"], ["1/2", "1/2"]], [["1/2", "1/2"]] * 2, n=3, alpha=Fraction(3, 10)
        ),
    },
    mutants=[
        Mutant(
            "uniform-occupancy",
            "the occupancy of the uniform policy in place of the expert's",
            check=partial(_exact_law, uniform=True),
        )
    ],
    proof="text",
)
def exact_law(instance: Any) -> list[Measurement]:
    return _exact_law(instance)


# --- demo-bc-expectation ------------------------------------------------------------------


def _expectation(
    i: Any, share: Fraction = Fraction(1), alpha: Fraction = Fraction(1)
) -> list[Measurement]:
    episodes, n = Episodes(i.mdp, i.start), i.n
    d, A = episodes.occupancy(i.expert), episodes.A
    mean = mean_divergence(episodes, i.expert, n, alpha)

    def row(h: int, s: int) -> Real:
        law = binomial(n, Fraction(d[h][s]))
        return DIGITS.fsum(
            real(w) * DIGITS.log(real(Fraction(k + A, k + 1))) for k, w in enumerate(law) if w
        )

    by_counts = episodes.mean(d, row)
    reached = sum(x > 0 for line in d for x in line)
    by_reached = share * Fraction(reached * (A - 1), n + 1)
    by_sizes = share * Fraction(episodes.H * episodes.S * (A - 1), n + 1)
    cap = DIGITS.log(real(Fraction(n + A))) * episodes.H
    trivial = float(cap)
    found = [
        compare(mean, real(by_sizes), "mean by sizes", trivial=trivial),
        compare(mean, real(by_reached), "mean by what is reached", trivial=trivial),
    ]
    if alpha == 1 and share == 1:
        found += [
            compare(mean, by_counts, "mean by counts", trivial=trivial),
            compare(by_counts, real(by_reached), "counts by what is reached", trivial=trivial),
            compare(mean, cap, "mean by its cap"),
        ]
    return found


def _lots(expert: Sequence[Any], n: int, states: int = 1, horizon: int = 1) -> Callable[[], Any]:
    """Uniform moves between states of one expert; the start is state 0."""

    def make() -> Instance:
        A = len(expert)
        rows = [[[Fraction(1, states)] * states] * A] * states
        start = [Fraction(int(s == 0)) for s in range(states)]
        law = [[[Fraction(x) for x in expert]] * states] * horizon
        mdp = EpisodicMDP(rows, [[0] * A] * states, horizon, [float(x) for x in start], exact=True)
        return Instance(mdp=mdp, start=start, expert=law, n=n)

    return make


_THIRDS = ["1/3"] * 3
_LOTS = {
    "one state, certain": _lots([1, 0], 1000),
    "one state, a coin": _lots(["1/2", "1/2"], 10),
    "uniform moves, uniform expert": _lots(_THIRDS, 10, 3, 3),
    "uniform moves, certain expert": _lots([1, 0, 0], 1000, 3, 3),
    "no data": _lots(["1/2", "1/2"], 0, 2, 2),
}


@claim(
    "demo-bc-expectation",
    "inequality",
    title="A clone of N episodes is within H S (A-1) / (N+1) of its expert, in the mean",
    statement=r"""Every finite model and expert, $N\ge0$ episodes, $\alpha=1$:
$$E[\mathrm{KL}_{traj}(\pi^E\|\pi^{BC})]\le\sum_{h,s}d_h(s)E\log\Big(1+\tfrac{A-1}{N_h(s)+1}\Big)\le
\frac{|\{(h,s):d_h(s)>0\}|(A-1)}{N+1}\le\frac{HS(A-1)}{N+1}.$$
And always $\mathrm{KL}_{traj}(\pi^E\|\pi^{BC})\le H\log(N+A)$.""",
    source="this project",
    provenance=("derived", "derived"),
    family=episode_family(n=Choice(0, 1, 3, 10, 50)),
    named=_LOTS,
    mutants=[
        Mutant("half", "half the bound", check=partial(_expectation, share=Fraction(1, 2))),
        Mutant("little", "smoothing 1/100", check=partial(_expectation, alpha=Fraction(1, 100))),
        Mutant("much", "smoothing 50", check=partial(_expectation, alpha=Fraction(50))),
    ],
    bound=bc_kl_bound,
    proof="text",
)
def expectation(instance: Any) -> list[Measurement]:
    return _expectation(instance)


# --- demo-bc-value ------------------------------------------------------------------------


def _value(i: Any, always: bool = False) -> list[Measurement]:
    episodes = Episodes(i.mdp, i.start)
    K, H = episodes.divergence(i.expert, i.reference), episodes.H
    gap = episodes.value(i.expert) - episodes.value(i.reference)
    # e^-inf is 0, and the root of an infinite divergence is no bound.
    far = 1 - (DIGITS.mpf(0) if DIGITS.isinf(K) else DIGITS.exp(-K))
    pinsker = DIGITS.inf if DIGITS.isinf(K) else DIGITS.sqrt(K / 2)
    found = [compare(real(abs(gap)), H * min(pinsker, DIGITS.sqrt(far)), "any expert", trivial=H)]
    sure = all(max(row) == 1 for rows in i.expert for row in rows)
    if sure or always:
        found.append(compare(real(gap), H * far, "a certain expert", trivial=H))
        found.append(compare(H * far, H * K, "1 - e^-K <= K"))
    return found


@claim(
    "demo-bc-value",
    "inequality",
    title="What a divergence from the expert costs in value",
    statement=r"""Rewards in $[0,1]$, $K=\mathrm{KL}_{traj}(\pi^E\|\tilde\pi)$:
$$|V^{\pi^E}_1-V^{\tilde\pi}_1|\le H\min\{\sqrt{K/2},\sqrt{1-e^{-K}}\};$$ if $\pi^E$ is
deterministic, $V^{\pi^E}_1-V^{\tilde\pi}_1\le H(1-e^{-K})\le HK$.""",
    source="this project; Bretagnolle and Huber 1979 (the second root)",
    provenance=("textbook", "derived"),
    family=episode_family(),
    named={
        "certain": lambda: one_state([1, 0], [1, 0], ["1/3", "2/3"]),
        "close": lambda: one_state(
            [1, 0], ["50001/100000", "49999/100000"], ["49999/100000", "50001/100000"]
        ),
        "apart": lambda: one_state([1, 0], [1, 0], [0, 1]),
        "a coin, off by a fifth": lambda: one_state([1, 0], ["1/2", "1/2"], ["3/10", "7/10"]),
    },
    mutants=[
        Mutant(
            "any-expert",
            "H (1 - e^-K) for experts that randomise",
            check=partial(_value, always=True),
        )
    ],
    bound=lambda K, horizon: horizon * min(math.sqrt(K / 2), math.sqrt(-math.expm1(-K))),
    proof="text",
)
def value(instance: Any) -> list[Measurement]:
    return _value(instance)


# --- demo-bc-mle-infinite -----------------------------------------------------------------


def _finite(law: Sequence[Fraction], n: int) -> Fraction:
    """The chance that n draws show every action of the support, by inclusion and exclusion."""
    support = [p for p in law if p]
    return sum(
        (
            (-1) ** size * (1 - sum(chosen, Fraction(0))) ** n
            for size in range(len(support) + 1)
            for chosen in combinations(support, size)
        ),
        Fraction(0),
    )


def _union(law: Sequence[Fraction], n: int) -> Fraction:
    """The union bound in its place."""
    return 1 - sum(((1 - p) ** n for p in law if p), Fraction(0))


def _mle(i: Any, formula: Callable[..., Fraction] = _finite) -> list[Measurement]:
    seen = smallest = Fraction(0)
    support = [a for a, p in enumerate(i.law) if p]
    for counts in compositions(i.n, len(i.law)):
        mass = Fraction(math.factorial(i.n))
        for k, p in zip(counts, i.law, strict=True):
            mass *= p**k / math.factorial(k)
        clone = smoothed(counts, Fraction(0))
        if mass and all(clone[a] for a in support):
            seen += mass
            if len(support) == 1:
                smallest = max(smallest, 1 - clone[support[0]])
    found = [Measurement(abs(seen - formula(i.law, i.n)), 0, what="P(KL < inf)")]
    if len(support) > 1:
        most = 1 - max(p**i.n for p in i.law)
        found.append(Measurement(seen, most, trivial=1, what="the mean is infinite"))
    else:
        found.append(Measurement(smallest, 0, what="a certain expert is cloned exactly"))
    return found


def _draws(law: Sequence[Any], n: int) -> Callable[[], Instance]:
    return lambda: Instance(law=[Fraction(x) for x in law], n=n)


@claim(
    "demo-bc-mle-infinite",
    "counterexample",
    title="Without smoothing, the mean divergence of a clone is infinite",
    statement=r"""$\alpha=0$ (the maximum of the likelihood), one state, one stage, $p=\pi^E$,
$N\ge1$: $P(\mathrm{KL}(p\|\hat\pi)<\infty)=\sum_{T\subseteq\mathrm{supp}\,p}(-1)^{|T|}(1-p(T))^N
\le1-\max_ap_a^N$ if $p$ has two actions or more. So $E\,\mathrm{KL}_{traj}(\pi^E\|\hat\pi)=\infty$
for every $N\ge1$ whenever at some reached $(h,s)$ the expert randomises. Where a deterministic
expert has been seen, its clone is exact.""",
    source="this project",
    provenance=("derived", "derived"),
    named={
        "three actions": _draws(["1/2", "3/10", "1/5"], 6),
        "a coin": _draws(["1/2", "1/2"], 8),
        "a coin, one draw": _draws(["1/2", "1/2"], 1),
        "a rare action": _draws(["99/100", "1/100"], 20),
        "four actions": _draws(["1/4"] * 4, 6),
        "certain": _draws([1, 0], 3),
        "an action never taken": _draws(["1/2", "1/2", 0], 4),
    },
    mutants=[
        Mutant("union", "the union bound in its place", check=partial(_mle, formula=_union)),
    ],
    bound=_finite,
    proof="text",
)
def mle_infinite(instance: Any) -> list[Measurement]:
    return _mle(instance)


CLAIMS = (closed_form, exact_law, expectation, value, mle_infinite)
