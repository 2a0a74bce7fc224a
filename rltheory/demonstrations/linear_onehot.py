r"""With one feature a pair, LSVI-UCB-Ent is tabular exploration whose means shrink towards 0.

The problem: phi(s, a) = e_(s,a). Then M_h is diagonal with n_h(s, a) + ridge, and for any values v

    phi^T M_h^-1 sum phi v(s') = sum_s' n_h(s, a, s') v(s') / (n_h(s, a) + ridge),
    |phi|_{M_h^-1} = (n_h(s, a) + ridge)^(-1/2).

Checked twice: of regression by Gaussian elimination in fractions, with features that may be one-hot
in another order; and of the compiled learner, whose whole plan is compared with a tabular one made
of counts. Proof: docs/theory/linear_demonstrations.md.
"""

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory import _core
from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice, Dyadic, Integer, Many
from rltheory.foundations.rationals import solve_linear

__all__ = ["CLAIMS"]

_MOST_STATES, _MOST_ACTIONS, _MOST_STAGES, _STEPS = 3, 2, 3, 24
_ROUNDING = 1e-11
Array = NDArray[np.float64]


def _exactly(i: Any, shrink: bool = True, root: int = 1) -> list[Measurement]:
    """Weights and squared norms of one stage, by elimination and by counts."""
    S, A = i.states, i.actions
    d = S * A
    place = i.order  # pair p has feature e_place[p]
    gram = [[i.ridge * int(j == k) for k in range(d)] for j in range(d)]
    right = [Fraction(0)] * d
    counts = [0] * d
    sums = [Fraction(0)] * d
    for h, s, a, then in i.steps:
        if h:
            continue
        pair = s * A + a
        gram[place[pair]][place[pair]] += 1
        counts[pair] += 1
        if then >= 0:
            right[place[pair]] += i.value[then]
            sums[pair] += i.value[then]
    weights = solve_linear(gram, right)
    off_mean = off_norm = Fraction(0)
    for pair in range(d):
        below = counts[pair] + (i.ridge if shrink or not counts[pair] else 0)
        off_mean = max(off_mean, abs(weights[place[pair]] - sums[pair] / below))
        unit = [Fraction(int(j == place[pair])) for j in range(d)]
        norm2 = solve_linear(gram, unit)[place[pair]]
        off_norm = max(off_norm, abs(norm2 - 1 / Fraction(counts[pair] + i.ridge) ** root))
    return [
        Measurement(off_mean, 0, what="mean"),
        Measurement(off_norm, 0, what="squared norm"),
    ]


def _learned(i: Any) -> list[Measurement]:
    """The compiled learner's plan against one of counts."""
    H, S, A = _MOST_STAGES, i.states, i.actions
    d = S * A
    features = np.eye(d)[np.array(i.order)].reshape(S, A, d)
    reward = np.array([float(x) for x in i.rewards[: H * d]]).reshape(H, S, A)
    weight = np.full((H, S, A), 1.0 / A)
    ridge, lam, beta = float(i.ridge), float(i.temperature), float(i.radius)
    core = _core.learning.SoftLinearLearner(
        features, reward, weight, np.log(weight), np.full(H, beta), ridge, lam
    )
    n, following = np.zeros((H, S, A)), np.zeros((H, S, A, S))
    for h, s, a, then in i.steps:
        core.observe(h, s, a, then)
        n[h, s, a] += 1
        if then >= 0:
            following[h, s, a, then] += 1
    core.plan()
    width = 1.0 / np.sqrt(n + ridge)
    found = []
    for sign, q_found, values in ((1, core.q_upper, core.upper), (-1, core.q_lower, core.lower)):
        value = np.zeros(S)
        off = 0.0
        for h in reversed(range(H)):
            mean = following[h] @ value / (n[h] + ridge)
            q = reward[h] + np.clip(mean + sign * beta * width[h], 0.0, H - 1.0 - h)
            top = q.max(axis=1)
            value = top + lam * np.log(np.exp((q - top[:, None]) / lam).mean(axis=1))
            off = max(off, float(abs(q - q_found[h]).max()), float(abs(value - values[h]).max()))
        what = "upper plan" if sign > 0 else "lower plan"
        found.append(Measurement(off, 0, tolerance=_ROUNDING * (1 + lam), what=what))
    return found


def _onehot(i: Any) -> list[Measurement]:
    return [*_exactly(i), *_learned(i)]


def _instance(
    states: int,
    actions: int,
    steps: list[tuple[int, int, int, int]],
    ridge: Any = 1,
    temperature: Any = 1,
    radius: Any = 1,
    order: list[int] | None = None,
    value: Any = None,
    rewards: Any = None,
) -> Callable[[], Instance]:
    pairs = states * actions
    return lambda: Instance(
        states=states,
        actions=actions,
        steps=steps,
        ridge=Fraction(ridge),
        temperature=Fraction(temperature),
        radius=Fraction(radius),
        order=list(range(pairs)) if order is None else order,
        value=[Fraction(1)] * states if value is None else value,
        rewards=[Fraction(1, 2)] * (pairs * _MOST_STAGES) if rewards is None else rewards,
    )


def _family() -> Family:
    def build(
        states: int,
        actions: int,
        seen: int,
        stage: list[int],
        state: list[int],
        action: list[int],
        then: list[int],
        value: list[float],
        rewards: list[float],
        turn: int,
        **rest: Any,
    ) -> Instance:
        steps = [
            (h, s % states, a % actions, min(t, states - 1))
            for h, s, a, t in zip(stage, state, action, then, strict=True)
        ]
        pairs = states * actions
        return _instance(
            states,
            actions,
            steps[:seen],
            order=[(p + turn) % pairs for p in range(pairs)],
            value=[Fraction(x) for x in value[:states]],
            rewards=[Fraction(x) for x in rewards],
            **rest,
        )()

    entries = _MOST_STATES * _MOST_ACTIONS * _MOST_STAGES
    return Family(
        {
            "states": Integer(1, _MOST_STATES),
            "actions": Integer(1, _MOST_ACTIONS),
            "seen": Choice(0, 1, _STEPS, _STEPS),
            "stage": Many(Integer(0, _MOST_STAGES - 1), _STEPS),
            "state": Many(Integer(0, _MOST_STATES - 1), _STEPS),
            "action": Many(Integer(0, _MOST_ACTIONS - 1), _STEPS),
            "then": Many(Integer(-1, _MOST_STATES - 1), _STEPS),
            "value": Many(Dyadic(0, 2, 3), _MOST_STATES),
            "rewards": Many(Dyadic(0, 1, 3), entries),
            "turn": Integer(0, _MOST_STATES * _MOST_ACTIONS - 1),
            "ridge": Choice("1/1000000", "1/4", "1", "1", "8"),
            "temperature": Choice("1/8", "1", "8"),
            "radius": Choice("0", "1/4", "1", "4"),
        },
        build,
    )


_SEEN = [(0, 0, 0, 0), (0, 0, 0, 1), (0, 1, 0, 1), (1, 0, 0, 1), (0, 0, 0, -1)]


@claim(
    "demo-linear-onehot",
    "identity",
    title="With one feature a pair, regression is a shrunk mean",
    statement=r"""$\phi(s,a)=e_{(s,a)}$, $\Lambda_h=\mu I+\sum\phi\phi^\top$, any values $v$: with
counts $n_h$ of the steps seen at stage $h$,
$$\phi^\top\Lambda_h^{-1}\sum_i\phi_iv(s_i')=\frac{\sum_{s'}n_h(s,a,s')v(s')}{n_h(s,a)+\mu},\qquad
\|\phi\|_{\Lambda_h^{-1}}=(n_h(s,a)+\mu)^{-1/2},$$
so LSVI-UCB-Ent is tabular exploration with ridge-shrunk means.""",
    source="this project",
    provenance=("derived", "derived"),
    family=_family(),
    named={
        "two states": _instance(2, 1, _SEEN),
        "nothing seen": _instance(2, 2, []),
        "little ridge": _instance(2, 1, _SEEN, ridge="1/1000000"),
    },
    mutants=[
        Mutant("no-ridge", "the mean without mu", check=partial(_exactly, shrink=False)),
        Mutant("no-root", "1/(n + mu) as the norm itself", check=partial(_exactly, root=2)),
    ],
    bound=lambda n, ridge: (n + ridge) ** -0.5,
    proof="text",
)
def linear_onehot(instance: Any) -> list[Measurement]:
    return _onehot(instance)


CLAIMS = (linear_onehot,)
