"""Results do not depend on threads or instruction sets; random words are numpy's; Ctrl-C works."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import rltheory as rlt
from rltheory import _core

kernels, support = _core.solvers, _core.support
WORTH_A_THREAD = 2**20


@pytest.fixture(autouse=True)
def settings() -> Iterator[None]:
    """Puts threads and instruction set back."""
    count, name = support.threads(), support.instruction_set()
    yield
    support.set_threads(count)
    support.set_instruction_set(name)


def work_of(mdp: Any) -> int:
    """Operations of one sweep, as the core counts them."""
    core = mdp.core
    return (core.n_entries + 2 * core.n_rows) // core.n_stages


def with_exits(mdp: rlt.MDP) -> rlt.MDP:
    ends = np.linspace(0.0, 0.5, mdp.n_pairs).reshape(mdp.n_states, -1)
    table = mdp.transitions.multiply(1.0 - ends.reshape(-1, 1)).tocsr()
    return rlt.MDP(table, mdp.rewards, mdp.discount, mdp.initial, termination=ends)


def certain(states: int) -> rlt.MDP:
    random = np.random.default_rng(1)
    following = random.integers(-1, states, size=(states, 4))
    return rlt.MDP.deterministic(following, random.normal(size=(states, 4)), 0.9)


@pytest.fixture(scope="module")
def models() -> dict[str, rlt.MDP]:
    found = {
        "csr": rlt.garnet(30_000, 4, 8, seed=1, discount=0.9),
        "dense": rlt.garnet(600, 4, 500, seed=2, discount=0.9),
        "deterministic": certain(90_000),
    }
    found["exits"] = with_exits(found["csr"])
    assert all(work_of(mdp) >= WORTH_A_THREAD for mdp in found.values())
    assert [mdp.storage for mdp in found.values()] == ["csr", "dense", "deterministic", "csr"]
    return found


def everything(mdp: rlt.MDP) -> list[Any]:
    """What the kernels make of a model, in a list to be compared bit for bit."""
    core, n = mdp.core, mdp.n_states
    v = np.random.default_rng(2).normal(size=n)
    tail, zero = v * 2.0**-54, np.zeros(n)
    value, rows = kernels.bellman(core, 0, 0.9, v)
    uniform = np.repeat(1.0 / np.diff(mdp.pair_ptr), np.diff(mdp.pair_ptr))
    out = [value, rows, kernels.q_values(core, 0, 0.9, v)]
    out += kernels.value_iteration(core, 0.9, 1e-3, 0.0, zero)
    out += kernels.gauss_seidel(core, 0.9, 1e-1, 0.0, zero)
    out += kernels.modified_policy_iteration(core, 0.9, 1e-3, 0.0, 1e9, zero)
    out += kernels.ordered_policy_iteration(core, 0.9, 1e-3, 0.0, zero)
    out += kernels.improve(core, 0.9, value, mdp.pair_ptr[:-1].copy())
    out += kernels.backward_induction(core, 2)
    out += kernels.backward_induction_double_double(core, 2)
    out += [kernels.policy_backward(core, 2, uniform)]
    out += kernels.residual_bounds(core, 0, 0.9, v, value, rows)
    out += kernels.precise_residual_bounds(core, 0, 0.9, v, tail, value, zero, rows)
    out += kernels.round_outward(v, tail, -1e-17, 1e-17)
    return out


def same_bits(one: list[Any], other: list[Any]) -> bool:
    return len(one) == len(other) and all(
        np.asarray(a).tobytes() == np.asarray(b).tobytes() for a, b in zip(one, other, strict=True)
    )


@pytest.mark.parametrize("name", ["csr", "dense", "deterministic", "exits"])
def test_threads_do_not_change_a_bit(models: dict[str, rlt.MDP], name: str) -> None:
    found = []
    for count in (1, 2, 7):
        rlt.set_threads(count)
        found.append(everything(models[name]))
    assert same_bits(found[0], found[1]) and same_bits(found[0], found[2])
    changed = [*found[0][:-1], np.nextafter(found[0][-1], np.inf)]
    assert not same_bits(found[0], changed)


def test_solutions_do_not_depend_on_threads(models: dict[str, rlt.MDP]) -> None:
    solutions = []
    for count in (1, 2):
        rlt.set_threads(count)
        solutions.append(rlt.solve(models["csr"], rtol=1e-6))
    one, two = (s.certificate for s in solutions)
    assert same_bits(
        [one.head, one.tail, one.lower, one.upper, one.lower_shift, one.policy],
        [two.head, two.tail, two.lower, two.upper, two.lower_shift, two.policy],
    )


def test_solutions_made_at_once_share_no_memory() -> None:
    # Arrays to work in are kept and taken again; these are large enough for that.
    chains = [rlt.riverswim(states, discount=0.99) for states in (10_000, 12_000, 20_000)]
    kinds = ("auto", "ordered-policy-iteration")
    alone = [rlt.solve(m, method=kind, tol=1e-3) for m in chains for kind in kinds]
    found: dict[tuple[int, str], rlt.Solution] = {}

    def solve_all(number: int) -> None:
        for kind in kinds:
            found[number, kind] = rlt.solve(chains[number], method=kind, tol=1e-3)

    for _ in range(3):
        found.clear()
        workers = [threading.Thread(target=solve_all, args=(i,)) for i in range(len(chains))]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        together = [found[i, kind] for i in range(len(chains)) for kind in kinds]
        for one, other in zip(alone, together, strict=True):
            assert same_bits([one.value, one.policy], [other.value, other.policy])


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="threads are counted in /proc")
def test_threads_are_started_where_they_are_worth_it(models: dict[str, rlt.MDP]) -> None:
    def further_threads(mdp: rlt.MDP, count: int, sweeps: int) -> int:
        rlt.set_threads(count)
        time.sleep(0.05)  # a thread that has ended is listed for a moment
        watcher_and_before, seen, over = 1 + len(os.listdir("/proc/self/task")), [0], []

        def watch() -> None:
            while not over:
                seen[0] = max(seen[0], len(os.listdir("/proc/self/task")))

        watcher = threading.Thread(target=watch)
        watcher.start()
        value = np.zeros(mdp.n_states)
        for _ in range(sweeps):
            kernels.bellman(mdp.core, 0, 0.9, value)
        over.append(True)
        watcher.join()
        return seen[0] - watcher_and_before

    assert further_threads(models["exits"], 1, 100) == 0
    # Threads of one sweep may still be listed when those of the next one start.
    assert further_threads(models["exits"], 3, 100) >= 2
    assert further_threads(rlt.garnet(100, 4, 8, seed=1), 3, 2000) == 0


def dot_of(name: str, a: np.ndarray, b: np.ndarray) -> float:
    support.set_instruction_set(name)
    return support.dense_dot(a, b)


def available() -> list[str]:
    names = []
    for name in ("generic", "avx2"):
        try:
            support.set_instruction_set(name)
        except ValueError:
            continue
        names.append(name)
    return names


def test_instruction_sets_do_not_change_a_bit(models: dict[str, rlt.MDP]) -> None:
    names = available()
    assert names[0] == "generic"
    random = np.random.default_rng(3)
    for n in [*range(40), 1000, 1001]:
        a, b = random.normal(size=(2, n)) * 10.0 ** random.integers(-8, 8, size=(2, n))
        found = {dot_of(name, a, b) for name in names}
        assert len(found) == 1
        assert abs(found.pop() - np.dot(a, b)) <= 1e-15 * (n + 1) * np.abs(a * b).sum()
    results = []
    for name in names:
        support.set_instruction_set(name)
        assert support.instruction_set() == name
        results.append(everything(models["dense"]))
    assert all(same_bits(results[0], other) for other in results)


def test_settings_that_are_none() -> None:
    support.set_instruction_set("auto")
    assert support.instruction_set() in ("generic", "avx2")
    with pytest.raises(ValueError, match="instruction set 'mmx' is not available here"):
        support.set_instruction_set("mmx")
    for bad in (0, -1, 4097, True, 1.0, "2", None):
        with pytest.raises(rlt.ModelError, match=r"threads is .*; it must be an integer in 1\.\."):
            rlt.set_threads(bad)
    rlt.set_threads(3)
    assert support.threads() == 3


def test_threads_can_be_asked_for_after_they_were_set() -> None:
    # In a process of its own: which of the two a name means depends on what was used first.
    code = "import rltheory as rlt; rlt.set_threads(2); print(rlt.threads())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "2\n")


def solve_in_child(queue: Any) -> None:
    queue.put(
        rlt.solve(rlt.garnet(30_000, 4, 8, seed=1, discount=0.9), rtol=1e-3).value[:5].tolist()
    )


@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="processes cannot fork here"
)
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_process_can_fork_after_threads_were_used(models: dict[str, rlt.MDP]) -> None:
    rlt.set_threads(2)
    expected = rlt.solve(models["csr"], rtol=1e-3).value[:5].tolist()
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    child = context.Process(target=solve_in_child, args=(queue,))
    child.start()
    child.join(30)
    assert child.exitcode == 0 and queue.get() == expected


@pytest.mark.parametrize("key", [(0, 0), (1, 2), (2**64 - 1, 2**63), (12345, 2**64 - 7)])
def test_philox_is_numpys_word_by_word(key: tuple[int, int]) -> None:
    words = support.philox_words(*key, 4099)
    expected = np.random.Philox(key=np.array(key, dtype=np.uint64)).random_raw(4099)
    assert words.dtype == np.uint64 and np.array_equal(words, expected)
    assert support.philox_words(*key, 0).shape == (0,)
    other = support.philox_words(key[0] ^ 1, key[1], 4099)
    assert not np.isin(words, other).any()


def slow(method: str) -> Callable[[], Any]:
    """Two states that never mix: the bracket closes by the discount alone, in about a minute."""
    mdp = rlt.MDP.deterministic([[0], [1]], [[0.0], [1.0]], 1.0 - 1e-8)
    return lambda: rlt.solve(mdp, method=method)


SLOW = {
    "value iteration": slow("value-iteration"),
    "gauss-seidel": slow("gauss-seidel"),
}


@pytest.mark.skipif(os.name != "posix", reason="signals are sent to the process itself")
@pytest.mark.parametrize("run", SLOW.values(), ids=SLOW)
def test_ctrl_c_ends_a_long_iteration_promptly(run: Callable[[], Any]) -> None:
    sent = [0.0]

    def interrupt() -> None:
        sent[0] = time.perf_counter()
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(0.3, interrupt)
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            run()
        assert 0.0 < time.perf_counter() - sent[0] < 2.0
    finally:
        timer.cancel()
        timer.join()
        signal.signal(signal.SIGINT, handler)
    assert rlt.solve(rlt.riverswim(discount=0.9)).gap < 1e-6
