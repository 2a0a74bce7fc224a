"""Laws of a sweep: fitted apart for each setting of the other axes, and drawn."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rltheory as rlt
from rltheory.errors import SweepError
from rltheory.sweeps.figure import draw_law, write_figures


def trial(seed: int, n: int, rule: str) -> dict[str, Any]:
    noise = np.random.Generator(np.random.Philox(seed)).gamma(50, 1 / 50)
    slope = {"good": -0.5, "slow": -0.25}[rule]
    stopped = n == 1000 and noise > 1.1
    return {"error": 3 * n**slope * min(noise, 1.1) if stopped else 3 * n**slope * noise,
            "stopped": stopped, "zero": 0.0, "word": "a"}  # fmt: skip


GRID = {"n": [10, 30, 100, 300, 1000], "rule": ["good", "slow"]}


def run(folder: Path, *laws: Any, seeds: int = 20) -> Any:
    sweep = rlt.Sweep("s", trial, GRID, seeds=seeds, version="1", laws=laws, title="Rules")
    return rlt.run_sweep(sweep, folder)


def test_each_setting_has_its_law(tmp_path: Path) -> None:
    good, slow = run(tmp_path, rlt.Law("error", "n", slope=-0.5, confidence=0.9999)).laws
    assert (good.others, slow.others) == ({"rule": "good"}, {"rule": "slow"})
    assert good.holds is True and slow.holds is False
    assert good.fit.slope == pytest.approx(-0.5, abs=0.05)
    assert slow.fit.slope == pytest.approx(-0.25, abs=0.05)


def test_a_law_of_some_settings(tmp_path: Path) -> None:
    (only,) = run(tmp_path, rlt.Law("error", "n", at={"rule": "slow"})).laws
    assert only.others == {"rule": "slow"} and only.holds is None


def test_an_upper_bound_agrees_with_less(tmp_path: Path) -> None:
    laws = [rlt.Law("error", "n", slope=s, upper=True, at={"rule": "good"}) for s in (-0.2, -0.7)]
    loose, tight = run(tmp_path, *laws).laws
    assert loose.holds is True and tight.holds is False


def test_a_known_factor_is_divided_out(tmp_path: Path) -> None:
    law = rlt.Law("error", "n", slope=-1.0, factor=np.sqrt, at={"rule": "good"})
    (fitted,) = run(tmp_path, law).laws
    assert fitted.holds is True


def test_censored_trials_are_counted(tmp_path: Path) -> None:
    law = rlt.Law("error", "n", -0.5, censored="stopped", confidence=0.9999, at={"rule": "good"})
    (fitted,) = run(tmp_path, law).laws
    assert fitted.fit.censored > 0 and fitted.holds is True


@pytest.mark.parametrize(
    ("law", "seeds", "reason"),
    [
        (rlt.Law("absent", "n"), 20, "no number 'absent'"),
        (rlt.Law("word", "n"), 20, "no number 'word'"),
        (rlt.Law("zero", "n"), 20, "needs positive means"),
        (rlt.Law("error", "n"), 19, "at least 20"),
        (rlt.Law("error", "rule"), 20, "numbers along its axis"),
        (rlt.Law("error", "n", factor=math.log), 20, "the fit raised TypeError: "),
        (rlt.Law("error", "n", low="error", factor=math.log), 20, "the fit raised TypeError: "),
    ],
)
def test_why_there_is_no_law(tmp_path: Path, law: Any, seeds: int, reason: str) -> None:
    result = run(tmp_path, law, seeds=seeds)
    assert result.laws and all(x.fit is None and reason in x.reason for x in result.laws)


def test_a_law_along_an_absent_axis_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SweepError, match="names the axis 'm'; it has n, rule"):
        run(tmp_path, rlt.Law("error", "m"))
    with pytest.raises(SweepError, match="names the axis 'k'"):
        run(tmp_path, rlt.Law("error", "n", at={"k": 1}))


def test_figures_have_the_fitted_law_and_the_claimed_one(tmp_path: Path) -> None:
    law = rlt.Law("error", "n", slope=-0.5)
    result = run(tmp_path, law)
    (ax,) = draw_law(result, law).axes
    lines = {line.get_label(): line for line in ax.lines}
    assert any("rule=good: slope -0." in label for label in lines)
    dashed = [line for line in ax.lines if line.get_linestyle() == "--"]
    for line in dashed:
        x, y = line.get_xdata(), line.get_ydata()
        assert np.log(y[-1] / y[0]) / np.log(x[-1] / x[0]) == pytest.approx(-0.5)
    assert len(dashed) == 2 and "claimed slope -0.5" in ax.get_title(loc="left")


def test_figures_are_written_and_do_not_move(tmp_path: Path) -> None:
    result = run(tmp_path / "runs", rlt.Law("error", "n", slope=-0.5), rlt.Law("error", "n"))
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        written = write_figures(result, tmp_path / folder)
    assert [p.name for p in written] == ["s-1.svg", "s-1.png", "s-2.svg", "s-2.png"]
    for name in ("s-1.svg", "s-2.svg"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    with pytest.raises(SweepError, match="No such file"):
        write_figures(result, tmp_path / "absent")
