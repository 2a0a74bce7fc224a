"""The penalised step of TRPO by Brent's method, by search, and at its edges."""

import numpy as np
import pytest
from scipy.optimize import brentq, minimize

import rltheory as rlt
from rltheory.errors import ModelError, PolicyError


def brent_step(pi, q, eta):
    """The root nu by Brent's method in (max Q, max Q + 1/eta], as the formula says."""
    top = q.max()

    def excess(above):
        return (pi / (eta * (above + (top - q)))).sum() - 1.0

    above = brentq(excess, pi[q.argmax()] / (2.0 * eta), 2.0 / eta, xtol=1e-18, rtol=1e-14)
    return pi / (eta * (above + (top - q)))


@pytest.mark.parametrize("eta", [1e-2, 1.0, 1e2])
def test_forward_step_by_brent(eta):
    rng = np.random.default_rng(5)
    pi = rng.dirichlet(np.ones(4), 50)
    q = rng.uniform(0.0, 3.0, (50, 4))
    found = rlt.forward_kl_step(pi, q, eta)
    for row, p, x in zip(found, pi, q, strict=True):
        assert row == pytest.approx(brent_step(p, x, eta), rel=1e-7)
    assert np.abs(found.sum(axis=1) - 1.0).max() < 1e-14


def test_forward_step_maximises_by_search():
    pi, q, eta = np.array([0.2, 0.5, 0.3]), np.array([1.0, 0.0, 0.4]), 2.0

    def lost(x):
        p = np.exp(x - x.max())
        p /= p.sum()
        return -(p @ q - (pi * np.log(pi / p)).sum() / eta)

    best = minimize(lost, np.zeros(3), method="BFGS", options={"gtol": 1e-10}).x
    p = np.exp(best) / np.exp(best).sum()
    assert rlt.forward_kl_step(pi, q, eta) == pytest.approx(p, abs=1e-6)


def test_forward_step_at_its_edges():
    assert rlt.forward_kl_step([0.3, 0.7], [1.0, 1.0], 5.0).tolist() == pytest.approx([0.3, 0.7])
    assert rlt.forward_kl_step([0.0, 1.0], [9.0, 0.0], 5.0).tolist() == [0.0, 1.0]
    assert rlt.forward_kl_step([1.0], [3.0], 5.0).tolist() == [1.0]
    # The best action is nearly never taken: what is left of it is 1 - pi / (eta gap).
    tiny = rlt.forward_kl_step([1e-300, 1.0], [1.0, 0.0], 10.0)
    assert tiny == pytest.approx([0.9, 0.1], rel=1e-12)
    lost = rlt.forward_kl_step([1e-300, 1.0], [1.0, 0.0], 0.5)
    assert lost == pytest.approx([2e-300, 1.0], rel=1e-12)
    for given, words in (
        (([0.5, 0.6], [0.0, 1.0], 1.0), "sums to 1.1"),
        (([0.5, 0.5], [0.0], 1.0), "q has shape"),
        (([0.5, 0.5], [0.0, 1.0], 0.0), "step_size is 0.0"),
        (([-0.5, 1.5], [0.0, 1.0], 1.0), r"policy\[0\] is -0.5"),
    ):
        with pytest.raises((PolicyError, ModelError), match=words):
            rlt.forward_kl_step(*given)
