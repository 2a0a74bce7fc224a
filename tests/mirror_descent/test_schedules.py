"""Steps that grow, and the mismatch of a start law, by hand."""

import math

import numpy as np
import pytest

import rltheory as rlt
from rltheory.errors import ModelError
from tests.helpers.small_models import two_arms


def test_mismatch_by_hand():
    assert rlt.distribution_mismatch(two_arms(0.5)) == pytest.approx(2.0)
    assert rlt.distribution_mismatch(two_arms(0.0)) == 1.0
    mdp = rlt.MDP.deterministic([[1], [1]], [[0.0], [1.0]], 0.5, initial=[1.0, 0.0])
    assert rlt.distribution_mismatch(mdp) == math.inf
    with pytest.raises(ModelError, match="finite"):
        rlt.GeometricSteps.of_model(mdp, 1.0)
    with pytest.raises(ModelError, match="above 1"):
        rlt.GeometricSteps.of_model(two_arms(0.0), 1.0)


def test_schedules_refuse():
    for make, words in (
        (lambda: rlt.GeometricSteps(0.0, 2.0), "first is 0.0"),
        (lambda: rlt.GeometricSteps(1.0, 0.5), "ratio is 0.5"),
        (lambda: rlt.GammaAdaptiveSteps(0.0), "discount is 0.0"),
        (lambda: rlt.GammaAdaptiveSteps(1.0), "discount is 1.0"),
        (lambda: rlt.GammaAdaptiveSteps(0.5, 0.0), "slack is 0.0"),
    ):
        with pytest.raises(ModelError, match=words):
            make()
    assert rlt.GeometricSteps(1.0, 10.0)(400, None, None) == math.inf


def test_adaptive_steps_by_hand():
    steps = rlt.GammaAdaptiveSteps(0.5, slack=2.0)
    q, logs = np.array([[1.0, 0.0], [0.0, 0.0]]), np.log([[0.25, 0.75], [0.5, 0.5]])
    assert steps(1, q, logs) == pytest.approx(math.log(4.0) / (2.0 * 0.5**4))
    # Nearly all on the best action: the logarithm is not lost to rounding.
    near = np.array([[np.log1p(-1e-20), np.log(1e-20)], [0.0, -np.inf]])
    assert steps(0, q, near) == pytest.approx(1e-20 / (2.0 * 0.25), rel=1e-12)
    # Nearly none, beyond the range of doubles.
    far = np.array([[-1000.0, 0.0], [0.0, -np.inf]])
    assert steps(0, q, far) == pytest.approx(1000.0 / (2.0 * 0.25))
    # All on the best actions: no step is needed.
    assert steps(0, q, np.array([[0.0, -np.inf], np.log([0.5, 0.5])])) == 0.0
