"""Grid worlds as SVG."""

from fractions import Fraction
from xml.etree import ElementTree

import numpy as np
import pytest

from rltheory.mdp.generators import garnet
from rltheory.mdp.gridworld import gridworld
from rltheory.report.grid_svg import grid_svg
from rltheory.solvers.solve import solve


@pytest.fixture(scope="module")
def maze():
    return gridworld(rows=3, columns=4, walls=0.3, seed=2, discount=0.9)


def drawn(mdp, value, policy):
    return ElementTree.fromstring(grid_svg(mdp, value, policy))


def test_one_cell_per_state_and_the_walls(maze):
    solution = solve(maze)
    svg = drawn(maze, solution.value, solution.policy)
    walls = (maze.layout.cells < 0).sum()
    assert len(svg.findall("g")) == maze.n_states
    assert len(svg.findall("rect")) == walls > 0
    assert svg.get("viewBox") == "0 0 224 168"
    titles = [g.find("title").text for g in svg.findall("g")]
    assert titles[0].startswith("S state 0: value 0.")
    assert titles[-1].startswith("G state ") and not titles[-1].endswith(tuple("↑→↓←"))
    assert len(svg.findall("g/path")) == maze.n_states - 1, "no arrow at the goal"


def test_arrows_turn(maze):
    value = np.zeros(maze.n_states)
    for action, turn in enumerate((0, 90, 180, 270)):
        svg = drawn(maze, value, np.full(maze.n_states, action))
        assert svg.find("g/path").get("transform").endswith(f"rotate({turn})")


def test_letters_can_be_read_on_every_shade(maze):
    value = np.linspace(0, 1, maze.n_states)
    fills = [g.get("fill") for g in drawn(maze, value, np.zeros(maze.n_states, int)).findall("g")]
    assert fills[0] == "#fff"
    assert fills[-1] == "#000"


def test_values_may_be_fractions(maze):
    value = np.array([Fraction(1, 3)] * maze.n_states, dtype=object)
    svg = drawn(maze, value, np.zeros(maze.n_states, int))
    assert svg.find("g/text[@text-anchor]").text == "0.333"


def test_what_is_not_drawn(maze):
    other = garnet(states=5, actions=2, branching=2, discount=0.9)
    assert grid_svg(other, np.zeros(5), np.zeros(5, int)) == ""
    large = gridworld(rows=31, columns=2, discount=0.9)
    assert grid_svg(large, np.zeros(large.n_states), np.zeros(large.n_states, int)) == ""
    infinite = np.full(maze.n_states, np.inf)
    assert grid_svg(maze, infinite, np.zeros(maze.n_states, int)) == ""
