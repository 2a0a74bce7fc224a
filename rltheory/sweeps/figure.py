"""The figure of a law: what trials gave, the fitted law, and the claimed one beside it.

For each setting of the other axes: medians, a band from the 10% to the 90% quantile (or brackets),
the fitted law with its slope in the legend, and a fan of the slopes in its interval. The claimed
law is drawn with its own slope through the middle of the fitted one. Points that follow no law are
joined instead. The same trials give the same bytes of SVG under one version of matplotlib.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rltheory.errors import SweepError
from rltheory.inference.power_law import PowerLaw
from rltheory.inference.rate import RateFit
from rltheory.sweeps.laws import FittedLaw, Law
from rltheory.sweeps.points import Point
from rltheory.sweeps.result import SweepResult

__all__ = ["draw_law", "figures", "matplotlib_or_error", "write_figures"]

_STYLE = {
    "svg.hashsalt": "rltheory",
    "svg.fonttype": "none",
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}
_MOST_SETTINGS = 8
_MOST_TICKS = 8
_MOST_INSIDE = 4  # entries of a legend that find room among the points
_POOR, _FAR = 0.01, 1.5  # how unlikely, and by what factor off, points are that follow no law


def write_figures(result: SweepResult, folder: str | Path) -> list[Path]:
    """One figure a law, as SVG and PNG, in a folder; the files written.

    Raises
    ------
    SweepError
        If matplotlib is absent or a file cannot be written.
    """
    written = []
    names = _names(result.sweep.name, result.sweep.laws)
    for name, (_, figure) in zip(names, figures(result), strict=True):
        for ending, options in (("svg", {"metadata": {"Date": None}}), ("png", {"dpi": 200})):
            path = Path(folder) / f"{name}.{ending}"
            try:
                figure.savefig(path, **options)
            except OSError as fault:
                raise SweepError(f"{path}: {fault.strerror or fault}") from None
            written.append(path)
    return written


def figures(result: SweepResult) -> Iterator[tuple[Law, Any]]:
    """Each law with its figure, which is to be written before the next one is asked for.

    Raises
    ------
    SweepError
        If matplotlib is absent.
    """
    mpl = matplotlib_or_error()
    for law in result.sweep.laws:
        with mpl.rc_context(_STYLE):
            yield law, draw_law(result, law)


def draw_law(result: SweepResult, law: Law) -> Any:
    """The figure of one law, as a matplotlib `Figure`."""
    matplotlib_or_error()
    from matplotlib.figure import Figure

    fitted = [each for each in result.laws if each.law is law]
    size = (5.2, 3.6) if len(fitted) <= _MOST_INSIDE else (6.4, 4.6)
    figure = Figure(figsize=size, layout="constrained")
    ax = figure.subplots()
    for i, each in enumerate(fitted[:_MOST_SETTINGS]):
        _draw_setting(ax, result, each, f"C{i}")
    bound = "at most " if law.upper else ""
    claim = "" if law.slope is None else f", claimed slope {bound}{law.slope:g} (dashed)"
    ax.set(xlabel=law.x, ylabel=law.y, xscale="log")
    if law.kind == "log-log":
        ax.set(yscale="log")
    points = sorted({float(x) for each in fitted for x in _bands(result, law, each.others)[0]})
    if points and len(points) <= _MOST_TICKS:
        ax.set_xticks(points, [f"{x:,.6g}" for x in points])
        ax.set_xticks([], minor=True)
    title = result.sweep.title or result.sweep.name
    if len(fitted) > _MOST_SETTINGS:
        title += f", {_MOST_SETTINGS} of {len(fitted)} settings"
    ax.set_title(f"{title}{claim}", loc="left", fontsize="medium")
    if len(fitted) > _MOST_INSIDE:
        figure.legend(loc="outside lower center", ncols=2, fontsize="small")
    elif fitted:
        ax.legend(fontsize="small")
    return figure


def _draw_setting(ax: Any, result: SweepResult, fitted: FittedLaw, colour: str) -> None:
    law, fit = fitted.law, fitted.fit
    label = ", ".join(f"{name}={value}" for name, value in fitted.others.items())
    x, bands = _bands(result, law, fitted.others)
    if not len(x):
        ax.plot([], [], "o", color=colour, label=f"{label}: no numbers")
        return
    if law.low is None:
        ax.plot(x, bands[:, 1], "o", color=colour, ms=4)
        ax.fill_between(x, bands[:, 0], bands[:, 2], color=colour, alpha=0.15, lw=0)
    else:
        low = _bands(result, law, fitted.others, law.low)[1]
        ax.vlines(x, low[:, 1], bands[:, 1], color=colour, lw=2.5)
    if fit is None:
        ax.plot([], [], "o", color=colour, label=f"{label}: no law")
        return
    span = np.geomspace(x.min(), x.max(), 60)
    g = np.ones_like(span) if law.factor is None else np.asarray(law.factor(span))
    if _is_no_line(fit):
        ax.plot(x, bands[:, 1], color=colour, lw=1.0, label=f"{label}: no power law")
        return
    low, high = fit.interval
    told = f"slope {fit.slope:.3g} in [{low:.3g}, {high:.3g}]"
    ax.plot(
        span,
        _curve(law.kind, fit.intercept, fit.slope, span, g),
        color=colour,
        label=f"{label}: {told}" if label else told,
    )
    middle = float(np.log(x).mean())

    def through_the_middle(slope: float) -> Any:
        return _curve(law.kind, fit.intercept + (fit.slope - slope) * middle, slope, span, g)

    if np.isfinite([low, high]).all():
        fan = through_the_middle(low), through_the_middle(high)
        ax.fill_between(span, *fan, color=colour, alpha=0.3, lw=0)
    if law.slope is not None:
        ax.plot(span, through_the_middle(law.slope), "--", color=colour, lw=0.9)


def _is_no_line(fit: RateFit | PowerLaw) -> bool:
    """Whether points are so far off every line that drawing one would mislead."""
    if not isinstance(fit, RateFit) or fit.misfit >= _POOR or fit.kind != "log-log":
        return False
    line = fit.intercept + fit.slope * np.log(fit.x)
    return bool(np.abs(fit.level - line).max() > np.log(_FAR))


def _curve(kind: str, intercept: float, slope: float, x: Any, g: Any) -> Any:
    line = intercept + slope * np.log(x)
    return line * g if kind == "semi-log" else np.exp(line) * g


def _bands(
    result: SweepResult, law: Law, others: Point, value: str | None = None
) -> tuple[Any, Any]:
    """(points, quantiles of a value there), the law's y if none is named."""
    name = law.y if value is None else value
    rows = [
        (entry.point[law.x], entry.values[name])
        for entry in result.summary
        if name in entry.values
        and isinstance(entry.point.get(law.x), int | float)
        and {n: v for n, v in entry.point.items() if n != law.x} == others
    ]
    rows.sort()
    return np.array([x for x, _ in rows], dtype=np.float64), np.array([q for _, q in rows])


def _names(sweep: str, laws: Sequence[Law]) -> list[str]:
    return [sweep if len(laws) == 1 else f"{sweep}-{i + 1}" for i in range(len(laws))]


def matplotlib_or_error() -> Any:
    """The package matplotlib.

    Raises
    ------
    SweepError
        If it is not installed.
    """
    try:
        import matplotlib as mpl
    except ImportError:
        raise SweepError(
            "a figure needs matplotlib: pip install 'rltheory[plot]'; sweeps go without it by "
            "--no-figure"
        ) from None
    return mpl
