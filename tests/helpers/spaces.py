"""Hypothesis strategies derived from spaces of parameters, so that failures shrink."""

from hypothesis import strategies as st

from rltheory.claims.space import Choice, Dyadic, Integer, Many


def strategy(space):
    """The values of a space."""
    if isinstance(space, Integer):
        return st.integers(space.low, space.high)
    if isinstance(space, Choice):
        return st.sampled_from(space.options)
    if isinstance(space, Dyadic):
        scale = 2**space.bits
        ends = int(space.low * scale), int(space.high * scale)
        return st.integers(*ends).map(lambda n: n / scale)
    assert isinstance(space, Many), space
    inner = strategy(space.space)
    return st.lists(inner, min_size=space.count, max_size=space.count)


def parameters(family):
    """The parameters of a family."""
    return st.fixed_dictionaries({name: strategy(x) for name, x in family.space.items()})


def spaces():
    """Spaces of every kind, some of them with a single value."""
    small = st.integers(-20, 20)
    integers = st.tuples(small, st.integers(0, 9)).map(lambda x: Integer(x[0], x[0] + x[1]))
    plain = st.one_of(st.booleans(), small, st.sampled_from("abc"), st.floats(-1, 1))
    choices = st.lists(plain, min_size=1, max_size=5).map(lambda x: Choice(*x))
    dyadic = st.tuples(small, st.integers(0, 40), st.integers(0, 6)).map(
        lambda x: Dyadic(x[0] / 2 ** x[2], (x[0] + x[1]) / 2 ** x[2], x[2])
    )
    one = st.one_of(integers, choices, dyadic)
    return st.one_of(one, st.builds(Many, one, st.integers(0, 4)))
