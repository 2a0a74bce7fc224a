"""Spaces of parameters: integers, choices, dyadic numbers, and tables of them.

One description, three readers: `sample` draws from a Philox stream, `move` makes a small change
for local search, and the tests derive a hypothesis strategy for shrinking. Values are plain
(int, float, str, lists of them), so that parameters are JSON and mean the same everywhere;
dyadic numbers are multiples of a power of two, exact as doubles.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from rltheory.errors import ClaimError
from rltheory.mdp.streams import Stream

__all__ = ["Choice", "Dyadic", "Integer", "Many", "Space"]


class Space(Protocol):
    """What every space can do."""

    def sample(self, stream: Stream) -> Any:
        """A random value."""

    def move(self, value: Any, stream: Stream) -> Any:
        """A value near the given one, different from it where there is another."""

    def check(self, name: str, value: Any) -> None:
        """Refuse what is not in the space."""


@dataclass(frozen=True)
class Integer:
    """Integers low..high, uniform."""

    low: int
    high: int

    def __post_init__(self) -> None:
        if not self.low <= self.high < self.low + 2**32:
            raise ClaimError(f"Integer({self.low}, {self.high}): low must be at most high")

    def sample(self, stream: Stream) -> int:
        return self.low + stream.integer(self.high - self.low + 1)

    def move(self, value: int, stream: Stream) -> int:
        near = [x for x in (value - 1, value + 1) if self.low <= x <= self.high]
        return near[stream.integer(len(near))] if near else value

    def check(self, name: str, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ClaimError(f"{name} is {value!r}; it must be an integer")
        if not self.low <= value <= self.high:
            raise ClaimError(f"{name} is {value}; it must be in {self.low}..{self.high}")


@dataclass(frozen=True)
class Choice:
    """One of finitely many plain values (numbers or texts); repeat one to draw it more often."""

    options: tuple[Any, ...]

    def __init__(self, *options: Any) -> None:
        if not options:
            raise ClaimError("Choice() needs at least one option")
        object.__setattr__(self, "options", options)

    def sample(self, stream: Stream) -> Any:
        return self.options[stream.integer(len(self.options))]

    def move(self, value: Any, stream: Stream) -> Any:
        others = [x for x in dict.fromkeys(self.options) if x != value]
        return others[stream.integer(len(others))] if others else value

    def check(self, name: str, value: Any) -> None:
        if value not in self.options:
            allowed = ", ".join(map(repr, dict.fromkeys(self.options)))
            raise ClaimError(f"{name} is {value!r}; it must be one of {allowed}")


@dataclass(frozen=True)
class Dyadic:
    """Multiples of 2^-bits in [low, high]; the ends are drawn with probability 1/8 each."""

    low: float
    high: float
    bits: int = 6

    def __post_init__(self) -> None:
        ends = (self.low * 2**self.bits, self.high * 2**self.bits)
        if not (self.low <= self.high and all(abs(e) < 2**31 and e == int(e) for e in ends)):
            raise ClaimError(
                f"Dyadic({self.low}, {self.high}, {self.bits}): ends must be multiples of 2^-bits"
            )

    @property
    def _ends(self) -> tuple[int, int]:
        return int(self.low * 2**self.bits), int(self.high * 2**self.bits)

    def sample(self, stream: Stream) -> float:
        low, high = self._ends
        corner = stream.integer(8)
        if corner < 2:
            return (low, high)[corner] / 2**self.bits
        return (low + stream.integer(high - low + 1)) / 2**self.bits

    def move(self, value: float, stream: Stream) -> float:
        low, high = self._ends
        here = int(value * 2**self.bits)
        step = 2 ** stream.integer(max(1, (high - low).bit_length()))
        sign = 1 if stream.integer(2) else -1
        if here == (high if sign > 0 else low):
            sign = -sign
        return min(high, max(low, here + sign * step)) / 2**self.bits

    def check(self, name: str, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ClaimError(f"{name} is {value!r}; it must be a number")
        scaled = value * 2**self.bits
        if not self.low <= value <= self.high or scaled != int(scaled):
            raise ClaimError(
                f"{name} is {value!r}; it must be a multiple of 2^-{self.bits} in "
                f"[{self.low}, {self.high}]"
            )


@dataclass(frozen=True)
class Many:
    """A list of `count` values of one space; what a smaller instance does not need is unused."""

    space: Space
    count: int

    def __post_init__(self) -> None:
        if isinstance(self.count, bool) or not isinstance(self.count, int) or self.count < 0:
            raise ClaimError(f"Many(..., {self.count!r}): count must be an integer of at least 0")

    def sample(self, stream: Stream) -> list[Any]:
        return [self.space.sample(stream) for _ in range(self.count)]

    def move(self, value: Sequence[Any], stream: Stream) -> list[Any]:
        out = list(value)
        if out:
            i = stream.integer(len(out))
            out[i] = self.space.move(out[i], stream)
        return out

    def check(self, name: str, value: Any) -> None:
        if not isinstance(value, list) or len(value) != self.count:
            raise ClaimError(f"{name} must be a list of {self.count}")
        for i, x in enumerate(value):
            self.space.check(f"{name}[{i}]", x)
