"""The source of an experiment: its file, and what that imports from its own folder or below.

Read from the import statements, wherever they stand, and not from what happens to be loaded: so
that it depends on the files alone.
"""

import ast
import hashlib
from collections.abc import Iterator
from pathlib import Path

__all__ = ["source_version", "sources"]

_DIGITS = 16
_PACKAGE = Path(__file__).parents[1]


def sources(file: str | Path) -> dict[Path, bytes]:
    """A file and those that it imports from its folder or below, and what stands in them."""
    first = Path(file).resolve()
    found = {first: first.read_bytes()}
    left = [first]
    while left:
        path = left.pop()
        for other in _imported(path, found[path], first.parent):
            if other not in found:
                found[other] = other.read_bytes()
                left.append(other)
    return found


def source_version(file: str | Path) -> str:
    """Hash of a file and of those that it imports from its folder or below, where they stand."""
    first = Path(file).resolve()
    found = sources(first)
    digest = hashlib.sha256(found.pop(first))  # by itself: the name of the file says nothing
    for path in sorted(found):
        digest.update(b"\0" + path.relative_to(first.parent).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(found[path]).digest())
    return digest.hexdigest()[:_DIGITS]


def _imported(path: Path, source: bytes, root: Path) -> Iterator[Path]:
    """The files in a folder or below that the import statements of a file there may load."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):  # where it matters, loading it has told so
        return
    for node in ast.walk(tree):
        base, names = root, []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                base = path.parents[node.level - 1]
            stem = [node.module] if node.module else []
            names = [".".join([*stem, alias.name]) for alias in node.names]
        for name in names:
            place = base
            for part in name.split("."):
                place = place / part
                for file in (place / "__init__.py", place.with_name(f"{part}.py")):
                    if _counts(file, root):
                        yield file.resolve()


def _counts(file: Path, root: Path) -> bool:
    """Whether a file is there, below the root, and none of the package, which has its own hash."""
    if not file.is_file():
        return False
    real = file.resolve()
    return real.is_relative_to(root) and not real.is_relative_to(_PACKAGE)
