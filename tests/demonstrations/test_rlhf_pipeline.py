"""From demonstrations and preferences to a policy."""

import numpy as np
import pytest

import rltheory as rlt
from rltheory.demonstrations.rlhf_bound import rlhf_gap_bound
from rltheory.errors import ModelError

MDP = rlt.random_episodic(4, 3, horizon=3, branching=2, seed=2)
EXPERT = rlt.solve(MDP).policy
SHOWN = rlt.sample(MDP, EXPERT, episodes=50, seed=1)


def value(policy):
    return float(MDP.initial @ rlt.evaluate(MDP, policy)[0])


def test_the_gap_is_below_its_bound():
    found = rlt.demonstration_regularized_rlhf(MDP, SHOWN, pairs=400, seed=0)
    assert found.temperature == 6.0 and found.policy.shape == (3, 4, 3)
    bound = rlhf_gap_bound(MDP, found.fit.reward, found.reference, EXPERT, found.temperature)
    assert value(EXPERT) - value(found.policy) <= bound["sharp"] <= bound["total"]
    assert repr(found).startswith("RLHFResult(temperature 6, BradleyTerryFit(gap")


def test_the_clone_is_add_one():
    found = rlt.demonstration_regularized_rlhf(MDP, SHOWN, pairs=10, seed=0)
    seen = SHOWN.counts().visits
    assert np.allclose(found.reference, (seen + 1) / (seen.sum(axis=2, keepdims=True) + 3))


def test_a_learner_gets_the_fitted_rewards_and_the_clone():
    asked = []

    def learner(task, reference, temperature):
        asked.append((task.mean_rewards.copy(), reference, temperature))
        return reference

    found = rlt.demonstration_regularized_rlhf(
        MDP, SHOWN, pairs=50, temperature=0.5, learner=learner, seed=3
    )
    ((rewards, reference, temperature),) = asked
    assert np.array_equal(rewards.reshape(3, 4, 3), found.fit.reward) and temperature == 0.5
    assert reference is found.reference and np.array_equal(found.policy, reference)


def test_a_learner_that_only_plays():
    """RegularizedBPI in place of planning: its certificate is the eps_rl of the bound."""
    small = rlt.random_episodic(2, 2, horizon=2, branching=2, seed=1)
    shown = rlt.sample(small, rlt.solve(small).policy, episodes=30, seed=1)

    def learner(task, reference, temperature):
        exploring = rlt.RegularizedBPI(reference, temperature, epsilon=0.02, delta=0.1)
        return exploring.run(rlt.online(task, seed=5), seed=6)

    found = rlt.demonstration_regularized_rlhf(small, shown, 200, temperature=1.0, learner=learner)
    task = small.with_rewards(found.fit.reward)
    best = rlt.solve_regularized(task, 1.0, found.reference).value[0]
    own = rlt.evaluate_regularized(task, found.policy, 1.0, found.reference)[0]
    eps_rl = float(small.initial @ (best - own))
    assert 0 <= eps_rl <= found.learned.certificate <= 0.02
    expert = rlt.solve(small).policy
    bound = rlhf_gap_bound(small, found.fit.reward, found.reference, expert, 1.0, eps_rl)
    gap = rlt.evaluate(small, expert)[0] - rlt.evaluate(small, found.policy)[0]
    assert float(small.initial @ gap) <= bound["sharp"] + 1e-12


def test_rewards_and_exploration_in_one_set_of_features():
    linear = rlt.random_linear_mdp(states=5, actions=2, dimension=3, horizon=2, seed=1)
    table = linear.tabular()
    shown = rlt.sample(table, rlt.solve(table).policy, episodes=20, seed=1)

    def learner(task, reference, temperature):
        return rlt.lsvi_ucb_ent(
            rlt.online(task, 2), reference, temperature, 0.05,
            episodes=20_000, features=linear.features, radius=1.0,
        )  # fmt: skip

    found = rlt.demonstration_regularized_rlhf(
        table, shown, 300, temperature=1.0, features=linear.features, learner=learner
    )
    task = table.with_rewards(found.fit.reward)
    best = rlt.solve_regularized(task, 1.0, found.reference).value[0]
    own = rlt.evaluate_regularized(task, found.policy, 1.0, found.reference)[0]
    assert found.learned.stopped and table.initial @ (best - own) <= found.learned.bound <= 0.05


def test_judges():
    by_function = rlt.demonstration_regularized_rlhf(
        MDP, SHOWN, 30, lambda first, second: (second.returns() > first.returns()).astype(int)
    )
    first, second = by_function.preferences.first, by_function.preferences.second
    assert by_function.preferences.labels.tolist() == (second.returns() > first.returns()).tolist()
    zero = rlt.demonstration_regularized_rlhf(MDP, SHOWN, 2000, np.zeros((4, 3)), seed=1)
    assert abs(zero.preferences.labels.mean() - 0.5) < 0.06


def test_finite_classes_and_features():
    true = np.broadcast_to(MDP.mean_rewards.reshape(-1, 4, 3), (3, 4, 3))
    table = np.stack([1 - true, true])
    found = rlt.demonstration_regularized_rlhf(MDP, SHOWN, 500, candidates=table, temperature=0.1)
    assert found.fit.index == 1
    exact = rlt.solve_regularized(MDP, 0.1, found.reference)
    assert np.allclose(found.policy, exact.policy)
    phi = np.eye(12).reshape(4, 3, 12)
    by_features = rlt.demonstration_regularized_rlhf(MDP, SHOWN, 100, features=phi)
    assert by_features.fit.weights.shape == (12,)


@pytest.mark.parametrize(
    "returned", [None, np.full((2, 2), np.nan), "0.5", np.full((4, 3), 0.5), [[0.2, 0.8]]]
)
def test_what_a_learner_returns_must_be_a_policy(returned):
    with pytest.raises(rlt.PolicyError):
        rlt.demonstration_regularized_rlhf(MDP, SHOWN, 5, learner=lambda *_: returned)


def test_actions_of_a_learner_are_a_policy_of_probabilities():
    found = rlt.demonstration_regularized_rlhf(MDP, SHOWN, 5, learner=lambda *_: EXPERT)
    assert found.policy.shape == (3, 4, 3)
    assert found.policy.argmax(axis=2).tolist() == EXPERT.tolist()


def test_a_seed_sequence_is_a_seed():
    one, other = (
        rlt.demonstration_regularized_rlhf(MDP, SHOWN, 5, seed=seed)
        for seed in (3, np.random.SeedSequence(3))
    )
    assert one.fit.reward.tolist() == other.fit.reward.tolist()


def test_errors():
    for change, message in [
        ({"mdp": rlt.riverswim(3, discount=0.9)}, "EpisodicMDP"),
        ({"demonstrations": EXPERT}, "must be Trajectories"),
        ({"pairs": 0}, "pairs is 0"),
        ({"smoothing": 0.0}, "smoothing is 0"),
        ({"smoothing": 1e308}, "at most 1e300"),
        ({"temperature": "0.5"}, "temperature is '0.5'"),
        ({"candidates": np.full((1, 4, 3), 2.0)}, "fitted rewards are in"),
    ]:
        with pytest.raises(ModelError, match=message):
            rlt.demonstration_regularized_rlhf(
                **({"mdp": MDP, "demonstrations": SHOWN, "pairs": 5} | change)
            )
