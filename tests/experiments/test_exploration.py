"""The experiments on exploration at small budgets: printed numbers, and the expected shape."""

from typing import Any

import numpy as np
import pytest

import rltheory as rlt
from tests.helpers.experiments import experiment as loaded


@pytest.fixture(scope="module")
def laws() -> Any:
    return loaded("bpi_laws")


@pytest.fixture(scope="module")
def grid() -> Any:
    return loaded("grid_world")


def test_every_point_of_the_laws_can_be_tried(laws: Any) -> None:
    for point in laws.sweep.points():
        if point.get("epsilon", 1.0) >= 0.1:
            assert laws.trial(seed=0, **point)["episodes"] > 0


def test_the_values_of_the_grid(grid: Any) -> None:
    assert grid.best_value() == pytest.approx(2.85222, abs=6e-6)
    expert = float(rlt.evaluate(grid.grid(), grid.expert())[0, 0])
    assert expert == pytest.approx(2.16294, abs=1e-3)
    uniform = float(rlt.evaluate(grid.grid(), grid.reference_of(None, 0))[0, 0])
    assert uniform == pytest.approx(0.01204, abs=6e-6)


def test_what_temperature_costs_on_the_grid(grid: Any) -> None:
    """The gap of the regularised optimum around clones of so many demonstrations."""
    printed = {0.1: (0.021, 0.011, 0.005, 0.004), 0.5: (1.10, 0.473, 0.183, 0.106)}
    for temperature, gaps in printed.items():
        for demonstrations, gap in zip((8, 32, 128, 512), gaps, strict=True):
            lost = []
            for seed in range(6):
                clone = grid.reference_of(demonstrations, seed)
                best = rlt.solve_regularized(grid.grid(), temperature, clone)
                value = rlt.evaluate(grid.grid(), best.policy)[0, 0]
                lost.append(grid.best_value() - float(value))
            assert np.mean(lost) == pytest.approx(gap, rel=0.3)


@pytest.mark.slow
def test_the_gap_falls_with_demonstrations(grid: Any) -> None:
    """Means of 24 seeds at 100 episodes, and of 4 at 2000, where the table has them."""

    def mean(method: str, episodes: int, seeds: int) -> float:
        return float(np.mean([grid.trial(s, method, episodes)["gap"] for s in range(seeds)]))

    early = [mean(f"{n}, 0.1", 100, 24) for n in (8, 32, 128, 512)]
    assert early == sorted(early, reverse=True) and early[0] > 5 * early[-1]
    late = {"UCBVI": 0.043, "uniform, 0.1": 0.057, "8, 0.1": 0.025, "128, 0.5": 0.184}
    for method, gap in late.items():
        assert mean(method, 2000, 4) == pytest.approx(gap, abs=0.04)
