"""PRISM's explicit files: transitions (.tra), labels (.lab), states (.sta), rewards.

The problem: one model in several text files of columns, which PRISM exports and imports, and
which Storm reads in a dialect of its own. Both dialects are read, PRISM's is written.

- ``.tra``: for an MDP the sizes ``states choices transitions``, then lines ``state choice target
  probability [action]``; for a DTMC ``states transitions``, then ``state target probability``.
  Storm has the word ``mdp`` or ``dtmc`` in place of the sizes. Lines come in any order.
- ``.lab``: ``0="init" 1="deadlock" 2="goal"``, then ``state: 0 2``; in Storm the names between
  ``#DECLARATION`` and ``#END``, then ``state init goal``. Without a file state 0 is the start.
- ``.sta``: ``(s,d)``, then ``0:(0,0)``: names of states, ``s=0,d=0``.
- rewards: sizes (none in Storm), then ``state reward``, or the columns of transitions with a
  reward in place of the probability. PRISM's headers ``# Reward structure "name"`` name a reward
  model; else the part between does: ``model.NAME.trew``, or a number, ``model2.trew``.

Numbers are decimals or ratios such as 1/3. Beside ``model.tra``, the files of that name are
found: ``model.lab``, ``model.sta``, and ``model*.srew``, ``.trew``, ``.rew``, ``.rews``, ``.rewt``.

Reference: the PRISM manual, "Explicit Model Files"; Storm's documentation, "Languages".
"""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import ModelError
from rltheory.mdp.columns import Columns, read_columns
from rltheory.mdp.drafts import replacing
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.listing import Explicit, sorted_entries
from rltheory.mdp.model import MDP
from rltheory.mdp.model_text import ModelText
from rltheory.mdp.prism_rewards import read_rewards, reward_files
from rltheory.mdp.written import Written, written

__all__ = ["read_tra", "write_tra"]

_DECLARED = re.compile(r'\s*(\d+)="([^"]+)"', re.ASCII)
_STATE = re.compile(r"(\d+):\((.*)\)", re.ASCII)
_NUMBER = re.compile(r"[-+]?[\d.]+(?:[eE/][-+]?\d+)?", re.ASCII)
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_Path = str | os.PathLike[str]


def read_tra(
    name: str,
    labels: _Path | None = None,
    rewards: _Path | Sequence[_Path] | None = None,
    exact: bool = False,
) -> Explicit:
    """The listing in a ``.tra`` file and the files that go with it.

    Parameters
    ----------
    name : str
    labels, rewards : paths, optional
        In place of the files of the same name.
    exact : bool
        Keep numbers as fractions.
    """
    text = ModelText.read(name)
    first, is_mdp, sizes = _tra_header(text)
    width = 4 if is_mdp else 3
    columns = read_columns(text, first, width, 1, "a probability", exact)
    at = columns.at
    state, col, prob = columns.whole[0], columns.whole[-1], columns.value
    choice = columns.whole[1] if is_mdp else np.zeros_like(state)
    if sizes:
        n_states = sizes[0]
        if len(state) != sizes[-1]:
            raise text.fault(
                first, f"the file has {len(state)} transitions; its first line says {sizes[-1]}"
            )
    else:
        n_states = max(int(state.max(initial=-1)), int(col.max(initial=-1))) + 1
    if n_states > 2 * len(state):  # each is left or entered somewhere
        where = first if sizes else at(np.argmax(np.maximum(state, col)))
        raise text.fault(where, f"there are {n_states} states for {len(state)} transitions")
    for i in np.flatnonzero(state >= n_states)[:1]:
        raise text.fault(at(i), f"state {state[i]} is none of 0..{n_states - 1}")
    for i in np.flatnonzero(choice >= len(choice))[:1]:
        raise text.fault(at(i), f"choice {choice[i]} is above all that the file lists")
    keys = state * max(len(choice), 1) + choice
    kinds, leader, row = np.unique(keys, return_index=True, return_inverse=True)
    if is_mdp and sizes and len(kinds) != sizes[1]:
        raise text.fault(
            first, f"the file has {len(kinds)} choices; its first line says {sizes[1]}"
        )
    order = sorted_entries(text, n_states, row, col, prob, columns.line)
    _check_actions(text, columns, row, leader)
    listing = Explicit(
        name=name,
        n_states=n_states,
        state=state[leader],
        choice=_names(columns.rest, choice, leader, is_mdp),
        row_ptr=np.searchsorted(row[order], np.arange(len(kinds) + 1)),
        col=col[order],
        prob=prob[order],
    )
    path = Path(name)
    found = path.with_suffix(".lab") if labels is None else Path(labels)
    if labels is not None or found.is_file():
        listing.labels = _read_labels(os.fspath(found), n_states)
    else:
        listing.labels = {"init": np.zeros(1, dtype=np.int64)}
    sta = path.with_suffix(".sta")
    if sta.is_file():
        listing.state_labels = _read_states(os.fspath(sta), n_states)
    elif listing.labels.keys() - {"init"}:
        words: list[list[str]] = [[] for _ in range(n_states)]
        for label, states in listing.labels.items():
            for s in states.tolist() if label not in ("init", "deadlock") else ():
                words[s].append(label)
        listing.state_labels = tuple(map(" ".join, words))
    if rewards is None:
        files = reward_files(path)
    else:
        files = (
            [Path(rewards)]
            if isinstance(rewards, str | os.PathLike)
            else [Path(file) for file in rewards]
        )
    for file in files:
        read_rewards(file, path, listing, kinds, is_mdp, exact)
    return listing


# --- transitions ------------------------------------------------------------------------------


def _tra_header(text: ModelText) -> tuple[int, bool, list[int]]:
    """Number of the header's line, whether it is an MDP, and the sizes where it has them."""
    for number, line in enumerate(text.lines, 1):
        words = line.split()
        if not words or line.startswith("#"):
            continue
        if words in (["mdp"], ["dtmc"]):
            return number, words == ["mdp"], []
        if len(words) in (2, 3):
            names = ("states", "choices", "transitions")[:: 3 - len(words) + 1]
            sizes = [text.count(number, w, n) for w, n in zip(words, names, strict=True)]
            if sizes[0] < 1:
                raise text.fault(number, "the model has no states")
            return number, len(words) == 3, sizes
        raise text.fault(
            number,
            f"{line.strip()[:60]!r} is not 'states choices transitions' (MDP), "
            "'states transitions' (DTMC), 'mdp' or 'dtmc'",
        )
    raise text.fault(len(text.lines), "the file has no line of sizes")


def _check_actions(
    text: ModelText, columns: Columns, row: NDArray[np.int64], leader: NDArray[np.int64]
) -> None:
    """Refuse a choice whose transitions name different actions, and numbers for names.

    Actions are identifiers; where one is a number the first line says "DTMC" of an MDP.
    """
    if not any(columns.rest):
        return
    names = set(columns.rest)
    wrong = {name for name in names if _NUMBER.fullmatch(name) or not name.isprintable()}
    for i, name in enumerate(columns.rest if wrong else ()):
        if name in wrong:
            text.printable(columns.at(i), name, "an action")
            raise text.fault(
                columns.at(i),
                f"the action is {name!r}, a number; lines of {len(columns.whole) + 2} columns "
                "end in a name (of an MDP, the first line has three sizes)",
            )
    for i, r in enumerate(row.tolist()):
        if columns.rest[i] != columns.rest[leader[r]]:
            raise text.fault(
                int(columns.line[i]),
                f"the action is {columns.rest[i]!r} here and {columns.rest[leader[r]]!r} in line "
                f"{columns.line[leader[r]]}, for the same choice",
            )


def _names(
    rest: list[str], choice: NDArray[np.int64], leader: NDArray[np.int64], is_mdp: bool
) -> list[str]:
    """Name of each choice; where none has one, their numbers are names."""
    if any(rest):
        return [rest[i] for i in leader.tolist()]
    return [str(choice[i]) for i in leader.tolist()] if is_mdp else [""] * len(leader)


# --- labels and states ------------------------------------------------------------------------


def _read_labels(name: str, n_states: int) -> dict[str, NDArray[np.int64]]:
    text = ModelText.read(name)
    lines = [
        (number, line.strip())
        for number, line in enumerate(text.lines, 1)
        if line.strip() and (not line.startswith("#") or line.strip() in ("#DECLARATION", "#END"))
    ]
    if not lines:
        raise text.fault(1, "the file declares no labels")
    number, head = lines[0]
    states: dict[str, list[int]] = {}
    if head == "#DECLARATION":
        ends = [i for i, (_, line) in enumerate(lines) if line == "#END"]
        if not ends:
            raise text.fault(number, "#DECLARATION has no #END")
        states = {
            text.printable(n, label, "a label"): []
            for n, line in lines[1 : ends[0]]
            for label in line.split()
        }
        keys = {label: label for label in states}
        lines = [(n, line.replace(":", " ", 1)) for n, line in lines[ends[0] + 1 :]]
    else:
        keys, at = {}, 0
        while at < len(head):
            match = _DECLARED.match(head, at)
            if match is None or match[2] in states or match[1] in keys:
                raise text.fault(number, f'{head[at : at + 60]!r} is not of the form 0="init"')
            label = text.printable(number, match[2], "a label")
            keys[match[1]], states[label], at = label, [], match.end()
        lines = lines[1:]
    seen: set[int] = set()
    for number, line in lines:
        where, colon, content = line.partition(":" if ":" in line else " ")
        state = int(text.integers([where.strip()], lambda _, n=number: n, "a state")[0])  # type: ignore[misc]
        if state >= n_states:
            raise text.fault(number, f"state {state} is none of 0..{n_states - 1}")
        if state in seen:
            raise text.fault(number, f"the labels of state {state} are given twice")
        seen.add(state)
        for key in content.split():
            if key not in keys:
                raise text.fault(number, f"label {key[:60]!r} is not declared")
            if states[keys[key]][-1:] != [state]:
                states[keys[key]].append(state)
        if not colon:
            raise text.fault(number, f"{line[:60]!r} names no labels")
    return {label: np.array(sorted(found), dtype=np.int64) for label, found in states.items()}


def _read_states(name: str, n_states: int) -> tuple[str, ...]:
    """Names of states from the values of their variables."""
    text = ModelText.read(name)
    lines = [(n, line.strip()) for n, line in enumerate(text.lines, 1) if line.strip()]
    lines = [(n, line) for n, line in lines if not line.startswith("#")]
    number, head = lines[0] if lines else (1, "")
    if not (head.startswith("(") and head.endswith(")")):
        raise text.fault(number, "the names of the variables, as in '(s,d)', are missing")
    variables = text.printable(number, head, "names of variables")[1:-1].split(",")
    found: dict[int, str] = {}
    for number, line in lines[1:]:
        match = _STATE.fullmatch(line)
        values = match[2].split(",") if match else []
        if match is None or len(values) != len(variables):
            raise text.fault(number, f"{line[:60]!r} is not 'state:(values)', as in '0:(0,0)'")
        text.printable(number, line, "a name of a state")
        state = int(text.integers([match[1]], lambda _, n=number: n, "a state")[0])  # type: ignore[misc]
        if state >= n_states or state in found:
            raise text.fault(number, f"state {state} is there twice or above {n_states - 1}")
        pairs = zip(variables, values, strict=True)
        found[state] = ",".join(f"{variable.strip()}={value.strip()}" for variable, value in pairs)
    if len(found) != n_states:
        raise text.fault(number, f"{len(found)} of the {n_states} states are listed")
    return tuple(found[s] for s in range(n_states))


# --- writing ----------------------------------------------------------------------------------


def write_tra(mdp: MDP | EpisodicMDP, target: Path) -> None:
    """Write ``.tra``, ``.lab`` and ``.trew``; see `rltheory.save` for what they hold."""
    model = written(mdp, target)
    names = target.with_suffix(".lab"), target.with_suffix(".trew")
    with replacing(names[0]) as labels, replacing(names[1]) as rewards, replacing(target) as draft:
        for path, lines in (
            (draft, _transition_lines(model, mdp)),
            (labels, _label_lines(model)),
            (rewards, _reward_lines(model)),
        ):
            with path.open("x", encoding="utf-8", newline="\n") as file:
                file.writelines(lines)


def _transition_lines(model: Written, mdp: MDP | EpisodicMDP) -> Iterator[str]:
    # PRISM takes identifiers for actions; numbers are written where they are not the places.
    named = mdp.action_labels is not None and all(map(_IDENTIFIER.fullmatch, model.action))
    if mdp.action_labels is not None and not named:
        wrong = next(a for a in model.action if not _IDENTIFIER.fullmatch(a))
        raise ModelError(f"action {wrong!r} is no identifier, which .tra files need")
    if not named:
        named = any(name != str(k) for name, k in zip(model.action, model.place, strict=True))
        names = [f" a{name}" if named else "" for name in model.action]
    else:
        names = [f" {name}" for name in model.action]
    yield f"{model.n_states} {len(model.action)} {len(model.col)}\n"
    for s, k, name, r in _rows(model, names):
        for i in range(model.row_ptr[r], model.row_ptr[r + 1]):
            yield f"{s} {k} {model.col[i]} {model.prob[i]}{name}\n"


def _rows(model: Written, names: list[str]) -> Iterator[tuple[int, int, str, int]]:
    for s in range(model.n_states):
        for r in range(model.state_ptr[s], model.state_ptr[s + 1]):
            yield s, model.place[r], names[r], r


def _label_lines(model: Written) -> Iterator[str]:
    number = {"init": 0, "deadlock": 1}
    for words in model.words:
        for word in words:
            number.setdefault(word, len(number))
    yield " ".join(f'{i}="{word}"' for word, i in number.items()) + "\n"
    for s, words in enumerate(model.words):
        if words:
            numbers = sorted({number[word] for word in words})
            yield f"{s}: {' '.join(map(str, numbers))}\n"


def _reward_lines(model: Written) -> Iterator[str]:
    paid = [r for r, reward in enumerate(model.reward) if reward]
    entries = sum(model.row_ptr[r + 1] - model.row_ptr[r] for r in paid)
    yield '# Reward structure "reward"\n# Transition rewards\n'
    yield f"{model.n_states} {len(model.action)} {entries}\n"
    for s, k, _, r in _rows(model, model.action):
        reward = model.reward[r]
        for i in range(model.row_ptr[r], model.row_ptr[r + 1]) if reward else ():
            yield f"{s} {k} {model.col[i]} {reward}\n"
