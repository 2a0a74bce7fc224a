"""Exact mirror descent in doubles, against sixty digits and closed forms, and at its edges."""

import math
from fractions import Fraction

import numpy as np
import pytest

import rltheory as rlt
from rltheory.claims.verify import instances
from rltheory.errors import ModelError, PolicyError
from rltheory.mirror_descent.claims import CLAIMS
from rltheory.mirror_descent.exact_iterates import ExactIterates, logs_of, real
from tests.helpers.small_models import two_arms

ITERATED = {claim.id: claim for claim in CLAIMS}


def doubles(table):
    return [[float(x) for x in row] for row in table]


def ragged():
    """State 0 has two actions, one of which may end; state 1 has one."""
    return rlt.MDP.from_pairs(
        [0, 0, 1], [0, 2, 1], [[0.5, 0.5], [0.0, 0.25], [0.0, 1.0]], [0.0, 1.0, 0.25],
        discount=0.9, initial=[1.0, 0.0], termination=[0.0, 0.75, 0.0],
    )  # fmt: skip


@pytest.mark.parametrize("name", ["mdpo-averaging", "mdpo-sac-limit"])
def test_iterates_equal_those_of_sixty_digits(name):
    soft = name == "mdpo-sac-limit"
    for _, _, i in instances(ITERATED[name], 60, 2):
        # Rounding of Q moves logits by eta times it, and from there Q again: few, small steps.
        eta = min(i.step, Fraction(1))
        tau = max(i.temperature, Fraction(1, 64)) if soft else None
        model = ExactIterates(i.mdp, tau, i.reference if soft else None)
        policies, values, _ = model.run([logs_of(r) for r in i.init], 3, lambda *_, e=eta: real(e))
        history = rlt.mirror_descent_policy_iteration(
            i.mdp,
            float(eta),
            3,
            doubles(i.init),
            doubles(i.reference) if soft and i.reference else None,
            float(tau) if soft else 0.0,
        )
        size = 1.0 + max(abs(float(x)) for v in values for x in v)
        assert np.abs(history.values - np.array(values, float)).max() <= 1e-11 * size
        exact = np.array([[[float(x) for x in row] for row in table] for table in policies])
        taken = np.isfinite(exact)
        assert (taken == np.isfinite(history.log_policies)).all()
        far = np.abs(history.log_policies[taken] - exact[taken]).max()
        assert far <= 1e-11 * (size + np.abs(exact[taken]).max())


def test_bandit_in_closed_form():
    mdp = rlt.MDP.deterministic([[0, 0, 0]], [[1.0, 0.5, 0.0]], discount=0.0)
    first = np.array([0.2, 0.3, 0.5])
    history = rlt.mirror_descent_policy_iteration(mdp, 0.7, 9, [first])
    wanted = first * np.exp(0.7 * 9 * np.array([1.0, 0.5, 0.0]))
    assert history.policy[0] == pytest.approx(wanted / wanted.sum(), rel=1e-13)


def test_actions_never_taken_are_never_repaired():
    history = rlt.mirror_descent_policy_iteration(two_arms(), 10.0, 5, [[0.0, 1.0]])
    assert (history.values == 0.0).all() and np.isneginf(history.log_policies[:, 0, 0]).all()
    assert np.isfinite(history.policies).all()
    soft = rlt.mirror_descent_policy_iteration(
        two_arms(), math.inf, 3, [[0.0, 1.0]], [[0.5, 0.5]], temperature=1.0
    )
    assert soft.policies[:, 0, 0].tolist() == [0.0] * 4


def test_logarithms_go_down_to_minus_a_thousand_and_far_beyond():
    history = rlt.mirror_descent_policy_iteration(two_arms(), 1.0, 3000, log_init=[[-1000.0, 0.0]])
    logs = history.log_policies[:, 0, 0]
    # Q differs by 1 throughout, so that logits move by 1: from -1000 to 2000.
    assert logs[:900] == pytest.approx(np.arange(900) - 1000.0, abs=1e-9)
    assert history.log_policies[-1, 0] == pytest.approx([0.0, -2000.0], abs=1e-9)
    assert history.value[0] == 2.0


def test_ties_keep_their_shares():
    mdp = rlt.MDP.deterministic([[0, 0, 0]], [[1.0, 1.0, 0.0]], discount=0.9)
    history = rlt.mirror_descent_policy_iteration(mdp, 1e6, 3, [[0.1, 0.3, 0.6]])
    assert history.policy[0] == pytest.approx([0.25, 0.75, 0.0], abs=1e-12)


def test_long_steps_leave_probabilities_that_sum_to_one():
    mdp = rlt.garnet(6, 3, 2, seed=3, discount=0.9)
    history = rlt.mirror_descent_policy_iteration(mdp, [1e12] * 4, 4)
    assert np.abs(history.policies.sum(axis=2) - 1.0).max() <= 1e-15 * 8
    assert history.cut_from is None
    # Near ties of q, rounding may choose: what is sure is that nothing gets worse.
    assert (np.diff(history.values, axis=0) >= -1e-12).all()


def test_steps_beyond_the_largest_are_cut_and_said_to_be():
    mdp = two_arms()
    history = rlt.mirror_descent_policy_iteration(mdp, rlt.GeometricSteps(1.0, 1e5), 5)
    assert history.steps.tolist() == pytest.approx([1.0, 1e5, 1e10, 1e12, 1e12])
    assert history.cut_from == 3 and "cut from iteration 3 on" in repr(history)
    # With a temperature of 1/2 the weight of q values stays below 2, and nothing is cut.
    soft = rlt.mirror_descent_policy_iteration(mdp, math.inf, 2, temperature=0.5)
    assert soft.cut_from is None and np.isinf(soft.steps).all()


def test_infinite_steps_are_soft_policy_iteration():
    mdp = rlt.garnet(5, 3, 3, seed=1, discount=0.9)
    history = rlt.mirror_descent_policy_iteration(mdp, math.inf, 60, temperature=0.3)
    best = rlt.solve_regularized(mdp, 0.3)
    assert history.value == pytest.approx(best.value, rel=1e-10)
    assert history.log_policies[-1] == pytest.approx(best.log_policy, abs=1e-8)
    q = rlt.q_values(mdp, history.values[0])
    sac = np.exp((q - q.max(axis=1, keepdims=True)) / 0.3)
    assert history.policies[1] == pytest.approx(sac / sac.sum(axis=1, keepdims=True), rel=1e-12)


def test_values_of_the_history_are_those_of_its_policies():
    mdp = ragged()
    history = rlt.mirror_descent_policy_iteration(mdp, 0.5, 3)
    for value, logs in zip(history.values, history.log_policies, strict=True):
        assert value == pytest.approx(rlt.evaluate(mdp, log_policy=logs), rel=1e-13)
    soft = rlt.mirror_descent_policy_iteration(mdp, 0.5, 3, temperature=0.25)
    for value, logs in zip(soft.values, soft.log_policies, strict=True):
        wanted = rlt.evaluate_regularized(mdp, None, 0.25, log_policy=logs)
        assert value == pytest.approx(wanted, rel=1e-13)
    # Actions that are not there have probability 0, and state 1 has no choice.
    assert np.isneginf(history.log_policies[:, 0, 1]).all()
    assert history.policies[:, 1].tolist() == [[0.0, 1.0, 0.0]] * 4
    assert (np.diff(history.values, axis=0) >= -1e-15).all()


def test_a_start_with_no_iterations():
    history = rlt.mirror_descent_policy_iteration(two_arms(), 1.0, 0)
    assert history.n_iters == 0 and history.values.tolist() == [[1.0]]
    assert repr(history).startswith("History(last change of value 0, mirror descent, 0 iterations")
    with pytest.raises(ValueError, match="read-only"):
        history.values[0, 0] = 1.0


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"step_size": 0.0}, ModelError, "step_size is 0.0; it must be finite and above 0"),
        ({"step_size": math.inf}, ModelError, "finite and above 0"),
        ({"step_size": math.nan}, ModelError, "step_size is nan"),
        ({"step_size": True}, ModelError, "step_size is True"),
        ({"step_size": [1.0]}, ModelError, "one step for each of the 3 iterations"),
        ({"step_size": [1.0, -1.0, 1.0]}, ModelError, r"step_size\[1\] is -1.0"),
        ({"step_size": lambda *_: -1.0}, ModelError, "schedule returned -1.0 at iteration 0"),
        ({"step_size": lambda *_: None}, ModelError, "schedule returned None"),
        ({"n_iters": -1}, ModelError, "n_iters is -1"),
        ({"n_iters": 1.5}, ModelError, "n_iters is 1.5"),
        ({"temperature": -1.0}, ModelError, "temperature is -1.0"),
        ({"reference": [[0.5, 0.5]]}, ModelError, "temperature is 0: it must be above 0"),
        ({"init": [[0.5, 0.6]]}, PolicyError, "sums to 1.1"),
        (
            {"init": [[0.5, 0.5]], "reference": [[1.0, 0.0]], "temperature": 1.0},
            PolicyError,
            "init takes action 1 in state 0, which the reference forbids",
        ),
        (
            {"init": [[0.5, 0.5]], "log_init": [[-1.0, 0.0]]},
            PolicyError,
            "both of init and log_init",
        ),
        ({"mdp": two_arms().episodic(2)}, ModelError, "takes an MDP with a discount"),
    ],
)
def test_bad_arguments_are_refused_with_what_was_given(change, error, words):
    arguments = {"mdp": two_arms(), "step_size": 1.0, "n_iters": 3} | change
    with pytest.raises(error, match=words):
        rlt.mirror_descent_policy_iteration(**arguments)


def test_a_reference_that_forbids_is_obeyed_from_the_start():
    history = rlt.mirror_descent_policy_iteration(
        two_arms(), 1.0, 4, reference=[[0.0, 1.0]], temperature=0.5
    )
    assert history.policies[:, 0].tolist() == [[0.0, 1.0]] * 5
    assert history.value.tolist() == [0.0]
