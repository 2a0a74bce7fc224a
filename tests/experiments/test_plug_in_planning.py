"""The experiment at a small budget: both laws contain slope 2."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest

PATH = Path(__file__).parents[2] / "experiments" / "plug_in_planning.py"


@pytest.fixture(scope="module")
def experiment() -> Any:
    spec = importlib.util.spec_from_file_location("plug_in_planning", PATH)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_value_needs_draws_like_the_square_of_accuracy(experiment: Any) -> None:
    law = experiment.value_law(3, 250)
    assert law.feasible[0] < 2.0 < law.feasible[1]
    assert law.interval[0] < 2.0 < law.interval[1]
    assert law.misfit == 0.0 and law.points == 3


@pytest.mark.slow
def test_policy_needs_draws_like_the_square_of_accuracy(experiment: Any) -> None:
    law = experiment.policy_law()
    assert law.feasible[0] < 2.0 < law.feasible[1] and law.feasible[1] - law.feasible[0] < 2.5


def test_the_wrong_arm_loses_twice_the_accuracy(experiment: Any) -> None:
    import rltheory as rlt

    mdp = experiment.two_arms(0.125)
    value = [rlt.evaluate(mdp, [arm, 0, 0])[0] for arm in (0, 1)]
    assert value[0] - value[1] == pytest.approx(0.25)
