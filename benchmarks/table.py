"""The record of a run as Markdown."""

from pathlib import Path
from typing import Any

__all__ = ["markdown", "write_between"]

BEGIN, END = "<!-- benchmark: begin -->", "<!-- benchmark: end -->"

TITLES = {
    "rltheory_solver": "rltheory",
    "quantecon_ddp": "QuantEcon",
    "mdpsolver_model": "mdpsolver",
    "storm_sparse": "Storm",
    "mdptoolbox_mdp": "pymdptoolbox",
    "scipy_policy_iteration": "scipy",
    "highs_lp": "HiGHS",
}


def markdown(record: dict[str, Any]) -> str:
    """Four tables: solving, building, sweeps against the floor, and the settings of each solver."""
    parts = [
        _machine(record),
        "CPU seconds to solve, medians:",
        _solving(record),
        "CPU seconds to build the solver's own model from the arrays, medians:",
        _building(record),
        "One sweep against what memory allows, and the most memory that building needs, over that "
        "of the arrays:",
        _floors(record),
        "Every solver with its settings, CPU / wall seconds, and the residual bounds checked:",
        _details(record),
    ]
    return "\n\n".join(parts) + "\n"


def write_between(path: Path, text: str) -> None:
    """Put the text between the markers of a file, or write the file anew where it has none."""
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    before, begin, rest = old.partition(BEGIN)
    _, end, after = rest.partition(END)
    if begin and end:
        text = f"{before}{BEGIN}\n\n{text}\n{END}{after}"
    path.write_text(text, encoding="utf-8")


def _machine(record: dict[str, Any]) -> str:
    machine = record["machine"]
    memory = machine["memory_bytes"]
    parts = [
        f"{machine['architecture']}, {machine['cores']} cores",
        f"{memory / 2**30:.0f} GB" if memory else "",
        f"triad {machine['triad_bytes_per_second'] / 1e9:.1f} GB/s on one thread",
        f"inner product {machine['reading_bytes_per_second'] / 1e9:.1f} GB/s",
        f"load {machine['load']} at the start",
        f"Python {machine['python']}",
        f"{record['repeats']} repeats, {record['limit']:g} s at most",
    ]
    versions = ", ".join(
        f"{TITLES.get(name, name)} {number}" for name, number in record["versions"].items()
    )
    missing = ", ".join(
        f"{TITLES.get(name, name)} ({why})" for name, why in record["missing"].items()
    )
    text = "; ".join(part for part in parts if part) + f". {versions}."
    return text + (f" Not there: {missing}." if missing else "")


def _grid(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _seconds(x: float) -> str:
    return f"{x:.3g}" if x < 100 else f"{x:.0f}"


def _cell(result: dict[str, Any] | None, what: str) -> str:
    if result is None:
        return ""
    if "none" in result:
        why = str(result["none"])
        return f"> {why[5:]}" if why.startswith("over ") and ";" not in why else "–"
    text = _seconds(result[what])
    if not result["verified"]:
        return f"({text})"
    return text + ("†" if result["verified"] == "policy" else "")


def _solved(result: dict[str, Any]) -> bool:
    return bool("none" not in result and result["verified"])


def _solving(record: dict[str, Any]) -> str:
    solvers = record["solvers"]
    ours = solvers[0]
    rows = []
    for problem in record["problems"]:
        results = problem["results"]
        peers = [
            results[n]["solve_cpu"] for n in solvers[1:] if n in results and _solved(results[n])
        ]
        mine = results.get(ours)
        ratio = ""
        if peers and mine is not None and _solved(mine):
            ratio = f"{min(peers) / mine['solve_cpu']:.3g}"
        cells = [_cell(results.get(name), "solve_cpu") for name in solvers]
        rows.append([problem["name"], *cells, ratio])
    heads = ["problem", *(TITLES.get(name, name) for name in solvers), "best peer / ours"]
    notes = (
        "`> n s`: stopped after n seconds; –: not for this solver, or failed (see below); "
        "†: the policy is verified, the value lacks a constant; (): answered, but not verified."
    )
    return _grid(heads, rows) + "\n\n" + notes


def _building(record: dict[str, Any]) -> str:
    solvers = record["solvers"]
    rows = [
        [problem["name"], *(_cell(problem["results"].get(name), "build_cpu") for name in solvers)]
        for problem in record["problems"]
    ]
    return _grid(["problem", *(TITLES.get(name, name) for name in solvers)], rows)


def _floors(record: dict[str, Any]) -> str:
    rows = []
    for problem in record["problems"]:
        floor, sweep = problem["floor"], problem.get("sweep")
        mine = problem["results"].get(record["solvers"][0], {})
        peak = mine.get("build_peak_bytes", problem.get("build_peak_bytes"))
        rows.append(
            [
                problem["name"],
                f"{problem['states']:,}",
                f"{problem['pairs']:,}",
                f"{problem['entries']:,}",
                f"{1e3 * floor:.3g}",
                f"{1e3 * sweep:.3g}" if sweep else "",
                f"{problem['sweep_over_triad']:.2g}" if sweep else "",
                f"{problem['sweep_over_reading']:.2g}" if sweep else "",
                f"{mine['solve_cpu'] / floor:.3g}" if "solve_cpu" in mine else "",
                f"{peak / problem['bytes']:.2f}" if peak is not None else "",
            ]
        )
    heads = ["problem", "states", "pairs", "entries", "floor, ms", "sweep, ms"]
    return _grid([*heads, "sweep / floor", "sweep / reading", "solve / floor", "memory"], rows)


def _details(record: dict[str, Any]) -> str:
    rows = []
    for problem in record["problems"]:
        for name, result in problem["results"].items():
            title = TITLES.get(name, name)
            first = "" if result.get("tuned", True) else " (first candidate: not tuned)"
            if "none" in result:
                why = str(result["none"]) + first
                rows.append([problem["name"], title, "", "", "", "", why])
                continue
            loss = result["policy_loss"]
            settings = ", ".join(f"{key} {x}" for key, x in result["settings"].items())
            settings += first
            rows.append(
                [
                    problem["name"],
                    title,
                    f"{_seconds(result['build_cpu'])} / {_seconds(result['build_wall'])}",
                    f"{_seconds(result['solve_cpu'])} / {_seconds(result['solve_wall'])}",
                    f"{result['value_error']:.1e}",
                    "" if loss is None else f"{loss:.1e}",
                    settings,
                ]
            )
    heads = ["problem", "solver", "build", "solve", "value", "policy", "settings, or why not"]
    return _grid(heads, rows)
