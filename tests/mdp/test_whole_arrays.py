"""Pairs, rewards and pointers are looked through many at once.

Wherever something is wrong or out of order, every processor sees it.
"""

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import sparse

from rltheory import MDP, ModelError
from rltheory._core import support

STATES = 1300
PLACES = [1, 2, 3, 4, 5, 1022, 1023, 1024, 1025, 1026, 2047, 2048, 2049, -3, -2, -1]

Ints = NDArray[np.int64]


@pytest.fixture(autouse=True, params=["generic", "auto"])
def processor(request: pytest.FixtureRequest) -> Iterator[str]:
    support.set_instruction_set(request.param)
    yield request.param
    support.set_instruction_set("auto")


def pairs() -> tuple[Ints, Ints]:
    """Ragged pairs in order: one, two or three of the actions 0..4 a state."""
    random = np.random.default_rng(1)
    actions = [np.sort(random.choice(5, size=1 + s % 3, replace=False)) for s in range(STATES)]
    states = np.repeat(np.arange(STATES), [len(a) for a in actions])
    return states, np.concatenate(actions)


def made(
    states: Ints, actions: Ints, rewards: NDArray[np.float64] | None = None, **more: int
) -> MDP:
    n = len(states)
    matrix = sparse.csr_array(
        (np.full(3 * n, 0.25), np.tile([0, 1, 3], n), np.arange(0, 3 * n + 1, 3)), (n, STATES)
    )
    rewards = 100.0 * states + actions if rewards is None else rewards
    return MDP.from_pairs(
        states, actions, matrix, rewards, 0.9, termination=np.full(n, 0.25), **more
    )


def test_pairs_in_any_order_make_the_same_model() -> None:
    states, actions = pairs()
    whole = made(states, actions)
    assert whole.n_actions == 5 and whole.states.tolist() == states.tolist()
    for place in PLACES:
        order = np.arange(len(states))
        order[[place, place - 1]] = order[[place - 1, place]]
        assert made(states[order], actions[order]).fingerprint == whole.fingerprint, place
    back = np.arange(len(states))[::-1]
    assert made(states[back], actions[back]).fingerprint == whole.fingerprint


@pytest.mark.parametrize("place", PLACES)
def test_a_wrong_pair_is_seen_wherever_it_is(place: int) -> None:
    states, actions = pairs()
    place %= len(states)

    def refused(words: str, s: int | None = None, a: int | None = None, **more: int) -> None:
        wrong_states, wrong_actions = states.copy(), actions.copy()
        if s is not None:
            wrong_states[place] = s
        if a is not None:
            wrong_actions[place] = a
        with pytest.raises(ModelError) as caught:
            made(wrong_states, wrong_actions, **more)
        assert words in str(caught.value)

    refused(f"states[{place}] is {STATES}", s=STATES)
    refused(f"states[{place}] is -1", s=-1)
    refused(f"states[{place}] is {2**62}", s=2**62)
    refused(f"actions[{place}] is -1", a=-1)
    refused(f"actions[{place}] is {-(2**62)}", a=-(2**62))
    refused(f"actions[{place}] is 7; labels are 0..4", a=7, n_actions=5)
    refused("at most 2147483647", a=2**31)
    refused("at most 2147483647", a=2**62)
    before = place - 1
    refused("is given twice", s=int(states[before]), a=int(actions[before]))
    assert made(states, np.where(np.arange(len(states)) == place, 9, actions)).n_actions == 10


@pytest.mark.parametrize("place", PLACES)
def test_a_wrong_reward_is_seen_wherever_it_is(place: int) -> None:
    states, actions = pairs()
    for value in (np.nan, np.inf, -np.inf):
        rewards = np.full(len(states), -1.7e308)
        rewards[place] = value
        with pytest.raises(ModelError, match=rf"rewards\[{states[place]}, {actions[place]}\] is"):
            made(states, actions, rewards)


@pytest.mark.parametrize("width", [np.int32, np.int64])
def test_pointers_that_do_not_ascend_are_seen_wherever_they_are(width: type) -> None:
    n = 1100
    for place in (0, 1, 7, 8, 9, 512, 1024, n - 1, n):
        for value in (-1, n + 5, n // 2):
            matrix = sparse.csr_array((np.ones(n), np.zeros(n, np.int32), np.arange(n + 1)), (n, n))
            pointers = np.arange(n + 1, dtype=width)
            if value == pointers[place] or (place == n and value == n // 2):
                continue
            pointers[place] = value
            matrix.indptr = pointers
            with pytest.raises(ModelError, match=r"ascend|damaged"):
                MDP(matrix, np.zeros((n, 1)))
