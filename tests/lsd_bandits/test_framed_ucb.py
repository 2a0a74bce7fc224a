"""Framed UCB beside a plain twin, its bound, its edges."""

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import rltheory as rlt
from rltheory.errors import ModelError
from rltheory.lsd_bandits.families import GOLDEN, bandit_of, rand_mono
from rltheory.lsd_bandits.framed_ucb import default_frame, framed_run, radius_width
from rltheory.mdp.streams import Stream
from tests.reference.plain_learners import framed, twins


def rand_bandits(count: int) -> list[rlt.LSDBandit]:
    family = rand_mono(plays=(1,), most_plays=3)
    return [bandit_of(family.instance(family.sample("test", 1, j))) for j in range(count)]


@pytest.mark.parametrize("width", [0.0, 0.3, 2.5])
@pytest.mark.parametrize("recovery", [0, 3])
def test_the_loop_is_that_of_the_plain_twin(width: float, recovery: int) -> None:
    T, broken = 150, 0
    for j, bandit in enumerate([*rand_bandits(8), GOLDEN["I2"](), GOLDEN["B23"]()]):
        frame = 5 + 3 * j
        noise = Stream(j, "lsd.noise").uniforms(T)
        draws = Stream(j, "lsd.plans").uniforms(2 * bandit.n_arms * math.ceil(T / frame))
        environment = rlt.BanditEnvironment(bandit, j)
        (actions, rewards, _), below = framed_run(environment, T, j, frame, width, recovery)
        expected = framed(twins(bandit), T, frame, width, noise.tolist(), draws.tolist(), recovery)
        assert (actions.tolist(), rewards.tolist(), below) == expected
        assert environment.plays.sum() == (actions >= 0).sum()
        broken += below
    # Rests at the starts of frames are what keeps real states above virtual ones.
    assert (broken == 0) == (recovery == 3)


def test_the_bound() -> None:
    assert default_frame([1, 1], [1, 1], 20_000) == math.ceil(math.sqrt(5000)) == 71
    assert default_frame([2], [2], 8) == 2 and default_frame([3], [1], 1) == 1
    T, D, R = 5000, 4, 1
    stated = rlt.framed_ucb_regret_bound([1, 1], [1, 1], T)
    simple = 2 * math.sqrt(R * D * T) + 2 * math.sqrt(2 * D * T * math.log(2 * D * T * T)) + D + 2
    assert stated <= simple and stated == pytest.approx(2.0e3, rel=0.01)
    F, delta = 50, 0.01
    whole = 0.75 * 100 + 200 + 2 * math.sqrt(8 * T * math.log(8 * T / delta)) + 0.75 * delta * T
    assert rlt.framed_ucb_regret_bound([1, 1], [1, 1], T, F, delta) == pytest.approx(whole)
    assert radius_width([1], [1], 8, 0.5) == pytest.approx(math.sqrt(math.log(64) / 2))


def test_regret_is_far_below_the_bound() -> None:
    bandit = rlt.LSDBandit([rlt.LSDArm.blocking(2, "9/10")] * 2)
    found = [rlt.framed_ucb(bandit, 20_000, seed) for seed in range(5)]
    regret = np.mean([run.pseudo_regret[-1] for run in found])
    assert regret < 500 < found[0].bound < 0.32 * 20_000 * found[0].target


def test_the_seed_is_all_that_a_run_depends_on() -> None:
    bandit = GOLDEN["I2"]()

    def run(seed: int) -> bytes:
        return rlt.framed_ucb(bandit, 3000, seed).rewards.tobytes()

    alone = [run(seed) for seed in range(8)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(run, range(8))) == alone
    assert len(set(alone)) == 8


def test_any_start_rests_first() -> None:
    bandit = rlt.LSDBandit([rlt.LSDArm([0, 0, 1], [0]), rlt.LSDArm.blocking(2)])
    environment = rlt.BanditEnvironment(bandit, 0, [0, 0])
    run = rlt.framed_ucb(environment, 200, seed=0, frame=20)
    assert (run.actions[:3] == -1).all()
    environment.run([0, 1, 0])
    again = rlt.framed_ucb(environment, 100, seed=0, frame=20)
    assert (again.actions[:3] == -1).all() and environment.rounds == 303
    rested = rlt.framed_ucb(bandit, 200, seed=0, frame=20)
    assert (rested.actions[:20] != -1).sum() > (run.actions[:3] != -1).sum()


def test_optimism_that_is_never_corrected() -> None:
    """The second arm is never played twice in a row, and its payoff there stays unknown."""
    bandit = rlt.LSDBandit([rlt.LSDArm.blocking(2, 1), rlt.LSDArm.blocking(2, "1/2")])
    environment = rlt.BanditEnvironment(bandit, 0)
    rlt.framed_ucb(environment, 100_000, seed=0)
    assert environment.plays[2] == 0 and environment.plays[3] > 20_000


@pytest.mark.parametrize("T", [1, 2, 5])
def test_short_runs(T: int) -> None:
    bandit = GOLDEN["I1"]()
    for frame in (None, 1, 3, 100):
        run = rlt.framed_ucb(bandit, T, seed=1, frame=frame)
        assert len(run.rewards) == T
    # A frame that is no longer than the rests plays nothing after the first.
    assert (rlt.framed_ucb(bandit, 50, seed=1, frame=2).actions[2:] == -1).all()


@pytest.mark.parametrize("payoff", [0, "1/2", 1])
def test_one_arm_and_stationary_arms(payoff: object) -> None:
    for count in (1, 3):
        bandit = rlt.LSDBandit([rlt.LSDArm([payoff], [payoff])] * count)
        run = rlt.framed_ucb(bandit, 4000, seed=0)
        assert -1e-9 <= run.regret_against(bandit.arms[0].payoffs[0])[-1] <= run.bound
    assert "LearningRun(4000 rounds" in repr(run)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"T": 0}, "T is 0"),
        ({"T": 2.5}, "T is 2.5"),
        ({"T": 10, "frame": 0}, "frame is 0"),
        ({"T": 10, "delta": 0.0}, "delta is 0.0"),
        ({"T": 10, "delta": 1.5}, "delta is 1.5"),
    ],
)
def test_what_is_refused(arguments: dict, word: str) -> None:
    with pytest.raises(ModelError, match=word):
        rlt.framed_ucb(rlt.LSDBandit([rlt.LSDArm([1], [0])]), seed=0, **arguments)


def test_unsorted_payoffs_are_refused() -> None:
    with pytest.raises(ModelError, match="not nondecreasing"):
        rlt.framed_ucb(rlt.LSDBandit([rlt.LSDArm([1, 0], [0])]), 100, seed=0)
