"""rltheory: the theory of reinforcement learning, executable.

>>> import rltheory as rlt
>>> mdp = rlt.gridworld(rows=4, columns=4, slip=0.1, discount=0.95)
>>> solution = rlt.solve(mdp)
>>> solution.certificate.check(mdp).accepted
True

Names are imported when they are first used, so that the checker of certificates and the command
line's help need neither the compiled core nor numpy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rltheory.claims.claim import Claim, Measurement, Mutant, claim
    from rltheory.claims.counterexamples import load_instance, save_instance
    from rltheory.claims.family import Family, Instance
    from rltheory.claims.registry import all_claims
    from rltheory.claims.search import search_tightest
    from rltheory.claims.space import Choice, Dyadic, Integer, Many
    from rltheory.claims.verdict import Verdict
    from rltheory.claims.verify import replay, verify, verify_many
    from rltheory.errors import (
        AccessError,
        ClaimError,
        ConvergenceError,
        InfeasibleError,
        ModelError,
        PolicyError,
        RLTheoryError,
        SweepError,
    )
    from rltheory.mdp.awkward import awkward
    from rltheory.mdp.episodic import EpisodicMDP
    from rltheory.mdp.files import load, save
    from rltheory.mdp.garnet import garnet
    from rltheory.mdp.generators import combination_lock, random_episodic, riverswim
    from rltheory.mdp.gridworld import gridworld
    from rltheory.mdp.layout import Grid
    from rltheory.mdp.model import MDP
    from rltheory.mdp.policies import Mixture, uniform_policy
    from rltheory.mdp.reward_laws import Atoms, Bernoulli, Deterministic, Gaussian
    from rltheory.parallelism import set_threads, threads
    from rltheory.solvers.average_certificate import AverageCertificate
    from rltheory.solvers.bellman import bellman, greedy, q_values
    from rltheory.solvers.certificate import Certificate
    from rltheory.solvers.checker import Check
    from rltheory.solvers.checkers import check
    from rltheory.solvers.constrained import ConstrainedSolution, solve_constrained
    from rltheory.solvers.evaluate import evaluate
    from rltheory.solvers.exact import ExactSolution, solve_exact
    from rltheory.solvers.linear_programs import LPSolution, solve_lp
    from rltheory.solvers.many import solve_many
    from rltheory.solvers.occupancy import occupancy
    from rltheory.solvers.ranking import ranking_function
    from rltheory.solvers.regularized import RegularizedSolution, solve_regularized
    from rltheory.solvers.regularized_value import evaluate_regularized
    from rltheory.solvers.robust import solve_robust
    from rltheory.solvers.robust_solution import RobustSolution
    from rltheory.solvers.solution import Solution
    from rltheory.solvers.solve import solve
    from rltheory.solvers.total_certificate import TotalCertificate
    from rltheory.solvers.worst_row import worst_case_row
    from rltheory.sweeps.laws import Law
    from rltheory.sweeps.run_sweep import run_sweep
    from rltheory.sweeps.sweep import Sweep

_HOME = {
    "rltheory.sweeps.laws": "Law",
    "rltheory.sweeps.run_sweep": "run_sweep",
    "rltheory.sweeps.sweep": "Sweep",
    "rltheory.claims.claim": "Claim Measurement Mutant claim",
    "rltheory.claims.counterexamples": "load_instance save_instance",
    "rltheory.claims.family": "Family Instance",
    "rltheory.claims.registry": "all_claims",
    "rltheory.claims.search": "search_tightest",
    "rltheory.claims.space": "Choice Dyadic Integer Many",
    "rltheory.claims.verdict": "Verdict",
    "rltheory.claims.verify": "replay verify verify_many",
    "rltheory.errors": (
        "AccessError ClaimError ConvergenceError InfeasibleError ModelError PolicyError "
        "RLTheoryError SweepError"
    ),
    "rltheory.mdp.awkward": "awkward",
    "rltheory.mdp.episodic": "EpisodicMDP",
    "rltheory.mdp.files": "load save",
    "rltheory.mdp.garnet": "garnet",
    "rltheory.mdp.generators": "combination_lock random_episodic riverswim",
    "rltheory.mdp.gridworld": "gridworld",
    "rltheory.mdp.layout": "Grid",
    "rltheory.mdp.model": "MDP",
    "rltheory.mdp.policies": "Mixture uniform_policy",
    "rltheory.mdp.reward_laws": "Atoms Bernoulli Deterministic Gaussian",
    "rltheory.solvers.average_certificate": "AverageCertificate",
    "rltheory.solvers.bellman": "bellman greedy q_values",
    "rltheory.solvers.certificate": "Certificate",
    "rltheory.solvers.checker": "Check",
    "rltheory.solvers.checkers": "check",
    "rltheory.solvers.constrained": "ConstrainedSolution solve_constrained",
    "rltheory.solvers.evaluate": "evaluate",
    "rltheory.solvers.exact": "ExactSolution solve_exact",
    "rltheory.solvers.linear_programs": "LPSolution solve_lp",
    "rltheory.solvers.many": "solve_many",
    "rltheory.solvers.occupancy": "occupancy",
    "rltheory.solvers.ranking": "ranking_function",
    "rltheory.solvers.regularized": "RegularizedSolution solve_regularized",
    "rltheory.solvers.regularized_value": "evaluate_regularized",
    "rltheory.solvers.robust": "solve_robust",
    "rltheory.solvers.robust_solution": "RobustSolution",
    "rltheory.solvers.solution": "Solution",
    "rltheory.solvers.solve": "solve",
    "rltheory.solvers.total_certificate": "TotalCertificate",
    "rltheory.solvers.worst_row": "worst_case_row",
    "rltheory.parallelism": "set_threads threads",
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names.split()}

__all__ = [
    "MDP",
    "AccessError",
    "Atoms",
    "AverageCertificate",
    "Bernoulli",
    "Certificate",
    "Check",
    "Choice",
    "Claim",
    "ClaimError",
    "ConstrainedSolution",
    "ConvergenceError",
    "Deterministic",
    "Dyadic",
    "EpisodicMDP",
    "ExactSolution",
    "Family",
    "Gaussian",
    "Grid",
    "InfeasibleError",
    "Instance",
    "Integer",
    "LPSolution",
    "Law",
    "Many",
    "Measurement",
    "Mixture",
    "ModelError",
    "Mutant",
    "PolicyError",
    "RLTheoryError",
    "RegularizedSolution",
    "RobustSolution",
    "Solution",
    "Sweep",
    "SweepError",
    "TotalCertificate",
    "Verdict",
    "all_claims",
    "awkward",
    "bellman",
    "check",
    "claim",
    "combination_lock",
    "evaluate",
    "evaluate_regularized",
    "garnet",
    "greedy",
    "gridworld",
    "load",
    "load_instance",
    "occupancy",
    "q_values",
    "random_episodic",
    "ranking_function",
    "replay",
    "riverswim",
    "run_sweep",
    "save",
    "save_instance",
    "search_tightest",
    "set_threads",
    "solve",
    "solve_constrained",
    "solve_exact",
    "solve_lp",
    "solve_many",
    "solve_regularized",
    "solve_robust",
    "threads",
    "uniform_policy",
    "verify",
    "verify_many",
    "worst_case_row",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("rltheory")
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'rltheory' has no attribute {name!r}")
    value = getattr(import_module(_MODULE_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
