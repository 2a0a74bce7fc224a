"""Classes made by a rule, and what policies' classes contain."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rltheory as rlt
from rltheory.errors import ModelError

RIVER = rlt.riverswim(3, discount=0.9)
STAGED = rlt.riverswim(3).episodic(3)


def test_softmax_by_hand() -> None:
    phi = np.zeros((3, 2, 2))
    phi[0, 1] = [np.log(3.0), 0.0]
    phi[1, 0] = [0.0, 1.0]
    flat, first, both = rlt.softmax_policies(RIVER, phi, [[0, 0], [1, 0], [1, -1000]])
    assert (flat == 0.5).all()
    assert first == pytest.approx(np.array([[0.25, 0.75], [0.5, 0.5], [0.5, 0.5]]))
    assert both[1].tolist() == [0.0, 1.0]
    staged = rlt.softmax_policies(STAGED, np.broadcast_to(phi, (3, 3, 2, 2)), [[1, 0]])
    assert staged[0] == pytest.approx(np.broadcast_to(first, (3, 3, 2)))


def test_softmax_over_the_actions_that_are_there() -> None:
    mdp = rlt.MDP.from_pairs([0, 0], [0, 2], [[1.0], [1.0]], [0.0, 1.0], 0.5, initial=[1])
    phi = [[[0.0], [1e300], [0.0]]]
    assert rlt.softmax_policies(mdp, phi, [[1e10]])[0].tolist() == [[0.5, 0.0, 0.5]]


def test_aggregated_critics_are_all_of_them() -> None:
    critics = rlt.aggregated_critics(RIVER, [1, 0, 1], [0.0, 1.0, 4.0])
    assert len(critics) == 3**4 == len({f.tobytes() for f in critics.functions})
    assert (critics.functions[:, 0] == critics.functions[:, 2]).all()
    tabular = rlt.aggregated_critics(STAGED, range(3), [0.0, 2.0])
    assert tabular.functions.shape == (2**6, 3, 3, 2)


def test_an_aggregation_that_keeps_the_model_is_realizable() -> None:
    # States 0 and 1 are copies: with Q* on the grid, the class has it; telling 2 as them, not.
    moves = [[[0, 0, 1], [0.5, 0.5, 0]]] * 2 + [[[0, 0, 1]] * 2]
    mdp = rlt.MDP(moves, [[0, 1], [0, 1], [2, 2]], 0.5, [1, 0, 0])
    q = rlt.solve_exact(mdp).value
    grid = sorted({float(x) for x in rlt.q_values(mdp, [float(v) for v in q]).ravel()})
    assert rlt.aggregated_critics(mdp, [0, 0, 1], grid).realizable()
    assert not rlt.aggregated_critics(mdp, [0, 1, 1], grid).realizable()


@settings(max_examples=20)
@given(st.integers(0, 10_000), st.integers(0, 4))
def test_the_closure_is_complete_and_has_the_optimum(seed: int, m: int) -> None:
    mdp = rlt.random_episodic(states=3, actions=2, horizon=3, seed=seed)
    noise = np.random.default_rng(seed).random((m, 3, 3, 2)) if m else None
    critics = rlt.complete_closure(mdp, noise)
    assert len(critics) == 1 + 3 * m
    assert critics.complete(tolerance=0.0) and critics.realizable()
    sizes = [len({f.tobytes() for f in critics.functions[:, h]}) for h in range(3)]
    assert sizes == [1 + 3 * m, 1 + 2 * m, 1 + m]
    if m:  # without the image of the last member it is complete no more
        kept = critics.functions.copy()
        image = rlt.q_values(mdp, np.concatenate([kept[-1].max(axis=-1), np.zeros((1, 3))]))
        at = np.abs(kept[:, 1] - image[1]).max(axis=(1, 2)).argmin()
        kept[at, 1] = 100.0
        broken = rlt.FunctionClass(mdp, kept).complete()
        assert not broken and broken.distance > 1.0


# --- classes of policies ------------------------------------------------------------------


def test_a_class_of_policies_with_an_optimal_one() -> None:
    policy = rlt.solve(RIVER).policy
    found = rlt.PolicyClass(RIVER, [[0, 0, 0], policy]).realizable()
    assert found and found.nearest == 1 and found.distance <= 1e-8
    absent = rlt.PolicyClass(RIVER, [[0, 0, 0], [0, 1, 1]]).realizable()
    loss = rlt.solve(RIVER).value - rlt.evaluate(RIVER, [0, 1, 1])
    assert not absent and absent.nearest == 1
    assert absent.distance == pytest.approx(loss.max(), rel=1e-6)
    with pytest.raises(ModelError, match="an optimal policy is not in the class"):
        absent.require()


def test_policies_are_joined_stage_by_stage() -> None:
    # Start: action 0 to v, which pays 1/2, action 1 to u, which pays the action. What improves on
    # "all 0" is 0 at the start and 1 in u: no constant, but of each stage one constant does.
    moves = [[[0, 0, 1], [0, 1, 0]], [[1, 0, 0]] * 2, [[1, 0, 0]] * 2]
    paid = [[[0, 0]] * 3, [[0, 0], [0, 1], [0.5, 0.5]]]
    mdp = rlt.EpisodicMDP([moves] * 2, paid, 2, [1, 0, 0])
    constants = rlt.PolicyClass(mdp, [[0, 0, 0], [1, 1, 1]])
    assert constants.realizable().nearest == 1 and constants.complete()
    alone = rlt.PolicyClass(mdp, [[0, 0, 0]]).complete()
    assert not alone and alone.what == "a policy greedy for member 0 at stage 1"
    assert alone.distance == 1.0


def test_all_deterministic_policies_are_complete() -> None:
    assert rlt.deterministic_policies(RIVER).complete()
    some = rlt.PolicyClass(RIVER, [[0, 0, 0]]).complete()
    assert not some and some.what == "a policy greedy for member 0"


def test_realizability_is_asked_to_the_tolerance() -> None:
    # Values near 1e8: the default bracket of solve is wider than the tolerance of the question.
    mdp = rlt.riverswim(4, discount=0.99999)
    mdp = mdp.with_rewards(mdp.rewards * 1e3)
    q = rlt.q_values(mdp, rlt.solve(mdp, tol=1e-7).value)
    assert rlt.FunctionClass(mdp, [q]).realizable(tolerance=1e-6)
    assert not rlt.FunctionClass(mdp, [q + 1e-5]).realizable(tolerance=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rlt.softmax_policies(RIVER, np.zeros((3, 2)), [[1.0]]), r"\(3, 2, k\)"),
        (lambda: rlt.softmax_policies(RIVER, np.zeros((3, 2, 1)), [1.0]), r"\(n, k\)"),
        (lambda: rlt.softmax_policies(RIVER, np.full((3, 2, 1), 1e300), [[1e300]]), "beyond"),
        (lambda: rlt.softmax_policies(RIVER, np.full((3, 2, 1), np.inf), [[1.0]]), "finite"),
        (lambda: rlt.aggregated_critics(RIVER, [0, 1], [0.0]), "each of 3 states"),
        (lambda: rlt.aggregated_critics(RIVER, [0, 2, 2], [0.0]), r"0\.\.G-1"),
        (lambda: rlt.aggregated_critics(RIVER, [0, 1, 2], range(20)), r"20\^6 such critics"),
        (lambda: rlt.complete_closure(RIVER), "a horizon"),
        (lambda: rlt.complete_closure(STAGED, np.zeros((1, 3, 2))), r"\(n, 3, 3, 2\)"),
        (lambda: rlt.FunctionClass(RIVER, [np.zeros((3, 2))]).realizable(tolerance=0.0), "above 0"),
    ],
)
def test_bad_arguments_are_named(call, message) -> None:
    with pytest.raises(ModelError, match=message):
        call()
