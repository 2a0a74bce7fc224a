"""Columns of numbers in text files of models, as PRISM's explicit files have them.

A file of a million lines is read in blocks: the words of a block are split and converted at
once where each line has as many as the others, one blank apart, and line by line otherwise.
"""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory.mdp.model_text import ModelText

__all__ = ["Columns", "read_columns"]

_BLOCK = 1 << 16  # lines split at a time: their words would fill the memory
_ODD_BLANK = re.compile(r"[^\S \n]")


@dataclass
class Columns:
    """The lines of a file of columns, without comments and blank ones.

    Parameters
    ----------
    line : ndarray of int64, shape (n,)
        Line number of each.
    whole : list of ndarray of int64, shape (n,)
        All columns but the last: states and choices.
    value : ndarray, shape (n,)
        The last column: doubles or fractions.
    rest : list of str
        What follows the columns; empty where nothing does.
    """

    line: NDArray[np.int64]
    whole: list[NDArray[np.int64]]
    value: NDArray[Any]
    rest: list[str]

    def at(self, i: Any) -> int:
        return int(self.line[i])


def read_columns(
    text: ModelText, first: int, width: int, more: int, what: str, exact: bool
) -> Columns:
    """The lines after number `first`, of `width` words and at most `more` after them.

    Parameters
    ----------
    text : ModelText
    first : int
        Number of the header's line; 0 where there is none.
    width, more : int
    what : str
        What the last column holds, for errors.
    exact : bool
        Keep its numbers as fractions.
    """
    parts: list[tuple[Any, ...]] = []
    rest: list[str] = []
    for start in range(first, len(text.lines), _BLOCK):
        block = text.lines[start : start + _BLOCK]
        line, words = _regular(block, width, more) or _irregular(text, start, width, more)
        number = (start + 1 + line).__getitem__
        whole = [text.integers(column, number, "a number") for column in words[: width - 1]]
        parts.append((start + 1 + line, whole, text.numbers(words[width - 1], number, what, exact)))
        rest += words[width] if len(words) > width else [""] * len(line)
    columns: list[Any] = list(zip(*parts, strict=True)) or [[], [], []]
    empty = np.zeros(0, dtype=np.int64)
    return Columns(
        np.concatenate([empty, *columns[0]]),
        [np.concatenate([empty, *(part[j] for part in columns[1])]) for j in range(width - 1)],
        np.concatenate([np.zeros(0, dtype=object if exact else np.float64), *columns[2]]),
        rest,
    )


def _regular(
    block: list[str], width: int, more: int
) -> tuple[NDArray[np.int64], list[list[str]]] | None:
    """The words of lines that all have the same number of them; None if these have not."""
    if not block[-1]:  # behind the last line end
        block = block[:-1]
    joined = "\n".join(block)
    if not block or "#" in joined or _ODD_BLANK.search(joined):
        return None
    blanks = block[0].count(" ")
    columns = blanks + 1
    if not width <= columns <= width + more or any(x.count(" ") != blanks for x in block):
        return None
    words = joined.split()
    # With no more blanks than between words, no line can make up for another.
    if len(words) != columns * len(block):
        return None
    return np.arange(len(block)), [words[j::columns] for j in range(columns)]


def _irregular(
    text: ModelText, start: int, width: int, more: int
) -> tuple[NDArray[np.int64], list[list[str]]]:
    words: list[list[str]] = [[] for _ in range(width + 1)]
    line: list[int] = []
    for i, content in enumerate(text.lines[start : start + _BLOCK]):
        split = content.split()
        if not split or split[0].startswith("#"):
            continue
        if not width <= len(split) <= width + more:
            upto = f" or {width + more}" if more else ""
            raise text.fault(
                start + i + 1,
                f"{content.strip()[:60]!r} has {len(split)} columns, not {width}{upto}",
            )
        line.append(i)
        for column, word in zip(words, [*split, ""], strict=False):
            column.append(word)
    return np.array(line, dtype=np.int64), words
