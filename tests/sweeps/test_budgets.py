"""What a large sweep costs in memory: 20,000 trials with a law, in a process of their own."""

import subprocess
import sys

PROGRAM = """
import resource, tempfile
import rltheory as rlt

def trial(seed, n):
    return {"y": n * (1 + seed % 1009 / 1009), "word": "a"}

law = rlt.Law("y", "n", slope=1)
sweep = rlt.Sweep("large", trial, {"n": [1, 2, 4, 8]}, 5000, version="1", laws=(law,))
with tempfile.TemporaryDirectory() as folder:
    result = rlt.run_sweep(sweep, folder)
    assert len(result.csv().splitlines()) == 20_001
    assert result.laws[0].fit is not None and len(result.summary) == 4
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3)
"""


def test_twenty_thousand_trials_are_told_in_little_memory() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 300  # megabytes; 10^5 trials may take 1,000
