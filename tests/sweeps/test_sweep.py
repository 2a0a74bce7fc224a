"""What a sweep is, the seeds of its trials, what a trial may return."""

import math
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rltheory as rlt
from rltheory.errors import SweepError
from rltheory.sweeps.ledger import read_ledger
from rltheory.sweeps.sweep import checked, load_sweep, trial_seeds
from rltheory.sweeps.versions import code_version, package_version


def trial(seed: int, n: int = 1) -> dict[str, Any]:
    return {"x": seed % n}


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=20), st.integers(0, 2**63 - 1))
def test_a_seed_depends_on_its_own_index_alone(indices: list[int], root: int) -> None:
    together = trial_seeds("name", root, '{"n":1}', indices)
    assert together == [trial_seeds("name", root, '{"n":1}', [i])[0] for i in indices]
    assert all(0 <= seed < 2**63 for seed in together)


def test_seeds_differ_by_name_root_point_and_index() -> None:
    base = trial_seeds("a", 0, "{}", range(1000))
    assert len(set(base)) == 1000
    for other in (("b", 0, "{}"), ("a", 1, "{}"), ("a", 0, '{"n":1}')):
        assert not set(base) & set(trial_seeds(*other, range(1000)))


def test_seeds_never_move() -> None:
    drawn = trial_seeds("golden", 7, '{"n":10}', [0, 5])
    assert drawn == [2080555518412009891, 4268631099998677029]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "a b"}, "name is 'a b'"),
        ({"name": ""}, "name is ''"),
        ({"name": 3}, "name is 3"),
        ({"trial": 3}, "must be a function"),
        ({"seeds": 0}, "seeds of s is 0"),
        ({"seeds": True}, "seeds of s is True"),
        ({"grid": {"n": []}}, "no points"),
    ],
)
def test_bad_arguments_are_named(arguments: dict[str, Any], message: str) -> None:
    good = {"name": "s", "trial": trial, "grid": {"n": [1]}, "seeds": 1}
    with pytest.raises(SweepError, match=message):
        rlt.Sweep(**good | arguments)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "must return a dict"),
        (3, "must return a dict"),
        ({"x": math.nan}, "x=nan"),
        ({"x": math.inf}, "x=inf"),
        ({"x": [1]}, r"x=\[1\]"),
        ({"x": None}, "x=None"),
        ({"x": "a" * 201}, "200 characters"),
        ({"a b": 1}, "named 'a b'"),
        ({"n": 1}, "'n', which is a parameter"),
        ({"seed": 1}, "'seed', which is a parameter"),
    ],
)
def test_what_a_trial_may_not_return(values: Any, message: str) -> None:
    with pytest.raises(SweepError, match=message):
        checked(values, {"n": 1})


def test_numpy_results_become_plain() -> None:
    values = checked({"a": np.float64(0.5), "b": np.int32(3), "c": np.bool_(True)}, {})
    assert [type(v) for v in values.values()] == [float, int, bool]


def test_a_batch_must_give_one_result_a_seed() -> None:
    sweep = rlt.Sweep("s", lambda seeds, n: [{"x": 1}], {"n": 1}, seeds=2, batched=True)
    with pytest.raises(SweepError, match="1 results for 2 seeds"):
        sweep.run_batch('{"n":1}', {"n": 1}, [0, 1], 0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1", "defines no sweep"),
        ("sweep = 3", "defines no sweep"),
        ("1 / 0", "ZeroDivisionError"),
        ("sweep = (", "SyntaxError"),
        ("import sys; sys.exit(0)", "SystemExit"),
    ],
)
def test_files_without_a_sweep_are_refused(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "experiment.py"
    file.write_text(text)
    with pytest.raises(SweepError, match=message):
        load_sweep(file)
    with pytest.raises(SweepError, match="no such file"):
        load_sweep(tmp_path / "absent.py")


def test_the_version_is_that_of_the_trials_file_and_of_the_package(tmp_path: Path) -> None:
    sweep = rlt.Sweep("s", trial, {"n": [1]}, seeds=1)
    own, package = code_version(sweep).split("+")
    assert package == package_version() and len(own) == 16
    named = rlt.Sweep("s", trial, {"n": [1]}, seeds=1, version="2")
    assert code_version(named) == f"2+{package}"
    file = tmp_path / "other.py"
    file.write_text("x = 1")
    assert code_version(sweep, file) != code_version(sweep)


def test_a_trial_without_a_file_needs_a_version() -> None:
    names: dict[str, Any] = {}
    exec("def trial(seed, n): return {'x': 1}", names)
    with pytest.raises(SweepError, match="version="):
        code_version(rlt.Sweep("s", names["trial"], {"n": [1]}, seeds=1))


EXPERIMENT = """
import rltheory as rlt
import helper
def trial(seed, n):
    from parts.inner import TERM
    return {"y": n * helper.FACTOR + TERM}
sweep = rlt.Sweep("beside", trial, {"n": [1, 2]}, seeds=1)
"""


def test_changed_modules_beside_the_file_run_again(tmp_path: Path) -> None:
    file, out = tmp_path / "experiment.py", tmp_path / "out"
    (tmp_path / "parts").mkdir()
    file.write_text(EXPERIMENT)
    (tmp_path / "unused.py").write_text("")

    def ran(factor: int, term: int, jobs: int = 1) -> list[int]:
        (tmp_path / "helper.py").write_text(f"FACTOR = {factor}\n")
        (tmp_path / "parts" / "inner.py").write_text("from .deep import TERM\n")
        (tmp_path / "parts" / "deep.py").write_text(f"TERM = {term}\n" + "#" * term)
        return [row["y"] for row in rlt.run_sweep(file, out, jobs=jobs).rows]

    assert ran(1, 0) == [1, 2]
    (tmp_path / "unused.py").write_text("x = 1")
    assert code_version(load_sweep(file), file) in codes(out)
    assert ran(50, 0) == [50, 100]
    assert ran(50, 1) == [51, 101]
    assert ran(50, 10, jobs=2) == [60, 110]
    assert ran(700, 10, jobs=2) == [710, 1410]
    assert ran(700, 100, jobs=2) == [800, 1500]
    assert len(codes(out)) == 6


def codes(folder: Path) -> list[str]:
    with read_ledger(folder) as ledger:
        return ledger.codes("beside")


def made(factor: Any, power: int = 1) -> rlt.Sweep:
    def inner(seed: int, n: int, power: int = power) -> dict[str, Any]:
        return {"y": factor if n < 0 else n**power}

    return rlt.Sweep("made", inner, {"n": [1]}, seeds=1)


def test_values_that_a_trial_has_hold_of_are_part_of_its_version() -> None:
    def again(n: int) -> int:
        return again(n - 1)

    some: list[Any] = [
        1,
        2,
        1.0,
        "1",
        True,
        None,
        np.ones(2),
        np.zeros(2),
        (1, 2),
        {"a": 1},
        {"a": 2},
    ]
    some += [{1}]
    some += [
        again,
        lambda n: n,
        lambda n: n + 1,
        [again, 1],
        math.sqrt,
        math.exp,
        partial(again, 1),
    ]
    versions = [code_version(made(value)) for value in some] + [code_version(made(1, power=2))]
    assert len(set(versions)) == len(versions)
    assert versions == [code_version(made(value)) for value in some] + versions[-1:]
    with pytest.raises(SweepError, match=r"has hold of a builtins\.object, of .* version="):
        code_version(made(object()))
