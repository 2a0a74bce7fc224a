"""Backward induction with a certificate, in doubles and where needed in double-double.

The witness is the computed value; stage h is compared with T of stage h + 1. Its shifts add up
from the end (theorem C2 of docs/theory/certificates.md):

    k_H = 0,    k_h = round_down(k_{h+1} + min(0, least residual of stage h)).
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory import _core
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.solvers.certificate import Certificate
from rltheory.solvers.rounding import (
    residual_of_scaled,
    round_down,
    round_up,
)
from rltheory.solvers.tolerance import Tolerance

__all__ = ["backward_induction", "certify_stages", "reach"]

Certified = tuple[Certificate, float]


def backward_induction(
    mdp: EpisodicMDP, tolerance: Tolerance
) -> tuple[Certificate | None, float, int]:
    """The optimal value by backward induction, certified.

    Returns
    -------
    certificate : Certificate or None
        None where nothing finite was computed.
    gap : float
    passes : int
        1, or 2 where doubles did not reach the tolerance.
    """
    core, H = mdp.core, mdp.horizon
    head, rows, errors = _core.solvers.backward_induction(core, H)
    tail = np.zeros_like(head)
    if mdp.rational is None:
        found = _formed(mdp, rows, head, tail, [(-e, e) for e in errors.tolist()])
        if found is not None and found[1] <= tolerance.of(found[0]):
            return (*found, 1)
    found = certify_stages(mdp, rows, head, tail, precise=False)
    if found is not None and found[1] <= tolerance.of(found[0]):
        return (*found, 1)
    head, tail, rows = _core.solvers.backward_induction_double_double(core, H)
    found = _tighter(found, certify_stages(mdp, rows, head, tail, precise=True))
    if found is not None and found[1] > tolerance.of(found[0]):
        dust = np.abs(head) < 2.0**-60 * np.abs(core.reward).max()
        head, tail = (np.where(dust, 0.0, x) for x in (head, tail))
        found = _tighter(found, certify_stages(mdp, rows, head, tail, precise=True))
    return (None, math.inf, 2) if found is None else (*found, 2)


def reach(mdp: EpisodicMDP, largest_value: float) -> float:
    """The gap that double-double always reaches: 2 H max E2 / (1 - 2^-28) + 2 ulps."""
    n = mdp.core.longest_row
    size = float(np.abs(mdp.core.reward).max()) + 2.0 * largest_value
    error = (4 * n + 40) * 2.0**-106 * size + (n + 8) * 2.0**-1070
    return 2 * mdp.horizon * error / (1 - 2.0**-28) + 2 * math.ulp(largest_value)


def certify_stages(
    mdp: EpisodicMDP,
    rows: NDArray[np.int64],
    head: NDArray[np.float64],
    tail: NDArray[np.float64],
    precise: bool,
) -> Certified | None:
    stages = range(mdp.horizon)
    residuals = [_stage_residuals(mdp, h, rows, head, tail, precise) for h in stages]
    return _formed(mdp, rows, head, tail, residuals)


def _formed(
    mdp: EpisodicMDP,
    rows: NDArray[np.int64],
    head: NDArray[np.float64],
    tail: NDArray[np.float64],
    residuals: Sequence[tuple[Any, Any]],
) -> Certified | None:
    """The certificate whose stages have residuals T w_{h+1} - w_h between these bounds."""
    H, S = mdp.horizon, mdp.n_states
    below, above = np.zeros(H + 1), np.zeros(H + 1)
    for h in reversed(range(H)):
        low, high = residuals[h]
        if not (math.isfinite(low) and math.isfinite(high)):
            return None
        k, up = Fraction(float(below[h + 1])), Fraction(float(above[h + 1]))
        below[h] = round_down(k + min(Fraction(0), Fraction(low)))
        above[h] = round_up(up + max(Fraction(0), Fraction(high)))
        if not np.isfinite([below[h], above[h]]).all():
            return None
    lower, upper = np.zeros((H + 1, S)), np.zeros((H + 1, S))
    for h in range(H):
        lower[h], upper[h] = _core.solvers.round_outward(
            head[h], tail[h], float(below[h]), float(above[h])
        )
    gap = _core.solvers.largest_gap(lower, upper)
    if not math.isfinite(gap):
        return None
    policy = mdp.core.action[rows].astype(np.int64)
    certificate = Certificate(
        "finite-horizon", policy, rows, head, tail, below, above, lower, upper
    )
    return certificate, gap


def _stage_residuals(
    mdp: EpisodicMDP,
    h: int,
    rows: NDArray[np.int64],
    head: NDArray[np.float64],
    tail: NDArray[np.float64],
    precise: bool,
) -> tuple[Any, Any]:
    """Bounds of T w_{h+1} - w_h; infinite where a residual is not finite."""
    if mdp.rational is not None:
        return _rational_residuals(mdp, h, rows, head, tail)
    core, stage = mdp.core, mdp.stage(h)
    if not precise:
        low, high, finite = _core.solvers.residual_bounds(
            core, stage, 1.0, head[h + 1], head[h], rows[h]
        )
        return (low, high) if finite else (-math.inf, math.inf)
    low, high, finite, _, _ = _core.solvers.precise_residual_bounds(
        core, stage, 1.0, head[h + 1], tail[h + 1], head[h], tail[h], rows[h]
    )
    return residual_of_scaled(low, high) if finite else (-math.inf, math.inf)


def _rational_residuals(
    mdp: EpisodicMDP,
    h: int,
    rows: NDArray[np.int64],
    head: NDArray[np.float64],
    tail: NDArray[np.float64],
) -> tuple[Fraction, Fraction]:
    rational = mdp.rational
    assert rational is not None
    here, ahead = (
        [Fraction(a) + Fraction(b) for a, b in zip(head[k].tolist(), tail[k].tolist(), strict=True)]
        for k in (h, h + 1)
    )
    first = mdp.stage(h) * mdp.n_states
    low, high = Fraction(0), Fraction(0)
    for s in range(mdp.n_states):
        for row in range(rational.state_ptr[first + s], rational.state_ptr[first + s + 1]):
            residual = rational.backup(row, 1, ahead) - here[s]
            high = max(high, residual)
            if row == rows[h, s]:
                low = min(low, residual)
    return low, high


def _tighter(one: Certified | None, other: Certified | None) -> Certified | None:
    if one is None or other is None:
        return one or other
    return other if other[1] < one[1] else one
