"""The benchmark of certified exploration runs, and numpy's twin counts what ours counts."""

import pytest

from benchmarks.demonstrations import main, measure


def test_both_count_the_same() -> None:
    found = measure(episodes=400, repeats=1)
    assert len(found) == 4
    assert all(same for *_, same in found)
    assert all(own > 0.0 and other > 0.0 for _, own, other, _ in found)


def test_the_command_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--episodes", "40", "--repeats", "1"])
    printed = capsys.readouterr().out
    assert printed.count("the same counts") == 4
