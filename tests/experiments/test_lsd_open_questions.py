"""The open questions run, and print what is known for certain."""

from types import ModuleType

import pytest

from tests.helpers.experiments import experiment as loaded


@pytest.fixture(scope="module")
def questions() -> ModuleType:
    return loaded("lsd_open_questions")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gap", ["least g*/LP 4/5, proved for all payoffs by 46 mixtures", "9 rests: 27/34"]),
        ("derandomised", ["A8/g* = 149/197", "derandomised_relaxation: N=2"]),
        ("ranking", ["real_virtual: N=2", "virtual_real: N=3"]),
        ("offsets", ["N=3: independent 19/27, distinct 1", "random instances: mean"]),
        ("index", ["random monotone arms are not indexable", "7, 3, 2: 40/49"]),
    ],
)
def test_question(
    questions: ModuleType, capsys: pytest.CaptureFixture[str], name: str, expected: list[str]
) -> None:
    assert questions.main(["--only", name, "--scale", "0.001"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(f"{name}: ")
    for words in expected:
        assert words in printed
