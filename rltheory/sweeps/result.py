"""What a sweep found: its trials sorted by point and seed, a summary, and files of them.

Exports hold no times and nothing of the run: the same trials give the same bytes.
"""

import csv
import io
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from rltheory.errors import SweepError
from rltheory.sweeps.group import Group, Values
from rltheory.sweeps.laws import FittedLaw, fit_laws
from rltheory.sweeps.ledger import Ledger
from rltheory.sweeps.points import Point, canonical, point_order
from rltheory.sweeps.sweep import Sweep

__all__ = ["PointSummary", "SweepResult", "result_of"]

_LEVELS = [0.1, 0.5, 0.9]


@dataclass(frozen=True)
class PointSummary:
    """Quantiles of what the trials of one point gave.

    `values` maps each numeric value to its (10%, 50%, 90%) quantiles, linearly interpolated.
    """

    point: Point
    done: int
    failed: int
    values: dict[str, tuple[float, float, float]]


@dataclass(frozen=True, repr=False)
class SweepResult:
    """What the ledger holds, under the present code, of the trials that a sweep wants.

    Attributes
    ----------
    sweep : Sweep
    groups : list of Group
        One a point with trials that were done, sorted by point.
    failures : list of (point, index, error)
        Of the trials that failed.
    missing : int
        Trials that are wanted, as far as is known, and are not there yet.
    code : str
        Version of the code that they ran under.
    seed : int or None
        Root of their seeds; None if there are no trials.
    """

    sweep: Sweep
    groups: list[Group]
    failures: list[tuple[Point, int, str]]
    missing: int
    code: str
    seed: int | None

    def __len__(self) -> int:
        return sum(len(group.seeds) for group in self.groups)

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """One dict a trial that was done: the point, ``seed`` (its index) and the values."""
        return [
            group.point | {"seed": seed} | values
            for group in self.groups
            for seed, values in zip(group.seeds, group.values(), strict=True)
        ]

    @cached_property
    def summary(self) -> list[PointSummary]:
        """One entry a point, in order."""
        failed = Counter(canonical(point) for point, _, _ in self.failures)
        found = []
        for group in self.groups:
            lost = failed.pop(canonical(group.point), 0)
            quantiles = _quantiles(group.values())
            found.append(PointSummary(group.point, len(group.seeds), lost, quantiles))
        found += [PointSummary(json.loads(text), 0, n, {}) for text, n in failed.items()]
        return sorted(found, key=lambda entry: point_order(entry.point))

    @cached_property
    def laws(self) -> list[FittedLaw]:
        """The sweep's laws, fitted at every setting of the axes other than their own."""
        return fit_laws(self.sweep.laws, self.groups)

    @cached_property
    def columns(self) -> list[str]:
        """The point's names, ``seed``, and the values' names, each group sorted."""
        points = [*(group.point for group in self.groups), *(point for point, *_ in self.failures)]
        names = sorted({name for row in (*self.rows, *points) for name in row})
        axes = [name for name in names if name in self._axes]
        return [*axes, "seed", *(n for n in names if n not in self._axes and n != "seed")]

    def csv(self) -> str:
        """Every trial that was done, as text with commas; floats read back to the same bits."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        for row in self.rows:
            writer.writerow([_cell(row.get(name)) for name in self.columns])
        return text.getvalue()

    def export(self, path: str | Path) -> None:
        """Write the trials to a file: ``.csv``, or ``.parquet`` (package pyarrow).

        Raises
        ------
        SweepError
            If the ending is another one, pyarrow is absent, or the file cannot be written.
        """
        target = Path(path)
        try:
            if target.suffix == ".csv":
                target.write_text(self.csv(), encoding="utf-8", newline="")
            elif target.suffix == ".parquet":
                self._parquet(target)
            else:
                raise SweepError(f"{target}: an export is a .csv or a .parquet file")
        except OSError as fault:
            raise SweepError(f"{target}: {fault.strerror or fault}") from None

    def _parquet(self, target: Path) -> None:
        try:
            import pyarrow
            import pyarrow.parquet
        except ImportError:
            raise SweepError(
                "writing .parquet needs pyarrow: pip install 'rltheory[table]'; .csv needs nothing"
            ) from None
        columns = {name: [row.get(name) for row in self.rows] for name in self.columns}
        for name, values in columns.items():
            if any(isinstance(v, str) for v in values):
                columns[name] = [None if v is None else str(v) for v in values]
            elif any(isinstance(v, float) for v in values):
                columns[name] = [None if v is None else float(v) for v in values]
            elif any(isinstance(v, bool) for v in values) and not all(
                isinstance(v, bool | None) for v in values
            ):
                columns[name] = [None if v is None else int(v) for v in values]
        pyarrow.parquet.write_table(pyarrow.table(columns), target)

    @cached_property
    def _axes(self) -> frozenset[str]:
        return frozenset(name for point in self.sweep.points() for name in point)

    def __repr__(self) -> str:
        missing = f", {self.missing} missing" if self.missing else ""
        return (
            f"SweepResult({self.sweep.name!r}, {len(self)} trials at {len(self.groups)} points, "
            f"{len(self.failures)} failed{missing})"
        )


def result_of(ledger: Ledger, sweep: Sweep, code: str) -> SweepResult:
    """What the ledger holds of the sweep's points under this code."""
    if sweep.looks:
        found = sweep.wanted(partial(ledger.results, sweep.name, code))
        points, wanted = found.points, found.trials
    else:
        points = {canonical(point): point for point in sweep.points()}
        wanted = dict.fromkeys(points, sweep.seeds)
    groups: dict[str, Group] = {}
    failures: list[tuple[Point, int, str]] = []
    missing = sum(wanted.values())
    for text, seed, status, result in ledger.records(sweep.name, code):
        if text not in points or seed >= wanted[text]:
            continue  # of another grid, or of a run with more seeds
        missing -= 1
        if status == "done":
            group = groups.get(text)
            if group is None:
                group = groups[text] = Group(points[text], [], [])
            group.seeds.append(seed)
            group.results.append(result)
        else:
            failures.append((points[text], seed, json.loads(result)["error"]))
    failures.sort(key=lambda failure: (point_order(failure[0]), failure[1]))
    ordered = sorted(groups.values(), key=lambda group: point_order(group.point))
    return SweepResult(sweep, ordered, failures, missing, code, ledger.root(sweep.name, code))


def _quantiles(results: Sequence[Values]) -> dict[str, tuple[float, float, float]]:
    found = {}
    for name in sorted(set().union(*results)):
        values = [row[name] for row in results if name in row]
        numbers = [value for value in values if not isinstance(value, str)]
        if numbers:
            low, middle, high = np.quantile(np.array(numbers, dtype=np.float64), _LEVELS)
            found[name] = (float(low), float(middle), float(high))
    return found


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)
