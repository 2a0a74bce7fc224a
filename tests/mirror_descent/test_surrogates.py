"""The objectives of MDPO and PPO by hand."""

import math

import numpy as np
import pytest

import rltheory as rlt
from rltheory.errors import ModelError, PolicyError
from tests.helpers.small_models import random_policy


def test_the_clipped_surrogate_of_the_specification():
    x = np.array([0.3, 0.36, 0.44, 0.6, 0.9, 0.999])
    new = np.stack([x, 1.0 - x], axis=1)
    old, values = np.tile([0.3, 0.7], (6, 1)), np.tile([0.7, -0.3], (6, 1))
    found = rlt.ppo_clip_surrogate(new, old, values)
    assert found == pytest.approx([0.0, 0.06, 0.084, 0.084, 0.084, 0.084], abs=1e-15)
    with pytest.raises(ModelError, match=r"clip is 1\.0"):
        rlt.ppo_clip_surrogate(new, old, values, clip=1.0)
    with pytest.raises(PolicyError, match="old never takes"):
        rlt.ppo_clip_surrogate([0.5, 0.5], [0.0, 1.0], [0.0, 1.0])
    with pytest.raises(ModelError, match="must be the same"):
        rlt.ppo_clip_surrogate([0.5, 0.5], [0.5, 0.5], [1.0])


def test_mirror_descent_maximises_its_objective():
    pi, q, eta = np.array([0.2, 0.5, 0.3]), np.array([1.0, 0.0, 0.4]), 2.0
    best = pi * np.exp(eta * q) / (pi * np.exp(eta * q)).sum()
    top = float(rlt.mdpo_objective(best, pi, q, eta))
    assert top == pytest.approx(math.log((pi * np.exp(eta * q)).sum()) / eta)
    for seed in range(20):
        assert rlt.mdpo_objective(random_policy(seed, 1)[0], pi, q, eta) <= top
    assert rlt.mdpo_objective([1.0, 0.0], [0.0, 1.0], [1.0, 0.0], 1.0) == -math.inf
