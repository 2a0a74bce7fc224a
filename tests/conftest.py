"""Puts the plain twins of the kernels where every test can import them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "reference"))
