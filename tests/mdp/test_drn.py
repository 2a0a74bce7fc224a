"""Storm's explicit format: what a file says, what it is read as, and what is wrong with others."""

import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mutations import assert_names_the_place, assert_same_rows, mutated

import rltheory as rlt
from rltheory.errors import ModelError
from rltheory.mdp.awkward import awkward
from rltheory.mdp.drn import read_drn
from rltheory.mdp.streams import Stream

# As Storm writes it (stormpy 2.0, of a coin that may be thrown or kept); comments included.
COIN = """// Exported by storm
// Original model type: MDP
@type: MDP
@value_type: double
@parameters

@reward_models
throws time
@nr_states
4
@nr_choices
5
@model
state 0 [0, 2] init
//[s=0]
\taction throw [1, 0]
\t\t1 : 0.5
\t\t2 : 0.5
\taction keep [0, 0.25]
\t\t0 : 1
state 1 [0, 0] heads
\taction throw [1, 0]
\t\t2 : 0.3333333333
\t\t3 : 0.6666666667
state 2 [0, 0] "tails" bad
\taction __NOLABEL__ [0, 0]
\t\t2 : 1
state 3 [0, 0] goal
\taction __NOLABEL__ [0, 0]
\t\t3 : 1
"""


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "model.drn"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_file_of_storm(tmp_path: Path) -> None:
    mdp = rlt.load(write(tmp_path, COIN), reward="throws")
    assert isinstance(mdp, rlt.MDP)
    assert mdp.action_labels == ("throw", "keep", "#1")
    assert mdp.state_labels == ("", "heads", "tails bad", "goal")
    assert mdp.states.tolist() == [0, 0, 1, 2, 3] and mdp.actions.tolist() == [0, 1, 0, 2, 2]
    assert mdp.mean_rewards.tolist() == [1, 0, 1, 0, 0]
    third = [0, 0, 0.3333333333, 0.6666666667]
    expected = [[0, 0.5, 0.5, 0], [1, 0, 0, 0], third, [0, 0, 1, 0], [0, 0, 0, 1]]
    assert mdp.transitions.toarray().tolist() == expected
    assert mdp.initial is not None and mdp.initial.tolist() == [1, 0, 0, 0]
    assert not mdp.termination.any()


def test_rewards_of_states_and_choices_are_added(tmp_path: Path) -> None:
    path = write(tmp_path, COIN)
    assert rlt.load(path, reward="time").mean_rewards.tolist() == [2, 2.25, 0, 0, 0]
    assert rlt.load(path, reward="-time").mean_rewards.tolist() == [-2, -2.25, 0, 0, 0]
    with pytest.raises(ModelError, match=r"several reward models: 'throws', 'time'; choose one"):
        rlt.load(path)
    with pytest.raises(ModelError, match=r"no reward model 'cost'; it has 'throws', 'time'"):
        rlt.load(path, reward="cost")


def test_reaching_the_goal_is_an_ending(tmp_path: Path) -> None:
    mdp = rlt.load(write(tmp_path, COIN), reward="throws", goal="goal")
    assert mdp.n_states == 4 and mdp.termination.tolist() == [0, 0, 0.6666666667, 0, 1]
    assert mdp.transitions.toarray()[2].tolist() == [0, 0, 0.3333333333, 0]
    assert mdp.mean_rewards.tolist() == [1, 0, 1, 0, 0]
    with pytest.raises(ModelError, match=r"no label 'gaol'; its labels: bad, goal, heads, init"):
        rlt.load(tmp_path / "model.drn", reward="throws", goal="gaol")


def test_the_chance_of_reaching_the_goal(tmp_path: Path) -> None:
    # From 0: throw, heads 1/2, then 2/3. From the goal itself: 1. The rest never arrives.
    path = write(tmp_path, COIN)
    mdp = rlt.load(path, reward="reach", goal="goal", horizon=10, exact=True)
    assert rlt.solve_exact(mdp).value[0] == (
        Fraction(6666666667, 2 * 10**10),
        Fraction(6666666667, 10**10),
        0,
        1,
    )
    with pytest.raises(ModelError, match='reward="reach" needs a goal'):
        rlt.load(path, reward="reach")


def test_without_reward_models(tmp_path: Path) -> None:
    plain = re.sub(r" \[[^\]]*\]", "", COIN).replace("throws time", "")
    path = write(tmp_path, plain)
    assert not rlt.load(path).mean_rewards.any()
    assert rlt.load(path, goal="goal").mean_rewards.tolist() == [0, 0, 0.6666666667, 0, 1]


def test_the_reward_model_without_a_name(tmp_path: Path) -> None:
    text = COIN.replace("throws time", " ").replace(", 0]", "]").replace(", 2]", "]")
    path = write(tmp_path, text.replace(", 0.25]", "]"))
    assert rlt.load(path).mean_rewards.tolist() == [1, 0, 1, 0, 0]
    assert rlt.load(path, reward="-").mean_rewards.tolist() == [-1, 0, -1, 0, 0]


def test_fractions(tmp_path: Path) -> None:
    text = COIN.replace("0.3333333333", "1/3").replace("0.6666666667", "2/3")
    path = write(tmp_path, text.replace("value_type: double", "value_type: rational"))
    exact = rlt.load(path, reward="time", exact=True)
    assert exact.rational is not None
    assert exact.rational.prob[3:5] == (Fraction(1, 3), Fraction(2, 3))
    assert exact.rational.reward[1] == Fraction(9, 4)
    assert rlt.load(path, reward="time").transitions.data[3] == 1 / 3
    ending = rlt.load(path, reward="throws", goal="goal", exact=True, discount=Fraction(1, 2))
    assert ending.rational is not None and ending.rational.exit[2] == Fraction(2, 3)
    # 1 + (1/2) (1 + 0) / 2, against keeping at 0: throw.
    assert rlt.solve_exact(ending).value == (Fraction(5, 4), 1, 0, 0)


DTMC = """@type: DTMC
@parameters

@reward_models
steps
@nr_states
2
@model
state 0 [1] init
\taction 0
\t\t0 : 0.5
\t\t1 : 0.5
state 1 done
\t\t1 : 1
"""


def test_a_chain_without_names_of_choices(tmp_path: Path) -> None:
    mdp = rlt.load(write(tmp_path, DTMC), goal="done")
    assert mdp.n_actions == 1 and mdp.mean_rewards.tolist() == [1, 0]
    assert mdp.termination.tolist() == [0.5, 1]


def test_crlf_and_comments_are_accepted(tmp_path: Path) -> None:
    plain = rlt.load(write(tmp_path, COIN), reward="time")
    crlf = COIN.replace("\n", "\r\n").replace("state 1", "// a remark\r\n\r\nstate 1")
    assert rlt.load(write(tmp_path, crlf), reward="time").fingerprint == plain.fingerprint


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("@type: MDP", "@type: CTMC", 3, "of type 'CTMC'; types that can be read: MDP, DTMC"),
        ("@type: MDP", "@type: POMDP", 3, "of type 'POMDP'"),
        ("double", "double-interval", 4, "values are 'double-interval'"),
        (
            "@parameters\n\n",
            "@parameters\np q\n",
            6,
            "not empty ('p q'); give the parameters values",
        ),
        ("@nr_states\n4", "@nr_states\n5", 31, "the file ends after 4 of the 5 states"),
        ("@nr_states\n4", "@nr_states\n3", 28, "more states than the 3 of @nr_states"),
        ("@nr_states\n4", "@nr_states\n4000000000000", 10, "bytes cannot list"),
        ("@nr_states\n4", "@nr_states\n-4", 10, "'-4' is not states: an integer of at least 0"),
        ("@nr_choices\n5", "@nr_choices\n6", 31, "the file has 5 choices; @nr_choices says 6"),
        ("@nr_states\n4\n", "", 11, "section @nr_states is missing"),
        ("@parameters\n", "@nonsense\n", 5, "'@nonsense' is not a section of a DRN file"),
        ("@parameters\n", "@type: MDP\n", 5, "section @type is there twice"),
        ("@model\n", "", 13, "is not a section"),
        ("state 1", "state 2", 21, "state '2' stands where state 1 should"),
        ("[0, 2] init", "[0, 2, 3] init", 14, "3 rewards stand where 2 should"),
        ("[0, 2] init", "[0, nan] init", 14, "'nan' is not a reward: a finite number"),
        ("[0, 2] init", "[0, ] init", 14, "'' is not a reward"),
        ("1 : 0.5", "1 : -0.5", 17, "a probability is -0.5; it must be in [0, 1]"),
        ("1 : 0.5", "1 : inf", 17, "'inf' is not a probability"),
        ("1 : 0.5", "1 : 1e400", 17, "'1e400' is not a probability"),
        ("1 : 0.5", "1 : 1e-400", 17, "'1e-400' is a probability above 0 that no double is"),
        ("1 : 0.5", "1 : 1/1" + 400 * "0", 17, "a probability above 0 that no double is"),
        ("1 : 0.5", "1 : 1/0", 17, "'1/0' is not a probability"),
        ("1 : 0.5", "1 : [0.4, 0.6]", 17, "'[0.4, 0.6]' is not a probability"),
        ("1 : 0.5", "1 : p+1", 17, "'p+1' is not a probability"),
        ("1 : 0.5", "1 : 0.4", 17, "sum to 0.9; those of an action must sum to 1 within 1e-9"),
        ("1 : 0.5", "1 - 0.5", 17, "is not 'target : probability'"),
        ("1 : 0.5", "4 : 0.5", 17, "target 4 is no state; states are 0..3"),
        ("1 : 0.5", "2 : 0.5", 18, "the transition to state 2 is given twice"),
        ("1 : 0.5", "1e0 : 0.5", 17, "'1e0' is not a state"),
        ("\taction keep [0, 0.25]\n\t\t0 : 1\n", "\taction keep\n", 19, "has no transitions"),
        ("\taction throw [1, 0]\n\t\t1", "x\n\t\t1", 16, "neither a state, an action nor a"),
        ('"tails" bad', '"tails bad', 25, "is not a label"),
        ("heads", "h\udcffads", 21, "not a text in UTF-8"),
        ("heads", "h\x07ads", 21, r"'h\x07ads' is a label that cannot be printed"),
        ("action throw", "action thr\x1bw", 16, r"'thr\x1bw' is an action that cannot be printed"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(
    old: str, new: str, line: int, words: str, tmp_path: Path
) -> None:
    assert old in COIN
    text = COIN.replace(old, new, 1)
    path = write(tmp_path, text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ModelError) as caught:
        rlt.load(path, reward="time")
    message = str(caught.value)
    assert message.startswith(f"{path}, line {line}: ") and "\n" not in message
    assert words in message


def test_deadlocks_are_refused_unless_they_are_the_goal(tmp_path: Path) -> None:
    text = COIN.replace("\taction __NOLABEL__ [0, 0]\n\t\t2 : 1\n", "")
    path = write(tmp_path, text.replace("@nr_choices\n5", "@nr_choices\n4"))
    with pytest.raises(ModelError, match="state 2 has no action, a deadlock"):
        rlt.load(path, reward="throws")
    mdp = rlt.load(path, reward="throws", goal="deadlock")
    assert mdp.termination.tolist() == [0.5, 0, 0.3333333333, 1, 0]


def stripped(mdp: rlt.MDP) -> rlt.MDP:
    """The model without what a file of this kind does not hold."""
    return rlt.MDP.from_pairs(
        mdp.states,
        mdp.actions,
        mdp.transitions,
        mdp.mean_rewards,
        termination=mdp.termination if mdp.core.has_exits else None,
        n_actions=int(mdp.actions.max()) + 1,
    )


@pytest.mark.parametrize("ending", ["drn", "tra"])
def test_models_come_back(ending: str, tmp_path: Path) -> None:
    for seed in range(60):
        model = stripped(awkward(seed))  # type: ignore[arg-type]
        path = tmp_path / f"{seed}" / f"model.{ending}"
        path.parent.mkdir()
        rlt.save(model, path)
        back = rlt.load(path)
        one, two = model.arrays(), back.arrays()
        assert "initial" not in two
        for key, values in one.items():
            assert np.asarray(values).tolist() == np.asarray(two[key]).tolist(), (seed, key)


@pytest.mark.parametrize("ending", ["drn", "tra"])
def test_exact_models_come_back(ending: str, tmp_path: Path) -> None:
    third = Fraction(1, 3)
    model = rlt.MDP(
        [[[third, third]], [[0, 1]]], [[third], [-2]], termination=[[third], [0]], exact=True
    )
    path = tmp_path / f"model.{ending}"
    rlt.save(model, path)
    back = rlt.load(path, exact=True)
    assert back.rational == model.rational


@pytest.mark.parametrize("ending", ["drn", "tra"])
def test_labels_come_back(ending: str, tmp_path: Path) -> None:
    model = rlt.riverswim(states=3).with_labels(["a b", "", "c"], ["left", "right"])
    rlt.save(model, tmp_path / f"model.{ending}")
    back = rlt.load(tmp_path / f"model.{ending}")
    assert back.state_labels == ("a b", "", "c") and back.action_labels == ("left", "right")
    assert back.fingerprint == model.fingerprint


@pytest.mark.parametrize("ending", ["drn", "tra"])
def test_what_cannot_be_written_is_refused(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"model.{ending}"
    river = rlt.riverswim(states=3)
    for model, words in (
        (river.episodic(3), "has stages"),
        (river.with_labels(states=["init", "", ""]), "has the word 'init'"),
        (river.with_labels(states=['"', "", ""]), "cannot hold"),
        (river.with_labels(actions=["a", "a"]), "each action its own"),
        (river.with_labels(actions=["go left", "b"]), "take one word"),
        (rlt.MDP(np.ones((2, 1, 2)) / 2, np.zeros((2, 1)), initial=[0.5, 0.5]), "has 2 states"),
    ):
        with pytest.raises(ModelError, match=words):
            rlt.save(model, path)
    assert list(tmp_path.iterdir()) == []


def model_or_reason(path: Path) -> None:
    """What is no listing of a model, such as a state without actions, is told all the same."""
    try:
        model = rlt.load(path)
    except ModelError as fault:
        assert "\n" not in str(fault) and str(path) in str(fault)
    else:
        assert np.all(abs(model.transitions.sum(axis=1) + model.termination - 1) <= 1.1e-9)


def naive(text: str) -> dict[tuple[int, int], dict[int, Fraction]]:
    """A reader that believes everything: state and number of choice to outcomes."""
    rows: dict[tuple[int, int], dict[int, Fraction]] = {}
    state, choice = -1, 0
    for line in map(str.strip, text[text.index("@model") :].split("\n")[1:]):
        if line.startswith("state"):
            state, choice = state + 1, -1
        elif line.startswith("action"):
            choice += 1
        elif line and not line.startswith("//"):
            target, chance = line.split(":")
            key = (state, max(choice, 0))
            rows.setdefault(key, {})[int(target)] = Fraction(chance.strip())
    return rows


def test_mutated_files(tmp_path: Path) -> None:
    stream = Stream(0, "test_drn.mutated")
    accepted = 0
    for text in (COIN, DTMC):
        for _ in range(300):
            data = mutated(stream, text)
            path = write(tmp_path, data)
            try:
                listing = read_drn(str(path))
            except ModelError as fault:
                assert_names_the_place(str(fault), path)
                continue
            accepted += 1
            model_or_reason(path)
            assert_same_rows(listing, naive(data.decode("utf-8-sig").replace("\r\n", "\n")))
    assert 50 < accepted < 400


def test_a_large_file_is_read_in_seconds(tmp_path: Path) -> None:
    # 10^5 transitions here; 10^6 take some three seconds.
    model = rlt.garnet(states=2500, actions=4, branching=10, seed=0)
    path = tmp_path / "model.drn"
    rlt.save(model, path)
    assert rlt.load(path).fingerprint == model.fingerprint


def test_zeros_are_zeros_however_written(tmp_path: Path) -> None:
    plain = rlt.load(write(tmp_path, COIN), reward="time")
    text = COIN.replace("1 : 0.5", "1 : 0.5\n\t\t0 : -0.0e-999\n\t\t3 : 0/7", 1)
    assert rlt.load(write(tmp_path, text), reward="time").fingerprint == plain.fingerprint


def test_options_that_do_not_go_with_a_file(tmp_path: Path) -> None:
    path = write(tmp_path, COIN)
    arguments: dict[str, Any]
    for arguments, words in (
        ({"constants": "N=3"}, "constants does not go with .drn files"),
        ({"labels": "x.lab"}, "labels does not go with .drn files"),
        ({"discount": 0.5, "horizon": 3}, "a model has one of them"),
        ({"reward": 3}, "reward is 3; it must be a text"),
        ({"goal": ["heads"]}, r"goal is \['heads'\]; it must be a text"),
    ):
        with pytest.raises(ModelError, match=words):
            rlt.load(path, **{"reward": "time"} | arguments)
