"""Storm's explicit format DRN ("direct encoding"): one text file, read and written.

The problem: sections ``@type: MDP`` (or DTMC), ``@parameters``, ``@reward_models``,
``@nr_states``, ``@nr_choices`` and ``@model``; then for each state, in order,

    state 0 [1] init agree          rewards of the state, one a reward model, and its labels
        action flip [0]             a choice, with its rewards; __NOLABEL__ where it has no name
            1 : 0.5                 target : probability, a decimal or a ratio such as 1/3
            2 : 1/2

and lines that start with ``//`` are comments. Storm writes ten digits of a probability unless
told otherwise; rows must sum to 1 within 1e-9 all the same, and mean themselves divided by
their sum. Parametric and interval models, models in continuous time and partially observable
ones are refused by name. What becomes of choices, labels and rewards: `rltheory.mdp.explicit`.

Reference: Storm's documentation, "DRN input format"; what Storm 1.13 (stormpy 2.0) writes.
"""

import itertools
import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from rltheory.mdp.drafts import replacing
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.listing import Explicit, RewardModel, sorted_entries
from rltheory.mdp.model import MDP
from rltheory.mdp.model_text import ModelText, shown
from rltheory.mdp.written import Written, written

__all__ = ["read_drn", "write_drn"]

_STATE = re.compile(r"state\s+(\S+)(?:\s*\[([^\]]*)\])?(.*)", re.ASCII)
_ACTION = re.compile(r"action\s+(\S+)(?:\s*\[([^\]]*)\])?\s*", re.ASCII)
_LABEL = re.compile(r'\s*(?:"([^"]+)"|([^\s"]+))(?=\s|"|$)')
_NAMELESS = "__NOLABEL__"
_TYPES = {"MDP": True, "DTMC": False}
_SECTIONS = ("@parameters", "@placeholders", "@reward_models", "@nr_states", "@nr_choices")


class _Reader:
    """What has been read of a file so far."""

    def __init__(self, name: str, exact: bool) -> None:
        self.text = ModelText.read(name)
        self.exact = exact
        self.is_mdp = True
        self.n_states = 0
        self.n_choices: int | None = None
        self.reward_names: list[str] = []
        self.width: int | None = None  # numbers in each vector of rewards
        # One entry a state, a choice, a transition; where it stands is kept for errors.
        self.state_line: list[int] = []
        self.choice_line: list[int] = []
        self.choice_state: list[int] = []
        self.choice_name: list[str] = []
        self.labels: dict[str, list[int]] = {}
        self.state_words: list[str] = []
        self.state_rewards: list[tuple[int, str]] = []  # (state, numbers), where there are any
        self.choice_rewards: list[tuple[int, str]] = []
        self.targets: list[str] = []
        self.chances: list[str] = []
        self.transition_line: list[int] = []
        self.transition_row: list[int] = []

    # --- the header ---------------------------------------------------------------------

    def header(self) -> int:
        """Read the sections before the model; returns the index of the line after ``@model``."""
        fault, lines = self.text.fault, self.text.lines
        seen: set[str] = set()
        i = 0
        while i < len(lines):
            line, number = lines[i].strip(), i + 1
            i += 1
            if not line or line.startswith("//"):
                continue
            section = line.split(":")[0].strip()
            if section in seen:
                raise fault(number, f"section {section} is there twice")
            seen.add(section)
            if section == "@type":
                self._type(number, line.partition(":")[2].strip())
            elif section == "@value_type":
                kind = line.partition(":")[2].strip()
                if kind not in ("double", "rational"):
                    raise fault(
                        number, f"values are {kind!r}; double and rational ones can be read"
                    )
            elif line == "@model":
                for needed in ("@type", "@nr_states"):
                    if needed not in seen:
                        raise fault(number, f"section {needed} is missing before @model")
                return i
            elif line in _SECTIONS:
                content = lines[i].strip() if i < len(lines) else ""
                i += not content.startswith("@")
                self._section(line, i, "" if content.startswith("@") else content)
            else:
                raise fault(number, f"{line[:60]!r} is not a section of a DRN file")
        raise fault(len(lines), "the file ends before @model")

    def _type(self, number: int, kind: str) -> None:
        if kind.upper() not in _TYPES:
            raise self.text.fault(
                number, f"the model is of type {kind!r}; types that can be read: MDP, DTMC"
            )
        self.is_mdp = _TYPES[kind.upper()]

    def _section(self, name: str, number: int, content: str) -> None:
        if name in ("@parameters", "@placeholders"):
            if content:
                raise self.text.fault(
                    number, f"{name} is not empty ({shown(content)}); give the parameters values"
                )
        elif name == "@reward_models":
            self.reward_names = content.split()
            if len(set(self.reward_names)) != len(self.reward_names):
                raise self.text.fault(number, "two reward models have the same name")
        elif name == "@nr_states":
            self.n_states = self.text.count(number, content, "states")
            if self.n_states < 1:
                raise self.text.fault(number, "the model has no states")
        else:
            self.n_choices = self.text.count(number, content, "choices")

    # --- the model ----------------------------------------------------------------------

    def body(self, start: int) -> None:
        """Read the lines after ``@model``."""
        targets, chances = self.targets, self.chances
        where, rows = self.transition_line, self.transition_row
        row = -1
        opened = False  # whether the latest state has a choice
        lines = self.text.lines
        for number, line in enumerate(itertools.islice(lines, start, None), start + 1):
            line = line.strip()
            if not line:
                continue
            if line[0] in "0123456789":
                target, colon, chance = line.partition(":")
                if not colon:
                    raise self.text.fault(number, f"{line[:60]!r} is not 'target : probability'")
                if not opened:  # Storm reads a first choice that is not announced
                    self._choice(number, "", "")
                    row += 1
                    opened = True
                targets.append(target.strip())
                chances.append(chance.strip())
                where.append(number)
                rows.append(row)
            elif line.startswith("action"):
                match = _ACTION.fullmatch(line)
                if match is None:
                    raise self.text.fault(number, f"{line[:60]!r} is not 'action name [rewards]'")
                if opened and not self.is_mdp:
                    raise self.text.fault(number, "a state of a DTMC has a second action")
                name = match[1]
                self._choice(number, "" if name == _NAMELESS else name, match[2])
                row += 1
                opened = True
            elif line.startswith("state"):
                self._state(number, line)
                opened = False
            elif not line.startswith("//"):
                raise self.text.fault(
                    number, f"{line[:60]!r} is neither a state, an action nor a transition"
                )

    def _choice(self, number: int, name: str, rewards: str | None) -> None:
        if not self.state_line:
            raise self.text.fault(number, "a choice stands before the first state")
        self.choice_line.append(number)
        self.choice_state.append(len(self.state_line) - 1)
        self.choice_name.append(self.text.printable(number, name, "an action"))
        if rewards:
            self.choice_rewards.append((len(self.choice_line) - 1, rewards))

    def _state(self, number: int, line: str) -> None:
        fault = self.text.fault
        match = _STATE.fullmatch(line)
        if match is None:
            raise fault(number, f"{line[:60]!r} is not 'state number [rewards] labels'")
        state = len(self.state_line)
        if match[1] != str(state):
            raise fault(number, f"state {shown(match[1])} stands where state {state} should")
        if state >= self.n_states:
            raise fault(number, f"there are more states than the {self.n_states} of @nr_states")
        self.state_line.append(number)
        if match[2]:
            self.state_rewards.append((state, match[2]))
        rest, at, words = match[3], 0, []
        while rest[at:].strip():
            label = _LABEL.match(rest, at)
            if label is None:
                raise fault(number, f"{rest[at:].strip()[:60]!r} is not a label")
            word = self.text.printable(number, label[1] or label[2], "a label")
            at = label.end()
            words.append(word)
            states = self.labels.setdefault(word, [])
            if not states or states[-1] != state:
                states.append(state)
        self.state_words.append(" ".join(word for word in words if word != "init"))

    # --- the whole ----------------------------------------------------------------------

    def listing(self) -> Explicit:
        self.body(self.header())
        text, rows = self.text, len(self.choice_line)
        if len(self.state_line) != self.n_states:
            raise text.fault(
                len(text.lines),
                f"the file ends after {len(self.state_line)} of the {self.n_states} states "
                "of @nr_states",
            )
        if self.n_choices is not None and self.n_choices != rows:
            raise text.fault(
                len(text.lines), f"the file has {rows} choices; @nr_choices says {self.n_choices}"
            )
        line = np.array(self.transition_line, dtype=np.int64)
        row = np.array(self.transition_row, dtype=np.int64)
        empty = np.flatnonzero(np.bincount(row, minlength=rows) == 0)
        if len(empty):
            raise text.fault(self.choice_line[empty[0]], "this action has no transitions")
        col = text.integers(self.targets, self.transition_line.__getitem__, "a state")
        prob = text.numbers(
            self.chances, self.transition_line.__getitem__, "a probability", self.exact
        )
        order = sorted_entries(text, self.n_states, row, col, prob, line)
        return Explicit(
            name=text.name,
            n_states=self.n_states,
            state=np.array(self.choice_state, dtype=np.int64),
            choice=self.choice_name,
            row_ptr=np.searchsorted(row[order], np.arange(rows + 1)),
            col=col[order],
            prob=prob[order],
            labels={name: np.array(states) for name, states in self.labels.items()},
            rewards=self._reward_models(rows),
            state_labels=tuple(self.state_words) if any(self.state_words) else None,
        )

    def _reward_models(self, rows: int) -> dict[str, RewardModel]:
        parts: list[Any] = []
        for listed, size, lines in (
            (self.state_rewards, self.n_states, self.state_line),
            (self.choice_rewards, rows, self.choice_line),
        ):
            split = [vector.split(",") for _, vector in listed]
            for (place, _), vector in zip(listed, split, strict=True):
                self._check_width(len(vector), lines[place])
            if not listed:
                parts.append(None)
                continue
            places = np.array([place for place, _ in listed], dtype=np.int64)
            width = self.width or 1
            flat = self.text.numbers(
                [x.strip() for vector in split for x in vector],
                lambda i, w=width, p=places, at=lines: at[p[i // w]],  # type: ignore[misc]
                "a reward",
                self.exact,
            )
            table: Any = np.zeros((size, width), dtype=flat.dtype)
            table[:] = Fraction(0) if self.exact else 0.0
            table[places] = flat.reshape(-1, width)
            parts.append(table)
        names = self.reward_names
        width = self.width or len(names)
        if not names:  # Storm writes the reward model without a name like none
            names = [""] if width == 1 else [f"rew{i}" for i in range(width)]
        by_state, by_choice = parts
        return {
            name: RewardModel(
                state=None if by_state is None else by_state[:, i],
                choice=None if by_choice is None else by_choice[:, i],
            )
            for i, name in enumerate(names)
        }

    def _check_width(self, found: int, line: int) -> None:
        wanted = len(self.reward_names) or self.width
        if wanted and found != wanted:
            raise self.text.fault(line, f"{found} rewards stand where {wanted} should")
        self.width = found


def read_drn(name: str, exact: bool = False) -> Explicit:
    """The listing in a DRN file.

    Parameters
    ----------
    name : str
    exact : bool
        Keep numbers as fractions.

    Raises
    ------
    ModelError
        If the file is not in this format or not of an MDP or DTMC; names the line.
    """
    return _Reader(name, exact).listing()


def write_drn(mdp: MDP | EpisodicMDP, target: Path) -> None:
    """Write a model; see `rltheory.save` for what a file of this kind holds."""
    model = written(mdp, target)
    with replacing(target) as draft, draft.open("x", encoding="utf-8", newline="\n") as file:
        file.writelines(_lines(model))


def _lines(model: Written) -> Iterator[str]:
    kind = "rational" if isinstance(model.reward[0], Fraction) else "double"
    yield f"@type: MDP\n@value_type: {kind}\n@parameters\n\n@reward_models\nreward\n"
    yield f"@nr_states\n{model.n_states}\n@nr_choices\n{len(model.action)}\n@model\n"
    for s in range(model.n_states):
        words = " ".join(model.words[s])
        yield f"state {s} [0] {words}\n" if words else f"state {s} [0]\n"
        for r in range(model.state_ptr[s], model.state_ptr[s + 1]):
            yield f"\taction {model.action[r]} [{model.reward[r]}]\n"
            entries = range(model.row_ptr[r], model.row_ptr[r + 1])
            yield "".join([f"\t\t{model.col[i]} : {model.prob[i]}\n" for i in entries])
