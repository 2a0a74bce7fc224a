"""The whole command on tiny sizes, with our solver alone; peers are not needed."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import methods, run, table, tune
from benchmarks.machine import bandwidth, sweep_bytes
from benchmarks.peers import ADAPTERS, OURS
from benchmarks.peers.rltheory_solver import build
from benchmarks.problems import PROBLEMS
from benchmarks.session import Session
from benchmarks.worker import load, read_only, save

FEW = ["inventory300", "fh_dense1000"]


def test_the_command_writes_a_table_between_markers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = {
        "architecture": "any",
        "cores": 1,
        "memory_bytes": 2**30,
        "load": 0.0,
        "python": "3",
        "triad_bytes_per_second": 1e10,
        "reading_bytes_per_second": 1e10,
    }
    monkeypatch.setattr(run, "note", lambda: machine)
    page = tmp_path / "page.md"
    page.write_text(f"before\n{table.BEGIN}\nold\n{table.END}\nafter\n")
    arguments = ["--quick", "--repeats", "2", "--solver", OURS, "--output", str(page)]
    assert run.main([*arguments, "--problem", *FEW]) == 0
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "old" not in text
    assert text.count("| inventory300 |") == 4
    record = json.loads((tmp_path / "page.json").read_text())
    assert [problem["name"] for problem in record["problems"]] == FEW
    for problem in record["problems"]:
        result = problem["results"][OURS]
        assert result["verified"] == "value and policy" and len(result["runs"]) == 2
        assert result["solve_cpu"] > 0.0 and problem["floor"] > 0.0 and problem["sweep"] > 0.0
        assert problem["sweep_over_triad"] > 0.0 and problem["sweep_over_reading"] > 0.0


def test_a_problem_survives_its_folder(tmp_path: Path) -> None:
    for name in FEW:
        problem = PROBLEMS[name](8)
        folder = tmp_path / name
        folder.mkdir()
        save(problem, folder)
        again = load(folder)
        assert (again.name, again.discount, again.horizon) == (
            name,
            problem.discount,
            problem.horizon,
        )
        assert abs(again.transitions - problem.transitions).max() == 0.0
        assert (again.rewards == problem.rewards).all()


@pytest.mark.parametrize("name", ["garnet1e5_g99", "fh_dense1000"])
def test_nobody_copies_what_a_worker_gives(name: str, tmp_path: Path) -> None:
    save(PROBLEMS[name](50), tmp_path)
    problem = read_only(load(tmp_path))
    p = problem.transitions
    given = p.data if problem.sparse else p
    assert np.shares_memory(build(problem, {}).core.prob, given)


def test_a_worker_that_takes_too_long_or_fails_is_said_so(tmp_path: Path) -> None:
    problem = PROBLEMS["maze300"](30)
    save(problem, tmp_path)
    session = Session(OURS, problem, tmp_path)
    assert session.skipped == "" and session.candidates == [{"method": "auto"}]
    failed = session.solve({"method": "no such method"}, 60.0)["failed"]
    assert failed.startswith("ModelError")
    assert session.solve({"method": "auto"}, 0.0) == {"over": 0.0}
    assert session.process.returncode is not None
    assert session.solve({"method": "auto"}, 60.0)["verified"] == "value and policy"
    session.close()


def test_settings_that_are_kept_are_those_of_candidates() -> None:
    known = json.loads(tune.SETTINGS.read_text())
    assert set(known) <= set(PROBLEMS)
    for found in known.values():
        assert set(found) <= set(ADAPTERS) - {OURS}
        assert all("settings" in entry or "none" in entry for entry in found.values())
    assert tune.best_settings("maze1000", "quantecon_ddp") == tune.best_settings(
        "maze300", "quantecon_ddp"
    )
    assert tune.best_settings("maze300", OURS) == {}


def test_bytes_of_a_sweep() -> None:
    problem = PROBLEMS["forest1e5"](10)
    assert sweep_bytes(problem) == 12 * problem.n_entries + 16 * 20 + 32 * 10
    assert problem.n_entries == 30
    assert sweep_bytes(PROBLEMS["garnet_dense500"](10)) == 8 * 1000 + 8 * 100 + 32 * 10


def test_bandwidths_are_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.machine._NUMBERS", 100_000)
    assert all(1e7 < rate < 1e13 for rate in bandwidth(2).values())


def test_a_sweep_is_compared_with_the_bandwidth_of_its_round() -> None:
    rounds = [
        {"sweep": 2.0, "triad_bytes_per_second": 30.0, "reading_bytes_per_second": 20.0},
        {"sweep": 6.0, "triad_bytes_per_second": 10.0, "reading_bytes_per_second": 5.0},
        {"sweep": 3.0, "triad_bytes_per_second": 20.0, "reading_bytes_per_second": 10.0},
    ]
    found = run._against_the_floor(rounds, 60)
    assert found == pytest.approx(
        {"sweep": 3.0, "floor": 3.0, "sweep_over_triad": 1.0, "sweep_over_reading": 0.5}
    )


def test_cells_say_what_became_of_a_solver() -> None:
    good = {"solve_cpu": 0.1234, "verified": "value"}
    assert table._cell(good, "solve_cpu") == "0.123"
    assert table._cell(good | {"verified": "policy"}, "solve_cpu") == "0.123†"
    assert table._cell(good | {"verified": ""}, "solve_cpu") == "(0.123)"
    assert table._cell({"none": "over 300 s"}, "solve_cpu") == "> 300 s"
    assert table._cell({"none": "no horizon"}, "solve_cpu") == "–"


def test_methods_are_compared(capsys: pytest.CaptureFixture[str]) -> None:
    methods.main(["--problem", "--mixed", "2", "--repeats", "1"])
    out = capsys.readouterr().out
    assert "mixed02_dense" in out and "above 1.5: " in out and "auto failed: 0" in out
