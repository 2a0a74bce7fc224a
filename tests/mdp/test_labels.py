"""Names of states and actions stay with a model, and change nothing about it."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rltheory as rlt
from rltheory.errors import ModelError

STATES, ACTIONS = ["a", "", "s=1, t=2"], ["links", "rechts ⇒"]


def named() -> rlt.MDP:
    return rlt.riverswim(states=3, discount=0.5).with_labels(STATES, ACTIONS)


def test_models_made_from_it_keep_them() -> None:
    mdp = named()
    ending = rlt.MDP([[[0.5]]], [[1.0]], termination=[[0.5]], initial=[1.0]).with_labels(
        ["x"], ["y"]
    )
    for model in (
        mdp.with_discount(0.9),
        mdp.with_rewards(np.zeros((3, 2))),
        mdp.episodic(3),
        mdp.episodic(3).as_exact(),
        mdp.as_exact(),
        mdp.as_exact().with_discount(0.25),
        mdp.restarting(),
        pickle.loads(pickle.dumps(mdp)),
        pickle.loads(pickle.dumps(mdp.as_exact())),
        pickle.loads(pickle.dumps(mdp.episodic(2))),
        mdp.with_labels(),
    ):
        assert model.state_labels == tuple(STATES) and model.action_labels == tuple(ACTIONS)
    assert ending.restarting().state_labels == ("x",)
    assert rlt.riverswim().state_labels is None and rlt.riverswim().action_labels is None


def test_one_kind_can_be_changed() -> None:
    mdp = named().with_labels(actions=["l", "r"])
    assert mdp.state_labels == tuple(STATES) and mdp.action_labels == ("l", "r")


def test_they_change_nothing() -> None:
    plain, mdp = rlt.riverswim(states=3, discount=0.5), named()
    assert mdp.fingerprint == plain.fingerprint and repr(mdp) == repr(plain)
    assert mdp.core is mdp.with_labels(actions=["l", "r"]).core
    with pytest.raises(AttributeError, match="immutable"):
        mdp.state_labels = None  # type: ignore[misc]


def test_archives_keep_them(tmp_path: Path) -> None:
    for model in (named(), named().episodic(4), rlt.riverswim(states=3).with_labels(STATES)):
        rlt.save(model, tmp_path / "model.npz")
        back = rlt.load(tmp_path / "model.npz")
        assert back.fingerprint == model.fingerprint
        assert back.state_labels == model.state_labels
        assert back.action_labels == model.action_labels


@pytest.mark.parametrize(
    ("codes", "words"),
    [
        (np.frombuffer(b"a\nb", dtype=np.uint8), "2 labels of states are given; the model has 3"),
        (np.frombuffer(b"a\n\xff\nb", dtype=np.uint8), "`state_labels` is not a text in UTF-8"),
        (np.array([97, 300]), "holds what is no byte"),
        (np.array([0.5]), "`state_labels` has dtype float64"),
        (np.array("a"), "`state_labels` has dtype"),
    ],
)
def test_archives_with_other_bytes(codes: Any, words: str, tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    arrays = {k: np.asarray(x) for k, x in rlt.riverswim(states=3).arrays().items()}
    np.savez(path, format=np.array("rltheory-mdp-1"), **arrays, state_labels=codes)
    with pytest.raises(ModelError, match=words):
        rlt.load(path)


@pytest.mark.parametrize(
    ("states", "words"),
    [
        (["a", "b"], "2 labels of states are given; the model has 3"),
        ("abc", "labels of states are one text, 'abc'"),
        (3, "labels of states are 3; give a sequence"),
        (["a", "b", 3], "label 2 of states is 3; it must be a text of printable"),
        (["a", "b", "c\nd"], "printable characters"),
        (["a", "b", "\x1b[31m"], "printable characters"),
        (["a", "b", " c"], "without blanks at its ends"),
        (["a", "b", "\ud800"], "printable characters"),
    ],
)
def test_labels_that_are_none(states: Any, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        rlt.riverswim(states=3).with_labels(states=states)
