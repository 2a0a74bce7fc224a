"""Kernels that bound rounding errors, called by a thread whose denormals are flushed to 0.

Some libraries switch a process to that mode when they are loaded. Here the mode is switched by a
few bytes of machine code.
"""

import ctypes
import mmap
import platform
import sys
from collections.abc import Callable

import numpy as np
import pytest
from plain_hard_rows import some_rows
from plain_residuals import Row

import rltheory as rlt
from rltheory import _core

kernels = _core.solvers
pytestmark = pytest.mark.skipif(
    platform.machine() != "x86_64" or not sys.platform.startswith("linux"),
    reason="the mode is switched by x86-64 machine code",
)
Bounds = tuple[tuple[float, float, bool], tuple[float, float, bool]]


def bounds(row: Row, before: Callable[[], None], after: Callable[[], None]) -> Bounds:
    """T1 and T2 bounds of a row that is repeated in every state, found in between."""
    n = len(row.prob)
    core = rlt.MDP(
        np.broadcast_to(row.prob, (n, 1, n)),
        np.full((n, 1), row.reward),
        termination=np.full((n, 1), row.exit),
    ).core
    v, own, zero, policy = np.array(row.ahead), np.full(n, row.own), np.zeros(n), np.arange(n)
    before()
    one = kernels.residual_bounds(core, 0, row.discount, v, own, policy)
    two = kernels.precise_residual_bounds(core, 0, row.discount, v, zero, own, zero, policy)
    after()
    return one, two[:3]


def plain_bounds(row: Row) -> Bounds:
    return bounds(row, lambda: None, lambda: None)


def mode_switch() -> tuple[Callable[..., None], Callable[..., None], mmap.mmap]:
    """Functions that store and load the processor's floating-point mode (x86-64)."""
    code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(b"\x0f\xae\x1f\xc3" + b"\x90" * 12 + b"\x0f\xae\x17\xc3")  # stmxcsr, ldmxcsr
    base = ctypes.addressof(ctypes.c_char.from_buffer(code))
    kind = ctypes.CFUNCTYPE(None, ctypes.POINTER(ctypes.c_uint32))
    return kind(base), kind(base + 16), code


def bounds_while_flushing(row: Row) -> tuple[Bounds, int]:
    """The same for a caller that flushes to zero, and its mode afterwards."""
    store, load, code = mode_switch()
    standard, flushed, after = (ctypes.c_uint32(mode) for mode in (0, 0x9FC0, 0))

    def switch() -> None:
        store(ctypes.byref(standard))
        load(ctypes.byref(flushed))

    def back() -> None:
        store(ctypes.byref(after))
        load(ctypes.byref(standard))

    found = bounds(row, switch, back)
    assert code is not None
    return found, after.value


def test_kernels_underflow_gradually_whatever_the_caller_does() -> None:
    different = 0
    for row in some_rows(600, (1.0,)):
        # Bounds that are no denormals, of values that are.
        row = row._replace(reward=3e-307, ahead=[1e-316 * v for v in row.ahead], own=0.0)
        expected = plain_bounds(row)
        found, mode = bounds_while_flushing(row)
        assert found == expected
        assert mode & 0xFFC0 == 0x9FC0  # the caller's mode is given back
        without = row._replace(ahead=[0.0] * len(row.prob))
        different += plain_bounds(without)[0] != expected[0]
    assert different > 100


def test_every_thread_underflows_gradually() -> None:
    mdp = rlt.garnet(30_000, 4, 8, seed=1)
    core = mdp.with_rewards(3e-307 * mdp.rewards).core
    tiny = 1e-316 * np.random.default_rng(1).normal(size=30_000)
    store, load, code = mode_switch()
    standard, flushed = ctypes.c_uint32(), ctypes.c_uint32(0x9FC0)
    count = _core.support.threads()
    expected = kernels.q_values(core, 0, 0.9, tiny)
    store(ctypes.byref(standard))
    rlt.set_threads(2)
    load(ctypes.byref(flushed))
    found = kernels.q_values(core, 0, 0.9, tiny)
    load(ctypes.byref(standard))
    rlt.set_threads(count)
    assert code is not None and np.array_equal(found, expected)
    assert not np.array_equal(found, mdp.core.reward * 3e-307)


def test_denormal_bounds_survive_a_caller_that_flushes_to_zero() -> None:
    for row in some_rows(500, (0.0, 5e-324, 1e-320, 1e-308)):
        assert bounds_while_flushing(row)[0] == plain_bounds(row)


def test_errors_of_backward_induction_do_not_depend_on_the_caller() -> None:
    mdp = rlt.EpisodicMDP([[[0.5, 0.5]], [[0.25, 0.75]]], [[1e-310], [3e-320]], 5)
    store, load, code = mode_switch()
    standard, flushed = ctypes.c_uint32(), ctypes.c_uint32(0x9FC0)
    expected = kernels.backward_induction(mdp.core, 5)
    store(ctypes.byref(standard))
    load(ctypes.byref(flushed))
    found = kernels.backward_induction(mdp.core, 5)
    load(ctypes.byref(standard))
    assert code is not None and (expected[2] > 0.0).all()
    assert all(a.tobytes() == b.tobytes() for a, b in zip(found, expected, strict=True))
