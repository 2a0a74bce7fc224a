"""Storm's sparse engine, through stormpy.

Two formulations. "discounted": the property Cdiscount. "exit": every step goes to an absorbing
state with probability 1 - d, and the total reward until then is asked for, with any of Storm's
methods. Either way rewards are shifted to be at least 0 (costs and rewards cannot be mixed),
which moves the value by the shift over 1 - d. Only the value is asked for. The tolerance is
Storm's own, absolute; `benchmarks.tune` takes the loosest one with which the answer is verified,
since a stopping rule of value iteration bounds no error.
"""

from typing import Any

import numpy as np
import stormpy
from scipy import sparse
from stormpy import datastructures, environments, models

from benchmarks.families import Problem
from benchmarks.peers import Settings

PACKAGE = "stormpy"


def candidates(problem: Problem) -> list[Settings]:
    exit_methods = (
        "OPTIMISTIC_VALUE_ITERATION",
        "SOUND_VALUE_ITERATION",
        "INTERVAL_ITERATION",
        "VALUE_ITERATION",
    )
    formulations = [("discounted", "VALUE_ITERATION"), *(("exit", m) for m in exit_methods)]
    return [
        *(
            {
                "formulation": "exit",
                "method": "POLICY_ITERATION",
                "equations": "EIGEN",
                "precision": precision,
            }
            for precision in ("1e-8", "1e-11")
        ),
        *(
            {"formulation": formulation, "method": method, "precision": precision}
            for formulation, method in formulations
            for precision in ("9e-7", "1e-8")
        ),
    ]


def refuses(problem: Problem) -> str:
    return "" if problem.horizon is None else "no values by stage"


def build(problem: Problem, settings: Settings) -> Any:
    size, rows = problem.n_states, problem.n_pairs
    matrix = sparse.csr_array(problem.transitions)
    discount = problem.discount or 0.0
    shift = min(0.0, float(problem.rewards.min()))
    rewards = problem.rewards - shift
    starts = problem.starts[:-1]
    labels = {"init": [0]}
    if settings["formulation"] == "exit":
        leave = sparse.csr_array(np.full((rows, 1), 1.0 - discount))
        matrix = sparse.hstack([discount * matrix, leave], format="csr")
        last = sparse.csr_array(([1.0], ([0], [size])), shape=(1, size + 1))
        matrix = sparse.vstack([matrix, last], format="csr")
        starts = np.append(starts, rows)
        rewards = np.append(rewards, 0.0)
        labels["done"] = [size]
        size, rows = size + 1, rows + 1
    builder = datastructures.SparseMatrixBuilder[float](
        rows=rows,
        columns=size,
        entries=matrix.nnz,
        has_custom_row_grouping=True,
        row_groups=size,
    )
    row = np.repeat(np.arange(rows), np.diff(matrix.indptr))
    builder.add_next_values(
        row.tolist(), matrix.indices.tolist(), matrix.data.tolist(), starts.tolist()
    )
    labeling = models.StateLabeling(size)
    for label, states in labels.items():
        labeling.add_label(label)
        for state in states:
            labeling.add_label_to_state(label, state)
    reward_model = models.SparseRewardModel[float](
        optional_state_action_reward_vector=rewards.tolist()
    )
    components = models.SparseModelComponents[float](
        transition_matrix=builder.build(),
        state_labeling=labeling,
        reward_models={"r": reward_model},
    )
    return models.SparseMdp[float](components), shift / (1.0 - discount)


def solve(model: Any, problem: Problem, settings: Settings) -> tuple[Any, Any]:
    mdp, offset = model
    environment = environments.Environment()
    min_max = environment.solver().min_max()
    min_max.method = getattr(environments.MinMaxMethod, settings["method"])
    min_max.precision = stormpy.Rational(settings["precision"])
    min_max.relative_termination_criterion = False
    if "equations" in settings:  # of a policy: sparse LU, where iterations are not exact enough
        kind = getattr(environments.EquationSolverType, settings["equations"])
        environment.solver().set_linear_equation_solver_type(kind)
    if settings["formulation"] == "exit":
        text = 'R{"r"}max=? [ F "done" ]'
    else:
        text = f'R{{"r"}}max=? [ Cdiscount={problem.discount!r} ]'
    result = stormpy.model_checking(mdp, stormpy.parse_property(text), environment=environment)
    value = np.array(result.get_value_vector())[: problem.n_states]
    return value + offset, None
