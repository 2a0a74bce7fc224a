"""Three linear programs against the hulls, which know no linear programs."""

import numpy as np
import pytest
from hypothesis import given, settings

import rltheory as rlt
from rltheory.errors import ModelError
from rltheory.lsd_bandits.families import CORNERS, GOLDEN
from rltheory.lsd_bandits.relaxation_programs import (
    block_program,
    occupancy_program,
    price_program,
)
from tests.helpers.lsd_arms import lsd_bandits, ordered_arms

ALL = dict(GOLDEN) | dict(CORNERS)


@pytest.mark.parametrize("name", ALL)
def test_golden_values_and_corners(name: str) -> None:
    agree(ALL[name]())


@given(lsd_bandits(mode="any"))
@settings(max_examples=60)
def test_all_programs_have_the_value_of_the_hulls(bandit) -> None:
    agree(bandit)


def agree(bandit) -> None:
    relax = rlt.concave_relaxation(bandit)
    program = block_program(bandit)
    value, price = price_program(bandit)
    assert program.value == pytest.approx(relax.value, abs=1e-9)
    assert occupancy_program(bandit) == pytest.approx(relax.value, abs=1e-9)
    assert value == pytest.approx(relax.value, abs=1e-9) and price >= -1e-12
    # The program's point and price are as good in the sense of the other side.
    paid = {}
    for i, arm in enumerate(bandit.arms):
        paid[i, 0, 1] = arm.payoff(-len(arm.play_payoffs))
        for n in range(1, len(arm.rest_payoffs) + 1):
            for m in range(1, len(arm.play_payoffs) + 1):
                paid[i, n, m] = arm.payoff(n) + sum(arm.payoff(-j) for j in range(1, m))
    assert set(program.columns) == set(paid)
    assert sum(
        float(paid[c]) * x for c, x in zip(program.columns, program.rates, strict=True)
    ) == pytest.approx(relax.value, abs=1e-9)
    assert np.sum(program.rates > 1e-11) <= bandit.n_arms + 1


@given(ordered_arms(), ordered_arms())
@settings(max_examples=60)
def test_occupancies_of_ordered_arms(first, second) -> None:
    bandit = rlt.LSDBandit([first, second])
    relax = rlt.concave_relaxation(bandit, exact=True)
    assert relax.check().gap == 0
    assert occupancy_program(bandit) == pytest.approx(float(relax.value), abs=1e-9)


def test_arms_without_blocks_are_refused() -> None:
    bandit = rlt.LSDBandit([rlt.LSDArm([1], [0], "gradual")])
    with pytest.raises(ModelError, match=r"arms\[0\]"):
        block_program(bandit)
    assert occupancy_program(bandit) == pytest.approx(1 / 2)
