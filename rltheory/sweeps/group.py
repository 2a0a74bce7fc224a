"""The trials of one point that were done."""

import json
from dataclasses import dataclass

from rltheory.sweeps.points import Point

__all__ = ["Group", "Values"]

Values = dict[str, bool | int | float | str]


@dataclass(frozen=True)
class Group:
    """The trials of one point that were done, by ascending seed; `results` are JSON."""

    point: Point
    seeds: list[int]
    results: list[str]

    def values(self) -> list[Values]:
        found: list[Values] = json.loads(f"[{','.join(self.results)}]")
        return found
