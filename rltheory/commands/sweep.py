"""``rltheory sweep``: run what a sweep still lacks, and show, export or merge what is there.

Progress goes to standard error: a bar in a terminal, elsewhere a line every few seconds.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from rltheory.commands.messages import say
from rltheory.commands.targets import check_target
from rltheory.errors import SweepError
from rltheory.report import terminal
from rltheory.report.sweep_comparison import show_comparison
from rltheory.report.sweep_page import write_sweep_page
from rltheory.report.sweep_table import show_sweep
from rltheory.sweeps.compare import compare_runs, stored_result
from rltheory.sweeps.figure import write_figures
from rltheory.sweeps.points import canonical
from rltheory.sweeps.result import SweepResult
from rltheory.sweeps.run_sweep import Progress, merge_ledgers, run_sweep
from rltheory.sweeps.sweep import Sweep, load_sweep, trial_seeds

_SECONDS_BETWEEN_LINES = 10.0


def run(options: argparse.Namespace) -> int:
    """Do what the arguments say; the exit code: 1 if a trial failed."""
    sweep = load_sweep(options.file)
    if options.trial is not None:
        text, index = options.trial
        return _one(sweep, text, index, options.seed)
    out = Path("runs") / sweep.name if options.out is None else Path(options.out)
    for target in options.export or ():
        check_target("--export", Path(target), (".csv", ".parquet"), [options.file], SweepError)
    if options.compare is not None and not (Path(options.compare) / "ledger.sqlite").is_file():
        raise SweepError(f"--compare {options.compare}: there is no ledger of a sweep")
    if options.merge:
        result = merge_ledgers(options.file, out, options.merge)
    else:
        try:
            with _progress() as progress:
                result = run_sweep(
                    options.file,
                    out,
                    jobs=options.jobs,
                    backend=options.backend,
                    address=options.address,
                    shard=options.shard,
                    seed=options.seed,
                    block=options.block,
                    retry=options.retry,
                    progress=progress,
                    waiting=lambda: say("note", f"another run has {out}; waiting for its end"),
                )
        except KeyboardInterrupt:
            say("note", f"interrupted; what was stored is in {out}, and running again goes on")
            raise
    return _tell(result, out, options)


def _one(sweep: Sweep, text: str, index: str, seed: int) -> int:
    """Run one trial with its error, if it has one, as it is: for looking into a failure."""
    try:
        point = json.loads(text)
        wanted = canonical(point)
    except ValueError:
        raise SweepError(f"--trial {text}: that is no JSON of a point") from None
    if not _in_reach(sweep, point):
        raise SweepError(f"--trial {wanted}: the grid has no such point")
    if not index.isdecimal() or int(index) >= sweep.seeds:
        raise SweepError(
            f"--trial seed {index}; the seeds of {sweep.name} are 0..{sweep.seeds - 1}"
        )
    drawn = trial_seeds(sweep.name, seed, wanted, [int(index)])[0]
    print(json.dumps(sweep.run_one(point, drawn), sort_keys=True))
    return 0


def _in_reach(sweep: Sweep, point: Any) -> bool:
    """Whether a point is of the grid, or one that could refine it."""
    axis = sweep.refine.law.x if sweep.refine is not None else None

    def setting(of: Any) -> Any:
        return canonical({n: v for n, v in of.items() if n != axis}), axis in of

    return isinstance(point, dict) and setting(point) in [setting(p) for p in sweep.points()]


def _tell(result: SweepResult, out: Path, options: argparse.Namespace) -> int:
    for target in options.export or ():
        result.export(target)
    console = terminal.console(sys.stdout)
    show_sweep(result, out, options.file, console, every_point=options.table)
    if not options.no_figure:
        written = write_figures(result, out) if result.sweep.laws else []
        page = out / f"{result.sweep.name}.html"
        write_sweep_page(result, page, options.file)
        for path in (*written, page):
            console.print(f"{path} is written.")
    if options.compare is not None:
        _compare(result, out, Path(options.compare), console, options.table)
    return 1 if result.failures else 0


def _compare(
    result: SweepResult, out: Path, folder: Path, console: Console, every_one: bool
) -> None:
    """With what another folder holds, or with what this one holds of older code."""
    own = result.code if folder.resolve() == out.resolve() else None
    there = stored_result(result.sweep, folder, but=own)
    show_comparison(compare_runs(there, result), folder, console, every_one)


@contextmanager
def _progress() -> Iterator[Callable[[Progress], None]]:
    if not sys.stderr.isatty():
        yield _lines()
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Bar(*columns, console=Console(file=sys.stderr), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda p: bar.update(task, total=p.total, completed=p.done, description=_told(p))


def _lines() -> Callable[[Progress], None]:
    last = time.monotonic()

    def line(progress: Progress) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _SECONDS_BETWEEN_LINES:
            last = now
            print(f"{progress.done} of {progress.total} trials, {_told(progress)}", file=sys.stderr)

    return line


def _told(progress: Progress) -> str:
    left = progress.seconds_left
    words = [f"{progress.rate:.3g} a second"]
    if left is not None:
        words.append(f"{_duration(left)} left")
    if progress.failed:
        words.append(f"{progress.failed} failed")
    return ", ".join(words)


def _duration(seconds: float) -> str:
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, seconds_left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{seconds_left:02}" if hours else f"{minutes}:{seconds_left:02}"
