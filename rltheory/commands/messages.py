"""What a command says beside its results: one line each, on the standard error stream."""

import re
import sys

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def say(kind: str, text: object) -> None:
    """Write ``rltheory: kind: text`` on one line."""
    print(f"rltheory: {kind}: {one_line(text)}", file=sys.stderr)


def one_line(text: object) -> str:
    """The text without line breaks and colour codes.

    Examples
    --------
    >>> one_line("two\\n   lines")
    'two lines'
    """
    return " ".join(_COLOUR.sub("", str(text)).split())
