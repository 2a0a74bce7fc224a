"""Optimistic and pessimistic value iteration from n(s, a) draws of each pair.

On two-state models the probability that a bound of the bracket fails is a finite sum over counts.
What follows when no row leaves its ball is deterministic, and checked in rationals on models of any
size; runs on three and more states are a claim of their own. Planner: `rltheory.learning.bracket`.
Proof: docs/theory/plug_in.md#learn-bracket.
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice, Integer, Many
from rltheory.foundations.families import (
    model_space,
    part_of,
    read_model,
    rows_of_weights,
    side_by_side,
)
from rltheory.foundations.rationals import Planner
from rltheory.foundations.robust_planner import RobustPlanner
from rltheory.foundations.two_state_laws import (
    UNSURE,
    law_of_counts,
    policies,
    policy_values,
    two_state_family,
    two_states,
)
from rltheory.learning.bracket import bracket_from_counts
from rltheory.mathematics.concentration import l1_radius
from rltheory.mdp.access import generative
from rltheory.mdp.data.counts import Counts
from rltheory.mdp.model import MDP
from rltheory.solvers.worst_row import worst_case_row

__all__ = ["CLAIMS"]

Value = list[Fraction]

_SURELY = 1e-9
"""Relative to the largest value: by how much a bound must fail to count."""


# --- the law, on two states ----------------------------------------------------------------


def _failing(i: Any, radius: float) -> tuple[NDArray[np.bool_], NDArray[np.bool_], Any]:
    """Outcomes in which the bracket fails, in which the optimist earns less than the upper bound,
    and the mass of each.

    With two states a ball is an interval of P(1 | s, a), and what is best or worst in it is one of
    its ends: the upper value is the best over policies and ends, the lower one the best over
    policies of the worst over ends.
    """
    m, law = Planner(i.mdp), law_of_counts(i.mdp, i.n)
    r = np.array([[float(x) for x in row] for row in m.r])
    g, half = float(m.discount), radius / 2.0
    ends = [np.maximum(law.p - half, 0.0), np.minimum(law.p + half, 1.0)]
    above, worst = {}, {}
    for pi in policies(m.A):
        values = []
        for first, second in product(ends, repeat=2):
            p = np.concatenate([first[:1], second[1:]])
            values.append(policy_values(p, r, g, pi))
        above[pi] = np.max(values, axis=0)
        worst[pi] = np.min(values, axis=0)
    upper, lower = np.max(list(above.values()), axis=0), np.max(list(worst.values()), axis=0)
    best, _ = m.optimum()
    top = np.array([[float(x)] for x in best])
    slack = _SURELY / (1.0 - g)
    fails = (top > upper + slack).any(axis=0)
    disappoints = np.zeros_like(fails)
    for pi in worst:
        own = np.array([[float(x)] for x in m.policy_value(pi)])
        cautious = (worst[pi] >= lower - slack).all(axis=0)
        fails |= cautious & (lower > own + 2.0 * slack).any(axis=0)
        bold = (above[pi] >= upper - slack).all(axis=0)
        disappoints |= bold & (upper > own + 2.0 * slack).any(axis=0)
    return fails, disappoints, law.weight


def _law(i: Any, factor: float = 1.0, optimist: bool = False) -> Measurement:
    radius = factor * float(l1_radius(i.n, 2, float(i.delta) / i.mdp.n_pairs))
    fails, disappoints, weight = _failing(i, radius)
    failed = weight[disappoints if optimist else fails].sum()
    return Measurement(
        min(1.0, float(failed)), i.delta, trivial=1, tolerance=UNSURE, what="failure probability"
    )


# --- on the event, in rationals ------------------------------------------------------------


def _optimistic(ball: RobustPlanner) -> tuple[Value, list[int]]:
    """(upper, its policy): policy iteration over actions and laws in the balls together."""
    m = ball.nominal
    policy = [0] * m.S
    kernel = [[list(law) for law in row] for row in ball.rows]
    while True:
        v = ball.value(policy, kernel)
        helped = [
            [list(worst_case_row(ball.rows[s][a], [-x for x in v], ball.radius[s][a]))
             for a in m.actions] for s in m.states
        ]  # fmt: skip
        q = ball.q(v, helped)
        better = [s for s in m.states if max(q[s]) > v[s]]
        if not better:
            return v, policy
        for s in better:
            policy[s] = max(m.actions, key=q[s].__getitem__)
            kernel[s][policy[s]] = helped[s][policy[s]]


def _on_the_event(i: Any, optimist: bool = False, width: int = 1) -> list[Measurement]:
    """The chain of inequalities, and the width, for a model within the balls."""
    ball, true = RobustPlanner(i.mdp, i.radius), Planner(i.truth)
    lower, cautious = ball.optimum()
    upper, bold = _optimistic(ball)
    best, _ = true.optimum()
    own = true.policy_value(cautious)
    inside = all(
        sum(abs(x - y) for x, y in zip(ball.rows[s][a], true.P[s][a], strict=True))
        <= i.radius[s][a]
        for s in true.states
        for a in true.actions
    )

    def most(x: Sequence[Fraction], y: Sequence[Fraction]) -> Fraction:
        return max(a - b for a, b in zip(x, y, strict=True))

    if optimist:
        earned = true.policy_value(bold)
        return [Measurement(most(upper, earned), 0, event=inside, what="optimist below upper")]
    g, widest = true.discount, max(max(row) for row in i.radius)
    return [
        Measurement(most(lower, own), 0, event=inside, what="lower above the policy"),
        Measurement(most(best, upper), 0, event=inside, what="optimum above upper"),
        Measurement(
            most(upper, lower), g * widest / (1 - g) ** 2 / width, trivial=1 / (1 - g), what="width"
        ),
    ]


def _ball_family() -> Family:
    """An empirical model, radii, and a true model at most that far away."""

    def build(
        discount: str, other: list[int], share: str, slack: list[str], **model: Any
    ) -> Instance:
        S, A = model["states"], model["actions"]
        mdp = read_model(**model, discount=Fraction(discount))
        m, t = Planner(mdp), Fraction(share)
        far, _ = rows_of_weights(S, S * A, False, [False] * (S * A), other)
        rows = [
            [
                [(1 - t) * x + t * y for x, y in zip(m.P[s][a], far[s * A + a], strict=True)]
                for a in m.actions
            ]
            for s in m.states
        ]
        radius = [
            [
                sum((abs(x - y) for x, y in zip(m.P[s][a], rows[s][a], strict=True)), Fraction(0))
                + Fraction(slack[s * A + a])
                for a in m.actions
            ]
            for s in m.states
        ]
        truth = MDP(rows, m.r, Fraction(discount), exact=True)
        return Instance(mdp=mdp, truth=truth, radius=radius)

    return Family(
        model_space(exits=False)
        | {
            "discount": Choice("3/10", "7/10", "9/10"),
            "other": Many(Choice(0, 0, 1, 1, 2, 5), 60),
            "share": Choice("1/64", "1/16", "1/4"),
            "slack": Many(Choice("0", "0", "1/16"), 12),
        },
        build,
    )


def _between(discount: Fraction, eps: Fraction) -> Instance:
    """On which the width is nearly its bound: a state that goes up or down with chance eps/2 each.

    Up is a state that pays 1 for ever, down one that pays nothing; in between 1/2 is paid, so that
    the optimist and the pessimist each gain discount eps/2 times the whole span, at every step that
    the state is kept. The ratio to the bound is (1-g)/(1-g+g eps) for the middle state alone; as
    eps falls it tends to 1.
    """
    half = eps / 2
    rows = [[[1, 0, 0]], [[half, 1 - eps, half]], [[0, 0, 1]]]
    mdp = MDP(rows, [[0], [Fraction(1, 2)], [1]], discount, exact=True)
    return Instance(mdp=mdp, truth=mdp, radius=[[Fraction(0)], [eps], [Fraction(0)]])


# --- the claim -----------------------------------------------------------------------------

_SPACE = side_by_side(
    law=two_state_family(
        lambda g, pairs, delta, k: (1, 2, 5, 20, 100, 400)[k],
        ("3/10", "7/10", "9/10"),
        ("1/1000", "1/10", "1/2", "9/10"),
    ),
    ball=_ball_family(),
)


def _named(name: str, instance: Instance) -> Instance:
    return Instance(**{f"{name}_{key}": instance[key] for key in instance})


def _coin(n: int, delta: str, chance: str) -> Instance:
    """State 1 pays and stays with this chance, else goes to 0."""
    p = Fraction(chance)
    mdp = MDP([[[1, 0]], [[1 - p, p]]], [[0], [1]], Fraction(9, 10), exact=True)
    return _named("law", two_states(mdp, n, delta))


def _bracket(i: Any, factor: float = 1.0, optimist: bool = False, width: int = 1) -> Any:
    law, ball = part_of(i, "law"), part_of(i, "ball")
    found = [] if law is None else [_law(law, factor, optimist)]
    return found + ([] if ball is None else _on_the_event(ball, optimist, width))


@claim(
    "learn-bracket",
    "high-probability",
    title="A bracket of the optimum from samples",
    statement=r"Known rewards in $[0,1]$, no exits, $S\ge2$, $n(s,a)\ge1$ draws of each pair, "
    r"decided beforehand, $\epsilon(s,a)=\sqrt{2\log((2^S-2)SA/\delta)/n(s,a)}$. With the best and "
    r"the worst law within $\epsilon(s,a)$ of $\hat P(\cdot|s,a)$ in $L_1$, the optimistic and the "
    r"pessimistic Bellman equations have solutions $\overline V$ and $\underline V$, and with "
    r"probability at least $1-\delta$, every $\underline\pi$ that attains $\underline V$ has "
    r"$\underline V\le V^{\underline\pi}\le V^*\le\overline V$. Always: "
    r"$\overline V-\underline V\le\frac{\gamma\max\epsilon}{(1-\gamma)^2}$.",
    provenance=("derived", "derived"),
    family=_SPACE,
    named={
        "half of a hundred": lambda: _coin(100, "1/10", "1/2"),
        "one of two": lambda: _coin(2, "1/2", "1/2"),
        "rare failures": lambda: _coin(5000, "1/1000000", "9/10"),
        "in between": lambda: _named("ball", _between(Fraction(9, 10), Fraction(1, 10**4))),
    },
    mutants=[
        Mutant("tenth", "epsilon/10", check=lambda i: _bracket(i, factor=0.1)),
        Mutant(
            "optimist",
            "the optimistic policy earns at least the upper bound",
            check=lambda i: _bracket(i, optimist=True),
        ),
        Mutant("half-width", "half the width", check=lambda i: _bracket(i, width=2)),
    ],
    bound=lambda discount, radius: discount * radius / (1.0 - discount) ** 2,
    proof="text",
)
def bracket(i: Any) -> list[Measurement]:
    return _bracket(i)


# --- runs ----------------------------------------------------------------------------------

RUNS_DELTA = 0.1


def _run(i: Any, stream: Any, factor: float = 1.0) -> Measurement:
    """By how much the bracket of one run fails to contain what it should, beyond rounding."""
    m = Planner(i.mdp)
    access = generative(i.mdp, seed=int(stream.integer(2**32)))
    # A radius that is `factor` times as large is that of 1/factor^2 times as many draws.
    counts = access.counts(i.n)
    if factor != 1.0:
        more = round(1.0 / factor**2)
        counts = Counts(more * counts.visits, more * counts.next_counts, more * counts.reward_sums)
    plan = bracket_from_counts(counts, RUNS_DELTA, discount=float(m.discount))
    own = np.array([float(x) for x in m.policy_value(plan.policy.tolist())])
    best = np.array([float(x) for x in i.best])
    excess = max(float((plan.lower - own).max()), float((best - plan.upper).max()))
    return Measurement(excess, 0.0, tolerance=_SURELY / (1.0 - float(m.discount)))


def _runs_instance(mdp: MDP, n: int) -> Instance:
    return Instance(mdp=mdp, n=n, best=Planner(mdp).optimum()[0])


def _scattered() -> Instance:
    """Three states, two actions, rows that mix and rewards that differ."""
    weights = [[1, 2, 1], [2, 1, 1], [1, 1, 2], [1, 3, 1], [3, 1, 2], [1, 1, 1]]
    rows = [[Fraction(x, sum(w)) for x in w] for w in weights]
    paid = [[0, Fraction(1, 4)], [Fraction(1, 2), 1], [1, Fraction(3, 4)]]
    table = [rows[2 * s : 2 * s + 2] for s in range(3)]
    return _runs_instance(MDP(table, paid, Fraction(4, 5), exact=True), 100)


@claim(
    "learn-bracket-runs",
    "high-probability",
    title="A bracket of the optimum from samples, in runs of the planner",
    statement=r"`learn-bracket` on models with two to four states: in one run, "
    r"$\underline V\le V^{\underline\pi}$ and $V^*\le\overline V$ with probability at least "
    r"$1-\delta$.",
    provenance=("derived", "derived"),
    family=Family(
        model_space(exits=False) | {"states": Integer(2, 4), "n": Choice(20, 100, 400)},
        lambda n, **model: _runs_instance(read_model(**model, discount=Fraction(4, 5)), n),
    ),
    named={"three states": _scattered},
    mutants=[
        Mutant("tenth", "epsilon/10", check=lambda i, stream: _run(i, stream, factor=0.1)),
    ],
    bound=l1_radius,
    delta=RUNS_DELTA,
    proof="text",
)
def runs(i: Any, stream: Any) -> Measurement:
    return _run(i, stream)


CLAIMS = (bracket, runs)
