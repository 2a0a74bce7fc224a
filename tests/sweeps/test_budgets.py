"""What a large sweep costs in memory: 20,000 trials with a law, in a process of their own."""

import subprocess
import sys

import pytest

PROGRAM = """
import tempfile
from pathlib import Path
import rltheory as rlt

def trial(seed, n):
    return {"y": n * (1 + seed % 1009 / 1009), "word": "a"}

law = rlt.Law("y", "n", slope=1)
sweep = rlt.Sweep("large", trial, {"n": [1, 2, 4, 8]}, 5000, version="1", laws=(law,))
with tempfile.TemporaryDirectory() as folder:
    result = rlt.run_sweep(sweep, folder)
    assert len(result.csv().splitlines()) == 20_001
    assert result.laws[0].fit is not None and len(result.summary) == 4
    lines = Path("/proc/self/status").read_text().splitlines()
    print(next(line.split()[1] for line in lines if line.startswith("VmHWM:")))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/self/status")
def test_twenty_thousand_trials_are_told_in_little_memory() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 300_000  # kilobytes; 10^5 trials may take 10^6
