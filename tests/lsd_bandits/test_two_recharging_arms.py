"""Mixtures in closed form for two recharging arms."""

from fractions import Fraction

import pytest

from rltheory.errors import ModelError
from rltheory.lsd_bandits.gap_certificates import GapVertex
from rltheory.lsd_bandits.integrality_gap import _program, gap_vertices
from rltheory.lsd_bandits.two_recharging_arms import recharging_mixture


def test_every_vertex_is_certified() -> None:
    vertices = list(gap_vertices(2, 25, 1, all_used=True))
    ratios = [recharging_mixture(vertex).ratio(vertex) for vertex in vertices]
    assert min(ratios) == Fraction(4, 5)


def test_no_mixture_proves_more_than_the_program_of_its_vertex() -> None:
    for vertex in gap_vertices(2, 4, 1, all_used=True):
        proved = recharging_mixture(vertex).ratio(vertex)
        assert Fraction(4, 5) <= proved <= 1 and proved <= _program(vertex).ratio + 1e-9


def test_the_order_of_the_arms_does_not_matter() -> None:
    for vertex in gap_vertices(2, 7, 1, all_used=True):
        turned = GapVertex(vertex.arms[::-1])
        assert recharging_mixture(turned).ratio(turned) == recharging_mixture(vertex).ratio(vertex)


def test_other_vertices_are_refused() -> None:
    for vertex in (next(gap_vertices(1, 2, 1)), list(gap_vertices(2, 2, 2, all_used=True))[-1]):
        with pytest.raises(ModelError, match="two arms that recharge"):
            recharging_mixture(vertex)
