"""Which code a trial ran under: a hash of the experiment's sources, and one of the package.

Results of different code are kept apart. The package's hash is of its Python sources and of the
compiled core as they stand in its folder, so that it is the same on every machine with one build.

The experiment's hash is of the trial's file and of every file that it imports, directly or through
others, from its own folder or below. The same lines may make several trials: for a sweep that is
given as an object, the values in the trial's closure and its defaults count too.
"""

import hashlib
import inspect
from functools import cache
from pathlib import Path

from rltheory.errors import SweepError
from rltheory.sweeps.captured import captured_values
from rltheory.sweeps.sources import source_version
from rltheory.sweeps.sweep import Sweep

__all__ = ["code_version", "package_version"]

_DIGITS = 16


def code_version(sweep: Sweep, file: str | Path | None = None) -> str:
    """``TRIAL+PACKAGE``: the trial's version, or the hash of its sources, and the package's hash.

    Raises
    ------
    SweepError
        If the trial stands in no file, or has hold of a value that has no plain text, and the
        sweep has no version.
    """
    trial = sweep.version
    if trial is None and file is not None:
        trial = source_version(file)
    elif trial is None:
        text = source_version(_source_of(sweep)) + captured_values(sweep.trial, sweep.name)
        trial = hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
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
