"""Alias tables: the same bits as the plain ones, and the law they draw from, in fractions."""

from collections import Counter
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from scipy import sparse, stats
from scipy.special import ndtri

import rltheory as rlt
from rltheory import _core
from rltheory.mdp.simulator import keys_of, law_sampler, simulator_of
from rltheory.mdp.streams import Stream, philox_key
from tests.reference.plain_sampling import alias_table, draw, drawn_reward, row_of, words

LEVEL = 1e-6
"""How often each goodness-of-fit test would fail by chance, were its seed not fixed."""


def one_row(probabilities, termination=0.0, storage="sparse"):
    """A model whose row 0 has these probabilities, in states 0.."""
    n = len(probabilities)
    rows = np.eye(n)
    rows[0] = probabilities
    ends = np.zeros((n, 1))
    ends[0] = termination
    moves = rows[:, None, :] if storage == "dense" else sparse.csr_array(rows)
    return rlt.MDP(moves, np.zeros((n, 1)), termination=ends if termination else None)


def words_of(sampler, row=0):
    """How many of the 2^64 words give each outcome, and of how many cells it has a part."""
    split, here, there = (x.tolist() for x in sampler.cells(row))
    n = len(split)
    found, parts = Counter(), Counter()
    for i, (cut, own, other) in enumerate(zip(split, here, there, strict=True)):
        # Words w of cell i have i 2^64 <= w n < (i + 1) 2^64, its own below i 2^64 + cut.
        first, border, last = (-(-x // n) for x in (i << 64, (i << 64) + cut, (i + 1) << 64))
        found[own] += border - first
        found[other] += last - border
        parts.update({own, other})
    return found, parts


def assert_law(sampler, exact):
    """Each outcome has its share of the words to within k + 1, with k parts of cells."""
    found, parts = words_of(sampler)
    total = sum(exact.values())
    assert set(found) == set(exact) and sum(found.values()) == 2**64
    for outcome, chance in exact.items():
        # |words / 2^64 - chance / total| < (k + 1) / 2^64, times 2^64 total
        assert abs(found[outcome] * total - (chance << 64)) < (parts[outcome] + 1) * total


def whole(chances):
    """Doubles above 2^-1074 as whole numbers in the same proportions."""
    return [int(Fraction(float(x)) * 2**1074) for x in chances]


def awkward_rows():
    rng = np.random.Generator(np.random.Philox(1))
    tiny = np.full(100, 1e-12)
    tiny[0] = 1 - 99e-12
    power = rng.random(300) ** 20
    yield "one point", np.array([1.0]), 0.0
    yield "two points", np.array([0.25, 0.75]), 0.0
    yield "tiny", tiny, 0.0
    yield "skewed", power / power.sum(), 0.0
    yield "with an end", np.array([0.125, 0.0, 0.375]), 0.5
    yield "nearly an end", np.array([1e-12, 0.0]), 1 - 1e-12
    yield "sum off", np.array([0.3, 0.3, 0.4 + 5e-10]), 0.0
    halves = np.array([2, 2, 21, 156, 263, 348, 598, 731, 999])  # one share is 2e-15 below n + 1/2
    yield "half way", halves / halves.sum(), 0.0
    yield "subnormal", np.array([5e-324, 1.0]), 0.0


ROWS = {name: (p, end) for name, p, end in awkward_rows()}


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("storage", ["sparse", "dense"])
def test_the_law_is_that_of_the_row_over_its_sum(name, storage):
    p, end = ROWS[name]
    mdp = one_row(p, end, storage)
    if mdp.storage == "deterministic":
        return
    chances = dict(zip([*range(len(p)), -1], whole([*p, end]), strict=True))
    assert_law(
        _core.simulate.Sampler(mdp.core), {i: chance for i, chance in chances.items() if chance}
    )


@given(st.integers(2, 400), st.integers(0, 2**32), st.sampled_from([0.01, 0.3, 1.0, 30.0]))
def test_the_law_of_random_rows(n, seed, concentration):
    law = np.random.Generator(np.random.Philox(seed)).dirichlet(np.full(n, concentration))
    exact = {i: x for i, x in enumerate(whole(law)) if x}
    if len(exact) > 1:
        assert_law(law_sampler(law), exact)


def test_shares_in_doubles_would_be_refused():
    law = np.random.Generator(np.random.Philox(0)).dirichlet(np.full(100, 1.0))
    split, here, there = law_sampler(law).cells(0)
    i = np.flatnonzero((split > 2**62) & (split < 2**63) & (here != there))[0]
    split[i] += np.uint64(2**9)  # the last bit of this share as a double
    table = SimpleNamespace(cells=lambda row: (split, here, there))
    exact = dict(enumerate(whole(law)))
    with pytest.raises(AssertionError):
        assert_law(table, exact)


def awkward_law(n=100_000):
    """Two points hold half of the mass, ten have 1e-12, and the sum is off."""
    law = np.random.Generator(np.random.Philox(2)).random(n)
    law *= 0.5 / law.sum()
    law[:10] = 1e-12
    law[[10, n - 1]] += (1.0 - law.sum()) / 2 + 1e-10
    return law


def test_hundred_thousand_successors_with_tiny_ones():
    law = awkward_law()
    assert law.sum() != 1.0
    assert_law(law_sampler(law), dict(enumerate(whole(law))))


def test_frequencies_among_hundred_thousand_successors():
    law, n = awkward_law(), 1_000_000
    drawn = law_sampler(law).draw(np.zeros(n, dtype=np.int64), 5, 6, 0)
    observed = np.bincount(drawn, minlength=len(law))
    assert observed[:10].sum() == 0  # 1e-11 in all
    observed, expected = (x.reshape(1000, -1).sum(axis=1) for x in (observed, n * law))
    assert chi_square(observed, expected * (n / expected.sum())) > LEVEL


@given(st.lists(st.integers(0, 1000), min_size=2, max_size=12), st.integers(0, 2**64 - 1))
def test_tables_and_draws_are_those_of_the_plain_algorithm(weights, word):
    if sum(w > 0 for w in weights) < 2:
        weights = [1, 1, *weights]
    mdp = one_row(np.array(weights) / sum(weights))
    outcomes, probabilities = row_of(mdp, 0)
    exact = [Fraction(p) for p in probabilities]
    parts = [len(exact) * p / sum(exact) * 2**64 % 1 for p in exact]
    # Shares half way between whole numbers go either way; the test of the law has such a row.
    assume(all(abs(part - Fraction(1, 2)) > Fraction(1, 10**9) for part in parts))
    found = [x.tolist() for x in _core.simulate.Sampler(mdp.core).cells(0)]
    assert found == [list(x) for x in alias_table(outcomes, probabilities)]


def test_draws_take_one_word_each():
    mdp = rlt.garnet(20, 3, branching=5, seed=0)
    keys = keys_of(3, "test", "moves", "rewards")
    rows = Stream(4, "rows").integers(mdp.n_pairs, 500)
    simulator = simulator_of(mdp)
    following, rewards = simulator.rows(rows, keys, 7)
    drawn = words(3, "test-moves", 507)[7:]
    plain = [draw(*row_of(mdp, r), w) for r, w in zip(rows.tolist(), drawn, strict=True)]
    assert following.tolist() == plain
    assert rewards.tolist() == mdp.mean_rewards[rows].tolist()
    one = [simulator.row(int(r), keys, 7 + i)[0] for i, r in enumerate(rows)]
    assert one == plain


@given(st.integers(0, 2**40) | st.integers(0, 2**64 - 40), st.integers(0, 30))
def test_the_stream_can_be_entered_anywhere(first, count):
    key = philox_key(5, "jump")
    bits = np.random.Philox(np.random.SeedSequence(0))
    state = bits.state
    state["state"]["key"] = np.array(key, dtype=np.uint64)
    state["state"]["counter"] = np.array([first // 4, 0, 0, 0], dtype=np.uint64)
    state["buffer_pos"] = 4
    bits.state = state
    wanted = bits.random_raw(first % 4 + count)[first % 4 :]
    assert _core.support.philox_words(*key, count, first).tolist() == wanted.tolist()


def test_results_do_not_depend_on_threads():
    mdp = rlt.garnet(200, 4, branching=10, seed=0)
    keys, simulator = keys_of(3, "test", "moves", "rewards"), simulator_of(mdp)
    rows = Stream(4, "rows").integers(mdp.n_pairs, 200_000)
    found = []
    try:
        for threads in (1, 2, 3):
            rlt.set_threads(threads)
            drawn = [x.tobytes() for x in simulator.rows(rows, keys, 5)]
            counted = [x.tobytes() for x in simulator.counts(300, keys, 5)]
            found.append((drawn, counted))
    finally:
        rlt.set_threads(1)
    assert found[0] == found[1] == found[2]


# --- laws by goodness of fit --------------------------------------------------------------


def chi_square(observed, expected):
    """Probability of a fit as bad as this, cells below 20 put together."""
    order = np.argsort(expected)
    observed, expected = observed[order], expected[order]
    cut = int(np.searchsorted(np.cumsum(expected), 20.0)) + 1
    if cut > 1:
        observed = np.concatenate([[observed[:cut].sum()], observed[cut:]])
        expected = np.concatenate([[expected[:cut].sum()], expected[cut:]])
    return stats.chisquare(observed, expected).pvalue


@pytest.mark.parametrize("name", ["two points", "skewed", "with an end"])
def test_frequencies_fit(name):
    p, end = ROWS[name]
    mdp = one_row(p, end)
    n = 200_000
    following, _ = simulator_of(mdp).rows(
        np.zeros(n, dtype=np.int64), keys_of(11, "fit", "moves", "rewards"), 0
    )
    possible = [*np.flatnonzero(p), *([-1] if end else [])]
    observed = np.array([(following == i).sum() for i in possible])
    expected = n * np.array([end if i < 0 else p[i] for i in possible])
    assert observed.sum() == n
    assert chi_square(observed, expected * (n / expected.sum())) > LEVEL


def test_what_is_tiny_is_rare_and_what_is_impossible_never_comes():
    p, _ = ROWS["tiny"]
    following, _ = simulator_of(one_row(p)).rows(
        np.zeros(10**6, dtype=np.int64), keys_of(0, "rare", "moves", "rewards"), 0
    )
    # 99e-12 in all: one of a million draws hits with probability 1e-4.
    assert (following != 0).sum() == 0


def test_a_wrong_law_would_be_found():
    n = 200_000
    following, _ = simulator_of(one_row(np.array([0.25, 0.75]))).rows(
        np.zeros(n, dtype=np.int64), keys_of(11, "fit", "moves", "rewards"), 0
    )
    observed = np.bincount(following, minlength=2)
    assert chi_square(observed, n * np.array([0.255, 0.745])) < LEVEL


def with_law(law, means=(0.25, 0.75)):
    return rlt.MDP([[[0.5, 0.5]], [[1.0, 0.0]]], np.array(means)[:, None], reward_law=law)


def rewards_of(mdp, n=100_000, row=0):
    keys = keys_of(2, "rewards", "moves", "rewards")
    return simulator_of(mdp).rows(np.full(n, row), keys, 0)[1]


def test_bernoulli_rewards():
    mdp = with_law(rlt.Bernoulli(2.0), (0.5, 2.0))
    drawn = rewards_of(mdp)
    assert set(drawn.tolist()) == {0.0, 2.0}
    assert stats.binomtest(int((drawn > 0).sum()), len(drawn), 0.25).pvalue > LEVEL
    assert set(rewards_of(mdp, 1000, row=1).tolist()) == {2.0}


def test_gaussian_rewards():
    drawn = rewards_of(with_law(rlt.Gaussian(3.0)))
    assert stats.kstest((drawn - 0.25) / 3.0, "norm").pvalue > LEVEL
    assert set(rewards_of(with_law(rlt.Gaussian(0.0)), 100).tolist()) == {0.25}


def test_atoms():
    law = rlt.Atoms([[0.0, 1.0, 5.0], [0.75, 9.0, 9.0]], [[0.75, 0.25, 0.0], [1.0, 0.0, 0.0]])
    mdp = with_law(law)
    drawn = rewards_of(mdp)
    assert set(drawn.tolist()) == {0.0, 1.0}
    assert stats.binomtest(int(drawn.sum()), len(drawn), 0.25).pvalue > LEVEL
    assert set(rewards_of(mdp, 1000, row=1).tolist()) == {0.75}


@pytest.mark.parametrize("law", [rlt.Bernoulli(2.0), rlt.Deterministic()])
def test_rewards_are_those_of_their_words(law):
    mdp = with_law(law)
    drawn = words(2, "rewards-rewards", 300)
    plain = [drawn_reward(mdp, 0, w) for w in drawn]
    assert rewards_of(mdp, 300).tolist() == plain


@pytest.mark.parametrize("dense", [True, False])
def test_rewards_of_outcomes(dense):
    moves = np.array([[[0.5, 0.25, 0.0, 0.0]], *[[[0.0] * 3 + [1.0]]] * 3])
    paid = np.zeros_like(moves)
    paid[0, 0] = [1.0, 2.0, 0.0, 0.0]
    paid[1:, 0, 3] = 7.0
    ends = np.array([[0.25], [0.0], [0.0], [0.0]])
    pay_end = np.array([[3.0], [0.0], [0.0], [0.0]])
    flat = (lambda x: x) if dense else (lambda x: sparse.csr_array(x[:, 0]))
    mdp = rlt.MDP(
        flat(moves), next_state_rewards=flat(paid), termination=ends, termination_rewards=pay_end
    )
    keys = keys_of(2, "outcomes", "moves", "rewards")
    following, rewards = simulator_of(mdp).rows(np.zeros(1000, dtype=np.int64), keys, 0)
    assert {(s, r) for s, r in zip(following.tolist(), rewards.tolist(), strict=True)} == {
        (0, 1.0),
        (1, 2.0),
        (-1, 3.0),
    }


@given(st.floats(1e-300, 1 - 2.0**-53, exclude_max=False))
def test_the_normal_quantile(p):
    assert _core.simulate.normal_quantile(p) == pytest.approx(ndtri(p), rel=4e-15, abs=4e-16)


@given(st.integers(0, 2**64 - 1))
@example(2**64 - 1)
@example(0)
def test_normal_numbers_of_words_are_symmetric(word):
    x = _core.simulate.standard_normal(word)
    assert np.isfinite(x) and abs(x) < 8.3
    assert x == -_core.simulate.standard_normal(2**64 - 1 - word)
    middle = Fraction(2 * (word >> 11) + 1, 2**54)
    low = float(min(middle, 1 - middle))  # exact
    assert abs(x) == pytest.approx(-ndtri(low), rel=4e-15, abs=4e-16)


def test_the_core_refuses_what_is_out_of_range():
    mdp = rlt.riverswim(3)
    simulator, keys = simulator_of(mdp), keys_of(0, "x", "a", "b")
    for rows in ([-1], [6]):
        with pytest.raises(ValueError, match="no row"):
            simulator.rows(np.array(rows), keys, 0)
    with pytest.raises(ValueError, match="keys has 2"):
        simulator.rows(np.array([0]), keys[:2].copy(), 0)
    with pytest.raises(ValueError, match="at least one draw"):
        simulator.counts(0, keys, 0)
    with pytest.raises(ValueError, match="at most 2"):
        simulator.counts(2**60, keys, 0)
    for p in (0.0, 1.0, np.nan):
        with pytest.raises(ValueError, match="between 0 and 1"):
            _core.simulate.normal_quantile(p)
    none = np.zeros(0)
    for law, parameter, message in (
        ("x", 0.0, "unknown"),
        ("bernoulli", 0.0, "positive"),
        ("atoms", 0.0, "one value"),
    ):
        with pytest.raises(ValueError, match=message):
            _core.simulate.Simulator(mdp.core, law, parameter, none, none)
