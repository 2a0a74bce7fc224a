"""From a policy and an approximate value to a certificate: discounted models.

With residuals rho = T w - w of a witness w, bounded with their rounding errors in doubles (T1) or
in double-double (T2), the shifted witnesses w + k and w + k' are inductive (C1). Where doubles do
not reach the tolerance, w is refined as head + tail: solve (I - discount P_pi) d = residual in
doubles, add d, until the residual stops halving; an action is changed only where it is better
beyond both error bounds, so that ties never cycle. T1, T2, C1: docs/theory/certificates.md.
"""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from rltheory import _core
from rltheory.mdp.model import MDP
from rltheory.solvers.certificate import Certificate
from rltheory.solvers.policy_equations import PolicyEquations
from rltheory.solvers.rounding import residual_of_scaled, shifts
from rltheory.solvers.tolerance import Tolerance

__all__ = ["certify", "guaranteed_reach"]

Vector = NDArray[np.float64]
Rows = NDArray[np.int64]

_MOST_STEPS = 10_000
_MOST_IDLE = 200
"""Steps without a smaller gap after which a change of actions is not tried any more."""
_NEGLIGIBLE = 2.0**-60


@dataclass(frozen=True)
class Certified:
    """A certificate, its gap, and how many refinement steps it took."""

    certificate: Certificate
    gap: float
    steps: int = 0


def certify(
    mdp: MDP,
    rows: Rows,
    value: Vector,
    tolerance: Tolerance,
    residuals: tuple[float, float] | None = None,
) -> Certified | None:
    """The tightest certificate found for this policy and value, or for better ones.

    Parameters
    ----------
    mdp : MDP
        With a discount; not exact.
    rows : ndarray of int64, shape (S,)
        Rows of a policy.
    value : ndarray of float64, shape (S,)
        Near V^policy and V*.
    tolerance : Tolerance
        Work ends as soon as it is met.
    residuals : (float, float), optional
        Bounds of T v - v already known to hold exactly: below for `rows`, above for every row.

    Returns
    -------
    Certified or None
        None where nothing finite can be certified (overflow).
    """
    core, discount = mdp.core, float(mdp.discount or 0.0)
    best: Certified | None = None
    if residuals is not None:
        best = _formed(mdp, rows, value, np.zeros_like(value), *shifts(*residuals, discount))
        if best is not None and best.gap <= tolerance.of(best.certificate):
            return best
    low, high, finite = _core.solvers.residual_bounds(core, 0, discount, value, value, rows)
    if finite:
        tail = np.zeros_like(value)
        plain = _formed(mdp, rows, value, tail, *shifts(low, high, discount))
        best = _tighter(best, plain)
    if best is not None and best.gap <= tolerance.of(best.certificate):
        return best
    if not np.isfinite(value).all():
        return best
    refined = _refine(mdp, discount, rows, value, tolerance)
    return _tighter(best, refined)


def guaranteed_reach(core: _core.model.Model, discount: float, largest_value: float) -> float:
    """The gap that refinement always reaches: 4 max E2 / ((1-discount)(1-2^-28)) + 2 ulps.

    Both shifts are at most max E2 beside the settled residuals, which lie within as much of 0; an
    action that is better by less than the two error bounds is left alone.
    """
    n = core.longest_row
    size = float(np.abs(core.reward).max()) + 2.0 * largest_value
    error = (4 * n + 40) * 2.0**-106 * size + (n + 8) * 2.0**-1070
    return 4 * error / ((1 - discount) * (1 - 2.0**-28)) + 2 * math.ulp(largest_value)


def _refine(
    mdp: MDP, discount: float, rows: Rows, value: Vector, tolerance: Tolerance
) -> Certified | None:
    core = mdp.core
    head, tail = value, np.zeros_like(value)
    equations: PolicyEquations | None = None
    best: Certified | None = None
    last, idle = math.inf, 0
    for step in range(_MOST_STEPS):
        low, high, finite, residual, better = _core.solvers.precise_residual_bounds(
            core, 0, discount, head, tail, head, tail, rows
        )
        if not finite:
            break
        bounds = shifts(*residual_of_scaled(low, high), discount)
        found = _formed(mdp, rows, head, tail, *bounds, steps=step + 1)
        tighter = _tighter(best, found)
        idle, best = (idle + 1, best) if tighter is best else (0, tighter)
        if best is not None and best.gap <= tolerance.of(best.certificate):
            return best
        size = float(np.abs(residual).max())
        if size > 0.0 and size <= 0.5 * last:
            last = size
            if equations is None:
                equations = PolicyEquations(core, discount, rows)
            correction = equations.solve(residual, wanted=1e-6)
            if not np.isfinite(correction).all():
                break
            head, tail = _core.solvers.add_correction(head, tail, correction)
            continue
        # Only the settled value of a policy shows which actions are better: before, its errors
        # would, and policies could come back.
        if np.array_equal(better, rows) or idle > _MOST_IDLE:
            break
        rows, equations, last = better, None, math.inf
    return _tighter(best, _without_dust(mdp, discount, best))


def _without_dust(mdp: MDP, discount: float, best: Certified | None) -> Certified | None:
    """The certificate with 0 for entries that are nothing beside the rewards."""
    if best is None:
        return None
    witness = best.certificate
    dust = np.abs(witness.head) < _NEGLIGIBLE * np.abs(mdp.core.reward).max()
    if not dust.any() or not (witness.head[dust] != 0.0).any():
        return None
    head, tail = (np.where(dust, 0.0, x) for x in (witness.head, witness.tail))
    low, high, finite, _, _ = _core.solvers.precise_residual_bounds(
        mdp.core, 0, discount, head, tail, head, tail, witness.rows
    )
    if not finite:
        return None
    bounds = shifts(*residual_of_scaled(low, high), discount)
    return _formed(mdp, witness.rows, head, tail, *bounds, steps=best.steps)


def _formed(
    mdp: MDP,
    rows: Rows,
    head: Vector,
    tail: Vector,
    lower_shift: float,
    upper_shift: float,
    steps: int = 0,
) -> Certified | None:
    if not (math.isfinite(lower_shift) and math.isfinite(upper_shift)):
        return None
    lower, upper = _core.solvers.round_outward(head, tail, lower_shift, upper_shift)
    gap = _core.solvers.largest_gap(lower, upper)
    if not math.isfinite(gap):
        return None
    policy = mdp.core.action[rows].astype(np.int64)
    certificate = Certificate(
        "discounted", policy, rows, head, tail, lower_shift, upper_shift, lower, upper
    )
    return Certified(certificate, gap, steps)


def _tighter(one: Certified | None, other: Certified | None) -> Certified | None:
    if one is None or other is None:
        return one or other
    return other if other.gap < one.gap else one


def certify_rationals(mdp: MDP, rows: Rows, head: Vector, tail: Vector) -> Certified | None:
    """The certificate of an exact model: residuals in fractions, no error bounds needed."""
    rational = mdp.rational
    assert rational is not None and rational.discount is not None
    w = [Fraction(h) + Fraction(t) for h, t in zip(head.tolist(), tail.tolist(), strict=True)]
    chosen = set(rows.tolist())
    low, high = Fraction(0), Fraction(0)
    for s in range(mdp.n_states):
        for row in range(rational.state_ptr[s], rational.state_ptr[s + 1]):
            residual = rational.backup(row, rational.discount, w) - w[s]
            high = max(high, residual)
            if row in chosen:
                low = min(low, residual)
    return _formed(mdp, rows, head, tail, *shifts(low, high, rational.discount))
