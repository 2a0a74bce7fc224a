"""Garnet models against a plain twin that draws the same words, and against their law."""

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

import rltheory as rlt
from rltheory import ModelError, garnet
from rltheory.mdp.streams import philox_key


class Words:
    """numpy's Philox, read the way the docstring of the model says."""

    def __init__(self, seed: int) -> None:
        self.bits = np.random.Philox(key=np.array(philox_key(seed, "garnet"), dtype=np.uint64))

    def below(self, bound: int) -> int:
        while True:
            product = int(self.bits.random_raw()) * bound
            if product % 2**64 >= 2**64 % bound:
                return product >> 64

    def uniform(self) -> float:
        return (int(self.bits.random_raw()) >> 11) * 2.0**-53


def plain_garnet(
    states: int, actions: int, branching: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    words = Words(seed)
    table, rewards = np.zeros((states * actions, states)), np.zeros(states * actions)
    for row in range(states * actions):
        taken: list[int] = []
        for last in range(states - branching, states):  # Floyd's algorithm
            pick = words.below(last + 1)
            taken.append(last if pick in taken else pick)
        cuts = sorted([0.0, 1.0, *(words.uniform() for _ in range(branching - 1))])
        table[row, sorted(taken)] = np.diff(cuts)
        rewards[row] = words.uniform()
    return table, rewards


@pytest.mark.parametrize(
    ("states", "actions", "branching"),
    [(1, 1, 1), (6, 2, 1), (6, 2, 3), (6, 3, 6), (40, 2, 5), (90, 1, 70), (70, 1, 64), (70, 1, 65)],
)
def test_it_is_its_plain_twin(states: int, actions: int, branching: int) -> None:
    for seed in range(3):
        mdp = garnet(states, actions, branching, seed, 0.9)
        table, rewards = plain_garnet(states, actions, branching, seed)
        assert np.array_equal(mdp.transitions.toarray(), table)
        assert np.array_equal(mdp.mean_rewards, rewards)
        assert (mdp.n_states, mdp.n_actions, mdp.discount) == (states, actions, 0.9)
        assert np.diff(mdp.transitions.indptr).tolist() == [branching] * (states * actions)
        assert not mdp.row_defect.any()  # gaps of multiples of 2^-53 sum to 1 exactly


def test_storage_follows_from_the_sizes() -> None:
    assert garnet(10, 2, 1).storage == "deterministic"
    assert garnet(10, 2, 5).storage == "csr"
    assert garnet(10, 2, 6).storage == "dense"


def test_every_subset_is_as_likely() -> None:
    mdp = garnet(5, 3000, 3, seed=4)
    columns = mdp.transitions.indices.reshape(-1, 3).tolist()
    counts = np.array([columns.count(list(c)) for c in combinations(range(5), 3)])
    mean = len(columns) / 10
    # 9 degrees of freedom: the chi-squared statistic exceeds 50 with probability 1e-7.
    assert counts.sum() == len(columns) == 15_000
    assert ((counts - mean) ** 2 / mean).sum() < 50.0
    first = mdp.transitions.data.reshape(-1, 3)[:, 0]
    # A gap of two uniform points is Beta(1, 2): mean 1/3, variance 1/18.
    assert abs(first.mean() - 1 / 3) < 6 * (1 / 18 / 15_000) ** 0.5
    assert abs(mdp.mean_rewards.mean() - 0.5) < 6 * (1 / 12 / 15_000) ** 0.5


def test_it_depends_on_its_seed_alone() -> None:
    prints = {garnet(9, 2, 3, seed).fingerprint for seed in range(20)}
    assert len(prints) == 20
    sequence = np.random.SeedSequence(5)
    assert garnet(9, 2, 3, sequence).fingerprint == garnet(9, 2, 3, 5).fingerprint
    spawned = np.random.SeedSequence(5, spawn_key=(1,))
    assert garnet(9, 2, 3, spawned).fingerprint != garnet(9, 2, 3, 5).fingerprint
    # Further actions of the last state do not change the rows before them.
    assert np.array_equal(
        garnet(9, 3, 3, 5).transitions.toarray()[:18], garnet(9, 2, 3, 5).transitions.toarray()
    )


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: garnet(0, 1, 1), "states is 0; it must be an integer of at least 1"),
        (lambda: garnet(3, 0, 1), "actions is 0"),
        (lambda: garnet(3, 1, 0), "branching is 0"),
        (lambda: garnet(3, 1, 4), "branching is 4; it must be in 1..3, the number of states"),
        (lambda: garnet(3, 1, 1.0), "branching is 1.0"),  # type: ignore[arg-type]
        (lambda: garnet(True, 1, 1), "states is True"),
        (lambda: garnet(3, 1, 1, seed=-1), "seed is -1"),
        (lambda: garnet(3, 1, 1, seed=1.5), "seed is 1.5"),  # type: ignore[arg-type]
        (lambda: garnet(3, 1, 1, discount=1.0), "discount is 1.0"),
        (lambda: garnet(2**31, 1, 1), "2^31 - 1 states are supported"),
        (lambda: garnet(2**30, 2**10, 2**10), "entries; at most"),
    ],
)
def test_arguments_out_of_range(build: Callable[[], rlt.MDP], words: str) -> None:
    with pytest.raises(ModelError) as caught:
        build()
    assert words in str(caught.value)
