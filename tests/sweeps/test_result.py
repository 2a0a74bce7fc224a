"""What a sweep found: summary, exports."""

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rltheory as rlt
from rltheory.errors import SweepError


def trial(seed: int, n: int, rule: str | None = None) -> dict[str, Any]:
    return {"x": seed / 3.0 / n, "even": seed % 2 == 0, "word": "a,b"}


@pytest.fixture
def result(tmp_path: Path) -> Any:
    grid = [{"n": [10, 9]}, {"n": 1, "rule": "r"}]
    return rlt.run_sweep(rlt.Sweep("s", trial, grid, seeds=21, version="1"), tmp_path)


def test_the_repr_says_what_is_there(result: Any) -> None:
    assert repr(result) == "SweepResult('s', 63 trials at 3 points, 0 failed)"


def test_the_summary_has_the_quantiles(result: Any) -> None:
    # Sorted by the first name, then its value; a point that has a name more comes after.
    assert [entry.point for entry in result.summary] == [
        {"n": 1, "rule": "r"},
        {"n": 9},
        {"n": 10},
    ]
    for entry in result.summary:
        rows = [r for r in result.rows if r["n"] == entry.point["n"]]
        expected = np.quantile([r["x"] for r in rows], [0.1, 0.5, 0.9])
        assert entry.values["x"] == tuple(expected) and entry.done == 21
        assert "word" not in entry.values


def test_the_csv_reads_back_to_the_same_bits(result: Any) -> None:
    rows = list(csv.DictReader(io.StringIO(result.csv())))
    assert [float(row["x"]) for row in rows] == [row["x"] for row in result.rows]
    assert [row["rule"] for row in rows].count("r") == 21
    assert {row["even"] for row in rows} == {"true", "false"} and rows[0]["word"] == "a,b"


def test_parquet_holds_the_same(result: Any, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="an extra")
    result.export(tmp_path / "out.parquet")
    table = parquet.read_table(tmp_path / "out.parquet").to_pydict()
    assert list(table) == result.columns
    assert table["x"] == [row["x"] for row in result.rows]
    assert table["rule"].count(None) == 42


def test_bad_targets_are_named(result: Any, tmp_path: Path) -> None:
    with pytest.raises(SweepError, match=r"\.csv or a \.parquet"):
        result.export(tmp_path / "out.xlsx")
    with pytest.raises(SweepError, match="No such file"):
        result.export(tmp_path / "absent" / "out.csv")


def test_fewer_seeds_in_the_same_folder_give_the_table_of_a_fresh_one(tmp_path: Path) -> None:
    def made(seeds: int) -> rlt.Sweep:
        def trial(seed: int, n: int) -> dict[str, int]:
            if seed % 5 == 0:
                raise ValueError("no")
            return {"y": seed % 7}

        return rlt.Sweep("few", trial, {"n": [1, 2]}, seeds=seeds, version="1")

    rlt.run_sweep(made(40), tmp_path / "used")
    used, fresh = (rlt.run_sweep(made(20), tmp_path / name) for name in ("used", "fresh"))
    assert used.csv() == fresh.csv() and used.failures == fresh.failures != []
    assert used.missing == 0 and len(used) + len(used.failures) == 40
