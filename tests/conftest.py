"""Puts the plain twins of the kernels, helpers and the benchmarks where tests can import them."""

import sys
from pathlib import Path

for folder in ("reference", "helpers"):
    sys.path.insert(0, str(Path(__file__).parent / folder))
# `benchmarks` stands beside the package; last, so that the sources hide nothing that is installed.
sys.path.append(str(Path(__file__).parent.parent))
