"""Archives of data come back the same; whatever else is in a file gets one line."""

import copy
import dataclasses
import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from episodes import episodes_of

import rltheory as rlt
from rltheory import ModelError
from rltheory.mdp.streams import Stream

ORIGIN = rlt.Provenance(n_states=3, n_actions=2, horizon=2, seed=7, details={"name": "é"})
TRAJECTORIES = rlt.Trajectories([0, 2, 0], [0, 1, 1], [0.0, 0.1, 2.0], [-1, 1], [2, 1], ORIGIN)
STEPS = TRAJECTORIES.transitions()
BARE = rlt.Transitions(None, [0], [1], [0.5], [-1])
COUNTS = TRAJECTORIES.counts()
PREFERENCES = rlt.Preferences.bradley_terry(TRAJECTORIES, TRAJECTORIES[[1, 0]], seed=1)
EVERY = [TRAJECTORIES, TRAJECTORIES[:0], STEPS, BARE, COUNTS, COUNTS.pooled(), PREFERENCES]


def columns(data: Any) -> dict[str, Any]:
    """The fields of data as plain values."""
    if isinstance(data, rlt.Preferences):
        sides = {f"{side} {key}": x for side in ("first", "second")
                 for key, x in columns(getattr(data, side)).items()}  # fmt: skip
        return sides | {"labels": data.labels.tolist(), "provenance": data.provenance}
    if isinstance(data, rlt.Counts):
        return {
            "visits": data.visits.tolist(),
            "next": data.dense().tolist(),
            "sums": data.reward_sums.tolist(),
            "provenance": data.provenance,
        }
    if isinstance(data, rlt.Trajectories):
        return {"episodes": episodes_of(data), "provenance": data.provenance}
    names = ("stages", "states", "actions", "rewards", "next_states")
    plain = {name: np.asarray(getattr(data, name)).tolist() for name in names}
    return plain | {"provenance": data.provenance}


@pytest.mark.parametrize("data", EVERY, ids=repr)
def test_there_and_back(data: Any, tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    data.save(path)
    assert [one.name for one in tmp_path.iterdir()] == ["data.npz"]
    back = type(data).load(path)
    assert columns(back) == columns(data)
    first = path.read_bytes()
    back.save(path)
    assert path.read_bytes() == first
    with np.load(path, allow_pickle=False) as archive:
        assert all(archive[key].dtype.kind != "O" for key in archive.files)


@pytest.mark.parametrize("data", EVERY, ids=repr)
def test_copies_and_pickles_are_immutable_too(data: Any) -> None:
    for again in (pickle.loads(pickle.dumps(data)), copy.deepcopy(data)):
        assert columns(again) == columns(data)
        for field in dataclasses.fields(again):
            array = getattr(again, field.name)
            if isinstance(array, np.ndarray):
                assert not array.flags.writeable, field.name


def rewritten(path: Path, **change: Any) -> None:
    """The archive with other arrays; None removes one."""
    with np.load(path, allow_pickle=False) as archive:
        arrays = {key: archive[key] for key in archive.files} | change
    np.savez(path, **{key: x for key, x in arrays.items() if x is not None})


TEXT = np.frombuffer(b'{"color": 1}', dtype=np.uint8)
CHANGES: list[tuple[Any, dict[str, Any], str]] = [
    (TRAJECTORIES, {"states": None}, "`states` is missing"),
    (TRAJECTORIES, {"states": [0, 3, 0]}, "states[1] is 3; it must be 0..2"),
    (TRAJECTORIES, {"lengths": [2, 2]}, "states has 3 entries"),
    (TRAJECTORIES, {"rewards": [np.nan, 0, 0]}, "rewards[0] is nan"),
    (TRAJECTORIES, {"color": 1}, "array 'color' is unknown; known are states"),
    (TRAJECTORIES, {"format": "rltheory-counts-1"}, "it has the format 'rltheory-counts-1'"),
    (TRAJECTORIES, {"format": None}, "it has no format"),
    (TRAJECTORIES, {"provenance": None}, "`provenance` is missing"),
    (TRAJECTORIES, {"provenance": [1.0]}, "`provenance` is no array of bytes"),
    (TRAJECTORIES, {"provenance": TEXT[:5]}, "`provenance` is no JSON"),
    (TRAJECTORIES, {"provenance": TEXT}, "the provenance has a field 'color'"),
    (STEPS, {"next_states": [0, 0, -2]}, "next_states[2] is -2"),
    (COUNTS, {"visits": 3}, "visits has shape ()"),
    (COUNTS, {"col": [9, 9]}, "next_counts is a damaged sparse array"),
    (COUNTS, {"row_ptr": [0, 1]}, "next_counts is a damaged sparse array"),
    (COUNTS, {"count": [1.5, 1.0]}, "next_counts has dtype float64"),
    (PREFERENCES, {"second_actions": None}, "`second_actions` is missing"),
    (PREFERENCES, {"labels": [0, 7]}, "labels[1] is 7"),
]


@pytest.mark.parametrize(("data", "change", "words"), CHANGES)
def test_archives_with_one_thing_wrong(
    data: Any, change: dict[str, Any], words: str, tmp_path: Path
) -> None:
    path = tmp_path / "data.npz"
    data.save(path)
    rewritten(path, **change)
    with pytest.raises(ModelError) as caught:
        type(data).load(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ") and words in message and "\n" not in message


def test_files_that_are_something_else(tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    with pytest.raises(ModelError, match="there is no such file"):
        rlt.Counts.load(path)
    for content, words in (
        (b"", "is empty"),
        (pickle.dumps([1]), "nothing is ever unpickled"),
        (b"states,actions\n", "is not an .npz archive"),
        (b"PK\x03\x04", "is truncated or damaged"),
    ):
        path.write_bytes(content)
        with pytest.raises(ModelError, match=words):
            rlt.Counts.load(path)
    np.savez(path, states=np.array([object()]), allow_pickle=True)
    with pytest.raises(ModelError) as caught:
        rlt.Trajectories.load(path)
    assert "\n" not in str(caught.value)
    with pytest.raises(ModelError, match=r"does not end in \.npz"):
        COUNTS.save(tmp_path / "data.csv")
    with pytest.raises(ModelError, match="cannot be written"):
        COUNTS.save(tmp_path / "nowhere" / "data.npz")


def test_mutated_bytes_are_refused_or_mean_data(tmp_path: Path) -> None:
    """One byte of one array is another: an error of one line, or data that pass all checks."""
    path, stream, refused = tmp_path / "data.npz", Stream(0, "mutated data"), 0
    for data in (TRAJECTORIES, STEPS, COUNTS, PREFERENCES):
        data.save(path)
        with zipfile.ZipFile(path) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        names = sorted(members)
        for _ in range(60):
            name = names[stream.integer(len(names))]
            content = bytearray(members[name])
            content[stream.integer(len(content))] = stream.integer(256)
            file = io.BytesIO()
            with zipfile.ZipFile(file, "w") as archive:
                for key, x in (members | {name: bytes(content)}).items():
                    archive.writestr(key, x)
            path.write_bytes(file.getvalue())
            try:
                type(data).load(path)
            except ModelError as fault:
                refused += 1
                assert "\n" not in str(fault) and str(path) in str(fault)
    assert refused > 60
