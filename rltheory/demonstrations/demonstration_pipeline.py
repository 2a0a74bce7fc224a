r"""Claims about how much to regularise by a reference, and what an expert's clone is then worth.

Values are means over the start law, V*_lambda regularised by the reference rho, K its divergences.

    lambda -> V*_lambda  convex, decreasing, of slope -KL(P^{pi*_lambda}, P^rho)  demo-lambda-path
    V* - V^pi <= (V* - V^E) + gap_lambda(pi) + lambda K(E) - lambda K(pi)         demo-pipeline
    sum_h min(W_h, W_h^2 / (8 lambda)),  W_h = H-1-h for the code's stages        demo-regime

The last is what the certificate of regularised exploration says before any episode: intervals are
[r, r + W_h] there. Proofs: docs/theory/cloning.md.
"""

import math
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.space import Choice
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

__all__ = ["CLAIMS", "certificate_without_data", "least_temperature"]


def certificate_without_data(horizon: int, temperature: float) -> float:
    """sum_h min(W_h, W_h^2 / (8 lambda)): the certified gap before any episode."""
    waits = range(horizon)
    return math.fsum(min(w, w * w / (8.0 * temperature)) for w in waits)


def least_temperature(horizon: int, accuracy: float) -> float:
    """(H-1) H (2H-1) / (48 eps): from here on exploration stops before it begins."""
    H = horizon
    return (H - 1) * H * (2 * H - 1) / (48.0 * accuracy)


# --- demo-lambda-path ---------------------------------------------------------------------


class _Point:
    """What planning at one temperature gives: V*_lambda, V of its policy, and its divergence."""

    def __init__(self, episodes: Episodes, reference: Any, tau: Real) -> None:
        values, _, self.policy = episodes.soft_optimum(reference, tau)
        self.tau = tau
        self.soft = episodes.at_start(values[0])
        self.value = real(episodes.value(self.policy))
        self.cost = episodes.divergence(self.policy, reference)


def _path(i: Any, concave: bool = False, reversed_: bool = False) -> list[Measurement]:
    episodes = Episodes(i.mdp, i.start)
    tau = real(i.temperature)
    low, here, high = (_Point(episodes, i.reference, x) for x in (tau / 2, tau, 2 * tau))
    chord = (2 * low.soft + high.soft) / 3
    between = (chord, here.soft) if concave else (here.soft, chord)
    slope = episodes.divergence(i.reference, here.policy) if reversed_ else here.cost
    best, policy = episodes.optimum(i.reference)
    plain = real(episodes.value(i.reference))
    H = episodes.H
    return [
        compare(*between, "convex"),
        compare(here.soft - slope * (low.tau - tau), low.soft, "supporting line, below"),
        compare(here.soft - slope * (high.tau - tau), high.soft, "supporting line, above"),
        compare(high.soft, here.soft, "V*_lambda decreases"),
        compare(high.value, here.value, "V of its policy decreases"),
        compare(high.cost, here.cost, "its divergence decreases"),
        compare(plain, high.value, "safe improvement"),
        compare(here.soft, real(best), "V*_lambda <= V*"),
        compare(
            real(best) - here.soft,
            tau * episodes.divergence(policy, i.reference),
            "V* - V*_lambda <= lambda KL",
        ),
        compare(here.soft - plain, real(H * H) / (8 * tau), "V*_lambda - V^rho <= H^2/(8 lambda)"),
    ]


def _coin(temperature: Any) -> Any:
    half = ["1/2", "1/2"]
    return one_state([1, 0], half, half, temperature)


@claim(
    "demo-lambda-path",
    "inequality",
    title="The path of regularised optima",
    statement=r"""Finite horizon, rewards in $[0,1]$, reference $\tilde\pi$. On $\lambda>0$ the map
$\lambda\mapsto V^*_{\lambda,1}$ is convex and non-increasing with derivative
$-\mathrm{KL}_{traj}(\pi^*_\lambda\|\tilde\pi)$; $V^{\pi^*_\lambda}_1$ and
$\mathrm{KL}_{traj}(\pi^*_\lambda\|\tilde\pi)$ are non-increasing; $V^{\pi^*_\lambda}_1\ge
V^{\tilde\pi}_1$. With $V^*$ the optimum over policies within the support of $\tilde\pi$, and any
$\pi^*$ that attains it,
$$0\le V^*_1-V^*_{\lambda,1}\le\lambda\,\mathrm{KL}_{traj}(\pi^*\|\tilde\pi),\qquad
0\le V^*_{\lambda,1}-V^{\tilde\pi}_1\le\frac{H^2}{8\lambda}.$$""",
    source="this project",
    provenance=("derived", "derived"),
    family=episode_family(),
    named={
        "a coin": partial(_coin, 1),
        "a coin, hardly regularised": partial(_coin, "1/100"),
        "a coin, hardly paid": partial(_coin, 1000),
        "two states": lambda: two_states([["1/2", "1/2"]] * 2, [["7/8", "1/8"]] * 2, horizon=3),
    },
    mutants=[
        Mutant("concave", "concave in place of convex", check=partial(_path, concave=True)),
        Mutant(
            "reversed",
            "the derivative -KL(reference, soft policy)",
            check=partial(_path, reversed_=True),
        ),
    ],
    bound=lambda temperature, divergence: temperature * divergence,
    proof="text",
)
def lambda_path(instance: Any) -> list[Measurement]:
    return _path(instance)


# --- demo-pipeline ------------------------------------------------------------------------


def _pipeline(i: Any, reversed_: bool = False, no_expert: bool = False) -> list[Measurement]:
    episodes, tau = Episodes(i.mdp, i.start), real(i.temperature)
    best, _ = episodes.optimum()
    values, _, soft = episodes.soft_optimum(i.reference, tau)
    optimum = episodes.at_start(values[0])
    lost_by_expert = best - episodes.value(i.expert)
    of_expert = episodes.divergence(i.expert, i.reference)
    if reversed_:
        of_expert = episodes.divergence(i.reference, i.expert)
    if no_expert:
        lost_by_expert = Fraction(0)
    slack = optimum - episodes.at_start(episodes.soft_value(i.expert, i.reference, tau)[0])
    found = []
    for name, policy in (("other", i.other), ("soft policy", soft)):
        own = episodes.at_start(episodes.soft_value(policy, i.reference, tau)[0])
        gap = real(best) - real(episodes.value(policy))
        bound = real(lost_by_expert) + (optimum - own)
        bound += tau * of_expert - tau * episodes.divergence(policy, i.reference)
        found.append(compare(gap, bound, f"gap, {name}"))
        if not (DIGITS.isinf(bound) or reversed_ or no_expert):
            found.append(compare(abs(bound - gap - slack), 0, f"slack, {name}"))
    found.append(compare(0, slack, "slack"))
    if of_expert > 0 and not DIGITS.isinf(of_expert):
        accuracy = DIGITS.mpf(1) / 10
        _, _, policy = episodes.soft_optimum(i.reference, accuracy / of_expert)
        gap = real(best) - real(episodes.value(policy))
        found.append(compare(gap, real(lost_by_expert) + 2 * accuracy, "lambda = eps / K"))
    return found


def _bad_clone() -> Any:
    return one_state([1, 0], ["1/2", "1/2"], ["1/10000", "9999/10000"], "3/10", other=[0, 1])


@claim(
    "demo-pipeline",
    "inequality",
    title="Regularised by a clone, one is as good as the expert",
    statement=r"""Finite horizon; any $\pi^E,\tilde\pi$, $\lambda>0$, $\pi$ with
$V^*_{\lambda,1}-V^\pi_{\lambda,1}\le\varepsilon_{RL}$, $\varepsilon_E=V^*_1-V^{\pi^E}_1$:
$$V^*_1-V^\pi_1\le\varepsilon_E+\varepsilon_{RL}+\lambda\mathrm{KL}_{traj}(\pi^E\|\tilde\pi)
-\lambda\mathrm{KL}_{traj}(\pi\|\tilde\pi);$$
at $\varepsilon_{RL}=V^*_{\lambda,1}-V^\pi_{\lambda,1}$ the two sides differ by
$V^*_{\lambda,1}-V^{\pi^E}_{\lambda,1}\ge0$ exactly. Hence
$\lambda=\varepsilon_{RL}/\varepsilon_{KL}^2$ with
$\varepsilon_{KL}^2\ge\mathrm{KL}_{traj}(\pi^E\|\tilde\pi)$ gives
$V^*_1-V^\pi_1\le\varepsilon_E+2\varepsilon_{RL}$.""",
    source="Tiapkin et al., ICLR 2024, arXiv 2310.17303 (demonstration-regularised RL)",
    provenance=("paper", "derived"),
    family=episode_family(),
    named={
        "a bad clone": _bad_clone,
        "an expert that throws a coin": lambda: _coin(10),
        "equal but for the reward": lambda: one_state(
            [1, 0], ["1/2", "1/2"], ["1/2", "1/2"], 1000000, other=[0, 1]
        ),
        "two states": lambda: two_states([["1/8", "7/8"]] * 2, [["1/2", "1/2"]] * 2, horizon=3),
    },
    mutants=[
        Mutant("reversed", "KL(reference, expert)", check=partial(_pipeline, reversed_=True)),
        Mutant("no-expert", "without the expert's gap", check=partial(_pipeline, no_expert=True)),
    ],
    bound=lambda expert_gap, accuracy: expert_gap + 2 * accuracy,
    proof="text",
)
def pipeline(instance: Any) -> list[Measurement]:
    return _pipeline(instance)


# --- demo-regime --------------------------------------------------------------------------


def _before_any_episode(i: Any, tau: Fraction) -> Fraction:
    """G_0 of the certificate at counts 0, averaged over the start law: by its recursion."""
    episodes = Episodes(i.mdp, i.start)
    ahead = [Fraction(0)] * episodes.S
    for h in reversed(range(episodes.H)):
        planner, wait = episodes.stages[h], Fraction(episodes.H - 1 - h)
        most = max(ahead)
        here = []
        for s in episodes.states:
            allowed = [a for a in episodes.actions if i.reference[h][s][a] > 0]
            upper = [planner.r[s][a] + wait for a in allowed]
            lower = [planner.r[s][a] for a in allowed]
            width = max(x - y for x, y in zip(upper, lower, strict=True))
            width = width if len(allowed) > 1 else Fraction(0)
            # kappa is infinite without a visit, so that all of the largest gap is carried back.
            here.append(min(width, width * width / (8 * tau)) + most)
        ahead = here
    return Fraction(episodes.at_start(ahead))


def _regime(i: Any, share: Fraction = Fraction(1)) -> list[Measurement]:
    H, tau = i.mdp.horizon, i.temperature
    certified = _before_any_episode(i, tau)
    formula = sum((min(Fraction(w), Fraction(w * w) / (8 * tau)) for w in range(H)), Fraction(0))
    two = all(sum(w > 0 for w in row) > 1 for rows in i.reference for row in rows)
    unclipped = two and 8 * tau >= H - 1
    accuracy = max(formula, Fraction(1, 100)) * Fraction(i.share)
    least = share * Fraction((H - 1) * H * (2 * H - 1), 48) / accuracy
    episodes = Episodes(i.mdp, i.start)
    lost = episodes.value(i.expert) - episodes.value(i.reference)
    cost = episodes.divergence(i.expert, i.reference)
    sure = all(max(row) == 1 for rows in i.expert for row in rows)
    enough = H * (cost if sure else DIGITS.sqrt(cost / 2)) <= real(accuracy)
    return [
        Measurement(certified, formula, event=two, what="certificate without data"),
        Measurement(certified <= accuracy, tau >= least, event=unclipped, what="stops at once"),
        Measurement(lost <= accuracy, True, event=bool(enough), what="cloning is enough"),
    ]


def _at(share: str, horizon: int = 3) -> Callable[[], Any]:
    half = ["1/2", "1/2"]
    return lambda: one_state([1, 0], [1, 0], half, 7, horizon=horizon, share=share)


@claim(
    "demo-regime",
    "decision",
    title="When cloning is enough, and when exploration stops before it begins",
    statement=r"""Rewards in $[0,1]$, reference $\tilde\pi$ with two or more actions allowed in each
state, $W_h=H-h$ for stages $h=1,\dots,H$. Without any episode the certificate of regularised
exploration is $G_1=\sum_h\min\{W_h,\frac{W_h^2}{8\lambda}\}$; if $8\lambda\ge H-1$ (nothing is
clipped), it stops at once at accuracy $\varepsilon$ exactly when
$\lambda\ge\frac{(H-1)H(2H-1)}{48\varepsilon}$. With $K=\mathrm{KL}_{traj}(\pi^E\|\tilde\pi)$ the
reference itself is within $\varepsilon$ of the expert if $H\sqrt{K/2}\le\varepsilon$, or if the
expert is deterministic and $HK\le\varepsilon$.""",
    source="this project",
    provenance=("derived", "derived"),
    family=episode_family(share=Choice("1/2", "999/1000", "1", "1001/1000", "2", "20")),
    named={
        "at the threshold": _at("1"),
        "just below": _at("999999/1000000"),
        "five stages": _at("1", 5),
        "a clone that is enough": lambda: one_state(
            [1, 0], [1, 0], ["99999/100000", "1/100000"], 7, share="1"
        ),
    },
    mutants=[
        Mutant(
            "half", "no interaction from half that lambda on",
            check=partial(_regime, share=Fraction(1, 2)),
        ),
    ],
    bound=least_temperature,
    proof="text",
)  # fmt: skip
def regime(instance: Any) -> list[Measurement]:
    return _regime(instance)


CLAIMS = (lambda_path, pipeline, regime)
