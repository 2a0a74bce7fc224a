"""``rltheory solve --average`` as it is typed."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

import rltheory as rlt
from rltheory.cli import main

RIVER = "riverswim:states=6"


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any) -> Any:
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        return code, *capfd.readouterr()

    return run


def test_the_table_brackets_the_gain(typed: Any) -> None:
    code, out, err = typed("solve", RIVER, "--average")
    assert (code, err) == (0, "")
    assert re.search(r"riverswim:states=6 +gain, start 0\.42862243379946\d*\[\d+, \d+\] ", out)
    assert "certified: every state's optimal gain is within" in out
    assert re.search(r"6 x 2 +average *\n", out), "and no discount"


@pytest.mark.parametrize(
    "method",
    ["relative-value-iteration", "unichain-policy-iteration", "multichain-policy-iteration"],
)
def test_methods(typed: Any, method: str) -> None:
    code, out, err = typed("solve", RIVER, "--average", "--method", method, "--json")
    assert (code, err) == (0, "")
    answer = json.loads(out)
    assert answer["criterion"] == "average" and answer["method"] == method
    assert "discount" not in answer and "horizon" not in answer
    assert answer["within_tol"] and len(answer["value"]) == 6
    low, high = answer["start"]
    assert low <= answer["value"][0] <= high <= low + answer["gap"]


def test_exactly(typed: Any) -> None:
    code, out, err = typed("solve", "riverswim:states=2", "--average", "--exact", "--json")
    assert (code, err) == (0, "")
    answer = json.loads(out)
    top, bottom = map(int, answer["value"][0].split("/"))
    exact = rlt.solve_exact(rlt.riverswim(2), criterion="average").value[0]
    assert (top, bottom) == exact.as_integer_ratio()
    assert "discount" not in answer["note"]


def test_several_gains_are_an_answer_that_is_not_what_was_asked_for(typed: Any) -> None:
    rlt.save(rlt.MDP.deterministic([[0], [1]], [[0.0], [1.0]]), "apart.npz")
    method = ("--method", "relative-value-iteration")
    code, out, err = typed("solve", "apart.npz", "--average", *method)
    assert code == 1 and "min [" in out
    assert "the gain differs: about 0 in the closed class of state 0, 1 in that of state 1" in err
    code, out, err = typed("solve", "apart.npz", "--average")
    assert code == 0 and "2 different gains" in out


def test_certificates_in_files(typed: Any) -> None:
    code, _, _ = typed("solve", RIVER, "--average", "--output", "kept.npz")
    assert code == 0
    assert rlt.Certificate.load("kept.npz").check(rlt.riverswim(6))
    code, _, _ = typed("solve", RIVER, "--average", "--report", "page.html")
    assert code == 0 and "optimal gain" in Path("page.html").read_text(encoding="utf-8")
