"""What a sweep is: a trial, a grid of its parameters, and how many seeds each point gets.

An experiment file defines ``sweep = Sweep(...)``. The trial is a pure function of its parameters
and its seed; it returns what was measured. Trial i of a point runs under an integer of 63 bits,
from word i of the Philox stream of

    SeedSequence(seed, spawn_key=(CRC-32 of the name, SHA-256 of the point)),

which depends on nothing else: not on other points, blocks, processes or the order of running.
"""

import hashlib
import math
import runpy
import sys
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rltheory.errors import SweepError
from rltheory.inference.rate import FEWEST_TRIALS
from rltheory.sweeps.group import Values
from rltheory.sweeps.laws import Law
from rltheory.sweeps.points import Grid, Point, expand
from rltheory.sweeps.rounds import Known, Looked, Refine, Stop, Wanted, wanted
from rltheory.sweeps.sources import sources

__all__ = ["Sweep", "load_sweep", "trial_seeds"]

_LONGEST_TEXT = 200
_MODULE = "__rltheory_sweep__"
_loaded: set[str] = set()  # files from which experiments, and not the program, load modules


@dataclass(frozen=True, eq=False)
class Sweep:
    """A trial over a grid.

    Parameters
    ----------
    name : str
        Letters, digits, ``-`` and ``_``.
    trial : callable
        ``trial(seed=..., **point) -> dict`` of numbers and short strings; the same dict for the
        same arguments, always. With `batched`, ``trial(seeds=[...], **point)`` returns one dict
        for each seed, each the same as if its seed were alone.
    grid : mapping or sequence
        See `rltheory.sweeps.points`.
    seeds : int
        Trials of each point, at least 1; the most of them where the sweep stops earlier.
    where : callable, optional
        Keeps the points for which it is true.
    batched : bool
        Whether the trial takes several seeds at once.
    threads : bool
        Whether trials release the lock of the interpreter, and may run in threads of one process.
    version : str, optional
        In place of the hash of the trial's sources: what changes when results do.
    title : str
        Heading of tables and figures.
    laws : tuple of Law
        How values are said to scale; fitted, drawn and told with the results.
    stop : Stop, optional
        Ends a point once a mean is known well enough.
    refine : Refine, optional
        Adds points where a law is least certain.

    Examples
    --------
    >>> import rltheory as rlt
    >>> sweep = rlt.Sweep("square", lambda seed, n: {"square": n * n}, {"n": [2, 3]}, seeds=1)
    >>> sweep
    Sweep('square', 2 points, 1 seed)
    """

    name: str
    trial: Callable[..., Any]
    grid: Grid
    seeds: int
    where: Callable[[Point], bool] | None = None
    batched: bool = False
    threads: bool = False
    version: str | None = None
    title: str = ""
    laws: tuple[Law, ...] = ()
    stop: Stop | None = None
    refine: Refine | None = None

    def __post_init__(self) -> None:
        letters = self.name.replace("-", "").replace("_", "") if isinstance(self.name, str) else ""
        if not (letters.isalnum() and letters.isascii()):
            raise SweepError(
                f"the sweep's name is {self.name!r}; it must be letters, digits, '-' and '_'"
            )
        if not callable(self.trial):
            raise SweepError(f"the trial of {self.name} is {self.trial!r}; it must be a function")
        if isinstance(self.seeds, bool) or not isinstance(self.seeds, int) or self.seeds < 1:
            raise SweepError(
                f"seeds of {self.name} is {self.seeds!r}; it must be an integer of at least 1"
            )
        object.__setattr__(
            self, "laws", (self.laws,) if isinstance(self.laws, Law) else tuple(self.laws)
        )
        if self.where is not None and not callable(self.where):
            raise SweepError(f"where of {self.name} is {self.where!r}; it must be a function")
        for name, kind in (("stop", Stop), ("refine", Refine)):
            value = getattr(self, name)
            if value is not None and not isinstance(value, kind):
                raise SweepError(
                    f"{name} of {self.name} is {value!r}; it must be a {kind.__name__}"
                )
        points = self.points()
        axes = {name for point in points for name in point}
        for law in (*self.laws, *([self.refine.law] if self.refine else [])):
            absent = [name for name in (law.x, *law.at) if name not in axes]
            if absent:
                known = ", ".join(sorted(axes))
                raise SweepError(
                    f"a law of {self.name} names the axis {absent[0]!r}; it has {known}"
                )
            if not any(law.at.items() <= point.items() for point in points):
                raise SweepError(f"a law of {self.name} is about {dict(law.at)}; no point has that")
        fewest = self.seeds if self.stop is None else min(self.seeds, self.stop.batch)
        if self.refine is not None and fewest < FEWEST_TRIALS:
            raise SweepError(
                f"{self.name} has points of {fewest} trials; to refine a law takes "
                f"{FEWEST_TRIALS} at each"
            )

    def points(self) -> list[Point]:
        """The points of the grid, in order."""
        return expand(self.grid, self.where)

    @property
    def looks(self) -> bool:
        """Whether what the sweep wants depends on what its trials give."""
        return self.stop is not None or self.refine is not None

    def wanted(self, known: Known, looked: Looked | None = None) -> Wanted:
        """What the sweep wants, given the results of the trials that are there.

        `looked` keeps what was learned of points from one round to the next, within a run.
        """
        return wanted(self.points(), self.seeds, known, self.stop, self.refine, self.where, looked)

    def run_one(self, point: Point, seed: int) -> Values:
        """What the trial gives at a point under this seed, checked."""
        if self.batched:
            return self._checked([seed], point)[0]
        return checked(self.trial(seed=seed, **point), point)

    def run_batch(self, text: str, point: Point, indices: Sequence[int], root: int) -> list[Values]:
        """What the trials with these indices give at a point, all at once, checked."""
        return self._checked(trial_seeds(self.name, root, text, indices), point)

    def _checked(self, seeds: list[int], point: Point) -> list[Values]:
        results = list(self.trial(seeds=seeds, **point))
        if len(results) != len(seeds):
            raise SweepError(f"the trial gave {len(results)} results for {len(seeds)} seeds")
        return [checked(values, point) for values in results]

    def __repr__(self) -> str:
        n = len(self.points())
        return (
            f"Sweep({self.name!r}, {n} point{'s' * (n != 1)}, "
            f"{self.seeds} seed{'s' * (self.seeds != 1)})"
        )


def trial_seeds(name: str, seed: int, point: str, indices: Sequence[int]) -> list[int]:
    """The seeds of trials of one point, each in 0..2^63 - 1."""
    digest = hashlib.sha256(point.encode()).digest()
    words = [int.from_bytes(digest[i : i + 4], "little") for i in range(0, 16, 4)]
    key = np.random.SeedSequence(seed, spawn_key=(zlib.crc32(name.encode()), *words))
    first, last = min(indices), max(indices)
    stream = np.random.Philox(key)
    stream.advance(first // 4)
    drawn = stream.random_raw(last - first + 1 + first % 4) >> np.uint64(1)
    offset = first % 4 - first
    return [int(drawn[index + offset]) for index in indices]


def checked(values: Any, point: Point) -> Values:
    """The values of a trial as plain numbers and strings.

    Raises
    ------
    SweepError
        If they are no dict of finite numbers and strings of at most 200 characters.
    """
    if not isinstance(values, Mapping) or not values:
        raise SweepError(f"the trial returned {values!r}; it must return a dict of its values")
    found: Values = {}
    for name, value in values.items():
        plain = value.item() if isinstance(value, np.generic) else value
        if not isinstance(name, str) or not name.isidentifier():
            raise SweepError(f"the trial returned a value named {name!r}; names are identifiers")
        if name == "seed" or name in point:
            raise SweepError(f"the trial returned a value named {name!r}, which is a parameter")
        if isinstance(plain, str):
            fits = len(plain) <= _LONGEST_TEXT
        elif isinstance(plain, int):
            fits = -(2**63) <= plain < 2**63
        else:
            fits = isinstance(plain, float) and math.isfinite(plain)
        if not fits:
            told = repr(plain) if not isinstance(plain, int) else "an integer beyond 64 bits"
            raise SweepError(
                f"the trial returned {name}={told}; values are finite numbers and strings of at "
                f"most {_LONGEST_TEXT} characters"
            )
        found[name] = plain
    return found


def load_sweep(path: str | Path) -> Sweep:
    """The sweep that an experiment file defines, under the name `sweep`.

    As for ``python FILE``, its folder comes onto the path, and stays there for what trials import.

    Raises
    ------
    SweepError
        If there is no such file, it raises, or it defines no sweep.
    """
    file = Path(path)
    if not file.is_file():
        raise SweepError(f"{file}: there is no such file")
    folder = str(file.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    # Loaded anew as the file itself is: else a session, or a worker, would go on with old ones.
    modules = {name: getattr(module, "__file__", None) for name, module in sys.modules.items()}
    for name in [name for name, where in modules.items() if where in _loaded]:
        del sys.modules[name], modules[name]
    _loaded.update({str(path) for path in sources(file)} - set(modules.values()))
    try:
        namespace = runpy.run_path(str(file), run_name=_MODULE)
    except (Exception, SystemExit) as fault:
        raise SweepError(f"{file}: {type(fault).__name__}: {fault}") from fault
    sweep = namespace.get("sweep")
    if not isinstance(sweep, Sweep):
        raise SweepError(f"{file} defines no sweep; it needs  sweep = rlt.Sweep(...)")
    return sweep
