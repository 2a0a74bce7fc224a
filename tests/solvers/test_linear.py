"""Planning in weights: against the table's certificate, and in fractions against all policies."""

import itertools
from fractions import Fraction

import numpy as np
import pytest

import rltheory as rlt
from rltheory.errors import ModelError


@pytest.mark.parametrize("seed", range(8))
def test_weights_give_the_certified_optimum(seed: int) -> None:
    rng = np.random.default_rng(seed)
    S, A, d, H = (int(x) for x in rng.integers(1, 7, 4))
    mdp = rlt.random_linear_mdp(S, A, d, H, seed=seed)
    found = rlt.solve_linear(mdp)
    assert found.error < 1e-10
    assert found.q == pytest.approx(found.tabular.q, abs=1e-12)
    earned = rlt.evaluate(mdp.tabular(), found.policy)
    assert earned == pytest.approx(found.tabular.value, abs=1e-12)


def test_the_error_sees_a_wrong_value() -> None:
    mdp = rlt.random_linear_mdp(4, 2, 3, 3)
    good = rlt.solve_linear(mdp)
    off = rlt.LinearSolution(good.features, good.weights, good.value + 1e-6, good.policy, mdp)
    assert good.error < 1e-9 < 0.99e-6 < off.error


def brute_force(mdp: rlt.LinearMDP) -> list[Fraction]:
    """max over all deterministic policies of V_0, by the definition of the model alone."""
    assert mdp.fractions is not None
    phi, mu, theta = mdp.fractions
    S, A, H = mdp.n_states, mdp.n_actions, mdp.horizon
    best = [Fraction(-100)] * S
    for choice in itertools.product(range(A), repeat=H * S):
        value = [Fraction(0)] * S
        for h in reversed(range(H)):
            new = []
            for s in range(S):
                x = phi[s, choice[h * S + s]]
                ahead = [sum(x[i] * mu[h, i, t] for i in range(len(x))) for t in range(S)]
                paid = sum(x[i] * theta[h, i] for i in range(len(x)))
                new.append(paid + sum(p * v for p, v in zip(ahead, value, strict=True)))
            value = new
        best = [max(x, y) for x, y in zip(best, value, strict=True)]
    return best


@pytest.mark.parametrize("seed", range(4))
def test_exact_weights_against_all_policies(seed: int) -> None:
    mdp = rlt.random_linear_mdp(2, 2, 2, 3, seed=seed, exact=True)
    found = rlt.solve_linear(mdp)
    assert found.value[0].tolist() == brute_force(mdp)
    assert isinstance(found.weights[0, 0], Fraction)
    assert found.error < 1e-12


def test_solve_takes_the_table() -> None:
    mdp = rlt.random_linear_mdp(4, 2, 3, 3)
    solution = rlt.solve(mdp)
    assert solution.certificate.check(mdp.tabular()).accepted
    with pytest.raises(ModelError, match="not fit"):
        rlt.solve(mdp, criterion="discounted")
    with pytest.raises(ModelError, match="solve_linear takes a LinearMDP, not EpisodicMDP"):
        rlt.solve_linear(mdp.tabular())  # type: ignore[arg-type]
    assert repr(rlt.solve_linear(mdp)) == "LinearSolution(3 weights at each of 3 stages)"


def test_other_functions_take_the_table_as_well() -> None:
    mdp = rlt.random_linear_mdp(3, 2, 2, 2, exact=True)
    table, found = mdp.tabular(), rlt.solve_linear(mdp)
    assert (rlt.evaluate(mdp, found.policy) == rlt.evaluate(table, found.policy)).all()
    assert (rlt.occupancy(mdp, found.policy) == rlt.occupancy(table, found.policy)).all()
    assert rlt.solve_exact(mdp).value == rlt.solve_exact(table).value
    mixture = rlt.Mixture([0.5, 0.5], [found.policy, 1 - found.policy])
    assert (rlt.evaluate(mdp, mixture) == rlt.evaluate(table, mixture)).all()
