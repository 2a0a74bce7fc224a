"""Components, end components and reachability against definitions, spelled out on small models."""

import itertools
import math
from collections.abc import Iterator

import numpy as np
import pytest

import rltheory as rlt
from rltheory import _core

Rows = list[tuple[int, frozenset[int], bool]]  # state, successors, whether it may end


def random_model(rng: np.random.Generator, most_states: int = 5) -> rlt.MDP:
    S = int(rng.integers(1, most_states + 1))
    states, actions, table, ends = [], [], [], []
    for s in range(S):
        for a in range(int(rng.integers(1, 4))):
            width = int(rng.choice([0, 1, 1, 1, 2, 3]))
            to = rng.choice(S, size=min(width, S), replace=False)
            row = np.zeros(S)
            out = float(len(to) == 0 or rng.random() < 0.15) / (len(to) + 1)
            row[to] = (1.0 - out) / max(1, len(to))
            states.append(s)
            actions.append(a)
            table.append(row)
            ends.append(1.0 - row.sum() if out else 0.0)
    rewards = rng.integers(-1, 2, len(states)).astype(float)
    return rlt.MDP.from_pairs(states, actions, np.array(table), rewards, termination=ends)


def rows_of(mdp: rlt.MDP) -> Rows:
    arrays = mdp.arrays()
    exits = arrays["exit"] if len(arrays["exit"]) else np.zeros(mdp.n_pairs)
    owner = np.repeat(np.arange(mdp.n_states), np.diff(arrays["state_ptr"]))
    ptr, col = arrays["row_ptr"], arrays["col"]
    return [
        (int(owner[k]), frozenset(col[ptr[k] : ptr[k + 1]].tolist()), bool(exits[k] > 0))
        for k in range(mdp.n_pairs)
    ]


def closure(edges: set[tuple[int, int]], S: int) -> np.ndarray:
    reach = np.eye(S, dtype=bool)
    for s, t in edges:
        reach[s, t] = True
    for k in range(S):
        reach |= np.outer(reach[:, k], reach[k])
    return reach


def models(count: int, seed: int) -> Iterator[tuple[rlt.MDP, Rows, np.ndarray]]:
    rng = np.random.default_rng(seed)
    for _ in range(count):
        mdp = random_model(rng)
        yield mdp, rows_of(mdp), rng.random(mdp.n_pairs) < rng.choice([0.7, 1.0])


def periodic_model(rng: np.random.Generator, classes: int, size: int, shuffled: bool) -> rlt.MDP:
    """Rows from each class into the next, in any storage, some of them ending."""
    n = classes * size
    number = rng.permutation(n) if shuffled else np.arange(n)
    table, ends = np.zeros((n, 2, n)), np.zeros((n, 2))
    for s, a in itertools.product(range(n), range(2)):
        to = (s // size + 1) % classes * size + rng.integers(size, size=2)
        ends[number[s], a] = rng.choice([0.0, 0.0, 0.25])
        for t in to:
            table[number[s], a, number[t]] += 0.5 * (1.0 - ends[number[s], a])
    return rlt.MDP(table, rng.normal(size=(n, 2)), 0.9, termination=ends)


def number_of_classes(rows: Rows, S: int) -> int:
    """The gcd of labels that do not fit, by a walk along steps in both directions."""
    beside: list[list[tuple[int, int]]] = [[] for _ in range(S)]
    for s, to, _ in rows:
        for t in to:
            beside[s].append((t, 1))
            beside[t].append((s, -1))
    label: dict[int, int] = {}
    for first in range(S):
        if first in label:
            continue
        label[first] = 0
        walk = [first]
        while walk:
            s = walk.pop()
            for t, step in beside[s]:
                if t not in label:
                    label[t] = label[s] + step
                    walk.append(t)
    return math.gcd(*(label[s] + 1 - label[t] for s, to, _ in rows for t in to)) or 1


def test_cyclic_classes_follow_each_other() -> None:
    rng = np.random.default_rng(5)
    found = set()
    cases = [m for m, _, _ in models(300, 6)]
    cases += [periodic_model(rng, 1 + k % 7, 1 + k % 4, k % 2 == 0) for k in range(80)]
    for mdp in cases:
        rows = rows_of(mdp)
        label, count = _core.graph.cyclic_classes(mdp.core)
        assert count == number_of_classes(rows, mdp.n_states)
        assert ((label >= 0) & (label < count)).all()
        assert all(label[t] == (label[s] + 1) % count for s, to, _ in rows for t in to)
        found.add(count)
    assert set(range(1, 8)) <= found


def test_components_are_classes_of_mutual_reachability() -> None:
    for mdp, rows, keep in models(200, 0):
        label = _core.graph.components(mdp.core, keep)
        edges = {(s, t) for (s, to, _), k in zip(rows, keep, strict=True) if k for t in to}
        reach = closure(edges, mdp.n_states)
        for s, t in itertools.product(range(mdp.n_states), repeat=2):
            assert (label[s] == label[t]) == (reach[s, t] and reach[t, s])
            if reach[s, t]:
                assert label[s] >= label[t]


def maximal_end_components(rows: Rows, keep: np.ndarray, S: int) -> list[tuple[set[int], set[int]]]:
    """By the definition: all sets of states, with all rows that stay in them."""
    found = []
    for size in range(S, 0, -1):
        for chosen in map(set, itertools.combinations(range(S), size)):
            inside = {
                k
                for k, (s, to, ends) in enumerate(rows)
                if keep[k] and s in chosen and not ends and to <= chosen
            }
            if {rows[k][0] for k in inside} != chosen:
                continue
            reach = closure({(rows[k][0], t) for k in inside for t in rows[k][1]}, S)
            members = sorted(chosen)
            if reach[np.ix_(members, members)].all() and not any(
                chosen <= other for other, _ in found
            ):
                found.append((chosen, inside))
    return sorted(found, key=lambda each: min(each[0]))


def test_end_components_are_those_of_the_definition() -> None:
    several = 0
    for mdp, rows, keep in models(400, 1):
        label, inside = _core.graph.end_components(mdp.core, keep)
        wanted = maximal_end_components(rows, keep, mdp.n_states)
        several += len(wanted) > 1
        for number, (states, kept) in enumerate(wanted):
            assert set(np.flatnonzero(label == number)) == states
            mine = [k for k in np.flatnonzero(inside) if rows[k][0] in states]
            assert set(mine) == kept
        assert label.max() == len(wanted) - 1
    assert several > 30


def reaching(rows: Rows, policy: dict[int, int], goal: set[int], S: int) -> np.ndarray:
    """Which states reach the goal or an ending under the policy: (possibly, surely)."""
    edges = {
        (s, t) for s, k in policy.items() if s not in goal for t in rows[k][1]
    } | {(s, S) for s, k in policy.items() if s not in goal and rows[k][2]}  # fmt: skip
    edges |= {(s, S) for s in goal}
    reach = closure(edges, S + 1)
    possibly = reach[:S, S]
    doomed = [s for s in range(S) if not possibly[s]]
    surely = ~reach[:S, doomed].any(axis=1)
    return np.stack([possibly, surely])


def test_reachability_is_that_of_the_best_policy() -> None:
    split = 0
    for mdp, rows, keep in models(300, 2):
        S = mdp.n_states
        goal = np.random.default_rng(S).random(S) < 0.2
        choices = [
            [k for k in range(len(rows)) if keep[k] and rows[k][0] == s] or [None] for s in range(S)
        ]
        best = np.zeros((2, S), dtype=bool)
        targets = set(np.flatnonzero(goal).tolist())
        for pick in itertools.product(*choices):
            policy = {s: k for s, k in enumerate(pick) if k is not None}
            best |= reaching(rows, policy, targets, S)
        split += bool((best[0] & ~best[1]).any())
        for certain in (False, True):
            state, row = _core.graph.reach(mdp.core, keep, goal, certain)
            assert state.tolist() == best[int(certain)].tolist()
            policy = {s: int(k) for s, k in enumerate(row) if k >= 0}
            assert all(keep[k] and rows[k][0] == s for s, k in policy.items())
            assert set(policy) == set(np.flatnonzero(state & ~goal).tolist())
            assert reaching(rows, policy, targets, S)[int(certain)][state].all()
    assert split > 10


@pytest.mark.parametrize("storage", ["csr", "dense", "deterministic"])
def test_every_storage_is_read(storage: str) -> None:
    n = 30
    next_state = [[(s + 1) % n if s != 9 else -1, s] for s in range(n)]
    mdp = rlt.MDP.deterministic(next_state, np.zeros((n, 2)))
    if storage != "deterministic":
        noise = 1e-3
        table = np.zeros((n, 2, n))
        ends = np.zeros((n, 2))
        for s, a in itertools.product(range(n), range(2)):
            t = next_state[s][a]
            if t < 0:
                ends[s, a] = 1.0
                continue
            table[s, a, t] += 1.0 - noise
            if storage == "dense":
                table[s, a] += noise / n
            else:
                table[s, a, s] += noise
        mdp = rlt.MDP(table, np.zeros((n, 2)), termination=ends)
    assert mdp.storage == storage
    rows = np.ones(mdp.n_pairs, dtype=bool)
    label, inside = _core.graph.end_components(mdp.core, rows)
    if storage == "dense":
        assert set(label) == {0} and inside.sum() == mdp.n_pairs - 1
    else:
        assert label.tolist() == list(range(n)) and inside.sum() == n
    state, _ = _core.graph.reach(mdp.core, rows, np.zeros(n, dtype=bool), True)
    assert state.all()


def test_long_chains_do_not_exhaust_the_stack() -> None:
    n = 300_000
    mdp = rlt.MDP.deterministic([[min(s + 1, n - 1), max(s - 1, 0)] for s in range(n)],
                                np.zeros((n, 2)))  # fmt: skip
    rows = np.ones(mdp.n_pairs, dtype=bool)
    assert set(_core.graph.components(mdp.core, rows)) == {0}
    label, inside = _core.graph.end_components(mdp.core, rows)
    assert set(label) == {0} and inside.all()
    forward = np.tile([True, False], n)
    assert len(set(_core.graph.components(mdp.core, forward))) == n
    label, _ = _core.graph.end_components(mdp.core, forward)
    assert (label >= 0).sum() == 1


def test_wrong_sizes_raise() -> None:
    mdp = rlt.riverswim(states=3)
    rows, goal = np.ones(mdp.n_pairs, dtype=bool), np.zeros(3, dtype=bool)
    for call in (
        lambda: _core.graph.components(mdp.core, rows[1:]),
        lambda: _core.graph.end_components(mdp.core, goal),
        lambda: _core.graph.reach(mdp.core, rows, rows, True),
        lambda: _core.graph.reach(mdp.core, goal, goal, True),
    ):
        with pytest.raises(ValueError, match="are needed"):
            call()
    staged = rlt.random_episodic(3, 2, 4, seed=0)
    if staged.core.n_stages > 1:
        with pytest.raises(ValueError, match="stationary"):
            _core.graph.components(staged.core, np.ones(staged.core.n_rows, dtype=bool))


def test_far_apart() -> None:
    seen = {True: 0, False: 0}
    for mdp, rows, _ in models(400, 11):
        S = mdp.n_states
        adjacent = np.eye(S, dtype=bool)
        for s, to, _ in rows:
            adjacent[s, list(to)] = True
        within = [np.arange(S) == 0]  # those within k steps of state 0
        for _ in range(S):
            within.append(within[-1] @ adjacent)
        for steps, most in itertools.product(range(S + 1), range(S + 1)):
            # All states within `steps` have to be looked at before one beyond is known.
            looked_at = within[min(steps, S)].sum()
            farther = bool((within[min(steps + 1, S)] & ~within[min(steps, S)]).any())
            expected = most > 0 and farther and looked_at <= most
            assert _core.graph.far_apart(mdp.core, steps, most) == expected
            seen[expected] += 1
    assert min(seen.values()) > 100


def test_mostly_acyclic() -> None:
    seen = {True: 0, False: 0}
    for mdp, rows, _ in models(600, 12):
        S = mdp.n_states
        edges = {(s, t) for s, to, _ in rows for t in to if t != s}
        forward = closure(edges, S)
        round_trip = forward & forward.T & ~np.eye(S, dtype=bool)
        # A way leads round from s if s reaches a state that lies on a cycle of several states.
        leads_round = (forward & round_trip.any(axis=1)).any(axis=1)
        expected = 2 * int((~leads_round).sum()) > S
        assert _core.graph.mostly_acyclic(mdp.core) == expected
        seen[expected] += 1
    assert min(seen.values()) > 100
