"""All bounds of one bandit in one call."""

from fractions import Fraction
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings

import rltheory as rlt
from rltheory.errors import ModelError
from tests.helpers.lsd_arms import lsd_bandits


@given(lsd_bandits())
@settings(max_examples=60)
def test_every_chain_is_in_order(bandit: rlt.LSDBandit) -> None:
    bounds = rlt.lsd_bounds(bandit)
    assert bounds.holds()
    assert all(isinstance(number, Fraction) for _, number in bounds.chain)
    assert len(bounds.chain) == 5
    assert (bounds.derandomized is None) == (bandit.plays > 1)
    assert bounds.relaxation.check().gap == 0
    assert bounds.optimum is not None and bounds.optimum.check().accepted


@pytest.mark.parametrize("which", ["optimal", "derandomized", "interleaved"])
def test_schedules_are_drawn(which: str) -> None:
    bounds = rlt.lsd_bounds(rlt.LSDBandit([rlt.LSDArm.blocking(2), rlt.LSDArm.blocking(3)]))
    root = ElementTree.fromstring(bounds.picture(which, rounds=12))
    words = [x.text or "" for x in root.iter("{http://www.w3.org/2000/svg}title")]
    assert len(words) == 12 * 2 + 12
    if which == "optimal":
        texts = [x.text for x in root.iter("{http://www.w3.org/2000/svg}text")]
        assert "optimal schedule: 3/4 per round" in texts
        assert "average over 12 rounds: 3/4 = 0.7500" in texts


def test_what_cannot_be_bounded_is_refused() -> None:
    with pytest.raises(ModelError, match=r"arms\[0\]"):
        rlt.lsd_bounds(rlt.LSDBandit([rlt.LSDArm([0], [1])]))
    with pytest.raises(ModelError, match="idle"):
        rlt.lsd_bounds(rlt.LSDBandit([rlt.LSDArm([1], [0])], idle=False))
    bounds = rlt.lsd_bounds(rlt.LSDBandit([rlt.LSDArm.blocking(2)] * 2, plays=2))
    with pytest.raises(ModelError, match="'derandomized'"):
        bounds.picture("derandomized")


def test_large_bandits_go_without_the_optimum() -> None:
    bandit = rlt.LSDBandit([rlt.LSDArm.blocking(12)] * 6)
    bounds = rlt.lsd_bounds(bandit)
    assert bounds.optimum is None and bounds.holds()
    assert "not computed" in repr(bounds)
    with pytest.raises(ModelError, match="optimum was computed"):
        bounds.picture()


def test_doubles_with_a_large_denominator_go_with_a_bracket() -> None:
    arms = [rlt.LSDArm([0.5, 0.9], [0.01]), rlt.LSDArm([0.3], [0.1])]
    bounds = rlt.lsd_bounds(rlt.LSDBandit(arms))
    assert bounds.optimum is not None and bounds.holds()
    assert bounds.optimum.lower <= 1.3 / 3 <= bounds.optimum.upper < 1.3 / 3 + 1e-9
    assert "g*" not in dict(bounds.chain)
    assert dict(bounds.rows())["g*"].startswith("in [0.4333333333")
    assert "optimal schedule" in bounds.picture()


def test_long_common_periods_go_without_the_derandomised_schedule() -> None:
    delays = (7, 11, 13, 17, 19, 23)
    bounds = rlt.lsd_bounds(rlt.LSDBandit([rlt.LSDArm.blocking(d) for d in delays]))
    assert bounds.derandomized is None and bounds.derandomized_average is None
    assert bounds.virtual_value == Fraction(261319, 676039) and bounds.holds()
    rows = dict(bounds.rows())
    assert rows["derandomized"] == "not computed: common period above 1,000,000"
    with pytest.raises(ModelError, match="no long common period"):
        bounds.picture("derandomized")


def test_arms_that_pay_nothing() -> None:
    bounds = rlt.lsd_bounds(rlt.LSDBandit([rlt.LSDArm([0], [0])]))
    assert [number for _, number in bounds.chain] == [0] * 5 and bounds.holds()
