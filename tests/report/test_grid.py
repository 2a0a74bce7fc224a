"""Pictures of small grids, character by character."""

import math

import numpy as np
from rich.console import Console

from rltheory.mdp.layout import Grid
from rltheory.report.grid import draw

GRID = Grid(
    cells=np.array([[0, 1, 2], [3, -1, 4]]),
    arrows=("↑", "→", "↓", "←"),
    marks={0: "S", 3: "H", 4: "G"},
)
VALUE = np.array([0.5, 0.62, 0.905, 0.0, -0.0])
POLICY = np.array([1, 1, 2, 0, 0])
STAYS = np.array([False, False, False, True, True])


def picture(grid=GRID, value=VALUE, policy=POLICY, stays=STAYS, width=80, **options):
    return [line.plain for line in draw(grid, value, policy, stays, width, **options)]


def test_side_by_side():
    assert picture() == [
        "value                 policy",
        " 0.500 0.620 0.905     S→  →  ↓",
        " 0.000 ##### 0.000     H  ## G",
    ]


def test_below_each_other_in_a_narrow_terminal():
    assert picture(width=20) == [
        "value",
        " 0.500 0.620 0.905",
        " 0.000 ##### 0.000",
        "policy",
        " S→  →  ↓",
        " H  ## G",
    ]


def test_policy_only_and_nothing_in_narrower_ones():
    assert picture(width=12) == [
        "value not drawn: it needs 18 columns, the terminal has 12",
        "policy",
        " S→  →  ↓",
        " H  ## G",
    ]
    assert picture(width=5) == [
        "grid of 2 x 3 cells not drawn: it needs 9 columns, the terminal has 5"
    ]


def test_terminal_without_arrows():
    assert picture(encoding="ascii")[1] == " 0.500 0.620 0.905     S1  1  2"


def test_digits_follow_the_largest_value():
    assert picture(value=VALUE * -20)[1] == " -10.0 -12.4 -18.1     S→  →  ↓"
    assert picture(value=VALUE * 2e7)[1].startswith(" 1.0e+07 1.2e+07 1.8e+07")
    assert picture(value=VALUE * 0)[1].startswith(" 0 0 0")


def test_large_or_infinite_grids_are_not_drawn():
    wide = Grid(cells=np.arange(31)[None, :], arrows=("←", "→"))
    moves = np.zeros(31, dtype=np.int64)
    assert picture(wide, np.zeros(31), moves, moves > 0) == [
        "grid of 1 x 31 cells not drawn: more than 30 a side"
    ]
    assert picture(value=np.full(5, math.inf)) == [
        "grid of 2 x 3 cells not drawn: a value is not finite"
    ]


def test_shading_goes_from_dark_to_light():
    out = Console(width=80, color_system="truecolor", force_terminal=True, legacy_windows=False)
    lines = draw(GRID, VALUE, POLICY, STAYS, 80, colour=True)
    with out.capture() as captured:
        for line in lines:
            out.print(line)
    text = captured.get()
    assert "48;2;68;1;84m 0.000" in text  # the least value: dark blue, white letters
    assert "30;48;2;253;231;37m 0.905" in text  # the largest: yellow, black letters
    assert "\x1b" not in "".join(line.plain for line in lines)
