"""The page of a sweep: one file, with its laws, points and failures."""

from pathlib import Path
from typing import Any

import pytest
from pages import Reader

import rltheory as rlt
from rltheory.errors import SweepError
from rltheory.report.sweep_page import sweep_page, write_sweep_page


def trial(seed: int, n: int) -> dict[str, Any]:
    if n == 30 and seed % 5 == 0:
        raise ValueError("odd <seeds> fail")
    return {"y": 3.0 * n * (1 + seed % 7 / 10)}


def run(folder: Path, *laws: Any) -> Any:
    sweep = rlt.Sweep(
        "page", trial, {"n": [10, 30, 100]}, 40, version="1", laws=laws, title="A < B"
    )
    return rlt.run_sweep(sweep, folder)


def test_what_is_on_it(tmp_path: Path) -> None:
    result = run(tmp_path, rlt.Law("y", "n", slope=1))
    page = sweep_page(result, "some/where.py")
    words = " ".join(Reader(page).words)
    assert "A < B" in words and "where.py" in words
    assert "The page of a sweep: one file" in words  # what the file says of itself
    assert "y over n: slope" in words and "claimed 1" in words
    assert "y: median [10%, 90%]" in words
    assert (
        "odd <seeds> fail" in words
        and """rltheory sweep some/where.py --trial '{"n":30}'""" in words
    )
    assert "data:image/svg+xml;base64," in page
    assert page == sweep_page(result, "some/where.py")


def test_without_laws(tmp_path: Path) -> None:
    page = sweep_page(run(tmp_path), "where.py")
    assert "<h2>Laws</h2>" not in page and "<img" not in page
    Reader(page)


def test_where_it_cannot_be_written(tmp_path: Path) -> None:
    result = run(tmp_path)
    with pytest.raises(SweepError, match="No such file"):
        write_sweep_page(result, tmp_path / "none" / "page.html", "where.py")
