"""Running a sweep: the same bytes however it is run, killed and run again."""

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import rltheory as rlt
from rltheory.errors import SweepError
from rltheory.sweeps.blocks import Blocks
from rltheory.sweeps.run_sweep import Progress, merge_ledgers

ROOT = Path(__file__).parents[2]

EXPERIMENT = """
import time

import rltheory as rlt


def trial(seed, n, kind="a", k=0):
    time.sleep({sleep})
    if seed % 7 == 0 and kind == "b":
        raise ValueError("unlucky")
    return {{"x": seed % 1000003 / n + k, "tag": kind}}


sweep = rlt.Sweep(
    "many", trial, {{"n": {points}, "kind": ["a", {{"kind": "b", "k": [1, 2]}}]}}, seeds={seeds}
)
"""


def write(folder: Path, sleep: float = 0.0, points: str = "[1, 10, 3]", seeds: int = 11) -> Path:
    file = folder / "experiment.py"
    file.write_text(EXPERIMENT.format(sleep=sleep, points=points, seeds=seeds))
    return file


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("reference")
    file = write(folder)
    return file, rlt.run_sweep(file, folder / "runs").csv()


def test_rows_are_sorted_and_hold_no_times(reference: tuple[Path, str]) -> None:
    lines = reference[1].splitlines()
    assert lines[0] == "k,kind,n,seed,tag,x"
    keys = [line.split(",")[:4] for line in lines[1:]]
    numbers = [(k or "-", kind, int(n), int(seed)) for k, kind, n, seed in keys]
    assert [n for _, kind, n, s in numbers if kind == "a" and s == 0] == [1, 3, 10]
    assert len(lines) < 1 + 9 * 11  # some failed
    assert len({tuple(key) for key in keys}) == len(keys)


@pytest.mark.parametrize("block", [1, 7, 100])
def test_blocks_change_nothing(reference: tuple[Path, str], tmp_path: Path, block: int) -> None:
    assert rlt.run_sweep(reference[0], tmp_path, block=block).csv() == reference[1]


def test_processes_change_nothing(reference: tuple[Path, str], tmp_path: Path) -> None:
    assert rlt.run_sweep(reference[0], tmp_path, jobs=2).csv() == reference[1]


def test_shards_merged_change_nothing(reference: tuple[Path, str], tmp_path: Path) -> None:
    file, expected = reference
    parts = [tmp_path / str(i) for i in range(4)]
    sizes = [len(rlt.run_sweep(file, p, shard=(i, 4)).rows) for i, p in enumerate(parts)]
    assert min(sizes) > 0
    assert merge_ledgers(file, tmp_path / "all", parts).csv() == expected


def test_a_cluster_changes_nothing(reference: tuple[Path, str], tmp_path: Path) -> None:
    pytest.importorskip("distributed", reason="the cluster backend is an extra")
    script = (
        "import sys, rltheory as rlt\n"
        "if __name__ == '__main__':\n"
        "    result = rlt.run_sweep(sys.argv[1], sys.argv[2], jobs=2, backend='dask', block=7)\n"
        "    result.export(sys.argv[3])\n"
    )
    main = tmp_path / "main.py"
    main.write_text(script)
    target = tmp_path / "out.csv"
    arguments = [reference[0], tmp_path / "runs", target]
    subprocess.run([sys.executable, main, *map(str, arguments)], check=True, capture_output=True)
    assert target.read_text() == reference[1]


def test_a_batched_trial_gives_what_its_seeds_give_alone(tmp_path: Path) -> None:
    def alone(seed: int, n: int) -> dict[str, Any]:
        return {"x": seed % n}

    def together(seeds: list[int], n: int) -> list[dict[str, Any]]:
        if n == 5 and len(seeds) > 1:
            raise ValueError("some seed of the batch")
        return [alone(s, n) for s in seeds]

    grid = {"n": [3, 5]}
    one = rlt.Sweep("s", alone, grid, seeds=9, version="1")
    many = rlt.Sweep("s", together, grid, seeds=9, version="1", batched=True)
    first = rlt.run_sweep(one, tmp_path / "one", block=4).csv()
    assert rlt.run_sweep(many, tmp_path / "many", block=4).csv() == first


def test_threads_change_nothing(tmp_path: Path) -> None:
    def trial(seed: int, n: int) -> dict[str, Any]:
        return {"x": seed % n}

    def sweep(threads: bool) -> rlt.Sweep:
        return rlt.Sweep("s", trial, {"n": [3, 5]}, seeds=9, version="1", threads=threads)

    first = rlt.run_sweep(sweep(False), tmp_path / "one").csv()
    assert rlt.run_sweep(sweep(True), tmp_path / "many", jobs=2, block=2).csv() == first


def test_failures_are_kept_and_run_again_when_asked(tmp_path: Path) -> None:
    broken = True

    def trial(seed: int, n: int) -> dict[str, Any]:
        if broken and n == 2:
            raise ValueError("not yet")
        return {"x": n}

    sweep = rlt.Sweep("s", trial, {"n": [1, 2]}, seeds=2, version="1")
    first = rlt.run_sweep(sweep, tmp_path)
    assert [(p, i) for p, i, _ in first.failures] == [({"n": 2}, 0), ({"n": 2}, 1)]
    assert "ValueError: not yet (test_run_sweep.py, line" in first.failures[0][2]
    broken = False
    assert len(rlt.run_sweep(sweep, tmp_path).failures) == 2
    again = rlt.run_sweep(sweep, tmp_path, retry=True)
    assert again.failures == [] and len(again) == 4


@pytest.mark.parametrize("batched", [False, True])
def test_a_trial_that_exits_is_recorded_and_the_sweep_goes_on(
    tmp_path: Path, batched: bool
) -> None:
    def alone(n: int, seed: int) -> dict[str, Any]:
        if n == 2:
            sys.exit(3)
        return {"x": n}

    def together(n: int, seeds: list[int]) -> list[dict[str, Any]]:
        return [alone(n, seed) for seed in seeds]

    trial: Any = together if batched else alone
    sweep = rlt.Sweep("s", trial, {"n": [1, 2, 4]}, seeds=3, version="1", batched=batched)
    result = rlt.run_sweep(sweep, tmp_path)
    assert len(result) == 6 and len(result.failures) == 3
    assert "SystemExit: 3 (test_run_sweep.py, line" in result.failures[0][2]


def test_what_is_stored_is_not_run_again(tmp_path: Path) -> None:
    ran: list[int] = []

    def trial(seed: int, n: int) -> dict[str, Any]:
        ran.append(n)
        return {"x": n}

    few = rlt.Sweep("s", trial, {"n": [1, 2]}, seeds=2, version="1")
    more = rlt.Sweep("s", trial, {"n": [1, 2, 3]}, seeds=3, version="1")
    rlt.run_sweep(few, tmp_path)
    result = rlt.run_sweep(more, tmp_path)
    assert sorted(ran) == [1, 1, 1, 2, 2, 2, 3, 3, 3] and len(result) == 9
    other = rlt.Sweep("s", trial, {"n": [1, 2]}, seeds=2, version="2")
    assert len(rlt.run_sweep(other, tmp_path)) == 4 and len(ran) == 13


def test_progress_counts_what_was_there(tmp_path: Path) -> None:
    file = write(tmp_path)
    seen: list[Progress] = []
    rlt.run_sweep(file, tmp_path / "runs", shard=(0, 2))
    rlt.run_sweep(file, tmp_path / "runs", progress=seen.append, block=10)
    assert seen[0].stored_before == 50 and seen[0].done == 60
    assert seen[-1].done == seen[-1].total == 99
    assert seen[-1].rate > 0 and seen[-1].seconds_left == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"jobs": 0}, "jobs is 0"),
        ({"seed": -1}, "seed is -1"),
        ({"block": 0}, "block is 0"),
        ({"backend": "ray"}, "backend is 'ray'"),
        ({"address": "tcp://x"}, "needs backend='dask'"),
        ({"shard": (4, 4)}, "shard is 4/4"),
    ],
)
def test_bad_options_are_named(
    reference: tuple[Path, str], tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(SweepError, match=message):
        rlt.run_sweep(reference[0], tmp_path, **options)


def test_blocks_grow_until_they_take_long_enough() -> None:
    blocks = Blocks([("{}", i) for i in range(1000)], None)
    sizes = []
    for block in blocks:
        sizes.append(len(block))
        blocks.took(len(block), len(block) * 0.002)
    assert sizes[:4] == [1, 4, 16, 64] and max(sizes) == 125 and sum(sizes) == 1000


HELD = """
import time
from pathlib import Path

import rltheory as rlt


def trial(seed, n):
    Path({started!r}).touch()
    while not Path({free!r}).exists():
        time.sleep(0.01)
    return {{"x": seed / n}}


sweep = rlt.Sweep("held", trial, {{"n": [1, 2, 3]}}, seeds=11)
"""


def test_a_second_run_waits_and_records_nothing_twice(tmp_path: Path) -> None:
    started, free = tmp_path / "started", tmp_path / "free"
    file = tmp_path / "experiment.py"
    file.write_text(HELD.format(started=str(started), free=str(free)))
    command = [sys.executable, "-m", "rltheory", "sweep", str(file), "--out", str(tmp_path / "r")]
    told = [tmp_path / "first.txt", tmp_path / "second.txt"]
    with told[0].open("w") as first, told[1].open("w") as second:
        both = [subprocess.Popen(command, stdout=first, stderr=first)]
        try:
            until(started.exists)  # the first has the ledger
            both.append(subprocess.Popen(command, stdout=second, stderr=second))
            until(lambda: "waiting for its end" in told[1].read_text())
        finally:
            free.touch()
            ends = [process.wait(timeout=120) for process in both]
    assert ends == [0, 0], [text.read_text() for text in told]
    assert "waiting for its end" not in told[0].read_text()
    assert count(tmp_path / "r") == 33


def until(happened: Callable[[], bool], seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def count(folder: Path) -> int:
    with sqlite3.connect(folder / "ledger.sqlite") as database:
        found = database.execute("SELECT count(*) FROM trials").fetchone()[0]
    database.close()
    return int(found)


def stored(folder: Path) -> set[tuple[Any, ...]]:
    try:
        database = sqlite3.connect(f"file:{folder / 'ledger.sqlite'}?mode=ro", uri=True)
    except sqlite3.Error:
        return set()
    try:
        return set(database.execute("SELECT point, seed, result FROM trials"))
    except sqlite3.Error:  # killed before there were tables
        return set()
    finally:
        database.close()


def descendants(pid: int) -> set[int]:
    """Processes of the session that this process leads."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == pid and fields[0] != "Z":
                found.add(int(entry.name))
    return found


def kill_and_resume(tmp_path: Path, kills: int, seeds: int) -> None:
    file = write(tmp_path, sleep=0.002, points="range(1, 11)", seeds=seeds)
    expected = rlt.run_sweep(file, tmp_path / "whole", jobs=2).csv()
    out, rng, known = tmp_path / "killed", random.Random(3), set()  # type: ignore[var-annotated]
    command = [sys.executable, "-m", "rltheory", "sweep", str(file), "--out", str(out)]
    moments = []
    for kill in range(kills):
        process = subprocess.Popen(
            [*command, "--jobs", "2"],
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wanted = len(known) + rng.randrange(30 * seeds - len(known) + 1)
        end = time.monotonic() + 60.0
        while process.poll() is None and time.monotonic() < end:
            if len(stored(out)) >= wanted:
                break
            time.sleep(0.01)
        time.sleep(0.05 * rng.random())
        if kill % 2:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        process.wait()
        end = time.monotonic() + 5.0
        while (left := descendants(process.pid)) and time.monotonic() < end:
            time.sleep(0.05)
        assert not left, f"{left} outlived their parent"
        now = stored(out)
        assert known <= now, "what was stored is lost"
        known = now
        moments.append(len(now))
        if len(known) == 30 * seeds:
            shutil.rmtree(out)
            known = set()
    assert rlt.run_sweep(file, out, jobs=2).csv() == expected, moments
    assert count(out) == 30 * seeds
    assert any(0 < n < 30 * seeds for n in moments), f"no kill came in between: {moments}"


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_killed_at_random_and_run_again(tmp_path: Path) -> None:
    kill_and_resume(tmp_path, kills=3, seeds=40)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_killed_at_fifty_random_moments(tmp_path: Path) -> None:
    kill_and_resume(tmp_path, kills=50, seeds=700)
