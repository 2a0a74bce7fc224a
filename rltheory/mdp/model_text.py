"""Text files of models: lines, numbers, and where in the file something is wrong.

Numbers are read in batches, because a model has millions: a batch is checked as one text and
converted at once, and only a batch with something odd in it is looked through number by number,
to name the line. What is a number is decided here and not by `float`, which also takes "nan",
"inf", "1_000" and the digits of other scripts.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import ModelError

__all__ = ["ModelText", "integers", "numbers", "one_line", "shown"]

At = Callable[[int], int]
"""The line on which the number of this index stands."""

_PLAIN = re.compile(r"[-+.eE0-9 ]*", re.ASCII)
_DECIMAL = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,4})?", re.ASCII)
_RATIO = re.compile(r"[-+]?\d+/\d+", re.ASCII)
# What alone may have digits that are not 0 and yet be 0 as a double.
_TINY = re.compile(r"[eE]-\d{3}|[\d.]{200}", re.ASCII)
_ZERO = re.compile(r"[-+]?[0.]*(?:[eE/].*)?", re.ASCII)
_LONGEST = 4000  # characters of a number: Python refuses to read integers of more than 4,300
_SHOWN = 60


@dataclass(frozen=True)
class ModelText:
    """The lines of a text file; `lines[0]` is line 1.

    Parameters
    ----------
    name : str
    lines : list of str
    size : int
        Bytes of the file: what it declares cannot be more.
    """

    name: str
    lines: list[str]
    size: int

    @classmethod
    def read(cls, name: str) -> "ModelText":
        """Read a file in UTF-8; lines may end in LF or CR LF."""
        try:
            with open(name, "rb") as file:
                data = file.read()
        except FileNotFoundError:
            raise ModelError(f"{name}: there is no such file") from None
        except (OSError, ValueError, MemoryError) as fault:
            raise ModelError(f"{name} cannot be opened: {one_line(fault)}") from None
        if not data.strip():
            raise ModelError(f"{name} is empty")
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as fault:
            line = data.count(b"\n", 0, fault.start) + 1
            raise ModelError(f"{name}, line {line}: it is not a text in UTF-8") from None
        return cls(name, text.replace("\r\n", "\n").split("\n"), len(data))

    def fault(self, line: int, what: str) -> ModelError:
        """The error that names the file and the line."""
        return ModelError(f"{self.name}, line {line}: {what}")

    def printable(self, line: int, text: str, what: str) -> str:
        """A name as it stands; one that cannot be printed would break terminals and files."""
        if not text.isprintable():
            raise self.fault(line, f"{shown(text)} is {what} that cannot be printed")
        return text

    def count(self, line: int, text: str, what: str) -> int:
        """A declared number of things; no more than the file has bytes."""
        value = int(self.integers([text], lambda _: line, what)[0])
        if value > self.size:
            raise self.fault(
                line, f"{value} {what} are declared; a file of {self.size} bytes cannot list them"
            )
        return value

    def integers(self, texts: Sequence[str], at: At, what: str) -> NDArray[np.int64]:
        """The texts as integers of at least 0, below 10^18."""
        return integers(texts, what, lambda i, message: self.fault(at(i), message))

    def numbers(self, texts: Sequence[str], at: At, what: str, exact: bool) -> NDArray[Any]:
        """The texts as finite numbers: doubles, or fractions if `exact`."""
        return numbers(texts, what, exact, lambda i, message: self.fault(at(i), message))


def integers(
    texts: Sequence[str], what: str, fault: Callable[[int, str], ModelError]
) -> NDArray[np.int64]:
    """The texts as integers of at least 0, below 10^18; `fault` makes the error of an index."""
    joined = "".join(texts)
    plain = joined.isascii() and joined.isdecimal()
    if not plain or not all(texts) or max(map(len, texts)) > 18:
        for i, text in enumerate(texts):
            if not (text.isascii() and text.isdecimal()) or len(text.lstrip("0")) > 18:
                raise fault(i, f"{shown(text)} is not {what}: an integer of at least 0")
    return np.fromiter(map(int, texts), dtype=np.int64, count=len(texts))


def numbers(
    texts: Sequence[str], what: str, exact: bool, fault: Callable[[int, str], ModelError]
) -> NDArray[Any]:
    """The texts, decimals or ratios "p/q", as doubles or fractions; all finite."""
    joined = "" if exact else " ".join(texts)
    if not exact and _PLAIN.fullmatch(joined) and not _TINY.search(joined):
        try:
            found = np.fromiter(map(float, texts), dtype=np.float64, count=len(texts))
        except ValueError:
            pass
        else:
            if np.isfinite(found).all():
                return found
    out = np.empty(len(texts), dtype=object if exact else np.float64)
    known: dict[str, Any] = {}  # the same few numbers fill a file
    for i, text in enumerate(texts):
        if text not in known:
            value = _number(text, exact)
            if value is None:
                raise fault(i, f"{shown(text)} is not {what}: a finite number, such as 0.5 or 1/3")
            if not exact and value == 0 and not _ZERO.fullmatch(text):
                side = "below" if text.startswith("-") else "above"
                raise fault(i, f"{shown(text)} is {what} {side} 0 that no double is: too small")
            if len(known) < 100_000:
                known[text] = value
            out[i] = value
        else:
            out[i] = known[text]
    return out


def shown(text: str) -> str:
    """The text in quotes, cut where it is long."""
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "...")


def one_line(fault: BaseException) -> str:
    """What an exception says, on one line."""
    text = fault.strerror if isinstance(fault, OSError) and fault.strerror else str(fault)
    return " ".join(text.split()) or type(fault).__name__


def _number(text: str, exact: bool) -> Any:
    if len(text) > _LONGEST:
        return None
    decimal = _DECIMAL.fullmatch(text) is not None
    if not decimal and not _RATIO.fullmatch(text):
        return None
    try:
        if decimal and not exact:
            value = float(text)
            return value if np.isfinite(value) else None
        ratio = Fraction(text)
        double = float(ratio)  # the nearest; the core works on it
        return ratio if exact else double
    except (ZeroDivisionError, OverflowError, ValueError):
        return None
