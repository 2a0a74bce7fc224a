"""What the machine can do at best: its memory bandwidth, and the floor that puts under a sweep.

    python -m benchmarks.machine

A Jacobi sweep reads every entry of the model once. A model larger than the caches cannot be swept
faster than its bytes come from memory; the time of one sweep beside that floor says how much of
it is computing. A smaller model may well be under the floor.
"""

import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from scipy.linalg.blas import daxpy, ddot

from benchmarks.families import Problem
from benchmarks.session import ONE_THREAD, ROOT

__all__ = ["bandwidth", "note", "sweep_bytes"]

_NUMBERS = 16_000_000  # 128 MB an array, past any cache of its class


def bandwidth(repeats: int = 10) -> dict[str, float]:
    """Bytes a second on one thread, the best of so many times.

    The triad a <- a + c b reads two arrays and writes one, and all three count: reading and
    writing go on at the same time. The inner product of a and b only reads, as a sweep does.
    """
    a, b = np.zeros(_NUMBERS), np.ones(_NUMBERS)
    best = {"triad_bytes_per_second": 0.0, "reading_bytes_per_second": 0.0}
    for _ in range(repeats):
        begin = time.perf_counter()
        daxpy(b, a, a=0.5)
        between = time.perf_counter()
        ddot(a, b)
        end = time.perf_counter()
        triad, reading = 24.0 * _NUMBERS / (between - begin), 16.0 * _NUMBERS / (end - between)
        best["triad_bytes_per_second"] = max(best["triad_bytes_per_second"], triad)
        best["reading_bytes_per_second"] = max(best["reading_bytes_per_second"], reading)
    return best


def sweep_bytes(problem: Problem) -> int:
    """Bytes that one sweep over the rows must read and write, once each.

    Columns (4 bytes) and probabilities (8) of every entry, or 8 alone when dense; pointer and
    reward of every row; per state the pointer, the value read, the value and the choice written.
    """
    entry = 12 if problem.sparse else 8
    row = 16 if problem.sparse else 8
    return entry * problem.n_entries + row * problem.n_pairs + 32 * problem.n_states


def note() -> dict[str, Any]:
    """The machine, without its name; bandwidths from a process of its own with one thread."""
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.machine"],
        env=os.environ | ONE_THREAD | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    return {
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "memory_bytes": _memory(),
        "load": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "numpy": np.__version__,
        **json.loads(done.stdout),
    }


def _memory() -> int | None:
    try:
        first = Path("/proc/meminfo").read_text().splitlines()[0]
    except OSError:
        return None
    return 1024 * int(first.split()[1])


if __name__ == "__main__":
    print(json.dumps(bandwidth()))
