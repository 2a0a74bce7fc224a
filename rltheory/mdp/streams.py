"""Random numbers of the model generators: words from Philox, everything else our own.

The problem: a seed must name one model for good, whatever the version of a library. numpy
promises that a bit generator's words never change, but not what its `Generator` makes of
them. So a `Stream` takes from numpy only the 64-bit words of `Philox` (Salmon et al., SC 2011)
under ``SeedSequence(seed, spawn_key=(purpose, ...))`` and turns a word w into numbers by

    uniform   (w >> 11) 2^-53, on the multiples of 2^-53 in [0, 1)
    integer   floor(w bound / 2^64), and w is thrown away when (w bound) mod 2^64 is less
              than 2^64 mod bound (multiply-shift with rejection, Lemire 2019: unbiased)

in whole numbers or with one exact product, hence the same bits on every machine. Streams of
different purposes or keys share no words.
"""

import zlib

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import ModelError

_LARGEST_BOUND = 2**32
_LOW_HALF = np.uint64(2**32 - 1)
_HALF = np.uint64(32)


class Stream:
    """Numbers drawn one after another from one Philox stream.

    Parameters
    ----------
    seed : int or numpy.random.SeedSequence
        At least 0. A SeedSequence keeps its own spawn key in front of the purpose.
    purpose : str
        What the numbers are for; its CRC-32 is the first word of the spawn key.
    *key : int
        Further words of the spawn key (stage, trial, ...), each at least 0.

    Raises
    ------
    ModelError
        If the seed is not an integer of at least 0.

    Examples
    --------
    >>> from rltheory.mdp.streams import Stream
    >>> Stream(0, "example").integers(6, 5).tolist()
    [3, 4, 1, 0, 2]
    >>> Stream(0, "example").integer(6), Stream(0, "another").integer(6)
    (3, 0)
    """

    def __init__(self, seed: int | np.random.SeedSequence, purpose: str, *key: int) -> None:
        words = (zlib.crc32(purpose.encode()), *key)
        self._bits = np.random.Philox(seed_sequence(seed, words))

    def words(self, count: int) -> NDArray[np.uint64]:
        """The next `count` words of 64 bits."""
        return self._bits.random_raw(count)

    def uniform(self) -> float:
        """A uniform number on the multiples of 2^-53 in [0, 1)."""
        return (int(self._bits.random_raw()) >> 11) * 2.0**-53

    def uniforms(self, *shape: int) -> NDArray[np.float64]:
        """Uniform numbers as `uniform` gives them, in the order of a C array of this shape."""
        words = self.words(int(np.prod(shape, dtype=np.int64)))
        return ((words >> np.uint64(11)).astype(np.float64) * 2.0**-53).reshape(shape)

    def integer(self, bound: int) -> int:
        """A uniform integer in 0..bound-1, with 1 <= bound <= 2^32."""
        _check_bound(bound)
        threshold = 2**64 % bound
        while True:
            product = int(self._bits.random_raw()) * bound
            if product % 2**64 >= threshold:
                return product >> 64

    def integers(self, bound: int, *shape: int) -> NDArray[np.int64]:
        """Uniform integers in 0..bound-1: the same that repeated `integer` gives."""
        _check_bound(bound)
        count = int(np.prod(shape, dtype=np.int64))
        factor, threshold = np.uint64(bound), np.uint64(2**64 % bound)
        found = np.empty(0, dtype=np.int64)
        while len(found) < count:
            words = self.words(count - len(found))
            kept = words[words * factor >= threshold]  # modulo 2^64, as wanted
            # floor(w bound / 2^64) from two halves of w, each product below 2^64.
            low = ((kept & _LOW_HALF) * factor) >> _HALF
            high = ((kept >> _HALF) * factor + low) >> _HALF
            found = np.concatenate([found, high.astype(np.int64)])
        return found.reshape(shape)

    def permutation(self, count: int) -> NDArray[np.int64]:
        """A uniform order of 0..count-1: the one that sorts `count` words.

        Equal words, of probability below count^2 2^-65, keep the order of their indices.
        """
        return np.argsort(self.words(count), kind="stable").astype(np.int64)

    def subsets(self, rows: int, size: int, bound: int) -> NDArray[np.int64]:
        """Uniform subsets of 0..bound-1, one a row, each of `size` distinct members.

        Floyd's algorithm (Bentley and Floyd, CACM 1987), all rows at once: for
        j = bound-size .. bound-1 draw t in 0..j, and take t, or j where t was taken before.

        Returns
        -------
        ndarray of int64, shape (rows, size)
            Ascending within a row.
        """
        taken = np.empty((rows, size), dtype=np.int64)
        for k, j in enumerate(range(bound - size, bound)):
            drawn = self.integers(j + 1, rows)
            again = (taken[:, :k] == drawn[:, None]).any(axis=1)
            taken[:, k] = np.where(again, j, drawn)
        taken.sort(axis=1)
        return taken

    def spacings(self, rows: int, size: int) -> NDArray[np.float64]:
        """Uniform points of the simplex: the gaps that size-1 uniform numbers leave in [0, 1].

        Every gap is a multiple of 2^-53, so that rows sum to 1 without any rounding. A gap
        is 0 where two numbers are equal, which has probability about size^2 2^-54.

        Returns
        -------
        ndarray of float64, shape (rows, size)
        """
        cuts = np.zeros((rows, size + 1))
        cuts[:, 1:size] = np.sort(self.uniforms(rows, size - 1), axis=1)
        cuts[:, size] = 1.0
        return np.diff(cuts, axis=1)


def philox_key(seed: int | np.random.SeedSequence, purpose: str, *key: int) -> tuple[int, int]:
    """The key under which the core's Philox gives the words of ``Stream(seed, purpose, *key)``."""
    words = (zlib.crc32(purpose.encode()), *key)
    first, second = seed_sequence(seed, words).generate_state(2, np.uint64).tolist()
    return first, second


def seed_sequence(
    seed: int | np.random.SeedSequence, words: tuple[int, ...]
) -> np.random.SeedSequence:
    """The child of a seed under these words."""
    if isinstance(seed, np.random.SeedSequence):
        return np.random.SeedSequence(
            seed.entropy, spawn_key=(*seed.spawn_key, *words), pool_size=seed.pool_size
        )
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise ModelError(
            f"seed is {seed!r}; a seed is an integer of at least 0 or a numpy SeedSequence"
        )
    return np.random.SeedSequence(int(seed), spawn_key=words)


def _check_bound(bound: int) -> None:
    if not 1 <= bound <= _LARGEST_BOUND:
        raise ValueError(f"bound is {bound}; integers are drawn below a bound in 1..2^32")
