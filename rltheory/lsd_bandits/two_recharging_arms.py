r"""Certificates of g* >= 4/5 LP for two recharging arms (M = 1) of any size, without a program.

The vertices of the relaxation are two types (a, 1), (b, 1); or one type (a, 1) of arm A, with
rho = 1/(a+1), beside (c, 1) at rate rho/c and always of arm B, or beside always alone. Mixtures of

    apart     A in one of a+1 rounds, B in the others
    always    B in every round
    between   B after c rests, period c+1, and k = floor((c+1)/(a+1)) plays of A      (c >= a)
    inside    A, c-1 idle rounds, a+1-c plays of B                                    (c < a)

play each arm in each state or a higher one at 4/5 of the rates of the vertex, whatever R is: the
proof is in docs/theory/lsd_gap.md (claim lsd-gap-recharging).
"""

from fractions import Fraction

from rltheory.errors import ModelError
from rltheory.lsd_bandits.gap_certificates import IDLE, GapVertex, ScheduleMix

__all__ = ["recharging_mixture"]


def recharging_mixture(vertex: GapVertex) -> ScheduleMix:
    """A mixture that proves g* >= 4/5 of the vertex's value.

    Parameters
    ----------
    vertex : GapVertex
        Of two arms that are both used, with types (n, 1) and always.

    Raises
    ------
    ModelError
        If it is none.

    Examples
    --------
    >>> from rltheory.lsd_bandits.integrality_gap import gap_vertices
    >>> vertices = list(gap_vertices(2, 30, 1, all_used=True))
    >>> min(recharging_mixture(vertex).ratio(vertex) for vertex in vertices)
    Fraction(4, 5)
    """
    if len(vertex.arms) != 2 or any(m != 1 for arm in vertex.arms for (_, m), _ in arm):
        raise ModelError(f"the vertex is {vertex}; it must be one of two arms that recharge, M = 1")
    types = [[n for (n, _), _ in arm] for arm in vertex.arms]
    if all(0 not in of_arm for of_arm in types):
        return _two_types(types[0][0] + 1, types[1][0] + 1)
    second = 0 if 0 in types[0] else 1
    rests = types[1 - second][0]
    long = [n for n in types[second] if n]
    mix = _beside_always(rests, long[0] if long else None)
    return mix if second == 1 else _swapped(mix)


def _two_types(first: int, second: int) -> ScheduleMix:
    """Arms that are played every so many rounds, alone; the shorter delay is d."""
    if first > second:
        return _swapped(_two_types(second, first))
    d, k = first, second // first
    rounded = [IDLE] * (d * (k + 1))
    rounded[::d] = [0] * (k + 1)
    squeezed = [IDLE] * second
    squeezed[: k * d : d] = [0] * k
    rounded[1] = squeezed[1] = 1
    over = Fraction(second, d) - k
    share = min(Fraction(1), Fraction(k + 1) / (5 * (1 - over))) if over else Fraction(0)
    return _mix((share, rounded), (1 - share, squeezed))


def _beside_always(a: int, c: int | None) -> ScheduleMix:
    """Arm 0 has the type (a, 1); arm 1 (c, 1) and always, or always alone."""
    rho = Fraction(1, a + 1)
    apart = [0] + [1] * a
    if c is None:
        return _mix((Fraction(1), apart))
    if c < a:
        inside = [0] + [IDLE] * (c - 1) + [1] * (a + 1 - c)
        rest = 1 - Fraction(1, c)
        return _mix((Fraction(1, c), inside), (rest, apart), (rho * rest, [1]))
    k = (c + 1) // (a + 1)
    between = [IDLE] * (c + 1)
    between[: k * (a + 1) : a + 1] = [0] * k
    between[1] = 1
    return _mix(
        (rho * Fraction(c + 1, c), between),
        (1 - Fraction(k, c), apart),
        (((1 - rho) * k - rho) / c, [1]),
    )


def _mix(*parts: tuple[Fraction, list[int]]) -> ScheduleMix:
    total = sum((mass for mass, _ in parts), Fraction(0))
    return ScheduleMix(tuple((mass / total, tuple(rounds)) for mass, rounds in parts if mass))


def _swapped(mix: ScheduleMix) -> ScheduleMix:
    return ScheduleMix(
        tuple(
            (mass, tuple(i if i == IDLE else 1 - i for i in rounds))
            for mass, rounds in mix.schedules
        )
    )
