"""
Threads, instruction sets, random words.
"""
from __future__ import annotations
import numpy
import numpy.typing
import typing
__all__: list[str] = ['dense_dot', 'instruction_set', 'is_own_memory', 'philox_words', 'set_instruction_set', 'set_threads', 'sum_rounded_down', 'sum_rounded_up', 'threads']
def dense_dot(a: numpy.typing.NDArray[numpy.float64], b: numpy.typing.NDArray[numpy.float64]) -> float:
    ...
def instruction_set() -> str:
    ...
def is_own_memory(base: typing.Any) -> bool:
    """
    Whether an array's base is immutable memory of the core.
    """
def philox_words(key0: typing.SupportsInt | typing.SupportsIndex, key1: typing.SupportsInt | typing.SupportsIndex, count: typing.SupportsInt | typing.SupportsIndex, first: typing.SupportsInt | typing.SupportsIndex = 0) -> numpy.typing.NDArray[numpy.uint64]:
    """
    Words first, first + 1, ... of the stream with this key.
    """
def set_instruction_set(name: str) -> None:
    """
    'auto', 'generic' or 'avx2'; every choice gives the same bits.
    """
def set_threads(threads: typing.SupportsInt | typing.SupportsIndex) -> None:
    """
    Threads a large sweep may use.
    """
def sum_rounded_down(a: typing.SupportsFloat | typing.SupportsIndex, b: typing.SupportsFloat | typing.SupportsIndex, c: typing.SupportsFloat | typing.SupportsIndex) -> float:
    """
    The largest double at most a + b + c.
    """
def sum_rounded_up(a: typing.SupportsFloat | typing.SupportsIndex, b: typing.SupportsFloat | typing.SupportsIndex, c: typing.SupportsFloat | typing.SupportsIndex) -> float:
    """
    The smallest double at least a + b + c.
    """
def threads() -> int:
    ...
