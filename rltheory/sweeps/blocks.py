"""Blocks of trials: what one call to a worker does.

A block holds trials of one sweep, in the order of the grid. How many depends on how long trials
have taken, which moves no result: each trial has a seed of its own and is stored under its key.
"""

import json
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path

from rltheory.sweeps.group import Values
from rltheory.sweeps.ledger import Record, Trial
from rltheory.sweeps.sweep import Sweep, load_sweep, trial_seeds

__all__ = ["Blocks", "Work", "run_block"]

_SECONDS = 0.25  # that a block should take: far above what it costs to send and to store one
_LONGEST = 4096
_FAULTS = (Exception, SystemExit)  # a trial that exits is over; the sweep is not


@dataclass(frozen=True)
class Work:
    """Where a worker finds the sweep: in a file, which it reads once, or as an object.

    `source` is the hash of the file and of those that it imports from beside.
    """

    seed: int
    file: str | None = None
    source: str = ""
    sweep: Sweep | None = None

    def found(self) -> Sweep:
        if self.file is not None:
            return _loaded(self.file, self.source)
        assert self.sweep is not None
        return self.sweep


class Blocks:
    """Cuts a list of trials into blocks, longer ones once trials turn out to be short."""

    def __init__(self, trials: Sequence[Trial], block: int | None) -> None:
        self._trials = trials
        self._fixed = block
        self._size = 1 if block is None else block

    def took(self, trials: int, seconds: float) -> None:
        """A block of this many trials took so long."""
        if self._fixed is None and trials:
            fitting = int(_SECONDS * trials / max(seconds, 1e-9))
            self._size = max(1, min(fitting, 4 * self._size, _LONGEST))

    def __iter__(self) -> Iterator[list[Trial]]:
        first = 0
        while first < len(self._trials):
            block = list(self._trials[first : first + self._size])
            first += len(block)
            yield block


def run_block(work: Work, trials: Sequence[Trial]) -> list[Record]:
    """Run these trials; one that fails is recorded with its error, and the others go on."""
    sweep = work.found()
    records: list[Record] = []
    for text, same in groupby(trials, key=lambda trial: trial[0]):
        indices = [index for _, index in same]
        records += _at_point(sweep, work.seed, text, indices)
    return records


def _at_point(sweep: Sweep, seed: int, text: str, indices: list[int]) -> list[Record]:
    point = json.loads(text)
    if sweep.batched:
        try:
            results = sweep.run_batch(text, point, indices, seed)
        except _FAULTS:
            pass  # some seed of the batch is at fault: alone, it is known which
        else:
            return [_done(text, i, values) for i, values in zip(indices, results, strict=True)]
    records = []
    for index, drawn in zip(indices, trial_seeds(sweep.name, seed, text, indices), strict=True):
        try:
            records.append(_done(text, index, sweep.run_one(point, drawn)))
        except _FAULTS as fault:
            records.append(Record(text, index, "failed", _json({"error": _told(fault)})))
    return records


def _done(text: str, index: int, values: Values) -> Record:
    return Record(text, index, "done", _json(values))


def _json(values: Values) -> str:
    return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _told(fault: BaseException) -> str:
    """The error and the line of the trial that raised it; no addresses, so that it is the same
    in every run."""
    frames = traceback.extract_tb(fault.__traceback__)
    own = [f for f in frames if "rltheory/sweeps" not in Path(f.filename).as_posix()]
    where = f" ({Path(own[-1].filename).name}, line {own[-1].lineno})" if own else ""
    return f"{type(fault).__name__}: {fault}{where}"


@cache
def _loaded(file: str, source: str) -> Sweep:
    return load_sweep(file)
