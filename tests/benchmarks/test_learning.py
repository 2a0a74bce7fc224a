"""The benchmark of learners runs, and numpy's loop plays what ours plays."""

import pytest

from benchmarks.learning import main, measure, model, ours, same_play
from benchmarks.numpy_ucbvi import play


def test_all_learners_of_the_benchmark_play() -> None:
    found = measure(episodes=120, repeats=1)
    assert found["same"]["numpy, same order of sums"]
    assert {"rltheory", "numpy, matrix product"} <= found["speeds"].keys()


def test_a_run_that_differs_is_seen() -> None:
    mdp = model()
    run = ours(mdp, 30)()
    policies, returns = play(mdp, 0.1, 30, (1, 2), (3, 4))
    assert not same_play(run, (policies, returns))


def test_the_command_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--episodes", "80", "--repeats", "1"])
    printed = capsys.readouterr().out
    assert "episodes/s" in printed and "plays the same" in printed
