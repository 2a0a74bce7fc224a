"""Certificates as files and as numbers: nothing is lost, and the gap is what it says."""

import dataclasses
import io
import math
import struct
import zipfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rltheory as rlt

FIELDS = tuple(field.name for field in dataclasses.fields(rlt.Certificate))
METHODS = (
    "auto",
    "value-iteration",
    "gauss-seidel",
    "modified-policy-iteration",
    "policy-iteration",
)


def the_same(one: rlt.Certificate, other: rlt.Certificate) -> bool:
    """Field by field, in type and to the last bit."""
    for name in FIELDS:
        a, b = getattr(one, name), getattr(other, name)
        if type(a) is not type(b):
            return False
        if not isinstance(a, np.ndarray):
            if repr(a) != repr(b):
                return False
        elif a.dtype != b.dtype or a.shape != b.shape:
            return False
        elif a.dtype == object:
            if [(type(x), x) for x in a.flat] != [(type(x), x) for x in b.flat]:
                return False
        elif a.tobytes() != b.tobytes():
            return False
    return True


def exact_model() -> rlt.MDP:
    third = Fraction(1, 3)
    return rlt.MDP([[[third, 1 - third]], [[1, 0]]], [[-1], [third]], Fraction(6, 7), exact=True)


CERTIFICATES: dict[str, Callable[[], rlt.Certificate]] = {
    "discounted": lambda: rlt.solve(rlt.riverswim(discount=0.99)).certificate,
    "with-a-tail": lambda: rlt.solve(rlt.riverswim(discount=1 - 1e-9)).certificate,
    "horizon": lambda: rlt.solve(rlt.combination_lock(3, slip=0.2, horizon=5)).certificate,
    "stages-differ": lambda: rlt.solve(rlt.random_episodic(3, 2, 4)).certificate,
    "one-state": lambda: rlt.solve(rlt.MDP([[[1.0]]], [[-0.0]], 0.5)).certificate,
    "exact": lambda: rlt.solve_exact(exact_model()).certificate,
    "exact-horizon": lambda: rlt.solve_exact(exact_model().episodic(3)).certificate,
    "exact-in-doubles": lambda: rlt.solve(exact_model()).certificate,
}


# --- files --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CERTIFICATES)
def test_a_file_keeps_everything(name: str, tmp_path: Path) -> None:
    c = CERTIFICATES[name]()
    path = tmp_path / f"{name}.npz"
    c.save(path)
    assert the_same(rlt.Certificate.load(path), c)
    assert the_same(rlt.Certificate.load(str(path)), c)
    # Each field counts.
    for field in FIELDS:
        x = getattr(c, field)
        other = x + "s" if field == "criterion" else np.asarray(x) * 2 + 1
        assert not the_same(dataclasses.replace(c, **{field: other}), c)


def test_the_certificates_above_are_of_all_kinds() -> None:
    made = {name: build() for name, build in CERTIFICATES.items()}
    assert {c.criterion for c in made.values()} == {"discounted", "finite-horizon"}
    assert made["with-a-tail"].tail.any() and not made["discounted"].tail.any()
    assert made["exact"].head.dtype == object != made["exact-in-doubles"].head.dtype
    assert any(x < 0 for x in made["exact"].head) and made["exact"].lower_shift == Fraction(0)


def test_doubles_of_all_sizes_are_kept(tmp_path: Path) -> None:
    c = CERTIFICATES["discounted"]()
    odd = np.array([-0.0, 5e-324, -2.2e-308, 1.7e308, np.inf, np.nan])
    c = dataclasses.replace(c, head=odd, lower_shift=-5e-324, upper_shift=math.inf)
    c.save(tmp_path / "odd.npz")
    assert the_same(rlt.Certificate.load(tmp_path / "odd.npz"), c)


def test_long_fractions_are_kept(tmp_path: Path) -> None:
    c = CERTIFICATES["exact"]()
    # 20,000 digits are beyond what int() reads in decimal.
    long = np.array([Fraction(-(7**24_000), 3**40_000), Fraction(1, 10**9000)], dtype=object)
    c = dataclasses.replace(c, head=long)
    c.save(tmp_path / "long.npz")
    assert the_same(rlt.Certificate.load(tmp_path / "long.npz"), c)


def test_loading_is_checking_nothing(tmp_path: Path) -> None:
    mdp = rlt.riverswim(discount=0.99)
    c = rlt.solve(mdp).certificate
    for given, good in ((c, True), (dataclasses.replace(c, lower=c.lower + 1), False)):
        given.save(tmp_path / "c.npz")
        assert rlt.Certificate.load(tmp_path / "c.npz").check(mdp).accepted == good


def test_only_npz_is_written(tmp_path: Path) -> None:
    c = CERTIFICATES["discounted"]()
    for name in ("c", "c.np", "c.npz.bak", "npz", ".npz/c"):
        with pytest.raises(rlt.ModelError, match=r"does not end in \.npz"):
            c.save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []
    c.save(tmp_path / "c.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["c.npz"]


def refused(path: Path, words: str = "") -> None:
    with pytest.raises(rlt.ModelError) as caught:
        rlt.Certificate.load(path)
    message = str(caught.value)
    assert words in message and "\n" not in message and len(message) < 500, message


def bytes_of(c: rlt.Certificate, tmp_path: Path) -> bytes:
    c.save(tmp_path / "whole.npz")
    return (tmp_path / "whole.npz").read_bytes()


@pytest.mark.parametrize("name", ["discounted", "exact"])
def test_truncated_files(name: str, tmp_path: Path) -> None:
    whole, path = bytes_of(CERTIFICATES[name](), tmp_path), tmp_path / "part.npz"
    for length in [*range(0, len(whole), 23), len(whole) - 1]:
        path.write_bytes(whole[:length])
        refused(path, "part.npz")


def test_damaged_files(tmp_path: Path) -> None:
    c, random = CERTIFICATES["with-a-tail"](), np.random.default_rng(3)
    whole, path = bytes_of(c, tmp_path), tmp_path / "damaged.npz"
    harmless = 0
    for _ in range(800):
        damaged = bytearray(whole)
        for at in random.integers(len(whole), size=random.integers(1, 4)):
            damaged[at] ^= int(random.integers(1, 256))
        path.write_bytes(damaged)
        try:
            # Some bytes of an archive mean nothing (dates, attributes).
            assert the_same(rlt.Certificate.load(path), c)
            harmless += 1
        except rlt.ModelError as fault:
            assert "\n" not in str(fault) and "damaged.npz" in str(fault)
    assert harmless < 160


def test_files_that_are_something_else(tmp_path: Path) -> None:
    refused(tmp_path / "nowhere.npz", "nowhere.npz: there is no such file")
    refused(tmp_path, "truncated or damaged")
    path = tmp_path / "c.npz"
    for content in (b"", b"\0", b"hello", b"PK\x03\x04", b"\x93NUMPY", b"\x80\x04N."):
        path.write_bytes(content)
        refused(path, str(path))
    rlt.save(rlt.riverswim(discount=0.9), path)
    refused(path, "is not a certificate (rltheory-certificate-1)")
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(3))
    path.write_bytes(buffer.getvalue())
    refused(path, str(path))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("format", "rltheory-certificate-1")
    refused(path, "is not a certificate")


def archive_of(path: Path, **changes: Any) -> None:
    """A certificate's archive with some arrays replaced; None leaves one out."""
    CERTIFICATES["discounted"]().save(path)
    with np.load(path) as archive:
        arrays = dict(archive) | changes
    np.savez(path, **{name: x for name, x in arrays.items() if x is not None})


@pytest.mark.parametrize("name", [*FIELDS, "format"])
def test_files_without_one_of_their_arrays(name: str, tmp_path: Path) -> None:
    archive_of(tmp_path / "c.npz")
    rlt.Certificate.load(tmp_path / "c.npz")
    archive_of(tmp_path / "c.npz", **{name: None})
    refused(tmp_path / "c.npz", "is not a certificate" if name == "format" else name)


@pytest.mark.parametrize(
    ("name", "array", "words"),
    [
        ("rows", np.zeros(6), "`rows` has dtype float64; it must hold integers"),
        ("policy", np.zeros(6, dtype=bool), "`policy` has dtype bool"),
        ("policy", np.array(["0"] * 6), "`policy` has dtype <U1"),
        ("head", np.zeros(6, dtype=np.int64), "`head` has dtype int64; it must hold doubles"),
        ("tail", np.zeros(6, dtype=np.float32), "`tail` has dtype float32"),
        ("lower", np.zeros(6, dtype=complex), "`lower` has dtype complex128"),
        ("upper", np.zeros(6, dtype="S3"), "`upper` has dtype |S3"),
        ("lower_shift", np.array(0), "`lower_shift` has dtype int64"),
        ("head", np.array(["1/2"] * 5 + ["1/0"]), "`head` holds a fraction over 0"),
        ("head", np.array(["1/2"] * 5 + ["0.5"]), "`head` holds '0.5'; it must hold fractions"),
        ("head", np.array(["1"] * 6), "`head` holds '1'"),
        ("head", np.array(["1/-2"] * 6), "`head` holds '1/-2'"),
        ("head", np.array(["1e9/1"] * 5 + [" 1/1"]), "`head` holds ' 1/1'"),
        ("head", np.array(["1/1\n"] * 6), "`head` holds"),
        ("head", np.array(["x" * 9999] * 6), "`head` holds"),
        ("upper_shift", np.array("nan"), "`upper_shift` holds 'nan'"),
        ("format", np.array("rltheory-certificate-2"), "is not a certificate"),
        ("format", np.array("rltheory-mdp-1"), "is not a certificate"),
    ],
)
def test_files_with_wrong_arrays(name: str, array: Any, words: str, tmp_path: Path) -> None:
    archive_of(tmp_path / "c.npz", **{name: array})
    refused(tmp_path / "c.npz", words)


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    path = tmp_path / "c.npz"
    for name in ("head", "rows", "criterion", "format", "lower_shift"):
        archive_of(path, **{name: np.array([Fraction(1, 2)] * 6, dtype=object)})
        refused(path, str(path))


def test_an_array_that_claims_to_be_huge(tmp_path: Path) -> None:
    path = tmp_path / "c.npz"
    archive_of(path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000000,), }"
    header += b" " * (117 - len(header)) + b"\n"
    parts["head.npy"] = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + b"\0" * 48
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    refused(path, "truncated or damaged")


# --- numbers ------------------------------------------------------------------------------------


def exact_gap(c: rlt.Certificate) -> Fraction:
    pairs = zip(c.lower.flat, c.upper.flat, strict=True)
    return max(Fraction(high) - Fraction(low) for low, high in pairs)


def rounded_up(x: Fraction) -> float:
    nearest = float(x)
    return nearest if Fraction(nearest) >= x else math.nextafter(nearest, math.inf)


@pytest.mark.parametrize("method", ["auto", "value-iteration"])
def test_the_gap_is_rounded_up_and_the_value_within_the_bounds(method: str) -> None:
    for seed in range(1000):
        mdp = rlt.awkward(seed, discount=(0.1, 0.7, 0.9, 0.97)[seed % 4])
        solution = rlt.solve(mdp, method=method, rtol=(1.5, 0.9, 0.5, 1e-3, 1e-10)[seed % 5])
        gap = exact_gap(solution.certificate)
        assert solution.gap == rounded_up(gap), seed
        assert (solution.lower <= solution.value).all(), seed
        assert (solution.value <= solution.upper).all(), seed


def test_the_gap_with_a_horizon() -> None:
    for seed in range(500):
        solution = rlt.solve(rlt.awkward(seed, horizon=1 + seed % 7))
        assert solution.gap == rounded_up(exact_gap(solution.certificate)), seed
        assert (solution.lower <= solution.value).all(), seed
        assert (solution.value <= solution.upper).all(), seed


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("zero", [0.0, -0.0])
def test_a_model_without_rewards_has_gap_zero(method: str, zero: float) -> None:
    random = np.random.default_rng(7)
    for discount in (0.0, 0.3, 0.9, 1 - 1e-7):
        mdp = rlt.MDP(random.dirichlet(np.ones(5), size=(5, 2)), np.full((5, 2), zero), discount)
        solution = rlt.solve(mdp, method=method, tol=0.0)
        assert solution.gap == 0.0 and solution.tol == 0.0
        assert not solution.lower.any() and not solution.upper.any()
        assert solution.certificate.check(mdp)
    episodic = rlt.solve(mdp.episodic(9), tol=0.0)
    assert episodic.gap == 0.0 and not episodic.upper.any()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("scale", [1e6, 1.0, 1e-300])
def test_values_of_zero_among_rewards(method: str, scale: float) -> None:
    # To wait is worth 0; all else costs. No tolerance relative to the bounds alone can be met.
    random = np.random.default_rng(8)
    S = 6
    transitions = random.dirichlet(np.ones(S), size=(S, 3))
    transitions[:, 0] = np.roll(np.eye(S), 1, axis=1)
    rewards = -scale * random.uniform(0.5, 1, size=(S, 3))
    rewards[:, 0] = 0.0
    for discount in (0.5, 0.9, 0.98):
        mdp = rlt.MDP(transitions, rewards, discount)
        solution = rlt.solve(mdp, method=method)
        assert solution.policy.tolist() == [0] * S
        assert 0.0 <= solution.gap <= solution.tol <= 1e-10 * 2.0**-53 * scale
        assert (solution.lower <= 0.0).all() and (solution.upper >= 0.0).all()
        assert solution.certificate.check(mdp)
        # Not from 0 either.
        start = scale * random.uniform(-1, 1, size=S)
        again = rlt.solve(mdp, method=method, initial_value=start)
        assert (
            again.gap <= again.tol and (again.lower <= 0.0).all() and again.certificate.check(mdp)
        )


def test_a_value_that_cancels_to_zero() -> None:
    # A reward of 1 and then a debt of 1 / 0.9, which is no double: V is 0 up to 0.9 roundings.
    debt = -1 / 0.9
    mdp = rlt.MDP.from_pairs(
        [0, 1], [0, 0], [[0, 1.0], [0, 0]], [1.0, debt], 0.9, termination=[0, 1.0]
    )
    left = 1 + Fraction(0.9) * Fraction(debt)
    assert 0 < abs(left) < 2**-52
    solution = rlt.solve(mdp)
    assert Fraction(solution.lower[0]) <= left <= Fraction(solution.upper[0])
    # In double-double not even its sign is lost; the debt still has a gap of 2 ulps.
    close = rlt.solve(mdp, tol=2 * math.ulp(debt))
    assert "refined" in close.note
    assert (close.lower[0] > 0) == (close.upper[0] > 0) == (left > 0)
    assert close.certificate.check(mdp)


@pytest.mark.parametrize("scale", [1e-300, 1e-290, 1e300])
def test_rewards_at_the_ends_of_the_range(scale: float) -> None:
    for discount in (0.0, 0.5, 0.99):
        mdp = rlt.MDP([[[0.5, 0.5]], [[0.0, 1.0]]], [[scale], [scale]], discount)
        solution = rlt.solve(mdp)
        exact = Fraction(scale) / (1 - Fraction(discount))
        assert solution.gap <= solution.tol < 1.1e-10 * float(exact)
        assert all(Fraction(x) <= exact for x in solution.lower)
        assert all(Fraction(x) >= exact for x in solution.upper)
        assert solution.certificate.check(mdp)


def test_denormal_rewards() -> None:
    for reward in (5e-324, 1e-310, -1e-320):
        mdp = rlt.MDP([[[1.0]]], [[reward]], 0.5)
        exact = 2 * Fraction(reward)
        solution = rlt.solve(mdp, tol=1e-318)
        assert Fraction(solution.lower[0]) <= exact <= Fraction(solution.upper[0])
        assert solution.gap <= 1e-318 and solution.certificate.check(mdp)


@pytest.mark.parametrize("method", METHODS)
def test_a_discount_of_zero(method: str) -> None:
    random = np.random.default_rng(9)
    rewards = random.normal(size=(7, 3)) * 10.0 ** random.integers(-5, 6, size=(7, 1))
    mdp = rlt.MDP(random.dirichlet(np.ones(7), size=(7, 3)), rewards, 0.0)
    solution = rlt.solve(mdp, method=method)
    assert solution.value.tolist() == rewards.max(axis=1).tolist()
    assert solution.policy.tolist() == rewards.argmax(axis=1).tolist()
    assert solution.certificate.check(mdp)
    # With refinement the bounds are within an ulp of the rewards.
    best = np.abs(rewards.max(axis=1)).max()
    assert rlt.solve(mdp, method=method, tol=2 * np.spacing(best)).gap <= 2 * np.spacing(best)
