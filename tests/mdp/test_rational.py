"""Models in fractions: rows, what they keep, what their doubles are."""

import copy
import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from plain_residuals import rows_in_fractions
from plain_rows import rows_of

import rltheory as rlt
from rltheory import MDP, EpisodicMDP, ModelError
from rltheory.mdp.rational import fractions_of, nearest

F = Fraction
THIRDS = [[[F(1, 3), F(2, 3)]], [[0, 1]]]


def test_numbers_are_kept_as_they_are() -> None:
    mdp = MDP(THIRDS, [[F(1, 7)], ["-2/3"]], F(2, 3), exact=True)
    rational = mdp.rational
    assert rational is not None
    assert rational.prob == (F(1, 3), F(2, 3), F(1)) and rational.col == (0, 1, 1)
    assert rational.reward == (F(1, 7), F(-2, 3)) and rational.exit == ()
    assert rational.discount == mdp.discount == F(2, 3)
    assert (rational.state_ptr, rational.action, rational.row_ptr) == ((0, 1, 2), (0, 0), (0, 2, 3))
    assert mdp.mean_rewards.tolist() == [1 / 7, -2 / 3]
    assert mdp.transitions.toarray().tolist() == [[1 / 3, 2 / 3], [0.0, 1.0]]
    assert repr(mdp) == "MDP(2 states, 1 actions, discount 2/3, exact)"
    assert mdp.arrays()["prob"] == rational.prob and mdp.arrays()["discount"] == F(2, 3)


def test_floats_mean_themselves() -> None:
    mdp = MDP([[[0.1, 0.9]], [[0.5, 0.5]]], [[0.1], [1]], 0.1, exact=True)
    assert mdp.rational is not None and mdp.discount == F(0.1)
    total = F(0.1) + F(0.9)
    assert mdp.rational.prob[:2] == (F(0.1) / total, F(0.9) / total)
    assert mdp.rational.reward == (F(0.1), F(1))


def test_every_kind_of_number() -> None:
    given = [1, F(1, 2), 0.25, "1/8", Decimal("0.0625"), np.int8(3), np.float32(0.5), True + 1]
    found = fractions_of("x", [given])
    assert found.shape == (1, 8) and all(type(x) is F for x in found.ravel())
    assert found.ravel().tolist() == [1, F(1, 2), F(1, 4), F(1, 8), F(1, 16), 3, F(1, 2), 2]
    assert nearest(found).tolist() == [[1.0, 0.5, 0.25, 0.125, 0.0625, 3.0, 0.5, 2.0]]
    assert nearest(fractions_of("x", [F(1, 3), F(2, 3)])).tolist() == [1 / 3, 2 / 3]


@pytest.mark.parametrize(
    "bad", [math.nan, math.inf, True, None, "x", "1/0", "1e5", "9" * 5000, 1j, [1]]
)
def test_what_is_no_fraction(bad: Any) -> None:
    array = np.empty(1, dtype=object)
    array[0] = bad
    with pytest.raises(ModelError, match=r"x holds .*; exact models take fractions"):
        fractions_of("x", array)


def test_exits_and_rewards_by_successor() -> None:
    mdp = MDP(
        [[[F(1, 6), F(1, 3)]], [[0, 0]]],
        None,
        F(1, 2),
        termination=[[F(1, 2)], [1]],
        next_state_rewards=[[[F(6), F(3)]], [[0, 0]]],
        termination_rewards=[[F(1, 5)], [F(7)]],
        exact=True,
    )
    assert mdp.rational is not None
    assert mdp.rational.exit == (F(1, 2), F(1)) and mdp.rational.prob == (F(1, 6), F(1, 3))
    assert mdp.rational.reward == (1 + 1 + F(1, 10), F(7))
    assert mdp.rational.backup(0, F(1, 2), [F(3), F(9)]) == F(21, 10) + F(1, 2) * (F(1, 2) + 3)
    assert rlt.solve_exact(mdp).value[1] == 7


def test_rows_are_divided_by_their_sums() -> None:
    off = F(1, 10**10)
    mdp = MDP([[[F(1, 2), F(1, 2) + off]], [[0, 1]]], [[0], [1]], F(1, 2), exact=True)
    assert mdp.rational is not None
    assert mdp.rational.prob[0] == F(1, 2) / (1 + off) and sum(mdp.rational.prob[:2]) == 1
    ends = MDP([[[F(1, 2)]]], [[1]], termination=[[F(1, 2) + off]], exact=True).rational
    assert ends is not None and ends.exit == ((F(1, 2) + off) / (1 + off),)
    with pytest.raises(ModelError, match=r"row transitions\[0, 0\] sums to"):
        MDP([[[F(1, 2), F(1, 3)]], [[0, 1]]], [[0], [1]], exact=True)


def test_pairs_in_any_order() -> None:
    mdp = MDP.from_pairs(
        [1, 0, 0],
        [0, 2, 0],
        [[0, 1], [F(1, 3), F(2, 3)], [1, 0]],
        [F(1, 3), F(1, 5), F(1, 7)],
        F(1, 2),
        exact=True,
    )
    assert mdp.rational is not None
    assert mdp.rational.reward == (F(1, 7), F(1, 5), F(1, 3))
    assert mdp.rational.prob == (F(1), F(1, 3), F(2, 3), F(1))
    assert mdp.rational.action == (0, 2, 0) == tuple(mdp.actions)


def test_a_model_of_doubles_as_the_rational_one_it_means() -> None:
    for seed in range(150):
        mdp = rlt.awkward(seed)
        exact = mdp.as_exact()
        rational = exact.rational
        assert rational is not None and mdp.rational is None
        assert exact.core is mdp.core and exact.discount == F(float(mdp.discount or 0.0))
        for row, (_, prob, reward) in enumerate(rows_in_fractions(rows_of(mdp))):
            i, j = rational.row_ptr[row], rational.row_ptr[row + 1]
            assert [prob[k] for k in rational.col[i:j]] == list(rational.prob[i:j])
            assert rational.reward[row] == reward
            ends = rational.exit[row] if rational.exit else 0
            assert sum(rational.prob[i:j], F(0)) + ends == 1
        assert exact.as_exact().rational == rational
    assert rlt.riverswim(discount=0.9).as_exact(F(9, 10)).discount == F(9, 10)
    assert rlt.riverswim().episodic(2).as_exact().rational is not None


def test_models_with_a_horizon() -> None:
    mdp = EpisodicMDP([THIRDS, [[[1, 0]], [[F(1, 7), F(6, 7)]]]], [[F(1, 3)], [0]], 2, exact=True)
    assert mdp.rational is not None and mdp.rational.discount is None
    assert mdp.rational.prob == (F(1, 3), F(2, 3), F(1), F(1), F(1, 7), F(6, 7))
    assert mdp.rational.reward == (F(1, 3), F(0)) * 2
    one = MDP(THIRDS, [[F(1, 3)], [0]], F(1, 2), exact=True).episodic(2)
    assert one.rational is not None and one.rational.discount is None
    assert rlt.solve_exact(one).value == ((F(4, 9), F(0)), (F(1, 3), F(0)), (F(0), F(0)))


def test_related_models_and_fingerprints() -> None:
    mdp = MDP(THIRDS, [[F(1, 3)], [0]], F(1, 2), exact=True)
    assert mdp.with_discount("0.75" and F(3, 4)).rational.discount == F(3, 4)
    prints = {
        mdp.fingerprint,
        mdp.with_discount(F(1, 3)).fingerprint,
        MDP(THIRDS, [[F(1, 3) + F(1, 10**30)], [0]], F(1, 2), exact=True).fingerprint,
        MDP(nearest(fractions_of("x", THIRDS)), [[1 / 3], [0]], 0.5).fingerprint,
    }
    assert len(prints) == 4
    again = MDP(THIRDS, [["1/3"], [0]], F(1, 2), exact=True)
    assert again.fingerprint == mdp.fingerprint
    with pytest.raises(ModelError, match="an exact model keeps its rewards"):
        mdp.with_rewards([[0], [0]])


BAD: dict[str, tuple[Callable[[], Any], str]] = {
    "discount 1": (lambda: MDP(THIRDS, [[0], [0]], F(1), exact=True), "discount is 1"),
    "discount": (lambda: MDP(THIRDS, [[0], [0]], F(-1, 2), exact=True), "discount is -1/2"),
    "near 1": (lambda: MDP(THIRDS, [[0], [0]], 1 - F(1, 10**30), exact=True), "1 as a double"),
    "negative": (
        lambda: MDP([[[F(-1, 3), F(4, 3)]], [[0, 1]]], [[0], [0]], exact=True),
        "transitions[0, 0, 0] is -0.333",
    ),
    "empty": (lambda: MDP([], [[0]], exact=True), "transitions is empty"),
    "shape": (lambda: MDP(THIRDS, [[0, 0]], exact=True), "rewards has shape (1, 2)"),
    "outcomes": (
        lambda: MDP(THIRDS, next_state_rewards=[[[0]]], exact=True),
        "next_state_rewards has shape (1, 1, 1)",
    ),
    "text": (lambda: MDP(THIRDS, [["one"], [0]], exact=True), "rewards holds 'one'"),
    "sparse": (
        lambda: MDP(rlt.riverswim().transitions, [[0, 0]] * 6, exact=True),
        "transitions is sparse; exact models take dense arrays",
    ),
    "without exact": (lambda: MDP(THIRDS, [[0], [0]]), "exact=True takes fractions"),
}


@pytest.mark.parametrize(("build", "words"), BAD.values(), ids=BAD)
def test_what_is_no_exact_model(build: Callable[[], Any], words: str) -> None:
    with pytest.raises(ModelError) as caught:
        build()
    assert words in str(caught.value)


def test_copies_keep_their_rational_discount() -> None:
    mdp = MDP(THIRDS, [[F(1, 3)], [0]], F(2, 3), exact=True)
    assert copy.deepcopy(mdp).discount == F(2, 3)


TINY = F(1, 10**400)
ESCAPES: dict[str, Callable[[], Any]] = {
    "negative": lambda: MDP([[[-TINY, 1 + TINY]], [[0, 1]]], [[0], [0]], exact=True),
    "reward above all doubles": lambda: MDP(THIRDS, [[10**400], [0]], exact=True),
    "probability above all doubles": lambda: MDP([[[10**400]]], [[0]], exact=True),
}


@pytest.mark.parametrize("build", ESCAPES.values(), ids=ESCAPES)
def test_what_is_refused_as_well(build: Callable[[], Any]) -> None:
    with pytest.raises(ModelError):
        build()
