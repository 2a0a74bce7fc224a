"""The experiment's trial: the table of the claim, and that fitted rewards are hacked as well."""

from typing import Any

import pytest

from tests.helpers.experiments import experiment as loaded


@pytest.fixture(scope="module")
def experiment() -> Any:
    return loaded("rlhf_hacking")


TABLE = [(0.2, 0.0152, 0.0796), (1.0, 0.0043, 0.0189)]


@pytest.mark.parametrize(("temperature", "gap", "bound"), TABLE)
def test_hacked_reward_is_that_of_the_claim(experiment, temperature, gap, bound):
    found = experiment.trial(0, temperature, "hacked")
    assert round(found["gap"], 4) == gap and round(found["bound"], 4) == bound
    assert found["unregularised"] == 0.5


def test_fitted_rewards_are_hacked_without_regularisation(experiment):
    trials = [experiment.trial(seed, 1.0, "fitted") for seed in range(20)]
    assert sum(t["unregularised"] for t in trials) / 20 > 0.1
    for t in trials:
        assert t["gap"] <= t["sharp"] <= t["bound"] + 1e-12 and t["gap"] < 0.02
