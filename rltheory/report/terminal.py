"""Answers as a reader at a terminal sees them: how far they may be trusted comes first.

A table with one row per source, its second column the bracket of the optimal value; under it
one plain sentence per source; under that, value and policy of grid worlds. Where the terminal
is too narrow for the table, the same cells are written one below the other: a bracket is never
cut. Into a pipe or a file everything goes without colours and at its natural width.
"""

from collections.abc import Sequence
from typing import TextIO

import numpy as np
from numpy.typing import NDArray
from rich.box import SIMPLE_HEAD
from rich.console import Console, JustifyMethod
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.model import MDP
from rltheory.report.answer import Answer
from rltheory.report.brackets import at_most, bracket
from rltheory.report.grid import draw

_NO_TERMINAL = 10_000
"""Columns where there is no terminal: wider than anything written."""

_LEAST_FOLDED = 16

COLUMNS = (
    "source",
    "optimal value V*",
    "gap",
    "tolerance",
    "method",
    "iterations",
    "seconds",
    "states x actions",
    "criterion",
)
NAMED = ("state", "optimal value V*", "action")
FEW_STATES = 20
"""Up to so many states with names are listed."""
NUMBERS = ("gap", "tolerance", "iterations", "seconds")


class _Console(Console):
    """Lets the command say that the reader went away; rich would end the process itself."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def console(file: TextIO) -> Console:
    """Console that writes text as it is, at the terminal's width or, without one, at its own."""
    return _Console(
        file=file,
        width=None if file.isatty() else _NO_TERMINAL,
        markup=False,
        highlight=False,
        emoji=False,
    )


def show(answers: Sequence[Answer], out: Console) -> None:
    """Print the table, one sentence per answer, the states of small named models, the grids."""
    print_rows(out, COLUMNS, [cells(answer) for answer in answers], NUMBERS)
    for answer in answers:
        name = f"{answer.source}: " if len(answers) > 1 else ""
        out.print(Text(name + statement(answer)))
    for answer in answers:
        rows = named(answer)
        if rows:
            out.print(Text(f"\n{answer.source}"))
            print_rows(out, NAMED, rows)
    for answer in answers:
        for line in drawing(answer, out):
            out.print(line, no_wrap=True, overflow="ignore", crop=False)


def print_rows(
    out: Console,
    columns: Sequence[str],
    rows: Sequence[Sequence[str | Text]],
    numbers: Sequence[str] = (),
    folded: Sequence[str] = (),
) -> None:
    """Print a table, or where the terminal is too narrow for it, the cells of each row in a list.

    Columns named in `numbers` are aligned at the right. Where that helps, cells of those in
    `folded` are broken at blanks, and so are all headings.
    """
    wide = out.options.update(width=_NO_TERMINAL)
    table = _table(columns, rows, numbers)
    if Measurement.get(out, wide, table).maximum <= out.width:
        out.print(table)
        return
    table = _table(columns, rows, numbers, folded)
    if folded and Measurement.get(out, wide, table).minimum <= out.width:
        out.print(table)
        return
    for row in rows:
        out.print(_list(columns, row))


def cells(answer: Answer) -> tuple[str, ...]:
    """One row of the table, in the order of `COLUMNS`."""
    mdp = answer.mdp
    return (
        answer.source,
        optimum(answer),
        at_most(answer.gap, 3),
        at_most(answer.tol, 3),
        answer.method,
        str(answer.iterations),
        f"{answer.seconds:.3f}",
        f"{mdp.n_states} x {mdp.n_actions}",
        answer.criterion + _of(answer),
    )


def optimum(answer: Answer) -> str:
    """Bracket of the start law's optimal value or gain; without one, of the extreme states'."""
    kind = "gain, " if answer.quantity == "gain" else ""
    if answer.start is not None:
        return f"{kind}start {bracket(*answer.start)}"
    if answer.least is None or answer.largest is None:
        return "no bracket"
    return f"{kind}min {bracket(*answer.least)}, max {bracket(*answer.largest)}"


def statement(answer: Answer) -> str:
    """What is known, in one sentence, and the solver's note.

    The gap bounds both |value - V*| and what the policy loses: value, V^policy and V* of a
    state all lie between the same two bounds.
    """
    note = f" ({answer.note})" if answer.note else ""
    when = "" if answer.horizon is None else " at every stage"
    if answer.lower is None:
        return f"nothing certified: {answer.failure}{note}"
    if answer.exact:
        return f"exact: every state's optimal {answer.quantity}{when} is a rational number{note}"
    within = f"every state's optimal {answer.quantity}{when} is within {at_most(answer.gap, 3)}"
    loss = "and the policy loses no more than that"
    if answer.failure:
        wide = f"above the tolerance {at_most(answer.tol, 3)}"
        return f"certified, but {wide}: {within}, {loss}; {answer.failure}{note}"
    return f"certified: {within}, {loss}{note}"


def named(answer: Answer) -> list[tuple[str, str, str]]:
    """Each state with its bracket and action, where these have names and are few."""
    mdp = answer.mdp
    if answer.lower is None or answer.upper is None or answer.policy is None:
        return []
    if mdp.layout is not None or mdp.n_states > FEW_STATES:
        return []
    if mdp.state_labels is None and mdp.action_labels is None:
        return []
    lower, upper, policy = map(answer.now, (answer.lower, answer.upper, answer.policy))
    rows = []
    for s in range(mdp.n_states):
        state = f" {mdp.state_labels[s]}" if mdp.state_labels is not None else ""
        action = int(policy[s])
        label = str(action) if mdp.action_labels is None else mdp.action_labels[action]
        rows.append((f"{s}{state}", bracket(lower[s], upper[s]), label))
    return rows


def drawing(answer: Answer, out: Console) -> list[Text]:
    """Value and policy of a grid world, under a title; nothing for other models."""
    layout = answer.mdp.layout
    if layout is None or answer.value is None or answer.policy is None:
        return []
    stage = "" if answer.horizon is None else ", stage 0"
    picture = draw(
        layout,
        answer.now(answer.value),
        answer.now(answer.policy),
        unmoving(answer.mdp),
        out.width,
        out.encoding,
        out.color_system is not None,
    )
    return [Text(), Text(f"{answer.source}{stage}"), *picture]


def unmoving(mdp: MDP | EpisodicMDP) -> NDArray[np.bool_]:
    """States from which every move ends or stays: boolean array of shape (S,)."""
    transitions = mdp.transitions
    origin = np.repeat(mdp.states, np.diff(transitions.indptr))
    leaves = np.zeros(mdp.n_states, dtype=np.bool_)
    leaves[origin[transitions.indices != origin]] = True
    return ~leaves


def _of(answer: Answer) -> str:
    if answer.horizon is not None:
        return f" {answer.horizon}"
    return "" if answer.discount is None else f" {answer.discount}"


def _table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str | Text]],
    numbers: Sequence[str],
    folded: Sequence[str] = (),
) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for name in columns:
        heading = name.replace(" ", "\n") if folded else name
        justify: JustifyMethod = "right" if name in numbers else "left"
        least = _LEAST_FOLDED if name in folded else None
        table.add_column(heading, justify=justify, no_wrap=name not in folded, min_width=least)
    for row in rows:
        table.add_row(*map(_text, row))
    return table


def _text(cell: str | Text) -> Text:
    return cell if isinstance(cell, Text) else Text(cell)


def _list(columns: Sequence[str], row: Sequence[str | Text]) -> Table:
    """The cells of one row below each other; long ones are broken, never cut."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, cell in zip(columns, row, strict=True):
        table.add_row(name, _text(cell))
    return table
