"""The exact error of what was planned."""

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

import rltheory as rlt
from rltheory.errors import ModelError
from rltheory.foundations.rationals import Planner
from rltheory.sweeps.planning_problem import planning_problem


@pytest.mark.parametrize("case", range(4))
def test_loss_is_that_of_fractions(case: int) -> None:
    mdp = rlt.garnet(3, 2, 2, seed=case, discount=0.875)
    m = Planner(mdp.as_exact())
    problem = planning_problem(mdp)
    for policy in ([0, 0, 0], [1, 0, 1], [1, 1, 1]):
        lost = max(x - y for x, y in zip(m.optimum()[0], m.policy_value(policy), strict=True))
        output = SimpleNamespace(policy=np.array(policy))
        assert problem.error(output) == float(lost) == problem.error(output)


def test_optimal_policy_loses_exactly_nothing() -> None:
    mdp = rlt.riverswim(5, discount=0.95)
    assert planning_problem(mdp).error(rlt.solve(mdp)) == 0.0


def test_error_of_the_value() -> None:
    mdp = rlt.MDP([[[1.0]]], [[1.0]], 0.5)
    problem = planning_problem(mdp, of="value")
    assert problem.error(SimpleNamespace(value=[1.75])) == 0.25


def test_ends_and_ragged_models() -> None:
    mdp = rlt.MDP.from_pairs(
        states=[0, 0, 1], actions=[0, 1, 0], transitions=[[0.5, 0.5], [0.0, 1.0], [0.0, 0.5]],
        rewards=[0.0, 0.25, 1.0], discount=0.5, termination=[0.0, 0.0, 0.5],
    )  # fmt: skip
    problem = planning_problem(mdp)
    # V(1) = 4/3; at 0: quitting gives 1/4 + 2/3 = 11/12, staying (1/3)/(3/4) = 4/9.
    assert problem.error(SimpleNamespace(policy=[1, 0])) == 0.0
    assert problem.error(SimpleNamespace(policy=[0, 0])) == float(Fraction(11, 12) - Fraction(4, 9))


def test_horizon() -> None:
    mdp = rlt.random_episodic(3, 2, 4, seed=1)
    problem, best = planning_problem(mdp), rlt.solve(mdp)
    assert problem.error(best) == pytest.approx(0.0, abs=1e-12)
    other = SimpleNamespace(policy=1 - best.policy)
    loss = (best.value - rlt.evaluate(mdp, other.policy)).max()
    assert problem.error(other) == pytest.approx(loss) and loss > 0


def test_what_is_refused() -> None:
    with pytest.raises(ModelError, match="takes an MDP or an EpisodicMDP, not int"):
        planning_problem(3)  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="of is 'q'"):
        planning_problem(rlt.riverswim(3, discount=0.9), of="q")
