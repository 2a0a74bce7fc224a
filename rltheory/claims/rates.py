"""Rate claims on one instance: how the mean of a measurement grows along a grid.

The check is ``check(instance, x, stream)``: one trial at the point x, with the stated bound there,
the same in every trial at x. Two kinds of statement:

    upper      mean <= C bound for some C: the slope b of log(mean / bound) over log x is not
               positive. Confirmed where b <= margin is sure, refuted where b > 0 is.
    theta      mean = Theta(bound): the slope b of log mean is, up to the margin, between the least
               and the largest slope of log bound from one point of the grid to the next, where
               that of C bound lies. Confirmed where b surely is, refuted where it surely is not.

Trials are added, the same number at every point, doubling, until b is known well enough; the level
is shared evenly by the looks. What is refuted is so far off that a repetition would refute it with
probability .99 as well: a mutant that falls does so with that power. The intervals are Student's
with the degrees of freedom of Welch and Satterthwaite (`rltheory.inference.rate`); their levels are
asymptotic in the number of trials.
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
    ratio = float((means / trials.bound).max())
    try:
        fit = _fitted(rate, trials)
    except SweepError as fault:
        return Outcome("undecided", trials.total, ratio, str(fault))
    low, high = _slopes_allowed(rate, trials)
    least, most = fit.one_sided(level)
    again = float(student.isf(1.0 - _POWER, fit.degrees)) * fit.standard_error
    status = "undecided"
    allowed = (low - rate.margin, high + rate.margin)
    # An upper bound is refuted by any growth beside it; equal growth is so up to the margin only.
    refuting = allowed if rate.theta else (low, high)
    if least - again > refuting[1] or most + again < refuting[0]:
        status = "refuted"
    elif allowed[0] <= least and most <= allowed[1]:
        status = "confirmed"
    reach = most - fit.slope
    told = (
        f"slope {fit.slope:.4g} +- {reach:.2g}, {_claimed(low, high)}, margin {rate.margin:g}, "
        f"{trials.total} trials at {len(trials.x)} points; slopes off by {reach + again:.2g} are "
        f"refuted with power {_POWER:g}"
    )
    worst = None
    if status == "refuted":
        worst = Measurement(fit.slope, high if fit.slope > high else low, what="slope")
    return Outcome(status, trials.total, ratio, told, worst)


def _fitted(rate: Rate, trials: _Trials) -> RateFit:
    scale = np.ones_like(trials.bound) if rate.theta else trials.bound
    samples = [np.array(y) / s for y, s in zip(trials.measured, scale, strict=True)]
    flags: Any = trials.censored if any(map(any, trials.censored)) else None
    return fit_rate(trials.x, samples, censored=flags)


def _slopes_allowed(rate: Rate, trials: _Trials) -> tuple[float, float]:
    if not rate.theta:
        return -math.inf, 0.0
    local = np.diff(np.log(trials.bound)) / np.diff(np.log(trials.x))
    return float(local.min()), float(local.max())


def _claimed(low: float, high: float) -> str:
    if low == -math.inf:
        return "claimed at most 0 for measured / bound"
    return f"claimed in [{low:.4g}, {high:.4g}]"
