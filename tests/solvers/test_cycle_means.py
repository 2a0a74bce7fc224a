"""Maximum mean cycles against every simple cycle, plain twins, and known values."""

import dataclasses
import random
import threading
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rltheory as rlt
from rltheory import _core
from rltheory.errors import ModelError
from rltheory.solvers.checker_cycles import prove_cycle_means
from rltheory.solvers.cycle_means import CycleMeans
from tests.reference.plain_cycles import (
    best_means,
    plain_evaluation,
    plain_howard,
    plain_karp,
    plain_walks,
)

METHODS = ("howard", "karp")
Arcs = list[list[tuple[int, Any]]]


def solve(graph: Arcs, method: str = "howard", exact: bool = True) -> CycleMeans:
    ptr = np.cumsum([0, *map(len, graph)])
    successor = [t for arcs in graph for t, _ in arcs]
    reward = [w for arcs in graph for _, w in arcs]
    return rlt.max_cycle_mean(successor, reward, ptr=ptr, method=method, exact=exact)


@st.composite
def graphs(draw: st.DrawFn, rewards: st.SearchStrategy[Any]) -> Arcs:
    n = draw(st.integers(1, 6))
    arc = st.tuples(st.integers(0, n - 1), rewards)
    return [draw(st.lists(arc, min_size=1, max_size=3)) for _ in range(n)]


def random_graph(seed: int, size: int, degree: int, rewards: int) -> Arcs:
    draw = random.Random(seed)
    return [
        [(draw.randrange(size), draw.randint(0, rewards)) for _ in range(degree)]
        for _ in range(size)
    ]


@pytest.mark.parametrize("method", METHODS)
@given(graph=graphs(st.integers(-2, 2)))
def test_gains_are_those_of_all_simple_cycles(method: str, graph: Arcs) -> None:
    found = solve(graph, method)
    expected = best_means(graph)
    assert list(found.gain) == expected == list(found.lower) == list(found.upper)
    assert found.check(), found.check().reason
    for v, g in enumerate(expected):
        assert found.cycle(v).mean == g
    assert found.cycle().mean == max(expected) == plain_karp(graph)


@given(graph=graphs(st.fractions(-2, 2, max_denominator=6)))
def test_fractions(graph: Arcs) -> None:
    for method in METHODS:
        found = solve(graph, method)
        assert list(found.gain) == best_means(graph) and found.check()


@given(graph=graphs(st.floats(-1, 1) | st.sampled_from([0.1, 1e-300, 1e16, -1e16, 5e-324])))
def test_floats_are_bracketed(graph: Arcs) -> None:
    largest = max(abs(w) for arcs in graph for _, w in arcs)
    for method in METHODS:
        found = solve(graph, method, exact=False)
        for v, g in enumerate(best_means(graph)):
            assert Fraction(found.lower[v]) <= g <= Fraction(found.upper[v])
            assert found.lower[v] <= found.gain[v] <= found.upper[v]
        assert found.gap <= 2.0**-51 * largest + 5e-324
        assert found.check(), found.check().reason


def test_many_random_graphs_with_ties() -> None:
    for seed in range(300):
        graph = random_graph(seed, 5 + seed % 20, 1 + seed % 4, 1 + seed % 3)
        howard, karp = solve(graph), solve(graph, "karp")
        gain, _, _ = plain_howard(graph)
        assert list(howard.gain) == list(karp.gain) == gain
        assert howard.check() and karp.check()


@pytest.mark.parametrize("seed", range(20))
def test_the_bias_is_that_of_the_policy(seed: int) -> None:
    graph = random_graph(seed, 12, 3, 2)
    found = solve(graph)
    first = found.graph.ptr[:-1]
    gain, bias = plain_evaluation(graph, (found.policy - first).tolist())
    assert list(found.gain) == gain and list(found.bias) == bias


def test_periodic_parts_have_no_walks_of_some_lengths() -> None:
    # From one vertex of a ring of n others are reached by one number of arcs alone.
    for n in range(1, 9):
        ring: Arcs = [[((v + 1) % n, v)] for v in range(n)]
        for method in METHODS:
            assert solve(ring, method).gain[0] == Fraction(n - 1, 2)


def test_vertices_without_predecessors_and_several_gains() -> None:
    graph: Arcs = [[(1, 9), (3, 0)], [(2, 0)], [(1, 1)], [(3, Fraction(1, 3))], [(0, 7)]]
    for method in METHODS:
        found = solve(graph, method)
        assert list(found.gain) == [Fraction(1, 2)] * 3 + [Fraction(1, 3), Fraction(1, 2)]
        assert found.gains == (Fraction(1, 3), Fraction(1, 2)) and found.check()


def test_a_bias_beyond_64_bits() -> None:
    n, large = 50, 2**58
    graph: Arcs = [[(min(v + 1, n), large if v % 2 else -large)] for v in range(n)]
    graph.append([(0, large), (n - 1, -large + 1)])
    for method in METHODS:
        found = solve(graph, method)
        assert list(found.gain) == best_means(graph) and found.check()
    heavy: Arcs = [[(min(v + 1, n), -large)] for v in range(n)] + [[(n, large)]]
    found = solve(heavy)
    assert found.bias[0] == -2 * n * large < -(2**63)
    assert found.check() and solve(heavy, "karp").check()


def test_long_paths_and_many_equal_cycles() -> None:
    n = 200_000
    to = np.minimum(np.arange(n) + 1, n - 1)
    path = rlt.max_cycle_mean(to[:, None], np.ones((n, 1)))
    assert (path.gain == 1.0).all() and path.gap == 0.0
    twos = np.arange(n) ^ 1  # n / 2 cycles of two vertices, all of mean 1/2
    found = rlt.max_cycle_mean(
        np.stack([twos, (np.arange(n) + 2) % n], axis=1),
        np.stack([np.arange(n) % 2, np.zeros(n, dtype=int)], axis=1),
        exact=True,
    )
    assert found.gains == (Fraction(1, 2),) and found.check()


@pytest.mark.parametrize("exact", [False, True])
def test_forged_results_are_refused(exact: bool) -> None:
    graph = random_graph(3, 10, 3, 2)
    found = solve(graph, exact=exact)
    assert found.check()
    better = (*found.gains[:-1], found.gains[-1] + Fraction(1, 100))
    worse = (*found.gains[:-1], found.gains[-1] - Fraction(1, 10**9))
    v = int(np.argmax(found.level))
    lifted = found.potential.copy()
    lifted[found.cycle(v).vertices[0]] += 1
    elsewhere = found.policy.copy()
    elsewhere[0] = found.graph.ptr[-1] - 1
    for change in (
        {"gains": better},
        {"gains": worse},
        {"potential": lifted},
        {"policy": elsewhere},
        {"policy": found.policy[:-1]},
        {"level": np.full_like(found.level, -1)},
    ):
        assert not dataclasses.replace(found, **change).check(), change


def test_a_rounding_that_is_too_coarse_is_refused() -> None:
    found = rlt.max_cycle_mean([[0]], [[1 / 3]])
    graph = dataclasses.replace(found.graph, given=found.graph.given + 1e-9)
    assert found.check() and not dataclasses.replace(found, graph=graph).check()


def test_levels_that_rise_are_refused() -> None:
    ptr, successor = [0, 1, 2], [1, 1]
    rest = ([0, 1], 1), [0, 1]
    prove_cycle_means(ptr, successor, *rest, [0, 0], [Fraction(1)], ([-1, 0], [1]))
    with pytest.raises(ValueError, match="larger gain"):
        prove_cycle_means(
            ptr, successor, *rest, [0, 1], [Fraction(0), Fraction(1)], ([0, 0], [1, 1])
        )


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (([[0, 2], [0, 0]], [[0, 0], [0, 0]]), "successor has 2; vertices are 0..1"),
        (([[0, -1], [0, 0]], [[0, 0], [0, 0]]), "successor has -1"),
        (([[0]], [[np.nan]]), "reward 0 is nan"),
        (([[0]], [[np.inf]]), "reward 0 is inf"),
        (([[0]], [[1e18]]), "below 2\\^57"),
        (([[0]], [[2**59]]), "beyond 2\\^58"),
        (([[0]], [["x"]]), "must hold numbers"),
        (([[0]], [[1, 2]]), "reward has shape"),
        (([[0.5]], [[1]]), "must hold integers"),
        (([], []), "not empty"),
        (([0, 0], [1, 1]), "must be \\(V, A\\)"),
    ],
)
def test_what_is_wrong_is_named(arguments: Any, word: str) -> None:
    with pytest.raises(ModelError, match=word):
        rlt.max_cycle_mean(*arguments)


def test_what_is_wrong_with_pointers_and_fractions() -> None:
    for ptr, word in (
        ([0, 1, 1], "vertex 1 has no successor|number of arcs"),
        ([0, 0, 2], "vertex 0 has no successor"),
        ([1, 1, 2], "ptr must go from 0"),
        ([0, 3, 2], "ptr must ascend"),
        ([0], "ptr must be a list"),
    ):
        with pytest.raises(ModelError, match=word):
            rlt.max_cycle_mean([0, 1], [0, 0], ptr=ptr)
    with pytest.raises(ModelError, match="method is 'kleene'"):
        rlt.max_cycle_mean([[0]], [[0]], method="kleene")
    with pytest.raises(ModelError, match="common denominator"):
        rlt.max_cycle_mean([[0, 0]], [[1.0, 1e-300]], exact=True)
    with pytest.raises(ModelError, match="reward 0 is nan"):
        rlt.max_cycle_mean([[0]], [[float("nan")]], exact=True)
    with pytest.raises(ModelError, match="vertex is 1"):
        rlt.max_cycle_mean([[0]], [[0]]).cycle(1)
    n = 8001
    ring = (np.arange(n) + 1) % n
    with pytest.raises(ModelError, match="use method 'howard'"):
        rlt.max_cycle_mean(ring[:, None], np.zeros((n, 1)), method="karp")


@given(graph=graphs(st.integers(-2, 2)), horizon=st.integers(0, 8))
def test_best_walks(graph: Arcs, horizon: int) -> None:
    ptr = np.cumsum([0, *map(len, graph)])
    to = np.array([t for arcs in graph for t, _ in arcs], dtype=np.int32)
    reward = np.array([w for arcs in graph for _, w in arcs])
    expected = plain_walks(graph, horizon)
    for weight in (reward.astype(np.int64), reward.astype(np.float64)):
        for v in range(len(graph)):
            for tables in (False, True):
                values, table = _core.graph.walk_values(ptr, to, weight, horizon, v, tables)
                assert values.tolist() == [row[v] for row in expected]
        assert table.tolist() == expected


def test_walks_that_would_overflow_are_refused() -> None:
    arcs = np.array([0, 1]), np.array([0], dtype=np.int32), np.array([2**58])
    assert _core.graph.walk_values(*arcs, 31, 0, False)[0][-1] == 31 * 2**58
    with pytest.raises(ValueError, match=r"beyond 2\^63"):
        _core.graph.walk_values(*arcs, 32, 0, False)


def test_threads_do_not_disturb_each_other() -> None:
    graphs = [random_graph(seed, 2000, 3, 5) for seed in range(4)]
    expected = [solve(g).gains for g in graphs]
    found: dict[int, Any] = {}

    def work(i: int) -> None:
        found[i] = solve(graphs[i]).gains

    workers = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    assert [found[i] for i in range(4)] == expected
