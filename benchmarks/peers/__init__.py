"""Adapters: one file a solver, all of one shape, so that every solver is given the same work.

A module of this folder has

    PACKAGE      the name of the distribution, for its version
    candidates   settings worth trying on a problem, the default first (see benchmarks.tune)
    refuses      why a problem is not for this solver, or ""
    build        from the arrays of a problem to the solver's own model
    solve        from that model to (value, policy or None), policies as action labels

A model is solved once and thrown away: some solvers start silently where they last ended.
Importing a module imports its solver; one that is not installed is skipped.
"""

from typing import Any, Protocol

from benchmarks.families import Problem

__all__ = ["ADAPTERS", "OURS", "Adapter", "Settings"]

Settings = dict[str, Any]

OURS = "rltheory_solver"
ADAPTERS = (
    OURS,
    "quantecon_ddp",
    "mdpsolver_model",
    "storm_sparse",
    "mdptoolbox_mdp",
    "scipy_policy_iteration",
    "highs_lp",
)


class Adapter(Protocol):
    """What a module of this folder looks like."""

    PACKAGE: str

    def candidates(self, problem: Problem) -> list[Settings]: ...

    def refuses(self, problem: Problem) -> str: ...

    def build(self, problem: Problem, settings: Settings) -> Any: ...

    def solve(self, model: Any, problem: Problem, settings: Settings) -> tuple[Any, Any]: ...
