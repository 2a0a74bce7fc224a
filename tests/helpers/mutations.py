"""Text files with one thing made wrong, drawn from a stream."""

import re
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from rltheory.mdp.streams import Stream

WRONG = (
    *("nan", "inf", "-1", "1e999", "-0.5", "1/0", "0x10", "1_0", "99999999999999999999", "٣"),
    *("state", "action", "@model", "[", "]", ":", '"', "#", "//"),
    *("2", "0", "0.25", "1/3", "1e-320", ""),
)


def mutated(stream: Stream, text: str) -> bytes:
    """One to three mutations of a text file: of its words, lines, bytes or line ends."""
    data = text.encode()
    for _ in range(1 + stream.integer(3)):
        data = _mutation(stream, data)
    return data


def _mutation(stream: Stream, data: bytes) -> bytes:
    lines = data.split(b"\n")
    i = stream.integer(len(lines))
    kind = stream.integer(9)
    words = lines[i].split(b" ")
    j = stream.integer(len(words))
    if kind == 0:  # truncated
        return data[: stream.integer(len(data) + 1)]
    if kind == 1:  # another word
        words[j] = WRONG[stream.integer(len(WRONG))].encode()
        lines[i] = b" ".join(words)
    elif kind == 2:  # two words swapped
        k = stream.integer(len(words))
        words[j], words[k] = words[k], words[j]
        lines[i] = b" ".join(words)
    elif kind == 3:  # a line twice
        lines.insert(i, lines[i])
    elif kind == 4:  # a line gone
        del lines[i]
    elif kind == 5:  # two lines swapped
        k = stream.integer(len(lines))
        lines[i], lines[k] = lines[k], lines[i]
    elif kind == 6:  # a byte that is no text
        at = stream.integer(len(data) + 1)
        return data[:at] + bytes([stream.integer(256)]) + data[at + 1 :]
    elif kind == 7:  # a count that is far too large
        words[j] = b"9" * (1 + stream.integer(30))
        lines[i] = b" ".join(words)
    else:
        return data.replace(b"\n", b"\r\n")
    return b"\n".join(lines)


def assert_names_the_place(message: str, path: Path) -> None:
    """One line that begins with the file, and the line of it."""
    assert "\n" not in message
    assert re.match(rf"{re.escape(str(path))}(, line \d+:| is empty)", message), message


def assert_same_rows(listing: Any, rows: Mapping[tuple[int, Any], Mapping[int, Fraction]]) -> None:
    """A reader's listing holds what an independent reader found, and rows are distributions."""
    assert len(rows) == len(listing.state)
    for r, ((state, _), outcomes) in enumerate(rows.items()):
        part = slice(listing.row_ptr[r], listing.row_ptr[r + 1])
        found = dict(zip(listing.col[part], listing.prob[part], strict=True))
        assert state == listing.state[r]
        assert found == {t: float(p) for t, p in sorted(outcomes.items())}
        assert abs(float(sum(outcomes.values())) - 1) <= 1e-9
