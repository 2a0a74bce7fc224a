"""The ledger: nothing stored is lost, strangers are refused and left as they are."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from rltheory.errors import SweepError
from rltheory.sweeps.ledger import Record, open_ledger

CODE = "1+1"


def records(n: int, status: str = "done") -> list[Record]:
    return [Record('{"n":1}', i, status, '{"x":1}') for i in range(n)]


def fill(folder: Path, n: int = 3) -> None:
    with open_ledger(folder) as ledger:
        run = ledger.begin_run("s", CODE, 0, {})
        ledger.store("s", CODE, run, records(n))


def test_what_is_stored_is_there_again(tmp_path: Path) -> None:
    fill(tmp_path)
    with open_ledger(tmp_path) as ledger:
        assert list(ledger.records("s", CODE)) == [
            ('{"n":1}', i, "done", '{"x":1}') for i in range(3)
        ]
        assert ledger.counts("s", CODE) == {'{"n":1}': (3, 2)}
        assert ledger.seeds("s", CODE, '{"n":1}') == {0, 1, 2}
        assert list(ledger.records("s", "2+1")) == []


def test_a_block_is_stored_whole_or_not_at_all(tmp_path: Path) -> None:
    fill(tmp_path)
    with open_ledger(tmp_path) as ledger:
        run = ledger.begin_run("s", CODE, 0, {})
        new = Record('{"n":2}', 0, "done", '{"x":1}')
        with pytest.raises(SweepError, match="UNIQUE"):
            ledger.store("s", CODE, run, [new, *records(1)])
        assert '{"n":2}' not in ledger.counts("s", CODE)


def test_another_root_of_seeds_needs_another_folder(tmp_path: Path) -> None:
    fill(tmp_path)
    with open_ledger(tmp_path) as ledger, pytest.raises(SweepError, match="under seed 0, not 5"):
        ledger.begin_run("s", CODE, 5, {})


def test_failures_can_be_forgotten(tmp_path: Path) -> None:
    with open_ledger(tmp_path) as ledger:
        run = ledger.begin_run("s", CODE, 0, {})
        ledger.store("s", CODE, run, records(2, "failed"))
        assert ledger.forget_failures("s", CODE) == 2
        assert ledger.counts("s", CODE) == {}


@pytest.mark.parametrize("content", [b"hello", b"x" * 5000, b"SQLite format 3\0" + b"\1" * 200])
def test_a_foreign_file_is_refused_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(content)
    with pytest.raises(SweepError, match="left as it is"), open_ledger(tmp_path):
        pass
    assert path.read_bytes() == content


def test_another_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE things (x)")
    database.close()
    before = path.read_bytes()
    with pytest.raises(SweepError, match="left as it is"), open_ledger(tmp_path):
        pass
    assert path.read_bytes() == before


def test_a_damaged_ledger_is_refused(tmp_path: Path) -> None:
    fill(tmp_path, 2000)
    path = tmp_path / "ledger.sqlite"
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 3000] = os.urandom(3000)
    path.write_bytes(content)
    with pytest.raises(SweepError, match="left as it is"), open_ledger(tmp_path):
        pass
    assert path.read_bytes() == bytes(content)


def test_a_ledger_of_another_format_is_refused(tmp_path: Path) -> None:
    fill(tmp_path)
    with sqlite3.connect(tmp_path / "ledger.sqlite") as database:
        database.execute("UPDATE meta SET value = '99' WHERE name = 'format'")
    database.close()
    with pytest.raises(SweepError, match="format 99"), open_ledger(tmp_path):
        pass


def test_a_process_killed_while_making_it_leaves_one_that_can_be_used(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode = WAL")  # writes the first page, and no table
    database.close()
    assert path.stat().st_size > 0
    fill(tmp_path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(SweepError, match="needs a folder to write"), open_ledger(file / "runs"):
        pass


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(SweepError, match="needs a folder to write"), open_ledger(tmp_path):
        pass


def test_a_full_disk_is_told_and_keeps_what_was_stored(tmp_path: Path) -> None:
    # The limit of a file's size stands for the disk; it holds for the other process alone.
    script = f"""
import resource
from rltheory.errors import SweepError
from rltheory.sweeps.ledger import Record, open_ledger
with open_ledger({str(tmp_path)!r}) as ledger:
    run = ledger.begin_run("s", "1+1", 0, {{}})
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
    for n in range(1000):
        some = [Record('{{"n":%d}}' % n, i, "done", '{{"x":1}}') for i in range(100)]
        try:
            ledger.store("s", "1+1", run, some)
        except SweepError as error:
            print(n, error)
            break
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    blocks, _, message = done.stdout.partition(" ")
    assert "what was stored before is kept" in message, done.stderr
    assert int(blocks) > 3
    with open_ledger(tmp_path) as ledger:
        assert len(list(ledger.records("s", CODE))) == 100 * int(blocks)


def test_merging_takes_what_is_new_and_refuses_contradictions(tmp_path: Path) -> None:
    fill(tmp_path / "a", 2)
    fill(tmp_path / "b", 3)
    with open_ledger(tmp_path / "c") as ledger:
        assert ledger.take_from(tmp_path / "a" / "ledger.sqlite") == 2
        assert ledger.take_from(tmp_path / "b" / "ledger.sqlite") == 1
        assert ledger.take_from(tmp_path / "b" / "ledger.sqlite") == 0
    with sqlite3.connect(tmp_path / "c" / "ledger.sqlite") as database:
        assert database.execute("SELECT count(*) FROM runs").fetchone()[0] <= 2  # each once
    database.close()
    with open_ledger(tmp_path / "d") as ledger:
        run = ledger.begin_run("s", CODE, 0, {})
        ledger.store("s", CODE, run, [Record('{"n":1}', 0, "done", '{"x":2}')])
    with open_ledger(tmp_path / "c") as ledger:
        with pytest.raises(SweepError, match="no function of its seed"):
            ledger.take_from(tmp_path / "d" / "ledger.sqlite")
        with pytest.raises(SweepError, match="no ledger"):
            ledger.take_from(tmp_path / "absent" / "ledger.sqlite")
        assert len(list(ledger.records("s", CODE))) == 3
