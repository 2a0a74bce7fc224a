"""Wrong answers are not verified, and bounds are those of the text."""

import doctest

import numpy as np
import pytest

import benchmarks.verify
import rltheory as rlt
from benchmarks.families import Problem
from benchmarks.peers import rltheory_solver
from benchmarks.problems import PROBLEMS, QUICK
from benchmarks.verify import WANTED, verify


def test_the_examples_of_the_verifier() -> None:
    assert doctest.testmod(benchmarks.verify).failed == 0


def solved(name: str) -> tuple[Problem, np.ndarray, np.ndarray]:
    problem = PROBLEMS[name](QUICK[name])
    solution = rlt.solve(rltheory_solver.build(problem, {}), tol=1e-9)
    return problem, np.array(solution.value), np.array(solution.policy)


@pytest.mark.parametrize("name", ["garnet_dense500", "maze300", "inventory300", "fh_dense1000"])
def test_a_wrong_value_is_rejected(name: str) -> None:
    problem, value, policy = solved(name)
    bounds = verify(problem, value, policy)
    assert bounds.verified == "value and policy" and bounds.value_error < 1e-8
    for state in (0, problem.n_states // 2, problem.n_states - 1):
        wrong = value.copy()
        wrong[..., state] += 2.0 * WANTED
        # The bound is an upper one of the true error: 2e-6 here, less what the optimum is off.
        assert verify(problem, wrong, policy).value_error >= 2.0 * WANTED - 2e-9


@pytest.mark.parametrize("name", ["garnet1e5_g99", "maze300", "inventory300", "fh_dense1000"])
def test_a_wrong_policy_is_rejected_though_its_value_is_right(name: str) -> None:
    problem, value, policy = solved(name)
    model = rltheory_solver.build(problem, {})
    after = value if problem.horizon is None else value[1]
    q = problem.rewards + (problem.discount or 1.0) * (problem.transitions @ after)
    worst = int(np.argmin(q - np.maximum.reduceat(q, problem.starts[:-1])[problem.states]))
    bad = policy.copy()
    bad[..., problem.states[worst]] = problem.actions[worst]
    loss = np.max(value - rlt.evaluate(model, bad))
    bounds = verify(problem, value, bad)
    assert bounds.verified == "value" and bounds.policy_loss >= loss > WANTED


def test_a_constant_matters_to_the_value_alone() -> None:
    problem, value, policy = solved("forest1e5")
    bounds = verify(problem, value + 1.0, policy)
    assert bounds.verified == "policy" and bounds.value_error == pytest.approx(1.0)


def test_what_is_no_answer_is_refused() -> None:
    problem, value, policy = solved("inventory300")
    with pytest.raises(ValueError, match=r"the value has shape \(2,\)"):
        verify(problem, value[:2])
    with pytest.raises(ValueError, match="not finite"):
        verify(problem, np.full_like(value, np.nan))
    with pytest.raises(ValueError, match="the policy has shape"):
        verify(problem, value, policy[:-1])
    for action in (1, -1, 10**6):
        wrong = policy.copy()
        wrong[-1] = action  # a full stock can order nothing
        with pytest.raises(ValueError, match=f"state 40 has no action {action}"):
            verify(problem, value, wrong)
