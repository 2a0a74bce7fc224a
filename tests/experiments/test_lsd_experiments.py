"""The experiments on learners of last-switch-dependent arms: expected shapes, printed numbers."""

from typing import Any

import numpy as np
import pytest

import rltheory as rlt
from tests.helpers.experiments import experiment as loaded


@pytest.fixture(scope="module")
def regret() -> Any:
    return loaded("lsd_regret")


@pytest.fixture(scope="module")
def blocks() -> Any:
    return loaded("lsd_isi_combucb1")


def test_regret_is_below_the_bounds_and_grows(regret: Any) -> None:
    for bandit in regret.BANDITS:
        for learner in (regret.COMMIT, regret.FRAMES):
            means = []
            for rounds in (1000, 10_000, 100_000):
                found = [regret.trial(seed, rounds, learner, bandit) for seed in range(4)]
                assert max(each["of_bound"] for each in found) < 0.25
                means.append(np.mean([each["regret"] for each in found]))
            assert 0.0 < means[0] < means[1] < means[2]


def test_framed_ucb_loses_less_in_the_end(regret: Any) -> None:
    for bandit in regret.BANDITS:
        commit, frames = (
            np.mean([regret.trial(seed, 300_000, learner, bandit)["regret"] for seed in range(3)])
            for learner in (regret.COMMIT, regret.FRAMES)
        )
        assert frames < commit


@pytest.mark.slow
def test_the_slopes(regret: Any) -> None:
    rounds = regret.ROUNDS[:-1]
    for bandit in regret.BANDITS:
        trials = [
            [regret.trial(seed, T, regret.FRAMES, bandit)["regret"] for seed in range(20)]
            for T in rounds
        ]
        assert rlt.fit_rate(rounds, trials).interval[0] < 0.5


def test_the_horizons_hold_whole_blocks(blocks: Any) -> None:
    for make, d, T in blocks.CASES.values():
        assert T % d == T % (d + 1) == 0
        assert not make().idle


def test_greedy_has_its_exact_average(blocks: Any) -> None:
    for name, average in (("A", 91 / 600), ("B", 3 / 50)):
        make, _, T = blocks.CASES[name]
        bandit = make()
        environment = rlt.BanditEnvironment(bandit, 0, blocks.just_played(bandit))
        environment.run(blocks.greedy_actions(bandit, T))
        assert environment.pseudo_rewards[-1200:].mean() == pytest.approx(average, abs=1e-12)
        assert (blocks.rewards_of(name, "oracle greedy", 0) == environment.rewards).all()


def test_the_order_of_the_policies(blocks: Any) -> None:
    """As published for A: blocks that ignore first plays above both others; means of ten seeds."""
    total = {
        (name, policy): np.mean([blocks.trial(s, name, policy)["reward"] for s in range(3)])
        for name in blocks.CASES
        for policy in blocks.POLICIES
    }
    printed = {"A": (765, 1568, 778), "B": (2261, 2073, 306)}
    for name, numbers in printed.items():
        for policy, number in zip(blocks.POLICIES, numbers, strict=True):
            assert total[name, policy] == pytest.approx(number, rel=0.08)
