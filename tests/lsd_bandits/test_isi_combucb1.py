"""CombUCB1 in blocks: best blocks beside enumeration, the loop beside a plain twin, its edges."""

import math
from itertools import product

import numpy as np
import pytest

import rltheory as rlt
from rltheory.errors import ModelError
from rltheory.lsd_bandits.isi_combucb1 import BlockPlanner
from rltheory.mdp.streams import Stream


def worth(
    index: np.ndarray, delays: tuple[int, ...], arms: tuple[int, ...], d: int
) -> tuple[float, list[int]]:
    """The sum of indices of a sequence of plays, and the pair of each play or -1."""
    now, total, pairs = list(delays), 0.0, []
    for arm in arms:
        pair = arm * d + now[arm] - 1 if now[arm] else -1
        pairs.append(pair)
        total += index[pair] if pair >= 0 else 0.0
        now = [min(x + 1, d) if x else 0 for x in now]
        now[arm] = 1
    return total, pairs


@pytest.mark.parametrize(("K", "d"), [(1, 1), (1, 4), (2, 6), (3, 4), (4, 3)])
def test_best_blocks_by_enumeration(K: int, d: int) -> None:
    planner, stream = BlockPlanner(K, d), Stream(K, "test", d)
    for delays in [(0,) * K, (1,) * K, tuple(1 + int(x) for x in stream.integers(d, K))]:
        for _ in range(10):
            index = stream.uniforms(K * d)
            best = planner.best(index, delays)
            every = [worth(index, delays, arms, d)[0] for arms in product(range(K), repeat=d)]
            assert best.value == pytest.approx(max(every), abs=1e-12)
            total, pairs = worth(index, delays, tuple(best.arms.tolist()), d)
            assert total == pytest.approx(best.value, abs=1e-12)
            assert best.pairs.tolist() == pairs


def test_ties_go_to_the_lowest_arms() -> None:
    assert BlockPlanner(3, 3).best(np.ones(9), (1, 1, 1)).arms.tolist() == [0, 0, 0]
    assert BlockPlanner(2, 4).best(np.zeros(8), (0, 0)).arms.tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("independent", [True, False])
def test_the_loop_is_that_of_the_definition(independent: bool) -> None:
    arms = [["1/20"], ["3/50", "19/20"], ["1/2", "1/4", "3/4"]]
    bandit = rlt.LSDBandit([rlt.LSDArm.recharging(f) for f in arms], idle=False)
    K, d, T = 3, 3, 240
    run = rlt.comb_ucb1(bandit, T, seed=9, block=d, independent=independent)
    noise = Stream(9, "lsd.noise").uniforms(T)
    real, known = [1] * K, (0,) * K if independent else (1,) * K
    samples: dict[int, list[int]] = {pair: [] for pair in range(K * d)}
    for t in range(0, T, d):
        index = np.full(K * d, d * math.sqrt(1.5 * math.log(K * d)))
        for pair, seen in samples.items():
            if seen:
                index[pair] = np.mean(seen) + math.sqrt(1.5 * math.log(max(t, 1)) / len(seen))
        best = max(worth(index, known, each, d)[0] for each in product(range(K), repeat=d))
        played = tuple(run.actions[t : t + d].tolist())
        total, pairs = worth(index, known, played, d)
        assert total == pytest.approx(best, abs=1e-9)
        for j, arm in enumerate(played):
            f = [float(rlt.LSDArm(x, [0]).payoff(1)) for x in [[p] for p in arms[arm]]]
            mean = f[min(real[arm], len(f)) - 1]
            assert run.pseudo_rewards[t + j] == mean
            assert run.rewards[t + j] == (noise[t + j] < mean)
            if pairs[j] >= 0:
                samples[pairs[j]].append(int(run.rewards[t + j]))
            real = [x + 1 for x in real]
            real[arm] = 1
        if not independent:
            known = tuple(min(x, d) for x in real)


def test_independent_blocks_learn_to_alternate() -> None:
    bandit = rlt.LSDBandit(
        [rlt.LSDArm.recharging(["1/20"]), rlt.LSDArm.recharging(["3/50", "19/20"])], idle=False
    )
    run = rlt.comb_ucb1(bandit, 5060, seed=0, block=11)
    assert run.pseudo_rewards[-1100:].mean() > 0.4
    assert run.bound == math.inf and "no bound is proved" in repr(run)


def test_what_is_refused() -> None:
    bandit = rlt.LSDBandit([rlt.LSDArm.recharging([0, 1])], idle=False)
    for arguments, word in (
        ({"T": 10, "block": 3}, "multiple of the block's length, 3"),
        ({"T": 10, "block": 1}, "block is 1"),
        ({"T": 0, "block": 2}, "T is 0"),
    ):
        with pytest.raises(ModelError, match=word):
            rlt.comb_ucb1(bandit, seed=0, **arguments)
    with pytest.raises(ModelError, match="depends on the delay alone"):
        rlt.comb_ucb1(rlt.LSDBandit([rlt.LSDArm([1], [0, 0])]), 10, 0, 2)
    assert len(rlt.comb_ucb1(bandit, 3, 0, 1, independent=False).rewards) == 3
