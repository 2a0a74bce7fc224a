"""Chances of sums between two bounds, against sums over all outcomes."""

from itertools import product

import numpy as np
import pytest

from rltheory.demonstrations.lattice_laws import chance_above


@pytest.mark.parametrize("seed", range(10))
def test_bounds_enclose_the_chance(seed):
    rng = np.random.default_rng(seed)
    laws = []
    for _ in range(3):
        values = np.concatenate([[0.0], rng.exponential(size=4)])
        laws.append((values, rng.dirichlet(np.ones(5))))
    for threshold in (0.1, 1.0, 3.0, 30.0):
        exact = sum(
            np.prod([m for _, m in outcome])
            for outcome in product(*(list(zip(*law, strict=True)) for law in laws))
            if sum(v for v, _ in outcome) > threshold
        )
        low, high = chance_above(laws, threshold, cells=2048)
        assert low <= exact <= high
        coarse_low, coarse_high = chance_above(laws, threshold, cells=16)
        assert coarse_low <= exact <= coarse_high
        assert high - low <= coarse_high - coarse_low + 1e-8


def test_at_the_threshold_is_not_above_for_sure():
    law = (np.array([1.0]), np.array([1.0]))
    low, high = chance_above([law], 1.0)
    assert low == 0.0 and high == 1.0
    low, high = chance_above([law], 1.001)
    assert high == 0.0
    low, _ = chance_above([law], 0.999)
    assert low == pytest.approx(1.0)


def test_zero_stays_zero():
    law = (np.array([0.0]), np.array([1.0]))
    assert chance_above([law] * 100, 1e-3) == (0.0, 0.0)
