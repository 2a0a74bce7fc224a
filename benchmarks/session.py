"""The other end of a worker: starts it, asks, and ends it when it takes too long."""

import json
import os
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.families import Problem
from benchmarks.peers import Settings
from benchmarks.verify import verify

__all__ = ["Session"]

ROOT = Path(__file__).parent.parent
ONE_THREAD = dict.fromkeys(
    ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"], "1"
)
_STARTING = 120.0


def _seconds_used(process: int) -> float:
    """CPU seconds of a process so far, to a hundredth; those of the clock where /proc is not.

    Asking the kernel to enforce a limit (RLIMIT_CPU) would make CPU clocks in the process as
    coarse as the scheduler's ticks.
    """
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return time.monotonic()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Session:
    """One worker with one solver and one problem.

    Attributes
    ----------
    skipped : str
        Why there is nothing to ask it: not installed, or not for this problem; "" otherwise.
    version : str
    candidates : list of dict
        Settings worth trying, the default first.
    """

    def __init__(self, adapter: str, problem: Problem, folder: Path) -> None:
        self.adapter, self.problem, self.folder = adapter, problem, folder
        self.skipped, self.version = "", ""
        self.candidates: list[Settings] = []
        self._start()

    def _start(self) -> None:
        path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", self.adapter, str(self.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | ONE_THREAD | {"PYTHONPATH": path},
        )
        hello = self._answer(_STARTING)
        self.version = hello.get("version", "")
        self.candidates = hello.get("candidates", [])
        reasons = [hello.get(key, "") for key in ("missing", "refuses", "failed", "over")]
        self.skipped = next((str(reason) for reason in reasons if reason), "")

    def _answer(self, limit: float) -> dict[str, Any]:
        """The next line of the worker, which is ended when it has used its limit."""
        pipe = self.process.stdout
        assert pipe is not None
        line = b""
        begin = _seconds_used(self.process.pid)
        until = time.monotonic() + 60.0 + 10.0 * limit  # it may also hang
        while not line.endswith(b"\n"):
            left = limit - (_seconds_used(self.process.pid) - begin)
            # No process can use more CPU seconds with one thread than pass on the clock.
            ready, _, _ = select.select([pipe], [], [], max(0.0, left))
            if not ready:
                if left > 0.0 and time.monotonic() < until:
                    continue
                self.close()
                return {"over": limit}
            part = os.read(pipe.fileno(), 65536)
            if not part:
                self.close()
                return {"failed": f"the process ended with code {self.process.returncode}"}
            line += part
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _ask(self, request: dict[str, Any], limit: float) -> dict[str, Any]:
        if self.process.poll() is not None:
            self._start()
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()
        return self._answer(limit)

    def solve(self, settings: Settings, limit: float) -> dict[str, Any]:
        """Build, solve and verify once, within so many CPU seconds.

        Returns
        -------
        dict
            build_cpu, build_wall, solve_cpu, solve_wall, and value_error, policy_loss, verified; or
            "failed" with a message, or "over" with the limit that was passed.
        """
        record = self._ask({"warm": settings}, _STARTING)
        if not record:
            record = self._ask({"settings": settings}, limit)
        if "failed" in record or "over" in record:
            return record
        with np.load(self.folder / f"{self.adapter}.npz") as found:
            value, policy = found["value"], found.get("policy")
        try:
            bounds = verify(self.problem, value, policy)
        except ValueError as error:
            return {"failed": f"wrong answer: {error}"}
        return record | {
            "value_error": bounds.value_error,
            "policy_loss": bounds.policy_loss if np.isfinite(bounds.policy_loss) else None,
            "verified": bounds.verified,
        }

    def sweep(self, count: int, limit: float) -> dict[str, Any]:
        return self._ask({"sweep": count}, limit)

    def close(self) -> None:
        """End the worker."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
