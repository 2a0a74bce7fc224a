"""Runs a sweep: what is not yet in its ledger, block after block, stored as it comes.

Killed at any moment and run again, nothing stored is lost and nothing is recorded twice: blocks
are stored whole, under their keys, by this process alone.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rltheory.errors import SweepError
from rltheory.sweeps.blocks import Blocks, Work, run_block
from rltheory.sweeps.ledger import Ledger, Record, Trial, open_ledger, read_ledger
from rltheory.sweeps.points import canonical
from rltheory.sweeps.result import SweepResult, result_of
from rltheory.sweeps.rounds import Looked
from rltheory.sweeps.sources import source_version
from rltheory.sweeps.sweep import Sweep, load_sweep
from rltheory.sweeps.versions import code_version
from rltheory.sweeps.workers import here, on_cluster, processes, threads

__all__ = ["Progress", "merge_ledgers", "run_sweep"]

BACKENDS = ("loky", "dask")


@dataclass(frozen=True)
class Progress:
    """How far a run is: of `total` trials `done` are stored, `failed` of them failed."""

    done: int
    total: int
    failed: int
    stored_before: int
    seconds: float

    @property
    def rate(self) -> float:
        """Trials a second in this run."""
        return (self.done - self.stored_before) / self.seconds if self.seconds > 0.0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """What the rest will take at this rate; None before the first trial."""
        return (self.total - self.done) / self.rate if self.rate > 0.0 else None


def run_sweep(
    sweep: Sweep | str | Path,
    out: str | Path | None = None,
    *,
    jobs: int = 1,
    backend: str = "loky",
    address: str | None = None,
    shard: tuple[int, int] | None = None,
    seed: int = 0,
    block: int | None = None,
    retry: bool = False,
    progress: Callable[[Progress], None] | None = None,
    waiting: Callable[[], None] | None = None,
) -> SweepResult:
    """Run what a sweep still lacks, and give back what its ledger holds of its trials.

    Parameters
    ----------
    sweep : Sweep or path of an experiment file
    out : path, optional
        Folder of the ledger; ``runs/NAME`` if left out. Run again on the same folder, a sweep
        goes on where it was.
    jobs : int
        Worker processes (or threads, for a sweep that says so); with 1, everything runs here.
    backend : {"loky", "dask"}
        Processes of this machine, or a cluster.
    address : str, optional
        Of a dask scheduler; without one, ``backend="dask"`` starts a local cluster.
    shard : (i, n), optional
        Only trials number i, i+n, ... (i from 0): n such runs, merged, are the whole sweep.
    seed : int
        Root of the seeds of all trials, at least 0.
    block : int, optional
        Trials a worker gets at once; chosen by how long they take if left out.
    retry : bool
        Whether trials that failed before run again.
    progress : callable, optional
        Called with a `Progress` after every block that is stored.
    waiting : callable, optional
        Called once if another run has the ledger; this one waits for its end.

    Returns
    -------
    SweepResult

    Raises
    ------
    SweepError
        If an argument, the experiment or the ledger is not valid, or a worker died.

    Examples
    --------
    >>> import tempfile
    >>> import rltheory as rlt
    >>> def trial(seed, n):
    ...     return {"square": n * n}
    >>> sweep = rlt.Sweep("square", trial, {"n": [2, 3]}, seeds=2, version="1")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     result = rlt.run_sweep(sweep, folder)
    >>> result
    SweepResult('square', 4 trials at 2 points, 0 failed)
    >>> [row["square"] for row in result.rows]
    [4, 4, 9, 9]
    """
    _check_at_least("jobs", jobs, 1)
    _check_at_least("seed", seed, 0)
    if block is not None:
        _check_at_least("block", block, 1)
    file = None if isinstance(sweep, Sweep) else Path(sweep).resolve()
    known = sweep if isinstance(sweep, Sweep) else load_sweep(sweep)
    code = code_version(known, file)
    here_alone = backend == "loky" and (jobs == 1 or known.threads)
    if file is None or here_alone:
        work = Work(seed, sweep=known)
    else:
        work = Work(seed, str(file), source_version(file))
    team = _team(known, jobs, backend, address)
    with open_ledger(_folder(known, out), waiting) as ledger:
        provenance = _provenance(file, jobs, backend, shard)
        run = ledger.begin_run(known.name, code, seed, provenance)
        if retry:
            ledger.forget_failures(known.name, code)
        start, ran, failed = time.monotonic(), 0, 0
        looked: Looked = {}
        total, left = _left(ledger, known, code, shard, looked)
        while left:  # once, unless the sweep looks at its trials before it goes on
            before = total - len(left)
            blocks = Blocks(left, block)
            for records, seconds in team(partial(_timed, work), blocks):
                ledger.store(known.name, code, run, records)
                blocks.took(len(records), seconds)
                before += len(records)
                ran += len(records)
                failed += sum(record.status == "failed" for record in records)
                if progress is not None:
                    passed = time.monotonic() - start
                    progress(Progress(before, total, failed, before - ran, passed))
            if not known.looks:
                break
            total, left = _left(ledger, known, code, shard, looked)
        return result_of(ledger, known, code)


def merge_ledgers(
    sweep: Sweep | str | Path, out: str | Path, folders: Iterable[str | Path]
) -> SweepResult:
    """Copy what other folders' ledgers hold into that of `out`; what it then holds of the sweep.

    Raises
    ------
    SweepError
        If a folder has no ledger, or none of this sweep under the present code, or two ledgers
        disagree about a trial.
    """
    known = sweep if isinstance(sweep, Sweep) else load_sweep(sweep)
    code = code_version(known, None if isinstance(sweep, Sweep) else sweep)
    sources = list(folders)
    for folder in sources:
        with read_ledger(folder) as ledger:
            codes = ledger.codes(known.name)
        if code not in codes:
            held = f"holds it under code {', '.join(codes)}" if codes else "holds nothing of it"
            raise SweepError(f"{folder}: {known.name} has code {code} now; that folder {held}")
    with open_ledger(out) as ledger:
        for folder in sources:
            ledger.take_from(Path(folder) / "ledger.sqlite")
        return result_of(ledger, known, code)


def _timed(work: Work, trials: list[Trial]) -> tuple[list[Record], float]:
    start = time.perf_counter()
    records = run_block(work, trials)
    return records, time.perf_counter() - start


def _team(sweep: Sweep, jobs: int, backend: str, address: str | None) -> Any:
    if backend not in BACKENDS:
        raise SweepError(f"backend is {backend!r}; it must be {' or '.join(BACKENDS)}")
    if backend == "dask":
        return partial(on_cluster, jobs=jobs, address=address)
    if address is not None:
        raise SweepError("an address is that of a dask scheduler; it needs backend='dask'")
    if jobs == 1:
        return here
    return partial(threads if sweep.threads else processes, jobs=jobs)


def _left(
    ledger: Ledger, sweep: Sweep, code: str, shard: tuple[int, int] | None, looked: Looked
) -> tuple[int, list[Trial]]:
    """(how many trials are wanted of the sweep or the shard, those of them not there)."""
    first, step = shard or (0, 1)
    if not 0 <= first < step:
        raise SweepError(
            f"shard is {first}/{step}; shards of {step} are 0/{step} to {step - 1}/{step}"
        )
    if sweep.looks and step > 1:
        raise SweepError(
            f"{sweep.name} looks at all its trials before it goes on; it cannot run in shards"
        )
    there = ledger.counts(sweep.name, code)
    total, passed = 0, 0
    left: list[Trial] = []
    for text, count in _wanted(ledger, sweep, code, looked).items():
        own = range((first - passed) % step, count, step)
        passed += count
        total += len(own)
        if there.get(text) == (count, count - 1):
            continue
        seeds = ledger.seeds(sweep.name, code, text) if text in there else set()
        left += [(text, index) for index in own if index not in seeds]
    return total, left


def _wanted(ledger: Ledger, sweep: Sweep, code: str, looked: Looked) -> dict[str, int]:
    """How many trials of each point are wanted, as far as is known."""
    if sweep.looks:
        return sweep.wanted(partial(ledger.results, sweep.name, code), looked).trials
    return {canonical(point): sweep.seeds for point in sweep.points()}


def _check_at_least(name: str, value: int, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value < 2**63:
        raise SweepError(f"{name} is {value!r}; it must be an integer of at least {least}")


def _folder(sweep: Sweep, out: str | Path | None) -> Path:
    return Path("runs") / sweep.name if out is None else Path(out)


def _provenance(
    file: Path | None, jobs: int, backend: str, shard: tuple[int, int] | None
) -> dict[str, Any]:
    import platform

    import numpy as np

    return {
        "file": None if file is None else file.name,
        "jobs": jobs,
        "backend": backend,
        "shard": None if shard is None else f"{shard[0]}/{shard[1]}",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": platform.machine(),
        "system": platform.system(),
        "begun": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
