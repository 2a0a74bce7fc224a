"""Optimal gains of bandits with a million joint states: seconds and peak memory, each in a process.

    python -m benchmarks.cycle_means [--instance NAME ...] [--exact] [--check]

Random arms, and instances that are hard for policy iteration: long recharging arms, many cycles of
one mean, optimal cycles of hundreds of thousands of rounds. Every answer comes with potentials that
prove it; `--check` goes through them again, in plain Python.
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from typing import Any

__all__ = ["INSTANCES", "main", "measure"]


def _arms(count: int, rests: int, plays: int, denominator: int, seed: int) -> Any:
    import rltheory as rlt

    draw = random.Random(seed)
    arms = []
    for _ in range(count):
        paid = sorted(draw.randint(0, denominator) for _ in range(rests + plays))
        exact = [Fraction(x, denominator) for x in paid]
        arms.append(rlt.LSDArm(exact[plays:], exact[:plays][::-1]))
    return rlt.LSDBandit(arms)


def _blocking(*delays: int) -> Any:
    import rltheory as rlt

    return rlt.LSDBandit([rlt.LSDArm.blocking(d) for d in delays])


def _recharging(count: int, rounds: int, power: int) -> Any:
    """f(d) = (d / D)^power."""
    import rltheory as rlt

    payoffs = [Fraction(d, rounds) ** power for d in range(1, rounds + 1)]
    return rlt.LSDBandit([rlt.LSDArm.recharging(payoffs)] * count)


INSTANCES: dict[str, Callable[[], Any]] = {
    "six random arms of 10 states": lambda: _arms(6, 8, 2, 8, seed=0),
    "the same, payoffs over a prime": lambda: _arms(6, 8, 2, 1_000_003, seed=1),
    "six blocking arms of 10 states": lambda: _blocking(*[10] * 6),
    "twenty blocking arms of 2 states": lambda: _blocking(*[2] * 20),
    "three convex recharging arms of 100": lambda: _recharging(3, 100, 2),
    "two convex recharging arms of 1000": lambda: _recharging(2, 1000, 2),
    "three blocking arms of 101, 99, 97": lambda: _blocking(101, 99, 97),
    "two blocking arms of 1001, 998": lambda: _blocking(1001, 998),
    "three blocking arms, tiny": lambda: _blocking(3, 4, 5),
}
TINY = "three blocking arms, tiny"


def measure(name: str, exact: bool = False, check: bool = False) -> dict[str, Any]:
    """One instance, in this process."""
    import rltheory as rlt

    bandit = INSTANCES[name]()
    begin = time.perf_counter(), time.process_time()
    found = rlt.optimal_gain(bandit, exact=exact)
    seconds, cpu = time.perf_counter() - begin[0], time.process_time() - begin[1]
    # Kibibytes; before the check, whose Python lists need several times the memory.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    begin_check = time.perf_counter()
    checked = bool(found.check()) if check else None
    return {
        "name": name,
        "states": bandit.n_states,
        "gain": str(found.gain),
        "cycle": len(found.cycle),
        "policies": found.means.iterations + 1,
        "gap": float(found.upper - found.lower),
        "seconds": seconds,
        "cpu_seconds": cpu,
        "peak_megabytes": peak,
        "checked": checked,
        "check_seconds": time.perf_counter() - begin_check,
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cycle_means")
    parser.add_argument("--instance", nargs="*", choices=list(INSTANCES))
    parser.add_argument("--exact", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.one is not None:
        print(json.dumps(measure(chosen.one, chosen.exact, chosen.check)))
        return 0
    print(f"{'instance':36s} states    gain          cycle   policies  CPU s  wall s   MB")
    for name in chosen.instance or [name for name in INSTANCES if name != TINY]:
        command = [sys.executable, "-m", "benchmarks.cycle_means", "--one", name]
        command += ["--exact"] * chosen.exact + ["--check"] * chosen.check
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        r = json.loads(told)
        print(
            f"{name:36s} {r['states']:8d}  {r['gain'][:12]:12s} {r['cycle']:7d} {r['policies']:7d}"
            f" {r['cpu_seconds']:8.1f} {r['seconds']:7.1f} {r['peak_megabytes']:6.0f}"
            + (f"  checked in {r['check_seconds']:.1f} s: {r['checked']}" if chosen.check else "")
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
