"""Behaviour cloning's mean KL: the exact law of the experiment, and what its trials show."""

from itertools import product
from math import comb, log
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rltheory as rlt
from rltheory.sweeps.sweep import load_sweep

PATH = Path(__file__).parents[2] / "experiments" / "demo_bc.py"


@pytest.fixture(scope="module")
def names() -> Any:
    return load_sweep(PATH).trial.__globals__


@pytest.mark.parametrize("kind", ["uniform", "deterministic"])
@pytest.mark.parametrize("n", [0, 1, 3])
def test_the_law_is_that_of_all_counts(names: Any, kind: str, n: int) -> None:
    """By summing over the numbers of visits to each state and of actions there, one by one."""
    visits = rlt.occupancy(names["model"](), names["expert_of"](kind)).sum(axis=-1)
    p = names["expert_of"](kind)[0, 0]
    exact = 0.0
    for d in visits.ravel():
        for here in range(n + 1):
            chance = comb(n, here) * d**here * (1 - d) ** (n - here)
            for counts in product(range(here + 1), repeat=3):
                if sum(counts) != here:
                    continue
                ways = comb(here, counts[0]) * comb(here - counts[0], counts[1])
                law = ways * float(np.prod(p ** np.array(counts)))
                clone = [(c + 1) / (here + 3) for c in counts]
                kl = sum(q * log(q / c) for q, c in zip(p, clone, strict=True) if q > 0)
                exact += d * chance * law * kl
    assert names["exact_kl"](n, kind) == pytest.approx(exact, abs=1e-12)


def test_the_first_experiment(tmp_path: Path) -> None:
    """Trials follow the exact law: no slope is left beside it (each interval at 99.9%)."""
    result = rlt.run_sweep(PATH, tmp_path)
    assert not result.failures and result.missing == 0
    plain, *beside = result.laws[:2], *result.laws[2:]
    assert all(-1.0 < fitted.fit.slope < -0.9 for fitted in plain)
    for fitted in beside:
        low, high = fitted.fit.one_sided(5e-4)
        assert low < 0.0 < high
