r"""The claim on what cloning loses in the end: half of (A-1)/N for each state that is reached.

Stages h = 0..H-1, N episodes, smoothing 1, d = d_h(s) over the pairs (h, s) with d > 0, A >= 2
actions, chi = sum_a 1/p_a for p = pi^E_h(. | s).

    certain experts   sum (A-1)/(N+1) (1 - (1-d)^(N+1) - (A-1)/((N+2) d))  <=  E KL
                      E KL  <=  sum (A-1)/(N+1)
    p_a > 0 for all   sum (A-1)/(2 (N + A/d)) - A^2 chi^2/(2 d (N+1)^2)    <=  E KL
                      E KL  <=  sum (A-1)/(2 (N+1)) + 5 A^2 chi^3/(2 d (N+1)^2)

so that N E KL tends to sum (A-1), and to half of it. E KL is the exact law (`expected_bc_kl`) in
doubles, whose relative error is taken to be below 1e-12. Proof: docs/theory/cloning.md.
"""

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Instance
from rltheory.claims.space import Choice
from rltheory.demonstrations.cloning_law import bc_kl_bound, expected_bc_kl
from rltheory.demonstrations.exact_episodes import Episodes, Policy, episode_family
from rltheory.mdp.episodic import EpisodicMDP

__all__ = ["CLAIMS", "of_certain", "of_spread"]

_ERROR = 1e-12
Pair = tuple[float, float]


def of_certain(n: float, d: float, actions: int) -> Pair:
    """Bounds of what one pair (h, s) of a certain expert adds to the mean."""
    each = (actions - 1) / (n + 1.0)
    missed = math.exp((n + 1.0) * math.log1p(-d)) if d < 1.0 else 0.0
    return each * (1.0 - missed - (actions - 1) / ((n + 2.0) * d)), each


def of_spread(n: float, d: float, actions: int, chi: float) -> Pair:
    """Bounds of what one pair (h, s) adds, where the expert takes all actions."""
    A = actions
    rest = A * A * chi * chi / (2.0 * d * (n + 1.0) ** 2)
    return (A - 1) / (2.0 * (n + A / d)) - rest, (A - 1) / (2.0 * (n + 1.0)) + 5.0 * chi * rest


def _asymptotics(
    i: Any, steps: Callable[[float], float] = float, factor: float = 1.0
) -> list[Measurement]:
    episodes, n, A = Episodes(i.mdp, i.start), i.n, i.mdp.n_actions
    rows = [row for rows in i.expert for row in rows]
    found = []
    if all(max(row) == 1 for row in rows):
        found += _between(i, episodes, i.expert, "certain", lambda d, p: of_certain(steps(n), d, A))
    full = all(min(row) > 0 for rows in i.reference for row in rows)
    if full and A > 1:

        def bounds(d: float, p: Sequence[Fraction]) -> Pair:
            low, high = of_spread(steps(n), d, A, float(sum(1 / x for x in p)))
            return factor * low, high

        found += _between(i, episodes, i.reference, "spread", bounds)
    return found or [Measurement(0, 0, event=False, what="neither certain nor spread")]


def _between(
    i: Any, episodes: Episodes, expert: Policy, name: str, bounds: Callable[..., Pair]
) -> list[Measurement]:
    law = np.array(expert, dtype=np.float64)
    start = np.array(i.start, dtype=np.float64)
    mean = expected_bc_kl(i.mdp, law, i.n, initial=start)
    d = episodes.occupancy(expert)
    pairs = [
        bounds(float(d[h][s]), expert[h][s])
        for h in range(episodes.H)
        for s in episodes.states
        if d[h][s] > 0
    ]
    low, high = (math.fsum(side) for side in zip(*pairs, strict=True))
    cap = bc_kl_bound(i.n, episodes.S, episodes.A, episodes.H, kind="cap")
    # Bounds beyond the cap say nothing, and neither does their rounding.
    size = math.fsum(abs(x) for pair in pairs for x in pair)
    tolerance = _ERROR * (mean + min(size, cap))
    return [
        Measurement(low, mean, tolerance=tolerance, what=f"{name}, from below"),
        Measurement(mean, high, trivial=cap, tolerance=tolerance, what=f"{name}, from above"),
    ]


def _alike(
    certain: Sequence[str], spread: Sequence[str], n: int, states: int = 1, horizon: int = 1
) -> Callable[[], Instance]:
    """Uniform moves between states; a certain expert and one that takes all actions."""

    def make() -> Instance:
        A = len(certain)
        moves = [[[Fraction(1, states)] * states] * A] * states
        start = [Fraction(int(s == 0)) for s in range(states)]
        laws = [[[[Fraction(x) for x in law]] * states] * horizon for law in (certain, spread)]
        mdp = EpisodicMDP(moves, [[0] * A] * states, horizon, [float(x) for x in start], exact=True)
        return Instance(mdp=mdp, start=start, expert=laws[0], reference=laws[1], n=n)

    return make


_SURE, _THIRDS = ("1", "0", "0"), ("1/3",) * 3


@claim(
    "demo-bc-asymptotics",
    "inequality",
    title="In the end cloning loses half of (A-1)/N for each state that is reached",
    statement=r"""$N$ episodes, $\alpha=1$, $A\ge2$; sums over $(h,s)$ with $d=d^{\pi^E}_h(s)>0$;
$\chi=\sum_a1/p_a$, $p=\pi^E_h(\cdot|s)$. For deterministic experts
$$\sum\frac{A-1}{N+1}\Big(1-(1-d)^{N+1}-\frac{A-1}{(N+2)d}\Big)\le E[\mathrm{KL}_{traj}]\le
\sum\frac{A-1}{N+1},$$ and for experts that take every action everywhere
$$\sum\Big(\frac{A-1}{2(N+A/d)}-\frac{A^2\chi^2}{2d(N+1)^2}\Big)\le E[\mathrm{KL}_{traj}]\le
\sum\Big(\frac{A-1}{2(N+1)}+\frac{5A^2\chi^3}{2d(N+1)^2}\Big).$$
Hence $N\,E[\mathrm{KL}_{traj}]\to\sum(A-1)$ and $\to\frac12\sum(A-1)$.""",
    source="this project",
    provenance=("derived", "derived"),
    family=episode_family(n=Choice(0, 1, 10, 1000, 100_000, 1_000_000)),
    named={
        "one state": _alike(("1", "0"), ("1/2", "1/2"), 10_000_000),
        "uniform moves": _alike(_SURE, _THIRDS, 1_000_000, 3, 3),
        "uniform moves, few": _alike(_SURE, _THIRDS, 100, 3, 3),
        "a rare action": _alike(("1", "0"), ("999/1000", "1/1000"), 10_000_000),
    },
    mutants=[
        Mutant(
            "root",
            "the rate N^(-1/2)",
            check=partial(_asymptotics, steps=math.sqrt),
        ),
        Mutant(
            "whole",
            "(A-1)/N for experts that take every action",
            check=partial(_asymptotics, factor=2.0),
        ),
    ],
    bound=of_spread,
    proof="text",
)
def asymptotics(instance: Any) -> list[Measurement]:
    return _asymptotics(instance)


CLAIMS = (asymptotics,)
