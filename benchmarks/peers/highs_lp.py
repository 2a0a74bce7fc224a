"""The linear program min sum v, v(s) - d P v >= r for every pair, by HiGHS."""

from typing import Any

import highspy
import numpy as np
from scipy import sparse

from benchmarks.families import Problem
from benchmarks.peers import Settings

PACKAGE = "highspy"


def candidates(problem: Problem) -> list[Settings]:
    return [
        {"solver": "ipm", "run_crossover": "on"},
        {"solver": "ipm", "run_crossover": "off"},
        {"solver": "simplex"},
    ]


def refuses(problem: Problem) -> str:
    return "" if problem.horizon is None else "no horizon"


def build(problem: Problem, settings: Settings) -> Any:
    size, rows = problem.n_states, problem.n_pairs
    own = sparse.csr_array((np.ones(rows), problem.states, np.arange(rows + 1)), shape=(rows, size))
    matrix = sparse.csr_array(own - (problem.discount or 0.0) * problem.transitions)
    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = size, rows
    program.col_cost_ = np.ones(size)
    program.col_lower_ = np.full(size, -highspy.kHighsInf)
    program.col_upper_ = np.full(size, highspy.kHighsInf)
    program.row_lower_ = problem.rewards
    program.row_upper_ = np.full(rows, highspy.kHighsInf)
    program.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    program.a_matrix_.start_ = matrix.indptr
    program.a_matrix_.index_ = matrix.indices
    program.a_matrix_.value_ = matrix.data
    highs = highspy.Highs()
    options = {
        "output_flag": False,
        "threads": 1,
        "primal_feasibility_tolerance": 1e-10,
        "dual_feasibility_tolerance": 1e-10,
        "ipm_optimality_tolerance": 1e-12,
    }
    for name, x in (options | settings).items():
        highs.setOptionValue(name, x)
    highs.passModel(program)
    return highs


def solve(model: Any, problem: Problem, settings: Settings) -> tuple[Any, Any]:
    model.run()
    return np.array(model.getSolution().col_value), None
