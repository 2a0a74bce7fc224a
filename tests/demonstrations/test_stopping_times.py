"""Trials of the rates, beside the numbers of the specification."""

from itertools import pairwise

import numpy as np
import pytest

import rltheory as rlt
from rltheory.demonstrations.regularized_bpi import RegularizedBPI, regularized_widths
from rltheory.demonstrations.stopping_times import (
    greedy_time,
    linear_certificate,
    linear_time,
    random_model,
    regularized_time,
    taught,
    visits_needed,
)


def test_episodes_are_about_five_times_the_visits_needed() -> None:
    for epsilon in (0.2, 0.05):
        assert 4.5 < regularized_time(0, epsilon, 0.2) / visits_needed(epsilon, 0.2) < 5.2


@pytest.mark.parametrize(("epsilon", "printed"), [(0.2, 45110), (0.1, 185647)])
def test_without_the_square_it_takes_far_longer(epsilon: float, printed: int) -> None:
    times = [linear_time(seed, epsilon, 0.2) for seed in range(3)]
    assert printed / 1.11 < np.median(times) < printed * 1.11


def test_a_mutant_that_runs_out_of_episodes_says_so() -> None:
    assert linear_time(0, 0.2, 0.2, most=500) == 500


def test_the_linear_certificate_is_that_of_small_temperatures() -> None:
    """Where every D is at least 8 temperature, D itself is the smaller one."""
    known = rlt.online(random_model(), 0).known()
    core = RegularizedBPI(np.full((3, 2), 0.5), 1e-3, 0.1, 0.1).core(known)
    bonus, kappa = regularized_widths(np.arange(301), 3, 2, 3, 0.1, False)
    core.use(bonus, np.sqrt(kappa))
    keys = np.arange(8, dtype=np.uint64)
    core.explore(random_model().core, known.initial, keys, 0, 0.05, 1e-9, 300)
    core.plan()
    assert linear_certificate(core, kappa) == pytest.approx(float(core.gap[0, 0]), rel=1e-12)


def test_the_greedy_time_is_about_one_over_the_square() -> None:
    assert 18.0 < greedy_time(1, 0.1) / greedy_time(1, 0.4) < 24.0


def test_demonstrations_save_episodes() -> None:
    tries = [taught(0, n) for n in (200, 800, 3200, 5624)]
    assert tries[-1].episodes == 0
    assert all(a.episodes > 2 * b.episodes for a, b in pairwise(tries))
    assert all(x.gap <= 0.0024 for x in tries)
    assert tries[0].clone_gap == pytest.approx(0.0107, abs=5e-4)


def test_a_temperature_that_falls_with_demonstrations_saves_nothing() -> None:
    few, many = (taught(0, n, inverted=True).episodes for n in (200, 800))
    assert many > 2 * few
