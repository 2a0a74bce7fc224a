"""What a function has hold of beside its source: the values of its closure and its defaults.

Two trials that one function makes have the same lines, and differ in these.
"""

import hashlib
from collections.abc import Mapping
from fractions import Fraction
from functools import partial
from pathlib import Path
from types import (
    BuiltinFunctionType,
    CodeType,
    EllipsisType,
    FunctionType,
    MethodType,
    ModuleType,
)
from typing import Any

import numpy as np

from rltheory.errors import SweepError
from rltheory.sweeps.sources import source_version

__all__ = ["captured_values"]

_PLAIN = (bool, int, float, complex, str, bytes, Fraction, slice, EllipsisType)


def captured_values(trial: Any, name: str) -> str:
    """A text that differs where the values that the trial of a sweep has hold of do.

    Raises
    ------
    SweepError
        If one of them is neither plain data, an array, nor a function of such.
    """
    try:
        return _text(trial, ())
    except _NoTextError as fault:
        raise SweepError(
            f"the trial of {name} has hold of {fault}, of which no hash can be taken; give the "
            "sweep a version="
        ) from None


class _NoTextError(Exception):
    pass


def _text(value: Any, around: tuple[int, ...]) -> str:
    """`around` are the values that this one is part of: a function may have hold of itself."""
    if id(value) in around:
        return f"part {around.index(id(value))}"
    within = (*around, id(value))
    if value is None or isinstance(value, _PLAIN):
        return f"{type(value).__name__} {value!r}"
    if isinstance(value, np.ndarray | np.generic) and not value.dtype.hasobject:
        data = hashlib.sha256(value.tobytes()).hexdigest()
        return f"array {value.dtype.str} {value.shape} {data}"
    if isinstance(value, list | tuple | range):
        return f"{type(value).__name__} [{', '.join(_text(each, within) for each in value)}]"
    if isinstance(value, set | frozenset):
        return f"set [{', '.join(sorted(_text(each, within) for each in value))}]"
    if isinstance(value, Mapping):
        pairs = (f"{_text(k, within)}: {_text(v, within)}" for k, v in value.items())
        return f"map [{', '.join(pairs)}]"
    if isinstance(value, CodeType):  # no lines and no file, which say nothing of results
        instructions = f"{value.co_name} {value.co_code.hex()} {value.co_names}"
        return f"code {instructions} {_text(value.co_consts, within)}"
    if isinstance(value, FunctionType):
        cells = [_cell(cell, within) for cell in value.__closure__ or ()]
        parts: tuple[Any, ...] = value.__code__, value.__defaults__, value.__kwdefaults__
        file = Path(value.__code__.co_filename)
        source = source_version(file) if file.is_file() else ""
        return f"function {_text(parts, within)} {cells} {source}"
    if isinstance(value, MethodType):
        return f"method {_text([value.__func__, value.__self__], within)}"
    if isinstance(value, partial):
        return f"partial {_text([value.func, value.args, value.keywords], within)}"
    if hasattr(value, "__wrapped__"):  # by functools.cache, say
        return _text(value.__wrapped__, within)
    if isinstance(value, ModuleType):
        return f"module {value.__name__}"
    of_module = isinstance(getattr(value, "__self__", None), ModuleType)
    if isinstance(value, type) or (isinstance(value, BuiltinFunctionType) and of_module):
        return f"{value.__module__}.{value.__qualname__}"
    raise _NoTextError(f"a {type(value).__module__}.{type(value).__qualname__}")


def _cell(cell: Any, within: tuple[int, ...]) -> str:
    try:
        return _text(cell.cell_contents, within)
    except ValueError:  # the name has no value yet
        return "empty"
