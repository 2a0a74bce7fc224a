"""Tables, sentences and drawings, as they stand in a terminal and in a pipe."""

import io
import math
from fractions import Fraction

import numpy as np
import pytest

from rltheory.mdp.gridworld import gridworld
from rltheory.mdp.model import MDP
from rltheory.report.answer import Answer
from rltheory.report.terminal import console, show, statement, unmoving


class Screen(io.StringIO):
    """A terminal that keeps what is written."""

    encoding = "utf-8"

    def isatty(self):
        return True


def pipe(*answers):
    out = io.StringIO()
    show(answers, console(out))
    return [line.rstrip() for line in out.getvalue().splitlines()]


def screen(monkeypatch, columns, *answers):
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("LINES", "24")
    monkeypatch.setenv("TERM", "xterm-256color")
    out = Screen()
    show(answers, console(out))
    return out.getvalue()


@pytest.fixture(scope="module")
def chain():
    """Two states: 0 goes to 1, 1 stays; both pay 1."""
    return MDP.deterministic(
        np.array([[1], [1]]), np.array([[1.0], [1.0]]), discount=0.5, initial=np.array([1.0, 0.0])
    )


@pytest.fixture
def answer(chain):
    return Answer(
        source="models/[red]chain.npz",
        mdp=chain,
        criterion="discounted",
        method="value-iteration",
        discount=0.5,
        gap=3.14159e-9,
        tol=1e-8,
        value=np.array([2.0, 2.0]),
        lower=np.array([2.0 - 2**-30, 2.0]),
        upper=np.array([2.0, 2.0 + 2**-29]),
        policy=np.array([0, 0]),
        iterations=31,
        seconds=0.01234,
        note="auto chose value iteration",
    )


def changed(answer, **fields):
    return Answer(**(answer.__dict__ | fields))


def test_pipe_golden(answer, chain):
    without_start = MDP.deterministic(np.array([[1], [1]]), np.array([[1.0], [1.0]]), discount=0.5)
    second = changed(
        answer, source="b", mdp=without_start, failure="no double is closer", tol=1e-12, note=""
    )
    lines = pipe(answer, second)
    assert lines == GOLDEN_PIPE.splitlines()


GOLDEN_PIPE = """\
source                  optimal value V*                                                  gap   tolerance   method            iterations   seconds   states x actions   criterion
──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
models/[red]chain.npz   start [1.99999999906, 2.00000000000]                         3.15e-09       1e-08   value-iteration           31     0.012   2 x 1              discounted 0.5
b                       min [1.99999999906, 2.00000000000], max 2.00000000[00, 19]   3.15e-09       1e-12   value-iteration           31     0.012   2 x 1              discounted 0.5
models/[red]chain.npz: certified: every state's optimal value is within 3.15e-09, and the policy loses no more than that (auto chose value iteration)
b: certified, but above the tolerance 1e-12: every state's optimal value is within 3.15e-09, and the policy loses no more than that; no double is closer
"""  # noqa: E501


def test_narrow_terminal_writes_the_cells_below_each_other(monkeypatch, answer):
    text = screen(monkeypatch, 60, answer)
    assert max(map(len, text.splitlines())) <= 60
    assert "optimal value V*  start [1.99999999906, 2.00000000000]" in text
    assert "…" not in text


def test_wide_terminal_has_the_table(monkeypatch, answer):
    text = screen(monkeypatch, 200, answer)
    assert len(text.splitlines()) == 4


def test_statements(answer):
    within = (
        "every state's optimal value is within 3.15e-09, and the policy loses no more than that"
    )
    assert statement(answer) == f"certified: {within} (auto chose value iteration)"
    wide = changed(answer, note="", tol=1e-9, failure="a reason")
    assert statement(wide) == f"certified, but above the tolerance 1e-09: {within}; a reason"
    exact = changed(answer, exact=True, note="")
    assert statement(exact) == "exact: every state's optimal value is a rational number"
    nothing = changed(answer, lower=None, upper=None, value=None, failure="overflow", note="")
    assert statement(nothing) == "nothing certified: overflow"


def test_nothing_computed(answer):
    nothing = changed(
        answer,
        lower=None,
        upper=None,
        value=None,
        policy=None,
        gap=math.inf,
        failure="overflow",
    )
    assert "no bracket" in pipe(nothing)[2]


def test_rational_values(answer):
    third = np.array([Fraction(1, 3), Fraction(1)], dtype=object)
    lines = pipe(changed(answer, exact=True, gap=0.0, tol=0.0, lower=third, upper=third))
    assert "start 0.3333333333333333[3, 4]" in lines[2]


def test_grid_world_is_drawn_below(monkeypatch, answer):
    mdp = gridworld(2, 2, slip=0.0, discount=0.5)
    drawn = changed(
        answer,
        source="gridworld:rows=2,columns=2",
        mdp=mdp,
        value=np.array([0.5, 1.0, 1.0, 0.0]),
        lower=np.array([0.5, 1.0, 1.0, 0.0]),
        upper=np.array([0.5, 1.0, 1.0, 0.0]),
        policy=np.array([1, 2, 1, 0]),
    )
    assert pipe(drawn)[-5:] == [
        "",
        "gridworld:rows=2,columns=2",
        "value         policy",
        " 0.50 1.00     S→  ↓",
        " 1.00 0.00      → G",
    ]
    assert "\x1b[" in screen(monkeypatch, 80, drawn)
    assert "\x1b[" not in "\n".join(pipe(drawn))


def test_unmoving_states():
    ends = gridworld(2, 2, discount=0.5)
    stays = gridworld(2, 2, discount=0.5, exits=False)
    assert unmoving(ends).tolist() == unmoving(stays).tolist() == [False, False, False, True]
