"""Two-arm bandits a second in the search of worst ratios, on one thread, exact optimum included.

    python -m benchmarks.lsd_search [--instances N] [--repeats N]

Random monotone payoffs, multiples of 1/8, with R = 3 and M = 2: 25 joint states. The core finds the
optimum and the relaxation in whole numbers, and one policy's average; the objectives take turns,
and the table has medians of CPU seconds. The last line is the whole search, with its moves drawn.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["main", "measure"]

SIZES = ((3, 2), (3, 2))
KERNELS = ("gap", "interleaved", "real", "derandomised", "greedy")


def runs(instances: int) -> dict[str, Callable[[], Any]]:
    """What is timed, by name."""
    import rltheory as rlt
    from rltheory.lsd_bandits.worst_case import fast_ratios

    rlt.set_threads(1)
    rng = np.random.default_rng(0)
    parts = [np.sort(rng.integers(0, 9, (instances, r + m)), axis=1) for r, m in SIZES]
    payoffs = np.concatenate(parts, axis=1)

    def kernel(objective: str) -> Callable[[], Any]:
        return lambda: fast_ratios(objective, payoffs, SIZES, 8)

    return {
        **{name: kernel(name) for name in KERNELS},
        "search of the gap": lambda: rlt.worst_instance("gap", 2, 3, 2, evaluations=instances),
    }


def measure(instances: int, repeats: int) -> dict[str, float]:
    """Instances a CPU second, medians."""
    known = runs(instances)
    seconds: dict[str, list[float]] = {name: [] for name in known}
    for _ in range(repeats):
        for name, run in known.items():
            begin = time.process_time()
            run()
            seconds[name].append(time.process_time() - begin)
    return {name: instances / statistics.median(spent) for name, spent in seconds.items()}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lsd_search")
    parser.add_argument("--instances", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=5)
    chosen = parser.parse_args(arguments)
    rates = measure(chosen.instances, chosen.repeats)
    print(f"two arms, R = 3, M = 2; {chosen.instances} instances, one thread")
    for name, rate in rates.items():
        print(f"{name:20s} {rate:10.0f} instances a second")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
