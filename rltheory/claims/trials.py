"""Random claims on one instance: trials until the question is settled, or the budget is used.

Where nothing is refuted, and no trial says anything, as its condition never holds or its bound is
one that always holds (of a mean: the top of its range), the claim is vacuous on the instance.

Every trial has a Philox stream of its own, keyed by (claim, instance, trial): the outcome depends
on the claim, the instance and the seed alone.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from rltheory.claims.claim import Claim, Measurement
from rltheory.claims.evidence import is_informative, measurements, violated
from rltheory.claims.family import Instance
from rltheory.errors import ClaimError
from rltheory.inference.betting import BettingInterval
from rltheory.inference.sequential import SequentialTest, fewest_trials
from rltheory.mdp.streams import Stream

__all__ = ["MARGIN_EXPECTATION", "MARGIN_PROBABILITY", "Outcome", "run_trials"]

MARGIN_PROBABILITY = 1.1
MARGIN_EXPECTATION = 0.02
_BATCH = 200
_LIKELY_BATCHES = {"quick": 1, "standard": 4, "deep": 40}


@dataclass(frozen=True)
class Outcome:
    """What the trials on one instance say."""

    status: str  # confirmed, refuted, undecided or vacuous
    trials: int
    ratio: float | None
    reason: str
    measurement: Measurement | None = None


def run_trials(
    claim: Claim,
    instance: Instance,
    label: str,
    seed: int,
    budget: str,
    level: float,
) -> Outcome:
    """Trials of a random claim on one instance, at the given probability of a wrong verdict."""
    if claim.kind == "expectation":
        return _expectation(claim, instance, label, seed, budget, level)
    return _probability(claim, instance, label, seed, budget, level)


def trial(claim: Claim, instance: Instance, label: str, seed: int, number: int) -> Any:
    """One run of the check on the stream of this trial."""
    stream = Stream(seed, f"claims.trial.{claim.id.split('/')[0]}.{label}", number)
    return claim.check(instance, stream)


def _probability(
    claim: Claim, instance: Instance, label: str, seed: int, budget: str, level: float
) -> Outcome:
    delta = claim.delta(instance) if callable(claim.delta) else claim.delta
    assert delta is not None
    if not 0.0 < delta * MARGIN_PROBABILITY < 1.0:
        raise ClaimError(f"{claim.id}: delta is {delta!r}; 1.1 delta must be in (0, 1)")
    alpha = level / 2.0
    test = SequentialTest(delta, alpha, alpha, MARGIN_PROBABILITY)
    fewest = fewest_trials(delta, alpha, MARGIN_PROBABILITY)
    most = fewest * 2 * _LIKELY_BATCHES[budget]
    ratios: list[float] = []
    worst: Measurement | None = None
    informative = 0
    while test.decision is None and test.trials < most:
        for number in range(test.trials, min(most, test.trials + _BATCH)):
            found = measurements(claim, trial(claim, instance, label, seed, number))
            failed = [m for m in found if violated("inequality", m)]
            if failed and worst is None:
                worst = failed[0]
            test.add(bool(failed), 1)
            informative += any(is_informative("inequality", m) for m in found)
            ratios += [float(m.measured / m.bound) for m in found[:1] if m.event and m.bound > 0]
    decision = test.decision or "undecided"
    seen = f"{test.failures} failures in {test.trials} trials, delta {delta:g}"
    if decision != "refuted" and not informative:
        told = "no trial says anything: every bound is trivial, or its condition never holds"
        return Outcome("vacuous", test.trials, None, told)
    ratio = float(np.quantile(ratios, 1.0 - delta, method="higher")) if ratios else None
    return Outcome(decision, test.trials, ratio, seen, worst if decision == "refuted" else None)


def _expectation(
    claim: Claim, instance: Instance, label: str, seed: int, budget: str, level: float
) -> Outcome:
    assert claim.range is not None
    low, high = claim.range(instance)
    interval = BettingInterval(low, high, alpha=level)
    most = 2000 * _LIKELY_BATCHES[budget]
    total, bound, event, informative = 0.0, math.nan, True, False
    while interval.trials < most:
        values = []
        for number in range(interval.trials, min(most, interval.trials + _BATCH)):
            (m,) = measurements(claim, trial(claim, instance, label, seed, number))
            if math.isnan(bound):
                bound, event = float(m.bound), m.event
            elif float(m.bound) != bound or m.event != event:
                raise ClaimError(
                    f"{claim.id}: the {'condition' if m.event != event else 'bound'} of an "
                    "expectation changes with the trial"
                )
            informative = informative or (is_informative("inequality", m) and m.bound < high)
            values.append(float(m.measured))
        interval.add(np.array(values))
        total += math.fsum(values)
        lower, upper = interval.bounds
        decision = "undecided"
        if not event:
            break
        if lower > bound:
            decision = "refuted"
        elif upper <= bound + MARGIN_EXPECTATION * abs(bound):
            decision = "confirmed"
        if decision != "undecided":
            break
    if decision != "refuted" and not informative:
        told = f"the bound {bound:.4g} always holds" if event else "its condition does not hold"
        return Outcome("vacuous", interval.trials, None, told)
    mean = total / interval.trials
    seen = f"mean {mean:.4g} in [{lower:.4g}, {upper:.4g}], bound {bound:.4g}"
    ratio = mean / bound if bound > 0 else None
    worst = Measurement(mean, bound, what="mean") if decision == "refuted" else None
    return Outcome(decision, interval.trials, ratio, seen, worst)
