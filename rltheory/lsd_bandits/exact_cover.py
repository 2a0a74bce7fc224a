r"""Residue classes that do not meet: which delays can all be kept exactly.

Arm i of delay d_i is to be played exactly every d_i rounds, in the rounds t = r_i mod d_i, and no
two arms in the same round. By the Chinese remainder theorem the classes of arms i and j meet unless

    r_i != r_j    modulo gcd(d_i, d_j),

so that residues are found by backtracking over the arms, each against those before it. Where
sum 1/d_i = 1, classes that do not meet cover all integers: a disjoint covering system, an exact
cover of the residues modulo the least common multiple. A density of 1 does not suffice, and the
largest modulus must repeat (Mirsky and Newman; Erdos 1950). For unit rewards they exist exactly
where the blocking arms' optimal average is sum 1/d_i (claim ``blk-exact-cover``); this is the core
of the hardness of blocking bandits (Basu et al., 2019) and of pinwheel scheduling (Holte et al.,
1989).
"""

import numbers
from collections.abc import Sequence
from math import gcd

from rltheory.errors import ModelError

__all__ = ["exact_cover"]


def exact_cover(delays: Sequence[int]) -> tuple[int, ...] | None:
    """Residues r_i such that no round is r_i mod d_i for two arms.

    Parameters
    ----------
    delays : sequence of int, length N
        d_i, at least 1.

    Returns
    -------
    tuple of int, length N, or None
        r_i in 0..d_i-1, the first in lexicographic order once arms are sorted by delay; None if
        there are none.

    Raises
    ------
    ModelError
        If there are no delays, or one is no integer of at least 1.

    Notes
    -----
    Takes exponential time in the worst case: the problem is that of periodic maintenance.

    Examples
    --------
    >>> import rltheory as rlt
    >>> rlt.exact_cover([4, 2, 4])
    (1, 0, 3)
    >>> rlt.exact_cover([2, 3, 6]) is None
    True
    """
    if len(delays) == 0:
        raise ModelError("delays is empty; there must be at least one")
    for i, d in enumerate(delays):
        if isinstance(d, bool) or not isinstance(d, numbers.Integral) or d < 1:
            raise ModelError(f"delays[{i}] is {d!r}; it must be an integer of at least 1")
    order = sorted(range(len(delays)), key=lambda i: (delays[i], i))
    sizes = [int(delays[i]) for i in order]
    residues = [0] * len(sizes)
    at = 0
    while at < len(sizes):
        if residues[at] == sizes[at] or (at == 0 and residues[0] > 0):
            # The first residue is 0 without loss: all may be shifted together.
            if at == 0:
                return None
            residues[at] = 0
            at -= 1
            residues[at] += 1
        elif all((residues[at] - residues[j]) % gcd(sizes[at], sizes[j]) for j in range(at)):
            at += 1
        else:
            residues[at] += 1
    found = dict(zip(order, residues, strict=True))
    return tuple(found[i] for i in range(len(delays)))
