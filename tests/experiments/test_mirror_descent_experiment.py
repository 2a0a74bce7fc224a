"""The experiment on a few models: every gap below its bound, and the kinds of steps in order."""

from typing import Any

import pytest

from tests.helpers.experiments import experiment as loaded


@pytest.fixture(scope="module")
def experiment() -> Any:
    return loaded("mirror_descent")


@pytest.mark.parametrize("seed", range(3))
def test_gaps_are_below_their_bounds_and_in_order(experiment: Any, seed: int) -> None:
    last = {}
    for steps in experiment.KINDS:
        for iterations in (1, 8, 64):
            found = experiment.trial(seed, iterations, steps)
            assert found["valid"] == 1.0 and 0.0 <= found["of_bound"] <= 1.0
        last[steps] = found["gap"]
    assert last["adaptive"] < 1e-5 < last["constant"]
    assert last["geometric"] < last["constant"]
