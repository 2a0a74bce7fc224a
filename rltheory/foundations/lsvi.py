r"""Least-squares value iteration in a linear MDP is exact planning, and what a ridge does to it.

With rows phi^T mu_h and rewards phi^T theta_h: Q*_h = phi^T w_h, w_h = theta_h + sum_s' mu_h(s')
V*_{h+1}(s'). The weights come from `solve_linear` and `population_lsvi`, in fractions; Q* from
backward induction on the table (`rltheory.foundations.rationals`), which shares no code with them.
For one stage with Gram matrix G of any weights, w_ridge = (G + ridge I)^-1 G w and

    (phi^T (w_ridge - w))^2 <= ridge |w|^2 |phi|^2 in the norm of (G + ridge I)^-1.

Proofs: docs/theory/linear.md.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice, Dyadic, Integer, Many
from rltheory.errors import ModelError
from rltheory.foundations.families import law_of_weights
from rltheory.foundations.rationals import Planner, episodic_optimum, solve_linear, stages_of
from rltheory.learning.lsvi import population_lsvi
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.linear import LinearMDP
from rltheory.solvers.linear import solve_linear as linear_weights

__all__ = ["CLAIMS"]

_MOST_STATES, _MOST_ACTIONS, _MOST_DIMENSIONS, _MOST_STAGES = 3, 2, 3, 3
_PAIRS = _MOST_STATES * _MOST_ACTIONS
_ROWS = _MOST_STAGES * _MOST_DIMENSIONS
_TURN = [["4/5", "3/5", "0"], ["-3/5", "4/5", "0"], ["0", "0", "1"]]

Table = list[list[list[Fraction]]]


def _model(features: Any, measures: Any, theta: Any) -> LinearMDP:
    return LinearMDP(features, measures, theta, exact=True)


def _family() -> Family:
    """Mixtures of up to three laws; features may be turned, so that measures are signed."""

    def build(
        states: int,
        actions: int,
        dimension: int,
        horizon: int,
        shares: list[int],
        laws: list[int],
        theta: list[float],
        turned: bool,
        weights: list[int],
        ridge: str,
    ) -> Instance:
        S, A, d, H = states, actions, dimension, horizon
        width = _MOST_DIMENSIONS

        def row(numbers: list[int], at: int, size: int, most: int) -> list[Fraction]:
            return law_of_weights(numbers[at * most : at * most + size])

        phi = [[row(shares, s * A + a, d, width) for a in range(A)] for s in range(S)]
        mu = [[row(laws, h * width + k, S, _MOST_STATES) for k in range(d)] for h in range(H)]
        w = [[Fraction(theta[h * width + k]) for k in range(d)] for h in range(H)]
        if turned and d > 1:
            turn = [[Fraction(x) for x in line[:d]] for line in _TURN[:d]]
            phi = [[_times(turn, x) for x in line] for line in phi]
            mu = [_matrix_times(turn, m) for m in mu]
            w = [_times(turn, x) for x in w]
        c = [weights[s * A : (s + 1) * A] for s in range(S)]
        return Instance(
            features=phi,
            measures=mu,
            theta=w,
            weights=[[Fraction(x) for x in line] for line in c],
            ridge=Fraction(ridge),
        )

    return Family(
        {
            "states": Integer(1, _MOST_STATES),
            "actions": Integer(1, _MOST_ACTIONS),
            "dimension": Integer(1, _MOST_DIMENSIONS),
            "horizon": Integer(1, _MOST_STAGES),
            "shares": Many(Choice(0, 0, 1, 1, 3), _PAIRS * _MOST_DIMENSIONS),
            "laws": Many(Choice(0, 0, 1, 2, 40), _ROWS * _MOST_STATES),
            "theta": Many(Dyadic(0, 1, 3), _ROWS),
            "turned": Choice(False, True),
            "weights": Many(Choice(0, 1, 1, 2, 5), _PAIRS),
            "ridge": Choice("1/100", "1", "1", "10"),
        },
        build,
    )


def _times(matrix: Sequence[Sequence[Fraction]], x: Sequence[Fraction]) -> list[Fraction]:
    return [sum((a * b for a, b in zip(line, x, strict=True)), Fraction(0)) for line in matrix]


def _matrix_times(matrix: Sequence[Sequence[Fraction]], m: Table | Any) -> Any:
    columns = [_times(matrix, column) for column in zip(*m, strict=True)]
    return [list(line) for line in zip(*columns, strict=True)]


def _instance(
    features: Any, measures: Any, theta: Any, weights: Any, ridge: Any
) -> Callable[[], Instance]:
    def fractions(x: Any) -> Any:
        return [fractions(y) for y in x] if isinstance(x, list) else Fraction(x)

    return lambda: Instance(
        features=fractions(features),
        measures=fractions(measures),
        theta=fractions(theta),
        weights=fractions(weights),
        ridge=Fraction(ridge),
    )


# --- the claim ----------------------------------------------------------------------------


def _optimal_q(table: EpisodicMDP) -> list[list[list[Fraction]]]:
    stages = stages_of(table)
    values, _ = episodic_optimum(stages)
    return [stage.q(ahead) for stage, ahead in zip(stages, values[1:], strict=True)]


def _furthest(q: Any, best: list[list[list[Fraction]]]) -> Fraction:
    """max |q - Q*| over all pairs and stages."""
    pairs = zip(np.asarray(q, dtype=object).reshape(-1), _flat(best), strict=True)
    return max((abs(Fraction(x) - y) for x, y in pairs), default=Fraction(0))


def _flat(q: list[list[list[Fraction]]]) -> list[Fraction]:
    return [x for stage in q for row in stage for x in row]


def _bias(i: Any, w: Sequence[Fraction]) -> tuple[Fraction, Fraction]:
    """Squares of phi^T (w_ridge - w) and of its bound, at the pair where their ratio is largest."""
    d = len(w)
    rows = [row for line in i.features for row in line]
    counts = [c for line in i.weights for c in line]
    gram = [
        [
            sum((c * x[a] * x[b] for c, x in zip(counts, rows, strict=True)), Fraction(0))
            for b in range(d)
        ]
        for a in range(d)
    ]
    ridged = [[gram[a][b] + i.ridge * (a == b) for b in range(d)] for a in range(d)]
    shrunk = solve_linear(ridged, _times(gram, w))
    size = sum((x * x for x in w), Fraction(0))
    off, most = Fraction(0), i.ridge * size  # holds where all features are 0
    for x in rows:
        left = sum((a * (s - t) for a, s, t in zip(x, shrunk, w, strict=True)), Fraction(0)) ** 2
        solved = solve_linear(ridged, x)
        right = i.ridge * size * sum((a * b for a, b in zip(x, solved, strict=True)), Fraction(0))
        if right and left * most >= off * right:
            off, most = left, right
    return off, most


def _planning(
    i: Any, nonlinear: Fraction = Fraction(0), ridge: int = 0, dropped: int = 0
) -> list[Measurement]:
    mdp = _model(i.features, i.measures, i.theta)
    table = mdp.tabular()
    if nonlinear:
        table = _with_bonus(table, nonlinear)
    best = _optimal_q(table)
    found = linear_weights(mdp)
    H, d = mdp.horizon, mdp.dimension
    kept = max(1, d - dropped)
    features = [[row[:kept] for row in line] for line in i.features]
    try:
        fitted = population_lsvi(table, i.weights, ridge, features)
        regression = _furthest(fitted.q, best)
        # Another solution than the weights of the model cannot be, where it is unique.
        gap = 0 if kept < d else abs(fitted.weights - found.weights).max()
        unique = True
    except ModelError:
        regression, gap, unique = Fraction(0), 0, False
    off, most = _bias(i, found.weights[H - 1].tolist())
    nothing_seen = d == 1 and not any(c for line in i.weights for c in line)
    return [
        Measurement(
            _furthest(found.q, best), 0, event=not nonlinear, what="weights against the table"
        ),
        Measurement(regression, 0, event=unique, what="regression against the table"),
        Measurement(Fraction(gap), 0, event=unique, what="regression against weights"),
        Measurement(max(off, most), most, what="bias of a ridge, squared"),
        Measurement(off, most, event=nothing_seen, what="bias with nothing seen, squared"),
    ]


def _with_bonus(table: EpisodicMDP, bonus: Fraction) -> EpisodicMDP:
    """The first pair of every stage pays more than its features say."""
    planners = [Planner(table, h) for h in range(table.horizon)]
    rewards = [[list(row) for row in planner.r] for planner in planners]
    for stage in rewards:
        stage[0][0] += bonus
    rows = [planner.P for planner in planners]
    return EpisodicMDP(rows, rewards, table.horizon, exact=True)


_COIN = [[["1/2", "1/2"], [0, 1]], [[1, 0], ["1/3", "2/3"]]]


_THREE_PAIRS = _instance(
    [[[1, 0], [0, 1]], [["1/2", "1/2"], ["1/2", "1/2"]]],
    _COIN,
    [[1, 0], [0, "1/2"]],
    [[1, 1], [2, 1]],
    "1/4",
)


@claim(
    "learn-lsvi-planning",
    "identity",
    title="Least-squares value iteration plans exactly in a linear MDP",
    statement=r"""In a linear MDP, $P_h(s'|s,a)=\phi(s,a)^\top\mu_h(s')$ and
$r_h(s,a)=\phi(s,a)^\top\theta_h$: $Q^*_h=\phi^\top w_h$ with
$w_h=\theta_h+\sum_{s'}\mu_h(s')V^*_{h+1}(s')$, and backward least squares with exact targets,
ridge 0 and any weights for which the features have full rank returns these $w_h$. With a ridge
$\lambda>0$, Gram matrix $\Lambda$ of the weights and exact targets of one stage:
$|\phi^\top(w_\lambda-w)|\le\sqrt\lambda\,\|w\|\,\|\phi\|_{(\Lambda+\lambda I)^{-1}}$, with equality
for $d=1$, $\Lambda=0$.""",
    source="Bradtke, Barto, Machine Learning 22, 1996; Jin, Yang, Wang, Jordan, COLT 2020, "
    "arXiv 1907.05388, Proposition 2.3 and Lemma B.4",
    provenance=("paper", "derived"),
    family=_family(),
    named={
        "one feature, nothing seen": _instance([[[1]]], [[[1]], [[1]]], [[1], ["1/2"]], [[0]], 2),
        "two states, one-hot": _instance(
            [[[1, 0]], [[0, 1]]], _COIN, [[1, 0], [0, "1/2"]], [[1], [3]], 1
        ),
        "three pairs, two features": _THREE_PAIRS,
    },
    mutants=[
        Mutant(
            "nonlinear",
            "a reward that is not linear: 1/1000 more at one pair",
            check=partial(_planning, nonlinear=Fraction(1, 1000)),
            named={"three pairs, two features": _THREE_PAIRS},
        ),
        Mutant("ridge", "ridge 1, claimed to be exact", check=partial(_planning, ridge=1)),
        Mutant(
            "smaller-dimension",
            "the last feature dropped: d smaller than the rank",
            check=partial(_planning, dropped=1),
        ),
    ],
    bound=lambda ridge, weight_norm, feature_norm: ridge**0.5 * weight_norm * feature_norm,
    proof="text",
)
def lsvi_planning(instance: Any) -> list[Measurement]:
    return _planning(instance)


CLAIMS = (lsvi_planning,)
