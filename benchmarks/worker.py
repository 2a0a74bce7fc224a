"""The process in which one solver runs: reads requests, answers with what they cost.

    python -m benchmarks.worker ADAPTER FOLDER

A request is a line of JSON. {"warm": settings}: a small problem of the same kind is solved, so that
nothing is compiled on the clock. {"settings": settings}: the problem in FOLDER is built anew and
solved, the answer is left in FOLDER/ADAPTER.npz, and what it took is a line of JSON. {"sweep": n}:
three times, the machine's bandwidth is measured and then n sweeps of ours. A solver that crashes,
or is ended because it takes too long, takes nobody with it. What solvers print goes to stderr.
"""

import gc
import importlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, cast

import numpy as np
from scipy import sparse

from benchmarks.families import Problem
from benchmarks.machine import bandwidth
from benchmarks.peers import Adapter, Settings
from benchmarks.problems import PROBLEMS, QUICK

__all__ = ["load", "read_only", "save"]


def save(problem: Problem, folder: Path) -> None:
    """Write a problem where workers find it."""
    p = problem.transitions
    matrix = (
        {"data": p.data, "indices": p.indices, "indptr": p.indptr}
        if problem.sparse
        else {"table": p}
    )
    arrays = {
        "states": problem.states,
        "actions": problem.actions,
        "rewards": problem.rewards,
        **matrix,
    }
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    numbers = {
        "name": problem.name,
        "n_states": problem.n_states,
        "discount": problem.discount,
        "horizon": problem.horizon,
    }
    (folder / "problem.json").write_text(json.dumps(numbers))


def load(folder: Path) -> Problem:
    """Read it again: arrays of one's own, no memory maps."""

    def array(name: str) -> Any:
        return np.load(folder / f"{name}.npy")

    numbers = json.loads((folder / "problem.json").read_text())
    matrix = (
        array("table")
        if (folder / "table.npy").exists()
        else sparse.csr_array(
            (array("data"), array("indices"), array("indptr")),
            shape=(len(array("states")), numbers["n_states"]),
        )
    )
    return Problem(
        numbers["name"],
        array("states"),
        array("actions"),
        matrix,
        array("rewards"),
        numbers["discount"],
        numbers["horizon"],
    )


def read_only(problem: Problem) -> Problem:
    """The same problem, whose arrays nobody can change, so that none need copy them."""
    p = problem.transitions
    for array in (
        problem.states,
        problem.actions,
        problem.rewards,
        *((p.data, p.indices, p.indptr) if problem.sparse else (p,)),
    ):
        part: Any = array
        while isinstance(part, np.ndarray):  # what numpy loads is a view, which is not enough
            part.setflags(write=False)
            part = part.base
    return problem


@contextmanager
def _timed(cost: dict[str, Any], what: str) -> Iterator[None]:
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    cost[f"{what}_cpu"] = time.process_time() - cpu
    cost[f"{what}_wall"] = time.perf_counter() - wall


def _status_bytes(field: str) -> int | None:
    """A size from the kernel's account of this process, where there is one."""
    try:
        text = Path("/proc/self/status").read_text()
    except OSError:
        return None
    found = [line.split()[1] for line in text.splitlines() if line.startswith(f"{field}:")]
    return 1024 * int(found[0]) if found else None


@contextmanager
def _peak(cost: dict[str, Any]) -> Iterator[None]:
    """The most memory in use above what was in use before; Linux alone tells."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        yield
        return
    before = _status_bytes("VmRSS")
    yield
    after = _status_bytes("VmHWM")
    if before is not None and after is not None:
        cost["build_peak_bytes"] = after - before


class _Worker:
    def __init__(self, adapter: str, folder: Path) -> None:
        module = importlib.import_module(f"benchmarks.peers.{adapter}")
        self.adapter = cast(Adapter, module)
        self.sweep: Callable[..., None] | None = getattr(module, "sweep", None)
        self.problem = read_only(load(folder))
        self.answer = folder / f"{adapter}.npz"
        self.warmed: set[str] = set()
        self.built = False

    def hello(self) -> dict[str, Any]:
        try:
            number = version(self.adapter.PACKAGE)
        except PackageNotFoundError:
            number = getattr(sys.modules.get(self.adapter.PACKAGE), "__version__", "")
        return {
            "version": number,
            "refuses": self.adapter.refuses(self.problem),
            "candidates": self.adapter.candidates(self.problem),
        }

    def warm_up(self, settings: Settings) -> dict[str, Any]:
        key = json.dumps(settings, sort_keys=True)
        if key not in self.warmed:
            alike = "garnet1e5_g99" if self.problem.sparse else "garnet_dense500"
            name = self.problem.name if self.problem.name in PROBLEMS else alike
            small = read_only(PROBLEMS[name](QUICK[name]))
            self.adapter.solve(self.adapter.build(small, settings), small, settings)
        self.warmed.add(key)
        return {}

    def solve(self, settings: Settings) -> dict[str, Any]:
        gc.collect()
        cost: dict[str, Any] = {}
        if self.built:
            with _timed(cost, "build"):
                model = self.adapter.build(self.problem, settings)
        else:  # the first time, no memory freed earlier is at hand
            with _peak(cost), _timed(cost, "build"):
                model = self.adapter.build(self.problem, settings)
        self.built = True
        with _timed(cost, "solve"):
            value, policy = self.adapter.solve(model, self.problem, settings)
        del model
        found = {"value": value} if policy is None else {"value": value, "policy": policy}
        np.savez(self.answer, **found)
        return cost

    def sweeps(self, count: int) -> dict[str, Any]:
        assert self.sweep is not None
        settings = self.adapter.candidates(self.problem)[0]
        peak: dict[str, Any] = {}
        with _peak(peak):
            model = self.adapter.build(self.problem, settings)
        if self.built:  # memory freed earlier was at hand
            peak = {}
        self.built = True
        value = np.zeros(self.problem.n_states)
        rounds = []
        for _ in range(3):  # bandwidth comes and goes: each round has its own
            rates = bandwidth(5)
            costs = []
            for _ in range(count):
                cost: dict[str, Any] = {}
                with _timed(cost, "sweep"):
                    self.sweep(model, self.problem, value)
                costs.append(cost["sweep_cpu"] if cost["sweep_cpu"] > 1e-3 else cost["sweep_wall"])
            rounds.append({"sweep": float(np.median(costs)), **rates})
        return {"rounds": rounds, **peak}


def main() -> None:
    adapter, folder = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def say(record: dict[str, Any]) -> None:
        answers.write(json.dumps(record) + "\n")
        answers.flush()

    try:
        worker = _Worker(adapter, Path(folder))
    except ImportError as error:
        say({"missing": str(error)})
        return
    say(worker.hello())
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if "sweep" in request:
                say(worker.sweeps(request["sweep"]))
            elif "warm" in request:
                say(worker.warm_up(request["warm"]))
            else:
                say(worker.solve(request["settings"]))
        except Exception as error:
            say({"failed": f"{type(error).__name__}: {error}"})


if __name__ == "__main__":
    main()
