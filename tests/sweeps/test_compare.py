"""Two runs of a sweep: what is the same, what agrees, what differs, and how often by chance."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rltheory as rlt
from rltheory.errors import SweepError
from rltheory.mdp.streams import Stream
from rltheory.sweeps.compare import compare_runs, stored_result


def made(shift: float = 0.0, seeds: int = 30, version: str = "1", n: Any = (1, 10, 100)) -> Any:
    def trial(seed: int, n: int) -> dict[str, Any]:
        rng = np.random.Generator(np.random.Philox(seed))
        return {"y": n * (1 + shift) * rng.uniform(0.5, 1.5), "z": rng.random(), "word": "a"}

    laws = (rlt.Law("y", "n", slope=1),)
    return rlt.Sweep("pair", trial, {"n": list(n)}, seeds, version=version, laws=laws)


def test_equal_runs_are_the_same_to_the_bit(tmp_path: Path) -> None:
    first = rlt.run_sweep(made(), tmp_path / "a")
    second = rlt.run_sweep(made(version="2"), tmp_path / "b")
    found = compare_runs(first, second)
    assert found.paired and found.count("same") == 10 == len(found.values) + len(found.laws)


def test_trials_with_the_same_seeds_show_a_small_difference(tmp_path: Path) -> None:
    """A shift of one percent, far below the noise of trials, is seen in their differences."""
    first = rlt.run_sweep(made(), tmp_path / "a")
    second = rlt.run_sweep(made(shift=0.01, version="2"), tmp_path / "b")
    found = compare_runs(first, second)
    assert [each.verdict for each in found.values if each.name == "y"] == ["differs"] * 3
    assert {each.verdict for each in found.values if each.name != "y"} == {"same"}
    for each in found.values:
        low, high = each.interval
        if each.name == "y":
            assert low < each.second - each.first < high and low > 0 and each.changed == 30
    apart = compare_runs(first, rlt.run_sweep(made(shift=0.01), tmp_path / "c", seed=1))
    assert not apart.paired and apart.count("differs") == 0
    large = compare_runs(first, rlt.run_sweep(made(shift=0.8), tmp_path / "d", seed=1))
    verdicts = {name: {d.verdict for d in large.values if d.name == name} for name in "yz"}
    assert verdicts == {"y": {"differs"}, "z": {"agrees"}}
    assert large.laws[0].verdict == "agrees"  # a factor leaves the slope as it is


def test_points_that_one_run_has_alone(tmp_path: Path) -> None:
    first = rlt.run_sweep(made(n=(1, 10)), tmp_path / "a")
    second = rlt.run_sweep(made(n=(10, 100), version="2"), tmp_path / "b")
    found = compare_runs(first, second)
    assert (found.only_first, found.only_second) == ([{"n": 1}], [{"n": 100}])
    assert {canonical["n"] for canonical in (each.point for each in found.values)} == {10}
    with pytest.raises(SweepError, match="no point in common"):
        compare_runs(first, rlt.run_sweep(made(n=(5,), version="3"), tmp_path / "c"))


def test_the_last_code_of_a_folder_is_meant(tmp_path: Path) -> None:
    old = rlt.run_sweep(made(), tmp_path)
    new = rlt.run_sweep(made(shift=0.5, version="2"), tmp_path)
    assert stored_result(made(), tmp_path).csv() == new.csv()
    assert stored_result(made(), tmp_path, but=new.code).csv() == old.csv()
    assert stored_result(made(), tmp_path, code=old.code).csv() == old.csv()
    with pytest.raises(SweepError, match="has no ledger"):
        stored_result(made(), tmp_path / "none")
    with pytest.raises(SweepError, match="nothing of pair under code 7"):
        stored_result(made(), tmp_path, code="7")
    with pytest.raises(SweepError, match="nothing of other"):
        stored_result(rlt.Sweep("other", print, {"n": 1}, 1), tmp_path)


def test_single_trials_and_trials_without_spread(tmp_path: Path) -> None:
    one = [
        rlt.run_sweep(made(seeds=1), tmp_path / name, seed=seed) for seed, name in enumerate("ab")
    ]
    assert {each.verdict for each in compare_runs(*one).values} == {"unknown"}
    code = rlt.run_sweep(made(seeds=1, shift=1.0, version="2"), tmp_path / "e")
    y = next(each for each in compare_runs(one[0], code).values if each.name == "y")
    assert (y.verdict, y.changed) == ("changed", 1)

    def plain(value: float, version: str) -> Any:
        sweep = rlt.Sweep("s", lambda seed: {"y": value}, {}, 9, version=version)
        return rlt.run_sweep(sweep, tmp_path / version, seed=int(version))

    (agrees,) = compare_runs(plain(1.0, "1"), plain(1.0, "2")).values
    (differs,) = compare_runs(plain(1.0, "1"), plain(1.5, "3")).values
    assert (agrees.verdict, differs.verdict) == ("agrees", "differs")
    assert differs.interval == pytest.approx((0.5, 0.5))
    (tenths,) = compare_runs(plain(0.1, "4"), plain(0.1 + 1e-17, "5")).values
    assert tenths.verdict == "agrees"


@pytest.mark.parametrize("seeds", [2, 3, 5])
@pytest.mark.parametrize("paired", [True, False])
def test_few_trials_without_spread_are_not_called_different(
    tmp_path: Path, seeds: int, paired: bool
) -> None:
    """Fair coins under both versions: at 60 points some are constant, and apart, by chance."""

    def ran(version: str, root: int) -> Any:
        def trial(seed: int, n: int) -> dict[str, Any]:
            return {"y": int(Stream(seed, version).uniform() < 0.5)}

        sweep = rlt.Sweep("coin", trial, {"n": list(range(60))}, seeds, version=version)
        return rlt.run_sweep(sweep, tmp_path / version, seed=root)

    found = compare_runs(ran("1", 0), ran("2", 0 if paired else 1))
    assert found.paired == paired and found.count("differs") == 0
    apart = [each for each in found.values if each.interval == (-np.inf, np.inf)]
    assert {each.verdict for each in apart} <= {"changed" if paired else "unknown"}
    assert apart or seeds > 3


def test_texts_failures_and_two_laws_of_one_value(tmp_path: Path) -> None:
    def sweep(word: str, version: str, fails: int = 0) -> Any:
        def trial(seed: int, n: int) -> dict[str, Any]:
            if fails and seed % fails == 0:
                raise ValueError("no")
            return {"y": n * (1 + seed % 7), "word": word}

        laws = (rlt.Law("y", "n"), rlt.Law("y", "n", factor=np.sqrt))
        return rlt.Sweep("s", trial, {"n": [1, 2, 4]}, 30, version=version, laws=laws)

    first = rlt.run_sweep(sweep("a", "1"), tmp_path / "a")
    again = rlt.run_sweep(sweep("a", "2"), tmp_path / "b")
    assert {d.verdict for d in (*compare_runs(first, again).laws,)} == {"same"}
    other = compare_runs(first, rlt.run_sweep(sweep("b", "3"), tmp_path / "c"))
    words = [d for d in other.values if d.name == "word"]
    assert {(d.verdict, d.changed) for d in words} == {("changed", 30)}
    fewer = compare_runs(first, rlt.run_sweep(sweep("a", "4", fails=9), tmp_path / "d"))
    assert fewer.failures[0] == 0 < fewer.failures[1]
    assert all(d.verdict == "agrees" for d in fewer.values if d.name == "y")  # fewer trials


def test_what_cannot_be_compared(tmp_path: Path) -> None:
    first = rlt.run_sweep(made(), tmp_path / "a")
    other = rlt.Sweep("other", lambda seed, n: {"y": 1.0}, {"n": 1}, 1, version="1")
    with pytest.raises(SweepError, match="pair and other are different sweeps"):
        compare_runs(first, rlt.run_sweep(other, tmp_path / "b"))
    with pytest.raises(SweepError, match="level is 0"):
        compare_runs(first, first, level=0)


@pytest.mark.slow
def test_equal_means_are_rarely_called_different(tmp_path: Path) -> None:
    """400 pairs of runs with other seeds, 7 comparisons each, at level .05 in all: 20 pairs are
    expected to show a difference at most; more than 36 by chance with probability 2e-4."""
    results = [rlt.run_sweep(made(), tmp_path / str(seed), seed=seed) for seed in range(40)]
    wrong = pairs = 0
    for i in range(40):
        for j in range(i + 1, i + 11):
            found = compare_runs(results[i], results[j % 40], level=0.05)
            pairs += 1
            wrong += found.count("differs") > 0
    assert pairs == 400 and wrong <= 36
