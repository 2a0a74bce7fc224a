"""Words are numpy's Philox; the numbers made of them are ours, exact, and never move."""

import numpy as np
import pytest

from rltheory.errors import ModelError
from rltheory.mdp.streams import Stream


def test_the_words_are_those_of_numpy() -> None:
    key = 0xCBF43926  # CRC-32 of "123456789", its published check value
    expected = np.random.Philox(np.random.SeedSequence(7, spawn_key=(key, 2))).random_raw(9)
    assert Stream(7, "123456789", 2).words(9).tolist() == expected.tolist()


def test_known_numbers_stay_for_good() -> None:
    stream = Stream(0, "known")
    assert stream.words(2).tolist() == [15745344000623555478, 5746212270173604193]
    assert stream.uniform() == float.fromhex("0x1.13ce6dfd4cc90p-4")
    assert stream.integers(1000, 4).tolist() == [977, 152, 667, 552]
    assert stream.permutation(6).tolist() == [1, 2, 4, 0, 3, 5]
    assert stream.subsets(2, 3, 10).tolist() == [[1, 5, 7], [0, 4, 6]]


def test_seed_sequences_keep_their_own_key() -> None:
    parent = np.random.SeedSequence(3)
    child, other = parent.spawn(2)
    words = Stream(child, "a").words(3).tolist()
    assert words == Stream(np.random.SeedSequence(3, spawn_key=(0,)), "a").words(3).tolist()
    assert words != Stream(other, "a").words(3).tolist()
    assert Stream(parent, "a").words(3).tolist() == Stream(3, "a").words(3).tolist()


def test_purposes_and_keys_are_different_streams() -> None:
    first = {
        int(Stream(0, purpose, *key).words(1)[0])
        for purpose in ("gridworld", "awkward", "combination_lock")
        for key in ((), (0,), (1,), (0, 0))
    }
    assert len(first) == 12


@pytest.mark.parametrize("seed", [-1, 1.5, True, "0", None])
def test_what_is_no_seed_is_refused(seed: object) -> None:
    with pytest.raises(ModelError, match="a seed is an integer of at least 0"):
        Stream(seed, "a")  # type: ignore[arg-type]


def test_uniforms_are_the_repeated_uniform() -> None:
    stream = Stream(1, "u")
    assert Stream(1, "u").uniforms(2, 3).ravel().tolist() == [stream.uniform() for _ in range(6)]
    many = Stream(2, "u").uniforms(20_000)
    assert 0.0 <= many.min() < 1e-3 and 0.999 < many.max() < 1.0
    assert np.all(many * 2.0**53 == np.floor(many * 2.0**53))
    assert abs(many.mean() - 0.5) < 0.01


@pytest.mark.parametrize("bound", [1, 2, 3, 10, 2**31 - 1, 3 * 2**30, 2**32 - 1, 2**32])
def test_integers_are_the_repeated_integer(bound: int) -> None:
    stream = Stream(1, "i")
    numbers = Stream(1, "i").integers(bound, 50)
    assert numbers.tolist() == [stream.integer(bound) for _ in range(50)]
    assert 0 <= numbers.min() <= numbers.max() < bound


class Script(Stream):
    """A stream whose words are given."""

    def __init__(self, words: list[int]) -> None:
        self._bits = self  # type: ignore[assignment]
        self._left = words

    def random_raw(self, size: int | None = None) -> object:
        taken, self._left = self._left[: size or 1], self._left[size or 1 :]
        return np.array(taken, dtype=np.uint64) if size is not None else taken[0]


def test_rejected_words_are_skipped() -> None:
    # For bound 3: 2^64 mod 3 = 1, so that only the word 0, of product 0, is thrown away.
    words = [0, 2**63, 0, 0, 5]
    assert Script(words).integers(3, 2).tolist() == [1, 0]
    assert Script(words).integer(3) == 1


@pytest.mark.parametrize("bound", [0, -1, 2**32 + 1])
def test_bounds_out_of_range_are_refused(bound: int) -> None:
    for draw in (Stream(0, "i").integer, Stream(0, "i").integers):
        with pytest.raises(ValueError, match="bound is"):
            draw(bound)


def test_integers_are_uniform() -> None:
    counts = np.bincount(Stream(5, "i").integers(7, 70_000), minlength=7)
    # chi-square with 6 degrees of freedom: above 30 with probability 4e-5
    assert ((counts - 10_000) ** 2 / 10_000).sum() < 30


def test_permutations_are_uniform() -> None:
    stream = Stream(6, "p")
    counts: dict[tuple[int, ...], int] = {}
    for _ in range(6000):
        order = tuple(stream.permutation(3).tolist())
        counts[order] = counts.get(order, 0) + 1
    assert len(counts) == 6
    assert sum((c - 1000) ** 2 / 1000 for c in counts.values()) < 30


def test_subsets_are_distinct_ascending_and_uniform() -> None:
    subsets = Stream(8, "s").subsets(10_000, 2, 5)
    assert np.all(subsets[:, 0] < subsets[:, 1])
    assert subsets.min() == 0 and subsets.max() == 4
    counts = np.unique(subsets[:, 0] * 5 + subsets[:, 1], return_counts=True)[1]
    assert len(counts) == 10
    assert ((counts - 1000) ** 2 / 1000).sum() < 40
    assert Stream(8, "s").subsets(3, 4, 4).tolist() == [[0, 1, 2, 3]] * 3


def test_spacings_sum_to_one_exactly() -> None:
    for size in (1, 2, 3, 50):
        rows = Stream(9, "d").spacings(200, size)
        assert rows.min() >= 0.0
        assert np.all(np.cumsum(rows, axis=1)[:, -1] == 1.0)
    means = Stream(9, "d").spacings(20_000, 4).mean(axis=0)
    assert np.allclose(means, 0.25, atol=0.01)
