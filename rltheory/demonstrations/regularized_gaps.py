r"""Claims about planning with a divergence from a reference, over a horizon.

Stages h = 0..H-1, reference rho, temperature lambda, Q*_h = r_h + P_h V*_{h+1},
V*_h = lambda log sum rho_h exp(Q*_h / lambda), pi* proportional to rho exp(Q* / lambda).

    V^pi <= V*, with a memory or without                                       demo-soft-bellman
    V* - V^pi = lambda KL(P^pi, P^{pi*})                                 demo-soft-suboptimality
    V* - V^pi <= E^pi sum_h span(Qbar_h - Q*_h)^2 / (8 lambda),
                              pi proportional to rho exp(Qbar / lambda)       demo-quadratic-gap

Values are sixty digits, from exact models. Proofs: docs/theory/cloning.md.
"""

from fractions import Fraction
from functools import partial
from typing import Any

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.space import Choice, Dyadic, Many
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
    softmax,
    two_states,
)

__all__ = ["CLAIMS"]

_HALF = Fraction(1, 2)


# --- demo-soft-bellman --------------------------------------------------------------------


def _soft_bellman(i: Any, forget: bool = False) -> list[Measurement]:
    episodes, tau = Episodes(i.mdp, i.start), real(i.temperature)
    values, qs, best = episodes.soft_optimum(i.reference, tau)
    inside = i.reference
    if forget:  # the sum over actions without the reference's weights
        inside = [[[Fraction(int(w > 0)) for w in row] for row in rows] for rows in i.reference]
        values, qs, _ = episodes.soft_optimum(inside, tau)
    top = episodes.at_start(values[0])
    own = episodes.at_start(episodes.soft_value(best, i.reference, tau)[0])
    found = [
        compare(own, top, "soft policy"),
        compare(abs(own - top), 0, "soft policy off the optimum"),
    ]
    for name, policy in (("expert", i.expert), ("other", i.other)):
        value = episodes.at_start(episodes.soft_value(policy, i.reference, tau)[0])
        found.append(compare(value, top, f"Markov policy, {name}"))
    found.append(compare(_with_a_memory(episodes, i, tau), top, "policy with a memory"))
    found.append(compare(_mixed_flow(episodes, i, tau), top, "flow between two policies"))
    worst: Real = DIGITS.mpf(0)
    for h in range(episodes.H):
        for s in episodes.states:
            rho, p, q = i.reference[h][s], i.expert[h][s], qs[h][s]
            value, law = softmax(inside[h][s], q, tau)
            mean = DIGITS.fsum(real(w) * x for w, x in zip(p, q, strict=True) if w)
            lost = value - mean + tau * divergence(p, rho) - tau * divergence(p, law)
            worst = max(worst, abs(lost))
    return [*found, compare(worst, 0, "one step")]


def _with_a_memory(episodes: Episodes, i: Any, tau: Real) -> Real:
    """The regularised value of throwing a coin once, and playing one of two policies by it."""
    paid, cost = Fraction(0), DIGITS.mpf(0)
    for (p, q, rho), total in episodes.laws(i.expert, i.other, i.reference):
        mass = (p + q) / 2
        if mass:
            paid += mass * total
            cost += real(mass) * DIGITS.log(real(mass) / real(rho))
    return real(paid) - tau * cost


def _mixed_flow(episodes: Episodes, i: Any, tau: Real) -> Real:
    """The convex program's objective at the mean of two policies' occupancies."""
    one, two = episodes.occupancy(i.expert), episodes.occupancy(i.other)
    total: Real = DIGITS.mpf(0)
    for h in range(episodes.H):
        for s in episodes.states:
            mass = [
                _HALF * (one[h][s] * x + two[h][s] * y)
                for x, y in zip(i.expert[h][s], i.other[h][s], strict=True)
            ]
            below = sum(mass, Fraction(0))
            for a, m in enumerate(mass):
                if m:
                    total += real(m * episodes.stages[h].r[s][a])
                    total -= tau * real(m) * DIGITS.log(real(m / below / i.reference[h][s][a]))
    return total


def _coin(temperature: Any = 1) -> Any:
    return one_state([1, 0], ["3/4", "1/4"], ["1/2", "1/2"], temperature, other=[0, 1])


@claim(
    "demo-soft-bellman",
    "inequality",
    title="Soft value iteration is optimal among all policies",
    statement=r"""For a law $\tilde\pi$ and $\lambda>0$:
$\max_q\{\langle q,x\rangle-\lambda\mathrm{KL}(q\|\tilde\pi)\}=\lambda\log\sum_a\tilde\pi_a
e^{x_a/\lambda}$, attained only at $q\propto\tilde\pi e^{x/\lambda}$. Hence, over a horizon, with
$Q^*_{\lambda,h}=r_h+p_hV^*_{\lambda,h+1}$,
$V^*_{\lambda,h}=\lambda\log\sum_a\tilde\pi_he^{Q^*_{\lambda,h}/\lambda}$ and
$\pi^*_\lambda\propto\tilde\pi e^{Q^*_\lambda/\lambda}$: every policy $\pi$, also one with a memory,
has $V^\pi_\lambda\le V^*_\lambda=V^{\pi^*_\lambda}_\lambda$, and no flow $d$ gives
$\sum d\,r-\lambda\sum d_h(s,a)\log\frac{d_h(s,a)}{d_h(s)\tilde\pi_h(a|s)}$ more.""",
    source="Tiapkin et al., ICLR 2024, arXiv 2310.17303, preliminaries",
    provenance=("paper", "textbook"),
    family=episode_family(),
    named={
        "a coin": _coin,
        "a coin, hardly regularised": partial(_coin, "1/1000000"),
        "a coin, hardly paid": partial(_coin, 1000000),
        "two states": lambda: two_states([["1/2", "1/2"]] * 2, [["7/8", "1/8"]] * 2, horizon=3),
    },
    mutants=[
        Mutant(
            "no-reference",
            "the reference left out of the sum over actions",
            check=partial(_soft_bellman, forget=True),
        )
    ],
    proof="text",
)
def soft_bellman(instance: Any) -> list[Measurement]:
    return _soft_bellman(instance)


# --- demo-soft-suboptimality --------------------------------------------------------------


def _suboptimality(i: Any, reversed_: bool = False) -> list[Measurement]:
    episodes, tau = Episodes(i.mdp, i.start), real(i.temperature)
    values, _, best = episodes.soft_optimum(i.reference, tau)
    found = []
    for name, policy in (("expert", i.expert), ("other", i.other)):
        own = episodes.at_start(episodes.soft_value(policy, i.reference, tau)[0])
        pair = (best, policy) if reversed_ else (policy, best)
        lost = tau * episodes.divergence(*pair)
        found.append(compare(episodes.at_start(values[0]) - own, lost, f"gap, {name}"))
    return found


@claim(
    "demo-soft-suboptimality",
    "identity",
    title="What a policy lacks of the regularised optimum is a divergence of episodes",
    statement=r"""Finite horizon, reference $\tilde\pi$, $\lambda>0$. For every policy $\pi$
$$V^*_{\lambda,1}-V^\pi_{\lambda,1}=\lambda\,\mathrm{KL}_{traj}(\pi\|\pi^*_\lambda),$$
both infinite where $\pi$ reaches a state and takes an action there that $\tilde\pi$ forbids.""",
    source="this project; Cen et al., Oper. Res. 2022 (shape)",
    provenance=("textbook", "derived"),
    family=episode_family(),
    named={
        "a coin": _coin,
        "a coin, hardly regularised": partial(_coin, "1/1000000"),
        "forbidden": lambda: one_state([1, 0], ["1/2", "1/2"], [1, 0]),
    },
    mutants=[
        Mutant("reversed", "KL(pi*, pi)", check=partial(_suboptimality, reversed_=True)),
    ],
    proof="text",
)
def soft_suboptimality(instance: Any) -> list[Measurement]:
    return _suboptimality(instance)


# --- demo-quadratic-gap -------------------------------------------------------------------


def _planned(i: Any, shifts: Any, tau: Real) -> tuple[Episodes, Any, Policy, Real]:
    """The policy planned from Q* + shifts, its occupancy, and what it lacks."""
    episodes = Episodes(i.mdp, i.start)
    values, qs, _ = episodes.soft_optimum(i.reference, tau)
    policy = [
        [
            softmax(
                i.reference[h][s], [x + y for x, y in zip(qs[h][s], shifts[h][s], strict=True)], tau
            )[1]
            for s in episodes.states
        ]
        for h in range(episodes.H)
    ]
    own = episodes.at_start(episodes.soft_value(policy, i.reference, tau)[0])
    return episodes, episodes.occupancy(policy), policy, episodes.at_start(values[0]) - own


def _errors(i: Any) -> Any:
    """The errors of Q in the shape (H, S, A), of the instance's flat list."""
    H, S, A = i.mdp.horizon, i.mdp.n_states, i.mdp.n_actions
    size = real(Fraction(i.scale))
    flat = [size * real(Fraction(x)) for x in i.errors]
    return [[flat[(h * S + s) * A : (h * S + s + 1) * A] for s in range(S)] for h in range(H)]


def _quadratic(i: Any, eighth: int = 8) -> list[Measurement]:
    tau = real(i.temperature)
    errors = _errors(i)

    def allowed(h: int, s: int, row: Any) -> list[Real]:
        return [x for w, x in zip(i.reference[h][s], row, strict=True) if w > 0]

    episodes, d, _, gap = _planned(i, errors, tau)

    def span(h: int, s: int) -> Real:
        row = allowed(h, s, errors[h][s])
        return (max(row) - min(row)) ** 2 / (eighth * tau)

    def norm(h: int, s: int) -> Real:
        return max(abs(x) for x in allowed(h, s, errors[h][s])) ** 2 / (2 * tau)

    by_span, by_norm = episodes.mean(d, span), episodes.mean(d, norm)
    found = [
        compare(gap, by_span, "gap by spans"),
        compare(by_span, by_norm, "spans by norms"),
    ]
    # The same errors as a bracket: Q* + |e| above, Q* - |e of the next pair| below.
    above = [[[abs(x) for x in row] for row in rows] for rows in errors]
    width = [[[abs(x) + abs(y) for x, y in zip(row, row[1:] + row[:1], strict=True)]
              for row in rows] for rows in errors]  # fmt: skip
    episodes, d, _, gap = _planned(i, above, tau)

    def stage(h: int, s: int) -> Real:
        row = allowed(h, s, width[h][s])
        widest = max(row) if len(row) > 1 else DIGITS.mpf(0)
        return min(widest, widest**2 / (eighth * tau))

    return [*found, compare(gap, episodes.mean(d, stage), "gap by a bracket")]


def _off(errors: list[str], temperature: Any, rewards: tuple[int, int] = (0, 0)) -> Any:
    half = ["1/2", "1/2"]
    return one_state(list(rewards), half, half, temperature, errors=errors, scale="1")


@claim(
    "demo-quadratic-gap",
    "inequality",
    title="Planning with an error e loses e^2 / (8 lambda)",
    statement=r"""Finite horizon, reference $\tilde\pi$, $\lambda>0$. For any $\bar Q$ and
$\bar\pi_h\propto\tilde\pi_he^{\bar Q_h/\lambda}$, with spans and norms over the actions that
$\tilde\pi$ allows,
$$V^*_{\lambda,1}-V^{\bar\pi}_{\lambda,1}\le\frac1{8\lambda}E_{\bar\pi}\sum_h
\mathrm{span}\big((\bar Q_h-Q^*_{\lambda,h})(s_h,\cdot)\big)^2\le\frac1{2\lambda}E_{\bar\pi}\sum_h
\|(\bar Q_h-Q^*_{\lambda,h})(s_h,\cdot)\|_\infty^2.$$
If $\underline Q\le Q^*_\lambda\le\bar Q$, with $D_h=\max_a(\bar Q_h-\underline Q_h)(s_h,a)$, and
$D_h=0$ where one action is allowed, the left side is at most
$E_{\bar\pi}\sum_h\min\{D_h,\frac{D_h^2}{8\lambda}\}$.""",
    source="Tiapkin et al., ICLR 2024, arXiv 2310.17303 (1/(2 lambda), norms); this project",
    provenance=("paper", "derived"),
    family=episode_family(
        errors=Many(Dyadic(-1, 1, 4), 27), scale=Choice("1/100", "1/10", "1", "10")
    ),
    named={
        "two arms, 1/100 apart": lambda: _off(["1/200", "-1/200"], 1),
        "two arms, 1/10 apart": lambda: _off(["1/20", "-1/20"], 1),
        "the worse arm preferred": lambda: _off(["0", "101/100"], "1/1000000", (1, 0)),
        "one arm": lambda: one_state([1], [1], [1], errors=["1"], scale="1"),
    },
    mutants=[
        Mutant("sixteenth", "1 / (16 lambda)", check=partial(_quadratic, eighth=16)),
    ],
    bound=lambda width, temperature: min(width, width**2 / (8 * temperature)),
    proof="text",
)
def quadratic_gap(instance: Any) -> list[Measurement]:
    return _quadratic(instance)


CLAIMS = (soft_bellman, soft_suboptimality, quadratic_gap)
