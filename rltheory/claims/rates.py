"""Rate claims on one instance: how the mean of a measurement grows along a grid.

The check is ``check(instance, x, stream)``: one trial at the point x, with the stated bound there,
the same in every trial at x. What is claimed is about the slope b of log(mean / bound) over log x,
by least squares on this grid, and about its local slopes, from one point to the next:

    upper      b <= 0: on this grid, the mean grows no faster than the bound. Confirmed where
               b <= margin is sure and no local slope is surely above the margin; refuted where
               b > 0 is sure.
    theta      the mean grows as fast as the bound: b, read as the slope of log mean, lies between
               the least and the largest local slope of log bound, up to the margin. Confirmed where
               that is sure and no local slope of log(mean / bound) is surely off by more than the
               margin; refuted where b surely is.

Trials are added, the same number at every point, doubling, until b is known well enough; the level
is shared evenly by the looks. To refute, the estimate has to be beyond the bound by a further 2.3
standard errors: if it is right, the plain rule refutes with probability .99. A slope that is off by
what is told is refuted with probability .99. Bounds of b are Student's with the degrees of freedom
of Welch and Satterthwaite (`rltheory.inference.rate`); their levels are asymptotic in the number of
trials, and too small for trials with heavy tails. Trials that are all equal show no spread to
judge by: as long as those at some point are, nothing is sure, unless `Rate.fixed` says that they
cannot differ.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from rltheory.claims.claim import Claim, Measurement, Rate
from rltheory.claims.evidence import measurements
from rltheory.claims.family import Instance
from rltheory.claims.trials import Outcome
from rltheory.errors import ClaimError, SweepError
from rltheory.inference.rate import FEWEST_TRIALS, RateFit, fit_rate
from rltheory.mdp.streams import Stream

__all__ = ["run_rate"]

Array = NDArray[np.float64]

_LOOKS = {"quick": 2, "standard": 7, "deep": 10}
"""Times that trials are looked at, each time twice as many, from 20 a point on."""
_POWER = 0.99
_SAME = 1e-9
"""Trials whose relative differences are below this are equal; what is left is rounding."""


class _Trials:
    """What was measured at every point so far."""

    def __init__(self, claim: Claim, instance: Instance, label: str, seed: int, rate: Rate) -> None:
        self._claim, self._instance, self._label, self._seed = claim, instance, label, seed
        self.x = rate.points(instance)
        self.measured: list[list[float]] = [[] for _ in self.x]
        self.censored: list[list[bool]] = [[] for _ in self.x]
        self.bound = np.full(len(self.x), np.nan)
        self.trivial = np.full(len(self.x), np.inf)

    @property
    def total(self) -> int:
        return sum(map(len, self.measured))

    def extend(self, count: int) -> None:
        """Up to `count` trials at every point."""
        purpose = f"claims.rate.{self._claim.id.split('/')[0]}.{self._label}"
        for i, x in enumerate(self.x):
            for number in range(len(self.measured[i]), count):
                found = self._claim.check(self._instance, x, Stream(self._seed, purpose, i, number))
                (m,) = measurements(self._claim, found)
                self._add(i, m)

    def _add(self, i: int, m: Measurement) -> None:
        if not m.event:
            raise ClaimError(f"{self._claim.id}: a rate has no condition; leave such trials out")
        bound = float(m.bound)
        if math.isnan(self.bound[i]):
            self.bound[i] = bound
        if bound != self.bound[i] or not 0.0 < bound < math.inf:
            raise ClaimError(
                f"{self._claim.id}: the bound at x = {self.x[i]:g} is {bound:g}, after "
                f"{self.bound[i]:g}; that of a rate is positive, and the same in every trial at x"
            )
        if m.trivial is not None:
            self.trivial[i] = float(m.trivial)
        self.measured[i].append(float(m.measured))
        self.censored[i].append(m.censored)


def run_rate(
    claim: Claim, instance: Instance, label: str, seed: int, budget: str, level: float
) -> Outcome:
    """Trials of a rate claim on one instance, at the given probability of a wrong verdict."""
    assert claim.rate is not None
    trials = _Trials(claim, instance, label, seed, claim.rate)
    looks = _LOOKS[budget]
    outcome = None
    for look in range(looks):
        trials.extend(FEWEST_TRIALS << look)
        vacuous = trials.bound >= trials.trivial
        if vacuous.any():
            where = ", ".join(f"{x:g}" for x in np.asarray(trials.x)[vacuous])
            told = f"at x = {where} the bound is one that always holds: outside of the regime"
            return Outcome("vacuous", trials.total, None, told)
        outcome = _judged(claim.rate, trials, level / (2.0 * looks))
        if outcome.status != "undecided":
            break
    assert outcome is not None
    return outcome


def _judged(rate: Rate, trials: _Trials, level: float) -> Outcome:
    """What the trials so far say, each of the two verdicts wrong at this level."""
    means = np.array([np.mean(y) for y in trials.measured])
    if not (means > 0.0).all():
        told = f"the mean at x = {trials.x[int(np.argmin(means))]:g} is {means.min():g}"
        return Outcome("undecided", trials.total, None, f"{told}; a rate needs positive means")
    flat = np.array([np.ptp(y) <= _SAME * max(y) for y in trials.measured])
    if rate.fixed and not flat.all():
        x = trials.x[int(np.argmin(flat))]
        raise ClaimError(f"trials at x = {x:g} differ; those of a rate with fixed=True must not")
    if flat.any() and not rate.fixed:
        where = ", ".join(f"{x:g}" for x in np.asarray(trials.x)[flat])
        told = f"all {len(trials.measured[0])} trials at x = {where} are equal"
        told += ": what is rare was not seen, and may change the mean"
        return Outcome("undecided", trials.total, None, told)
    try:
        fit = _fitted(trials)
    except SweepError as fault:
        return Outcome("undecided", trials.total, None, str(fault))
    low, high = _claimed(rate, trials)
    least, most = fit.one_sided(level)
    again = float(student.isf(1.0 - _POWER, fit.degrees)) * fit.standard_error
    allowed = low - rate.margin, high + rate.margin
    # Equal growth is claimed up to the margin; an upper bound is refuted by any growth beside it.
    refuting = allowed if rate.theta else (low, high)
    status, also = "undecided", ""
    if least - again > refuting[1] or most + again < refuting[0]:
        status = "refuted"
    elif allowed[0] <= least and most <= allowed[1]:
        also = _bend(fit, trials, -rate.margin if rate.theta else -math.inf, rate.margin, level)
        status = "undecided" if also else "confirmed"
    reach = most - fit.slope
    seen = reach + 2.0 * again + (rate.margin if rate.theta else 0.0)
    told = (
        f"slope of measured / bound {fit.slope:.3g} +- {reach:.2g}, claimed "
        f"{f'in [{low:.3g}, {high:.3g}]' if rate.theta else 'at most 0'}, margin {rate.margin:g}; "
        f"{trials.total} trials at {len(trials.x)} points; off by {seen:.2g} it would be refuted "
        f"with power {_POWER:g}{also}"
    )
    worst = None
    if status == "refuted":
        worst = Measurement(fit.slope, high if fit.slope > high else low, what="slope")
    return Outcome(status, trials.total, float(np.exp(fit.level.max())), told, worst)


def _fitted(trials: _Trials) -> RateFit:
    samples = [np.array(y) / s for y, s in zip(trials.measured, trials.bound, strict=True)]
    flags: Any = trials.censored if any(map(any, trials.censored)) else None
    return fit_rate(trials.x, samples, censored=flags, bootstrap=False)


def _claimed(rate: Rate, trials: _Trials) -> tuple[float, float]:
    """Between what the slope of log(mean / bound) is claimed to be."""
    if not rate.theta:
        return -math.inf, 0.0
    t, log_bound = np.log(trials.x), np.log(trials.bound)
    local = np.diff(log_bound) / np.diff(t)
    own = float((t - t.mean()) @ log_bound / ((t - t.mean()) ** 2).sum())
    return float(local.min()) - own, float(local.max()) - own


def _bend(fit: RateFit, trials: _Trials, low: float, high: float, level: float) -> str:
    """What to say of a local slope that is surely not in [low, high]; nothing if there is none."""
    steps = np.diff(np.log(fit.x))
    local = np.diff(fit.level) / steps
    error = np.hypot(fit.error[:-1], fit.error[1:]) / steps
    trials_left = min(map(len, trials.measured)) - 1.0
    reach = float(student.isf(level / len(steps), trials_left)) * error + fit.rounding
    off = np.flatnonzero((local - reach > high) | (local + reach < low))
    if not len(off):
        return ""
    i = int(off[0])
    return (
        f"; from x = {trials.x[i]:g} to {trials.x[i + 1]:g} it is {local[i]:.3g}, off by more than "
        "the margin"
    )
