"""Files that appear whole or not at all: written under another name, then renamed."""

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from rltheory.errors import ModelError

__all__ = ["replacing"]


@contextlib.contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """The name of a draft in the same folder, which takes the place of `target` at the end.

    Raises
    ------
    ModelError
        If the folder does not exist or cannot be written to; then nothing has been written.
    """
    draft = target.with_name(f".{target.name}.{secrets.token_hex(8)}.part")
    try:
        try:
            yield draft
            with draft.open("rb+") as file:
                os.fsync(file.fileno())
            os.replace(draft, target)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as fault:
        raise ModelError(f"{target} cannot be written: {fault.strerror or fault}") from None
