"""Reads the transition table `env.unwrapped.P` of a gymnasium environment.

The problem: gymnasium's toy-text environments publish their dynamics as
``P[state][action] = [(probability, next_state, reward, terminated), ...]`` with the same
successor listed several times, and mark the end of an episode by a flag on the outcome, whose
successor is then never acted in. What becomes of it here:

- probabilities of the same successor are added up (correctly rounded, whatever their order);
- a terminated outcome is an exit of the row, and its reward the reward of the exit;
- no state is added or removed: FrozenLake 8x8 has 64 states in and out, and its holes keep the
  rows gymnasium gives them, which end for sure with reward 0;
- the reward law is kept: one reward a pair, one reward a successor, or, when one successor can
  pay several rewards (slippery CliffWalking), the law of each pair as atoms;
- time limits are not part of the table: choose a discount or a horizon.

Reference: gymnasium 1.x, `gymnasium.envs.toy_text`.
"""

import contextlib
import io
import math
import re
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy import sparse

from rltheory.errors import ModelError
from rltheory.mdp.layout import Grid
from rltheory.mdp.model import MDP
from rltheory.mdp.outcomes import EXIT, PaidRewards, reward_arguments

__all__ = ["read_gymnasium"]

# Glyphs of actions 0, 1, 2, 3 of the environments that live on a grid.
_ARROWS = {
    "FrozenLakeEnv": ("←", "↓", "→", "↑"),
    "CliffWalkingEnv": ("↑", "→", "↓", "←"),
}


def read_gymnasium(env_or_id: Any, discount: float | None = None, **make_kwargs: Any) -> MDP:
    """Read a gymnasium environment that publishes its transition table.

    Parameters
    ----------
    env_or_id : str or gymnasium.Env
        An id such as ``"FrozenLake8x8-v1"``, or an environment, wrapped or not.
    discount : float, optional
        In [0, 1).
    **make_kwargs
        Passed to ``gymnasium.make``, with an id only.

    Returns
    -------
    MDP
        With the environment's initial law, and a layout for FrozenLake and CliffWalking.

    Raises
    ------
    ModelError
        If gymnasium is not installed, the id is unknown, the environment cannot be made, it has
        no table `P`, or the table is not one of a model.

    Examples
    --------
    >>> from rltheory.mdp.gymnasium import read_gymnasium
    >>> mdp = read_gymnasium("FrozenLake-v1", discount=0.99, is_slippery=False)
    >>> mdp.n_states, mdp.n_actions, mdp.storage
    (16, 4, 'deterministic')
    """
    if isinstance(env_or_id, str):
        with _made(env_or_id, make_kwargs) as env:
            return _from_table(env.unwrapped, repr(env_or_id), discount)
    if make_kwargs:
        raise ModelError(
            f"{', '.join(sorted(make_kwargs))} given with an environment; "
            "keywords for gymnasium.make go with an id"
        )
    unwrapped = getattr(env_or_id, "unwrapped", env_or_id)
    return _from_table(unwrapped, type(unwrapped).__name__, discount)


@contextlib.contextmanager
def _made(name: str, make_kwargs: dict[str, Any]) -> Iterator[Any]:
    """The environment of this id, closed afterwards, without gymnasium's advice in between."""
    # Advice comes as warnings and prints; where warnings are errors it must not end this.
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            import gymnasium
    except ImportError:
        raise ModelError(
            f"reading {name!r} needs gymnasium, which is not installed: "
            "pip install 'rltheory[envs]'"
        ) from None
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            env = gymnasium.make(name, **make_kwargs)
    except Exception as fault:  # an environment's own constructor can raise anything
        raise ModelError(f"gymnasium cannot make {name!r}: {_one_line(fault)}") from None
    try:
        yield env
    finally:
        env.close()


def _from_table(unwrapped: Any, name: str, discount: float | None) -> MDP:
    table = getattr(unwrapped, "P", None)
    if table is None:
        raise ModelError(
            f"environment {name} has no transition table `P`; only environments that publish "
            "theirs as env.unwrapped.P (FrozenLake, Taxi, CliffWalking, ...) can be read"
        )
    try:
        rows = [
            (state, action, list(outcomes))
            for state, actions in _numbered(table)
            for action, outcomes in _numbered(actions)
        ]
        parsed = [_row(outcomes) for _, _, outcomes in rows]
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError) as fault:
        raise ModelError(
            f"the table `P` of environment {name} is not of the form "
            f"P[state][action] = [(probability, next_state, reward, terminated), ...]: "
            f"{_one_line(fault)}"
        ) from None
    if not parsed:
        raise ModelError(f"the table `P` of environment {name} is empty")

    n_states = len(table)
    termination = np.array([chances.get(EXIT, 0.0) for chances, _ in parsed])
    row, col, prob = [], [], []
    for r, (chances, _) in enumerate(parsed):
        for state, chance in sorted(chances.items()):
            if state != EXIT:
                row.append(r)
                col.append(state)
                prob.append(chance)
    if col and not 0 <= min(col) <= max(col) < n_states:
        wrong = next(state for state in col if not 0 <= state < n_states)
        raise ModelError(
            f"the table `P` of environment {name} leads to state {wrong}; "
            f"its states are 0..{n_states - 1}"
        )
    shape = (len(rows), n_states)
    transitions = sparse.csr_array((prob, (row, col)), shape=shape)
    initial = getattr(unwrapped, "initial_state_distrib", None)
    return MDP.from_pairs(
        [state for state, _, _ in rows],
        [action for _, action, _ in rows],
        transitions,
        discount=discount,
        initial=None if initial is None else np.asarray(initial, dtype=np.float64),
        n_states=n_states,
        termination=termination if termination.any() else None,
        layout=_layout(unwrapped, n_states, rows),
        **reward_arguments([rewards for _, rewards in parsed], row, col, shape),
    )


def _row(outcomes: list[Any]) -> tuple[dict[int, float], PaidRewards]:
    """Chance of each successor (-1 = exit), and the chances of its rewards."""
    rewards: PaidRewards = {}
    for probability, state, reward, terminated in outcomes:
        if not math.isfinite(probability) or probability < 0.0:
            raise ValueError(f"a probability is {probability}")
        if not math.isfinite(reward):
            raise ValueError(f"a reward is {reward}")
        if int(state) != state or state < 0:
            raise ValueError(f"a next state is {state}")
        if probability > 0.0:
            successor = EXIT if terminated else int(state)
            rewards.setdefault(successor, {}).setdefault(float(reward), []).append(
                float(probability)
            )
    chances = {
        successor: math.fsum(p for chances in paid.values() for p in chances)
        for successor, paid in rewards.items()
    }
    return chances, rewards


def _layout(unwrapped: Any, n_states: int, rows: list[tuple[int, int, list[Any]]]) -> Grid | None:
    """The grid of FrozenLake (its map) or CliffWalking (its shape); None for others."""
    arrows = next(
        (_ARROWS[base.__name__] for base in type(unwrapped).__mro__ if base.__name__ in _ARROWS),
        None,
    )
    desc = getattr(unwrapped, "desc", None)
    shape = getattr(unwrapped, "shape", None) if desc is None else np.shape(desc)
    if arrows is None or shape is None or len(shape) != 2 or math.prod(shape) != n_states:
        return None
    marks: dict[int, str] = {}
    if desc is not None:
        letters = [bytes(letter).decode("ascii") for letter in np.ravel(desc)]
        marks = {state: letter for state, letter in enumerate(letters) if letter != "F"}
    else:
        cliff = np.ravel(getattr(unwrapped, "_cliff", np.zeros(n_states, dtype=bool)))
        marks = {int(state): "C" for state in np.flatnonzero(cliff)}
        marks[int(unwrapped.start_state_index)] = "S"
        ends = {int(o[1]) for _, _, outcomes in rows for o in outcomes if o[3]}
        marks |= {state: "G" for state in sorted(ends)}
    return Grid(np.arange(n_states).reshape(shape), arrows, marks)


def _numbered(table: Any) -> list[tuple[int, Any]]:
    """The entries of a dict with keys 0, 1, ... or of a list, in the order of their numbers."""
    if not isinstance(table, dict):
        return list(enumerate(table))
    return sorted(((int(key), entry) for key, entry in table.items()), key=lambda item: item[0])


def _one_line(fault: Exception) -> str:
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(fault)).strip() or type(fault).__name__
    if isinstance(fault, KeyError):
        text = f"unknown {text}"
    return " ".join(text.split())
