"""Finite classes: what is in them, and who is named when something is not."""

import numpy as np
import pytest

import rltheory as rlt
from rltheory.errors import ModelError, PolicyError

RIVER = rlt.riverswim(3, discount=0.9)
STAGED = rlt.riverswim(3).episodic(3)


def backup(mdp, f):
    return np.asarray(rlt.q_values(mdp, f.max(axis=-1)))


def test_the_optimum_is_found_or_the_nearest_member_named():
    q = rlt.q_values(RIVER, rlt.solve(RIVER).value)
    there = rlt.FunctionClass(RIVER, [0 * q, q + 0.25, q])
    found = there.realizable()
    assert found and found.nearest == 2 and found.distance < 1e-8
    absent = rlt.FunctionClass(RIVER, [0 * q, q + 0.25]).realizable()
    assert not absent and absent.nearest == 1 and absent.distance == pytest.approx(0.25)
    with pytest.raises(ModelError, match=r"Q\* is not in the class.*number 1, is 0.25 away"):
        absent.require()
    found.require()


def test_the_value_of_a_policy():
    policy = [1, 0, 1]
    q = rlt.q_values(RIVER, rlt.evaluate(RIVER, policy))
    critics = rlt.FunctionClass(RIVER, [q])
    assert critics.realizable(policy) and not critics.realizable()


def test_completeness_names_the_member_that_leaves():
    f = np.zeros((3, 2))
    orbit = [f]
    for _ in range(400):  # long enough to be within 1e-8 of the fixed point
        orbit.append(backup(RIVER, orbit[-1]))
    assert rlt.FunctionClass(RIVER, orbit).complete(tolerance=1e-8)
    broken = rlt.FunctionClass(RIVER, orbit[:3]).complete()
    assert not broken and broken.what == "T of member 2" and broken.nearest == 2
    assert broken.distance == pytest.approx(np.abs(orbit[3] - orbit[2]).max())


def test_completeness_for_policies():
    policies = [[0, 0, 0], [1, 1, 1]]
    closed = rlt.FunctionClass(RIVER, [rlt.q_values(RIVER, rlt.evaluate(RIVER, policies[0]))])
    assert closed.complete(policies[:1])
    failing = closed.complete(policies)
    assert not failing and failing.what == "T of policy 1 and member 0"


def test_stages_have_members_of_their_own():
    q = rlt.q_values(STAGED, rlt.solve(STAGED).value)
    first, second = np.array(q), np.zeros_like(q)
    first[1] = 7.0  # the right one of stage 1 is in the other member
    second[1] = q[1]
    critics = rlt.FunctionClass(STAGED, [first, second])
    assert critics.realizable()
    found = rlt.FunctionClass(STAGED, [first]).realizable()
    assert not found and found.what == "Q* at stage 1"
    assert rlt.FunctionClass(STAGED, [q]).complete()


def test_policies():
    policies = rlt.PolicyClass(RIVER, [[0, 0, 0], [1, 1, 1], np.full((3, 2), 0.5)])
    at, value = policies.best()
    assert at == 1 and value == pytest.approx(float(rlt.evaluate(RIVER, [1, 1, 1])[0]))
    assert len(policies) == len(list(policies)) == 3 and policies[1].tolist() == [1, 1, 1]
    everyone = rlt.deterministic_policies(STAGED)
    assert len(everyone) == 2**9
    assert everyone.best()[1] == pytest.approx(float(rlt.solve(STAGED).value[0, 0]))


def test_rewards():
    own = STAGED.mean_rewards.reshape(3, 2)
    members = np.stack([np.zeros((3, 3, 2)), np.broadcast_to(own, (3, 3, 2))])
    assert rlt.RewardClass(STAGED, members).realizable().nearest == 1
    off = rlt.RewardClass(STAGED, members[:1]).realizable()
    assert not off and off.distance == own.max()
    with pytest.raises(ModelError, match="the model's reward is not in the class"):
        off.require()


RAGGED = rlt.MDP.from_pairs([0, 0], [0, 2], [[1.0], [1.0]], [0.0, 1.0], discount=0.5)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: rlt.PolicyClass(RIVER, []), ModelError, "at least one member"),
        (lambda: rlt.PolicyClass(RIVER, [[0, 0]]), PolicyError, "shape"),
        (lambda: rlt.PolicyClass(RAGGED, [[0]]).best(), ModelError, "no start law"),
        (lambda: rlt.FunctionClass(RIVER, np.zeros((3, 2))), ModelError, r"\(n, 3, 2\)"),
        (lambda: rlt.FunctionClass(RIVER, np.zeros((0, 3, 2))), ModelError, "shape"),
        (lambda: rlt.FunctionClass(RIVER, np.full((1, 3, 2), np.nan)), ModelError, "is nan"),
        (lambda: rlt.FunctionClass(RAGGED, np.zeros((1, 1, 3))), ModelError, "all actions"),
        (lambda: rlt.RewardClass(RAGGED, np.zeros((1, 1, 3))), ModelError, "all actions"),
        (lambda: rlt.deterministic_policies(rlt.riverswim(30)), ModelError, "more than 100000"),
    ],
)
def test_bad_arguments_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
