"""The benchmark of cycle means runs, and its answers are checked."""

import pytest

from benchmarks.cycle_means import TINY, main, measure


@pytest.mark.parametrize("exact", [False, True])
def test_an_answer_is_proved(exact: bool) -> None:
    found = measure(TINY, exact=exact, check=True)
    assert found["checked"] and found["states"] == 60
    assert found["gain"] == ("8/11" if exact else str(8 / 11))


def test_a_process_for_each_instance(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--instance", TINY, "--check"]) == 0
    assert "True" in capsys.readouterr().out
