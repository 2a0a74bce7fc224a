"""Brackets of sample complexities: against exact ones, and independent of how they are computed."""

import json
import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from rltheory.errors import ClaimError, SweepError
from rltheory.mdp.streams import Stream
from rltheory.sweeps.complexity_result import ABOVE, AT_OR_BELOW, NOT_ASKED, SampleComplexity
from rltheory.sweeps.progress import show
from rltheory.sweeps.sample_complexity import geometric_grid, sample_complexity

GRID = [2, 4, 8, 16, 32, 64, 128]
EPS = [0.4, 0.2, 0.1]


class Coin:
    """The mean of a fair coin; a number of heads in n tosses is binomial."""

    def access(self, seed: Any) -> Stream:
        return Stream(seed, "tests.coin")

    def error(self, output: float) -> float:
        return abs(output - 0.5)


def mean(access: Stream, n: int, seed: Any) -> float:
    return float(access.integers(2, n).mean())


def exact_failure(n: int, eps: float) -> float:
    return sum(math.comb(n, k) for k in range(n + 1) if abs(k / n - 0.5) > eps) / 2.0**n


def test_brackets_contain_the_exact_sample_complexity() -> None:
    result = sample_complexity(mean, Coin(), EPS, 0.1, grid=GRID)
    for e, eps in enumerate(EPS):
        for g, n in enumerate(GRID):
            above = exact_failure(n, eps) > 0.1
            if result.answers[g, e] == ABOVE:
                assert above, (n, eps)
            if result.answers[g, e] == AT_OR_BELOW:
                assert not above, (n, eps)
    assert result.lower.tolist() == [2, 8, 32] and result.upper.tolist() == [8, 32, 128]
    assert not result.unbounded.any()


def test_fit_of_the_coin_has_slope_two() -> None:
    result = sample_complexity(mean, Coin(), [0.2, 0.1, 0.05], 0.1, grid=geometric_grid(4, 512))
    law = result.fit()
    assert law.interval[0] < 2.0 < law.interval[1]
    assert law.feasible is not None and law.feasible[0] < 2.0 < law.feasible[1]


def test_cap_gives_unbounded() -> None:
    result = sample_complexity(mean, Coin(), [0.4, 0.05], 0.1, grid=[2, 4, 8])
    assert result.unbounded.tolist() == [False, True] and result.upper[1] == math.inf
    assert result.table()[1] == {"eps": 0.05, "lower": 8, "upper": None}
    assert "eps 0.05:  8 < n unbounded" in repr(result)


def test_first_point_certified_has_no_lower_end() -> None:
    result = sample_complexity(mean, Coin(), [0.4], 0.1, grid=[64, 128])
    assert result.lower.tolist() == [0] and result.upper.tolist() == [64]
    assert (result.answers[1] == NOT_ASKED).all() and (result.trials[1] == 0).all()


def test_threads_and_grids_do_not_change_a_trial() -> None:
    alone = sample_complexity(mean, Coin(), EPS, 0.1, grid=GRID, seed=3)
    with ThreadPoolExecutor(3) as pool:
        together = sample_complexity(mean, Coin(), EPS, 0.1, grid=GRID, seed=3, executor=pool)
    assert alone.to_json() == together.to_json()
    seen: dict[int, list[float]] = {}

    def remembering(access: Stream, n: int, seed: Any) -> float:
        seen.setdefault(n, []).append(mean(access, n, seed))
        return seen[n][-1]

    sample_complexity(remembering, Coin(), [0.2], 0.1, grid=[8, 16])
    first = seen.pop(16)
    sample_complexity(remembering, Coin(), [0.1, 0.2], 0.1, grid=[16, 32])
    least = min(len(first), len(seen[16]))
    assert first[:least] == seen[16][:least] and least > 20
    assert sample_complexity(mean, Coin(), EPS, 0.1, grid=GRID, seed=4).to_json() != alone.to_json()


def test_batches_do_not_change_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = sample_complexity(mean, Coin(), EPS, 0.1, grid=GRID).to_json()
    monkeypatch.setattr("rltheory.sweeps.sample_complexity._BATCH", 1)
    assert sample_complexity(mean, Coin(), EPS, 0.1, grid=GRID).to_json() == usual


def test_answers_are_wrong_as_rarely_as_stated() -> None:
    """Failures of probability exactly delta: at level 0.2 neither answer may come often."""

    class Even:
        def access(self, seed: Any) -> Stream:
            return Stream(seed, "tests.even")

        def error(self, output: float) -> float:
            return output

    def fails(access: Stream, n: int, seed: Any) -> float:
        return float(access.uniform() < 0.25)

    wrong = 0
    for seed in range(60):
        found = sample_complexity(
            fails, Even(), [0.5], 0.25, grid=[1], level=0.2, most_trials=300, seed=seed
        )
        wrong += bool((found.answers != 0).any())
    # Each of the two at most 0.1; 24 or more of 60 at 0.2 have probability below 1e-3.
    assert wrong < 24


def test_json_comes_back() -> None:
    result = sample_complexity(mean, Coin(), EPS, 0.1, grid=GRID[:4])
    again = SampleComplexity.from_json(result.to_json())
    assert again.to_json() == result.to_json() and repr(again) == repr(result)
    assert json.loads(result.to_json())["brackets"][0] == result.table()[0]
    for text in ("", "{}", "[1]", '{"eps": [1], "grid": [1]}'):
        with pytest.raises(SweepError, match="the text is no stored SampleComplexity"):
            SampleComplexity.from_json(text)


def test_progress_is_told() -> None:
    told: list[tuple[int, int, int]] = []
    sample_complexity(mean, Coin(), [0.4], 0.1, grid=[4, 8], progress=lambda *now: told.append(now))
    assert {n for n, _, _ in told} == {4, 8} and told[-1][2] == 0
    with show(10) as bar:  # standard error is no terminal here
        assert bar is None


def test_grids() -> None:
    assert geometric_grid(8, 100) == [8, 16, 32, 64] and geometric_grid(5, 5) == [5]
    assert geometric_grid(1, 10, 2**0.5) == [1, 2, 3, 4, 6, 8]
    with pytest.raises(SweepError, match="the grid goes from 3 to 2"):
        geometric_grid(3, 2)


@pytest.mark.parametrize(
    ("eps", "delta", "options", "words"),
    [
        ([], 0.1, {}, "eps is"),
        ([0.1, 0.1], 0.1, {}, "all different"),
        ([0.0], 0.1, {}, "positive"),
        ([math.nan], 0.1, {}, "positive"),
        ([0.1], 0.0, {}, r"delta is 0.0; it must be in \(0, 1\)"),
        ([0.1], 0.1, {"level": 1.0}, "level is 1.0"),
        ([0.1], 0.1, {"grid": [2, 2]}, "ascending integers"),
        ([0.1], 0.1, {"grid": [0, 2]}, "ascending integers"),
        ([0.1], 0.1, {"grid": [1.5]}, "ascending integers"),
        ([0.1], 0.1, {"most_trials": 1.5}, "most_trials is 1.5"),
        ([0.1], 0.1, {"grid": [2], "most_trials": 100}, "fewer than 165"),
    ],
)
def test_what_is_refused(eps: Any, delta: float, options: dict[str, Any], words: str) -> None:
    with pytest.raises(SweepError, match=words):
        sample_complexity(mean, Coin(), eps, delta, **options)


def test_an_error_must_be_a_number() -> None:
    class Lost(Coin):
        def error(self, output: float) -> float:
            return math.nan

    with pytest.raises(SweepError, match="the error of trial 0 at n = 4 is NaN"):
        sample_complexity(mean, Lost(), [0.1], 0.1, grid=[4])


def test_figure_shows_brackets_and_law() -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    result = sample_complexity(mean, Coin(), [0.4, 0.2, 0.1, 0.02], 0.1, grid=GRID)
    ax = result.plot()
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels[:2] == ["certified bracket", "unbounded"] and labels[2].startswith("slope ")
    few = sample_complexity(mean, Coin(), [0.1], 0.1, grid=[4])
    with pytest.raises(ClaimError, match="0 brackets have two ends"):
        few.fit()
    assert len(few.plot().get_legend().get_texts()) == 2
    matplotlib.pyplot.close("all")


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import builtins

    usual = builtins.__import__

    def missing(name: str, *rest: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return usual(name, *rest)

    result = sample_complexity(mean, Coin(), [0.4], 0.1, grid=[64])
    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(SweepError, match=r"pip install 'rltheory\[plot\]'"):
        result.plot()


def test_trials_stop_when_all_is_settled() -> None:
    result = sample_complexity(mean, Coin(), [0.49], 0.1, grid=[64], most_trials=10_000)
    fewest = int(result.trials.max())
    assert 130 < fewest < 200 and result.failures.max() == 0
    assert np.array_equal(result.answers, [[AT_OR_BELOW]])
