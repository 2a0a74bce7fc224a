"""The command line as it is typed: what is printed, what is written, and the exit code."""

import json
import os
import pickle
import re
import subprocess
import sys
from fractions import Fraction
from importlib.metadata import version

import numpy as np
import pytest

import rltheory.commands.solve
from rltheory.cli import main
from rltheory.mdp.files import save
from rltheory.mdp.generators import riverswim
from rltheory.mdp.model import MDP
from rltheory.mdp.sources import read_source
from rltheory.solvers.certificate import Certificate
from rltheory.solvers.solve import solve

RIVER = "riverswim:states=6"


@pytest.fixture
def typed(tmp_path, monkeypatch, capfd):
    """Type a command in an empty folder: exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)

    def type_(*words):
        code = main([str(word) for word in words])
        out, err = capfd.readouterr()
        return code, out, err

    return type_


def refused(result, word):
    """Exit code 2, one line that names the thing, nothing else."""
    code, out, err = result
    assert code == 2, err
    assert out == ""
    assert re.fullmatch(r"rltheory: error: [^\n]+\n", err), err
    assert word.lower() in err.lower(), err


# --- what cannot be understood --------------------

MISTYPED = {
    "no command": ([], "command"),
    "unknown command": (["resolve"], "resolve"),
    "no source": (["solve"], "source"),
    "unknown option": (["solve", RIVER, "--discount", "0.9", "--speed", "9"], "--speed"),
    "abbreviated option": (["solve", RIVER, "--disc", "0.9"], "--disc"),
    "discount 1": (["solve", RIVER, "--discount", "1"], "--discount: 1 is not in [0, 1)"),
    "discount above": (["solve", RIVER, "--discount", "1.01"], "--discount"),
    "discount below": (["solve", RIVER, "--discount", "-0.1"], "--discount: -0.1"),
    "discount below, fraction": (["solve", RIVER, "--discount", "-1/10"], "-1/10"),
    "discount nan": (["solve", RIVER, "--discount", "nan"], "'nan' is not a finite number"),
    "discount inf": (["solve", RIVER, "--discount", "inf"], "--discount"),
    "discount word": (["solve", RIVER, "--discount", "high"], "'high'"),
    "discount of nothing": (["solve", RIVER, "--discount", ""], "''"),
    "discount over 0": (["solve", RIVER, "--discount", "1/0"], "1/0"),
    "discount rounds to 1": (["solve", RIVER, "--discount", "0." + 20 * "9"], "rounded"),
    "discount with a huge exponent": (["solve", RIVER, "--discount", "1e-999999999"], "range"),
    "horizon 0": (["solve", RIVER, "--horizon", "0"], "--horizon: 0"),
    "horizon below": (["solve", RIVER, "--horizon", "-3"], "--horizon: -3"),
    "horizon broken": (["solve", RIVER, "--horizon", "2.5"], "--horizon: 2.5"),
    "horizon nan": (["solve", RIVER, "--horizon", "nan"], "--horizon"),
    "two criteria": (["solve", RIVER, "--discount", "0.9", "--horizon", "3"], "not allowed"),
    "tol below": (["solve", RIVER, "--discount", "0.9", "--tol", "-1e-9"], "--tol: -1e-9"),
    "tol nan": (["solve", RIVER, "--discount", "0.9", "--tol", "nan"], "--tol"),
    "tol inf": (["solve", RIVER, "--discount", "0.9", "--tol", "inf"], "--tol"),
    "rtol below": (["solve", RIVER, "--discount", "0.9", "--rtol", "-1"], "--rtol: -1"),
    "rtol word": (["solve", RIVER, "--discount", "0.9", "--rtol", "small"], "--rtol"),
    "two tolerances": (["solve", RIVER, "--discount", "0.9", "--tol", "1", "--rtol", "1"], "--tol"),
    "line break": (["solve", "two\nlines", "--discount", "0.9"], "lines"),
}

# --- models and methods that are none --------------------

UNSOLVABLE = {
    "unknown method": ([RIVER, "--discount", "0.9", "--method", "magic"], "magic"),
    "method of the other criterion": (
        [RIVER, "--discount", "0.9", "--method", "backward-induction"],
        "backward-induction",
    ),
    "average of what ends": (["gym:FrozenLake-v1", "--average"], "restarting()"),
    "average by a discounted method": (
        [RIVER, "--average", "--method", "policy-iteration"],
        "relative-value-iteration",
    ),
    "total": ([RIVER, "--total"], "+infinity: a policy can stay in states [0"),
    "total with a horizon": (
        ["random_episodic:states=3,actions=2,horizon=2", "--total"],
        "horizon 2",
    ),
    "total by another method": ([RIVER, "--total", "--method", "gauss-seidel"], "gauss-seidel"),
    "more stages than there can be": ([RIVER, "--horizon", 20 * "9"], "at most 2147483647 stages"),
    "no criterion": ([RIVER], f"{RIVER}: the model has no discount; give --discount"),
    "no criterion, exact": ([RIVER, "--exact"], "give --discount G or --horizon H, or"),
    "not of both": (
        ["riverswim", "gym:FrozenLake-v1", "--average"],
        "gym:FrozenLake-v1: the model ends",
    ),
    "exact and method": (
        [RIVER, "--discount", "0.9", "--exact", "--method", "value-iteration"],
        "--method value-iteration",
    ),
    "unknown environment": (["gym:Nothing-v0", "--discount", "0.9"], "Nothing"),
    "environment without a table": (["gym:CartPole-v1", "--discount", "0.9"], "CartPole"),
    "no environment": (["gym:", "--discount", "0.9"], "gym:"),
    "unknown generator": (["garnett:states=3", "--discount", "0.9"], "garnett"),
    "missing parameter": (["garnet:states=3", "--discount", "0.9"], "missing"),
    "unknown parameter": (["riverswim:state=3", "--discount", "0.9"], "state"),
    "parameter of a wrong type": (["riverswim:states=many", "--discount", "0.9"], "many"),
    "no states": (["riverswim:states=0", "--discount", "0.9"], "states"),
    "more successors than states": (
        ["garnet:states=3,actions=2,branching=4", "--discount", "0.9"],
        "branching",
    ),
    "a good source before a bad one": (
        [RIVER, "no-such-file.npz", "--discount", "0.9"],
        "no-such-file.npz",
    ),
    "discount for an episodic model": (
        ["random_episodic:states=3,actions=2,horizon=2", "--discount", "0.9"],
        "horizon",
    ),
}


@pytest.mark.parametrize("name", MISTYPED)
def test_mistyped(typed, name):
    words, word = MISTYPED[name]
    refused(typed(*words), word)


@pytest.mark.parametrize("name", UNSOLVABLE)
def test_unsolvable(typed, tmp_path, name):
    words, word = UNSOLVABLE[name]
    refused(typed("solve", *words, "--output", "answers.json"), word)
    assert list(tmp_path.iterdir()) == []


def good():
    """A small model as arrays of the dense layout."""
    return {
        "transitions": np.array([[[0.5, 0.5], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]]]),
        "rewards": np.array([[1.0, 0.0], [0.0, 2.0]]),
        "initial": np.array([1.0, 0.0]),
    }


def canonical(**changes):
    """The same model in the canonical layout."""
    arrays = {
        "format": np.array("rltheory-mdp-1"),
        "n_states": np.array(2),
        "state_ptr": np.array([0, 2, 4]),
        "action": np.array([0, 1, 0, 1], dtype=np.int32),
        "row_ptr": np.array([0, 2, 3, 4, 5]),
        "col": np.array([0, 1, 1, 0, 1], dtype=np.int32),
        "prob": np.array([0.5, 0.5, 1.0, 1.0, 1.0]),
        "reward": np.array([1.0, 0.0, 0.0, 2.0]),
        "exit": np.zeros(0),
    }
    return arrays | {key: np.asarray(x) for key, x in changes.items()}


def dense(key, index, x):
    arrays = good()
    arrays[key] = arrays[key].copy()
    arrays[key][index] = x
    return arrays


BAD_MODELS = {
    "row does not sum to 1": (dense("transitions", (1, 0, 0), 0.5), "sum"),
    "negative probability": (dense("transitions", (0, 0), [1.5, -0.5]), "-0.5"),
    "NaN probability": (dense("transitions", (0, 0, 0), np.nan), "nan"),
    "infinite reward": (dense("rewards", (0, 1), np.inf), "inf"),
    "NaN reward": (dense("rewards", (0, 1), np.nan), "nan"),
    "start law that is none": (dense("initial", 0, 0.5), "initial"),
    "negative start law": (good() | {"initial": np.array([1.5, -0.5])}, "initial"),
    "rewards of another shape": (good() | {"rewards": np.zeros((3, 2))}, "rewards"),
    "discount 1 in the file": (good() | {"discount": np.array(1.0)}, "discount"),
    "horizon 0 in the file": (good() | {"horizon": np.array(0)}, "horizon"),
    "no states": ({"transitions": np.zeros((0, 2, 0)), "rewards": np.zeros((0, 2))}, "state"),
    "no actions": ({"transitions": np.zeros((2, 0, 2)), "rewards": np.zeros((2, 0))}, "action"),
    "column out of range": (canonical(col=np.array([0, 7, 1, 0, 1], dtype=np.int32)), "7"),
    "column below 0": (canonical(col=np.array([0, -1, 1, 0, 1], dtype=np.int32)), "-1"),
    "duplicated column": (canonical(col=np.array([0, 0, 1, 0, 1], dtype=np.int32)), "m.npz"),
    "state with no action": (canonical(state_ptr=np.array([0, 4, 4])), "state 1"),
    "duplicated action": (canonical(action=np.array([0, 0, 0, 1], dtype=np.int32)), "m.npz"),
    "pointers out of range": (canonical(row_ptr=np.array([0, 2, 3, 4, 9])), "row_ptr"),
    "missing array": ({"rewards": np.zeros((2, 2))}, "transitions"),
    "BRIDGE successor out of range": (
        {"transitions": np.array([[0, 5], [1, 1]]), "rewards": np.zeros((2, 2))},
        "5",
    ),
    "Python objects": (good() | {"rewards": np.array([[1, None], [2, 3]], dtype=object)}, "pickle"),
}


@pytest.mark.parametrize("name", BAD_MODELS)
def test_bad_models(typed, tmp_path, name):
    arrays, word = BAD_MODELS[name]
    np.savez(tmp_path / "m.npz", **arrays)
    criterion = () if {"discount", "horizon"} & set(arrays) else ("--discount", "0.9")
    result = typed("solve", "m.npz", *criterion, "--json", "--output", "answers.json")
    refused(result, word)
    assert "m.npz" in result[2]
    assert [path.name for path in tmp_path.iterdir()] == ["m.npz"]


def write_bad_file(path, kind):
    save(riverswim(discount=0.9), path.with_suffix(".npz"))
    whole = path.with_suffix(".npz").read_bytes()
    path.with_suffix(".npz").unlink()
    if kind == "folder":
        path.mkdir()
    elif kind != "missing":
        path.write_bytes(
            {
                "empty": b"",
                "truncated": whole[: len(whole) // 2],
                "pickled": pickle.dumps({"transitions": 1}),
                "text": b"not an archive\n",
                "wrong ending": whole,
                "damaged": whole.replace(b"NUMPY", b"NUMPX"),
            }[kind]
        )


@pytest.mark.parametrize(
    "kind",
    ["missing", "empty", "truncated", "pickled", "text", "folder", "damaged", "wrong ending"],
)
def test_bad_files(typed, tmp_path, kind):
    path = tmp_path / ("model.txt" if kind == "wrong ending" else "model.npz")
    write_bad_file(path, kind)
    before = sorted(tmp_path.iterdir())
    refused(typed("solve", path, "--output", "answers.json"), path.name)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("output", "word"),
    [
        ("answers.csv", ".json or .npz"),
        ("answers", ".json or .npz"),
        ("nowhere/answers.json", "nowhere"),
        ("folder.json", "folder"),
        ("source.npz", "source"),
    ],
)
def test_output_that_cannot_be(typed, tmp_path, output, word):
    (tmp_path / "folder.json").mkdir()
    save(riverswim(discount=0.9), tmp_path / "source.npz")
    before = (tmp_path / "source.npz").read_bytes()
    refused(typed("solve", "source.npz", "--output", output), word)
    assert (tmp_path / "source.npz").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 2


def test_certificate_of_two_sources(typed, tmp_path):
    words = ("solve", RIVER, RIVER, "--discount", "0.9", "--output", "both.npz")
    refused(typed(*words), "one source")
    assert list(tmp_path.iterdir()) == []


def test_output_of_an_earlier_run_survives_an_error(typed, tmp_path):
    (tmp_path / "answers.json").write_text("kept")
    typed("solve", RIVER, "missing.npz", "--discount", "0.9", "--output", "answers.json")
    assert (tmp_path / "answers.json").read_text() == "kept"


# --- answers --------------------


def test_table_says_the_bracket_first(typed):
    code, out, err = typed("solve", RIVER, "gridworld:rows=3,columns=4", "--discount", "0.95")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert re.match(r"source +optimal value V\* +gap +tolerance +method", lines[0])
    assert re.match(r"riverswim:states=6 +start \d\.\d+\[\d+, \d+\] ", lines[2])
    assert "certified: every state's optimal value is within" in out
    assert "gridworld:rows=3,columns=4" in lines
    assert "→" in out
    assert "\x1b" not in out


def test_json_object(typed):
    code, out, err = typed("solve", RIVER, "--discount", "9/10", "--json", "--tol", "1e-9")
    assert (code, err) == (0, "")
    answer = json.loads(out)
    solution = solve(read_source(RIVER, discount=0.9), tol=1e-9)
    assert out.count("\n") == 1
    assert answer.pop("seconds") >= 0
    low, high = answer.pop("start")
    assert solution.certificate.lower[0] == low <= high == solution.certificate.upper[0]
    assert answer == {
        "source": RIVER,
        "states": 6,
        "actions": 2,
        "pairs": 12,
        "criterion": "discounted",
        "discount": 0.9,
        "method": solution.method,
        "gap": solution.gap,
        "tol": 1e-9,
        "within_tol": True,
        "failure": None,
        "iterations": solution.iterations,
        "note": solution.note,
        "fingerprint": solution.mdp.fingerprint,
        "value": solution.value.tolist(),
        "policy": solution.policy.tolist(),
    }


def test_json_lines_of_episodic_models(typed):
    code, out, _ = typed("solve", RIVER, RIVER, "--horizon", "4", "--json")
    assert code == 0
    answers = [json.loads(line) for line in out.splitlines()]
    assert len(answers) == 2
    assert answers[0]["criterion"] == "finite-horizon"
    assert answers[0]["horizon"] == 4
    assert np.shape(answers[0]["value"]) == (5, 6)
    assert np.shape(answers[0]["policy"]) == (4, 6)
    assert answers[0]["value"][4] == [0.0] * 6


def test_many_states_are_in_the_output_only(typed, tmp_path):
    words = ("riverswim:states=10001", "--discount", "0.5", "--json", "--output", "answers.json")
    code, out, _ = typed("solve", *words)
    assert code == 0
    printed = json.loads(out)
    assert printed["value"] is None
    assert printed["policy"] is None
    assert "--output" in printed["note"]
    (kept,) = json.loads((tmp_path / "answers.json").read_text())
    lower, value, upper = (np.array(kept[key]) for key in ("lower", "value", "upper"))
    assert len(value) == len(kept["policy"]) == 10001
    assert (lower <= value).all()
    assert (value <= upper).all()
    assert "--output" not in kept["note"]


@pytest.mark.parametrize("criterion", [("--discount", "0.9"), ("--horizon", "4")])
@pytest.mark.parametrize("exact", [(), ("--exact",)])
def test_certificate_in_a_file_is_accepted_by_the_checker(typed, tmp_path, criterion, exact):
    code, _, err = typed("solve", RIVER, *criterion, *exact, "--output", "river.npz")
    assert (code, err) == (0, "")
    assert [path.name for path in tmp_path.iterdir()] == ["river.npz"]
    mdp = read_source(
        RIVER,
        discount=0.9 if criterion[0] == "--discount" else None,
        horizon=4 if criterion[0] == "--horizon" else None,
    )
    if exact and isinstance(mdp, MDP):
        mdp = mdp.as_exact(Fraction(9, 10))  # as typed, not the double nearest to it
    check = Certificate.load(tmp_path / "river.npz").check(mdp)
    assert check.accepted, check.reason


def test_exact_values_are_rationals(typed, tmp_path):
    np.savez(tmp_path / "m.npz", **good())
    words = ("m.npz", "--discount", "1/2", "--exact", "--json")
    code, out, err = typed("solve", *words, "--output", "answers.json")
    assert (code, err) == (0, "")
    answer = json.loads(out)
    # State 1 stays for 2 / (1 - 1/2) = 4; state 0: v = 1 + (v + 4) / 4.
    assert answer["value"] == ["8/3", "4"]
    assert answer["value_float"] == [float(Fraction(8, 3)), 4.0]
    assert answer["gap"] == answer["tol"] == 0
    assert answer["policy"] == [0, 1]
    assert answer["start"][0] <= Fraction(8, 3) <= answer["start"][1]
    (kept,) = json.loads((tmp_path / "answers.json").read_text())
    assert kept["lower"] == kept["upper"] == kept["value"] == answer["value"]


def test_total_reward(typed, tmp_path):
    """A walk that pays 1 a step, and ends with a quarter's chance: 4 from its last state."""
    model = MDP([[[0.0, 1.0]], [[0.0, 0.75]]], [[-1.0], [-1.0]], 0.9, termination=[[0.0], [0.25]])
    save(model, tmp_path / "walk.npz")
    for exact in ((), ("--exact",)):
        code, out, err = typed("solve", "walk.npz", "--total", *exact, "--json")
        assert (code, err) == (0, "")
        answer = json.loads(out)
        assert answer["criterion"] == "total" and "discount" not in answer
        assert [float(Fraction(x)) for x in answer["value"]] == pytest.approx([-5.0, -4.0])
        code, out, _ = typed("solve", "walk.npz", "--total", *exact, "--output", "walk_c.npz")
        assert code == 0 and "total" in out and "0.9" not in out
        check = Certificate.load(tmp_path / "walk_c.npz").check(model)
        assert check.accepted, check.reason
        for page in ("walk.html", "walk.md"):
            assert typed("solve", "walk.npz", "--total", *exact, "--report", page)[0] == 0
            assert "total" in (tmp_path / page).read_text(encoding="utf-8")
    code, out, err = typed("solve", "walk.npz", "--total", "--tol", "0")
    assert code in (0, 1) and (code == 0) == (err == "")


def test_exact_says_which_rational_model(typed):
    code, out, _ = typed("solve", RIVER, "--discount", "9/10", "--exact")
    assert code == 0
    assert "exact" in out
    assert "discount 9/10" in out
    assert "double" in out


def test_tolerance_out_of_reach_shows_the_bracket(typed, tmp_path):
    words = (RIVER, "--discount", "0.99", "--tol", "1e-300", "--output", "answers.json")
    code, out, err = typed("solve", *words)
    assert code == 1
    assert re.search(r"riverswim:states=6 +start \d+\.\d+\[\d+, \d+\] ", out)
    assert re.fullmatch(r"rltheory: error: riverswim:states=6: certified, but [^\n]+\n", err)
    (kept,) = json.loads((tmp_path / "answers.json").read_text())
    assert kept["within_tol"] is False
    assert kept["gap"] > kept["tol"] == 1e-300
    assert kept["failure"]
    assert len(kept["lower"]) == 6


def test_overflow_is_told(typed, tmp_path):
    arrays = good() | {"rewards": np.full((2, 2), 1e308)}
    np.savez(tmp_path / "m.npz", **arrays)
    code, out, err = typed("solve", "m.npz", "--discount", "0.9", "--json")
    assert code == 1
    answer = json.loads(out)  # no Infinity, no NaN
    assert answer["within_tol"] is False
    assert err.count("\n") == 1


# --- endings --------------------


def test_help_and_version_return(typed):
    assert typed("--version") == (0, f"rltheory {version('rltheory')}\n", "")
    code, out, _ = typed("solve", "--help")
    assert code == 0
    for option in ("--discount", "--horizon", "--average", "--total", "--method", "--tol"):
        assert option in out


@pytest.mark.parametrize(
    ("raised", "code", "line"),
    [
        (KeyboardInterrupt(), 130, "rltheory: error: interrupted"),
        (MemoryError("8 GiB"), 2, "rltheory: error: not enough memory: 8 GiB"),
        (OSError(28, "No space left on device", "x"), 2, "rltheory: error: x: No space left on"),
    ],
)
def test_endings_without_traceback(typed, tmp_path, monkeypatch, raised, code, line):
    def solve_(*_, **__):
        raise raised

    monkeypatch.setattr(rltheory.commands.solve, "solve", solve_)
    ended = typed("solve", RIVER, "--discount", "0.9", "--output", "answers.json")
    assert ended[:2] == (code, "")
    assert ended[2].startswith(line)
    assert ended[2].count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_interrupted_write_leaves_nothing(typed, tmp_path, monkeypatch):
    def replace(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", replace)
    code, out, _ = typed("solve", RIVER, "--discount", "0.9", "--output", "answers.json")
    assert (code, out) == (130, "")
    assert list(tmp_path.iterdir()) == []


def shell(tmp_path, *words, **options):
    """Start a real process in an empty folder."""
    return subprocess.run(
        [sys.executable, *words],
        capture_output=True,
        cwd=tmp_path,
        text=True,
        timeout=120,
        check=False,
        **options,
    )


def test_as_modules(tmp_path):
    solved = shell(tmp_path, "-m", "rltheory.cli", "solve", RIVER, "--discount", "0.9")
    assert (solved.returncode, solved.stderr) == (0, "")
    assert "start " in solved.stdout
    wrong = shell(tmp_path, "-m", "rltheory", "solve", "missing.npz", "--discount", "0.9")
    refused((wrong.returncode, wrong.stdout, wrong.stderr), "missing.npz")
    assert list(tmp_path.iterdir()) == []


def test_starts_without_numpy(tmp_path):
    code = (
        "import sys, rltheory.cli as cli\n"
        "cli.main(['--help']); cli.main(['solve', 'x', '--tol', '-1'])\n"
        "assert not {'numpy', 'rich', 'rltheory._core'} & set(sys.modules), sorted(sys.modules)\n"
    )
    done = shell(tmp_path, "-c", code)
    assert done.returncode == 0, done.stderr


def test_reader_that_went_away(tmp_path):
    read, write = os.pipe()
    os.close(read)
    words = [sys.executable, "-m", "rltheory", "solve", RIVER, "--discount", "0.9"]
    done = subprocess.run(
        words, stdout=write, stderr=subprocess.PIPE, cwd=tmp_path, timeout=120, check=False
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (141, b"")


def test_without_a_standard_output(tmp_path):
    """As under a service manager, or after ``>&-``."""
    code = (
        "import os, sys; os.close(1); sys.stdout = None; from rltheory.cli import main; "
        f"sys.exit(main(['solve', {RIVER!r}, '--discount', '0.9', '--output', 'x.npz']))"
    )
    done = shell(tmp_path, "-c", code)
    assert (done.returncode, done.stderr) == (0, "") and (tmp_path / "x.npz").exists()


def test_terminal_that_knows_ascii_only(tmp_path):
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    words = ("-m", "rltheory", "solve", "gridworld:rows=2,columns=2", "--discount", "0.9")
    done = shell(tmp_path, *words, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.isascii()
