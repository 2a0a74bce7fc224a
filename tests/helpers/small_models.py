"""Small discounted models with a start law, and policies, for tests of policy optimisation."""

import numpy as np

import rltheory as rlt


def two_arms(discount=0.5):
    return rlt.MDP.deterministic([[0, 0]], [[1.0, 0.0]], discount=discount, initial=[1.0])


def random_model(seed, states=5, actions=3):
    mdp = rlt.garnet(states, actions, 2, seed=seed, discount=0.9)
    start = np.arange(1.0, states + 1.0)
    arrays = mdp.transitions, mdp.rewards
    return rlt.MDP(*arrays, 0.9, initial=start / start.sum())


def random_policy(seed, states=5, actions=3):
    p = np.random.default_rng(seed).dirichlet(np.ones(actions), states)
    return p / p.sum(axis=1, keepdims=True)
