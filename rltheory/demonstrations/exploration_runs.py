r"""Claims about whole runs of regularised exploration: optimism at all times, and the pipeline.

A trial is a run of the learner itself, in the core. For demo-optimism it never stops, and at every
plan on a grid of times all Q* are looked for in their intervals: the number compared with 1 is

    max over h, s, a and plans of |2 Q* - U - L| / (U - L),

how far Q* is from the middle of its interval, over half of its length. For demo-pac a trial draws
demonstrations, runs `demonstration_regularized_rl`, and compares what its policy lacks of the
optimum with epsilon_E + epsilon. Proofs: docs/theory/regularized_bpi.md.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

import rltheory.demonstrations.regularized_bpi as bpi
from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Instance
from rltheory.demonstrations.cloning import behavior_cloning
from rltheory.demonstrations.pipeline import demonstration_regularized_rl
from rltheory.mdp.access import online
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.solvers.evaluate import evaluate
from rltheory.solvers.regularized import solve_regularized
from rltheory.solvers.solve import solve

__all__ = ["CLAIMS", "farthest", "two_states_paying_the_second"]

DELTA = 0.1
_ROUNDING = 1e-9


# --- demo-optimism ------------------------------------------------------------------------


def two_states_paying_the_second() -> EpisodicMDP:
    """Three stages, all moves fair coins; known rewards at first, then 1 in state 1."""
    rows = np.full((3, 2, 2, 2), 0.5)
    later = [[0.0, 0.0], [1.0, 1.0]]
    rewards = np.array([[[0.5, 0.4], [0.2, 0.3]], later, later])
    return EpisodicMDP(rows, rewards, 3, [1.0, 0.0])


def _ending() -> EpisodicMDP:
    """The same with a chance of 1/4 to end, which is one more outcome."""
    whole = two_states_paying_the_second()
    rows = np.full((3, 2, 2, 2), 0.375)
    ends = np.full((3, 2, 2), 0.25)
    return EpisodicMDP(rows, whole.rewards, 3, [1.0, 0.0], termination=ends)


def _coins() -> EpisodicMDP:
    """Two stages, three states, one action that counts: a rare and a likely success."""
    rows = np.zeros((2, 3, 2, 3))
    rows[:, :, 0] = [0.0, 0.9, 0.1]
    rows[:, :, 1] = [0.0, 0.1, 0.9]
    paid = np.zeros((2, 3, 2))
    paid[1, 2] = 1.0
    return EpisodicMDP(rows, paid, 2, [1.0, 0.0, 0.0])


def farthest(
    mdp: EpisodicMDP, reference: Any, temperature: float, episodes: int, stream: Any, factor: float
) -> tuple[float, float]:
    """How far Q* is from the middle of its interval, at most, and the rounding of that number."""
    access = online(mdp, 0)
    known = access.known()
    core = bpi.RegularizedBPI(reference, temperature, 1e-9, DELTA).core(known)
    H, S, A = known.rewards.shape
    bonus, divergence = bpi.regularized_widths(
        np.arange(episodes + 1), S, A, H, DELTA, known.may_end
    )
    bonus[1:] *= factor
    core.use(bonus, np.sqrt(divergence))
    keys = stream.words(8)
    best = np.asarray(solve_regularized(mdp, temperature, reference).q)
    worst, least = 0.0, np.inf
    until = 0
    while until < episodes:
        until = min(max(until + 1, int(1.05 * until)), episodes)
        core.explore(mdp.core, known.initial, keys, 0, 0.05, 1e-9, until)
        core.plan()
        upper, lower = core.q_upper, core.q_lower
        width = upper - lower
        open_ = width > 0.0
        if not (np.abs(best - upper)[~open_] <= _ROUNDING).all():
            return 2.0, 0.0
        least = min(least, float(width[open_].min()))
        off = np.abs((best - upper) + (best - lower))[open_] / width[open_]
        worst = max(worst, float(off.max()))
    return worst, 4.0 * _ROUNDING / least


def _optimism(i: Any, stream: Any, factor: float = 1.0) -> Measurement:
    worst, rounding = farthest(i.mdp, i.reference, i.temperature, i.episodes, stream, factor)
    return Measurement(worst, 1.0, tolerance=rounding, what="place in the interval")


def _run_of(make: Callable[[], EpisodicMDP], temperature: float, episodes: int = 4000) -> Any:
    def made() -> Instance:
        mdp = make()
        reference = np.full((mdp.n_states, mdp.n_actions), 1.0 / mdp.n_actions)
        return Instance(mdp=mdp, reference=reference, temperature=temperature, episodes=episodes)

    return made


@claim(
    "demo-optimism",
    "high-probability",
    title="All intervals of regularised exploration hold the optimum, at all times",
    statement=r"""Known rewards in $[0,1]$, stages $h=0,\dots,H-1$, $L=\log\frac{2SAH}\delta$,
$b_h(n)=\frac{H-1-h}2\,\frac{\sqrt{(n+1)(\log(n+1)+2L)}}n$, $b_h(0)=\infty$, and
$\bar Q_h=r_h+\min\{H-1-h,\hat p\bar V_{h+1}+b_h\}$,
$\underline Q_h=r_h+\max\{0,\hat p\underline V_{h+1}-b_h\}$, $\bar V,\underline V$ their soft
maxima with reference $\tilde\pi$ and temperature $\lambda$. However episodes are played,
$$P\big(\forall t,h,s,a:\ \underline Q_h\le Q^*_{\lambda,h}\le\bar Q_h\big)\ge1-\delta.$$""",
    source="Tiapkin et al., ICLR 2024, arXiv 2310.17303 (shape); this project",
    provenance=("reconstructed", "derived"),
    named={
        "fair coins": _run_of(two_states_paying_the_second, 0.2),
        "fair coins that may end": _run_of(_ending, 0.2),
        "rare and likely, hardly regularised": _run_of(_coins, 1e-3),
        "rare and likely, much regularised": _run_of(_coins, 1e3),
    },
    mutants=[
        Mutant("half", "half the bonus", check=partial(_optimism, factor=0.5)),
        Mutant("quarter", "a quarter of the bonus", check=partial(_optimism, factor=0.25)),
    ],
    bound=lambda n, states, actions, horizon, delta: float(
        bpi.regularized_widths(np.array([n]), states, actions, horizon, delta, False).bonus[0]
    ),
    delta=DELTA,
    proof="text",
)
def optimism(instance: Any, stream: Any) -> Measurement:
    return _optimism(instance, stream)


# --- demo-pac -----------------------------------------------------------------------------

Policy = NDArray[np.float64]


def _pac(i: Any, stream: Any, temper: float = 1.0, play: bool = True) -> Measurement:
    """`temper` multiplies the temperature; without `play` the clone is the answer."""
    one, two, three = (int(word) for word in stream.words(3))
    data = i.mdp.sample(i.expert, episodes=i.demonstrations, seed=one)
    if temper == 1.0 and play:
        policy = demonstration_regularized_rl(
            online(i.mdp, two), data, i.epsilon, DELTA, seed=three
        ).policy
    else:
        H, S, A = i.mdp.horizon, i.mdp.n_states, i.mdp.n_actions
        policy = behavior_cloning(data, S, A, H)
        if play:
            K = min(2 * H * S * (A - 1) / (DELTA * (i.demonstrations + 1)),
                    H * np.log(i.demonstrations + A))  # fmt: skip
            tau = temper * i.epsilon / (2 * K)
            learner = bpi.RegularizedBPI(policy, tau, i.epsilon / 2, DELTA / 2)
            policy = learner.run(online(i.mdp, two), three).policy
    start = i.mdp.initial
    lost = i.best - float(start @ evaluate(i.mdp, policy)[0])
    lacks = i.best - float(start @ evaluate(i.mdp, i.expert)[0])
    return Measurement(lost, lacks + i.epsilon, tolerance=_ROUNDING, what="lost")


def _taught(mdp: EpisodicMDP, demonstrations: int, epsilon: float, noise: float = 0.0) -> Instance:
    """The expert takes an optimal action, or with some noise any."""
    solution = solve(mdp)
    A = mdp.n_actions
    expert = (1.0 - noise) * np.eye(A)[np.asarray(solution.policy)] + noise / A
    start = np.asarray(mdp.initial)
    return Instance(
        mdp=mdp,
        expert=expert,
        demonstrations=demonstrations,
        epsilon=epsilon,
        best=float(start @ np.asarray(solution.value)[0]),
    )


def _lock() -> EpisodicMDP:
    """Three stages; the second action must be taken at each to be paid 1 at the last."""
    rows = np.zeros((2, 2, 2))
    rows[0] = [[1.0, 0.0], [0.1, 0.9]]
    rows[1] = [[1.0, 0.0], [0.0, 1.0]]
    paid = np.zeros((3, 2, 2))
    paid[2, 1, 1] = 1.0
    paid[1, 1, 1] = 1.0
    return EpisodicMDP(np.stack([rows] * 3), paid, 3, [1.0, 0.0])


@claim(
    "demo-pac",
    "high-probability",
    title="Demonstration-regularised learning is within epsilon of its expert",
    statement=r"""`demonstration_regularized_rl`: from $N\ge0$ i.i.d. episodes of an expert, clone
with smoothing 1, $\hat K=\min\{\frac{2HS(A-1)}{\delta(N+1)},H\log(N+A)\}$,
$\lambda=\frac\varepsilon{2\hat K}$, then `RegularizedBPI` with the clone as reference, accuracy
$\frac\varepsilon2$ and confidence $\frac\delta2$. With $\varepsilon_E$ what the expert lacks of the
optimum,
$$P\big(V^*_0-V^{\hat\pi}_0>\varepsilon_E+\varepsilon\big)\le\delta.$$""",
    source="Tiapkin et al., ICLR 2024, arXiv 2310.17303, algorithm 1 (shape); this project",
    provenance=("paper", "derived"),
    named={
        "a lock, one demonstration": lambda: _taught(_lock(), 1, 0.8),
        "a lock, ten demonstrations": lambda: _taught(_lock(), 10, 0.8),
        "a lock, a noisy expert": lambda: _taught(_lock(), 10, 0.8, noise=0.3),
        "fair coins, five demonstrations": lambda: _taught(two_states_paying_the_second(), 5, 0.5),
    },
    mutants=[
        Mutant("hot", "a hundred times the temperature", check=partial(_pac, temper=100.0)),
        Mutant("clone", "the clone itself", check=partial(_pac, play=False)),
    ],
    bound=lambda lacks, epsilon: lacks + epsilon,
    delta=DELTA,
    proof="text",
)
def pac(instance: Any, stream: Any) -> Measurement:
    return _pac(instance, stream)


CLAIMS = (optimism, pac)
