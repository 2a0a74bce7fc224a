"""A model as the explicit formats of model checkers can hold it.

The problem: these formats know no endings, no stages, no discount and no law of rewards. An
ending becomes one more state, the last, which keeps to itself for reward 0 and has the label
`EXIT_LABEL`. Rewards are means. A discount is not written; stages are refused. Numbers are
written so that they are read back as the same doubles or fractions.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rltheory.errors import ModelError
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.listing import EXIT_LABEL
from rltheory.mdp.model import MDP

__all__ = ["Written", "written"]

_WORD = re.compile(r'[^\s"\[\]]+')
_RESERVED = ("init", "deadlock", EXIT_LABEL)


@dataclass(frozen=True)
class Written:
    """The texts to be written; pointers as in the canonical arrays.

    Parameters
    ----------
    n_states : int
        With the state that stands for the end.
    state_ptr, row_ptr, col : list of int
    prob, reward : list
        Numbers whose ``str`` is what is written: of each transition, of each row.
    action : list of str
        Name of each row's action, one word: its label, else its number.
    place : list of int
        Position of each row among those of its state.
    words : list of list of str
        Labels of each state.
    """

    n_states: int
    state_ptr: list[int]
    row_ptr: list[int]
    col: list[int]
    prob: list[Any]
    reward: list[Any]
    action: list[str]
    place: list[int]
    words: list[list[str]]


def written(mdp: MDP | EpisodicMDP, target: Path) -> Written:
    """What of a model goes into a file.

    Raises
    ------
    ModelError
        If the model has stages, or a label cannot be written.
    """
    if isinstance(mdp, EpisodicMDP):
        raise ModelError(
            f"{target}: an EpisodicMDP has stages, which {target.suffix} files do not; "
            ".npz files do"
        )
    arrays = mdp.arrays()
    state_ptr, row_ptr, col, prob, reward, ends = (
        np.asarray(arrays[key]).tolist()
        for key in ("state_ptr", "row_ptr", "col", "prob", "reward", "exit")
    )
    words: list[list[str]] = []
    if mdp.state_labels is None:
        words += [[] for _ in range(mdp.n_states)]
    for s, label in enumerate(mdp.state_labels or ()):
        words.append(label.split())
        for word in words[-1]:
            if not _WORD.fullmatch(word) or word in _RESERVED:
                raise ModelError(
                    f"{target}: the label of state {s}, {label!r}, has the word {word!r}, which "
                    f"{target.suffix} files cannot hold"
                )
    if mdp.initial is not None:
        start = np.flatnonzero(mdp.initial)
        if len(start) != 1:
            raise ModelError(
                f"{target}: the start law has {len(start)} states; {target.suffix} files hold one"
            )
        words[start[0]].append("init")
    action = list(map(_action_word(mdp, target), mdp.actions.tolist()))
    place = [r - state_ptr[s] for s, r in zip(mdp.states.tolist(), range(len(action)), strict=True)]
    n_states = mdp.n_states
    if any(ends):
        row_ptr, col, prob = _with_exit(row_ptr, col, prob, ends, n_states)
        words.append([EXIT_LABEL])
        action.append(action[state_ptr[-2]])
        place.append(0)
        reward.append(reward[0] * 0)
        state_ptr.append(len(action))
        n_states += 1
    return Written(n_states, state_ptr, row_ptr, col, prob, reward, action, place, words)


def _with_exit(
    row_ptr: list[int], col: list[int], prob: list[Any], ends: list[Any], last: int
) -> tuple[list[int], list[int], list[Any]]:
    """The rows with their endings as transitions to `last`, and that state's own row."""
    pointers, cols, probs = [0], [], []
    for r, end in enumerate(ends):
        cols += col[row_ptr[r] : row_ptr[r + 1]]
        probs += prob[row_ptr[r] : row_ptr[r + 1]]
        if end:
            cols.append(last)
            probs.append(end)
        pointers.append(len(cols))
    return [*pointers, len(cols) + 1], [*cols, last], [*probs, 1]


def _action_word(mdp: MDP | EpisodicMDP, target: Path) -> Any:
    labels = mdp.action_labels
    if labels is None:
        return str
    seen: set[str] = set()
    for a, label in enumerate(labels):
        known = len(seen)
        seen.add(label)
        if not _WORD.fullmatch(label) or len(seen) == known:
            raise ModelError(
                f"{target}: the label of action {a} is {label!r}; {target.suffix} files take one "
                "word, and each action its own"
            )
    return labels.__getitem__
