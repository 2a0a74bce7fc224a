"""Draws the figures of the README and of the theory pages.

    python docs/figures/make_figures.py

Needs the extras `exact`, `envs` and `plot`. The same package versions give the same files.
"""

import runpy
import tempfile
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np

import rltheory as rlt
from rltheory.solvers.certify import certify
from rltheory.solvers.tolerance import Tolerance

HERE = Path(__file__).parent
BLUE, ORANGE, GREY = "#1f5a96", "#c4520a", "#6b6b6b"
STYLE: dict[str, Any] = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "svg.hashsalt": "rltheory",
    "savefig.facecolor": "white",
}


def save(figure: Any, name: str) -> None:
    figure.savefig(HERE / name, metadata={"Date": None}, bbox_inches="tight", pad_inches=0.08)
    plt.close(figure)


def draw_grid(axes: Any, mdp: rlt.MDP, solution: rlt.Solution) -> None:
    """Optimal value (colour, number) and action (arrow) of each cell of a grid."""
    layout = mdp.layout
    assert layout is not None
    rows, columns = layout.cells.shape
    picture = solution.value[layout.cells]
    axes.imshow(picture, cmap="Blues", vmin=0.0, vmax=1.0)
    for i in range(rows):
        for j in range(columns):
            state = int(layout.cells[i, j])
            mark = layout.marks.get(state, "")
            ink = "white" if picture[i, j] > 0.55 else "black"
            if mark in ("H", "G"):
                axes.text(j, i, mark, ha="center", va="center", color=GREY, weight="bold")
                continue
            arrow = layout.arrows[int(solution.policy[state])]
            axes.text(j, i - 0.13, arrow, ha="center", va="center", color=ink, size=11)
            number = f"{picture[i, j]:.2f}"
            axes.text(j, i + 0.3, number, ha="center", va="center", color=ink, size=6)
            if mark:
                axes.text(j - 0.36, i - 0.3, mark, ha="center", va="center", color=ink, size=6)
    axes.set_xticks(np.arange(columns + 1) - 0.5, [])
    axes.set_yticks(np.arange(rows + 1) - 0.5, [])
    axes.grid(color="white", linewidth=1.0)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_title("FrozenLake 8x8, discount 0.99: value and policy")


def bracket_of_value_iteration() -> None:
    """The certified gap of the iterates T^k 0, beside their distance from the exact optimum."""
    mdp = rlt.MDP.from_gymnasium("FrozenLake8x8-v1", discount=0.99)
    optimum = np.array([float(x) for x in rlt.solve_exact(mdp).value])
    anything = Tolerance(np.inf, 0.0, 1.0)  # the first certificate is taken as it is
    value = np.zeros(mdp.n_states)
    sweeps, gaps, errors = [], [], []
    for k in range(1, 951):
        value = rlt.bellman(mdp, value)
        policy = rlt.greedy(mdp, value)
        found = certify(mdp, mdp.pair_ptr[:-1] + policy, value, anything)
        assert found is not None and found.steps == 0
        sweeps.append(k)
        gaps.append(found.gap)
        errors.append(np.abs(value - optimum).max())

    figure, (left, right) = plt.subplots(1, 2, figsize=(8.6, 3.7), width_ratios=(1, 1.15))
    draw_grid(left, mdp, rlt.solve(mdp))
    right.semilogy(sweeps, gaps, color=BLUE)
    right.semilogy(sweeps, errors, color=ORANGE)
    right.annotate("certified gap, max (upper - lower)", (330, gaps[330] * 8), color=BLUE)
    right.annotate("distance from the exact optimum", (60, 1e-9), color=ORANGE)
    right.set_xlabel("sweeps of value iteration, from 0")
    right.set_ylim(1e-14, 1e2)
    right.set_title("What a sweep proves, and what is true")
    figure.tight_layout(w_pad=2.5)
    save(figure, "frozen_lake.svg")


def reach_of_double_double() -> None:
    """Relative certified gaps in doubles and in double-double as the discount tends to 1."""
    exponents = np.arange(1, 13)
    plain, refined = [], []
    for k in exponents:
        mdp = rlt.garnet(states=50, actions=3, branching=5, seed=1, discount=1 - 10.0**-k)
        solution = rlt.solve(mdp, tol=1e300)
        size = np.abs(solution.value).max()
        plain.append(solution.gap / size)
        try:
            solution = rlt.solve(mdp, tol=0.0)
        except rlt.ConvergenceError as error:  # 0 is not reached; the best bracket comes along
            solution = error.solution
        refined.append(solution.gap / size)

    figure, axes = plt.subplots(figsize=(5.6, 3.2))
    horizon = 10.0**exponents
    axes.loglog(horizon, plain, "o-", color=BLUE, markersize=3.5)
    axes.loglog(horizon, refined, "o-", color=ORANGE, markersize=3.5)
    axes.axhline(1e-10, color=GREY, linewidth=0.8, linestyle="--")
    axes.text(1.2e12, 1e-10, "default rtol", color=GREY, va="bottom", ha="right")
    axes.text(2e6, 1e-6, "doubles (T1)", color=BLUE, ha="right")
    axes.text(1e6, 5e-16, "double-double (T2)", color=ORANGE)
    axes.set_xlabel("1 / (1 - discount)")
    axes.set_ylabel("certified gap / largest value")
    axes.set_ylim(1e-17, 1.0)
    save(figure, "reach.svg")


def regret_of_ucbvi() -> None:
    """Cumulated regret on RiverSwim, over five seeds, with both bonuses and with a tenth of one."""
    mdp = rlt.riverswim(6).episodic(20)
    episodes, seeds = 100_000, range(5)
    learners = [
        ("Hoeffding", rlt.UCBVI(0.1), BLUE),
        ("Bernstein", rlt.UCBVI(0.1, "bernstein"), ORANGE),
        ("a tenth of Hoeffding: no guarantee", rlt.UCBVI(0.1, factor=0.1), GREY),
    ]
    figure, axes = plt.subplots(figsize=(5.6, 3.2))
    for name, learner, color in learners:
        accesses = [rlt.online(mdp, seed=seed) for seed in seeds]
        logs = rlt.run_many(learner, accesses, episodes)
        curves = np.array([np.cumsum(rlt.regret(log, mdp)) for log in logs])[:, ::250]
        x = np.arange(0, episodes, 250)
        axes.plot(x, np.median(curves, axis=0), color=color, linewidth=1.2)
        axes.fill_between(x, curves.min(axis=0), curves.max(axis=0), color=color, alpha=0.2)
        axes.text(episodes, np.median(curves[:, -1]), f" {name}", color=color, va="center")
    axes.set_xlabel("episode")
    axes.set_title("Cumulated exact regret: median, least and most of five runs")
    save(figure, "regret.svg")


def gaps_of_mirror_descent() -> None:
    """Gaps of one model for three kinds of steps, beside the bounds of their theorems."""
    g, K = 0.9, 80
    garnet = rlt.garnet(20, 4, 3, seed=0, discount=g)
    start = np.full(20, 1 / 20)
    mdp = rlt.MDP(garnet.transitions, garnet.rewards, g, initial=start)
    best = rlt.solve(mdp).value
    runs: list[tuple[str, str, Any, dict[str, float], str]] = [
        ("constant", "sublinear", 1.0, {"step_size": 1.0}, GREY),
        ("geometric", "geometric", rlt.GeometricSteps.of_model(mdp, 1.0), {"step_size": 1.0}, BLUE),
        ("adaptive, worst state", "gamma", rlt.GammaAdaptiveSteps(g, 1.0), {"slack": 1.0}, ORANGE),
    ]
    figure, axes = plt.subplots(figsize=(5.6, 3.4))
    for name, kind, steps, size, color in runs:
        history = rlt.mirror_descent_policy_iteration(mdp, steps, K)
        gaps = best - history.values
        gap = gaps.max(axis=1) if kind == "gamma" else gaps @ start
        axes.semilogy(gap, color=color, linewidth=1.4)
        axes.semilogy(rlt.mdpo_bound(kind, mdp, K, **size), color=color, linewidth=1, ls=":")
        axes.text(K, gap[-1], f" {name}", color=color, va="center")
    axes.set_xlabel("iteration")
    axes.set_title("Gap of exact mirror descent (lines) and its bounds (dotted)")
    save(figure, "mirror_descent.svg")


def regimes_of_demonstrations() -> None:
    """experiments/regime_map.py: which way takes the fewest episodes, and how many."""
    file = HERE.parents[1] / "experiments" / "regime_map.py"
    with tempfile.TemporaryDirectory() as folder:
        summary = rlt.run_sweep(file, folder).summary
    names = ("clone alone", "explore around the clone", "explore without demonstrations")
    colours = ("#dfe9f3", "#7ea6cf", "#f0b48a")
    n = sorted({entry.point["n"] for entry in summary})
    epsilon = sorted({entry.point["epsilon"] for entry in summary}, reverse=True)
    figure, axes = plt.subplots(figsize=(6.4, 3.2), layout="constrained")
    for entry in summary:
        x, y = n.index(entry.point["n"]), epsilon.index(entry.point["epsilon"])
        best = int(entry.values["best"][1])
        episodes = 0 if best == 0 else min(entry.values[v][1] for v in ("pipeline", "plain"))
        axes.add_patch(mpl.patches.Rectangle((x - 0.5, y - 0.5), 1, 1, color=colours[best], lw=0))
        axes.text(x, y, f"{episodes:,.0f}", ha="center", va="center", fontsize=7.5)
    axes.set(xlim=(-0.5, len(n) - 0.5), ylim=(-0.5, len(epsilon) - 0.5))
    axes.set_xticks(range(len(n)), map(str, n))
    axes.set_yticks(range(len(epsilon)), map(str, epsilon))
    axes.set(xlabel="demonstrations", ylabel="accuracy")
    axes.set_title("Fewest further episodes to a certified policy (medians of five seeds)")
    handles = [
        mpl.patches.Patch(color=c, label=name) for c, name in zip(colours, names, strict=True)
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    save(figure, "regime_map.svg")


def schedule_of_blocking_arms() -> None:
    """The optimal schedule of three blocking arms, as `rltheory bandit` draws it."""
    bandit = rlt.LSDBandit([rlt.LSDArm.blocking(delay) for delay in (2, 3, 6)])
    drawn = rlt.lsd_bounds(bandit).picture("optimal", rounds=24)
    (HERE / "lsd_schedule.svg").write_text(drawn, encoding="utf-8")


def regret_of_lsd_learners() -> None:
    """experiments/lsd_regret.py: explore-then-commit and framed UCB on four bandits."""
    file = HERE.parents[1] / "experiments" / "lsd_regret.py"
    with tempfile.TemporaryDirectory() as folder:
        result = rlt.run_sweep(file, folder)
    bandits = list(dict.fromkeys(entry.point["bandit"] for entry in result.summary))
    figure, panels = plt.subplots(2, 2, figsize=(6.4, 4.6), layout="constrained", sharex=True)
    looks = {"explore, then commit": (ORANGE, "s", 2 / 3), "framed UCB": (BLUE, "o", 1 / 2)}
    for axes, bandit in zip(panels.flat, bandits, strict=True):
        for learner, (colour, mark, slope) in looks.items():
            own = [
                entry
                for entry in result.summary
                if entry.point["bandit"] == bandit and entry.point["learner"] == learner
            ]
            own.sort(key=lambda entry: entry.point["rounds"])
            x = np.array([entry.point["rounds"] for entry in own], dtype=np.float64)
            low, middle, high = np.array([entry.values["regret"] for entry in own]).T
            axes.loglog(x, middle, mark, ms=3.5, color=colour, label=learner)
            axes.fill_between(x, low, high, color=colour, alpha=0.2, lw=0)
            line = middle[-1] * (x / x[-1]) ** slope
            name = {2 / 3: "slope 2/3", 1 / 2: "slope 1/2"}[slope]
            axes.loglog(x, line, "--", lw=0.9, color=colour, label=name)
        axes.set_title(bandit)
    for axes in panels[:, 0]:
        axes.set_ylabel("T A(x) - rewards")
    for axes in panels[1]:
        axes.set_xlabel("rounds T")
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    save(figure, "lsd_regret.svg")


def blocks_of_lsd_learners() -> None:
    """experiments/lsd_isi_combucb1.py: cumulative rewards of ten seeds to the horizons."""
    scope = runpy.run_path(str(HERE.parents[1] / "experiments" / "lsd_isi_combucb1.py"))
    figure, panels = plt.subplots(1, 2, figsize=(6.4, 2.9), layout="constrained")
    colours = dict(zip(scope["POLICIES"], (ORANGE, BLUE, GREY), strict=True))
    optimum = {"A": 38 / 75, "B": 1 / 2}
    for axes, (name, (_, d, T)) in zip(panels, scope["CASES"].items(), strict=True):
        t = np.arange(0, T + 1, 22)
        axes.plot(t, optimum[name] * t, ":", color="black", lw=0.9, label="optimum")
        for policy, colour in colours.items():
            runs = [scope["rewards_of"](name, policy, seed) for seed in range(10)]
            rows = [np.append(0, np.cumsum(rewards))[t] for rewards in runs]
            axes.plot(t, np.mean(rows, axis=0), color=colour, label=policy)
            axes.fill_between(
                t, np.min(rows, axis=0), np.max(rows, axis=0), color=colour, alpha=0.2, lw=0
            )
        axes.set(xlabel="rounds", title=f"{name}: blocks of {d}, and of {d + 1}")
    panels[0].set_ylabel("rewards")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    save(figure, "lsd_isi_combucb1.svg")


if __name__ == "__main__":
    with mpl.rc_context(STYLE):
        bracket_of_value_iteration()
        reach_of_double_double()
        regret_of_ucbvi()
        gaps_of_mirror_descent()
        regimes_of_demonstrations()
        schedule_of_blocking_arms()
        regret_of_lsd_learners()
        blocks_of_lsd_learners()
