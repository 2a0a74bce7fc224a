"""Writes the stubs of a core just built: `python write_stubs.py MODULE --output-dir FOLDER`.

An editable install puts a finder in front of PYTHONPATH that would import the core built before.
Arrays have short names in the core, which bindings/arrays.hpp gives them, and numpy's in the stubs.
"""

import re
import sys
from pathlib import Path

from pybind11_stubgen import main

ARRAYS = "Bools|Float64s|Int32s|Int64s|UInt8s|UInt16s|UInt32s|UInt64s"


def with_arrays_of_numpy(stub: str) -> str:
    """The text of a stub, with numpy's names of array types."""

    def of_numpy(name: re.Match[str]) -> str:
        return f"numpy.typing.NDArray[numpy.{name[0].lower().removesuffix('s')}]"

    text, arrays = re.subn(rf"\b({ARRAYS})\b", of_numpy, stub)
    lines = text.splitlines(keepends=True)
    if arrays:
        needed = {"import numpy\n", "import numpy.typing\n"} - set(lines)
        after = lines.index("from __future__ import annotations\n") + 1
        lines[after:after] = sorted(needed)
    return "".join(lines)


sys.meta_path[:] = [
    finder for finder in sys.meta_path if type(finder).__name__ != "ScikitBuildRedirectingFinder"
]
main([*sys.argv[1:], "--ignore-unresolved-names", ARRAYS])
for path in Path(sys.argv[sys.argv.index("--output-dir") + 1]).rglob("*.pyi"):
    path.write_text(with_arrays_of_numpy(path.read_text("utf-8")), "utf-8")
