"""The benchmark: every problem, every solver, in one run.

    python -m benchmarks.run [--problem NAME ...] [--solver NAME ...] [--repeats N] [--quick]
                             [--output FILE.md]

Solvers take turns on a problem, in an order that rotates from one repeat to the next, each in a
process of its own with one thread, its model rebuilt before every solve. What is reported are
medians of CPU and wall seconds and the worst residual bounds of all repeats. A solver that takes
longer than `PATIENCE` CPU seconds is run once, and one that passes the limit is stopped.
"""

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.families import Problem
from benchmarks.machine import note, sweep_bytes
from benchmarks.peers import ADAPTERS, OURS
from benchmarks.problems import PROBLEMS, QUICK
from benchmarks.session import Session
from benchmarks.table import markdown, write_between
from benchmarks.tune import best_settings
from benchmarks.worker import save

__all__ = ["main", "run"]

PATIENCE = 20.0
_TIMES = ("build_cpu", "build_wall", "solve_cpu", "solve_wall")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--problem", nargs="+", choices=PROBLEMS, default=list(PROBLEMS))
    parser.add_argument("--solver", nargs="+", choices=ADAPTERS, default=list(ADAPTERS))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--limit", type=float, default=300.0, help="CPU seconds a solve may take")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: does everything run?")
    parser.add_argument("--output", type=Path, help="Markdown file; JSON goes beside it")
    chosen = parser.parse_args(arguments)
    record = run(chosen.problem, chosen.solver, chosen.repeats, chosen.limit, chosen.quick)
    text = markdown(record)
    if chosen.output is None:
        print(text)
    else:
        write_between(chosen.output, text)
        beside = chosen.output.with_suffix(".json")
        beside.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    ours = [problem["results"].get(OURS, {}) for problem in record["problems"]]
    failed = [result for result in ours if result and not result.get("verified")]
    return 1 if failed else 0


def run(
    problems: list[str], solvers: list[str], repeats: int, limit: float, quick: bool = False
) -> dict[str, Any]:
    """The whole record, as it goes into the JSON file."""
    machine = note()
    record: dict[str, Any] = {
        "machine": machine,
        "repeats": repeats,
        "limit": limit,
        "quick": quick,
        "solvers": sorted(solvers, key=ADAPTERS.index),
        "versions": {},
        "missing": {},
        "problems": [],
    }
    for name in problems:
        problem = PROBLEMS[name](QUICK[name]) if quick else PROBLEMS[name]()
        with tempfile.TemporaryDirectory() as folder:
            save(problem, Path(folder))
            entry = _one_problem(problem, Path(folder), record)
        entry.setdefault("floor", sweep_bytes(problem) / machine["triad_bytes_per_second"])
        record["problems"].append(entry)
    return record


def _one_problem(problem: Problem, folder: Path, record: dict[str, Any]) -> dict[str, Any]:
    results: dict[str, Any] = {}
    sessions: list[tuple[Session, dict[str, Any]]] = []
    for name in record["solvers"]:
        if name in record["missing"]:
            continue
        known = {} if record["quick"] else best_settings(problem.name, name)
        if "none" in known:
            results[name] = {"none": known["none"]}
            continue
        session = Session(name, problem, folder)
        if session.skipped and not session.version:
            record["missing"][name] = session.skipped
            continue
        record["versions"][name] = session.version
        if session.skipped:
            results[name] = {"none": session.skipped}
            continue
        sessions.append((session, known.get("settings", session.candidates[0])))
    runs: dict[str, list[dict[str, Any]]] = {session.adapter: [] for session, _ in sessions}
    waiting = list(sessions)
    for repeat in range(record["repeats"]):
        turn = repeat % max(1, len(waiting))
        for session, settings in waiting[turn:] + waiting[:turn]:
            print(f"{problem.name} {session.adapter} {repeat + 1}", end=" ", file=sys.stderr)
            result = session.solve(settings, record["limit"])
            print(result.get("solve_cpu", result), file=sys.stderr, flush=True)
            runs[session.adapter].append(result)
            slow = result.get("solve_cpu", PATIENCE) + result.get("build_cpu", 0.0) >= PATIENCE
            if slow:
                waiting = [pair for pair in waiting if pair[0] is not session]
                session.close()
    entry: dict[str, Any] = {
        "name": problem.name,
        "states": problem.n_states,
        "pairs": problem.n_pairs,
        "entries": problem.n_entries,
        "bytes": problem.nbytes,
        "discount": problem.discount,
        "horizon": problem.horizon,
    }
    for session, settings in sessions:
        tuned = session.adapter == OURS or bool(best_settings(problem.name, session.adapter))
        results[session.adapter] = _summary(runs[session.adapter], settings) | {"tuned": tuned}
        if session.adapter == OURS:
            swept = session.sweep(9, 60.0)
            if "rounds" in swept:
                entry |= _against_the_floor(swept["rounds"], sweep_bytes(problem))
            if "build_peak_bytes" in swept:
                entry["build_peak_bytes"] = swept["build_peak_bytes"]
        session.close()
    return entry | {"results": {n: results[n] for n in record["solvers"] if n in results}}


def _against_the_floor(rounds: list[dict[str, float]], nbytes: int) -> dict[str, float]:
    """Medians over rounds; a sweep is compared with the bandwidth of its own round."""
    return {
        "sweep": statistics.median(found["sweep"] for found in rounds),
        "floor": statistics.median(nbytes / found["triad_bytes_per_second"] for found in rounds),
        **{
            f"sweep_over_{what}": statistics.median(
                found["sweep"] * found[f"{what}_bytes_per_second"] / nbytes for found in rounds
            )
            for what in ("triad", "reading")
        },
    }


def _summary(runs: list[dict[str, Any]], settings: dict[str, Any]) -> dict[str, Any]:
    """Medians of times, the worst of bounds, the peak of the first build."""
    good = [result for result in runs if "solve_cpu" in result]
    if len(good) < len(runs) or not good:
        last = runs[-1] if runs else {"failed": "never run"}
        why = f"over {last['over']:.0f} s" if "over" in last else last.get("failed", "failed")
        return {"none": why, "settings": settings}
    losses = [result["policy_loss"] for result in good]
    worst = min((result["verified"] for result in good), key=len)
    return {
        "settings": settings,
        **{what: statistics.median(result[what] for result in good) for what in _TIMES},
        "value_error": max(result["value_error"] for result in good),
        "policy_loss": None if None in losses else max(losses),
        "verified": worst,
        "build_peak_bytes": good[0].get("build_peak_bytes"),
        "runs": [{what: result[what] for what in _TIMES} for result in good],
    }


if __name__ == "__main__":
    sys.exit(main())
