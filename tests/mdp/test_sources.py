"""What the command line may name, and what it is told when it names something else."""

import inspect
from pathlib import Path

import pytest

from rltheory.errors import ModelError
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.files import save
from rltheory.mdp.generators import garnet, gridworld, random_episodic, riverswim
from rltheory.mdp.model import MDP
from rltheory.mdp.sources import GENERATORS, parameters, read_source


def test_every_generator_can_be_named() -> None:
    words = {
        "garnet": "garnet:states=20,actions=3,branching=4,seed=1",
        "gridworld": "gridworld:rows=3,columns=4,slip=0.1,walls=0.2,exits=false,step_reward=-1",
        "riverswim": "riverswim",
        "combination_lock": "combination-lock:length=4",
        "random_episodic": "random_episodic:states=3,actions=2,horizon=4",
        "random_linear_mdp": "random-linear-mdp:states=3,actions=2,dimension=2,horizon=2,exact=yes",
        "awkward": "awkward:seed=3",
    }
    assert words.keys() == GENERATORS.keys()
    for text in words.values():
        assert isinstance(read_source(text), (MDP, EpisodicMDP))


def test_values_reach_the_generator() -> None:
    text = "gridworld:rows=3,columns=4,slip=0.5,exits=no,goal_reward=2"
    expected = gridworld(3, 4, slip=0.5, exits=False, goal_reward=2.0)
    assert read_source(text).fingerprint == expected.fingerprint
    expected = garnet(states=20, actions=3, branching=4, seed=7)
    text = "garnet: states=20, actions=3, branching=4, seed=7"
    assert read_source(text).fingerprint == expected.fingerprint


def test_parameters_are_those_of_the_signature() -> None:
    assert parameters("riverswim") == {"states": (int, 6), "discount": (float, None)}
    assert parameters("gridworld")["exits"] == (bool, True)
    for name in GENERATORS:
        for kind, _ in parameters(name).values():
            assert kind in (bool, int, float)
    assert parameters("garnet")["states"] == (int, inspect.Parameter.empty)


def test_discount_and_horizon() -> None:
    discounted = read_source("riverswim:discount=0.5", discount=0.9)
    assert isinstance(discounted, MDP) and discounted.discount == 0.9
    for text in ("riverswim", "riverswim:discount=0.5", "combination_lock:length=3,discount=0.5"):
        episodic = read_source(text, horizon=7)
        assert isinstance(episodic, EpisodicMDP) and episodic.horizon == 7
    stages = read_source("random_episodic:states=3,actions=2,seed=4", horizon=5)
    assert stages.fingerprint == random_episodic(3, 2, 5, seed=4).fingerprint
    for text in (
        "random_episodic:states=3,actions=2,horizon=4",
        "combination_lock:length=3,horizon=4",
    ):
        with pytest.raises(ModelError, match="a discount does not apply"):
            read_source(text, discount=0.9)
    with pytest.raises(ModelError, match="both given"):
        read_source("riverswim", discount=0.9, horizon=4)
    with pytest.raises(ModelError, match="discount"):
        read_source("riverswim", discount=1.0)
    with pytest.raises(ModelError, match="horizon"):
        read_source("riverswim", horizon=0)


def test_files(tmp_path: Path) -> None:
    path = str(tmp_path / "river.npz")
    save(riverswim(discount=0.5), path)
    model = read_source(path)
    assert isinstance(model, MDP) and model.discount == 0.5
    changed = read_source(path, discount=0.25)
    assert isinstance(changed, MDP) and changed.discount == 0.25
    assert read_source(path, horizon=3).horizon == 3  # type: ignore[union-attr]


def test_environments() -> None:
    pytest.importorskip("gymnasium", reason="gymnasium is an extra: rltheory[envs]")
    model = read_source("gym:FrozenLake-v1", discount=0.9)
    assert isinstance(model, MDP) and model.discount == 0.9
    assert read_source("gym:FrozenLake-v1", horizon=9).horizon == 9  # type: ignore[union-attr]
    with pytest.raises(ModelError, match="cannot make 'NoSuch-v0'"):
        read_source("gym:NoSuch-v0")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is neither a file"),
        ("river", "generators are garnet, gridworld"),
        ("river:states=3", "'river' is not a generator; generators are garnet"),
        ("gym:", "names no environment; write gym:ID"),
        ("gym", "names no environment; write gym:ID"),
        ("missing.npz", "there is no such file"),
        ("model.pkl", "models are read as .npz, .drn"),
        ("gridworld", "rows is missing; needed: rows, columns; optional: slip"),
        ("gridworld:", "rows is missing"),
        ("gridworld:rows=3", "columns is missing"),
        ("gridworld:rows=3,columns", "'columns' is not of the form name=value"),
        ("gridworld:rows=3,,columns=3", "'' is not of the form name=value"),
        ("gridworld:rows=3,colums=3", "'colums' is not a parameter; needed: rows, columns"),
        ("gridworld:rows=3,rows=4,columns=3", "rows is given twice"),
        ("gridworld:rows=3.5,columns=3", "rows=3.5: rows must be an integer"),
        ("gridworld:rows=3,columns=", "columns must be an integer"),
        ("gridworld:rows=3,columns=3,slip=a", "slip must be a number"),
        ("gridworld:rows=3,columns=3,exits=maybe", "exits must be true or false"),
        ("gridworld:rows=3,columns=3,slip=nan", "slip is nan"),
        ("gridworld:rows=-3,columns=3", "rows is -3"),
        ("riverswim:seed=3", "'seed' is not a parameter; optional: states, discount"),
        ("awkward", "seed is missing"),
        ("awkward:seed=-1", "seed is -1"),
        ("riverswim:states=1", "states is 1"),
    ],
)
def test_words_that_name_nothing(text: str, words: str) -> None:
    with pytest.raises(ModelError) as caught:
        read_source(text)
    assert words in str(caught.value) and "\n" not in str(caught.value)
