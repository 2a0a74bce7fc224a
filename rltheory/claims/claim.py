"""What a claim is: a statement with explicit constants, its provenance, and a check.

A check looks at one instance and returns what was measured beside the bound. Kinds:

    identity          measured == bound, within the computed tolerance
    inequality        measured <= bound + tolerance
    lower-bound       measured >= bound - tolerance
    decision          measured == bound, both of them exact (booleans, counts)
    separation,
    counterexample    an exact witness: an inequality on named instances
    high-probability  law known: measured is the exact failure probability, bound is delta;
                      otherwise `delta` is given, the check takes (instance, stream), looks at one
                      trial, and fails where measured > bound
    expectation       the check takes (instance, stream); the mean of measured is at most bound;
                      `range` is where measured lies surely
    rate              the check takes (instance, x, stream); the mean of measured grows along the
                      points x of `rate` no faster than the bound, or as fast as it
    context           documentation, no verdict

A mutant is the claim with one thing made wrong. Verifying a claim runs its mutants, and every one
must be refuted: a check that cannot fail is no check.
"""

import dataclasses
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import Any

from rltheory.claims.family import Family
from rltheory.errors import ClaimError

__all__ = ["KINDS", "Claim", "Measurement", "Mutant", "Rate", "claim"]

KINDS = (
    "identity",
    "inequality",
    "lower-bound",
    "decision",
    "separation",
    "counterexample",
    "high-probability",
    "expectation",
    "rate",
    "context",
)
PROVENANCES = ("paper", "reconstructed", "derived", "textbook")
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")

Number = bool | int | float | Fraction


@dataclass(frozen=True)
class Measurement:
    """One comparison on one instance.

    Parameters
    ----------
    measured, bound : int, float or Fraction
        The two sides. Fractions and integers compare exactly.
    trivial : number, optional
        A bound that always holds; where `bound` is not below it (for a lower bound: above it)
        the instance says nothing. An infinite bound, and one of an expectation that is not below
        the top of its range, says nothing without it.
    event : bool
        Whether the condition under which the conclusion is claimed holds here; of an expectation
        the same in every trial.
    tolerance : number
        Bound of the rounding errors of both sides together; 0 when the arithmetic is exact.
    certified : bool
        Whether the tolerance is proved (a certificate) rather than estimated.
    what : str
        Which of several comparisons this is.
    censored : bool
        Of a rate claim: whether the trial was stopped at `measured`, and would have gone on.
    """

    measured: Number
    bound: Number
    trivial: Number | None = None
    event: bool = True
    tolerance: Number = 0
    certified: bool = False
    what: str = ""
    censored: bool = False

    def __post_init__(self) -> None:
        for name in ("measured", "bound", "tolerance", "trivial"):
            x = _plain(getattr(self, name))
            if name == "trivial" and x is None:
                continue
            if not isinstance(x, bool | int | float | Fraction):
                raise ClaimError(f"{name} is {x!r}; it must be a number")
            if isinstance(x, float) and math.isnan(x):
                raise ClaimError(f"{name} is NaN{f' ({self.what})' if self.what else ''}")
            object.__setattr__(self, name, x)
        object.__setattr__(self, "event", bool(self.event))
        if not 0 <= self.tolerance < math.inf:
            raise ClaimError(f"tolerance is {self.tolerance!r}; it must be finite and at least 0")

    @property
    def arithmetic(self) -> str:
        """'exact', 'certified' or 'float'."""
        if self.tolerance == 0 and not any(
            isinstance(x, float) and math.isfinite(x) for x in (self.measured, self.bound)
        ):
            return "exact"
        return "certified" if self.certified else "float"


def _plain(x: Any) -> Any:
    return x.item() if hasattr(x, "item") else x


@dataclass(frozen=True)
class Rate:
    """Where a rate claim is made, and what it says there.

    Parameters
    ----------
    grid : sequence of float, or callable of the instance
        The points x, at least three, positive and ascending: the regime of the claim.
    theta : bool
        Whether the mean grows as fast as the bound; else no faster.
    margin : float
        By how much a slope may be off what is claimed for the claim to be called confirmed.
    fixed : bool
        Whether trials at a point cannot differ, as the check computes the mean itself. Without it,
        trials that are all equal leave the claim undecided.

    Raises
    ------
    ClaimError
        If an argument is not as described.

    Examples
    --------
    >>> import rltheory as rlt
    >>> rlt.Rate([100, 300, 1000], theta=True).points(None)
    (100, 300, 1000)
    """

    grid: Sequence[float] | Callable[[Any], Sequence[float]]
    theta: bool = False
    margin: float = 0.05
    fixed: bool = False

    def __post_init__(self) -> None:
        if not 0.0 < self.margin < 1.0:
            raise ClaimError(f"the margin of a rate is {self.margin!r}; it must be in (0, 1)")
        if not callable(self.grid):
            self.points(None)

    def points(self, instance: Any) -> tuple[int | float, ...]:
        """The points at an instance; integers stay integers.

        Raises
        ------
        ClaimError
            If they are fewer than three, or not positive and ascending.
        """
        grid = self.grid(instance) if callable(self.grid) else self.grid
        try:
            points = tuple(x if isinstance(x, int) else float(x) for x in grid)
        except TypeError:
            raise ClaimError(
                f"the grid of a rate is {grid!r}; it must be a list of numbers"
            ) from None
        steps = pairwise(points)
        if len(points) < 3 or not points[0] > 0.0 or not all(x < y < math.inf for x, y in steps):
            raise ClaimError(
                f"the grid of a rate is {list(points)}; it must have three points or more, "
                "positive and ascending"
            )
        return points


@dataclass(frozen=True)
class Mutant:
    """A claim with one thing made wrong, which verifying must refute.

    Parameters
    ----------
    id : str
        Short, unique within the claim.
    text : str
        What was made wrong.
    check, family, named, delta, smt : optional
        In place of the claim's; what is left out stays.
    """

    id: str
    text: str
    check: Callable[..., Any] | None = None
    family: Family | None = None
    named: Mapping[str, Callable[[], Any]] | None = None
    delta: float | Callable[[Any], float] | None = None
    smt: Callable[[], Any] | None = None

    def of(self, claim: "Claim") -> "Claim":
        """The mutated claim; it has no mutants itself."""
        changed = {
            name: value
            for name in ("check", "family", "named", "delta", "smt")
            if (value := getattr(self, name)) is not None
        }
        if self.check is not None or self.family is not None or self.named is not None:
            changed.setdefault("smt", None)
        return dataclasses.replace(claim, id=f"{claim.id}/{self.id}", mutants=(), **changed)


@dataclass(frozen=True)
class Claim:
    """A statement that can be put to the test.

    Parameters
    ----------
    id : str
        Lower-case words joined by hyphens.
    kind : str
        One of `KINDS`.
    check : callable
        ``check(instance)``, or ``check(instance, stream)`` for random claims: a `Measurement`, or
        several in a list.
    title, statement : str
        The statement is Markdown with LaTeX, constants explicit.
    source : str
        Paper, theorem or equation; "this project" for what is derived here.
    provenance : tuple of str
        Of the shape and of the constants, each "paper", "reconstructed", "derived" or "textbook".
    family : Family, optional
        Random instances.
    named : mapping of str to callable, optional
        ``named["attained"]()`` builds an instance.
    mutants : tuple of Mutant
        At least one, except for "context".
    bound : callable, optional
        The stated bound as a function of sizes, for anyone to evaluate.
    delta : float or callable of the instance, optional
        Failure probability that a random claim allows.
    range : callable of the instance, optional
        (low, high) of what an expectation measures.
    rate : Rate, optional
        Grid and sense of a rate claim.
    proof : str
        Where the whole statement is proved: "text" (docs/theory/<topic>.md#<id>), "symbols", or
        empty.
    smt : callable, optional
        Builds a query for `rltheory.claims.smt`: a proof for all models of a stated size.
    topic : str
        Set by the registry.
    """

    id: str
    kind: str
    check: Callable[..., Any]
    title: str
    statement: str
    source: str = "this project"
    provenance: tuple[str, str] = ("derived", "derived")
    family: Family | None = None
    named: Mapping[str, Callable[[], Any]] = field(default_factory=dict)
    mutants: tuple[Mutant, ...] = ()
    bound: Callable[..., Any] | None = None
    delta: float | Callable[[Any], float] | None = None
    range: Callable[[Any], tuple[float, float]] | None = None
    rate: Rate | None = None
    proof: str = ""
    smt: Callable[[], Any] | None = None
    topic: str = ""

    def __post_init__(self) -> None:
        plain_id = self.id.split("/")[0]
        if not _ID.fullmatch(plain_id):
            raise ClaimError(f"claim id {self.id!r}: lower-case words joined by hyphens")
        if self.kind not in KINDS:
            raise ClaimError(f"{self.id}: kind {self.kind!r} is unknown; {', '.join(KINDS)}")
        if not callable(self.check):
            raise ClaimError(f"{self.id}: check is {self.check!r}; it must be callable")
        if set(self.provenance) - set(PROVENANCES) or len(self.provenance) != 2:
            raise ClaimError(
                f"{self.id}: provenance is {self.provenance!r}; two of {', '.join(PROVENANCES)}"
            )
        if self.proof not in ("", "text", "symbols"):
            raise ClaimError(f"{self.id}: proof is {self.proof!r}; 'text', 'symbols' or ''")
        if self.kind == "context":
            return
        if self.family is None and not self.named:
            raise ClaimError(f"{self.id}: neither a family nor a named instance is given")
        if not self.mutants and "/" not in self.id:
            raise ClaimError(f"{self.id}: no mutant is given; a claim needs one that is refuted")
        if len({mutant.id for mutant in self.mutants}) != len(self.mutants):
            raise ClaimError(f"{self.id}: two mutants have the same id")
        if self.kind == "expectation" and self.range is None:
            raise ClaimError(f"{self.id}: an expectation needs the range of what it measures")
        if (self.kind == "rate") != (self.rate is not None):
            raise ClaimError(f"{self.id}: a claim of kind 'rate', and no other, has a rate")
        if self.delta is not None and self.kind != "high-probability":
            raise ClaimError(f"{self.id}: delta is for claims of kind 'high-probability'")

    @property
    def is_random(self) -> bool:
        """Whether the check draws random numbers, so that its verdict has an error level."""
        return self.kind in ("expectation", "rate") or self.delta is not None


def claim(id: str, kind: str, **fields: Any) -> Callable[[Callable[..., Any]], Claim]:
    """Make a check function a registered claim.

    Parameters
    ----------
    id, kind : str
    **fields
        As in `Claim`.

    Examples
    --------
    >>> import rltheory as rlt
    >>> @rlt.claim("half", "inequality", title="x/2 is at most x", statement="$x/2 \\\\le x$",
    ...            family=rlt.Family({"x": rlt.Dyadic(0, 1)}, rlt.Instance),
    ...            mutants=[rlt.Mutant("strict", "x <= x/2",
    ...                                check=lambda i: rlt.Measurement(i.x, i.x / 2))])
    ... def half(instance):
    ...     return rlt.Measurement(instance.x / 2, instance.x)
    >>> rlt.verify(half, budget="quick").status
    'confirmed'
    """

    def made(check: Callable[..., Any]) -> Claim:
        from rltheory.claims.registry import register

        fields["mutants"] = tuple(fields.get("mutants", ()))
        return register(Claim(id=id, kind=kind, check=check, **fields))

    return made
