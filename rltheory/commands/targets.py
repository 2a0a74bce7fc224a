"""Files that a command is told to write: refused early where they cannot be, written whole."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rltheory.errors import RLTheoryError

__all__ = ["check_target", "replacing"]


def check_target(
    option: str,
    path: Path,
    endings: Sequence[str],
    inputs: Iterable[str],
    kind: type[RLTheoryError],
) -> None:
    """Refuse, before anything is done, a file that could not be written when all is done.

    Parameters
    ----------
    option : str
        Which asked for it.
    path : Path
    endings : sequence of str
        Those that are allowed, such as ".json"; none: all are.
    inputs : iterable of str
        Files that are read, which are not to be overwritten.
    kind : type
        Of the error.
    """
    if endings and path.suffix not in endings:
        raise kind(f"{option} {path}: the ending must be {' or '.join(endings)}")
    if not path.parent.is_dir():
        raise kind(f"{option} {path}: there is no folder {path.parent}")
    if path.is_dir():
        raise kind(f"{option} {path}: that is a folder")
    if any(path.resolve() == Path(given).resolve() for given in inputs):
        raise kind(f"{option} {path}: that is one of the sources")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A new file beside `path` that takes its place when all went well, and else disappears."""
    new = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        yield new
        os.replace(new, path)
    finally:
        new.unlink(missing_ok=True)
