"""Puts the plain twins of the kernels, helpers and the benchmarks where tests can import them.

No property is timed: a machine that pauses says nothing about it. In CI every run has the same
examples; elsewhere each has new ones.
"""

import os
import sys
from pathlib import Path

from hypothesis import HealthCheck, settings

for folder in ("reference", "helpers"):
    sys.path.insert(0, str(Path(__file__).parent / folder))
# `benchmarks` stands beside the package; last, so that the sources hide nothing that is installed.
sys.path.append(str(Path(__file__).parent.parent))

settings.register_profile(
    "untimed",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=bool(os.environ.get("CI")),
    print_blob=True,
)
settings.load_profile("untimed")
