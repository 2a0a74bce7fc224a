"""The awkward instances: every feature the docstring lists does occur, and nothing is invalid."""

import numpy as np
import pytest

from rltheory.errors import ModelError
from rltheory.mdp.awkward import awkward
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.model import MDP

MODELS = [awkward(seed) for seed in range(600)]


def share(flags: list[bool]) -> float:
    return sum(flags) / len(flags)


def test_sizes_and_kinds() -> None:
    assert {m.n_states for m in MODELS} == set(range(1, 7))
    assert {m.n_actions for m in MODELS} == set(range(1, 5))
    assert all(isinstance(m, MDP) and m.discount is not None for m in MODELS)
    assert {m.storage for m in MODELS} == {"csr", "dense", "deterministic"}
    discounts = {m.discount for m in MODELS}
    assert {0.0, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999, 1 - 2.0**-20} < discounts
    assert len(discounts) > 20


def test_every_feature_occurs() -> None:
    features = {
        "ragged": [not m.is_full for m in MODELS],
        "exits": [bool(m.termination.any()) for m in MODELS],
        "no exits": [not m.termination.any() for m in MODELS],
        "sure end": [bool((m.termination == 1.0).any()) for m in MODELS],
        "every row ends surely": [bool((m.termination == 1.0).all()) for m in MODELS],
        "tiny exit": [bool(((m.termination > 0) & (m.termination < 1e-6)).any()) for m in MODELS],
        "exact sums": [bool((m.row_defect == 0.0).all()) for m in MODELS],
        "sums off by rounding": [
            bool(((m.row_defect != 0) & (abs(m.row_defect) < 1e-15)).any()) for m in MODELS
        ],
        "sums off by 1e-11 or more": [bool((abs(m.row_defect) > 1e-11).any()) for m in MODELS],
        "probability below 1e-90": [
            m.transitions.nnz > 0 and bool(m.transitions.data.min() < 1e-90) for m in MODELS
        ],
        "zero rewards": [not m.mean_rewards.any() for m in MODELS],
        "equal rewards": [len(set(m.mean_rewards.tolist())) == 1 for m in MODELS],
        "rewards above 1e5": [bool((abs(m.mean_rewards) > 1e5).any()) for m in MODELS],
        "rewards below 1e-4": [
            bool(((m.mean_rewards != 0) & (abs(m.mean_rewards) < 1e-4)).any()) for m in MODELS
        ],
        "rewards over nine orders": [
            bool(m.mean_rewards.all())
            and float(abs(m.mean_rewards).max() / abs(m.mean_rewards).min()) > 1e9
            for m in MODELS
        ],
        "absorbing state": [any(absorbing(m, s) for s in range(m.n_states)) for m in MODELS],
        "unreachable state": [bool((m.transitions.sum(axis=0) == 0).any()) for m in MODELS],
        "repeated state": [repeated_state(m) for m in MODELS],
        "tied actions": [tied_actions(m) for m in MODELS],
        "rewards of outcomes": ["outcome_reward" in m.arrays() for m in MODELS],
        "start in one state": [start_size(m) == 1 < m.n_states for m in MODELS],
        "start in all states": [1 < start_size(m) == m.n_states for m in MODELS],
    }
    rare = {name: share(flags) for name, flags in features.items() if share(flags) < 0.01}
    assert not rare


def absorbing(m: MDP, state: int) -> bool:
    rows = slice(m.pair_ptr[state], m.pair_ptr[state + 1])
    return bool((m.transitions.toarray()[rows, state] > 0.999).all())


def repeated_state(m: MDP) -> bool:
    rows = m.transitions.toarray()
    described = [
        tuple(
            (int(m.actions[r]), float(m.mean_rewards[r]), float(m.termination[r]), *rows[r])
            for r in range(m.pair_ptr[s], m.pair_ptr[s + 1])
        )
        for s in range(m.n_states)
    ]
    return len(set(described)) < len(described)


def tied_actions(m: MDP) -> bool:
    rows = m.transitions.toarray()
    described = [
        (int(m.states[r]), float(m.mean_rewards[r]), float(m.termination[r]), *rows[r])
        for r in range(m.n_pairs)
    ]
    return len(set(described)) < len(described)


def start_size(m: MDP) -> int:
    assert m.initial is not None
    return int((m.initial > 0).sum())


def test_rows_mean_what_they_say() -> None:
    for m in MODELS:
        sums = m.transitions.sum(axis=1) + m.termination
        assert np.all(abs(sums - 1.0) <= 1.1e-10)
        assert m.initial is not None and abs(m.initial.sum() - 1.0) < 1e-12
        assert np.all(np.isfinite(m.mean_rewards))


def test_the_seed_decides() -> None:
    assert awkward(5).fingerprint == awkward(5).fingerprint != awkward(6).fingerprint
    child = np.random.SeedSequence(5).spawn(1)[0]
    assert awkward(child).fingerprint != awkward(5).fingerprint


def test_given_sizes_are_kept() -> None:
    for seed in range(50):
        m = awkward(seed, states=5, actions=3, discount=0.25)
        assert (m.n_states, m.n_actions, m.discount) == (5, 3, 0.25)
    assert awkward(0, states=12, actions=9).n_states == 12
    assert awkward(0, states=1, actions=1).n_pairs == 1


def test_episodic_models() -> None:
    models = [awkward(seed, horizon=1 + seed % 5) for seed in range(100)]
    assert all(isinstance(m, EpisodicMDP) for m in models)
    assert [m.horizon for m in models] == [1 + seed % 5 for seed in range(100)]
    long = [m for m in models if m.horizon > 1]
    assert {m.is_stationary for m in long} == {True, False}
    assert not all(m.is_full for m in long)


@pytest.mark.parametrize(
    "arguments",
    [
        {"states": 0},
        {"actions": 0},
        {"horizon": 0},
        {"discount": 1.0},
        {"discount": -0.5},
        {"discount": 0.5, "horizon": 3},
    ],
)
def test_arguments_out_of_range(arguments: dict[str, float]) -> None:
    with pytest.raises(ModelError):
        awkward(0, **arguments)  # type: ignore[call-overload]
