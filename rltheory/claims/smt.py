"""Proofs for all models of a stated size, by an SMT solver for nonlinear real arithmetic.

A query states the negation of a claim over real variables: unsatisfiable means that the claim
holds for every model of that size, satisfiable gives a counterexample. Needs z3 (the extra
``smt``); without it nothing is proved, and nothing else changes. Effort is bounded by z3's own
counter of resources, never by seconds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["Proof", "Query", "prove"]

_RESOURCES = 20_000_000


@dataclass(frozen=True)
class Query:
    """The negation of a claim.

    Parameters
    ----------
    size : str
        Which models it is about: "2 states, 2 actions".
    assertions : list
        z3 expressions: the hypotheses, and that the conclusion fails.
    """

    size: str
    assertions: list[Any]


@dataclass(frozen=True)
class Proof:
    """What became of a query: "proved", "refuted", "unknown" or "missing" (no z3)."""

    status: str
    size: str = ""
    model: str = ""


def prove(query: Callable[[], Query]) -> Proof:
    """Decide a query.

    Parameters
    ----------
    query : callable
        Builds the query; it may import z3, and is not called where that is not installed.
    """
    try:
        import z3
    except ImportError:
        return Proof("missing", model="z3 is not installed: pip install 'rltheory[smt]'")
    built = query()
    # In a context of its own: in a shared one the effort depends on what ran before.
    context = z3.Context()
    solver = z3.Solver(ctx=context)
    solver.set("rlimit", _RESOURCES)
    solver.add(
        *[
            z3.BoolVal(x, context) if isinstance(x, bool) else x.translate(context)
            for x in built.assertions
        ]
    )
    answer = solver.check()
    if answer == z3.unsat:
        return Proof("proved", built.size)
    if answer == z3.sat:
        found = solver.model()
        names = sorted(found.decls(), key=lambda d: d.name())
        text = ", ".join(f"{d.name()} = {found[d]}" for d in names)
        return Proof("refuted", built.size, text)
    if "interrupt" in solver.reason_unknown():  # z3 keeps Ctrl-C to itself
        raise KeyboardInterrupt
    return Proof("unknown", built.size, "z3 gave no answer within its resources")
