"""Reward laws: which means they allow, what they can pay, how they travel with a model."""

import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rltheory as rlt
from rltheory import MDP, Atoms, Bernoulli, Deterministic, Gaussian, ModelError
from rltheory.mdp.reward_laws import law_from_arrays

P = np.full((2, 2, 2), 0.5)
MEAN = np.array([[0.0, 1.0], [2.0, 0.5]])
VALUES = np.array([[-1.0, 1.0], [1.0, 9.0], [0.0, 4.0], [0.5, 0.5]])
CHANCES = np.array([[0.5, 0.5], [1.0, 0.0], [0.5, 0.5], [0.25, 0.75]])


def with_law(law: Any, rewards: Any = MEAN) -> MDP:
    return MDP(P, rewards, 0.5, reward_law=law)


@pytest.mark.parametrize(
    ("law", "low", "high"),
    [
        (None, [0.0, 1.0, 2.0, 0.5], [0.0, 1.0, 2.0, 0.5]),
        (Deterministic(), [0.0, 1.0, 2.0, 0.5], [0.0, 1.0, 2.0, 0.5]),
        # A Bernoulli reward at an end of its range pays nothing else.
        (Bernoulli(2.0), [0.0, 0.0, 2.0, 0.0], [0.0, 2.0, 2.0, 2.0]),
        (Gaussian(0.0), [0.0, 1.0, 2.0, 0.5], [0.0, 1.0, 2.0, 0.5]),
        (Gaussian(0.1), [-math.inf] * 4, [math.inf] * 4),
        # What has probability 0 is not paid.
        (Atoms(VALUES, CHANCES), [-1.0, 1.0, 0.0, 0.5], [1.0, 1.0, 4.0, 0.5]),
    ],
)
def test_what_can_be_paid(law: Any, low: list[float], high: list[float]) -> None:
    mdp = with_law(law)
    assert [x.tolist() for x in mdp.reward_law.support(mdp.mean_rewards)] == [low, high]
    assert mdp.reward_range == (min(low), max(high))
    assert mdp.return_range == (2 * min(low), 2 * max(high))
    # Every pair can be met with every other one before it.
    assert mdp.episodic(2).return_range == (2 * min(low), 2 * max(high))


def test_planning_does_not_depend_on_the_law() -> None:
    plain = with_law(None)
    for law in (Bernoulli(2.0), Gaussian(1.0), Atoms(VALUES, CHANCES)):
        mdp = with_law(law)
        assert np.array_equal(rlt.solve(mdp).value, rlt.solve(plain).value)
        assert mdp.fingerprint != plain.fingerprint
        assert mdp.with_discount(0.9).reward_law is law is mdp.episodic(3).reward_law
        assert mdp.with_rewards(MEAN).reward_law == Deterministic()
    assert with_law(Deterministic()).fingerprint == plain.fingerprint


def test_laws_come_back_from_their_arrays() -> None:
    for law in (Deterministic(), Bernoulli(3.0), Gaussian(0.5)):
        assert law_from_arrays(law.arrays()) == law
    atoms = law_from_arrays(Atoms(VALUES, CHANCES).arrays())
    assert isinstance(atoms, Atoms)
    assert np.array_equal(atoms.values, VALUES)
    assert np.array_equal(atoms.probabilities, CHANCES)
    for given in (Bernoulli(2.0), Gaussian(0.25), Atoms(VALUES, CHANCES)):
        mdp = with_law(given)
        twin = copy.deepcopy(mdp)
        assert type(twin.reward_law) is type(given) and twin.fingerprint == mdp.fingerprint
        assert twin.reward_range == mdp.reward_range


def test_atoms_are_in_the_order_of_the_rows_given() -> None:
    order = [2, 0, 3, 1]
    mdp = MDP.from_pairs(
        np.array([0, 0, 1, 1])[order],
        np.array([0, 1, 0, 1])[order],
        np.full((4, 2), 0.5),
        MEAN.ravel()[order],
        0.5,
        reward_law=Atoms(VALUES[order], CHANCES[order]),
    )
    assert isinstance(mdp.reward_law, Atoms)
    assert mdp.fingerprint == with_law(Atoms(VALUES, CHANCES)).fingerprint
    for law in (Bernoulli(2.0), Gaussian(1.0)):
        shuffled = MDP.from_pairs([1, 0], [0, 0], np.full((2, 2), 0.5), [1.0, 2.0], reward_law=law)
        assert shuffled.reward_law == law


def test_atoms_are_copied_and_read_only() -> None:
    values, chances = VALUES.copy(), CHANCES.copy()
    law = Atoms(values, chances)
    values[:], chances[:] = 7.0, 0.0
    assert np.array_equal(law.values, VALUES) and np.array_equal(law.probabilities, CHANCES)
    for array in (law.values, law.probabilities):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 1.0
    with pytest.raises(AttributeError):
        law.values = values  # type: ignore[misc]


def test_stages_that_differ_have_atoms_of_their_own() -> None:
    stages = np.stack([MEAN, MEAN + 1.0])
    law = Atoms(np.concatenate([VALUES, VALUES + 1.0]), np.concatenate([CHANCES, CHANCES]))
    mdp = rlt.EpisodicMDP(P, stages, 2, reward_law=law)
    assert mdp.reward_range == (-1.0, 5.0) and mdp.return_range == (-1.0, 9.0)
    with pytest.raises(ModelError, match="has 4 rows; the model has 8 pairs"):
        rlt.EpisodicMDP(P, stages, 2, reward_law=Atoms(VALUES, CHANCES))


BAD: dict[str, tuple[Callable[[], Any], str]] = {
    "scale 0": (lambda: Bernoulli(0.0), "scale is 0.0; it must be positive and finite"),
    "scale nan": (lambda: Bernoulli(math.nan), "scale is nan"),
    "scale inf": (lambda: Bernoulli(math.inf), "scale is inf"),
    "sigma": (lambda: Gaussian(-0.1), "sigma is -0.1; it must be at least 0 and finite"),
    "sigma nan": (lambda: Gaussian(math.nan), "sigma is nan"),
    "sigma inf": (lambda: Gaussian(math.inf), "sigma is inf"),
    "above": (lambda: with_law(Bernoulli()), "the mean reward of pair 2 is"),
    "below": (lambda: with_law(Bernoulli(9.0), -MEAN), "have means in [0, 9.0]"),
    "atoms flat": (lambda: Atoms([1.0], [1.0]), "both must be (n_pairs, k)"),  # type: ignore[arg-type]
    "atoms shapes": (lambda: Atoms(VALUES, CHANCES[:2]), "probabilities (2, 2)"),
    "no atoms": (lambda: Atoms(np.zeros((2, 0)), np.zeros((2, 0))), "both must be"),
    "atom inf": (lambda: Atoms(VALUES + math.inf, CHANCES), "must be finite"),
    "chance": (lambda: Atoms(VALUES, CHANCES - 0.5), "must be at least 0"),
    "chance nan": (lambda: Atoms(VALUES, CHANCES * math.nan), "must be at least 0"),
    "sum": (lambda: Atoms(VALUES, CHANCES / 2), "row probabilities[0] of the reward law sums to"),
    "mean": (lambda: with_law(Atoms(VALUES + 1e-6, CHANCES)), "pair 0 has the mean reward"),
    "rows": (lambda: with_law(Atoms(VALUES[:2], CHANCES[:2])), "2 rows; the model has 4 pairs"),
    "class": (lambda: with_law(Bernoulli), "it must be one of rltheory's reward laws"),
    "both": (
        lambda: MDP(P, next_state_rewards=P, reward_law=Gaussian(1.0)),
        "reward_law and next_state_rewards are both given",
    ),
    "pairs": (
        lambda: MDP.from_pairs([0], [0], [[1.0]], [0.0], reward_law=Atoms(VALUES, CHANCES)),
        "has 4 rows; the model has 1 pairs",
    ),
    "unknown": (
        lambda: law_from_arrays({"law": "cauchy", "law_values": 1, "law_probabilities": 1}),
        "law is 'cauchy'",
    ),
    "missing": (lambda: law_from_arrays({"law": "gaussian"}), "`law_sigma` is missing"),
    "two scales": (
        lambda: law_from_arrays({"law": "bernoulli", "law_scale": np.ones(2)}),
        "must be one number",
    ),
}


@pytest.mark.parametrize(("build", "words"), BAD.values(), ids=BAD)
def test_what_is_no_law_of_these_means(build: Callable[[], Any], words: str) -> None:
    with pytest.raises(ModelError) as caught:
        build()
    assert words in str(caught.value)


ESCAPES: dict[str, Callable[[], Any]] = {
    "scale text": lambda: Bernoulli("x"),  # type: ignore[arg-type]
    "sigma text": lambda: Gaussian("x"),  # type: ignore[arg-type]
    "atoms text": lambda: Atoms([["a"]], [[1.0]]),  # type: ignore[arg-type]
    "atoms ragged": lambda: Atoms([[1.0], [1.0, 2.0]], [[1.0]]),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("build", ESCAPES.values(), ids=ESCAPES)
def test_other_kinds_are_refused_as_well(build: Callable[[], Any]) -> None:
    with pytest.raises(ModelError):
        build()
