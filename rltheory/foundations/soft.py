"""Planning regularised by entropy or by divergence from a reference: operator, gap, bias.

The problem: T_tau v = tau log sum_a rho(a) exp(q(a) / tau) with q = r + discount P v; rho = 1 for
the entropy, else a law on the actions. V_tau^* is its fixed point, pi_tau the soft greedy policy
there, V_tau^pi the regularised value of a policy. A is the largest number of actions of a state.

    |T_tau v - T_tau w| <= discount |v - w|                          plan-soft-contraction
    T v <= T_tau v <= T v + tau log A
    V_tau^* - V_tau^pi = tau sum_t discount^t E^pi KL(pi, pi_tau)    plan-soft-gap
    V^* <= V_tau^* <= V^* + tau log A / (1 - discount)               plan-soft-bias
    V^* - V^{pi_tau} <= tau log A / (1 - discount)

Everything is computed to sixty digits. Proofs: docs/theory/regularized.md. References: Geist,
Scherrer and Pietquin, ICML 2019; Cen et al., Oper. Res. 2022.
"""

import math
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice, Many
from rltheory.foundations.families import (
    MOST_ACTIONS,
    MOST_STATES,
    law_of_weights,
    planning_family,
)
from rltheory.foundations.instances import self_loop
from rltheory.foundations.rationals import Planner
from rltheory.foundations.soft_planner import CONTEXT, SoftPlanner, fraction_of, lambert
from rltheory.mdp.model import MDP

__all__ = ["CLAIMS", "largest_loss", "soft_bias_bound", "two_state_loss"]

GAMMA = Fraction(9, 10)
_PAIRS = MOST_STATES * MOST_ACTIONS


def soft_bias_bound(temperature: float, actions: int, discount: float) -> float:
    """tau log A / (1 - discount)."""
    return temperature * math.log(actions) / (1 - discount)


# --- instances ----------------------------------------------------------------------------


def _soft_family() -> Family:
    """Models with a temperature, a policy of probabilities, and a reference (None: the entropy)."""
    models = planning_family()

    def build(
        temperature: str, kind: str, laws: list[int], played: list[int], **rest: Any
    ) -> Instance:
        built = models.instance(rest)
        S, A = built.mdp.n_states, built.mdp.n_actions

        def table(weights: list[int]) -> list[list[Fraction]]:
            return [law_of_weights(weights[s * A : (s + 1) * A]) for s in range(S)]

        reference = None if kind == "entropy" else table(laws)
        allowed = [
            [w if reference is None or reference[s][a] else 0 for a, w in enumerate(row)]
            for s, row in enumerate([played[s * A : (s + 1) * A] for s in range(S)])
        ]
        policy = [
            law_of_weights(row) if any(row) or reference is None else reference[s]
            for s, row in enumerate(allowed)
        ]
        return Instance(
            mdp=built.mdp,
            value=built.value,
            other=built.other,
            temperature=Fraction(temperature),
            reference=reference,
            new=policy,
        )

    space = dict(models.space) | {
        "temperature": Choice("1/64", "1/4", "1", "8"),
        "kind": Choice("entropy", "reference"),
        "laws": Many(Choice(0, 1, 1, 2, 5), _PAIRS),
        "played": Many(Choice(0, 0, 1, 1, 3), _PAIRS),
    }
    return Family(space, build)


def _case(mdp: MDP, temperature: Any = 1, **more: Any) -> Instance:
    zero, S = Fraction(0), mdp.n_states
    parts: dict[str, Any] = {
        "mdp": mdp,
        "value": [zero] * S,
        "other": [zero] * S,
        "temperature": Fraction(temperature),
        "reference": None,
        "new": [[Fraction(1, mdp.n_actions)] * mdp.n_actions] * S,
    }
    return Instance(**parts | more)


def _loops(rewards: list[Any], discount: Fraction = GAMMA) -> MDP:
    """One state; an action for each reward."""
    return MDP([[[1] for _ in rewards]], [rewards], discount, exact=True)


def _shifted() -> Instance:
    return _case(self_loop(0, GAMMA), other=[Fraction(1)])


def _biased() -> Instance:
    """A bandit and a policy that prefers the worse arm."""
    return _case(_loops([1, 0]), new=[[Fraction(1, 10), Fraction(9, 10)]])


def _two_states(discount: Fraction, exit_reward: Any, actions: int = 2) -> MDP:
    """State 0 ends and pays, or goes on to state 1, whose loops pay nothing."""
    move = [[0, 0]] + [[0, 1]] * (actions - 1)
    return MDP(
        [move, [[0, 1]] * actions],
        [[exit_reward] + [0] * (actions - 1), [0] * actions],
        discount,
        termination=[[1] + [0] * (actions - 1), [0] * actions],
        exact=True,
    )


def two_state_loss(discount: Fraction) -> tuple[Fraction, Any]:
    """Of two actions at temperature 1: the reward x of ending that loses most, and the loss.

    With B = discount log 2 / (1 - discount) and w = W_0(e^{B-1}): x = 1 + w, and the loss is w.
    """
    g = SoftPlanner.real(discount)
    w = lambert(CONTEXT.exp(g * CONTEXT.log(2) / (1 - g) - 1))
    return fraction_of(1 + w), w


def largest_loss(actions: int, discount: Fraction) -> tuple[Fraction, Any]:
    """Of one state with A - 1 worse arms at temperature 1: the gap that loses most, and the loss.

    With w = W_0((A - 1) / e) the gap is 1 + w, and the loss w / (1 - discount).
    """
    w = lambert(SoftPlanner.real(actions - 1) / CONTEXT.e)
    return fraction_of(1 + w), w / (1 - SoftPlanner.real(discount))


def _near(discount: str) -> Callable[[], Instance]:
    def make() -> Instance:
        g = Fraction(discount)
        pay, loss = two_state_loss(g)
        return _case(_two_states(g, pay), loss=loss)

    return make


def _bandit(actions: int) -> Callable[[], Instance]:
    def make() -> Instance:
        gap, loss = largest_loss(actions, GAMMA)
        return _case(_loops([gap] + [0] * (actions - 1)), loss=loss)

    return make


# --- plan-soft-contraction ----------------------------------------------------------------


def _measured(
    soft: SoftPlanner, x: list[Any], bound: Any, what: str, *sizes: list[Any], **more: Any
) -> Measurement:
    """The largest entry of x against a bound."""
    largest = max(x)
    return Measurement(
        fraction_of(largest),
        bound if isinstance(bound, Fraction) else fraction_of(bound),
        tolerance=soft.tolerance(x, *sizes),
        what=what,
        **more,
    )


def _contraction(i: Instance, power: int = 1, fewer: int = 0) -> list[Measurement]:
    soft = SoftPlanner(i.mdp, i.temperature, i.reference)
    v, w = i.value, i.other
    low = [min(x, y) for x, y in zip(v, w, strict=True)]
    Tv, Tw, Tlow, hard = soft.T(v), soft.T(w), soft.T(low), soft.T_hard(v)
    apart = max(abs(x - y) for x, y in zip(v, w, strict=True))

    def minus(x: list[Any], y: list[Any]) -> list[Any]:
        return [a - b for a, b in zip(x, y, strict=True)]

    norm = [abs(x) for x in minus(Tv, Tw)]
    found = [
        _measured(soft, norm, soft.hard.discount**power * apart, "norm", Tv, Tw),
        _measured(soft, minus(Tlow, Tv), Fraction(0), "monotone", Tv),
    ]
    A = soft.hard.A - fewer
    if i.reference is None:
        most = soft.tau * CONTEXT.log(A) if A > 0 else CONTEXT.mpf(0)
        return [
            *found,
            _measured(soft, minus(hard, Tv), Fraction(0), "T v <= T_tau v", Tv),
            _measured(soft, minus(Tv, hard), most, "T_tau v <= T v + tau log A", Tv),
        ]
    least = min(w for row in soft.weights for w in row if w > 0)
    return [
        *found,
        _measured(soft, minus(Tv, hard), Fraction(0), "T_tau v <= T v", Tv),
        _measured(
            soft, minus(hard, Tv), soft.tau * CONTEXT.log(1 / least), "T v - tau log 1/rho", Tv
        ),
    ]


@claim(
    "plan-soft-contraction",
    "inequality",
    title="The soft Bellman operator contracts, and lies just above the hard one",
    statement=r"""Discounted model, $0\le\gamma<1$, $\tau>0$,
$T_\tau v=\tau\log\sum_ae^{(r+\gamma Pv)/\tau}$. Then $v\le w$ implies $T_\tau v\le T_\tau w$,
$$\|T_\tau v-T_\tau w\|\le\gamma\|v-w\|,\qquad Tv\le T_\tau v\le Tv+\tau\log A.$$
With a reference law $\varrho$ inside the sum the first two hold as well, and over the actions with
$\varrho>0$: $Tv-\tau\log\frac1{\min\varrho}\le T_\tau v\le Tv$.""",
    source="Geist, Scherrer and Pietquin, ICML 2019 (shape)",
    provenance=("paper", "derived"),
    family=_soft_family(),
    named={
        "shift": _shifted,
        "equal actions": lambda: _case(_loops([1, 1])),
        "certain reference": lambda: _case(
            _loops([1, 0]), reference=[[Fraction(1, 8), Fraction(7, 8)]], temperature="1/64"
        ),
    },
    mutants=[
        Mutant("squared", "discount^2 |v - w|", check=partial(_contraction, power=2)),
        Mutant("one-action-less", "tau log(A - 1)", check=partial(_contraction, fewer=1)),
    ],
    bound=lambda discount, distance: discount * distance,
    proof="text",
)
def soft_contraction(instance: Instance) -> list[Measurement]:
    return _contraction(instance)


# --- plan-soft-gap ------------------------------------------------------------------------


def _gap(i: Instance, reversed_: bool = False, once: bool = False) -> list[Measurement]:
    soft = SoftPlanner(i.mdp, i.temperature, i.reference)
    best = soft.optimum()
    soft_greedy = soft.greedy(best)
    pi = [[soft.real(p) for p in row] for row in i.new]
    costs = []
    for p, q in zip(pi, soft_greedy, strict=True):
        costs.append(soft.tau * (soft.divergence(q, p) if reversed_ else soft.divergence(p, q)))
    if not all(CONTEXT.isfinite(x) for x in costs):
        return [Measurement(0, math.inf, what="gap")]
    own, lost = soft.value(pi), costs if once else soft.value(pi, costs)
    found = []
    for s, (x, y, z) in enumerate(zip(best, own, lost, strict=True)):
        tolerance = soft.tolerance(best, own)
        found.append(
            Measurement(
                fraction_of(x - y), fraction_of(z), tolerance=tolerance, what=f"gap, state {s}"
            )
        )
    return found


@claim(
    "plan-soft-gap",
    "identity",
    title="What a policy lacks of the regularised optimum is a discounted divergence",
    statement=r"""Discounted model, with or without exits, $\tau>0$, entropy or a reference. With
$\pi_\tau$ the soft greedy policy at $V^*_\tau$, for every policy $\pi$ that takes allowed actions
and from every state
$$V^*_\tau-V^\pi_\tau=\tau\sum_t\gamma^tE^\pi\bigl[\mathrm{KL}(\pi(\cdot\mid s_t)\,\|\,
\pi_\tau(\cdot\mid s_t))\bigr].$$""",
    source="this project; Cen et al., Oper. Res. 2022 (shape)",
    provenance=("paper", "derived"),
    family=_soft_family(),
    named={"biased": _biased},
    mutants=[
        Mutant("reversed", "KL(pi_tau, pi) in its place", check=partial(_gap, reversed_=True)),
        Mutant("once", "tau KL at the first state only", check=partial(_gap, once=True)),
    ],
    proof="text",
)
def soft_gap(instance: Instance) -> list[Measurement]:
    return _gap(instance)


# --- plan-soft-bias -----------------------------------------------------------------------


def _bias(
    i: Instance, optimism: Any = Fraction(1), loss: Any = Fraction(1), resolvent: bool = True
) -> list[Measurement]:
    soft = SoftPlanner(i.mdp, i.temperature)
    hard, _ = Planner(i.mdp).optimum()
    exact = [soft.real(x) for x in hard]
    best = soft.optimum()
    policy = soft.greedy(best)
    own = soft.value(policy, soft.mean_rewards(policy))
    bound = fraction_of(soft.tau * CONTEXT.log(soft.hard.A))
    bound = bound / (1 - soft.hard.discount) if resolvent else bound
    paid = [x for row in soft.hard.r for x in row] + [Fraction(0)]
    trivial = (max(paid) - min(paid)) / (1 - soft.hard.discount)

    def minus(x: list[Any], y: list[Any]) -> list[Any]:
        return [a - b for a, b in zip(x, y, strict=True)]

    found = [
        _measured(soft, minus(exact, best), Fraction(0), "V* <= V_tau*", best),
        _measured(soft, minus(best, exact), optimism * bound, "V_tau* - V*", best),
        _measured(soft, minus(exact, own), loss * bound, "loss of pi_tau", best, trivial=trivial),
    ]
    if "loss" in i:  # the instance is built to lose this, neither more nor less
        lost = max(minus(exact, own))
        off = abs(lost - i.loss)
        found.append(_measured(soft, [off], Fraction(0), "loss by Lambert's W", best))
    return found


_HALF = Fraction(1, 2)


@claim(
    "plan-soft-bias",
    "inequality",
    title="What entropy adds to the optimal value, and what its policy loses",
    statement=r"""Discounted model, with or without exits, entropy regularisation, $\tau>0$:
$$V^*\le V^*_\tau\le V^*+\frac{\tau\log A}{1-\gamma},\qquad
V^*-V^{\pi_\tau}\le\frac{\tau\log A}{1-\gamma},$$
the last value without the entropy. The first bound is attained where all actions are equal. The
second is approached as $\gamma\to1$: two states with two actions lose $\tau W_0(e^{B-1})$ with
$B=\frac{\gamma\log2}{1-\gamma}$, $W_0$ being Lambert's function. One state with $A-1$ worse arms
loses at most $\tau W_0(\frac{A-1}e)/(1-\gamma)$.""",
    source="this project; Geist, Scherrer and Pietquin, ICML 2019 (shape)",
    provenance=("paper", "derived"),
    family=_soft_family(),
    named={
        "equal actions": lambda: _case(_loops([1, 1])),
        "two states at 9/10": _near("9/10"),
        "two states at 99/100": _near("99/100"),
        "two states at 999/1000": _near("999/1000"),
        "two arms": _bandit(2),
        "four arms": _bandit(4),
    },
    mutants=[
        Mutant("half-optimism", "half of the first bound", check=partial(_bias, optimism=_HALF)),
        Mutant("half-loss", "half of the second bound", check=partial(_bias, loss=_HALF)),
        Mutant(
            "no-resolvent",
            "tau log A, without 1 / (1 - discount)",
            check=partial(_bias, resolvent=False),
        ),
    ],
    bound=soft_bias_bound,
    proof="text",
)
def soft_bias(instance: Instance) -> list[Measurement]:
    return _bias(instance)


CLAIMS = (soft_contraction, soft_gap, soft_bias)
