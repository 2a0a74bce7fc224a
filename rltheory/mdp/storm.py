"""Models in the PRISM language and in JANI, built by Storm.

The problem: such a file is a program, not a table. Storm parses it, explores the states that can
be reached, and has the sparse model; stormpy hands it over. It is an optional extra, imported
only here and only when such a file is read.

- Every constant that the file leaves open needs a value: ``constants="N=3,p=0.5"``.
- All reward models and labels are built; which reward is meant is chosen afterwards, as for
  every explicit model (`rltheory.mdp.explicit`). Names of states are the values of variables.
- A goal that is no label of the file is read as an expression over its variables, such as
  ``"s=7 & d=2"``. Storm then explores no further than the goal.
- A state without choices (a deadlock) gets a loop from Storm that pays nothing, and the label
  "deadlock": the run stays there, and what the state itself would pay is left out.
- An update that leaves the range of its variable is refused, as PRISM does.
- With ``exact=True`` Storm builds in rational arithmetic, and the fractions are kept.

Reference: stormpy 2.0.
"""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import ModelError
from rltheory.mdp.listing import Explicit, RewardModel
from rltheory.mdp.model_text import one_line

__all__ = ["build_listing"]

_TYPES = ("MDP", "DTMC")
_COMMENT = re.compile(r"//[^\n]*")
_DIVISION = re.compile(r"[/%](?!\s*\d*[1-9])|\b(?:mod|pow)\b")  # by what may be 0
_TRIAL = """
import sys, stormpy
stormpy.developer.set_log_level(stormpy.developer.LogLevel.OFF)
name, constants = sys.argv[1:]
program = (
    stormpy.parse_jani_model(name)[0]
    if name.endswith(".jani")
    else stormpy.parse_prism_program(name)
)
stormpy.instantiate_constants(program, constants)
"""


def build_listing(
    name: str, constants: str | None, goal: str | None, exact: bool
) -> tuple[Explicit, str | None]:
    """Build the model of a file, and say by which label it knows the goal.

    Parameters
    ----------
    name : str
    constants : str, optional
        ``"N=3,p=0.5"``.
    goal : str, optional
        A label of the file, or an expression.
    exact : bool

    Returns
    -------
    listing : Explicit
    label : str or None

    Raises
    ------
    ModelError
        If stormpy is not installed, or Storm refuses the file, a constant or the goal.
    """
    if not Path(name).is_file():
        raise ModelError(f"{name}: there is no such file")
    try:
        import stormpy
    except ImportError:
        raise ModelError(
            f"reading {name} needs stormpy, which is not installed: pip install 'rltheory[storm]'"
        ) from None
    with _quiet(stormpy):
        try:
            program, found = _built(stormpy, name, constants, goal, exact)
        except ModelError:
            raise
        except Exception as fault:  # Storm raises RuntimeError and its own kinds
            raise ModelError(f"{name}: Storm says: {one_line(fault)}") from None
        listing = _listing(name, found, exact)
    label = goal
    if goal is not None and goal not in listing.labels:
        new = listing.labels.keys() - _labels_of(program) - {"init", "deadlock"}
        label = next(iter(new), goal)
    return listing, label


def _try_elsewhere(name: str, constants: str | None) -> None:
    """Refuse a program that kills who reads it: Storm divides integers by 0 as processors do."""
    text = Path(name).read_text(encoding="utf-8", errors="replace")
    if not name.endswith(".jani"):
        text = _COMMENT.sub("", text)
    if not (_DIVISION.search(text) or _DIVISION.search(constants or "")):
        return
    words = [sys.executable, "-c", _TRIAL, name, constants or ""]
    code = subprocess.run(words, capture_output=True, check=False).returncode
    if code < 0:
        raise ModelError(
            f"{name}: Storm crashes on it ({signal.Signals(-code).name}); does it divide by 0?"
        )


@contextmanager
def _quiet(stormpy: Any) -> Iterator[None]:
    """Keep Storm from writing to the terminal: what it has to say is in its exceptions."""
    developer = stormpy.developer
    before = developer.get_log_level()
    developer.set_log_level(developer.LogLevel.OFF)
    try:
        yield
    finally:
        developer.set_log_level(before)


def _built(
    stormpy: Any, name: str, constants: str | None, goal: str | None, exact: bool
) -> tuple[Any, Any]:
    _try_elsewhere(name, constants)
    if name.endswith(".jani"):
        program, _ = stormpy.parse_jani_model(name)
    else:
        program = stormpy.parse_prism_program(name)
    if constants:
        program, _ = stormpy.instantiate_constants(program, constants)
    if program.has_undefined_constants:
        defined = "" if not constants else f" besides {constants}"
        names = ", ".join(sorted(_undefined(program)))
        raise ModelError(f'{name} needs values for {names}{defined}: constants="NAME=VALUE,..."')
    kind = str(program.model_type).rsplit(".", 1)[-1]
    if kind not in _TYPES:
        raise ModelError(f"{name} is of type {kind}; types that can be read: MDP, DTMC")
    properties = None
    if goal is not None and goal not in _labels_of(program) | {"init", "deadlock"}:
        try:
            properties = stormpy.parse_properties(f"P=? [F ({goal})]", program)
        except Exception as fault:
            labels = ", ".join(sorted(_labels_of(program))) or "none"
            raise ModelError(
                f"{name}: goal {goal!r} is neither a label (there are: {labels}) nor an "
                f"expression: {one_line(fault)}"
            ) from None
    return program, _explored(stormpy, program, properties, exact)


def _explored(stormpy: Any, program: Any, properties: Any, exact: bool) -> Any:
    """The sparse model; without Storm's checks, what leaves its range would be wrapped by bits."""
    options = stormpy.BuilderOptions(properties, build_full=True)
    options.set_exploration_checks(True)
    in_fractions = stormpy.build_model[stormpy.Rational]
    try:
        return (in_fractions if exact else stormpy.build_model)(program, options=options)
    except RuntimeError as fault:
        # The checks hold sums of doubles, as of thirteen times 1/13, against 1 to the bit.
        if exact or "do not sum to one" not in str(fault):
            raise
    in_fractions(program, options=options)
    options.set_exploration_checks(False)
    return stormpy.build_model(program, options=options)


def _undefined(program: Any) -> set[str]:
    if hasattr(program, "get_undefined_constants"):
        return {constant.name for constant in program.get_undefined_constants()}
    return {constant.name for constant in program.constants if not constant.defined}


def _labels_of(program: Any) -> set[str]:
    """Labels that a PRISM program declares, or the transient Booleans that JANI has for them."""
    if hasattr(program, "labels"):
        return {label.name for label in program.labels}
    variables = json.loads(str(program)).get("variables", [])
    return {x["name"] for x in variables if x.get("transient") and x.get("type") == "bool"}


def _listing(name: str, found: Any, exact: bool) -> Explicit:
    """Storm's sparse model in our arrays."""
    matrix = found.transition_matrix
    lengths = [len(matrix.get_row(row)) for row in range(matrix.nr_rows)]
    entries = [(entry.column, entry.value) for entry in matrix]
    rows = np.arange(matrix.nr_rows)
    if not matrix.has_trivial_row_grouping:  # of a chain, each state has its row
        first = [matrix.get_row_group_start(s) for s in range(found.nr_states)]
        rows = np.searchsorted(first, rows, side="right") - 1
    names: list[list[str]] = [[] for _ in lengths]
    if found.has_choice_labeling():
        labeling = found.choice_labeling
        for label in sorted(labeling.get_labels()):
            for row in labeling.get_choices(label):
                names[row].append(label)
    listing = Explicit(
        name=name,
        n_states=found.nr_states,
        state=rows.astype(np.int64),
        choice=["+".join(labels) for labels in names],
        row_ptr=np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]),
        col=np.array([column for column, _ in entries], dtype=np.int64),
        prob=_numbers([value for _, value in entries], exact),
        labels={
            label: np.array(sorted(found.labeling.get_states(label)), dtype=np.int64)
            for label in sorted(found.labeling.get_labels())
        },
    )
    if found.has_state_valuations():
        listing.state_labels = _state_labels(found.state_valuations, found.nr_states)
    for reward in sorted(found.reward_models):
        listing.rewards[reward] = _reward_model(found.reward_models[reward], listing, exact)
    return listing


def _reward_model(part: Any, listing: Explicit, exact: bool) -> RewardModel:
    model = RewardModel()
    if part.has_state_rewards:
        model.state = _numbers(part.state_rewards, exact)
    if part.has_state_action_rewards:
        model.choice = _numbers(part.state_action_rewards, exact)
    if part.has_transition_rewards:
        model.transition = listing.zeros(len(listing.col))
        for row in range(len(listing.row_ptr) - 1):
            entries = slice(listing.row_ptr[row], listing.row_ptr[row + 1])
            place = {int(c): i for i, c in enumerate(listing.col[entries], entries.start)}
            for entry in part.transition_rewards.get_row(row):
                model.transition[place[entry.column]] = _number(entry.value, exact)
    return model


def _numbers(values: Any, exact: bool) -> NDArray[Any]:
    found = [_number(value, exact) for value in values]
    out = np.empty(len(found), dtype=object if exact else np.float64)
    out[:] = found
    return out


def _number(value: Any, exact: bool) -> Any:
    return Fraction(str(value)) if exact else float(value)


def _state_labels(valuations: Any, n_states: int) -> tuple[str, ...]:
    """``s=0,d=0``: the value of each variable (Storm's own text leaves out what is true)."""
    parts = []
    for variable in valuations.get_all_variables():
        if variable.has_boolean_type():
            true = set(valuations.get_boolean_values(variable))
            values = ["true" if s in true else "false" for s in range(n_states)]
        elif variable.has_integer_type():
            values = list(map(str, valuations.get_int64_values(variable)))
        else:
            values = list(map(str, valuations.get_rational_values(variable)))
        parts.append([f"{variable.name}={value}" for value in values])
    return tuple(map(",".join, zip(*parts, strict=True))) if parts else ("",) * n_states
