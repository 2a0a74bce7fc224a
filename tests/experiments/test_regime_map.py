"""The map of regimes at its corners, and where each way begins to be the best."""

import math
from pathlib import Path
from typing import Any

import pytest

from rltheory.sweeps.sweep import load_sweep

PATH = Path(__file__).parents[2] / "experiments" / "regime_map.py"


@pytest.fixture(scope="module")
def experiment() -> Any:
    return load_sweep(PATH)


@pytest.mark.parametrize(("n", "epsilon", "best"), [(3, 0.8, 2), (300, 0.4, 1), (300, 0.8, 0)])
def test_each_way_is_the_best_somewhere(experiment: Any, n: int, epsilon: float, best: int) -> None:
    found = experiment.trial(seed=1, n=n, epsilon=epsilon)
    assert found["best"] == best and 0.0 <= found["pipeline_lost"] < epsilon


def test_cloning_is_enough_from_its_bound_on(experiment: Any) -> None:
    """H (1 - exp(-K)) <= epsilon with K = 9/(0.1 (N + 1)) and H = 3."""
    enough = experiment.trial.__globals__["clone_is_enough"]
    for epsilon in (0.1, 0.8):
        first = next(n for n in range(1, 5000) if enough(n, epsilon))
        assert first == pytest.approx(90 / -math.log1p(-epsilon / 3) - 1, abs=1)
