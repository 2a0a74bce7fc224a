"""Many rewards or discounts in one call: each like a call of its own."""

import numpy as np
import pytest

import rltheory as rlt


def test_discounts_in_any_order() -> None:
    mdp = rlt.garnet(50, 3, 4, seed=1)
    discounts = [0.99, 0.0, 0.5, 0.9999, 0.9]
    found = rlt.solve_many(mdp, discounts=discounts)
    assert [s.mdp.discount for s in found] == discounts
    for solution, discount in zip(found, discounts, strict=True):
        alone = rlt.solve(mdp.with_discount(discount))
        assert (solution.lower <= alone.upper).all() and (alone.lower <= solution.upper).all()
        assert solution.gap <= solution.tol
        assert solution.certificate.check(solution.mdp)
        assert np.shares_memory(solution.mdp.transitions.data, mdp.transitions.data)


def test_neighbours_help() -> None:
    mdp = rlt.riverswim(40, discount=0.9)
    discounts = 1 - np.logspace(-1, -3, 20)
    together = sum(s.iterations for s in rlt.solve_many(mdp, discounts=discounts))
    alone = sum(rlt.solve(mdp.with_discount(g)).iterations for g in discounts)
    assert 2 * together < alone


def test_rewards() -> None:
    mdp = rlt.garnet(30, 3, 4, seed=2).with_discount(0.95)
    rng = np.random.default_rng(0)
    rewards = [mdp.rewards, mdp.rewards + 1e-3, rng.random(mdp.rewards.shape), 0 * mdp.rewards]
    found = rlt.solve_many(mdp, rewards=iter(rewards), rtol=1e-12)
    for solution, reward in zip(found, rewards, strict=True):
        assert solution.gap <= solution.tol and solution.certificate.check(solution.mdp)
        alone = rlt.solve(mdp.with_rewards(reward))
        assert (solution.lower <= alone.upper).all() and (alone.lower <= solution.upper).all()
    assert (found[-1].gap, found[-1].value.tolist()) == (0, [0] * 30)


def test_rewards_with_a_horizon() -> None:
    mdp = rlt.riverswim().episodic(4)
    staged = np.zeros((4, 6, 2))
    staged[3] = 1
    found = rlt.solve_many(mdp, rewards=[np.ones((6, 2)), staged])
    assert found[0].value[0].tolist() == [4] * 6
    assert found[1].value[0].tolist() == [1] * 6


def test_nothing_asked_for() -> None:
    assert rlt.solve_many(rlt.riverswim(), discounts=[]) == []


def test_what_is_refused() -> None:
    mdp = rlt.riverswim(discount=0.9)
    with pytest.raises(rlt.ModelError, match="neither of rewards and discounts"):
        rlt.solve_many(mdp)
    with pytest.raises(rlt.ModelError, match="both of rewards and discounts"):
        rlt.solve_many(mdp, rewards=[], discounts=[])
    with pytest.raises(rlt.ModelError, match=r"rewards\[1\]: rewards has shape \(2,\)"):
        rlt.solve_many(mdp, rewards=[mdp.rewards, [1.0, 2.0]])
    with pytest.raises(rlt.ModelError, match=r"discount is 1.0; it must be in \[0, 1\)"):
        rlt.solve_many(mdp, discounts=[0.5, 1.0])
    with pytest.raises(rlt.ModelError, match="the model has horizon 3"):
        rlt.solve_many(mdp.episodic(3), discounts=[0.5])
    with pytest.raises(rlt.ModelError, match=r"discounts is 0.5; .* as \[0.5\]"):
        rlt.solve_many(mdp, discounts=0.5)  # type: ignore[arg-type]
    with pytest.raises(rlt.ModelError, match="rewards is 5"):
        rlt.solve_many(mdp, rewards=5)  # type: ignore[arg-type]
    with pytest.raises(rlt.ModelError, match="not int"):
        rlt.solve_many(3, discounts=[0.5])
    with pytest.raises(rlt.ConvergenceError, match=r"discounts\[1\]: a gap of") as fault:
        rlt.solve_many(mdp, discounts=[0.9, 0.0], tol=0.0)
    assert fault.value.solution.mdp.discount == 0.0


def test_a_start_that_overflows_is_no_start() -> None:
    mdp = rlt.MDP([[[1.0]]], [[1e303]], discount=0.5, initial=[1.0])
    with pytest.raises(rlt.ConvergenceError, match=r"discounts\[1\]: overflow"):
        rlt.solve_many(mdp, discounts=[0.999, 1 - 1e-8])
    with pytest.raises(rlt.ConvergenceError, match="overflow"):
        rlt.solve_lp(mdp.with_discount(1 - 1e-7))
