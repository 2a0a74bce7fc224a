"""Saved models come back the same; whatever else is in a file gets one line, never more."""

import io
import os
import pickle
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rltheory.errors import ModelError
from rltheory.mdp.awkward import awkward
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.files import load, save
from rltheory.mdp.generators import combination_lock, gridworld, random_episodic, riverswim
from rltheory.mdp.model import MDP
from rltheory.mdp.reward_laws import Atoms, Bernoulli, Gaussian
from rltheory.mdp.streams import Stream

Model = MDP | EpisodicMDP


def same(first: Model, second: Model) -> None:
    assert type(first) is type(second)
    assert first.fingerprint == second.fingerprint
    assert (first.n_states, first.n_actions) == (second.n_states, second.n_actions)
    one, two = first.arrays(), second.arrays()
    assert one.keys() == two.keys()
    for key, values in one.items():
        left, right = np.asarray(values), np.asarray(two[key])
        assert left.dtype == right.dtype and left.tolist() == right.tolist(), key


def round_trip(model: Model, folder: Path) -> Model:
    path = folder / "model.npz"
    save(model, path)
    assert os.listdir(folder) == ["model.npz"]
    back = load(path)
    same(model, back)
    return back


def test_awkward_models_come_back(tmp_path: Path) -> None:
    for seed in range(100):
        round_trip(awkward(seed), tmp_path)
        round_trip(awkward(seed, horizon=3), tmp_path)


@pytest.mark.parametrize(
    "model",
    [
        gridworld(4, 5, walls=0.3, seed=2, discount=0.9),
        gridworld(4, 5, slip=0.0),
        riverswim(discount=0.99),
        combination_lock(4, slip=0.1, horizon=9),
        random_episodic(5, 2, 3, branching=2),
        random_episodic(5, 2, 3),
    ],
    ids=["grid", "steps", "river", "lock", "sparse stages", "dense stages"],
)
def test_generated_models_come_back(model: Model, tmp_path: Path) -> None:
    back = round_trip(model, tmp_path)
    assert back.storage == model.storage


@pytest.mark.parametrize(
    "law",
    [
        Bernoulli(scale=2.0),
        Gaussian(0.5),
        Atoms(np.array([[0.0, 1.0], [1.0, 3.0]]), np.array([[0.5, 0.5], [1.0, 0.0]])),
    ],
    ids=["bernoulli", "gaussian", "atoms"],
)
def test_reward_laws_come_back(law: Any, tmp_path: Path) -> None:
    model = MDP(np.ones((1, 2, 1)), np.array([[0.5, 1.0]]), 0.5, reward_law=law)
    back = round_trip(model, tmp_path)
    assert type(back.reward_law) is type(law)
    assert np.array_equal(repr(back.reward_law), repr(model.reward_law))


def test_rewards_of_outcomes_come_back(tmp_path: Path) -> None:
    back = round_trip(gridworld(3, 3, slip=0.4, step_reward=-1.0), tmp_path)
    assert set(back.arrays()["outcome_reward"].tolist()) <= {-1.0, 0.0, 1.0}
    assert back.arrays()["exit_reward"].max() == 1.0


def test_the_same_model_gives_the_same_bytes(tmp_path: Path) -> None:
    save(riverswim(discount=0.5), tmp_path / "a.npz")
    save(riverswim(discount=0.5), tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_discount_and_horizon_can_be_given(tmp_path: Path) -> None:
    path = tmp_path / "river.npz"
    save(riverswim(), path)
    assert load(path).discount is None  # type: ignore[union-attr]
    assert load(path, discount=0.5).discount == 0.5  # type: ignore[union-attr]
    assert load(path, horizon=4).horizon == 4  # type: ignore[union-attr]
    save(random_episodic(3, 2, 4), path)
    assert load(path, horizon=4).horizon == 4  # type: ignore[union-attr]
    for arguments in ({"discount": 0.5}, {"horizon": 5}, {"discount": 0.5, "horizon": 4}):
        with pytest.raises(ModelError, match="horizon"):
            load(path, **arguments)  # type: ignore[arg-type]


def write(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


def test_dense_files(tmp_path: Path) -> None:
    path = tmp_path / "dense.npz"
    transitions = np.array([[[0.5, 0.25], [0.0, 1.0]], [[1.0, 0.0], [0.0, 0.0]]])
    termination = 1.0 - transitions.sum(axis=2)
    rewards = np.array([[1, 2], [3, 4]], dtype=np.float32)
    write(path, transitions=transitions, rewards=rewards, termination=termination, discount=0.5)
    same(load(path), MDP(transitions, rewards.astype(float), 0.5, termination=termination))
    stages = np.stack([transitions, transitions[:, ::-1]])
    ends = 1.0 - stages.sum(axis=3)
    write(path, transitions=stages, rewards=rewards, termination=ends, horizon=2)
    model = load(path)
    assert isinstance(model, EpisodicMDP) and model.horizon == 2 and not model.is_stationary
    write(path, transitions=stages, rewards=rewards, termination=ends)
    with pytest.raises(ModelError, match="`horizon` is missing"):
        load(path)
    same(load(path, horizon=2), model)


def test_bridge_files(tmp_path: Path) -> None:
    path = tmp_path / "bridge.npz"
    following = np.asfortranarray([[1, -1], [-1, 0], [2, 1]])
    rewards = np.asfortranarray([[0.1, 1.0], [0.0, 0.3], [0.0, 0.0]], dtype=np.float32)
    # The original archives carry images and pickled states beside: they are not read.
    write(path, transitions=following, rewards=rewards, states=np.array([{}], dtype=object))
    model = load(path, horizon=3)
    assert isinstance(model, EpisodicMDP)
    assert (model.n_states, model.horizon, model.storage) == (3, 3, "deterministic")
    assert model.termination.tolist() == [0, 1, 1, 0, 0, 0]
    assert model.mean_rewards.tolist() == [float(r) for r in rewards.ravel()]
    assert model.initial is not None and model.initial.tolist() == [1, 0, 0]
    with pytest.raises(ModelError, match="does not say its horizon"):
        load(path)


def message(path: Path, **arguments: Any) -> str:
    with pytest.raises(ModelError) as caught:
        load(path, **arguments)
    text = str(caught.value)
    assert "\n" not in text and str(path) in text
    return text


def test_files_that_are_no_archive(tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    assert "there is no such file" in message(path)
    path.write_bytes(b"")
    assert "is empty" in message(path)
    path.write_bytes(pickle.dumps({"transitions": [1, 2]}))
    assert "is a pickle" in message(path)
    path.write_bytes(b"transitions,rewards\n0,1\n")
    assert "is not an .npz archive" in message(path)
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(3))
    path.write_bytes(buffer.getvalue())
    assert "single .npy array" in message(path)
    path.write_bytes(b"PK\x03\x04 and nothing else")
    assert "truncated or damaged" in message(path)
    with zipfile.ZipFile(path, "w"):
        pass
    assert "it holds nothing" in message(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("transitions", b"not an array")
    assert "is not a numpy array" in message(path, horizon=1)
    folder = tmp_path / "folder.npz"
    folder.mkdir()
    assert "cannot be opened" in message(folder)
    for name in ("model.pkl", "model"):
        assert "models are read as .npz, .drn, .tra" in message(tmp_path / name)
    assert "cannot be opened" in message(Path("nul\0.npz"))


def test_truncated_files(tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    save(gridworld(3, 3, discount=0.5), path)
    whole = path.read_bytes()
    for size in range(1, len(whole), 97):
        path.write_bytes(whole[:size])
        message(path)


GOOD: dict[str, Any] = {
    "transitions": np.array([[[1.0, 0.0], [0.5, 0.5]], [[0.0, 1.0], [1.0, 0.0]]]),
    "rewards": np.zeros((2, 2)),
    "discount": 0.5,
}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"rewards": None}, "`rewards` is missing"),
        ({"transitions": None}, "it has neither `format`"),
        ({"transitions": np.zeros(3)}, "`transitions` has shape (3,)"),
        ({"transitions": np.zeros((2, 2))}, "`transitions` has shape (2, 2) and dtype float64"),
        ({"transitions": np.array([["a"]])}, "`transitions` has dtype"),
        ({"transitions": np.array([{}], dtype=object)}, "holds Python objects"),
        ({"rewards": np.array([{}], dtype=object)}, "`rewards` holds Python objects"),
        ({"rewards": np.zeros((2, 2), dtype=complex)}, "`rewards` has dtype complex128"),
        ({"rewards": np.zeros((2, 2), dtype=bool)}, "`rewards` has dtype bool"),
        ({"rewards": np.zeros((2, 3))}, "rewards"),
        ({"rewards": np.full((2, 2), np.nan)}, "nan"),
        ({"discount": np.array([0.5])}, "`discount` has shape (1,)"),
        ({"discount": 1.0}, "discount"),
        ({"horizon": 3}, "both `discount` and `horizon`"),
        ({"horizon": 3.0, "discount": None}, "`horizon` has dtype float64"),
        ({"initial": np.array([1.0])}, "initial"),
        ({"termination": np.ones((2, 2))}, "sums to 2"),
        ({"reward": np.zeros((2, 2))}, "array 'reward' is unknown; known are transitions"),
        ({"transitions": np.full((2, 2, 2), -1.0)}, "-1"),
    ],
)
def test_dense_files_that_are_no_model(change: dict[str, Any], words: str, tmp_path: Path) -> None:
    arrays = {key: x for key, x in (GOOD | change).items() if x is not None}
    assert words in message(write(tmp_path / "model.npz", **arrays))


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"transitions": np.array([[5]]), "rewards": np.zeros((1, 1))}, "5"),
        ({"transitions": np.array([[-2]]), "rewards": np.zeros((1, 1))}, "-2"),
        (
            {"transitions": np.array([[2**63]], dtype=np.uint64), "rewards": np.zeros((1, 1))},
            "2^63",
        ),
        ({"transitions": np.array([[2**32]]), "rewards": np.zeros((1, 1))}, "4294967296"),
        ({"transitions": np.array([[0]]), "rewards": np.zeros((1, 2))}, "both must be (S, A)"),
        ({"transitions": np.zeros((0, 2), dtype=int), "rewards": np.zeros((0, 2))}, "at least one"),
        ({"transitions": np.array([[0]])}, "`rewards` is missing"),
        ({"transitions": np.array([[0]]), "rewards": np.array([[np.inf]])}, "inf"),
    ],
)
def test_bridge_files_that_are_no_model(arrays: dict[str, Any], words: str, tmp_path: Path) -> None:
    assert words in message(write(tmp_path / "model.npz", **arrays), horizon=3)


def canonical(model: Model) -> dict[str, Any]:
    arrays = {key: np.asarray(x) for key, x in model.arrays().items() if x is not None}
    return {"format": np.array("rltheory-mdp-1"), **arrays}


CHANGES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "format is 'rltheory-mdp-9'": lambda a: a.update(format=np.array("rltheory-mdp-9")),
    "`prob` is missing": lambda a: a.pop("prob"),
    "`n_states` has shape (1,)": lambda a: a.update(n_states=np.array([6])),
    "`col` has dtype float64": lambda a: a.update(col=a["col"] * 1.0),
    "array 'discont' is unknown": lambda a: a.update(discont=0.5),
    "sums to": lambda a: a.update(prob=a["prob"] / 2),
    "probability must be": lambda a: a.update(prob=-a["prob"]),
    "": lambda a: a.update(col=a["col"] + 100),
}


@pytest.mark.parametrize("words", CHANGES)
def test_canonical_files_that_are_no_model(words: str, tmp_path: Path) -> None:
    arrays = canonical(riverswim(discount=0.5))
    CHANGES[words](arrays)
    assert words in message(write(tmp_path / "model.npz", **arrays))


def mutated_array(stream: Stream, array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The array with one thing made wrong: an entry, the dtype, the length, the shape."""
    kind = stream.integer(5)
    if kind == 0 and array.size and array.dtype.kind in "if":
        flat = array.copy().reshape(-1)
        wrong = (
            (-1, 0, 1, 2**31, 2**40, -(2**62), 7)
            if array.dtype.kind == "i"
            else (-1.0, 0.0, np.nan, np.inf, 1e300, 5e-324, 0.5)
        )
        with np.errstate(all="ignore"):
            new = np.array(wrong[stream.integer(7)]).astype(flat.dtype)
        flat[stream.integer(len(flat))] = new
        return flat.reshape(array.shape)
    if kind == 1:
        names = ("<f4", ">f8", "<i2", "<u8", "|b1", "<c16", "<U3", "<M8[s]", "|S2", "<f2")
        try:
            with np.errstate(all="ignore"):
                return array.astype(names[stream.integer(len(names))])
        except (TypeError, ValueError):
            return array
    if kind == 2:
        return array[: stream.integer(len(array) + 1)] if array.ndim else array[None]
    if kind == 3:
        return np.concatenate([array, array]) if array.ndim else array
    return array[..., None]


def loads_or_says_why(path: Path) -> bool:
    try:
        model = load(path, horizon=3 if stream_of_horizons(path) else None)
    except ModelError as fault:
        assert "\n" not in str(fault)
        return False
    # What was accepted is a model all through.
    sums = model.transitions.sum(axis=1) + model.termination
    assert np.all(abs(sums - 1.0) <= 1.1e-9)
    assert np.all(np.isfinite(model.mean_rewards))
    assert model.arrays()["n_states"] == model.n_states >= 1
    return True


def stream_of_horizons(path: Path) -> bool:
    return path.name.startswith("bridge")


def originals(folder: Path) -> list[tuple[Path, dict[str, Any]]]:
    atoms = Atoms(np.array([[0.0, 1.0]] * 2), np.array([[0.5, 0.5]] * 2))
    law = MDP(np.ones((1, 2, 1)), np.array([[0.5, 0.5]]), 0.5, reward_law=atoms)
    models: list[Model] = [awkward(s) for s in range(6)]
    models += [awkward(7, horizon=3), gridworld(2, 3, discount=0.5), law, random_episodic(3, 2, 2)]
    found = [(folder / "ours.npz", canonical(m)) for m in models]
    found.append((folder / "dense.npz", GOOD))
    bridge = {"transitions": np.array([[1, -1], [0, 1]]), "rewards": np.zeros((2, 2), "f4")}
    found.append((folder / "bridge.npz", bridge))
    return found


def test_fuzz_arrays(tmp_path: Path) -> None:
    stream = Stream(0, "test_files.arrays")
    accepted = 0
    for path, arrays in originals(tmp_path):
        write(path, **arrays)
        assert loads_or_says_why(path)
        for _ in range(60):
            changed = dict(arrays)
            key = sorted(changed)[stream.integer(len(changed))]
            if stream.integer(5) == 0:
                del changed[key]
            else:
                changed[key] = mutated_array(stream, np.asarray(changed[key]))
            accepted += loads_or_says_why(write(path, **changed))
    assert 0 < accepted < 400


def test_fuzz_bytes(tmp_path: Path) -> None:
    stream = Stream(0, "test_files.bytes")
    for path, arrays in originals(tmp_path):
        write(path, **arrays)
        whole = path.read_bytes()
        for _ in range(40):
            bytes_ = bytearray(whole)
            for _ in range(1 + stream.integer(4)):
                bytes_[stream.integer(len(whole))] = stream.integer(256)
            if stream.integer(8) == 0:
                del bytes_[stream.integer(len(whole)) :]
            path.write_bytes(bytes_)
            loads_or_says_why(path)


def test_fuzz_headers(tmp_path: Path) -> None:
    """Bytes of a member changed under a correct checksum reach numpy's header reader."""
    stream = Stream(0, "test_files.headers")
    path = tmp_path / "ours.npz"
    arrays = canonical(awkward(3))
    for _ in range(400):
        with zipfile.ZipFile(path, "w") as archive:
            victim = sorted(arrays)[stream.integer(len(arrays))]
            for key, array in arrays.items():
                buffer = io.BytesIO()
                np.save(buffer, array, allow_pickle=False)
                member = bytearray(buffer.getvalue())
                if key == victim:
                    member[stream.integer(min(len(member), 140))] = stream.integer(256)
                archive.writestr(f"{key}.npy", bytes(member))
        loads_or_says_why(path)


def test_save_refuses_other_endings_and_folders(tmp_path: Path) -> None:
    model = riverswim()
    with pytest.raises(ModelError, match=r"are written as \.npz, \.drn, \.tra"):
        save(model, tmp_path / "river.pkl")
    with pytest.raises(ModelError, match="cannot be written: No such file"):
        save(model, tmp_path / "nowhere" / "river.npz")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("path", [7, None, b"model.npz", ["model.npz"]])
def test_what_is_no_path(path: Any) -> None:
    words = rf"path is {re.escape(repr(path))}; it must be a text or a path"
    with pytest.raises(ModelError, match=words):
        load(path)
    with pytest.raises(ModelError, match=words):
        save(riverswim(3), path)


def test_a_failed_save_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "river.npz"
    save(riverswim(3), path)
    before = path.read_bytes()
    for failure in (OSError(28, "No space left on device"), KeyboardInterrupt()):

        def fail(*_: Any, failure: BaseException = failure) -> None:
            raise failure

        monkeypatch.setattr(os, "fsync", fail)
        with pytest.raises((ModelError, KeyboardInterrupt)):
            save(riverswim(4), path)
        assert os.listdir(tmp_path) == ["river.npz"] and path.read_bytes() == before
    monkeypatch.undo()
    save(riverswim(4), path)
    assert load(path).n_states == 4


def test_exact_models_are_refused(tmp_path: Path) -> None:
    from fractions import Fraction

    model = MDP([[[Fraction(1)]]], [[Fraction(1, 3)]], Fraction(1, 2), exact=True)
    with pytest.raises(ModelError, match="fractions"):
        save(model, tmp_path / "exact.npz")
    assert os.listdir(tmp_path) == []
