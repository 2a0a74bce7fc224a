"""How often verdicts on random claims are wrong by chance: at most as often as the design says.

The decision procedures of `rltheory.claims.trials` (the sequential test, the betting interval, a
look after every 200 trials) run 2,000 times each on claims that are true at the boundary and on
claims that are false, at level 0.05 in place of 1e-6 so that there are errors to count. Wrong
verdicts may be

    high-probability   "refuted" at p = delta, "confirmed" at p = 1.1 delta and at p = 1.2 delta
    expectation        "refuted" where the mean is the bound, "confirmed" where it is 1.2 bounds

Were a rate exactly at its level, the binomial bound that is asserted would fail once in a million
runs; seeds are fixed. Every simulation shows as well that it would see a test that is wrong.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import betainc, betaincc

import rltheory as rlt
from rltheory.claims.claim import Claim, Measurement, Mutant
from rltheory.claims.trials import MARGIN_EXPECTATION, MARGIN_PROBABILITY, run_trials
from rltheory.inference.betting import BettingInterval
from rltheory.inference.binomial import lower_bound
from rltheory.inference.sequential import (
    SequentialTest,
    log_evidence_against,
    log_evidence_for,
)

RUNS = 2000
LEVEL = 0.05
SURE = 1e-6
BATCH = 200


def rate_is_at_most(level: float, wrong: int, runs: int = RUNS) -> bool:
    """Whether so many wrong verdicts are compatible with that rate, at error level `SURE`."""
    return lower_bound(wrong, runs, SURE) <= level


Evidence = Callable[[NDArray[Any], int], tuple[NDArray[Any], NDArray[Any]]]


def verdicts(
    p: float, evidence: Evidence, level: float, most: int, batch: int = BATCH, seed: int = 0
) -> dict[str, int]:
    """Verdicts of 2,000 runs with failure probability p, looked at after every batch."""
    rng = np.random.default_rng(seed)
    failures = np.zeros(RUNS, dtype=np.int64)
    open_, counted = np.ones(RUNS, dtype=bool), {"refuted": 0, "confirmed": 0}
    for n in range(batch, most + 1, batch):
        failures[open_] += rng.binomial(batch, p, int(open_.sum()))
        against, in_favour = evidence(failures[open_], n)
        refuted = against >= -np.log(level)
        confirmed = (in_favour >= -np.log(level)) & ~refuted
        counted["refuted"] += int(refuted.sum())
        counted["confirmed"] += int(confirmed.sum())
        open_[np.flatnonzero(open_)[refuted | confirmed]] = False
    return counted


def sequential(delta: float) -> Evidence:
    return lambda k, n: (
        log_evidence_against(k, n, delta),
        log_evidence_for(k, n, MARGIN_PROBABILITY * delta),
    )


def fixed_sample(delta: float) -> Evidence:
    """What would be wrong: fixed-sample p-values, looked at again and again."""

    def evidence(k: NDArray[Any], n: int) -> tuple[NDArray[Any], NDArray[Any]]:
        at_least = np.where(k == 0, 1.0, betainc(np.maximum(k, 1), n - k + 1.0, delta))
        at_most = betaincc(k + 1.0, n - k, MARGIN_PROBABILITY * delta)
        return -np.log(np.maximum(at_least, 1e-300)), -np.log(np.maximum(at_most, 1e-300))

    return evidence


@pytest.mark.parametrize("delta", [0.05, 0.3])
@pytest.mark.parametrize(
    ("factor", "wrong"), [(1.0, "refuted"), (1.1, "confirmed"), (1.2, "confirmed")]
)
def test_high_probability_claims(delta: float, factor: float, wrong: str) -> None:
    counted = verdicts(factor * delta, sequential(delta), LEVEL, most=40_000)
    assert rate_is_at_most(LEVEL, counted[wrong])
    right = {"refuted": "confirmed", "confirmed": "refuted"}[wrong]
    # It is no test that never says anything: at the boundary and 20 % above it comes to an end.
    assert counted[right] >= 0.5 * RUNS


@pytest.mark.parametrize(("factor", "wrong"), [(1.0, "refuted"), (1.1, "confirmed")])
def test_fixed_sample_bounds_at_every_look_would_be_seen(factor: float, wrong: str) -> None:
    counted = verdicts(factor * 0.3, fixed_sample(0.3), LEVEL, most=10_000)
    assert not rate_is_at_most(LEVEL, counted[wrong])


@pytest.mark.slow
@pytest.mark.parametrize("delta", [0.02, 0.1, 0.3, 0.6])
@pytest.mark.parametrize(
    ("factor", "wrong"), [(1.0, "refuted"), (1.1, "confirmed"), (1.2, "confirmed")]
)
def test_high_probability_claims_looked_at_after_every_trial(
    delta: float, factor: float, wrong: str
) -> None:
    counted = verdicts(factor * delta, sequential(delta), LEVEL, most=3000, batch=1)
    assert rate_is_at_most(LEVEL, counted[wrong])


def test_the_simulation_decides_as_the_class_does() -> None:
    rng = np.random.default_rng(1)
    for p in (0.25, 0.3, 0.33, 0.36):
        test = SequentialTest(0.3, LEVEL, LEVEL, MARGIN_PROBABILITY)
        while test.trials < 20_000:
            test.add(int(rng.binomial(BATCH, p)), BATCH)
            against, in_favour = sequential(0.3)(np.array([test.failures]), test.trials)
            expected = None
            if in_favour[0] >= -np.log(LEVEL):
                expected = "confirmed"
            if against[0] >= -np.log(LEVEL):
                expected = "refuted"
            assert test.decision == expected
            if expected:
                break


# --- expectations ---------------------------------------------------------------------------

Draw = Callable[[np.random.Generator, int], NDArray[np.float64]]


def coins(p: float) -> Draw:
    return lambda rng, n: (rng.random(n) < p).astype(np.float64)


def spread(mean: float) -> Draw:
    """Values of all sizes, the largest being rare: u^k has mean 1/(k+1)."""
    return lambda rng, n: rng.random(n) ** (1 / mean - 1)


def expectation_verdicts(
    draw: Draw, bound: float, most: int, alpha: float = LEVEL, runs: int = RUNS
) -> dict[str, int]:
    """Verdicts as `rltheory.claims.trials` reaches them, on a coarser grid of means."""
    rng = np.random.default_rng(2)
    counted = {"refuted": 0, "confirmed": 0, "undecided": 0}
    for _ in range(runs):
        interval, verdict = BettingInterval(0.0, 1.0, alpha, grid=64), "undecided"
        while verdict == "undecided" and interval.trials < most:
            interval.add(draw(rng, BATCH))
            lower, upper = interval.bounds
            if lower > bound:
                verdict = "refuted"
            elif upper <= bound * (1 + MARGIN_EXPECTATION):
                verdict = "confirmed"
        counted[verdict] += 1
    return counted


# Bounds just below a point of the grid: rounding outward to the grid costs next to nothing there.
HALF, EIGHTH = 0.5 - 1e-9, 0.125 - 1e-9


@pytest.mark.parametrize(
    ("draw", "bound", "wrong"),
    [
        (coins(HALF), HALF, "refuted"),
        (coins(EIGHTH), EIGHTH, "refuted"),
        (spread(EIGHTH), EIGHTH, "refuted"),
        (coins(1.2 * HALF), HALF, "confirmed"),
        (coins(1.2 * EIGHTH), EIGHTH, "confirmed"),
        (spread(1.2 * EIGHTH), EIGHTH, "confirmed"),
    ],
)
def test_expectation_claims(draw: Draw, bound: float, wrong: str) -> None:
    # Half of the level is for each side of the interval.
    counted = expectation_verdicts(draw, bound, most=800)
    assert rate_is_at_most(LEVEL / 2, counted[wrong])


def test_expectations_far_from_the_bound_are_decided() -> None:
    counted = expectation_verdicts(coins(0.3), 0.5, most=800, runs=100)
    assert counted == {"refuted": 0, "confirmed": 100, "undecided": 0}
    counted = expectation_verdicts(coins(0.7), 0.5, most=800, runs=100)
    assert counted == {"refuted": 100, "confirmed": 0, "undecided": 0}


def test_too_high_a_level_of_the_interval_would_be_seen() -> None:
    counted = expectation_verdicts(coins(HALF), HALF, most=800, alpha=0.6, runs=RUNS // 2)
    assert not rate_is_at_most(LEVEL / 2, counted["refuted"], RUNS // 2)


@pytest.mark.slow
@pytest.mark.parametrize(("p", "wrong"), [(EIGHTH, "refuted"), (1.2 * EIGHTH, "confirmed")])
def test_expectation_claims_over_long_runs(p: float, wrong: str) -> None:
    counted = expectation_verdicts(coins(p), EIGHTH, most=8000)
    assert rate_is_at_most(LEVEL / 2, counted[wrong])


# --- the whole way, at the level of the verdicts ----------------------------------------------


def bernoulli_claim(name: str, p: float, delta: float) -> Claim:
    """Fails with probability p where delta is claimed; its mutant fails always."""
    return Claim(
        id=name,
        kind="high-probability",
        title="",
        statement="",
        check=lambda i, stream: Measurement(float(stream.uniform() < p), 0.5),
        named={"only": dict},
        delta=delta,
        mutants=(Mutant("always", "fails", check=lambda i, stream: Measurement(1.0, 0.5)),),
    )


def mean_claim(name: str, mean: float, bound: float) -> Claim:
    return Claim(
        id=name,
        kind="expectation",
        title="",
        statement="",
        check=lambda i, stream: Measurement(float(stream.uniform() < mean), bound),
        named={"only": dict},
        range=lambda i: (0.0, 1.0),
        mutants=(Mutant("one", "always 1", check=lambda i, stream: Measurement(1.0, bound)),),
    )


# Each verdict here is wrong with probability at most 1e-6; 20 verdicts, fixed seeds.
@pytest.mark.parametrize("seed", range(5))
def test_verdicts_at_their_real_level(seed: int) -> None:
    for claim, never in (
        (bernoulli_claim("at-delta", 0.3, 0.3), "refuted"),
        (bernoulli_claim("above-delta", 0.36, 0.3), "confirmed"),
        (mean_claim("at-bound", 0.4, 0.4), "refuted"),
        (mean_claim("above-bound", 0.48, 0.4), "confirmed"),
    ):
        verdict = rlt.verify(claim, budget="quick", seed=seed)
        assert verdict.status not in (never, "error", "toothless")
        assert [m.status for m in verdict.mutants] == ["refuted"]


def test_clear_cases_are_decided_at_the_real_level() -> None:
    assert rlt.verify(bernoulli_claim("rare", 0.02, 0.3), budget="quick").status == "confirmed"
    assert rlt.verify(bernoulli_claim("often", 0.9, 0.3), budget="quick").status == "refuted"
    assert rlt.verify(mean_claim("small", 0.2, 0.4), budget="quick").status == "confirmed"
    assert rlt.verify(mean_claim("large", 0.6, 0.4), budget="quick").status == "refuted"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("p", "wrong"), [(0.3, "refuted"), (0.33, "confirmed"), (0.36, "confirmed")]
)
def test_trials_of_claims_at_a_larger_level(p: float, wrong: str) -> None:
    # `run_trials` itself, 300 seeds: half of the level is for each wrong verdict.
    claim, counted = bernoulli_claim("trials", p, 0.3), 0
    for seed in range(300):
        outcome = run_trials(claim, rlt.Instance(), "only", seed, "standard", 4 * LEVEL)
        counted += outcome.status == wrong
    assert lower_bound(counted, 300, SURE) <= 2 * LEVEL
