"""The ledger of a sweep: one SQLite file in which every trial is stored before it counts.

    meta    (name, value)
    runs    (id, sweep, code, seed, provenance)                      one a run
    trials  (sweep, code, point, seed, status, result, run)          the first four are the key

`point` and `result` are JSON; `status` is ``done``, or ``failed`` with the error in `result`.
`seed` is the trial's index. One process writes at a time, under a lock of the operating system
that ends with it; a write is whole or is not there. Readable with any SQLite client.
"""

import contextlib
import fcntl
import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rltheory.errors import SweepError

__all__ = ["Ledger", "Record", "Trial", "open_ledger", "read_ledger"]

_FORMAT = "1"
_APPLICATION = 0x524C5377  # "RLSw": tells our files from other SQLite databases
_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE runs (id INTEGER PRIMARY KEY, sweep TEXT NOT NULL, code TEXT NOT NULL,
                   seed INTEGER NOT NULL, provenance TEXT NOT NULL);
CREATE TABLE trials (sweep TEXT NOT NULL, code TEXT NOT NULL, point TEXT NOT NULL,
                     seed INTEGER NOT NULL, status TEXT NOT NULL, result TEXT NOT NULL,
                     run INTEGER NOT NULL,
                     PRIMARY KEY (sweep, code, point, seed)) WITHOUT ROWID;
"""

Trial = tuple[str, int]  # canonical point, index


@dataclass(frozen=True)
class Record:
    """What became of one trial; `result` is canonical JSON."""

    point: str
    seed: int
    status: str
    result: str


class Ledger:
    """An open ledger; made by `open_ledger`, which holds the lock."""

    def __init__(self, path: Path, database: sqlite3.Connection) -> None:
        self.path = path
        self._database = database

    def begin_run(self, sweep: str, code: str, seed: int, provenance: dict[str, Any]) -> int:
        """Note that a run begins; its id.

        Raises
        ------
        SweepError
            If the ledger has trials of this sweep and code under another root of seeds.
        """
        with self._writing() as database:
            return self._run(database, sweep, code, seed, json.dumps(provenance, sort_keys=True))

    def _run(
        self, database: sqlite3.Connection, sweep: str, code: str, seed: int, provenance: str
    ) -> int:
        run = (sweep, code, seed, provenance)
        others = database.execute(
            "SELECT seed FROM runs WHERE sweep = ? AND code = ? AND seed != ?", run[:3]
        ).fetchone()
        if others:
            raise SweepError(
                f"{self.path} holds {sweep} under seed {others[0]}, not {seed}; sweeps of "
                "different seeds need folders of their own"
            )
        known = database.execute(
            "SELECT id FROM runs WHERE sweep = ? AND code = ? AND seed = ? AND provenance = ?", run
        ).fetchone()
        if known:
            return int(known[0])
        cursor = database.execute(
            "INSERT INTO runs (sweep, code, seed, provenance) VALUES (?, ?, ?, ?)", run
        )
        return int(cursor.lastrowid or 0)

    def counts(self, sweep: str, code: str) -> dict[str, tuple[int, int]]:
        """(how many trials are there, the largest seed) of each point; failed ones count."""
        rows = self._database.execute(
            "SELECT point, count(*), max(seed) FROM trials WHERE sweep = ? AND code = ? "
            "GROUP BY point",
            (sweep, code),
        )
        return {point: (count, most) for point, count, most in rows}

    def seeds(self, sweep: str, code: str, point: str) -> set[int]:
        """The seeds of the trials of a point that are there, failed ones too."""
        rows = self._database.execute(
            "SELECT seed FROM trials WHERE sweep = ? AND code = ? AND point = ?",
            (sweep, code, point),
        )
        return {seed for (seed,) in rows}

    def codes(self, sweep: str) -> list[str]:
        """The versions of the code under which there are trials, the last run's last."""
        rows = self._database.execute(
            "SELECT code FROM runs WHERE sweep = ? AND EXISTS (SELECT 1 FROM trials "
            "WHERE trials.sweep = runs.sweep AND trials.code = runs.code) "
            "GROUP BY code ORDER BY max(id)",
            (sweep,),
        )
        return [code for (code,) in rows]

    def root(self, sweep: str, code: str) -> int | None:
        """The root of the seeds under which the trials ran; None if there are none."""
        found = self._database.execute(
            "SELECT seed FROM runs WHERE sweep = ? AND code = ?", (sweep, code)
        ).fetchone()
        return None if found is None else int(found[0])

    def results(self, sweep: str, code: str, point: str) -> dict[int, str | None]:
        """What the trials of a point gave, by their seeds; None for those that failed."""
        rows = self._database.execute(
            "SELECT seed, status, result FROM trials WHERE sweep = ? AND code = ? AND point = ?",
            (sweep, code, point),
        )
        return {seed: result if status == "done" else None for seed, status, result in rows}

    def store(self, sweep: str, code: str, run: int, records: Sequence[Record]) -> None:
        """Store all of these, or none: each must be new."""
        with self._writing() as database:
            database.executemany(
                "INSERT INTO trials VALUES (?, ?, ?, ?, ?, ?, ?)",
                [(sweep, code, r.point, r.seed, r.status, r.result, run) for r in records],
            )

    def forget_failures(self, sweep: str, code: str) -> int:
        """Remove failed trials, so that they run again; how many there were."""
        with self._writing() as database:
            cursor = database.execute(
                "DELETE FROM trials WHERE sweep = ? AND code = ? AND status = 'failed'",
                (sweep, code),
            )
            return cursor.rowcount

    def records(self, sweep: str, code: str) -> Iterator[tuple[str, int, str, str]]:
        """(point, seed, status, result) of every trial, in the order of the key."""
        return iter(
            self._database.execute(
                "SELECT point, seed, status, result FROM trials WHERE sweep = ? AND code = ? "
                "ORDER BY point, seed",
                (sweep, code),
            )
        )

    def take_from(self, other: Path) -> int:
        """Copy the trials of another ledger; how many were new.

        Raises
        ------
        SweepError
            If the two disagree about a trial.
        """
        with _connected(other, create=False) as theirs:
            runs = theirs.execute("SELECT id, sweep, code, seed, provenance FROM runs").fetchall()
            with self._writing() as database:
                ids = {run: self._run(database, *rest) for run, *rest in runs}
                before = database.total_changes
                rows = theirs.execute("SELECT * FROM trials")
                while some := rows.fetchmany(10_000):
                    for *key, status, result, run in some:
                        self._take(database, other, key, status, result, ids[run])
                return database.total_changes - before

    def _take(
        self,
        database: sqlite3.Connection,
        other: Path,
        key: list[Any],
        status: str,
        result: str,
        run: int,
    ) -> None:
        known = database.execute(
            "SELECT status, result FROM trials WHERE sweep = ? AND code = ? AND point = ? "
            "AND seed = ?",
            key,
        ).fetchone()
        if known is None:
            database.execute(
                "INSERT INTO trials VALUES (?, ?, ?, ?, ?, ?, ?)", (*key, status, result, run)
            )
        elif known != (status, result):
            raise SweepError(
                f"{other} and {self.path} disagree about trial {key[3]} of {key[0]} at {key[2]}: "
                f"{result} and {known[1]}; the trial is no function of its seed"
            )

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        try:
            self._database.execute("BEGIN IMMEDIATE")
            yield self._database
            self._database.execute("COMMIT")
        except BaseException as fault:
            with contextlib.suppress(sqlite3.Error):
                self._database.execute("ROLLBACK")
            if isinstance(fault, sqlite3.Error):
                raise SweepError(f"{self.path}: {fault}; what was stored before is kept") from None
            raise


@contextlib.contextmanager
def open_ledger(folder: str | Path, waiting: Callable[[], None] | None = None) -> Iterator[Ledger]:
    """The ledger in a folder, made where there is none, for this process alone.

    Parameters
    ----------
    folder : path
    waiting : callable, optional
        Called once if another process has the ledger, before waiting for it.

    Raises
    ------
    SweepError
        If the folder cannot be written, or the file there is no ledger or a damaged one; it is
        then left as it is.
    """
    place = Path(folder)
    try:
        place.mkdir(parents=True, exist_ok=True)
        lock = os.open(place / "ledger.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as fault:
        raise SweepError(f"{place}: {fault.strerror}; a sweep needs a folder to write") from None
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if waiting is not None:
                waiting()
            fcntl.flock(lock, fcntl.LOCK_EX)
        path = place / "ledger.sqlite"
        with _connected(path, create=True) as database:
            yield Ledger(path, database)
    finally:
        os.close(lock)


@contextlib.contextmanager
def read_ledger(folder: str | Path) -> Iterator[Ledger]:
    """The ledger in a folder, to be read while others may write it.

    Raises
    ------
    SweepError
        If there is none, or it is damaged.
    """
    path = Path(folder) / "ledger.sqlite"
    if not path.is_file():
        raise SweepError(f"{folder} has no ledger of a sweep")
    with _connected(path, create=False) as database:
        yield Ledger(path, database)


@contextlib.contextmanager
def _connected(path: Path, create: bool) -> Iterator[sqlite3.Connection]:
    if not create and not path.is_file():
        raise SweepError(f"{path}: there is no ledger")
    if path.exists() and path.stat().st_size:
        _refuse_strangers(path)
    try:
        database = sqlite3.connect(path, isolation_level=None, timeout=60.0)
    except sqlite3.Error as fault:
        raise SweepError(f"{path}: {fault}") from None
    try:
        try:
            # A process that was killed while it made the ledger leaves one without tables.
            if not database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                _make(database)
            damage = database.execute("PRAGMA quick_check(1)").fetchone()[0]
            if damage != "ok":
                raise sqlite3.DatabaseError(damage)
            database.execute("PRAGMA synchronous = NORMAL")
            found = database.execute("SELECT value FROM meta WHERE name = 'format'").fetchone()
        except sqlite3.Error as fault:
            raise SweepError(f"{path} cannot be used: {fault}; it is left as it is") from None
        if found != (_FORMAT,):
            raise SweepError(f"{path} has format {found and found[0]}; this is {_FORMAT}")
        yield database
    finally:
        database.close()


def _make(database: sqlite3.Connection) -> None:
    database.execute("PRAGMA journal_mode = WAL")
    statements: Iterable[str] = filter(None, map(str.strip, _TABLES.split(";")))
    database.execute("BEGIN IMMEDIATE")
    for statement in statements:
        database.execute(statement)
    database.execute("INSERT INTO meta VALUES ('format', ?)", (_FORMAT,))
    database.execute(f"PRAGMA application_id = {_APPLICATION}")
    database.execute("COMMIT")


def _refuse_strangers(path: Path) -> None:
    """Look at the header before SQLite does, which would roll a foreign journal back."""
    try:
        with path.open("rb") as file:
            head = file.read(100)
    except OSError as fault:
        raise SweepError(f"{path}: {fault.strerror}") from None
    foreign = not head.startswith(b"SQLite format 3\0")
    # In WAL mode the header may not have been written back yet: an empty first page is our own.
    if foreign or (
        len(head) == 100 and int.from_bytes(head[68:72], "big") not in (0, _APPLICATION)
    ):
        raise SweepError(f"{path} is no ledger of a sweep; it is left as it is")
