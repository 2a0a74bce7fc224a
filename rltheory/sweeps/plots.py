"""Figures of sample complexities: brackets as bars, the law as a line (extra `plot`)."""

from typing import Any

import numpy as np

from rltheory.errors import ClaimError
from rltheory.sweeps.figure import matplotlib_or_error

__all__ = ["plot_complexity"]


def plot_complexity(result: Any, ax: Any = None) -> Any:
    """Brackets of n over 1/eps, and the law fitted to them, on logarithmic axes."""
    if ax is None:
        matplotlib_or_error()
        import matplotlib.pyplot as plt

        _, ax = plt.subplots(figsize=(5.0, 3.6), layout="constrained")
    x = 1.0 / np.array(result.eps)
    low = np.where(result.lower > 0.0, result.lower, min(result.grid) / 2.0)
    open_above = result.unbounded
    high = np.where(open_above, 2.0 * max(result.grid), result.upper)
    ax.vlines(x, low, high, colors="C0", lw=3, label="certified bracket")
    ax.plot(x[open_above], high[open_above], "^", color="C0", label="unbounded")
    try:
        law = result.fit()
    except ClaimError:  # too few brackets: they are drawn without a law
        law = None
    if law is not None:
        span = np.geomspace(x.min(), x.max(), 50)
        a, b = law.interval
        label = rf"slope {law.slope:.2f}, in [{a:.2f}, {b:.2f}] at {law.confidence:.0%}"
        ax.plot(span, law(span), color="C1", label=label)
    ax.set(xscale="log", yscale="log", xlabel=r"$1/\varepsilon$", ylabel=r"$n$")
    ax.set_title(rf"$P(\mathrm{{error}}>\varepsilon)\leq{result.delta:g}$", fontsize="medium")
    handles = ax.get_legend_handles_labels()
    shown = {
        label: handle
        for handle, label in zip(*handles, strict=True)
        if label != "unbounded" or open_above.any()
    }
    ax.legend(shown.values(), shown.keys(), frameon=False)
    return ax
