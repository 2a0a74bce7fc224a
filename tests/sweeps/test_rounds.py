"""Sweeps that look at their trials: points that stop, and axes that are refined."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rltheory as rlt
from rltheory.errors import SweepError
from rltheory.sweeps.rounds import Stop, wanted


def coin(seed: int, p: float) -> dict[str, float]:
    return {"heads": float(np.random.Generator(np.random.Philox(seed)).random() < p)}


def bent(seed: int, n: int) -> dict[str, float]:
    """Grows like n up to 100 and not from there on."""
    noise = np.random.Generator(np.random.Philox(seed)).uniform(0.9, 1.1)
    return {"y": min(n, 100) * noise}


STOP = Stop("heads", range=(0, 1), within=0.15, batch=20)
LAW = rlt.Law("y", "n")


def stopping(**changes: Any) -> rlt.Sweep:
    options = {"trial": coin, "grid": {"p": [0.01, 0.5]}, "seeds": 400, "stop": STOP}
    return rlt.Sweep("coins", version="1", **(options | changes))


def refining(points: int = 4, **changes: Any) -> rlt.Sweep:
    options = {
        "grid": {"n": [1, 10, 100, 1000, 10_000]},
        "seeds": 20,
        "refine": rlt.Refine(LAW, points),
        "version": "1",
        "laws": (LAW,),
    }
    return rlt.Sweep("bent", bent, **(options | changes))


def test_a_point_stops_when_its_mean_is_known(tmp_path: Path) -> None:
    result = rlt.run_sweep(stopping(), tmp_path)
    sure, fair = (len(group.seeds) for group in result.groups)
    assert sure % 20 == fair % 20 == 0
    assert sure < fair < 400 and result.missing == 0
    for group in result.groups:  # one batch fewer was not enough
        known = dict(zip(group.seeds, group.results, strict=True))
        assert STOP.trials(known, 400) == (len(known), True)
        fewer = {i: known[i] for i in range(len(known) - 20)}
        assert STOP.trials(fewer, 400) == (len(known), False)


def test_narrow_enough_may_be_relative_and_seeds_are_the_most(tmp_path: Path) -> None:
    stop = Stop("heads", range=(0, 1), within=0.5, relative=True, batch=20)
    result = rlt.run_sweep(stopping(stop=stop, seeds=70), tmp_path)
    assert [len(group.seeds) for group in result.groups] == [70, 60]


def test_refining_goes_where_the_law_bends(tmp_path: Path) -> None:
    result = rlt.run_sweep(refining(), tmp_path)
    n = [group.point["n"] for group in result.groups]
    assert len(n) == 9 and all(isinstance(x, int) for x in n)
    added = sorted(set(n) - {1, 10, 100, 1000, 10_000})
    assert added == [32, 57, 178, 316]


def test_each_setting_is_refined_apart(tmp_path: Path) -> None:
    def trial(seed: int, n: float, at: float) -> dict[str, float]:
        noise = np.random.Generator(np.random.Philox(seed)).uniform(0.99, 1.01)
        return {"y": min(n, at) * noise}

    grid = {"n": [1.0, 10.0, 100.0, 1000.0], "at": [10.0, 100.0]}
    sweep = rlt.Sweep("two", trial, grid, 20, version="1", refine=rlt.Refine(LAW, 2, batch=1))
    result = rlt.run_sweep(sweep, tmp_path)
    for at in (10.0, 100.0):
        n = {group.point["n"] for group in result.groups if group.point["at"] == at}
        assert len(n) == 6
        assert min(abs(np.log(x / at)) for x in n - {1.0, 10.0, 100.0, 1000.0}) < np.log(10) / 1.9


@pytest.mark.parametrize("make", [stopping, refining])
def test_how_it_was_run_does_not_matter(make: Any, tmp_path: Path) -> None:
    whole = rlt.run_sweep(make(), tmp_path / "whole").csv()
    blocks = rlt.run_sweep(make(), tmp_path / "blocks", block=7).csv()
    threads = rlt.run_sweep(make(threads=True), tmp_path / "threads", jobs=2, block=3).csv()
    assert whole == blocks == threads

    class EnoughError(Exception):
        pass

    def few(progress: Any) -> None:
        raise EnoughError

    while True:
        try:
            last = rlt.run_sweep(make(), tmp_path / "cut", block=9, progress=few).csv()
            break
        except EnoughError:
            continue
    assert last == whole


def test_the_part_that_is_known_is_shown(tmp_path: Path) -> None:
    class EnoughError(Exception):
        pass

    def after(progress: Any) -> None:
        if progress.done >= 100:
            raise EnoughError

    with pytest.raises(EnoughError):
        rlt.run_sweep(refining(), tmp_path, block=20, progress=after)
    result = rlt.run_sweep(refining(), tmp_path, retry=False)
    assert result.missing == 0 and len(result.groups) == 9


def test_failed_trials_count_and_are_no_data(tmp_path: Path) -> None:
    def trial(seed: int, p: float) -> dict[str, float]:
        if seed % 3 == 0:
            raise ValueError("no")
        return coin(seed, p)

    result = rlt.run_sweep(stopping(trial=trial, grid={"p": 0.5}), tmp_path)
    assert result.missing == 0 and result.failures
    assert len(result.groups[0].seeds) + len(result.failures) < 400


def test_no_shards(tmp_path: Path) -> None:
    with pytest.raises(SweepError, match=r"coins looks at all its trials .* cannot run in shards"):
        rlt.run_sweep(stopping(), tmp_path, shard=(0, 2))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Stop("y", (0, 1), 0), "within is 0; it must be above 0"),
        (lambda: Stop("y", (0, 1), 1e-5), "below 1/10,000 of the range"),
        (lambda: Stop("y", 1, 0.1), "range 1"),
        (lambda: Stop("y", (0, 1), 0.1, confidence=1), "confidence is 1"),
        (lambda: Stop("y", (0, 1), 0.1, batch=0), "batch is 0; it must be an integer"),
        (lambda: Stop("y", (1, 1), 0.1), "a stopping rule for 'y', range (1, 1): the range is"),
        (lambda: rlt.Refine(LAW, 0), "points is 0"),
        (lambda: rlt.Refine(LAW, 3, batch=True), "batch is True"),
        (lambda: rlt.Refine(rlt.Law("y", "n", low="z"), 3), "a law of brackets"),
        (lambda: refining(refine=rlt.Refine(rlt.Law("y", "m"), 2)), "names the axis 'm'"),
        (lambda: refining(refine=LAW), "must be a Refine"),
        (lambda: refining(seeds=19), "points of 19 trials; to refine a law takes 20"),
        (lambda: refining(laws=rlt.Law("y", "n", at={"k": 1})), "no axis 'k'|names the axis 'k'"),
    ],
)
def test_bad_habits(make: Any, words: str) -> None:
    with pytest.raises(SweepError) as error:
        make()
    assert any(each in str(error.value) for each in words.split("|"))


def test_values_that_cannot_stop_a_point(tmp_path: Path) -> None:
    with pytest.raises(SweepError, match="outside of its range"):
        rlt.run_sweep(stopping(stop=Stop("heads", (0, 0.5), 0.1)), tmp_path / "a")
    with pytest.raises(SweepError, match="gave no number 'tails'"):
        rlt.run_sweep(stopping(stop=Stop("tails", (0, 1), 0.1)), tmp_path / "b")


def test_what_is_wanted_of_nothing() -> None:
    found = wanted([{"n": 1}, {"n": 2}], 5, lambda text: {}, STOP)
    assert found.trials == {'{"n":1}': 5, '{"n":2}': 5} and not found.complete


@pytest.mark.slow
def test_bounds_hold_when_a_point_stops() -> None:
    """2,000 coins: the mean is outside of the bounds at the stop for at most 5% (a betting sequence
    is conservative; by chance more than 6.5% with probability below 0.002 if it were exact)."""
    stop = Stop("heads", (0, 1), 0.1, batch=10)
    rng = np.random.Generator(np.random.Philox(5))
    wrong = 0
    for _ in range(2000):
        p = rng.choice([0.05, 0.3, 0.5])
        flips = {i: f'{{"heads": {int(x)}}}' for i, x in enumerate(rng.random(600) < p)}
        count, known = stop.trials(flips, 600)
        assert known
        interval = stop.bounds()
        interval.add(np.array(stop._values(flips, 0, count)))
        wrong += not interval.bounds[0] <= p <= interval.bounds[1]
    assert wrong <= 130
