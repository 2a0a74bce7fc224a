"""``rltheory bandit``: all bounds of one bandit of last-switch-dependent arms."""

import argparse
import json
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

from rltheory.lsd_bandits.arm_names import arm_of
from rltheory.lsd_bandits.bandit import LSDBandit
from rltheory.lsd_bandits.bounds import LSDBounds, lsd_bounds
from rltheory.report import terminal


def run(options: argparse.Namespace) -> int:
    """Print the bounds, and draw a schedule where one is asked for."""
    bandit = LSDBandit([arm_of(text) for text in options.arms], plays=options.plays)
    bounds = lsd_bounds(bandit)
    if options.picture:
        drawn = bounds.picture(options.schedule, options.rounds, options.seed)
        Path(options.picture).write_text(drawn, encoding="utf-8")
    if options.json:
        print(json.dumps(_record(bounds), indent=1))
    else:
        out = terminal.console(sys.stdout)
        rows = [(name, *_halves(number)) for name, number in bounds.rows()]
        terminal.print_rows(out, ("per round", "exactly", "about"), rows, ("exactly", "about"))
        out.print(repr(bounds.relaxation), markup=False, highlight=False)
        if bounds.optimum is not None:
            out.print(repr(bounds.optimum), markup=False, highlight=False)
    return 0 if bounds.holds() else 1


def _halves(number: str) -> tuple[str, str]:
    exact, _, about = number.partition(" = ")
    return exact, about


def _record(bounds: LSDBounds) -> dict[str, Any]:
    record: dict[str, Any] = {
        "arms": [repr(arm) for arm in bounds.bandit.arms],
        "plays": bounds.bandit.plays,
        "guarantee": str(bounds.guarantee),
        "relaxation": str(bounds.relaxation.value),
        "virtual_value": str(bounds.virtual_value),
    }
    for name in ("expected_average", "derandomized_average"):
        average = getattr(bounds, name)
        record[name] = None
        if average is not None:
            value, width = average.value, average.half_width
            exact = average.is_exact
            record[name] = str(value) if exact else {"value": value, "half_width": width}
    record["optimal_gain"] = None
    if bounds.optimum is not None:
        best = bounds.optimum
        exact = isinstance(best.gain, Fraction)
        bracket = {"lower": best.lower, "upper": best.upper}
        record["optimal_gain"] = str(best.gain) if exact else bracket
        record["optimal_plays"] = [list(step.played) for step in bounds.optimum.cycle]
    return record
