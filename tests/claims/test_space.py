"""Spaces of parameters: what is sampled and where a move leads is in the space."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spaces import spaces, strategy

from rltheory.claims.space import Choice, Dyadic, Integer, Many
from rltheory.errors import ClaimError
from rltheory.mdp.streams import Stream

seeds = st.integers(0, 2**32)


@given(spaces(), seeds)
def test_samples_and_moves_stay_in_the_space(space, seed):
    stream = Stream(seed, "test")
    value = space.sample(stream)
    for _ in range(5):
        space.check("x", value)
        assert json.loads(json.dumps(value)) == value
        value = space.move(value, stream)
    space.check("x", value)


@given(st.data(), seeds)
def test_a_move_leads_elsewhere(data, seed):
    space = data.draw(spaces().filter(lambda x: not isinstance(x, Many)))
    value = data.draw(strategy(space))
    alone = {
        Integer: lambda s: s.low == s.high,
        Dyadic: lambda s: s.low == s.high,
        Choice: lambda s: len(set(s.options)) == 1,
    }[type(space)](space)
    assert (space.move(value, Stream(seed, "test")) == value) == alone


@given(st.data(), seeds)
def test_many_changes_one_place(data, seed):
    space = Many(Integer(0, 9), data.draw(st.integers(1, 5)))
    value = data.draw(strategy(space))
    moved = space.move(value, Stream(seed, "test"))
    assert sum(a != b for a, b in zip(value, moved, strict=True)) == 1


@given(st.data())
def test_strategies_stay_in_the_space(data):
    space = data.draw(spaces())
    space.check("x", data.draw(strategy(space)))


def test_both_ends_and_the_middle_are_drawn():
    stream = Stream(0, "test")
    drawn = [Dyadic(0, 1, 3).sample(stream) for _ in range(800)]
    assert {x * 8 for x in drawn} == set(range(9))
    assert drawn.count(0) > 80
    assert drawn.count(1) > 80
    assert {Integer(2, 4).sample(stream) for _ in range(99)} == {2, 3, 4}
    often = [Choice(0, 0, 0, 1).sample(stream) for _ in range(400)]
    assert 50 < sum(often) < 150


@pytest.mark.parametrize(
    ("space", "value", "word"),
    [
        (Integer(0, 3), 4, "x is 4; it must be in 0..3"),
        (Integer(0, 3), 1.0, "integer"),
        (Integer(0, 3), True, "integer"),
        (Choice("a", "b"), "c", "'a', 'b'"),
        (Dyadic(0, 1, 2), 0.3, "multiple of 2^-2"),
        (Dyadic(0, 1, 2), 1.25, "[0, 1]"),
        (Dyadic(0, 1, 2), float("nan"), "multiple"),
        (Dyadic(0, 1, 2), "1", "number"),
        (Many(Integer(0, 1), 2), [0], "list of 2"),
        (Many(Integer(0, 1), 2), (0, 1), "list of 2"),
        (Many(Integer(0, 1), 2), [0, 2], "x[1] is 2"),
    ],
)
def test_what_is_not_in_the_space_is_refused(space, value, word):
    with pytest.raises(ClaimError) as error:
        space.check("x", value)
    assert word in str(error.value)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Integer(3, 2),
        lambda: Integer(0, 2**32),
        lambda: Choice(),
        lambda: Dyadic(1, 0),
        lambda: Dyadic(0, 0.1),
        lambda: Dyadic(0, float("inf")),
        lambda: Many(Integer(0, 1), -1),
        lambda: Many(Integer(0, 1), 1.5),
    ],
)
def test_spaces_that_are_none(make):
    with pytest.raises(ClaimError):
        make()
