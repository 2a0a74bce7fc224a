"""Exact rational gains and biases of small models, by multichain policy iteration.

The policy that doubles find is evaluated in rationals: in each closed class the equations
g + h = r + P h with h = 0 at one state, then h moved to stationary mean 0; at transient states
g = P g and g + h = r + P h. Improvement as in Puterman, Markov Decision Processes, 1994, section
9.2, exactly: more P g first, then more r + P h among the actions that keep the gain, the present
one on ties. With biases of mean 0 no policy comes back, so it ends; the equations that hold then
are a certificate of gap 0.
"""

from fractions import Fraction

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from rltheory.mdp.model import MDP
from rltheory.mdp.rational import RationalModel
from rltheory.solvers.average_certificate import AverageCertificate
from rltheory.solvers.average_methods import AVERAGE_METHODS
from rltheory.solvers.rational_equations import objects, solve_rational
from rltheory.solvers.tolerance import read_tolerance

__all__ = ["exact_gains"]

Values = list[Fraction]

_ZERO = Fraction(0)


def exact_gains(mdp: MDP) -> tuple[Values, Values, AverageCertificate]:
    """(g*, a bias, the certificate with g* on both sides) of an exact model without exits."""
    rational = mdp.rational
    assert rational is not None
    tolerance = read_tolerance(None, None, float(np.abs(mdp.mean_rewards).max()))
    with np.errstate(all="ignore"):
        rows = AVERAGE_METHODS["auto"](mdp, tolerance, np.zeros(mdp.n_states)).rows.tolist()
    while True:
        gain, bias = _evaluated(rational, rows)
        better = _improved(rational, gain, bias, rows)
        if better == rows:
            break
        rows = better
    chosen = np.array(rows, dtype=np.int64)
    g, h, zero = objects(gain), objects(bias), objects([_ZERO] * len(gain))
    certificate = AverageCertificate(
        policy=mdp.core.action[chosen].astype(np.int64),
        rows=chosen,
        lower_gain=g,
        lower_tail=zero,
        lower_shift=_ZERO,
        upper_gain=g,
        upper_tail=zero,
        upper_shift=_ZERO,
        bias=h,
        bias_tail=zero,
        lower=g,
        upper=g,
    )
    return gain, bias, certificate


def _entries(model: RationalModel, row: int) -> list[tuple[int, Fraction]]:
    i, j = model.row_ptr[row], model.row_ptr[row + 1]
    return [(t, p) for t, p in zip(model.col[i:j], model.prob[i:j], strict=True) if p]


def _closed_classes(model: RationalModel, rows: list[int]) -> list[list[int]]:
    n = len(rows)
    edges = [(s, t) for s, row in enumerate(rows) for t, _ in _entries(model, row)]
    tails, heads = (np.array(x) for x in zip(*edges, strict=True))
    graph = sparse.csr_array((np.ones(len(edges)), (tails, heads)), shape=(n, n))
    count, label = connected_components(graph, connection="strong")
    closed = np.ones(count, dtype=np.bool_)
    closed[label[tails[label[tails] != label[heads]]]] = False
    return [np.flatnonzero(label == k).tolist() for k in np.flatnonzero(closed)]


def _evaluated(model: RationalModel, rows: list[int]) -> tuple[Values, Values]:
    """Gain and bias of the policy that picks these rows."""
    n = len(rows)
    gain, bias = [_ZERO] * n, [_ZERO] * n
    recurrent: set[int] = set()
    for members in _closed_classes(model, rows):
        recurrent.update(members)
        at = {s: i for i, s in enumerate(members)}
        k = len(members)
        # The place of the first state's bias, which is 0, is taken by the gain.
        matrix = [[Fraction(int(i == j)) for j in range(k)] for i in range(k)]
        moves = [[_ZERO] * k for _ in range(k)]
        for s in members:
            for t, p in _entries(model, rows[s]):
                matrix[at[s]][at[t]] -= p
                moves[at[s]][at[t]] = p
        for i in range(k):
            matrix[i][0] = Fraction(1)
        found = solve_rational(matrix, [model.reward[rows[s]] for s in members])
        balance = [[moves[j][i] - int(i == j) for j in range(k)] for i in range(k)]
        balance[0] = [Fraction(1)] * k
        law = solve_rational(balance, [Fraction(1)] + [_ZERO] * (k - 1))
        h = [_ZERO, *found[1:]]
        mean = sum((p * x for p, x in zip(law, h, strict=True)), _ZERO)
        for s, x in zip(members, h, strict=True):
            gain[s], bias[s] = found[0], x - mean
    transient = [s for s in range(n) if s not in recurrent]
    if transient:
        at = {s: i for i, s in enumerate(transient)}
        matrix = [[Fraction(int(s == t)) for t in transient] for s in transient]
        for s in transient:
            for t, p in _entries(model, rows[s]):
                if t in at:
                    matrix[at[s]][at[t]] -= p

        def ahead(s: int, x: Values) -> Fraction:
            return sum((p * x[t] for t, p in _entries(model, rows[s]) if t not in at), _ZERO)

        for s, x in zip(
            transient, solve_rational(matrix, [ahead(s, gain) for s in transient]), strict=True
        ):
            gain[s] = x
        right = [model.reward[rows[s]] - gain[s] + ahead(s, bias) for s in transient]
        for s, x in zip(transient, solve_rational(matrix, right), strict=True):
            bias[s] = x
    return gain, bias


def _improved(model: RationalModel, gain: Values, bias: Values, rows: list[int]) -> list[int]:
    """Rows of more gain ahead where there is one, else of more bias among those that keep it."""
    ranges = [range(model.state_ptr[s], model.state_ptr[s + 1]) for s in range(len(rows))]

    def ahead(row: int, x: Values) -> Fraction:
        return sum((p * x[t] for t, p in _entries(model, row)), _ZERO)

    best = [max(mine, key=lambda row: ahead(row, gain)) for mine in ranges]
    out = [row if ahead(row, gain) > gain[s] else rows[s] for s, row in enumerate(best)]
    if out != rows:
        return out
    for s, mine in enumerate(ranges):
        keeping = [row for row in mine if ahead(row, gain) == gain[s]]
        row = max(keeping, key=lambda row: model.reward[row] + ahead(row, bias))
        if model.reward[row] + ahead(row, bias) > gain[s] + bias[s]:
            out[s] = row
    return out
