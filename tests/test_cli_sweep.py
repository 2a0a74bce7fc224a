"""``rltheory sweep`` as a user types it."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

EXPERIMENT = """
import rltheory as rlt


def trial(seed, n):
    if n == 3 and seed % 2:
        raise ValueError("odd")
    return {"x": n * n, "half": seed % 2 / 2}


sweep = rlt.Sweep("squares", trial, {"n": [1, 2]}, seeds=4, title="Squares")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "squares.py").write_text(EXPERIMENT)
    (tmp_path / "failing.py").write_text(EXPERIMENT.replace("[1, 2]", "[1, 3]"))
    return tmp_path


def typed(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "rltheory", "sweep", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_a_sweep_runs_and_is_told(folder: Path) -> None:
    done = typed(folder, "squares.py", "--export", "out.csv")
    assert done.returncode == 0 and done.stderr == ""
    assert "Squares" in done.stdout and "8 trials are in runs/squares." in done.stdout
    assert len((folder / "out.csv").read_text().splitlines()) == 9
    again = typed(folder, "squares.py", "--export", "again.csv")
    assert again.returncode == 0
    assert (folder / "again.csv").read_bytes() == (folder / "out.csv").read_bytes()


def test_failures_are_told_with_the_call_that_repeats_them(folder: Path) -> None:
    done = typed(folder, "failing.py")
    assert done.returncode == 1 and "ValueError: odd (failing.py, line 7)" in done.stdout
    call = next(line for line in done.stdout.splitlines() if "--trial" in line)
    index = call.split()[-1]
    again = typed(folder, "failing.py", "--trial", '{"n": 3}', index)
    assert again.returncode == 1 and "ValueError: odd" in again.stderr


def test_the_call_can_be_typed_as_it_is_told(folder: Path) -> None:
    """With a root of seeds, quotes in values and blanks in names; at a point that was added too."""
    text = EXPERIMENT.replace("[1, 2], ", """[1, 3], "why": "it's",""").replace("n):", "n, why):")
    (folder / "my file.py").write_text(text.replace('"n": [1, 2]}', """"n": [3], "why": "it's"}"""))
    done = typed(folder, "my file.py", "--seed", "7")
    call = next(line for line in done.stdout.splitlines() if "--trial" in line)
    again = typed(folder, *shlex.split(call)[2:])
    assert again.returncode == 1 and "ValueError: odd" in again.stderr, call


def test_one_trial(folder: Path) -> None:
    done = typed(folder, "squares.py", "--trial", '{"n":2}', "0")
    assert done.returncode == 0 and '"x": 4' in done.stdout
    assert not (folder / "runs").exists()


def test_shards_are_merged(folder: Path) -> None:
    for i in range(2):
        assert typed(folder, "squares.py", "--shard", f"{i}/2", "--out", f"p{i}").returncode == 0
    done = typed(folder, "squares.py", "--out", "all", "--merge", "p0", "p1")
    assert done.returncode == 0 and "8 trials are in all." in done.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["absent.py"], "absent.py: there is no such file"),
        (["squares.py", "--shard", "2/2"], "'2/2' is no shard"),
        (["squares.py", "--jobs", "0"], "0 is not a whole number of processes"),
        (
            ["squares.py", "--export", "out.xlsx"],
            "--export out.xlsx: the ending must be .csv",
        ),
        (["squares.py", "--merge", "absent"], "absent has no ledger"),
        (["squares.py", "--trial", "{", "0"], "no JSON of a point"),
        (["squares.py", "--trial", '{"n":7}', "0"], "the grid has no such point"),
        (["squares.py", "--trial", '{"n":1}', "9"], "the seeds of squares are 0..3"),
        (["squares.py", "--backend", "ray"], "invalid choice"),
    ],
)
def test_bad_input_gets_one_line(folder: Path, words: list[str], message: str) -> None:
    done = typed(folder, *words)
    assert done.returncode == 2 and message in done.stderr
    assert len(done.stderr.splitlines()) == 1 and done.stderr.startswith("rltheory: error: ")
    assert done.stdout == ""


def test_laws_are_told_and_drawn(folder: Path) -> None:
    text = EXPERIMENT.replace("[1, 2]", "[1, 2, 4]").replace("seeds=4", "seeds=20")
    text = text.replace('"x": n * n', '"x": n * (n + seed / 2**63)')
    law = 'laws=(rlt.Law("x", "n", slope=1.5),)'
    (folder / "law.py").write_text(text.replace('title="Squares"', law))
    done = typed(folder, "law.py", "--out", "runs")
    assert done.returncode == 0, done.stderr
    told = next(line for line in done.stdout.splitlines() if line.startswith("x over n: slope"))
    assert "claimed 1.5" in told
    assert (folder / "runs" / "squares.svg").is_file() and "squares.png" in done.stdout
    assert told in (folder / "runs" / "squares.html").read_text(encoding="utf-8")
    assert typed(folder, "law.py", "--out", "bare", "--no-figure").returncode == 0
    assert not list((folder / "bare").glob("*.[sh][vt]*"))


def test_the_first_experiment(tmp_path: Path) -> None:
    root = Path(__file__).parents[1]
    file = root / "experiments" / "confidence_radii.py"
    done = typed(tmp_path, str(file), "--shard", "0/40", "--no-figure", "--out", "runs")
    assert done.returncode == 0 and "8 trials are in runs; 312 are missing." in done.stdout


def test_two_runs_are_compared(folder: Path) -> None:
    text = EXPERIMENT.replace("seeds=4", "seeds=20")  # fewer without spread would not tell
    (folder / "squares.py").write_text(text)
    assert typed(folder, "squares.py", "--out", "a").returncode == 0
    (folder / "squares.py").write_text(text.replace("n * n", "n * n + 1"))
    done = typed(folder, "squares.py", "--out", "a", "--compare", "a")
    assert done.returncode == 0, done.stderr
    assert "Compared with a, trial by trial" in done.stdout and "differs" in done.stdout
    done = typed(folder, "squares.py", "--out", "b", "--compare", "none")
    assert done.returncode == 2 and "--compare none: there is no ledger" in done.stderr
