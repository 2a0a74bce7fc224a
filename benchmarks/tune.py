"""Finds the best settings of every peer on every problem, and keeps them in settings.json.

    python -m benchmarks.tune [--problem NAME ...] [--solver NAME ...] [--limit SECONDS]

Each candidate of an adapter is built and solved once, under a limit that shrinks to twice what
the best one took so far; of those whose answer is verified, the one with the least CPU time of
solving is kept, with how many were tried. `SAME` names problems that take the settings found on a
smaller one.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.families import Problem
from benchmarks.peers import ADAPTERS, OURS, Settings
from benchmarks.problems import PROBLEMS
from benchmarks.session import Session
from benchmarks.worker import save

__all__ = ["best_settings", "tune"]

SETTINGS = Path(__file__).parent / "settings.json"
SAME = {"maze1000": "maze300", "maze300_shuffled": "maze300"}


def best_settings(problem: str, adapter: str) -> dict[str, Any]:
    """What is known: {"settings": ...}, or {"none": why}; empty where nothing is."""
    known = json.loads(SETTINGS.read_text()) if SETTINGS.exists() else {}
    found: dict[str, Any] = known.get(SAME.get(problem, problem), {}).get(adapter, {})
    return found


def tune(adapter: str, problem: Problem, folder: Path, limit: float) -> dict[str, Any]:
    """The best of the candidates, for settings.json."""
    session = Session(adapter, problem, folder)
    if session.skipped:
        return {"none": session.skipped}
    best: dict[str, Any] | None = None
    why: list[str] = []
    for settings in session.candidates:
        allowed = limit
        if best is not None:
            allowed = min(limit, 1.0 + best["build_cpu"] + 2.0 * best["solve_cpu"])
        record = session.solve(settings, allowed)
        if "over" in record:
            why.append(f"over {record['over']:.0f} s")
        elif "failed" in record:
            why.append(record["failed"])
        elif not record["verified"]:
            why.append(f"not verified: {record['value_error']:.1e}")
        elif best is None or record["solve_cpu"] < best["solve_cpu"]:
            best = record | {"settings": settings}
    session.close()
    if best is None:
        return {"none": "; ".join(dict.fromkeys(why)), "tried": len(session.candidates)}
    kept: Settings = {"settings": best["settings"], "solve_cpu": round(best["solve_cpu"], 4)}
    return kept | {"tried": len(session.candidates)}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tune")
    parser.add_argument("--problem", nargs="+", choices=PROBLEMS, default=list(PROBLEMS))
    peers = [name for name in ADAPTERS if name != OURS]
    parser.add_argument("--solver", nargs="+", choices=peers, default=peers)
    parser.add_argument(
        "--limit", type=float, default=300.0, help="CPU seconds a candidate may take"
    )
    chosen = parser.parse_args(arguments)
    for name in chosen.problem:
        if name in SAME:
            continue
        problem = PROBLEMS[name]()
        with tempfile.TemporaryDirectory() as folder:
            save(problem, Path(folder))
            for adapter in chosen.solver:
                found = tune(adapter, problem, Path(folder), chosen.limit)
                print(name, adapter, json.dumps(found), flush=True)
                known = json.loads(SETTINGS.read_text()) if SETTINGS.exists() else {}
                known.setdefault(name, {})[adapter] = found
                SETTINGS.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
