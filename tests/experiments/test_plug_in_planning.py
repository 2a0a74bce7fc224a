"""The experiment at a small budget: its laws have the slopes that theory says."""

from pathlib import Path
from typing import Any

import pytest

import rltheory as rlt
from rltheory.sweeps.sweep import load_sweep

PATH = Path(__file__).parents[2] / "experiments" / "plug_in_planning.py"


@pytest.fixture(scope="module")
def experiment() -> Any:
    sweep = load_sweep(PATH)
    sweep.trial.__globals__["TRIALS"] = 400
    return sweep


def law_of(experiment: Any, x: str, points: list[dict[str, Any]]) -> rlt.PowerLaw:
    found = [experiment.trial(seed=1, **point) for point in points]
    low, high = [each["low"] for each in found], [each["n"] for each in found]
    return rlt.fit_power_law([point[x] for point in points], low, high)


def test_value_needs_draws_like_the_square_of_accuracy(experiment: Any) -> None:
    law = law_of(
        experiment, "inverse_eps", [{"of": "value", "inverse_eps": x} for x in (2.5, 4.2, 7.2)]
    )
    assert law.feasible[0] < 2.0 < law.feasible[1]
    assert law.misfit == 0.0 and law.points == 3


def test_draws_grow_with_the_horizon(experiment: Any) -> None:
    """Exactly by 3.2 on average from 4 to 16 (normal approximation), which is 2.83 beside 1."""
    points = [{"of": "horizon", "inverse_eps": 1.0, "horizon": h} for h in (4, 8, 16)]
    law = law_of(experiment, "horizon", points)
    assert law.feasible[0] < 3.2 < law.feasible[1] and law.feasible[0] > 1.5


@pytest.mark.slow
def test_the_whole_experiment(tmp_path: Path) -> None:
    result = rlt.run_sweep(PATH, tmp_path, jobs=2)
    assert result.missing == 0 and not result.failures
    assert [fitted.holds for fitted in result.laws] == [True, True, True]
    for fitted in result.laws:
        low, high = fitted.fit.feasible
        assert low < fitted.law.slope < high and high - low < 1.5


def test_the_wrong_arm_loses_twice_the_accuracy(experiment: Any) -> None:
    mdp = experiment.trial.__globals__["two_arms"](0.125)
    value = [rlt.evaluate(mdp, [arm, 0, 0])[0] for arm in (0, 1)]
    assert value[0] - value[1] == pytest.approx(0.25)
