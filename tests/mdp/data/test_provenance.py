"""Provenance: JSON, there and back, and what is said of data put together."""

import json
from typing import Any

import numpy as np
import pytest

import rltheory as rlt
from rltheory import ModelError
from rltheory.mdp.data.provenance import joined, policy_fingerprint

MDP = rlt.riverswim(3, discount=0.9)
SEED = np.random.SeedSequence(5, spawn_key=(1, 2))
FULL = rlt.Provenance(
    n_states=3,
    n_actions=2,
    horizon=4,
    model=MDP.fingerprint,
    access="online",
    policy="uniform",
    seed=SEED,
    details={"reward": [1, 2.5, None], "link": {"name": "logistic"}},
    parts=[rlt.Provenance(seed=1), rlt.Provenance(seed=2)],  # type: ignore[arg-type]
)


def test_json_there_and_back() -> None:
    for one in (FULL, rlt.Provenance(), rlt.Provenance(seed=np.int64(3)), FULL.parts[0]):
        text = json.dumps(one.to_json())
        assert rlt.Provenance.from_json(json.loads(text)) == one
    assert FULL.seed == {"entropy": 5, "spawn_key": [1, 2]}
    words = rlt.Provenance(seed=np.random.SeedSequence([2**70, 3]))
    assert json.loads(json.dumps(words.to_json()))["seed"]["entropy"] == [2**70, 3]
    assert repr(rlt.Provenance(horizon=2, parts=FULL.parts)) == "Provenance(horizon=2, 2 parts)"


def test_of_a_model() -> None:
    origin = rlt.Provenance.of(MDP, access="generative", seed=1)
    assert (origin.n_states, origin.n_actions, origin.horizon) == (3, 2, None)
    assert origin.model == MDP.fingerprint and origin.access == "generative"
    assert rlt.Provenance.of(MDP.episodic(7)).horizon == 7


def test_what_data_put_together_have_in_common() -> None:
    first = rlt.Provenance(n_states=3, model="a", access="online", policy="x", seed=0)
    second = rlt.Provenance(n_states=3, n_actions=2, model="a", access="generative", seed=1)
    both = joined([first, second])
    assert (both.n_states, both.n_actions, both.model) == (3, 2, "a")
    assert both.access is None and both.policy is None and both.seed is None
    assert both.parts == (first, second)
    assert joined([both, first]).parts == (first, second, first)
    # The same seed twice is the same data twice, which is to be seen.
    assert joined([first, first]).parts == (first, first)
    assert joined([rlt.Provenance(n_states=3)] * 2) == rlt.Provenance(n_states=3)
    assert joined([first]) == first
    with pytest.raises(ModelError, match="n_states 3 and 4 cannot be put together"):
        joined([first, second, rlt.Provenance(n_states=4)])


def test_fingerprints_of_policies() -> None:
    assert policy_fingerprint([0, 1]) == policy_fingerprint(np.array([0, 1], dtype=np.int8))
    different = [[0, 1], [1, 0], [[0, 1]], [0.0, 1.0]]
    assert len({policy_fingerprint(one) for one in different}) == 4
    mixtures = [
        rlt.Mixture([0.5, 0.5], [[0, 1], [1, 0]]),
        rlt.Mixture([0.5, 0.5], [[1, 0], [0, 1]]),
        rlt.Mixture([0.25, 0.75], [[0, 1], [1, 0]]),
        rlt.Mixture([1.0], [rlt.Mixture([0.5, 0.5], [[0, 1], [1, 0]])]),
    ]
    assert len({policy_fingerprint(one) for one in mixtures}) == 4
    assert policy_fingerprint(mixtures[0]) == policy_fingerprint(
        rlt.Mixture([0.5, 0.5], [[0, 1], [1, 0]])
    )
    history = rlt.HistoryPolicy(lambda: None, lambda *_: 0, name="always 0")
    assert policy_fingerprint(history) == "always 0"


BAD: list[tuple[dict[str, Any], str]] = [
    ({"n_states": 0}, "n_states is 0; it must be an integer of at least 1"),
    ({"horizon": 1.5}, "horizon is 1.5"),
    ({"model": 7}, "model of the provenance is 7; it must be a text"),
    ({"access": ["online"]}, "access of the provenance is ['online']"),
    ({"seed": 1.5}, "seed of the provenance is 1.5"),
    ({"seed": True}, "seed of the provenance is True"),
    ({"details": [1]}, "details of the provenance are [1]; they must be a mapping"),
    ({"details": {"x": np.nan}}, "details of the provenance are no JSON"),
    ({"details": {"x": object()}}, "details of the provenance are no JSON"),
    ({"parts": [1]}, "parts of a provenance must be provenances"),
]


@pytest.mark.parametrize(("fields", "words"), BAD)
def test_what_is_no_provenance(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ModelError) as caught:
        rlt.Provenance(**fields)
    assert words in str(caught.value) and "\n" not in str(caught.value)
    for given, message in (
        ([], "it must be a mapping"),
        ({"color": 1}, "has a field 'color'"),
        ({"parts": 3}, "they must be a list"),
    ):
        with pytest.raises(ModelError, match=message):
            rlt.Provenance.from_json(given)
