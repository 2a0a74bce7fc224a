"""What `solve` returns for a model of doubles, held against the exact optimum.

The model means a rational one, each row divided by its exact sum, which `solve_exact` solves by
policy iteration in rationals. That its answer is V* is checked here, row by row: T V* = V*.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from rltheory.claims.claim import Measurement
from rltheory.errors import ConvergenceError
from rltheory.foundations.rationals import solve_linear
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.model import MDP
from rltheory.mdp.rational import RationalModel
from rltheory.solvers.exact import solve_exact
from rltheory.solvers.solve import solve

__all__ = ["solved"]

Values = Sequence[Sequence[Fraction]]

_ZERO = Fraction(0)
_MOST_STATES = 60
"""Up to which the value of a policy that is not optimal is solved for in rationals."""


def solved(mdp: MDP | EpisodicMDP, outward: bool = True) -> list[Measurement]:
    """The bracket, its gap and its certificate; the bare value as both bounds if not `outward`."""
    try:
        solution = solve(mdp)
    except ConvergenceError as error:  # it carries a bracket all the same
        if error.solution is None:
            return [Measurement(0, 0, event=False, what="nothing finite was found")]
        solution = error.solution
    exact = solve_exact(mdp)
    model = exact.mdp.rational
    assert model is not None
    staged = isinstance(mdp, EpisodicMDP)
    best: Values = exact.value if staged else (exact.value,)
    lower, upper, value = (_fractions(x) for x in (solution.lower, solution.upper, solution.value))
    if not outward:
        lower = upper = value
    rows = solution.certificate.rows.reshape(-1, mdp.n_states).tolist()
    own = _policy_value(mdp, model, rows, best)
    gap = Fraction(solution.gap)
    accepted = bool(solution.certificate.check(mdp))
    found = [
        Measurement(_defects(mdp, model, best), 0, what="the exact optimum solves T v = v"),
        Measurement(_above(best, upper), 0, what="optimum at most upper"),
        Measurement(max(_above(best, value), _above(value, best)), gap, what="error of the value"),
        Measurement(int(not accepted), 0, what="rejected by the checker"),
    ]
    if own is not None:
        found += [
            Measurement(_above(lower, own), 0, what="lower at most the policy's value"),
            Measurement(_above(best, own), gap, what="loss of the policy"),
        ]
    return found


def _fractions(x: Any) -> Values:
    return [[Fraction(y) for y in row] for row in x.reshape(-1, x.shape[-1]).tolist()]


def _above(x: Values, y: Values) -> Fraction:
    """By how much x exceeds y somewhere, or 0."""
    pairs = ((a, b) for u, v in zip(x, y, strict=True) for a, b in zip(u, v, strict=True))
    return max(_ZERO, *(a - b for a, b in pairs))


def _discount(mdp: MDP | EpisodicMDP) -> Fraction:
    return Fraction(1) if isinstance(mdp, EpisodicMDP) else Fraction(mdp.discount or 0)


def _stages(mdp: MDP | EpisodicMDP) -> list[tuple[int, int]]:
    """Of each stage, the first entry of `state_ptr`, and how many entries of values ahead it is."""
    if isinstance(mdp, EpisodicMDP):
        return [(mdp.stage(h) * mdp.n_states, 1) for h in range(mdp.horizon)]
    return [(0, 0)]


def _defects(mdp: MDP | EpisodicMDP, model: RationalModel, best: Values) -> int:
    """The number of states where T best is not best; where a run is over, best is 0."""
    g, wrong = _discount(mdp), 0
    for h, (first, step) in enumerate(_stages(mdp)):
        for s, x in enumerate(best[h]):
            rows = range(model.state_ptr[first + s], model.state_ptr[first + s + 1])
            wrong += max(model.backup(row, g, best[h + step]) for row in rows) != x
    if isinstance(mdp, EpisodicMDP):
        wrong += sum(x != 0 for x in best[-1])
    return wrong


def _policy_value(
    mdp: MDP | EpisodicMDP, model: RationalModel, rows: list[list[int]], best: Values
) -> Values | None:
    """The value of the policy that picks these rows; None where it would take too long."""
    g = _discount(mdp)
    if isinstance(mdp, EpisodicMDP):
        values = [[_ZERO] * mdp.n_states]
        for stage in reversed(rows):
            values.insert(0, [model.backup(row, 1, values[0]) for row in stage])
        return values
    if all(model.backup(row, g, best[0]) == x for row, x in zip(rows[0], best[0], strict=True)):
        return best
    if mdp.n_states > _MOST_STATES:
        return None
    matrix = [[Fraction(int(s == t)) for t in range(mdp.n_states)] for s in range(mdp.n_states)]
    for s, row in enumerate(rows[0]):
        for k in range(model.row_ptr[row], model.row_ptr[row + 1]):
            matrix[s][model.col[k]] -= g * model.prob[k]
    return [solve_linear(matrix, [model.reward[row] for row in rows[0]])]
