"""Full tables, rational tables and canonical arrays, read into the compiled core.

A table has one row for every (state, action), at one stage or at each of H; what is given for
all stages at once is repeated only where something else changes with the stage.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from rltheory import _core
from rltheory.errors import ModelError
from rltheory.mdp.intake import as_array, build, flat_rows, real_numbers
from rltheory.mdp.rational import RationalModel, fractions_of, nearest

__all__ = ["exact_dense", "exact_rows", "read_arrays", "read_table"]


def read_table(
    transitions: Any,
    rewards: Any,
    termination: Any,
    next_state_rewards: Any,
    termination_rewards: Any,
    horizon: int | None,
    exact: bool,
) -> tuple[_core.model.Model, RationalModel | None]:
    """The core's model of a full table, and its rationals if they are to be kept.

    With a horizon, each argument may have a leading axis of stages; the model is kept once if
    none has.
    """
    if exact:
        transitions = exact_dense("transitions", transitions)
    if isinstance(transitions, list | tuple) and any(map(sparse.issparse, transitions)):
        if horizon is None:
            raise ModelError("transitions is a list of sparse arrays; an MDP takes one")
        if len(transitions) != horizon or not all(map(sparse.issparse, transitions)):
            raise ModelError(
                f"transitions is a list of {len(transitions)}; it must hold a sparse array for "
                f"each of the {horizon} stages"
            )
        transitions, stages = sparse.vstack(transitions, format="csr"), horizon
        n_states = transitions.shape[1]
        n_rows = transitions.shape[0] // stages
        n_actions = _actions_of((n_rows, n_states))
    elif sparse.issparse(transitions):
        stages, n_states = 1, transitions.shape[-1]
        n_actions = _actions_of(transitions.shape)
    else:
        transitions = transitions if exact else real_numbers("transitions", transitions)
        n_states, n_actions, stages = _dense_shape(transitions.shape, horizon)
    by_pair = (n_states, n_actions)
    if isinstance(next_state_rewards, list | tuple) and any(
        map(sparse.issparse, next_state_rewards)
    ):
        if len(next_state_rewards) != stages or not all(map(sparse.issparse, next_state_rewards)):
            raise ModelError(
                f"next_state_rewards is a list of {len(next_state_rewards)}; it must hold a "
                f"sparse array for each of {stages} stages, like transitions"
            )
        next_state_rewards = sparse.vstack(next_state_rewards, format="csr")
    elif next_state_rewards is not None and not sparse.issparse(next_state_rewards):
        next_state_rewards = as_array("next_state_rewards", next_state_rewards)
        outcomes = [(*by_pair, n_states)] + ([(horizon, *by_pair, n_states)] if horizon else [])
        if next_state_rewards.shape not in outcomes:
            raise ModelError(
                f"next_state_rewards has shape {next_state_rewards.shape}; it must be "
                f"{' or '.join(map(str, outcomes))}"
            )
    extra = (rewards, termination, termination_rewards)
    staged = horizon is not None and (
        stages > 1
        or any(x is not None and np.ndim(x) == 3 for x in extra)
        or (not sparse.issparse(next_state_rewards) and np.ndim(next_state_rewards) == 4)
    )
    if staged and stages == 1:
        stages = int(horizon or 1)
        if sparse.issparse(transitions):
            transitions = sparse.vstack([transitions] * stages, format="csr")
            if sparse.issparse(next_state_rewards):
                next_state_rewards = sparse.vstack([next_state_rewards] * stages, format="csr")
        else:
            table = transitions.reshape(-1, n_actions, n_states)[-n_states:]
            transitions = np.broadcast_to(table, (stages, *table.shape))
    if staged and not sparse.issparse(next_state_rewards) and np.ndim(next_state_rewards) == 3:
        full = (stages, n_states, n_actions, n_states)
        next_state_rewards = np.broadcast_to(np.asarray(next_state_rewards), full)
    shapes = [(stages, *by_pair), by_pair] if staged else [by_pair]
    if horizon == 1:
        shapes = [by_pair, (1, *by_pair)]
    named = {
        "rewards": rewards,
        "termination": termination,
        "termination_rewards": termination_rewards,
    }
    if exact:
        return exact_rows(
            n_states, n_actions, stages, None, transitions, next_state_rewards, named, shapes
        )
    if not sparse.issparse(transitions):
        transitions = np.ascontiguousarray(transitions).reshape(-1, n_states)
    flat = {name: flat_rows(name, x, shapes) for name, x in named.items()}
    core = build(
        n_states,
        n_actions,
        stages,
        None,
        transitions,
        flat["rewards"],
        flat["termination"],
        next_state_rewards,
        flat["termination_rewards"],
    )
    return core, None


def exact_rows(
    n_states: int,
    n_actions: int,
    stages: int,
    pairs: tuple[NDArray[np.int64], NDArray[np.int64]] | None,
    transitions: Any,
    next_state_rewards: Any,
    named: Mapping[str, Any],
    shapes: Sequence[tuple[int, ...]],
) -> tuple[_core.model.Model, RationalModel]:
    """The core's model in doubles, and beside it the rationals of its canonical rows."""
    prob = transitions.reshape(-1, n_states)
    flat: dict[str, Any] = {}
    for name, x in named.items():
        if x is not None:
            x = fractions_of(name, x)
            if x.shape not in shapes:
                raise ModelError(f"{name} has shape {x.shape}; it must be {shapes[0]}")
            x = (x if x.size == np.prod(shapes[0]) else np.broadcast_to(x, shapes[0])).reshape(-1)
        flat[name] = x
    if next_state_rewards is not None:
        next_state_rewards = exact_dense("next_state_rewards", next_state_rewards)
        if next_state_rewards.size != prob.size:
            raise ModelError(
                f"next_state_rewards has shape {next_state_rewards.shape}; "
                "it must have one entry for each of transitions"
            )
        next_state_rewards = next_state_rewards.reshape(-1, n_states)

    def doubles(x: Any) -> Any:
        return None if x is None else nearest(x)

    core = build(
        n_states,
        n_actions,
        stages,
        pairs,
        nearest(prob),
        doubles(flat["rewards"]),
        doubles(flat["termination"]),
        doubles(next_state_rewards),
        doubles(flat["termination_rewards"]),
    )
    # The nearest double of a small negative number is a zero.
    for name, x in (("transitions", transitions), ("termination", named["termination"])):
        for p in () if x is None else fractions_of(name, x).reshape(-1):
            if p < 0:
                raise ModelError(f"{name} holds {p}; a probability must be at least 0")
    ends, paid = flat["termination"], flat["termination_rewards"]
    row_ptr, cols, probs, rewards, exits = [0], [], [], [], []
    order = range(len(prob)) if pairs is None else np.lexsort(pairs[::-1]).tolist()
    for r in order:
        leaving = 0 if ends is None else ends[r]
        total = sum(prob[r]) + leaving
        kept = [j for j in range(n_states) if prob[r, j] != 0]
        cols += kept
        probs += [prob[r, j] / total for j in kept]
        row_ptr.append(len(cols))
        exits.append(leaving / total)
        if next_state_rewards is None:
            rewards.append(flat["rewards"][r])
        else:
            mean = sum(prob[r, j] * next_state_rewards[r, j] for j in kept)
            rewards.append((mean + (leaving * paid[r] if paid is not None else 0)) / total)
    return core, RationalModel(
        state_ptr=tuple(core.state_ptr.tolist()),
        action=tuple(core.action.tolist()),
        row_ptr=tuple(row_ptr),
        col=tuple(cols),
        prob=tuple(probs),
        reward=tuple(rewards),
        exit=tuple(exits) if any(exits) else (),
        discount=None,
    )


def read_arrays(arrays: Mapping[str, Any], horizon: int | None) -> _core.model.Model:
    """The core's model of the canonical arrays, validated like any other input."""
    n_states = int(arrays["n_states"])
    state_ptr, row_ptr = (
        np.asarray(arrays[key], dtype=np.int64) for key in ("state_ptr", "row_ptr")
    )
    action = np.asarray(arrays["action"], dtype=np.int64)
    rows = len(action)
    table = len(state_ptr) - 1
    stages = 1 if horizon is None or table == n_states else horizon
    if n_states < 1 or table != stages * n_states:
        raise ModelError(
            f"state_ptr has {len(state_ptr)} entries; {stages} stage(s) of {n_states} states "
            f"need {stages * n_states + 1}"
        )
    if (idle := np.flatnonzero(np.diff(state_ptr) == 0)).size:
        raise ModelError(
            f"state {idle[0] % n_states} has no action; every state needs at least one"
        )
    if state_ptr[0] != 0 or state_ptr[-1] != rows or (np.diff(state_ptr) < 0).any():
        raise ModelError(f"state_ptr must ascend from 0 to the number of rows, {rows}")
    if (wrong := np.flatnonzero(action < 0)).size:
        raise ModelError(f"action[{wrong[0]}] is {action[wrong[0]]}; it must be at least 0")
    n_actions = int(arrays.get("n_actions", action.max(initial=0) + 1))
    if not 1 <= n_actions <= np.iinfo(np.int32).max:
        raise ModelError(f"n_actions is {n_actions}; it must be in 1..2147483647")
    if rows and action.max() >= n_actions:
        raise ModelError(f"an action is {action.max()}; the model has {n_actions} actions")
    if len(row_ptr) != rows + 1:
        raise ModelError(f"row_ptr has {len(row_ptr)} entries; {rows} rows need {rows + 1}")
    owner = np.repeat(np.arange(table, dtype=np.int64), np.diff(state_ptr))
    per_row = {}
    for key in ("reward", "exit", "exit_reward"):
        x = arrays.get(key)
        x = None if x is None or (key == "exit" and not np.size(x)) else np.asarray(x, float)
        if x is not None and x.shape != (rows,):
            raise ModelError(f"{key} has shape {x.shape}; it must be ({rows},)")
        per_row[key] = x
    outcome = arrays.get("outcome_reward")
    col = np.asarray(arrays["col"], dtype=np.int64)
    prob = np.asarray(arrays["prob"], dtype=np.float64)
    sizes = {len(col), len(prob)} | ({len(outcome)} if outcome is not None else set())
    if len(sizes) != 1:
        raise ModelError(f"col, prob and outcome_reward have {sorted(sizes)} entries")
    if col.size and (col.min() < 0 or col.max() >= n_states):
        wrong_col = col[(col < 0) | (col >= n_states)][0]
        raise ModelError(f"col leads to state {wrong_col}; states are 0..{n_states - 1}")
    if outcome is not None and per_row["reward"] is not None:
        stored, per_row["reward"] = per_row["reward"], None
    else:
        stored = None
    try:
        core = _core.model.from_csr(
            n_states,
            n_actions,
            stages,
            owner,
            action,
            row_ptr,
            col.astype(np.int32),
            prob,
            per_row["reward"],
            per_row["exit"],
            None if outcome is None else np.ascontiguousarray(outcome, dtype=np.float64),
            per_row["exit_reward"] if outcome is not None else None,
            False,
            False,
        )
    except _core.model.ModelFault as fault:
        raise ModelError(str(fault)) from None
    if stored is not None and not np.array_equal(stored, core.reward):
        raise ModelError("reward is not the mean of outcome_reward")
    return core


def _dense_shape(shape: tuple[int, ...], horizon: int | None) -> tuple[int, int, int]:
    allowed = "(S, A, S)" if horizon is None else f"(S, A, S) or ({horizon}, S, A, S)"
    stationary = len(shape) == 3
    staged = len(shape) == 4 and horizon is not None and shape[0] == horizon
    if not (stationary or staged) or shape[-1] != shape[-3]:
        raise ModelError(f"transitions has shape {shape}; it must be {allowed}")
    n_states, n_actions = shape[-3:-1]
    if n_states < 1 or n_actions < 1:
        raise ModelError(
            f"the model has {n_states} states and {n_actions} actions; "
            "it needs at least one of each"
        )
    return n_states, n_actions, 1 if stationary else shape[0]


def _actions_of(shape: tuple[int, ...]) -> int:
    if len(shape) != 2 or min(shape) < 1 or shape[0] % shape[1]:
        raise ModelError(f"sparse transitions have shape {shape}; it must be (S*A, S), row s*A + a")
    return shape[0] // shape[1]


def exact_dense(name: str, x: Any) -> Any:
    if sparse.issparse(x):
        raise ModelError(f"{name} is sparse; exact models take dense arrays")
    return fractions_of(name, x)
