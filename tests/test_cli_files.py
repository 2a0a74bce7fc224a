"""Model files of other tools on the command line: which reward, which goal, which names."""

import json
import re

import pytest

from rltheory.cli import main

DRN = """@type: MDP
@parameters

@reward_models
throws time
@nr_states
3
@nr_choices
4
@model
state 0 [0, 1] init
\taction throw [1, 0]
\t\t1 : 1/3
\t\t2 : 2/3
\taction wait [0, 0]
\t\t0 : 1
state 1 [0, 1] again
\taction throw [1, 0]
\t\t0 : 1
state 2 [0, 0] done
\taction wait [0, 0]
\t\t2 : 1
"""


@pytest.fixture
def typed(tmp_path, monkeypatch, capfd):
    """Type a command in a folder with coin.drn: exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "coin.drn").write_text(DRN)

    def type_(*words):
        code = main([str(word) for word in words])
        out, err = capfd.readouterr()
        return code, out, err

    return type_


def test_exact_values_of_fractions(typed):
    words = ("--reward", "throws", "--goal", "done", "--discount", "1/2", "--exact", "--json")
    code, out, err = typed("solve", "coin.drn", *words)
    assert (code, err) == (0, "")
    answer = json.loads(out)
    # V0 = 1 + (1/2) (1/3) V1 and V1 = 1 + V0 / 2.
    assert answer["value"] == ["14/11", "18/11", "0"]
    assert answer["state_labels"] == ["", "again", "done"]
    assert answer["action_labels"] == ["throw", "wait"]


def test_costs_and_the_chance_of_the_goal(typed):
    words = ("--reward=-time", "--goal", "done", "--horizon", "1", "--exact")
    code, out, _ = typed("solve", "coin.drn", *words)
    assert code == 0 and "start -1 " in out
    words = ("--reward", "reach", "--goal", "done", "--horizon", "2")
    code, out, _ = typed("solve", "coin.drn", *words)
    assert code == 0 and "start 0.6666666666666" in out


def test_states_and_actions_go_by_their_names(typed):
    words = ("--reward", "throws", "--goal", "done", "--discount", "0.5")
    code, out, _ = typed("solve", "coin.drn", *words)
    assert code == 0
    lines = [line.split() for line in out.splitlines()]
    assert ["state", "optimal", "value", "V*", "action"] in lines
    assert [line[-1] for line in lines if line[:2] == ["1", "again"]] == ["throw"]
    code, out, _ = typed("solve", "riverswim", "--discount", "0.5")
    assert "action" not in out.splitlines()[-1] and "V*" not in out.splitlines()[-1]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("coin.drn",), "several reward models: 'throws', 'time'; choose one"),
        (("coin.drn", "--reward", "cost"), "no reward model 'cost'"),
        (("coin.drn", "--reward", "time", "--goal", "gone"), "no label 'gone'"),
        (("coin.drn", "--constants", "N=3"), "constants does not go with .drn files"),
        (("riverswim", "--goal", "done"), "goal 'done' is given; only files have a choice"),
        (("gym:Taxi-v4", "--reward", "r"), "reward 'r' is given; only files have a choice"),
        (("none.tra",), "none.tra: there is no such file"),
        (("none.jani",), "none.jani: there is no such file"),
    ],
)
def test_bad_choices(typed, words, line):
    code, out, err = typed("solve", *words, "--discount", "0.5")
    assert (code, out) == (2, "")
    assert re.fullmatch(r"rltheory: error: [^\n]+\n", err) and line in err


def test_the_line_of_a_damaged_file_is_told(typed, tmp_path):
    (tmp_path / "coin.drn").write_text(DRN.replace("2 : 2/3", "2 : 1/3"))
    code, _, err = typed("solve", "coin.drn", "--reward", "time", "--discount", "0.5")
    assert code == 2 and "coin.drn, line 13: the probabilities from here on sum to 0.66" in err
