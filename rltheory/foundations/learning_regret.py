r"""The regret of UCBVI with Hoeffding bonuses, exact in every run, and the inequality behind it.

The problem: K episodes on a model with S >= 2 states, A actions, H stages and no exits. With
N = S A H K, L1 = log(3 N / delta), L2 = log(3 (2^S - 2) N / delta), L3 = log(3 / delta) and
c_h = (H-h-1) (sqrt(L1/2) + sqrt(L2/2)), with probability at least 1 - delta

    sum_k rho (V*_0 - V_0^{pi_k}) <= H (H-1) c sqrt(S A K) + H (H+1)/2 (S A + sqrt(K L3 / 2)),

c = c_h / (H-h-1). The proof goes through, with V_0^k the optimistic value of plan k,

    sum_k rho (V_0^k - V_0^{pi_k}) <= sum_k E_{pi_k} sum_h min{H-h, c_h n_h(s, a)^{-1/2}},

which must hold in every run in which all empirical rows are within sqrt(2 L2 / n) of the true ones,
in L1, at all their counts n. A trial checks that event, and both inequalities. Occupancies, values
and the event are computed, not sampled. Proof: docs/theory/learning.md.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice, Integer
from rltheory.errors import ClaimError
from rltheory.foundations.families import model_space, read_model
from rltheory.foundations.instances import misled
from rltheory.learning.learner import Task
from rltheory.learning.regret import start_values
from rltheory.learning.tabular import EpisodeWords, Run, play_whole
from rltheory.learning.ucbvi import UCBVI, ucbvi_regret_bound
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.generators import random_episodic
from rltheory.solvers.solve import solve

__all__ = ["CLAIMS", "pathwise"]

Array = NDArray[np.float64]
DELTA = 0.1
_STAGES = 3
_SAFE = 1e-9


def _played(mdp: EpisodicMDP, episodes: int, stream: Any, factor: float = 1.0) -> Run:
    learner = UCBVI(DELTA, factor=factor)
    learner.begin(Task(mdp.n_states, mdp.n_actions, mdp.horizon, episodes))
    a, b, c, d = stream.words(4).tolist()
    return play_whole(mdp, [learner.core], episodes, [EpisodeWords((a, b), (c, d))], traced=True)[0]


def _regret(mdp: EpisodicMDP, run: Run) -> Measurement:
    S, A, H, K = mdp.n_states, mdp.n_actions, mdp.horizon, len(run.returns)
    best = float(np.asarray(mdp.initial) @ solve(mdp).value[0])
    lost = float((best - start_values(mdp, run.policies)[_policy_of(run)]).sum())
    bound = ucbvi_regret_bound(S, A, H, K, DELTA)
    return Measurement(lost, bound, trivial=H * K, tolerance=_SAFE * H * K, what="regret")


def _policy_of(run: Run) -> NDArray[np.int32]:
    """The index of the policy of each episode."""
    return np.repeat(run.which, np.diff(run.starts, append=len(run.returns)))


# --- the inequality behind it -------------------------------------------------------------


def pathwise(mdp: EpisodicMDP, run: Run, share: float = 1.0) -> Measurement:
    """Both sides of the inequality on one run of a full model, and whether its event holds.

    `share` multiplies c_h.
    """
    S, A, H, K = mdp.n_states, mdp.n_actions, mdp.horizon, len(run.returns)
    of = _policy_of(run)
    rows = mdp.transitions.toarray().reshape(-1, S, A, S)
    rows = np.broadcast_to(rows, (H, S, A, S))
    chosen = np.array(list(run.policies), dtype=np.int64)[of]  # (K, H, S)
    L1 = math.log(3 * S * A * H * K / DELTA)
    L2 = L1 + math.log(2**S - 2)
    c = share * (math.sqrt(L1 / 2) + math.sqrt(L2 / 2))

    left = run.bounds - start_values(mdp, run.policies)[of]
    right, law = np.zeros(K), np.broadcast_to(np.asarray(mdp.initial), (K, S))
    event, everywhere = True, np.arange(S)
    for h in range(H):
        states = run.states[:, h]
        actions = chosen[np.arange(K), h, states]
        before = np.zeros((K, S, A))  # counts of the episodes before
        before[np.arange(K), states, actions] = 1.0
        before = np.cumsum(before, axis=0) - before
        n = np.take_along_axis(before, chosen[:, h, :, None], axis=2)[:, :, 0]
        wide = (H - h - 1) * c / np.sqrt(np.maximum(n, 1.0))
        right += (law * np.where(n > 0, np.minimum(H - h, wide), H - h)).sum(axis=1)
        if h + 1 < H:
            event = event and _rows_are_near(rows[h], states, actions, run.states[:, h + 1], L2)
        law = np.einsum("ks,kst->kt", law, rows[h][everywhere, chosen[:, h]])
    tolerance = _SAFE * H * H * K
    return Measurement(
        float(left.sum()), float(right.sum()), event=event, tolerance=tolerance, what="pathwise"
    )


def _rows_are_near(
    rows: Array,
    states: NDArray[np.int32],
    actions: NDArray[np.int64],
    following: NDArray[np.int32],
    level: float,
) -> bool:
    """Whether each pair's empirical row is within sqrt(2 level / n), at all its counts n."""
    S, A, _ = rows.shape
    for s in range(S):
        for a in range(A):
            came = following[(states == s) & (actions == a)]
            n = np.arange(1.0, len(came) + 1.0)[:, None]
            seen = np.cumsum(came[:, None] == np.arange(S), axis=0)
            distance = np.abs(seen / n - rows[s, a]).sum(axis=1)
            if (distance > np.sqrt(2.0 * level / n[:, 0]) - _SAFE).any():
                return False
    return True


# --- the claim ----------------------------------------------------------------------------


def _checked(i: Any, stream: Any) -> list[Measurement]:
    run = _played(i.mdp, i.episodes, stream)
    regret = _regret(i.mdp, run)
    if not i.mdp.is_full:
        return [regret]
    inner = pathwise(i.mdp, run)
    if inner.event and inner.measured > inner.bound + inner.tolerance:
        raise ClaimError(
            f"{inner.measured} is above {inner.bound} on the event, where this holds in every run"
        )
    return [regret, inner]


def _instance(mdp: EpisodicMDP, episodes: int) -> Callable[[], Instance]:
    return lambda: Instance(mdp=mdp, episodes=episodes)


def _build(start: int, episodes: int, **model: Any) -> Instance:
    states = model["states"]
    initial = [float(s == start % states) for s in range(states)]
    mdp = read_model(**model, discount=None, horizon=_STAGES, initial=initial)
    return Instance(mdp=mdp, episodes=episodes)


@claim(
    "learn-ucbvi",
    "high-probability",
    title="The regret of UCBVI",
    statement=r"""$S\ge2$ states, $A$ actions, $H$ stages with rows of their own and no exits,
rewards in $[0,1]$ that are no random numbers, $K$ episodes from a fixed start law. UCBVI with
$b_h(n)=(H-h-1)\sqrt{L_1/2n}$ has, with $N=SAHK$, $L_1=\log\frac{3N}\delta$,
$L_2=\log\frac{3(2^S-2)N}\delta$, $L_3=\log\frac3\delta$, with probability at least $1-\delta$
$$\sum_{k\le K}\rho(V_0^*-V_0^{\pi_k})\le H(H-1)\Big(\sqrt{\tfrac{L_1}2}+\sqrt{\tfrac{L_2}2}\Big)
\sqrt{SAK}+\tfrac{H(H+1)}2SA+\tfrac{H(H+1)}2\sqrt{\tfrac{KL_3}2}.$$
In every run in which $\|\hat P^{(n)}_h-P_h\|_1\le\sqrt{2L_2/n}$ for all pairs and counts,
$$\sum_k\rho(\bar V_0^k-V_0^{\pi_k})\le\sum_kE_{\pi_k}\sum_h\min\{H-h,\ c_hn_h^{-1/2}\},\qquad
c_h=(H-h-1)\Big(\sqrt{\tfrac{L_1}2}+\sqrt{\tfrac{L_2}2}\Big).$$""",
    source="Azar, Osband and Munos, ICML 2017, arXiv 1703.05449 (the algorithm)",
    provenance=("textbook", "derived"),
    family=Family(
        {
            **model_space(_STAGES, exits=False),
            "states": Integer(2, 3),
            "actions": Integer(1, 2),
            "start": Integer(0, 5),
            "episodes": Choice(1500, 2500),
        },
        _build,
    ),
    named={
        "3 stages, 2 states": _instance(random_episodic(2, 2, 3, seed=1), 1500),
        "misled": _instance(misled(), 3000),
    },
    mutants=[
        Mutant(
            "quarter",
            "the inequality behind it with c_h / 4",
            check=lambda i, stream: pathwise(i.mdp, _played(i.mdp, i.episodes, stream), share=0.25),
            named={"3 stages, 2 states": _instance(random_episodic(2, 2, 3, seed=1), 1500)},
        ),
        Mutant(
            "no-bonus",
            "the learner adds no bonus",
            check=lambda i, stream: _regret(i.mdp, _played(i.mdp, i.episodes, stream, factor=0.0)),
            named={"misled": _instance(misled(), 40000)},
        ),
    ],
    bound=ucbvi_regret_bound,
    delta=DELTA,
    proof="text",
)
def regret(i: Any, stream: Any) -> list[Measurement]:
    return _checked(i, stream)


CLAIMS = (regret,)
