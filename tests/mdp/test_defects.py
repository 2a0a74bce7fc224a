"""The defects of rows against fractions, however rows are given and whatever reads them."""

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import sparse

from rltheory import MDP, ModelError
from rltheory._core import support
from tests.reference import plain_defects as plain

Row = tuple[list[float], float]
STATES = 48


@pytest.fixture(params=["generic", "auto"])
def processor(request: pytest.FixtureRequest) -> Iterator[str]:
    support.set_instruction_set(request.param)
    yield request.param
    support.set_instruction_set("auto")


def spread(random: np.random.Generator, n: int) -> list[float]:
    """Positive numbers of all sizes that sum to about 1."""
    weights = random.exponential(size=n) * 2.0 ** random.integers(-60, 1, size=n)
    return (weights / weights.sum()).tolist()


def rows_of_all_lengths() -> list[Row]:
    """Rows off by rounding or by up to 1e-9, with and without an exit.

    One of each length twice, and five of one length in a row.
    """
    random = np.random.default_rng(5)
    rows: list[Row] = []
    lengths = range(1, STATES + 1)
    for n in [*lengths, *lengths, *np.repeat(lengths, 5).tolist()]:
        parts = spread(random, n + 1)
        prob, leaving = parts[:-1], parts[-1]
        if random.random() < 0.5:
            prob[0], leaving = prob[0] + leaving, 0.0
        prob[-1] += random.choice([0.0, 2.0**-53, -1e-17, 4e-10, -4e-10]) if prob[-1] > 1e-9 else 0
        rows.append((prob, leaving))
    return rows


def exact_rows() -> list[Row]:
    """Rows that sum to exactly 1: cuts at multiples of 2^-53, and halves of halves."""
    random = np.random.default_rng(6)
    rows: list[Row] = []
    for n in range(2, STATES + 1):
        cuts = np.sort(random.random(n - 1))
        gaps = np.diff(cuts, prepend=0.0, append=1.0)
        rows.append((gaps.tolist(), 0.0))
        halves = [2.0**-i for i in range(1, n)]
        rows.append(([*halves, halves[-1]], 0.0))
        rows.append(([*halves[::-1], *halves[-1:]], 0.0))
        rows.append((halves, halves[-1]))
    return rows


def arrays(rows: list[Row]) -> tuple[sparse.csr_array, NDArray[np.float64]]:
    """All rows in a sparse array with the successors 0, 1, ..., and their exits."""
    row_ptr = np.cumsum([0, *(len(prob) for prob, _ in rows)])
    col = np.concatenate([np.arange(len(prob)) for prob, _ in rows])
    shape = (len(rows), STATES)
    matrix = sparse.csr_array((np.concatenate([p for p, _ in rows]), col, row_ptr), shape=shape)
    return matrix, np.array([leaving for _, leaving in rows])


def models(rows: list[Row]) -> dict[str, MDP]:
    """One action for each row: in canonical form, backwards, among zeros, as a table."""
    rows = rows + [([1.0], 0.0)] * (-len(rows) % STATES)
    matrix, ends = arrays(rows)
    back = matrix.copy()
    for begin, end in zip(back.indptr[:-1], back.indptr[1:], strict=True):
        back.indices[begin:end] = back.indices[begin:end][::-1].copy()
        back.data[begin:end] = back.data[begin:end][::-1].copy()
    first = matrix.indptr[1]  # one zero, at the end of the first row
    data, col = np.insert(matrix.data, first, 0.0), np.insert(matrix.indices, first, STATES - 1)
    pointers = matrix.indptr + (np.arange(len(rows) + 1) > 0)
    zeros = sparse.csr_array((data, col, pointers), shape=matrix.shape)
    given = {"canonical": matrix, "backwards": back, "zeros": zeros}
    rewards = np.zeros((STATES, len(rows) // STATES))
    leaving = ends.reshape(rewards.shape)
    made = {name: MDP(x, rewards, termination=leaving) for name, x in given.items()}
    table = matrix.toarray().reshape(*rewards.shape, STATES)
    return made | {"table": MDP(table, rewards, termination=leaving)}


@pytest.mark.usefixtures("processor")
def test_defects_are_as_near_as_the_theorem_says() -> None:
    rows = rows_of_all_lengths()
    for name, mdp in models(rows).items():
        for (prob, leaving), found in zip(rows, mdp.row_defect[: len(rows)].tolist(), strict=True):
            delta = plain.defect(prob, leaving)
            error = abs(Fraction(found) - delta)
            assert error <= plain.allowance(delta, len(prob)), (name, len(prob))
            assert (found == 0.0) == (delta == 0), name


@pytest.mark.usefixtures("processor")
def test_rows_that_sum_to_exactly_1_have_no_defect() -> None:
    rows = exact_rows()
    assert all(plain.defect(*row) == 0 for row in rows)
    for name, mdp in models(rows).items():
        assert not mdp.row_defect.any() and mdp.core.defect.size == 0, name


def test_every_processor_finds_the_same_defects() -> None:
    rows, found = rows_of_all_lengths(), []
    for kind in ("generic", "auto"):
        support.set_instruction_set(kind)
        found.append({name: mdp.row_defect.tobytes() for name, mdp in models(rows).items()})
    assert found[0] == found[1]


@pytest.mark.usefixtures("processor")
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6, 7, 9, STATES])
def test_one_wrong_entry_is_found_wherever_it_is(size: int) -> None:
    """Far from it rows are right, so that they are read many at once."""
    n = 1100
    whole = [([1.0 / size] * size, 0.0)] * n
    for at in sorted({0, size // 2, size - 1}):
        for row in (0, 511, 512, n - 1):
            matrix, _ = arrays(whole)
            place = matrix.indptr[row] + at
            named = f"transitions[{row}, 0"
            for value, words in (
                (np.nan, f"{named}, {at}] is nan"),
                (-1e-12, f"{named}, {at}] is -1e-12"),
                (1.0 / size + 2e-9, f"row {named}] sums to 1.000000002"),
                (3.0, f"row {named}]"),
            ):
                data = matrix.data.copy()
                data[place] = value
                wrong = sparse.csr_array((data, matrix.indices, matrix.indptr), shape=(n, n))
                with pytest.raises(ModelError) as caught:
                    MDP(wrong, np.zeros((n, 1)))
                assert words in str(caught.value)
            col = matrix.indices.copy()
            for value, words in ((n, f"leads to state {n}"), (-1, "leads to state -1")):
                col[place] = value
                wrong = sparse.csr_array((matrix.data, matrix.indices, matrix.indptr), shape=(n, n))
                wrong.indices = col
                with pytest.raises(ModelError, match=words):
                    MDP(wrong, np.zeros((n, 1)))
            if size > 1:
                col[place] = matrix.indices[place + (1 if at == 0 else -1)]
                wrong.indices = col
                with pytest.raises(ModelError, match="twice"):
                    MDP(wrong, np.zeros((n, 1)))


@pytest.mark.usefixtures("processor")
@pytest.mark.parametrize("size", [2, 3, 4, 5, 6, 7, 9, 11])
def test_entries_that_are_not_above_0_are_seen_where_the_sum_is_right(size: int) -> None:
    n = 600
    matrix, _ = arrays([([1.0 / size] * size, 0.0)] * n)
    for at in range(size):
        for value in (0.0, -0.0, -(2.0**-60)):
            data = matrix.data.copy()
            place = matrix.indptr[520] + at
            other = matrix.indptr[520] + (at + 1) % size
            data[other] += data[place] - value
            data[place] = value
            changed = sparse.csr_array((data, matrix.indices, matrix.indptr), shape=(n, n))
            table = np.full((n, 1, n), 1.0 / n)
            table[520, 0] = 0.0
            table[520, 0, :size] = data[matrix.indptr[520] : matrix.indptr[521]]
            for given in (changed, table):
                if value < 0.0:
                    with pytest.raises(ModelError, match=rf"transitions\[520, 0, {at}\] is -"):
                        MDP(given, np.zeros((n, 1)))
                else:
                    mdp = MDP(given, np.zeros((n, 1)))
                    kept = mdp.transitions[[520]].indices.tolist()
                    assert kept == [j for j in range(size) if j != at]
