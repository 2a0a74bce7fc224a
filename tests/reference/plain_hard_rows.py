"""Rows on which wrong error bounds fail: all orders of magnitude, and near cancellation."""

import math
from collections.abc import Iterator

import numpy as np
import plain_residuals as plain
from plain_residuals import Row
from plain_rows import Vector

DISCOUNTS = (0.0, 2.0**-60, 0.5, 0.9, 1.0 - 1e-12, 1.0 - 2.0**-53)
SCALES = (0.0, 5e-324, 1e-320, 1e-300, 1e-6, 1.0, 1.0, 1e6, 1e299, 1e300)


def probabilities(random: np.random.Generator) -> tuple[Vector, float]:
    n = int(random.choice([1, 2, 3, 8]))
    kind = random.integers(5)
    if kind == 0:
        p = np.eye(n)[random.integers(n)]
    elif kind == 1:
        p = np.full(n, 1.0 / n)
    elif kind == 2:
        p = random.dirichlet(np.full(n, 0.1))
    elif kind == 3:  # denormal and tiny beside what is left
        p = np.array([2.0 ** -int(random.integers(1, 1075)) for _ in range(n)]) * 0.4
        p[0] = 1.0 - p[1:].sum()
    else:
        p = random.dirichlet(np.ones(n))
    exit_ = float(random.choice([0.0, 0.0, 5e-324, 1e-17, 0.5, 1.0 - 2.0**-30, 1.0]))
    off = 1.0 + 1e-10 * float(random.choice([0.0, random.uniform(-1, 1), -9.0, 9.0]))
    return p * (1.0 - exit_) * off, exit_ * off


def some_rows(count: int, scales: tuple[float, ...] = SCALES) -> Iterator[Row]:
    """Rows with values over all orders of magnitude, and residuals that nearly cancel."""
    random = np.random.default_rng(20)
    while count:
        p, exit_ = probabilities(random)
        if abs(math.fsum([*p, exit_]) - 1.0) > 9.9e-10:
            continue
        count -= 1
        discount = float(random.choice(DISCOUNTS))
        size, other = random.choice(scales, size=2)
        v = size * random.choice([random.uniform(-1, 1, len(p)), np.ones(len(p))])
        r = float(other * random.uniform(-1, 1) if random.random() < 0.7 else 0.0)
        row = Row(p.tolist(), exit_, r, discount, v.tolist(), 0.0)
        own = plain.in_doubles(row, math.fsum([*p, exit_, -1.0]))
        own += float(random.choice([0.0, math.ulp(own), size * random.uniform(-1, 1)]))
        yield row._replace(own=0.0 if not v.any() and random.random() < 0.5 else own)
