"""From a policy and an approximate value to a certificate: total reward.

With residuals rho = T w - w bounded in doubles (T1) or in double-double (T2), and rankings f and g
(`rltheory.solvers.total_rankings`), w - e f and (1 - e' k) w + e' g satisfy their inequalities for
e >= max(0, -min rho) over the policy's rows and e' >= max(0, max rho) over all rows. On a
zero-reward end component w and g are constant, bit for bit: there rows that stay have residual 0,
and nothing need decrease. Where doubles do not reach the tolerance, w is refined as head + tail.
Proofs: docs/theory/total.md.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory import _core
from rltheory.mdp.model import MDP
from rltheory.solvers.collapse import Collapsed
from rltheory.solvers.policy_equations import PolicyEquations
from rltheory.solvers.rounding import residual_of_scaled, round_up
from rltheory.solvers.tolerance import Tolerance
from rltheory.solvers.total_certificate import TotalCertificate
from rltheory.solvers.total_methods import is_proper
from rltheory.solvers.total_rankings import UpperRanking, lower_ranking

__all__ = ["Lifted", "TotalCertified", "certify_total", "form", "rational_residuals", "reach"]

Vector = NDArray[np.float64]
Rows = NDArray[np.int64]
Flags = NDArray[np.bool_]

_MOST_STEPS = 1000


@dataclass(frozen=True)
class TotalCertified:
    """A certificate, its gap, its policy on the collapsed model, and how many steps it took."""

    certificate: TotalCertificate
    gap: float
    chosen: Rows
    steps: int = 0


@dataclass(frozen=True)
class Lifted:
    """A policy of the model made from one of the collapsed model, with both rankings.

    Parameters
    ----------
    collapsed : Collapsed
    chosen : ndarray of int64
        The policy's rows of the collapsed model.
    rows, held, speaker : ndarray, shape (S,)
        As `Collapsed.lift` gives them.
    below, above : ndarray of float64, shape (S,)
        f and g.
    weight : float
        k.
    """

    collapsed: Collapsed
    chosen: Rows
    rows: Rows
    held: Flags
    speaker: Rows
    below: Vector
    above: Vector
    weight: float

    @classmethod
    def of(cls, collapsed: Collapsed, chosen: Rows, upper: UpperRanking) -> "Lifted | None":
        rows, held, speaker = collapsed.lift(chosen)
        f = lower_ranking(collapsed.mdp.core, rows, held)
        if f is None:
            return None
        g = upper.value[collapsed.state]
        return cls(collapsed, chosen, rows, held, speaker, f, g, upper.reward_weight)

    def constant(self, x: Vector) -> Vector:
        """The vector, made constant on components that are left and 0 on those that are not."""
        return np.where(self.held, 0.0, x[self.speaker])


def certify_total(
    collapsed: Collapsed, chosen: Rows, value: Vector, upper: UpperRanking, tolerance: Tolerance
) -> TotalCertified | None:
    """The tightest certificate found for this policy of the collapsed model, or for better ones.

    Parameters
    ----------
    collapsed : Collapsed
    chosen : ndarray of int64
        The policy's rows.
    value : ndarray of float64
        Near its value and the optimum.
    upper : UpperRanking
    tolerance : Tolerance
        Work ends as soon as it is met.

    Returns
    -------
    TotalCertified or None
        None where nothing finite can be certified.
    """
    core = collapsed.mdp.core
    chosen = _stopped(collapsed, chosen, value)
    lifted = Lifted.of(collapsed, chosen, upper)
    if lifted is None:
        return None
    w = lifted.constant(value[collapsed.state])
    best: TotalCertified | None = None
    low, high, finite = _core.solvers.residual_bounds(core, 0, 1.0, w, w, lifted.rows)
    if finite:
        best = form(lifted, w, np.zeros_like(w), low, high)
    if best is not None and best.gap <= tolerance.of(best.certificate):
        return best
    return _tighter(best, _refine(lifted, upper, w, tolerance))


def _stopped(collapsed: Collapsed, chosen: Rows, value: Vector) -> Rows:
    """The policy, staying where to leave a component is worth nothing."""
    stop = collapsed.stop
    return np.where((stop >= 0) & (value <= 0.0), stop, chosen)


def _refine(
    lifted: Lifted, upper: UpperRanking, w: Vector, tolerance: Tolerance
) -> TotalCertified | None:
    core = lifted.collapsed.mdp.core
    head, tail = w, np.zeros_like(w)
    equations: PolicyEquations | None = None
    best: TotalCertified | None = None
    last = math.inf
    for step in range(_MOST_STEPS):
        low, high, finite, residual, better = _core.solvers.precise_residual_bounds(
            core, 0, 1.0, head, tail, head, tail, lifted.rows
        )
        if not finite:
            break
        best = _tighter(best, form(lifted, head, tail, *residual_of_scaled(low, high), step + 1))
        if best is not None and best.gap <= tolerance.of(best.certificate):
            return best
        residual = np.where(lifted.held, 0.0, residual)
        size = float(np.abs(residual).max())
        if size > 0.0 and size <= 0.5 * last:
            last = size
            if equations is None:
                equations = PolicyEquations(core, 1.0, lifted.rows, lifted.held)
            correction = equations.solve(residual, wanted=1e-6)
            if not np.isfinite(correction).all():
                break
            head, tail = _core.solvers.add_correction(head, tail, correction)
            head, tail = lifted.constant(head), lifted.constant(tail)
            continue
        following = _followed(lifted, upper, better, head)
        if following is None:
            break
        lifted, equations, last = following, None, math.inf
        head, tail = lifted.constant(head), lifted.constant(tail)
    return best


def _followed(lifted: Lifted, upper: UpperRanking, better: Rows, head: Vector) -> Lifted | None:
    """The policy with better rows where there are such; None if there are none, or it stays."""
    collapsed = lifted.collapsed
    chosen = lifted.chosen.copy()
    rows = collapsed.row_of[better]
    changed = (better != lifted.rows) & (rows >= 0)
    chosen[collapsed.state[changed]] = rows[changed]
    value = np.full(collapsed.core.n_states, -math.inf)
    np.maximum.at(value, collapsed.state, head)
    value[collapsed.state[changed]] = math.inf
    chosen = _stopped(collapsed, chosen, value)
    if np.array_equal(chosen, lifted.chosen) or not is_proper(collapsed.core, chosen):
        return None
    return Lifted.of(collapsed, chosen, upper)


def form(
    lifted: Lifted, head: Any, tail: Any, low: Any, high: Any, steps: int = 0
) -> TotalCertified | None:
    """The certificate of a value whose residuals lie between `low` and `high`."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return None
    if ((lifted.collapsed.component >= 0) & (head < 0.0)).any():
        return None  # to stay there would be better: the upper witness must not be negative
    down = round_up(max(Fraction(0), -Fraction(low)))
    up = round_up(max(Fraction(0), Fraction(high)))
    if not (math.isfinite(down) and up * lifted.weight <= 0.5):
        return None
    f, g, k = lifted.below, lifted.above, lifted.weight
    below = np.where((down == 0.0) | (f == 0.0), 0.0, np.nextafter(down * f, np.inf))
    size = np.abs(g) + k * np.abs(head)
    raised = (g - k * head) + 2.0**-49 * size
    above = np.where((up == 0.0) | (size == 0.0), 0.0, np.nextafter(up * raised, np.inf))
    lower, upper = _core.solvers.round_outward_by(head, tail, -below, above)
    lower, upper = np.minimum(lower, head), np.maximum(upper, head)
    gap = _core.solvers.largest_gap(lower, upper)
    if not math.isfinite(gap):
        return None
    policy = lifted.collapsed.mdp.core.action[lifted.rows].astype(np.int64)
    certificate = TotalCertificate(policy, lifted.rows, head, tail, f, g, down, up, k, lower, upper)
    return TotalCertified(certificate, gap, lifted.chosen, steps)


def _tighter(one: TotalCertified | None, other: TotalCertified | None) -> TotalCertified | None:
    if one is None or other is None:
        return one or other
    return other if other.gap < one.gap else one


def rational_residuals(
    mdp: MDP, rows: Rows, value: Sequence[Fraction]
) -> tuple[Fraction, Fraction]:
    """(least residual of the policy's rows, largest of all rows) of an exact model."""
    rational = mdp.rational
    assert rational is not None
    chosen = set(rows.tolist())
    low, high = Fraction(0), Fraction(0)
    for s in range(mdp.n_states):
        for row in range(rational.state_ptr[s], rational.state_ptr[s + 1]):
            residual = rational.backup(row, 1, value) - value[s]
            high = max(high, residual)
            if row in chosen:
                low = min(low, residual)
    return low, high


def reach(core: _core.model.Model, certificate: TotalCertificate) -> float:
    """The gap that refinement reaches: residual errors times rankings, and two ulps."""
    n = core.longest_row
    largest = float(np.abs(certificate.upper).max())
    largest = max(largest, float(np.abs(certificate.lower).max()))
    size = float(np.abs(core.reward).max()) + 2.0 * largest
    error = (4 * n + 40) * 2.0**-106 * size + (n + 8) * 2.0**-1070
    f, g = (float(np.abs(x).max()) for x in (certificate.lower_ranking, certificate.upper_ranking))
    k = float(certificate.reward_weight)
    return 4 * error * (f + g + k * largest) / (1 - 2.0**-28) + 2 * math.ulp(largest)
