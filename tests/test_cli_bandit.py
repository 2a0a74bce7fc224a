"""``rltheory bandit`` as it is typed."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from rltheory.cli import main


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any) -> Any:
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(("bandit", *arguments))
        return code, *capfd.readouterr()

    return run


def test_the_chain_is_printed_from_the_guarantee_to_the_relaxation(typed: Any) -> None:
    code, out, err = typed("blocking:2", "blocking:3", "blocking:6")
    assert (code, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    assert lines[2:8] == [
        ["guarantee", "*", "LP", "19/27", "0.703704"],
        ["A(x)", "13/18", "0.722222"],
        ["expected", "average", "13/18", "0.722222"],
        ["derandomized", "5/6", "0.833333"],
        ["g*", "7/8", "0.875000"],
        ["LP", "1"],
    ]
    assert "gain 7/8, 36 states" in out and "price 1" in out


def test_as_json(typed: Any) -> None:
    code, out, err = typed("lsd:1/2,1:1/2", "lsd:1/2:0", "--json")
    assert (code, err) == (0, "")
    record = json.loads(out)
    assert record["relaxation"] == "5/8" and record["optimal_gain"] == "1/2"
    assert record["virtual_value"] == record["expected_average"] == "1/2"
    assert record["optimal_plays"] == [[0]]


def test_a_bracket_as_json(typed: Any) -> None:
    code, out, err = typed("lsd:1/1000000000000000003,9/10:0", "--json")
    assert (code, err) == (0, "")
    bracket = json.loads(out)["optimal_gain"]
    assert bracket["lower"] <= 0.3 <= bracket["upper"] < 0.3 + 1e-12


def test_several_plays_a_round_have_no_derandomized_schedule(typed: Any) -> None:
    code, out, _ = typed(*["blocking:3"] * 4, "--plays", "2")
    assert code == 0 and "derandomized" not in out and "4/3" in out


@pytest.mark.parametrize("schedule", ["optimal", "derandomized", "interleaved"])
def test_a_picture(typed: Any, tmp_path: Path, schedule: str) -> None:
    options = ("--picture", "s.svg", "--rounds", "7", "--schedule", schedule)
    code, _, err = typed("gradual:1/2,1:1/4", "recharging:0,1", *options)
    assert (code, err) == (0, "")
    root = ElementTree.parse(tmp_path / "s.svg").getroot()
    assert "2 arms over 7 rounds" in root.attrib["aria-label"]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["blocking:0"], "delay is 0"),
        (["resting:3"], "is not understood"),
        (["lsd:0:1"], "not nondecreasing"),
        (["blocking:2", "--plays", "2"], "plays is 2"),
        (["blocking:2", "--plays", "0"], "plays"),
        (["blocking:2", "--rounds", "121", "--picture", "x.svg"], "121 rounds"),
        (["blocking:2", "--picture", "no/such/folder.svg"], "No such file"),
        ([], "ARM"),
    ],
)
def test_bad_input_gets_one_line(typed: Any, arguments: list[str], word: str) -> None:
    code, out, err = typed(*arguments)
    assert (code, out) == (2, "")
    assert word in err and err.count("\n") == 1 and err.startswith("rltheory: error: ")
