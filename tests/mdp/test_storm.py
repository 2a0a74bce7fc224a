"""Models that Storm builds: Storm's exact answers solve our equations, and our solver finds them.

The models are those of stormpy's wheel. Storm checks a property in rational arithmetic; its
vector must be a solution of the optimality equations of the model that was read, exactly, state
by state under the same numbers. That tests transitions, endings, rewards and their sum at once.
"""

import importlib.util
import json
import math
import re
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rltheory as rlt
from rltheory.errors import ModelError

has_storm = importlib.util.find_spec("stormpy") is not None
needs_storm = pytest.mark.skipif(not has_storm, reason="stormpy is not installed")


def example(name: str) -> str:
    import stormpy.examples.files as files

    return f"{files.testfile_dir}/{name}"


# File, constants, reward, goal, the property that Storm checks.
CASES = [
    ("dtmc/die.pm", None, "coin_flips", "done", 'R=? [F "done"]'),
    ("dtmc/die.pm", None, "reach", "two", 'P=? [F "two"]'),
    ("dtmc/die.pm", None, "reach", "s=7 & d=2", "P=? [F s=7 & d=2]"),
    ("mdp/two_dice.nm", None, "coinflips", "done", 'Rmax=? [F "done"]'),
    ("mdp/two_dice.nm", None, "-coinflips", "done", 'Rmin=? [F "done"]'),
    ("mdp/two_dice.nm", None, "reach", "seven", 'Pmax=? [F "seven"]'),
    ("mdp/maze_2.nm", None, "-", "goal", 'Rmin=? [F "goal"]'),
    ("mdp/tiny_rewards.nm", None, "-", "target", 'Rmin=? [F "target"]'),
    ("mdp/slipgrid.nm", None, "-", "goal", 'Rmin=? [F "goal"]'),
    ("mdp/coin2.nm", "K=2", "steps", "finished", 'Rmax=? [F "finished"]'),
    ("mdp/coin2.nm", "K=2", "-steps", "finished", 'Rmin=? [F "finished"]'),
    ("mdp/leader3.nm", None, "reach", "elected", 'Pmax=? [F "elected"]'),
    ("mdp/firewire.nm", "delay=3,fast=0.5", "-time", "s1=8 & s2=7", "Rmin=? [F s1=8 & s2=7]"),
    ("dtmc/brp.pm", "N=16,MAX=2", "reach", "s=5 & T", "P=? [F s=5 & T]"),
]
# States from which one may stay for ever for nothing.
FREE = {("mdp/tiny_rewards.nm", 0)}
IDS = [f"{name} {goal} {query[:4]}" for name, _, _, goal, query in CASES]


def storm_says(name: str, constants: str | None, query: str) -> list[Any]:
    """Storm's exact value of each state, under its own numbers of states."""
    import stormpy

    program = stormpy.parse_prism_program(example(name))
    if constants:
        program, _ = stormpy.instantiate_constants(program, constants)
    properties = stormpy.parse_properties(query, program)
    labelled = re.search(r'F "', query) is not None
    options = stormpy.BuilderOptions(None if labelled else properties, build_full=True)
    model = stormpy.build_model[stormpy.Rational](program, options=options)
    result = stormpy.model_checking(model, properties[0])
    texts = [str(x) for x in result.get_value_vector()]
    return [math.inf if "inf" in text else Fraction(text) for text in texts]


@needs_storm
@pytest.mark.parametrize(("name", "constants", "reward", "goal", "query"), CASES, ids=IDS)
def test_storms_exact_values_solve_our_equations(
    name: str, constants: str | None, reward: str, goal: str, query: str
) -> None:
    named = reward.lstrip("-")
    if query[0] == "R" and named:
        query = query.replace("R", f'R{{"{named}"}}', 1)
    wanted = storm_says(name, constants, query)
    mdp = rlt.load(example(name), reward=reward, goal=goal, constants=constants, exact=True)
    assert isinstance(mdp, rlt.MDP) and mdp.rational is not None
    assert len(wanted) == mdp.n_states
    sign = -1 if reward.startswith("-") else 1
    value = [sign * v for v in wanted]
    finite = 0
    for s in range(mdp.n_states):
        if not isinstance(value[s], Fraction):
            continue
        best = []
        for r in range(mdp.rational.state_ptr[s], mdp.rational.state_ptr[s + 1]):
            successors = mdp.rational.col[mdp.rational.row_ptr[r] : mdp.rational.row_ptr[r + 1]]
            if all(isinstance(value[t], Fraction) for t in successors):
                best.append(mdp.rational.backup(r, 1, value))
        assert max(best) == value[s], (s, best, value[s])
        finite += 1
    assert finite > mdp.n_states / 2


def total(mdp: rlt.MDP) -> Any:
    try:
        return rlt.solve(mdp, criterion="total")
    except ModelError as fault:
        if "not there yet" not in str(fault):
            raise
        pytest.skip("this version has no total reward")


@needs_storm
@pytest.mark.parametrize(("name", "constants", "reward", "goal", "query"), CASES, ids=IDS)
def test_our_solver_finds_storms_values(
    name: str, constants: str | None, reward: str, goal: str, query: str
) -> None:
    named = reward.lstrip("-")
    if query[0] == "R" and named:
        query = query.replace("R", f'R{{"{named}"}}', 1)
    wanted = storm_says(name, constants, query)
    mdp = rlt.load(example(name), reward=reward, goal=goal, constants=constants)
    assert isinstance(mdp, rlt.MDP)
    solution = total(mdp)
    sign = -1 if reward.startswith("-") else 1
    compared = 0
    for s, v in enumerate(wanted):
        if not isinstance(v, Fraction) or (name, s) in FREE:
            continue
        low, high = solution.certificate.lower[s], solution.certificate.upper[s]
        # Doubles round each probability; the bracket is about what they mean.
        slack = Fraction(1, 10**10) * max(1, abs(v))
        assert Fraction(float(low)) - slack <= sign * v <= Fraction(float(high)) + slack
        compared += 1
    assert compared > mdp.n_states / 2


@needs_storm
def test_never_arriving_costs_what_is_paid_on_the_way() -> None:
    # Storm calls a run that never arrives infinitely costly; total reward adds up what is paid.
    assert storm_says("mdp/tiny_rewards.nm", None, 'Rmin=? [F "target"]') == [1, 1, 0]
    mdp = rlt.load(example("mdp/tiny_rewards.nm"), reward="-", goal="target")
    assert isinstance(mdp, rlt.MDP)
    assert abs(total(mdp).value - [0, -1, 0]).max() < 1e-9


@needs_storm
def test_a_die_within_a_hundred_throws() -> None:
    mdp = rlt.load(example("dtmc/die.pm"), goal="done", horizon=100)
    assert abs(rlt.solve(mdp).value[0][0] - 11 / 3) < 1e-12


@needs_storm
def test_names_of_states_and_actions() -> None:
    mdp = rlt.load(example("mdp/maze_2.nm"), goal="goal")
    assert mdp.state_labels is not None and mdp.state_labels[:2] == ("s=-1", "s=0")
    assert mdp.action_labels == ("#1", "east", "west", "north", "south")
    jani = rlt.load(example("dtmc/brp.jani"), constants="N=16,MAX=2")
    assert jani.state_labels is not None and "T=true" in jani.state_labels[1]


@needs_storm
def test_jani_is_the_same_model_as_prism() -> None:
    prism = rlt.load(example("dtmc/die.pm"), goal="s=7 & d=2", reward="reach")
    jani = rlt.load(example("dtmc/die.jani"), goal="s=7 & d=2", reward="reach")
    assert jani.n_states == prism.n_states
    one, two = rlt.solve(prism.with_discount(0.5)), rlt.solve(jani.with_discount(0.5))
    assert sorted(one.value.tolist()) == sorted(two.value.tolist())


@needs_storm
@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("mdp/coin2.nm", {}, "needs values for K: constants="),
        ("mdp/coin2.nm", {"constants": "Z=1"}, "unknown undefined constant 'Z'"),
        ("mdp/coin2.nm", {"constants": "K=x"}, "Storm says"),
        ("dtmc/brp.jani", {"constants": "N=16"}, "needs values for MAX besides N=16"),
        ("mdp/two_dice.nm", {"goal": "dome"}, "neither a label (there are: done, eight"),
        ("mdp/two_dice.nm", {"goal": "s1=7 &"}, "nor an expression"),
        ("mdp/two_dice.nm", {"reward": "x"}, "no reward model 'x'; it has 'coinflips'"),
        ("mdp/firewire.nm", {"constants": "delay=3,fast=0.5"}, "several reward models: 'time', "),
        ("pomdp/maze_2.prism", {}, "is of type POMDP; types that can be read: MDP, DTMC"),
        ("mdp/none.nm", {}, "there is no such file"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(
    name: str, arguments: dict[str, str], words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ModelError) as caught:
        rlt.load(example(name), **arguments)  # type: ignore[arg-type]
    assert words in str(caught.value) and "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")  # Storm's log is kept quiet


@needs_storm
@pytest.mark.parametrize("chance", ["1/0", "1 / (1-1)", "mod(1, 0)", "1/N", "1/M"])
def test_a_division_by_zero_is_told(chance: str, tmp_path: Path) -> None:
    """Storm divides integers as the processor does, which ends the process."""
    text = Path(example("dtmc/die.pm")).read_text()
    path = tmp_path / "die.pm"
    path.write_text(
        text.replace("module die", "const int N = 0; const int M;\nmodule die").replace(
            "0.5", chance, 1
        )
    )
    with pytest.raises(ModelError, match=r"die\.pm: Storm crashes on it \(SIGFPE\); does it "):
        rlt.load(path, constants="M=0")
    path.write_text("// 1/0\n" + path.read_text().replace(chance, "1/M"))
    assert rlt.load(path, constants="M=2").n_states == 13


@needs_storm
@pytest.mark.parametrize("constants", ["M=1/0", "M=0/0"])
def test_a_constant_that_divides_by_zero_is_told(constants: str, tmp_path: Path) -> None:
    path = tmp_path / "die.pm"
    path.write_text(
        Path(example("dtmc/die.pm"))
        .read_text()
        .replace("module die", "const double M;\nmodule die")
    )
    with pytest.raises(ModelError, match=r"die\.pm: Storm crashes on it \(SIGFPE\); does it "):
        rlt.load(path, constants=constants)


@needs_storm
def test_a_remainder_by_zero_in_jani_is_told(tmp_path: Path) -> None:
    destination = {
        "location": "l",
        "assignments": [{"ref": "s", "value": {"op": "%", "left": 6, "right": "N"}}],
    }
    edge = {"location": "l", "destinations": [destination]}
    automaton = {"name": "a", "locations": [{"name": "l"}], "initial-locations": ["l"]}
    bounded = {"kind": "bounded", "base": "int", "lower-bound": 0, "upper-bound": 3}
    model = {
        "jani-version": 1,
        "name": "see http://example.org",
        "type": "dtmc",
        "variables": [{"name": "s", "type": bounded, "initial-value": 0}],
        "constants": [{"name": "N", "type": "int"}],
        "automata": [{**automaton, "edges": [edge]}],
        "system": {"elements": [{"automaton": "a"}]},
        "properties": [],
    }
    path = tmp_path / "rest.jani"
    path.write_text(json.dumps(model))
    assert rlt.load(path, constants="N=4").n_states == 2
    with pytest.raises(ModelError, match=r"rest\.jani: Storm crashes on it \(SIGFPE\); does it "):
        rlt.load(path, constants="N=0")


@needs_storm
def test_an_update_out_of_range_is_refused(tmp_path: Path) -> None:
    # Three bits hold 0..7, and 5 + 4 would come back as 1.
    path = tmp_path / "out.prism"
    path.write_text("mdp\nmodule m\n n:[0..7] init 5;\n [] true -> (n'=n+4);\nendmodule\n")
    for exact in (False, True):
        with pytest.raises(ModelError, match=r"out-of-bounds value \(9\) for the variable 'n'"):
            rlt.load(path, exact=exact)
    path.write_text(
        "mdp\nmodule m\n n:[0..12] init 12;\n [] n=12 -> "
        + " + ".join(f"1/13 : (n'={k})" for k in range(13))
        + ";\n [] n<12 -> (n'=n+14);\nendmodule\n"
    )
    with pytest.raises(ModelError, match="out-of-bounds"):
        rlt.load(path)


@needs_storm
def test_files_that_are_no_program(tmp_path: Path) -> None:
    for ending in ("prism", "nm", "pm", "jani"):
        path = tmp_path / f"model.{ending}"
        for text in (b"", b"mdp\nmodule x\n s:[0..2 init 0;\nendmodule", b"{}", b"[1", b"\xff\x00"):
            path.write_bytes(text)
            with pytest.raises(ModelError) as caught:
                rlt.load(path)
            assert str(path) in str(caught.value) and "\n" not in str(caught.value)


@needs_storm
@pytest.mark.parametrize("name", ["mdp/two_dice.nm", "mdp/maze_2.nm", "dtmc/die.pm"])
def test_storms_own_drn_files_are_the_models_it_builds(name: str, tmp_path: Path) -> None:
    import stormpy

    program = stormpy.parse_prism_program(example(name))
    options = stormpy.BuilderOptions(build_full=True)
    model = stormpy.build_model[stormpy.Rational](program, options=options)
    path = tmp_path / "model.drn"
    stormpy.io.export_to_drn(model, path)
    built = rlt.load(example(name), exact=True)
    read = rlt.load(path, exact=True)
    assert read.rational == built.rational
    assert read.action_labels == built.action_labels


@needs_storm
def test_storm_reads_the_drn_files_that_we_write(tmp_path: Path) -> None:
    import stormpy

    mdp = rlt.gridworld(rows=3, columns=3, slip=0.25)
    mdp = rlt.MDP.from_pairs(
        mdp.states, mdp.actions, mdp.transitions, mdp.mean_rewards, termination=mdp.termination
    )
    rlt.save(mdp.with_labels(actions=["n", "e", "s", "w"]), tmp_path / "grid.drn")
    model = stormpy.build_model_from_drn(tmp_path / "grid.drn")
    assert model.nr_states == mdp.n_states + 1 and model.nr_choices == mdp.n_pairs + 1
    assert model.labeling.get_labels() >= {"rltheory_exit"}
    assert list(model.reward_models) == ["reward"]
    assert list(model.reward_models["reward"].state_action_rewards)[:-1] == list(mdp.mean_rewards)
    stormpy.io.export_to_drn(model, tmp_path / "back.drn")
    back = rlt.load(tmp_path / "back.drn")
    assert back.transitions.toarray().tolist() == mdp.transitions.toarray().tolist()
    assert back.mean_rewards.tolist() == mdp.mean_rewards.tolist()
    assert back.termination.tolist() == mdp.termination.tolist()


@needs_storm
def test_the_explicit_files_of_storm(tmp_path: Path) -> None:
    files = {
        "tra": "tra/two_dice.tra",
        "lab": "lab/two_dice.lab",
        "rew": "rew/two_dice.flip.trans.rew",
    }
    for ending, name in files.items():
        text = Path(example(name)).read_bytes()
        (tmp_path / f"two_dice.{'flip.trans.rew' if ending == 'rew' else ending}").write_bytes(text)
    mdp = rlt.load(tmp_path / "two_dice.tra", goal="done", horizon=400, reward="flip")
    assert mdp.n_states == 169
    assert abs(rlt.solve(mdp).value[0][0] - 22 / 3) < 1e-9


def test_without_stormpy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "stormpy", None)
    path = tmp_path / "model.prism"
    path.write_text("mdp\n")
    with pytest.raises(ModelError, match=r"needs stormpy, .* pip install 'rltheory\[storm\]'"):
        rlt.load(path)


def test_numbers_of_both_kinds() -> None:
    from rltheory.mdp.storm import _numbers

    assert _numbers(["1/3", 2], True).tolist() == [Fraction(1, 3), 2]
    assert _numbers([0.5, 1], False).dtype == np.float64
