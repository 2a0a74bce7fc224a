"""Which code a trial ran under: a hash of the experiment's file, and one of the package.

Results of different code are kept apart. The package's hash is of its Python sources and of the
compiled core as they stand in its folder, so that it is the same on every machine with one build.
"""

import hashlib
import inspect
from functools import cache
from pathlib import Path

from rltheory.errors import SweepError
from rltheory.sweeps.sweep import Sweep

__all__ = ["code_version", "package_version"]

_DIGITS = 16


def code_version(sweep: Sweep, file: str | Path | None = None) -> str:
    """``TRIAL+PACKAGE``: the trial's version, or the hash of its file, and the package's hash."""
    trial = sweep.version
    if trial is None:
        source = file if file is not None else _source_of(sweep)
        trial = hashlib.sha256(Path(source).read_bytes()).hexdigest()[:_DIGITS]
    return f"{trial}+{package_version()}"


@cache
def package_version() -> str:
    """Hash of every Python file and compiled module of the package."""
    root = Path(__file__).parents[1]
    digest = hashlib.sha256()
    files = [p for p in root.rglob("*") if p.suffix in (".py", ".so", ".pyd")]
    for path in sorted(files, key=lambda p: p.relative_to(root).as_posix()):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:_DIGITS]


def _source_of(sweep: Sweep) -> str:
    try:
        source = inspect.getsourcefile(inspect.unwrap(sweep.trial))
    except TypeError:
        source = None
    if source is None or not Path(source).is_file():
        raise SweepError(
            f"the trial of {sweep.name} stands in no file whose hash could tell its version; give "
            "the sweep a version="
        )
    return source
