"""From a policy to a certificate of its gain: average reward.

The policy's gain and bias are solved for in doubles and refined as head + tail, with residuals
in double-double (T2 with the gain beside the reward): the equations are solved again with the
residual in the place of the reward, until it stops halving. An action is changed only where it is
better beyond both error bounds.

Gains that differ by rounding only are made the same number, a level. Rows within a level then keep
the gain exactly, and one shift of all gains makes their inequalities hold. Rows between levels must
move the gain strictly: where rounding leaves that open, all gains are bent by a little,

    g + e (g - min g)^2 from below,    v - e (max v - v)^2 from above,

which are increasing functions of the gain, the first convex, the second concave: by Jensen's
inequality no row is made worse, and every row between levels gains e times the variance of what
it leads to. Theory and proofs: docs/theory/average.md.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from rltheory import _core
from rltheory.mdp.model import MDP
from rltheory.solvers.average_certificate import AverageCertificate
from rltheory.solvers.gain_equations import GainEquations
from rltheory.solvers.rounding import ROW_SUM_RANGE, round_down, round_up
from rltheory.solvers.tolerance import Tolerance

__all__ = ["CertifiedGain", "certify_bias", "certify_policy", "guaranteed_reach", "level_gains"]

Vector = NDArray[np.float64]
Rows = NDArray[np.int64]
Pair = tuple[Vector, Vector]

_MOST_STEPS = 1000
_MOST_IDLE = 20
"""Steps without a smaller gap after which a change of actions is not tried any more."""
_MOST_BENDS = 8
_SAME_GAIN = 2.0**-30
"""Share to which what a row gains and loses must cancel for it to keep the gain."""
_SETTLED = 2.0**-80
"""Share of the largest gain below which a change of gain may be left of refinement."""
LEVEL_WIDTHS = (2.0**-88, 2.0**-70, 2.0**-56, 2.0**-44)
"""Gains closer than this share of the largest are tried as one level, the finest first."""


@dataclass(frozen=True)
class CertifiedGain:
    """A certificate, its gap, the gain that it brackets, and how many steps it took."""

    certificate: AverageCertificate
    gap: float
    gain: Vector
    steps: int = 0


def certify_bias(mdp: MDP, bias: Vector) -> CertifiedGain | None:
    """The certificate of a policy that is greedy for this bias, with the bias as it is."""
    _, rows = _core.solvers.bellman(mdp.core, 0, 1.0, bias)
    zero = np.zeros_like(bias)
    return _bracket(mdp, rows, (zero, zero), (bias, zero), one_level=True)


def certify_policy(mdp: MDP, rows: Rows, tolerance: Tolerance) -> CertifiedGain | None:
    """The tightest certificate found for this policy, or for better ones.

    Parameters
    ----------
    mdp : MDP
        Without exits.
    rows : ndarray of int64, shape (S,)
        Rows of a policy.
    tolerance : Tolerance
        Work ends as soon as it is met.

    Returns
    -------
    CertifiedGain or None
        None where nothing finite can be certified (overflow, or a chain that doubles cannot solve).
    """
    best: CertifiedGain | None = None
    steps = idle = 0
    while steps < _MOST_STEPS and idle <= _MOST_IDLE:
        equations = GainEquations(mdp, rows)
        before, better = best, rows
        for gain, bias in _solutions(mdp, equations, rows):
            steps += 1
            for width in LEVEL_WIDTHS:
                one_level, levels = _levels(gain, width, equations.class_of)
                found = _bracket(mdp, rows, levels, bias, one_level, steps)
                best = _tighter(best, found)
                if best is not None and best.gap <= tolerance.of(best.certificate):
                    return best
                if one_level:
                    break
            # Only what is settled shows which actions are better: this is the last one's.
            better = _of_more_gain(mdp, gain, rows)
            if np.array_equal(better, rows):
                better = _core.solvers.gain_bias_residuals(mdp.core, *levels, *bias, rows)[4]
        idle = idle + 1 if best is before else 0
        if np.array_equal(better, rows):
            break
        rows = better
    return best


def guaranteed_reach(core: _core.model.Model, largest_gain: float, largest_bias: float) -> float:
    """The gap that refinement reaches once it has settled: 6 max E2 / (1-2^-28) + 2 ulps.

    Both shifts are at most max E2 beside the settled residuals, which lie within as much of 0; an
    action that is better by less than the two error bounds is left alone.
    """
    n = core.longest_row
    size = float(np.abs(core.reward).max()) + largest_gain + 2.0 * largest_bias
    error = (4 * n + 40) * 2.0**-106 * size + (n + 8) * 2.0**-1070
    return 6 * error / (1.0 - 2.0**-28) + 2 * math.ulp(largest_gain)


def level_gains(gain: Vector, class_of: Rows) -> Vector:
    """Gains in which those that differ by rounding only are the same double."""
    return _levels((gain, np.zeros_like(gain)), LEVEL_WIDTHS[-1], class_of)[1][0]


def _solutions(mdp: MDP, equations: GainEquations, rows: Rows) -> Iterator[tuple[Pair, Pair]]:
    """The policy's gain and bias as head + tail, better and better, until that stops."""
    core, last = mdp.core, math.inf
    zero = np.zeros(mdp.n_states)
    first = equations.solve(core.reward[rows])
    gain, bias = (first[0], zero), (first[1], zero)
    while all(np.isfinite(x).all() for x in (*gain, *bias)):
        yield gain, bias
        residual = _core.solvers.gain_bias_residuals(core, *gain, *bias, rows)[3]
        drift = None
        size = float(np.abs(residual).max())
        if equations.count > 1:
            drift = _core.solvers.gain_drift(core, *gain, 1.0, rows)[2]
            size += float(np.abs(drift).max())
        if not 0.0 < size <= 0.5 * last:
            return
        last = size
        more_gain, more_bias = equations.solve(residual, drift)
        gain = _core.solvers.add_correction(*gain, more_gain)
        bias = _core.solvers.add_correction(*bias, more_bias)


def _of_more_gain(mdp: MDP, gain: Pair, rows: Rows) -> Rows:
    """The policy with rows that lead to more gain, where there are such beyond rounding.

    Methods compare gains in doubles and do not see what differs by less than their levels.
    """
    head, tail = gain
    if np.ptp(head) == 0.0 and np.ptp(tail) == 0.0:
        return rows
    col, prob = mdp.transitions.indices, mdp.transitions.data
    first = mdp.transitions.indptr[:-1]
    owner = np.repeat(np.arange(mdp.n_states), np.diff(mdp.core.state_ptr))
    at = np.repeat(owner, np.diff(mdp.transitions.indptr))
    ahead = prob * ((head[col] - head[at]) + (tail[col] - tail[at]))
    change = np.add.reduceat(ahead, first)
    least = np.maximum(
        _SAME_GAIN * np.add.reduceat(np.abs(ahead), first), _SETTLED * np.abs(head).max()
    )
    raises = np.where(change > least, change, 0.0)
    best = np.lexsort((raises, owner))[mdp.core.state_ptr[1:] - 1]
    return np.where(raises[best] > raises[rows], best, rows)


def _levels(gain: Pair, width: float, class_of: Rows) -> tuple[bool, Pair]:
    """Whether one level is left when gains this close are made one; and the gains.

    A level's number is that of a state in a closed class, where there is one.
    """
    head, tail = gain
    order = np.lexsort((tail, head))
    step = np.diff(head[order]) + np.diff(tail[order])
    level = np.empty(len(head), dtype=np.int64)
    level[order] = np.concatenate([[0], np.cumsum(step > width * np.abs(head).max())])
    by_level = np.lexsort((class_of < 0, level))
    _, first = np.unique(level[by_level], return_index=True)
    number = by_level[first][level]
    return len(first) == 1, (head[number], tail[number])


def _bracket(
    mdp: MDP, rows: Rows, gain: Pair, bias: Pair, one_level: bool, steps: int = 0
) -> CertifiedGain | None:
    """The certificate of these witnesses after bending and shifting the gains."""
    core = mdp.core
    low_gain = high_gain = gain
    if not one_level:
        below, above = (_bent(core, rows, gain, upward) for upward in (True, False))
        if below is None or above is None:
            return None
        low_gain, high_gain = below, above
    low, high, finite, _, _ = _core.solvers.gain_bias_residuals(core, *low_gain, *bias, rows)
    if high_gain is not low_gain:
        _, high, more, _, _ = _core.solvers.gain_bias_residuals(core, *high_gain, *bias, rows)
        finite = finite and more
    if not (finite and math.isfinite(low) and math.isfinite(high)):
        return None
    down, up = round_down(-_unscaled(core, -low)), round_up(_unscaled(core, high))
    lower, _ = _core.solvers.round_outward(*low_gain, down, down)
    _, upper = _core.solvers.round_outward(*high_gain, up, up)
    gap = _core.solvers.largest_gap(lower, upper)
    if not math.isfinite(gap):
        return None
    certificate = AverageCertificate(
        policy=core.action[rows].astype(np.int64),
        rows=rows,
        lower_gain=low_gain[0],
        lower_tail=low_gain[1],
        lower_shift=down,
        upper_gain=high_gain[0],
        upper_tail=high_gain[1],
        upper_shift=up,
        bias=bias[0],
        bias_tail=bias[1],
        lower=lower,
        upper=upper,
    )
    middle = gain[0] + (0.5 * down + 0.5 * up)
    return CertifiedGain(certificate, gap, np.clip(middle, lower, upper), steps)


def _unscaled(core: _core.model.Model, bound: float) -> Fraction:
    """The least number that x is below if x times a row sum is below `bound`."""
    exact = Fraction(bound)
    if not core.defect.size:
        return exact
    return exact / (1 - ROW_SUM_RANGE if exact > 0 else 1 + ROW_SUM_RANGE)


def _bent(core: _core.model.Model, rows: Rows, gain: Pair, upward: bool) -> Pair | None:
    """The gains, bent as little as makes every row between levels move them strictly."""
    order = np.lexsort((gain[1], gain[0]))
    centre = order[0] if upward else order[-1]
    # Squares of gains are beyond doubles long before gains are.
    exponent = math.frexp(float(np.abs(gain[0]).max()))[1]
    scale = math.ldexp(1.0, -max(-1022, min(exponent, 1022)))
    curvature, out = 0.0, gain
    for _ in range(_MOST_BENDS):
        below, above, _ = _core.solvers.gain_drift(core, *out, scale, rows)
        need = below if upward else above
        if need == 0.0:
            return out
        curvature = 2.0 * (curvature + need)
        if not math.isfinite(curvature):
            return None
        bend = curvature if upward else -curvature
        out = _core.solvers.curve_gain(*gain, scale, gain[0][centre], gain[1][centre], bend)
    return None


def _tighter(one: CertifiedGain | None, other: CertifiedGain | None) -> CertifiedGain | None:
    if one is None or other is None:
        return one or other
    return other if other.gap < one.gap else one
