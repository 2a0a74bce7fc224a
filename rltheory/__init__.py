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
    from rltheory.claims.claim import Claim, Measurement, Mutant, Rate, claim
    from rltheory.claims.counterexamples import load_instance, save_instance
    from rltheory.claims.family import Family, Instance
    from rltheory.claims.registry import all_claims
    from rltheory.claims.search import search_tightest
    from rltheory.claims.space import Choice, Dyadic, Integer, Many
    from rltheory.claims.verdict import Verdict
    from rltheory.claims.verify import replay, verify, verify_many
    from rltheory.coverage.classes import (
        FunctionClass,
        PolicyClass,
        RewardClass,
        deterministic_policies,
    )
    from rltheory.coverage.concentrability import (
        concentrability,
        feature_concentrability,
        pushforward_concentrability,
    )
    from rltheory.coverage.coverability import coverability, coverability_law
    from rltheory.coverage.generators import (
        aggregated_critics,
        complete_closure,
        softmax_policies,
    )
    from rltheory.coverage.reachability import (
        max_occupancy,
        max_occupancy_exact,
        reaching_policy,
    )
    from rltheory.demonstrations.best_policy_identification import BestPolicyIdentification
    from rltheory.demonstrations.cloning import behavior_cloning
    from rltheory.demonstrations.cloning_law import bc_kl_bound, expected_bc_kl
    from rltheory.demonstrations.linear_cloning import LinearClone, behavior_cloning_linear
    from rltheory.demonstrations.lsvi_ucb_ent import (
        LinearBPIResult,
        lsvi_ucb_ent,
        lsvi_ucb_ent_radius,
    )
    from rltheory.demonstrations.pipeline import demonstration_regularized_rl
    from rltheory.demonstrations.regularized_bpi import RegularizedBPI
    from rltheory.demonstrations.rlhf import (
        BradleyTerryFit,
        bradley_terry_bound,
        fit_bradley_terry,
        sample_preferences,
    )
    from rltheory.demonstrations.rlhf_bound import rlhf_gap_bound
    from rltheory.demonstrations.rlhf_pipeline import RLHFResult, demonstration_regularized_rlhf
    from rltheory.demonstrations.trajectory_kl import trajectory_hellinger, trajectory_kl
    from rltheory.demonstrations.ucbvi_ent import UCBVIEnt
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
    from rltheory.inference.power_law import PowerLaw, fit_power_law
    from rltheory.inference.rate import RateFit, crossover, fit_rate
    from rltheory.learning.bracket import BracketPlan, SampleBracket, bracket_from_counts
    from rltheory.learning.learner import Learner, Task
    from rltheory.learning.lsvi import lsvi, population_lsvi
    from rltheory.learning.lsvi_ucb import LSVIUCB, lsvi_ucb_radii, lsvi_ucb_regret_bound
    from rltheory.learning.plug_in import PlugIn, PlugInPlan, plugin_bound
    from rltheory.learning.regret import regret
    from rltheory.learning.run import run, run_many
    from rltheory.learning.run_log import RunLog
    from rltheory.learning.ucbvi import UCBVI, ucbvi_regret_bound
    from rltheory.lsd_bandits.arms import LSDArm, OrderedArm
    from rltheory.lsd_bandits.averages import Average
    from rltheory.lsd_bandits.bandit import LSDBandit
    from rltheory.lsd_bandits.baselines import greedy_average, greedy_rewards, round_robin_average
    from rltheory.lsd_bandits.best_cyclic import CyclicSchedule, best_cyclic
    from rltheory.lsd_bandits.block_commit import (
        block_commit_average,
        block_commit_certificate,
        block_commit_schedule,
    )
    from rltheory.lsd_bandits.bounds import LSDBounds, lsd_bounds
    from rltheory.lsd_bandits.derandomize import DerandomizedSchedule, derandomized_schedule
    from rltheory.lsd_bandits.environment import BanditEnvironment
    from rltheory.lsd_bandits.exact_cover import exact_cover
    from rltheory.lsd_bandits.expected_average import expected_average, expected_rewards
    from rltheory.lsd_bandits.explore_then_commit import etc_regret_bound, explore_then_commit
    from rltheory.lsd_bandits.framed_ucb import framed_ucb, framed_ucb_regret_bound
    from rltheory.lsd_bandits.integrality_gap import WorstGap, worst_gap
    from rltheory.lsd_bandits.isi_block import ISIBlock, isi_block
    from rltheory.lsd_bandits.isi_combucb1 import comb_ucb1
    from rltheory.lsd_bandits.lagrangian_index import PlayIndex, index_average, play_index
    from rltheory.lsd_bandits.learning_run import LearningRun
    from rltheory.lsd_bandits.optimal import GainResult, optimal_gain, optimal_value
    from rltheory.lsd_bandits.periodic_runs import PeriodicRun
    from rltheory.lsd_bandits.picture import schedule_svg
    from rltheory.lsd_bandits.plans import Relaxation
    from rltheory.lsd_bandits.relaxation import concave_relaxation, relaxation_at
    from rltheory.lsd_bandits.relaxation_bracket import RelaxationBracket
    from rltheory.lsd_bandits.schedule import Schedule, ScheduleRun, interleaved_schedule
    from rltheory.lsd_bandits.truncated_arm import truncated_arm
    from rltheory.lsd_bandits.virtual_value import guarantee, virtual_value
    from rltheory.lsd_bandits.worst_case import worst_instance
    from rltheory.mathematics.regression import Ridge
    from rltheory.mdp.access import generative, hybrid, local_simulator, mu_reset, online
    from rltheory.mdp.awkward import awkward
    from rltheory.mdp.data import Counts, Preferences, Provenance, Trajectories, Transitions
    from rltheory.mdp.episodic import EpisodicMDP
    from rltheory.mdp.files import load, save
    from rltheory.mdp.garnet import garnet
    from rltheory.mdp.generators import combination_lock, random_episodic, riverswim
    from rltheory.mdp.gridworld import gridworld
    from rltheory.mdp.layout import Grid
    from rltheory.mdp.likelihood import log_likelihood, policy_kl, trajectory_log_probability
    from rltheory.mdp.linear import LinearMDP, random_linear_mdp
    from rltheory.mdp.model import MDP
    from rltheory.mdp.policies import HistoryPolicy, Mixture, uniform_policy
    from rltheory.mdp.reward_laws import Atoms, Bernoulli, Deterministic, Gaussian
    from rltheory.mdp.sampling import sample
    from rltheory.mirror_descent.bounds import mdpo_bound
    from rltheory.mirror_descent.forward_kl import forward_kl_step
    from rltheory.mirror_descent.history import History
    from rltheory.mirror_descent.mirror_descent_policy_iteration import (
        mirror_descent_policy_iteration,
    )
    from rltheory.mirror_descent.natural_gradient import (
        fisher_matrix,
        natural_policy_gradient,
        softmax_policy_gradient,
    )
    from rltheory.mirror_descent.on_policy import on_policy_mdpo
    from rltheory.mirror_descent.schedules import (
        GammaAdaptiveSteps,
        GeometricSteps,
        distribution_mismatch,
    )
    from rltheory.mirror_descent.surrogates import mdpo_objective, ppo_clip_surrogate
    from rltheory.parallelism import set_threads, threads
    from rltheory.solvers.average_certificate import AverageCertificate
    from rltheory.solvers.bellman import bellman, greedy, q_values
    from rltheory.solvers.certificate import Certificate
    from rltheory.solvers.checker import Check
    from rltheory.solvers.checkers import check
    from rltheory.solvers.constrained import ConstrainedSolution, solve_constrained
    from rltheory.solvers.cycle_means import CycleMeans, max_cycle_mean
    from rltheory.solvers.evaluate import evaluate
    from rltheory.solvers.exact import ExactSolution, solve_exact
    from rltheory.solvers.linear import LinearPlan, LinearSolution, solve_linear
    from rltheory.solvers.linear_programs import LPSolution, solve_lp
    from rltheory.solvers.many import solve_many
    from rltheory.solvers.markov_policy import markov_policy_of
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
    from rltheory.sweeps.compare import compare_runs, stored_result
    from rltheory.sweeps.complexity_result import SampleComplexity
    from rltheory.sweeps.laws import Law
    from rltheory.sweeps.planning_problem import PlanningProblem, planning_problem
    from rltheory.sweeps.rounds import Refine, Stop
    from rltheory.sweeps.run_sweep import run_sweep
    from rltheory.sweeps.sample_complexity import geometric_grid, sample_complexity
    from rltheory.sweeps.sweep import Sweep

_HOME = {
    "rltheory.lsd_bandits.truncated_arm": "truncated_arm",
    "rltheory.lsd_bandits.bounds": "LSDBounds lsd_bounds",
    "rltheory.sweeps.laws": "Law",
    "rltheory.sweeps.rounds": "Refine Stop",
    "rltheory.sweeps.run_sweep": "run_sweep",
    "rltheory.sweeps.sweep": "Sweep",
    "rltheory.claims.claim": "Claim Measurement Mutant Rate claim",
    "rltheory.claims.counterexamples": "load_instance save_instance",
    "rltheory.claims.family": "Family Instance",
    "rltheory.claims.registry": "all_claims",
    "rltheory.claims.search": "search_tightest",
    "rltheory.claims.space": "Choice Dyadic Integer Many",
    "rltheory.claims.verdict": "Verdict",
    "rltheory.claims.verify": "replay verify verify_many",
    "rltheory.coverage.classes": ("FunctionClass PolicyClass RewardClass deterministic_policies"),
    "rltheory.coverage.concentrability": (
        "concentrability feature_concentrability pushforward_concentrability"
    ),
    "rltheory.coverage.coverability": "coverability coverability_law",
    "rltheory.coverage.generators": "aggregated_critics complete_closure softmax_policies",
    "rltheory.coverage.reachability": "max_occupancy max_occupancy_exact reaching_policy",
    "rltheory.demonstrations.best_policy_identification": "BestPolicyIdentification",
    "rltheory.demonstrations.pipeline": "demonstration_regularized_rl",
    "rltheory.demonstrations.regularized_bpi": "RegularizedBPI",
    "rltheory.demonstrations.ucbvi_ent": "UCBVIEnt",
    "rltheory.demonstrations.cloning": "behavior_cloning",
    "rltheory.demonstrations.cloning_law": "bc_kl_bound expected_bc_kl",
    "rltheory.demonstrations.linear_cloning": "LinearClone behavior_cloning_linear",
    "rltheory.demonstrations.trajectory_kl": "trajectory_hellinger trajectory_kl",
    "rltheory.demonstrations.lsvi_ucb_ent": "LinearBPIResult lsvi_ucb_ent lsvi_ucb_ent_radius",
    "rltheory.demonstrations.rlhf": (
        "BradleyTerryFit bradley_terry_bound fit_bradley_terry sample_preferences"
    ),
    "rltheory.demonstrations.rlhf_bound": "rlhf_gap_bound",
    "rltheory.demonstrations.rlhf_pipeline": "RLHFResult demonstration_regularized_rlhf",
    "rltheory.errors": (
        "AccessError ClaimError ConvergenceError InfeasibleError ModelError PolicyError "
        "RLTheoryError SweepError"
    ),
    "rltheory.learning.learner": "Learner Task",
    "rltheory.learning.regret": "regret",
    "rltheory.learning.run": "run run_many",
    "rltheory.learning.run_log": "RunLog",
    "rltheory.learning.lsvi": "lsvi population_lsvi",
    "rltheory.learning.lsvi_ucb": "LSVIUCB lsvi_ucb_radii lsvi_ucb_regret_bound",
    "rltheory.mathematics.regression": "Ridge",
    "rltheory.learning.ucbvi": "UCBVI ucbvi_regret_bound",
    "rltheory.mdp.access": "generative hybrid local_simulator mu_reset online",
    "rltheory.inference.power_law": "PowerLaw fit_power_law",
    "rltheory.inference.rate": "RateFit crossover fit_rate",
    "rltheory.learning.bracket": "BracketPlan SampleBracket bracket_from_counts",
    "rltheory.learning.plug_in": "PlugIn PlugInPlan plugin_bound",
    "rltheory.mdp.awkward": "awkward",
    "rltheory.mdp.data": "Counts Preferences Provenance Trajectories Transitions",
    "rltheory.mdp.episodic": "EpisodicMDP",
    "rltheory.mdp.files": "load save",
    "rltheory.mdp.garnet": "garnet",
    "rltheory.mdp.generators": "combination_lock random_episodic riverswim",
    "rltheory.mdp.gridworld": "gridworld",
    "rltheory.mdp.layout": "Grid",
    "rltheory.mdp.linear": "LinearMDP random_linear_mdp",
    "rltheory.mdp.likelihood": "log_likelihood policy_kl trajectory_log_probability",
    "rltheory.mdp.model": "MDP",
    "rltheory.mdp.policies": "HistoryPolicy Mixture uniform_policy",
    "rltheory.mdp.reward_laws": "Atoms Bernoulli Deterministic Gaussian",
    "rltheory.mirror_descent.bounds": "mdpo_bound",
    "rltheory.mirror_descent.forward_kl": "forward_kl_step",
    "rltheory.mirror_descent.history": "History",
    "rltheory.lsd_bandits.arms": "LSDArm OrderedArm",
    "rltheory.lsd_bandits.averages": "Average",
    "rltheory.lsd_bandits.bandit": "LSDBandit",
    "rltheory.lsd_bandits.picture": "schedule_svg",
    "rltheory.lsd_bandits.optimal": "GainResult optimal_gain optimal_value",
    "rltheory.lsd_bandits.environment": "BanditEnvironment",
    "rltheory.lsd_bandits.explore_then_commit": "etc_regret_bound explore_then_commit",
    "rltheory.lsd_bandits.framed_ucb": "framed_ucb framed_ucb_regret_bound",
    "rltheory.lsd_bandits.isi_combucb1": "comb_ucb1",
    "rltheory.lsd_bandits.learning_run": "LearningRun",
    "rltheory.lsd_bandits.integrality_gap": "WorstGap worst_gap",
    "rltheory.lsd_bandits.worst_case": "worst_instance",
    "rltheory.lsd_bandits.baselines": "greedy_average greedy_rewards round_robin_average",
    "rltheory.lsd_bandits.best_cyclic": "CyclicSchedule best_cyclic",
    "rltheory.lsd_bandits.exact_cover": "exact_cover",
    "rltheory.lsd_bandits.isi_block": "ISIBlock isi_block",
    "rltheory.lsd_bandits.periodic_runs": "PeriodicRun",
    "rltheory.lsd_bandits.relaxation": "concave_relaxation relaxation_at",
    "rltheory.lsd_bandits.virtual_value": "guarantee virtual_value",
    "rltheory.lsd_bandits.lagrangian_index": "PlayIndex index_average play_index",
    "rltheory.lsd_bandits.block_commit": (
        "block_commit_average block_commit_certificate block_commit_schedule"
    ),
    "rltheory.lsd_bandits.derandomize": "DerandomizedSchedule derandomized_schedule",
    "rltheory.lsd_bandits.expected_average": "expected_average expected_rewards",
    "rltheory.lsd_bandits.schedule": "Schedule ScheduleRun interleaved_schedule",
    "rltheory.lsd_bandits.plans": "Relaxation",
    "rltheory.lsd_bandits.relaxation_bracket": "RelaxationBracket",
    "rltheory.mirror_descent.mirror_descent_policy_iteration": "mirror_descent_policy_iteration",
    "rltheory.mirror_descent.natural_gradient": (
        "fisher_matrix natural_policy_gradient softmax_policy_gradient"
    ),
    "rltheory.mirror_descent.on_policy": "on_policy_mdpo",
    "rltheory.mirror_descent.schedules": "GammaAdaptiveSteps GeometricSteps distribution_mismatch",
    "rltheory.mirror_descent.surrogates": "mdpo_objective ppo_clip_surrogate",
    "rltheory.solvers.average_certificate": "AverageCertificate",
    "rltheory.solvers.bellman": "bellman greedy q_values",
    "rltheory.solvers.certificate": "Certificate",
    "rltheory.solvers.checker": "Check",
    "rltheory.solvers.checkers": "check",
    "rltheory.solvers.constrained": "ConstrainedSolution solve_constrained",
    "rltheory.solvers.cycle_means": "CycleMeans max_cycle_mean",
    "rltheory.solvers.evaluate": "evaluate",
    "rltheory.solvers.exact": "ExactSolution solve_exact",
    "rltheory.solvers.linear": "LinearPlan LinearSolution solve_linear",
    "rltheory.solvers.linear_programs": "LPSolution solve_lp",
    "rltheory.solvers.many": "solve_many",
    "rltheory.solvers.markov_policy": "markov_policy_of",
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
    "rltheory.mdp.sampling": "sample",
    "rltheory.sweeps.compare": "compare_runs stored_result",
    "rltheory.sweeps.complexity_result": "SampleComplexity",
    "rltheory.sweeps.planning_problem": "PlanningProblem planning_problem",
    "rltheory.sweeps.sample_complexity": "geometric_grid sample_complexity",
    "rltheory.parallelism": "set_threads threads",
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names.split()}

__all__ = [
    "LSVIUCB",
    "MDP",
    "UCBVI",
    "AccessError",
    "Atoms",
    "Average",
    "AverageCertificate",
    "BanditEnvironment",
    "Bernoulli",
    "BestPolicyIdentification",
    "BracketPlan",
    "BradleyTerryFit",
    "Certificate",
    "Check",
    "Choice",
    "Claim",
    "ClaimError",
    "ConstrainedSolution",
    "ConvergenceError",
    "Counts",
    "CycleMeans",
    "CyclicSchedule",
    "DerandomizedSchedule",
    "Deterministic",
    "Dyadic",
    "EpisodicMDP",
    "ExactSolution",
    "Family",
    "FunctionClass",
    "GainResult",
    "GammaAdaptiveSteps",
    "Gaussian",
    "GeometricSteps",
    "Grid",
    "History",
    "HistoryPolicy",
    "ISIBlock",
    "InfeasibleError",
    "Instance",
    "Integer",
    "LPSolution",
    "LSDArm",
    "LSDBandit",
    "LSDBounds",
    "Law",
    "Learner",
    "LearningRun",
    "LinearBPIResult",
    "LinearClone",
    "LinearMDP",
    "LinearPlan",
    "LinearSolution",
    "Many",
    "Measurement",
    "Mixture",
    "ModelError",
    "Mutant",
    "OrderedArm",
    "PeriodicRun",
    "PlanningProblem",
    "PlayIndex",
    "PlugIn",
    "PlugInPlan",
    "PolicyClass",
    "PolicyError",
    "PowerLaw",
    "Preferences",
    "Provenance",
    "RLHFResult",
    "RLTheoryError",
    "Rate",
    "RateFit",
    "Refine",
    "RegularizedBPI",
    "RegularizedSolution",
    "Relaxation",
    "RelaxationBracket",
    "RewardClass",
    "Ridge",
    "RobustSolution",
    "RunLog",
    "SampleBracket",
    "SampleComplexity",
    "Schedule",
    "ScheduleRun",
    "Solution",
    "Stop",
    "Sweep",
    "SweepError",
    "Task",
    "TotalCertificate",
    "Trajectories",
    "Transitions",
    "UCBVIEnt",
    "Verdict",
    "WorstGap",
    "aggregated_critics",
    "all_claims",
    "awkward",
    "bc_kl_bound",
    "behavior_cloning",
    "behavior_cloning_linear",
    "bellman",
    "best_cyclic",
    "block_commit_average",
    "block_commit_certificate",
    "block_commit_schedule",
    "bracket_from_counts",
    "bradley_terry_bound",
    "check",
    "claim",
    "comb_ucb1",
    "combination_lock",
    "compare_runs",
    "complete_closure",
    "concave_relaxation",
    "concentrability",
    "coverability",
    "coverability_law",
    "crossover",
    "demonstration_regularized_rl",
    "demonstration_regularized_rlhf",
    "derandomized_schedule",
    "deterministic_policies",
    "distribution_mismatch",
    "etc_regret_bound",
    "evaluate",
    "evaluate_regularized",
    "exact_cover",
    "expected_average",
    "expected_bc_kl",
    "expected_rewards",
    "explore_then_commit",
    "feature_concentrability",
    "fisher_matrix",
    "fit_bradley_terry",
    "fit_power_law",
    "fit_rate",
    "forward_kl_step",
    "framed_ucb",
    "framed_ucb_regret_bound",
    "garnet",
    "generative",
    "geometric_grid",
    "greedy",
    "greedy_average",
    "greedy_rewards",
    "gridworld",
    "guarantee",
    "hybrid",
    "index_average",
    "interleaved_schedule",
    "isi_block",
    "load",
    "load_instance",
    "local_simulator",
    "log_likelihood",
    "lsd_bounds",
    "lsvi",
    "lsvi_ucb_ent",
    "lsvi_ucb_ent_radius",
    "lsvi_ucb_radii",
    "lsvi_ucb_regret_bound",
    "markov_policy_of",
    "max_cycle_mean",
    "max_occupancy",
    "max_occupancy_exact",
    "mdpo_bound",
    "mdpo_objective",
    "mirror_descent_policy_iteration",
    "mu_reset",
    "natural_policy_gradient",
    "occupancy",
    "on_policy_mdpo",
    "online",
    "optimal_gain",
    "optimal_value",
    "planning_problem",
    "play_index",
    "plugin_bound",
    "policy_kl",
    "population_lsvi",
    "ppo_clip_surrogate",
    "pushforward_concentrability",
    "q_values",
    "random_episodic",
    "random_linear_mdp",
    "ranking_function",
    "reaching_policy",
    "regret",
    "relaxation_at",
    "replay",
    "riverswim",
    "rlhf_gap_bound",
    "round_robin_average",
    "run",
    "run_many",
    "run_sweep",
    "sample",
    "sample_complexity",
    "sample_preferences",
    "save",
    "save_instance",
    "schedule_svg",
    "search_tightest",
    "set_threads",
    "softmax_policies",
    "softmax_policy_gradient",
    "solve",
    "solve_constrained",
    "solve_exact",
    "solve_linear",
    "solve_lp",
    "solve_many",
    "solve_regularized",
    "solve_robust",
    "stored_result",
    "threads",
    "trajectory_hellinger",
    "trajectory_kl",
    "trajectory_log_probability",
    "truncated_arm",
    "ucbvi_regret_bound",
    "uniform_policy",
    "verify",
    "verify_many",
    "virtual_value",
    "worst_case_row",
    "worst_gap",
    "worst_instance",
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
