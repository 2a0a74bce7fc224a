"""Families: parameters depend on (claim, index, seed) alone, and instances are built from them."""

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from spaces import parameters

from rltheory.claims.family import Family, Instance, as_instance
from rltheory.claims.space import Choice, Dyadic, Integer, Many
from rltheory.errors import ClaimError, ModelError
from rltheory.mdp.model import MDP
from rltheory.mdp.streams import Stream

FAMILY = Family(
    {
        "states": Integer(1, 4),
        "discount": Choice(0.0, 0.5, 0.9),
        "reward": Dyadic(0, 1, 3),
        "weights": Many(Integer(0, 3), 3),
    },
    Instance,
)


def test_golden_parameters():
    assert FAMILY.sample("some-claim", 0, 0) == {
        "states": 2,
        "discount": 0.5,
        "reward": 0.375,
        "weights": [2, 1, 0],
    }


def test_parameters_are_read_from_a_philox_stream_of_their_own():
    key = (zlib.crc32(b"claims.instance.some-claim"), 5)
    words = np.random.Philox(np.random.SeedSequence(3, spawn_key=key)).random_raw(2).tolist()
    sampled = FAMILY.sample("some-claim", 3, 5)
    assert sampled["states"] == 1 + (words[0] * 4 >> 64)
    assert sampled["discount"] == (0.0, 0.5, 0.9)[words[1] * 3 >> 64]


def test_parameters_depend_on_claim_index_and_seed_alone():
    first = [FAMILY.sample("a", 7, index) for index in range(20)]
    assert [FAMILY.sample("a", 7, index) for index in reversed(range(20))] == first[::-1]
    FAMILY.sample("b", 7, 3)
    assert FAMILY.sample("a", 7, 3) == first[3]
    assert [FAMILY.sample("a", 8, index) for index in range(20)] != first
    assert [FAMILY.sample("b", 7, index) for index in range(20)] != first


@given(st.integers(0, 2**40), st.integers(0, 10**6))
def test_samples_are_in_the_space(seed, index):
    FAMILY.check(FAMILY.sample("a", seed, index))


@given(parameters(FAMILY), st.integers(0, 2**32))
def test_moves_change_one_parameter(before, seed):
    after = FAMILY.move(before, Stream(seed, "test"))
    FAMILY.check(after)
    assert sum(before[name] != after[name] for name in before) <= 1


def test_instances_have_their_parts():
    instance = FAMILY.instance(FAMILY.sample("a", 0, 0))
    assert instance.states == instance["states"] == 1
    assert list(instance) == ["states", "discount", "reward", "weights"]
    assert len(instance) == 4
    with pytest.raises(AttributeError, match="no 'value'; it has states, discount"):
        instance.value  # noqa: B018
    assert repr(Instance(x=1, y="a")) == "Instance(x=1, y='a')"
    assert as_instance({"x": 1}).x == 1


def test_an_invalid_model_names_the_parameters():
    def build(p):
        return {"mdp": MDP(np.full((1, 1, 1), p), np.zeros((1, 1)), discount=0.5)}

    family = Family({"p": Choice(1.0, 0.5)}, build)
    assert family.instance({"p": 1.0}).mdp.n_states == 1
    with pytest.raises(ClaimError, match=r"cannot build the instance \{'p': 0.5\}: ModelError"):
        family.instance({"p": 0.5})
    try:
        family.instance({"p": 0.5})
    except ClaimError as fault:
        assert isinstance(fault.__cause__, ModelError)


@pytest.mark.parametrize("built", [None, 3, [1, 2], {1: "x"}])
def test_something_else_than_an_instance(built):
    with pytest.raises(ClaimError, match="instance must be"):
        Family({}, lambda: built).instance({})


@pytest.mark.parametrize(
    ("given_", "word"),
    [
        ({}, "must be states, discount"),
        ({**FAMILY.sample("a", 0, 0), "more": 1}, "must be states, discount"),
        ({**FAMILY.sample("a", 0, 0), "states": 9}, "states is 9"),
    ],
)
def test_parameters_that_are_none(given_, word):
    with pytest.raises(ClaimError, match=word):
        FAMILY.instance(given_)
