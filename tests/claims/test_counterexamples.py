"""Stored instances come back as they were; damaged files are told from good ones."""

import json
import os
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rltheory.claims.counterexamples import load_instance, name_of, save_instance
from rltheory.claims.family import Instance
from rltheory.errors import ClaimError
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.generators import random_episodic, riverswim
from rltheory.mdp.gridworld import gridworld
from rltheory.mdp.model import MDP

THIRD = Fraction(1, 3)


def round_trip(tmp_path, **parts):
    path = tmp_path / "instance.npz"
    save_instance(Instance(**parts), path)
    return load_instance(path)


PARTS = {
    "integer": -3,
    "large integer": 2**80,
    "truth": True,
    "nothing": None,
    "text": "ä b",
    "float": 0.1,
    "infinite": float("-inf"),
    "fraction": Fraction(-(10**40), 3),
    "numbers": [1, 2.5, THIRD, "x", [True, None]],
    "numpy scalar": np.float64(0.1),
}


@pytest.mark.parametrize("name", PARTS)
def test_plain_parts(tmp_path, name):
    part = PARTS[name]
    back = round_trip(tmp_path, part=part).part
    assert back == part
    assert type(back) is type(part) or isinstance(part, np.generic)


@settings(max_examples=30)
@given(st.recursive(st.one_of(st.integers(), st.fractions(), st.floats(allow_nan=False)), st.lists))
def test_nested_numbers(tmp_path_factory, part):
    assert round_trip(tmp_path_factory.getbasetemp(), part=part).part == part


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, np.int32, np.uint8, np.bool_])
def test_arrays(tmp_path, dtype):
    part = np.arange(6).reshape(2, 3).astype(dtype)
    back = round_trip(tmp_path, part=part).part
    assert back.dtype == part.dtype
    assert np.array_equal(back, part)


def test_arrays_of_fractions_become_lists(tmp_path):
    part = np.array([[THIRD, 1]], dtype=object)
    assert round_trip(tmp_path, part=part).part == [[THIRD, 1]]


def exact_mdp():
    return MDP(
        [[[THIRD, 1 - THIRD], [0, 1]], [[1, 0], [Fraction(1, 2), Fraction(1, 4)]]],
        [[1, 0], [0, Fraction(2, 7)]],
        Fraction(9, 10),
        [0.25, 0.75],
        termination=[[0, 0], [0, Fraction(1, 4)]],
        exact=True,
    )


def exact_episodic():
    return EpisodicMDP(
        [[[[THIRD, 1 - THIRD]], [[0, 1]]], [[[1, 0]], [[1, 0]]]],
        [[[1], [THIRD]], [[0], [2]]],
        2,
        [1.0, 0.0],
        exact=True,
    )


MODELS = {
    "exact": exact_mdp,
    "exact episodic": exact_episodic,
    "doubles": lambda: riverswim(discount=0.9),
    "with exits and walls": lambda: gridworld(rows=3, columns=3, walls=0.3, discount=0.9),
    "no criterion": riverswim,
    "stages differ": lambda: random_episodic(states=3, actions=2, horizon=4),
    "one stage for all": lambda: riverswim().episodic(5),
}


@pytest.mark.parametrize("name", MODELS)
def test_models(tmp_path, name):
    mdp = MODELS[name]()
    back = round_trip(tmp_path, mdp=mdp, value=[THIRD]).mdp
    assert type(back) is type(mdp)
    assert back.fingerprint == mdp.fingerprint
    assert (back.rational is None) == (mdp.rational is None)
    if mdp.rational is not None:
        assert back.rational.arrays() == mdp.rational.arrays()
    for name in ("discount", "horizon"):
        assert getattr(back, name, None) == getattr(mdp, name, None)
    assert (back.initial is None) == (mdp.initial is None)
    assert (back.transitions != mdp.transitions).nnz == 0


def test_two_models_and_names_that_mappings_use(tmp_path):
    first, second = exact_mdp(), riverswim(discount=0.5)
    instance = Instance(mdp=first, other=second, items=[1], values=[2], keys="k")
    save_instance(instance, tmp_path / "i.npz")
    back = load_instance(tmp_path / "i.npz")
    assert back.mdp.fingerprint == first.fingerprint
    assert back.other.fingerprint == second.fingerprint
    assert (back["items"], back["values"], back["keys"]) == ([1], [2], "k")
    assert name_of("a", back) == name_of("a", instance)


def test_names_tell_instances_apart():
    one = name_of("a-claim", Instance(mdp=riverswim(discount=0.5), x=1))
    assert one == name_of("a-claim", Instance(mdp=riverswim(discount=0.5), x=1))
    assert one.startswith("a-claim-")
    assert one.endswith(".npz")
    others = [
        Instance(mdp=riverswim(discount=0.5), x=2),
        Instance(mdp=riverswim(discount=0.6), x=1),
        Instance(mdp=riverswim(discount=0.5), x=np.zeros(10_000)),
        Instance(mdp=riverswim(discount=0.5), x=np.eye(100).ravel()),
    ]
    assert len({one, *(name_of("a-claim", other) for other in others)}) == 5
    assert name_of("a/mutant", Instance()).startswith("a-mutant-")


@pytest.mark.parametrize("part", [object(), {"a": 1}, {1, 2}, b"bytes", len])
def test_what_cannot_be_stored(tmp_path, part):
    with pytest.raises(ClaimError, match="an instance cannot store that"):
        save_instance(Instance(part=part), tmp_path / "i.npz")
    with pytest.raises(ClaimError, match="an instance cannot store that"):
        save_instance(Instance(**{"a/b": 1}), tmp_path / "i.npz")
    assert list(tmp_path.iterdir()) == []


def damage(whole, kind):
    return {
        "empty": b"",
        "truncated": whole[: len(whole) // 2],
        "text": b"not an archive\n",
        "damaged": whole.replace(b"NUMPY", b"NUMPX"),
    }[kind]


@pytest.mark.parametrize("kind", ["empty", "truncated", "text", "damaged"])
def test_damaged_files(tmp_path, kind):
    path = tmp_path / "i.npz"
    save_instance(Instance(mdp=exact_mdp(), x=np.zeros(3)), path)
    path.write_bytes(damage(path.read_bytes(), kind))
    with pytest.raises(ClaimError, match=r"i\.npz"):
        load_instance(path)


ARCHIVES = {
    "not one": {"transitions": np.zeros(3)},
    "another format": {"format": np.array("rltheory-mdp-1"), "plain": np.array("{}")},
    "no texts": {"format": np.array("rltheory-instance-1")},
    "no JSON": {"format": np.array("rltheory-instance-1"), "plain": np.array("{")},
    "no fraction": {
        "format": np.array("rltheory-instance-1"),
        "plain": np.array(json.dumps({"x": {"fraction": "1"}})),
    },
    "fraction over 0": {
        "format": np.array("rltheory-instance-1"),
        "plain": np.array(json.dumps({"x": {"fraction": "1/0"}})),
    },
    "unknown kind of model": {
        "format": np.array("rltheory-instance-1"),
        "plain": np.array("{}"),
        "mdp/kind": np.array("pomdp"),
    },
    "model without arrays": {
        "format": np.array("rltheory-instance-1"),
        "plain": np.array("{}"),
        "mdp/kind": np.array("mdp"),
    },
    "pickled": {"format": np.array([None, "x"], dtype=object)},
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_archives_that_are_no_instances(tmp_path, name):
    np.savez(tmp_path / "i.npz", **ARCHIVES[name])
    with pytest.raises(ClaimError, match=r"i\.npz"):
        load_instance(tmp_path / "i.npz")


def test_a_model_that_was_tampered_with(tmp_path):
    save_instance(Instance(mdp=exact_mdp()), tmp_path / "i.npz")
    arrays = dict(np.load(tmp_path / "i.npz"))
    arrays["mdp/prob"] = arrays["mdp/prob"] * 2
    np.savez(tmp_path / "i.npz", **arrays)
    with pytest.raises(ClaimError, match=r"i\.npz is damaged: .*sum"):
        load_instance(tmp_path / "i.npz")


def test_no_file(tmp_path):
    with pytest.raises(ClaimError, match=r"none\.npz"):
        load_instance(tmp_path / "none.npz")
    os.mkdir(tmp_path / "folder.npz")
    with pytest.raises(ClaimError, match=r"folder\.npz"):
        load_instance(tmp_path / "folder.npz")
