"""Puts the plain twins of the kernels, and helpers, where every test can import them."""

import sys
from pathlib import Path

for folder in ("reference", "helpers"):
    sys.path.insert(0, str(Path(__file__).parent / folder))
