"""PRISM's explicit files, Storm's dialect of them, and what is wrong with others."""

import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from mutations import assert_names_the_place, assert_same_rows, mutated

import rltheory as rlt
from rltheory.errors import ModelError
from rltheory.mdp.prism_explicit import read_tra
from rltheory.mdp.streams import Stream

# A robot among five cells and a charger, in the layout that PRISM exports.
TRA = """6 10 16
0 0 1 0.1 south
0 0 3 0.8 south
0 0 4 0.1 south
0 1 0 0.4 east
0 1 1 0.6 east
1 0 2 0.5 south
1 0 4 0.5 south
1 1 2 1 east
2 0 2 1 stuck
3 0 3 1 stuck
4 0 3 0.6 west
4 0 4 0.4 west
4 1 5 1 east
5 0 2 0.9 north
5 0 5 0.1 north
5 1 4 1 west
"""
LAB = """0="init" 1="deadlock" 2="home" 3="dry"
0: 0
2: 2 3
3: 2
"""
TREW = """# Reward structure "energy"
# Transition rewards
6 10 4
0 0 1 2
0 0 3 2
0 0 4 2
4 1 5 3.5
"""
SREW = """# Reward structure "energy"
# State rewards
6 2
0 0.5
4 0.25
"""
STA = "(x,y)\n" + "".join(f"{s}:({s % 3},{s // 3})\n" for s in range(6))


def write(folder: Path, **files: str | bytes) -> Path:
    for ending, text in files.items():
        data = text if isinstance(text, bytes) else text.encode()
        (folder / f"robot.{ending.replace('_', '.')}").write_bytes(data)
    return folder / "robot.tra"


def test_files_of_one_name_belong_together(tmp_path: Path) -> None:
    path = write(tmp_path, tra=TRA, lab=LAB, srew=SREW, trew=TREW, sta=STA)
    mdp = rlt.load(path)
    assert isinstance(mdp, rlt.MDP)
    assert mdp.action_labels == ("south", "east", "stuck", "west", "north")
    assert mdp.actions.tolist() == [0, 1, 0, 1, 2, 2, 1, 3, 3, 4]  # by state, then action
    assert mdp.transitions.toarray()[0].tolist() == [0, 0.1, 0, 0.8, 0.1, 0]
    assert mdp.mean_rewards.tolist() == [2.5, 0.5, 0, 0, 0, 0, 3.75, 0.25, 0, 0]
    assert mdp.initial is not None and mdp.initial.tolist() == [1, 0, 0, 0, 0, 0]
    assert mdp.state_labels is not None and mdp.state_labels[4] == "x=1,y=1"
    home = rlt.load(path, goal="home")
    assert home.termination.tolist() == [0.8, 0, 0.5, 1, 1, 1, 0, 0.6, 0, 0.9]
    assert home.mean_rewards.tolist() == [2.5, 0.5, 0, 0, 0, 0, 3.75, 0.25, 0, 0]


def test_only_transitions(tmp_path: Path) -> None:
    mdp = rlt.load(write(tmp_path, tra=TRA))
    assert mdp.initial is not None and mdp.initial[0] == 1 and not mdp.mean_rewards.any()
    assert mdp.state_labels is None


def test_lines_in_any_order(tmp_path: Path) -> None:
    whole = rlt.load(write(tmp_path, tra=TRA, lab=LAB, trew=TREW))
    head, *lines = TRA.strip().split("\n")
    # The first lines stay: names are numbered in the order of choices anyway.
    shuffled = "\n".join([head, *lines[::-1]]) + "\n"
    assert rlt.load(write(tmp_path, tra=shuffled)).fingerprint == whole.fingerprint


def test_files_of_other_names(tmp_path: Path) -> None:
    path = write(tmp_path, tra=TRA)
    (tmp_path / "other.lab").write_text(LAB)
    (tmp_path / "paid.srew").write_text(SREW)
    mdp = rlt.load(path, labels=tmp_path / "other.lab", rewards=tmp_path / "paid.srew", goal="dry")
    assert mdp.termination.tolist() == [0, 0, 0.5, 1, 1, 0, 0, 0, 0, 0.9]
    with pytest.raises(ModelError, match="there is no such file"):
        rlt.load(path, labels=tmp_path / "none.lab")


def test_several_reward_models(tmp_path: Path) -> None:
    plain = SREW.replace('"energy"', "")
    path = write(tmp_path, tra=TRA, trew=TREW)
    (tmp_path / "robot2.srew").write_text(plain)
    (tmp_path / "robot.wet.srew").write_text(plain.replace("0.5", "7"))
    with pytest.raises(ModelError, match="several reward models: 'energy', 'wet', '2'"):
        rlt.load(path)
    assert rlt.load(path, reward="2").mean_rewards[0] == 0.5
    assert rlt.load(path, reward="wet").mean_rewards[0] == 7
    assert rlt.load(path, reward="-energy").mean_rewards[0] == -2


def test_choices_without_names(tmp_path: Path) -> None:
    plain = re.sub(r" [a-z]+$", "", TRA, flags=re.M)
    mdp = rlt.load(write(tmp_path, tra=plain))
    assert mdp.action_labels is None and mdp.actions.tolist() == [0, 1, 0, 1, 0, 0, 0, 1, 0, 1]


def test_rewards_that_differ_by_transition_keep_their_law(tmp_path: Path) -> None:
    tra = "3 4\n0 1 0.25\n0 2 0.75\n1 1 1\n2 2 1\n"
    trew = "3 2\n0 1 4\n0 2 -1\n"
    lab = '0="init" 1="left" 2="right" 3="both"\n0: 0\n1: 1 3\n2: 2 3\n'
    path = write(tmp_path, tra=tra, trew=trew, lab=lab)
    mdp = rlt.load(path)
    assert mdp.mean_rewards.tolist() == [0.25, 0, 0] and mdp.reward_range == (-1, 4)
    one = rlt.load(path, goal="left")
    assert one.arrays()["exit_reward"][0] == 4 and one.reward_range == (-1, 4)
    both = rlt.load(path, goal="both", discount=0.5)
    assert isinstance(both.reward_law, rlt.Atoms) and both.mean_rewards[0] == 0.25
    assert both.return_range == (-2, 8)
    exact = rlt.load(path, goal="both", exact=True)
    assert exact.rational is not None and exact.rational.reward[0] == Fraction(1, 4)


STORM = "mdp\n0 0 1 0.5 a\n0 0 2 0.5 a\n0 1 0 1 b\n1 0 1 1\n2 0 2 1\n"
STORM_LAB = "#DECLARATION\ninit done\n#END\n0 init\n1 done\n"


def test_the_dialect_of_storm(tmp_path: Path) -> None:
    path = write(tmp_path, tra=STORM, lab=STORM_LAB, trans_rew="0 0 1 1\n0 0 2 1\n")
    (tmp_path / "robot.flip.state.rew").write_text("0 2\n")
    assert rlt.load(path, reward="flip").mean_rewards.tolist() == [2, 2, 0, 0]
    mdp = rlt.load(path, reward="", goal="done")
    assert mdp.mean_rewards.tolist() == [1, 0, 0, 0]
    assert mdp.termination.tolist() == [0.5, 0, 1, 0]
    assert mdp.state_labels == ("", "done", "")
    assert mdp.action_labels == ("a", "b", "#1")


def test_exact(tmp_path: Path) -> None:
    tra = TRA.replace("0.6 east", "3/5 east")
    mdp = rlt.load(write(tmp_path, tra=tra, lab=LAB, srew=SREW), exact=True)
    assert mdp.rational is not None
    assert mdp.rational.prob[:5] == (
        Fraction(1, 10), Fraction(4, 5), Fraction(1, 10), Fraction(2, 5), Fraction(3, 5),
    )  # fmt: skip
    assert mdp.rational.reward[0] == Fraction(1, 2)


def test_ragged_actions_come_back(tmp_path: Path) -> None:
    mdp = rlt.MDP.from_pairs([0, 0, 1], [0, 3, 2], np.full((3, 2), 0.5), [1.0, 2.0, 3.0])
    rlt.save(mdp, tmp_path / "robot.tra")
    assert (tmp_path / "robot.tra").read_text().splitlines()[:4] == [
        "2 3 6", "0 0 0 0.5 a0", "0 0 1 0.5 a0", "0 1 0 0.5 a3",
    ]  # fmt: skip
    back = rlt.load(tmp_path / "robot.tra")
    assert back.actions.tolist() == [0, 3, 2] and back.mean_rewards.tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("file", "old", "new", "line", "words"),
    [
        ("tra", "6 10 16", "6 10 17", 1, "has 16 transitions; its first line says 17"),
        ("tra", "6 10 16", "6 11 16", 1, "has 10 choices; its first line says 11"),
        ("tra", "6 10 16", "5 10 16", 15, "state 5 is none of 0..4"),
        ("tra", "6 10 16", "6000000000 10 16", 1, "bytes cannot list them"),
        ("tra", "6 10 16", "6 10 16 3", 1, "is not 'states choices transitions'"),
        ("tra", "6 10 16", "ctmc", 1, "'ctmc' is not 'states choices transitions'"),
        ("tra", "6 10 16", "6 16", 2, "'0 0 1 0.1 south' has 5 columns, not 3 or 4"),
        ("tra", "0 0 1 0.1 south", "0 0 1 0.1 7", 2, "the action is '7', a number"),
        ("tra", "0 0 1 0.1 south", "0 0 1", 2, "'0 0 1' has 3 columns, not 4 or 5"),
        ("tra", "0 0 1 0.1 south", "0 0 1 0.1 north", 3, "the action is 'south' here and 'north'"),
        ("tra", "0 0 1 0.1", "0 0 1 0.2", 2, "sum to 1.1"),
        ("tra", "0 0 1 0.1", "0 0 1 nan", 2, "'nan' is not a probability"),
        ("tra", "0 0 1 0.1", "0 0 1 -.1", 2, "a probability is -0.1"),
        ("tra", "0 0 1 0.1", "0 0 3 0.1", 3, "the transition to state 3 is given twice"),
        ("tra", "0 0 1 0.1", "0 0 9 0.1", 2, "target 9 is no state"),
        ("tra", "0 0 1 0.1", "0 99 1 0.1", 2, "choice 99 is above all that the file lists"),
        ("tra", "0 0 1 0.1", "0 x 1 0.1", 2, "'x' is not a number"),
        ("lab", '0="init"', 'init', 1, "is not of the form"),
        ("lab", '1="deadlock"', '0="deadlock"', 1, "is not of the form"),
        ("lab", "2: 2 3", "7: 2 3", 3, "state 7 is none of 0..5"),
        ("lab", "2: 2 3", "2: 2 4", 3, "label '4' is not declared"),
        ("lab", "2: 2 3", "0: 2 3", 3, "the labels of state 0 are given twice"),
        ("lab", "2: 2 3", "b: 2 3", 3, "'b' is not a state"),
        ("srew", "6 2", "6 3", 3, "has 2 rewards; its first line says 3"),
        ("srew", "6 2", "7 2", 3, "7 states are declared; the model has 6"),
        ("srew", "4 0.25", "0 0.25", 5, "this reward is given twice"),
        ("srew", "4 0.25", "6 0.25", 5, "state 6 is none of 0..5"),
        ("srew", "4 0.25", "4 inf", 5, "'inf' is not a reward"),
        ("srew", "4 0.25", "4 0 0.25", 5, "has 3 columns, not 2"),
        ("trew", "4 1 5 3.5", "4 1 4 3.5", 7, "a transition that the model does not have"),
        ("trew", "4 1 5 3.5", "4 2 5 3.5", 7, "a transition that the model does not have"),
        ("trew", "4 1 5 3.5", "0 0 1 3.5", 7, "this reward is given twice"),
        ("tra", "0 0 1 0.1 south", "0 0 1 0.1 s\x7f", 2, "is an action that cannot be printed"),
        ("lab", "home", "ho\u200bme", 1, "is a label that cannot be printed"),
        ("sta", "5:(2,1)", "5:(2,\x07)", 7, "is a name of a state that cannot be printed"),
        ("sta", "(x,y)", "(x,\x07)", 1, "is names of variables that cannot be printed"),
        ("sta", "(x,y)", "x,y", 1, "the names of the variables"),
        ("sta", "5:(2,1)", "5:(2)", 7, "is not 'state:(values)'"),
        ("sta", "5:(2,1)", "4:(2,1)", 7, "state 4 is there twice"),
        ("sta", "5:(2,1)\n", "", 6, "5 of the 6 states are listed"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_line(
    file: str, old: str, new: str, line: int, words: str, tmp_path: Path
) -> None:
    files: dict[str, str | bytes] = {
        "tra": TRA, "lab": LAB, "srew": SREW, "trew": TREW, "sta": STA
    }  # fmt: skip
    text = str(files[file])
    assert old in text
    path = write(tmp_path, **files | {file: text.replace(old, new, 1)})
    with pytest.raises(ModelError) as caught:
        rlt.load(path)
    message = str(caught.value)
    assert message.startswith(f"{path.with_suffix('.' + file)}, line {line}: ")
    assert words in message and "\n" not in message


def test_an_mdp_is_not_read_as_a_chain(tmp_path: Path) -> None:
    """Where the sizes lack one, the choices would be targets and the targets probabilities."""
    path = write(tmp_path, tra="2 2\n0 0 1 1.0\n1 0 1 1\n")
    with pytest.raises(ModelError, match=r"line 2: the action is '1\.0', a number"):
        rlt.load(path)


def test_deadlocks_are_refused_unless_they_are_the_goal(tmp_path: Path) -> None:
    path = write(tmp_path, tra="3 2\n0 1 0.5\n0 2 0.5\n")
    with pytest.raises(ModelError, match="state 1 has no action, a deadlock"):
        rlt.load(path)
    assert rlt.load(path, goal="deadlock").termination.tolist() == [1, 1, 1]


def model_or_reason(path: Path) -> None:
    """What is no listing of a model, such as a state without actions, is told all the same."""
    try:
        model = rlt.load(path)
    except ModelError as fault:
        assert "\n" not in str(fault) and str(path) in str(fault)
    else:
        assert np.all(abs(model.transitions.sum(axis=1) + model.termination - 1) <= 1.1e-9)


def naive(text: str) -> dict[tuple[int, int], dict[int, Fraction]]:
    """A reader that believes everything: state and choice to outcomes."""
    lines = [x.split() for x in text.split("\n") if x.strip() and not x.startswith("#")]
    is_mdp = len(lines[0]) == 3 or lines[0] == ["mdp"]
    rows: dict[tuple[int, int], dict[int, Fraction]] = {}
    for words in lines[1:]:
        s, *rest = words
        choice = int(rest.pop(0)) if is_mdp else 0
        rows.setdefault((int(s), choice), {})[int(rest[0])] = Fraction(rest[1])
    return dict(sorted(rows.items()))


def test_mutated_transitions(tmp_path: Path) -> None:
    stream = Stream(0, "test_prism_explicit.transitions")
    accepted = 0
    chain = "3 4\n0 1 0.25\n0 2 0.75\n1 1 1\n2 2 1\n"
    for text in (TRA, chain, STORM):
        for _ in range(200):
            data = mutated(stream, text)
            path = write(tmp_path, tra=data)
            try:
                listing = read_tra(str(path))
            except ModelError as fault:
                assert_names_the_place(str(fault), path)
                continue
            accepted += 1
            model_or_reason(path)
            assert_same_rows(listing, naive(data.decode("utf-8-sig").replace("\r\n", "\n")))
    assert 50 < accepted < 450


@pytest.mark.parametrize(
    ("ending", "text"), [("lab", LAB), ("srew", SREW), ("trew", TREW), ("sta", STA)]
)
def test_mutated_companions(ending: str, text: str, tmp_path: Path) -> None:
    path = write(tmp_path, tra=TRA)
    stream = Stream(0, f"test_prism_explicit.{ending}")
    accepted = 0
    for _ in range(150):
        write(tmp_path, **{ending: mutated(stream, text)})
        try:
            listing = read_tra(str(path))
        except ModelError as fault:
            message = str(fault)
            where = re.escape(str(path.with_suffix(f".{ending}")))
            assert "\n" not in message
            assert re.match(rf"{where}(, line \d+:| is empty)", message), message
            continue
        accepted += 1
        assert all(states.max(initial=0) < 6 for states in listing.labels.values())
        for model in listing.rewards.values():
            for part in (model.state, model.transition):
                assert part is None or np.isfinite(part).all()
    assert 10 < accepted < 140


def test_a_long_file_is_read_in_blocks(tmp_path: Path) -> None:
    # More lines than a block holds, some of them irregular. 10^6 lines take about two seconds.
    model = rlt.garnet(states=2000, actions=4, branching=10, seed=0)
    path = tmp_path / "robot.tra"
    rlt.save(model, path)
    assert rlt.load(path).fingerprint == model.fingerprint
    text = path.read_text()
    odd = text.replace("\n1999 3 ", "\n\n# a remark\n1999\t3  ")
    path.write_text(odd)
    assert rlt.load(path).fingerprint == model.fingerprint
    path.write_text(text.replace("\n1500 0 ", "\n1500 0 7 ", 1))
    with pytest.raises(ModelError, match=r"line 60002: '7\d* |line 60002: "):
        rlt.load(path)
