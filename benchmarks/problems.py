"""The problems of the benchmark, by name, and fifty mixed ones by number.

Each function makes one problem of the size in its name, or of another size for tests; `QUICK` has
sizes that solve in milliseconds. Seeds are fixed: a problem is the same in every run.
"""

from collections.abc import Callable

import numpy as np

from benchmarks import families
from benchmarks.families import Problem

__all__ = ["MIXED", "PROBLEMS", "QUICK", "Problem", "mixed"]


def garnet_dense500(size: int = 500) -> Problem:
    """500 states, 10 actions, dense rows."""
    return families.dense("garnet_dense500", size, 10, seed=1, discount=0.99)


def garnet1e5_g99(size: int = 100_000) -> Problem:
    """10^5 states, 4 actions, 10 successors: it forgets its state within tens of steps."""
    return families.garnet("garnet1e5_g99", size, 4, min(10, size), 0.99, seed=2)


def garnet1e5_g999(size: int = 100_000) -> Problem:
    """The same model at discount .999."""
    return families.garnet("garnet1e5_g999", size, 4, min(10, size), 0.999, seed=2)


def maze300(size: int = 300) -> Problem:
    """A maze of 300 x 300 cells."""
    return families.maze("maze300", size, 0.999, seed=3)


def maze1000(size: int = 1000) -> Problem:
    """A maze of 1000 x 1000 cells."""
    return families.maze("maze1000", size, 0.999, seed=4)


def forest1e5(size: int = 100_000) -> Problem:
    """Ages 0..10^5 - 1: news of the last age travels far against the discount."""
    return families.forest("forest1e5", size, 0.999)


def inventory300(size: int = 300) -> Problem:
    """Stock 0..300, ragged actions, long rows."""
    return families.inventory("inventory300", size, 0.995)


def tandem300(size: int = 300) -> Problem:
    """Two queues of at most 300 jobs: slow drift over a plane."""
    return families.tandem("tandem300", size, 0.9995)


def riverswim1e4(size: int = 10_000) -> Problem:
    """10^4 states in a row: news travels slowly against the current."""
    return families.riverswim("riverswim1e4", size, 0.9999)


def fh_dense1000(size: int = 1000) -> Problem:
    """1000 states, 10 actions, dense rows, horizon 100."""
    return families.dense("fh_dense1000", size, 10, seed=5, horizon=100)


def maze300_shuffled(size: int = 300) -> Problem:
    """`maze300` with its states numbered at random: no order of sweeping is given away."""
    return families.shuffled("maze300_shuffled", maze300(size), seed=6)


PROBLEMS: dict[str, Callable[..., Problem]] = {
    make.__name__: make
    for make in (
        garnet_dense500,
        garnet1e5_g99,
        garnet1e5_g999,
        maze300,
        maze1000,
        forest1e5,
        inventory300,
        tandem300,
        riverswim1e4,
        fh_dense1000,
        maze300_shuffled,
    )
}

QUICK = {
    "garnet_dense500": 20,
    "garnet1e5_g99": 200,
    "garnet1e5_g999": 200,
    "maze300": 10,
    "maze1000": 14,
    "forest1e5": 100,
    "inventory300": 40,
    "tandem300": 8,
    "riverswim1e4": 50,
    "fh_dense1000": 20,
    "maze300_shuffled": 10,
}

MIXED = range(50)
_DISCOUNTS = (0.9, 0.99, 0.999, 0.9999)


def mixed(seed: int) -> Problem:
    """A small or medium model of one of ten kinds, all of its numbers drawn by the seed.

    Kinds take turns, so that ten consecutive seeds have one of each.
    """
    rng = np.random.default_rng([7, seed])
    size = int(np.exp(rng.uniform(np.log(30), np.log(20_000))))
    side = max(4, int(size**0.5))
    discount = float(rng.choice(_DISCOUNTS))
    actions = int(rng.integers(2, 9))
    kinds: dict[str, Callable[[str], Problem]] = {
        "garnet": lambda n: families.garnet(n, size, actions, min(10, size), discount, seed),
        "deterministic": lambda n: families.garnet(n, size, actions, 1, discount, seed),
        "dense": lambda n: families.dense(n, 10 + size // 40, actions, seed, discount),
        "maze": lambda n: families.maze(n, side, discount, seed),
        "shuffled-maze": lambda n: families.shuffled(
            n, families.maze(n, side, discount, seed), seed
        ),
        "forest": lambda n: families.forest(
            n, size, discount, fire=float(rng.choice([1e-1, 1e-3]))
        ),
        "inventory": lambda n: families.inventory(n, max(10, side), discount, demand=side / 10),
        "tandem": lambda n: families.tandem(n, side, discount),
        "chain": lambda n: (
            families.riverswim(n, size, discount)
            if rng.random() < 0.5
            else families.lock(n, size, actions, discount, float(rng.choice([0.0, 1e-3])), seed)
        ),
        "relay": lambda n: families.relay(n, 2 + seed % 9, max(4, size // 10), discount, seed),
    }
    kind = list(kinds)[seed % len(kinds)]
    return kinds[kind](f"mixed{seed:02d}_{kind}")
