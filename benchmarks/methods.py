"""Is method="auto" near the best of our methods? On the problems, and on fifty mixed models.

    python -m benchmarks.methods [--problem NAME ...] [--mixed N ...] [--repeats N]

Methods take turns on a model, which is rebuilt before every solve; the ratio is that of the
median CPU time of "auto" to the least one. A method that takes five times what "auto" took is
stopped. A model above 1.5 is compared again, five times as long, which is what counts: on a shared
machine methods that take a millisecond seem now and then to take two.
"""

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import rltheory as rlt
from benchmarks.families import Problem
from benchmarks.peers import OURS
from benchmarks.problems import MIXED, PROBLEMS, mixed
from benchmarks.session import Session
from benchmarks.worker import save
from rltheory.solvers.methods import METHODS

__all__ = ["compare", "main"]

_MOST = 1.5
_NOISE = 2e-4
"""Seconds by which two methods must differ for their ratio to mean something."""


def compare(problem: Problem, repeats: int, limit: float) -> dict[str, Any]:
    """Median CPU seconds of each method, None where it was stopped or failed, and auto / best."""
    times: dict[str, list[float] | None] = {name: [] for name in ("auto", *sorted(METHODS))}
    first = limit
    with tempfile.TemporaryDirectory() as folder:
        save(problem, Path(folder))
        session = Session(OURS, problem, Path(folder))
        # The first round finds who takes too long; their processes end, and new ones start slowly.
        for repeat in range(1 + repeats):
            for name, found in times.items():
                if found is None:
                    continue
                allowed = limit if name == "auto" else min(limit, 1.0 + 5.0 * first)
                answer = session.solve({"method": name}, allowed)
                if not answer.get("verified"):
                    times[name] = None
                    continue
                if repeat > 0:
                    found.append(answer["solve_cpu"])
                elif name == "auto":
                    first = answer["solve_cpu"]
        session.close()
    medians = {name: statistics.median(found) if found else None for name, found in times.items()}
    auto = medians["auto"]
    best = min((x for x in medians.values() if x is not None), default=None)
    ratio = None
    if auto is not None and best is not None:
        ratio = 1.0 if auto - best < _NOISE else auto / best
    return {"name": problem.name, "seconds": medians, "ratio": ratio}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.methods", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    discounted = [name for name in PROBLEMS if not name.startswith("fh_")]
    parser.add_argument("--problem", nargs="*", choices=discounted, default=discounted)
    parser.add_argument("--mixed", nargs="*", type=int, default=list(MIXED))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--limit", type=float, default=300.0)
    parser.add_argument("--output", type=Path, help="JSON file")
    chosen = parser.parse_args(arguments)
    makers: list[Callable[[], Problem]] = [PROBLEMS[name] for name in chosen.problem]
    makers += [partial(mixed, seed) for seed in chosen.mixed]
    rows = []
    names = ["auto", *sorted(set(METHODS) - {"auto"})]
    print(f"rltheory {rlt.__version__}")
    print(f"{'model':28}" + "".join(f"{name[:12]:>13}" for name in names) + "  auto/best")
    for make in makers:
        row = compare(make(), chosen.repeats, chosen.limit)
        if (row["ratio"] or 0.0) > _MOST:
            first = row["ratio"]
            row = compare(make(), 5 * chosen.repeats, chosen.limit) | {"first_ratio": first}
        cells = "".join(
            f"{'-' if x is None else format(x, '.3g'):>13}"
            for x in (row["seconds"][name] for name in names)
        )
        ratio = "-" if row["ratio"] is None else format(row["ratio"], ".2f")
        if "first_ratio" in row:
            ratio += f" (at first {row['first_ratio']:.2f})"
        print(f"{row['name']:28}{cells}  {ratio}", flush=True)
        rows.append(row)
    known = [row for row in rows if row["ratio"] is not None]
    worst = sorted(known, key=lambda row: -row["ratio"])[:5]
    print("worst: " + ", ".join(f"{row['name']} {row['ratio']:.2f}" for row in worst))
    above = sum(row["ratio"] > _MOST for row in known)
    print(f"above {_MOST}: {above} of {len(rows)}; auto failed: {len(rows) - len(known)}")
    if chosen.output is not None:
        chosen.output.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 1 if above or len(known) < len(rows) else 0


if __name__ == "__main__":
    sys.exit(main())
