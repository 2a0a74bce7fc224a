"""mdpsolver: C++ behind nested lists, which building makes of the arrays.

Its tolerance is a bound of the value's error. Over-relaxed updates are left out: on chains with
resets they diverge, for minutes, and say so afterwards.
"""

from itertools import pairwise
from typing import Any

import mdpsolver
import numpy as np
from scipy import sparse

from benchmarks.families import Problem
from benchmarks.peers import Settings
from benchmarks.verify import WANTED

PACKAGE = "mdpsolver"


def candidates(problem: Problem) -> list[Settings]:
    return [
        *(
            {"algorithm": "mpi", "parIterLim": limit, "update": update}
            for limit in (100, 20, 500)
            for update in ("standard", "gs")
        ),
        {"algorithm": "vi", "update": "standard"},
        {"algorithm": "pi", "update": "standard"},
    ]


def refuses(problem: Problem) -> str:
    return "" if problem.horizon is None else "no horizon"


def build(problem: Problem, settings: Settings) -> Any:
    matrix = sparse.csr_array(problem.transitions)
    chances, columns = matrix.data.tolist(), matrix.indices.tolist()
    rewards = problem.rewards.tolist()
    ends, starts = matrix.indptr.tolist(), problem.starts.tolist()
    states = [range(a, b) for a, b in pairwise(starts)]
    model = mdpsolver.model()
    model.mdp(
        discount=problem.discount,
        rewards=[[rewards[row] for row in rows] for rows in states],
        tranMatProbs=[[chances[ends[row] : ends[row + 1]] for row in rows] for rows in states],
        tranMatColumns=[[columns[ends[row] : ends[row + 1]] for row in rows] for rows in states],
    )
    return model


def solve(model: Any, problem: Problem, settings: Settings) -> tuple[Any, Any]:
    model.solve(tolerance=WANTED, parallel=False, **settings)
    return np.array(model.getValueVector()), np.array(model.getPolicy())
